//! The dialog that is shown when there are no valid credentials: the remedy, an MFA code if the profile needs one, and
//! *Retry*. Requests wait until then, so that no input is lost.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::client::credentials::LoadCredentialsError;
use crate::tui::effect::Call;
use crate::tui::theme;
use crate::tui::widgets::button_row;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::editing::Edit;
use crate::tui::widgets::form::{SecretInput, SecretKind};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::secret_field::SecretField;

/// The number of digits in an MFA code.
const CODE_LENGTH: usize = 6;

/// A request of the dialog to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum LoginEvent {
    /// Nothing.
    Nothing,
    /// Fetches credentials.
    Request(Call),
    /// Closes the dialog. The waiting requests fail.
    Close,
}

/// The sign-in dialog.
#[derive(Clone)]
pub struct LoginDialog {
    /// The reason why there are no credentials.
    pub credentials_error: LoadCredentialsError,
    /// The requests to send after sign-in.
    pub deferred_calls: Vec<Call>,
    code: SecretField,
    is_fetching: bool,
    error: Option<String>,
    is_close_focused: bool,
}

impl std::fmt::Debug for LoginDialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("none", &self.credentials_error)
            .field("unasked", &self.deferred_calls)
            .finish_non_exhaustive()
    }
}

impl LoginDialog {
    /// Creates the dialog.
    pub fn new(credentials_error: LoadCredentialsError) -> Self {
        let code = SecretField::with_capacity(CODE_LENGTH);
        Self {
            credentials_error,
            deferred_calls: Vec::new(),
            code,
            is_fetching: false,
            error: None,
            is_close_focused: false,
        }
    }

