//! The command `proxy`.

use std::path::PathBuf;

use clap::{Subcommand, value_parser};

use super::redacted_value::RedactedValueParser;
use crate::aws::limits;
use crate::conformance::target::Endpoint;

/// The commands of `proxy`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Proxy {
    /// Check whether an external key store proxy conforms to the XKS proxy API specification
    ///
    /// Calls the proxy as AWS KMS does, with valid and invalid requests. Reports which requirements and recommendations
    /// it meets, and its latency. Only the endpoint is called, and the bundled AWS isn't used. The command encrypts and
    /// decrypts test data with the external keys, but doesn't change them.
    #[command(after_help = CHECK_HELP)]
    Check(ProxyCheck),
    /// A command of the bundled external key manager and its proxy.
    #[command(flatten)]
    Bundled(ProxyCommand),
}

/// The options of `proxy check`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ProxyCheck {
    /// The proxy URI endpoint: https:// and a host name, or http:// for this machine, such as http://127.0.0.1:8080
    ///
    /// If the host has no public DNS name yet, use --connect-to to connect to it and --proxy-ca to trust its
    /// certificate.
    #[arg(long, value_name = "URL", value_parser = RedactedValueParser(str::parse::<Endpoint>))]
    pub endpoint: Endpoint,
    /// The proxy configuration file from the vendor, with the URI path, access key ID, and secret access key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "access_key", "secret_file"])]
    pub configuration: Option<PathBuf>,
    /// The proxy URI path: an optional prefix followed by /kms/xks/v1
    #[arg(long, value_name = "PATH", required_unless_present = "configuration")]
    pub path: Option<String>,
    /// The access key ID of the proxy authentication credential
    #[arg(long, value_name = "ID", required_unless_present = "configuration")]
    pub access_key: Option<String>,
    /// Read the secret access key from this file
    ///
    /// Without this option, the secret access key is read from the environment variable XKS_PROXY_SECRET_ACCESS_KEY or
    /// from standard input.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The ID of an external key to check with; can be repeated
    ///
    /// One key must be an enabled AES_256 key for encryption and decryption. Other keys can be disabled, or only for
    /// encryption or decryption. The command gets their properties from the proxy.
    #[arg(long, value_name = "ID", required = true, value_parser = parse_external_key_id)]
    pub key: Vec<String>,
    /// The Region that AWS KMS calls the proxy from
    #[arg(long, value_name = "REGION", default_value = "us-west-2")]
    pub region: String,
    /// The ARN of the AWS KMS caller to send in requests, for a proxy that allows only specific callers
    #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::111122223333:user/Alice")]
    pub principal: String,
    /// The KMS key ARN to send in requests, for a proxy that allows only specific KMS keys
    #[arg(long, value_name = "ARN")]
    pub kms_key_arn: Option<String>,
    /// The PEM file with the client certificate chain, for a proxy that requires one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// The PEM file with the private key of the client certificate
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// Measure the latency of N requests of each kind
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub requests: u32,
    /// Also run checks that take up to 30 seconds
    #[arg(long)]
    pub slow: bool,
    /// Also show the requests and responses of checks that passed
    #[arg(long)]
    pub verbose: bool,
}

fn parse_external_key_id(text: &str) -> Result<String, String> {
    limits::xks_key_id(text).map(|()| text.to_owned()).map_err(|violation| violation.reason)
}

/// The text after the options in the help of `proxy check`.
pub const CHECK_HELP: &str = "\
Example:
  xks-console proxy check --configuration proxy.json --key key-1 --key off-1 \\
    --endpoint https://xks.example.com --proxy-ca ca.pem \\
    --connect-to xks.example.com=127.0.0.1:8443

Exit codes:
  0    the proxy meets all requirements
  1    the proxy doesn't meet a requirement or can't be reached, the secret access key is missing,
       or a file can't be used
  2    the command line is invalid";

