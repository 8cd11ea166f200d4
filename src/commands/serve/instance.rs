//! The server in the background of a data directory: how it is found and stopped.
//!
//! The server holds a lock on a file while it is running. The operating system releases the lock when the process exits
//! for any reason, so the contents of the file are valid only while the lock is held.

use std::error::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::cli::Serve;
use crate::commands::note;

/// The name of the lock file in the data directory.
const LOCK_FILE: &str = "server.lock";
/// The longest time to wait for a server to stop. A server waits a shorter time for requests in progress.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest time to wait for a server that is starting to listen.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest time to wait for processes that only test the lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// The time between two attempts to lock a file or to read it.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A server in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningServer {
    /// Its process ID.
    pub pid: u32,
    /// The URL that it listens on.
    pub url: String,
    /// The file with the CA certificate of its self-signed certificate, if it uses one.
    pub authority: Option<PathBuf>,
}

impl RunningServer {
    /// Describes this process.
    pub fn current_process(url: &str, authority: Option<&Path>) -> Self {
        Self { pid: std::process::id(), url: url.to_owned(), authority: authority.map(Path::to_owned) }
    }
}

/// The data directory already has a server in the background.
#[derive(Debug, thiserror::Error)]
#[error("A server is already running in the background for the data directory {}. To stop it, use `serve --stop`.", .0.display())]
pub struct AlreadyRunning(PathBuf);

/// The lock of the server in the background of a data directory.
pub struct InstanceLock(File);

impl InstanceLock {
    /// Acquires the lock. It is released when the process exits.
    ///
    /// # Errors
    /// [`AlreadyRunning`], or a lock file that can't be used.
    pub fn acquire(data_dir: &Path) -> Result<Self, Box<dyn Error>> {
        let path = data_dir.join(LOCK_FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let start = Instant::now();
        while let Err(error) = file.try_lock() {
            match error {
                // A process that tests the lock holds it for a moment.
                TryLockError::WouldBlock if start.elapsed() < LOCK_TIMEOUT => std::thread::sleep(POLL_INTERVAL),
                TryLockError::WouldBlock => return Err(AlreadyRunning(data_dir.to_owned()).into()),
                TryLockError::Error(error) => return Err(format!("Couldn't lock {}: {error}", path.display()).into()),
            }
        }
        file.set_len(0)?;
        Ok(Self(file))
    }

    /// Writes the server's process ID and URL to the lock file, for other processes to read.
    ///
    /// # Errors
    /// The lock file can't be written.
    pub fn publish(&mut self, running: &RunningServer) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(&serde_json::to_vec(running)?)
    }
}

/// The lock file, opened by another process than the server.
struct ObservedLock(File);

