//! Finds tapes and golden files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Case, SuiteError};
use crate::flow::golden::{EXTENSION, GoldenFile, golden_path};
use crate::flow::tape::parse_size;

/// The tapes and the golden files at the paths of a suite.
pub(super) struct Found {
    /// The tapes, sorted.
    pub tapes: Vec<PathBuf>,
    golden_files: BTreeSet<PathBuf>,
}

impl Found {
    /// Returns the golden files that no case takes, and whose tape is among the tapes or doesn't exist.
    pub(super) fn unreferenced(&self, cases: &[Case]) -> Vec<PathBuf> {
        let taken: BTreeSet<PathBuf> = cases.iter().map(|case| golden_path(&case.path, case.size)).collect();
        let invalid: Vec<&PathBuf> =
            self.tapes.iter().filter(|path| !cases.iter().any(|case| case.path == **path)).collect();
        let is_left_over =
            |path: &&PathBuf| !taken.contains(*path) && !invalid.iter().any(|tape| belongs_to(path, tape));
        self.golden_files.iter().filter(is_left_over).cloned().collect()
    }
}

/// Whether the golden file at `path` is one of `tape`: `NAME.WIDTHxHEIGHT.golden` of `NAME.tape`.
fn belongs_to(path: &Path, tape: &Path) -> bool {
    tape_of(path).as_deref() == Some(tape)
}

/// Returns the tape of a golden file by its name, or `None` if the name isn't that of a golden file.
fn tape_of(golden: &Path) -> Option<PathBuf> {
    let stem = golden.file_stem().filter(|_| has_extension(golden, EXTENSION))?.to_str()?;
    let (name, size) = stem.rsplit_once('.')?;
    parse_size(size).ok()?;
    Some(golden.with_file_name(format!("{name}.tape")))
}

/// Whether the file is a golden file by its name and its first line. Other programs have files that end in `.golden`, too.
fn is_golden_file(path: &Path) -> bool {
    tape_of(path).is_some() && GoldenFile::is_one(path)
}

/// Finds the tapes at `paths`, and the golden files of these tapes.
pub(super) fn find_tapes(paths: &[PathBuf]) -> Result<Found, SuiteError> {
    let (mut tapes, mut golden_files) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|error| SuiteError::file(path, &error))?;
        if metadata.is_dir() {
            search(path, &mut tapes, &mut golden_files)?;
        } else if has_extension(path, "tape") {
            tapes.insert(path.clone());
            golden_files.extend(golden_files_of(path)?);
        } else {
            let problem = format!("{} isn't a tape; the names of tapes end in .tape", path.display());
            return Err(SuiteError::NoTapes(problem));
        }
    }
    if tapes.is_empty() {
        let paths = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(SuiteError::NoTapes(format!(
            "there are no tapes in {paths}. Write one with `xks-console tape new NAME` or `xks-console record FILE`"
        )));
    }
    Ok(Found { tapes: tapes.into_iter().collect(), golden_files })
}

fn search(
    directory: &Path,
    tapes: &mut BTreeSet<PathBuf>,
    golden_files: &mut BTreeSet<PathBuf>,
) -> Result<(), SuiteError> {
    for entry in entries(directory)? {
        let is_hidden = entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_part = entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"_"));
        if entry.is_dir() && !entry.is_symlink() && !is_hidden {
            search(&entry, tapes, golden_files)?;
        } else if has_extension(&entry, "tape") && !is_part {
            tapes.insert(entry);
        } else if is_golden_file(&entry) {
            golden_files.insert(entry);
        }
    }
    Ok(())
}

fn golden_files_of(tape: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let directory = tape.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The paths of entries begin as the path of the tape does, so that they can be compared.
    let entries =
        entries(directory)?.into_iter().map(|entry| tape.with_file_name(entry.file_name().unwrap_or_default()));
    Ok(entries.filter(|entry| belongs_to(entry, tape) && is_golden_file(entry)).collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let entries = std::fs::read_dir(directory).map_err(|error| SuiteError::file(directory, &error))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(|error| SuiteError::file(directory, &error))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
