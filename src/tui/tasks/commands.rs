//! What a read-only console gives instead of doing it: the commands that do the same.

use super::keys;
use crate::aws::cli::{command, quoted};
use crate::aws::kms::{ConnectCustomKeyStore, DisconnectCustomKeyStore, UpdateAlias};
use crate::aws::xks_console::ExternalKeyName;
use crate::create_key::known::Known;
use crate::tui::effect::Change;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;

/// What the button says that puts them on the clipboard.
pub const COPY: &str = "Copy the command";
/// What they are called once they are there.
pub const WHAT: &str = "command";

/// Inputs that nothing has to stand in where nothing is done: what a deletion is confirmed by.
pub const NEEDLESS: [&str; 1] = ["confirm"];

/// Where the secret of a proxy is taken from; among the arguments of a command everybody could read it.
const CREDENTIAL: (&str, &str) = ("XksProxyAuthenticationCredential", "file://credential.json");
const CREDENTIAL_NOTE: &str = "# credential.json, for its owner alone, holds the credential of the proxy:\n\
     # {\"AccessKeyId\": \"...\", \"RawSecretAccessKey\": \"...\"}\n";

/// The commands that make these changes, for a POSIX shell, in their order.
pub fn of(changes: &[Change], known: &Known) -> String {
    changes.iter().map(|change| of_one(change, known)).collect::<Vec<_>>().join("\n")
}

/// The commands that connect a store; one that failed is disconnected first.
pub fn connect(store_id: &str, has_failed: bool, known: &Known) -> String {
    let connect = ConnectCustomKeyStore { custom_key_store_id: store_id.to_owned() };
    let connect = command(&connect, &known.region, &[]);
    if !has_failed {
        return connect;
    }
    let disconnect = disconnect(store_id, known);
    format!("{disconnect}\n# Once `aws kms describe-custom-key-stores` says DISCONNECTED:\n{connect}")
}

/// The command that disconnects a store.
pub fn disconnect(store_id: &str, known: &Known) -> String {
    command(&DisconnectCustomKeyStore { custom_key_store_id: store_id.to_owned() }, &known.region, &[])
}

fn of_one(change: &Change, known: &Known) -> String {
    let region = known.region.as_str();
    match change {
        Change::Enable(request) => command(request, region, &[]),
        Change::Disable(request) => command(request, region, &[]),
        Change::ScheduleDeletion(request) => command(request, region, &[]),
        Change::CancelDeletion(request) => command(request, region, &[]),
        Change::Describe(request) => command(request, region, &[]),
        Change::Tag(request) => command(request, region, &[]),
        Change::Untag(request) => command(request, region, &[]),
        Change::PutPolicy(request) => command(request, region, &[]),
        Change::CreateAlias(request) => command(request, region, &[]),
        Change::DeleteAlias(request) => command(request, region, &[]),
        Change::DeleteKeyStore(request) => command(request, region, &[]),
        Change::MoveAlias(request) => {
            let named = &request.target_key_id;
            let target_key_id = keys::find_target(named, known).unwrap_or_else(|| named.clone());
            command(&UpdateAlias { target_key_id, ..request.clone() }, region, &[])
        }
        Change::CreateKeyStore(request) => {
            let (member, file) = CREDENTIAL;
            let mut request = request.clone();
            request.xks_proxy_authentication_credential = None;
            format!("{CREDENTIAL_NOTE}{}", command(&request, region, &[(member, file.to_owned())]))
        }
        Change::UpdateKeyStore(request) => {
            let (member, file) = CREDENTIAL;
            let mut request = request.clone();
            match request.xks_proxy_authentication_credential.take() {
                Some(_) => format!("{CREDENTIAL_NOTE}{}", command(&request, region, &[(member, file.to_owned())])),
                None => command(&request, region, &[]),
            }
        }
        Change::Encrypt(request, path) => {
            let mut request = request.clone();
            request.plaintext = Default::default();
            let file = |path: &str| [("Plaintext", format!("fileb://{path}"))];
            match path {
                Some(path) => command(&request, region, &file(path)),
                None => format!(
                    "# The file plaintext holds what is to be encrypted.\n{}",
                    command(&request, region, &file("plaintext"))
                ),
            }
        }
        Change::Decrypt(request, path) => {
            let file = path.iter().map(|path| ("CiphertextBlob", format!("fileb://{path}")));
            command(request, region, &file.collect::<Vec<_>>())
        }
        other => outside_of_aws(other),
    }
}

/// The external key manager is no part of AWS: the program's own commands reach the bundled one.
fn outside_of_aws(change: &Change) -> String {
    let key = |verb: &str, key: &ExternalKeyName| {
        format!("xks-console proxy {verb}-key --partition {} --id {}", quoted(&key.partition), quoted(&key.id))
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
        Change::CreatePartition(request) => format!("xks-console proxy create-partition {}", quoted(&request.name)),
        Change::RotateProxyCredential(request) => {
            format!("xks-console proxy rotate-credential {}", quoted(&request.partition))
        }
        Change::RevokeProxyCredential(request) => {
            let (partition, id) = (quoted(&request.partition), quoted(&request.access_key_id));
            format!("xks-console proxy revoke-credential {partition} {id}")
        }
        _ => "# No command says how the host is reached: a console does that is not read-only.".to_owned(),
    }
}

/// Writes commands, and whether they are on the clipboard.
pub fn write(paper: &mut Paper, commands: &str, is_copied: bool) {
    paper.gap();
    if !commands.is_empty() {
        paper.prose(commands, 2, theme::TEXT);
        paper.gap();
    }
    if is_copied {
        paper.prose("✓ Copied. Esc closes.", 0, theme::GOOD);
    }
}

/// Writes that this console is read-only, and what follows from it.
pub fn write_heading(paper: &mut Paper, words: &str) {
    paper.prose(&format!("READ-ONLY: {words}"), 0, theme::WARNING);
}

/// Writes that nothing is done here, and the commands that do it.
pub fn write_instead(paper: &mut Paper, commands: &str) {
    paper.gap();
    write_heading(paper, "nothing is changed from here. This does it:");
    write(paper, commands, false);
}
