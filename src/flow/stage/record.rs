//! Records a tape of what the user does.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use rustix::fs::{Access, access};

use super::clicks;
use super::live::{self, LiveConsole, UserEvent};
use crate::expectation::names_in;
use crate::flow::player::{Player, PlayerError, PlayerSettings};
use crate::flow::tape::{ConsoleDriver as _, StartTime, Tape, key_label, wheel_event};
use crate::storage::atomic_file;
use crate::text;
use crate::tui::app::App;
use crate::tui::screen;
use crate::tui::theme_name::Appearance;
use crate::tui::widgets::editing::Edit;
use crate::tui::widgets::form::{SecretInput, SecretKind};

/// A member of proxy configuration files whose value is a secret.
const SECRET_MEMBER: &str = "RawSecretAccessKey";

/// The reasons why a tape can't be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The console can't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// The terminal can't be used.
    #[error("couldn't use the terminal: {0}")]
    Terminal(#[from] io::Error),
    /// The tape can't be written.
    #[error("couldn't write {path}: {problem}")]
    File {
        /// The path.
        path: String,
        /// Why not.
        problem: String,
    },
}

/// Shows a console in the terminal, and writes what the user does in it to the tape at `path`. `replaces` says whether the
/// file may exist. Returns the environment variables that the tape needs for secrets.
///
/// # Errors
/// [`RecordError`].
pub fn record(
    settings: PlayerSettings,
    appearance: Appearance,
    path: &Path,
    replaces: bool,
) -> Result<Vec<String>, RecordError> {
    // Nothing is recorded in vain, and nothing is written before the console runs.
    let file = TapeFile::check(path, replaces)?;
    let header = header(&settings);
    let mut live = LiveConsole::open(Player::start_with(settings)?, false, appearance)?;
    live.caption.push_str("● F12 screenshot  F11 step  Ctrl-C end");
    live.draw()?;
    live.player.settle();
    let mut tape = TapeWriter::new(&header, live.player.frame().area.as_size().into());
    tape.wait_for_change(live.player.app(), SignedDuration::ZERO);
    file.create()?;
    file.write(&tape.text())?;
    let mut since = Instant::now();
    let mut waited = SignedDuration::ZERO;
    loop {
        live.use_mouse(true)?;
        live.draw()?;
        let event = live.next_event(Some(live::TICK));
        let passed = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO);
        since = Instant::now();
        live.player.advance(passed);
        live.player.settle();
        waited += passed;
        if tape.wait_for_change(live.player.app(), waited) {
            file.write(&tape.text())?;
        }
        match event {
            Some(UserEvent::Key(KeyEvent { code: KeyCode::F(12), .. })) => {
                let name = tape.screenshot();
                live.show_key(&format!("Screenshot {name}"));
            }
            Some(UserEvent::Key(KeyEvent { code: KeyCode::F(11), .. })) => {
                tape.step();
                live.show_key("Step");
            }
            Some(
                UserEvent::Key(KeyEvent { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL, .. })
                | UserEvent::Stop,
            ) => break,
            Some(UserEvent::Key(key)) => {
                tape.key(key, screen::edited_secret(live.player.app(), key));
                live.show_press(key);
                live.player.press(key);
                waited = SignedDuration::ZERO;
            }
            Some(UserEvent::Mouse(event)) => {
                if let Some(event) = tape.mouse(event, live.player.app(), &live.player.frame()) {
                    live.show_key(live::mouse_label(event));
                    let _ = live.player.mouse(event);
                    waited = SignedDuration::ZERO;
                }
            }
            Some(UserEvent::Paste(text)) => {
                tape.paste(&text, screen::pasted_secret(live.player.app(), &text));
                live.show_key("Paste");
                live.player.paste(&text);
                waited = SignedDuration::ZERO;
            }
            Some(UserEvent::Resized) | None => {}
        }
        live.player.settle();
        if live.player.has_quit() {
            break;
        }
    }
    drop(live);
    tape.flush();
    file.write(&tape.text())?;
    Ok(tape.secrets)
}

