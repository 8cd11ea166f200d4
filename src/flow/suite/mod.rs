//! Plays many tapes and compares their screens with golden files.
//!
//! A test of a console flow in Rust:
//!
//! ```no_run
//! use xks_console::flow::suite::Suite;
//!
//! let report = Suite::new(["tests/tapes"]).run()?;
//! assert!(report.passed(), "{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each tape is played at each of its sizes, on a separate console with a separate account, on all cores. The
//! screen of each `Screenshot` is compared with the [golden file](super::golden) beside the tape. Tapes whose names begin
//! with `_` are parts of others, and are played only by `Source`.

mod case;
mod discovery;
mod html;
mod json;
mod junit;
mod results;
mod text;
mod trace;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::golden::{GoldenError, GoldenFile, Screen, golden_path};
use super::player::{Player, PlayerError, PlayerSettings};
use super::pty::{PtyConsole, PtyError};
use super::tape::{ConsoleDriver, Tape};
use crate::client::Client;
use crate::environment::Clock;
use crate::tui::target::Target;
use crate::xks::network::{ConnectTo, Network};

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use results::{Outcome, RecordingFiles, Report, ScreenResult, TapeResult};

/// The number of API calls that a result keeps.
const LAST_CALLS: usize = 50;

/// Tapes to play, and how.
pub struct Suite {
    paths: Vec<PathBuf>,
    sizes: Vec<(u16, u16)>,
    console: ConsoleKind,
    accepts: bool,
    trace_directory: Option<PathBuf>,
    check: Option<Box<ScreenCheck>>,
}

/// A check of each screen, which returns what is wrong with it.
type ScreenCheck = dyn Fn(&str, &Player) -> Result<(), String> + Send + Sync;

/// The console on which tapes are played.
#[derive(Clone, Debug)]
pub enum ConsoleKind {
    /// A console in this process, with a new account in memory for each tape.
    InMemory {
        /// Other addresses for proxies over a network.
        connect_to: Vec<ConnectTo>,
        /// A PEM file with CAs of proxies over a network.
        proxy_ca: Option<PathBuf>,
    },
    /// A program in a pseudo-terminal, with a new account on disk for each tape.
    Pty {
        /// The program.
        program: PathBuf,
        /// Other addresses for proxies over a network.
        connect_to: Vec<ConnectTo>,
        /// A PEM file with CAs of proxies over a network.
        proxy_ca: Option<PathBuf>,
    },
    /// A console in this process, on an AWS elsewhere.
    Remote {
        /// The client.
        client: Client,
        /// The AWS.
        target: Target,
    },
}

