//! The lines that differ between two texts, with the line numbers of both.

use ratatui::text::{Line, Span};

use super::code_view;
use super::scroll_view::ScrollView;
use crate::create_key::preview::changes::{ChangedLine, ComparisonRow, LineChange, PolicyChanges};
use crate::tui::theme;

/// The differences to show.
#[derive(Clone, Copy, Debug)]
pub struct DiffView<'a> {
    changes: &'a PolicyChanges,
}

impl<'a> DiffView<'a> {
    /// Creates the view.
    pub fn new(changes: &'a PolicyChanges) -> Self {
        Self { changes }
    }

    /// Writes the differences. `-` marks removed lines, and `+` added ones. Lines that are too long continue on the next
    /// row.
    pub fn write(&self, view: &mut ScrollView) {
        let rows = self.changes.rows();
        let numbers = rows.iter().filter_map(|row| match row {
            ComparisonRow::Line(line) => line.before.max(line.after),
            ComparisonRow::Unchanged(_) => None,
        });
        let digits = numbers.max().unwrap_or(1).to_string().len();
        for row in rows {
            match row {
                ComparisonRow::Line(line) => write_line(view, line, digits),
                ComparisonRow::Unchanged(_) => {
                    let indent = " ".repeat(2 * digits + 5);
                    view.push_line(Line::styled(format!("{indent}{row}"), theme::SECONDARY));
                }
            }
        }
    }
}

/// Writes a line after its numbers, which have up to `digits` digits, and its symbol.
fn write_line(view: &mut ScrollView, line: &ChangedLine, digits: usize) {
    let style = match line.change {
        LineChange::Unchanged => theme::TEXT,
        LineChange::Added => theme::SUCCESS,
        LineChange::Removed => theme::ERROR,
    };
    let margin = 2 * digits + 5;
    let room = view.width.saturating_sub(margin + 1).max(8);
    let number = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
    let numbers = format!(" {:>digits$} {:>digits$} ", number(line.before), number(line.after));
    for (row, spans) in code_view::wrap([(style, line.text.as_str())], room, |_, style| style).into_iter().enumerate() {
        let lead = if row == 0 {
            let symbol = Span::styled(format!("{} ", line.change.symbol()), style);
            vec![Span::styled(numbers.clone(), theme::SECONDARY), symbol]
        } else {
            vec![Span::raw(" ".repeat(margin))]
        };
        view.push_line(lead.into_iter().chain(spans).collect::<Line>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(before: &str, after: &str, width: u16) -> Vec<Line<'static>> {
        let mut view = ScrollView::new(width);
        DiffView::new(&PolicyChanges::between(before, after)).write(&mut view);
        view.lines().to_vec()
    }

    #[test]
    fn lines_have_the_numbers_of_both_texts_and_a_symbol() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\nold line";
        let lines = written(before, &format!("new\n{}", before.replace("old line", "longer line of text")), 26);
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let expected = [
            "     1 + new",
            "  1  2   1",
            "  2  3   2",
            "         … 5 unchanged lines",
            "  8  9   8",
            "  9 10   9",
            " 10    - old line",
            "    11 + longer line of t",
            "         ext",
        ];
        assert_eq!(texts, expected);
        let styles = |row: usize| lines[row].spans.iter().map(|span| span.style).collect::<Vec<_>>();
        assert_eq!(styles(0), [theme::SECONDARY, theme::SUCCESS, theme::SUCCESS]);
        assert_eq!(styles(1), [theme::SECONDARY, theme::TEXT, theme::TEXT]);
        assert_eq!(styles(6), [theme::SECONDARY, theme::ERROR, theme::ERROR]);
        assert_eq!(lines[3].style, theme::SECONDARY);
    }

    #[test]
    fn wide_and_hidden_characters_stay_inside_the_page() {
        for line in written("a", "日本語日本語日本語\u{202e}\u{7}", 20) {
            assert!(line.width() <= 20, "{line}");
            assert!(!line.to_string().contains(crate::text::is_hidden), "{line}");
        }
    }
}
