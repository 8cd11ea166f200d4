//! The command `proxy`.

use std::path::PathBuf;

use clap::{Subcommand, value_parser};

use super::redacted_value::RedactedValueParser;
use crate::aws::limits;
use crate::conformance::target::Endpoint;

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
    #[arg(long, value_name = "URL", value_parser = RedactedValueParser(str::parse::<Endpoint>))]
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
    #[arg(long, value_name = "ID", required = true, value_parser = parse_external_key_id)]
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
}

fn parse_external_key_id(text: &str) -> Result<String, String> {
    limits::xks_key_id(text).map(|()| text.to_owned()).map_err(|violation| violation.reason)
}

/// What stands under the help of `proxy check`.
pub const CHECK_HELP: &str = "\
Example:
  xks-console proxy check --configuration proxy.json --key key-1 --key off-1 \\
    --endpoint https://xks.example.com --proxy-ca ca.pem \\
    --connect-to xks.example.com=127.0.0.1:8443

Exit codes:
  0    the proxy does all that it must
  1    it doesn't, it can't be reached, or there is nothing to call it with: no secret, or a file
       that can't be used
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
        key: ExternalKeyRef,
        /// What it may be used for
        #[arg(long, value_delimiter = ',', default_value = "encrypt,decrypt", value_parser = ["encrypt", "decrypt", "none"])]
        usage: Vec<String>,
        /// Its key spec; AWS KMS takes AES_256 only
        #[arg(long, default_value = "AES_256", value_parser = ["AES_256", "AES_128"])]
        spec: String,
        /// Leave it disabled
        #[arg(long)]
        disabled: bool,
        /// A caller that can use it, as for set-callers; may be repeated. Everybody, when none is named
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
    EnableKey(ExternalKeyRef),
    /// Let an external key not be used: the KMS key on it can neither encrypt nor decrypt
    DisableKey(ExternalKeyRef),
    /// Delete an external key permanently: data encrypted under it can never be decrypted
    ///
    /// Says what is lost, and asks first. Without a terminal to ask on, --yes is needed.
    DeleteKey {
        /// Which.
        #[command(flatten)]
        key: ExternalKeyRef,
        /// Delete it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Set which callers can use an external key: others can't describe it, encrypt or decrypt
    ///
    /// The proxy compares the caller that AWS KMS names: the ARN of a user, of a role's session
    /// (arn:aws:sts::111122223333:assumed-role/NAME/*), a service principal, or `AWS Internal`.
    SetCallers {
        /// Which.
        #[command(flatten)]
        key: ExternalKeyRef,
        /// A caller; may be repeated. In each of the six parts of an ARN, * and ? are wildcards. Everybody, when none is named
        #[arg(long = "caller", value_name = "ARN")]
        callers: Vec<String>,
    },
    /// Give an external key a new version; older ones still decrypt
    RotateKey(ExternalKeyRef),
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

impl ProxyCommand {
    /// The external key that must be there for it.
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

    /// Whether it prints a list, and does nothing else.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::ListPartitions | Self::ListKeys { .. } | Self::ListCredentials { .. } | Self::Log { .. })
    }

    /// Whether it prints JSON anyway.
    fn prints_json(&self) -> bool {
        matches!(self, Self::CreatePartition { .. } | Self::RotateCredential { .. })
    }
}

impl Proxy {
    /// Whether its output can be asked for as JSON.
    pub fn supports_json(&self) -> bool {
        match self {
            Self::Check(_) => true,
            Self::Bundled(command) => command.is_list() || command.prints_json(),
        }
    }
}

/// Names an external key.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ExternalKeyRef {
    /// The partition it is in
    #[arg(long)]
    pub partition: String,
    /// The external key ID: 1 to 128 of a-z, A-Z, 0-9, hyphen, underscore and dot
    #[arg(long)]
    pub id: String,
}

/// What stands under the help of `proxy`.
pub const HELP: &str = r#"Example:
  xks-console proxy create-partition team-red > team-red.json
  xks-console proxy create-key --partition team-red --id red-1
Then, in the console: External key stores, C, and name team-red.json as the proxy configuration file; the proxy URI
endpoint is https://xks-proxy.bundled.internal.

With --json, before or after the command, lists are one document:
  list-partitions    {"partitions": [{"name", "uriPath"}]}
  list-keys          {"partition", "externalKeys": [{"id", "keySpec", "keyUsage", "keyStatus",
                     "version", "encryptions", "callers"}]}
  list-credentials   {"partition", "accessKeyIds": []}
  log                {"requests": [...]}, each as on a line without --json

Exit codes:
  0    done
  1    failed: such as a partition, key or credential that doesn't exist, or that exists already
  2    the command line is wrong, a value can't be used, or delete-key has no terminal to ask on
  3    delete-key was answered with no; nothing was deleted"#;
