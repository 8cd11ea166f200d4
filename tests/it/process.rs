//! The program itself, in a pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PATIENCE: Duration = Duration::from_secs(30);

struct Console {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    output: mpsc::Receiver<Vec<u8>>,
    screen: vt100::Parser,
    _pty: Box<dyn portable_pty::MasterPty + Send>,
}

impl Console {
    fn start(data_dir: &std::path::Path) -> Self {
        let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_xks-console"));
        command.arg("--data-dir");
        command.arg(data_dir);
        command.env("TERM", "xterm-256color");
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
        let size = |cells| std::num::NonZeroU16::new(cells).unwrap();
        let screen = vt100::Parser::new(size(24), size(80), 0);
        Self { child, writer: pty.master.take_writer().unwrap(), output, screen, _pty: pty.master }
    }

    /// Reads until the screen shows `words`.
    fn wait(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen.screen().contents().contains(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(_) => panic!("‘{words}’ never came:\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn create_key(&mut self) {
        self.wait("Frankfurt HSM");
        self.send("\x1b[B\r");
        self.wait("General configuration");
        self.send("\r");
        self.wait("1 Configure key");
        self.send("payments-2026\t \x0e");
        self.wait("Add alias");
        self.send("payments\x0e");
        self.wait("Add tags");
        self.send("\x0e");
        self.wait("administrative permissions");
        self.send("\x0e");
        self.wait("usage permissions");
        self.send("\x0e");
        self.wait("Edit key policy");
        self.send("\x0e");
        self.wait("▸ 7 Review");
        self.send("\x0e");
        self.wait("Success");
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn from_start_to_success_and_still_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    console.create_key();
    // SIGKILL right at the success message.
    console.kill();
    let mut console = Console::start(dir.path());
    console.wait("Frankfurt HSM");
    console.send("\t\x1b[A\r");
    console.wait("Customer managed keys (7)");
    console.wait("payments");
    console.send("\x03");
    let status = console.child.wait().unwrap();
    assert!(status.success());
}

#[test]
fn without_a_terminal_it_says_so_and_exits_with_2() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("terminal"));
}
