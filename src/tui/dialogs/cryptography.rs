//! The Encrypt and Decrypt dialogs: text or a file as input, Base64 or text as output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::KeyCode;
use zeroize::Zeroizing;

use super::events::{DialogEvent, InputError};
use super::external_keys;
use super::form_kind::FormKind;
use crate::aws::kms::{Decrypt, Encrypt, EncryptionContext};
use crate::aws::limits;
use crate::aws::scalar::{Blob, SecretBlob};
use crate::tui::effect::{Change, ChangeOutcome};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

const INPUT: &str = "input";
const PATH: &str = "path";
const CONTEXT: &str = "context";

/// Returns the form of Encrypt or Decrypt.
pub fn form(kind: &FormKind) -> Form {
    let row = |name, label, hint: &str, input| FormField { name, label, hint: hint.to_owned(), input };
    let (label, hint, input, submit_label) = match kind {
        FormKind::Encrypt(_) => {
            ("Plaintext", "Text of 1 to 4,096 bytes.", FormInput::text_without_history(6), "Encrypt")
        }
        _ => ("CiphertextBlob", "Base64, as returned by Encrypt or the AWS CLI.", FormInput::text("", 6), "Decrypt"),
    };
    Form::new(
        vec![
            row(INPUT, label, hint, input),
            row(PATH, "File - optional", "The path of a file to use instead of the text above.", FormInput::line("")),
            row(
                CONTEXT,
                "Encryption context - optional",
                "One name = value pair per line. Decrypt requires the same pairs. They appear in CloudTrail logs.",
                FormInput::text("", 4),
            ),
        ],
        submit_label,
        false,
    )
}

fn encryption_context(form: &Form) -> Result<Option<EncryptionContext>, String> {
    let text = form.text(CONTEXT);
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut pairs = EncryptionContext::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || format!("Line {}: enter a name = value pair.", number + 1);
        let (name, value) = line.split_once(" = ").or(line.split_once('=')).ok_or_else(wrong)?;
        if pairs.insert(name.trim().to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("Line {}: duplicate name \"{}\". Names must be unique.", number + 1, name.trim()));
        }
    }
    Ok(Some(pairs))
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let clean: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    STANDARD.decode(clean).ok()
}

/// Returns the errors of the form.
pub fn validate(kind: &FormKind, form: &Form) -> Vec<InputError> {
    let mut found: Vec<InputError> = Vec::new();
    let text = Zeroizing::new(form.text(INPUT));
    if form.text(PATH).is_empty() {
        let wrong = match kind {
            FormKind::Encrypt(_) => limits::plaintext(text.as_bytes()).err().map(|violation| violation.reason),
            _ => match decode_base64(&text) {
                None => Some("The ciphertext isn't valid Base64.".to_owned()),
                Some(bytes) => limits::ciphertext(&bytes).err().map(|violation| violation.reason),
            },
        };
        found.extend(wrong.map(|wrong| (INPUT, wrong)));
    }
    found.extend(encryption_context(form).err().map(|wrong| (CONTEXT, wrong)));
    found
}

/// Returns the change that the form requests.
pub fn changes(kind: &FormKind, form: &Form) -> Vec<Change> {
    let (text, path) = (form.text(INPUT), form.text(PATH));
    let file = (!path.is_empty()).then_some(path);
    let encryption_context = encryption_context(form).ok().flatten();
    match kind {
        FormKind::Encrypt(key) => {
            let plaintext = SecretBlob::new(text.into_bytes());
            vec![Change::Encrypt(
                Encrypt { key_id: key.id.clone(), plaintext, encryption_context, ..Default::default() },
                file,
            )]
        }
        FormKind::Decrypt(key) => {
            let (ciphertext_blob, key_id) = (Blob(decode_base64(&text).unwrap_or_default()), Some(key.id.clone()));
            vec![Change::Decrypt(Decrypt { ciphertext_blob, encryption_context, key_id, ..Default::default() }, file)]
        }
        _ => Vec::new(),
    }
}

/// Writes the result.
pub fn write_outcome(view: &mut ScrollView, outcome: &ChangeOutcome, is_copied: bool) {
    match outcome {
        ChangeOutcome::Ciphertext(blob) => {
            let words = format!("CiphertextBlob, {} bytes, as Base64:", blob.0.len());
            view.paragraph(&words, 0, theme::SUCCESS);
            view.blank_line();
            view.paragraph(&STANDARD.encode(&blob.0), 2, theme::TEXT);
        }
        ChangeOutcome::Plaintext(plaintext) => {
            let bytes = plaintext.expose();
            let text = std::str::from_utf8(bytes).ok();
            let how = if text.is_some() { "as text" } else { "as Base64" };
            view.paragraph(&format!("Plaintext, {} bytes, {how}:", bytes.len()), 0, theme::SUCCESS);
            view.blank_line();
            view.paragraph(&text.map_or_else(|| STANDARD.encode(bytes), str::to_owned), 2, theme::TEXT);
        }
        ChangeOutcome::Configuration(configuration) => external_keys::write_configuration(view, configuration),
        ChangeOutcome::Done => {}
    }
    view.blank_line();
    let words = if is_copied {
        "✓ Sent to the clipboard. Press Esc to close."
    } else {
        "Press y to copy it, or Esc to close."
    };
    view.paragraph(words, 0, if is_copied { theme::SUCCESS } else { theme::SECONDARY });
    if !is_copied {
        view.clickable_columns(0..18, Click::Key(KeyCode::Char('y').into()));
        view.clickable_columns(20..text::width(words), Click::Key(KeyCode::Esc.into()));
    }
}

/// Returns the event that copies the result to the clipboard, if there is one.
pub fn copy_event(outcome: &ChangeOutcome) -> Option<DialogEvent> {
    match outcome {
        ChangeOutcome::Ciphertext(blob) => Some(DialogEvent::Copy("CiphertextBlob", STANDARD.encode(&blob.0))),
        ChangeOutcome::Plaintext(plaintext) => {
            let bytes = plaintext.expose();
            let text = std::str::from_utf8(bytes).map_or_else(|_| STANDARD.encode(bytes), str::to_owned);
            Some(DialogEvent::Copy("plaintext", text))
        }
        ChangeOutcome::Configuration(configuration) => {
            Some(DialogEvent::Copy("proxy configuration file", configuration.expose().to_owned()))
        }
        ChangeOutcome::Done => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::dialogs::KeyName;

    #[test]
    fn invalid_ciphertext_and_duplicate_context_names_are_reported() {
        let kind = FormKind::Decrypt(KeyName { id: "k1".to_owned(), name: "k1".to_owned() });
        let mut form = form(&kind);
        assert_eq!(validate(&kind, &form)[0].0, INPUT);
        form.set_value(PATH, "/tmp/blob");
        assert_eq!(validate(&kind, &form), []);
        form.focus_field(CONTEXT);
        form.paste("project = nile\nproject = amazon");
        assert!(validate(&kind, &form)[0].1.contains("duplicate name"));
    }
}
