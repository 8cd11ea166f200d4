//! The *Try it* dialog: encrypts a short text with a KMS key, decrypts it again, and shows how long each request took.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use super::cli_commands;
use super::events::{DialogEvent, InputError};
use super::form_kind::KeyName;
use crate::aws::kms::{Decrypt, Encrypt};
use crate::aws::limits;
use crate::aws::scalar::{Blob, SecretBlob};
use crate::aws::xks_console::ProxyRequest;
use crate::create_key::account_state::AccountState;
use crate::error_remedies;
use crate::tui::effect::{Call, CallFailure, Change, ChangeOutcome, Trial};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::form::{Form, FormEvent, FormField, FormInput};
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;

const TEXT: &str = "text";
const DEFAULT_TEXT: &str = "A short text to try the key.";

/// A request of the trial and its result, unless it is pending.
#[derive(Clone, Debug)]
enum Leg {
    NotSent,
    Pending,
    Completed(Box<Trial>),
}

impl Leg {
    fn completed(&self) -> Option<&Trial> {
        if let Self::Completed(trial) = self { Some(trial) } else { None }
    }
}

/// The state of the dialog.
#[derive(Clone, Debug)]
pub struct TryKeyDialog {
    key: KeyName,
    /// Whether the key is in an external key store, whose proxy takes part in each request.
    is_external: bool,
    form: Form,
    /// The text that was encrypted.
    plaintext: SecretBlob,
    encrypt: Leg,
    decrypt: Leg,
    read_only: bool,
    is_copied: bool,
    scroll: ScrollState,
}

impl PartialEq for TryKeyDialog {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl TryKeyDialog {
    /// Creates the dialog of a key. A read-only dialog shows the commands instead of sending the requests.
    pub fn new(key: KeyName, is_external: bool, read_only: bool) -> Self {
        let text = FormField {
            name: TEXT,
            label: "Text",
            hint: "AWS KMS encrypts it, and decrypts it again. Nothing is stored.".to_owned(),
            input: FormInput::line(DEFAULT_TEXT),
        };
        let label = if read_only { cli_commands::COPY_LABEL } else { "Encrypt and decrypt" };
        let mut form = Form::new(vec![text], label, false);
        if read_only {
            form.hidden = vec![TEXT];
            form.focus_first();
        }
        Self {
            key,
            is_external,
            form,
            plaintext: SecretBlob::default(),
            encrypt: Leg::NotSent,
            decrypt: Leg::NotSent,
            read_only,
            is_copied: false,
            scroll: ScrollState::default(),
        }
    }

    /// Whether a response is pending.
    pub fn is_sending(&self) -> bool {
        matches!((&self.encrypt, &self.decrypt), (Leg::Pending, _) | (_, Leg::Pending))
    }

    /// Whether the form accepts input.
    pub fn has_form(&self) -> bool {
        matches!(self.encrypt, Leg::NotSent)
    }

    /// Whether the dialog shows the results, and no response is pending.
    pub fn has_result(&self) -> bool {
        !self.has_form() && !self.is_sending()
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
        if self.has_form() { self.form.enter_title() } else { "Close" }
    }

