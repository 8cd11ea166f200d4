//! `xks-console proxy` as a process: exit codes, prompts, and closed pipes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::pty::Console;

fn proxy_command(data_dir: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.arg("proxy").args(line.split_whitespace()).arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command
}

fn run(data_dir: &Path, line: &str) -> (i32, String, String) {
    let output = proxy_command(data_dir, line).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[test]
fn exit_codes_match_the_help() {
    let dir = tempfile::tempdir().unwrap();
    let key = "--partition oslo --id spare";
    for (line, code, words) in [
        (format!("create-key {key}"), 0, ""),
        (format!("create-key {key}"), 1, "already exists"),
        ("create-key --partition oslo --id a/b".to_owned(), 2, "an ID must have 1 to 128 characters"),
        ("create-partition /red".to_owned(), 2, "the partition name"),
        (format!("set-callers {key} --caller arn:aws:iam::111122223333:role/App"), 0, ""),
        (format!("set-callers {key} --caller Alice"), 2, "enter the ARN of a user"),
        ("create-key --partition oslo --id other --caller arn:aws:iam::1:user/*".to_owned(), 2, "12 digits"),
        ("list-keys --partition nowhere".to_owned(), 1, "\"nowhere\" doesn't exist"),
        ("list-credentials nowhere".to_owned(), 1, "\"nowhere\" doesn't exist"),
        ("log --partition nowhere".to_owned(), 1, "\"nowhere\" doesn't exist"),
        ("rotate-key --partition oslo --id none".to_owned(), 1, "no external key \"none\""),
        (format!("delete-key {key}"), 2, "add --yes"),
        (format!("delete-key {key} --yes"), 0, ""),
        (format!("delete-key {key} --yes"), 1, "no external key \"spare\""),
        ("--json list-keys --partition oslo".to_owned(), 0, ""),
        ("rotate-key --partition oslo --id oslo-vault --json".to_owned(), 2, "--json can be used only with"),
        ("no-such-command".to_owned(), 2, "unrecognized subcommand"),
        ("list-keys --partition oslo --scenario none".to_owned(), 1, "none"),
    ] {
        let dir = if line.contains("--scenario") { &dir.path().join("new") } else { dir.path() };
        let (exit_code, _, notes) = run(dir, &line);
        assert!(exit_code == code && notes.contains(words), "{line}: {exit_code} {notes}");
    }
}

#[test]
fn closed_output_pipe_ends_a_list_silently() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["list-partitions", "list-keys --partition frankfurt", "log", "list-credentials oslo --json"] {
        let mut child = proxy_command(dir.path(), line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let notes: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
        assert_eq!((child.wait().unwrap().code(), notes), (Some(0), Vec::new()), "{line}");
    }
    // The command fails if the credential couldn't be written.
    let mut child = proxy_command(dir.path(), "rotate-credential oslo")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // A closed standard error doesn't change the exit code.
    let mut child = proxy_command(dir.path(), "list-keys --partition nowhere").stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn delete_key_asks_for_confirmation_on_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let delete = "\"$XKS\" proxy delete-key --data-dir d --partition oslo --id oslo-vault; echo \"ended with $?\"";
    for (answer, code, is_kept) in [("n", 3, true), ("y", 0, false)] {
        let script = format!("cd {} && {delete}", dir.path().display());
        let mut terminal = Console::shell(&script, dir.path(), &[]);
        terminal.wait_for("[y/N]");
        assert!(terminal.text().contains("\"oslo-vault\" in partition \"oslo\""), "{}", terminal.text());
        terminal.send(&format!("{answer}\n"));
        terminal.wait_for(&format!("ended with {code}"));
        let (_, keys, _) = run(&dir.path().join("d"), "list-keys --partition oslo");
        assert_eq!(keys.contains("oslo-vault"), is_kept);
    }
}
