//! Managing the bundled external key manager and its proxy from a shell: `xks-console proxy …`.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use crate::aws::xks_console::ListProxyRequests;
use crate::bundled::Bundled;
use crate::cli::{KeyName, ProxyCommand};
use crate::replace::replace;
use crate::xks::key_manager::NewExternalKey;
use crate::xks::proxy::BUNDLED_HOST;

/// Does what was asked; `out` gets what programs read, `notes` what people do.
///
/// # Errors
/// What the external key manager refuses, and files that can't be written.
pub fn run(
    aws: &Bundled,
    dir: &Path,
    command: &ProxyCommand,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let manager = aws.key_manager();
    match command {
        ProxyCommand::CreatePartition { name } => {
            let configuration = aws.create_partition(name)?;
            writeln!(out, "{}", *configuration)?;
            let file = write_request(dir, name, &configuration)?;
            writeln!(
                notes,
                "\nTo make an external key store of it:\n  aws kms create-custom-key-store --cli-input-json file://{file}"
            )?;
        }
        ProxyCommand::ListPartitions => {
            for name in manager.partitions()? {
                writeln!(out, "{name}")?;
            }
        }
        ProxyCommand::CreateKey { key, usage, spec, disabled, callers } => {
            manager.create_key(
                &key.partition,
                &NewExternalKey {
                    id: key.id.clone(),
                    manager_id: None,
                    spec: spec.clone(),
                    usage: usage.iter().filter(|one| *one != "none").map(|one| one.to_uppercase()).collect(),
                    enabled: !disabled,
                    callers: callers.clone(),
                },
            )?;
        }
        ProxyCommand::ListKeys { partition } => {
            writeln!(
                out,
                "{:<32} {:<8} {:<9} {:>7} {:>12}  {:<15}  CALLERS",
                "EXTERNAL KEY ID", "SPEC", "STATUS", "VERSION", "ENCRYPTIONS", "USAGE"
            )?;
            for key in manager.keys(partition)? {
                let status = if key.enabled { "ENABLED" } else { "DISABLED" };
                let usage = if key.usage.is_empty() { "-".to_owned() } else { key.usage.join(",") };
                let callers = if key.callers.is_empty() { "-".to_owned() } else { key.callers.join(",") };
                writeln!(
                    out,
                    "{:<32} {:<8} {status:<9} {:>7} {:>12}  {usage:<15}  {callers}",
                    key.id, key.spec, key.version, key.encryptions
                )?;
            }
        }
        ProxyCommand::EnableKey(KeyName { partition, id }) => manager.set_enabled(partition, id, true)?,
        ProxyCommand::DisableKey(KeyName { partition, id }) => manager.set_enabled(partition, id, false)?,
        ProxyCommand::DeleteKey(KeyName { partition, id }) => manager.delete_key(partition, id)?,
        ProxyCommand::SetCallers { key, callers } => manager.set_callers(&key.partition, &key.id, callers)?,
        ProxyCommand::RotateKey(KeyName { partition, id }) => {
            writeln!(out, "{}", manager.rotate_key(partition, id)?)?;
        }
        ProxyCommand::ListCredentials { partition } => {
            for id in manager.access_key_ids(partition)? {
                writeln!(out, "{id}")?;
            }
        }
        ProxyCommand::RotateCredential { partition } => {
            let before = manager.access_key_ids(partition)?;
            let configuration = aws.proxy_configuration(partition)?;
            writeln!(out, "{}", *configuration)?;
            for id in before {
                writeln!(
                    notes,
                    "{id} still works. Once no key store uses it: xks-console proxy revoke-credential {partition} {id}"
                )?;
            }
        }
        ProxyCommand::Log { partition, key, kms_request_id, last } => {
            let mut requests = manager.requests(&ListProxyRequests {
                partition: partition.clone(),
                external_key_id: key.clone(),
                kms_request_id: kms_request_id.clone(),
                max_results: Some(*last),
            })?;
            requests.reverse();
            for request in requests {
                writeln!(out, "{}", serde_json::to_string(&request)?)?;
            }
        }
        ProxyCommand::RevokeCredential { partition, access_key_id } => {
            if !manager.remove_credential(partition, access_key_id)? {
                let known = manager.access_key_ids(partition)?.join(", ");
                return Err(format!("{partition} has no credential {access_key_id}; it has {known}").into());
            }
        }
    }
    Ok(())
}

