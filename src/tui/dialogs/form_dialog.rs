//! The dialog of a task.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Line;

use super::events::{DialogEvent, InputError};
use super::form_kind::FormKind;
use super::{cli_commands, cryptography, preferences, stores};
use crate::aws::scalar::SecretString;
use crate::create_key::account_state::AccountState;
use crate::error_remedies;
use crate::tui::effect::{Call, CallFailure, Change, ChangeOutcome};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::preferences::Preferences;
use crate::tui::target::Target;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::form::{Form, FormEvent, SecretInput, SecretKind};
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;

/// The dialog of a task: its form, the progress of its requests, and their result.
#[derive(Clone, Debug)]
pub struct FormDialog {
    /// The task.
    pub kind: FormKind,
    pub(super) form: Form,
    queue: Vec<Change>,
    total: usize,
    failure: Option<CallFailure>,
    outcome: Option<ChangeOutcome>,
    is_confirming_discard: bool,
    is_copied: bool,
    read_only: bool,
    scroll: ScrollState,
}

impl PartialEq for FormDialog {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl FormDialog {
    /// Creates the dialog of a task. Some inputs exist only with the bundled AWS.
    pub fn new(task: FormKind, now: &Preferences, world: &Target) -> Self {
        let mut form = task.form(now, world);
        task.update_visible_inputs(&mut form);
        Self {
            kind: task,
            form,
            queue: Vec::new(),
            total: 0,
            failure: None,
            outcome: None,
            is_confirming_discard: false,
            is_copied: false,
            read_only: false,
            scroll: ScrollState::default(),
        }
    }

    /// Makes the dialog show CLI commands instead of making changes. Preferences are exempt: they don't change AWS.
    pub fn set_read_only(&mut self) {
        if self.kind != FormKind::Preferences {
            self.read_only = true;
            self.form.submit_label = cli_commands::COPY_LABEL;
            self.update_visible_inputs();
            self.form.focus_first();
        }
    }

    /// Moves the focus to an input.
    pub fn focus_input(&mut self, name: &'static str) {
        self.form.focus_field(name);
    }

    /// Shows or hides the inputs that depend on the values of others.
    fn update_visible_inputs(&mut self) {
        self.kind.update_visible_inputs(&mut self.form);
        if self.read_only {
            self.form.hidden.extend(self.kind.unneeded_inputs());
        }
    }

    /// Returns the errors of the form, without those of inputs that a read-only console hides.
    fn validate(&self, account: &AccountState) -> Vec<InputError> {
        let mut problems = self.kind.validate(&self.form, account);
        problems.retain(|(name, _)| !(self.read_only && self.form.hidden.contains(name)));
        problems
    }

    /// Whether a response is pending.
    pub fn is_sending(&self) -> bool {
        !self.queue.is_empty() && self.failure.is_none()
    }

    /// Whether the form has changes that would be lost.
    pub fn has_unsaved_changes(&self) -> bool {
        self.form.is_modified() && self.outcome.is_none()
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<DialogEvent> {
        if self.is_sending() {
            // A request can't be canceled. The user can close the dialog; the result is shown when it arrives.
            return if key.code == KeyCode::Esc { vec![DialogEvent::Close] } else { Vec::new() };
        }
        if let Some(outcome) = &self.outcome {
            return match key.code {
                KeyCode::Char('y') => {
                    self.is_copied = true;
                    cryptography::copy_event(outcome).into_iter().collect()
                }
                KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => match outcome {
                    // The task created a resource, so the page has to be refreshed.
                    ChangeOutcome::Configuration(_) => vec![DialogEvent::Done(self.kind.success_message(&self.form))],
                    _ => vec![DialogEvent::Close],
                },
                _ => Vec::new(),
            };
        }
        if self.edits_policy() && keymap::action(&[Context::PolicyForm], key) == Some(Action::ShowChanges) {
            return self.view_changes(account);
        }
        if !self.form.is_in_text_area() && self.scroll.handle_page_key(key.code) {
            return Vec::new();
        }
        self.scroll.reset();
        self.is_copied = false;
        let was_confirming = std::mem::take(&mut self.is_confirming_discard);
        let event = self.form.handle_key(key);
        self.update_visible_inputs();
        match event {
            FormEvent::Handled => Vec::new(),
            FormEvent::EnterPressed(name) => self.on_input_entered(name),
            FormEvent::Cancel if key.code == KeyCode::Esc && self.has_unsaved_changes() && !was_confirming => {
                self.is_confirming_discard = true;
                Vec::new()
            }
            FormEvent::Cancel => vec![DialogEvent::Close],
            FormEvent::Submit => self.submit(account),
        }
    }

    /// Moves the focus to what was clicked, and returns the key that activates it, if it isn't a text.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        if !self.has_form() {
            return None;
        }
        let key = self.form.on_click(click);
        self.scroll.reset();
        (self.is_copied, self.is_confirming_discard) = (false, false);
        self.update_visible_inputs();
        key
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        if self.has_form() {
            self.scroll.scroll_by(lines);
        }
    }

