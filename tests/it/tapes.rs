//! Flows of the console: the tapes in `tests/tapes`, with their golden files.

use super::mouse::check_clicks;
use super::snapshots::check_screen;
use xks_console::flow::suite::Suite;
use xks_console::flow::tape::Tape;

#[test]
fn tapes_show_the_screens_of_their_golden_files() {
    let suite = Suite::new(["tests/tapes"]).checking(|name, player| {
        check_screen(name, player.app())?;
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

/// Returns how many keys a tape presses beside the texts that the user chooses. A letter that is a shortcut counts.
fn pressed_keys(tape: &str) -> usize {
    let is_shortcut = |text: &str| text.len() == 1;
    let count = |line: &str| -> usize {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Wait+Screen" | "#" | "#:") if !line.starts_with("#: key") => 0,
            Some("#:") => 1,
            Some("Type") => usize::from(is_shortcut(words.next().unwrap_or_default().trim_matches('"'))),
            Some(_) => words.next().map_or(1, |count| count.parse().unwrap()),
            None => 0,
        }
    };
    tape.lines().map(count).sum()
}

#[test]
fn methods_need_few_keys_without_the_optional_steps() {
    assert_eq!(
        pressed_keys("Tab 2\nType \"n\"\nType \"text\"\n#: key F8\nCtrl+N\nWait+Screen /x y/\n# x\n\n#: size 1x1"),
        5
    );
    for (tape, most) in [("method-1-shortest", 8), ("method-2-shortest", 14)] {
        let text = std::fs::read_to_string(format!("tests/tapes/create-key/{tape}.tape")).unwrap();
        // In Method 2, opening the list of keys comes before the method.
        let start = text.find("Wait+Screen /Customer managed keys").unwrap_or(0);
        let keys = pressed_keys(&text[start..]);
        assert!(keys <= most, "{tape}: {keys} keys");
    }
}

#[test]
fn command_palette_is_enough_for_both_methods() {
    for method in ["method-1", "method-2"] {
        let text = std::fs::read_to_string(format!("tests/tapes/palette/{method}.tape")).unwrap();
        let commands = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("Wait"));
        for line in commands {
            let is_palette = line == "Ctrl+K" || line == "Enter" || line.starts_with("Type ");
            assert!(is_palette, "{method}: {line}");
        }
    }
}
