//! The command line: commands, options, and their help.

mod aws_options;
mod class;
mod clock;
mod config;
mod create_key;
mod display;
mod explain;
mod learn;
mod lists;
mod open;
mod program;
mod proxy;
mod redacted_value;
mod reset;
mod serve;
mod setting_options;
mod tapes;
mod world;

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand, ValueHint};

pub use aws_options::AwsOptions;
pub use class::ClassOptions;
pub use clock::Clock;
pub use config::{Config, ConfigCommand};
pub use create_key::CreateKey;
pub use display::DisplayOptions;
pub use explain::Explain;
pub use learn::{Learn, LearnCommand};
pub use lists::{ListFormat, ListKeys, ListStores, ShowKey};
pub use open::Open;
pub use program::{Completions, Man, Shell};
pub use proxy::{ExternalKeyRef, FaultCommand, Proxy, ProxyCheck, ProxyCommand};
pub use reset::Reset;
pub use serve::{Background, Serve};
pub use tapes::{Play, Record, Speed, TapeCommand, Test};
pub use world::{PassphraseOptions, WorldCommand, WorldExport, WorldImport};

use crate::xks::network::ConnectTo;

/// The text after the options in `--help`.
const LONG_HELP: &str = "\
Examples:
  xks-console                             Open the console on the bundled AWS
  xks-console --data-dir /tmp/try         Use a separate account; delete the directory to remove it
  xks-console --data-dir /tmp/try --scenario default
                                          Create the account from the scenario \"default\"
  xks-console open alias/payments         Open the page of a key; also by ID, ARN, or key store name
  xks-console list-keys --csv             List the keys as CSV; also as a table, JSON, or Markdown
  xks-console show-key alias/payments     Print a key with its policy, tags, and external key
  xks-console create-key --yes --xks-key-id payments-2026 --alias payments
                                          Create a KMS key without the wizard, and print it
  xks-console serve -- aws kms list-keys  Run a command against the bundled AWS
  xks-console serve --detach              Serve the bundled AWS in the background
  xks-console serve --accounts 12         Serve a separate account for each student of a class
  xks-console world export --scenario class.toml
                                          Write the account as a scenario, without secrets
  xks-console explain ciphertext.txt      Show both layers of encryption of a ciphertext
  xks-console proxy create-partition red  Create a partition for external keys
  xks-console proxy rotate-credential oslo
                                          Print a proxy configuration file for the partition \"oslo\"
  xks-console proxy check --help          Show how to check a proxy of any vendor
  xks-console clock +7d                   Move the time of the bundled AWS forward by 7 days
  xks-console --aws --profile work        Open the console on AWS
  xks-console --aws --read-only           Open the console on AWS in read-only mode
  xks-console config print                Show the settings that apply, and where they come from
  xks-console --accessible                Answer questions line by line, for screen readers and pipes
  xks-console --endpoint-url http://127.0.0.1:4599 --region us-west-2
                                          Open the console on another endpoint, such as that of `serve`
  xks-console learn                       List lessons on external key stores, to take in the console
  xks-console record demo.tape            Write a tape of what you do
  xks-console play demo.tape              Play a tape at the pace of a person
  xks-console test flows                  Play the tapes in flows, and compare their screens

Keys:
  Tab, Shift-Tab   next or previous field       Enter   activate
  Arrow keys       move in lists and choices    Space   select or clear
  Ctrl-N, Ctrl-P   next or previous step        Esc     close or cancel
  /                search a table               F1      help for the field
  Ctrl-C           quit; if you have unsaved changes, press it twice

The bundled AWS:
  KMS, IAM, STS, CloudTrail, CloudWatch, an external key store proxy, and an external key manager
  run inside the program. They need no AWS account and no network. Their data is stored in the first
  of these directories:
    --data-dir DIR
    $XDG_DATA_HOME/xks-console
    ~/.local/share/xks-console
  The directory contains keys, so only you can access it. If you lose its root key files, the keys
  can't be recovered.

AWS:
  With --aws or --endpoint-url, the program uses the same settings as the AWS CLI:
    Credentials  --profile, or else AWS_ACCESS_KEY_ID and related variables, or else AWS_PROFILE.
                 Profiles can use IAM Identity Center, roles, web identity tokens, and
                 credential_process. ECS, EKS, and EC2 credentials are tried last
    Files        ~/.aws/config and ~/.aws/credentials, or those in AWS_CONFIG_FILE and
                 AWS_SHARED_CREDENTIALS_FILE
    Region       --region, AWS_REGION, AWS_DEFAULT_REGION, `region` in the profile
    Endpoints    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KMS, _IAM, _STS, _CLOUDTRAIL,
                 `endpoint_url` in the profile, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT
    Network      AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY
  Without these options, the program uses the network only to reach external key store proxies.

