//! Lessons: exercises on an account of their own, step by step, beside the console.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`format`](mod@self::format) | the format of a lesson, a TOML file |
//! | [`directory`] | where the account and the progress of a lesson are stored |
//! | [`progress`] | what a learner has done |
//! | [`engine`] | begins steps, and finds out which goals are met |
//! | [`state`] | what the console shows of a lesson |
//! | [`check`] | problems of a lesson that only an account shows |

pub mod check;
pub mod directory;
pub mod engine;
pub mod format;
pub mod progress;
pub mod state;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::format::{Goal, Lesson, LessonError, Question, Step};

use crate::text::file::read_text;
use crate::text::nearest;

/// The lessons of this program: the name and the text of each, in the order in which they are taught.
const BUILT_IN: [(&str, &str); 18] = [
    ("first-key", include_str!("../../assets/lessons/first-key.toml")),
    ("first-key-method-2", include_str!("../../assets/lessons/first-key-method-2.toml")),
    ("both-layers", include_str!("../../assets/lessons/both-layers.toml")),
    ("who-can-decrypt", include_str!("../../assets/lessons/who-can-decrypt.toml")),
    ("disconnect", include_str!("../../assets/lessons/disconnect.toml")),
    ("key-states", include_str!("../../assets/lessons/key-states.toml")),
    ("deletion-is-final", include_str!("../../assets/lessons/deletion-is-final.toml")),
    ("external-key-errors", include_str!("../../assets/lessons/external-key-errors.toml")),
    ("credential-rotation", include_str!("../../assets/lessons/credential-rotation.toml")),
    ("wrong-configuration", include_str!("../../assets/lessons/wrong-configuration.toml")),
    ("vpc-endpoint-service", include_str!("../../assets/lessons/vpc-endpoint-service.toml")),
    ("latency-and-timeouts", include_str!("../../assets/lessons/latency-and-timeouts.toml")),
    ("decryption-errors", include_str!("../../assets/lessons/decryption-errors.toml")),
    ("proxy-errors", include_str!("../../assets/lessons/proxy-errors.toml")),
    ("your-own-proxy", include_str!("../../assets/lessons/your-own-proxy.toml")),
    ("audit", include_str!("../../assets/lessons/audit.toml")),
    ("find-the-incident", include_str!("../../assets/lessons/find-the-incident.toml")),
    ("final-exercise", include_str!("../../assets/lessons/final-exercise.toml")),
];

/// A lesson with comments, to start from.
pub const TEMPLATE: &str = include_str!("../../assets/lessons/_template.toml");

/// Returns the names of the lessons of this program, in the order in which they are taught.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.into_iter().map(|(name, _)| name)
}

/// Returns the lesson of this program with this name.
///
/// # Errors
/// [`LessonError::Unknown`] if there is none, or [`LessonError::Invalid`].
pub fn built_in(name: &str) -> Result<Lesson, LessonError> {
    let found = BUILT_IN.into_iter().find(|(known, _)| *known == name);
    let (name, text) = found.ok_or_else(|| LessonError::Unknown {
        name: name.to_owned(),
        hint: nearest(name, names()).map_or_else(
            || {
                format!(
                    "choose one of {}, or write the path of a file that ends in .toml",
                    names().collect::<Vec<_>>().join(", ")
                )
            },
            |near| format!("did you mean {near}?"),
        ),
    })?;
    format::parse(name, None, text)
}

/// Returns the lesson in the file at `path`.
///
/// # Errors
/// [`LessonError::Read`] if the file can't be read, or [`LessonError::Invalid`].
pub fn read(path: &Path) -> Result<Lesson, LessonError> {
    let failed = |problem: String| LessonError::Read { file: path.display().to_string(), problem };
    let text = read_text(path).map_err(failed)?;
    let absolute = path.canonicalize().map_err(|error| failed(error.to_string()))?;
    let name = absolute.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    format::parse(&name, Some(&absolute), &text).map_err(|error| error.in_file(path))
}

/// Whether a lesson is named by the path of a file, and not by the name of a lesson of this program.
pub fn is_path(lesson: &str) -> bool {
    lesson.contains('/') || Path::new(lesson).extension().is_some_and(|extension| extension == "toml")
}

/// Returns the lesson with this name or path. Relative paths are relative to `directory`.
///
/// # Errors
/// [`LessonError`].
pub fn find(lesson: &str, directory: &Path) -> Result<Lesson, LessonError> {
    if is_path(lesson) { read(&directory.join(lesson)) } else { built_in(lesson) }
}
