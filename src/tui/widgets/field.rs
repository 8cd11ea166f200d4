//! A one-line text field.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::backend::crossterm::EventHandler as _;
use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation as _;

use super::paper::Paper;
use super::text;
use crate::tui::theme;

/// The text in a field and the cursor in it.
#[derive(Clone, Debug, Default)]
pub struct TextField(Input);

impl PartialEq for TextField {
    fn eq(&self, other: &Self) -> bool {
        self.0.value() == other.0.value() && self.0.cursor() == other.0.cursor()
    }
}

impl TextField {
    /// A field that holds `value`, the cursor behind it.
    pub fn new(value: &str) -> Self {
        Self(Input::new(value.to_owned()))
    }

    /// What stands in it.
    pub fn value(&self) -> &str {
        self.0.value()
    }

    /// Takes a key; whether it was one for a text field.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let request = match (key.code, key.modifiers) {
            (KeyCode::Char('b'), KeyModifiers::ALT) => Some(InputRequest::GoToPrevWord),
            (KeyCode::Char('f'), KeyModifiers::ALT) => Some(InputRequest::GoToNextWord),
            (KeyCode::Char('d'), KeyModifiers::ALT) => Some(InputRequest::DeleteNextWord),
            _ => None,
        };
        match request {
            Some(request) => {
                self.0.handle(request);
                true
            }
            None => self.0.handle_event(&Event::Key(key)).is_some(),
        }
    }

    /// Takes pasted text: each line break (`\n`, `\r`, or both) and each tab becomes one space, other control characters are
    /// dropped.
    pub fn paste(&mut self, pasted: &str) {
        let lines = pasted.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
        for character in lines.chars() {
            let character = if matches!(character, '\n' | '\r' | '\t') { ' ' } else { character };
            if !character.is_control() {
                self.0.handle(InputRequest::InsertChar(character));
            }
        }
    }

    /// Writes the field as one line of at most `columns` columns, the cursor in view.
    pub fn write(&self, paper: &mut Paper, indent: usize, columns: usize, is_focused: bool, placeholder: &str) {
        let inner = columns.saturating_sub(2).max(1);
        let scroll = self.0.visual_scroll(inner.saturating_sub(1).max(1));
        let value = text::harmless(self.value());
        let mut shown = String::new();
        let mut passed = 0;
        for grapheme in value.graphemes(true) {
            let wide = text::width(grapheme);
            if passed >= scroll && text::width(&shown) + wide <= inner {
                shown.push_str(grapheme);
            }
            passed += wide;
        }
        let (shown, style) = if value.is_empty() && !is_focused {
            (text::cut(placeholder, inner), theme::QUIET)
        } else {
            (shown, Style::new())
        };
        let edge = if is_focused { theme::ACCENT } else { theme::QUIET };
        let (left, right) = if is_focused { ("▌", "▐") } else { ("▏", "▕") };
        paper.line(Line::from(vec![
            Span::raw(" ".repeat(indent)),
            Span::styled(left, edge),
            Span::styled(text::fit(&shown, inner), style.patch(ratatui::style::Modifier::UNDERLINED)),
            Span::styled(right, edge),
        ]));
        if is_focused {
            paper.cursor_at(indent + 1 + self.0.visual_cursor().saturating_sub(scroll).min(inner));
        }
    }
}
