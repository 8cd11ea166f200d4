//! The mouse: each control reacts to a click as to the keyboard, and the wheel scrolls.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ratatui::layout::{Position, Rect};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape, click_event, find_text};
use xks_console::tui::app::App;
use xks_console::tui::effect::{Effect, Msg};
use xks_console::tui::widgets::canvas::Click;

use super::pty::Console;
use super::snapshots::{draw, screen};

/// A screen on which every page and dialog is visible as a whole.
const TALL: (u16, u16) = (100, 100);

const STORES: &str = "Wait+Screen /External key stores \\(4\\)/\nWait+Screen /111122223333/\n";
const KEYS: &str = "Tab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\n";
const KEY: &str = "Down 3\nEnter\nWait+Screen /General configuration/\n";
const METHOD_1: &str = "Down\nType \"n\"\nWait+Screen /Configure key/\n";
const TO_REVIEW: &str =
    "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"payments\"\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\n";

/// The lists that can be longer than the screen.
const PALETTES: [&str; 2] = ["help", "palette"];

/// The pages and dialogs, and the tapes that open them.
fn screens() -> Vec<(&'static str, String)> {
    let list = |name, rest: &str| (name, format!("{STORES}{rest}"));
    let keys = |name, rest: &str| (name, format!("{STORES}{KEYS}{rest}"));
    let key = |name, rest: &str| (name, format!("{STORES}{KEYS}{KEY}{rest}"));
    let wizard = |name, rest: &str| (name, format!("{STORES}{METHOD_1}{rest}"));
    vec![
        list("key stores", ""),
        list("key store", "Down\nEnter\nWait+Screen /General configuration/\nWait+Screen /Monitoring/\n"),
        list("key store actions", "Down\nType \"m\"\n"),
        list("create key store", "Type \"C\"\n"),
        list("edit key store", "Down\nType \"m\"\nEnter\n"),
        list("connect", "Type \"c\"\n"),
        list("disconnect", "Down\nType \"d\"\n"),
        list("switcher", "#: key F3\n"),
        list(PALETTES[0], "Type \"?\"\n"),
        list(PALETTES[1], "Ctrl+K\n"),
        list("API calls", "#: key F2\n"),
        list("API call", "#: key F2\nEnter\n"),
        list("CloudHSM", "Tab\nUp\nEnter\n"),
        list("AWS managed keys", "Tab\nUp 3\nEnter\nWait+Screen /AWS managed keys \\(2\\)/\n"),
        list("external keys", "Tab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n"),
        list("external key actions", "Tab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\nType \"m\"\n"),
        list("create external key", "Tab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\nType \"m\"\nEnter\n"),
        list(
            "proxy faults",
            "#: call xks-console:PutProxyFault {\"Fault\": \"xks:Encrypt timeout\"}\nTab\nDown 2\nEnter\nWait+Screen /every request/\n",
        ),
        list("add proxy fault", "Tab\nDown 2\nEnter\nWait+Screen /No proxy faults/\nType \"m\"\nEnter\n"),
        list("events", "Tab\nDown 3\nEnter\nWait+Screen /Event history \\(/\n"),
        list("event", "Tab\nDown 3\nEnter\nWait+Screen /Event history \\(/\nEnter\n"),
        keys("keys", ""),
        keys("selected keys", "Space\nDown\nSpace\n"),
        keys("search", "Type \"/status\"\n"),
        keys("preferences", "Type \"P\"\n"),
        key("key", ""),
        key("key actions", "Type \"m\"\n"),
        key("encrypt", "Left 2\nWait+Screen /Encrypt text or a file/\nType \"e\"\n"),
        key("edit tags", "Type \"m\"\nDown 5\nEnter\n"),
        key("schedule deletion", "Type \"m\"\nDown 3\nEnter\n"),
        wizard("configure key", ""),
        wizard("discard", "Type \"x\"\nEscape\n"),
        wizard("field help", "#: key F1\n"),
        wizard("review", &format!("{TO_REVIEW}Wait+Screen /Finish \\]/\n")),
        wizard("review of the policy", &format!("{TO_REVIEW}Wait+Screen /Finish \\]/\nRight\n")),
        wizard("alias and description", "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\n"),
        wizard("tags", "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"p\"\nCtrl+N\nEnter\nType \"team\"\n"),
        wizard("administrators", "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"p\"\nCtrl+N\nCtrl+N\n"),
        wizard(
            "users",
            "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"p\"\nCtrl+N\nCtrl+N\nCtrl+N\nTab\nTab\nEnter\n",
        ),
        wizard(
            "policy",
            "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"p\"\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nEnter\n",
        ),
        keys("configure key of Method 2", "Type \"n\"\nTab\nTab\nEnter\nDown 3\nSpace\n"),
        keys("choose external key", "Type \"n\"\nTab\nTab\nEnter\nDown 3\nSpace\nTab\nSpace\nCtrl+N\n"),
    ]
}