Settings:
  The file config.toml in $XDG_CONFIG_HOME/xks-console or ~/.config/xks-console, for example:
    target = \"aws\"           the AWS to use: \"bundled\", \"aws\", or the URL of an endpoint
    read-only = true         applies to every console
    [profiles.NAME]          applies to one profile: that of --profile, AWS_PROFILE, or \"default\"
    read-only = true
  `xks-console config print` shows all settings. Each has a variable, such as XKS_CONSOLE_READ_ONLY.
  Options take precedence over variables, and variables over the file. If the file or a variable
  selects another AWS, --bundled, --data-dir, and --scenario select the bundled one again. Read-only
  mode is on if any of them turns it on.

Exit codes:
  0    success
  1    failure, or `test`, `play --check`, `proxy check`, or `config check` found problems
  2    the command line or a value is invalid, or a terminal is required
  3    nothing was done: you closed the create-key wizard, the input of --accessible ended in it,
       you answered no to `proxy delete-key` or `reset`, or `serve --stop` found no server in the
       background; in `test`, a Wait never matched
  4, 5             create-key only; see its help
  125, 126, 127    `serve -- COMMAND` couldn't start COMMAND. If COMMAND starts, its exit code is
                   returned instead
  129, 130, 143    stopped by SIGHUP, SIGINT, or SIGTERM";

/// The parsed command line.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "xks-console", version, max_term_width = 100, after_long_help = LONG_HELP)]
#[command(about = "The AWS KMS console for external key stores, in a terminal")]
#[command(long_about = "The AWS KMS console for external key stores, in a terminal.\n\n\
    It guides you through creating a KMS key in an external key store. By default, it uses a bundled AWS. The \
    bundled KMS really encrypts and decrypts data with the keys that you create.")]
pub struct Arguments {
    /// Store the data of the bundled AWS in this directory
    ///
    /// If the directory is empty or doesn't exist, a new account is created in it.
    #[arg(long, value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,

    /// Use a new account of the bundled AWS in memory, which is gone when the program ends
    ///
    /// Nothing is written to the data directory, and drafts aren't saved. Each program has an account of its own.
    #[arg(long, global = true)]
    pub ephemeral: bool,

    /// Connect to a different address for the external key store proxy at this host
    ///
    /// Use it for a proxy that isn't yet reachable on port 443 at a public DNS name. This option can be repeated.
    #[arg(long, value_name = "HOST=ADDRESS:PORT", global = true)]
    pub connect_to: Vec<ConnectTo>,

    /// Also trust external key store proxy certificates signed by the CAs in this PEM file
    #[arg(long, value_name = "FILE", global = true)]
    pub proxy_ca: Option<PathBuf>,

    /// The AWS to use instead of the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,

    /// How the console looks.
    #[command(flatten)]
    pub display: DisplayOptions,

    /// Create a new account from this scenario
    ///
    /// A name, such as "training", or a file whose name ends in .toml. The directory must not contain an account yet; an
    /// existing account is never overwritten. Without this option, a new account is created from the scenario "default".
    #[arg(long, value_name = "NAME|FILE", global = true)]
    pub scenario: Option<String>,

    /// Print lists, keys, ciphertexts, the clock, the version, the progress of a class, and the reports of `proxy check`
    /// and `test` as one JSON document
    #[arg(long, global = true)]
    pub json: bool,

    /// The command to run instead of opening the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The read-only option of commands that call AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct AccessOptions {
    /// Don't change anything in AWS
    ///
    /// Only requests that AWS classifies as List or Read, and dry runs, are sent. Nothing is created, changed, deleted,
    /// connected, encrypted, or decrypted. Instead, the console shows the AWS CLI commands to use. You can also turn on
    /// read-only mode in config.toml or with XKS_CONSOLE_READ_ONLY. It applies if any of them turns it on.
    #[arg(long)]
    pub read_only: bool,
}

