//! Reads the blob: Base64, JSON output of the AWS CLI, or raw bytes.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::aws::limits::MAX_CIPHERTEXT_BYTES;
use crate::bundled::kms::ciphertext::{self, MAGIC, ParseError, ParseErrorKind, ParsedBlob};
use crate::commands::note;
use crate::text::strip_byte_order_mark_bytes;

/// The maximum size of the input, in bytes. It has room for Base64 with line breaks, and for JSON around it.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

/// Accepts Base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The blob can't be explained.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("Couldn't read the ciphertext from {from}: {error}. Check the path and its permissions.")]
    Read { from: String, error: io::Error },
    #[error(
        "Couldn't explain the ciphertext: the input is empty. Pass a CiphertextBlob as FILE or on standard input; see \
         `xks-console explain --help`."
    )]
    Empty,
    #[error(
        "Couldn't explain the ciphertext: it has more than {MAX_CIPHERTEXT_BYTES} bytes, the limit of AWS KMS. Pass only the \
         CiphertextBlob of one response."
    )]
    TooLong,
    #[error(
        "Couldn't explain the ciphertext: the JSON has no CiphertextBlob. Pass the response of Encrypt, GenerateDataKey, or \
         ReEncrypt."
    )]
    NoBlob,
    #[error(
        "Couldn't explain the ciphertext: its Base64 is damaged at character {offset}. Copy all of the CiphertextBlob, and \
         nothing else."
    )]
    Base64 { offset: usize },
    #[error(
        "Couldn't explain the ciphertext: it isn't from the bundled AWS ({0}). The layout of ciphertexts of AWS isn't public, \
         so they can't be explained. Pass a CiphertextBlob that the bundled AWS returned."
    )]
    NotBundled(ParseError),
    #[error(
        "Couldn't explain the ciphertext: {0}. The ciphertext is from another version of the program, or it is damaged. Use \
         the version that encrypted it, or copy the ciphertext again."
    )]
    OtherVersion(ParseError),
    #[error(
        "Couldn't explain the ciphertext: {0}. The ciphertext is truncated or damaged, so it can't be decrypted either. Copy \
         all of the CiphertextBlob again."
    )]
    Damaged(ParseError),
}

/// Reads the blob from a file, or from standard input.
///
/// # Errors
/// [`InputError`] if the input can't be read, is empty or too long, or has no valid encoding.
pub(super) fn read(file: Option<&Path>) -> Result<Vec<u8>, InputError> {
    let read = |from: String, input: &mut dyn Read| {
        let mut bytes = Vec::new();
        let result = input.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes);
        result.map(|_| bytes).map_err(|error| InputError::Read { from, error })
    };
    let bytes = if let Some(path) = file.filter(|path| *path != Path::new("-")) {
        let from = path.display().to_string();
        let mut file = File::open(path).map_err(|error| InputError::Read { from: from.clone(), error })?;
        read(from, &mut file)?
    } else {
        let mut input = io::stdin().lock();
        if input.is_terminal() {
            note("Paste the CiphertextBlob, and press Enter and Ctrl-D.");
        }
        read("standard input".to_owned(), &mut input)?
    };
    decode(&bytes)
}

/// Decodes the input to the bytes of the blob.
pub(super) fn decode(input: &[u8]) -> Result<Vec<u8>, InputError> {
    if input.len() as u64 > MAX_INPUT_BYTES {
        return Err(InputError::TooLong);
    }
    let blob = if is_raw(input) { input.to_vec() } else { decode_text(input)? };
    match blob.len() {
        0 => Err(InputError::Empty),
        length if length > MAX_CIPHERTEXT_BYTES => Err(InputError::TooLong),
        _ => Ok(blob),
    }
}

/// Whether the input is a raw blob of the bundled AWS. No Base64 text has such a beginning: the format isn't one of its
/// characters.
fn is_raw(input: &[u8]) -> bool {
    let rest = input.strip_prefix(MAGIC);
    rest.is_some_and(|rest| {
        rest.first().is_none_or(|format| format.is_ascii_control() && !format.is_ascii_whitespace())
    })
}

fn decode_text(input: &[u8]) -> Result<Vec<u8>, InputError> {
    let Ok(text) = str::from_utf8(strip_byte_order_mark_bytes(input)) else {
        // These are raw bytes. The parser reports that they have another format.
        return Ok(input.to_vec());
    };
    let text = text.trim();
    if text.starts_with(['{', '"']) {
        return decode_base64(&blob_in_json(text)?);
    }
    decode_base64(text)
}

/// Returns the blob in the JSON output of the AWS CLI: in a response, or the blob alone with `--query`.
fn blob_in_json(text: &str) -> Result<String, InputError> {
    let document: serde_json::Value = serde_json::from_str(text).map_err(|_| InputError::NoBlob)?;
    let blob = document.as_str().or_else(|| document["CiphertextBlob"].as_str());
    blob.map(str::to_owned).ok_or(InputError::NoBlob)
}

/// Decodes Base64, without regard to line breaks and spaces.
fn decode_base64(text: &str) -> Result<Vec<u8>, InputError> {
    // The offset of each character in `text`, for errors.
    let characters: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()).collect();
    let bytes: Vec<u8> = characters.iter().map(|(_, byte)| *byte).collect();
    BASE64.decode(&bytes).map_err(|error| {
        let index = match error {
            base64::DecodeError::InvalidByte(index, _) | base64::DecodeError::InvalidLastSymbol(index, _) => index,
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => bytes.len(),
        };
        InputError::Base64 { offset: characters.get(index).map_or(text.len(), |(offset, _)| *offset) }
    })
}

/// Parses a blob with the parser that Decrypt uses.
///
/// # Errors
/// [`InputError`] if the blob isn't from the bundled AWS, is damaged, or is truncated.
pub(super) fn parse_blob(blob: &[u8]) -> Result<ParsedBlob, InputError> {
    ciphertext::parse(blob).map_err(|error| match error.kind {
        ParseErrorKind::OtherFormat => InputError::NotBundled(error),
        ParseErrorKind::UnknownFormat(_) => InputError::OtherVersion(error),
        _ => InputError::Damaged(error),
    })
}
