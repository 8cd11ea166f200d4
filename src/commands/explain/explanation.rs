//! The explanation of a blob, as text and as JSON.

use serde_json::{Value, json};

use super::kms_key;
use crate::bundled::KeyLookup;
use crate::bundled::kms::ciphertext::{
    Body, FORMAT_VERSION, Field, FieldPart, FieldRow, Layer, ParsedBlob, TAG_LENGTH,
};
use crate::text::{escape_controls, fit, plural, width, wrap};

/// The number of columns of a shortened value. An IV, a salt, and a tag aren't longer.
const SHORT_VALUE: usize = 33;
/// The columns before the `…` of a shortened value.
const SHORT_VALUE_START: usize = 20;
/// The number of columns of a value in full: 32 bytes.
const FULL_VALUE: usize = 64;
/// The least number of columns for the meaning next to the value.
const MIN_MEANING: usize = 30;
/// The titles of the columns before the value.
const TITLES: [&str; 3] = ["OFFSET", "LENGTH", "FIELD"];
const INDENT: &str = "  ";

/// Everything that is shown about a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    length: usize,
    is_encrypted_twice: bool,
    key_arn: String,
    kms_key: Vec<(&'static str, String)>,
    fields: Vec<FieldRow>,
    layers: Vec<(Layer, Vec<String>)>,
    summary: [&'static str; 2],
}

impl Explanation {
    /// Explains a blob, with the key that was looked up in the account.
    pub(super) fn new(blob: &[u8], parsed: &ParsedBlob, lookup: &KeyLookup) -> Self {
        let mut layers = vec![(Layer::Header, Vec::new()), (Layer::First, first_layer_notes(parsed))];
        if parsed.header.is_external {
            layers.push((Layer::Second, second_layer_notes()));
        }
        Self {
            length: blob.len(),
            is_encrypted_twice: parsed.header.is_external,
            key_arn: parsed.header.key_arn.clone(),
            kms_key: kms_key::describe(&parsed.header.key_arn, lookup),
            fields: parsed.fields.iter().map(|field| FieldRow::new(blob, field)).collect(),
            layers,
            summary: summary(parsed.header.is_external),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let field = |row: &FieldRow| {
            json!({
                "name": row.name, "layer": row.layer.name(), "offset": row.offset, "length": row.length,
                "hex": row.hex, "text": row.text, "meaning": row.meaning,
            })
        };
        let layer = |(layer, notes): &(Layer, Vec<String>)| json!({ "layer": layer.name(), "title": layer.title(), "notes": notes });
        let property = |(name, value): &(&str, String)| json!({ "name": name, "value": value });
        json!({
            "ciphertextBlob": {
                "length": self.length, "format": FORMAT_VERSION, "isEncryptedTwice": self.is_encrypted_twice,
                "keyArn": self.key_arn,
            },
            "kmsKey": self.kms_key.iter().map(property).collect::<Vec<_>>(),
            "layers": self.layers.iter().map(layer).collect::<Vec<_>>(),
            "fields": self.fields.iter().map(field).collect::<Vec<_>>(),
            "summary": self.summary,
        })
    }

    /// Returns the text for a terminal of `columns` columns. Without `columns`, no sentence is wrapped. With `is_full`,
    /// values aren't shortened.
    pub(super) fn to_text(&self, is_full: bool, columns: Option<usize>) -> String {
        let columns = columns.unwrap_or(usize::MAX);
        let count = if self.is_encrypted_twice { "twice" } else { "once" };
        let bytes = plural(self.length, "byte", "bytes");
        let mut lines =
            vec![format!("Ciphertext of {bytes} in format {FORMAT_VERSION}, encrypted {count}"), String::new()];
        lines.push("KMS key".to_owned());
        let name_width = self.kms_key.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in &self.kms_key {
            let start = format!("{INDENT}{}  ", fit(name, name_width));
            // An ARN is easier to copy from one line.
            let columns = if value.contains(' ') { columns } else { usize::MAX };
            push_wrapped(&mut lines, &start, &escape_controls(value), columns);
        }
        let table = Table::new(&self.fields, is_full, columns);
        for (layer, notes) in &self.layers {
            lines.extend([String::new(), layer.title().to_owned(), table.title()]);
            for row in self.fields.iter().filter(|row| row.layer == *layer) {
                table.push_row(&mut lines, row);
            }
            for note in notes {
                push_wrapped(&mut lines, INDENT, note, columns);
            }
        }
        lines.push(String::new());
        for sentence in self.summary {
            push_wrapped(&mut lines, "", sentence, columns);
        }
        lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// Adds `start` and `text`, wrapped at `columns`, with the lines of `text` below each other.
fn push_wrapped(lines: &mut Vec<String>, start: &str, text: &str, columns: usize) {
    let indent = width(start);
    for (index, line) in wrap(text, columns.saturating_sub(indent).max(MIN_MEANING)).into_iter().enumerate() {
        lines.push(if index == 0 { format!("{start}{line}") } else { format!("{}{line}", " ".repeat(indent)) });
    }
}

fn first_layer_notes(parsed: &ParsedBlob) -> Vec<String> {
    let iv = parsed.fields.iter().rfind(|field| field.field == Field::Iv && field.part == FieldPart::Value);
    let last = iv.map_or(0, |iv| iv.range.end - 1);
    let mut notes = vec![
        "Algorithm: AES-256-GCM. HKDF-SHA-256 derives the key of this message from the key material, with the salt and the \
         key ARN."
            .to_owned(),
        format!(
            "Additional authenticated data: bytes 0 to {last}, followed by the encryption context. If either is changed, \
             decryption fails."
        ),
        "The encryption context isn't in the ciphertext: Decrypt needs it again, exactly as it was passed to Encrypt."
            .to_owned(),
    ];
    if let Body::Double(external) = &parsed.body {
        let plaintext = external.ciphertext.len().saturating_sub(TAG_LENGTH);
        notes.push(format!(
            "Ciphertext ({}) and tag ({TAG_LENGTH} bytes): inside layer 2, so they can't be seen without the external key.",
            plural(plaintext, "byte", "bytes")
        ));
    }
    notes
}

fn second_layer_notes() -> Vec<String> {
    [
        "Algorithm: AES-256-GCM with the external key, which never leaves the external key manager.",
        "Additional authenticated data: the metadata, and the SHA-256 digest of the additional authenticated data of layer 1. \
         The proxy gets the digest instead of the encryption context.",
        "The external key ID isn't in the ciphertext: only AWS KMS knows which external key belongs to the KMS key.",
        "The proxy also returned a ciphertext data integrity value (CDIV). AWS KMS checked it, and didn't store it.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn summary(is_external: bool) -> [&'static str; 2] {
    let encrypted = if is_external {
        "The plaintext is encrypted twice: by AWS KMS with key material in AWS, and the result again by the external key \
         manager with the external key, so that neither can decrypt it alone."
    } else {
        "The plaintext is encrypted once, by AWS KMS with key material in AWS: the KMS key isn't in an external key store."
    };
    [
        encrypted,
        "This layout is that of the bundled AWS of this program: the layout of ciphertexts of AWS isn't public. X-ray in the \
         console shows how a ciphertext came about.",
    ]
}

/// The widths of the columns.
struct Table {
    field_width: usize,
    value_width: usize,
    columns: usize,
    is_full: bool,
}

impl Table {
    fn new(rows: &[FieldRow], is_full: bool, columns: usize) -> Self {
        let limit = if is_full { FULL_VALUE } else { SHORT_VALUE };
        let widest = rows.iter().map(|row| width(&value(row, is_full))).max().unwrap_or(0);
        let field_width = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
        Self { field_width, value_width: widest.min(limit), columns, is_full }
    }

    fn line(&self, offset: &str, length: &str, field: &str, value: &str) -> String {
        let [field, value] = [fit(field, self.field_width), fit(value, self.value_width)];
        let (offset_width, length_width) = (TITLES[0].len(), TITLES[1].len());
        format!("{INDENT}{offset:>offset_width$}  {length:>length_width$}  {field}  {value}  ")
    }

    /// Whether the meaning has room next to the value. If not, it is below.
    fn has_meaning_column(&self) -> bool {
        self.columns >= width(&self.line("", "", "", "")) + MIN_MEANING
    }

    fn title(&self) -> String {
        let [offset, length, field] = TITLES;
        self.line(offset, length, field, "VALUE") + if self.has_meaning_column() { "MEANING" } else { "" }
    }

    fn push_row(&self, lines: &mut Vec<String>, row: &FieldRow) {
        let value = value(row, self.is_full);
        let mut values = wrap(&value, self.value_width).into_iter();
        let first =
            self.line(&row.offset.to_string(), &row.length.to_string(), &row.name, &values.next().unwrap_or_default());
        let indent = width(&first);
        let mut rest: Vec<String> = values.map(|value| self.line("", "", "", &value)).collect();
        if self.has_meaning_column() {
            let mut meanings = wrap(&row.meaning, self.columns - indent).into_iter();
            lines.push(first + &meanings.next().unwrap_or_default());
            let empty = " ".repeat(indent);
            for (index, meaning) in meanings.enumerate() {
                match rest.get_mut(index) {
                    Some(line) => line.push_str(&meaning),
                    None => rest.push(format!("{empty}{meaning}")),
                }
            }
            lines.append(&mut rest);
        } else {
            lines.push(first);
            lines.append(&mut rest);
            push_wrapped(lines, &INDENT.repeat(3), &row.meaning, self.columns);
        }
    }
}

/// Returns the value that is shown: text as it is, and other bytes as hexadecimal digits.
fn value(row: &FieldRow, is_full: bool) -> String {
    let value = row.text.as_deref().map_or_else(|| row.hex.clone(), escape_controls);
    let characters: Vec<char> = value.chars().collect();
    if is_full || characters.len() <= SHORT_VALUE {
        return value;
    }
    let end = characters.len() - (SHORT_VALUE - SHORT_VALUE_START - 1);
    characters[..SHORT_VALUE_START].iter().chain(&['…']).chain(&characters[end..]).collect()
}
