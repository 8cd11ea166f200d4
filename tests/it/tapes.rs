//! Flows of the console: the tapes in `tests/tapes`, with their golden files.

use super::mouse::check_clicks;
use super::snapshots::check_keys;
use xks_console::flow::suite::Suite;
use xks_console::flow::tape::Tape;

#[test]
fn tapes_show_the_screens_of_their_golden_files() {
    let suite = Suite::new(["tests/tapes"]).checking(|name, player| {
        check_keys(name, player.app())?;
        check_clicks(name, player)
    });
    let report = suite.run().unwrap();
    assert!(report.passed(), "{report}");
    assert!(report.results.len() > 1, "{report}");
}

#[test]
fn vhs_accepts_every_tape() {
    let mut directories = vec![std::path::PathBuf::from("tests/tapes"), "assets/tapes".into()];
    let mut count = 0;
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "tape") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(Tape::check_vhs(&text), [], "{}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 3, "{count} tapes");
}
