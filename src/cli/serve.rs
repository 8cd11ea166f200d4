//! The command `serve`.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::value_parser;

use super::ClassOptions;
use super::redacted_value::RedactedValueParser;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;

/// The options of `serve`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(group = clap::ArgGroup::new("tls").args(["tls_cert", "tls_self_signed"]))]
pub struct Serve {
    /// Listen on this address; port 0 selects any free port
    ///
    /// The default is 127.0.0.1:4599. With COMMAND or --detach, which tell clients the address, the server uses any
    /// free port if that one is in use.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Accept connections from other machines
    #[arg(long)]
    pub beyond_loopback: bool,
    /// Use TLS with the certificate chain in this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Use TLS with a generated certificate, which is stored in the data directory
    #[arg(long, conflicts_with = "tls_cert")]
    pub tls_self_signed: bool,
    /// Require client certificates signed by the CA in this PEM file; requires TLS
    #[arg(long, value_name = "FILE", requires = "client_name", requires = "tls")]
    pub client_ca: Option<PathBuf>,
    /// Require client certificates for this name; AWS KMS uses cks.kms.REGION.amazonaws.com
    #[arg(long, value_name = "NAME", requires = "client_ca")]
    pub client_name: Option<String>,
    /// Limit requests to the external key store proxy to N per second for each partition, with bursts of N
    ///
    /// The proxy rejects further requests with ThrottlingException. Without this option, there is no limit. The
    /// bundled KMS doesn't use this port, so its requests don't count.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub proxy_rate: Option<u32>,
    /// The options to serve in the background.
    #[command(flatten)]
    pub background: Background,
    /// The accounts of a class.
    #[command(flatten)]
    pub class: ClassOptions,
    /// The access key of the user Admin, for an account in memory.
    #[command(flatten)]
    pub access_key: FixedAccessKey,
    /// Write the shell commands that set up AWS tools to this file when the server is ready
    ///
    /// The file is written atomically, and only you can read it. The server removes it on startup and when it stops.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Append a line to this file for each request; use - for standard error
    ///
    /// Each line has the time, method, operation, caller, status, error code, duration in milliseconds, and request ID,
    /// separated by spaces. A hyphen stands for a missing value. The log never contains secrets, or the contents of
    /// requests or responses. Only you can read the file.
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// Run this command against the bundled AWS, and stop serving when it exits
    ///
    /// The environment variables for the endpoint, Region, credentials, and profiles are set so that the command can
    /// use only the bundled AWS. The command inherits standard input, output, and error. SIGINT, SIGQUIT, SIGTERM, and
    /// SIGHUP are forwarded to it.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The options of `serve` for a fixed access key.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct FixedAccessKey {
    /// Use this access key ID for the user Admin; requires --ephemeral
    ///
    /// With a fixed access key, the configuration of clients doesn't depend on the account. Anyone who knows it can use
    /// the account, so choose it for tests only.
    #[arg(long, value_name = "ID", requires = "secret_access_key", value_parser = parse_access_key_id)]
    pub access_key_id: Option<String>,
    /// Use this secret access key for the user Admin; requires --ephemeral
    #[arg(long, value_name = "SECRET", requires = "access_key_id", value_parser = RedactedValueParser(parse_secret_access_key))]
    pub secret_access_key: Option<SecretString>,
}

impl FixedAccessKey {
    /// Returns whether an access key is given.
    pub fn is_fixed(&self) -> bool {
        self.access_key_id.is_some()
    }

    /// Returns the access key as credentials.
    pub fn credentials(&self) -> Option<Credentials> {
        let (access_key_id, secret_access_key) = self.access_key_id.clone().zip(self.secret_access_key.clone())?;
        Some(Credentials { access_key_id, secret_access_key, session_token: None })
    }
}

fn parse_access_key_id(text: &str) -> Result<String, &'static str> {
    let is_valid =
        (4..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err("it isn't an access key ID. Enter 4 to 128 letters, digits, and underscores")
    }
}

fn parse_secret_access_key(text: &str) -> Result<SecretString, InvalidSecret> {
    let is_valid = (4..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_valid { Ok(SecretString::new(text.to_owned())) } else { Err(InvalidSecret) }
}

/// The text isn't a secret access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it isn't a secret access key. Enter 4 to 128 letters, digits, and symbols without spaces")]
pub struct InvalidSecret;

/// The options of `serve` for a server in the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Background {
    /// Serve in the background: print the shell commands and exit when the server is ready
    ///
    /// The server keeps running after you close the shell. It writes messages to DIR/server.log. If a server is already
    /// running in the background for this data directory, its shell commands are printed and no server is started.
    #[arg(long, conflicts_with = "command")]
    pub detach: bool,
    /// Whether this is the process in the background.
    #[arg(long, hide = true, requires = "detach")]
    pub detached: bool,
    /// Stop the background server for this data directory, and wait until it exits
    #[arg(long, conflicts_with_all = ["listen", "beyond_loopback", "tls_cert", "tls_self_signed", "client_ca", "proxy_rate"])]
    #[arg(conflicts_with_all = ["detach", "ready_file", "access_log", "command"])]
    pub stop: bool,
}

impl Serve {
    /// Returns whether the options keep files in the data directory.
    pub fn needs_data_dir(&self) -> bool {
        self.background.detach || self.background.stop || self.tls_self_signed
    }

    /// The default of `--listen`.
    pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4599);
    /// The exit code of `serve --stop` if no server is running.
    pub const EXIT_NOT_RUNNING: u8 = 3;
}

/// The text after the options in the help of `serve`.
pub const HELP: &str = "\
Examples:
  xks-console serve -- aws kms describe-custom-key-stores
                                      Run a command against the bundled AWS
  xks-console serve -- bash           Open a shell in which every AWS tool uses the bundled AWS
  eval \"$(xks-console serve --detach)\"
                                      Serve in the background and set up this shell to use it
  xks-console --ephemeral serve --access-key-id test --secret-access-key test
                                      Serve an account in memory with a fixed access key, for tests
  xks-console serve --accounts 12 --data-dir class
                                      Serve 12 accounts for a class, and a page with the progress
  xks-console serve --progress        Print the progress of the class
  xks-console serve --stop            Stop the server in the background
  xks-console serve --access-log -    Serve until you press Ctrl-C, and show each request

The files `config` and `credentials` in the data directory have a profile for each principal.
COMMAND can use these profiles directly. To use them with a running server:
  export AWS_CONFIG_FILE=DIR/config AWS_SHARED_CREDENTIALS_FILE=DIR/credentials
  aws --profile KeyAdministrator kms list-keys
With --accounts, they have a profile for each student, such as student-01, and student-01.env has
the shell commands that set up AWS tools for the student.
The role of the profile BreakGlass requires an MFA code. To get codes, add the key URI in the file
DIR/mfa to an authenticator app.

Exit codes:
  0    the server was stopped, or it is running in the background
  1    the server couldn't be started or stopped
  2    the command line is invalid
  3    --stop: no background server is running for this data directory
With COMMAND, its exit code, or 128 plus the number of the signal that stopped it; or
  125  the server couldn't be started
  126  the command couldn't be executed
  127  the command wasn't found";
