//! The pictures in `screenshots/`, made from the tapes in `assets/tapes`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::flow::player::{Player, PlayerError};
use crate::flow::screenshot::{self, ScreenshotError};
use crate::flow::tape::{self, ConsoleDriver as _, Tape, TapeError};

/// A flow: its name, its tape, and the sizes in cells it is played at.
type Flow = (&'static str, &'static str, &'static [(u16, u16)]);

/// The flows that pictures are made from.
const TAPES: [Flow; 2] = [
    ("method-1", include_str!("../../assets/tapes/method-1.tape"), &[(80, 24), (120, 40)]),
    ("method-2", include_str!("../../assets/tapes/method-2.tape"), &[(80, 24), (120, 40)]),
];

/// Why pictures can't be made or compared.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotsError {
    /// The console can't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// The tape is not right or does not come to its end.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// A picture can't be rasterised.
    #[error(transparent)]
    Screenshot(#[from] ScreenshotError),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Pictures in the directory are not what the tapes make.
    #[error("not up to date: {}. Run `xks-console screenshots` and look at what changed", .0.join(", "))]
    Stale(Vec<String>),
}

/// Writes the pictures into `screenshots/`, or only checks them.
pub(super) fn run(check_only: bool) -> Result<ExitCode, Box<dyn Error>> {
    let dir = Path::new("screenshots");
    let count = if check_only { check(dir)? } else { write(dir)? };
    let done = if check_only { "are up to date" } else { "written" };
    writeln!(std::io::stdout(), "{count} pictures in {} {done}", dir.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Every picture by its file name: SVG and PNG.
///
/// # Errors
/// [`PictureError`] when a tape does not come to its end.
pub fn create_all() -> Result<BTreeMap<String, Vec<u8>>, ScreenshotsError> {
    let mut screenshots = BTreeMap::new();
    for (flow, text, sizes) in TAPES {
        let tape = Tape::parse(&format!("{flow}.tape"), text)?;
        for &(width, height) in sizes {
            let mut player = Player::start((width, height))?;
            tape::play(&tape, &mut player, &mut |name, player| {
                let stem = format!("{flow}-{}-{width}x{height}", name.trim_end_matches(".png"));
                let svg = screenshot::svg(&player.frame(), &stem);
                screenshots.insert(format!("{stem}.png"), screenshot::png(&svg)?);
                screenshots.insert(format!("{stem}.svg"), svg.into_bytes());
                Ok(())
            })?;
        }
    }
    Ok(screenshots)
}

/// Writes all pictures into `dir` and takes away what no tape makes.
///
/// # Errors
/// [`PictureError`].
pub fn write(dir: &Path) -> Result<usize, ScreenshotsError> {
    let screenshots = create_all()?;
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| ScreenshotsError::File { path, source }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    for name in existing_files(dir)?.into_iter().filter(|name| !screenshots.contains_key(name)) {
        let path = dir.join(name);
        std::fs::remove_file(&path).map_err(failed(&path))?;
    }
    for (name, bytes) in &screenshots {
        let path = dir.join(name);
        std::fs::write(&path, bytes).map_err(failed(&path))?;
    }
    Ok(screenshots.len())
}

/// Compares all pictures with those in `dir`.
///
/// # Errors
/// [`PictureError::Stale`] names what is missing, left over or different.
pub fn check(dir: &Path) -> Result<usize, ScreenshotsError> {
    let screenshots = create_all()?;
    let mut stale: Vec<String> =
        existing_files(dir)?.into_iter().filter(|name| !screenshots.contains_key(name)).collect();
    for (name, bytes) in &screenshots {
        if std::fs::read(dir.join(name)).ok().as_ref() != Some(bytes) {
            stale.push(name.clone());
        }
    }
    if stale.is_empty() { Ok(screenshots.len()) } else { Err(ScreenshotsError::Stale(stale)) }
}

fn existing_files(dir: &Path) -> Result<Vec<String>, ScreenshotsError> {
    let failed = |source| ScreenshotsError::File { path: dir.display().to_string(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if matches!(Path::new(&name).extension().and_then(|end| end.to_str()), Some("svg" | "png")) {
            names.push(name);
        }
    }
    Ok(names)
}