fn header(settings: &PlayerSettings) -> String {
    let mut header = format!("#: world {}\n", settings.world);
    if settings.clock == StartTime::Now {
        header.push_str("#: clock now\n");
    }
    header
}

/// The file of a tape.
struct TapeFile {
    path: PathBuf,
    /// Whether the file may have existed before.
    replaces: bool,
}

impl TapeFile {
    /// Checks whether the file can be written, without changing anything.
    fn check(path: &Path, replaces: bool) -> Result<Self, RecordError> {
        let mut file = Self { path: path.to_owned(), replaces };
        file.check_access().map_err(|error| file.failed(&error))?;
        if replaces && let Ok(target) = path.canonicalize() {
            // A symbolic link is kept.
            file.path = target;
        }
        Ok(file)
    }

    fn check_access(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(_) if !self.replaces => return Err(io::ErrorKind::AlreadyExists.into()),
            Ok(_) if !fs::metadata(&self.path)?.is_file() => return Err(io::Error::other("it is not a regular file")),
            Ok(_) => access(&self.path, Access::WRITE_OK)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
    }

    /// Creates the file, unless it may replace another one. Then [`TapeFile::write`] creates it.
    fn create(&self) -> Result<(), RecordError> {
        if self.replaces {
            return Ok(());
        }
        let created = OpenOptions::new().write(true).create_new(true).open(&self.path);
        created.map(drop).map_err(|error| self.failed(&error))
    }