/// The commands of the bundled external key manager and its proxy.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ProxyCommand {
    /// Create a partition with its own URI path, and print its proxy configuration file
    ///
    /// The file contains a credential that is printed only once. Also prints the AWS CLI command that creates an
    /// external key store for the partition. The AWS CLI command reads the secret access key from a file in the data
    /// directory.
    CreatePartition {
        /// The name of the partition: letters, digits, slashes, hyphens, and underscores
        name: String,
    },
    /// List the partitions
    ListPartitions,
    /// Create an external key
    CreateKey {
        /// The new key.
        #[command(flatten)]
        key: ExternalKeyRef,
        /// The operations that the key allows
        #[arg(long, value_delimiter = ',', default_value = "encrypt,decrypt", value_parser = ["encrypt", "decrypt", "none"])]
        usage: Vec<String>,
        /// The key spec; AWS KMS supports only AES_256
        #[arg(long, default_value = "AES_256", value_parser = ["AES_256", "AES_128"])]
        spec: String,
        /// Create the key in the disabled state
        #[arg(long)]
        disabled: bool,
        /// A caller that can use the key; see set-callers. Can be repeated. The default is everyone
        #[arg(long = "caller", value_name = "ARN")]
        callers: Vec<String>,
    },
    /// List the external keys of a partition
    ListKeys {
        /// The name of the partition
        #[arg(long)]
        partition: String,
    },
    /// Enable an external key
    EnableKey(ExternalKeyRef),
    /// Disable an external key, so that its KMS key can't encrypt or decrypt
    DisableKey(ExternalKeyRef),
    /// Delete an external key permanently; data encrypted under it can never be decrypted
    ///
    /// Shows what you lose and asks for confirmation. Without a terminal, you must use --yes.
    DeleteKey {
        /// The external key.
        #[command(flatten)]
        key: ExternalKeyRef,
        /// Delete the key without asking for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Set which callers can use an external key
    ///
    /// Other callers can't describe the key, encrypt, or decrypt. The proxy matches the caller in requests from AWS
    /// KMS: the ARN of a user or of a role session (arn:aws:sts::111122223333:assumed-role/NAME/*), a service
    /// principal, or `AWS Internal`.
    SetCallers {
        /// The external key.
        #[command(flatten)]
        key: ExternalKeyRef,
        /// A caller that can use the key; can be repeated. The default is everyone
        ///
        /// You can use the wildcards * and ? in any of the six parts of an ARN.
        #[arg(long = "caller", value_name = "ARN")]
        callers: Vec<String>,
    },
    /// Rotate an external key; earlier versions can still decrypt
    RotateKey(ExternalKeyRef),
    /// List the access key IDs that the proxy accepts for a partition
    ListCredentials {
        /// The name of the partition
        partition: String,
    },
    /// Add a credential to a partition, and print a proxy configuration file with it
    ///
    /// Earlier credentials still work until you revoke them.
    RotateCredential {
        /// The name of the partition
        partition: String,
    },
    /// Print the requests to the proxy as lines of JSON, oldest first
    ///
    /// The log contains requests from the bundled KMS and from all other clients, and the responses from the proxy. It
    /// doesn't contain secrets or data.
    Log {
        /// Print only requests to this partition
        #[arg(long)]
        partition: Option<String>,
        /// Print only requests for this external key
        #[arg(long, value_name = "EXTERNAL_KEY_ID")]
        key: Option<String>,
        /// Print only proxy requests for the KMS request with this ID (requestID in the CloudTrail event)
        #[arg(long, value_name = "ID")]
        kms_request_id: Option<String>,
        /// Print only the last N requests
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
        last: u32,
    },
    /// Make requests from AWS KMS to external key store proxies fail, so that you can practice troubleshooting
    #[command(subcommand, after_help = FAULT_HELP)]
    Fault(FaultCommand),
    /// Revoke a credential; it stops working immediately
    RevokeCredential {
        /// The name of the partition
        partition: String,
        /// The access key ID of the credential
        access_key_id: String,
    },
}

impl ProxyCommand {
    /// Returns the external key that must exist for this command.
    pub fn existing_key(&self) -> Option<&ExternalKeyRef> {
        match self {
            Self::EnableKey(key)
            | Self::DisableKey(key)
            | Self::RotateKey(key)
            | Self::DeleteKey { key, .. }
            | Self::SetCallers { key, .. } => Some(key),
            _ => None,
        }
    }

