//! `xks-console proxy …`: manages the bundled external key manager and its proxy.

mod fault;
mod lists;

use std::error::Error;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use zeroize::Zeroizing;

use self::lists::ListWriter;
use super::{EXIT_DECLINED, EXIT_USAGE, confirm_on_terminal, is_broken_pipe, note, open_bundled};
use crate::aws::xks_console::ListProxyRequests;
use crate::bundled::BundledAws;
use crate::cli::{Arguments, ExternalKeyRef, ProxyCommand};
use crate::storage::atomic_file::replace;
use crate::xks::key_manager::{ExternalKeyManager, KeyManagerError, NewExternalKey};
use crate::xks::proxy::BUNDLED_HOST;

/// Runs the command on the terminal.
///
/// # Errors
/// Errors of [`run`], and a bundled AWS that can't be opened.
pub fn run_on_terminal(arguments: &Arguments, command: &ProxyCommand) -> Result<ExitCode, Box<dyn Error>> {
    if let ProxyCommand::DeleteKey { key: ExternalKeyRef { partition, id }, yes: false } = command
        && !(io::stdin().is_terminal() && io::stderr().is_terminal())
    {
        note(format_args!(
            "Couldn't ask for confirmation, because there is no terminal. Deleting an external key can't be undone. To \
             delete {id:?} in partition {partition:?} without confirmation, add --yes."
        ));
        return Ok(ExitCode::from(EXIT_USAGE));
    }
    let data_dir = super::settings(arguments)?.data_dir()?;
    let bundled = open_bundled(arguments, Some(&data_dir))?;
    let mut command_io =
        CommandIo { out: io::stdout(), notes: io::stderr(), is_json: arguments.json, confirm: &confirm_on_terminal };
    match run(&bundled, &data_dir, command, &mut command_io) {
        // The reader, such as `head`, may close the pipe before the end of a list.
        Err(error) if command.is_list() && is_broken_pipe(&*error) => Ok(ExitCode::SUCCESS),
        Err(error) if matches!(error.downcast_ref(), Some(KeyManagerError::Invalid { .. })) => {
            note(error);
            Ok(ExitCode::from(EXIT_USAGE))
        }
        result => result,
    }
}

/// The output of a command, and its confirmation.
pub struct CommandIo<'a, O, N> {
    /// The output for programs.
    pub out: O,
    /// The messages for people.
    pub notes: N,
    /// Whether each list is one JSON document.
    pub is_json: bool,
    /// Asks a question and returns whether the answer is yes.
    pub confirm: &'a dyn Fn(&str) -> io::Result<bool>,
}

