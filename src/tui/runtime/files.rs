//! Writes files for the user.

use std::fs::{OpenOptions, remove_file};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::aws::scalar::SecretString;
use crate::tui::effect::CallFailure;

/// The maximum number of files with the same base name. The second file is `NAME-2`.
const MAX_FILES: u32 = 99;

/// Writes a new file in the working directory, readable only by its owner. Returns its path.
///
/// # Errors
/// If the file can't be created or written.
pub async fn write_new(name: String, text: SecretString) -> Result<String, CallFailure> {
    let written = tokio::task::spawn_blocking(move || create_unique_file(Path::new("."), &name, text.expose())).await;
    let path = written.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| CallFailure {
        code: "FileNotWritten".to_owned(),
        message: error.to_string(),
        request_id: String::new(),
    })?;
    Ok(path.display().to_string())
}

fn create_unique_file(dir: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 1..=MAX_FILES {
        let name = if number == 1 { format!("{stem}.{end}") } else { format!("{stem}-{number}.{end}") };
        let path = std::path::absolute(dir)?.join(name);
        let with_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            file => file.map_err(with_path)?,
        };
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            // Don't leave a partial file.
            let _ = remove_file(&path);
            return Err(with_path(error));
        }
        return Ok(path);
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, format!("{MAX_FILES} files named {name} already exist")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn new_file_never_overwrites_an_existing_file() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text| create_unique_file(dir.path(), "create-key.sh", text);
        let (one, two) = (write("1").unwrap(), write("2").unwrap());
        assert_eq!(
            (one.file_name().unwrap(), two.file_name().unwrap()),
            ("create-key.sh".as_ref(), "create-key-2.sh".as_ref())
        );
        assert_eq!(std::fs::read_to_string(&one).unwrap() + &std::fs::read_to_string(&two).unwrap(), "12");
        assert_eq!(std::fs::metadata(one).unwrap().permissions().mode() & 0o777, 0o600);
        let nowhere = create_unique_file(&dir.path().join("gone"), "create-key.sh", "").unwrap_err();
        assert!(nowhere.to_string().contains("gone/create-key.sh: No such file"), "{nowhere}");
    }
}
