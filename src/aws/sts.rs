//! The operations of STS: who is calling, and being somebody else for a while.

use crate::aws::member_list::MemberList;
use serde::{Deserialize, Serialize};

use crate::aws::iam::Tag;
use crate::aws::operation::{Service, operations};
use crate::aws::scalar::SecretString;

operations! { Service::Sts;
    GetCallerIdentity => CallerIdentity, "GetCallerIdentity" read_only;
    AssumeRole => AssumeRoleOutput, "AssumeRole" read_only not_idempotent;
}

/// The request of GetCallerIdentity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCallerIdentity {}

/// Who is calling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    /// The unique ID of the principal.
    pub user_id: String,
    /// Its account.
    pub account: String,
    /// Its ARN.
    pub arn: String,
}

/// The request of AssumeRole. `PolicyArns` and `ProvidedContexts` are refused: here are no managed policies and no
/// context providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// 2 to 64 of `A-Za-z0-9_+=,.@-`.
    pub role_session_name: String,
    /// What the session is narrowed down to: a policy document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// 900 to 43,200; 3,600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// What a trust policy may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Session tags, at most 50: they come before the role's tags of the same key.
    #[serde(
        default,
        skip_serializing_if = "MemberList::is_empty",
        deserialize_with = "crate::aws::iam::requested_tags"
    )]
    pub tags: MemberList<Tag>,
    /// The keys of those session tags that roles assumed by this session inherit.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub transitive_tag_keys: MemberList<String>,
    /// Who is behind the session: 2 to 64 of `A-Za-z0-9_+=,.@-`. It stays the same in all sessions that come of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The MFA device of the caller: its serial number, or its ARN. 9 to 256 of `A-Za-z0-9_+=/:,.@-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// What the device shows: six digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_code: Option<SecretString>,
}

/// What AssumeRole answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleOutput {
    /// What to sign with.
    pub credentials: SessionCredentials,
    /// Who one is.
    pub assumed_role_user: AssumedRoleUser,
    /// How much of the room for session policies is used, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<u32>,
    /// Who is behind the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// Temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionCredentials {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretString,
    /// Goes with each request.
    pub session_token: SecretString,
    /// ISO 8601.
    pub expiration: String,
}

/// The session of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// The role's ID and the session's name.
    pub assumed_role_id: String,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
}
