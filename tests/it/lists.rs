//! `xks-console list-keys`, `show-key`, and `list-stores` as processes: formats, filters, and exit codes.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::pty::Console;

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(arguments).current_dir(home).env("HOME", home).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
        command.env_remove(name);
    }
    command
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = command(home, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn json(home: &Path, arguments: &[&str]) -> Value {
    let (code, out, notes) = run(home, &[arguments, &["--json"]].concat());
    assert_eq!((code, notes.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

/// Returns the shell command that runs `command` of the program on the AWS of `serve`.
fn on_served_aws(command: &str) -> String {
    format!("{} {command} --endpoint-url \"$AWS_ENDPOINT_URL\"", env!("CARGO_BIN_EXE_xks-console"))
}

fn aliases(home: &Path, filters: &[&str]) -> Vec<String> {
    let keys = json(home, &[&["list-keys"], filters].concat());
    let keys = keys["keys"].as_array().unwrap();
    keys.iter().map(|key| key["aliases"][0].as_str().unwrap_or("none").replace("alias/", "")).collect()
}

#[test]
fn filters_of_list_keys_have_the_meaning_of_the_search_in_the_console() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let all = ["none", "app-logs", "ci-artifacts", "customer-db", "eu-analytics", "s3-default-bucket"];
    assert_eq!(aliases(home, &[]), all);
    assert_eq!(aliases(home, &["--store", "Frankfurt HSM"]), ["customer-db"]);
    assert_eq!(aliases(home, &["--origin", "external-key-store"]), ["customer-db", "eu-analytics"]);
    assert_eq!(aliases(home, &["--origin", "external-key-store", "--origin", "aws-kms", "--status", "Enabled"]), all);
    assert_eq!(aliases(home, &["--status", "disabled", "--status", "pending-deletion"]), [""; 0]);
    assert_eq!(aliases(home, &["--search", "desc:CUSTOMER"]), ["customer-db"]);
    assert_eq!(aliases(home, &["--search", "tag:team=data"]), ["customer-db", "eu-analytics"]);
    assert_eq!(aliases(home, &["--search", "tag:team=data frankfurt"]), ["customer-db"]);
    assert_eq!(aliases(home, &["--search", "s3-media"]), ["s3-default-bucket"], "every alias is found");
    assert_eq!(aliases(home, &["--aws-managed"]), ["aws/ebs", "aws/s3"]);
}

#[test]
fn json_has_everything_that_the_pages_show() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let shown = &json(home, &["show-key", "customer-db"])["key"];
    let listed = &json(home, &["list-keys", "--search", "alias:customer-db"])["keys"][0];
    let details = ["policy", "tags", "externalKey"];
    let members: Vec<&String> =
        shown.as_object().unwrap().keys().filter(|name| !details.contains(&name.as_str())).collect();
    assert_eq!(members, listed.as_object().unwrap().keys().collect::<Vec<_>>());
    assert!(members.iter().all(|name| shown[*name] == listed[*name]), "{shown}");
    let store = &json(home, &["list-stores", "--search", "frankfurt"])["keyStores"][0];
    assert_eq!(store["customKeyStoreName"], "Frankfurt HSM");
    assert_eq!(store["xksProxyConfiguration"]["uriPath"], "/frankfurt/kms/xks/v1");
    assert_eq!(shown["customKeyStoreId"], store["customKeyStoreId"]);
    assert_eq!(shown["xksKeyId"], "customer-db");
    assert_eq!(shown["keyState"], "Enabled");
    assert_eq!(shown["creationDate"], "2025-04-02T08:00:00Z");
    assert_eq!(shown["deletionDate"], Value::Null);
    assert_eq!(shown["policy"]["Version"], "2012-10-17");
    assert_eq!(shown["tags"][1], json!({ "tagKey": "team", "tagValue": "data" }));
    let external = json!({ "keyStatus": "ENABLED", "keyUsage": ["ENCRYPT", "DECRYPT"], "keySpec": "AES_256" });
    assert_eq!(shown["externalKey"], external);
}

#[test]
fn tables_are_complete_when_they_are_not_for_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (_, table, notes) = run(home, &["list-keys"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines.len(), notes.as_str()), (7, ""), "{table}");
    assert!(lines[0].starts_with("ALIASES ") && lines[0].ends_with("CREATION DATE"), "{table}");
    let column = lines[0].find("STATUS").unwrap();
    assert!(lines[1..].iter().all(|line| line[column..].starts_with("Enabled ")), "{table}");
    assert!(!table.contains(['\t', '\u{1b}', '…']), "{table}");
    for (command, rows) in [("list-keys", 6), ("list-stores", 4)] {
        let (_, text, _) = run(home, &[command, "--csv"]);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let width = csv.headers().unwrap().len();
        assert_eq!(csv.records().map(Result::unwrap).filter(|row| row.len() == width).count(), rows, "{text}");
        let (_, markdown, _) = run(home, &[command, "--markdown"]);
        assert_eq!(markdown.lines().count(), rows + 2, "{markdown}");
        assert!(markdown.lines().all(|line| line.matches('|').count() == width + 1), "{markdown}");
    }
    let (_, key, _) = run(home, &["show-key", "customer-db"]);
    for line in
        ["  Status                  Enabled", "  team                    data", "  External key status     ENABLED"]
    {
        assert!(key.lines().any(|other| other == line), "{line}: {key}");
    }
}

#[test]
fn table_fits_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    run(home, &["list-keys"]);
    for size in [(60, 24), (100, 24)] {
        let terminal = Console::run(&["list-keys"], home, size, &[]);
        let (code, text) = terminal.wait_for_exit();
        assert_eq!(code, 0, "{text}");
        let rows = text.split_whitespace().filter(|word| uuid::Uuid::try_parse(word).is_ok()).count();
        assert!(rows == 6 && text.contains("too narrow for these columns"), "{text}");
        assert!(text.contains("customer-db") && !text.contains("2025-04-02"), "{text}");
    }
}

