//! The commands `world export` and `world import`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// The commands of `world`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum WorldCommand {
    /// Write the account to a file: as a scenario without secrets, or as an encrypted snapshot
    ///
    /// A scenario describes users, roles, policies, key stores, and keys. Accounts that are created from it have other
    /// IDs, access keys, and key material. A snapshot is the whole account, so its copy decrypts the same ciphertexts.
    #[command(after_help = EXPORT_HELP)]
    Export(WorldExport),
    /// Create the account in the data directory from a snapshot
    ///
    /// The data directory must not contain an account.
    #[command(after_help = IMPORT_HELP)]
    Import(WorldImport),
}

/// The options of `world export`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(group = clap::ArgGroup::new("kind").args(["scenario", "snapshot"]).required(true))]
pub struct WorldExport {
    /// Write a scenario to this file, whose name ends in .toml
    ///
    /// The file contains no secrets. What a scenario can't hold is left out, and listed on standard error.
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath)]
    pub scenario: Option<String>,
    /// Write a snapshot to this file, encrypted under a passphrase
    ///
    /// No other program can use the account in the meantime.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub snapshot: Option<PathBuf>,
    /// The passphrase of the snapshot.
    #[command(flatten)]
    pub passphrase: PassphraseOptions,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// The options of `world import`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct WorldImport {
    /// The snapshot
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The passphrase of the snapshot.
    #[command(flatten)]
    pub passphrase: PassphraseOptions,
}

/// Where the passphrase comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct PassphraseOptions {
    /// Read the passphrase from this file instead of the terminal
    ///
    /// A line break at the end of the file isn't part of the passphrase.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "scenario")]
    pub passphrase_file: Option<PathBuf>,
}

/// The text after the options in the help of `world`.
pub const HELP: &str = "\
Examples:
  xks-console world export --scenario class.toml
                                    Write the account as a scenario, without secrets
  xks-console reset --scenario class.toml
                                    Start over with this scenario
  xks-console world export --snapshot account.snapshot
                                    Write the whole account, encrypted under a passphrase
  xks-console world import account.snapshot --data-dir /tmp/copy
                                    Create an account from it";

const EXPORT_HELP: &str = "\
Examples:
  xks-console world export --scenario class.toml
                                    Write a scenario for `--scenario class.toml`
  xks-console world export --snapshot account.snapshot --passphrase-file passphrase.txt
                                    Write a snapshot without a question

A passphrase has at least 12 characters. It can't be recovered, and anyone who has it and the
snapshot can use all keys of the account.

Exit codes:
  0    the file was written
  1    there is no account, another program uses it, the file exists, or it can't be written
  2    the command line is invalid, the passphrase can't be used, or there is no terminal to ask for
       it";

const IMPORT_HELP: &str = "\
Example:
  xks-console world import account.snapshot --data-dir /tmp/copy

Exit codes:
  0    the account was created
  1    the passphrase is wrong, the snapshot can't be used, or the directory has an account
  2    the command line is invalid, or there is no terminal to ask for the passphrase";
