//! The program in a pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const TIMEOUT: Duration = Duration::from_secs(30);
/// How many boxes can be beside each other on the screen, with the gaps between them.
const MAX_BOXES: usize = 8;

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

pub struct Console {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    output: mpsc::Receiver<Vec<u8>>,
    /// The screen as a terminal shows it.
    screen: vt100::Parser,
    /// All output so far.
    written: Vec<u8>,
    pty: Box<dyn portable_pty::MasterPty + Send>,
}

impl Console {
    fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, (80, 24), &[])
    }

    fn start_with(data_dir: &Path, size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        Self::run(&["--data-dir", data_dir.to_str().unwrap()], data_dir, size, environment)
    }

    /// Starts the program with these arguments. It keeps its preferences in `home`, and `environment` is its only AWS
    /// configuration.
    pub fn run(arguments: &[&str], home: &Path, size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_xks-console"));
        command.args(arguments);
        command.cwd(home);
        Self::spawn(command, home, size, environment)
    }

    /// Runs a shell script in which `$XKS` is the path of the program.
    pub fn shell(script: &str, home: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script]);
        command.env("XKS", env!("CARGO_BIN_EXE_xks-console"));
        Self::spawn(command, home, (100, 30), environment)
    }

    fn spawn(mut command: CommandBuilder, home: &Path, size: (u16, u16), environment: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(pty_size(size)).unwrap();
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("XKS_CONSOLE_"))
        {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env_remove("XDG_DATA_HOME");
        // The home directory is also where the program starts if `home` isn't a directory.
        if home.is_dir() {
            command.env("HOME", home);
        }
        command.env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_STATE_HOME", home.join("state"));
        command.env("LC_ALL", "C.UTF-8");
        for name in [
            "NO_COLOR",
            "ACCESSIBLE",
            "TMUX",
            "STY",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "SSH_CONNECTION",
            "SSH_CLIENT",
            "SSH_TTY",
        ] {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let cells = |count| NonZeroU16::new(count).unwrap();
        let screen = vt100::Parser::new(cells(size.1), cells(size.0), 0);
        let writer = pty.master.take_writer().unwrap();
        Self { child, writer, output, screen, written: Vec::new(), pty: pty.master }
    }

    /// Returns the lines of the screen without trailing spaces.
    fn lines(&self) -> Vec<String> {
        self.text().lines().map(|line| line.trim_end().to_owned()).collect()
    }

    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads output of the program for up to `time`. Returns whether there was any.
    pub fn read(&mut self, time: Duration) -> bool {
        let Ok(bytes) = self.output.recv_timeout(time) else { return false };
        self.screen.process(&bytes);
        self.written.extend(bytes);
        true
    }

    /// Reads output until the screen shows `text`.
    pub fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + TIMEOUT;
        while !self.text().contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.read(left), "\"{text}\" did not appear:\n{}", self.text());
        }
    }

    /// Reads output until the screen shows `text`, ignoring line breaks and what is beside it in other boxes.
    pub fn wait_for_wrapped(&mut self, text: &str) {
        let deadline = Instant::now() + TIMEOUT;
        let unwrap_lines = |screen: &str| screen.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let boxes_of = |screen: &str, index: usize| {
            let parts: Vec<&str> = screen.lines().filter_map(|line| line.split('│').nth(index)).collect();
            unwrap_lines(&parts.join(" "))
        };
        let shows = |screen: &str| {
            unwrap_lines(screen).contains(text) || (0..MAX_BOXES).any(|index| boxes_of(screen, index).contains(text))
        };
        while !shows(&self.text()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.read(left), "\"{text}\" did not appear:\n{}", self.text());
        }
    }

    /// Reads output until the screen no longer shows `text`.
    pub fn wait_until_gone(&mut self, text: &str) {
        let deadline = Instant::now() + TIMEOUT;
        while self.text().contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(self.read(left), "\"{text}\" did not disappear:\n{}", self.text());
        }
    }

    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.screen.screen_mut().set_size(NonZeroU16::new(size.1).unwrap(), NonZeroU16::new(size.0).unwrap());
        self.pty.resize(pty_size(size)).unwrap();
    }

    /// Goes from the first page to the first step of the wizard.
    fn open_wizard(&mut self) {
        self.wait_for("Frankfurt HSM");
        // The key policy needs the account ID.
        self.wait_for("111122223333");
        self.send("\x1b[B\r");
        self.wait_for("General configuration");
        self.send("\r");
        self.wait_for("External key ID");
    }

    /// Goes from the first page to the last step of the wizard and fills in every step.
    pub fn go_to_review(&mut self) {
        self.open_wizard();
        self.send("payments-2026\t \x0e");
        self.wait_for("Add alias");
        self.send("payments\x0e");
        self.wait_for("Add tags");
        self.send("\x0e");
        self.wait_for("administrative permissions");
        self.send("\x0e");
        self.wait_for("usage permissions");
        self.send("\x0e");
        self.wait_for("Edit key policy");
        self.send("\x0e");
        self.wait_for("Step 7 of 7 · Review");
    }

    pub fn create_key(&mut self) {
        self.go_to_review();
        self.send("\x0e");
        self.wait_for("Success");
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the program to exit and returns its exit code and all output.
    pub fn wait_for_exit(mut self) -> (u32, String) {
        let code = self.child.wait().unwrap().exit_code();
        // The reader doesn't end while the terminal is open.
        drop(self.writer);
        drop(self.pty);
        while let Ok(bytes) = self.output.recv_timeout(TIMEOUT) {
            self.written.extend(bytes);
        }
        (code, String::from_utf8_lossy(&self.written).into_owned())
    }

    fn has_cell(&self, predicate: impl Fn(&vt100::Cell) -> bool) -> bool {
        let (rows, columns) = self.screen.screen().size();
        (0..rows.get())
            .any(|row| (0..columns.get()).any(|column| self.screen.screen().cell(row, column).is_some_and(&predicate)))
    }
}

