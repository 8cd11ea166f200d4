//! Tests of the program in a pseudo-terminal.

use super::screen::NAMED_COLORS;
use super::*;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::flow::tape::{self, Tape, TapeError, screen_text};

#[test]
fn keys_are_sent_as_xterm_does() {
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
    let table = [
        (KeyCode::Char('a'), NONE, "a"),
        (KeyCode::Char('A'), SHIFT, "A"),
        (KeyCode::Char('é'), NONE, "é"),
        (KeyCode::Char('日'), NONE, "日"),
        (KeyCode::Char(' '), NONE, " "),
        (KeyCode::Char('a'), CONTROL, "\x01"),
        (KeyCode::Char('n'), CONTROL, "\x0e"),
        (KeyCode::Char('Z'), CONTROL, "\x1a"),
        (KeyCode::Char(' '), CONTROL, "\0"),
        (KeyCode::Char('4'), CONTROL, "\x1c"),
        (KeyCode::Char('7'), CONTROL, "\x1f"),
        (KeyCode::Char('_'), CONTROL, "\x1f"),
        (KeyCode::Char('1'), CONTROL, "1"),
        (KeyCode::Char('u'), ALT, "\x1bu"),
        (KeyCode::Char('日'), ALT, "\x1b日"),
        (KeyCode::Char('n'), CONTROL | ALT, "\x1b\x0e"),
        (KeyCode::Enter, NONE, "\r"),
        (KeyCode::Enter, ALT, "\x1b\r"),
        (KeyCode::Tab, NONE, "\t"),
        (KeyCode::BackTab, SHIFT, "\x1b[Z"),
        (KeyCode::Esc, NONE, "\x1b"),
        (KeyCode::Backspace, NONE, "\x7f"),
        (KeyCode::Backspace, CONTROL, "\x08"),
        (KeyCode::Backspace, ALT, "\x1b\x7f"),
        (KeyCode::Up, NONE, "\x1b[A"),
        (KeyCode::Down, NONE, "\x1b[B"),
        (KeyCode::Right, NONE, "\x1b[C"),
        (KeyCode::Left, NONE, "\x1b[D"),
        (KeyCode::Home, NONE, "\x1b[H"),
        (KeyCode::End, NONE, "\x1b[F"),
        (KeyCode::Up, SHIFT, "\x1b[1;2A"),
        (KeyCode::Left, ALT, "\x1b[1;3D"),
        (KeyCode::Right, CONTROL, "\x1b[1;5C"),
        (KeyCode::End, CONTROL | SHIFT, "\x1b[1;6F"),
        (KeyCode::Home, CONTROL | ALT | SHIFT, "\x1b[1;8H"),
        (KeyCode::Insert, NONE, "\x1b[2~"),
        (KeyCode::Delete, NONE, "\x1b[3~"),
        (KeyCode::Delete, CONTROL, "\x1b[3;5~"),
        (KeyCode::PageUp, NONE, "\x1b[5~"),
        (KeyCode::PageDown, NONE, "\x1b[6~"),
        (KeyCode::F(1), NONE, "\x1bOP"),
        (KeyCode::F(2), NONE, "\x1bOQ"),
        (KeyCode::F(3), NONE, "\x1bOR"),
        (KeyCode::F(4), NONE, "\x1bOS"),
        (KeyCode::F(1), SHIFT, "\x1b[1;2P"),
        (KeyCode::F(5), NONE, "\x1b[15~"),
        (KeyCode::F(6), NONE, "\x1b[17~"),
        (KeyCode::F(7), NONE, "\x1b[18~"),
        (KeyCode::F(8), NONE, "\x1b[19~"),
        (KeyCode::F(9), NONE, "\x1b[20~"),
        (KeyCode::F(10), NONE, "\x1b[21~"),
        (KeyCode::F(11), NONE, "\x1b[23~"),
        (KeyCode::F(12), NONE, "\x1b[24~"),
        (KeyCode::F(12), CONTROL, "\x1b[24;5~"),
        (KeyCode::CapsLock, NONE, ""),
    ];
    for (code, modifiers, expected) in table {
        let bytes = key_bytes(KeyEvent::new(code, modifiers));
        assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{code:?} {modifiers:?}");
    }
}

