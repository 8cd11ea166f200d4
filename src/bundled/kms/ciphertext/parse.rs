//! The parser of blobs, which also returns where each field is.

use std::fmt;
use std::ops::Range;

use super::{Body, FORMAT_VERSION, Header, MAGIC, TAG_LENGTH};
use crate::text::plural;
use crate::xks::client::ExternalCiphertext;

/// A field of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The bytes that each blob begins with.
    Magic,
    /// The version of the format.
    Format,
    /// Whether there is a second layer.
    Kind,
    /// The ARN of the KMS key.
    KeyArn,
    /// The ID of the KMS key's key material.
    MaterialId,
    /// The salt that the message key is derived from.
    Salt,
    /// The first layer's initialization vector.
    Iv,
    /// The first layer's ciphertext. Its length includes the tag.
    Ciphertext,
    /// The first layer's authentication tag.
    Tag,
    /// The second layer's initialization vector.
    ExternalIv,
    /// The second layer's authentication tag.
    ExternalTag,
    /// The external key manager's own metadata.
    ExternalMetadata,
    /// The second layer's ciphertext.
    ExternalCiphertext,
}

impl Field {
    /// Returns the name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Magic => "Signature",
            Self::Format => "Format",
            Self::Kind => "Kind",
            Self::KeyArn => "Key ARN",
            Self::MaterialId => "Key material ID",
            Self::Salt => "Salt",
            Self::Iv | Self::ExternalIv => "IV",
            Self::Ciphertext | Self::ExternalCiphertext => "Ciphertext",
            Self::Tag | Self::ExternalTag => "Tag",
            Self::ExternalMetadata => "Metadata",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The length before a field, or the field itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldPart {
    /// The number of bytes that follow: two bytes, big-endian.
    Length,
    /// The value.
    Value,
}

/// Where a field is in a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRange {
    /// The field.
    pub field: Field,
    /// Which part of the field is in the range.
    pub part: FieldPart,
    /// The bytes in the blob.
    pub range: Range<usize>,
}

/// A parsed blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedBlob {
    /// The fields that are known before the first layer is encrypted.
    pub header: Header,
    /// The layers.
    pub body: Body,
    /// The ranges of all fields, in their order. They cover the blob without gaps.
    pub fields: Vec<FieldRange>,
}

/// Why a blob can't be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The blob begins with other bytes than [`MAGIC`].
    OtherFormat,
    /// The version of the format is unknown.
    UnknownFormat(u8),
    /// The kind is unknown.
    UnknownKind(u8),
    /// The blob ends too early.
    Truncated {
        /// The number of bytes that the field needs.
        needed: usize,
        /// The number of bytes that are left.
        left: usize,
    },
    /// The field has another length than its only valid one, or less than its least one.
    WrongLength {
        /// The length, or the least one.
        expected: usize,
        /// The length in the blob.
        found: usize,
    },
    /// The field isn't text in UTF-8.
    NotText,
    /// Bytes follow the last field.
    TrailingBytes(usize),
}

/// A blob can't be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parsing stopped at offset {offset}, {}", self.describe())]
pub struct ParseError {
    /// The offset in the blob where parsing stopped.
    pub offset: usize,
    /// The field that was parsed last.
    pub field: Field,
    /// The reason.
    pub kind: ParseErrorKind,
}

impl ParseError {
    fn describe(&self) -> String {
        let field = self.field;
        match self.kind {
            ParseErrorKind::OtherFormat => "because the blob doesn't begin with \"XKSC\"".to_owned(),
            ParseErrorKind::UnknownFormat(found) => {
                format!("because the format is {found}, and this version only knows {FORMAT_VERSION}")
            }
            ParseErrorKind::UnknownKind(found) => format!("because the kind is {found}, which must be 0 or 1"),
            ParseErrorKind::Truncated { needed, left } => {
                format!("because the field \"{field}\" needs {}, and {left} follow", plural(needed, "byte", "bytes"))
            }
            ParseErrorKind::WrongLength { expected, found } => {
                format!("because the field \"{field}\" has {found} bytes instead of {expected}")
            }
            ParseErrorKind::NotText => format!("because the field \"{field}\" isn't text"),
            ParseErrorKind::TrailingBytes(count) => {
                format!("because the last field is followed by {}", plural(count, "byte", "bytes"))
            }
        }
    }
}

