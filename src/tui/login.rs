//! What lies over everything when there is nothing to sign with: what to do, a code of an MFA device where one is asked for,
//! and *Retry*. What could not be asked waits, and nothing that was typed is lost.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::effect::Call;
use super::theme;
use super::widgets::button_row;
use super::widgets::editing::Edit;
use super::widgets::paper::Paper;
use super::widgets::secret::SecretField;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::client::credentials::LoadCredentialsError;

/// Digits of a code.
const DIGITS: usize = 6;

/// What the person wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Nothing yet.
    Nothing,
    /// Fetch credentials.
    Ask(Call),
    /// Leave it: what waits has failed.
    Close,
}

/// The person is to log in.
#[derive(Clone)]
pub struct Login {
    /// Why.
    pub none: LoadCredentialsError,
    /// What could not be asked.
    pub unasked: Vec<Call>,
    code: SecretField,
    is_asking: bool,
    error: Option<String>,
    on_close: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("none", &self.none).field("unasked", &self.unasked).finish_non_exhaustive()
    }
}

impl Login {
    /// Nothing was asked for want of credentials.
    pub fn new(none: LoadCredentialsError) -> Self {
        let code = SecretField::with_room(DIGITS);
        Self { none, unasked: Vec::new(), code, is_asking: false, error: None, on_close: false }
    }

    /// The title.
    pub fn title(&self) -> &'static str {
        if self.none.mfa_serial.is_some() { "Multi-factor authentication" } else { "Log in again" }
    }

    /// Something more could not be asked. What is asked anew takes the place of what was asked before.
    pub fn wait(&mut self, call: Call) {
        self.unasked.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&call));
        self.unasked.push(call);
    }

    /// It was tried, in vain.
    pub fn refused(&mut self, none: LoadCredentialsError) {
        let is_code_wrong = self.none.mfa_serial.is_some() && none.mfa_serial.is_some();
        self.error = is_code_wrong.then(|| none.reason.clone());
        self.none = none;
        self.is_asking = false;
        self.code.clear();
    }

    /// Takes a key. The arrows move to the other button where they can't move in the code.
    pub fn press(&mut self, key: KeyEvent) -> Wish {
        match key.code {
            KeyCode::Esc => return Wish::Close,
            _ if self.is_asking => {}
            KeyCode::Tab | KeyCode::BackTab => self.on_close = !self.on_close,
            KeyCode::Enter if self.on_close => return Wish::Close,
            KeyCode::Enter => return self.submit(),
            code => {
                let is_arrow = matches!(code, KeyCode::Left | KeyCode::Right);
                let is_edited = match Edit::of(key) {
                    Some(Edit::Insert(letter)) => self.put(letter),
                    Some(edit) if !(is_arrow && self.on_close) => self.code.edit(edit),
                    _ => false,
                };
                if is_arrow && !is_edited {
                    self.on_close = !self.on_close;
                }
            }
        }
        Wish::Nothing
    }

    /// Whether digits are a code now.
    pub fn is_typing(&self) -> bool {
        !self.is_asking && self.none.mfa_serial.is_some()
    }

    /// Takes pasted text: some authenticators write a blank in the middle.
    pub fn paste(&mut self, pasted: &str) {
        if !self.is_asking {
            for letter in pasted.chars().filter(|letter| !letter.is_whitespace()) {
                self.put(letter);
            }
        }
    }

    /// Inserts a digit; returns whether it was one and had room.
    fn put(&mut self, letter: char) -> bool {
        let is_put = self.none.mfa_serial.is_some() && letter.is_ascii_digit() && self.code.edit(Edit::Insert(letter));
        if is_put {
            (self.on_close, self.error) = (false, None);
        }
        is_put
    }

    fn submit(&mut self) -> Wish {
        let code = self.none.mfa_serial.is_some().then(|| SecretString::new(self.code.expose().to_owned()));
        if let Some(Err(violation)) = code.as_ref().map(|code| limits::mfa_code(code.expose())) {
            self.error = Some(violation.reason);
            return Wish::Nothing;
        }
        self.is_asking = true;
        self.error = None;
        Wish::Ask(Call::LogIn(code))
    }

    /// Writes it.
    pub fn write(&self, paper: &mut Paper) {
        paper.pair("Profile", &self.none.profile, theme::TEXT);
        if let Some(serial) = &self.none.mfa_serial {
            paper.pair("MFA device", serial, theme::TEXT);
            paper.gap();
            self.write_code(paper);
        } else {
            paper.gap();
            paper.prose(&format!("✗ {}", self.none.reason), 2, theme::BAD);
            paper.prose(&format!("What to do: {}.", self.none.remedy), 2, theme::TEXT);
        }
        paper.gap();
        if self.is_asking {
            paper.line(Line::styled("  … Fetching credentials", theme::WARNING));
            return;
        }
        if self.unasked.iter().any(|call| matches!(call, Call::Submission(_) | Call::Change(_))) {
            paper.prose("Nothing was sent. It is sent once there are credentials.", 2, theme::QUIET);
        }
        let go = if self.none.mfa_serial.is_some() { "Continue" } else { "Retry" };
        paper.focused(true, |paper| button_row(paper, &[Some("Close"), Some(go)], usize::from(!self.on_close)));
    }

    fn write_code(&self, paper: &mut Paper) {
        let shown = format!("{:·<DIGITS$}", self.code.expose());
        paper.line(Line::from(vec![
            Span::styled("▸ ", theme::ACCENT),
            Span::styled("Code  ", theme::HEADING),
            Span::styled(shown, theme::FOCUS),
        ]));
        paper.cursor_at(8 + self.code.column());
        match &self.error {
            Some(error) => paper.prose(&format!("✗ {error}"), 2, theme::BAD),
            None => paper.prose("The six digits that the device shows", 2, theme::QUIET),
        };
    }
}