#[test]
fn pastes_are_bracketed_if_the_program_asked_for_it() {
    assert_eq!(paste_bytes("a\nb\r\nc", true), "\x1b[200~a\rb\rc\x1b[201~");
    assert_eq!(paste_bytes("a\nb", false), "a\rb");
    assert_eq!(paste_bytes("a\x1b[201~b", true), "\x1b[200~a[201~b\x1b[201~");
}

#[test]
fn screen_has_the_text_and_styles_that_were_drawn() {
    let colors: Vec<Color> = NAMED_COLORS
        .into_iter()
        .chain([Color::Reset, Color::Indexed(16), Color::Indexed(255), Color::Rgb(1, 2, 3), Color::Rgb(255, 0, 128)])
        .collect();
    let mut drawn = Buffer::empty(Rect::new(0, 0, 40, 5));
    for (x, color) in (0..).zip(&colors) {
        drawn.set_string(x, 0, "f", Style::new().fg(*color));
        drawn.set_string(x, 1, "b", Style::new().bg(*color));
    }
    let kept = [Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED];
    for x in 0..24_u16 {
        let mut modifiers: Modifier =
            (0..).zip(kept).filter(|(bit, _)| x >> bit & 1 == 1).map(|(_, modifier)| modifier).collect();
        modifiers |= [Modifier::empty(), Modifier::BOLD, Modifier::DIM][usize::from(x / 8)];
        drawn.set_string(x, 2, "m", Style::new().fg(Color::Red).add_modifier(modifiers));
    }
    drawn.set_string(0, 3, "日本 e\u{301} │▸ ü 語", Style::default());
    drawn.set_string(38, 4, "終", Style::default());
    drawn.set_style(Rect::new(0, 3, 12, 1), Style::new().fg(Color::White).bg(Color::Indexed(24)));

    // A NO_COLOR variable of the tests must not remove the colors.
    crossterm::style::force_color_output(true);
    let mut bytes = Vec::new();
    let empty = Buffer::empty(drawn.area);
    CrosstermBackend::new(&mut bytes).draw(empty.diff(&drawn).into_iter()).unwrap();
    let mut parser = vt100::Parser::new(NonZeroU16::new(5).unwrap(), NonZeroU16::new(40).unwrap(), 0);
    parser.process(&bytes);
    let shown = screen_buffer(parser.screen());
    for (x, y) in (0..5).flat_map(|y| (0..40).map(move |x| (x, y))) {
        assert_eq!(shown[(x, y)], drawn[(x, y)], "column {x} of row {y}");
    }
}

fn shell(script: &str) -> PtyConsole {
    let settings = PtySettings {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        size: (60, 12),
        environment: vec![("GREETING".into(), "hello".into())],
    };
    PtyConsole::start(settings, None).unwrap()
}

fn play(text: &str, console: &mut PtyConsole) -> Result<(), TapeError> {
    tape::play(&Tape::parse("shell.tape", text).unwrap(), console, &mut |_, _| Ok(()))
}

/// Shows the next `count` bytes of input in hexadecimal notation.
fn show_input(count: usize) -> String {
    format!("printf '\\r\\n'; dd bs=1 count={count} 2> /dev/null | od -An -v -tx1 | tr -d '\\n'")
}

#[test]
fn keys_and_pastes_reach_the_program() {
    let script = format!("stty raw -echo; printf '\\033[?2004hready'; {}; {}; echo end", show_input(7), show_input(15));
    let mut console = shell(&script);
    play("Wait+Screen /ready/\nType 'aé'\nCtrl+N\nUp\nWait+Screen /61 c3 a9 0e 1b 5b 41/", &mut console).unwrap();
    console.paste("x\ny");
    play("Wait+Screen /1b 5b 32 30 30 7e 78 0d 79 1b 5b 32 30 31 7e/\nWait+Screen /end/", &mut console).unwrap();
}