    /// Returns the title.
    pub fn title(&self) -> &'static str {
        if self.credentials_error.mfa_serial.is_some() { "Multi-factor authentication" } else { "Sign in again" }
    }

    /// Adds a request to send after sign-in. It replaces an earlier request of the same kind.
    pub fn defer(&mut self, call: Call) {
        self.deferred_calls.retain(|other| std::mem::discriminant(other) != std::mem::discriminant(&call));
        self.deferred_calls.push(call);
    }

    /// Handles a failed attempt to fetch credentials.
    pub fn on_log_in_failed(&mut self, credentials_error: LoadCredentialsError) {
        let is_code_wrong = self.credentials_error.mfa_serial.is_some() && credentials_error.mfa_serial.is_some();
        self.error = is_code_wrong.then(|| credentials_error.reason.clone());
        self.credentials_error = credentials_error;
        self.is_fetching = false;
        self.code.clear();
    }

    /// Handles a key press. The arrows move to the other button where they can't move in the code.
    pub fn handle_key(&mut self, key: KeyEvent) -> LoginEvent {
        match key.code {
            KeyCode::Esc => return LoginEvent::Close,
            _ if self.is_fetching => {}
            KeyCode::Tab | KeyCode::BackTab => self.is_close_focused = !self.is_close_focused,
            KeyCode::Enter if self.is_close_focused => return LoginEvent::Close,
            KeyCode::Enter => return self.submit(),
            code => {
                let is_arrow = matches!(code, KeyCode::Left | KeyCode::Right);
                let is_edited = match Edit::from_key(key) {
                    Some(Edit::Insert(letter)) => self.insert_digit(letter),
                    Some(edit) if !(is_arrow && self.is_close_focused) => self.code.edit(edit),
                    _ => false,
                };
                if is_arrow && !is_edited {
                    self.is_close_focused = !self.is_close_focused;
                }
            }
        }
        LoginEvent::Nothing
    }

    /// Moves the focus to a clicked button and returns the key that presses it, or places the cursor in the code.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match *click {
            _ if self.is_fetching => None,
            Click::Button(button) => {
                self.is_close_focused = button == 0;
                Some(KeyCode::Enter.into())
            }
            Click::Text { column, .. } => {
                self.is_close_focused = false;
                self.code.move_cursor_to(column);
                None
            }
            _ => None,
        }
    }

    /// Returns what Enter does.
    pub fn enter_title(&self) -> &'static str {
        match (self.is_close_focused, self.credentials_error.mfa_serial.is_some()) {
            (true, _) => "Close",
            (false, true) => "Continue",
            (false, false) => "Retry",
        }
    }

    /// Whether digits are input of the MFA code.
    pub fn is_typing(&self) -> bool {
        !self.is_fetching && self.credentials_error.mfa_serial.is_some()
    }

    /// Returns the input of the MFA code, if the user can type there.
    pub fn secret_input(&self) -> Option<SecretInput> {
        let has_text = !self.code.expose().is_empty();
        self.is_typing().then_some(SecretInput { kind: SecretKind::Line, has_text })
    }

    /// Returns the input of the MFA code if `key` edits it.
    pub fn edited_secret(&self, key: KeyEvent) -> Option<SecretInput> {
        let input = self.secret_input().filter(|input| input.is_edited_by(key))?;
        let is_arrow = matches!(key.code, KeyCode::Left | KeyCode::Right);
        let moves_in_code = !self.is_close_focused && self.code.clone().handle_key(key);
        (!is_arrow || moves_in_code).then_some(input)
    }

    /// Inserts a pasted code, without the spaces that some authenticator apps add.
    pub fn handle_paste(&mut self, pasted: &str) {
        if !self.is_fetching {
            for letter in pasted.chars().filter(|letter| !letter.is_whitespace()) {
                self.insert_digit(letter);
            }
        }
    }

    /// Inserts a digit. Returns false if it isn't a digit or the code is complete.
    fn insert_digit(&mut self, letter: char) -> bool {
        let is_inserted = self.credentials_error.mfa_serial.is_some()
            && letter.is_ascii_digit()
            && self.code.edit(Edit::Insert(letter));
        if is_inserted {
            (self.is_close_focused, self.error) = (false, None);
        }
        is_inserted
    }

    fn submit(&mut self) -> LoginEvent {
        let code =
            self.credentials_error.mfa_serial.is_some().then(|| SecretString::new(self.code.expose().to_owned()));
        if let Some(Err(violation)) = code.as_ref().map(|code| limits::mfa_code(code.expose())) {
            self.error = Some(violation.reason);
            return LoginEvent::Nothing;
        }
        self.is_fetching = true;
        self.error = None;
        LoginEvent::Request(Call::LogIn(code))
    }

    /// Writes the dialog.
    pub fn write(&self, view: &mut ScrollView) {
        view.key_value("Profile", &self.credentials_error.profile, theme::TEXT);
        if let Some(serial) = &self.credentials_error.mfa_serial {
            view.key_value("MFA device", serial, theme::TEXT);
            view.blank_line();
            self.write_code(view);
        } else {
            view.blank_line();
            view.paragraph(&format!("✗ {}", self.credentials_error.reason), 2, theme::ERROR);
            view.paragraph(&format!("What to do: {}.", self.credentials_error.remedy), 2, theme::TEXT);
        }
        view.blank_line();
        if self.is_fetching {
            view.push_line(Line::styled("  … Fetching credentials", theme::WARNING));
            return;
        }
        if self.deferred_calls.iter().any(|call| matches!(call, Call::Submission(_) | Call::Change(_))) {
            view.paragraph("The request hasn't been sent yet. It will be sent after you sign in.", 2, theme::SECONDARY);
        }
        let submit_label = if self.credentials_error.mfa_serial.is_some() { "Continue" } else { "Retry" };
        view.focused(true, |view| {
            button_row(view, &[Some("Close"), Some(submit_label)], usize::from(!self.is_close_focused));
        });
    }

    fn write_code(&self, view: &mut ScrollView) {
        let shown = format!("{:·<CODE_LENGTH$}", self.code.expose());
        view.push_line(Line::from(vec![
            Span::styled("▸ ", theme::ACCENT),
            Span::styled("Code  ", theme::HEADING),
            Span::styled(shown, theme::FOCUS),
        ]));
        view.clickable_text(8..8 + CODE_LENGTH, 0, 0);
        view.set_cursor_column(8 + self.code.column());
        match &self.error {
            Some(error) => view.paragraph(&format!("✗ {error}"), 2, theme::ERROR),
            None => view.paragraph("Enter the six-digit code from the MFA device.", 2, theme::SECONDARY),
        };
    }
}
