//! The commands about the program itself: `completions`.

use std::fmt;

use clap::ValueEnum;

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

/// The text after the options in the help of `completions`.
pub const COMPLETIONS_HELP: &str = "\
To load the completions in each new shell, add this line to the file of your shell:
  bash   ~/.bashrc                   source <(xks-console completions bash)
  zsh    ~/.zshrc, after compinit    source <(xks-console completions zsh)
  fish   ~/.config/fish/config.fish  xks-console completions fish | source

Commands, options, files, profiles, and Regions are completed, and the aliases, key IDs, and key
stores of the bundled AWS. Completions never call AWS, and never create an account.";
