//! Writes an image of each screenshot of a tape.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::player::{Player, PlayerError, PlayerSettings};
use super::screenshot::{self, ImageStyle};
use super::tape::{self, ConsoleDriver as _, Tape, TapeError, parse_size};
use crate::xks::network::Network;

/// The reasons why images can't be generated or compared.
#[derive(Debug, thiserror::Error)]
pub enum PicturesError {
    /// The console couldn't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// A tape is invalid or failed.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// Two tapes take an image of the same name.
    #[error(
        "the tapes {} and {} both take the image {name}, because images are named TAPE-SCREENSHOT-COLUMNSxROWS. Rename \
             one of the tapes, or write its images to another directory",
        .tapes.0,
        .tapes.1
    )]
    SameImage {
        /// The name.
        name: String,
        /// The names of the tapes.
        tapes: (String, String),
    },
    /// A file couldn't be read or written.
    #[error("couldn't read or write {path}: {source}")]
    File {
        /// The path of the file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Images in the directory are missing, out of date, or no longer taken.
    #[error("some images in {directory} are missing, out of date, or no longer taken: {}. \
             Run the same command without --check, then review the changes.", .names.join(", "))]
    Stale {
        /// The directory.
        directory: String,
        /// The names of the files.
        names: Vec<String>,
    },
}

/// Images of the screenshots of tapes.
pub struct Pictures {
    /// The images by file name.
    images: BTreeMap<String, String>,
    /// The titles of the tapes.
    tapes: BTreeSet<String>,
}

impl Pictures {
    /// Plays the tapes at their sizes, and renders each screenshot as SVG. The name of an image is that of the tape, the
    /// screenshot, and the size: `method-1-05-tags-80x24.svg`.
    ///
    /// The images are the same, byte for byte, each time.
    ///
    /// `network` creates the network to proxies outside of the bundled AWS. It is called for each tape and size.
    ///
    /// # Errors
    /// [`PicturesError`] if two images have the same name, or a tape fails.
    pub fn take(tapes: &[Tape], style: &ImageStyle, network: impl Fn() -> Network) -> Result<Self, PicturesError> {
        check_names(tapes)?;
        let mut images = BTreeMap::new();
        for tape in tapes {
            for size @ (width, height) in tape.sizes() {
                let settings = PlayerSettings { network: Some(network()), ..PlayerSettings::for_tape(tape, size) };
                let mut player = Player::start_with(settings)?;
                tape::play(tape, &mut player, &mut |name, player| {
                    let stem = image_name(tape, name, (width, height));
                    let svg = screenshot::svg(&player.frame(), &stem, style);
                    images.insert(format!("{stem}.svg"), svg);
                    Ok(())
                })?;
            }
        }
        Ok(Self { images, tapes: tapes.iter().map(|tape| tape.title().to_owned()).collect() })
    }

    /// Returns the number of images.
    pub fn count(&self) -> usize {
        self.images.len()
    }

    /// Writes the images to `directory`, and removes images that the tapes no longer take. Other files are kept.
    ///
    /// # Errors
    /// [`PicturesError::File`].
    pub fn write(&self, directory: &Path) -> Result<(), PicturesError> {
        std::fs::create_dir_all(directory).map_err(|source| file_error(directory, source))?;
        for name in self.left_over(directory)? {
            let path = directory.join(name);
            std::fs::remove_file(&path).map_err(|source| file_error(&path, source))?;
        }
        for (name, svg) in &self.images {
            let path = directory.join(name);
            std::fs::write(&path, svg).map_err(|source| file_error(&path, source))?;
        }
        Ok(())
    }

    /// Compares the images with those in `directory`.
    ///
    /// # Errors
    /// [`PicturesError::Stale`] with the names of images that are missing, out of date, or no longer taken, or
    /// [`PicturesError::File`].
    pub fn check(&self, directory: &Path) -> Result<(), PicturesError> {
        let mut stale = self.left_over(directory)?;
        let is_stale = |(name, svg): &(&String, &String)| {
            std::fs::read(directory.join(name)).ok().as_deref() != Some(svg.as_bytes())
        };
        stale.extend(self.images.iter().filter(is_stale).map(|(name, _)| name.clone()));
        if stale.is_empty() {
            return Ok(());
        }
        Err(PicturesError::Stale { directory: directory.display().to_string(), names: stale.into_iter().collect() })
    }

    /// Returns the names of files in `directory` that are named like an image of one of the tapes but aren't one.
    fn left_over(&self, directory: &Path) -> Result<BTreeSet<String>, PicturesError> {
        let failed = |source| file_error(directory, source);
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let is_ours = self.tapes.iter().any(|title| is_image_of(&name, title));
            if is_ours && !self.images.contains_key(&name) {
                names.insert(name);
            }
        }
        Ok(names)
    }
}

