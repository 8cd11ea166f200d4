//! Reads and writes files for the user.

use std::fs::{OpenOptions, remove_file};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::aws::scalar::SecretString;
use crate::tui::effect::CallFailure;
use crate::tui::path_input;

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

/// The maximum size of a file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Reads a file whose path the user entered.
pub(super) async fn read_file(entered: &str) -> Result<Zeroizing<Vec<u8>>, CallFailure> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = path_input::resolve(entered, home.as_deref());
    let failed = |reason: String| CallFailure {
        code: "FileNotRead".to_owned(),
        message: format!("{}: {reason}", path.display()),
        request_id: String::new(),
    };
    let place = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        // Reading a pipe or a device might never end.
        if !std::fs::metadata(&place)?.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
        std::fs::File::open(&place)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let bytes = read.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(failed(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

pub(super) fn decode_text(bytes: &[u8]) -> SecretString {
    SecretString::new(crate::text::strip_byte_order_mark(&String::from_utf8_lossy(bytes)).to_owned())
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