/// Parses a blob, and returns where each field is.
///
/// # Errors
/// [`ParseError`] if the blob is malformed or has trailing bytes.
pub fn parse(blob: &[u8]) -> Result<ParsedBlob, ParseError> {
    let mut parser = Parser { blob, at: 0, fields: Vec::with_capacity(20) };
    let is_external = parser.preamble()?;
    let header = Header {
        is_external,
        key_arn: parser.text(Field::KeyArn)?,
        material_id: parser.text(Field::MaterialId)?,
        salt: parser.array(Field::Salt)?,
        iv: parser.array(Field::Iv)?,
    };
    let body = if is_external {
        Body::Double(ExternalCiphertext {
            initialization_vector: parser.field(Field::ExternalIv)?.to_vec(),
            authentication_tag: parser.field(Field::ExternalTag)?.to_vec(),
            ciphertext_metadata: parser.field(Field::ExternalMetadata)?.to_vec(),
            ciphertext: parser.field(Field::ExternalCiphertext)?.to_vec(),
        })
    } else {
        Body::Single(parser.first_layer()?.to_vec())
    };
    parser.finish()?;
    Ok(ParsedBlob { header, body, fields: parser.fields })
}

/// The blob, and how much of it is parsed.
struct Parser<'a> {
    blob: &'a [u8],
    at: usize,
    fields: Vec<FieldRange>,
}

impl<'a> Parser<'a> {
    fn error(&self, field: Field, kind: ParseErrorKind) -> ParseError {
        ParseError { offset: self.at, field, kind }
    }

    /// Takes the next `needed` bytes as a part of a field.
    fn take(&mut self, field: Field, part: FieldPart, needed: usize) -> Result<&'a [u8], ParseError> {
        let rest = &self.blob[self.at..];
        let Some(bytes) = rest.get(..needed) else {
            return Err(self.error(field, ParseErrorKind::Truncated { needed, left: rest.len() }));
        };
        let range = self.at..self.at + needed;
        self.at = range.end;
        self.fields.push(FieldRange { field, part, range });
        Ok(bytes)
    }

    /// Parses everything before the first field with a length. Returns whether there is a second layer.
    fn preamble(&mut self) -> Result<bool, ParseError> {
        let differs = self.blob.iter().zip(MAGIC).position(|(byte, expected)| byte != expected);
        if let Some(offset) = differs {
            return Err(ParseError { offset, field: Field::Magic, kind: ParseErrorKind::OtherFormat });
        }
        self.take(Field::Magic, FieldPart::Value, MAGIC.len())?;
        self.choice(Field::Format, |byte| byte == FORMAT_VERSION, ParseErrorKind::UnknownFormat)?;
        Ok(self.choice(Field::Kind, |byte| byte <= 1, ParseErrorKind::UnknownKind)? == 1)
    }

    /// Takes a field of one byte, if the byte is valid.
    fn choice(
        &mut self,
        field: Field,
        is_valid: impl Fn(u8) -> bool,
        unknown: impl Fn(u8) -> ParseErrorKind,
    ) -> Result<u8, ParseError> {
        match self.blob.get(self.at) {
            Some(&byte) if !is_valid(byte) => Err(self.error(field, unknown(byte))),
            _ => Ok(self.take(field, FieldPart::Value, 1)?.first().copied().unwrap_or_default()),
        }
    }

    /// Takes the length of a field.
    fn length(&mut self, field: Field) -> Result<usize, ParseError> {
        let bytes = self.take(field, FieldPart::Length, 2)?;
        Ok(bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)))
    }

    /// Takes a field after its length.
    fn field(&mut self, field: Field) -> Result<&'a [u8], ParseError> {
        let length = self.length(field)?;
        self.take(field, FieldPart::Value, length)
    }

    fn text(&mut self, field: Field) -> Result<String, ParseError> {
        let length = self.length(field)?;
        let start = self.at;
        let bytes = self.take(field, FieldPart::Value, length)?;
        String::from_utf8(bytes.to_vec()).map_err(|error| ParseError {
            offset: start + error.utf8_error().valid_up_to(),
            field,
            kind: ParseErrorKind::NotText,
        })
    }

    fn array<const N: usize>(&mut self, field: Field) -> Result<[u8; N], ParseError> {
        let found = self.length(field)?;
        let wrong_length = self.error(field, ParseErrorKind::WrongLength { expected: N, found });
        if found != N {
            return Err(wrong_length);
        }
        self.take(field, FieldPart::Value, N)?.try_into().map_err(|_| wrong_length)
    }

    /// Takes the ciphertext and the tag of the first layer, which have one length. Returns both.
    fn first_layer(&mut self) -> Result<&'a [u8], ParseError> {
        let found = self.length(Field::Ciphertext)?;
        let start = self.at;
        let Some(ciphertext) = found.checked_sub(TAG_LENGTH) else {
            return Err(self.error(Field::Tag, ParseErrorKind::WrongLength { expected: TAG_LENGTH, found }));
        };
        self.take(Field::Ciphertext, FieldPart::Value, ciphertext)?;
        self.take(Field::Tag, FieldPart::Value, TAG_LENGTH)?;
        Ok(&self.blob[start..self.at])
    }

    fn finish(&self) -> Result<(), ParseError> {
        let left = self.blob.len() - self.at;
        let field = self.fields.last().map_or(Field::Magic, |last| last.field);
        if left == 0 { Ok(()) } else { Err(self.error(field, ParseErrorKind::TrailingBytes(left))) }
    }
}
