//! The command line: what can be asked of the program, and the help that teaches it.

mod aws_options;
mod create_key;
mod proxy;
mod redacted_value;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use aws_options::AwsOptions;
pub use create_key::CreateKey;
pub use proxy::{ExternalKeyRef, Proxy, ProxyCheck, ProxyCommand};
pub use serve::{Background, Serve};

use crate::client::{Client, ReadOnly};
use crate::config::Configuration;
use crate::xks::network::ConnectTo;

/// What stands under the options in `--help`.
const LONG_HELP: &str = "\
Examples:
  xks-console                             Open the console on the bundled AWS
  xks-console --data-dir /tmp/try         Try things out; delete the directory and all is gone
  xks-console --data-dir /tmp/try --scenario default
                                          Fill a new account from the scenario `default`
  xks-console create-key --yes --xks-key-id payments-2026 --alias payments
                                          Make a key and print it; without --yes in the wizard
  xks-console serve -- aws kms list-keys  Run a command on the bundled AWS
  xks-console serve --detach              Serve the bundled AWS in the background
  xks-console proxy create-partition red  Make room for keys outside of AWS, and a way to them
  xks-console proxy rotate-credential oslo
                                          Print what an external key store in front of `oslo` needs
  xks-console proxy check --help          See whether a proxy of any vendor keeps to its specification
  xks-console --aws --profile work        Open the console on AWS
  xks-console --aws --read-only           ... and only look
  xks-console --endpoint-url http://127.0.0.1:4599 --region us-west-2
                                          ... on an AWS that `serve` serves, or another
  xks-console screenshots                 Make the pictures in screenshots/ anew
  xks-console screenshots --check         Say whether they are up to date

Keys:
  Tab, Shift-Tab   next and previous field      Enter   activate
  Arrows           move in lists and choices    Space   select
  Ctrl-N, Ctrl-P   next and previous step       Esc     close or cancel
  /                search a table               F1      help on the field
  Ctrl-C           quit; with something typed the first asks, the second quits

The bundled AWS:
  KMS, IAM, STS, CloudTrail and CloudWatch, an external key store proxy and an external key manager
  run inside the program. They need no account and no network. Their account is kept on disk, in the first of
    --data-dir DIR
    $XDG_DATA_HOME/xks-console
    ~/.local/share/xks-console
  It holds keys: the directory is for its owner alone, and a lost root key file can't be made again.

AWS:
  With --aws or --endpoint-url credentials, Region and endpoints come from where the AWS CLI has them:
    --profile, else AWS_ACCESS_KEY_ID and the like, else AWS_PROFILE
    ~/.aws/config and ~/.aws/credentials, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, with
    IAM Identity Center, roles, web identity tokens, credential_process; then ECS, EKS and EC2
    --region, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile
    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KMS, _IAM, _STS, _CLOUDTRAIL, `endpoint_url` of the profile
    AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT
  Without them the program never goes to the network but for proxies of external key stores.

Read-only:
  --read-only, or config.toml in $XDG_CONFIG_HOME/xks-console or ~/.config/xks-console:
    read-only = true         for every console
    [profile.NAME]           for one profile: that of --profile, AWS_PROFILE, or `default`
    read-only = true

Exit codes:
  0    done
  1    it failed, or `screenshots --check` or `proxy check` found something
  2    the command line is wrong, a value can't be used, or there is no terminal to show or ask on
  3    nothing was done: the wizard of create-key was left, `proxy delete-key` was answered with no, or
       `serve --stop` found no server in the background
  4, 5             of create-key: see its help
  125, 126, 127    of `serve -- COMMAND` when COMMAND was not started; else it ends with COMMAND's own
  129, 130, 143    ended by SIGHUP, SIGINT, SIGTERM";

/// What the program was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "xks-console", version, max_term_width = 100, after_long_help = LONG_HELP)]
#[command(about = "The AWS KMS console for external key stores, in a terminal")]
#[command(long_about = "The AWS KMS console for external key stores, in a terminal.\n\n\
    It leads through creating a KMS key in an external key store step by step, against a real KMS that is bundled: \
    the key it makes encrypts and decrypts.")]
