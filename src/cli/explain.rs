//! The command `explain`.

use std::path::PathBuf;

/// The options of `explain`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Explain {
    /// The file with the CiphertextBlob; without it or with `-`, the blob is read from standard input
    ///
    /// The blob can be Base64, with or without line breaks, JSON output of the AWS CLI, or raw bytes.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print each value in full
    #[arg(long)]
    pub full: bool,
}

/// The text after the options in the help of `explain`.
pub const HELP: &str = r#"Examples:
  xks-console explain ciphertext.txt          Show the fields of a ciphertext
  xks-console explain ciphertext.txt --full   Also show long values in full
  xks-console explain ciphertext.txt --json   Print the same as JSON
  aws kms encrypt --key-id alias/customer-db --plaintext aGVsbG8= | xks-console explain
                                              Encrypt, and show what AWS KMS returned

The layout is that of the bundled AWS. The layout of ciphertexts of AWS isn't public, so this command
can't explain them. Plaintext and key material are never shown. To see how a ciphertext came about,
open X-ray in the console.

JSON:
  {"ciphertextBlob": {"length", "format", "isEncryptedTwice", "keyArn"},
   "layers": [{"layer", "title", "notes": []}],
   "fields": [{"name", "layer", "offset", "length", "hex", "text", "meaning"}],
   "kmsKey": [{"name", "value"}], "summary": []}

Exit codes:
  0    the ciphertext is explained
  1    the ciphertext can't be read, is damaged, or isn't from the bundled AWS
  2    the command line is invalid"#;
