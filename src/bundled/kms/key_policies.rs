//! GetKeyPolicy, PutKeyPolicy, ListKeyPolicies, and the validation of key policies.

use crate::aws::error::ServiceError;
use crate::aws::kms::{
    DEFAULT_POLICY_NAME, GetKeyPolicy, GetKeyPolicyOutput, KeyManagerType, ListKeyPolicies, ListKeyPoliciesOutput,
    PutKeyPolicy,
};
use crate::aws::operation::Empty;
use crate::aws::{limits, policy};
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};

impl Call<'_> {
    /// Checks the size, grammar, and principals of a key policy, and that it doesn't lock the caller out.
    pub fn check_key_policy(&self, text: &str, bypass_lockout_check: bool) -> ApiResult<()> {
        if text.len() > limits::MAX_POLICY_BYTES {
            let message = format!("The key policy is larger than {} bytes.", limits::MAX_POLICY_BYTES);
            return Err(ServiceError::new("LimitExceededException", message).into());
        }
        let malformed = |message: String| ServiceError::new("MalformedPolicyDocumentException", message);
        let document = policy::check(text)
            .map_err(|problems| malformed(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))?;
        for name in document.principal_names() {
            if !self.principal_exists(name)? {
                return Err(
                    malformed("Policy contains a statement with one or more invalid principals.".to_owned()).into()
                );
            }
        }
        if !bypass_lockout_check && !document.passes_lockout_safety_check(&self.caller.arn, &self.caller.account) {
            let message = "The new key policy will not allow you to update the key policy in the future.";
            return Err(malformed(message.to_owned()).into());
        }
        Ok(())
    }

    pub fn get_key_policy(&self, request: &GetKeyPolicy) -> ApiResult<GetKeyPolicyOutput> {
        if request.policy_name.as_deref().is_some_and(|name| name != DEFAULT_POLICY_NAME) {
            return Err(ServiceError::new("NotFoundException", "No such policy exists").into());
        }
        let key = self.store().read(|tx| self.find_key_by_id(tx, &request.key_id, "kms:GetKeyPolicy"))?;
        Ok(GetKeyPolicyOutput { policy: key.policy, policy_name: Some(DEFAULT_POLICY_NAME.to_owned()) })
    }

    pub fn put_key_policy(&self, request: &PutKeyPolicy) -> ApiResult<Empty> {
        if request.policy_name.as_deref().is_some_and(|name| name != DEFAULT_POLICY_NAME) {
            return Err(ServiceError::new("NotFoundException", "No such policy exists").into());
        }
        let bypass_lockout_check = request.bypass_policy_lockout_safety_check == Some(true);
        let authorization = AuthorizationRequest::from("kms:PutKeyPolicy")
            .with_lockout_bypass(request.bypass_policy_lockout_safety_check);
        // Check the permission first: a caller without it must not learn what is wrong with the policy.
        self.store().read(|tx| self.find_key_by_id(tx, &request.key_id, authorization.clone()))?;
        self.check_key_policy(&request.policy, bypass_lockout_check)?;
        self.commit_with_event(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, authorization.clone())?;
            if key.metadata.key_manager == KeyManagerType::Aws {
                let message = format!("{} is an AWS managed key. Only AWS can change it.", key.metadata.arn);
                return Err(ServiceError::new("AccessDeniedException", message).into());
            }
            tx.execute(
                "UPDATE keys SET policy = ?3 WHERE world = ?1 AND id = ?2",
                [&self.account_region, &key.metadata.key_id, &request.policy],
            )?;
            Ok(Empty {})
        })
    }

    pub fn list_key_policies(&self, request: &ListKeyPolicies) -> ApiResult<ListKeyPoliciesOutput> {
        self.store().read(|tx| self.find_key_by_id(tx, &request.key_id, "kms:ListKeyPolicies"))?;
        let page = paginate(
            vec![DEFAULT_POLICY_NAME.to_owned()],
            |name| name,
            request.limit,
            100,
            1000,
            request.marker.as_deref(),
        )?;
        Ok(ListKeyPoliciesOutput {
            policy_names: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }
}
