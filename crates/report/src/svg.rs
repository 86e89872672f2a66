//! Pictures as SVG. The only user of layout-rs, which may lay equal pictures out differently; dot is always the same.

use graph::Picture;
use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

/// The most boxes that are laid out: the time that it takes grows much faster than their number.
pub const MOST_NODES: usize = 250;

/// Width of a letter, and height of a box.
const LETTER: f64 = 8.0;
const HEIGHT: f64 = 30.0;
const FONT: usize = 14;

/// What no box is drawn in.
const EMPTY: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"></svg>";

/// A picture as SVG; nothing where it has more boxes than can be laid out in good time, or cannot be laid out at all.
pub fn svg(picture: &Picture) -> Option<String> {
    match picture.nodes.len() {
        0 => Some(EMPTY.to_owned()),
        // The layout holds on to nothing; where it asserts something that is not so, there is no picture.
        1..=MOST_NODES => std::panic::catch_unwind(|| laid_out(picture)).ok(),
        _ => None,
    }
}

fn laid_out(picture: &Picture) -> String {
    let mut graph = VisualGraph::new(Orientation::LeftToRight);
    let nodes: Vec<_> = picture
        .nodes
        .iter()
        .map(|node| {
            let look = StyleAttr::new(Color::fast("black"), 1, Color::from_name(node.colour), 4, FONT);
            let letters = u32::try_from(node.label.chars().count()).unwrap_or(u32::MAX);
            let size = Point::new(f64::from(letters).mul_add(LETTER, LETTER * 2.0), HEIGHT);
            graph.add_node(Element::create(ShapeKind::new_box(&node.label), look, Orientation::LeftToRight, size))
        })
        .collect();
    for (from, to) in &picture.edges {
        if let (Some(from), Some(to)) = (nodes.get(*from), nodes.get(*to)) {
            graph.add_edge(Arrow::simple(""), *from, *to);
        }
    }
    let mut writer = SVGWriter::new();
    graph.do_it(false, false, false, &mut writer);
    writer.finalize()
}

#[cfg(test)]
mod tests {
    use graph::Node;

    use super::*;

    /// Layers of boxes, each waiting for some of the layer before.
    fn picture(nodes: usize) -> Picture {
        let label = |number: usize| format!("create certificate/machine-{number}/<&\"'>");
        let edges =
            (8..nodes).flat_map(|to| [(to - 8, to), (to - 8 + (to * 7) % 8, to)]).filter(|(from, to)| from < to);
        Picture {
            nodes: (0..nodes).map(|number| Node { label: label(number), colour: "#b9e4b4" }).collect(),
            edges: edges.collect(),
        }
    }

    #[test]
    fn every_box_is_drawn_and_no_label_is_markup() {
        let text = svg(&picture(80)).unwrap();
        assert_eq!(text.matches("&lt;&amp;&quot;&apos;&gt;").count(), 80);
        assert!(text.starts_with("<?xml") && text.ends_with("</svg>") && text.contains("#b9e4b4"));
    }

    #[test]
    fn nothing_and_one_box_are_drawn_and_too_many_are_not() {
        assert!(svg(&Picture::default()).is_some());
        assert!(svg(&picture(1)).is_some());
        assert_eq!(svg(&picture(MOST_NODES + 1)), None);
    }
}