#[test]
fn created_key_survives_a_kill_right_after_success() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.create_key();
    // Kills the console as soon as it shows the success message.
    console.kill();
    let mut console = Console::start(dir.path());
    console.wait_for("Frankfurt HSM");
    console.send("\t\x1b[A\x1b[A\r");
    console.wait_for("Customer managed keys (7)");
    console.wait_for("payments");
    console.send("\x03");
    let status = console.child.wait().unwrap();
    assert!(status.success());
}

#[test]
fn focus_is_visible_without_colors() {
    let dir = tempfile::tempdir().unwrap();
    let has_color = |cell: &vt100::Cell| cell.fgcolor() != vt100::Color::Default;
    let mut console = Console::start(dir.path());
    console.open_wizard();
    assert!(console.has_cell(has_color));
    console.kill();
    let mut console = Console::start_with(dir.path(), (80, 24), &[("NO_COLOR", "1")]);
    console.wait_for("Frankfurt HSM");
    assert!(console.has_cell(vt100::Cell::inverse) && console.has_cell(vt100::Cell::bold));
    console.open_wizard();
    assert!(console.has_cell(vt100::Cell::inverse) && console.has_cell(vt100::Cell::dim));
    assert!(!console.has_cell(has_color));
    // No escape sequence may set or reset a color.
    let written = String::from_utf8_lossy(&console.written).into_owned();
    for sequence in written.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m').map(|(numbers, _)| numbers)) {
        let numbers: Vec<&str> = sequence.split([';', ':']).collect();
        let is_color = |number: &&str| matches!(number.parse(), Ok(30..=49 | 58 | 59 | 90..=107));
        assert!(!numbers.iter().any(is_color), "{sequence:?}");
    }
    console.kill();
}

#[test]
fn locale_without_utf_8_uses_only_ascii() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start_with(dir.path(), (80, 24), &[("LC_ALL", "C")]);
    console.wait_for("> Dublin HSM");
    console.open_wizard();
    console.send("payments-2026\t");
    console.wait_for("|payments-2026");
    console.kill();
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start_with(dir.path(), (80, 24), &[("LC_ALL", ""), ("LANG", "de_DE.ISO-8859-1")]);
    console.open_wizard();
    assert!(console.written.is_ascii(), "{}", console.text());
    console.kill();
}

