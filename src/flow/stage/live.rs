//! A player in the terminal, with a line below it for captions and keys.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::projector::Projector;
use crate::flow::player::Player;
use crate::flow::tape::{ConsoleDriver as _, key_label};
use crate::text;
use crate::tui::app::{App, MIN_SCREEN_SIZE};
use crate::tui::screen;
use crate::tui::terminal::signals::{Signal, Signals};
use crate::tui::terminal::{Terminal, TerminalEvent, TerminalGuard, TerminalInput};
use crate::tui::theme;
use crate::tui::theme_name::Appearance;

/// How often the console is drawn while the user has it.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// The number of rows from which a line of the terminal is kept free for captions.
const ROWS_WITH_LINE: u16 = MIN_SCREEN_SIZE.1 + 1;
/// The number of keys that are shown.
const SHOWN_KEYS: usize = 6;

/// Something that the user did.
pub(super) enum UserEvent {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resized,
    /// A signal ends the program, or the terminal was closed.
    Stop,
}

/// A player that is shown in the terminal.
pub(super) struct LiveConsole {
    pub(super) player: Player,
    /// The text of the line below the console.
    pub(super) caption: String,
    /// What the user can do now.
    pub(super) hint: String,
    /// The last keys, newest last.
    pub(super) keys: Vec<String>,
    /// Hides IDs and strengthens the contrast, if requested.
    projector: Option<Projector>,
    /// Whether the terminal reports the mouse.
    is_mouse_on: bool,
    terminal: TerminalGuard,
    input: TerminalInput,
    signals: Signals,
    runtime: tokio::runtime::Runtime,
}

impl LiveConsole {
    /// Takes the terminal, and draws with this theme and these symbols.
    pub(super) fn open(player: Player, for_projector: bool, (theme, symbols): Appearance) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = runtime.block_on(async { Signals::listen() })?;
        let mut terminal = Terminal::enter()?;
        terminal.set_appearance(theme, symbols);
        let input = TerminalInput::open()?;
        let (caption, hint, keys) = (String::new(), String::new(), Vec::new());
        let projector = for_projector.then(Projector::default);
        Ok(Self { player, caption, hint, keys, projector, is_mouse_on: false, terminal, input, signals, runtime })
    }

    /// Shows the name of a key that the console is about to get, or `•` if the key edits a secret.
    pub(super) fn show_press(&mut self, key: KeyEvent) {
        let label = press_label(self.player.app(), key);
        self.show_key(&label);
    }

    /// Shows the name of a key that was pressed. Characters that follow each other are shown as one text.
    pub(super) fn show_key(&mut self, label: &str) {
        let is_character = |label: &str| label.chars().count() == 1;
        match self.keys.last_mut() {
            Some(last) if is_character(label) && last.starts_with('"') => {
                last.pop();
                last.push_str(label);
                last.push('"');
            }
            _ if is_character(label) => self.keys.push(format!("\"{label}\"")),
            Some(last) if last.split(" ×").next() == Some(label) => {
                let count = last.split_once(" ×").and_then(|(_, count)| count.parse::<u32>().ok()).unwrap_or(1);
                *last = format!("{label} ×{}", count + 1);
            }
            _ => self.keys.push(label.to_owned()),
        }
        let excess = self.keys.len().saturating_sub(SHOWN_KEYS);
        self.keys.drain(..excess);
    }

    /// Makes the terminal report the mouse while the user has the console, unless it is off in the console.
    pub(super) fn use_mouse(&mut self, is_used: bool) -> io::Result<()> {
        let is_on = is_used && self.player.app().is_mouse_on();
        if is_on != self.is_mouse_on {
            self.is_mouse_on = is_on;
            self.terminal.set_mouse(is_on)?;
        }
        Ok(())
    }

    /// Draws the console and the line below it.
    pub(super) fn draw(&mut self) -> io::Result<()> {
        loop {
            let (caption, hint, keys) = (&self.caption, &self.hint, &self.keys);
            let buffer = self.player.frame();
            let projector = self.projector.as_mut();
            let Size { width, height } = self.terminal.draw(|frame| {
                draw_screen(frame, &buffer, (caption, hint, keys), projector);
            })?;
            let size = console_size(width, height);
            if (buffer.area.width, buffer.area.height) == size {
                return Ok(());
            }
            self.player.resize(size);
            self.player.settle();
        }
    }

    /// Waits for the user, at most for `time`.
    pub(super) fn next_event(&mut self, time: Option<Duration>) -> Option<UserEvent> {
        let (terminal, input, signals) = (&mut self.terminal, &mut self.input, &mut self.signals);
        let next = async {
            loop {
                tokio::select! {
                    event = input.next() => match event {
                        Some(TerminalEvent::Input(Event::Key(key))) => return UserEvent::Key(key),
                        Some(TerminalEvent::Input(Event::Mouse(event))) => return UserEvent::Mouse(event),
                        Some(TerminalEvent::Input(Event::Paste(text))) => return UserEvent::Paste(text),
                        Some(TerminalEvent::Color(report)) => terminal.set_color(report),
                        Some(TerminalEvent::Input(_)) => {}
                        None => return UserEvent::Stop,
                    },
                    signal = signals.next() => match signal {
                        Signal::End { .. } => return UserEvent::Stop,
                        Signal::Resize | Signal::Resume => return UserEvent::Resized,
                        Signal::Suspend => {}
                    },
                }
            }
        };
        self.runtime.block_on(async {
            match time {
                Some(time) => tokio::time::timeout(time, next).await.ok(),
                None => Some(next.await),
            }
        })
    }
}

