//! The items of a review: screens and golden files that aren't the expected ones.

use std::path::{Path, PathBuf};

use crate::flow::golden::{GoldenError, GoldenFile, RowChange, Screen, StyleRun, golden_path};
use crate::flow::suite::{Outcome, Report, ScreenResult, TapeResult};

/// A screen or a golden file to decide about.
#[derive(Clone, Debug)]
pub struct ReviewItem {
    /// What is different.
    pub kind: ItemKind,
    /// The path of the tape, or of the golden file if it has no tape.
    pub path: PathBuf,
    /// The columns and rows of the screen. A left-over golden file has none.
    pub size: Option<(u16, u16)>,
    /// The name of the screenshot, or of the golden file.
    pub name: String,
    /// The place in the tape, or the path of the golden file.
    pub place: String,
    /// The screen that was found.
    pub new: Option<Screen>,
    /// The screen in the golden file.
    pub old: Option<Screen>,
    /// The rows that differ.
    pub changes: Vec<RowChange>,
    /// The decision, if there is one yet.
    pub decision: Option<Decision>,
}

/// What is different about a screen or a golden file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// The screen differs from the one in the golden file.
    Differs,
    /// The golden file doesn't have the screen.
    Missing,
    /// The golden file has a screen that the tape doesn't take.
    LeftOverScreen,
    /// No tape takes the screens of the golden file.
    LeftOverFile,
}

/// The decision about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The golden file is changed.
    Accepted,
    /// The golden file stays as it is.
    Rejected,
}

impl ReviewItem {
    /// Returns the items of a report. Tapes that ended before their last line have none.
    ///
    /// # Errors
    /// [`GoldenError`] if the golden file of a left-over screen can't be read any more.
    pub fn all(report: &Report) -> Result<Vec<Self>, GoldenError> {
        let mut items = Vec::new();
        for result in report.results.iter().filter(|result| result.outcome == Outcome::Differs) {
            let screens = result.screens.iter().filter(|screen| is_item(screen));
            items.extend(screens.map(|screen| Self::screen(result, screen)));
            if !result.unreferenced.is_empty() {
                let path = golden_path(&result.tape, result.size);
                let golden = GoldenFile::read(&path)?.unwrap_or_default();
                items.extend(
                    result.unreferenced.iter().map(|name| Self::left_over_screen(result, &path, &golden, name)),
                );
            }
        }
        items.extend(report.unreferenced.iter().map(|path| Self::left_over_file(path)));
        Ok(items)
    }

    fn screen(result: &TapeResult, screen: &ScreenResult) -> Self {
        Self {
            kind: if screen.expected.is_some() { ItemKind::Differs } else { ItemKind::Missing },
            path: result.tape.clone(),
            size: Some(result.size),
            name: screen.name.clone(),
            place: screen.place.to_string(),
            new: Some(screen.actual.clone()),
            old: screen.expected.clone(),
            changes: screen.changes.clone(),
            decision: None,
        }
    }

    fn left_over_screen(result: &TapeResult, path: &Path, golden: &GoldenFile, name: &str) -> Self {
        Self {
            kind: ItemKind::LeftOverScreen,
            path: result.tape.clone(),
            size: Some(result.size),
            name: name.to_owned(),
            place: path.display().to_string(),
            new: None,
            old: golden.screen(name).cloned(),
            changes: Vec::new(),
            decision: None,
        }
    }

    fn left_over_file(path: &Path) -> Self {
        let old = match GoldenFile::read(path) {
            Ok(golden) => join_screens(&golden.unwrap_or_default()),
            Err(error) => Screen { rows: vec![error.to_string()], styles: Vec::new() },
        };
        Self {
            kind: ItemKind::LeftOverFile,
            path: path.to_owned(),
            size: None,
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            place: path.display().to_string(),
            new: None,
            old: Some(old),
            changes: Vec::new(),
            decision: None,
        }
    }

    /// Whether the item belongs to the same tape as `other`, at any size. Left-over golden files belong together.
    pub fn has_same_tape(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (ItemKind::LeftOverFile, ItemKind::LeftOverFile) => true,
            (ItemKind::LeftOverFile, _) | (_, ItemKind::LeftOverFile) => false,
            _ => self.path == other.path,
        }
    }

    /// Whether the item is about a screen of this result.
    pub fn belongs_to(&self, result: &TapeResult) -> bool {
        self.path == result.tape && self.size == Some(result.size)
    }

    /// Returns what is different, and what accepting does if that isn't evident.
    pub fn summary(&self) -> String {
        match self.kind {
            ItemKind::Differs if self.changes.len() == 1 => "1 row differs".to_owned(),
            ItemKind::Differs => format!("{} rows differ", self.changes.len()),
            ItemKind::Missing => "new: the golden file doesn't have this screen".to_owned(),
            ItemKind::LeftOverScreen => "left over: accept to remove this screen".to_owned(),
            ItemKind::LeftOverFile => "left over: accept to remove this file".to_owned(),
        }
    }
}

/// Whether the screen differs from the golden file. Problems that a check found can't be accepted.
fn is_item(screen: &ScreenResult) -> bool {
    screen.expected.is_none() || !screen.changes.is_empty()
}

/// Returns all screens of a golden file, one below the other, each below its name.
fn join_screens(golden: &GoldenFile) -> Screen {
    let mut all = Screen::default();
    for (name, screen) in &golden.screens {
        all.rows.push(format!("== {name}"));
        let Ok(top) = u16::try_from(all.rows.len()) else { break };
        all.rows.extend(screen.rows.iter().cloned());
        let moved = |run: &StyleRun| Some(StyleRun { row: run.row.checked_add(top)?, ..run.clone() });
        all.styles.extend(screen.styles.iter().filter_map(moved));
    }
    all
}
