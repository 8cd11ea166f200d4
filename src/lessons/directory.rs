//! Where the account and the progress of a lesson are stored: a directory below the data directory.
//!
//! | path | what it holds |
//! | --- | --- |
//! | `lessons/NAME/account` | the data directory of the account |
//! | `lessons/NAME/steps/N` | a copy of the account when step N began, to which the step can be reset |
//! | `lessons/NAME/progress.json` | the progress |
//! | `lessons/NAME/lock` | locked while the lesson is open |

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::format::Lesson;
use super::progress::Progress;
use crate::bundled::{BundledAws, OpenError};
use crate::storage::atomic_file;
use crate::text::hex;
use crate::xks::network::Network;

/// The directory of all lessons, in the data directory.
const LESSONS: &str = "lessons";
const ACCOUNT: &str = "account";
const STEPS: &str = "steps";
const PROGRESS: &str = "progress.json";
const LOCK: &str = "lock";

/// Why the files of a lesson can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LessonFilesError {
    /// A file or directory can't be read or written.
    #[error("couldn't use {path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The progress isn't valid.
    #[error("couldn't read the progress in {path}: {reason}. Delete the file, or start again with --reset")]
    Progress {
        /// The path.
        path: String,
        /// Why it isn't valid.
        reason: String,
    },
    /// The lesson has begun, and its account is missing.
    #[error("the account of the lesson is missing in {0}. Start the lesson again with --reset")]
    NoAccount(String),
    /// Another process has the lesson open.
    #[error("the lesson \"{0}\" is open in another terminal. Close it there first")]
    InUse(String),
    /// The step has not begun.
    #[error("step {step} of the lesson has not begun, so it can't be reset. Steps that have begun: {begun}")]
    NotBegun {
        /// The step.
        step: usize,
        /// The number of steps that have begun.
        begun: usize,
    },
    /// The account can't be opened or copied.
    #[error(transparent)]
    Account(#[from] OpenError),
}

/// The directory of a lesson, locked for this process.
#[derive(Debug)]
pub struct LessonDirectory {
    path: PathBuf,
    _lock: File,
}

/// Returns the names of the directories of all lessons in a data directory that have begun, with their progress.
///
/// # Errors
/// [`LessonFilesError`] if a directory or a progress can't be read.
pub fn all_progress(data_dir: &Path) -> Result<Vec<(String, Progress)>, LessonFilesError> {
    let root = data_dir.join(LESSONS);
    let entries = match fs::read_dir(&root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| io_error(&root, source))?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| io_error(&root, source))?;
        if let Some(progress) = read_progress(&entry.path().join(PROGRESS))? {
            all.push((entry.file_name().to_string_lossy().into_owned(), progress));
        }
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(all)
}

/// Removes the accounts and the progress of all lessons in a data directory. Returns how many lessons there were.
///
/// # Errors
/// [`LessonFilesError::InUse`] if a lesson is open, or [`LessonFilesError::Io`].
pub fn remove_all(data_dir: &Path) -> Result<usize, LessonFilesError> {
    let root = data_dir.join(LESSONS);
    let entries = match fs::read_dir(&root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|source| io_error(&root, source))?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(|source| io_error(&root, source))?;
    let locked: Vec<LessonDirectory> =
        names.iter().map(|name| LessonDirectory::lock(root.join(name), name)).collect::<Result<_, _>>()?;
    fs::remove_dir_all(&root).map_err(|source| io_error(&root, source))?;
    Ok(locked.len())
}

impl LessonDirectory {
    /// Opens the directory of `lesson` in a data directory, and creates it if it is missing.
    ///
    /// # Errors
    /// [`LessonFilesError::InUse`] if the lesson is open in another process, or [`LessonFilesError::Io`].
    pub fn open(data_dir: &Path, lesson: &Lesson) -> Result<Self, LessonFilesError> {
        Self::lock(data_dir.join(LESSONS).join(directory_name(lesson)), &lesson.name)
    }

