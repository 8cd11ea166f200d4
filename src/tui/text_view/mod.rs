//! A full-screen view of a text, to read it, search it, select it with the mouse, copy it, or save it to a file.

mod footer;
mod search;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use self::search::{Hit, TextSearch, hits_in_line};
use super::effect::Call;
use super::error_report::ErrorDetails;
use super::keymap::{self, Action, Context, Keymap};
use super::theme;
use super::widgets::canvas::Canvas;
use super::widgets::code_view::{styled_lines, wrap};
use super::widgets::fuzzy;
use crate::aws::scalar::SecretString;
use crate::error_remedies;
use crate::text::highlight::Language;

/// A text, its scroll position, and its search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextView {
    title: &'static str,
    text: SecretString,
    /// The languages of the text, with the number of lines in each.
    languages: Vec<(Language, usize)>,
    /// Whether lines have numbers. At first they don't, so that the terminal selects only the text.
    has_line_numbers: bool,
    error: Option<ErrorDetails>,
    top_row: usize,
    search: Option<Box<TextSearch>>,
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

/// A row of the screen: a part of a line of the text.
struct Row {
    /// The number of the line, from 0.
    line: usize,
    /// The bytes of the line that the row shows.
    bytes: Range<usize>,
    spans: Vec<Span<'static>>,
}

impl TextView {
    /// Creates a view of `text`. `what` names it, for example "key policy".
    pub fn new(what: &'static str, text: String) -> Self {
        let language = language_of(&text);
        Self::with_language(what, text, language)
    }

    /// Creates a view of lines that differ, with `+` and `-` at their start. `what` names them.
    pub fn of_changes(what: &'static str, text: String) -> Self {
        Self::with_language(what, text, Language::Difference)
    }