    fn write(&self, text: &str) -> Result<(), RecordError> {
        atomic_file::replace(&self.path, text.as_bytes()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> RecordError {
        let problem = match error.kind() {
            io::ErrorKind::AlreadyExists => "it exists already; choose another name, or use --force".to_owned(),
            _ => error.to_string(),
        };
        RecordError::File { path: self.path.display().to_string(), problem }
    }
}

/// The number of columns of a message that a tape waits for. They are in one row at every size of the screen.
const MESSAGE_COLUMNS: usize = 40;

/// Writes the lines of a tape.
struct TapeWriter {
    lines: String,
    header: String,
    /// Text that was typed and isn't written yet.
    typed: String,
    /// A named key that was pressed several times and isn't written yet.
    pressed: Option<(KeyEvent, usize)>,
    /// Whether the secret that the user edits is in the tape already.
    is_typing_secret: bool,
    /// The title that the tape has waited for last.
    title: String,
    /// The message that the tape has waited for last.
    message: String,
    screenshots: usize,
    /// The place of the last click.
    pointer: Option<Position>,
    /// The environment variables for secrets.
    secrets: Vec<String>,
}

impl TapeWriter {
    fn new(header: &str, (width, height): (u16, u16)) -> Self {
        Self {
            lines: String::new(),
            header: format!("{header}#: size {width}x{height}\n"),
            typed: String::new(),
            pressed: None,
            is_typing_secret: false,
            title: String::new(),
            message: String::new(),
            screenshots: 0,
            pointer: None,
            secrets: Vec::new(),
        }
    }

    /// Returns the tape so far.
    fn text(&self) -> String {
        let mut text = self.header.clone();
        for (index, variable) in self.secrets.iter().enumerate() {
            let _ = writeln!(text, "#: let secret_{} ${variable}", index + 1);
        }
        text.push_str(&self.lines);
        text
    }

    /// Waits for the title and the message of the console if they are new. Returns whether one of them is.
    fn wait_for_change(&mut self, app: &App, waited: SignedDuration) -> bool {
        let has_new_title = self.wait_for_title(&screen::title(app), waited);
        let message = app.flashes.last().map_or_else(String::new, |flash| flash.text.clone());
        self.wait_for_message(&message, waited) || has_new_title
    }

    fn wait_for_title(&mut self, title: &str, waited: SignedDuration) -> bool {
        if title == self.title {
            return false;
        }
        title.clone_into(&mut self.title);
        self.wait_for(title, waited);
        true
    }

    /// Waits for the first words of a message if it is a new one, as when a key store is connected.
    fn wait_for_message(&mut self, message: &str, waited: SignedDuration) -> bool {
        if message == self.message {
            return false;
        }
        message.clone_into(&mut self.message);
        let words = text::wrap(message, MESSAGE_COLUMNS).into_iter().next().unwrap_or_default();
        if words.is_empty() {
            return false;
        }
        self.wait_for(&words, waited);
        true
    }

    fn wait_for(&mut self, words: &str, waited: SignedDuration) {
        self.flush();
        self.is_typing_secret = false;
        let pattern = regex_lite::escape(words).replace('/', "\\/");
        // AWS takes longer than the default of a Wait for some changes, such as connecting a key store.
        let timeout = if waited > SignedDuration::from_secs(5) { "@5m" } else { "" };
        let _ = writeln!(self.lines, "Wait+Screen{timeout} /{pattern}/");
    }

    /// Writes a key. `secret` is the secret that it edits, if any.
    fn key(&mut self, key: KeyEvent, secret: Option<SecretInput>) {
        if let Some(input) = secret {
            return self.edit_secret(input, key);
        }
        self.is_typing_secret = false;
        let is_plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        match key.code {
            KeyCode::Char(character) if is_plain && (character != ' ' || !self.typed.is_empty()) => {
                self.flush_pressed();
                self.typed.push(character);
            }
            _ => {
                self.flush_typed();
                match &mut self.pressed {
                    Some((last, count)) if *last == key => *count += 1,
                    _ => {
                        self.flush_pressed();
                        self.pressed = Some((key, 1));
                    }
                }
            }
        }
    }

    /// Writes a click or a step of the wheel. Returns the event that the tape causes, or `None` if a tape can't hold it.
    fn mouse(&mut self, event: MouseEvent, app: &App, frame: &Buffer) -> Option<MouseEvent> {
        let is_down = event.kind == MouseEventKind::ScrollDown;
        if is_down || event.kind == MouseEventKind::ScrollUp {
            self.flush();
            let _ = writeln!(self.lines, "#: wheel {}", if is_down { "down" } else { "up" });
            return Some(wheel_event(is_down, self.pointer, frame));
        }
        let click = clicks::tape_click(app, frame, event)?;
        self.flush();
        self.is_typing_secret = false;
        let _ = writeln!(self.lines, "{}", click.line);
        self.pointer = Some(Position { x: click.event.column, y: click.event.row });
        Some(click.event)
    }

    /// Writes a paste. `secret` is the input that it goes to if the text is a secret there.
    fn paste(&mut self, text: &str, secret: Option<SecretInput>) {
        self.flush();
        // Whatever the input is, this text is a secret.
        let has_secret = text.contains(SECRET_MEMBER);
        let file = has_secret.then_some(SecretInput { kind: SecretKind::File, has_text: false });
        if let Some(input) = secret.or(file) {
            return self.write_secret(input);
        }
        self.is_typing_secret = false;
        let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
        // No input keeps other control characters, and a tape can't hold them.
        text.retain(|character| !character.is_control() || matches!(character, '\n' | '\t'));
        if text.contains('\n') {
            for part in without_variables(&text) {
                let _ = writeln!(self.lines, "#: paste \"{}\"", escaped(part));
            }
        } else {
            for part in quoted(&text) {
                let _ = writeln!(self.lines, "Copy {part}\nPaste");
            }
        }
    }

    /// Handles a key that edits a secret.
    fn edit_secret(&mut self, input: SecretInput, key: KeyEvent) {
        self.flush();
        let changes = match Edit::from_key(key) {
            Some(Edit::Insert(_) | Edit::Newline) => true,
            Some(Edit::Delete(_) | Edit::Cut(_)) => input.has_text,
            _ => false,
        };
        if changes {
            self.write_secret(input);
        }
    }

    /// Writes a variable in place of a secret. All edits until the focus leaves the input belong to it.
    fn write_secret(&mut self, input: SecretInput) {
        let is_continued = std::mem::replace(&mut self.is_typing_secret, input.kind != SecretKind::File);
        // No key deletes a multiline text. A variable stands for it already, and for its edits.
        let is_known = is_continued || input.kind == SecretKind::Text && input.has_text;
        if is_known && input.kind != SecretKind::File {
            return;
        }
        if input.has_text {
            self.lines.push_str("Ctrl+U\n");
        }
        let number = self.secrets.len() + 1;
        self.secrets.push(format!("XKS_TAPE_SECRET_{number}"));
        // A text that can have several lines is pasted.
        let command = if input.kind == SecretKind::Line { "Type" } else { "#: paste" };
        let _ = writeln!(self.lines, "{command} \"${{secret_{number}}}\"");
    }

    /// Takes a screenshot and returns its name.
    fn screenshot(&mut self) -> String {
        self.flush();
        self.screenshots += 1;
        let plain =
            |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
        let slug: String = self.title.chars().map(plain).collect();
        let slug = slug.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let name = format!("{:02}-{slug}.png", self.screenshots);
        let _ = writeln!(self.lines, "Screenshot \"{name}\"");
        name
    }

    fn step(&mut self) {
        self.flush();
        let title = self.title.replace('"', "'");
        let _ = writeln!(self.lines, "\n#: step \"{title}\"");
    }

    fn flush(&mut self) {
        self.flush_typed();
        self.flush_pressed();
    }

    fn flush_typed(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        for part in quoted(&typed) {
            let _ = writeln!(self.lines, "Type {part}");
        }
    }

    fn flush_pressed(&mut self) {
        let Some((key, count)) = self.pressed.take() else { return };
        let label = key_label(key);
        let count = if count > 1 { format!(" {count}") } else { String::new() };
        let line = format!("{label}{count}");
        if Tape::check_vhs(&line).is_empty() {
            let _ = writeln!(self.lines, "{line}");
        } else {
            let _ = writeln!(self.lines, "#: key {line}");
        }
    }
}

/// Returns the parts of `text` so that none of them refers to a variable.
fn without_variables(text: &str) -> Vec<&str> {
    if names_in(text).is_empty() {
        return vec![text];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for (found, _) in text.match_indices("${") {
        parts.push(&text[start..=found]);
        start = found + 1;
    }
    parts.push(&text[start..]);
    parts
}

/// Returns `text` with the escapes of `#: paste`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
}

/// Returns `text` in quotes, in several parts if it contains all kinds of quotes or refers to a variable.
fn quoted(text: &str) -> Vec<String> {
    without_variables(text).into_iter().flat_map(quoted_parts).collect()
}

fn quoted_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let quote_for = |part: &str| ['"', '\'', '`'].into_iter().find(|quote| !part.contains(*quote));
    for character in text.chars() {
        part.push(character);
        if quote_for(&part).is_none() {
            part.pop();
            parts.push(std::mem::take(&mut part));
            part.push(character);
        }
    }
    parts.push(part);
    let quoted = parts.into_iter().filter(|part| !part.is_empty());
    quoted.filter_map(|part| quote_for(&part).map(|quote| format!("{quote}{part}{quote}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::tape::{ConsoleDriver, play};

    const LINE: SecretInput = SecretInput { kind: SecretKind::Line, has_text: false };

    fn press(writer: &mut TapeWriter, code: KeyCode, modifiers: KeyModifiers) {
        writer.key(KeyEvent::new(code, modifiers), None);
    }

    fn edit(writer: &mut TapeWriter, code: KeyCode, input: SecretInput) {
        writer.key(KeyEvent::new(code, KeyModifiers::NONE), Some(input));
    }

    fn type_text(writer: &mut TapeWriter, text: &str, secret: Option<SecretInput>) {
        text.chars()
            .for_each(|character| writer.key(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE), secret));
    }

    /// Returns the texts that the tape types and pastes.
    fn played(tape: &str) -> String {
        struct Keys(String);
        impl ConsoleDriver for Keys {
            fn press(&mut self, key: KeyEvent) {
                self.0.extend(key.code.as_char());
            }
            fn paste(&mut self, text: &str) {
                self.0.push_str(text);
            }
            fn advance(&mut self, _: SignedDuration) {}
            fn settle(&mut self) {}
            fn frame(&self) -> ratatui::buffer::Buffer {
                ratatui::buffer::Buffer::default()
            }
            fn next_deadline(&self) -> Option<SignedDuration> {
                None
            }
        }
        let mut keys = Keys(String::new());
        play(&Tape::parse("t.tape", tape).unwrap(), &mut keys, &mut |_, _| Ok(())).unwrap();
        keys.0
    }

    #[test]
    fn keys_become_a_tape_that_vhs_accepts() {
        let mut writer = TapeWriter::new("#: world default\n", (80, 24));
        writer.wait_for_title("External key stores", SignedDuration::ZERO);
        press(&mut writer, KeyCode::Down, KeyModifiers::NONE);
        press(&mut writer, KeyCode::Down, KeyModifiers::NONE);
        press(&mut writer, KeyCode::Char(' '), KeyModifiers::NONE);
        type_text(&mut writer, "a b", None);
        press(&mut writer, KeyCode::Char('n'), KeyModifiers::CONTROL);
        press(&mut writer, KeyCode::F(2), KeyModifiers::NONE);
        press(&mut writer, KeyCode::Home, KeyModifiers::NONE);
        press(&mut writer, KeyCode::BackTab, KeyModifiers::SHIFT);
        writer.wait_for_title("Who? (a/b)", SignedDuration::from_secs(20));
        assert_eq!(writer.screenshot(), "01-who-a-b.png");
        type_text(&mut writer, "say \"it's\" `so`", None);
        writer.flush();
        let text = writer.text();
        assert_eq!(
            text,
            "#: world default\n#: size 80x24\nWait+Screen /External key stores/\nDown 2\nSpace\nType \"a b\"\nCtrl+N\n\
             #: key F2\n#: key Home\nShift+Tab\nWait+Screen@5m /Who\\? \\(a\\/b\\)/\nScreenshot \"01-who-a-b.png\"\n\
             Type `say \"it's\" `\nType \"`so`\"\n"
        );
        Tape::parse("t.tape", &text).unwrap();
    }

    #[test]
    fn secrets_become_variables() {
        let mut writer = TapeWriter::new("", (80, 24));
        type_text(&mut writer, "hunter2", Some(LINE));
        press(&mut writer, KeyCode::Tab, KeyModifiers::NONE);
        writer.paste("hunter3", Some(LINE));
        writer.flush();
        let text = writer.text();
        assert!(!text.contains("hunter"), "{text}");
        assert!(text.contains("#: let secret_1 $XKS_TAPE_SECRET_1\n#: let secret_2 $XKS_TAPE_SECRET_2\n"), "{text}");
        assert!(text.ends_with("Type \"${secret_1}\"\nTab\nType \"${secret_2}\"\n"), "{text}");
        Tape::parse("t.tape", &text).unwrap();
    }

    #[test]
    fn edited_secret_is_one_variable_until_the_focus_leaves_it() {
        let mut writer = TapeWriter::new("", (80, 24));
        let filled = SecretInput { has_text: true, ..LINE };
        edit(&mut writer, KeyCode::Home, LINE);
        edit(&mut writer, KeyCode::Backspace, LINE);
        edit(&mut writer, KeyCode::Char(' '), LINE);
        for code in [KeyCode::Backspace, KeyCode::Char('x'), KeyCode::Left, KeyCode::Delete, KeyCode::Char(' ')] {
            edit(&mut writer, code, filled);
        }
        writer.screenshot();
        writer.paste("hunter2", Some(filled));
        writer.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL), Some(filled));
        edit(&mut writer, KeyCode::Char('y'), LINE);
        press(&mut writer, KeyCode::Tab, KeyModifiers::NONE);
        press(&mut writer, KeyCode::BackTab, KeyModifiers::SHIFT);
        edit(&mut writer, KeyCode::Right, filled);
        press(&mut writer, KeyCode::Char('n'), KeyModifiers::CONTROL);
        edit(&mut writer, KeyCode::Backspace, filled);
        press(&mut writer, KeyCode::Enter, KeyModifiers::NONE);
        writer.flush();
        assert_eq!(
            writer.lines,
            "Type \"${secret_1}\"\nScreenshot \"01-.png\"\nTab\nShift+Tab\nCtrl+N\nCtrl+U\nType \"${secret_2}\"\nEnter\n"
        );
        Tape::parse("t.tape", &writer.text()).unwrap();
    }

    #[test]
    fn secret_of_several_lines_is_pasted() {
        let mut writer = TapeWriter::new("", (80, 24));
        let empty = SecretInput { kind: SecretKind::Text, has_text: false };
        let filled = SecretInput { has_text: true, ..empty };
        edit(&mut writer, KeyCode::Char('a'), empty);
        edit(&mut writer, KeyCode::Enter, filled);
        press(&mut writer, KeyCode::Tab, KeyModifiers::NONE);
        press(&mut writer, KeyCode::BackTab, KeyModifiers::SHIFT);
        edit(&mut writer, KeyCode::Char('b'), filled);
        writer.flush();
        assert_eq!(writer.lines, "#: paste \"${secret_1}\"\nTab\nShift+Tab\n");
    }

    #[test]
    fn pasted_configuration_file_is_a_secret_in_every_input() {
        let mut writer = TapeWriter::new("", (80, 24));
        let file = "{\n\"RawSecretAccessKey\": \"hunter2\"}";
        writer.paste(file, None);
        writer.paste(file, Some(SecretInput { kind: SecretKind::File, has_text: false }));
        type_text(&mut writer, "/a", None);
        writer.flush();
        assert_eq!(writer.lines, "#: paste \"${secret_1}\"\n#: paste \"${secret_2}\"\nType \"/a\"\n");
    }

    #[test]
    fn text_that_looks_like_a_variable_stays_text() {
        let text = "a ${name} $${other} ${aws:username}";
        let mut writer = TapeWriter::new("", (80, 24));
        type_text(&mut writer, text, None);
        writer.paste(text, None);
        writer.paste(&format!("{text}\n{text}"), None);
        writer.flush();
        assert_eq!(played(&writer.text()), format!("{text}{text}{text}\n{text}"));
    }

    #[test]
    fn pasted_lines_are_pasted_at_once() {
        for (pasted, line) in [
            ("one\rtwo", "#: paste \"one\\ntwo\"\n"),
            ("one\r\ntwo\n", "#: paste \"one\\ntwo\\n\"\n"),
            ("\"a\"\t\\\n", "#: paste \"\\\"a\\\"\\t\\\\\\n\"\n"),
            ("one\u{7}", "Copy \"one\"\nPaste\n"),
        ] {
            let mut writer = TapeWriter::new("", (80, 24));
            writer.paste(pasted, None);
            assert_eq!(writer.lines, line);
            let text = pasted.replace("\r\n", "\n").replace('\r', "\n").replace('\u{7}', "");
            assert_eq!(played(&writer.text()), text);
        }
    }

    #[test]
    fn checking_the_file_neither_creates_nor_truncates_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.tape");
        let file = TapeFile::check(&path, false).unwrap();
        assert!(!path.exists());
        // A file that appears meanwhile is kept.
        fs::write(&path, "Enter\n").unwrap();
        assert!(file.create().unwrap_err().to_string().contains("use --force"));
        assert!(TapeFile::check(&path, false).is_err());
        let file = TapeFile::check(&path, true).unwrap();
        file.create().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "Enter\n");
        file.write("Tab\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "Tab\n");
        assert!(TapeFile::check(directory.path(), true).is_err());
        assert!(TapeFile::check(&directory.path().join("none/demo.tape"), false).is_err());
    }

    #[test]
    fn failed_start_leaves_the_files_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old.tape", "new.tape"].map(|name| directory.path().join(name));
        fs::write(&old, "Enter\n").unwrap();
        for path in [&old, &new] {
            let settings = PlayerSettings { world: "no such world".to_owned(), ..PlayerSettings::new((80, 24)) };
            assert!(matches!(record(settings, Appearance::default(), path, true), Err(RecordError::Player(_))));
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "Enter\n");
        assert!(!new.exists());
    }
}
