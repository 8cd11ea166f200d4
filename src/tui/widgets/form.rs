//! A form: labelled inputs, what is wrong with each, and the buttons below. What it is for is somebody else's business.

use std::collections::BTreeSet;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::area::{TextArea, write_area};
use super::field::TextField;
use super::paper::Paper;
use super::secret::SecretField;
use super::{button_row, text};
use crate::tui::theme;

/// Bytes that a secret has at most.
const SECRET_ROOM: usize = 512;

/// What a person fills in.
#[derive(Clone)]
pub enum Input {
    /// One line of text.
    Line(TextField),
    /// One line that is masked unless it is to be shown.
    Secret(SecretField),
    /// Several lines of text, and how many of them are shown at most.
    Text(Box<TextArea>, usize),
    /// A checkbox.
    Tick(bool),
    /// Radio buttons, and which is on.
    Options(Vec<String>, usize),
}

impl Input {
    /// One line of text.
    pub fn line(value: &str) -> Self {
        Self::Line(TextField::new(value))
    }

    /// An empty secret.
    pub fn secret() -> Self {
        Self::Secret(SecretField::with_room(SECRET_ROOM))
    }

    /// Several lines of text, of which at most `most` are shown; the cursor behind them.
    pub fn text(value: &str, most: usize) -> Self {
        Self::Text(Box::new(TextArea::new(value).at_end()), most)
    }

    /// Several lines of text that leave no trace, of which at most `most` are shown.
    pub fn private_text(most: usize) -> Self {
        Self::Text(Box::new(TextArea::private()), most)
    }

    fn end_step(&mut self) {
        match self {
            Self::Line(field) => field.end_step(),
            Self::Text(area, _) => area.end_step(),
            Self::Secret(_) | Self::Tick(_) | Self::Options(..) => {}
        }
    }
}

/// A labelled input.
#[derive(Clone)]
pub struct Row {
    /// What the form's owner calls it.
    pub name: &'static str,
    /// What the person sees.
    pub label: &'static str,
    /// A line on what may stand in it.
    pub hint: String,
    /// What is filled in.
    pub input: Input,
}

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It moved the focus or changed something.
    Taken,
    /// Enter on a line: the owner may do something with it.
    Entered(&'static str),
    /// Leave.
    Cancel,
    /// Do it.
    Submit,
}

/// Inputs, and where the person is among them.
#[derive(Clone)]
pub struct Form {
    /// The inputs in order.
    pub rows: Vec<Row>,
    /// The words of the button that does it.
    pub go: &'static str,
    /// Names of rows that are not shown now.
    pub hidden: Vec<&'static str>,
    /// Whether secrets are shown.
    pub shows_secrets: bool,
    focus: usize,
    left: BTreeSet<&'static str>,
    is_touched: bool,
}

