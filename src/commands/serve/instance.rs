//! The server in the background that a data directory has: who it is, and how it is stopped.
//!
//! It holds a lock on a file for as long as it lives. The operating system takes the lock away with the process, however it
//! ends, so what stands in the file counts only while the lock is held.

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

/// The file that is locked, in the data directory.
const LOCK_FILE: &str = "server.lock";
/// How long a server may take to stop: longer than it waits for requests in progress.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server may take from its start until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long somebody may look at a lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// How long to wait between two looks at a file.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A server in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningServer {
    /// Its process ID.
    pub pid: u32,
    /// Where it listens.
    pub url: String,
    /// The certificates that its own is signed by, when it has made them itself.
    pub authority: Option<PathBuf>,
}

impl RunningServer {
    /// This process.
    pub fn current_process(url: &str, authority: Option<&Path>) -> Self {
        Self { pid: std::process::id(), url: url.to_owned(), authority: authority.map(Path::to_owned) }
    }
}

/// The data directory has a server in the background already.
#[derive(Debug, thiserror::Error)]
#[error("A server is already running in the background on {}", .0.display())]
pub struct AlreadyRunning(PathBuf);

/// The right to be the server in the background of a data directory.
pub struct InstanceLock(File);

impl InstanceLock {
    /// Takes the lock, which goes with the process.
    ///
    /// # Errors
    /// [`AlreadyRunning`]; a file that can't be used.
    pub fn acquire(data_dir: &Path) -> Result<Self, Box<dyn Error>> {
        let path = data_dir.join(LOCK_FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let start = Instant::now();
        while let Err(error) = file.try_lock() {
            match error {
                // Somebody who looks holds it for a moment.
                TryLockError::WouldBlock if start.elapsed() < LOCK_TIMEOUT => std::thread::sleep(POLL_INTERVAL),
                TryLockError::WouldBlock => return Err(AlreadyRunning(data_dir.to_owned()).into()),
                TryLockError::Error(error) => return Err(format!("{}: {error}", path.display()).into()),
            }
        }
        file.set_len(0)?;
        Ok(Self(file))
    }

    /// Tells others where the server listens.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn publish(&mut self, running: &RunningServer) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(&serde_json::to_vec(running)?)
    }
}

/// The lock, as others see it.
struct ObservedLock(File);

impl ObservedLock {
    /// Nothing when no server ever ran there.
    fn open(data_dir: &Path) -> io::Result<Option<Self>> {
        match File::open(data_dir.join(LOCK_FILE)) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_held(&self) -> io::Result<bool> {
        // A shared lock, so that several who look at once don't take each other for a server.
        match self.0.try_lock_shared() {
            Ok(()) => self.0.unlock().map(|()| false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// What the holder tells; nothing when there is no holder, or as long as it doesn't listen yet.
    fn server(&mut self) -> io::Result<Option<RunningServer>> {
        let mut text = String::new();
        self.0.rewind()?;
        self.0.read_to_string(&mut text)?;
        Ok(serde_json::from_str(&text).ok().filter(|_| self.is_held().unwrap_or(false)))
    }

    /// Waits until nobody holds the lock; whether that came true in time.
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

/// The server in the background of a data directory. One that is starting is waited for.
///
/// # Errors
/// A file that can't be read; a server that doesn't get to listen.
pub fn find(data_dir: &Path) -> io::Result<Option<RunningServer>> {
    let Some(mut observed) = ObservedLock::open(data_dir)? else { return Ok(None) };
    let start = Instant::now();
    while observed.is_held()? {
        if let Some(running) = observed.server()? {
            return Ok(Some(running));
        }
        if start.elapsed() > START_TIMEOUT {
            return Err(io::Error::other("the server in the background doesn't listen yet"));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(None)
}

/// Stops the server in the background of a data directory, and waits until it has ended.
///
/// # Errors
/// A file that can't be read; a server that can't be stopped.
pub fn stop(data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let (Some(running), Some(mut observed)) = (find(data_dir)?, ObservedLock::open(data_dir)?) else {
        note(format_args!("No server is running in the background on {}.", data_dir.display()));
        return Ok(ExitCode::from(Serve::EXIT_NOT_RUNNING));
    };
    let pid =
        i32::try_from(running.pid).ok().and_then(Pid::from_raw).ok_or("The process ID of the server is wrong.")?;
    let process = Process::open(pid)?;
    // The process that is signaled held the lock after it was found, so it is no other that has its ID now.
    if observed.server()?.as_ref() == Some(&running) {
        process.terminate()?;
    }
    let seconds = STOP_TIMEOUT.as_secs();
    if !observed.wait_until_released(STOP_TIMEOUT)? {
        return Err(format!("The server (process {pid}) didn't stop within {seconds} seconds.").into());
    }
    process.wait_until_exited();
    note(format_args!("Stopped the server on {} (process {pid}).", running.url));
    Ok(ExitCode::SUCCESS)
}

/// A process that gets a signal.
struct Process {
    pid: Pid,
    /// Stays with the process when its ID has come to another one.
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
                // It has ended already; or an older kernel, or a sandbox.
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
            done => Ok(done?),
        }
    }

    /// Waits a moment until the operating system has forgotten the process, whose lock is free already.
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
        // What a server that was killed leaves behind, with the ID of a process that lives.
        let left = serde_json::to_string(&RunningServer::current_process("http://127.0.0.1:1", None)).unwrap();
        std::fs::write(dir.path().join(LOCK_FILE), left).unwrap();
        assert_eq!(find(dir.path()).unwrap(), None);
        assert_eq!(stop(dir.path()).unwrap(), ExitCode::from(Serve::EXIT_NOT_RUNNING));
    }

    #[test]
    fn only_one_background_server_locks_a_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mut ours = InstanceLock::acquire(dir.path()).unwrap();
        let running = RunningServer::current_process("http://127.0.0.1:4599", Some(Path::new("/ca.pem")));
        ours.publish(&running).unwrap();
        assert_eq!(find(dir.path()).unwrap(), Some(running));
        assert!(InstanceLock::acquire(dir.path()).is_err_and(|error| error.is::<AlreadyRunning>()));
        drop(ours);
        assert_eq!(find(dir.path()).unwrap(), None);
    }
}
