//! The command `open`.

use super::AwsOptions;

/// The options of `open`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Open {
    /// The ID, ARN, or alias of a key, or the ID or name of a key store
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The AWS to use instead of the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}