// What stands in a form may be a plaintext or a secret.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("go", &self.go).field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Form {
    /// A form with the focus on its first input; on *Cancel* when `is_grave`, for what can't be undone.
    pub fn new(rows: Vec<Row>, go: &'static str, is_grave: bool) -> Self {
        let focus = if is_grave { rows.len() } else { 0 };
        let (hidden, left) = (Vec::new(), BTreeSet::new());
        Self { rows, go, hidden, shows_secrets: false, focus, left, is_touched: false }
    }

    fn row(&self, name: &str) -> Option<&Input> {
        self.rows.iter().find(|row| row.name == name).map(|row| &row.input)
    }

    /// The text of an input, without blanks around it; empty when it is hidden or has none.
    pub fn text(&self, name: &str) -> String {
        if self.hidden.contains(&name) {
            return String::new();
        }
        match self.row(name) {
            Some(Input::Line(field)) => field.value().trim().to_owned(),
            Some(Input::Text(area, _)) => area.value(),
            _ => String::new(),
        }
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> &str {
        if let Some(Input::Secret(secret)) = self.row(name) { secret.expose() } else { "" }
    }

    /// Whether a checkbox is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        !self.hidden.contains(&name) && matches!(self.row(name), Some(Input::Tick(true)))
    }

    /// Which radio button is on, from 0.
    pub fn chosen(&self, name: &str) -> usize {
        if let Some(Input::Options(_, chosen)) = self.row(name) { *chosen } else { 0 }
    }

    /// Puts a text or secret into an input.
    pub fn set(&mut self, name: &str, value: &str) {
        self.is_touched = true;
        match self.rows.iter_mut().find(|row| row.name == name).map(|row| &mut row.input) {
            Some(Input::Line(field)) => *field = TextField::new(value),
            Some(Input::Secret(secret)) => secret.set(value),
            _ => {}
        }
    }

    /// Whether something was changed since it was opened.
    pub fn is_touched(&self) -> bool {
        self.is_touched
    }

    /// Moves the focus to an input and lets its error be seen; to the button that does it when the input is hidden.
    pub fn focus_on(&mut self, name: &'static str) {
        match self.rows.iter().position(|row| row.name == name).filter(|place| !self.is_hidden(*place)) {
            Some(place) => self.focus = place,
            None => self.focus_on_go(),
        }
        self.left.insert(name);
    }

    fn is_hidden(&self, place: usize) -> bool {
        self.rows.get(place).is_some_and(|row| self.hidden.contains(&row.name))
    }

    fn step(&mut self, forward: bool) {
        if let Some(row) = self.rows.get_mut(self.focus) {
            row.input.end_step();
            self.left.insert(row.name);
        }
        let spots = self.rows.len() + 2;
        for _ in 0..spots {
            self.focus = (self.focus + if forward { 1 } else { spots - 1 }) % spots;
            if !self.is_hidden(self.focus) {
                return;
            }
        }
    }

    /// Whether Space ticks a box or presses a button.
    pub fn can_toggle(&self) -> bool {
        self.rows.get(self.focus).is_none_or(|row| matches!(row.input, Input::Tick(_)))
    }

    /// Whether letters go into a text.
    pub fn is_typing(&self) -> bool {
        let input = self.rows.get(self.focus).map(|row| &row.input);
        matches!(input, Some(Input::Line(_) | Input::Secret(_) | Input::Text(..)))
    }

    /// Whether a text of many lines has the focus, which turns its own pages.
    pub fn turns_pages(&self) -> bool {
        self.rows.get(self.focus).is_some_and(|row| matches!(row.input, Input::Text(..)))
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        match key.code {
            KeyCode::Esc => return Pressed::Cancel,
            KeyCode::Tab => self.step(true),
            KeyCode::BackTab => self.step(false),
            KeyCode::Char('n') if key.modifiers == KeyModifiers::CONTROL => return Pressed::Submit,
            _ => return self.press_here(key),
        }
        Pressed::Taken
    }

    fn press_here(&mut self, key: KeyEvent) -> Pressed {
        let is_only = self.rows.len() == 1;
        let count = self.rows.len();
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        let Some(row) = self.rows.get_mut(self.focus) else {
            match key.code {
                KeyCode::Left | KeyCode::Up => self.step(false),
                KeyCode::Right | KeyCode::Down => self.step(true),
                _ if enters => return if self.focus == count { Pressed::Cancel } else { Pressed::Submit },
                _ => {}
            }
            return Pressed::Taken;
        };
        let moves = match (&mut row.input, key.code) {
            (Input::Text(area, _), _) => {
                self.is_touched |= area.press(key);
                None
            }
            (Input::Line(_) | Input::Secret(_), KeyCode::Enter) if is_only => return Pressed::Submit,
            (Input::Line(_), KeyCode::Enter) => return Pressed::Entered(row.name),
            (Input::Options(labels, chosen), KeyCode::Down | KeyCode::Right) if *chosen + 1 < labels.len() => {
                *chosen += 1;
                self.is_touched = true;
                None
            }
            (Input::Options(_, chosen), KeyCode::Up | KeyCode::Left) if *chosen > 0 => {
                *chosen -= 1;
                self.is_touched = true;
                None
            }
            (Input::Tick(ticked), _) if enters => {
                *ticked = !*ticked;
                self.is_touched = true;
                None
            }
            (_, KeyCode::Enter | KeyCode::Down) => Some(true),
            (_, KeyCode::Up) => Some(false),
            (Input::Line(field), _) => {
                self.is_touched |= field.press(key);
                None
            }
            (Input::Secret(secret), _) => {
                self.is_touched |= secret.press(key);
                None
            }
            _ => None,
        };
        if let Some(forward) = moves {
            self.step(forward);
        }
        Pressed::Taken
    }

    /// Moves on from the input that has the focus.
    pub fn next(&mut self) {
        self.step(true);
    }

    /// Takes pasted text into the input that has the focus.
    pub fn paste(&mut self, pasted: &str) {
        self.is_touched = true;
        match self.rows.get_mut(self.focus).map(|row| &mut row.input) {
            Some(Input::Line(field)) => field.paste(pasted),
            Some(Input::Secret(secret)) => secret.paste(pasted.trim()),
            Some(Input::Text(area, _)) => area.paste(pasted),
            _ => {}
        }
    }

    /// The input that has the focus.
    pub fn here(&self) -> Option<&'static str> {
        self.rows.get(self.focus).map(|row| row.name)
    }

    /// Puts the focus on the first input that is shown, or on the button that does it when there is none.
    pub fn begin(&mut self) {
        self.focus = (0..self.rows.len()).find(|place| !self.is_hidden(*place)).unwrap_or(self.rows.len() + 1);
    }

    /// Moves the focus to the button that does it.
    pub fn focus_on_go(&mut self) {
        self.focus = self.rows.len() + 1;
    }

    /// Writes all inputs that are shown, with what is wrong with those that were left. What `below` writes stands below
    /// the input that has the focus.
    pub fn write(&self, paper: &mut Paper, errors: &[(&'static str, String)], below: impl Fn(&mut Paper)) {
        for (place, row) in self.rows.iter().enumerate().filter(|(place, _)| !self.is_hidden(*place)) {
            let is_focused = place == self.focus;
            let is_live = self.is_touched && matches!(row.input, Input::Text(..));
            let error = errors.iter().find(|(name, _)| *name == row.name && (is_live || self.left.contains(name)));
            paper.focused(is_focused, |paper| {
                self.write_row(paper, row, is_focused);
                match error {
                    Some((_, error)) => paper.prose(&format!("✗ {error}"), 2, theme::BAD),
                    None if row.hint.is_empty() => paper,
                    None => paper.prose(&row.hint, 2, theme::QUIET),
                };
                if is_focused {
                    below(paper);
                }
            });
            let is_tick = |row: Option<&Row>| matches!(row.map(|row| &row.input), Some(Input::Tick(_)));
            if !(is_tick(Some(row)) && is_tick(self.rows.get(place + 1))) {
                paper.gap();
            }
        }
    }

    /// Writes the buttons, with what `above` writes when one of them has the focus.
    pub fn write_buttons(&self, paper: &mut Paper, above: impl Fn(&mut Paper)) {
        let focused = self.focus.checked_sub(self.rows.len()).unwrap_or(usize::MAX);
        paper.focused(focused != usize::MAX, |paper| {
            if focused != usize::MAX {
                above(paper);
            }
            button_row(paper, &[Some("Cancel"), Some(self.go)], focused);
        });
    }

    fn write_row(&self, paper: &mut Paper, row: &Row, is_focused: bool) {
        let mark = Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT);
        if let Input::Tick(ticked) = row.input {
            let style = if is_focused { theme::FOCUS } else { theme::TEXT };
            for (index, words) in text::wrap(row.label, paper.width.saturating_sub(5)).into_iter().enumerate() {
                let lead = match (index, ticked) {
                    (0, true) => "☑ ",
                    (0, false) => "☐ ",
                    _ => "  ",
                };
                let mark = if index == 0 { mark.clone() } else { Span::raw("  ") };
                paper.line(Line::from(vec![mark, Span::styled(lead, theme::ACCENT), Span::styled(words, style)]));
            }
            return;
        }
        paper.line(Line::from(vec![mark, Span::styled(row.label, theme::HEADING)]));
        let columns = paper.width.saturating_sub(3).min(72);
        match &row.input {
            Input::Line(field) => field.write(paper, 2, columns, is_focused, ""),
            Input::Secret(secret) => {
                let shown = secret.expose();
                let column = secret.column();
                let field = if self.shows_secrets {
                    TextField::with_cursor(shown, shown.graphemes(true).take(column).flat_map(str::chars).count())
                } else {
                    TextField::with_cursor(&"•".repeat(shown.graphemes(true).count()), column)
                };
                field.write(paper, 2, columns, is_focused, "");
            }
            Input::Text(area, most) => write_area(paper, area, is_focused, *most, 3),
            Input::Options(labels, chosen) => {
                for (index, label) in labels.iter().enumerate() {
                    let on = index == *chosen;
                    let style = if on && is_focused { theme::FOCUS } else { theme::TEXT };
                    let mark =
                        Span::styled(if on { "  ◉ " } else { "  ○ " }, if on { theme::ACCENT } else { theme::TEXT });
                    paper.line(Line::from(vec![mark, Span::styled(text::escape_controls(label), style)]));
                }
            }
            Input::Tick(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let row = |name, input| Row { name, label: name, hint: String::new(), input };
        Form::new(vec![row("a", Input::line("")), row("b", Input::secret()), row("c", Input::Tick(false))], "Go", false)
    }

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn focus_wraps_around_and_skips_hidden_fields() {
        let mut form = form();
        form.hidden = vec!["b"];
        form.press(key(KeyCode::Tab));
        form.press(key(KeyCode::Char(' ')));
        assert!(form.is_ticked("c"));
        form.press(key(KeyCode::Tab));
        assert_eq!(form.press(key(KeyCode::Enter)), Pressed::Cancel);
        form.press(key(KeyCode::Tab));
        assert_eq!(form.press(key(KeyCode::Enter)), Pressed::Submit);
        form.press(key(KeyCode::Tab));
        form.press(key(KeyCode::Char('x')));
        assert_eq!(form.text("a"), "x");
    }

    #[test]
    fn secrets_are_masked_and_absent_from_debug_output() {
        let mut form = form();
        form.press(key(KeyCode::Tab));
        form.paste(" hunter2hunter2\n");
        assert_eq!(form.secret("b"), "hunter2hunter2");
        let mut paper = Paper::new(60);
        form.write(&mut paper, &[], |_| {});
        assert!(!format!("{form:?} {paper:?}").contains("hunter2"));
        form.shows_secrets = true;
        let mut paper = Paper::new(60);
        form.write(&mut paper, &[], |_| {});
        assert!(format!("{paper:?}").contains("hunter2"));
    }
}
