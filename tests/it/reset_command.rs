//! `xks-console reset` and `--ephemeral` as processes.

use std::path::Path;
use std::process::{Command, Stdio};

use super::pty::Console;
use xks_console::bundled::BundledAws;

pub fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
        command.env_remove(name);
    }
    let output = command.current_dir(home).env("HOME", home).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

pub fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn reset_creates_a_new_account_and_leaves_other_files() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("d");
    let (code, first, _) = run(home.path(), &["list-stores", "--data-dir", "d", "--json"]);
    assert_eq!(code, 0);
    std::fs::write(dir.join("notes.txt"), "mine").unwrap();
    std::fs::write(dir.join("credentials"), "old").unwrap();

    let (code, _, message) = run(home.path(), &["reset", "--data-dir", "d"]);
    assert_eq!(code, 2);
    assert!(message.contains("add --yes"), "{message}");
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d", "--json"]).1, first);

    let (code, out, message) = run(home.path(), &["reset", "--yes", "--data-dir", "d", "--scenario", "empty"]);
    assert_eq!((code, out.as_str()), (0, ""), "{message}");
    assert!(message.contains("Deleted the account in d, and created a new one"), "{message}");
    assert_ne!(run(home.path(), &["list-stores", "--data-dir", "d", "--json"]).1, first);
    let left = files(&dir);
    assert!(left.contains(&"notes.txt".to_owned()) && !left.contains(&"credentials".to_owned()), "{left:?}");
}

#[test]
fn reset_refuses_an_account_that_is_open_and_a_directory_without_one() {
    let home = tempfile::tempdir().unwrap();
    let open = BundledAws::open(&home.path().join("d"), None).unwrap();
    let (code, _, message) = run(home.path(), &["reset", "--yes", "--data-dir", "d"]);
    assert_eq!(code, 1);
    assert!(message.contains("another program uses the account in d"), "{message}");
    drop(open);
    assert_eq!(run(home.path(), &["reset", "--yes", "--data-dir", "d"]).0, 0);
    let (code, _, message) = run(home.path(), &["reset", "--yes", "--data-dir", "other"]);
    assert_eq!(code, 1);
    assert!(message.contains("other contains no account"), "{message}");
    assert!(files(&home.path().join("other")).is_empty());
}

#[test]
fn reset_with_a_mistake_keeps_the_account() {
    let home = tempfile::tempdir().unwrap();
    let (_, before, _) = run(home.path(), &["list-stores", "--data-dir", "d", "--json"]);
    std::fs::write(home.path().join("bad.toml"), "extends = 1").unwrap();
    for option in [["--scenario", "trainig"], ["--scenario", "bad.toml"], ["--proxy-ca", "missing.pem"]] {
        let (code, _, message) = run(home.path(), &[&["reset", "--yes", "--data-dir", "d"][..], &option].concat());
        assert_eq!(code, 1, "{option:?} {message}");
        assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d", "--json"]).1, before, "{option:?}");
    }
}

#[test]
fn reset_asks_on_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d"]).0, 0);
    for (answer, code, text) in [("n\r", 3, "Nothing was deleted"), ("y\r", 0, "created a new one")] {
        let mut console = Console::run(&["reset", "--data-dir", "d"], home.path(), (100, 24), &[]);
        console.wait_for_wrapped("is lost. [y/N]");
        console.send(answer);
        console.wait_for(text);
        assert_eq!(console.wait_for_exit().0, code);
    }
}

#[test]
fn ephemeral_account_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, notes) = run(home.path(), &["--ephemeral", "list-keys", "--scenario", "training", "--json"]);
    assert_eq!((code, notes.as_str()), (0, ""));
    assert!(out.contains("alias/customer-db"), "{out}");
    let script = "printenv AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE";
    let arguments =
        ["--ephemeral", "serve", "--access-key-id", "test", "--secret-access-key", "secret", "--", "sh", "-c"];
    let (_, out, notes) = run(home.path(), &[&arguments[..], &[script]].concat());
    assert_eq!(out, "test\nsecret\n", "{notes}");
    let mut console = Console::run(&["--ephemeral"], home.path(), (80, 24), &[]);
    console.wait_for("Frankfurt HSM");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
    assert_eq!(files(home.path()), [""; 0]);
}

#[test]
fn served_ephemeral_account_accepts_its_fixed_access_key() {
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_xks-console");
    let script = format!("{program} list-stores --endpoint-url \"$AWS_ENDPOINT_URL\" --json");
    let arguments =
        ["--ephemeral", "serve", "--access-key-id", "test", "--secret-access-key", "test", "--", "sh", "-c"];
    let (code, out, notes) = run(home.path(), &[&arguments[..], &[&script]].concat());
    assert_eq!(code, 0, "{notes}");
    assert!(out.contains("Frankfurt HSM"), "{out}");
}

#[test]
fn ephemeral_is_refused_where_it_has_no_meaning() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["--ephemeral", "clock", "+7d"][..], "--ephemeral can be used only with"),
        (&["--ephemeral", "--data-dir", "d"], "can't be used with --data-dir"),
        (&["--ephemeral", "serve", "--detach"], "can't be used with --detach"),
        (&["--ephemeral", "--aws"], "cannot be used with"),
        (&["serve", "--access-key-id", "test", "--secret-access-key", "test"], "only with --ephemeral"),
        (&["--ephemeral", "serve", "--access-key-id", "test"], "--secret-access-key"),
        (&["--ephemeral", "serve", "--access-key-id", "a b", "--secret-access-key", "test"], "isn't an access key ID"),
    ] {
        let (code, _, message) = run(home.path(), arguments);
        assert_eq!(code, 2, "{arguments:?} {message}");
        assert!(message.contains(part), "{arguments:?} {message}");
    }
    let (_, _, message) =
        run(home.path(), &["--ephemeral", "serve", "--access-key-id", "test", "--secret-access-key", "my secret"]);
    assert!(message.contains("isn't a secret access key") && !message.contains("my secret"), "{message}");
    assert_eq!(files(home.path()), [""; 0]);
}
