//! The condition keys of requests: of the caller, the session, the request, and the KMS key.
//!
//! Operations add their own with [`AuthorizationRequest::with_condition_key`]. Sources: *AWS global condition context keys*;
//! *AWS KMS condition keys*.

use super::AuthorizationRequest;
use crate::aws::kms::Tag;
use crate::aws::policy::condition::RequestContext;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::store::RecordReader;
use crate::bundled::{ApiResult, Call, Caller, account_region};

/// The names of the condition key for the key spec; the second is deprecated and works the same way.
pub const KEY_SPEC_CONDITION_KEYS: [&str; 2] = ["kms:KeySpec", "kms:CustomerMasterKeySpec"];
/// The names of the condition key for the key usage; the second is deprecated and works the same way.
pub const KEY_USAGE_CONDITION_KEYS: [&str; 2] = ["kms:KeyUsage", "kms:CustomerMasterKeyUsage"];

/// What a key is found by, other than its ID.
struct KeyLabels {
    tags: Vec<Tag>,
    aliases: Vec<String>,
}

impl Caller {
    /// Adds the condition keys of the caller's tags and, for a role, of its session.
    pub fn add_session_context(&self, request_context: &mut RequestContext) {
        for tag in &self.tags {
            request_context.add(&format!("aws:PrincipalTag/{}", tag.key), &*tag.value);
        }
        if let Some(session) = &self.session {
            request_context.add_optional("aws:TokenIssueTime", session.issued.map(|issued| issued.to_string()));
            request_context.add_optional("aws:SourceIdentity", session.source_identity.as_deref());
        }
    }
}

impl Call<'_> {
    /// Returns the condition keys of the caller and the request.
    pub fn request_context(&self, authorization: &AuthorizationRequest) -> RequestContext {
        let (caller, now) = (&self.caller, self.store().environment().clock.now());
        let mut request_context = authorization.request_context.clone();
        request_context.add("aws:PrincipalArn", &*caller.issuer_arn);
        request_context.add("aws:PrincipalAccount", &*caller.account);
        request_context.add("aws:PrincipalType", if caller.is_role() { "AssumedRole" } else { "User" });
        request_context.add("aws:userid", &*caller.user_id);
        request_context.add_optional("aws:username", caller.user_name());
        request_context.add("aws:CurrentTime", now.to_string());
        request_context.add("aws:EpochTime", now.as_second().to_string());
        request_context.add("aws:RequestedRegion", &*self.region);
        request_context.add("aws:SecureTransport", self.is_over_tls.to_string());
        request_context.add_optional("aws:SourceIp", self.source_ip.as_deref());
        request_context.add("aws:ViaAWSService", "false");
        request_context.add("aws:PrincipalIsAWSService", "false");
        request_context.add_optional("aws:UserAgent", Some(self.draft.user_agent).filter(|agent| !agent.is_empty()));
        // Sessions of AssumeRole carry no MFA information. For access keys of users, the condition key is absent.
        if caller.is_role() && !request_context.contains("aws:MultiFactorAuthPresent") {
            request_context.add("aws:MultiFactorAuthPresent", "false");
        }
        caller.add_session_context(&mut request_context);
        if authorization.action.starts_with("kms:") {
            request_context.add("kms:CallerAccount", &*caller.account);
        }
        if ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"].contains(&authorization.action) {
            request_context.add("kms:GrantIsForAWSResource", "false");
        }
        request_context
    }

    /// Adds the condition keys of the KMS key.
    pub(super) fn add_key_context(
        &self,
        records: &impl RecordReader,
        key: &KeyRecord,
        request_context: &mut RequestContext,
    ) -> ApiResult<()> {
        let metadata = &key.metadata;
        request_context.add("aws:ResourceAccount", &*metadata.aws_account_id);
        request_context.add("kms:KeyOrigin", metadata.origin.as_str());
        for name in KEY_SPEC_CONDITION_KEYS {
            request_context.add(name, &*metadata.key_spec);
        }
        for name in KEY_USAGE_CONDITION_KEYS {
            request_context.add(name, &*metadata.key_usage);
        }
        request_context.add("kms:MultiRegion", (metadata.multi_region == Some(true)).to_string());
        let labels = records.record(&metadata.arn, |tx, sources| -> ApiResult<KeyLabels> {
            let account_region = account_region(&metadata.aws_account_id, &self.region);
            for table in ["tags", "aliases"] {
                sources.add_row(table, &[&account_region, &metadata.key_id]);
            }
            Ok(KeyLabels { tags: self.tags_of(tx, key)?, aliases: self.alias_names_of(tx, key)? })
        })?;
        for tag in &labels.tags {
            request_context.add(&format!("aws:ResourceTag/{}", tag.tag_key), &*tag.tag_value);
        }
        for alias in &labels.aliases {
            request_context.add("kms:ResourceAliases", &**alias);
        }
        Ok(())
    }
}
