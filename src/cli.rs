//! The command line: what can be asked of the program, and the help that teaches it.

mod create_key;
mod elsewhere;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand, value_parser};

pub use create_key::CreateKey;
pub use elsewhere::Elsewhere;

use crate::aws::limits;
use crate::client::{Client, ReadOnly};
use crate::config::Configuration;
use crate::conformance::target::Endpoint;
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
  xks-console serve                       Let the AWS CLI and SDKs use the bundled AWS
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
  0    all went well
  1    something failed, or `screenshots --check` found pictures that are not up to date
  2    the command line is wrong, or there is no terminal
  3 to 5          of create-key: see its help
  129, 130, 143   ended by SIGHUP, SIGINT, SIGTERM";

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
    pub elsewhere: Elsewhere,

    /// Fill a new account from this scenario
    ///
    /// Only for a directory that holds no account yet; one in use is never overwritten. Without this option a new
    /// account is filled from the scenario `default`.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["aws", "endpoint_url"])]
    pub scenario: Option<String>,

    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Whether anything may be changed, for every command that calls AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Guard {
    /// Change nothing: only look
    ///
    /// What AWS calls more than reading is never sent: nothing is created, changed, deleted, connected, encrypted or decrypted.
    /// Instead the console gives the commands that do it. `config.toml` can ask for it too, and neither undoes the other.
    #[arg(long)]
    pub read_only: bool,
}

impl Guard {
    /// The same caller, who only looks when the command line or the configuration says so of all, or of the profile whose
    /// credentials it has. Neither undoes the other.
    #[must_use]
    pub fn over(self, client: Client, configuration: &Configuration) -> Client {
        let written = configuration.read_only();
        client.looking(ReadOnly { all: self.read_only || written.all, ..written })
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
    /// partition. Prints lines for a shell to `export`, and writes the files `config` and `credentials` of AWS's tools,
    /// with a profile for each principal, into the data directory. Ctrl-C or SIGTERM ends it, after what is in flight is
    /// answered.
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Manage the bundled external key manager and the credentials of its proxy; check any proxy
    ///
    /// They live outside of AWS, so no AWS API reaches them. Changes count at once, also for a server that runs.
    #[command(after_help = PROXY_HELP)]
    Proxy {
        /// What to do.
        #[command(subcommand)]
        command: Proxy,
    },
}

/// How the bundled AWS is served.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Serve {
    /// Listen here; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4599")]
    pub listen: SocketAddr,
    /// Let other machines in, too
    #[arg(long)]
    pub beyond_loopback: bool,
    /// Speak TLS with this certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate made here and kept in the data directory
    #[arg(long, conflicts_with = "tls_cert")]
    pub tls_self_signed: bool,
    /// Take only clients whose certificate is signed by these, PEM
    #[arg(long, value_name = "FILE", requires = "client_name")]
    pub client_ca: Option<PathBuf>,
    /// ... and is for this name, as AWS KMS's is for cks.kms.REGION.amazonaws.com
    #[arg(long, value_name = "NAME", requires = "client_ca")]
    pub client_name: Option<String>,
    /// Let each partition ask the external key store proxy N times a second, and N times at once
    ///
    /// What is more is answered with ThrottlingException. Without this option nothing is. The bundled KMS does not come
    /// by this port, so it is not counted.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub proxy_rate: Option<u32>,
}

/// What stands under the help of `serve`.
const SERVE_HELP: &str = "\
Example:
  xks-console serve > env.sh &
  . ./env.sh
  aws kms describe-custom-key-stores
Or, with the profiles that are written into the data directory:
  export AWS_CONFIG_FILE=DIR/config AWS_SHARED_CREDENTIALS_FILE=DIR/credentials
  aws --profile KeyAdministrator kms list-keys
The role of the profile BreakGlass asks for a code of an MFA device; the file DIR/mfa has the key URI for an authenticator.";

/// What can be done with a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Proxy {
    /// Check whether an external key store proxy keeps to the specification of its API
    ///
    /// Calls the proxy as AWS KMS would, rightly and wrongly, and reports what it must do, what it should do, and how long
    /// it takes. Nothing but the endpoint is called, and the bundled AWS isn't opened. Encrypts and decrypts texts of its
    /// own by the external keys; changes none of them.
    #[command(after_help = CHECK_HELP)]
    Check(ProxyCheck),
    /// Manages the bundled one.
    #[command(flatten)]
    Bundled(ProxyCommand),
}

