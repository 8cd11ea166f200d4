//! The *API calls* page and the log file of `--log`.

use std::os::unix::fs::PermissionsExt as _;

use super::pty::Console;
use super::snapshots::play_from_start;

/// Fills in a key that AWS will reject, goes to *Review*, and chooses Finish.
const FINISH_REJECTED_KEY: &str = "Wait+Screen /External key stores \\(4\\)/\nDown\nEnter\nWait+Screen /General configuration/\nEnter\n\
    Wait+Screen /Create key/\nType \"no-such-key\"\nTab\nSpace\nCtrl+N\nType \"payments\"\nCtrl+N\nCtrl+N\nCtrl+N\n\
    Ctrl+N\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\nCtrl+N\nWait+Screen /XksKeyNotFoundException/\n";

#[test]
fn api_calls_page_lists_opens_and_copies_calls_and_escape_goes_back() {
    let tape = format!(
        "{FINISH_REJECTED_KEY}#: key F2\nWait+Screen /API calls \\([0-9]+\\)/\nType \"/result:xks\"\nEnter\nScreenshot list.png\nEnter\n\
         Wait+Screen /Request ID +[0-9a-f]{{8}}-/\nScreenshot call.png\nType \"y\"\nWait+Screen /Sent/\nEscape\n\
         Escape\nWait+Screen /kms CreateKey/\nEscape\nWait+Screen /API calls \\(/\nEscape\n\
         Wait+Screen /The KMS key was not created/\n"
    );
    let player = play_from_start("api-calls", &tape);
    let copied: serde_json::Value = serde_json::from_str(player.copied().last().unwrap()).unwrap();
    assert_eq!((&copied["operation"], &copied["attempts"]), (&"CreateKey".into(), &1.into()));
    assert_eq!(copied["errorCode"], "XksKeyNotFoundException");
}

#[test]
fn log_has_one_line_per_call_and_no_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("calls.jsonl");
    let (home, data) = (dir.path(), dir.path().join("data"));
    let arguments = ["--data-dir", data.to_str().unwrap(), "--log", log.to_str().unwrap()];
    let mut console = Console::run(&arguments, home, (80, 24), &[("HOME", home.to_str().unwrap())]);
    console.create_key();
    console.kill();
    let text = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for operation in ["GetCallerIdentity", "DescribeCustomKeyStores", "CreateKey", "CreateAlias"] {
        assert!(
            calls.iter().any(|call| call["operation"] == operation && call["status"] == 200),
            "{operation}: {text}"
        );
    }
    let members = ["time", "service", "operation", "region", "requestId", "durationMilliseconds", "attempts", "status"];
    let is_known = |name: &String| members.contains(&name.as_str()) || name == "errorCode";
    assert!(calls.iter().all(|call| call.as_object().unwrap().keys().all(is_known)), "{text}");
    assert!(!text.contains("payments"), "{text}");
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn unwritable_log_is_an_error_and_full_log_shows_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let (home, data) = (dir.path(), dir.path().join("data"));
    let environment = [("HOME", home.to_str().unwrap())];
    let arguments = ["--data-dir", data.to_str().unwrap(), "--log", "/nowhere/calls.jsonl"];
    let (code, written) = Console::run(&arguments, home, (80, 24), &environment).wait_for_exit();
    assert!(code == 1 && written.contains("the log /nowhere/calls.jsonl: No such file"), "{code} {written}");
    let arguments = ["--data-dir", data.to_str().unwrap(), "--log", "/dev/full"];
    let mut console = Console::run(&arguments, home, (80, 24), &environment);
    console.wait_for("The log is missing API calls");
    console.kill();
}
