//! The commands `test`, `play`, `record`, and `tape` as processes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(directory: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(line.split_whitespace()).current_dir(directory).env_clear().env("HOME", directory);
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn assert_exit(directory: &Path, line: &str, exit_code: i32) -> String {
    let output = run(directory, line);
    assert_eq!(output.status.code(), Some(exit_code), "{line}: {}", text(&output));
    text(&output)
}

#[test]
fn new_tape_can_be_checked_accepted_and_tested() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let shown = assert_exit(at, "tape new open", 0);
    assert!(shown.contains("xks-console test open.tape --accept"), "{shown}");
    assert_exit(at, "tape new open.tape", 1);
    assert_exit(at, "tape check open.tape", 0);
    assert_exit(at, "tape check open.tape --vhs", 0);
    assert_exit(at, "test", 1);
    assert_exit(at, "test --accept", 0);
    assert_exit(at, "test --report report.html --junit report.xml", 0);
    assert!(fs::read_to_string(at.join("report.html")).unwrap().contains("2 passed"));
    assert!(fs::read_to_string(at.join("report.xml")).unwrap().contains("failures=\"0\""));
    let report: serde_json::Value = serde_json::from_slice(&run(at, "test --json").stdout).unwrap();
    assert_eq!(report["passed"], 2);
    assert_exit(at, "test --size 100x30", 1);
}

#[test]
fn errors_name_the_place_and_exit_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("a.tape"), "Enter\n#: expct screen /x/\nHome\nAlt+3\n").unwrap();
    let shown = assert_exit(at, "tape check a.tape", 2);
    assert!(shown.contains("a.tape:2:4: ") && shown.contains("did you mean expect?"), "{shown}");
    let shown = assert_exit(at, "tape check a.tape --vhs", 2);
    assert!(shown.contains("a.tape:3:1: ") && shown.contains("a.tape:4:"), "{shown}");
    let shown = assert_exit(at, "tape check /dev/zero --vhs", 1);
    assert!(shown.contains("not a regular file"), "{shown}");
    assert_exit(at, "test a.tape", 2);
    assert_exit(at, "test none.tape", 2);
    assert_exit(at, "play none.tape", 2);
    // Without a terminal, there is nothing to play on.
    fs::write(at.join("b.tape"), "Enter\n").unwrap();
    let shown = assert_exit(at, "play b.tape", 2);
    assert!(shown.contains("needs a terminal"), "{shown}");
    assert_exit(at, "record c.tape", 2);
    assert!(!at.join("c.tape").exists());
    // A secret from the environment is in no message.
    fs::write(at.join("d.tape"), "#: let s $XKS_TAPE_TEST\nWait+Screen@1s /${s}/\n").unwrap();
    let shown = assert_exit(at, "test d.tape", 2);
    assert!(shown.contains("XKS_TAPE_TEST isn't set"), "{shown}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(["test", "d.tape", "--trace", "traces", "--json"]).current_dir(at).env("XKS_TAPE_TEST", "hunter.2");
    let shown = text(&command.output().unwrap());
    assert!(shown.contains("Wait /${s}/ never matched") && !shown.contains("hunter"), "{shown}");
    let trace = fs::read_to_string(at.join("traces/d-80x24.trace.json")).unwrap();
    assert!(trace.contains("${s}") && !trace.contains("hunter"), "{trace}");
}

#[test]
fn recordings_of_a_tape_are_the_same_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let tape = "#: size 60x20\n#: step \"Open\"\nWait+Screen /Frankfurt HSM/\nDown\nEnter\nWait+Screen /General/\nScreenshot \"a.png\"\n";
    fs::write(at.join("a.tape"), tape).unwrap();
    for (options, extension) in
        [("--cast", "cast"), ("--cast-version 2 --cast", "v2"), ("--svg", "svg"), ("--stage --svg", "stage")]
    {
        let [one, two] = ["1", "2"].map(|number| {
            let file = format!("{number}.{extension}");
            assert_exit(at, &format!("play a.tape {options} {file}"), 0);
            fs::read_to_string(at.join(file)).unwrap()
        });
        assert_eq!(one, two, "{options}");
        assert!(one.contains("Open"), "{options} has no marker");
        assert_eq!(one.contains("111122223333"), extension != "stage", "{options}");
    }
    let shown = assert_exit(at, "play a.tape --pictures p", 0);
    assert!(shown.contains("1 image was written to p"), "{shown}");
    assert_exit(at, "play a.tape --pictures p --check", 0);
    fs::write(at.join("p/a-a-60x20.svg"), "").unwrap();
    assert_exit(at, "play a.tape --pictures p --check", 1);
}