    fn on_input_entered(&mut self, name: &'static str) -> Vec<DialogEvent> {
        let text = self.form.text(name);
        if name == stores::CONFIGURATION_FILE && !text.is_empty() {
            if stores::is_configuration(&text) {
                self.on_file_loaded(&Ok(SecretString::new(text)));
                return Vec::new();
            }
            return vec![DialogEvent::Request(Call::ReadFile(text))];
        }
        self.form.focus_next();
        Vec::new()
    }

    /// Handles the content of a proxy configuration file, or the failure to read it.
    pub fn on_file_loaded(&mut self, file: &Result<SecretString, CallFailure>) {
        let file = file.as_ref().map_err(Clone::clone);
        let result = file.and_then(|text| stores::fill_from_configuration_file(&mut self.form, text.expose()));
        self.failure = result.err();
        self.update_visible_inputs();
    }

    /// Inserts pasted text.
    pub fn handle_paste(&mut self, text: &str) {
        if self.is_sending() || self.outcome.is_some() {
            return;
        }
        if self.is_in_configuration_file() && stores::is_configuration(text) {
            // The text contains a secret, so it goes straight into the fields and never appears on the screen.
            self.on_file_loaded(&Ok(SecretString::new(text.to_owned())));
            return;
        }
        self.form.paste(text);
    }

    fn submit(&mut self, account: &AccountState) -> Vec<DialogEvent> {
        if let Some((name, _)) = self.validate(account).first() {
            self.form.focus_field(name);
            return Vec::new();
        }
        if self.kind == FormKind::Preferences {
            return vec![DialogEvent::SetPreferences(preferences::from_form(&self.form))];
        }
        let changes = self.kind.changes(&self.form, account);
        if self.read_only && !changes.is_empty() {
            self.is_copied = true;
            self.form.focus_submit();
            return vec![DialogEvent::Copy(cli_commands::CLIPBOARD_NAME, cli_commands::for_changes(&changes, account))];
        }
        self.queue = changes;
        self.total = self.queue.len();
        self.failure = None;
        self.send()
    }

    fn send(&mut self) -> Vec<DialogEvent> {
        match self.queue.first() {
            Some(change) => vec![DialogEvent::Request(Call::Change(Box::new(change.clone())))],
            None if self.total == 0 => vec![DialogEvent::Done("There were no changes to save.".to_owned())],
            None => vec![DialogEvent::Done(self.kind.success_message(&self.form))],
        }
    }

    /// Handles the response to a request.
    pub fn on_response(&mut self, result: Result<ChangeOutcome, CallFailure>) -> Vec<DialogEvent> {
        match result {
            Ok(ChangeOutcome::Done) => {
                if !self.queue.is_empty() {
                    self.queue.remove(0);
                }
                self.send()
            }
            Ok(outcome) => {
                self.queue.clear();
                self.outcome = Some(outcome);
                Vec::new()
            }
            Err(failure) => {
                match self.kind.input_for_error(&failure.code) {
                    Some(name) => self.form.focus_field(name),
                    None => self.form.focus_submit(),
                }
                self.failure = Some(failure);
                Vec::new()
            }
        }
    }

    /// Whether the form accepts input.
    pub fn has_form(&self) -> bool {
        self.outcome.is_none() && !self.is_sending()
    }

    /// Whether the dialog shows the result of its request, which can be copied.
    pub fn has_result(&self) -> bool {
        self.outcome.is_some()
    }

    fn is_in_configuration_file(&self) -> bool {
        self.form.focused_field() == Some(stores::CONFIGURATION_FILE)
    }

