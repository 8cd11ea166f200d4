//! The AWS CLI commands that a read-only console shows instead of making changes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;

use super::keys;
use crate::aws::cli_command::{CommandTarget, command, shell_quote};
use crate::aws::kms::{
    ConnectCustomKeyStore, CreateCustomKeyStore, DisconnectCustomKeyStore, Encrypt, UpdateAlias, UpdateCustomKeyStore,
};
use crate::aws::operation::Operation;
use crate::aws::scalar::SecretBlob;
use crate::aws::xks_console::ExternalKeyName;
use crate::clock_step;
use crate::create_key::account_state::AccountState;
use crate::tui::effect::Change;
use crate::tui::path_input;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

/// The label of the button that copies the commands.
pub const COPY_LABEL: &str = "Copy command";
/// The name of the copied text in the flash bar.
pub const CLIPBOARD_NAME: &str = "command";

/// Returns the commands that make these changes, in order, for a POSIX shell.
pub fn for_changes(changes: &[Change], account: &AccountState) -> String {
    changes.iter().map(|change| for_change(change, account)).collect::<Vec<_>>().join("\n")
}

/// Returns the commands that connect a key store. A failed one is disconnected first.
pub fn connect(store_id: &str, has_failed: bool, account: &AccountState) -> String {
    let connect = ConnectCustomKeyStore { custom_key_store_id: store_id.to_owned() };
    let connect = command(&connect, account.command_target(), &[]);
    if !has_failed {
        return connect;
    }
    let disconnect = disconnect(store_id, account);
    format!("{disconnect}\n# When `aws kms describe-custom-key-stores` shows DISCONNECTED:\n{connect}")
}

/// Returns the command that disconnects a key store.
pub fn disconnect(store_id: &str, account: &AccountState) -> String {
    command(&DisconnectCustomKeyStore { custom_key_store_id: store_id.to_owned() }, account.command_target(), &[])
}

fn for_change(change: &Change, account: &AccountState) -> String {
    let target = account.command_target();
    match change {
        Change::Enable(request) => command(request, target, &[]),
        Change::Disable(request) => command(request, target, &[]),
        Change::ScheduleDeletion(request) => command(request, target, &[]),
        Change::CancelDeletion(request) => command(request, target, &[]),
        Change::UpdateDescription(request) => command(request, target, &[]),
        Change::Tag(request) => command(request, target, &[]),
        Change::Untag(request) => command(request, target, &[]),
        Change::PutPolicy(request) => command(request, target, &[]),
        Change::CreateAlias(request) => command(request, target, &[]),
        Change::DeleteAlias(request) => command(request, target, &[]),
        Change::DeleteKeyStore(request) => command(request, target, &[]),
        Change::UpdateAlias(request) => {
            let named = &request.target_key_id;
            let target_key_id = keys::find_key_id(named, account).unwrap_or_else(|| named.clone());
            command(&UpdateAlias { target_key_id, ..request.clone() }, target, &[])
        }
        Change::CreateKeyStore(request) => {
            let request = CreateCustomKeyStore { xks_proxy_authentication_credential: None, ..request.clone() };
            command_with_credential_file(&request, target)
        }
        Change::UpdateKeyStore(request) if request.xks_proxy_authentication_credential.is_some() => {
            let request = UpdateCustomKeyStore { xks_proxy_authentication_credential: None, ..request.clone() };
            command_with_credential_file(&request, target)
        }
        Change::UpdateKeyStore(request) => command(request, target, &[]),
        Change::Encrypt(request, path) => {
            let request = Encrypt { plaintext: SecretBlob::default(), ..request.clone() };
            let file = ("Plaintext", fileb_argument(path.as_deref().unwrap_or("plaintext")));
            let encrypt = command(&request, target, &[file]);
            let note = if path.is_some() { "" } else { "# The file plaintext contains the data to encrypt.\n" };
            format!("{note}{encrypt}")
        }
        Change::Decrypt(request, path) => {
            let path = path.as_deref();
            let file = ("CiphertextBlob", fileb_argument(path.unwrap_or("ciphertext")));
            let decrypt = command(request, target, &[file]);
            let blob = path.is_none().then(|| STANDARD.encode(&request.ciphertext_blob.0));
            match blob {
                Some(blob) => format!("printf %s {} | base64 --decode > ciphertext\n{decrypt}", shell_quote(&blob)),
                None => decrypt,
            }
        }
        other => external_key_manager_command(other),
    }
}