/// Which proxy is checked, and how.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ProxyCheck {
    /// Where the proxy is: https:// and a host name; or http:// for one on this machine, such as http://127.0.0.1:8080
    ///
    /// A host that has no public name yet is found with --connect-to, its certificate trusted with --proxy-ca.
    #[arg(long, value_name = "URL")]
    pub endpoint: Endpoint,
    /// The proxy configuration file of the vendor: URI path, access key ID and secret access key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "access_key", "secret_file"])]
    pub configuration: Option<PathBuf>,
    /// The proxy URI path: a prefix, if any, and /kms/xks/v1
    #[arg(long, value_name = "PATH", required_unless_present = "configuration")]
    pub path: Option<String>,
    /// The access key ID of the proxy's credential
    #[arg(long, value_name = "ID", required_unless_present = "configuration")]
    pub access_key: Option<String>,
    /// Read the secret access key from this file
    ///
    /// Without it the secret is in the environment variable XKS_PROXY_SECRET_ACCESS_KEY, or comes by standard input.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// An external key ID to check with; may be given several times
    ///
    /// One has to be AES_256, enabled, and for encryption and decryption. Others may be disabled, or for one of the two
    /// alone: the proxy is asked which is which.
    #[arg(long, value_name = "ID", required = true, value_parser = external_key_id)]
    pub key: Vec<String>,
    /// The Region that the proxy is called from
    #[arg(long, value_name = "REGION", default_value = "us-west-2")]
    pub region: String,
    /// The caller of KMS that requests tell, for a proxy whose policy lets in some alone
    #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::111122223333:user/Alice")]
    pub principal: String,
    /// The KMS key that requests tell, likewise
    #[arg(long, value_name = "ARN")]
    pub kms_key_arn: Option<String>,
    /// Show this certificate chain, PEM, to a proxy that asks for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// Time N requests of each kind
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub requests: u32,
    /// Check, too, what takes up to half a minute
    #[arg(long)]
    pub slow: bool,
    /// Show what was sent and what came back for checks that passed, too
    #[arg(long)]
    pub verbose: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

fn external_key_id(text: &str) -> Result<String, String> {
    limits::xks_key_id(text).map(|()| text.to_owned()).map_err(|violation| violation.reason)
}

/// What stands under the help of `proxy check`.
const CHECK_HELP: &str = "\
Example:
  xks-console proxy check --configuration proxy.json --key key-1 --key off-1 \\
    --endpoint https://xks.example.com --proxy-ca ca.pem \\
    --connect-to xks.example.com=127.0.0.1:8443

Exit codes:
  0    the proxy does all that it must
  1    it doesn't, or it can't be reached
  2    the command line is wrong";