#[test]
fn dumb_terminal_is_rejected_with_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let (code, written) = Console::start_with(dir.path(), (80, 24), &[("TERM", "dumb")]).wait_for_exit();
    assert_eq!(code, 2, "{written}");
    assert!(written.contains("needs a full-screen terminal") && !written.contains("\x1b[?1049h"), "{written}");
}

#[test]
fn wide_graphemes_leave_nothing_on_the_next_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start_with(dir.path(), (80, 24), &[]);
    console.open_wizard();
    console.send("payments-2026\t \x0e");
    console.wait_for("Add alias");
    console.send("payments\t");
    // The terminal of this test draws each code point of these graphemes separately.
    console.send("\x1b[200~👩‍👩‍👧 🇩🇪🇫🇷 ☺️ नमस्ते end\x1b[201~");
    console.wait_for("end");
    console.send("\x0e");
    console.wait_for("Add tags");
    let before = console.lines();
    console.send("\x0c");
    while console.read(Duration::from_millis(500)) {}
    assert_eq!(before, console.lines(), "a full redraw must not change the screen");
    console.kill();
}

/// Writes a program that records its arguments and input in a `.given` file and exits with `status`.
fn write_fake_program(folder: &Path, name: &str, status: u8) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; cat; }} > {}.given\nexit {status}\n", path.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Copies the ID of a key store with these programs and environment variables, and waits for `message`. Returns the
/// output of the console and what each program received.
fn copy_key_store_id(
    programs: &[(&str, u8)],
    variables: &[(&str, &str)],
    message: &str,
) -> (String, Vec<Option<String>>) {
    let dir = tempfile::tempdir().unwrap();
    programs.iter().for_each(|(name, status)| write_fake_program(dir.path(), name, *status));
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    let variables = [variables, &[("PATH", &path)]].concat();
    let mut console = Console::start_with(dir.path(), (80, 24), &variables);
    console.wait_for("Frankfurt HSM");
    console.send("\x1b[B\r");
    console.wait_for("General configuration");
    console.send("\t\t\t\r");
    console.wait_for(message);
    let written = String::from_utf8_lossy(&console.written).into_owned();
    console.kill();
    let given = |(name, _): &(&str, u8)| std::fs::read_to_string(dir.path().join(format!("{name}.given"))).ok();
    (written, programs.iter().map(given).collect())
}

#[test]
fn copy_message_names_the_clipboard_that_was_used() {
    const TOOLS: [(&str, u8); 3] = [("wl-copy", 0), ("xclip", 0), ("tmux", 0)];
    let is_sent = |written: &str| written.contains("\x1b]52;c;");
    // No clipboard except that of the terminal.
    let (written, given) = copy_key_store_id(&TOOLS, &[], "sent to the terminal's clipboard");
    assert!(written.contains("\x1b]52;c;Y2tzL") && given == [None, None, None], "{given:?}");
    // A local desktop.
    let (written, given) = copy_key_store_id(&TOOLS, &[("WAYLAND_DISPLAY", "wayland-0")], "is on the clipboard");
    assert!(!is_sent(&written) && given[0].as_ref().unwrap().starts_with("\ncks-"), "{given:?}");
    let (written, given) =
        copy_key_store_id(&[("wl-copy", 1), ("xclip", 0)], &[("DISPLAY", ":0")], "is on the clipboard");
    assert!(!is_sent(&written), "{given:?}");
    assert!(given[1].as_ref().unwrap().starts_with("-selection clipboard\ncks-"), "{given:?}");
    // A remote desktop.
    let over_ssh = [("DISPLAY", ":0"), ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")];
    let (written, given) = copy_key_store_id(&TOOLS, &over_ssh, "sent to the terminal's clipboard");
    assert!(is_sent(&written) && given == [None, None, None], "{given:?}");
    // tmux, and a version of tmux that fails.
    let (written, given) = copy_key_store_id(&TOOLS, &[("TMUX", "/tmp/tmux,1,0")], "in tmux's paste buffer");
    assert!(!is_sent(&written) && given[2].as_ref().unwrap().starts_with("load-buffer -w -\ncks-"), "{given:?}");
    let (written, _) =
        copy_key_store_id(&[("tmux", 1)], &[("TMUX", "/tmp/tmux,1,0")], "sent to the terminal's clipboard");
    assert!(written.contains("\x1bPtmux;\x1b\x1b]52;c;"), "{written}");
    // GNU Screen.
    let (written, _) = copy_key_store_id(&[], &[("STY", "1.pts")], "sent to the terminal's clipboard");
    assert!(written.contains("\x1bP\x1b]52;c;"), "{written}");
}

#[test]
fn value_can_be_shown_in_full_and_saved_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.wait_for("Frankfurt HSM");
    console.send("\x1b[B\r");
    console.wait_for("General configuration");
    console.send("\t\t\t\r");
    console.wait_for("[v] Show all");
    console.send("v");
    console.wait_until_gone("General configuration");
    assert!(console.text().starts_with("cks-"), "{}", console.text());
    console.send("s");
    console.wait_for("Saved to");
    let saved = std::fs::read_to_string(dir.path().join("custom-key-store-id.txt")).unwrap();
    assert!(saved.starts_with("cks-"), "{saved}");
    console.kill();
}

