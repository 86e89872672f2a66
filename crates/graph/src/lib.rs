//! A directed acyclic graph over typed ids: cycles, order, reverse; pictures in dot. The only user of petgraph.

mod dot;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use thiserror::Error;

pub use dot::{Node, Picture};

/// Ids that depend on each other in a circle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("dependencies go in a circle: {}", .0.join(" → "))]
pub struct Cycle(pub Vec<String>);

/// A directed acyclic graph; an edge goes from what comes first to what depends on it.
#[derive(Debug, Clone)]
pub struct Dag<K> {
    graph: DiGraph<K, ()>,
    index: BTreeMap<K, NodeIndex>,
}

impl<K: Ord + Clone + Display> Dag<K> {
    /// Builds the graph from every node's dependencies. Dependencies that are no nodes themselves are left out.
    pub fn new(dependencies: &BTreeMap<K, BTreeSet<K>>) -> Result<Self, Cycle> {
        let mut graph = DiGraph::with_capacity(dependencies.len(), dependencies.len());
        let index: BTreeMap<K, NodeIndex> =
            dependencies.keys().map(|key| (key.clone(), graph.add_node(key.clone()))).collect();
        for (key, befores) in dependencies {
            for before in befores {
                if let Some(from) = index.get(before) {
                    // A set names nothing twice; looking for the edge first would go through all that depends on `before`.
                    graph.add_edge(*from, index[key], ());
                }
            }
        }
        match tarjan_scc(&graph).into_iter().find(|group| group.len() > 1 || is_loop(&graph, group)) {
            Some(group) => Err(Cycle(group.into_iter().map(|node| graph[node].to_string()).collect())),
            None => Ok(Self { graph, index }),
        }
    }

    /// All ids, dependencies first; among those that could come next, the smallest id comes first.
    pub fn order(&self) -> Vec<K> {
        let mut waiting: BTreeMap<NodeIndex, usize> = self
            .index
            .values()
            .map(|node| (*node, self.graph.neighbors_directed(*node, Direction::Incoming).count()))
            .collect();
        let mut ready: BTreeSet<(&K, NodeIndex)> =
            self.index.iter().filter(|(_, node)| waiting[node] == 0).map(|(key, node)| (key, *node)).collect();
        let mut order = Vec::with_capacity(self.index.len());
        while let Some((key, node)) = ready.pop_first() {
            order.push(key.clone());
            for next in self.graph.neighbors_directed(node, Direction::Outgoing) {
                let left = waiting.entry(next).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.insert((&self.graph[next], next));
                }
            }
        }
        order
    }

    /// What directly depends on `key`.
    pub fn dependents(&self, key: &K) -> BTreeSet<K> {
        self.neighbours(key, Direction::Outgoing)
    }

    /// What `key` directly depends on.
    pub fn dependencies(&self, key: &K) -> BTreeSet<K> {
        self.neighbours(key, Direction::Incoming)
    }

    fn neighbours(&self, key: &K, direction: Direction) -> BTreeSet<K> {
        let Some(node) = self.index.get(key) else { return BTreeSet::new() };
        self.graph.neighbors_directed(*node, direction).map(|next| self.graph[next].clone()).collect()
    }
}

fn is_loop<K>(graph: &DiGraph<K, ()>, group: &[NodeIndex]) -> bool {
    group.first().is_some_and(|node| graph.contains_edge(*node, *node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(edges: &[(&'static str, &[&'static str])]) -> Result<Dag<&'static str>, Cycle> {
        Dag::new(&edges.iter().map(|(key, befores)| (*key, befores.iter().copied().collect())).collect())
    }

    #[test]
    fn dependencies_come_first_and_ties_are_broken_by_id() {
        let dag = dag(&[("a", &["z"]), ("b", &[]), ("z", &[]), ("c", &["a", "b"])]).unwrap();
        assert_eq!(dag.order(), ["b", "z", "a", "c"]);
    }

    #[test]
    fn many_may_depend_on_one() {
        let names: Vec<String> = (0..1000).map(|number| format!("m-{number:04}")).collect();
        let befores: BTreeSet<String> = ["z".to_owned()].into();
        let mut dependencies: BTreeMap<String, BTreeSet<String>> =
            names.iter().map(|name| (name.clone(), befores.clone())).collect();
        dependencies.insert("z".to_owned(), BTreeSet::new());
        let dag = Dag::new(&dependencies).unwrap();
        assert_eq!(dag.dependents(&"z".to_owned()).len(), names.len());
        assert_eq!(dag.order(), [&["z".to_owned()][..], &names].concat());
    }

    #[test]
    fn a_circle_is_named() {
        let Cycle(members) = dag(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]).unwrap_err();
        assert_eq!(members.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(["a", "b"]));
    }

    #[test]
    fn something_that_depends_on_itself_is_a_circle() {
        assert!(dag(&[("a", &["a"])]).is_err());
    }

    #[test]
    fn unknown_dependencies_are_left_out() {
        assert_eq!(dag(&[("a", &["gone"])]).unwrap().order(), ["a"]);
    }
}
