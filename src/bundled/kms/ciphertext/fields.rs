//! The fields of a blob for people: which layer they belong to, and what they mean.

use super::{Field, FieldPart, FieldRange};
use crate::text::{hex, plural};
use crate::xks::key_manager::version_from_metadata;

/// A group of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// What the ciphertext is, and which KMS key it belongs to.
    Header,
    /// What AWS KMS encrypted.
    First,
    /// What the external key manager encrypted.
    Second,
}

impl Layer {
    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::First => "layer1",
            Self::Second => "layer2",
        }
    }

    /// Returns the heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Header => "Header",
            Self::First => "Layer 1: AWS KMS key material",
            Self::Second => "Layer 2: external key",
        }
    }

    fn of(field: Field) -> Self {
        match field {
            Field::Magic | Field::Format | Field::Kind | Field::KeyArn | Field::MaterialId => Self::Header,
            Field::Salt | Field::Iv | Field::Ciphertext | Field::Tag => Self::First,
            Field::ExternalIv | Field::ExternalTag | Field::ExternalMetadata | Field::ExternalCiphertext => {
                Self::Second
            }
        }
    }
}

/// A field, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRow {
    /// The name.
    pub name: String,
    /// The layer that the field belongs to.
    pub layer: Layer,
    /// The offset in the blob, in bytes.
    pub offset: usize,
    /// The length, in bytes.
    pub length: usize,
    /// The bytes as hexadecimal digits.
    pub hex: String,
    /// The value of a field that is text.
    pub text: Option<String>,
    /// What the field means.
    pub meaning: String,
}

impl FieldRow {
    /// Describes a field of `blob`.
    pub fn new(blob: &[u8], field: &FieldRange) -> Self {
        let bytes = &blob[field.range.clone()];
        let is_text = matches!(field.field, Field::Magic | Field::KeyArn | Field::MaterialId);
        let is_value = field.part == FieldPart::Value;
        Self {
            name: if is_value { field.field.to_string() } else { format!("{} length", field.field) },
            layer: Layer::of(field.field),
            offset: field.range.start,
            length: field.range.len(),
            hex: hex(bytes),
            text: (is_text && is_value).then(|| String::from_utf8_lossy(bytes).into_owned()),
            meaning: if is_value { meaning(field.field, bytes) } else { length_meaning(field.field, bytes) },
        }
    }
}

fn length_meaning(field: Field, bytes: &[u8]) -> String {
    let length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
    let what = match field {
        Field::Ciphertext => "ciphertext and the tag",
        Field::KeyArn => "key ARN",
        Field::MaterialId => "key material ID",
        Field::Iv | Field::ExternalIv => "IV",
        Field::ExternalTag | Field::Tag => "tag",
        Field::ExternalMetadata => "metadata",
        Field::ExternalCiphertext => "ciphertext",
        Field::Salt | Field::Magic | Field::Format | Field::Kind => "salt",
    };
    format!("The {what} has {}.", plural(length, "byte", "bytes")).replace("and the tag has", "and the tag have")
}

fn meaning(field: Field, bytes: &[u8]) -> String {
    match field {
        Field::Magic => "Every ciphertext of the bundled AWS begins with these bytes.",
        Field::Format => "The version of this layout.",
        Field::Kind if bytes == [1] => "Two layers: the KMS key is in an external key store.",
        Field::Kind => "One layer: the KMS key has its key material only in AWS KMS.",
        Field::KeyArn => "The KMS key, which Decrypt finds by this ARN.",
        Field::MaterialId => "The key material of the KMS key that encrypted layer 1.",
        Field::Salt => "Random bytes, so that each message is encrypted with its own derived key.",
        Field::Iv => "The random initialization vector of layer 1.",
        Field::Ciphertext => "The encrypted plaintext, which has the same length.",
        Field::Tag => "The authentication tag of layer 1, which reveals any change.",
        Field::ExternalIv => "The initialization vector that the external key manager chose.",
        Field::ExternalTag => "The authentication tag of layer 2, which reveals any change.",
        Field::ExternalMetadata => return metadata_meaning(bytes),
        Field::ExternalCiphertext => "The ciphertext and the tag of layer 1, encrypted with the external key.",
    }
    .to_owned()
}

fn metadata_meaning(bytes: &[u8]) -> String {
    match (bytes, version_from_metadata(bytes)) {
        ([], _) => "The external key manager returned no ciphertext metadata.".to_owned(),
        (_, Some(version)) => {
            format!(
                "The ciphertext metadata: in the bundled external key manager, version {version} of the external key."
            )
        }
        (_, None) => "The ciphertext metadata, which only the external key manager understands.".to_owned(),
    }
}
