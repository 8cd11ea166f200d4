//! Lessons: the tape of each lesson finishes it, and each step leaves something to do.

use std::path::{Path, PathBuf};

use xks_console::flow::player::{Player, PlayerSettings};
use xks_console::flow::tape::{self, Tape};
use xks_console::lessons::progress::Progress;
use xks_console::lessons::{self};

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
    player.lesson().unwrap().progress().clone()
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