    /// Whether Space presses a button.
    pub fn can_toggle(&self) -> bool {
        self.has_form() && self.form.can_toggle()
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    fn validate(&self) -> Vec<InputError> {
        let text = Zeroizing::new(self.form.text(TEXT));
        limits::plaintext(text.as_bytes()).err().map(|violation| (TEXT, violation.reason)).into_iter().collect()
    }

    /// Inserts pasted text.
    pub fn handle_paste(&mut self, text: &str) {
        if self.has_form() {
            self.form.paste(text);
        }
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }

    /// Moves the focus to a clicked input or button, and returns the key that activates it.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        if self.has_form() { self.form.on_click(click) } else { None }
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<DialogEvent> {
        if !self.has_form() {
            let is_done = !self.is_sending();
            return match key.code {
                KeyCode::Esc => vec![DialogEvent::Close],
                KeyCode::Enter | KeyCode::Char('q') if is_done => vec![DialogEvent::Close],
                KeyCode::Char('r') if is_done => {
                    (self.encrypt, self.decrypt) = (Leg::NotSent, Leg::NotSent);
                    self.scroll.reset();
                    Vec::new()
                }
                code => {
                    self.scroll.handle_key(code);
                    Vec::new()
                }
            };
        }
        self.is_copied = false;
        match self.form.handle_key(key) {
            FormEvent::Handled => Vec::new(),
            FormEvent::Cancel => vec![DialogEvent::Close],
            FormEvent::EnterPressed(_) | FormEvent::Submit => self.submit(account),
        }
    }

    fn submit(&mut self, account: &AccountState) -> Vec<DialogEvent> {
        if self.read_only {
            self.is_copied = true;
            return vec![DialogEvent::Copy(cli_commands::CLIPBOARD_NAME, self.commands(account))];
        }
        if !self.validate().is_empty() {
            self.form.focus_field(TEXT);
            return Vec::new();
        }
        self.plaintext = SecretBlob::new(self.form.text(TEXT).into_bytes());
        self.encrypt = Leg::Pending;
        let (key_id, plaintext) = (self.key.id.clone(), self.plaintext.clone());
        request(Change::Encrypt(Encrypt { key_id, plaintext, ..Encrypt::default() }, None))
    }

    fn decrypt_request(&self, ciphertext_blob: Blob) -> Decrypt {
        Decrypt { ciphertext_blob, key_id: Some(self.key.id.clone()), ..Decrypt::default() }
    }

    /// Returns the commands that encrypt a file and decrypt it again.
    fn commands(&self, account: &AccountState) -> String {
        let encrypt = Encrypt { key_id: self.key.id.clone(), ..Encrypt::default() };
        let encrypt = cli_commands::for_changes(&[Change::Encrypt(encrypt, None)], account);
        let decrypt = Change::Decrypt(self.decrypt_request(Blob::default()), Some("ciphertext".to_owned()));
        let decrypt = cli_commands::for_changes(&[decrypt], account);
        format!(
            "{encrypt} \\\n  --query CiphertextBlob --output text | base64 --decode > ciphertext\n{decrypt} \\\n  \
             --query Plaintext --output text | base64 --decode"
        )
    }

    /// Handles the response to a request: decrypts after encrypting.
    pub fn on_response(&mut self, result: Result<Trial, CallFailure>) -> Vec<DialogEvent> {
        let trial = Box::new(result.unwrap_or_else(Trial::failed));
        if matches!(self.decrypt, Leg::Pending) {
            self.decrypt = Leg::Completed(trial);
            return Vec::new();
        }
        let ciphertext = match &trial.outcome {
            Ok(ChangeOutcome::Ciphertext(blob)) => Some(blob.clone()),
            _ => None,
        };
        self.encrypt = Leg::Completed(trial);
        let Some(ciphertext) = ciphertext else { return Vec::new() };
        self.decrypt = Leg::Pending;
        request(Change::Decrypt(self.decrypt_request(ciphertext), None))
    }

    /// Writes the dialog. Returns its title.
    pub fn write(&self, view: &mut ScrollView, account: &AccountState) -> String {
        if self.has_form() {
            self.write_form(view, account);
        } else {
            self.write_results(view);
        }
        format!("Try {}", crate::text::escape_controls(&self.key.name))
    }

    fn write_form(&self, view: &mut ScrollView, account: &AccountState) {
        if self.read_only {
            let words = "This console can't use keys. Use the commands below.";
            cli_commands::write_read_only_notice(view, words);
            view.blank_line();
            cli_commands::write(view, &self.commands(account), self.is_copied);
        } else {
            self.form.write(view, &self.validate(), |_| ());
        }
        self.form.write_buttons(view, |_| ());
    }

    fn write_results(&self, view: &mut ScrollView) {
        self.write_leg(view, "Encrypt", &self.encrypt);
        self.write_leg(view, "Decrypt", &self.decrypt);
        if self.is_sending() {
            return;
        }
        if let Some(Trial { outcome: Ok(ChangeOutcome::Plaintext(received)), .. }) = self.decrypt.completed() {
            if received.expose() == self.plaintext.expose() {
                view.paragraph("✓ The decrypted text is the same as the original.", 0, theme::SUCCESS);
            } else {
                view.paragraph("✗ The decrypted text differs from the original.", 0, theme::ERROR);
                let words = "What to do: Try again. If you see this error repeatedly, report it to the proxy vendor.";
                view.paragraph(words, 2, theme::TEXT);
            }
            view.blank_line();
        }
        view.paragraph("Press r to try again, or Esc to close.", 0, theme::SECONDARY);
    }

    fn write_leg(&self, view: &mut ScrollView, operation: &str, leg: &Leg) {
        let trial = match leg {
            Leg::NotSent => return,
            Leg::Pending => {
                view.push_line(Line::styled(format!("… {operation}"), theme::WARNING));
                return;
            }
            Leg::Completed(trial) => trial,
        };
        let (mark, style) = if trial.outcome.is_ok() { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
        let time = trial.milliseconds.map(format_milliseconds).unwrap_or_default();
        view.push_line(Line::from(vec![
            Span::styled(format!("{mark} {operation:<10}"), style),
            Span::styled(time, theme::TEXT),
        ]));
        match &trial.proxy_requests {
            Some(requests) => requests.iter().rev().for_each(|request| write_proxy_request(view, request)),
            None if self.is_external && !trial.request_id.is_empty() => {
                let words = "The log of the external key store proxy isn't available here.";
                view.paragraph(words, 2, theme::SECONDARY);
            }
            None => {}
        }
        if !trial.request_id.is_empty() {
            view.paragraph(&format!("Request ID: {}", trial.request_id), 2, theme::SECONDARY);
        }
        if let Err(failure) = &trial.outcome {
            write_failure(view, failure);
        }
        view.blank_line();
    }
}

fn request(change: Change) -> Vec<DialogEvent> {
    vec![DialogEvent::Request(Call::TryKey(Box::new(change)))]
}

fn format_milliseconds(milliseconds: u64) -> String {
    if milliseconds == 0 { "less than 1 ms".to_owned() } else { format!("{milliseconds} ms") }
}

/// Writes the part of a request that the external key store proxy took.
fn write_proxy_request(view: &mut ScrollView, request: &ProxyRequest) {
    let milliseconds = format!("{}.{} ms", request.microseconds / 1000, request.microseconds / 100 % 10);
    let error = request.error_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let style = if request.status == 200 { theme::TEXT } else { theme::ERROR };
    let words = format!(
        "{milliseconds} of it in the external key store proxy ({} {}{error})",
        crate::text::escape_controls(&request.operation),
        request.status
    );
    view.paragraph(&words, 2, style);
}

fn write_failure(view: &mut ScrollView, failure: &CallFailure) {
    let remedy = error_remedies::for_error(&failure.code, &failure.message);
    view.paragraph(&crate::text::escape_controls(&failure.code), 2, theme::ERROR);
    if !failure.message.is_empty() {
        view.error(&failure.message, 2, theme::TEXT);
    }
    view.paragraph(remedy.meaning, 2, theme::TEXT);
    view.paragraph(&format!("What to do: {}", remedy.action), 2, theme::TEXT);
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;
    use crate::create_key::testing::account_state;

    fn key() -> KeyName {
        KeyName { id: "1111aaaa".to_owned(), name: "customer-db".to_owned() }
    }

    fn trial(outcome: ChangeOutcome) -> Trial {
        let request_id = "r-1".to_owned();
        Trial { outcome: Ok(outcome), request_id, milliseconds: Some(12), proxy_requests: None }
    }

    fn press(dialog: &mut TryKeyDialog, code: KeyCode) -> Vec<DialogEvent> {
        dialog.handle_key(KeyEvent::new(code, KeyModifiers::NONE), &account_state())
    }

    fn shown(dialog: &TryKeyDialog) -> String {
        let mut view = ScrollView::new(70);
        dialog.write(&mut view, &account_state());
        view.lines().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn sent(events: &[DialogEvent]) -> &Change {
        let [DialogEvent::Request(Call::TryKey(change))] = events else { panic!("{events:?}") };
        change
    }

    #[test]
    fn ciphertext_is_decrypted_and_compared_with_the_text() {
        for (returned, expected) in [(DEFAULT_TEXT, "is the same as the original"), ("other", "✗ The decrypted text")]
        {
            let mut dialog = TryKeyDialog::new(key(), true, false);
            let events = press(&mut dialog, KeyCode::Enter);
            assert!(matches!(sent(&events), Change::Encrypt(Encrypt { plaintext, .. }, None)
                if plaintext.expose() == DEFAULT_TEXT.as_bytes()));
            let blob = Blob(vec![1, 2, 3]);
            let events = dialog.on_response(Ok(trial(ChangeOutcome::Ciphertext(blob.clone()))));
            assert!(matches!(sent(&events), Change::Decrypt(request, None) if request.ciphertext_blob == blob));
            let plaintext = SecretBlob::new(returned.as_bytes().to_vec());
            assert_eq!(dialog.on_response(Ok(trial(ChangeOutcome::Plaintext(plaintext)))), []);
            let shown = shown(&dialog);
            assert!(shown.contains(expected) && shown.contains("✓ Decrypt   12 ms"), "{shown}");
            assert!(shown.contains("proxy isn't available here"), "{shown}");
            press(&mut dialog, KeyCode::Char('r'));
            assert!(dialog.has_form());
        }
    }

    #[test]
    fn failed_encrypt_is_explained_and_nothing_is_decrypted() {
        let mut dialog = TryKeyDialog::new(key(), false, false);
        press(&mut dialog, KeyCode::Enter);
        let failure = CallFailure {
            code: "DisabledException".to_owned(),
            message: "The key is disabled.".to_owned(),
            request_id: "r-7".to_owned(),
        };
        assert_eq!(dialog.on_response(Err(failure)), []);
        let shown = shown(&dialog);
        assert!(shown.contains("✗ Encrypt") && shown.contains("What to do: "), "{shown}");
        assert!(shown.contains("Request ID: r-7") && !shown.contains("Decrypt"), "{shown}");
        assert!(!dialog.is_sending());
    }

    #[test]
    fn read_only_dialog_copies_commands_and_sends_nothing() {
        let mut dialog = TryKeyDialog::new(key(), true, true);
        let events = press(&mut dialog, KeyCode::Enter);
        let [DialogEvent::Copy("command", commands)] = &events[..] else { panic!("{events:?}") };
        assert!(commands.contains("aws kms encrypt") && commands.contains("aws kms decrypt"), "{commands}");
        assert!(shown(&dialog).contains("READ-ONLY: This console can't use keys"));
    }

    #[test]
    fn empty_text_is_rejected_and_debug_output_has_no_plaintext() {
        let mut dialog = TryKeyDialog::new(key(), true, false);
        assert!(!format!("{dialog:?}").contains(DEFAULT_TEXT));
        for _ in 0..DEFAULT_TEXT.len() {
            press(&mut dialog, KeyCode::Backspace);
        }
        assert_eq!(press(&mut dialog, KeyCode::Enter), []);
        assert!(shown(&dialog).contains("✗ "));
    }
}
