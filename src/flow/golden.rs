//! Golden files: the screens that a tape is expected to show, as text that can be reviewed in a diff.
//!
//! A tape `create-key.tape` has a golden file for each of its sizes beside it, such as `create-key.80x24.golden`:
//!
//! ```text
//! xks-console golden 1
//!
//! == review.png
//! |AWS KMS › Create key
//! |
//! |Alias  payments
//! @1 1-7 bold, 11-20 cyan
//! ```
//!
//! `==` begins a screen, `|` a row of it without trailing spaces. `@` gives the styles of a row by its number: the first
//! and the last column of each run of cells that aren't in the default style, and the
//! [words](super::style_words) for their style. Rows and columns start at 1.

use std::fmt::{self, Write as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use regex_lite::Regex;
use unicode_width::UnicodeWidthStr as _;

use super::style_words;
use super::tape::screen_text;

const FIRST_LINE: &str = "xks-console golden 1";
/// The extension of golden files.
pub const EXTENSION: &str = "golden";

/// The text and the styles of a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The rows, without trailing spaces.
    pub rows: Vec<String>,
    /// The runs of cells that aren't in the default style, in the order of the screen.
    pub styles: Vec<StyleRun>,
}

/// A run of cells of the same style in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleRun {
    /// The row, starting at 0.
    pub row: u16,
    /// The first column, starting at 0.
    pub first: u16,
    /// The last column, starting at 0.
    pub last: u16,
    /// The [words](super::style_words) for the style.
    pub style: String,
}

/// A difference between two screens in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The row, starting at 0.
    pub row: usize,
    /// The row that was expected: its text and its styles.
    pub expected: (String, String),
    /// The row that was found.
    pub actual: (String, String),
}

impl Screen {
    /// Returns the screen in `buffer`. Text that matches one of `masks` is replaced with `*` of the same width.
    pub fn from_buffer(buffer: &Buffer, masks: &[Regex]) -> Self {
        let rows = screen_text(buffer).lines().map(|row| mask(row, masks)).collect();
        let mut styles = Vec::new();
        for y in 0..buffer.area.height {
            let mut x = 0;
            while x < buffer.area.width {
                let style_at =
                    |x: u16| buffer.cell((buffer.area.x + x, buffer.area.y + y)).map(ratatui::buffer::Cell::style);
                let (first, style) = (x, style_at(x));
                while x < buffer.area.width && style_at(x) == style {
                    x += 1;
                }
                let words = style_words::describe(style.unwrap_or_default());
                if !words.is_empty() {
                    styles.push(StyleRun { row: y, first, last: x - 1, style: words });
                }
            }
        }
        Self { rows, styles }
    }

    /// Returns the screen with text that matches one of `masks` replaced.
    pub(super) fn masked(&self, masks: &[Regex]) -> Self {
        Self { rows: self.rows.iter().map(|row| mask(row, masks)).collect(), styles: self.styles.clone() }
    }

    /// Returns the rows in which the screen `actual` differs from this one.
    pub fn changes(&self, actual: &Self) -> Vec<RowChange> {
        let rows = 0..self.rows.len().max(actual.rows.len());
        let changes = rows.map(|row| RowChange { row, expected: self.row(row), actual: actual.row(row) });
        changes.filter(|change| change.expected != change.actual).collect()
    }

    /// Returns the text and the styles of a row.
    fn row(&self, row: usize) -> (String, String) {
        (self.rows.get(row).cloned().unwrap_or_default(), self.style_line(row))
    }

    fn style_line(&self, row: usize) -> String {
        let runs = self.styles.iter().filter(|run| usize::from(run.row) == row);
        let words = runs.map(|run| format!("{}-{} {}", run.first + 1, run.last + 1, run.style));
        words.collect::<Vec<_>>().join(", ")
    }

    /// Returns the screen as a buffer, so that it can be drawn.
    pub fn to_buffer(&self, (width, height): (u16, u16)) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        for (y, row) in (0..height).zip(&self.rows) {
            buffer.set_stringn(0, y, row, usize::from(width), Style::new());
        }
        for run in &self.styles {
            let area = Rect::new(run.first, run.row, run.last.saturating_sub(run.first) + 1, 1);
            buffer.set_style(area.intersection(buffer.area), style_words::parse(&run.style).unwrap_or_default());
        }
        buffer
    }
}

fn mask(row: &str, masks: &[Regex]) -> String {
    masks.iter().fold(row.to_owned(), |row, mask| {
        mask.replace_all(&row, |found: &regex_lite::Captures<'_>| "*".repeat(found[0].width())).into_owned()
    })
}

/// The golden file of a tape at one size: its screens in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoldenFile {
    /// The names of the screenshots, such as `review.png`, and their screens.
    pub screens: Vec<(String, Screen)>,
}

/// A golden file can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {problem}")]
pub struct GoldenError {
    /// The path of the file.
    pub path: String,
    /// The line number, starting at 1, or 0 if the file as a whole is concerned.
    pub line: usize,
    /// What is wrong, and how to correct it.
    pub problem: String,
}

/// Returns the path of the golden file of `tape` at `size`.
pub fn golden_path(tape: &Path, (width, height): (u16, u16)) -> PathBuf {
    tape.with_extension(format!("{width}x{height}.{EXTENSION}"))
}

