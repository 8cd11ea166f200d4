//! Labels and their values, in one to three columns by width.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text;
use crate::tui::theme;

/// The minimum width of a column with a label and a value.
const MIN_COLUMN_WIDTH: usize = 40;
/// The maximum number of columns.
const MAX_COLUMNS: usize = 3;
/// The gap between a label and its value, and between columns.
const GAP: usize = 2;

/// Labels and values to write as a grid.
#[derive(Clone, Debug, Default)]
pub struct KeyValueGrid {
    pairs: Vec<(String, String, Style)>,
}

/// The position of the columns of a grid.
struct Columns {
    count: usize,
    width: usize,
    label: usize,
}

impl KeyValueGrid {
    /// Adds a pair.
    pub fn push(&mut self, label: &str, value: String, style: Style) {
        self.pairs.push((label.to_owned(), value, style));
    }

    /// Returns the lines of the grid. A value that doesn't fit into its column gets a row without other values.
    pub fn lines(&self, width: usize) -> Vec<Line<'static>> {
        let columns = self.columns(width);
        let value_width = columns.width.saturating_sub(columns.label + GAP);
        let (mut lines, mut row) = (Vec::new(), Vec::new());
        for pair in &self.pairs {
            let fits = !pair.1.contains('\n') && text::width(&pair.1) <= value_width;
            if !fits || row.len() == columns.count {
                lines.extend(line_of(&std::mem::take(&mut row), &columns));
            }
            if fits {
                row.push(pair);
            } else {
                lines.extend(wide_pair(pair, &columns, width));
            }
        }
        lines.extend(line_of(&row, &columns));
        lines
    }

    fn columns(&self, width: usize) -> Columns {
        let room = width.saturating_sub(GAP);
        let count = (room / MIN_COLUMN_WIDTH).clamp(1, MAX_COLUMNS).min(self.pairs.len().max(1));
        let longest = self.pairs.iter().map(|(label, ..)| text::width(label)).max().unwrap_or(0) + GAP;
        let column = room / count;
        Columns { count, width: column, label: longest.min(26).min(column / 2).max(column.min(16) / 2) }
    }
}

fn label_span(label: &str, width: usize) -> Span<'static> {
    Span::styled(text::fit(label, width), theme::SECONDARY)
}

/// Returns the line of pairs that fit into their columns, or `None` if there are none.
fn line_of(pairs: &[&(String, String, Style)], columns: &Columns) -> Option<Line<'static>> {
    let mut spans = vec![Span::raw(" ".repeat(GAP))];
    for (label, value, style) in pairs {
        spans.push(label_span(label, columns.label));
        spans.push(Span::styled(value.clone(), *style));
        let rest = columns.width.saturating_sub(columns.label + text::width(value));
        spans.push(Span::raw(" ".repeat(rest)));
    }
    // Without the padding of the last column, a line has no trailing blanks.
    (spans.pop().is_some() && !pairs.is_empty()).then(|| Line::from(spans))
}

/// Returns the lines of a pair that takes the whole width.
fn wide_pair((label, value, style): &(String, String, Style), columns: &Columns, width: usize) -> Vec<Line<'static>> {
    let rows = text::wrap(value, width.saturating_sub(columns.label + GAP + 1).max(8));
    let line = |(index, row): (usize, String)| {
        let label = if index == 0 { label.as_str() } else { "" };
        Line::from(vec![Span::raw(" ".repeat(GAP)), label_span(label, columns.label), Span::styled(row, *style)])
    };
    rows.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(pairs: &[(&str, &str)], width: usize) -> Vec<String> {
        let mut grid = KeyValueGrid::default();
        for (label, value) in pairs {
            grid.push(label, (*value).to_owned(), theme::TEXT);
        }
        grid.lines(width).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pairs_share_a_row_when_the_screen_is_wide() {
        let pairs = [("Key type", "Symmetric"), ("Key usage", "Encrypt and decrypt"), ("Origin", "External")];
        assert_eq!(
            grid(&pairs, 60),
            ["  Key type   Symmetric", "  Key usage  Encrypt and decrypt", "  Origin     External"]
        );
        assert_eq!(
            grid(&pairs, 90),
            ["  Key type   Symmetric                        Key usage  Encrypt and decrypt", "  Origin     External"]
        );
    }

    #[test]
    fn long_value_takes_a_whole_row_and_wraps() {
        let long = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let lines = grid(&[("Alias", "payments"), ("ARN", long), ("Status", "Enabled")], 90);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[1], format!("  ARN     {long}"));
        let narrow = grid(&[("ARN", long)], 60);
        assert_eq!(narrow.len(), 2, "{narrow:?}");
        assert!(narrow.iter().all(|line| text::width(line) <= 60));
    }
}
