//! The command `config`.

use std::path::PathBuf;

use clap::Subcommand;

/// The options of `config`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(group = clap::ArgGroup::new("action").args(["print", "check"]))]
pub struct Config {
    /// The same as `config print`
    #[arg(long)]
    print: bool,
    /// The same as `config check`
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "the option has an optional value")]
    check: Option<Option<PathBuf>>,
    /// The `config` command to run.
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

/// The `config` commands.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings that apply, with the origin of each value
    ///
    /// The output is a valid config.toml. It includes the environment variables and the options of this command line,
    /// so that you can see what an option changes.
    Print,
    /// Report all problems of config.toml and of the environment variables, or of FILE only
    Check {
        /// The file to check instead of config.toml
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print a JSON schema of config.toml, for editors
    Schema,
    /// Print the path of config.toml
    Path,
}

impl Config {
    /// Returns the command, in either of its spellings.
    pub fn command(&self) -> ConfigCommand {
        match (&self.command, &self.check) {
            (Some(command), _) => command.clone(),
            (None, Some(file)) => ConfigCommand::Check { file: file.clone() },
            (None, None) => ConfigCommand::Print,
        }
    }
}

/// The text after the options in the help of `config`.
pub const HELP: &str = "\
Settings:
  The file config.toml is in $XDG_CONFIG_HOME/xks-console or ~/.config/xks-console. You write it;
  the program never changes it. Each setting also has an environment variable: XKS_CONSOLE_ and the
  name in uppercase, such as XKS_CONSOLE_DATA_DIR. Options take precedence over variables, and
  variables over the file. Read-only mode is on if any of them turns it on.

Examples:
  xks-console config print            Show the settings that apply, and where they come from
  xks-console --aws config print      Show them with this option
  xks-console config check            Find the mistakes in config.toml and the variables
  xks-console config check new.toml   Find the mistakes in another file

Exit codes:
  0    success
  1    the configuration has problems, or a file couldn't be read
  2    the command line is invalid";
