//! Text files that a person writes.

use std::path::Path;

/// Returns the text of the file at `path`.
///
/// # Errors
/// A message if it isn't a regular file, is larger than 1 MiB, or can't be read.
pub fn read_text(path: &Path) -> Result<String, String> {
    /// No file of a person is longer. Reading a device might never end.
    const MAX_BYTES: u64 = 1 << 20;
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > MAX_BYTES {
        return Err("it is larger than 1 MiB".to_owned());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