pub struct Arguments {
    /// Keep the bundled AWS in this directory
    ///
    /// A directory that is empty or missing is made and filled on the first start.
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,

    /// Look for the external key store proxy of a host at another address
    ///
    /// For a proxy that isn't at port 443 of a public name yet. May be given several times.
    #[arg(long, value_name = "HOST=ADDRESS:PORT", global = true)]
    pub connect_to: Vec<ConnectTo>,

    /// Trust external key store proxies whose certificates are signed by these, PEM, too
    #[arg(long, value_name = "FILE", global = true)]
    pub proxy_ca: Option<PathBuf>,

    /// Which AWS, when not the bundled one.
    #[command(flatten)]
    pub aws_options: AwsOptions,

    /// Fill a new account from this scenario
    ///
    /// Only for a directory that holds no account yet; one in use is never overwritten. Without this option a new
    /// account is filled from the scenario `default`.
    #[arg(long, value_name = "NAME", global = true)]
    pub scenario: Option<String>,

    /// Print what `proxy` lists, and the report of `proxy check`, as one JSON document
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Whether anything may be changed, for every command that calls AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct AccessOptions {
    /// Change nothing: only look
    ///
    /// What AWS calls more than reading is never sent: nothing is created, changed, deleted, connected, encrypted or decrypted.
    /// Instead the console gives the commands that do it. `config.toml` can ask for it too, and neither undoes the other.
    #[arg(long)]
    pub read_only: bool,
}

impl AccessOptions {
    /// The same caller, who only looks when the command line or the configuration says so of all, or of the profile whose
    /// credentials it has. Neither undoes the other.
    #[must_use]
    pub fn apply_to(self, client: Client, configuration: &Configuration) -> Client {
        let configured = configuration.read_only();
        client.with_read_only(ReadOnly { all: self.read_only || configured.all, ..configured })
    }
}

/// What the program can do beside opening the console.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Make a KMS key in an external key store, in the wizard or without a screen; print it as the AWS CLI does
    #[command(after_help = create_key::HELP)]
    CreateKey(Box<CreateKey>),
    /// Make the pictures in screenshots/ anew
    ///
    /// Plays the tapes in assets/tapes on an account in memory, with a clock and randomness of their own, so that
    /// the pictures come out the same, byte for byte, each time. Run it in the directory of the source code.
    Screenshots {
        /// Write nothing; fail when a picture is missing, left over or not up to date
        #[arg(long)]
        check: bool,
    },
    /// Serve the bundled AWS on a port, for the AWS CLI, SDKs and other tools
    ///
    /// KMS, IAM, STS, CloudTrail and CloudWatch answer at /, the external key store proxy at the URI path of each
    /// partition. With COMMAND, serves as long as that runs; with --detach, in the background; else until Ctrl-C or SIGTERM.
    /// Prints lines for a shell to `export`, and writes the files `config` and `credentials` of AWS's tools, with a profile
    /// for each principal, into the data directory. Requests in progress are answered before it ends.
    #[command(after_help = serve::HELP)]
    Serve(Serve),
    /// Manage the bundled external key manager and the credentials of its proxy; check any proxy
    ///
    /// They live outside of AWS, so no AWS API reaches them. Changes count at once, also for a server that runs.
    #[command(after_help = proxy::HELP)]
    Proxy {
        /// What to do.
        #[command(subcommand)]
        command: Proxy,
    },
}

/// No directory is known for the account.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no place to keep the bundled AWS: neither XDG_DATA_HOME nor HOME is set to an absolute path. \
     Name a directory with `--data-dir DIR`"
)]
pub struct DataDirError;

/// Options that only the console and create-key have.
const AWS_OPTIONS_NOT_SUPPORTED: &str = "--aws, --endpoint-url, --profile, --region, --log and --read-only are for the console and create-key, and go with no other command";
/// Options that say twice which AWS.
const AWS_OPTIONS_GIVEN_TWICE: &str =
    "--aws, --endpoint-url, --profile, --region, --log and --read-only stand before create-key or after it, not both";