/// Returns the name of an image without its extension.
fn image_name(tape: &Tape, screenshot: &str, (width, height): (u16, u16)) -> String {
    format!("{}-{}-{width}x{height}", tape.title(), screenshot.trim_end_matches(".png"))
}

/// Whether a file is named like an image of the tape with this title.
fn is_image_of(name: &str, title: &str) -> bool {
    let stem = name.strip_suffix(".svg");
    let rest = stem.and_then(|stem| stem.strip_prefix(title)?.strip_prefix('-'));
    let parts = rest.and_then(|rest| rest.rsplit_once('-'));
    parts.is_some_and(|(screenshot, size)| !screenshot.is_empty() && parse_size(size).is_ok())
}

/// Checks that no two images have the same name.
fn check_names(tapes: &[Tape]) -> Result<(), PicturesError> {
    let mut known: BTreeMap<String, &Tape> = BTreeMap::new();
    for tape in tapes {
        for (screenshot, size) in
            tape.screenshots().flat_map(|name| tape.sizes().into_iter().map(move |size| (name, size)))
        {
            let name = image_name(tape, screenshot, size);
            if let Some(other) = known.insert(name.clone(), tape).filter(|other| !std::ptr::eq(*other, tape)) {
                return Err(PicturesError::SameImage {
                    name,
                    tapes: (other.name().to_owned(), tape.name().to_owned()),
                });
            }
        }
    }
    Ok(())
}

fn file_error(path: &Path, source: std::io::Error) -> PicturesError {
    PicturesError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(tapes: &[(&str, &str)]) -> Result<Pictures, PicturesError> {
        let tapes = tapes.iter().map(|(name, text)| Tape::parse(name, text).unwrap()).collect::<Vec<_>>();
        Pictures::take(&tapes, &ImageStyle::default(), Network::default)
    }

    fn take(text: &str) -> Result<Pictures, PicturesError> {
        take_all(&[("flows/a.tape", text)])
    }

    #[test]
    fn check_finds_missing_changed_and_left_over_images() {
        let directory = tempfile::tempdir().unwrap();
        let pictures = take("#: size 80x24 60x20\nScreenshot x.png").unwrap();
        assert_eq!(pictures.count(), 2);
        let error = pictures.check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("taken: a-x-60x20.svg, a-x-80x24.svg."), "{error}");
        pictures.write(directory.path()).unwrap();
        pictures.check(directory.path()).unwrap();
        std::fs::write(directory.path().join("a-old-80x24.svg"), "").unwrap();
        std::fs::write(directory.path().join("a-x-60x20.svg"), "").unwrap();
        let error = pictures.check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("taken: a-old-80x24.svg, a-x-60x20.svg."), "{error}");
        pictures.write(directory.path()).unwrap();
        pictures.check(directory.path()).unwrap();
        assert!(!directory.path().join("a-old-80x24.svg").exists());
    }

    #[test]
    fn other_files_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let others = [
            "logo.svg",
            "logo.png",
            "b-x-80x24.svg",
            "a-80x24.svg",
            "a-x-80x24.png",
            "a-x-large.svg",
            "a-x-80x24.jpg",
            "ab-x-80x24.svg",
        ];
        for name in others {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let pictures = take("Screenshot x.png").unwrap();
        pictures.write(directory.path()).unwrap();
        pictures.check(directory.path()).unwrap();
        for name in others {
            assert!(directory.path().join(name).exists(), "{name}");
        }
    }

    #[test]
    fn images_of_the_same_name_are_refused() {
        let text = "Screenshot x.png";
        let error = take_all(&[("one/a.tape", text), ("two/a.tape", text)]).err().unwrap().to_string();
        assert!(error.contains("one/a.tape and two/a.tape both take the image a-x-80x24"), "{error}");
        let error = take_all(&[("a-b.tape", "Screenshot c.png"), ("a.tape", "Screenshot b-c.png")]);
        assert!(matches!(error, Err(PicturesError::SameImage { name, .. }) if name == "a-b-c-80x24"));
    }

    #[test]
    fn each_tape_and_size_has_a_network_of_its_own() {
        let tape = Tape::parse("a.tape", "#: size 80x24 60x20\nScreenshot x.png").unwrap();
        let networks = std::cell::Cell::new(0);
        let network = || {
            networks.set(networks.get() + 1);
            Network::default()
        };
        Pictures::take(&[tape], &ImageStyle::default(), network).unwrap();
        assert_eq!(networks.get(), 2);
    }
}
