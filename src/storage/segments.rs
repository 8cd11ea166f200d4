//! The database format of log lines.
//!
//! A single line is stored as text. Several lines are compressed together, because they are similar.

use std::borrow::Cow;

use rusqlite::types::{FromSqlError, Value, ValueRef};

/// Returns the value to store for these lines, which must not contain line breaks.
pub fn pack<'a>(lines: impl IntoIterator<Item = &'a str>) -> Value {
    let mut lines = lines.into_iter();
    let mut text = lines.next().unwrap_or_default().to_owned();
    let single = text.len();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    if text.len() == single {
        return Value::Text(text);
    }
    Value::Blob(lz4_flex::compress_prepend_size(text.as_bytes()))
}

/// Returns the stored lines, separated by line breaks.
///
/// # Errors
/// [`FromSqlError`] if the value is not a result of [`pack`].
pub fn unpack(stored: ValueRef<'_>) -> Result<Cow<'_, str>, FromSqlError> {
    let ValueRef::Blob(packed) = stored else { return stored.as_str().map(Cow::Borrowed) };
    let text = lz4_flex::decompress_size_prepended(packed).map_err(|error| FromSqlError::Other(error.into()))?;
    String::from_utf8(text).map(Cow::Owned).map_err(|error| FromSqlError::Other(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_lines_round_trip(lines in prop::collection::vec("[^\n]{0,40}", 1..50)) {
            let packed = pack(lines.iter().map(String::as_str));
            let unpacked = unpack(ValueRef::from(&packed)).unwrap();
            prop_assert_eq!(unpacked, lines.join("\n"));
        }
    }

    #[test]
    fn packing_compresses_and_unpack_rejects_invalid_bytes() {
        let lines: Vec<String> =
            (0..1000).map(|number| format!("{{\"eventName\":\"Encrypt\",\"n\":{number}}}")).collect();
        let Value::Blob(packed) = pack(lines.iter().map(String::as_str)) else {
            panic!("the lines are not compressed")
        };
        assert!(packed.len() < lines.join("\n").len() / 3, "{}", packed.len());
        assert!(unpack(ValueRef::Blob(&packed[..packed.len() / 2])).is_err());
        assert!(unpack(ValueRef::Blob(&[200, 0, 0, 0, 1, 2])).is_err());
        assert!(unpack(ValueRef::Integer(1)).is_err());
    }
}
