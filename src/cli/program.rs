//! The commands about the program itself: `completions`, `man`, and `version`.

use std::fmt;
use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

/// The options of `completions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that completions exist for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        })
    }
}

/// The options of `man`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Man {
    /// The command to print the manual page of; without it, the page of the program
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write the pages of the program and of all commands to this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// The text after the options in the help of `man`.
pub const MAN_HELP: &str = "\
Examples:
  xks-console man | man -l -          Read the page of the program
  xks-console man proxy check         Print the page of a command
  xks-console man --dir ~/.local/share/man/man1
                                      Write all pages, for `man xks-console`";

/// The text after the options in the help of `completions`.
pub const COMPLETIONS_HELP: &str = "\
To load the completions in each new shell, add this line to the file of your shell:
  bash   ~/.bashrc                   source <(xks-console completions bash)
  zsh    ~/.zshrc, after compinit    source <(xks-console completions zsh)
  fish   ~/.config/fish/config.fish  xks-console completions fish | source

Commands, options, files, profiles, and Regions are completed, and the aliases, key IDs, and key
stores of the bundled AWS. Completions never call AWS, and never create an account.";