    /// Creates a view of several texts below each other, each with its title and language. `what` names all of them.
    pub fn of_sections<'a>(
        what: &'static str,
        sections: impl IntoIterator<Item = (&'static str, Language, &'a str)>,
    ) -> Self {
        let (mut text, mut languages) = (String::new(), Vec::new());
        for (title, language, section) in sections {
            let section = section.trim_end();
            let gap = if text.is_empty() { "" } else { "\n" };
            text.extend([gap, title, "\n\n", section, "\n"]);
            languages.extend([(Language::Words, gap.len() + 2), (language, section.lines().count().max(1))]);
        }
        Self { languages, ..Self::with_language(what, text, Language::Words) }
    }

    fn with_language(title: &'static str, text: String, language: Language) -> Self {
        let (text, languages) = (SecretString::new(text), vec![(language, usize::MAX)]);
        Self { title, text, languages, has_line_numbers: false, error: None, top_row: 0, search: None }
    }

    /// Creates the view of an error.
    pub fn of_error(error: ErrorDetails) -> Self {
        let mut text = error.to_string();
        // The messages of the console itself say what to do.
        if !error.request_id.is_empty() {
            let remedy = error_remedies::for_error(&error.code, &error.message);
            let _ = write!(text, "\n{}\nWhat to do: {}\n", remedy.meaning, remedy.action);
        }
        Self { error: Some(error), ..Self::with_language("Error", text, Language::Words) }
    }

    /// Returns the error, if the view shows one.
    pub fn error(&self) -> Option<&ErrorDetails> {
        self.error.as_ref()
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Returns whether an action is available.
    pub fn is_available(&self, action: Action) -> bool {
        match action {
            Action::ErrorReport => self.error.is_some(),
            Action::NextMatch | Action::PreviousMatch => !self.hits().is_empty(),
            Action::Copy
            | Action::SaveText
            | Action::Search
            | Action::LineNumbers
            | Action::Back
            | Action::Quit
            | Action::ToggleMouse
            | Action::Redraw
            | Action::Suspend => true,
            Action::EditText => self.is_typing(),
            _ => false,
        }
    }

    /// Handles a key press, given the width and height of the screen.
    pub fn handle_key(&mut self, key: KeyEvent, size: (u16, u16)) -> TextViewEvent {
        if self.is_typing() {
            self.handle_search_key(key, size);
            return TextViewEvent::Handled;
        }
        match keymap::action(&[Context::TextView], key) {
            Some(Action::Copy) => return TextViewEvent::Copy(self.title, self.text().to_owned()),
            Some(Action::SaveText) => return TextViewEvent::Save(self.save_request()),
            Some(Action::ErrorReport) => {
                return self.error.clone().map_or(TextViewEvent::Handled, TextViewEvent::Report);
            }
            Some(Action::Search) => self.open_search(),
            Some(Action::NextMatch) => self.move_to_hit(true, size),
            Some(Action::PreviousMatch) => self.move_to_hit(false, size),
            Some(Action::LineNumbers) => self.toggle_line_numbers(size),
            // As in a table, the first Esc clears the search.
            Some(Action::Back) if self.search.is_some() => self.search = None,
            Some(Action::Back | Action::Activate) => return TextViewEvent::Close,
            _ if key.code == KeyCode::Char('q') => return TextViewEvent::Close,
            _ => self.scroll_with_key(key.code, size),
        }
        TextViewEvent::Handled
    }

    fn scroll_with_key(&mut self, key: KeyCode, (width, height): (u16, u16)) {
        let page = page_height(height);
        let last = self.rows(width, &[]).len().saturating_sub(page);
        self.top_row = match key {
            KeyCode::Down => self.top_row + 1,
            KeyCode::Up => self.top_row.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top_row + page,
            KeyCode::PageUp => self.top_row.saturating_sub(page),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => self.top_row,
        }
        .min(last);
    }

    /// Scrolls by this number of lines, given the width and height of the screen.
    pub fn scroll_by(&mut self, lines: isize, (width, height): (u16, u16)) {
        let last = self.rows(width, &[]).len().saturating_sub(page_height(height));
        self.top_row = self.top_row.saturating_add_signed(lines).min(last);
    }

    /// Shows or hides line numbers. The line at the top stays there.
    fn toggle_line_numbers(&mut self, (width, _): (u16, u16)) {
        let top = self.rows(width, &[]).get(self.top_row).map(|row| (row.line, row.bytes.start));
        self.has_line_numbers = !self.has_line_numbers;
        if let Some((line, byte)) = top {
            self.top_row = row_of(&self.rows(width, &[]), line, byte);
        }
    }

    /// Returns the request that saves the text to a file named after its title.
    fn save_request(&self) -> Call {
        let end = match self.languages[..] {
            [(Language::Json, _)] => "json",
            [(Language::Shell, _)] => "sh",
            [(Language::Hcl, _)] => "tf",
            _ if self.title.starts_with("CSV") => "csv",
            _ if self.title.starts_with("Markdown") => "md",
            _ => "txt",
        };
        Call::WriteFile {
            name: format!("{}.{end}", self.title.to_lowercase().replace(' ', "-")),
            text: self.text.clone(),
        }
    }

    /// Returns the text as rows of the screen, wrapped only at the right edge. The hits of the search are highlighted.
    fn rows(&self, width: u16, hits: &[Hit]) -> Vec<Row> {
        let lines: Vec<&str> = self.text().lines().collect();
        let digits = lines.len().to_string().len();
        let margin = if self.has_line_numbers { digits + 2 } else { 0 };
        let room = usize::from(width).saturating_sub(margin).max(2);
        let current = self.current_hit().and_then(|index| hits.get(index));
        let mut rows = Vec::new();
        let sections = self.sections(&lines);
        let styled = sections.iter().flat_map(|(language, text)| styled_lines(*language, text));
        for (line, parts) in styled.enumerate() {
            let hits = hits_in_line(hits, line);
            let restyle = |bytes: Range<usize>, style: Style| hit_style(hits, current, &bytes).unwrap_or(style);
            let mut start = 0;
            for (index, mut spans) in wrap(parts, room, restyle).into_iter().enumerate() {
                let end = start + spans.iter().map(|span| span.content.len()).sum::<usize>();
                if self.has_line_numbers {
                    let number = if index == 0 { (line + 1).to_string() } else { String::new() };
                    spans.insert(0, Span::styled(format!("{number:>digits$}  "), theme::SECONDARY));
                }
                rows.push(Row { line, bytes: start..end, spans });
                start = end;
            }
        }
        rows
    }

    /// Returns the text of each language, without carriage returns.
    fn sections(&self, lines: &[&str]) -> Vec<(Language, String)> {
        let mut rest = lines;
        let section = |(language, count): &(Language, usize)| {
            let (section, after) = rest.split_at(rest.len().min(*count));
            rest = after;
            (*language, section.join("\n"))
        };
        self.languages.iter().map(section).collect()
    }

    /// Draws the view over the whole screen. Its footer has the keys of `keymap`.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect, keymap: &Keymap) {
        canvas.render(Clear, area);
        let page = usize::from(area.height.saturating_sub(1));
        let hits = self.hits();
        let rows = self.rows(area.width, &hits);
        let top = self.top_row.min(rows.len().saturating_sub(page));
        for (y, row) in (area.y..area.bottom().saturating_sub(1)).zip(rows.iter().skip(top)) {
            canvas.line(&Line::from(row.spans.clone()), Rect { y, height: 1, ..area });
        }
        let lines = format!("Lines {}-{} of {}", top + 1, (top + page).min(rows.len()), rows.len());
        let status = self.search_status(hits.len()).or_else(|| (rows.len() > page).then_some(lines));
        let last_row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        self.draw_footer(canvas, last_row, &status.unwrap_or_default(), keymap);
    }
}

/// Returns the number of rows that show the text on a screen of this height.
fn page_height(height: u16) -> usize {
    usize::from(height.saturating_sub(1)).max(1)
}

/// Returns the number of the row that shows a byte of a line.
fn row_of(rows: &[Row], line: usize, byte: usize) -> usize {
    let is_before = |row: &Row| row.line < line || row.line == line && row.bytes.end <= byte;
    rows.partition_point(is_before).min(rows.len().saturating_sub(1))
}

/// Returns the style of a part of a line that is in a hit of the search. `hits` are those of the line.
fn hit_style(hits: &[Hit], current: Option<&Hit>, bytes: &Range<usize>) -> Option<Style> {
    let first = hits.partition_point(|hit| hit.bytes.end <= bytes.start);
    let hit = hits.get(first).filter(|hit| hit.bytes.start < bytes.end)?;
    let style = fuzzy::hit_style(theme::TEXT);
    Some(if current == Some(hit) { style.add_modifier(Modifier::REVERSED) } else { style })
}

/// Returns the language of a text.
fn language_of(text: &str) -> Language {
    if serde_json::from_str::<serde_json::Value>(text).is_ok() {
        Language::Json
    } else if ["#!", "aws "].into_iter().any(|start| text.starts_with(start)) {
        Language::Shell
    } else if text.lines().any(|line| line.starts_with("resource \"") && line.ends_with('{')) {
        Language::Hcl
    } else {
        Language::Words
    }
}
