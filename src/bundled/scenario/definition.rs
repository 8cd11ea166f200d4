//! The format of a scenario in `assets/scenarios`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use crate::aws::kms::ConnectionState;
use crate::bundled::kms::vpc_endpoint_service::VpcEndpointService;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub account: Account,
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
    pub key_store: Vec<KeyStore>,
    #[serde(default)]
    pub key: Vec<Key>,
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
    pub created: Timestamp,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}
