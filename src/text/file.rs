//! Text files that a person writes.

use std::path::Path;

/// Returns the text of the file at `path`.
///
/// # Errors
/// A message if it isn't a regular file, is larger than 1 MiB, or can't be read.
pub fn read_text(path: &Path) -> Result<String, String> {
    // No file of a person is longer.
    read_text_up_to(path, 1)
}

/// Returns the text of the file at `path`, which has up to `max_mebibytes`. A program may have written it.
///
/// # Errors
/// A message if it isn't a regular file, is larger, or can't be read.
pub fn read_text_up_to(path: &Path, max_mebibytes: u64) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // Reading a device might never end.
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > max_mebibytes << 20 {
        return Err(format!("it is larger than {max_mebibytes} MiB"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
