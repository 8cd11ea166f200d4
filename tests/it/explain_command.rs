//! `xks-console explain` as a process, with ciphertexts of an account on disk.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use super::account::{block_on, encrypt};
use xks_console::bundled::BundledAws;
use xks_console::environment::Clock;
use xks_console::in_process;

/// Creates an account in `data_dir`, and returns ciphertexts of a key in an external key store and of another key.
fn ciphertexts(data_dir: &Path) -> [Vec<u8>; 2] {
    let client = in_process::client(&BundledAws::open(data_dir, None).unwrap(), Clock::System);
    ["alias/customer-db", "alias/app-logs"].map(|key| block_on(encrypt(&client, key)).0)
}

fn explain(home: &Path, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
        command.env_remove(name);
    }
    command.current_dir(home).env("HOME", home).arg("explain").args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads a file ignores standard input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[test]
fn ciphertexts_of_both_origins_are_explained() {
    let home = tempfile::tempdir().unwrap();
    let [double, single] = ciphertexts(&home.path().join("account"));
    let account = ["--data-dir", "account"];
    for (blob, alias, parts) in [
        (
            &double,
            "alias/customer-db",
            &["encrypted twice", "Layer 2: external key", "customer-db", "Frankfurt HSM (cks-", "connected)"][..],
        ),
        (&single, "alias/app-logs", &["encrypted once", "Exists in AWS KMS", "isn't in an external key store"]),
    ] {
        let base64 = BASE64_STANDARD.encode(blob) + "\n";
        let (code, text, notes) = explain(home.path(), &account, base64.as_bytes());
        assert_eq!((code, notes.as_str()), (0, ""), "{text}");
        for part in [alias, "four corners"].into_iter().zip([true, false]).chain(parts.iter().map(|part| (*part, true)))
        {
            assert_eq!(text.contains(part.0), part.1, "{part:?} {text}");
        }
        assert_eq!(text.contains("Layer 2"), blob == &double);
        // The same blob as raw bytes in a file.
        std::fs::write(home.path().join("blob"), blob).unwrap();
        assert_eq!(explain(home.path(), &["blob", "--data-dir", "account"], b""), (0, text, String::new()));
    }
}

#[test]
fn json_has_the_key_of_the_account() {
    let home = tempfile::tempdir().unwrap();
    let [double, _] = ciphertexts(&home.path().join("account"));
    let (code, text, _) = explain(home.path(), &["--json", "--data-dir", "account"], &double);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 0);
    assert_eq!(json["kmsKey"][0], serde_json::json!({ "name": "Alias", "value": "alias/customer-db" }));
    let end = json["fields"].as_array().unwrap().iter().fold(0, |end, field| {
        assert_eq!(field["offset"], end, "{field}");
        end + field["length"].as_u64().unwrap()
    });
    assert_eq!((end, &json["ciphertextBlob"]["length"]), (double.len() as u64, &Value::from(double.len())));
}

#[test]
fn explain_creates_no_account_and_changes_none() {
    let home = tempfile::tempdir().unwrap();
    let [double, _] = ciphertexts(&home.path().join("account"));
    let files = |dir: &str| {
        let entries = std::fs::read_dir(home.path().join(dir)).unwrap().map(Result::unwrap);
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap())).collect();
        files.sort();
        files
    };
    let before = (files("."), files("account"));
    let (code, text, notes) = explain(home.path(), &[], &double);
    assert!(code == 0 && notes.is_empty() && text.contains("only what the ciphertext contains"), "{text}{notes}");
    assert_eq!(explain(home.path(), &["--data-dir", "account"], &double).0, 0);
    assert_eq!((files("."), files("account")), before);
}

#[test]
fn damaged_ciphertexts_exit_with_code_1() {
    let home = tempfile::tempdir().unwrap();
    let [double, _] = ciphertexts(&home.path().join("account"));
    for (arguments, input, part) in [
        (&[][..], &b""[..], "the input is empty"),
        (&[], &double[..100], "needs 64 bytes, and 15 follow"),
        (&[], b"AQICAHhWcw==", "isn't public"),
        (&["none"], b"", "Couldn't read the ciphertext from none"),
    ] {
        let (code, text, notes) = explain(home.path(), arguments, input);
        assert!(code == 1 && text.is_empty() && notes.contains(part), "{code} {text} {notes}");
    }
    assert_eq!(explain(home.path(), &["--theme", "dark"], &double).0, 2);
    assert_eq!(explain(home.path(), &["--aws"], &double).0, 2);
}