#[test]
fn program_has_only_the_given_environment_and_a_home_directory_of_its_own() {
    let mut console =
        shell("env | cut -d = -f 1 | sort | tr '\\n' ' '; echo; echo $GREETING $TERM; echo $HOME; sleep 60");
    play("Wait+Screen /\\//", &mut console).unwrap();
    let text = screen_text(&console.frame());
    let home = console.home().canonicalize().unwrap();
    for name in text.lines().next().unwrap().split_whitespace() {
        let known = ["COLORTERM", "GREETING", "HOME", "LANG", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "_"];
        assert!(known.contains(&name), "{text}");
    }
    let text = text.replace('\n', "");
    assert!(text.contains("hello xterm-256color") && text.contains(home.to_str().unwrap()), "{text}");
    drop(console);
    assert!(!home.exists());
}

#[test]
fn wait_fails_at_once_when_the_program_has_exited() {
    let mut console = shell("echo goodbye; exit 3");
    let start = Instant::now();
    let error = play("Wait+Screen@60s /never/", &mut console).unwrap_err();
    assert!(matches!(&error, TapeError::WaitFailed { screen, .. } if screen.contains("goodbye")), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!((console.has_exited(), console.exit_code(), console.next_deadline()), (true, Some(3), None));
    play("Type 'a'\nEnter\n#: expect screen /goodbye/", &mut console).unwrap();
}

#[test]
fn waits_and_sleeps_take_their_time_although_the_program_never_settles() {
    let mut console = shell("while :; do printf x; sleep 0.02; done");
    let start = Instant::now();
    let error = play("Wait+Screen@1s /never/", &mut console).unwrap_err();
    assert!(matches!(error, TapeError::WaitFailed { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    let mut console = shell("echo ready; sleep 60");
    play("Wait+Screen /ready/", &mut console).unwrap();
    let start = Instant::now();
    play("Sleep 700ms", &mut console).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(700));
}

#[test]
fn program_that_ignores_hangups_is_ended() {
    let mut console = shell("trap '' HUP; echo ready; while :; do sleep 0.1; done");
    play("Wait+Screen /ready/", &mut console).unwrap();
    let process = rustix::process::Pid::from_raw(console.child.process_id().unwrap().cast_signed()).unwrap();
    rustix::process::test_kill_process(process).unwrap();
    drop(console);
    assert!(rustix::process::test_kill_process(process).is_err());
}

#[test]
fn program_sees_the_size_of_the_terminal() {
    let mut console = shell("trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done");
    play("Wait+Screen /12 60/", &mut console).unwrap();
    console.resize((70, 20)).unwrap();
    play("Wait+Screen /20 70/", &mut console).unwrap();
    assert_eq!(console.frame().area, Rect::new(0, 0, 70, 20));
}

#[test]
fn errors_name_the_problem() {
    let start = |program: &str, size| {
        let settings = PtySettings { program: program.into(), arguments: Vec::new(), size, environment: Vec::new() };
        PtyConsole::start(settings, None).unwrap_err().to_string()
    };
    assert!(start("/nowhere/xks-console", (80, 24)).contains("couldn't start /nowhere/xks-console"));
    assert!(start("sh", (80, 0)).contains("80x0"));
    let on_bundled =
        |scenario, proxy_ca| PtyConsole::on_bundled("sh".into(), scenario, (80, 24), Vec::new(), proxy_ca).unwrap_err();
    assert!(matches!(on_bundled("none", None), PtyError::Account(_)));
    assert!(on_bundled("default", Some(Path::new("/nowhere/ca.pem"))).to_string().contains("/nowhere/ca.pem"));
}

#[test]
fn clock_and_faults_are_unsupported() {
    let mut console = shell("echo ready; sleep 60");
    assert!(console.jump(SignedDuration::from_secs(1)).unwrap_err().to_string().contains("system clock"));
    assert!(console.set_fault(None).unwrap_err().to_string().contains("account in memory"));
    assert!(console.aws().is_none() && console.api_calls().is_empty());
}
