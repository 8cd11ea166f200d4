//! The database format of log lines.
//!
//! A single line is stored as text. Several lines are compressed together, because they are similar.

use std::borrow::Cow;

use rusqlite::types::{FromSqlError, Value, ValueRef};

/// The length at which lines are packed, in bytes.
const PACKED_LENGTH: usize = 64 * 1024;

/// Lines that become one value in the database. They are packed as soon as there are enough of them, so that lines that
/// wait to be written need little memory.
#[derive(Debug, Default)]
pub struct Segment {
    /// The lines, separated by line breaks, until they are packed.
    text: String,
    packed: Option<Vec<u8>>,
    count: usize,
}

impl Segment {
    /// Adds a line, which must not contain line breaks. The segment must not be [full](Self::is_full).
    pub fn push(&mut self, line: &str) {
        if self.count > 0 {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.count += 1;
        if self.text.len() >= PACKED_LENGTH {
            self.pack();
        }
    }

    fn pack(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.packed = Some(lz4_flex::compress_prepend_size(text.as_bytes()));
    }

    /// Returns whether the lines are packed, so that no line can be added.
    pub fn is_full(&self) -> bool {
        self.packed.is_some()
    }

    /// Returns the number of lines.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns about how many bytes of memory the lines need.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.packed.as_ref().map_or(0, Vec::len)
    }

    /// Returns the value to store.
    pub fn into_value(mut self) -> Value {
        if self.count > 1 && !self.is_full() {
            self.pack();
        }
        match self.packed {
            Some(packed) => Value::Blob(packed),
            None => Value::Text(self.text),
        }
    }
}

/// Returns the stored lines, separated by line breaks.
///
/// # Errors
/// [`FromSqlError`] if the value isn't that of a [`Segment`].
pub fn unpack(stored: ValueRef<'_>) -> Result<Cow<'_, str>, FromSqlError> {
    let ValueRef::Blob(packed) = stored else { return stored.as_str().map(Cow::Borrowed) };
    let text = lz4_flex::decompress_size_prepended(packed).map_err(|error| FromSqlError::Other(error.into()))?;
    String::from_utf8(text).map(Cow::Owned).map_err(|error| FromSqlError::Other(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment<'a>(lines: impl IntoIterator<Item = &'a str>) -> Segment {
        let mut segment = Segment::default();
        for line in lines {
            segment.push(line);
        }
        segment
    }

    proptest! {
        #[test]
        fn packed_lines_round_trip(lines in prop::collection::vec("[^\n]{0,40}", 1..50)) {
            let packed = segment(lines.iter().map(String::as_str)).into_value();
            let unpacked = unpack(ValueRef::from(&packed)).unwrap();
            prop_assert_eq!(unpacked, lines.join("\n"));
        }
    }

    #[test]
    fn packing_compresses_and_unpack_rejects_invalid_bytes() {
        let lines: Vec<String> =
            (0..1000).map(|number| format!("{{\"eventName\":\"Encrypt\",\"n\":{number}}}")).collect();
        let Value::Blob(packed) = segment(lines.iter().map(String::as_str)).into_value() else {
            panic!("the lines are not compressed")
        };
        assert!(packed.len() < lines.join("\n").len() / 3, "{}", packed.len());
        assert!(unpack(ValueRef::Blob(&packed[..packed.len() / 2])).is_err());
        assert!(unpack(ValueRef::Blob(&[200, 0, 0, 0, 1, 2])).is_err());
        assert!(unpack(ValueRef::Integer(1)).is_err());
    }

    #[test]
    fn full_segment_is_packed_before_it_is_written() {
        let line = "the same line again and again";
        let mut segment = segment([line]);
        while !segment.is_full() {
            assert!(segment.size() <= 2 * PACKED_LENGTH + size_of::<Segment>());
            segment.push(line);
        }
        assert!(segment.size() < PACKED_LENGTH / 10, "{}", segment.size());
        let lines = vec![line; segment.count()];
        assert_eq!(unpack(ValueRef::from(&segment.into_value())).unwrap(), lines.join("\n"));
    }
}