/// Options of the bundled AWS beside another.
const BUNDLED_OPTIONS_CONFLICT: &str = "--data-dir, --connect-to, --proxy-ca and --scenario are for the bundled AWS; they don't go with --aws or --endpoint-url";
/// An option of lists.
const JSON_NOT_SUPPORTED: &str = "--json is for the lists of proxy and for proxy check";

impl Arguments {
    /// What is wrong with the arguments taken together.
    pub fn argument_conflict(&self) -> Option<clap::Error> {
        let nothing = AwsOptions::default();
        let message = match &self.command {
            Some(Command::CreateKey(options)) if self.aws_options != nothing && options.aws_options != nothing => {
                AWS_OPTIONS_GIVEN_TWICE
            }
            Some(Command::CreateKey(_)) if self.aws_options().is_remote() && self.has_bundled_options() => {
                BUNDLED_OPTIONS_CONFLICT
            }
            Some(command) if !matches!(command, Command::CreateKey(_)) && self.aws_options != nothing => {
                AWS_OPTIONS_NOT_SUPPORTED
            }
            Some(Command::CreateKey(_)) => return None,
            Some(Command::Proxy { command }) if command.supports_json() => return None,
            _ if self.json => JSON_NOT_SUPPORTED,
            _ => return None,
        };
        Some(Self::command().error(clap::error::ErrorKind::ArgumentConflict, message))
    }

    fn has_bundled_options(&self) -> bool {
        self.data_dir.is_some() || !self.connect_to.is_empty() || self.proxy_ca.is_some() || self.scenario.is_some()
    }

    /// Which AWS, whether said before the command or after it.
    pub fn aws_options(&self) -> &AwsOptions {
        match &self.command {
            Some(Command::CreateKey(options)) if options.aws_options != AwsOptions::default() => &options.aws_options,
            _ => &self.aws_options,
        }
    }

