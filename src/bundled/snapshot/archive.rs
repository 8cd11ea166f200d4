//! The archive in a snapshot: the files of an account, each with its length in 8 bytes before it, in a fixed order.

use zeroize::Zeroizing;

use crate::bundled::store;
use crate::xks::key_manager;

/// The files of an account. The database of the account is the last one, because an account without it doesn't exist.
pub const FILES: [&str; 4] =
    [store::ROOT_KEY_FILE, key_manager::ROOT_KEY_FILE, key_manager::DATABASE_FILE, store::DATABASE_FILE];

/// The write-ahead logs of the databases.
pub const LOG_FILES: [&str; 4] =
    ["external-key-manager.sqlite-wal", "external-key-manager.sqlite-shm", "account.sqlite-wal", "account.sqlite-shm"];

/// Joins the contents of the [`FILES`].
pub fn join(contents: &[Zeroizing<Vec<u8>>; 4]) -> Zeroizing<Vec<u8>> {
    let length = contents.iter().map(|content| 8 + content.len()).sum();
    let mut archive = Zeroizing::new(Vec::with_capacity(length));
    for content in contents {
        archive.extend_from_slice(&(content.len() as u64).to_be_bytes());
        archive.extend_from_slice(content);
    }
    archive
}

/// Returns the contents of the [`FILES`], or `None` if the archive doesn't have exactly these.
pub fn split(archive: &[u8]) -> Option<[&[u8]; 4]> {
    let mut rest = archive;
    let mut contents = [&[][..]; 4];
    for content in &mut contents {
        let (length, after) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        (*content, rest) = after.split_at_checked(length)?;
    }
    rest.is_empty().then_some(contents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn joined_files_can_be_split(contents in any::<[Vec<u8>; 4]>(), cut in any::<prop::sample::Index>()) {
            let contents = contents.map(Zeroizing::new);
            let archive = join(&contents);
            let parts = split(&archive).unwrap();
            prop_assert!(parts.iter().zip(&contents).all(|(part, content)| *part == content.as_slice()));
            prop_assert_eq!(split(&archive[..cut.index(archive.len())]), None);
            let longer = [&archive[..], b"x"].concat();
            prop_assert_eq!(split(&longer), None);
        }

        #[test]
        fn any_bytes_can_be_split_or_are_refused(bytes in any::<Vec<u8>>()) {
            let _ = split(&bytes);
        }
    }
}