    /// Returns the focused input if it holds a secret.
    pub fn secret_input(&self) -> Option<SecretInput> {
        if !self.has_form() {
            return None;
        }
        let is_configuration =
            self.is_in_configuration_file() && stores::is_configuration(&self.form.text(stores::CONFIGURATION_FILE));
        let configuration = is_configuration.then_some(SecretInput { kind: SecretKind::Line, has_text: true });
        configuration.or_else(|| self.form.secret_input())
    }

    /// Returns the focused input if it holds a secret that `key` edits.
    pub fn edited_secret(&self, key: KeyEvent) -> Option<SecretInput> {
        // The user begins to enter the content of a configuration file.
        let begins = self.has_form()
            && self.is_in_configuration_file()
            && key.code == KeyCode::Char('{')
            && self.form.text(stores::CONFIGURATION_FILE).is_empty();
        if begins {
            return Some(SecretInput { kind: SecretKind::Line, has_text: false });
        }
        self.secret_input().filter(|input| input.is_edited_by(key))
    }

    /// Returns the input that `text` goes to when it is pasted, if the text is a secret there.
    pub fn pasted_secret(&self, text: &str) -> Option<SecretInput> {
        if self.has_form() && self.is_in_configuration_file() && stores::is_configuration(text) {
            return Some(SecretInput { kind: SecretKind::File, has_text: false });
        }
        self.secret_input()
    }

    /// Whether key presses are text input.
    pub fn is_typing(&self) -> bool {
        self.has_form() && self.form.is_typing()
    }

    /// Returns the label of the button that submits the form.
    pub fn submit_label(&self) -> &'static str {
        self.form.submit_label
    }

    /// Returns what Enter does.
    pub fn enter_title(&self) -> &'static str {
        if !self.has_form() {
            return "Close";
        }
        let is_file = self.is_in_configuration_file() && !self.form.text(stores::CONFIGURATION_FILE).is_empty();
        if is_file { "Read file" } else { self.form.enter_title() }
    }

    /// Whether Space selects a check box or presses a button.
    pub fn can_toggle(&self) -> bool {
        self.form.can_toggle()
    }

    /// Whether Page Down scrolls the dialog.
    pub fn can_scroll(&self) -> bool {
        self.has_form() && !self.form.is_in_text_area() && self.scroll.has_more_below()
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    /// Writes the dialog. Returns its title.
    pub fn write(&self, view: &mut ScrollView, account: &AccountState) -> String {
        let title = self.kind.title().to_owned();
        if let Some(outcome) = &self.outcome {
            cryptography::write_outcome(view, outcome, self.is_copied);
            return title;
        }
        let title =
            if self.is_confirming_discard { "Press Esc again to discard your changes".to_owned() } else { title };
        if self.read_only {
            cli_commands::write_read_only_notice(view, "This console can't make changes. Use the command below.");
            view.blank_line();
        }
        self.kind.write_intro(view);
        // An error from AWS is shown at the focus.
        let write_failure = |view: &mut ScrollView| {
            if let Some(failure) = &self.failure {
                self.write_failure(view, failure);
            }
        };
        let problems = self.validate(account);
        self.form.write(view, &problems, write_failure);
        if self.read_only && problems.is_empty() {
            let commands = cli_commands::for_changes(&self.kind.changes(&self.form, account), account);
            cli_commands::write(view, &commands, self.is_copied);
        }
        if self.is_sending() {
            let (done, total) = (self.total - self.queue.len(), self.total);
            let words =
                if total > 1 { format!("… {done} of {total} requests completed") } else { "… Sending".to_owned() };
            view.push_line(Line::styled(words, theme::WARNING));
            return title;
        }
        self.form.write_buttons(view, write_failure);
        title
    }

    fn write_failure(&self, view: &mut ScrollView, failure: &CallFailure) {
        let remedy = error_remedies::for_error(&failure.code, &failure.message);
        let done = self.total.saturating_sub(self.queue.len());
        if self.total > 1 {
            view.paragraph(
                &format!("{done} of {} requests succeeded. The next one failed:", self.total),
                0,
                theme::TEXT,
            );
        }
        view.push_line(Line::styled(format!("✗ {}", failure.code), theme::ERROR));
        if !failure.message.is_empty() {
            view.error(&failure.message, 2, theme::TEXT);
        }
        view.paragraph(remedy.meaning, 2, theme::TEXT);
        view.paragraph(&format!("What to do: {}", remedy.action), 2, theme::TEXT);
        view.blank_line();
    }
}
