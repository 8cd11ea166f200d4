//! `xks-console screenshots`: generates the images in `screenshots/` from the tapes in `assets/tapes`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::flow::player::{Player, PlayerError};
use crate::flow::screenshot::{self, ScreenshotError};
use crate::flow::tape::{self, ConsoleDriver as _, Tape, TapeError};

/// A flow: its name, its tape, and the terminal sizes in columns and rows.
type Flow = (&'static str, &'static str, &'static [(u16, u16)]);

/// The flows that the images are generated from.
const TAPES: [Flow; 2] = [
    ("method-1", include_str!("../../assets/tapes/method-1.tape"), &[(80, 24), (120, 40)]),
    ("method-2", include_str!("../../assets/tapes/method-2.tape"), &[(80, 24), (120, 40)]),
];

/// The reasons that images can't be generated or compared.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotsError {
    /// The console couldn't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// A tape is invalid or failed.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// An image couldn't be rendered.
    #[error(transparent)]
    Screenshot(#[from] ScreenshotError),
    /// A file couldn't be read or written.
    #[error("Couldn't read or write {path}: {source}")]
    File {
        /// The path of the file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Images in the directory are missing, out of date, or no longer used.
    #[error("Screenshots are out of date: {}. Run `xks-console screenshots`, then review the changes.", .0.join(", "))]
    Stale(Vec<String>),
}

/// Writes the images to `screenshots/`, or only checks them.
pub(super) fn run(check_only: bool) -> Result<ExitCode, Box<dyn Error>> {
    let dir = Path::new("screenshots");
    let count = if check_only { check(dir)? } else { write(dir)? };
    let message = if check_only { "screenshots are up to date in" } else { "screenshots written to" };
    writeln!(std::io::stdout(), "{count} {message} {}", dir.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Generates all images, SVG and PNG, by file name.
///
/// # Errors
/// [`ScreenshotsError`] if a tape fails.
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

/// Writes all images to `dir`, and removes images that no tape generates. Returns the number of images.
///
/// # Errors
/// [`ScreenshotsError`].
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

/// Compares all images with those in `dir`. Returns the number of images.
///
/// # Errors
/// [`ScreenshotsError::Stale`] with the names of images that are missing, out of date, or no longer used.
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