    /// Where the bundled AWS is kept: `--data-dir`, or the place that the XDG Base Directory Specification gives.
    /// `environment` looks up a variable; as the specification asks, one that is empty or relative counts as unset.
    ///
    /// # Errors
    /// [`NoDataDirectory`] when nothing tells where.
    pub fn data_dir(&self, environment: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, DataDirError> {
        if let Some(named) = &self.data_dir {
            return Ok(named.clone());
        }
        let absolute = |variable| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("xks-console"))
            .ok_or(DataDirError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::profile::Settings;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    fn directory(line: &str, variables: &[(&str, &str)]) -> Result<PathBuf, DataDirError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        parse(line).unwrap().data_dir(find)
    }

    #[test]
    fn command_definition_is_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_arguments_open_the_console() {
        assert_eq!(
            parse("xks-console").unwrap(),
            Arguments {
                data_dir: None,
                connect_to: Vec::new(),
                proxy_ca: None,
                aws_options: AwsOptions::default(),
                scenario: None,
                json: false,
                command: None
            }
        );
    }

    #[test]
    fn data_dir_is_accepted_before_and_after_the_command() {
        let before = parse("xks-console --data-dir /d screenshots --check").unwrap();
        assert_eq!(before, parse("xks-console screenshots --check --data-dir /d").unwrap());
        assert_eq!(before.command, Some(Command::Screenshots { check: true }));
        assert_eq!(before.data_dir, Some("/d".into()));
    }

    #[test]
    fn global_options_are_accepted_before_and_after_the_command() {
        for (before, after) in [
            ("--json proxy list-partitions", "proxy list-partitions --json"),
            ("--json proxy list-partitions", "proxy --json list-partitions"),
            ("--scenario default serve", "serve --scenario default"),
            ("--scenario default proxy list-partitions", "proxy list-partitions --scenario default"),
            ("--scenario default create-key --yes", "create-key --yes --scenario default"),
            ("--connect-to a=127.0.0.1:1 serve", "serve --connect-to a=127.0.0.1:1"),
        ] {
            let [before, after] = [before, after].map(|line| parse(&format!("xks-console {line}")).unwrap());
            assert_eq!(before, after);
            assert!(before.json || before.scenario.is_some() || !before.connect_to.is_empty());
            assert!(before.argument_conflict().is_none(), "{before:?}");
        }
        for line in ["--json", "serve --json", "proxy --json list-keys --partition p"] {
            let is_list = line.contains("list");
            let contradiction = parse(&format!("xks-console {line}")).unwrap().argument_conflict();
            assert_eq!(contradiction.map(|error| error.exit_code()), (!is_list).then_some(2), "{line}");
        }
        assert!(
            parse("xks-console proxy delete-key --partition p --id i --json").unwrap().argument_conflict().is_some()
        );
        assert_eq!(parse("xks-console --aws --scenario default").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn help_examples_are_valid_command_lines() {
        let mut count = 0;
        for text in [LONG_HELP, create_key::HELP, serve::HELP, proxy::HELP, proxy::CHECK_HELP] {
            let text = text.replace(" \\\n    ", " ").replace("'Frankfurt HSM'", "Frankfurt-HSM");
            for line in text.lines().map(str::trim_start) {
                let Some(example) = line.strip_prefix("eval \"$(").unwrap_or(line).strip_prefix("xks-console ") else {
                    continue;
                };
                // What it does follows after two spaces; a pipe and a file are the shell's.
                let end = ["  ", " | ", " > ", ")"].iter().filter_map(|end| example.trim_start().find(end)).min();
                let words = end.map_or(example, |end| &example.trim_start()[..end]);
                let words = if line.starts_with("xks-console  ") { "" } else { words };
                match parse(&format!("xks-console {words}")) {
                    Ok(parsed) => assert!(parsed.argument_conflict().is_none(), "{line}"),
                    Err(error) => assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{line}"),
                }
                count += 1;
            }
        }
        assert!(count > 15, "{count} examples");
    }

    #[test]
    fn aws_options_conflict_with_bundled_options() {
        let settings = |line: &str| {
            let find = |name: &str| (name == "AWS_CA_BUNDLE").then(|| OsString::from("/ca.pem"));
            parse(line).unwrap().aws_options().settings(find)
        };
        assert_eq!(settings("xks-console --region eu-west-1"), None);
        let ca_bundle = Some(PathBuf::from("/ca.pem"));
        assert_eq!(
            settings("xks-console --aws"),
            Some(Settings { ca_bundle: ca_bundle.clone(), ..Settings::default() })
        );
        let all = settings("xks-console --endpoint-url http://127.0.0.1:4599 --profile p --region r").unwrap();
        let words = [all.endpoint_url, all.profile, all.region].map(Option::unwrap);
        assert_eq!(words, ["http://127.0.0.1:4599", "p", "r"]);
        for line in [
            "xks-console --profile p",
            "xks-console --aws --data-dir d",
            "xks-console --aws --connect-to a=127.0.0.1:1",
            "xks-console --endpoint-url http://10.0.0.1:4599",
            "xks-console --endpoint-url 127.0.0.1:4599",
            "xks-console --region a.example.com",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        let contradiction = |line: &str| parse(line).unwrap().argument_conflict().map(|error| error.exit_code());
        assert_eq!(contradiction("xks-console --aws serve"), Some(2));
        assert_eq!(contradiction("xks-console --log f serve"), Some(2));
        assert_eq!(contradiction("xks-console --read-only serve"), Some(2));
        assert_eq!(contradiction("xks-console serve"), None);
    }

    #[test]
    fn endpoint_with_a_password_is_rejected_without_repeating_it() {
        for line in [
            "xks-console --endpoint-url https://ada:hunter2@kms.example.com",
            "xks-console --endpoint-url https://kms.example.com/?token=hunter2",
            "xks-console create-key --yes --endpoint-url ada:hunter2@kms.example.com",
            "xks-console proxy check --key k --endpoint https://ada:hunter2@xks.example.com",
            "xks-console proxy check --key k --endpoint http://ada:hunter2@127.0.0.1:8080",
        ] {
            let refused = parse(line).unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{line}");
            let told = format!("{refused} {refused:?}");
            assert!(!told.contains("hunter2") && told.contains("--endpoint") && told.contains("Remove "), "{told}");
        }
    }

    #[test]
    fn create_key_accepts_aws_options_before_or_after_the_command() {
        let before = parse("xks-console --aws --region eu-west-1 create-key --yes").unwrap();
        let after = parse("xks-console create-key --yes --aws --region eu-west-1").unwrap();
        assert_eq!(before.aws_options(), after.aws_options());
        assert_eq!(before.aws_options().region.as_deref(), Some("eu-west-1"));
        let contradiction = |line: &str| parse(line).unwrap().argument_conflict().map(|error| error.exit_code());
        assert_eq!(contradiction("xks-console create-key --aws"), None);
        assert_eq!(contradiction("xks-console --data-dir d create-key"), None);
        for line in [
            "xks-console --aws create-key --region eu-west-1",
            "xks-console --data-dir d create-key --aws",
            "xks-console --scenario default create-key --aws",
            "xks-console --aws create-key --data-dir d",
        ] {
            assert_eq!(contradiction(line), Some(2), "{line}");
        }
        for line in [
            "xks-console create-key --aws --data-dir d",
            "xks-console create-key --profile p",
            "xks-console create-key --batch f --alias a",
            "xks-console create-key --alias",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn proxy_rate_is_at_least_one_request_per_second() {
        let rate = |line: &str| match parse(line).unwrap().command {
            Some(Command::Serve(options)) => options.proxy_rate,
            other => panic!("{other:?}"),
        };
        assert_eq!(rate("xks-console serve"), None);
        assert_eq!(rate("xks-console serve --proxy-rate 1800"), Some(1800));
        assert_eq!(parse("xks-console serve --proxy-rate 0").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn usage_errors_exit_with_code_2() {
        for line in [
            "xks-console open",
            "xks-console --data-dir",
            "xks-console --check",
            "xks-console serve true",
            "xks-console serve --detach -- true",
            "xks-console serve --stop --listen 127.0.0.1:1",
            "xks-console serve --stop --detach",
            "xks-console serve --detached",
            "xks-console serve --client-ca ca.pem --client-name name",
            "xks-console serve --tls-self-signed --client-ca ca.pem",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_contains_every_section_and_fits_100_columns() {
        let help = Arguments::command().render_long_help().to_string();
        for part in ["Examples:", "Keys:", "Exit codes:", "--scenario <NAME>", "~/.local/share/xks-console"] {
            assert!(help.contains(part), "{part} is not in {help}");
        }
        let mut command = Arguments::command();
        command.build();
        let create_key = command.find_subcommand_mut("create-key").unwrap().render_long_help().to_string();
        for part in ["The key:", "Exit codes:", "--batch <FILE>", "--administrator <ARN>"] {
            assert!(create_key.contains(part), "{part} is not in {create_key}");
        }
        for line in help.lines().chain(create_key.lines()) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn data_dir_follows_the_xdg_specification() {
        let both = [("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(directory("xks-console --data-dir here", &both), Ok("here".into()));
        assert_eq!(directory("xks-console", &both), Ok("/x/xks-console".into()));
        assert_eq!(directory("xks-console", &[("HOME", "/h")]), Ok("/h/.local/share/xks-console".into()));
        let relative = [("XDG_DATA_HOME", "x"), ("HOME", "/h")];
        assert_eq!(directory("xks-console", &relative), Ok("/h/.local/share/xks-console".into()));
        assert_eq!(directory("xks-console", &[("XDG_DATA_HOME", ""), ("HOME", "")]), Err(DataDirError));
        assert_eq!(directory("xks-console", &[]), Err(DataDirError));
    }
}
