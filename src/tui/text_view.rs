//! A full-screen view of a text, to read it, select it with the mouse, copy it, or save it to a file.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_segmentation::UnicodeSegmentation as _;

use super::effect::Call;
use super::error_report::ErrorDetails;
use super::theme;
use super::widgets::canvas::{Canvas, Click};
use super::widgets::text;
use crate::aws::scalar::SecretString;

/// A text and its scroll position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextView {
    title: &'static str,
    text: SecretString,
    error: Option<ErrorDetails>,
    top_row: usize,
}

/// The result of a key press.
#[derive(Debug, PartialEq)]
pub enum TextViewEvent {
    /// The view handled the key.
    Handled,
    /// Close the view.
    Close,
    /// Copy the text: its name and the text.
    Copy(&'static str, String),
    /// Save the text to a file.
    Save(Call),
    /// Show a report of the error.
    Report(ErrorDetails),
}

impl TextView {
    /// Creates a view of `text`. `what` names it, for example "key policy".
    pub fn new(what: &'static str, text: String) -> Self {
        Self { title: what, text: SecretString::new(text), error: None, top_row: 0 }
    }

    /// Creates the view of an error.
    pub fn of_error(error: ErrorDetails) -> Self {
        let text = error.to_string();
        Self { error: Some(error), ..Self::new("Error", text) }
    }

    /// Returns the error, if the view shows one.
    pub fn error(&self) -> Option<&ErrorDetails> {
        self.error.as_ref()
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Handles a key press, given the width and height of the screen.
    pub fn handle_key(&mut self, key: KeyEvent, (width, height): (u16, u16)) -> TextViewEvent {
        let page = usize::from(height.saturating_sub(1)).max(1);
        let last = self.wrapped_rows(width).len().saturating_sub(page);
        self.top_row = match key.code {
            KeyCode::Down => self.top_row + 1,
            KeyCode::Up => self.top_row.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top_row + page,
            KeyCode::PageUp => self.top_row.saturating_sub(page),
            KeyCode::Home => 0,
            KeyCode::End => last,
            KeyCode::Char('y') => return TextViewEvent::Copy(self.title, self.text().to_owned()),
            KeyCode::Char('s') => return TextViewEvent::Save(self.save_request()),
            KeyCode::Char('e') if let Some(error) = &self.error => return TextViewEvent::Report(error.clone()),
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => return TextViewEvent::Close,
            _ => self.top_row,
        }
        .min(last);
        TextViewEvent::Handled
    }

    /// Returns the request that saves the text to a file named after its title.
    fn save_request(&self) -> Call {
        let is_json = serde_json::from_str::<serde_json::Value>(self.text()).is_ok();
        let is_script = ["#!", "aws "].into_iter().any(|start| self.text().starts_with(start));
        let end = if is_json {
            "json"
        } else if self.title.starts_with("CSV") {
            "csv"
        } else if self.title.starts_with("Markdown") {
            "md"
        } else if is_script {
            "sh"
        } else {
            "txt"
        };
        Call::WriteFile {
            name: format!("{}.{end}", self.title.to_lowercase().replace(' ', "-")),
            text: self.text.clone(),
        }
    }

    /// Returns the text as screen lines, wrapped only at the right edge.
    fn wrapped_rows(&self, width: u16) -> Vec<String> {
        let width = usize::from(width.max(2));
        let mut rows = Vec::new();
        for line in self.text().lines() {
            let (mut row, mut used) = (String::new(), 0);
            for grapheme in text::escape_controls(line).graphemes(true) {
                let wide = text::width(grapheme);
                if used + wide > width {
                    rows.push(std::mem::take(&mut row));
                    used = 0;
                }
                row.push_str(grapheme);
                used += wide;
            }
            rows.push(row);
        }
        rows
    }

    /// Draws the view over the whole screen.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect) {
        canvas.render(Clear, area);
        let page = usize::from(area.height.saturating_sub(1));
        let rows = self.wrapped_rows(area.width);
        let top = self.top_row.min(rows.len().saturating_sub(page));
        for (y, row) in (area.y..area.bottom().saturating_sub(1)).zip(rows.iter().skip(top)) {
            canvas.render(Line::raw(row.clone()), Rect { y, height: 1, ..area });
        }
        let mut keys = Line::raw(" ");
        let last_row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        let report = self.error.as_ref().map(|_| (KeyCode::Char('e'), "e", "Error report"));
        let actions = [
            Some((KeyCode::Char('y'), "y", "Copy")),
            Some((KeyCode::Char('s'), "s", "Save to file")),
            report,
            Some((KeyCode::Esc, "Esc", "Close")),
        ];
        for (code, label, title) in actions.into_iter().flatten() {
            let place = columns_after(&keys, label.len() + 1 + title.len(), last_row);
            canvas.on_click(place, Click::Key(code.into()));
            keys.push_span(Span::styled(label, theme::ACCENT));
            keys.push_span(Span::styled(format!(" {title}  "), theme::SECONDARY));
        }
        if rows.len() > page {
            let shown = format!("Lines {}-{} of {}", top + 1, (top + page).min(rows.len()), rows.len());
            keys.push_span(Span::styled(shown, theme::SECONDARY));
        }
        canvas.render(keys, last_row);
    }

