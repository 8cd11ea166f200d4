//! What a read-only console gives instead of doing it: the commands that do the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keys;
use crate::aws::cli_command::{CommandTarget, command, shell_quote};
use crate::aws::kms::{
    ConnectCustomKeyStore, CreateCustomKeyStore, DisconnectCustomKeyStore, Encrypt, UpdateAlias, UpdateCustomKeyStore,
};
use crate::aws::operation::Operation;
use crate::aws::scalar::SecretBlob;
use crate::aws::xks_console::ExternalKeyName;
use crate::create_key::account_state::AccountState;
use crate::tui::effect::Change;
use crate::tui::path_input;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

/// What the button says that puts them on the clipboard.
pub const COPY_LABEL: &str = "Copy the command";
/// What they are called once they are there.
pub const CLIPBOARD_NAME: &str = "command";

/// The commands that make these changes, for a POSIX shell, in their order.
pub fn for_changes(changes: &[Change], account: &AccountState) -> String {
    changes.iter().map(|change| for_change(change, account)).collect::<Vec<_>>().join("\n")
}

/// The commands that connect a store; one that failed is disconnected first.
pub fn connect(store_id: &str, has_failed: bool, account: &AccountState) -> String {
    let connect = ConnectCustomKeyStore { custom_key_store_id: store_id.to_owned() };
    let connect = command(&connect, account.command_target(), &[]);
    if !has_failed {
        return connect;
    }
    let disconnect = disconnect(store_id, account);
    format!("{disconnect}\n# Once `aws kms describe-custom-key-stores` says DISCONNECTED:\n{connect}")
}

/// The command that disconnects a store.
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
            let note = if path.is_some() { "" } else { "# The file plaintext holds what is to be encrypted.\n" };
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

/// An argument whose value is the bytes of a file that the person named.
fn fileb_argument(path: &str) -> String {
    format!("fileb://{}", path_input::unquote(path).display())
}

/// The credential of a proxy is taken from a file: its secret must not stand among the arguments of a command.
fn command_with_credential_file<O: Operation>(request: &O, target: CommandTarget) -> String {
    let file = ("XksProxyAuthenticationCredential", "file://credential.json".to_owned());
    format!(
        "# credential.json, for its owner alone, holds the credential of the proxy:\n\
         # {{\"AccessKeyId\": \"...\", \"RawSecretAccessKey\": \"...\"}}\n{}",
        command(request, target, &[file])
    )
}

/// The external key manager is no part of AWS: the program's own commands reach the bundled one.
fn external_key_manager_command(change: &Change) -> String {
    let key = |verb: &str, key: &ExternalKeyName| {
        // Joined, for names may start with a hyphen.
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
        Change::RevokeProxyCredential(request) => {
            let (partition, id) = (shell_quote(&request.partition), shell_quote(&request.access_key_id));
            format!("xks-console proxy revoke-credential -- {partition} {id}")
        }
        _ => "# No command says how the host is reached: a console does that is not read-only.".to_owned(),
    }
}

/// Writes commands, and whether they are on the clipboard.
pub fn write(view: &mut ScrollView, commands: &str, is_copied: bool) {
    view.blank_line();
    if !commands.is_empty() {
        view.paragraph(commands, 2, theme::TEXT);
        view.blank_line();
    }
    if is_copied {
        view.paragraph("✓ Sent to the clipboard. Esc closes.", 0, theme::SUCCESS);
    }
}

/// Writes that this console is read-only, and what follows from it.
pub fn write_read_only_notice(view: &mut ScrollView, words: &str) {
    view.paragraph(&format!("READ-ONLY: {words}"), 0, theme::WARNING);
}

/// Writes that nothing is done here, and the commands that do it.
pub fn write_read_only_commands(view: &mut ScrollView, commands: &str) {
    view.blank_line();
    write_read_only_notice(view, "nothing is changed from here. This does it:");
    write(view, commands, false);
}
