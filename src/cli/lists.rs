//! The commands `list-keys`, `show-key`, and `list-stores`.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::AwsOptions;
use crate::aws::kms::{KeyState, Origin};

/// The names of key states in `--status`.
const KEY_STATES: [(&str, KeyState); 8] = [
    ("enabled", KeyState::Enabled),
    ("disabled", KeyState::Disabled),
    ("pending-deletion", KeyState::PendingDeletion),
    ("unavailable", KeyState::Unavailable),
    ("pending-import", KeyState::PendingImport),
    ("pending-replica-deletion", KeyState::PendingReplicaDeletion),
    ("creating", KeyState::Creating),
    ("updating", KeyState::Updating),
];

/// The names of origins in `--origin`.
const ORIGINS: [(&str, Origin); 4] = [
    ("external-key-store", Origin::ExternalKeyStore),
    ("aws-kms", Origin::AwsKms),
    ("external", Origin::External),
    ("aws-cloudhsm", Origin::AwsCloudHsm),
];

/// Returns a parser of the names in `values`.
fn name_parser<T, const N: usize>(values: [(&'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.map(|(name, _)| name)).try_map(move |text: String| {
        let found = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        found.map(|(_, value)| *value).ok_or("not a known value")
    })
}

/// How a list is printed: as a table of text, or in one of these formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct ListFormat {
    /// Print a Markdown table with all columns
    #[arg(long, conflicts_with = "csv")]
    pub markdown: bool,
    /// Print CSV with all columns and a header
    #[arg(long)]
    pub csv: bool,
}

impl ListFormat {
    /// Whether a format other than the table of text is selected.
    pub(super) fn is_selected(self) -> bool {
        self.markdown || self.csv
    }
}

/// The options of `list-keys`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ListKeys {
    /// Only keys in this key store, by its ID or name
    #[arg(long, value_name = "NAME")]
    pub store: Option<String>,
    /// Only keys with this status; repeat the option for several
    #[arg(long, value_name = "STATUS", ignore_case = true, value_parser = name_parser(KEY_STATES))]
    pub status: Vec<KeyState>,
    /// Only keys whose key material has this origin; repeat the option for several
    #[arg(long, value_name = "ORIGIN", ignore_case = true, value_parser = name_parser(ORIGINS))]
    pub origin: Vec<Origin>,
    /// Only keys that contain every word of this text, as the search in the console does
    ///
    /// Words are found in any column, without regard to case. To look in one column, use its name, which you can
    /// shorten: `description:ledger` or `external-key-id:2026`. To look in tags, use `tag:team=payments`.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub search: String,
    /// List the AWS managed keys instead of the customer managed keys
    #[arg(long)]
    pub aws_managed: bool,
    /// The format of the list.
    #[command(flatten)]
    pub format: ListFormat,
    /// The AWS to use instead of the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

/// The options of `show-key`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ShowKey {
    /// The ID, ARN, or alias of the key
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The AWS to use instead of the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

/// The options of `list-stores`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ListStores {
    /// Only key stores that contain every word of this text, as the search in the console does
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub search: String,
    /// The format of the list.
    #[command(flatten)]
    pub format: ListFormat,
    /// The AWS to use instead of the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

/// The text after the options in the help of `list-keys`.
pub const LIST_KEYS_HELP: &str = "\
Examples:
  xks-console list-keys --status enabled --store 'Frankfurt HSM'
                                      List the enabled keys in a key store
  xks-console list-keys --search description:ledger
                                      List the keys with a word in their description
  xks-console list-keys --json | jq -r '.keys[].arn'
                                      Print the ARN of each key
  xks-console list-keys --csv > keys.csv
                                      Write a file for a spreadsheet

In a terminal, the table is as wide as the terminal. Without one, nothing is shortened.

Exit codes:
  0    the list is complete, even if no key matches
  1    the list or a part of it couldn't be loaded
  2    the command line is invalid";

/// The text after the options in the help of `show-key`.
pub const SHOW_KEY_HELP: &str = "\
Examples:
  xks-console show-key customer-db    Print a key with its policy, tags, and external key
  xks-console show-key alias/customer-db --json
                                      Print the same as JSON

Exit codes:
  0    everything is printed
  1    the key doesn't exist, or a part of it couldn't be loaded
  2    the command line is invalid";