/// What can be done with the bundled external key manager and its proxy.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ProxyCommand {
    /// Make a partition with a URI path of its own; print its proxy configuration file
    ///
    /// The file holds a credential that is printed this once. The command that makes an external key store of it is told
    /// too; it reads the secret from a file in the data directory.
    CreatePartition {
        /// A to Z, a to z, 0 to 9, slash, hyphen and underscore
        name: String,
    },
    /// List the partitions
    ListPartitions,
    /// Make an external key
    CreateKey {
        /// Where, and what the proxy calls it.
        #[command(flatten)]
        key: KeyName,
        /// What it may be used for
        #[arg(long, value_delimiter = ',', default_value = "encrypt,decrypt", value_parser = ["encrypt", "decrypt", "none"])]
        usage: Vec<String>,
        /// Its key spec; AWS KMS takes AES_256 only
        #[arg(long, default_value = "AES_256", value_parser = ["AES_256", "AES_128"])]
        spec: String,
        /// Leave it disabled
        #[arg(long)]
        disabled: bool,
        /// Whom it is for, as AWS KMS names its callers; may be repeated. Everybody, when none is named
        #[arg(long = "caller", value_name = "ARN")]
        callers: Vec<String>,
    },
    /// List the external keys of a partition
    ListKeys {
        /// The partition
        #[arg(long)]
        partition: String,
    },
    /// Let an external key be used again
    EnableKey(KeyName),
    /// Let an external key not be used: the KMS key on it can neither encrypt nor decrypt
    DisableKey(KeyName),
    /// Take an external key away for ever, with all that it has encrypted
    DeleteKey(KeyName),
    /// Say anew whom an external key is for: others can neither look at it, nor encrypt, nor decrypt
    ///
    /// The proxy compares what AWS KMS tells of its caller: the ARN of a user, of a role's session
    /// (arn:aws:sts::111122223333:assumed-role/NAME/*), a service principal, or `AWS Internal`.
    SetCallers {
        /// Which.
        #[command(flatten)]
        key: KeyName,
        /// A principal, in which * and ? stand for others as in ArnLike; may be repeated. Everybody, when none is named
        #[arg(long = "caller", value_name = "ARN")]
        callers: Vec<String>,
    },
    /// Give an external key a new version; older ones still decrypt
    RotateKey(KeyName),
    /// List the access key IDs that the proxy takes for a partition
    ListCredentials {
        /// The partition
        partition: String,
    },
    /// Add a credential; print a proxy configuration file with it. Older ones still work
    RotateCredential {
        /// The partition
        partition: String,
    },
    /// Print what the proxy was asked and what it answered, JSON, a request a line, the oldest first
    ///
    /// The requests of AWS KMS and of everybody else who calls the proxy. No secret and no content is in the log.
    Log {
        /// Only requests to this partition
        #[arg(long)]
        partition: Option<String>,
        /// Only requests for this external key
        #[arg(long, value_name = "EXTERNAL_KEY_ID")]
        key: Option<String>,
        /// Only requests that serve this request to KMS: the requestID of an event in CloudTrail
        #[arg(long, value_name = "ID")]
        kms_request_id: Option<String>,
        /// The newest N
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
        last: u32,
    },
    /// Take a credential away, at once
    RevokeCredential {
        /// The partition
        partition: String,
        /// The access key ID of the credential
        access_key_id: String,
    },
}

/// Names an external key.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct KeyName {
    /// The partition it is in
    #[arg(long)]
    pub partition: String,
    /// The external key ID: 1 to 128 of a-z, A-Z, 0-9, hyphen, underscore and dot
    #[arg(long)]
    pub id: String,
}

/// What stands under the help of `proxy`.
const PROXY_HELP: &str = "\
Example:
  xks-console proxy create-partition team-red > team-red.json
  xks-console proxy create-key --partition team-red --id red-1
Then, in the console: External key stores, C, and name team-red.json as the proxy configuration file; the proxy URI
endpoint is https://xks-proxy.bundled.internal.";

/// No directory is known for the account.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no place to keep the bundled AWS: neither XDG_DATA_HOME nor HOME is set to an absolute path. \
     Name a directory with `--data-dir DIR`"
)]
pub struct NoDataDirectory;

/// Options that only the console and create-key have.
const CONSOLE_ALONE: &str = "--aws, --endpoint-url, --profile, --region, --log and --read-only are for the console and create-key, and go with no other command";
/// Options that say twice which AWS.
const TWICE: &str =
    "--aws, --endpoint-url, --profile, --region, --log and --read-only stand before create-key or after it, not both";
/// Options of the bundled AWS beside another.
const BUNDLED_ALONE: &str = "--data-dir, --connect-to, --proxy-ca and --scenario are for the bundled AWS; they don't go with --aws or --endpoint-url";

impl Arguments {
    /// What is wrong with the arguments taken together.
    pub fn contradiction(&self) -> Option<clap::Error> {
        let nothing = Elsewhere::default();
        let words = match &self.command {
            Some(Command::CreateKey(how)) if self.elsewhere != nothing && how.elsewhere != nothing => TWICE,
            Some(Command::CreateKey(_)) if self.elsewhere().is_named() && self.is_bundled() => BUNDLED_ALONE,
            Some(command) if !matches!(command, Command::CreateKey(_)) && self.elsewhere != nothing => CONSOLE_ALONE,
            _ => return None,
        };
        Some(Self::command().error(clap::error::ErrorKind::ArgumentConflict, words))
    }

    fn is_bundled(&self) -> bool {
        self.data_dir.is_some() || !self.connect_to.is_empty() || self.proxy_ca.is_some() || self.scenario.is_some()
    }

