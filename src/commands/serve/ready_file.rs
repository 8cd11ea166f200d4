//! The file that tells scripts that the server is ready.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::storage::atomic_file::replace;

/// A file that exists while the server is listening.
pub struct ReadyFile {
    path: PathBuf,
    written: Option<Zeroizing<String>>,
}

impl ReadyFile {
    /// Removes the file that an earlier server may have left behind.
    ///
    /// # Errors
    /// The message for an existing file that can't be removed, or for a path that can't be made absolute.
    pub fn prepare(path: &Path) -> Result<Self, String> {
        let failed = |error| format!("Couldn't use the ready file {}: {error}", path.display());
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        Ok(Self { path: std::path::absolute(path).map_err(failed)?, written: None })
    }

    /// Writes the file atomically, readable only by its owner.
    ///
    /// # Errors
    /// The message for a file that can't be written.
    pub fn write(&mut self, exports: &Zeroizing<String>) -> Result<(), String> {
        replace(&self.path, exports.as_bytes())
            .map_err(|error| format!("Couldn't write the ready file {}: {error}", self.path.display()))?;
        self.written = Some(exports.clone());
        Ok(())
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let Some(written) = &self.written else { return };
        // Another server may have replaced the file with its own.
        if fs::read(&self.path).is_ok_and(|found| found == written.as_bytes()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_file_is_removed_unless_another_server_has_replaced_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ready");
        fs::write(&path, "left by a crash").unwrap();
        let mut ready_file = ReadyFile::prepare(&path).unwrap();
        assert!(!path.exists());
        ready_file.write(&Zeroizing::new("export A=1\n".to_owned())).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "export A=1\n");
        drop(ready_file);
        assert!(!path.exists());
        let mut ready_file = ReadyFile::prepare(&path).unwrap();
        ready_file.write(&Zeroizing::new("export A=1\n".to_owned())).unwrap();
        fs::write(&path, "export A=2\n").unwrap();
        drop(ready_file);
        assert!(path.exists());
    }
}
