//! `create-key` in a terminal, with standard output redirected to a pipe.

use std::path::Path;

use serde_json::Value;

use crate::pty::Console;

const OPTIONS: &str =
    "--custom-key-store-id 'Frankfurt HSM' --xks-key-id payments-2026 --alias payments --tag team=payments";

/// Runs a shell script in a terminal. In the script, `create_key` runs the command.
fn shell(dir: &Path, script: &str) -> Console {
    let data_dir = dir.join("aws");
    let define = format!("create_key() {{ \"$XKS\" create-key --data-dir '{}' \"$@\"; }}\n", data_dir.display());
    let environment = [("DIR", dir.to_str().unwrap())];
    Console::shell(&(define + script), dir, &environment)
}

/// Goes through all steps of the prefilled wizard and chooses Finish.
fn complete_wizard(console: &mut Console) {
    console.wait_for("I understand");
    console.send(" \x0e");
    console.wait_for("◉ Frankfurt HSM");
    console.send("\x0e");
    console.wait_for("Add alias");
    for title in ["Add tags", "administrative permissions", "usage permissions", "Edit key policy", "● 8 Review"] {
        console.send("\x0e");
        console.wait_for(title);
    }
    console.send("\x0e");
}

fn read_key(dir: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(dir.join("out")).unwrap()).unwrap()
}

#[test]
fn wizard_is_prefilled_and_the_key_is_written_to_the_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("(create_key {OPTIONS}; echo $? > $DIR/code) | cat > $DIR/out");
    let mut console = shell(dir.path(), &script);
    complete_wizard(&mut console);
    let (_, written) = console.wait_for_exit();
    assert_eq!(std::fs::read_to_string(dir.path().join("code")).unwrap(), "0\n", "{written}");
    let key = read_key(dir.path());
    assert_eq!(key["KeyMetadata"]["XksKeyConfiguration"]["Id"], "payments-2026");
    assert!(written.rfind("\x1b[?1049l") > written.rfind("\x1b[?1049h"), "{written:?}");
    assert!(!written.contains("KeyMetadata"), "{written:?}");
}

#[test]
fn wizard_uses_the_controlling_terminal_when_all_streams_are_redirected() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = shell(dir.path(), &format!("create_key {OPTIONS} < /dev/null 2> $DIR/err | cat > $DIR/out"));
    complete_wizard(&mut console);
    console.wait_for_exit();
    assert_eq!(std::fs::read_to_string(dir.path().join("err")).unwrap(), "");
    assert_eq!(read_key(dir.path())["KeyMetadata"]["Enabled"], true);
}

#[test]
fn leaving_the_wizard_prints_nothing_and_keeps_one_draft() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = shell(dir.path(), "create_key --alias payments > $DIR/out; echo $? > $DIR/code");
    console.wait_for("I understand");
    console.send("\x1b");
    let (_, written) = console.wait_for_exit();
    assert!(written.contains("saved as a draft"), "{written}");
    assert_eq!(std::fs::read_to_string(dir.path().join("code")).unwrap(), "3\n");
    assert_eq!(std::fs::read_to_string(dir.path().join("out")).unwrap(), "");
    let drafts = std::fs::read_dir(dir.path().join("state/xks-console/drafts")).unwrap();
    assert_eq!(
        drafts.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "json")).count(),
        1
    );
}

#[test]
fn draft_that_cannot_be_saved_is_not_reported_as_saved() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state"), "not a directory").unwrap();
    let mut console = shell(dir.path(), "create_key --alias payments > $DIR/out; echo $? > $DIR/code");
    console.wait_for("Couldn't save draft");
    console.send("\x03");
    console.wait_for("Discard");
    console.send("\t\r");
    let (_, written) = console.wait_for_exit();
    assert!(written.contains("No key was created, and your entries couldn't be saved: "), "{written}");
    assert_eq!(std::fs::read_to_string(dir.path().join("code")).unwrap(), "3\n");
}

#[test]
fn invalid_option_values_are_shown_in_their_steps() {
    let dir = tempfile::tempdir().unwrap();
    let script = "create_key --custom-key-store-id Oslo --xks-key-id 'a b' --alias customer-db --tag aws:x=1 | cat";
    let mut console = shell(dir.path(), script);
    console.wait_for("no external key store has the ID or name \"Oslo\"");
    for mark in ["▲ 2 External key", "▲ 3 Alias, description", "▲ 4 Tags"] {
        console.wait_for(mark);
    }
    console.send("\x1b3");
    console.wait_for("already exists in this Region");
    console.send("\x1b4");
    console.wait_for("aws:");
    console.kill();
}

#[test]
fn without_a_terminal_the_error_suggests_the_yes_option() {
    // A new session has no terminal.
    let output = std::process::Command::new("setsid")
        .args(["-w", env!("CARGO_BIN_EXE_xks-console"), "create-key", "--alias", "a"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("terminal") && stderr.contains("--yes"), "{stderr}");
    assert!(output.stdout.is_empty());
}
