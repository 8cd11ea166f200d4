//! Serving while a command runs: `xks-console serve -- COMMAND`.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::bundled::BundledAws;
use crate::commands::note;
use crate::server::Server;
use crate::server::client_environment::ClientEnvironment;
use crate::server::profiles::{self, ServerInfo};

/// The exit code of a shell for a command that isn't found.
const EXIT_NOT_FOUND: u8 = 127;
/// The exit code of a shell for a command that can't be executed.
const EXIT_NOT_EXECUTABLE: u8 = 126;

/// The profiles for one command, in a temporary directory. The profiles in the data directory itself belong to a server
/// that keeps running.
pub struct TemporaryProfiles(PathBuf);

impl TemporaryProfiles {
    /// Writes the profiles to a directory that is named after the port.
    ///
    /// # Errors
    /// A directory or file that can't be written.
    pub fn write(served: &ServerInfo, aws: &BundledAws, data_dir: &Path, port: u16) -> Result<Self, Box<dyn Error>> {
        let directory = Self(data_dir.join(format!("served-{port}")));
        DirBuilder::new().recursive(true).mode(0o700).create(&directory.0)?;
        profiles::write(served, aws, &directory.0)?;
        Ok(directory)
    }

    /// Returns the directory of the profiles.
    pub fn directory(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryProfiles {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Serves until the command exits, and returns its exit code.
///
/// # Errors
/// Signals can't be received, or the operating system can't wait for the command.
pub async fn run(server: Server, command: &[OsString], environment: &ClientEnvironment) -> io::Result<ExitCode> {
    let signals = ForwardedSignals::listen()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let code = match spawn(command, environment) {
        Ok(child) => signals.forward_until_exit(child).await?,
        Err(code) => code,
    };
    drop(stop);
    let _ = serving.await;
    Ok(ExitCode::from(code))
}

fn spawn(command: &[OsString], environment: &ClientEnvironment) -> Result<Child, u8> {
    let (program, arguments) = command.split_first().ok_or(EXIT_NOT_FOUND)?;
    let mut child = Command::new(program);
    child.args(arguments).envs(environment.set());
    for name in environment.unset() {
        child.env_remove(name);
    }
    child.spawn().map_err(|error| {
        note(format_args!("Couldn't run {}: {error}.", program.display()));
        if error.kind() == io::ErrorKind::NotFound { EXIT_NOT_FOUND } else { EXIT_NOT_EXECUTABLE }
    })
}

/// Returns the exit code of a shell for the status of a command: 128 plus the number of a signal that stopped it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// The signals that are forwarded to the command.
struct ForwardedSignals {
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl ForwardedSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Forwards signals to the command until it exits, and returns its exit code.
    async fn forward_until_exit(mut self, mut child: Child) -> io::Result<u8> {
        loop {
            let (signal, is_from_keyboard) = tokio::select! {
                status = child.wait() => return Ok(exit_code(status?)),
                _ = self.interrupt.recv() => (Signal::INT, true),
                _ = self.quit.recv() => (Signal::QUIT, true),
                _ = self.terminate.recv() => (Signal::TERM, false),
                _ = self.hangup.recv() => (Signal::HUP, false),
            };
            // The terminal sends the signal to the command as well, and many commands treat a second one differently.
            if is_from_keyboard && is_in_foreground() {
                continue;
            }
            let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process(pid, signal);
            }
        }
    }
}

/// Whether the terminal sends the signals of the keyboard to this process and its command.
fn is_in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}