#[test]
fn errors_name_the_thing_and_the_next_step() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (arguments, code, words) in [
        (&["show-key", "nobody"][..], 1, "no KMS key with the ID, ARN, or alias \"nobody\""),
        (&["show-key", "nobody"], 1, "run `xks-console list-keys`"),
        (&["show-key", "Frankfurt HSM"], 1, "`xks-console list-keys --store 'Frankfurt HSM'`"),
        (&["list-keys", "--store", "Rome"], 1, "Specify one of these: Dublin HSM"),
        (&["list-keys", "--status", "gone"], 2, "pending-deletion"),
        (&["list-keys", "--origin", "hsm"], 2, "external-key-store"),
        (&["list-keys", "--search", "zzz"], 0, "None of the 6 customer managed keys in account 111122223333"),
        (&["list-stores", "--search", "zzz"], 0, "None of the 4 external key stores"),
        (&["list-keys", "--csv", "--markdown"], 2, "cannot be used with"),
        (&["list-keys", "--csv", "--json"], 2, "Choose one format"),
        (&["list-keys", "--endpoint-url", "http://127.0.0.1:1", "--region", "us-west-2"], 1, "redentials"),
    ] {
        let (exit_code, out, notes) = run(home, arguments);
        assert!(
            exit_code == code && notes.contains(words) && out.is_empty(),
            "{arguments:?}: {exit_code} {out} {notes}"
        );
    }
}

#[test]
fn lists_of_a_served_aws_are_those_of_the_bundled_aws() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let local = run(home, &["list-keys", "--csv"]).1;
    for region in ["", "--region eu-west-1"] {
        let command = format!("list-keys --csv {region}");
        let (code, served, notes) = run(home, &["serve", "--", "sh", "-c", &on_served_aws(&command)]);
        assert_eq!(code, 0, "{notes}");
        assert_eq!(served == local, region.is_empty(), "{served}");
    }
}

#[test]
fn closed_output_pipe_ends_a_list_silently() {
    let home = tempfile::tempdir().unwrap();
    for arguments in
        [&["list-keys"][..], &["list-stores", "--json"], &["show-key", "customer-db"], &["list-keys", "--csv"]]
    {
        let mut child = command(home.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
    }
}

#[test]
fn part_that_the_caller_may_not_read_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    // This role can describe keys, but not get their policies and tags.
    for format in ["--json", ""] {
        let command = format!("show-key customer-db {format} --profile HsmOperator");
        let (code, key, notes) = run(home, &["serve", "--", "sh", "-c", &on_served_aws(&command)]);
        assert_eq!(code, 1, "{notes}");
        for part in ["Couldn't load the tags", "Couldn't load the key policy", "What to do: Ask an administrator"] {
            assert!(notes.contains(part), "{part}: {notes}");
        }
        assert!(key.contains("Frankfurt HSM"), "{key}");
        if format.is_empty() {
            assert!(key.contains("Tags\n  Not loaded"), "{key}");
        } else {
            let key: Value = serde_json::from_str(&key).unwrap();
            assert!(key["key"]["tags"].is_null() && key["key"]["policy"].is_null(), "{key}");
        }
    }
}

#[test]
fn words_numbers_and_order_are_the_same_in_every_locale() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("file"), "").unwrap();
    let outputs = |arguments: &[&str]| {
        ["en_US.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.UTF-8"].map(|locale| {
            let mut command = command(home, arguments);
            for name in ["LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LC_COLLATE"] {
                command.env(name, locale);
            }
            let output = command.output().unwrap();
            (output.status.code(), output.stdout, output.stderr)
        })
    };
    for (arguments, code) in [
        (&["list-keys"][..], 0),
        (&["list-stores", "--json"], 0),
        (&["show-key", "alias/customer-db"], 0),
        (&["show-key", "alias/CUSTOMER-DB"], 1),
        (&["list-keys", "--data-dir", "file"], 1),
        (&["create-key", "--help"], 0),
    ] {
        let [english, others @ ..] = outputs(arguments);
        assert_eq!(english.0, Some(code), "{arguments:?} {}", String::from_utf8_lossy(&english.2));
        assert!(others.iter().all(|output| *output == english), "{arguments:?}");
    }
}