impl GoldenFile {
    /// Reads the file at `path`, or returns `None` if there is none.
    ///
    /// # Errors
    /// [`GoldenError`] if it can't be read or isn't a golden file.
    pub fn read(path: &Path) -> Result<Option<Self>, GoldenError> {
        let failed = |line, problem| GoldenError { path: path.display().to_string(), line, problem };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some).map_err(|(line, problem)| failed(line, problem)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(0, error.to_string())),
        }
    }

    /// Whether the file at `path` begins as golden files do.
    pub(super) fn is_one(path: &Path) -> bool {
        let mut start = [0; FIRST_LINE.len()];
        // Opening a pipe might wait forever.
        if !path.is_file() {
            return false;
        }
        let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == *FIRST_LINE.as_bytes()
    }

    /// Writes the file to `path`. An interrupted write keeps the old file.
    ///
    /// # Errors
    /// An I/O error if the file can't be written.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let temporary = path.with_extension(format!("{EXTENSION}.{}", std::process::id()));
        let written = std::fs::write(&temporary, self.to_string()).and_then(|()| std::fs::rename(&temporary, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    /// Returns the screen of a screenshot.
    pub fn screen(&self, name: &str) -> Option<&Screen> {
        self.screens.iter().find(|(known, _)| known == name).map(|(_, screen)| screen)
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        const HINT: &str = "delete the file and run `xks-console test --accept` to write it again";
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        if lines.next().map(|(_, line)| line) != Some(FIRST_LINE) {
            return Err((1, format!("this isn't a golden file, which begins with `{FIRST_LINE}`; {HINT}")));
        }
        let mut file = Self::default();
        for (number, line) in lines {
            if let Some(name) = line.strip_prefix("== ") {
                file.screens.push((name.to_owned(), Screen::default()));
                continue;
            }
            let Some((_, screen)) = file.screens.last_mut() else {
                if line.is_empty() {
                    continue;
                }
                return Err((number, format!("a line before the first screen; {HINT}")));
            };
            if let Some(row) = line.strip_prefix('|') {
                screen.rows.push(row.to_owned());
            } else if let Some(styles) = line.strip_prefix('@') {
                let runs = parse_styles(styles).ok_or_else(|| (number, format!("these aren't styles; {HINT}")))?;
                screen.styles.extend(runs);
            } else if !line.is_empty() {
                return Err((number, format!("a line of a screen begins with | or @; {HINT}")));
            }
        }
        Ok(file)
    }
}

fn parse_styles(line: &str) -> Option<Vec<StyleRun>> {
    let (row, runs) = line.split_once(' ')?;
    let row = row.parse::<u16>().ok()?.checked_sub(1)?;
    let parse_run = |run: &str| {
        let (columns, style) = run.split_once(' ')?;
        let (first, last) = columns.split_once('-')?;
        let column = |text: &str| text.parse::<u16>().ok()?.checked_sub(1);
        style_words::parse(style).ok()?;
        Some(StyleRun { row, first: column(first)?, last: column(last)?, style: style.to_owned() })
    };
    runs.split(", ").map(parse_run).collect()
}

impl fmt::Display for GoldenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        for (name, screen) in &self.screens {
            writeln!(f, "\n== {name}")?;
            write!(f, "{screen}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for row in &self.rows {
            writeln!(text, "|{row}")?;
        }
        for row in 0..self.rows.len() {
            let styles = self.style_line(row);
            if !styles.is_empty() {
                writeln!(text, "@{} {styles}", row + 1)?;
            }
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buffer() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
        buffer.set_string(0, 0, "Key 日本 cks-0123", Style::new());
        buffer.set_string(0, 0, "Key", Style::new().bold().red());
        buffer.set_string(2, 2, "end", Style::new().on_blue());
        buffer
    }

    #[test]
    fn screen_is_rows_and_style_runs_with_masks_of_the_same_width() {
        let screen = Screen::from_buffer(&buffer(), &[Regex::new("cks-[0-9]+").unwrap()]);
        assert_eq!(screen.to_string(), "|Key 日本 ********\n|\n|  end\n@1 1-3 bold red\n@3 3-5 on blue\n");
    }

    #[test]
    fn golden_file_is_read_as_it_was_written() {
        let screen = Screen::from_buffer(&buffer(), &[]);
        let file = GoldenFile { screens: vec![("a.png".to_owned(), screen.clone()), ("b.png".to_owned(), screen)] };
        assert_eq!(GoldenFile::parse(&file.to_string()), Ok(file.clone()));
        assert_eq!(file.screens[0].1.to_buffer((20, 3)), buffer());
    }

    #[test]
    fn changed_rows_are_found_by_text_and_by_style() {
        let expected = Screen::from_buffer(&buffer(), &[]);
        let mut actual = buffer();
        actual.set_string(0, 1, "new", Style::new());
        actual.set_style(Rect::new(2, 2, 1, 1), Style::new().bold());
        let changes = expected.changes(&Screen::from_buffer(&actual, &[]));
        assert_eq!(changes.iter().map(|change| change.row).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(changes[0].actual.0, "new");
        assert_eq!(changes[1].actual.1, "3-3 bold on blue, 4-5 on blue");
        assert!(expected.changes(&expected).is_empty());
    }

    #[test]
    fn other_files_are_refused_with_their_line() {
        for (text, line) in [
            ("", 1),
            ("golden", 1),
            ("xks-console golden 1\n|a", 2),
            ("xks-console golden 1\n== a\nb", 3),
            ("xks-console golden 1\n== a\n@1 x", 3),
        ] {
            assert_eq!(GoldenFile::parse(text).unwrap_err().0, line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parser_never_panics(text in "(xks-console golden 1\n== a\n)?[ -~\n]{0,60}") {
            let _ = GoldenFile::parse(&text);
        }
    }
}