    /// Scrolls by this number of lines, given the width and height of the screen.
    pub fn scroll_by(&mut self, lines: isize, (width, height): (u16, u16)) {
        let page = usize::from(height.saturating_sub(1)).max(1);
        let last = self.wrapped_rows(width).len().saturating_sub(page);
        self.top_row = self.top_row.saturating_add_signed(lines).min(last);
    }
}

/// Returns the place of the next `columns` columns after a line.
fn columns_after(line: &Line, columns: usize, area: Rect) -> Rect {
    let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Rect { x: area.x.saturating_add(cells(line.width())), width: cells(columns), ..area }.intersection(area)
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn press(view: &mut TextView, code: KeyCode) -> TextViewEvent {
        view.handle_key(KeyEvent::new(code, KeyModifiers::NONE), (20, 5))
    }

    #[test]
    fn page_keys_scroll_by_the_height_of_the_screen() {
        let mut view = TextView::new("key policy", "line\n".repeat(10));
        for (code, top) in [
            (KeyCode::PageDown, 4),
            (KeyCode::Down, 5),
            (KeyCode::PageDown, 6),
            (KeyCode::PageUp, 2),
            (KeyCode::Home, 0),
            (KeyCode::Up, 0),
            (KeyCode::End, 6),
        ] {
            assert_eq!(press(&mut view, code), TextViewEvent::Handled);
            assert_eq!(view.top_row, top, "{code:?}");
        }
        assert_eq!(press(&mut view, KeyCode::Esc), TextViewEvent::Close);
    }

    #[test]
    fn saved_file_is_named_after_its_content() {
        let name = |what, text: &str| match TextView::new(what, text.to_owned()).save_request() {
            Call::WriteFile { name, .. } => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(name("key policy", "{}"), "key-policy.json");
        assert_eq!(name("AWS CLI commands", "aws kms create-key"), "aws-cli-commands.sh");
        assert_eq!(name("CSV table", "Key ID\n1234\n"), "csv-table.csv");
        assert_eq!(name("Markdown table", "| Key ID |"), "markdown-table.md");
        assert_eq!(name("Error", "no"), "error.txt");
    }

    #[test]
    fn text_fills_the_screen_and_long_lines_wrap() {
        let view = TextView::new("Key ARN", format!("{}\nend", "x".repeat(25)));
        let mut terminal = Terminal::new(TestBackend::new(20, 5)).unwrap();
        let frame = terminal.draw(|frame| view.draw(&mut Canvas::new(frame), Rect::new(0, 0, 20, 5))).unwrap();
        let shown = crate::flow::tape::screen_text(frame.buffer);
        assert!(shown.starts_with(&format!("{}\n{}\nend\n", "x".repeat(20), "x".repeat(5))), "{shown}");
    }
}
