//! PEM files, which some editors and tools save with byte order marks.

use std::path::Path;

use zeroize::Zeroizing;

/// The UTF-8 byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a PEM file and strips its byte order marks. The file may contain a private key.
///
/// # Errors
/// An I/O error if the file can't be read.
pub fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    Ok(strip_byte_order_marks(&Zeroizing::new(std::fs::read(path)?)))
}

/// Returns PEM data without byte order marks.
///
/// Concatenated files have byte order marks in the middle too, and parsers skip the certificate after each one.
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
