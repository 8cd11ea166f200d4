//! Tables of text: aligned for people, as Markdown, as CSV, and as JSON.

use std::io::{self, Write};

use serde_json::Value;

use crate::text;

/// The spaces between two columns.
const GAP: usize = 2;
/// The least width of a column that can be shortened.
const MIN_WIDTH: usize = 14;
/// The characters that have a meaning in the text of a Markdown table.
const MARKDOWN_CHARACTERS: &str = r"\`*_[]<>|~&#!";

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextColumn {
    /// The heading.
    pub title: &'static str,
    /// Whether the text can be shortened in a narrow terminal. A column with IDs can't, because a part of an ID is
    /// useless.
    pub can_shorten: bool,
}

/// A table of text. Empty cells have no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextTable {
    /// The columns, the most important ones first.
    pub columns: Vec<TextColumn>,
    /// The cells of each row.
    pub rows: Vec<Vec<String>>,
}

impl TextTable {
    /// Writes the table with aligned columns. Returns the titles of the columns that don't fit into `width`. Without a
    /// width, writes every cell in full.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_aligned(&self, out: &mut impl Write, width: Option<usize>) -> io::Result<Vec<&'static str>> {
        let titles: Vec<String> = self.columns.iter().map(|column| column.title.to_uppercase()).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| display(cell)).collect()).collect();
        let widths = self.widths(&titles, &rows, width);
        for row in std::iter::once(&titles).chain(&rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| text::fit(cell, *width));
            let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(self.columns[widths.len()..].iter().map(|column| column.title).collect())
    }

    /// Returns the widths of the columns that fit into `available`, at least one.
    fn widths(&self, titles: &[String], rows: &[Vec<String>], available: Option<usize>) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = rows.iter().map(|row| &row[column]).chain([&titles[column]]);
            cells.map(|cell| text::width(cell)).max().unwrap_or(0)
        };
        let full: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let Some(available) = available else { return full };
        // The widths if no column that can be shortened is wider than `limit`.
        let limited = |limit: usize| -> Vec<usize> {
            let width =
                |(column, full): (&TextColumn, &usize)| if column.can_shorten { limit.min(*full) } else { *full };
            self.columns.iter().zip(&full).map(width).collect()
        };
        let least = limited(MIN_WIDTH);
        let count = (1..=least.len()).rev().find(|count| total(&least[..*count]) <= available).unwrap_or(1);
        let fits = |limit: &usize| total(&limited(*limit)[..count]) <= available;
        let limit = (MIN_WIDTH..=available).rev().find(fits).unwrap_or(MIN_WIDTH);
        limited(limit)[..count].to_vec()
    }

    /// Writes the table as GitHub Flavored Markdown.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title).collect();
        writeln!(out, "| {} |", titles.join(" | "))?;
        writeln!(out, "|{}", " --- |".repeat(titles.len()))?;
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| escape_markdown(&display(cell))).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    /// Writes the table as CSV, with the titles in the first line.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns.iter().map(|column| column.title))?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|cell| text::escape_controls(cell)))?;
        }
        csv.flush()
    }

    /// Returns the rows as JSON objects. The titles become names such as `externalKeyId`, and a cell without a value is
    /// `null`.
    pub fn to_json(&self) -> Vec<Value> {
        let names: Vec<String> = self.columns.iter().map(|column| member_name(column.title)).collect();
        let value = |cell: &String| if cell.is_empty() { Value::Null } else { Value::from(cell.as_str()) };
        let object = |row: &Vec<String>| names.iter().cloned().zip(row.iter().map(value)).collect();
        self.rows.iter().map(object).collect()
    }
}

/// Returns the name of a column in JSON, such as `externalKeyId` for `External key ID`.
fn member_name(title: &str) -> String {
    let mut name = String::new();
    for word in title.split_whitespace() {
        let word = word.to_lowercase();
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        let first = if name.is_empty() { first.to_owned() } else { first.to_uppercase() };
        name.push_str(&first);
        name.push_str(rest);
    }
    name
}

/// Returns the width of a line with columns of these widths.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Returns the text of a cell for people: a hyphen if it has no value, and no control characters.
fn display(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { text::escape_controls(cell) }
}

fn escape_markdown(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    for letter in cell.chars() {
        if MARKDOWN_CHARACTERS.contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> TextTable {
        let columns = [("Aliases", true), ("Key ID", false), ("Note", true)];
        TextTable {
            columns: columns.map(|(title, can_shorten)| TextColumn { title, can_shorten }).into(),
            rows: [["payments-of-the-year-2026", "1234abcd-12ab", ""], ["東京", "k2", "a|b \u{1b}[31m\ta,\"b\""]]
                .map(|row| row.map(str::to_owned).into())
                .into(),
        }
    }

    fn aligned(width: Option<usize>) -> (String, Vec<&'static str>) {
        let mut out = Vec::new();
        let hidden = table().write_aligned(&mut out, width).unwrap();
        (String::from_utf8(out).unwrap(), hidden)
    }

    #[test]
    fn columns_are_aligned_in_full_without_a_width() {
        let (text, hidden) = aligned(None);
        assert_eq!(
            text,
            "ALIASES                    KEY ID         NOTE\n\
             payments-of-the-year-2026  1234abcd-12ab  -\n\
             東京                       k2             a|b \\u{1b}[31m\\u{9}a,\"b\"\n"
        );
        assert!(hidden.is_empty());
    }

    #[test]
    fn columns_are_shortened_and_left_out_to_fit_the_width() {
        for width in 1..100 {
            let (text, hidden) = aligned(Some(width));
            let widest = text.lines().map(text::width).max().unwrap();
            assert!(widest <= width.max(MIN_WIDTH), "{width}: {text}");
            assert!(hidden.contains(&"Key ID") || text.contains("1234abcd-12ab"), "{width}: {text}");
        }
        assert_eq!(aligned(Some(80)), aligned(None));
        let (text, hidden) = aligned(Some(34));
        assert!(text.contains("payments-of-the-ye…  1234"), "{text}");
        assert_eq!(hidden, ["Note"]);
    }

    #[test]
    fn json_has_an_object_for_each_row() {
        let rows = table().to_json();
        assert_eq!(
            rows,
            [
                json!({ "aliases": "payments-of-the-year-2026", "keyId": "1234abcd-12ab", "note": null }),
                json!({ "aliases": "東京", "keyId": "k2", "note": "a|b \u{1b}[31m\ta,\"b\"" }),
            ]
        );
        assert_eq!(member_name("Custom key store name"), "customKeyStoreName");
        assert_eq!(member_name("KMS key"), "kmsKey");
    }

    #[test]
    fn markdown_and_csv_keep_cells_intact() {
        let (mut markdown, mut csv) = (Vec::new(), Vec::new());
        table().write_markdown(&mut markdown).unwrap();
        table().write_csv(&mut csv).unwrap();
        assert_eq!(
            String::from_utf8(markdown).unwrap(),
            "| Aliases | Key ID | Note |\n| --- | --- | --- |\n\
             | payments-of-the-year-2026 | 1234abcd-12ab | - |\n\
             | 東京 | k2 | a\\|b \\\\u{1b}\\[31m\\\\u{9}a,\"b\" |\n"
        );
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows[0], vec!["payments-of-the-year-2026", "1234abcd-12ab", ""]);
        assert_eq!(rows[1].get(2), Some("a|b \\u{1b}[31m\\u{9}a,\"b\""));
    }
}