impl ObservedLock {
    /// Opens the lock file. Returns `None` if no server ever used the data directory.
    fn open(data_dir: &Path) -> io::Result<Option<Self>> {
        match File::open(data_dir.join(LOCK_FILE)) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_held(&self) -> io::Result<bool> {
        // The lock is shared, so that processes that test it at the same time don't take each other for a server.
        match self.0.try_lock_shared() {
            Ok(()) => self.0.unlock().map(|()| false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns the server that holds the lock. Returns `None` if the lock is free or the server isn't listening yet.
    fn server(&mut self) -> io::Result<Option<RunningServer>> {
        let mut text = String::new();
        self.0.rewind()?;
        self.0.read_to_string(&mut text)?;
        Ok(serde_json::from_str(&text).ok().filter(|_| self.is_held().unwrap_or(false)))
    }

    /// Waits until the lock is free. Returns whether it is free before the timeout.
    fn wait_until_released(&self, timeout: Duration) -> io::Result<bool> {
        let start = Instant::now();
        while self.is_held()? {
            if start.elapsed() > timeout {
                return Ok(false);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(true)
    }
}

/// Returns the server in the background of a data directory. Waits for a server that is starting.
///
/// # Errors
/// The lock file can't be read, or the server doesn't start listening before the timeout.
pub fn find(data_dir: &Path) -> io::Result<Option<RunningServer>> {
    let Some(mut observed) = ObservedLock::open(data_dir)? else { return Ok(None) };
    let start = Instant::now();
    while observed.is_held()? {
        if let Some(running) = observed.server()? {
            return Ok(Some(running));
        }
        if start.elapsed() > START_TIMEOUT {
            return Err(io::Error::other(
                "The server in the background isn't ready. Check server.log in the data directory.",
            ));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(None)
}

/// Stops the server in the background of a data directory, and waits until it exits.
///
/// # Errors
/// The lock file can't be read, or the server can't be stopped.
pub fn stop(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let (Some(running), Some(mut observed)) = (find(data_dir)?, ObservedLock::open(data_dir)?) else {
        note(format_args!("No server is running in the background for the data directory {}.", data_dir.display()));
        return Ok(ExitCode::from(Serve::EXIT_NOT_RUNNING));
    };
    let pid = i32::try_from(running.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or("The process ID recorded for the server is invalid. Stop the server with `kill`, then try again.")?;
    let process = Process::open(pid)?;
    // The lock is checked after the process is opened, so the process can't be another one that reuses the ID.
    if observed.server()?.as_ref() == Some(&running) {
        process.terminate()?;
    }
    let seconds = STOP_TIMEOUT.as_secs();
    if !observed.wait_until_released(STOP_TIMEOUT)? {
        return Err(format!(
            "The server (process {pid}) didn't stop within {seconds} seconds. Run `serve --stop` again."
        )
        .into());
    }
    process.wait_until_exited();
    note(format_args!("Stopped the server on {} (process {pid}).", running.url));
    Ok(ExitCode::SUCCESS)
}

/// A process that receives a signal.
struct Process {
    pid: Pid,
    /// Refers to this process even if another one reuses its ID. `None` if it has exited or the kernel doesn't support
    /// it.
    #[cfg(target_os = "linux")]
    descriptor: Option<std::os::fd::OwnedFd>,
}

impl Process {
    fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self {
            pid,
            #[cfg(target_os = "linux")]
            descriptor: match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
                Ok(descriptor) => Some(descriptor),
                // The process has exited, or the kernel is too old, or a sandbox denies the call.
                Err(rustix::io::Errno::SRCH | rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => None,
                Err(error) => return Err(error.into()),
            },
        })
    }

    fn terminate(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(descriptor) = &self.descriptor {
            return Ok(rustix::process::pidfd_send_signal(descriptor, Signal::TERM)?);
        }
        match rustix::process::kill_process(self.pid, Signal::TERM) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Waits for up to 200 ms until the process is gone. The lock is released shortly before.
    fn wait_until_exited(&self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) && rustix::process::test_kill_process(self.pid).is_ok() {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_file_without_a_lock_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find(dir.path()).unwrap(), None);
        // The lock file of a server that was killed, with the ID of a process that is running.
        let stale = serde_json::to_string(&RunningServer::current_process("http://127.0.0.1:1", None)).unwrap();
        std::fs::write(dir.path().join(LOCK_FILE), stale).unwrap();
        assert_eq!(find(dir.path()).unwrap(), None);
        assert_eq!(stop(dir.path()).unwrap(), ExitCode::from(Serve::EXIT_NOT_RUNNING));
    }

    #[test]
    fn only_one_background_server_locks_a_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mut lock = InstanceLock::acquire(dir.path()).unwrap();
        let running = RunningServer::current_process("http://127.0.0.1:4599", Some(Path::new("/ca.pem")));
        lock.publish(&running).unwrap();
        assert_eq!(find(dir.path()).unwrap(), Some(running));
        assert!(InstanceLock::acquire(dir.path()).is_err_and(|error| error.is::<AlreadyRunning>()));
        drop(lock);
        assert_eq!(find(dir.path()).unwrap(), None);
    }
}