impl Suite {
    /// Creates a suite of the tapes at `paths`: files, or directories that are searched for files that end in `.tape`.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            sizes: Vec::new(),
            console: ConsoleKind::InMemory { connect_to: Vec::new(), proxy_ca: None },
            accepts: false,
            trace_directory: None,
            check: None,
        }
    }

    /// Plays each tape at these sizes, in columns and rows, instead of its own.
    #[must_use]
    pub fn at_sizes(self, sizes: Vec<(u16, u16)>) -> Self {
        Self { sizes, ..self }
    }

    /// Plays the tapes on another console.
    #[must_use]
    pub fn on(self, console: ConsoleKind) -> Self {
        Self { console, ..self }
    }

    /// Writes the screens to the golden files instead of comparing them, and removes golden files and screens that no
    /// tape takes.
    #[must_use]
    pub fn accepting(self, accepts: bool) -> Self {
        Self { accepts, ..self }
    }

    /// Writes a recording and a trace of each failed tape to this directory, or to a new one for temporary files.
    #[must_use]
    pub fn tracing_to(self, directory: Option<PathBuf>) -> Self {
        Self { trace_directory: directory, ..self }
    }

    /// Also checks each screen with `check`, which gets the name of the screenshot and the console. It isn't called for
    /// consoles in a pseudo-terminal.
    #[must_use]
    pub fn checking(self, check: impl Fn(&str, &Player) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { check: Some(Box::new(check)), ..self }
    }

    /// Plays all tapes and returns the results.
    ///
    /// # Errors
    /// [`SuiteError`] if there are no tapes, or if a file can't be read or written. A tape that is invalid or fails is a
    /// result.
    pub fn run(&self) -> Result<Report, SuiteError> {
        if self.accepts && !matches!(self.console, ConsoleKind::InMemory { .. }) {
            return Err(SuiteError::CannotAccept);
        }
        let started_at = Instant::now();
        let found = discovery::find_tapes(&self.paths)?;
        let mut results = Vec::new();
        let mut cases = Vec::new();
        for path in &found.tapes {
            match Tape::read(path) {
                Ok(tape) => {
                    let tape = Arc::new(tape);
                    let sizes = if self.sizes.is_empty() { tape.sizes() } else { self.sizes.clone() };
                    cases.extend(sizes.into_iter().map(|size| Case {
                        path: path.clone(),
                        tape: Arc::clone(&tape),
                        size,
                    }));
                }
                Err(error) => results.push(TapeResult::invalid(path, &error)),
            }
        }
        results.extend(self.play_all(&cases)?);
        results.sort_by(|one, other| (&one.tape, one.size).cmp(&(&other.tape, other.size)));
        let unreferenced = if self.sizes.is_empty() { found.unreferenced(&cases) } else { Vec::new() };
        if self.accepts {
            for path in &unreferenced {
                std::fs::remove_file(path).map_err(|error| SuiteError::file(path, &error))?;
            }
        }
        Ok(Report { results, unreferenced, accepted: self.accepts, duration: started_at.elapsed() })
    }

    /// Plays the cases on all cores. Consoles on an AWS elsewhere share their AWS, so they run one after the other.
    fn play_all(&self, cases: &[Case]) -> Result<Vec<TapeResult>, SuiteError> {
        let is_parallel = matches!(self.console, ConsoleKind::InMemory { .. });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if is_parallel { cores.min(cases.len()) } else { 1 };
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Ok(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = self.play(case);
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        match (&mut *results, result) {
                            (Ok(results), Ok(result)) => results.push(result),
                            (all @ Ok(_), Err(error)) => *all = Err(error),
                            (Err(_), _) => return,
                        }
                    }
                });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn play(&self, case: &Case) -> Result<TapeResult, SuiteError> {
        if let Some(reason) = self.unsupported(&case.tape) {
            let reason = reason.to_owned();
            return Ok(TapeResult { outcome: Outcome::Skipped { reason }, ..TapeResult::new(&case.path, case.size) });
        }
        if let Some(variable) = case.tape.unset_environment_variable() {
            let message =
                format!("{}: the environment variable {variable} isn't set, or is empty; set it", case.path.display());
            return Ok(TapeResult { outcome: Outcome::Invalid { message }, ..TapeResult::new(&case.path, case.size) });
        }
        let golden_path = golden_path(&case.path, case.size);
        let golden = match GoldenFile::read(&golden_path) {
            Ok(golden) => golden.unwrap_or_default(),
            Err(_) if self.accepts => GoldenFile::default(),
            Err(error) => {
                let outcome = Outcome::Invalid { message: error.to_string() };
                return Ok(TapeResult { outcome, ..TapeResult::new(&case.path, case.size) });
            }
        };
        match &self.console {
            ConsoleKind::InMemory { connect_to, proxy_ca } => {
                self.play_on(case, &golden, &golden_path, || start_in_memory(case, connect_to, proxy_ca.as_ref()))
            }
            ConsoleKind::Pty { program, connect_to, proxy_ca } => self.play_on(case, &golden, &golden_path, || {
                let world = case.tape.header().world.as_deref().unwrap_or("default");
                let (program, connect_to) = (program.clone(), connect_to.clone());
                Ok(PtyConsole::on_bundled(program, world, case.size, connect_to, proxy_ca.as_deref())?)
            }),
            ConsoleKind::Remote { client, target } => self.play_on(case, &golden, &golden_path, || {
                // Its thread notices between requests that a connection was closed.
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                let runtime = runtime.map_err(PlayerError::Runtime)?;
                Ok(Player::remote(case.size, client.clone(), target.clone(), Clock::System, runtime))
            }),
        }
    }

    /// Plays the case on a console from `start`. A repeatable case that fails is played again, to record the failure. Other
    /// cases are recorded in any case, because they can't be played twice on the same account.
    fn play_on<D: ConsoleDriver + case::CheckedConsole>(
        &self,
        case: &Case,
        golden: &GoldenFile,
        golden_path: &Path,
        start: impl Fn() -> Result<D, SuiteError>,
    ) -> Result<TapeResult, SuiteError> {
        let started_at = Instant::now();
        let options = self.compare_options();
        let (mut result, screens, kept) = if options.is_repeatable {
            let (result, screens, _) = case::play_case(case, &mut start()?, golden, options);
            (result, screens, None)
        } else {
            let mut console = start()?;
            let mut recorder = trace::recorder(case, &mut console);
            let (result, screens, trace) = case::play_case(case, &mut recorder, golden, options);
            (result, screens, Some((recorder.finish(), trace)))
        };
        result.duration = started_at.elapsed();
        if self.accepts && !result.outcome.is_error() {
            result.accepted = golden_file_changes(golden, &screens);
            if screens.screens.is_empty() {
                let _ = std::fs::remove_file(golden_path);
            } else if *golden != screens {
                screens.write(golden_path).map_err(|error| SuiteError::file(golden_path, &error))?;
            }
        }
        if result.outcome.is_failure() && !self.accepts {
            let (recording, trace) = if let Some(kept) = kept {
                kept
            } else {
                let mut console = start()?;
                let mut recorder = trace::recorder(case, &mut console);
                let (.., trace) = case::play_case(case, &mut recorder, golden, options);
                (recorder.finish(), trace)
            };
            match trace::write(case, &result, &recording, trace, self.trace_directory.as_deref()) {
                Ok(files) => result.recording = Some(files),
                Err(error) => result.recording_problem = Some(error.to_string()),
            }
        }
        if let (false, Some(directory)) = (result.outcome.is_failure(), &self.trace_directory) {
            trace::remove(case, directory);
        }
        Ok(result)
    }

    fn compare_options(&self) -> case::CompareOptions<'_> {
        case::CompareOptions {
            is_repeatable: matches!(self.console, ConsoleKind::InMemory { .. }),
            is_other_account: matches!(self.console, ConsoleKind::Remote { .. }),
            accepts: self.accepts,
            check: self.check.as_deref(),
        }
    }

    /// Returns why the tape can't be played on this console, if so.
    fn unsupported(&self, tape: &Tape) -> Option<&'static str> {
        match self.console {
            ConsoleKind::InMemory { .. } => None,
            ConsoleKind::Pty { .. } => tape.needs_player(),
            ConsoleKind::Remote { .. } => tape.needs_new_account(),
        }
    }
}

