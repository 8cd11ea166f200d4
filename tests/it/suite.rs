//! Suites of tapes: what is compared, what is reported, and what the exit code is.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use xks_console::bundled::BundledAws;
use xks_console::client::ReadOnly;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::golden::golden_path;
use xks_console::flow::suite::{self, ConsoleKind, Outcome, Report, Suite};
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::in_process;
use xks_console::tui::target::Target;

/// A directory with tapes, and a directory for traces.
struct Tapes(TempDir);

impl Tapes {
    fn new(tapes: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("tapes")).unwrap();
        let tapes_directory = Self(directory);
        tapes.iter().for_each(|(name, text)| fs::write(tapes_directory.path(name), text).unwrap());
        tapes_directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("tapes").join(name)
    }

    fn suite(&self) -> Suite {
        Suite::new([self.0.path().join("tapes")]).tracing_to(Some(self.0.path().join("traces")))
    }

    fn run(&self) -> Report {
        self.suite().run().unwrap()
    }

    fn accept(&self) {
        let report = self.suite().accepting(true).run().unwrap();
        assert_eq!(report.exit_code(), 0, "{report}");
    }
}

const OPEN: &str = "#: size 80x24 120x40\nWait+Screen /External key stores/\nScreenshot \"stores.png\"\n";

#[test]
fn accepted_screens_are_the_same_in_every_later_run() {
    let tapes = Tapes::new(&[("open.tape", OPEN), ("_part.tape", "Down"), ("down.tape", "Source \"_part.tape\"")]);
    let report = tapes.run();
    assert_eq!(report.exit_code(), 1);
    assert!(report.to_string().contains("1 passed, 2 failed, 0 skipped"), "{report}");
    tapes.accept();
    for _ in 0..3 {
        let report = tapes.run();
        assert!(report.passed(), "{report}");
        assert_eq!(report.results.len(), 3);
    }
}

#[test]
fn changed_screen_is_reported_by_its_rows_and_calls_and_leaves_a_recording_and_a_trace() {
    let tapes = Tapes::new(&[("open.tape", OPEN)]);
    tapes.accept();
    let golden = golden_path(&tapes.path("open.tape"), (80, 24));
    let text = fs::read_to_string(&golden).unwrap();
    fs::write(
        &golden,
        text.replace("| External key stores (4)", "| External key stores (5)").replacen(" dim", " red", 1),
    )
    .unwrap();
    let report = tapes.run();
    assert_eq!(report.exit_code(), 1);
    let text = report.to_string();
    for part in [
        "open.tape at 80x24",
        "open.tape:3: the screen stores.png differs from",
        "  3 - | External key stores (5)",
        "  3 + | External key stores (4)",
        "- @2-7 red",
        "+ @2-7 dim",
        "kms:DescribeKey 200",
        "Recording: ",
        "1 passed, 1 failed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let files = report.results[0].recording.clone().unwrap();
    let cast = fs::read_to_string(files.cast).unwrap();
    assert!(cast.starts_with("{\"version\":3,"), "{cast}");
    let trace: Value = serde_json::from_slice(&fs::read(files.trace).unwrap()).unwrap();
    assert_eq!(trace["lines"][0]["command"], "Wait+Screen /External key stores/");
    assert!(trace["lines"][0]["screen"][2].as_str().unwrap().contains("External key stores (4)"));
    assert!(trace["lines"][0]["calls"].as_array().unwrap().len() > 3);
}

#[test]
fn reports_for_machines_and_browsers_say_the_same() {
    let tapes = Tapes::new(&[("a&b.tape", OPEN), ("wrong.tape", "Wait+Screen@1s /<never>/")]);
    let report = tapes.run();
    let json: Value = serde_json::from_str(&suite::json(&report)).unwrap();
    assert_eq!((json["failed"].as_u64(), json["exitCode"].as_u64()), (Some(3), Some(3)));
    assert_eq!(json["tapes"][0]["screens"][0]["status"], "missing");
    let junit = suite::junit(&report).unwrap();
    assert!(junit.contains("<testsuites tests=\"3\" failures=\"3\">"), "{junit}");
    assert!(junit.contains("a&amp;b.tape") && junit.contains("/&lt;never&gt;/ never matched"), "{junit}");
    let html = suite::html(&report);
    assert!(html.contains("<title>3 of 3 tapes failed</title>") && html.contains("a&amp;b.tape"), "{html}");
    assert!(html.contains("The golden file has no such screen.") && html.contains("<svg"), "{html}");
    assert!(html.contains("/&lt;never&gt;/") && !html.contains("<never>"), "{html}");
}

#[test]
fn exit_code_says_what_is_wrong() {
    for (text, exit_code, part) in [
        ("Entr", 2, ":1:1: "),
        ("Type \"${x}\"", 2, "`x` has no value"),
        ("#: let x $XKS_CONSOLE_NO_SUCH_VARIABLE", 2, "isn't set"),
        ("#: let x kms:ListKeys .Keyz", 2, "has no .Keyz"),
        ("#: call kms:DisableKey {\"KeyId\": \"alias/none\"}", 2, "NotFoundException"),
        ("Wait+Screen@2s /never/", 3, "never matched"),
        ("#: expect screen /never/", 1, "the screen doesn't match /never/"),
        ("#: expect no screen /External/", 1, "the screen matches /External/"),
        ("#: expect style \"External key stores\" red", 1, "expected: red"),
        ("#: expect style \"nowhere\" red", 1, "is not on the screen"),
        ("#: expect calls kms:CreateKey 1", 1, "called kms:CreateKey 0 times; expected: 1"),
        ("#: expect kms:ListKeys .Keys | length == 0", 1, "expected: == 0"),
    ] {
        let tapes = Tapes::new(&[("t.tape", text)]);
        let report = tapes.run();
        assert_eq!(report.exit_code(), exit_code, "{text}: {report}");
        assert!(report.to_string().contains(part), "{text}: {report}");
    }
}

#[test]
fn screens_and_golden_files_that_no_tape_takes_fail_until_they_are_accepted() {
    let tapes = Tapes::new(&[("open.tape", OPEN)]);
    tapes.accept();
    fs::write(tapes.path("open.tape"), "#: size 80x24\nWait+Screen /External key stores/\n").unwrap();
    fs::write(tapes.path("gone.80x24.golden"), "xks-console golden 1\n").unwrap();
    // Files of other programs.
    fs::write(tapes.path("output.golden"), "xks-console golden 1\n").unwrap();
    fs::write(tapes.path("page.80x24.golden"), "a page\n").unwrap();
    let report = tapes.run();
    assert_eq!(report.exit_code(), 1);
    assert_eq!(report.results[0].unreferenced, ["stores.png"]);
    let names: Vec<_> = report.unreferenced.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["gone.80x24.golden", "open.120x40.golden"]);
    let report = tapes.suite().accepting(true).run().unwrap();
    assert!(report.to_string().contains("removed    ") && report.exit_code() == 0, "{report}");
    assert!(tapes.run().passed());
    let mut left: Vec<_> = fs::read_dir(tapes.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["open.tape", "output.golden", "page.80x24.golden"]);
}

