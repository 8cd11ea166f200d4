//! The command `create-key`.

use std::path::PathBuf;

use super::AwsOptions;
use crate::create_key::key_options::KeyOptions;

/// The options of `create-key`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct CreateKey {
    /// The options that describe the key.
    #[command(flatten)]
    pub answers: KeyOptions,

    /// Read options from this file; options on the command line take precedence
    ///
    /// The file is JSON, or TOML if its name ends in .toml. Use the names of the options without the leading hyphens,
    /// and a list for an option that can be repeated: `{"alias": "payments", "tag": ["team=payments"]}`.
    #[arg(long = "answers", value_name = "FILE")]
    pub answers_file: Option<String>,

    /// Create the key without the wizard, and accept the acknowledgment below
    ///
    /// You acknowledge that a KMS key backed by an external key store could have degraded latency, durability, and
    /// availability because it depends on an external key manager managed outside of AWS.
    #[arg(long)]
    pub yes: bool,

    /// Create a key for each row of this CSV file, without the wizard
    ///
    /// Columns are separated by commas, semicolons, or tabs. The first row contains the names of the columns, which are
    /// the options that describe a key, such as xks-key-id and alias. Separate several values in a cell with
    /// semicolons; if semicolons also separate the columns, put the cell in double quotes. Options on the command line
    /// apply to each row whose cell is empty. No key is created until every row is valid. Keys are created one at a
    /// time, and only in external key stores.
    ///
    /// The result of each row is saved next to the CSV file, in FILE.report.jsonl. If you run the same command again,
    /// it skips keys that were created, checks keys that were in progress, and retries keys that failed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["xks_key_id", "alias"])]
    pub batch: Option<PathBuf>,

    /// The AWS to create the key in.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

/// The text after the options in the help of `create-key`.
pub const HELP: &str = "\
Examples:
  xks-console create-key --alias payments | jq -r .KeyMetadata.Arn
  xks-console create-key --yes --custom-key-store-id 'Frankfurt HSM' \\
    --xks-key-id payments-2026 --alias payments --tag team=payments
  xks-console create-key --yes --origin AWS_KMS --alias reports
  xks-console create-key --batch keys.csv --custom-key-store-id 'Frankfurt HSM' \\
    --administrator arn:aws:iam::111122223333:role/KeyAdministrator

Without --yes or --batch, the console wizard opens in the terminal with your options filled in. It
doesn't use standard output, so you can pipe the key to another program. The key is printed in the
output format of `aws kms create-key`; with --batch, as one line of JSON for each row. With --yes,
the file name - means standard input. If your profile needs an MFA code, the command asks for it in
the terminal.

Exit codes:
  0    the key, or each key in the CSV file, was created
  1    AWS rejected the request or something failed, and no key was created. With --batch, some rows
       failed. Or the key was created but couldn't be printed: standard error has its ARN
  2    an option or a file is invalid, or a terminal is required; no key was created
  3    you closed the wizard; no key was created
  4    the key was created and printed, but its alias wasn't created
  5    AWS didn't respond, and the command couldn't find out whether the key was created
  129, 130, 143   stopped by SIGHUP, SIGINT, or SIGTERM. The command first waits for requests in
                  progress, unless it receives a second signal";