#[test]
fn ctrl_l_redraws_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.wait_for("Frankfurt HSM");
    console.wait_for("111122223333");
    while console.read(Duration::from_millis(500)) {}
    let before = console.lines();
    // Another program writes to the terminal.
    console.screen.process(b"\x1b[3;1Hgarbage\x1b[5;10Hgarbage");
    console.send("\x0c");
    console.wait_until_gone("garbage");
    while console.read(Duration::from_millis(500)) {}
    assert_eq!(console.lines(), before);
    console.kill();
}

#[test]
fn pasted_line_breaks_do_not_act_as_enter() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.open_wizard();
    console.send("\x1b[200~payments-2026\r\n\x1b[201~");
    console.wait_for("payments-2026");
    console.send("\t");
    console.wait_for("Press Space to select");
    assert!(console.text().contains("Step 1 of 7 · Configure key"), "{}", console.text());
    console.kill();
}

#[test]
fn console_follows_terminal_resizes() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start_with(dir.path(), (200, 60), &[]);
    console.open_wizard();
    console.send("payments-2026");
    console.wait_for("payments-2026");
    for (size, text) in
        [((60, 20), "Step 1 of 7"), ((12, 3), "Enlarge to"), ((200, 60), "[ Next ]"), ((80, 24), "payments-2026")]
    {
        console.resize(size);
        console.wait_for(text);
    }
    console.kill();
}

/// Returns the number of context switches of all threads of a process.
#[cfg(target_os = "linux")]
fn context_switches(process: u32) -> u64 {
    let mut switches = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
        switches += counts.map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()).sum::<u64>();
    }
    switches
}

#[test]
#[cfg(target_os = "linux")]
fn idle_console_does_not_wake_up_or_write() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.open_wizard();
    let process = console.child.process_id().unwrap();
    // Lists may still be loading at first. After that, the console must become idle.
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let before = context_switches(process);
        if !console.read(Duration::from_secs(1)) && context_switches(process) == before {
            break;
        }
        assert!(Instant::now() < deadline, "the console did not become idle");
    }
    console.kill();
}

#[test]
fn signals_exit_the_console_and_restore_the_terminal() {
    for (signal, expected) in [("-TERM", 143), ("-HUP", 129)] {
        let dir = tempfile::tempdir().unwrap();
        let mut console = Console::start(dir.path());
        console.open_wizard();
        let process = console.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &process]).status().unwrap().success());
        let (code, written) = console.wait_for_exit();
        assert_eq!(code, expected);
        assert!(written.rfind("\x1b[?1049l") > written.rfind("\x1b[?1049h"), "{written:?}");
    }
}

