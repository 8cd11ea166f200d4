//! The command line: what can be asked of the program, and the help that teaches it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, value_parser};

use crate::xks::network::ConnectTo;

/// What stands under the options in `--help`.
const LONG_HELP: &str = "\
Examples:
  xks-console                             Open the console on the bundled AWS
  xks-console --data-dir /tmp/try         Try things out; delete the directory and all is gone
  xks-console --data-dir /tmp/try --scenario default
                                          Fill a new account from the scenario `default`
  xks-console serve                       Let the AWS CLI and SDKs use the bundled AWS
  xks-console proxy create-partition red  Make room for keys outside of AWS, and a way to them
  xks-console proxy rotate-credential oslo
                                          Print what an external key store in front of `oslo` needs
  xks-console screenshots                 Make the pictures in screenshots/ anew
  xks-console screenshots --check         Say whether they are up to date

Keys:
  Tab, Shift-Tab   next and previous field      Enter   activate
  Arrows           move in lists and choices    Space   select
  Ctrl-N, Ctrl-P   next and previous step       Esc     close or cancel
  /                search a table               F1      help on the field
  Ctrl-C           quit; with something typed the first asks, the second quits

The bundled AWS:
  KMS, IAM, STS and CloudTrail, an external key store proxy and an external key manager run inside
  the program. They need no account and no network. Their account is kept on disk, in the first of
    --data-dir DIR
    $XDG_DATA_HOME/xks-console
    ~/.local/share/xks-console
  It holds keys: the directory is for its owner alone, and a lost root key file can't be made again.

Exit codes:
  0    all went well
  1    something failed, or `screenshots --check` found pictures that are not up to date
  2    the command line is wrong, or there is no terminal
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

    /// Fill a new account from this scenario
    ///
    /// Only for a directory that holds no account yet; one in use is never overwritten. Without this option a new
    /// account is filled from the scenario `default`.
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,

    /// What to do instead of opening the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do beside opening the console.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
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
    /// KMS, IAM, STS and CloudTrail answer at /, the external key store proxy at the URI path of each partition. Prints
    /// lines for a shell to `export`, and writes the files `config` and `credentials` of AWS's tools, with a profile for
    /// each principal, into the data directory. Ctrl-C or SIGTERM ends it, after what is in flight is answered.
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Manage the bundled external key manager and the credentials of its proxy
    ///
    /// They live outside of AWS, so no AWS API reaches them. Changes count at once, also for a server that runs.
    #[command(after_help = PROXY_HELP)]
    Proxy {
        /// What to do.
        #[command(subcommand)]
        command: ProxyCommand,
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
  aws --profile KeyAdministrator kms list-keys";

/// What can be done with the external key manager and the proxy.
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

impl Arguments {
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
    use clap::CommandFactory as _;

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
            Arguments { data_dir: None, connect_to: Vec::new(), proxy_ca: None, scenario: None, command: None }
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
        for line in help.lines() {
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
