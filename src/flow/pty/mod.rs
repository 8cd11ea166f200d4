//! The program in a pseudo-terminal, driven by a tape.
//!
//! A [`Player`](super::player::Player) doesn't use the terminal. A [`PtyConsole`] does: the program sets raw mode, decodes
//! the bytes of the keys, and writes escape sequences, which a terminal emulator turns into the screen. Its clock is the
//! system's.

mod keys;
mod screen;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::SignedDuration;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use ratatui::buffer::Buffer;
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::keys::{ESCAPE, key_bytes, mouse_report, paste_bytes};
use self::screen::screen_buffer;
use crate::bundled::{BundledAws, OpenError};
use crate::client::Client;
use crate::environment::Clock;
use crate::flow::tape::{AwsAccess, ConsoleDriver, Fault, Unsupported};
use crate::in_process;
use crate::xks::network::{ConnectTo, Network};

/// The program has settled when it has written nothing for this long.
const QUIET: Duration = Duration::from_millis(60);
/// After Escape, the program has settled when it has written nothing for this long, because it waits for the rest of an
/// escape sequence first.
const QUIET_AFTER_ESCAPE: Duration = Duration::from_millis(250);
/// The maximum time that a program can take to settle.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// The maximum time to wait for the first output of a program.
const START_LIMIT: Duration = Duration::from_secs(10);
/// The time between two checks of the screen while a tape waits.
const POLL_INTERVAL: SignedDuration = SignedDuration::from_millis(50);
/// The time between two checks for output while the program settles.
const SETTLE_INTERVAL: Duration = Duration::from_millis(5);

/// The reason why a program can't be played in a pseudo-terminal.
#[derive(Debug, thiserror::Error)]
pub enum PtyError {
    /// The size has no columns or no rows.
    #[error("a terminal of {columns}x{rows} is too small; it must have at least one column and one row")]
    Size {
        /// The number of columns.
        columns: u16,
        /// The number of rows.
        rows: u16,
    },
    /// The temporary directory couldn't be created.
    #[error("couldn't create a temporary directory: {0}")]
    Directory(#[source] std::io::Error),
    /// The pseudo-terminal couldn't be opened or resized.
    #[error("couldn't use a pseudo-terminal: {0}")]
    Terminal(String),
    /// The program couldn't be started.
    #[error("couldn't start {}: {reason}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The account couldn't be created.
    #[error(transparent)]
    Account(#[from] OpenError),
    /// The CA certificates of the proxy can't be used.
    #[error("couldn't load the CA certificates: {0}")]
    ProxyCa(String),
    /// The runtime couldn't be created.
    #[error("couldn't create the runtime of the client: {0}")]
    Runtime(#[source] std::io::Error),
}

/// The program to run, and its terminal.
#[derive(Clone, Debug)]
pub struct PtySettings {
    /// The path of the program, usually that of [`std::env::current_exe`].
    pub program: PathBuf,
    /// The arguments of the program.
    pub arguments: Vec<OsString>,
    /// The columns and rows of the terminal.
    pub size: (u16, u16),
    /// Environment variables of the program, in addition to `PATH`, `HOME`, `SHELL`, `TERM`, `COLORTERM`, and `LANG`.
    pub environment: Vec<(OsString, OsString)>,
}

/// The AWS of the program, for expectations: a client of the same account.
#[derive(Debug)]
pub struct PtyAws {
    /// The client.
    pub client: Client,
    /// The runtime on which the client sends its requests.
    pub runtime: Runtime,
}

/// A program that runs in a pseudo-terminal.
///
/// The program ends when the value is dropped.
pub struct PtyConsole {
    child: Box<dyn Child + Send + Sync>,
    /// The exit code of the program, if it had exited when the console last settled.
    exit_code: Option<u32>,
    terminal: Box<dyn MasterPty + Send>,
    writer: Box<dyn std::io::Write + Send>,
    /// The side of the terminal that the program uses, to find out whether it has read its input.
    program_side: Option<OwnedFd>,
    output: Arc<Mutex<Output>>,
    /// The time of the last input.
    last_input: Instant,
    /// Whether the last input ended with Escape.
    ends_with_escape: bool,
    /// The duration of the last [`settle`](ConsoleDriver::settle), unless the clock has been advanced since.
    settled_for: Duration,
    aws: Option<PtyAws>,
    /// The home directory of the program, which might contain its account.
    home: TempDir,
}

impl std::fmt::Debug for PtyConsole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PtyConsole")
            .field("child", &self.child)
            .field("exit_code", &self.exit_code)
            .finish_non_exhaustive()
    }
}

/// The output of the program.
struct Output {
    parser: vt100::Parser,
    /// The time of the last output, if there was any.
    last: Option<Instant>,
}

impl PtyConsole {
    /// Starts a program in a new pseudo-terminal and waits for its first output. `aws` is the AWS that expectations use.
    ///
    /// The program inherits no environment variables except `PATH`. `HOME` is a temporary directory, which is removed
    /// with the console. The working directory is the current directory.
    ///
    /// # Errors
    /// Returns a [`PtyError`] if the terminal can't be opened or the program can't be started.
    pub fn start(settings: PtySettings, aws: Option<PtyAws>) -> Result<Self, PtyError> {
        Self::start_in(temporary_directory()?, settings, aws)
    }

