use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::Decision::{Accepted, Rejected};
use super::*;
use crate::flow::golden::{GoldenFile, Screen, StyleRun, golden_path};
use crate::flow::suite::{Outcome, ScreenResult, TapeResult};
use crate::flow::tape::{TapeLine, screen_text};

fn screen(rows: &[&str], styles: &[(u16, u16, u16, &str)]) -> Screen {
    let run = |(row, first, last, style): &(u16, u16, u16, &str)| StyleRun {
        row: *row,
        first: *first,
        last: *last,
        style: (*style).to_owned(),
    };
    Screen { rows: rows.iter().map(|row| (*row).to_owned()).collect(), styles: styles.iter().map(run).collect() }
}

fn screen_result(name: &str, actual: Screen, expected: Option<Screen>) -> ScreenResult {
    let changes = expected.as_ref().map(|expected| expected.changes(&actual)).unwrap_or_default();
    let place = TapeLine { tape: "flows/key.tape".into(), line: 7, text: format!("Screenshot {name}").into() };
    ScreenResult { name: name.to_owned(), place, actual, expected, changes, problem: None }
}

fn tape_result(tape: PathBuf, size: (u16, u16), outcome: Outcome, screens: Vec<ScreenResult>) -> TapeResult {
    TapeResult {
        tape,
        size,
        outcome,
        screens,
        unreferenced: Vec::new(),
        last_calls: Vec::new(),
        accepted: 0,
        recording: None,
        recording_problem: None,
        duration: Duration::ZERO,
    }
}

/// A report in `directory` with five items: `a.png` differs and `b.png` is missing at 80x24, `a.png` is missing at
/// 120x40, the screen `old.png` is left over at 80x24, and so is a golden file.
fn report(directory: &Path) -> Report {
    let tape = directory.join("key.tape");
    let old = screen(&["Key store", "Name  Frankfurt", "same"], &[(1, 0, 3, "bold")]);
    let new = screen(&["Key store", "Name  Oslo", "same"], &[(1, 0, 3, "bold cyan"), (2, 1, 1, "red")]);
    let tall: Vec<String> = (1..=40).map(|row| format!("row {row}{}end {row}", " ".repeat(105))).collect();
    let tall = screen(&tall.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let left_over = GoldenFile { screens: vec![("x.png".to_owned(), screen(&["left over"], &[(0, 0, 3, "bold")]))] };
    let golden = GoldenFile {
        screens: vec![("a.png".to_owned(), old.clone()), ("old.png".to_owned(), screen(&["no longer taken"], &[]))],
    };
    let unreferenced = directory.join("gone.80x24.golden");
    std::fs::write(&unreferenced, left_over.to_string()).unwrap();
    std::fs::write(golden_path(&tape, (80, 24)), golden.to_string()).unwrap();
    let screens = vec![
        screen_result("a.png", new.clone(), Some(old.clone())),
        screen_result("same.png", old.clone(), Some(old)),
        screen_result("b.png", new.clone(), None),
    ];
    let mut small = tape_result(tape.clone(), (80, 24), Outcome::Differs, screens);
    small.unreferenced = vec!["old.png".to_owned()];
    let large = tape_result(tape, (120, 40), Outcome::Differs, vec![screen_result("a.png", tall, None)]);
    Report { results: vec![small, large], unreferenced: vec![unreferenced], accepted: false, duration: Duration::ZERO }
}

fn press(review: &mut Review, keys: &str) -> ReviewEvent {
    let mut event = ReviewEvent::Handled;
    for key in keys.chars() {
        event = review.handle_key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
    }
    event
}

fn draw_text(review: &Review, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(review, frame)).unwrap();
    screen_text(terminal.backend().buffer())
}

fn decisions(review: &Review) -> Vec<Option<Decision>> {
    review.items().iter().map(|item| item.decision).collect()
}

#[test]
fn items_are_the_screens_and_files_that_are_not_the_expected_ones() {
    let directory = tempfile::tempdir().unwrap();
    let mut report = report(directory.path());
    let failed = Outcome::WaitFailed { message: "no".to_owned() };
    let taken = vec![screen_result("early.png", Screen::default(), None)];
    report.results.push(tape_result("failed.tape".into(), (80, 24), failed, taken));
    let review = Review::new(&report).unwrap();
    let items: Vec<_> = review.items().iter().map(|item| (item.kind, item.name.as_str())).collect();
    let expected = [
        (ItemKind::Differs, "a.png"),
        (ItemKind::Missing, "b.png"),
        (ItemKind::LeftOverScreen, "old.png"),
        (ItemKind::Missing, "a.png"),
        (ItemKind::LeftOverFile, "gone.80x24.golden"),
    ];
    assert_eq!(items, expected);
}

