//! Lessons: the tape of each lesson finishes it, and each step leaves something to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use xks_console::flow::player::{Player, PlayerSettings};
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};
use xks_console::lessons;
use xks_console::lessons::progress::Progress;

use crate::pty::Console;

/// A lesson whose only goal is that an external key is disabled.
const DISABLE: &str = "title = \"Disable\"\nsummary = \"S\"\nminutes = 1\n[[step]]\ntitle = \"A\"\ntext = \"B\"\ngoals = [{ \
                       text = \"It is disabled\", expect = 'xks-console:ListExternalKeys .Partitions[.Name == \
                       \"frankfurt\"].Keys[.Id == \"payments-2026\"].Enabled == false' }]\n";

/// Runs the program in `dir`, which is also its home, and returns the exit code and both outputs.
fn run(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
    command.args(arguments).current_dir(dir).env("HOME", dir);
    command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn tape_of(lesson: &str) -> Tape {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tapes/lessons").join(format!("{lesson}.tape"));
    let tape = Tape::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let played = tape.header().lesson.as_ref().map(|lesson| lesson.name.as_str());
    assert_eq!(played, Some(lesson), "the tape {} plays its lesson", path.display());
    tape
}

/// Plays a tape, and returns the progress of its lesson.
fn play(tape: &Tape) -> Progress {
    let mut player = Player::start_with(PlayerSettings::for_tape(tape, tape.sizes()[0])).unwrap();
    tape::play(tape, &mut player, &mut |_, _| Ok(())).unwrap_or_else(|error| panic!("{error}"));
    player.lesson().unwrap().clone()
}

#[test]
fn tape_of_each_lesson_finishes_it() {
    for name in lessons::names() {
        let progress = play(&tape_of(name));
        assert!(progress.is_finished(), "{name}: {progress:#?}");
    }
}

#[test]
fn each_step_of_each_lesson_begins_with_something_left_to_do() {
    for name in lessons::names() {
        let (tape, lesson) = (tape_of(name), lessons::built_in(name).unwrap());
        for step in 1..=lesson.steps.len() {
            let progress = play(&tape.before_lesson_step(step));
            assert_eq!(progress.steps.len(), step, "{name}: the tape has a part for step {step} and begins it there");
            assert_eq!(progress.steps[step - 1].done, None, "{name}: step {step} is done when it begins");
            assert!(progress.steps[..step - 1].iter().all(|step| step.done.is_some()), "{name}: {progress:#?}");
        }
    }
}

#[test]
fn goals_are_checked_without_a_trace_in_the_event_history_or_the_api_calls() {
    let lesson = "title = \"T\"\nsummary = \"S\"\nminutes = 1\n[[step]]\ntitle = \"A\"\ntext = \"B\"\ngoals = [{ text = \"G\", \
                  expect = 'kms:ListKeyPolicies {\"KeyId\": \"${key}\"} .PolicyNames | length == 9' }]\n[step.let]\n\
                  key = 'kms:DescribeKey {\"KeyId\": \"alias/customer-db\"} .KeyMetadata.KeyId'\n";
    let tape = "#: lesson lesson.toml\n#: lesson-step 1\n#: key F7\nDown\nEnter\nWait+Screen /General configuration/\n\
                #: expect calls kms:DescribeKey 8\n#: expect calls kms:ListKeyPolicies 0\n\
                #: expect cloudtrail:LookupEvents .Events[.EventName == \"DescribeKey\"] exists\n\
                #: expect cloudtrail:LookupEvents .Events[.EventName == \"ListKeyPolicies\"] absent\n";
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lesson.toml"), lesson).unwrap();
    std::fs::write(dir.path().join("t.tape"), tape).unwrap();
    let progress = play(&Tape::read(&dir.path().join("t.tape")).unwrap());
    assert_eq!((progress.steps.len(), progress.done_count()), (1, 0));
    // The tape of a lesson fails if a step is done when its part begins.
    std::fs::write(dir.path().join("lesson.toml"), lesson.replace("== 9", ">= 0")).unwrap();
    let tape = Tape::read(&dir.path().join("t.tape")).unwrap();
    let mut player = Player::start_with(PlayerSettings::for_tape(&tape, (80, 24))).unwrap();
    let error = tape::play(&tape, &mut player, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("step 1 of the lesson is done when its part begins"), "{error}");
}

#[test]
fn change_by_another_process_finishes_a_step_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("disable.toml"), DISABLE).unwrap();
    let data_dir = dir.path().join("data");
    let data = data_dir.to_str().unwrap();
    let mut console = Console::run(&["learn", "disable.toml", "--data-dir", data], dir.path(), (80, 24), &[]);
    console.wait_for("To do  It is disabled");
    let lesson = std::fs::read_dir(data_dir.join("lessons")).unwrap().next().unwrap().unwrap().path();
    assert!(lesson.file_name().unwrap().to_str().unwrap().starts_with("disable-"), "{}", lesson.display());
    let (code, _, notes) = run(dir.path(), &["learn", "disable.toml", "--reset", "--data-dir", data]);
    assert!(code == Some(1) && notes.contains("is open in another terminal"), "{notes}");

    let account = lesson.join("account");
    let key = ["--partition", "frankfurt", "--id", "payments-2026"];
    let disable =
        [["proxy", "disable-key"], ["--data-dir", account.to_str().unwrap()], [key[0], key[1]], [key[2], key[3]]]
            .concat();
    assert_eq!(run(dir.path(), &disable).0, Some(0));
    console.wait_for("Lesson finished");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);

    let (_, report, _) = run(dir.path(), &["learn", "report", "--json", "--data-dir", data]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let lessons = report["lessons"].as_array().unwrap();
    let finished: Vec<&Value> = lessons.iter().filter(|lesson| lesson["isFinished"] == true).collect();
    assert_eq!((finished.len(), &finished[0]["title"]), (1, &Value::from("Disable")), "{report:#}");
    assert!(finished[0]["steps"][0]["done"].is_string() && lessons[0]["steps"].as_array().unwrap().is_empty());
    let (_, text, _) = run(dir.path(), &["learn", "report", "--data-dir", data]);
    assert!(text.contains("disable.toml: ✓ Finished\n  1. A: ✓ Done 20"), "{text}");

    let (code, out, _) = run(dir.path(), &["learn", "disable.toml", "--reset", "--data-dir", data]);
    assert!(code == Some(0) && out.contains("xks-console learn disable.toml"), "{out}");
    let (_, list, _) = run(dir.path(), &["learn", "--data-dir", data]);
    assert!(list.contains("first-key ") && list.contains("◌ Not started") && !list.contains("disable.toml"), "{list}");
}

