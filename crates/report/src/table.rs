//! Tables with aligned columns, as kubectl prints them.

/// A table under construction.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column titles.
    pub fn new(titles: &[&str]) -> Self {
        Self { rows: vec![titles.iter().map(|title| title.to_uppercase()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A row is a line, whatever a program said.
        let on_one_line =
            |cell: String| if cell.contains('\n') { cell.lines().collect::<Vec<_>>().join(" ") } else { cell };
        self.rows.push(cells.into_iter().map(on_one_line).collect());
    }

    /// The table as text, a line per row, three spaces between columns.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(line.join("   ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["name", "machines"]);
        table.row(["a-long-name".to_owned(), "3".to_owned()]);
        assert_eq!(table.text(), "NAME          MACHINES\na-long-name   3\n");
    }
}