    /// Starts the console `program` on a new account with this scenario, in a terminal of `size` columns and rows.
    ///
    /// The account is in a temporary directory. Like the options `--connect-to` and `--proxy-ca`, `connect_to` and
    /// `proxy_ca` determine how external key store proxies are reached.
    ///
    /// # Errors
    /// Returns a [`PtyError`] if the account can't be created, the terminal can't be opened, or the program can't be
    /// started.
    pub fn on_bundled(
        program: PathBuf,
        scenario: &str,
        size: (u16, u16),
        connect_to: Vec<ConnectTo>,
        proxy_ca: Option<&Path>,
    ) -> Result<Self, PtyError> {
        let home = temporary_directory()?;
        let data_dir = home.path().join("account");
        let mut arguments = vec!["--data-dir".into(), data_dir.clone().into_os_string()];
        for ConnectTo { host, address } in &connect_to {
            arguments.extend(["--connect-to".into(), format!("{host}={address}").into()]);
        }
        // The path must not depend on the working directory of the program.
        let proxy_ca = proxy_ca.map(std::path::absolute).transpose();
        let proxy_ca = proxy_ca.map_err(|error| PtyError::ProxyCa(error.to_string()))?;
        if let Some(path) = &proxy_ca {
            arguments.extend(["--proxy-ca".into(), path.clone().into_os_string()]);
        }
        let network = Network::new(connect_to, proxy_ca.clone());
        network.check().map_err(PtyError::ProxyCa)?;
        let bundled = BundledAws::open_with_network(&data_dir, Some(scenario), network)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PtyError::Runtime)?;
        let aws = PtyAws { client: in_process::client(&bundled, Clock::System), runtime };
        Self::start_in(home, PtySettings { program, arguments, size, environment: Vec::new() }, Some(aws))
    }

    fn start_in(home: TempDir, settings: PtySettings, aws: Option<PtyAws>) -> Result<Self, PtyError> {
        let PtySettings { program, arguments, size, environment } = settings;
        let terminal_error = |error: &dyn std::fmt::Display| PtyError::Terminal(format!("{error:#}"));
        let (columns, rows) = nonzero(size)?;
        let pty = native_pty_system().openpty(pty_size(size)).map_err(|error| terminal_error(&error))?;
        let mut reader = pty.master.try_clone_reader().map_err(|error| terminal_error(&error))?;
        let writer = pty.master.take_writer().map_err(|error| terminal_error(&error))?;

        // The program starts in the current directory, but a relative path must not depend on that.
        let is_path = program.components().nth(1).is_some();
        let path =
            if is_path { std::path::absolute(&program).unwrap_or_else(|_| program.clone()) } else { program.clone() };
        let mut command = CommandBuilder::new(path);
        command.args(arguments);
        // Tapes name files as if they were typed in the current directory.
        command.cwd(std::env::current_dir().unwrap_or_else(|_| home.path().to_owned()));
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command);
        let child = child.map_err(|error| PtyError::Program { program, reason: format!("{error:#}") })?;
        drop(pty.slave);

        let output = Arc::new(Mutex::new(Output { parser: vt100::Parser::new(rows, columns, 0), last: None }));
        let for_reader = Arc::clone(&output);
        // The thread ends when the program has exited and the console is dropped.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = reader.read(&mut bytes)
                && count > 0
            {
                let mut output = lock(&for_reader);
                output.parser.process(&bytes[..count]);
                output.last = Some(Instant::now());
            }
        });
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        let program_side = pty.master.tty_name().and_then(|path| rustix::fs::open(path, flags, Mode::empty()).ok());
        let mut console = Self {
            child,
            exit_code: None,
            terminal: pty.master,
            writer,
            program_side,
            output,
            last_input: Instant::now(),
            ends_with_escape: false,
            settled_for: Duration::ZERO,
            aws,
            home,
        };
        console.wait_for_output();
        Ok(console)
    }

    /// Waits until the program has written something or has exited. Before that, it might not be in raw mode.
    fn wait_for_output(&mut self) {
        let deadline = Instant::now() + START_LIMIT;
        while lock(&self.output).last.is_none() && !self.check_exit() && Instant::now() < deadline {
            std::thread::sleep(SETTLE_INTERVAL);
        }
    }

    /// Whether the program had exited when the console last settled.
    pub fn has_exited(&self) -> bool {
        self.exit_code.is_some()
    }

    /// Returns the exit code of the program, if it had exited when the console last settled.
    pub fn exit_code(&self) -> Option<u32> {
        self.exit_code
    }

    /// Returns the home directory of the program.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Resizes the terminal to `size` columns and rows.
    ///
    /// # Errors
    /// Returns a [`PtyError`] if the size has no columns or no rows, or the terminal can't be resized.
    pub fn resize(&mut self, size: (u16, u16)) -> Result<(), PtyError> {
        let (columns, rows) = nonzero(size)?;
        // The program draws as soon as its terminal has another size.
        lock(&self.output).parser.screen_mut().set_size(rows, columns);
        self.last_input = Instant::now();
        self.terminal.resize(pty_size(size)).map_err(|error| PtyError::Terminal(format!("{error:#}")))
    }

    /// Checks whether the program has exited.
    fn check_exit(&mut self) -> bool {
        if self.exit_code.is_none() {
            self.exit_code = self.child.try_wait().ok().flatten().map(|status| status.exit_code());
        }
        self.exit_code.is_some()
    }

    /// Whether there is input that the program hasn't read.
    fn has_unread_input(&self) -> bool {
        let side = self.program_side.as_ref().filter(|_| self.exit_code.is_none());
        side.is_some_and(|side| rustix::io::ioctl_fionread(side).is_ok_and(|count| count > 0))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.last_input = Instant::now();
        self.ends_with_escape = bytes.ends_with(&[ESCAPE]);
        if self.exit_code.is_none() {
            // If the program has just exited, the input is lost, as in a terminal.
            let _ = self.writer.write_all(bytes).and_then(|()| self.writer.flush());
        }
    }
}

