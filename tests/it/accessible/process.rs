//! The program in accessible mode, with pipes instead of a terminal.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::{METHOD_1, is_plain};

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(arguments).current_dir(home).env_clear().env("HOME", home).env("TERM", "dumb");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(mut child: Child, input: &str) -> Output {
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn assert_plain(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.chars().all(is_plain), "{text:?}");
    assert!(!bytes.contains(&0x1b) && bytes.iter().all(|byte| *byte >= 0x20 || *byte == b'\n'), "{text:?}");
}

#[test]
fn piped_answers_create_a_key_with_plain_output() {
    let home = tempfile::tempdir().unwrap();
    let child = command(home.path(), &[]).env("ACCESSIBLE", "1").spawn().unwrap();
    let output = output(child, &format!("3\n4\n5\nzurich\n\n{METHOD_1}1\n6\npayments\n8\n"));
    assert_plain(&output.stdout);
    assert_plain(&output.stderr);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Your AWS KMS key was created with alias payments and key ID "), "{text}");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn input_that_ends_in_the_wizard_exits_with_code_3() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["--accessible", "--data-dir", "account"];
    let first = output(command(home.path(), &arguments).spawn().unwrap(), "1\nFrankfurt HSM\n\npayments-2026\n");
    assert_eq!(first.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&first.stdout).contains("What you entered is saved as a draft"));
    let next = output(command(home.path(), &arguments).spawn().unwrap(), "");
    assert_eq!(next.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&next.stdout).contains("You have 1 draft: payments-2026. Choose 7 to resume."));
}

#[test]
fn created_key_is_the_only_standard_output_of_create_key() {
    let home = tempfile::tempdir().unwrap();
    let arguments = [
        "create-key",
        "--accessible",
        "--custom-key-store-id",
        "Frankfurt HSM",
        "--xks-key-id",
        "payments-2026",
        "--alias",
        "payments",
    ];
    let created = output(command(home.path(), &arguments).spawn().unwrap(), "\n\n\nyes\nreview\n1\n");
    let (json, dialog) = (&created.stdout, String::from_utf8(created.stderr).unwrap());
    let key: serde_json::Value = serde_json::from_slice(json).unwrap_or_else(|error| panic!("{error}: {dialog}"));
    assert_eq!(key["KeyMetadata"]["XksKeyConfiguration"]["Id"], "payments-2026");
    assert_eq!(created.status.code(), Some(0));
    assert_plain(json);
    assert_plain(dialog.as_bytes());
    // Without answers, no key is created.
    let canceled = output(command(home.path(), &["create-key", "--accessible"]).spawn().unwrap(), "\n");
    assert_eq!((canceled.status.code(), canceled.stdout.as_slice()), (Some(3), &b""[..]));
}

#[test]
fn key_of_open_is_shown_before_the_menu() {
    let home = tempfile::tempdir().unwrap();
    let child = command(home.path(), &["open", "customer-db", "--accessible"]).spawn().unwrap();
    let text = String::from_utf8(output(child, "8\n").stdout).unwrap();
    let (before, _) = text.split_once("Main menu").unwrap();
    assert!(before.contains("Alias: customer-db\n") && before.contains("External key ID: customer-db\n"), "{text}");
}

#[test]
fn draft_is_kept_when_a_signal_ends_the_program() {
    let home = tempfile::tempdir().unwrap();
    let mut child = command(home.path(), &["--accessible"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1\nFrankfurt HSM\n\npayments-2026\n").unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut seen = String::new();
    // The external key ID is saved before the next question.
    while !seen.contains("I understand") {
        assert_ne!(stdout.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    let mut question = [0; 10];
    stdout.read_exact(&mut question).unwrap();
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("What you entered is saved as a draft."));
    let next = output(command(home.path(), &["--accessible"]).spawn().unwrap(), "");
    assert!(String::from_utf8_lossy(&next.stdout).contains("You have 1 draft: payments-2026."));
}

#[test]
fn accessible_variable_is_off_if_it_is_empty_or_0() {
    let home = tempfile::tempdir().unwrap();
    for value in ["", "0"] {
        let child = command(home.path(), &[]).env("ACCESSIBLE", value).spawn().unwrap();
        let refused = output(child, "8\n");
        assert_eq!(refused.status.code(), Some(2), "{value:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("needs a terminal"));
    }
}
