//! Grants: permissions on one key for one principal.

use serde::{Deserialize, Serialize};

use super::EncryptionContext;
use crate::aws::scalar::EpochSeconds;

/// What the encryption context must be for a grant to count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantConstraints {
    /// It must hold these pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<EncryptionContext>,
    /// It must be these pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<EncryptionContext>,
    /// An AWS service must call on behalf of this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}

/// The request of CreateGrant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrant {
    /// Key ID or key ARN.
    pub key_id: String,
    /// The ARN of the principal that gets the permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// The ARN of the principal that may retire the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// `Encrypt`, `Decrypt` ...
    #[serde(default)]
    pub operations: Vec<String>,
    /// What narrows it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// Tokens of grants that allow this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Makes the call idempotent: the same name with the same request gives the same grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only look whether it would be allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The AWS service that gets the permissions, in place of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// The AWS service that may retire the grant, in place of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}

/// What CreateGrant answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantOutput {
    /// Allows the grant's permissions at once.
    pub grant_token: String,
    /// 64 hexadecimal digits.
    pub grant_id: String,
}

/// The request of ListGrants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrants {
    /// Key ID or key ARN.
    pub key_id: String,
    /// 1 to 100; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Only this grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Only grants to this principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// Only grants to this AWS service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
}

/// The request of ListRetirableGrants: the grants of all keys that a principal may retire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRetirableGrants {
    /// 1 to 100; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The ARN of the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// An AWS service; only services may ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}

/// A grant, as ListGrants tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantListEntry {
    /// The key ARN.
    pub key_id: String,
    /// 64 hexadecimal digits.
    pub grant_id: String,
    /// What its maker calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made.
    pub creation_date: EpochSeconds,
    /// Who has the permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// Who may retire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The account that made it: its root's ARN.
    pub issuing_account: String,
    /// `Encrypt`, `Decrypt` ...
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub operations: Vec<String>,
    /// What narrows it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// The AWS service that gets the permissions, in place of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// The AWS service that may retire the grant, in place of a principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
    /// What of it this version can't read; the API has no such member.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One page of ListGrants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsOutput {
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub grants: Vec<GrantListEntry>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}

/// The request of RevokeGrant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeGrant {
    /// Key ID or key ARN.
    pub key_id: String,
    /// The grant.
    pub grant_id: String,
    /// Only look whether it would be allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// The request of RetireGrant: a token, or key and grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetireGrant {
    /// The token of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_token: Option<String>,
    /// The key ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Only look whether it would be allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}
