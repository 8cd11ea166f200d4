//! The search of a table: the search field, the search terms, and the rows that match them.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Span;

use super::{Completeness, Rows, Table, TableEvent};
use crate::listing::search::Search;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;
use crate::tui::widgets::text_field::TextField;

impl Table {
    /// Filters the rows with the [`Search`].
    pub(super) fn filter(&mut self) {
        let kept = self.current();
        let search = Search::parse(self.search.value(), &self.properties);
        let found = |row: &usize| self.haystack.get(*row).is_some_and(|line| search.matches(line));
        self.matching = self.sorted.iter().copied().filter(found).collect();
        let position = kept.and_then(|row| self.matching.iter().position(|&other| other == row));
        self.cursor = position.unwrap_or(self.cursor).min(self.matching.len().saturating_sub(1));
    }

    /// Returns the completion of a column name, with its colon, if the cursor is at the end of a partial name.
    fn completion(&self) -> Option<String> {
        if !self.search.is_at_end() {
            return None;
        }
        let search = self.search.value().to_lowercase();
        let word = search.rsplit(char::is_whitespace).next().filter(|word| !word.is_empty() && !word.contains(':'))?;
        let rest = self.properties.iter().find_map(|property| property.strip_prefix(word))?;
        Some(format!("{rest}:"))
    }

    /// Returns whether the search field is open.
    pub fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// Returns the search text.
    pub fn search(&self) -> &str {
        self.search.value()
    }

    /// Returns whether Esc ends or clears a search.
    pub fn handles_escape(&self) -> bool {
        self.is_searching || !self.search.value().is_empty()
    }

    /// Handles a key press in the open search field.
    pub(super) fn handle_search_key(&mut self, key: KeyEvent) -> TableEvent {
        match key.code {
            KeyCode::Enter | KeyCode::Down => self.is_searching = false,
            KeyCode::Esc => {
                self.is_searching = false;
                self.search = TextField::default();
                self.filter();
            }
            KeyCode::Right if key.modifiers.is_empty() && self.completion().is_some() => {
                let rest = self.completion().unwrap_or_default();
                self.search.paste(&rest);
                self.filter();
            }
            KeyCode::Tab | KeyCode::BackTab => {
                self.is_searching = false;
                return TableEvent::Ignored;
            }
            _ => {
                let before = self.search.value().to_owned();
                if !self.search.handle_key(key) {
                    return TableEvent::Ignored;
                }
                if self.search.value() != before {
                    self.filter();
                }
            }
        }
        TableEvent::Handled
    }

    /// Inserts pasted text into the search field, if it is open.
    pub fn handle_paste(&mut self, pasted: &str) {
        if self.is_searching {
            self.search.paste(pasted);
            self.filter();
        }
    }

    pub(super) fn write_search(&self, view: &mut ScrollView, rows: &Rows, is_focused: bool) {
        let (shown, total) = (self.matching.len(), rows.total);
        let noun = rows.noun[usize::from(total != 1)];
        let count = match (shown == total, self.completeness) {
            (true, Completeness::Complete) => format!("{total} {noun}"),
            (true, Completeness::Partial) => format!("{total} {noun} so far"),
            (false, Completeness::Complete) => format!("{shown} of {total} match"),
            (false, Completeness::Partial) => format!("{shown} of {total} loaded match"),
        };
        if self.is_searching {
            let columns = view.width.saturating_sub(30).clamp(6, 48);
            self.search.write(view, 2, columns, is_focused, "");
            let hint = self.completion().map_or_else(|| count.clone(), |rest| format!("{count} · → {rest}"));
            view.append_span(Span::styled(format!("  {hint}"), theme::SECONDARY));
            return;
        }
        let room = view.width.saturating_sub(text::width(&count) + 4);
        let (lead, style) = if self.search.value().is_empty() {
            ("/ Search".to_owned(), theme::SECONDARY)
        } else {
            (format!("Search: {}", text::escape_controls(self.search.value())), theme::TEXT)
        };
        view.push_line("  ");
        view.append_clickable(Span::styled(text::fit(&lead, room), style), Click::PageKey(KeyCode::Char('/').into()));
        view.append_span(Span::styled(format!(" {count}"), theme::SECONDARY));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widgets::table::Column;

    #[test]
    fn search_term_can_name_a_column_and_the_column_name_is_completed() {
        let rows = [["disabled", "enabled-later"], ["enabled", "x"]];
        let columns = [Column::new("Status", 5, 1), Column::new("Other name", 5, 1)];
        let mut table = Table::default();
        table.update_rows(2, &columns, &|row, column| rows[row][column].to_owned());
        let mut search = |text: &str| {
            table.handle_key(KeyCode::Char('/').into(), 2);
            for letter in text.chars() {
                table.handle_key(KeyCode::Char(letter).into(), 2);
            }
            table.handle_key(KeyCode::Right.into(), 2);
            let shown = table.matching_rows().to_vec();
            table.handle_key(KeyCode::Esc.into(), 2);
            shown
        };
        assert_eq!(search("enabled"), [0, 1]);
        assert_eq!(search("other-name:enabled"), [0]);
        assert_eq!(search("sta:enabled x"), [1]);
        // The arrow key completes it to `status:`, which matches every row.
        assert_eq!(search("stat"), [0, 1]);
        assert!(search("nothing:x").is_empty());
    }
}