#[test]
fn trainer_starts_from_the_template_and_checks_a_lesson() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = run(dir.path(), &["learn", "new", "mine"]);
    assert!(code == Some(0) && out.contains("xks-console learn check mine.toml"), "{out}");
    assert_eq!(run(dir.path(), &["learn", "new", "mine.toml"]).0, Some(1), "an existing file is kept");
    let (code, out, _) = run(dir.path(), &["learn", "check", "mine.toml"]);
    assert_eq!((code, out.as_str()), (Some(0), "mine.toml: ok\n"));

    std::fs::write(dir.path().join("met.toml"), DISABLE.replace("== false", "== true")).unwrap();
    let (code, out, notes) = run(dir.path(), &["learn", "check", "met.toml"]);
    assert!(code == Some(1) && out.is_empty() && notes.contains("step 1: all goals are met"), "{notes}");
    std::fs::write(dir.path().join("typo.toml"), DISABLE.replace("ListExternalKeys", "ListExternalKey")).unwrap();
    let (code, _, notes) = run(dir.path(), &["learn", "check", "met.toml", "typo.toml"]);
    let place = "xks-console: typo.toml:7:47: `xks-console:ListExternalKey` is not an operation";
    assert!(code == Some(2) && notes.contains(place) && notes.contains("did you mean"), "{notes}");
    let (code, _, notes) = run(dir.path(), &["learn", "first-kay"]);
    assert!(code == Some(2) && notes.contains("did you mean first-key?"), "{notes}");
}

#[test]
fn lesson_of_the_manual_has_no_problems() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/reference/lessons.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let (_, rest) = manual.split_once("```toml\n").unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("manual.toml"), rest.split("```").next().unwrap()).unwrap();
    let (code, out, notes) = run(dir.path(), &["learn", "check", "manual.toml"]);
    assert_eq!((code, out.as_str()), (Some(0), "manual.toml: ok\n"), "{notes}");
}