    /// Whether the command only prints a list.
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::ListPartitions
                | Self::ListKeys { .. }
                | Self::ListCredentials { .. }
                | Self::Log { .. }
                | Self::Fault(FaultCommand::List)
        )
    }

    /// Whether the command prints JSON with `--json`, or always, although it isn't a list.
    fn prints_json(&self) -> bool {
        matches!(
            self,
            Self::CreatePartition { .. } | Self::RotateCredential { .. } | Self::Fault(FaultCommand::Add { .. })
        )
    }
}

/// The commands of `proxy fault`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum FaultCommand {
    /// Add a proxy fault, and print its ID
    ///
    /// It takes effect with the next request of every console and server that uses the account, until it has failed the
    /// number of requests that it names, its time is over, or you remove it.
    #[command(after_help = FAULT_HELP)]
    Add {
        /// What fails, how, and when, such as 'xks:Encrypt timeout 2 times partition frankfurt'
        #[arg(value_name = "FAULT", required = true, num_args = 1..)]
        words: Vec<String>,
    },
    /// List the proxy faults, and how many requests they have failed
    List,
    /// Remove a proxy fault, or all of them
    Remove {
        /// The ID of the fault; see list
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// Remove all faults
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// The text after the options in the help of `proxy fault`.
pub const FAULT_HELP: &str = "\
Examples:
  xks-console proxy fault add 'xks:Encrypt timeout 2 times partition frankfurt'
  xks-console proxy fault add 'xks:* latency p50=20ms p99=400ms for 10m'
  xks-console proxy fault add 'xks:Decrypt ThrottlingException 30 percent seed 7 after 5 requests'
  xks-console proxy fault remove --all

What fails:
  xks:GetHealthStatus, xks:GetKeyMetadata, xks:Encrypt, xks:Decrypt, or xks:* for all
How:
  latency 100ms [jitter 50ms], latency p50=20ms p99=400ms, timeout, unreachable, tls,
  expired-certificate, wrong-host-name, unknown-ca, wrong-signature, revoked-credential,
  malformed, wrong-tag, wrong-cdiv, damaged, manager-degraded, manager-unavailable,
  key-disabled, key-deleted, or the name of an error in the proxy API
Where:
  partition NAME, or key-store ID or NAME
When:
  2 times, after 3 requests, 30 percent, seed 7, for 10m

Exit codes:
  0    success
  1    failure; for example, the partition, key store, or fault doesn't exist
  2    the command line or the fault is invalid";

impl Proxy {
    /// Whether the command can be used with `--json`.
    pub fn supports_json(&self) -> bool {
        match self {
            Self::Check(_) => true,
            Self::Bundled(command) => command.is_list() || command.prints_json(),
        }
    }
}

/// The options that identify an external key.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ExternalKeyRef {
    /// The partition of the external key
    #[arg(long)]
    pub partition: String,
    /// The external key ID: up to 128 letters, digits, hyphens, underscores, and dots
    #[arg(long)]
    pub id: String,
}

/// The text after the options in the help of `proxy`.
pub const HELP: &str = r#"Example:
  xks-console proxy create-partition team-red > team-red.json
  xks-console proxy create-key --partition team-red --id red-1
Then open the console, choose External key stores, and press C to create an external key store. The
proxy configuration file is team-red.json, and the proxy URI endpoint is
https://xks-proxy.bundled.internal.

With --json, before or after the command, each list is one JSON document:
  list-partitions    {"partitions": [{"name", "uriPath"}]}
  list-keys          {"partition", "externalKeys": [{"id", "keySpec", "keyUsage", "keyStatus",
                     "version", "encryptions", "callers"}]}
  list-credentials   {"partition", "accessKeyIds": []}
  log                {"requests": [...]}, each the same as a line without --json
  fault list         {"faults": [{"id", "fault", "isActive", "matchedRequests", "failedRequests",
                     "created", "ends"}]}

Exit codes:
  0    success
  1    failure; for example, a partition, key, or credential doesn't exist or already exists
  2    the command line or a value is invalid, or delete-key requires a terminal
  3    you answered no to delete-key; nothing was deleted"#;
