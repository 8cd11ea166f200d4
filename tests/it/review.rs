//! `xks-console test --review` in a pseudo-terminal.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::pty::Console;

const GOLDEN: &str = "xks-console golden 1\n\n== stores.png\n|Another screen\n";

/// Writes a tape, a golden file with another screen than the tape takes, and a left-over golden file.
fn write_tape() -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let tape = "Wait+Screen /External key stores \\(4\\)/\nScreenshot stores.png\n";
    std::fs::write(directory.path().join("stores.tape"), tape).unwrap();
    let golden = directory.path().join("stores.80x24.golden");
    let left_over = directory.path().join("gone.80x24.golden");
    for path in [&golden, &left_over] {
        std::fs::write(path, GOLDEN).unwrap();
    }
    (directory, golden, left_over)
}

fn test(directory: &TempDir, options: &[&str]) -> Console {
    let arguments = [&["test", "--trace", "trace", "."], options].concat();
    Console::run(&arguments, directory.path(), (80, 24), &[])
}

#[test]
fn accepted_screens_pass_the_next_test() {
    let (directory, golden, left_over) = write_tape();
    let mut console = test(&directory, &["--review"]);
    console.wait_for("Item 1 of 2");
    console.wait_for("   1 - Another screen");
    console.send("\t");
    console.wait_for("External key stores (4)");
    console.send("a");
    console.wait_for("accept to remove this file");
    console.send("a");
    let (code, output) = console.wait_for_exit();
    assert!(output.contains("1 screen accepted, 1 golden file removed, 0 rejected, 0 undecided"), "{output}");
    assert_eq!(code, 0, "{output}");
    assert!(std::fs::read_to_string(golden).unwrap().contains("External key stores (4)"));
    assert!(!left_over.exists());
    let (code, output) = test(&directory, &[]).wait_for_exit();
    assert_eq!(code, 0, "{output}");
}

#[test]
fn canceled_review_writes_nothing() {
    let (directory, golden, left_over) = write_tape();
    let mut console = test(&directory, &["--review"]);
    console.wait_for("Item 1 of 2");
    console.send("a");
    console.wait_for("Item 2 of 2");
    console.send("\x03");
    let (code, output) = console.wait_for_exit();
    assert!(output.contains("the review was canceled; no golden files were changed"), "{output}");
    assert_eq!(code, 1, "{output}");
    assert_eq!(std::fs::read_to_string(golden).unwrap(), GOLDEN);
    assert!(left_over.exists());
}

#[test]
fn finished_review_keeps_the_decisions_so_far() {
    let (directory, golden, left_over) = write_tape();
    let mut console = test(&directory, &["--review"]);
    console.wait_for("Item 1 of 2");
    console.send("a");
    console.wait_for("Item 2 of 2");
    console.send("q");
    let (code, output) = console.wait_for_exit();
    assert!(output.contains("1 screen accepted, 0 rejected, 1 undecided"), "{output}");
    assert_eq!(code, 1, "{output}");
    assert_ne!(std::fs::read_to_string(golden).unwrap(), GOLDEN);
    assert!(left_over.exists());
}

#[test]
fn review_needs_a_terminal() {
    let (directory, golden, _) = write_tape();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(["test", "--review", "--trace", "trace", "."]).current_dir(directory.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let (report, message) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(report.contains("1 - |Another screen"), "{report}");
    assert!(message.contains("--review") && message.contains("needs a terminal"), "{message}");
    assert_eq!(std::fs::read_to_string(golden).unwrap(), GOLDEN);
}
