//! The file that tells scripts that the server listens.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::storage::atomic_file::replace;

/// A file that is there as long as the server listens.
pub struct ReadyFile {
    path: PathBuf,
    written: Option<Zeroizing<String>>,
}

impl ReadyFile {
    /// Removes what an earlier server has left there.
    ///
    /// # Errors
    /// When something is there that can't be removed.
    pub fn prepare(path: &Path) -> Result<Self, String> {
        let failed = |error| format!("Couldn't use the ready file {}: {error}", path.display());
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        Ok(Self { path: std::path::absolute(path).map_err(failed)?, written: None })
    }

    /// Puts the file there, all of it at once, for its owner alone.
    ///
    /// # Errors
    /// When it can't be written.
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
        // Another server may have put its own there.
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
        let mut ours = ReadyFile::prepare(&path).unwrap();
        assert!(!path.exists());
        ours.write(&Zeroizing::new("export A=1\n".to_owned())).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "export A=1\n");
        drop(ours);
        assert!(!path.exists());
        let mut ours = ReadyFile::prepare(&path).unwrap();
        ours.write(&Zeroizing::new("export A=1\n".to_owned())).unwrap();
        fs::write(&path, "export A=2\n").unwrap();
        drop(ours);
        assert!(path.exists());
    }
}