/// Writes the request of CreateCustomKeyStore, for its secret must not stand among the arguments of a command.
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
    replace(&path, text.as_bytes()).map_err(|source| format!("{}: {source}", path.display()))?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    fn aws() -> Bundled {
        Bundled::in_memory("default", World::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1)).unwrap()
    }

    fn done(aws: &Bundled, dir: &Path, command: &ProxyCommand) -> Result<(String, String), String> {
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        run(aws, dir, command, &mut out, &mut notes).map_err(|error| error.to_string())?;
        Ok((String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap()))
    }

    #[test]
    fn a_partition_its_keys_and_credentials_live_and_go() {
        let (aws, dir) = (aws(), tempfile::tempdir().unwrap());
        let does = |command: ProxyCommand| done(&aws, dir.path(), &command);
        let (file, notes) = does(ProxyCommand::CreatePartition { name: "team/red".to_owned() }).unwrap();
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
        assert!(does(ProxyCommand::CreatePartition { name: "team/red".to_owned() }).unwrap_err().contains("exists"));
        assert!(does(ProxyCommand::ListPartitions).unwrap().0.contains("team/red\n"));

        let key = || KeyName { partition: "team/red".to_owned(), id: "k-1".to_owned() };
        let create = |usage: &str| ProxyCommand::CreateKey {
            key: key(),
            usage: usage.split(',').map(str::to_owned).collect(),
            spec: "AES_256".to_owned(),
            disabled: false,
            callers: vec!["AWS Internal".to_owned()],
        };
        does(create("encrypt,decrypt")).unwrap();
        assert!(does(create("none")).unwrap_err().contains("exists"));
        does(ProxyCommand::DisableKey(key())).unwrap();
        let list = || does(ProxyCommand::ListKeys { partition: "team/red".to_owned() }).unwrap().0;
        assert!(
            list().contains("k-1 ") && list().contains("DISABLED") && list().contains("ENCRYPT,DECRYPT"),
            "{}",
            list()
        );
        assert!(list().lines().any(|line| line.ends_with("  AWS Internal")), "{}", list());
        let callers = ["arn:aws:iam::111122223333:role/*", "backup.amazonaws.com"].map(str::to_owned);
        does(ProxyCommand::SetCallers { key: key(), callers: callers.to_vec() }).unwrap();
        assert!(list().lines().any(|line| line.ends_with(&format!("  {}", callers.join(",")))), "{}", list());
        does(ProxyCommand::SetCallers { key: key(), callers: Vec::new() }).unwrap();
        assert!(list().lines().any(|line| line.ends_with("  -")), "{}", list());
        does(ProxyCommand::EnableKey(key())).unwrap();
        assert_eq!(does(ProxyCommand::RotateKey(key())).unwrap().0, "2\n");
        does(ProxyCommand::DeleteKey(key())).unwrap();
        assert!(!list().contains("k-1 "));
        assert!(does(ProxyCommand::DeleteKey(key())).unwrap_err().contains("unknown"));
        // A key that has its ID later is another one.
        does(create("none")).unwrap();
        assert!(list().contains("      1 "), "{}", list());

        let old = file["XksProxyAuthenticationCredential"]["AccessKeyId"].as_str().unwrap().to_owned();
        let (_, notes) = does(ProxyCommand::RotateCredential { partition: "team/red".to_owned() }).unwrap();
        assert!(notes.contains(&old), "{notes}");
        let revoke = ProxyCommand::RevokeCredential { partition: "team/red".to_owned(), access_key_id: old.clone() };
        does(revoke.clone()).unwrap();
        assert!(does(revoke).unwrap_err().contains("has no credential"));
        let left = does(ProxyCommand::ListCredentials { partition: "team/red".to_owned() }).unwrap().0;
        assert!(left.lines().count() == 1 && !left.contains(&old), "{left}");
    }
}
