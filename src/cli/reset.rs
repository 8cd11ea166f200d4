//! The command `reset`.

/// The options of `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Reset {
    /// Don't ask for confirmation
    #[arg(long)]
    pub yes: bool,
}

/// The text after the options in the help of `reset`.
pub const HELP: &str = "\
Examples:
  xks-console reset                         Delete the account after you confirm it, and create a new one
  xks-console reset --yes --scenario training
                                            Start over with another scenario, without a question

Key material can't be restored: data encrypted under the keys of the account is lost. Drafts and
settings are kept.

Exit codes:
  0    the account was deleted, and a new one was created
  1    there is no account, another program uses it, or it can't be deleted
  2    the command line is invalid, or there is no terminal for the confirmation
  3    you answered no";