#[test]
fn keys_decide_and_go_to_the_next_undecided_item() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    assert_eq!(press(&mut review, "an"), ReviewEvent::Handled);
    assert_eq!(review.current, 2);
    // After the last item, the review continues with the one that was skipped.
    assert_eq!(press(&mut review, "rar"), ReviewEvent::Handled);
    assert_eq!(review.current, 1);
    assert_eq!(press(&mut review, "p"), ReviewEvent::Handled);
    // A decision can be changed.
    assert_eq!(press(&mut review, "r"), ReviewEvent::Handled);
    assert_eq!(press(&mut review, "a"), ReviewEvent::Finish);
    let expected = [Rejected, Accepted, Rejected, Accepted, Rejected].map(Some);
    assert_eq!(decisions(&review), expected);
}

#[test]
fn rest_of_a_tape_is_accepted_at_all_sizes_without_what_was_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    assert_eq!(press(&mut review, "rA"), ReviewEvent::Handled);
    let expected = [Some(Rejected), Some(Accepted), Some(Accepted), Some(Accepted), None];
    assert_eq!(decisions(&review), expected);
    assert_eq!(review.current, 4);
    assert_eq!(press(&mut review, "A"), ReviewEvent::Finish);
}

#[test]
fn keys_end_the_review_and_go_to_items_and_views() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    let mut key = |code, modifiers| review.handle_key(KeyEvent::new(code, modifiers));
    assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE), ReviewEvent::Finish);
    assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), ReviewEvent::Finish);
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), ReviewEvent::Cancel);
    for code in [KeyCode::Left, KeyCode::Right, KeyCode::Right] {
        assert_eq!(key(code, KeyModifiers::NONE), ReviewEvent::Handled);
    }
    assert_eq!(key(KeyCode::Char('a'), KeyModifiers::CONTROL), ReviewEvent::Handled);
    assert_eq!(review.current, 2);
    assert_eq!(decisions(&review), [None; 5]);
    for view in [View::New, View::Old, View::Diff] {
        review.handle_key(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE));
        assert_eq!(review.view(), view);
    }
    press(&mut review, "2");
    assert_eq!(review.view(), View::Old);
}

#[test]
fn difference_is_shown_by_rows_and_styles_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let review = Review::new(&report(directory.path())).unwrap();
    for size in [(80, 24), (120, 40)] {
        let text = draw_text(&review, size);
        for expected in [
            " Item 1 of 5 · ",
            "key.tape at 80x24 · a.png",
            "Undecided",
            " flows/key.tape:7 · 2 rows differ",
            "─ 1 New ─ 2 Old ─ 3 Diff ─",
            "   2 - Name  Frankfurt\n",
            "   2 + Name  Oslo\n",
            "       Style of columns 1-4: bold cyan, was bold\n",
            "   3   same\n       Style of column 2: red, was default\n",
            " a Accept  r Reject  A Accept tape  ←/→ Item  Tab View  q Finish  Ctrl-C Cancel",
        ] {
            assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
        }
        assert!(!text.contains("Scroll") && !text.contains("Key store"), "{text}");
    }
}

#[test]
fn views_show_the_screens_and_say_so_if_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    for (keys, expected) in [
        ("1", "Name  Oslo"),
        ("2", "Name  Frankfurt"),
        ("n", "Name  Oslo"),
        ("1", "Name  Oslo"),
        ("2", "key.80x24.golden doesn't have the screen b.png."),
        ("n", "no longer taken"),
        ("1", "The tape doesn't take the screen old.png."),
        ("nn", "== x.png\nleft over"),
        ("1", "No tape takes the screens of this golden file."),
    ] {
        press(&mut review, keys);
        // A long path of the directory wraps.
        let unwrapped = |text: &str| text.replace(['\n', ' '], "");
        let text = draw_text(&review, (80, 24));
        assert!(unwrapped(&text).contains(&unwrapped(expected)), "{keys}: {expected:?} is missing:\n{text}");
    }
    assert!(draw_text(&review, (80, 24)).contains("left over: accept to remove this file"));
}

#[test]
fn new_screen_keeps_its_styles() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    press(&mut review, "1");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(&review, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let cell = buffer.content.iter().position(|cell| cell.symbol() == "N" && cell.fg == ratatui::style::Color::Cyan);
    // The first column of the second row of the screen, below three rows.
    assert_eq!(cell.map(|index| buffer.pos_of(index)), Some((0, 4)));
}