    fn lock(path: PathBuf, name: &str) -> Result<Self, LessonFilesError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|source| io_error(&path, source))?;
        let mut options = OpenOptions::new();
        let lock_path = path.join(LOCK);
        let lock = options.create(true).write(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(|source| io_error(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LessonFilesError::InUse(name.to_owned())),
            Err(TryLockError::Error(source)) => Err(io_error(&lock_path, source)),
        }
    }

    /// Returns the data directory of the account.
    pub fn account(&self) -> PathBuf {
        self.path.join(ACCOUNT)
    }

    /// Returns the progress, or `None` if the lesson has not begun.
    ///
    /// # Errors
    /// [`LessonFilesError::Io`] or [`LessonFilesError::Progress`].
    pub fn progress(&self) -> Result<Option<Progress>, LessonFilesError> {
        read_progress(&self.path.join(PROGRESS))
    }

    /// Saves the progress, atomically.
    ///
    /// # Errors
    /// [`LessonFilesError::Io`].
    pub fn save(&self, progress: &Progress) -> Result<(), LessonFilesError> {
        let path = self.path.join(PROGRESS);
        let failed = |source| io_error(&path, source);
        let json = serde_json::to_vec_pretty(progress).map_err(|error| failed(error.into()))?;
        atomic_file::replace(&path, &json).map_err(failed)
    }

    /// Opens the account, and reaches proxies outside of the bundled AWS over `network`. If the lesson has not begun, creates a new account from its scenario.
    ///
    /// # Errors
    /// [`LessonFilesError`].
    pub fn open_account(&self, lesson: &Lesson, network: Network) -> Result<BundledAws, LessonFilesError> {
        if self.progress()?.is_some() {
            if !BundledAws::exists(&self.account()) {
                return Err(LessonFilesError::NoAccount(self.account().display().to_string()));
            }
            return Ok(BundledAws::open_with_network(&self.account(), None, network)?);
        }
        remove_directory(&self.account())?;
        Ok(BundledAws::open_with_network(&self.account(), Some(&lesson.scenario), network)?)
    }

    /// Copies the account at the beginning of a step. `step` starts at 1.
    ///
    /// # Errors
    /// [`LessonFilesError`].
    pub fn copy_account(&self, aws: &BundledAws, step: usize) -> Result<(), LessonFilesError> {
        let steps = self.path.join(STEPS);
        DirBuilder::new().recursive(true).mode(0o700).create(&steps).map_err(|source| io_error(&steps, source))?;
        let (unfinished, copy) = (steps.join(format!("{step}.new")), steps.join(step.to_string()));
        remove_directory(&unfinished)?;
        aws.copy_account(&self.account(), &unfinished)?;
        remove_directory(&copy)?;
        fs::rename(&unfinished, &copy).map_err(|source| io_error(&copy, source))
    }

    /// Removes the account and the progress.
    ///
    /// # Errors
    /// [`LessonFilesError::Io`].
    pub fn reset(&self) -> Result<(), LessonFilesError> {
        let path = self.path.join(PROGRESS);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&path, error)),
            _ => {}
        }
        remove_directory(&self.account())?;
        remove_directory(&self.path.join(STEPS))
    }

    /// Restores the account and the progress to the beginning of a step. `step` starts at 1.
    ///
    /// # Errors
    /// [`LessonFilesError::NotBegun`], or another error; the account may be missing then, and the step can be reset again.
    pub fn reset_to_step(&self, step: usize) -> Result<(), LessonFilesError> {
        let mut progress = self.progress()?.unwrap_or_default();
        let begun = progress.steps.len();
        let copy = self.path.join(STEPS).join(step.to_string());
        if step == 0 || step > begun || !copy.is_dir() {
            return Err(LessonFilesError::NotBegun { step, begun });
        }
        let (account, restored) = (self.account(), self.path.join("account.new"));
        remove_directory(&restored)?;
        DirBuilder::new().mode(0o700).create(&restored).map_err(|source| io_error(&restored, source))?;
        let files = fs::read_dir(&copy).map_err(|source| io_error(&copy, source))?;
        for file in files {
            let from = file.map_err(|source| io_error(&copy, source))?;
            fs::copy(from.path(), restored.join(from.file_name())).map_err(|source| io_error(&from.path(), source))?;
        }
        remove_directory(&account)?;
        fs::rename(&restored, &account).map_err(|source| io_error(&account, source))?;
        progress.steps.truncate(step);
        if let Some(last) = progress.steps.last_mut() {
            (last.done, last.hints, last.is_answered) = (None, 0, false);
        }
        self.save(&progress)
    }
}

/// Returns the name of a lesson's directory. Two files with the same name have different ones.
pub fn directory_name(lesson: &Lesson) -> String {
    match &lesson.path {
        None => lesson.name.clone(),
        Some(path) => {
            let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
            format!("{}-{}", lesson.name, hex(&digest[..4]))
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> LessonFilesError {
    LessonFilesError::Io { path: path.display().to_string(), source }
}

fn remove_directory(path: &Path) -> Result<(), LessonFilesError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(path, error)),
        _ => Ok(()),
    }
}

fn read_progress(path: &Path) -> Result<Option<Progress>, LessonFilesError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|source| io_error(path, source))?,
    };
    let invalid = |error: serde_json::Error| LessonFilesError::Progress {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    serde_json::from_slice(&text).map(Some).map_err(invalid)
}