/// Runs the command and returns its exit code.
///
/// # Errors
/// Errors of the external key manager, and files that can't be written.
pub fn run(
    aws: &BundledAws,
    dir: &Path,
    command: &ProxyCommand,
    command_io: &mut CommandIo<impl Write, impl Write>,
) -> Result<ExitCode, Box<dyn Error>> {
    let manager = aws.key_manager();
    if let Some(ExternalKeyRef { partition, id }) = command.existing_key() {
        require_key(manager, partition, id)?;
    }
    let CommandIo { out, notes, is_json, confirm } = command_io;
    let mut list = ListWriter { out, is_json: *is_json };
    match command {
        ProxyCommand::CreatePartition { name } => create_partition(aws, dir, name, list.out, notes)?,
        ProxyCommand::ListPartitions => list.write_partitions(manager)?,
        ProxyCommand::CreateKey { key, usage, spec, disabled, callers } => {
            let key_usage = usage.iter().filter(|one| *one != "none").map(|one| one.to_uppercase()).collect();
            manager.create_key(
                &key.partition,
                &NewExternalKey {
                    id: key.id.clone(),
                    manager_id: None,
                    spec: spec.clone(),
                    usage: key_usage,
                    enabled: !disabled,
                    callers: callers.clone(),
                },
            )?;
        }
        ProxyCommand::ListKeys { partition } => list.write_keys(manager, partition)?,
        ProxyCommand::EnableKey(ExternalKeyRef { partition, id }) => manager.set_enabled(partition, id, true)?,
        ProxyCommand::DisableKey(ExternalKeyRef { partition, id }) => manager.set_enabled(partition, id, false)?,
        ProxyCommand::DeleteKey { key: ExternalKeyRef { partition, id }, yes } => {
            if !yes && !confirm(&delete_question(aws, partition, id)?)? {
                writeln!(notes, "xks-console: The external key was not deleted.")?;
                return Ok(ExitCode::from(EXIT_DECLINED));
            }
            manager.delete_key(partition, id)?;
        }
        ProxyCommand::SetCallers { key, callers } => manager.set_callers(&key.partition, &key.id, callers)?,
        ProxyCommand::RotateKey(ExternalKeyRef { partition, id }) => {
            writeln!(list.out, "{}", manager.rotate_key(partition, id)?)?;
        }
        ProxyCommand::ListCredentials { partition } => list.write_credentials(manager, partition)?,
        ProxyCommand::RotateCredential { partition } => rotate_credential(aws, partition, list.out, notes)?,
        ProxyCommand::Log { partition, key, kms_request_id, last } => list.write_requests(
            manager,
            &ListProxyRequests {
                partition: partition.clone(),
                external_key_id: key.clone(),
                kms_request_id: kms_request_id.clone(),
                max_results: Some(*last),
            },
        )?,
        ProxyCommand::Fault(command) => {
            let code = fault::run(aws, command, &mut list, notes)?;
            list.out.flush()?;
            return Ok(code);
        }
        ProxyCommand::RevokeCredential { partition, access_key_id } => {
            revoke_credential(manager, partition, access_key_id)?;
        }
    }
    list.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn rotate_credential(
    aws: &BundledAws,
    partition: &str,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let previous_ids = aws.key_manager().access_key_ids(partition)?;
    let configuration = aws.proxy_configuration(partition)?;
    writeln!(out, "{}", *configuration)?;
    for id in previous_ids {
        writeln!(
            notes,
            "Credential {id} still works. When no key store uses it anymore, revoke it: xks-console proxy \
             revoke-credential {partition} {id}"
        )?;
    }
    Ok(())
}

fn revoke_credential(manager: &ExternalKeyManager, partition: &str, access_key_id: &str) -> Result<(), Box<dyn Error>> {
    require_partition(manager, partition)?;
    if manager.remove_credential(partition, access_key_id)? {
        return Ok(());
    }
    let known = manager.access_key_ids(partition)?.join(", ");
    Err(format!("Partition {partition:?} has no credential {access_key_id:?}. Its access key IDs are {known}.").into())
}

fn require_partition(manager: &ExternalKeyManager, name: &str) -> Result<(), Box<dyn Error>> {
    let names = manager.partitions()?;
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("Partition {name:?} doesn't exist. The partitions are {}.", names.join(", ")).into())
}

fn require_key(manager: &ExternalKeyManager, partition: &str, id: &str) -> Result<(), Box<dyn Error>> {
    require_partition(manager, partition)?;
    match manager.key(partition, id) {
        Err(KeyManagerError::KeyNotFound) => {
            let hint = format!("To list its keys, use: xks-console proxy list-keys --partition {partition}");
            Err(format!("Partition {partition:?} has no external key {id:?}. {hint}").into())
        }
        result => Ok(result.map(drop)?),
    }
}