fn open(name: &str, text: &str, size: (u16, u16)) -> Player {
    let mut player = Player::start(size).unwrap();
    player.resize(size);
    let tape = Tape::parse(name, text).unwrap();
    tape::play(&tape, &mut player, &mut |_, _| Ok(())).unwrap_or_else(|error| panic!("{error}"));
    player
}

/// Handles an event of a console that was drawn. Returns its new state, and its screen with the effects.
fn after(app: &App, event: Msg) -> (App, String) {
    let mut app = app.clone();
    let effects = app.update(event);
    let shown = format!("{}{effects:?}", screen(&app, TALL));
    (app, shown)
}

fn key(code: KeyCode) -> Msg {
    Msg::Key(code.into())
}

fn click(at: Position) -> Msg {
    Msg::Mouse(click_event(MouseButton::Left, at))
}

/// Returns a cell of each area on which its click happens.
fn cells(app: &App, size: (u16, u16)) -> Vec<Position> {
    draw(app, size);
    let clicks = app.clicks();
    let is_free = |area: &Rect, click: &Click, at: &Position| match (clicks.at(at.x, at.y), click) {
        (Some(Click::Text { control, .. }), Click::Text { control: other, .. }) => {
            control == *other && area.contains(*at)
        }
        (Some(found), click) => found == *click,
        (None, _) => false,
    };
    let mut seen: Vec<&Click> = Vec::new();
    let areas = clicks.iter().filter(|(_, click)| {
        let is_new = !seen.contains(&click) || matches!(click, Click::Text { .. } | Click::Focus(_));
        seen.push(click);
        is_new
    });
    areas.filter_map(|(area, click)| area.positions().find(|at| is_free(area, click, at))).collect()
}

/// Presses `step` until a screen appears again. Returns the states on the way with their screens.
fn states_by(app: &App, step: KeyCode) -> Vec<(App, String)> {
    let mut states = vec![(app.clone(), format!("{}[]", screen(app, TALL)))];
    let mut seen = HashSet::new();
    while let Some((app, shown)) = states.last()
        && seen.insert(shown.clone())
        && states.len() < 60
    {
        let next = after(app, key(step));
        states.push(next);
    }
    states.pop();
    states
}

#[test]
fn every_control_reacts_to_a_click_as_to_the_keyboard() {
    let mut problems = Vec::new();
    for (name, text) in screens().into_iter().filter(|(name, _)| !PALETTES.contains(name)) {
        let player = open(name, &text, TALL);
        // After all controls had the focus, moving it changes nothing else.
        let Some((last, _)) = states_by(player.app(), KeyCode::Tab).pop() else { continue };
        let start = after(&last, key(KeyCode::Tab)).0;
        let clicked: HashSet<String> = cells(&start, TALL).into_iter().map(|at| after(&start, click(at)).1).collect();
        // In a list, Tab stops at the last entry.
        let forward = states_by(&start, KeyCode::Tab);
        let states = if forward.len() > 1 { forward } else { states_by(&start, KeyCode::BackTab) };
        for (number, (state, focused)) in states.iter().enumerate() {
            let pressed = [KeyCode::Enter, KeyCode::Char(' ')].map(|code| after(state, key(code)).1);
            // A page without controls only shows something.
            let has_control = states.len() > 1 || pressed.iter().any(|shown| shown != focused);
            if has_control && !clicked.contains(focused) && pressed.iter().all(|shown| !clicked.contains(shown)) {
                problems.push(format!("{name}, control {number}:\n{focused}"));
            }
        }
    }
    assert!(problems.is_empty(), "{} controls don't react:\n{}", problems.len(), problems.join("\n"));
}