#[test]
fn masked_text_may_change_and_keeps_its_width() {
    let tapes = Tapes::new(&[("open.tape", &format!("#: mask /cks-[0-9a-f]+/\n{OPEN}"))]);
    tapes.accept();
    let golden = fs::read_to_string(golden_path(&tapes.path("open.tape"), (120, 40))).unwrap();
    assert!(golden.contains(&format!(" {} ", "*".repeat(21))), "{golden}");
}

#[test]
fn faults_variables_calls_and_the_clock_work_together() {
    let tape = "#: world default\n#: clock 2026-01-01T00:00:00Z\n\
        #: let alias \"alias/customer-db\"\n\
        #: let key kms:DescribeKey {\"KeyId\": \"${alias}\"} .KeyMetadata.KeyId\n\
        #: call kms:ScheduleKeyDeletion {\"KeyId\": \"${key}\", \"PendingWindowInDays\": 7}\n\
        #: expect kms:DescribeKey {\"KeyId\": \"${key}\"} .KeyMetadata.KeyState == \"PendingDeletion\"\n\
        #: clock +8d\n\
        #: expect kms:DescribeKey {\"KeyId\": \"${key}\"} fails NotFoundException\n\
        #: fault xks:Encrypt timeout partition dublin 2 times\n\
        #: expect kms:Encrypt {\"KeyId\": \"alias/eu-analytics\", \"Plaintext\": \"aGVsbG8=\"} fails KMSInvalidStateException\n\
        #: expect kms:Encrypt {\"KeyId\": \"alias/eu-analytics\", \"Plaintext\": \"aGVsbG8=\"} .CiphertextBlob exists\n\
        #: fault kms:DescribeCustomKeyStores AccessDeniedException 1 times\n\
        Type \"r\"\nWait+Screen /AccessDenied/\nType \"r\"\nWait+Screen /Frankfurt HSM/\n";
    let tapes = Tapes::new(&[("all.tape", tape)]);
    let report = tapes.run();
    assert!(report.passed(), "{report}");
}

