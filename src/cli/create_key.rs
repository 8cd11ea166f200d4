//! The command `create-key`.

use std::path::PathBuf;

use super::AwsOptions;
use crate::create_key::key_options::KeyOptions;

/// Which key is made, where, and whether a person is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct CreateKey {
    /// What is said of the key.
    #[command(flatten)]
    pub answers: KeyOptions,

    /// Take what no option says from this file
    ///
    /// JSON, or TOML when its name ends in .toml. Its members have the names of the options, without hyphens in front; what
    /// can be given several times is a list: `{"alias": "payments", "tag": ["team=payments"]}`.
    #[arg(long = "answers", value_name = "FILE")]
    pub answers_file: Option<String>,

    /// Make the key without a screen, accepting what the console asks to acknowledge
    ///
    /// That a KMS key in an external key store can be slower, less durable and less available, because it depends on an
    /// external key manager outside of AWS.
    #[arg(long)]
    pub yes: bool,

    /// Make a key for each row of this list, without a screen
    ///
    /// CSV, as spreadsheets save it: columns are separated by commas, semicolons, or tabs. The first row names the columns,
    /// which are those options that say something of a key; several values in a cell are separated by semicolons, and the
    /// cell is in double quotes where semicolons separate the columns, too. Options hold for each row whose cell is empty. Nothing is made before all rows are
    /// right. One key is made at a time, and all in external key stores.
    ///
    /// What came of each row is kept beside the list, in FILE.report.jsonl: run the same again, and what is made is skipped,
    /// what was under way is looked up, what failed is tried again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["xks_key_id", "alias"])]
    pub batch: Option<PathBuf>,

    /// Where.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

/// What stands under the help of `create-key`.
pub const HELP: &str = "\
Examples:
  xks-console create-key --alias payments | jq -r .KeyMetadata.Arn
  xks-console create-key --yes --custom-key-store-id 'Frankfurt HSM' \\
    --xks-key-id payments-2026 --alias payments --tag team=payments
  xks-console create-key --yes --origin AWS_KMS --alias reports
  xks-console create-key --batch keys.csv --custom-key-store-id 'Frankfurt HSM' \\
    --administrator arn:aws:iam::111122223333:role/KeyAdministrator

The wizard of the console opens on the terminal, filled in with what the options say: standard
output may be a pipe. The key that was made is printed as `aws kms create-key` prints it; with
--batch a line of JSON for each row. With --yes, a file named - is standard input. A code of
an MFA device is asked for on the terminal.

Exit codes:
  0    the key was made, or all keys of a list
  1    AWS refused, or something failed; no key was made. In a list: of some rows. Or the key was
       made and could not be printed: standard error names it
  2    what was asked for is not right, or there is no terminal; no key was made
  3    the wizard was left; no key was made
  4    the key was made, but its alias was not; it is printed all the same
  5    no answer came, and looking did not tell whether the key was made
  129, 130, 143   ended by SIGHUP, SIGINT, SIGTERM; what is under way is waited for, unless it
                  is a second one";