/// Returns the confirmation question, which names the key and what is lost with it.
fn delete_question(aws: &BundledAws, partition: &str, id: &str) -> Result<String, Box<dyn Error>> {
    let versions = match aws.key_manager().key(partition, id)?.version {
        1 => "its key material".to_owned(),
        count => format!("the key material of all its {count} versions"),
    };
    let keys = aws.kms_keys_using_external_key(partition, id)?;
    let users = match keys.as_slice() {
        [] => "No KMS key in this account uses it.".to_owned(),
        [key] => format!("The KMS key {key} uses it and will no longer be able to encrypt or decrypt."),
        keys => format!("The KMS keys {} use it and will no longer be able to encrypt or decrypt.", keys.join(", ")),
    };
    Ok(format!(
        "This deletes the external key {id:?} in partition {partition:?} and {versions}. This can't be undone: data \
         encrypted under the key can never be decrypted. {users}\nDelete {id:?}?"
    ))
}

fn create_partition(
    aws: &BundledAws,
    dir: &Path,
    name: &str,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let configuration = aws.create_partition(name)?;
    writeln!(out, "{}", *configuration)?;
    let file = write_request(dir, name, &configuration)?;
    writeln!(
        notes,
        "\nTo create an external key store for this partition:\n  \
         aws kms create-custom-key-store --cli-input-json file://{file}"
    )?;
    Ok(())
}