impl Drop for PtyConsole {
    fn drop(&mut self) {
        if !self.check_exit() {
            // This sends SIGHUP first, as a terminal does when its window is closed, and SIGKILL after a moment.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl ConsoleDriver for PtyConsole {
    fn press(&mut self, key: KeyEvent) {
        let bytes = key_bytes(key);
        self.send(&bytes);
        // With the bytes of the next key, the program would read a key with Alt.
        if self.ends_with_escape {
            self.settle();
        }
    }

    /// Sends the reports of a press and its release. Like a terminal, it sends nothing unless the program asked for them.
    fn mouse(&mut self, event: MouseEvent) -> Result<(), Unsupported> {
        let is_reported = {
            let output = lock(&self.output);
            let screen = output.parser.screen();
            screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
                && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
        };
        if is_reported {
            self.send(mouse_report(event).as_bytes());
        }
        Ok(())
    }

    fn paste(&mut self, text: &str) {
        let is_bracketed = lock(&self.output).parser.screen().bracketed_paste();
        self.send(paste_bytes(text, is_bracketed).as_bytes());
    }

    /// Sleeps. The time that the console took to settle before that is included.
    fn advance(&mut self, by: SignedDuration) {
        let by = Duration::try_from(by).unwrap_or_default();
        std::thread::sleep(by.saturating_sub(std::mem::take(&mut self.settled_for)));
    }

    /// Waits until the program has read its input and has written nothing for a moment.
    fn settle(&mut self) {
        // Is checked first, so that the last output of a program that has exited is on the screen afterwards.
        self.check_exit();
        let start = Instant::now();
        let deadline = start + SETTLE_LIMIT;
        let quiet_after_input = if self.ends_with_escape { QUIET_AFTER_ESCAPE } else { QUIET };
        let mut last_unread = self.last_input;
        loop {
            let now = Instant::now();
            if self.has_unread_input() {
                last_unread = now;
            }
            let quiet_after_output = lock(&self.output).last.map_or(now, |last| last + QUIET);
            let end = quiet_after_output.max(last_unread + quiet_after_input).min(deadline);
            let left = end.saturating_duration_since(now);
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(SETTLE_INTERVAL));
        }
        self.settled_for = start.elapsed();
    }

    fn frame(&self) -> Buffer {
        screen_buffer(lock(&self.output).parser.screen())
    }

    /// Returns the time until the screen should be checked again, or `None` if the program has exited.
    fn next_deadline(&self) -> Option<SignedDuration> {
        // The time that the console took to settle counts, so that a wait doesn't take longer than its timeout.
        let settled_for = SignedDuration::try_from(self.settled_for).unwrap_or_default();
        self.exit_code.is_none().then(|| POLL_INTERVAL + settled_for)
    }

    fn jump(&mut self, _by: SignedDuration) -> Result<(), Unsupported> {
        Err(Unsupported("a program in a pseudo-terminal uses the system clock, which can't be advanced".to_owned()))
    }

    fn aws(&self) -> Option<AwsAccess<'_>> {
        self.aws.as_ref().map(|aws| AwsAccess { client: &aws.client, runtime: &aws.runtime })
    }

    fn set_fault(&mut self, _fault: Option<&Fault>) -> Result<(), Unsupported> {
        Err(Unsupported(
            "faults can be simulated only with an account in memory; a program in a pseudo-terminal uses an account on disk"
                .to_owned(),
        ))
    }
}

fn temporary_directory() -> Result<TempDir, PtyError> {
    tempfile::Builder::new().prefix("xks-console-").tempdir().map_err(PtyError::Directory)
}

fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn nonzero((columns, rows): (u16, u16)) -> Result<(NonZeroU16, NonZeroU16), PtyError> {
    NonZeroU16::new(columns).zip(NonZeroU16::new(rows)).ok_or(PtyError::Size { columns, rows })
}