/// The commands of the program.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Create a KMS key in an external key store
    ///
    /// Opens the wizard with your options filled in, or creates the key directly if you add --yes. Then prints the key
    /// in the output format of `aws kms create-key`. With --batch, creates a key for each row of a CSV file.
    #[command(after_help = create_key::HELP)]
    CreateKey(Box<CreateKey>),
    /// Open the console on the page of a key or a key store
    Open(Box<Open>),
    /// List the KMS keys, as the console does
    #[command(after_help = lists::LIST_KEYS_HELP)]
    ListKeys(Box<ListKeys>),
    /// Print a KMS key with its key policy, tags, and external key
    #[command(after_help = lists::SHOW_KEY_HELP)]
    ShowKey(Box<ShowKey>),
    /// List the external key stores, as the console does
    ListStores(Box<ListStores>),
    /// Take a ciphertext of the bundled AWS apart, and show both layers of encryption field by field
    ///
    /// Shows the offset, length, value, and meaning of each field of a CiphertextBlob that Encrypt, GenerateDataKey, or
    /// ReEncrypt of the bundled AWS returned. Nothing is decrypted. If the data directory has an account, also shows the
    /// KMS key, and whether its key material still exists. An account is never created or changed.
    #[command(after_help = explain::HELP)]
    Explain(Explain),
    /// Serve the bundled AWS on a port for the AWS CLI, SDKs, and other tools
    ///
    /// KMS, IAM, STS, CloudTrail, and CloudWatch are available at /, and the external key store proxy at the URI path
    /// of each partition. With COMMAND, the server runs until COMMAND exits; with --detach, it runs in the background;
    /// otherwise, it runs until Ctrl-C or SIGTERM. It finishes requests in progress before it stops.
    ///
    /// Prints shell commands that export the settings for AWS tools. Also writes `config` and `credentials` files for
    /// the AWS CLI and SDKs, with a profile for each principal, to the data directory.
    ///
    /// With --accounts, each student of a class gets a separate account on a port of its own.
    #[command(after_help = serve::HELP)]
    Serve(Serve),
    /// Manage the bundled external key manager and proxy credentials, or check any proxy
    ///
    /// The external key manager and its proxy are outside of AWS, so you can't manage them with AWS APIs. Changes take
    /// effect immediately, even on a running server.
    #[command(after_help = proxy::HELP)]
    Proxy {
        /// The `proxy` command to run.
        #[command(subcommand)]
        command: Proxy,
    },
    /// Print the time of the bundled AWS, or move it forward
    ///
    /// See what happens after days without waiting for them: a pending deletion ends, sessions expire, keys are rotated.
    /// The time can't be moved back.
    #[command(after_help = clock::HELP)]
    Clock(Clock),
    /// Delete the account of the bundled AWS, and start over with a new one
    ///
    /// Deletes the account in the data directory with all of its keys, its external key manager, events, and metrics.
    /// Then creates a new account, from the scenario of --scenario if you add it.
    #[command(after_help = reset::HELP)]
    Reset(Reset),
    /// Take a lesson on external key stores, or write one
    ///
    /// A lesson explains, step by step, what to do in the console, and notices when it is done. Each lesson has an account of
    /// its own, which is kept in the directory `lessons` of the data directory.
    #[command(after_help = learn::HELP)]
    Learn(Box<Learn>),
    /// Write the account of the bundled AWS to a file, or create one from it
    #[command(subcommand, after_help = world::HELP)]
    World(WorldCommand),
    /// Play tapes and compare the screens with golden files
    ///
    /// A tape is a script of key presses and expectations. Each tape is played on a separate console with a new account
    /// in memory, a simulated clock, and fixed random numbers, so that the screens are the same each time.
    #[command(after_help = tapes::TEST_HELP)]
    Test(Box<Test>),
    /// Play a tape in this terminal, or write it as a recording or as images
    #[command(after_help = tapes::PLAY_HELP)]
    Play(Box<Play>),
    /// Write a tape of what you do in a console with a new account in memory
    ///
    /// Use --scenario to choose the account, and --connect-to and --proxy-ca to reach a proxy of your own.
    Record(Record),
    /// Write a new tape to start from, or check tapes
    #[command(subcommand)]
    Tape(TapeCommand),
    /// Print or check the settings of config.toml, the environment variables, and the options
    #[command(after_help = config::HELP)]
    Config(Config),
    /// Print the script that completes commands in your shell
    #[command(after_help = program::COMPLETIONS_HELP)]
    Completions(Completions),
    /// Print a manual page, or write all of them to a directory
    #[command(after_help = program::MAN_HELP)]
    Man(Man),
    /// Print the version, the commit that it was built from, and the versions of important dependencies
    Version,
}

