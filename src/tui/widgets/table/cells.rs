//! The text of a cell, with the characters that the search found.

use std::collections::BTreeSet;

use ratatui::style::Style;
use ratatui::text::Span;

use crate::tui::widgets::{fuzzy, text};

/// What stands for the part of a text that is cut off.
const ELLIPSIS: char = '…';

/// The text of a cell, or of one line of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableCell {
    /// The text.
    pub text: String,
    /// The positions of the characters that the search found, in bytes.
    pub hits: BTreeSet<usize>,
}

impl TableCell {
    /// Returns the text in `width` columns, the last of which is empty. An ellipsis is highlighted if it stands for
    /// something that the search found.
    pub fn spans(self, width: usize, style: Style) -> Vec<Span<'static>> {
        let columns = width.saturating_sub(1);
        let is_cut = text::width(&self.text) > columns;
        let shown = text::truncate(&self.text, columns);
        let mut hits = self.hits;
        if is_cut && !hits.split_off(&shown.len().saturating_sub(ELLIPSIS.len_utf8())).is_empty() {
            hits.insert(shown.len().saturating_sub(ELLIPSIS.len_utf8()));
        }
        let padding = " ".repeat(width.saturating_sub(text::width(&shown)));
        let mut spans = fuzzy::highlight(&shown, &hits, style);
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(&padding),
            _ => spans.push(Span::styled(padding, style)),
        }
        spans
    }

    /// Wraps the text into at most `max_lines` lines of at most `columns` columns. If text is cut off, the last line
    /// ends with an ellipsis.
    pub fn wrap(self, columns: usize, max_lines: usize) -> Vec<Self> {
        let mut rest = self.text.char_indices();
        let mut lines: Vec<Self> = Vec::new();
        for line in text::wrap(&self.text, columns) {
            let indent = line.len() - line.trim_start_matches(' ').len();
            // Wrapping leaves out spaces, but it keeps the order of everything else.
            let mut is_hit = |character: char| {
                let place = rest.by_ref().find(|(_, other)| *other == character).map(|(start, _)| start);
                place.is_some_and(|start| self.hits.range(start..start + character.len_utf8()).next().is_some())
            };
            let characters = line[indent..].char_indices();
            let hits =
                characters.filter_map(|(start, character)| is_hit(character).then_some(indent + start)).collect();
            lines.push(Self { text: line, hits });
        }
        let cut = lines.split_off(max_lines.min(lines.len()));
        if let (Some(last), false) = (lines.last_mut(), cut.is_empty()) {
            if cut.iter().any(|line| !line.hits.is_empty()) {
                last.hits.insert(last.text.len());
            }
            last.text.push(ELLIPSIS);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(text: &str, found: &str) -> TableCell {
        let hits = text.match_indices(found).flat_map(|(start, hit)| start..start + hit.len()).collect();
        TableCell { text: text.to_owned(), hits }
    }

    /// Returns the text with its highlighted characters in brackets.
    fn marked(spans: &[Span]) -> String {
        let mark = |span: &Span| {
            if span.style == Style::new() { span.content.to_string() } else { format!("[{}]", span.content) }
        };
        spans.iter().map(mark).collect()
    }

    #[test]
    fn ellipsis_is_highlighted_if_it_hides_a_hit() {
        for (text, found, expected) in [
            ("payments-db", "pay", "[pay]ments-db "),
            ("payments-database", "pay", "[pay]ments-d… "),
            ("payments-database", "base", "payments-d[…] "),
            ("payments-database", "data", "payments-[d…] "),
            ("日本語日本語", "語", "日本[語]日本[…] "),
            ("db", "db", "[db]          "),
        ] {
            assert_eq!(marked(&cell(text, found).spans(12, Style::new())), expected);
        }
        assert_eq!(marked(&cell("x", "x").spans(0, Style::new())), "");
    }

    #[test]
    fn hits_stay_on_their_characters_when_a_cell_is_wrapped() {
        let lines = |text, found, lines| {
            let cells = cell(text, found).wrap(6, lines);
            cells.into_iter().map(|cell| marked(&cell.spans(7, Style::new()))).collect::<Vec<_>>()
        };
        assert_eq!(lines("one two  three", "two", 3), ["one    ", "[two]    ", "three  "]);
        assert_eq!(lines("abcdefgh", "fg", 3), ["abcde[f] ", "[g]h     "]);
        assert_eq!(lines("one three five", "five", 2), ["one    ", "three[…] "]);
        assert_eq!(lines("one three five", "one", 2), ["[one]    ", "three… "]);
    }

    proptest! {
        #[test]
        fn highlights_never_change_the_text(text in "[ -~日ß]{0,30}", hits in prop::collection::btree_set(0usize..40, 0..8), width in 0usize..20) {
            let cell = TableCell { text: text.clone(), hits };
            let shown: String = cell.clone().spans(width, Style::new()).iter().map(|span| span.content.to_string()).collect();
            let expected = if width == 0 { String::new() } else { text::fit(&text, width - 1) + " " };
            prop_assert_eq!(shown, expected);
            let lines: Vec<String> = cell.wrap(width, 99).into_iter().map(|line| line.text).collect();
            prop_assert_eq!(lines, text::wrap(&text, width));
        }
    }
}
