//! The dialogs of the external key manager: external keys, partitions, and proxy credentials.

use serde::Deserialize;

use super::events::InputError;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::{
    CreateExternalKey, CreatePartition, DeleteExternalKey, DisableExternalKey, EnableExternalKey, ExternalKeyName,
    RevokeProxyCredential, RotateExternalKey, RotateProxyCredential,
};
use crate::tui::effect::Change;
use crate::tui::theme;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;

const PARTITION: &str = "partition";
const ID: &str = "id";
const ENCRYPT: &str = "encrypt";
const DECRYPT: &str = "decrypt";
const ENABLED: &str = "enabled";
const CONFIRM: &str = "confirm";
const CREDENTIAL: &str = "credential";

/// A task in the external key manager.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ExternalKeyForm {
    /// The partitions to choose from, and the index of the one that is selected first.
    Create(Vec<String>, usize),
    Enable(ExternalKeyName),
    Disable(ExternalKeyName, Option<String>),
    Rotate(ExternalKeyName),
    /// The external key, and the KMS key that uses it.
    Delete(ExternalKeyName, Option<String>),
    CreatePartition,
    RotateCredential(String),
    /// The partition, and the access key IDs of its credentials.
    RevokeCredential(String, Vec<String>),
}

fn row(name: &'static str, label: &'static str, hint: &str, input: FormInput) -> FormField {
    FormField { name, label, hint: hint.to_owned(), input }
}