#[test]
fn large_screen_scrolls_in_both_directions() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    press(&mut review, "nnn");
    let text = draw_text(&review, (80, 24));
    assert!(text.contains("Rows 1-19 of 40 · Columns 1-80 of "), "{text}");
    assert!(text.contains("↑/↓ Scroll  PgUp/PgDn Page  </> Columns ─"), "{text}");
    assert!(text.contains("row 1\n") && !text.contains("end 1"), "{text}");
    for (code, expected) in [
        (KeyCode::Down, "Rows 2-20 of 40"),
        (KeyCode::End, "Rows 22-40 of 40"),
        (KeyCode::PageUp, "Rows 5-23 of 40"),
        (KeyCode::Home, "Rows 1-19 of 40"),
        (KeyCode::Char('>'), "Columns 9-88 of "),
    ] {
        review.handle_key(KeyEvent::new(code, KeyModifiers::NONE));
        let text = draw_text(&review, (80, 24));
        assert!(text.contains(expected), "{code:?}: {expected:?} is missing:\n{text}");
    }
    for _ in 0..9 {
        review.handle_key(KeyEvent::new(KeyCode::Right, KeyModifiers::SHIFT));
        draw_text(&review, (80, 24));
    }
    let text = draw_text(&review, (80, 24));
    assert!(text.contains("end 1\n") && !text.contains("row 1"), "{text}");
    // All of it fits into a larger terminal.
    let text = draw_text(&review, (130, 46));
    assert!(text.contains("row 40") && text.contains("end 40") && !text.contains("Scroll"), "{text}");
}

#[test]
fn every_item_can_be_drawn_at_every_size() {
    let directory = tempfile::tempdir().unwrap();
    let mut review = Review::new(&report(directory.path())).unwrap();
    for _ in 0..review.items().len() {
        for view in ["1", "2", "3"] {
            press(&mut review, view);
            for size in [(1, 1), (20, 5), (59, 24), (60, 12), (80, 24), (200, 60)] {
                draw_text(&review, size);
            }
        }
        press(&mut review, "n");
    }
    assert!(draw_text(&review, (40, 10)).contains("Enlarge to 60x12. Ctrl-C cancels."));
}

#[test]
fn accepted_screens_are_written_and_the_rest_stays() {
    let directory = tempfile::tempdir().unwrap();
    let report = report(directory.path());
    let small = golden_path(&directory.path().join("key.tape"), (80, 24));
    let names = |path: &Path| {
        let golden = GoldenFile::read(path).unwrap().unwrap();
        golden.screens.iter().map(|(name, screen)| format!("{name} {}", screen.rows[0])).collect::<Vec<_>>()
    };
    let before = std::fs::read_to_string(&small).unwrap();
    let mut review = Review::new(&report).unwrap();
    review.write(&report).unwrap();
    assert_eq!(std::fs::read_to_string(&small).unwrap(), before);
    // Accepts b.png and the left-over file, and rejects that old.png is removed.
    press(&mut review, "nar");
    assert_eq!(review.current, 3);
    press(&mut review, "na");
    review.write(&report).unwrap();
    assert_eq!(names(&small), ["a.png Key store", "b.png Key store", "old.png no longer taken"]);
    let golden = GoldenFile::read(&small).unwrap().unwrap();
    assert_eq!(golden.screen("a.png"), report.results[0].screens[0].expected.as_ref());
    assert!(!report.unreferenced[0].exists());
    assert!(!golden_path(&directory.path().join("key.tape"), (120, 40)).exists());
    let summary = review.summary(&report);
    let words = "1 screen accepted, 1 golden file removed, 1 rejected, 2 undecided";
    assert_eq!(summary.to_string(), words);
    assert!(!summary.is_success());
}

#[test]
fn summary_begins_with_tapes_that_failed_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let mut report = report(directory.path());
    let mut review = Review::new(&report).unwrap();
    assert_eq!(press(&mut review, "AA"), ReviewEvent::Finish);
    review.write(&report).unwrap();
    let summary = review.summary(&report);
    assert_eq!(summary.to_string(), "4 screens accepted, 1 golden file removed, 0 rejected, 0 undecided");
    assert!(summary.is_success());
    let failed = Outcome::WaitFailed { message: "no".to_owned() };
    report.results.push(tape_result("failed.tape".into(), (80, 24), failed, Vec::new()));
    let summary = review.summary(&report);
    let text = summary.to_string();
    assert!(
        text.starts_with(
            "1 tape failed for another reason and can't be accepted; see the report above:\n  \
             failed.tape at 80x24: wait never matched\n4 screens accepted"
        ),
        "{text}"
    );
    assert!(!summary.is_success());
}

#[test]
fn golden_file_without_screens_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let tape = directory.path().join("key.tape");
    let path = golden_path(&tape, (80, 24));
    let golden = GoldenFile { screens: vec![("old.png".to_owned(), screen(&["old"], &[]))] };
    std::fs::write(&path, golden.to_string()).unwrap();
    let mut result = tape_result(tape, (80, 24), Outcome::Differs, Vec::new());
    result.unreferenced = vec!["old.png".to_owned()];
    let report = Report { results: vec![result], unreferenced: Vec::new(), accepted: false, duration: Duration::ZERO };
    let mut review = Review::new(&report).unwrap();
    assert_eq!(press(&mut review, "a"), ReviewEvent::Finish);
    review.write(&report).unwrap();
    assert!(!path.exists());
}
