//! `xks-console explain`: takes a ciphertext of the bundled AWS apart.

mod explanation;
mod input;
mod kms_key;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;

use self::explanation::Explanation;
use super::lists::terminal_width;
use super::note;
use crate::bundled::kms::ciphertext::{Body, ParsedBlob};
use crate::bundled::{CiphertextKey, KeyLookup};
use crate::cli::{Arguments, Explain};
use crate::xks::key_manager::version_from_metadata;

/// Explains the ciphertext that the command line names.
pub(super) fn run(arguments: &Arguments, options: &Explain) -> Result<ExitCode, Box<dyn Error>> {
    let data_dir = super::settings(arguments)?.data_dir.value;
    let blob = input::read(options.file.as_deref())?;
    let parsed = input::parse_blob(&blob)?;
    let lookup = data_dir.map_or(KeyLookup::NoAccount, |dir| look_up(&dir, &parsed));
    let explanation = Explanation::new(&blob, &parsed, &lookup);
    let text = if arguments.json {
        serde_json::to_string_pretty(&explanation.to_json())? + "\n"
    } else {
        explanation.to_text(options.full, terminal_width())
    };
    match io::stdout().write_all(text.as_bytes()) {
        // The reader, such as `head`, may close the pipe before the end.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Looks for the key in the account in `dir`. The explanation of the blob needs no account, so an account that can't be
/// read is reported like a missing one.
fn look_up(dir: &Path, parsed: &ParsedBlob) -> KeyLookup {
    let external_version = match &parsed.body {
        Body::Single(_) => None,
        Body::Double(external) => version_from_metadata(&external.ciphertext_metadata),
    };
    let key =
        CiphertextKey { key_arn: &parsed.header.key_arn, material_id: &parsed.header.material_id, external_version };
    KeyLookup::read(dir, &key, Timestamp::now()).unwrap_or_else(|error| {
        note(format_args!(
            "Couldn't read the account in {}: {error}. The explanation contains only what is in the ciphertext. Check the \
             directory with `xks-console list-keys`.",
            dir.display()
        ));
        KeyLookup::NoAccount
    })
}
