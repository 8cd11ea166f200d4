//! Atomic replacement of files that only their owner can access.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Replaces the file at `path` with `bytes`, or creates it. An interrupted write keeps the old file.
///
/// # Errors
/// An I/O error if the file can't be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    replace_via(path, &path.with_file_name(name), bytes)
}

/// Like [`replace`], with the path of the temporary file, which must be in the same directory.
///
/// # Errors
/// An I/O error if the file can't be written.
pub fn replace_via(path: &Path, temp_path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Remove what an interrupted run may have left. Never write through an existing file or symlink.
    match fs::remove_file(temp_path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temp_path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(temp_path, path));
    if written.is_err() {
        let _ = fs::remove_file(temp_path);
    }
    written?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn replace_ignores_symlinks_and_sets_owner_only_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let [path, temp_path, theirs] = ["secret", "secret.new", "theirs"].map(|name| dir.path().join(name));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &temp_path).unwrap();
        replace_via(&path, &temp_path, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"ours again").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours again");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn failed_replace_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("taken/by")).unwrap();
        assert!(replace(&dir.path().join("taken"), b"text").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