impl ExternalKeyForm {
    /// Returns the dialog title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Create(..) => "Create external key",
            Self::Enable(_) => "Enable external key",
            Self::Disable(..) => "Disable external key?",
            Self::Rotate(_) => "Rotate external key",
            Self::Delete(..) => "Delete external key?",
            Self::CreatePartition => "Create partition",
            Self::RotateCredential(_) => "Rotate proxy credential",
            Self::RevokeCredential(..) => "Revoke proxy credential?",
        }
    }

    /// Returns the form.
    pub fn form(&self) -> Form {
        match self {
            Self::Create(partitions, first) => Form::new(
                vec![
                    row(
                        ID,
                        "External key ID",
                        "Up to 128 letters, digits, hyphens, underscores, and dots.",
                        FormInput::line(""),
                    ),
                    row(PARTITION, "Partition", "", FormInput::Radio(partitions.clone(), *first)),
                    row(ENCRYPT, "Allow encryption", "", FormInput::Checkbox(true)),
                    row(DECRYPT, "Allow decryption", "", FormInput::Checkbox(true)),
                    row(ENABLED, "Enabled", "", FormInput::Checkbox(true)),
                ],
                "Create external key",
                false,
            ),
            Self::Enable(_) => Form::new(Vec::new(), "Enable", false),
            Self::Disable(..) => Form::new(Vec::new(), "Disable", true),
            Self::Rotate(_) => Form::new(Vec::new(), "Rotate", false),
            Self::Delete(..) => Form::new(
                vec![row(CONFIRM, "Type the external key ID to confirm", "", FormInput::line(""))],
                "Delete key",
                true,
            ),
            Self::CreatePartition => {
                let hint =
                    "Up to 116 letters, digits, hyphens, underscores, and slashes. The proxy URI path starts with it.";
                Form::new(vec![row(PARTITION, "Name", hint, FormInput::line(""))], "Create partition", false)
            }
            Self::RotateCredential(_) => Form::new(Vec::new(), "Create credential", false),
            Self::RevokeCredential(_, ids) => {
                let options = FormInput::Radio(ids.clone(), 0);
                Form::new(vec![row(CREDENTIAL, "Access key ID", "", options)], "Revoke", true)
            }
        }
    }

    /// Writes the introduction of the dialog.
    pub fn write_intro(&self, view: &mut ScrollView) {
        let (what, words, style) = match self {
            Self::Create(..) => (None, "A 256-bit AES key with random key material outside of AWS.", theme::TEXT),
            Self::Enable(key) => {
                (Some(key), "The KMS key that uses it can encrypt and decrypt again immediately.", theme::TEXT)
            }
            Self::Disable(key, _) => (
                Some(key),
                "The KMS key that uses it can't encrypt or decrypt until you enable the external key again.",
                theme::WARNING,
            ),
            Self::Rotate(key) => {
                (Some(key), "The new version encrypts new data. Older versions still decrypt.", theme::TEXT)
            }
            Self::Delete(key, _) => (
                Some(key),
                "This can't be undone. Data encrypted under this key can never be decrypted.",
                theme::WARNING,
            ),
            Self::CreatePartition => (
                None,
                "The proxy serves each partition at its own URI path, for one external key store. You get a proxy \
                 configuration file that contains the secret access key.",
                theme::TEXT,
            ),
            Self::RotateCredential(_) => (
                None,
                "The proxy accepts the new credential and the old ones. Update the external key store (m, Edit), then \
                 revoke the old credential.",
                theme::TEXT,
            ),
            Self::RevokeCredential(..) => (
                None,
                "The proxy rejects it immediately. KMS keys in a key store that still uses it stop working.",
                theme::WARNING,
            ),
        };
        if let Some(key) = what {
            view.key_value("External key ID", &key.id, theme::TEXT);
            view.key_value("Partition", &key.partition, theme::TEXT);
        }
        match self {
            Self::RotateCredential(partition) | Self::RevokeCredential(partition, _) => {
                view.key_value("Partition", partition, theme::TEXT);
            }
            Self::Disable(_, Some(kms_key)) | Self::Delete(_, Some(kms_key)) => {
                view.key_value("Used by KMS key", kms_key, theme::WARNING);
            }
            _ => {}
        }
        view.blank_line();
        view.paragraph(words, 0, style);
        view.blank_line();
    }

    /// Returns the errors of the form.
    pub fn validate(&self, form: &Form) -> Vec<InputError> {
        let wrong = match self {
            Self::Create(..) => limits::xks_key_id(&form.text(ID)).err().map(|violation| (ID, violation.reason)),
            Self::Delete(key, _) => {
                (form.text(CONFIRM) != key.id).then(|| (CONFIRM, format!("Type \"{}\" to confirm.", key.id)))
            }
            Self::CreatePartition => {
                let path = format!("/{}{}", form.text(PARTITION), limits::XKS_PROXY_PATH_SUFFIX);
                let name = form.text(PARTITION);
                let is_wrong = name.is_empty() || name.starts_with('/') || name.ends_with('/');
                (is_wrong || limits::xks_proxy_uri_path(&path).is_err()).then(|| {
                    let words =
                        "Up to 116 letters, digits, hyphens, underscores, and slashes, with no slash at either end.";
                    (PARTITION, words.to_owned())
                })
            }
            _ => None,
        };
        wrong.into_iter().collect()
    }

    /// Returns the change that the form requests.
    pub fn changes(&self, form: &Form) -> Vec<Change> {
        vec![match self {
            Self::Create(partitions, _) => {
                let uses = [(ENCRYPT, "ENCRYPT"), (DECRYPT, "DECRYPT")];
                let ticked = uses.into_iter().filter(|(name, _)| form.is_checked(name));
                Change::CreateExternalKey(CreateExternalKey {
                    partition: partitions.get(form.selected_option(PARTITION)).cloned().unwrap_or_default(),
                    id: form.text(ID),
                    usage: ticked.map(|(_, usage)| usage.to_owned()).collect(),
                    enabled: form.is_checked(ENABLED),
                })
            }
            Self::Enable(key) => Change::EnableExternalKey(EnableExternalKey(key.clone())),
            Self::Disable(key, _) => Change::DisableExternalKey(DisableExternalKey(key.clone())),
            Self::Rotate(key) => Change::RotateExternalKey(RotateExternalKey(key.clone())),
            Self::Delete(key, _) => Change::DeleteExternalKey(DeleteExternalKey(key.clone())),
            Self::CreatePartition => Change::CreatePartition(CreatePartition { name: form.text(PARTITION) }),
            Self::RotateCredential(partition) => {
                Change::RotateProxyCredential(RotateProxyCredential { partition: partition.clone() })
            }
            Self::RevokeCredential(partition, ids) => Change::RevokeProxyCredential(RevokeProxyCredential {
                partition: partition.clone(),
                access_key_id: ids.get(form.selected_option(CREDENTIAL)).cloned().unwrap_or_default(),
            }),
        }]
    }

    /// Returns the message for the flash bar.
    pub fn success_message(&self, form: &Form) -> String {
        match self {
            Self::Create(..) => format!("The external key {} was created.", form.text(ID)),
            Self::Enable(key) => format!("The external key {} is enabled.", key.id),
            Self::Disable(key, _) => format!("The external key {} is disabled.", key.id),
            Self::Rotate(key) => format!("The external key {} was rotated.", key.id),
            Self::Delete(key, _) => format!("The external key {} was deleted.", key.id),
            Self::CreatePartition => format!("The partition {} was created.", form.text(PARTITION)),
            Self::RotateCredential(partition) => format!("A new proxy credential was created for {partition}."),
            Self::RevokeCredential(partition, _) => format!("The proxy credential of {partition} was revoked."),
        }
    }
}

/// The part of a proxy configuration file that is shown. The secret access key is never parsed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigurationSummary<'a> {
    xks_proxy_uri_path: &'a str,
    #[serde(borrow)]
    xks_proxy_authentication_credential: CredentialSummary<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialSummary<'a> {
    access_key_id: &'a str,
}

/// Writes a proxy configuration file with its secret access key masked.
pub fn write_configuration(view: &mut ScrollView, configuration: &SecretString) {
    let shown: ConfigurationSummary = serde_json::from_str(configuration.expose()).unwrap_or_default();
    view.paragraph(
        "The proxy configuration file was created. This is the only time that you can copy it.",
        0,
        theme::SUCCESS,
    );
    view.blank_line();
    view.key_value("Proxy URI path", shown.xks_proxy_uri_path, theme::TEXT);
    view.key_value("Access key ID", shown.xks_proxy_authentication_credential.access_key_id, theme::TEXT);
    view.key_value("Secret access key", "••••••••", theme::TEXT);
    view.blank_line();
    view.paragraph(
        "Copy it, then paste it into the proxy configuration file field of an external key store. On the External key \
         stores page, press C to create a key store or m to edit one.",
        0,
        theme::TEXT,
    );
}