/// Returns an argument that passes the bytes of a file.
fn fileb_argument(path: &str) -> String {
    format!("fileb://{}", path_input::unquote(path).display())
}

/// Returns a command that reads the proxy credential from a file, because command arguments must not contain secrets.
fn command_with_credential_file<O: Operation>(request: &O, target: CommandTarget) -> String {
    let file = ("XksProxyAuthenticationCredential", "file://credential.json".to_owned());
    format!(
        "# credential.json contains the proxy credential. Only its owner should be able to read it:\n\
         # {{\"AccessKeyId\": \"...\", \"RawSecretAccessKey\": \"...\"}}\n{}",
        command(request, target, &[file])
    )
}

/// Returns the `xks-console` command for a change in the external key manager, which isn't part of AWS.
fn external_key_manager_command(change: &Change) -> String {
    let key = |verb: &str, key: &ExternalKeyName| {
        // The values are joined with `=`, because names can start with a hyphen.
        format!(
            "xks-console proxy {verb}-key --partition={} --id={}",
            shell_quote(&key.partition),
            shell_quote(&key.id)
        )
    };
    match change {
        Change::CreateExternalKey(request) => {
            let name = ExternalKeyName { partition: request.partition.clone(), id: request.id.clone() };
            let usage =
                if request.usage.is_empty() { "none".to_owned() } else { request.usage.join(",").to_lowercase() };
            let disabled = if request.enabled { "" } else { " --disabled" };
            format!("{} --usage {usage}{disabled}", key("create", &name))
        }
        Change::EnableExternalKey(request) => key("enable", &request.0),
        Change::DisableExternalKey(request) => key("disable", &request.0),
        Change::RotateExternalKey(request) => key("rotate", &request.0),
        Change::DeleteExternalKey(request) => key("delete", &request.0),
        Change::CreatePartition(request) => {
            format!("xks-console proxy create-partition -- {}", shell_quote(&request.name))
        }
        Change::RotateProxyCredential(request) => {
            format!("xks-console proxy rotate-credential -- {}", shell_quote(&request.partition))
        }
        Change::PutProxyFault(request) => format!("xks-console proxy fault add {}", shell_quote(&request.fault)),
        Change::DeleteProxyFault(request) => format!("xks-console proxy fault remove {}", request.id),
        Change::AdvanceClock(request) => {
            let step = clock_step::format(SignedDuration::from_secs(request.seconds)).replace(' ', "");
            format!("xks-console clock +{step}")
        }
        Change::DeleteProxyFaults(_) => "xks-console proxy fault remove --all".to_owned(),
        Change::RevokeProxyCredential(request) => {
            let (partition, id) = (shell_quote(&request.partition), shell_quote(&request.access_key_id));
            format!("xks-console proxy revoke-credential -- {partition} {id}")
        }
        _ => "# No command sets the proxy address or CA certificates. Use a console that isn't read-only.".to_owned(),
    }
}

/// Writes commands, and a confirmation after they were copied.
pub fn write(view: &mut ScrollView, commands: &str, is_copied: bool) {
    view.blank_line();
    if !commands.is_empty() {
        view.paragraph(commands, 2, theme::TEXT);
        view.blank_line();
    }
    if is_copied {
        view.paragraph("✓ Sent to the clipboard. Press Esc to close.", 0, theme::SUCCESS);
    }
}

/// Writes a notice that the console is read-only.
pub fn write_read_only_notice(view: &mut ScrollView, words: &str) {
    view.warning(&format!("READ-ONLY: {words}"), 0);
}

/// Writes a read-only notice, then the commands to run instead.
pub fn write_read_only_commands(view: &mut ScrollView, commands: &str) {
    view.blank_line();
    write_read_only_notice(view, "This console can't make changes. Use this command:");
    write(view, commands, false);
}