#[test]
fn startup_error_is_printed_on_the_main_screen() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let (code, written) = Console::start(&file).wait_for_exit();
    assert_eq!(code, 1);
    let error = written.find("couldn't use the data directory").unwrap_or_else(|| panic!("{written:?}"));
    assert!(written.rfind("\x1b[?1049l").is_none_or(|left| left < error), "{written:?}");
}

#[test]
fn without_a_terminal_the_console_exits_with_code_2() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("terminal"));
}

#[test]
fn changes_by_another_process_appear_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.wait_for("Frankfurt HSM");
    console.send("\t\x1b[B\r");
    console.wait_for("external keys (16)");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .args(["proxy", "create-key", "--partition", "oslo", "--id", "a-key-of-the-shell", "--data-dir"])
        .arg(dir.path())
        .env("XDG_CONFIG_HOME", dir.path().join("config"))
        .status();
    assert!(status.unwrap().success());
    console.wait_for("external keys (17)");
    console.wait_for("a-key-of-the-shell");
    console.kill();
}

#[test]
fn console_resumes_after_ctrl_z_in_a_shell_with_job_control() {
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new("bash");
    command.args(["--norc", "--noprofile", "-i"]);
    command.cwd(home.path());
    command.env("XKS", env!("CARGO_BIN_EXE_xks-console"));
    command.env("LC_ALL", "C.UTF-8");
    let mut shell = Console::spawn(command, home.path(), (80, 24), &[("PS1", "ready> ")]);
    shell.send("PS1='ready> '; \"$XKS\" --data-dir account\r");
    shell.wait_for("Frankfurt HSM");
    for stop in ["\x1a", "kill", "\x1a"] {
        if stop == "kill" {
            // Sends the signal to the whole process group, as a terminal does.
            let id = shell.pty.process_group_leader().unwrap();
            let group = rustix::process::Pid::from_raw(id).unwrap();
            rustix::process::kill_process_group(group, rustix::process::Signal::TSTP).unwrap();
        } else {
            shell.send(stop);
        }
        shell.wait_for("Stopped");
        shell.send("clear\r");
        shell.wait_until_gone("Stopped");
        shell.send("fg\r");
        shell.wait_for("Frankfurt HSM");
        // The console draws and accepts keys again.
        shell.send("?");
        shell.wait_for("╭ Keyboard shortcuts");
        shell.send("\x1b");
        shell.wait_until_gone("╭ Keyboard shortcuts");
    }
    shell.send("\x03");
    let deadline = Instant::now() + TIMEOUT;
    while !shell.text().trim_end().ends_with("ready>") {
        assert!(shell.read(deadline.saturating_duration_since(Instant::now())), "{}", shell.text());
    }
    shell.send("echo status-$?\r");
    shell.wait_for("status-0");
    shell.kill();
}

#[test]
fn only_ctrl_c_works_when_the_terminal_is_too_small() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path());
    console.wait_for("Frankfurt HSM");
    console.resize((59, 20));
    console.wait_for("Enlarge to 60x20");
    console.send("d\rC");
    // A resize can overtake keys that the console hasn't read yet.
    std::thread::sleep(Duration::from_millis(500));
    console.resize((80, 24));
    console.wait_for("Frankfurt HSM");
    assert!(!console.text().contains("Disconnect the") && !console.text().contains("Create external key store\n"));
    console.resize((30, 8));
    console.wait_for("Enlarge to 60x20");
    console.send("\x03");
    assert!(console.child.wait().unwrap().success());
}

#[test]
fn open_shows_the_page_of_a_key_or_a_key_store() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let run = |name: &str| {
        let arguments = ["open", name, "--data-dir", data.to_str().unwrap()];
        Console::run(&arguments, home.path(), (80, 24), &[])
    };
    let mut console = run("customer-db");
    console.wait_for("Customer managed keys ›");
    console.wait_for("Alias          customer-db");
    console.send("\x1b");
    console.wait_for("Customer managed keys (");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
    let mut console = run("Frankfurt HSM");
    console.wait_for("External key stores › Frankfurt HSM");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
    let mut console = run("nobody");
    console.wait_for("There is no KMS key");
    assert_eq!(console.wait_for_exit().0, 1);
}
