//! Snapshots of screens: their text and their styles.

use std::fmt::Write as _;

use super::colors::check_colors;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};
use xks_console::tui::app::App;
use xks_console::tui::effect::Msg;
use xks_console::tui::keymap::Action;
use xks_console::tui::screen;

/// The sizes of the snapshots of every screen: narrow, usual, wide, and with a third pane.
const SNAPSHOT_SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (120, 40), (200, 60)];
/// The sizes at which every key is pressed.
pub const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// Returns the text of the screen, followed by every run of cells with a style.
pub fn snapshot(buffer: &Buffer) -> String {
    let mut out = tape::screen_text(buffer);
    out.push_str("\n---\n");
    for y in 0..buffer.area.height {
        let (mut x, mut line) = (0, String::new());
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let start = x;
            while x < buffer.area.width && buffer[(x, y)].style() == style {
                x += 1;
            }
            if style != ratatui::style::Style::reset() {
                let _ = write!(
                    line,
                    " {start}-{}:{}{:?}",
                    x - 1,
                    style.fg.map_or(String::new(), |c| c.to_string()),
                    style.add_modifier
                );
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "{y:>2}{line}");
        }
    }
    out
}

/// Draws the console at this size.
pub fn draw(app: &App, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen::draw(app, frame)).unwrap().buffer.clone()
}

/// Returns the text of the console's screen at this size.
pub fn screen(app: &App, size: (u16, u16)) -> String {
    tape::screen_text(&draw(app, size))
}

/// Asserts that a screen is in order: each key in the footer does something, and the colors are legible.
pub fn assert_screen_works(name: &str, app: &App) {
    check_screen(name, app).unwrap_or_else(|problem| panic!("{problem}"));
}

/// Checks the keys and the colors of a screen.
pub fn check_screen(name: &str, app: &App) -> Result<(), String> {
    for size in SNAPSHOT_SIZES {
        check_colors(&draw(app, size)).map_err(|problem| format!("{name} at {size:?}: {problem}"))?;
    }
    check_keys(name, app)
}

/// Checks that each key in the footer does something: it causes an effect or changes the screen.
fn check_keys(name: &str, app: &App) -> Result<(), String> {
    for size in SIZES {
        let before = draw(app, size);
        for binding in screen::footer_bindings(app, size.0) {
            // Retrying an invalid input shows the same error again.
            let is_retry = matches!(binding.action, Action::NextStep | Action::SkipToReview | Action::Activate);
            if is_retry && tape::screen_text(&before).contains('✗') {
                continue;
            }
            let codes = match binding.action {
                Action::JumpToStep => ('1'..='8').map(KeyCode::Char).collect(),
                Action::ScrollColumns => vec![KeyCode::Left, KeyCode::Right],
                _ => vec![binding.code],
            };
            let press = |app: &mut App, code, modifiers| app.update(Msg::Key(KeyEvent::new(code, modifiers)));
            let has_effect = |code: KeyCode| {
                let mut app = app.clone();
                !press(&mut app, code, binding.modifiers).is_empty() || draw(&app, size) != before
            };
            // A line break at the end of a text or a cursor movement is visible only after more typing.
            let changes_later_typing = |code: KeyCode| {
                let [mut one, mut other] = [app.clone(), app.clone()];
                press(&mut one, code, binding.modifiers);
                for app in [&mut one, &mut other] {
                    press(app, KeyCode::Char('x'), KeyModifiers::NONE);
                }
                draw(&one, size) != draw(&other, size)
            };
            if !codes.into_iter().any(|code| has_effect(code) || changes_later_typing(code)) {
                return Err(format!("{name} at {size:?}: {} {} does nothing", binding.label, binding.title));
            }
        }
    }
    Ok(())
}

/// Compares the screen with its snapshot at each of [`SNAPSHOT_SIZES`].
pub fn assert_screen_matches(name: &str, app: &App) {
    assert_screen_works(name, app);
    for (width, height) in SNAPSHOT_SIZES {
        insta::assert_snapshot!(format!("{name}-{width}x{height}"), snapshot(&draw(app, (width, height))));
    }
}

/// Compares the screens of all cases with one combined snapshot at each of [`SNAPSHOT_SIZES`].
pub fn assert_screens_match(name: &str, cases: &[(&str, App)]) {
    cases.iter().for_each(|(case, app)| assert_screen_works(&format!("{name}, {case}"), app));
    for (width, height) in SNAPSHOT_SIZES {
        let all = cases.iter().map(|(case, app)| format!("== {case}\n{}", snapshot(&draw(app, (width, height)))));
        let all: Vec<String> = all.collect();
        insta::assert_snapshot!(format!("{name}-{width}x{height}"), all.join("\n"));
    }
}

/// Plays a tape and compares each of its screenshots with the snapshot `name-screenshot` at each of [`SNAPSHOT_SIZES`].
pub fn play_tape(player: &mut Player, name: &str, text: &str) {
    let tape = Tape::parse(name, text).unwrap();
    let size = player.frame().area.as_size();
    let played = tape::play(&tape, player, &mut |shot, player| {
        assert_screen_matches(&format!("{name}-{}", shot.trim_end_matches(".png")), player.app());
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{name} at {size}: {error}"));
}

/// Plays a tape on a new console with a new account, like [`play_tape`].
pub fn play_from_start(name: &str, text: &str) -> Player {
    let mut player = Player::start((80, 24)).unwrap();
    play_tape(&mut player, name, text);
    player
}
