use super::*;
use crossterm::event::KeyCode;

/// Shows the typed text. Enter starts a job with two stages of one second each.
#[derive(Default)]
struct FakeConsole {
    typed: String,
    now: SignedDuration,
    due: Vec<(SignedDuration, &'static str)>,
    status: &'static str,
    unsettled: bool,
    ticking: bool,
}

impl ConsoleDriver for FakeConsole {
    fn press(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Char(character) => self.typed.push(character),
            KeyCode::Enter => self.due.push((self.now + SignedDuration::from_secs(1), "half")),
            _ => {}
        }
        self.unsettled = true;
    }
    fn paste(&mut self, text: &str) {
        self.typed.push_str(text);
    }
    fn advance(&mut self, by: SignedDuration) {
        self.now += by;
        let now = self.now;
        if let Some(index) = self.due.iter().position(|(at, _)| *at <= now) {
            let (at, status) = self.due.remove(index);
            self.status = status;
            if status == "half" {
                self.due.push((at + SignedDuration::from_secs(1), "done"));
            }
        }
    }
    fn settle(&mut self) {
        self.unsettled = false;
    }
    fn frame(&self) -> Buffer {
        assert!(!self.unsettled, "a frame was taken before the console had settled");
        Buffer::with_lines([format!("{}日", self.typed), format!("said {}", self.status), String::new()])
    }
    fn next_deadline(&self) -> Option<SignedDuration> {
        let next = self.due.iter().map(|(at, _)| *at - self.now).min();
        next.or(self.ticking.then(|| SignedDuration::from_millis(100)))
    }
}

fn run(text: &str, console: &mut FakeConsole) -> Result<Vec<(String, String)>, TapeError> {
    let mut shots = Vec::new();
    play(&Tape::parse("toy.tape", text).unwrap(), console, &mut |name, console| {
        shots.push((name.to_owned(), screen_text(&console.frame())));
        Ok(())
    })?;
    Ok(shots)
}

#[test]
fn keys_and_pastes_reach_the_console_and_screenshots_are_taken() {
    let shots = run("Type 'ab'\nSpace\nCopy 'cd'\nPaste\nScreenshot x.png", &mut FakeConsole::default()).unwrap();
    assert_eq!(shots, [("x.png".to_owned(), "ab cd日\nsaid\n\n".to_owned())]);
}

#[test]
fn sleep_advances_exactly_that_long_and_fires_chained_deadlines() {
    let mut console = FakeConsole::default();
    run("Enter\nSleep 1999ms", &mut console).unwrap();
    assert_eq!(console.status, "half");
    run("Sleep 1ms", &mut console).unwrap();
    assert_eq!((console.status, console.now.as_millis()), ("done", 2000));
}

#[test]
fn wait_advances_from_deadline_to_deadline() {
    let mut console = FakeConsole::default();
    run("Enter\nWait+Screen /done/\nWait+Line /^said done$/", &mut console).unwrap();
    assert_eq!(console.now.as_secs(), 2);
}

#[test]
fn wait_fails_immediately_when_nothing_is_due() {
    let error = run("Type 'a'\nWait+Screen /never/", &mut FakeConsole::default()).unwrap_err().to_string();
    assert!(error.starts_with("toy.tape:2: Wait /never/ never matched: the console is idle"), "{error}");
    assert!(error.ends_with("The screen was:\na日\nsaid\n\n"), "{error}");
}

#[test]
fn wait_fails_after_its_timeout() {
    let mut console = FakeConsole { ticking: true, ..FakeConsole::default() };
    let error = run("Wait+Screen@2s /never/", &mut console).unwrap_err().to_string();
    assert!(error.contains("it timed out after 2s"), "{error}");
    assert_eq!(console.now.as_secs(), 2);
}

#[test]
fn failed_screenshot_is_named_in_the_error() {
    let tape = Tape::parse("toy.tape", "Screenshot x.png").unwrap();
    let error = play(&tape, &mut FakeConsole::default(), &mut |_, _| Err("disk full".into())).unwrap_err();
    assert_eq!(error.to_string(), "toy.tape:1: couldn't take the screenshot x.png: disk full");
}
