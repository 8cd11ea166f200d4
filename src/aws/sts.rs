//! The STS operations: GetCallerIdentity and AssumeRole.

use serde::{Deserialize, Serialize};

use crate::aws::iam::Tag;
use crate::aws::member_list::MemberList;
use crate::aws::operation::{Service, operations};
use crate::aws::scalar::SecretString;

operations! { Service::Sts;
    GetCallerIdentity => CallerIdentity, "GetCallerIdentity" read_only;
    AssumeRole => AssumeRoleOutput, "AssumeRole" read_only not_idempotent;
}

/// A `GetCallerIdentity` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCallerIdentity {}

/// A `GetCallerIdentity` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    /// The unique ID of the calling principal.
    pub user_id: String,
    /// The account of the calling principal.
    pub account: String,
    /// The ARN of the calling principal.
    pub arn: String,
}

/// An `AssumeRole` request. `PolicyArns` and `ProvidedContexts` are rejected, because the bundled AWS has no managed
/// policies and no context providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// The ARN of the role to assume.
    pub role_arn: String,
    /// The identifier for the session: 2 to 64 characters of `A-Za-z0-9_+=,.@-`.
    pub role_session_name: String,
    /// The session policy, which limits the session's permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The duration of the session in seconds: 900 to 43,200. The default is 3,600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// The external ID that the role's trust policy might require.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The session tags, up to 50. A session tag overrides a role tag with the same key.
    #[serde(
        default,
        skip_serializing_if = "MemberList::is_empty",
        deserialize_with = "crate::aws::iam::requested_tags"
    )]
    pub tags: MemberList<Tag>,
    /// The keys of the session tags that are passed on to subsequent sessions in a role chain.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub transitive_tag_keys: MemberList<String>,
    /// The source identity: 2 to 64 characters of `A-Za-z0-9_+=,.@-`. It persists across chained role sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The serial number or ARN of the caller's MFA device: 9 to 256 characters of `A-Za-z0-9_+=/:,.@-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// The 6-digit code from the MFA device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_code: Option<SecretString>,
}

/// An `AssumeRole` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleOutput {
    /// The temporary credentials.
    pub credentials: SessionCredentials,
    /// The role session.
    pub assumed_role_user: AssumedRoleUser,
    /// The size of the session policies and session tags, as a percentage of the allowed size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<u32>,
    /// The source identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// Temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionCredentials {
    /// The access key ID, `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token, which must be sent with each request.
    pub session_token: SecretString,
    /// The expiration date and time, in ISO 8601 format.
    pub expiration: String,
}

/// A role session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// The role ID and the session name.
    pub assumed_role_id: String,
    /// The ARN of the session: `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
}