/// Returns whether a click can belong to a part of a control. Of a control that is scrolled away, only that part is left.
fn is_part(control: &Click, part: &Click) -> bool {
    match (control, part) {
        (Click::Focus(number), Click::Choose(other, _) | Click::Text { control: other, .. }) => number == other,
        (Click::Focus(_), part) => {
            matches!(part, Click::Row(_) | Click::SelectRow(_) | Click::Sort(_) | Click::PageKey(_))
        }
        _ => false,
    }
}

/// Checks that two areas with different clicks overlap only if the later one is inside of the other.
pub fn check_clicks(name: &str, player: &Player) -> Result<(), String> {
    let frame = player.frame();
    let areas: Vec<_> = player.app().clicks().iter().cloned().collect();
    for (index, (area, click)) in areas.iter().enumerate() {
        if area.is_empty() || frame.area.intersection(*area) != *area {
            return Err(format!("{name}: {click:?} at {area:?} is not on the screen"));
        }
        for (later, other) in &areas[index + 1..] {
            let common = area.intersection(*later);
            if click != other && !common.is_empty() && (common != *later || later == area && !is_part(click, other)) {
                return Err(format!("{name}: {click:?} at {area:?} overlaps {other:?} at {later:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn areas_overlap_only_if_one_is_inside_of_the_other() {
    for (name, text) in screens() {
        let mut player = open(name, &text, (80, 24));
        for size in [(60, 20), (80, 24), (120, 40), TALL] {
            player.resize(size);
            check_clicks(name, &player).unwrap_or_else(|problem| panic!("{size:?}: {problem}"));
        }
    }
}

#[test]
fn clicks_anywhere_neither_panic_nor_quit() {
    let kinds = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Middle),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ]);
    let events = prop::collection::vec((kinds, 0u16..82, 0u16..26), 1..30);
    let start: Vec<App> = screens().iter().map(|(name, text)| open(name, text, (80, 24)).app().clone()).collect();
    let config = Config { cases: 60, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let chosen = (prop::sample::select(start), events, prop::sample::select(vec![(80, 24), (60, 20), (59, 19)]));
    TestRunner::new(config)
        .run(&chosen, |(mut app, events, (width, height))| {
            app.update(Msg::Resize { width, height });
            for (kind, column, row) in events {
                let shown = screen(&app, (width, height));
                let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
                let effects = app.update(Msg::Mouse(event));
                if effects.contains(&Effect::Quit) {
                    // Only a row of the palette that says so quits.
                    let row = shown.lines().nth(row.into()).unwrap_or_default();
                    prop_assert!(row.contains("Quit"), "{event:?}\n{shown}");
                    break;
                }
                if height < 20 {
                    prop_assert!(effects.is_empty());
                }
            }
            draw(&app, (width, height));
            Ok(())
        })
        .unwrap();
}

/// Plays a tape on a new console.
fn play(size: (u16, u16), text: &str) -> Player {
    open("mouse.tape", &format!("{STORES}{text}"), size)
}

fn shown(player: &Player) -> String {
    tape::screen_text(&player.frame())
}

#[test]
fn check_box_selects_the_row_and_the_rest_of_the_row_opens_it() {
    let mut player = play((80, 24), &format!("{KEYS}#: click \"☐\" 2\n#: expect screen /1 selected/\n"));
    let boxes = find_text(&player.frame(), "☑");
    assert_eq!(boxes.len(), 1);
    player.mouse(click_event(MouseButton::Left, Position { x: boxes[0].x + 4, y: boxes[0].y })).unwrap();
    player.settle();
    assert!(shown(&player).contains("General configuration"), "{}", shown(&player));
}

#[test]
fn heading_sorts_and_reverses() {
    let names = |player: &Player| {
        let text = shown(player);
        text.lines().filter_map(|line| line.find("HSM").map(|_| line.trim().to_owned())).collect::<Vec<_>>()
    };
    let sorted = play((80, 24), "");
    let mut reversed = names(&play((80, 24), "#: click \"Custom key stor\"\n"));
    reversed.reverse();
    let plain = |names: Vec<String>| names.into_iter().map(|name| name.replace("▌ ", "")).collect::<Vec<_>>();
    assert_eq!(plain(names(&sorted)), plain(reversed));
    let by_state = play((80, 24), "#: click \"Connection state\"\n");
    assert!(shown(&by_state).contains("… ▴ Custom key store ID"), "{}", shown(&by_state));
}

#[test]
fn page_buttons_work_from_the_navigation_and_from_a_search() {
    for focus in ["Tab\n", "Type \"/frank\"\n", "Type \"/\"\n"] {
        for size in [(80, 24), (120, 40)] {
            let player = play(size, &format!("{focus}#: click \"[ Create key ]\"\n"));
            assert!(shown(&player).contains("Configure key"), "{focus}{}", shown(&player));
        }
    }
}

#[test]
fn right_click_moves_to_the_row_and_opens_its_actions() {
    let player = play((80, 24), "#: click right \"Zurich\"\n#: expect screen /Actions|actions/\nEscape\nEnter\n");
    assert!(
        shown(&player).contains("Zurich DR") && shown(&player).contains("General configuration"),
        "{}",
        shown(&player)
    );
}

#[test]
fn click_outside_of_a_dialog_does_nothing() {
    let mut player = play((120, 40), "Type \"m\"\n");
    let before = shown(&player);
    for at in [(2, 0), (3, 5), (60, 3), (100, 30)] {
        player.mouse(click_event(MouseButton::Left, at.into())).unwrap();
        player.settle();
    }
    assert_eq!(shown(&player), before);
}

#[test]
fn click_in_a_text_field_places_the_cursor() {
    let player = play((80, 24), &format!("{METHOD_1}Type \"payments\"\n#: click \"ments\"\nType \"-\"\n"));
    assert!(shown(&player).contains("pay-ments"), "{}", shown(&player));
    // A multiline text, and the search field.
    let text = "Type \"payments-2026\"\nTab\nSpace\nCtrl+N\n#: click \"Description\"\nType \"one\"\nEnter\nType \"two\"\n\
                #: click \"ne\"\nType \"X\"\n#: click \"wo\"\nType \"Y\"\n";
    let player = play((80, 24), &format!("{METHOD_1}{text}"));
    assert!(shown(&player).contains("oXne") && shown(&player).contains("tYwo"), "{}", shown(&player));
    let player = play((80, 24), "Type \"/urich\"\n#: click \"urich\"\nType \"z\"\n");
    assert!(shown(&player).contains("1 of 4 match"), "{}", shown(&player));
}

#[test]
fn wheel_moves_the_cursor_of_a_table_by_three_rows() {
    let player = play((80, 24), &format!("{KEYS}#: wheel down\nEnter\n"));
    let by_keys = play((80, 24), &format!("{KEYS}Down 3\nEnter\n"));
    assert_eq!(shown(&player), shown(&by_keys));
    let player = play((80, 24), &format!("{KEYS}#: wheel down 9\n#: wheel up 9\n"));
    assert_eq!(shown(&player), shown(&play((80, 24), KEYS)));
}

#[test]
fn wheel_scrolls_the_step_and_keeps_the_focus_and_the_draft() {
    let mut player = play((60, 20), METHOD_1);
    let (before, draft) = (shown(&player), player.app().wizard.as_ref().unwrap().draft.clone());
    // Not on the table, whose cursor the wheel would move.
    let at = find_text(&player.frame(), "External key ID")[0];
    let event = |kind| MouseEvent { kind, column: at.x, row: at.y, modifiers: KeyModifiers::NONE };
    player.mouse(event(MouseEventKind::ScrollUp)).unwrap();
    assert_ne!(shown(&player), before);
    assert_eq!(player.app().wizard.as_ref().unwrap().draft, draft);
    player.press(KeyCode::Char('x').into());
    assert_eq!(player.app().wizard.as_ref().unwrap().draft.xks_key_id, "x");
}

#[test]
fn wheel_scrolls_dialogs_and_texts_by_three_lines() {
    // The lines between the borders of the dialog.
    let rows = |player: &Player| {
        let inside =
            |line: &str| Some(line.split_once('│')?.1.rsplit_once('│')?.0.trim_matches([' ', '↑', '↓']).to_owned());
        shown(player).lines().filter_map(inside).collect::<Vec<_>>()
    };
    let top = rows(&play((60, 20), "Type \"C\"\n"));
    let below = rows(&play((60, 20), "Type \"C\"\n#: wheel down\n"));
    assert!(top.len() > 10, "{top:?}");
    assert_eq!(top[3..], below[..top.len() - 3]);
    let page = play((60, 20), "Down\nEnter\nWait+Screen /General configuration/\n#: wheel down 2\n#: wheel up 2\n");
    let same = play((60, 20), "Down\nEnter\nWait+Screen /General configuration/\n");
    assert_eq!(shown(&page), shown(&same));
}

#[test]
fn click_on_an_entry_of_the_palette_runs_it() {
    let text = "Ctrl+K\nType \"event history\"\n#: click \"Event history\"\nWait+Screen /Event history \\(/\n\
                Ctrl+K\n#: wheel down 2\n#: wheel up 9\nType \"exernal\"\n#: click \"xernal\"\nType \"x\"\n#: expect screen /exxernal/\n";
    play((80, 24), text);
}

#[test]
fn f6_turns_the_mouse_off_and_on() {
    let text = "#: key F6\n#: expect screen /Mouse off/\n#: click \"Frankfurt HSM\"\n#: expect screen /External key stores \\(4\\)/\n\
                #: key F6\n#: expect screen /Mouse on/\n#: click \"Frankfurt HSM\"\nWait+Screen /General configuration/\n";
    let player = play((80, 24), text);
    assert!(player.app().is_mouse_on());
}

#[test]
fn messages_and_the_header_react_to_clicks() {
    let text = "Down\nEnter\nWait+Screen /General configuration/\n#: click \"[ Copy ID ]\"\nWait+Screen /Sent/\n\
                #: click \"[v] Show all\"\nWait+Screen /s Save/\n#: click \"Close\"\nWait+Screen /Sent/\n\
                #: click \"[Esc] Close\"\n#: expect no screen /Sent/\n#: click \"External key stores\"\n\
                Wait+Screen /External key stores \\(4\\)/\n#: click \"us-west-2\"\nWait+Screen /N. Virginia/\n\
                #: click \"us-east-2\"\n#: click \"[ Switch ]\"\nWait+Screen /No external key stores/\n";
    play((120, 40), text);
}

#[test]
fn program_asks_the_terminal_for_clicks_and_ends_that_when_the_mouse_is_off_or_it_quits() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::run(&["--data-dir", dir.path().to_str().unwrap()], dir.path(), (80, 24), &[]);
    console.wait_for("Frankfurt HSM");
    console.send("\x1b[17~");
    console.wait_for("Mouse off");
    console.send("\x1b[17~");
    console.wait_for("Mouse on");
    // The message has moved the table down.
    let row = console.text().lines().position(|line| line.contains("Frankfurt HSM")).unwrap() + 1;
    console.send(&format!("\x1b[<0;6;{row}M\x1b[<0;6;{row}m"));
    console.wait_for("General configuration");
    console.send("\x03");
    let (code, written) = console.wait_for_exit();
    assert_eq!(code, 0, "{written:?}");
    let (on, off) = ("\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l");
    assert_eq!(written.matches(on).count(), 2, "{written:?}");
    assert_eq!(written.matches(off).count(), 2, "{written:?}");
    assert!(written.rfind(on) < written.rfind(off), "{written:?}");
}