/// Returns the size of the console in a terminal of this size.
fn console_size(width: u16, height: u16) -> (u16, u16) {
    (width, if height >= ROWS_WITH_LINE { height - 1 } else { height })
}

/// Returns the name of a mouse event.
pub(super) fn mouse_label(event: MouseEvent) -> &'static str {
    match event.kind {
        MouseEventKind::ScrollUp => "Wheel up",
        MouseEventKind::ScrollDown => "Wheel down",
        MouseEventKind::Down(MouseButton::Right) => "Right click",
        _ => "Click",
    }
}

/// Returns the name of a key, or `•` if it edits a secret.
fn press_label(app: &App, key: KeyEvent) -> String {
    if screen::edited_secret(app, key).is_some() { "•".to_owned() } else { key_label(key) }
}

/// Draws the console and the line below it: its caption, hint, and keys.
fn draw_screen(
    frame: &mut Frame,
    console: &Buffer,
    (caption, hint, keys): (&str, &str, &[String]),
    projector: Option<&mut Projector>,
) {
    draw_console(frame, console);
    draw_line(frame, caption, hint, keys);
    if let Some(projector) = projector {
        // The line can show IDs, too: in a caption, or as typed text.
        let shown = projector.show(frame.buffer_mut());
        *frame.buffer_mut() = shown;
    }
}

fn draw_console(frame: &mut Frame, console: &Buffer) {
    let area = frame.area().intersection(console.area);
    let target = frame.buffer_mut();
    for position in area.positions() {
        if let (Some(cell), Some(target)) = (console.cell(position), target.cell_mut(position)) {
            target.clone_from(cell);
        }
    }
}

/// Draws the caption at the left and the keys at the right of the last row.
fn draw_line(frame: &mut Frame, caption: &str, hint: &str, keys: &[String]) {
    let area = frame.area();
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1.min(area.height), ..area };
    // The caption comes first: old keys are left out where there is no room for both.
    let room = usize::from(area.width) / 2;
    let first = (0..keys.len()).find(|first| text::width(&keys[*first..].join("  ")) <= room).unwrap_or(keys.len());
    let keys = keys[first..].join("  ");
    let words = if hint.is_empty() { caption.to_owned() } else { format!("{caption}  ({hint})") };
    let room = usize::from(area.width).saturating_sub(text::width(&keys) + 4);
    let words = text::truncate(&words, room);
    frame.render_widget(Clear, row);
    let style = theme::HEADING.patch(theme::FOCUS);
    let gap = usize::from(area.width).saturating_sub(text::width(&words) + text::width(&keys) + 2);
    let line = vec![
        Span::styled(format!(" {words}"), style),
        Span::styled(" ".repeat(gap), style),
        Span::styled(format!("{keys} "), style),
    ];
    frame.render_widget(Line::from(line), row);
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::flow::tape::{Tape, play, screen_text};

    #[test]
    fn stage_hides_ids_in_the_line_below_the_console() {
        let console = Buffer::empty(Rect::new(0, 0, 80, 2));
        let keys = ["\"111122223333\"".to_owned()];
        let mut terminal = Terminal::new(TestBackend::new(80, 3)).unwrap();
        let mut projector = Projector::default();
        for for_projector in [false, true] {
            let line = ("Open cks-1234567890abcdef0", "", keys.as_slice());
            terminal.draw(|frame| draw_screen(frame, &console, line, for_projector.then_some(&mut projector))).unwrap();
            let text = screen_text(terminal.backend().buffer());
            assert!(text.contains("Open "), "{text}");
            assert_eq!(
                text.contains("cks-1234567890abcdef0") && text.contains("111122223333"),
                !for_projector,
                "{text}"
            );
            assert_eq!(text.contains("cks-") || text.contains("1111"), !for_projector, "{text}");
        }
    }

    #[test]
    fn secrets_are_not_named_in_the_line_below_the_console() {
        let mut player = Player::start((100, 30)).unwrap();
        let open = "Wait+Screen /Frankfurt HSM/\nType \"C\"\nWait+Screen /Create external key store/\n";
        play(&Tape::parse("t.tape", open).unwrap(), &mut player, &mut |_, _| Ok(())).unwrap();
        let press = |code| KeyEvent::new(code, KeyModifiers::NONE);
        assert_eq!(press_label(player.app(), press(KeyCode::Char('x'))), "x");
        player.press(press(KeyCode::Tab));
        // The next input takes a path, which is not a secret, or the content of a file, which is one.
        let is_secret = |player: &Player, text: &str| screen::pasted_secret(player.app(), text).is_some();
        assert!(is_secret(&player, " {\n") && !is_secret(&player, "/tmp/proxy.json"));
        assert_eq!(press_label(player.app(), press(KeyCode::Char('/'))), "/");
        assert_eq!(press_label(player.app(), press(KeyCode::Char('{'))), "•");
        player.press(press(KeyCode::Char('{')));
        assert_eq!(press_label(player.app(), press(KeyCode::Char('/'))), "•");
        player.press(press(KeyCode::Tab));
        assert!(!screen::is_typing_secret(player.app()));
        for _ in 0..20 {
            if screen::is_typing_secret(player.app()) {
                break;
            }
            player.press(press(KeyCode::Tab));
        }
        assert!(screen::is_typing_secret(player.app()));
        assert_eq!(press_label(player.app(), press(KeyCode::Char('x'))), "•");
        assert_eq!(press_label(player.app(), press(KeyCode::Tab)), "Tab");
    }
}
