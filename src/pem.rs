//! PEM files as editors and other tools save them.

use std::path::Path;

use zeroize::Zeroizing;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a PEM file, which may hold a private key, without its byte order marks.
///
/// # Errors
/// When the file can't be read.
pub fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    Ok(strip_byte_order_marks(&Zeroizing::new(std::fs::read(path)?)))
}

/// A PEM text without byte order marks: joined files have them in the middle, too, and parsers pass over what follows.
pub fn strip_byte_order_marks(pem: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut clean = Zeroizing::new(Vec::with_capacity(pem.len()));
    let mut rest = pem;
    while let [first, after @ ..] = rest {
        rest = if let Some(after) = rest.strip_prefix(BYTE_ORDER_MARK) {
            after
        } else {
            clean.push(*first);
            after
        };
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_are_stripped_from_joined_files() {
        assert_eq!(*strip_byte_order_marks("\u{feff}a\n\u{feff}b\n".as_bytes()), b"a\nb\n");
        assert_eq!(*strip_byte_order_marks(b"a\xef\xbb"), b"a\xef\xbb");
    }
}