/// Writes the CreateCustomKeyStore request to a file, because command-line arguments must not contain its secret.
fn write_request(dir: &Path, partition: &str, configuration: &str) -> Result<String, Box<dyn Error>> {
    let mut request = json!({
        "CustomKeyStoreName": partition,
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyUriEndpoint": format!("https://{BUNDLED_HOST}"),
    });
    let configuration: serde_json::Value = serde_json::from_str(configuration)?;
    for member in ["XksProxyUriPath", "XksProxyAuthenticationCredential"] {
        request[member] = configuration[member].clone();
    }
    let text = Zeroizing::new(serde_json::to_string_pretty(&request)?);
    let path = std::path::absolute(dir)?.join(format!("create-{}.json", partition.replace('/', "-")));
    replace(&path, text.as_bytes()).map_err(|source| format!("Couldn't write {}: {source}", path.display()))?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn aws() -> BundledAws {
        BundledAws::in_memory("default", Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1)).unwrap()
    }

    fn run_command(aws: &BundledAws, dir: &Path, command: &ProxyCommand) -> Result<(String, String), String> {
        let (out, notes, _) = run_with(aws, dir, command, false, &|question| panic!("{question}"))?;
        Ok((out, notes))
    }

    /// Returns the output, messages, and exit code.
    fn run_with(
        aws: &BundledAws,
        dir: &Path,
        command: &ProxyCommand,
        is_json: bool,
        confirm: &dyn Fn(&str) -> io::Result<bool>,
    ) -> Result<(String, String, ExitCode), String> {
        let mut command_io = CommandIo { out: Vec::new(), notes: Vec::new(), is_json, confirm };
        let code = run(aws, dir, command, &mut command_io).map_err(|error| error.to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ok((text(command_io.out), text(command_io.notes), code))
    }

    #[test]
    fn partitions_keys_and_credentials_are_created_changed_and_removed() {
        let (aws, dir) = (aws(), tempfile::tempdir().unwrap());
        let run_proxy = |command: ProxyCommand| run_command(&aws, dir.path(), &command);
        let (file, notes) = run_proxy(ProxyCommand::CreatePartition { name: "team/red".to_owned() }).unwrap();
        let file: serde_json::Value = serde_json::from_str(&file).unwrap();
        assert_eq!(file["XksProxyUriPath"], "/team/red/kms/xks/v1");
        let secret = file["XksProxyAuthenticationCredential"]["RawSecretAccessKey"].as_str().unwrap();
        assert!(
            notes.contains("create-custom-key-store --cli-input-json file://") && !notes.contains(secret),
            "{notes}"
        );
        let request = dir.path().join("create-team-red.json");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&request).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(std::fs::read_to_string(request).unwrap().contains(secret));
        assert!(
            run_proxy(ProxyCommand::CreatePartition { name: "team/red".to_owned() }).unwrap_err().contains("exists")
        );
        assert!(run_proxy(ProxyCommand::ListPartitions).unwrap().0.contains("team/red\n"));

        let key = || ExternalKeyRef { partition: "team/red".to_owned(), id: "k-1".to_owned() };
        let create = |usage: &str| ProxyCommand::CreateKey {
            key: key(),
            usage: usage.split(',').map(str::to_owned).collect(),
            spec: "AES_256".to_owned(),
            disabled: false,
            callers: vec!["AWS Internal".to_owned()],
        };
        run_proxy(create("encrypt,decrypt")).unwrap();
        assert!(run_proxy(create("none")).unwrap_err().contains("exists"));
        run_proxy(ProxyCommand::DisableKey(key())).unwrap();
        let list = || run_proxy(ProxyCommand::ListKeys { partition: "team/red".to_owned() }).unwrap().0;
        assert!(
            list().contains("k-1 ") && list().contains("DISABLED") && list().contains("ENCRYPT,DECRYPT"),
            "{}",
            list()
        );
        assert!(list().lines().any(|line| line.ends_with("  AWS Internal")), "{}", list());
        let callers = ["arn:aws:iam::111122223333:role/*", "backup.amazonaws.com"].map(str::to_owned);
        run_proxy(ProxyCommand::SetCallers { key: key(), callers: callers.to_vec() }).unwrap();
        assert!(list().lines().any(|line| line.ends_with(&format!("  {}", callers.join(",")))), "{}", list());
        run_proxy(ProxyCommand::SetCallers { key: key(), callers: Vec::new() }).unwrap();
        assert!(list().lines().any(|line| line.ends_with("  -")), "{}", list());
        run_proxy(ProxyCommand::EnableKey(key())).unwrap();
        assert_eq!(run_proxy(ProxyCommand::RotateKey(key())).unwrap().0, "2\n");
        run_proxy(ProxyCommand::DeleteKey { key: key(), yes: true }).unwrap();
        assert!(!list().contains("k-1 "));
        assert!(
            run_proxy(ProxyCommand::DeleteKey { key: key(), yes: true })
                .unwrap_err()
                .contains("has no external key \"k-1\"")
        );
        // A new key with the same ID starts with version 1.
        run_proxy(create("none")).unwrap();
        assert!(list().contains("      1 "), "{}", list());

        let old = file["XksProxyAuthenticationCredential"]["AccessKeyId"].as_str().unwrap().to_owned();
        let (_, notes) = run_proxy(ProxyCommand::RotateCredential { partition: "team/red".to_owned() }).unwrap();
        assert!(notes.contains(&old), "{notes}");
        let revoke = ProxyCommand::RevokeCredential { partition: "team/red".to_owned(), access_key_id: old.clone() };
        run_proxy(revoke.clone()).unwrap();
        assert!(run_proxy(revoke).unwrap_err().contains("has no credential"));
        let left = run_proxy(ProxyCommand::ListCredentials { partition: "team/red".to_owned() }).unwrap().0;
        assert!(left.lines().count() == 1 && !left.contains(&old), "{left}");
    }

    #[test]
    fn errors_name_the_unknown_partition_or_key() {
        let (aws, dir) = (aws(), tempfile::tempdir().unwrap());
        let name = || "nowhere".to_owned();
        let key = |partition: &str| ExternalKeyRef { partition: partition.to_owned(), id: "nothing".to_owned() };
        let log = |partition: Option<&str>, key: Option<&str>| ProxyCommand::Log {
            partition: partition.map(str::to_owned),
            key: key.map(str::to_owned),
            kms_request_id: None,
            last: 10,
        };
        for command in [
            ProxyCommand::ListKeys { partition: name() },
            ProxyCommand::ListCredentials { partition: name() },
            ProxyCommand::RotateCredential { partition: name() },
            ProxyCommand::RevokeCredential { partition: name(), access_key_id: "A".to_owned() },
            log(Some("nowhere"), None),
            ProxyCommand::EnableKey(key("nowhere")),
            ProxyCommand::DeleteKey { key: key("nowhere"), yes: true },
        ] {
            let error = run_command(&aws, dir.path(), &command).unwrap_err();
            assert!(error.contains("\"nowhere\""), "{command:?}: {error}");
        }
        for command in [
            ProxyCommand::EnableKey(key("oslo")),
            ProxyCommand::DisableKey(key("oslo")),
            ProxyCommand::DeleteKey { key: key("oslo"), yes: false },
            ProxyCommand::RotateKey(key("oslo")),
            ProxyCommand::SetCallers { key: key("oslo"), callers: Vec::new() },
            log(Some("oslo"), Some("nothing")),
            log(None, Some("nothing")),
        ] {
            let error = run_command(&aws, dir.path(), &command).unwrap_err();
            assert!(error.contains("\"nothing\""), "{command:?}: {error}");
        }
        assert_eq!(run_command(&aws, dir.path(), &log(Some("oslo"), None)).unwrap().0, "");
    }

    #[test]
    fn delete_key_asks_for_confirmation_and_names_what_is_lost() {
        let (aws, dir) = (aws(), tempfile::tempdir().unwrap());
        let key = |id: &str| ExternalKeyRef { partition: "frankfurt".to_owned(), id: id.to_owned() };
        let delete = |id: &str, answer: bool| {
            let question = std::cell::RefCell::new(String::new());
            let confirm = |asked: &str| {
                question.replace(asked.to_owned());
                Ok(answer)
            };
            let command = ProxyCommand::DeleteKey { key: key(id), yes: false };
            let (_, notes, code) = run_with(&aws, dir.path(), &command, false, &confirm).unwrap();
            (question.into_inner(), notes, code)
        };
        let keys = aws.key_manager().keys("frankfurt").unwrap();
        let used = |id: &str| !aws.kms_keys_using_external_key("frankfurt", id).unwrap().is_empty();
        let in_use = &keys.iter().find(|key| used(&key.id)).unwrap().id;
        let (question, notes, code) = delete(in_use, false);
        assert!(question.contains(&format!("{in_use:?} in partition \"frankfurt\"")), "{question}");
        assert!(question.contains("The KMS key ") && question.contains("never be decrypted"), "{question}");
        assert!(notes.contains("not deleted") && code == ExitCode::from(3), "{notes}");
        assert!(aws.key_manager().key("frankfurt", in_use).is_ok());
        let spare = &keys.iter().find(|key| !used(&key.id)).unwrap().id;
        let (question, _, code) = delete(spare, true);
        assert!(question.contains("No KMS key in this account uses it") && code == ExitCode::SUCCESS, "{question}");
        assert!(aws.key_manager().key("frankfurt", spare).is_err());
    }

    #[test]
    fn json_lists_are_single_documents() {
        let (aws, dir) = (aws(), tempfile::tempdir().unwrap());
        let document = |command: ProxyCommand| -> serde_json::Value {
            let (out, _, _) = run_with(&aws, dir.path(), &command, true, &|_| Ok(false)).unwrap();
            serde_json::from_str(&out).unwrap()
        };
        let partition = || "oslo".to_owned();
        let partitions = document(ProxyCommand::ListPartitions);
        let oslo = json!({ "name": "oslo", "uriPath": "/oslo/kms/xks/v1" });
        assert!(partitions["partitions"].as_array().unwrap().contains(&oslo), "{partitions}");
        let keys = document(ProxyCommand::ListKeys { partition: partition() });
        let vault = &keys["externalKeys"][0];
        assert_eq!((&keys["partition"], &vault["keySpec"]), (&json!("oslo"), &json!("AES_256")), "{keys}");
        let credentials = document(ProxyCommand::ListCredentials { partition: partition() });
        assert_eq!(credentials["accessKeyIds"].as_array().unwrap().len(), 1, "{credentials}");
        let log =
            document(ProxyCommand::Log { partition: Some(partition()), key: None, kms_request_id: None, last: 10 });
        assert_eq!(log, json!({ "requests": [] }));
    }
}
