//! The command `serve`.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::value_parser;

/// How the bundled AWS is served.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(group = clap::ArgGroup::new("tls").args(["tls_cert", "tls_self_signed"]))]
pub struct Serve {
    /// Listen on this address; port 0 is any free port
    ///
    /// Without this option it is 127.0.0.1:4599. With COMMAND or --detach, which hand on the address, it is any free port when
    /// that one is taken.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Accept connections from other machines
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
    /// Require client certificates signed by this CA, PEM; needs TLS
    #[arg(long, value_name = "FILE", requires = "client_name", requires = "tls")]
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
    /// In the background.
    #[command(flatten)]
    pub background: Background,
    /// Write the lines for a shell to this file once the server listens
    ///
    /// The file appears as a whole and can only be read by you. It is removed at the start, and again when the server stops.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Add a line to this file for each request; - is standard error
    ///
    /// Time, method, operation, caller, status, error code, milliseconds and request ID, separated by spaces; what is unknown is
    /// a hyphen. Never secrets or contents. The file can only be read by you.
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
    /// Run this command on the served AWS, and stop serving when it ends
    ///
    /// Its environment leads to the served AWS and to no other: endpoint, Region, credentials and profiles. Standard input,
    /// output and error are the command's own. SIGINT, SIGQUIT, SIGTERM and SIGHUP are handed on to it.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Serving in the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Background {
    /// Serve in the background: return once the server listens, and print the lines for a shell
    ///
    /// The server keeps running when the shell ends. What it says is in DIR/server.log. When a server already runs in the
    /// background on this data directory, nothing is started and its lines are printed.
    #[arg(long, conflicts_with = "command")]
    pub detach: bool,
    /// This is the process in the background.
    #[arg(long, hide = true, requires = "detach")]
    pub detached: bool,
    /// Stop the server in the background on this data directory, and wait until it has ended
    #[arg(long, conflicts_with_all = ["listen", "beyond_loopback", "tls_cert", "tls_self_signed", "client_ca", "proxy_rate"])]
    #[arg(conflicts_with_all = ["detach", "ready_file", "access_log", "command"])]
    pub stop: bool,
}

impl Serve {
    /// Where the bundled AWS is served when nothing else is said.
    pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4599);
    /// The exit code of `serve --stop` when there is nothing to stop.
    pub const EXIT_NOT_RUNNING: u8 = 3;
}

/// What stands under the help of `serve`.
pub const HELP: &str = "\
Examples:
  xks-console serve -- aws kms describe-custom-key-stores
                                      Run one command on the bundled AWS
  xks-console serve -- bash           Open a shell in which every AWS tool uses it
  eval \"$(xks-console serve --detach)\"
                                      Serve in the background; set up this shell for it
  xks-console serve --stop            Stop the server in the background
  xks-console serve --access-log -    Serve until Ctrl-C, and show each request

Profiles, a principal each, are in the files `config` and `credentials` in the data directory; COMMAND has
them already. With a server that runs:
  export AWS_CONFIG_FILE=DIR/config AWS_SHARED_CREDENTIALS_FILE=DIR/credentials
  aws --profile KeyAdministrator kms list-keys
The role of the profile BreakGlass asks for a code of an MFA device; the file DIR/mfa has the key URI for an authenticator.

Exit codes:
  0    the server was stopped, or runs in the background
  1    the server couldn't start, or couldn't be stopped
  2    the command line is wrong
  3    --stop: no server is running in the background on this data directory
With COMMAND, that of the command; 128 and the number of the signal that ended it; or
  125  the server couldn't start
  126  the command can't be executed
  127  the command was not found";
