//! Grants, which allow a principal to use one KMS key.

use serde::{Deserialize, Serialize};

use super::EncryptionContext;
use crate::aws::scalar::EpochSeconds;

/// The constraints on a grant. The request must satisfy them for the grant to apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantConstraints {
    /// The request's encryption context must include these pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<EncryptionContext>,
    /// The request's encryption context must match these pairs exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<EncryptionContext>,
    /// The request must come from an AWS service on behalf of this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}

/// A `CreateGrant` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrant {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The ARN of the principal that gets the permissions in the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// The ARN of the principal that can retire the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The operations that the grant allows, such as `Encrypt` or `Decrypt`.
    #[serde(default)]
    pub operations: Vec<String>,
    /// The grant constraints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// A name for the grant. It prevents duplicate grants when the request is retried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The AWS service principal that gets the permissions in the grant, instead of a grantee principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// The AWS service principal that can retire the grant, instead of a retiring principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}

/// A `CreateGrant` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantOutput {
    /// The grant token, which makes the permissions in the grant effective immediately.
    pub grant_token: String,
    /// The grant ID: 64 hexadecimal digits.
    pub grant_id: String,
}

/// A `ListGrants` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrants {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The maximum number of grants per page: 1 to 100. The default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Returns only the grant with this ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Returns only grants with this grantee principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// Returns only grants with this AWS service principal as the grantee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
}

/// A `ListRetirableGrants` request, which returns the grants on any KMS key that the principal can retire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRetirableGrants {
    /// The maximum number of grants per page: 1 to 100. The default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The ARN of the retiring principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The retiring AWS service principal. Only AWS services can send it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}

/// A grant in a `ListGrants` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantListEntry {
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The grant ID: 64 hexadecimal digits.
    pub grant_id: String,
    /// The name of the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The date and time that the grant was created.
    pub creation_date: EpochSeconds,
    /// The principal that gets the permissions in the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// The principal that can retire the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The account under which the grant was issued, as the ARN of its root user.
    pub issuing_account: String,
    /// The operations that the grant allows, such as `Encrypt` or `Decrypt`.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub operations: Vec<String>,
    /// The grant constraints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// The AWS service principal that gets the permissions in the grant, instead of a grantee principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// The AWS service principal that can retire the grant, instead of a retiring principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
    /// The members that this version couldn't read. Not part of the API.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One page of ListGrants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsOutput {
    /// The grants.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub grants: Vec<GrantListEntry>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// A `RevokeGrant` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeGrant {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The grant ID.
    pub grant_id: String,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// A `RetireGrant` request. It identifies the grant by its grant token, or by key ARN and grant ID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetireGrant {
    /// The grant token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_token: Option<String>,
    /// The ARN of the KMS key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The grant ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}