#[test]
fn check_of_a_screen_can_fail_a_tape() {
    let tapes = Tapes::new(&[("open.tape", OPEN)]);
    tapes.accept();
    let suite = tapes.suite().checking(|name, player| match player.frame().area.width {
        80 => Err(format!("{name} is small")),
        _ => Ok(()),
    });
    let report = suite.run().unwrap();
    assert_eq!(report.count(|outcome| *outcome == Outcome::Differs), 1, "{report}");
    assert!(report.to_string().contains("stores.png is small"), "{report}");
}

#[test]
fn paths_without_tapes_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let error = |path: &Path| Suite::new([path]).run().unwrap_err().to_string();
    assert!(error(empty.path()).contains("there are no tapes in"), "{}", error(empty.path()));
    assert!(error(&empty.path().join("none.tape")).contains("none.tape"));
    fs::write(empty.path().join("x.txt"), "").unwrap();
    assert!(error(&empty.path().join("x.txt")).contains("isn't a tape"));
}

#[test]
fn damaged_golden_file_is_named_with_its_line() {
    let tapes = Tapes::new(&[("open.tape", OPEN)]);
    let golden = golden_path(&tapes.path("open.tape"), (80, 24));
    fs::write(&golden, "<<<<<<< HEAD\n").unwrap();
    let report = tapes.run();
    assert_eq!(report.exit_code(), 2, "{report}");
    assert!(report.to_string().contains("open.80x24.golden:1: this isn't a golden file"), "{report}");
    tapes.accept();
    assert!(tapes.run().passed());
}

/// Returns a console on an account that exists already, with its own IDs and a real clock.
fn existing_account(read_only: ReadOnly) -> ConsoleKind {
    let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
    let client = in_process::client(&aws, Clock::System).with_read_only(read_only);
    ConsoleKind::Remote { client, target: Target::Bundled }
}

#[test]
fn tape_is_played_on_an_existing_account_without_comparing_ids() {
    let tapes = Tapes::new(&[
        ("open.tape", OPEN),
        ("world.tape", "#: world empty\nEnter"),
        ("fault.tape", "#: fault off\nEnter"),
        ("clock.tape", "#: clock +1d\nEnter"),
    ]);
    tapes.accept();
    let report = tapes.suite().on(existing_account(ReadOnly::default())).run().unwrap();
    assert_eq!(report.exit_code(), 0, "{report}");
    let text = report.to_string();
    assert!(text.contains("2 passed, 0 failed, 3 skipped"), "{text}");
    for part in ["it sets a world", "it starts a fault", "it advances the clock"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn failed_tape_is_played_once_on_an_existing_account() {
    let text = "#: call kms:CreateKey {}\n#: expect screen /never/";
    let tapes = Tapes::new(&[("create.tape", text)]);
    let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = || runtime.block_on(client.collect_keys()).unwrap().len();
    let before = keys();
    let console = ConsoleKind::Remote { client: client.clone(), target: Target::Bundled };
    let report = tapes.suite().on(console).run().unwrap();
    assert_eq!((report.exit_code(), keys() - before), (1, 1), "{report}");
    assert!(report.results[0].recording.is_some(), "{report}");
    let error = tapes.suite().on(existing_account(ReadOnly::default())).accepting(true).run().unwrap_err();
    assert!(error.to_string().contains("only with an account in memory"), "{error}");
}

#[test]
fn trace_that_cannot_be_written_is_reported_with_the_failure() {
    let tapes = Tapes::new(&[("fails.tape", "#: expect screen /never/")]);
    fs::write(tapes.0.path().join("traces"), "a file").unwrap();
    let report = tapes.run();
    assert_eq!(report.exit_code(), 1, "{report}");
    assert!(report.to_string().contains("There is no recording: "), "{report}");
}

#[test]
fn suite_of_skipped_tapes_does_not_pass() {
    let tapes = Tapes::new(&[("world.tape", "#: world empty\nEnter")]);
    let report = tapes.suite().on(existing_account(ReadOnly::default())).run().unwrap();
    assert_eq!(report.exit_code(), 2, "{report}");
}

#[test]
fn read_only_console_refuses_the_changes_of_a_tape() {
    let tapes = Tapes::new(&[("call.tape", "#: call kms:DisableKey {\"KeyId\": \"alias/customer-db\"}")]);
    let report = tapes.suite().on(existing_account(ReadOnly::ALL)).run().unwrap();
    assert_eq!(report.exit_code(), 2, "{report}");
    assert!(report.to_string().contains("read-only, so DisableKey was not sent"), "{report}");
}