impl Command {
    /// Returns the AWS options after the command, if it has any.
    fn aws_options(&self) -> Option<&AwsOptions> {
        match self {
            Self::CreateKey(options) => Some(&options.aws_options),
            Self::Open(options) => Some(&options.aws_options),
            Self::ListKeys(options) => Some(&options.aws_options),
            Self::ShowKey(options) => Some(&options.aws_options),
            Self::ListStores(options) => Some(&options.aws_options),
            Self::Test(options) => Some(&options.aws_options),
            _ => None,
        }
    }

    /// Whether `--json` has no effect, because the command prints another format.
    fn has_other_format(&self) -> bool {
        match self {
            Self::ListKeys(options) => options.format.is_selected(),
            Self::ListStores(options) => options.format.is_selected(),
            _ => false,
        }
    }

    fn can_be_ephemeral(&self) -> bool {
        matches!(
            self,
            Self::Open(_)
                | Self::CreateKey(_)
                | Self::ListKeys(_)
                | Self::ShowKey(_)
                | Self::ListStores(_)
                | Self::Serve(_)
        )
    }

    fn is_for_tapes(&self) -> bool {
        matches!(self, Self::Test(_) | Self::Play(_) | Self::Record(_) | Self::Tape(_))
    }
}

/// The error for `--ephemeral` with a command whose effect would be gone at once, or that has an account of its own.
const EPHEMERAL_NOT_SUPPORTED: &str = "--ephemeral can be used only with the console, open, create-key, list-keys, show-key, \
                                       list-stores, and serve";
const EPHEMERAL_DATA_DIR_CONFLICT: &str =
    "--ephemeral can't be used with --data-dir, because the account is only in memory";
const EPHEMERAL_SERVE_CONFLICT: &str = "--ephemeral can't be used with --detach, --stop, or --tls-self-signed, which keep files \
                                        in the data directory";
const EPHEMERAL_CLASS_CONFLICT: &str = "serve --accounts with --ephemeral needs --class-dir DIR, the directory for the \
                                        students' profiles and shell commands";
const FIXED_ACCESS_KEY_CONFLICT: &str = "--access-key-id and --secret-access-key can be used only with --ephemeral. The access \
                                         keys of an account on disk are random";

/// The error for AWS options before a command that doesn't support them.
const AWS_OPTIONS_NOT_SUPPORTED: &str = "--aws, --endpoint-url, --bundled, --profile, --region, --log, and --read-only \
                                         can be used only with the console, open, list-keys, show-key, list-stores, \
                                         create-key, test, and config";
/// The error for AWS options on both sides of a command.
const AWS_OPTIONS_GIVEN_TWICE: &str = "use --aws, --endpoint-url, --bundled, --profile, --region, --log, and \
                                       --read-only either before the command or after it, not both";
/// The error for options of an account on disk with a command whose accounts are in memory.
const DISK_OPTIONS_CONFLICT: &str =
    "tapes are played on an account in memory, so --data-dir can't be used with test, play, record, or tape";
/// The error for `--scenario` with a command that takes the account from the tape.
const SCENARIO_CONFLICT: &str = "a tape sets its account itself, with a line such as `#: world empty`, so --scenario can't \
                                 be used with test, play, or tape";
/// The error for `--scenario` with a command that fills the account from a snapshot.
const IMPORT_SCENARIO_CONFLICT: &str =
    "world import takes the account from the snapshot, so --scenario can't be used with it";
/// The error for tests on AWS that could change something.
const AWS_TEST_NOT_READ_ONLY: &str =
    "tapes change things, so test uses an AWS that isn't on this machine only with --read-only";
/// The error for options of an AWS with tests on an account in memory.
const REMOTE_TEST_OPTIONS: &str =
    "--profile, --region, --log, and --read-only apply to test only together with --aws or --endpoint-url";
/// The error for tests that need an account in memory on another AWS.
const IN_MEMORY_TEST_CONFLICT: &str = "--accept, --review, and --pty need an account in memory or on disk, so they can't be \
                                       used with --aws or --endpoint-url";
/// The error for options of the bundled AWS together with another AWS.
const BUNDLED_OPTIONS_CONFLICT: &str = "--data-dir, --connect-to, --proxy-ca, and --scenario apply to the bundled AWS \
                                        and can't be used with --aws or --endpoint-url";
/// The error for options of the screen with a command that shows no console.
const DISPLAY_OPTIONS_CONFLICT: &str = "--theme, --symbols, --accessible, and --no-mouse can be used only with commands \
                                        that show a console, and with config";
