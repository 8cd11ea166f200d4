//! The format of scenarios.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::aws::kms::ConnectionState;
use crate::bundled::kms::vpc_endpoint_service::VpcEndpointService;
use crate::bundled::workloads;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of the scenario that this one adds to. Only scenarios without it have an account of their own.
    #[serde(default)]
    pub extends: Option<String>,
    #[serde(default)]
    pub account: Option<Account>,
    #[serde(default)]
    pub other_account: Vec<OtherAccount>,
    #[serde(default)]
    pub iam_policy: Vec<IamPolicy>,
    #[serde(default)]
    pub trust_policy: Vec<TrustPolicy>,
    #[serde(default)]
    pub partition: Vec<Partition>,
    #[serde(default)]
    pub vpc_endpoint_service: Vec<VpcEndpointService>,
    #[serde(default)]
    pub key_store: Vec<Spanned<KeyStore>>,
    #[serde(default)]
    pub key: Vec<Spanned<Key>>,
    #[serde(default)]
    pub workload: Vec<Spanned<workloads::Definition>>,
    #[serde(default)]
    pub past: Option<Past>,
    /// The words of proxy faults that are active from the start.
    #[serde(default)]
    pub fault: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub id: String,
    pub alias: String,
    pub region: String,
    pub console_user: String,
    pub users: Vec<String>,
    pub roles: Vec<String>,
    /// The users that get an access key, in addition to the console's user.
    pub access_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherAccount {
    pub id: String,
    pub users: Vec<String>,
    pub roles: Vec<String>,
    pub access_keys: Vec<String>,
}

/// An IAM policy and the ARNs of the principals that it is attached to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IamPolicy {
    pub name: String,
    pub document: String,
    pub attached_to: Vec<String>,
}

/// A trust policy. It replaces the default one, which trusts the role's account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustPolicy {
    pub document: String,
    /// The ARNs of the roles that have this trust policy.
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    pub name: String,
    pub keys: Vec<ExternalKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalKey {
    pub id: String,
    pub manager_id: Option<String>,
    pub spec: Option<String>,
    pub usage: Option<Vec<String>>,
    pub enabled: Option<bool>,
    /// How many external keys like this one to create, with numbers after the ID.
    #[serde(default = "one", deserialize_with = "count")]
    pub count: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStore {
    pub name: String,
    pub partition: String,
    pub state: ConnectionState,
    pub error_code: Option<String>,
    #[serde(default)]
    pub has_wrong_secret: bool,
    pub created: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names)]
pub struct Key {
    #[serde(default)]
    pub aliases: Vec<String>,
    pub description: String,
    pub key_store: Option<String>,
    pub external_key: Option<String>,
    #[serde(default)]
    pub is_aws_managed: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub created: Timestamp,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The key policy. Without it, the key has the default one, which leaves everything to IAM policies.
    #[serde(default)]
    pub policy: Option<String>,
    /// How many keys like this one to create. Their aliases and external keys get a number, such as `orders-7`.
    #[serde(default = "one", deserialize_with = "count")]
    pub count: u32,
}

const fn one() -> u32 {
    1
}

/// The largest number of equal things that an entry stands for.
const MAX_COUNT: u32 = 10_000;

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if (1..=MAX_COUNT).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format!("{count} is too many or too few; write a number from 1 to {MAX_COUNT}")))
}

const fn yes() -> bool {
    true
}

/// What has happened in the account until now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// How many days ago it begins. Workloads run from then on.
    pub days: u8,
    /// The requests that principals made.
    #[serde(default)]
    pub request: Vec<Spanned<PastRequest>>,
}

/// A request that a principal made, or several equal ones.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastRequest {
    /// The day and the time in UTC, such as `-3d 02:47`: three days ago, at 02:47.
    pub at: String,
    /// The ARN of the user or role.
    pub principal: String,
    /// The name of the role's session.
    #[serde(default)]
    pub session: Option<String>,
    #[serde(default)]
    pub source_ip: Option<IpAddr>,
    /// The service and the operation, such as `kms:Decrypt`.
    pub operation: String,
    /// The input in JSON. `${name}` stands for a saved value.
    #[serde(default)]
    pub input: Option<String>,
    /// Values of the output to save: a name, and where the value is, such as `/KeyMetadata/KeyId`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// The code of the error that it returns.
    #[serde(default)]
    pub error: Option<String>,
    /// How many times the request is made, and how long after one another.
    #[serde(default = "one", deserialize_with = "count")]
    pub times: u32,
    #[serde(default)]
    pub every: Option<jiff::SignedDuration>,
}

/// Returns the name of one of `count` equal things: the name itself if there is only one, or else with a number.
pub fn numbered(name: &str, number: u32, count: u32) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}-{number}") }
}

impl Scenario {
    /// Returns this scenario with everything that `base` has.
    pub fn added_to(self, base: Self) -> Self {
        fn joined<T>(mut first: Vec<T>, second: Vec<T>) -> Vec<T> {
            first.extend(second);
            first
        }
        Self {
            extends: None,
            account: self.account.or(base.account),
            other_account: joined(base.other_account, self.other_account),
            iam_policy: joined(base.iam_policy, self.iam_policy),
            trust_policy: joined(base.trust_policy, self.trust_policy),
            partition: joined(base.partition, self.partition),
            vpc_endpoint_service: joined(base.vpc_endpoint_service, self.vpc_endpoint_service),
            key_store: joined(base.key_store, self.key_store),
            key: joined(base.key, self.key),
            workload: joined(base.workload, self.workload),
            fault: joined(base.fault, self.fault),
            past: self.past.or(base.past),
        }
    }
}