fn start_in_memory(case: &Case, connect_to: &[ConnectTo], proxy_ca: Option<&PathBuf>) -> Result<Player, SuiteError> {
    let network = Network::new(connect_to.to_vec(), proxy_ca.cloned());
    network.check().map_err(SuiteError::Network)?;
    let settings = PlayerSettings::for_tape(&case.tape, case.size);
    Ok(Player::start_with(PlayerSettings { network: Some(network), ..settings })?)
}

/// A tape at a size.
struct Case {
    path: PathBuf,
    tape: Arc<Tape>,
    size: (u16, u16),
}

/// The reasons why tapes can't be played.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A path leads to no tape.
    #[error("{0}")]
    NoTapes(String),
    /// A file can't be read or written.
    #[error("{path}: {problem}")]
    File {
        /// The path.
        path: String,
        /// Why not.
        problem: String,
    },
    /// A golden file isn't valid.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// Screens can be accepted only from an account in memory.
    #[error(
        "screens can be accepted only with an account in memory, because IDs and times differ elsewhere. Accept them \
         there, and compare them here"
    )]
    CannotAccept,
    /// A console can't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// The program can't be started in a pseudo-terminal.
    #[error(transparent)]
    Pty(#[from] PtyError),
    /// The network to proxies can't be used.
    #[error("couldn't use the CA certificates for proxies: {0}")]
    Network(String),
}

impl SuiteError {
    fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), problem: error.to_string() }
    }
}

/// Returns the number of screens that differ between two golden files.
fn golden_file_changes(old: &GoldenFile, new: &GoldenFile) -> usize {
    let is_changed = |(name, screen): &&(String, Screen)| old.screen(name) != Some(screen);
    new.screens.iter().filter(is_changed).count()
        + old.screens.iter().filter(|(name, _)| new.screen(name).is_none()).count()
}

/// Writes the screens that were found to the golden file of their tape, for all screens that `is_accepted` accepts.
/// Screens that the tape doesn't take are removed if `is_accepted` accepts their names. The golden file is removed if no
/// screen is left.
///
/// # Errors
/// [`SuiteError`] if the golden file can't be read or written.
pub fn accept_screens(result: &TapeResult, is_accepted: impl Fn(&str) -> bool) -> Result<(), SuiteError> {
    let path = golden_path(&result.tape, result.size);
    let old = GoldenFile::read(&path)?.unwrap_or_default();
    let mut new = GoldenFile::default();
    for screen in &result.screens {
        let kept = if is_accepted(&screen.name) { Some(&screen.actual) } else { old.screen(&screen.name) };
        new.screens.extend(kept.map(|kept| (screen.name.clone(), kept.clone())));
    }
    let left_over = old.screens.iter().filter(|(name, _)| new.screen(name).is_none());
    let left_over = left_over.filter(|(name, _)| !result.screens.iter().any(|screen| screen.name == *name));
    let kept: Vec<_> = left_over.filter(|(name, _)| !is_accepted(name)).cloned().collect();
    new.screens.extend(kept);
    if new.screens.is_empty() {
        return remove_golden_file(&path);
    }
    new.write(&path).map_err(|error| SuiteError::file(&path, &error))
}

/// Removes a golden file. A file that doesn't exist is not an error.
///
/// # Errors
/// [`SuiteError`] if the file can't be removed.
pub fn remove_golden_file(path: &Path) -> Result<(), SuiteError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SuiteError::file(path, &error)),
        _ => Ok(()),
    }
}