/// The error for `--json` with a command that doesn't support it.
const JSON_NOT_SUPPORTED: &str = "--json can be used only with `list-keys`, `show-key`, `list-stores`, `explain`, `clock`, \
                                  `version`, `test`, `learn`, `learn report`, `serve --progress`, `proxy check`, and the \
                                  `proxy` commands that print lists";
/// The error for two formats.
const FORMAT_CONFLICT: &str = "--json can't be used with --markdown or --csv. Choose one format";

impl Arguments {
    /// Returns the error for arguments that conflict with each other in a way that clap can't check.
    pub fn argument_conflict(&self) -> Option<clap::Error> {
        let none = AwsOptions::default();
        let own_options = self.command.as_ref().and_then(Command::aws_options);
        let message = match &self.command {
            Some(command) if self.ephemeral && !command.can_be_ephemeral() => EPHEMERAL_NOT_SUPPORTED,
            _ if self.ephemeral && self.data_dir.is_some() => EPHEMERAL_DATA_DIR_CONFLICT,
            Some(Command::Serve(serve)) if self.ephemeral && serve.needs_data_dir() => EPHEMERAL_SERVE_CONFLICT,
            Some(Command::Serve(serve)) if !self.ephemeral && serve.access_key.is_fixed() => FIXED_ACCESS_KEY_CONFLICT,
            Some(Command::Serve(serve)) if self.ephemeral && serve.class.needs_class_dir() => EPHEMERAL_CLASS_CONFLICT,
            Some(command) if command.is_for_tapes() && self.data_dir.is_some() => DISK_OPTIONS_CONFLICT,
            Some(Command::Test(_) | Command::Play(_) | Command::Tape(_)) if self.scenario.is_some() => {
                SCENARIO_CONFLICT
            }
            Some(Command::Learn(learn)) if let Some(message) = learn.conflict(self) => message,
            Some(Command::World(WorldCommand::Import(_))) if self.scenario.is_some() => IMPORT_SCENARIO_CONFLICT,
            Some(
                Command::Explain(_)
                | Command::Serve(_)
                | Command::Proxy { .. }
                | Command::Clock(_)
                | Command::Reset(_)
                | Command::World(_)
                | Command::Test(_)
                | Command::Tape(_),
            ) if self.display != DisplayOptions::default() => DISPLAY_OPTIONS_CONFLICT,
            Some(Command::Config(_)) if !self.json => return None,
            Some(_) if self.aws_options != none && own_options.is_none() => AWS_OPTIONS_NOT_SUPPORTED,
            Some(_) if self.aws_options != none && own_options.is_some_and(|options| *options != none) => {
                AWS_OPTIONS_GIVEN_TWICE
            }
            Some(_) if self.aws_options().is_remote() && self.has_bundled_options() => BUNDLED_OPTIONS_CONFLICT,
            Some(Command::Test(test)) if test.is_in_memory_only() && self.aws_options().is_remote() => {
                IN_MEMORY_TEST_CONFLICT
            }
            Some(Command::Test(_)) if !self.aws_options().is_remote() && self.aws_options().has_details() => {
                REMOTE_TEST_OPTIONS
            }
            Some(Command::Test(_)) if self.aws_options().may_change_aws() => AWS_TEST_NOT_READ_ONLY,
            Some(command) if self.json && command.has_other_format() => FORMAT_CONFLICT,
            Some(
                Command::CreateKey(_)
                | Command::Test(_)
                | Command::ListKeys(_)
                | Command::ShowKey(_)
                | Command::ListStores(_)
                | Command::Explain(_)
                | Command::Clock(_)
                | Command::Version,
            ) => return None,
            Some(Command::Proxy { command }) if command.supports_json() => return None,
            Some(Command::Learn(learn)) if learn.supports_json() => return None,
            Some(Command::Serve(serve)) if serve.class.progress => return None,
            _ if self.json => JSON_NOT_SUPPORTED,
            _ => return None,
        };
        Some(usage_error(message))
    }

    fn has_bundled_options(&self) -> bool {
        self.data_dir.is_some()
            || self.ephemeral
            || !self.connect_to.is_empty()
            || self.proxy_ca.is_some()
            || self.scenario.is_some()
    }

    /// Returns the AWS options, whether they are before the command or after it.
    pub fn aws_options(&self) -> &AwsOptions {
        let own_options = self.command.as_ref().and_then(Command::aws_options);
        own_options.filter(|options| **options != AwsOptions::default()).unwrap_or(&self.aws_options)
    }
}

fn usage_error(message: &str) -> clap::Error {
    Arguments::command().error(clap::error::ErrorKind::ArgumentConflict, message)
}

#[cfg(test)]
mod tests;