    /// Which AWS, whether said before the command or after it.
    pub fn elsewhere(&self) -> &Elsewhere {
        match &self.command {
            Some(Command::CreateKey(how)) if how.elsewhere != Elsewhere::default() => &how.elsewhere,
            _ => &self.elsewhere,
        }
    }

    /// Where the bundled AWS is kept: `--data-dir`, or the place that the XDG Base Directory Specification gives.
    /// `environment` looks up a variable; as the specification asks, one that is empty or relative counts as unset.
    ///
    /// # Errors
    /// [`NoDataDirectory`] when nothing tells where.
    pub fn data_dir(&self, environment: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, NoDataDirectory> {
        if let Some(named) = &self.data_dir {
            return Ok(named.clone());
        }
        let absolute = |variable| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("xks-console"))
            .ok_or(NoDataDirectory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::profile::Settings;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    fn directory(line: &str, variables: &[(&str, &str)]) -> Result<PathBuf, NoDataDirectory> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        parse(line).unwrap().data_dir(find)
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_console_opens_without_arguments() {
        assert_eq!(
            parse("xks-console").unwrap(),
            Arguments {
                data_dir: None,
                connect_to: Vec::new(),
                proxy_ca: None,
                elsewhere: Elsewhere::default(),
                scenario: None,
                command: None
            }
        );
    }

    #[test]
    fn the_data_directory_stands_before_or_after_the_command() {
        let before = parse("xks-console --data-dir /d screenshots --check").unwrap();
        assert_eq!(before, parse("xks-console screenshots --check --data-dir /d").unwrap());
        assert_eq!(before.command, Some(Command::Screenshots { check: true }));
        assert_eq!(before.data_dir, Some("/d".into()));
    }

    #[test]
    fn aws_is_asked_for_and_what_belongs_to_the_bundled_one_does_not_go_with_it() {
        let settings = |line: &str| {
            let find = |name: &str| (name == "AWS_CA_BUNDLE").then(|| OsString::from("/ca.pem"));
            parse(line).unwrap().elsewhere().settings(find)
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
        let contradiction = |line: &str| parse(line).unwrap().contradiction().map(|error| error.exit_code());
        assert_eq!(contradiction("xks-console --aws serve"), Some(2));
        assert_eq!(contradiction("xks-console --log f serve"), Some(2));
        assert_eq!(contradiction("xks-console --read-only serve"), Some(2));
        assert_eq!(contradiction("xks-console serve"), None);
    }

    #[test]
    fn create_key_goes_with_an_aws_named_before_or_after_it() {
        let before = parse("xks-console --aws --region eu-west-1 create-key --yes").unwrap();
        let after = parse("xks-console create-key --yes --aws --region eu-west-1").unwrap();
        assert_eq!(before.elsewhere(), after.elsewhere());
        assert_eq!(before.elsewhere().region.as_deref(), Some("eu-west-1"));
        let contradiction = |line: &str| parse(line).unwrap().contradiction().map(|error| error.exit_code());
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
    fn a_quota_is_one_request_a_second_at_least() {
        let rate = |line: &str| match parse(line).unwrap().command {
            Some(Command::Serve(how)) => how.proxy_rate,
            other => panic!("{other:?}"),
        };
        assert_eq!(rate("xks-console serve"), None);
        assert_eq!(rate("xks-console serve --proxy-rate 1800"), Some(1800));
        assert_eq!(parse("xks-console serve --proxy-rate 0").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn what_is_wrong_ends_with_code_2() {
        for line in ["xks-console open", "xks-console --data-dir", "xks-console --check"] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_teaches_and_fits_a_terminal() {
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
    fn the_data_directory_follows_the_xdg_specification() {
        let both = [("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(directory("xks-console --data-dir here", &both), Ok("here".into()));
        assert_eq!(directory("xks-console", &both), Ok("/x/xks-console".into()));
        assert_eq!(directory("xks-console", &[("HOME", "/h")]), Ok("/h/.local/share/xks-console".into()));
        let relative = [("XDG_DATA_HOME", "x"), ("HOME", "/h")];
        assert_eq!(directory("xks-console", &relative), Ok("/h/.local/share/xks-console".into()));
        assert_eq!(directory("xks-console", &[("XDG_DATA_HOME", ""), ("HOME", "")]), Err(NoDataDirectory));
        assert_eq!(directory("xks-console", &[]), Err(NoDataDirectory));
    }
}
