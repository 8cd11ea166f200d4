//! The IAM permissions that Finish needs, those that are missing, and an IAM policy that grants them.
//!
//! The result is an estimate, because it doesn't include service control policies, permissions boundaries, or session
//! policies. Sources: *AWS KMS permissions* and *Condition keys for AWS KMS* in the AWS KMS Developer Guide, and
//! SimulatePrincipalPolicy in the IAM API Reference.

use serde_json::{Map, Value, json};

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::requests;
use crate::aws::arn::Arn;
use crate::aws::iam::{ContextEntry, Decision, EvaluationResult, SimulatePrincipalPolicy};
use crate::aws::policy::PolicyDocument;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};

/// Stands for a key that doesn't exist yet. Policies for all keys match it; policies for a specific key don't.
const PLACEHOLDER_KEY_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A permission that Finish needs.
#[derive(Clone, Debug, PartialEq)]
pub struct RequiredPermission {
    /// The IAM action, such as `kms:CreateKey`.
    pub action: &'static str,
    /// The resource for a policy: an ARN, `…:key/*` for a key that doesn't exist yet, or `*`.
    pub resource: String,
    /// The condition for the policy that grants the permission; null for none.
    condition: Value,
    /// The resource for the policy simulation.
    simulated_resource: String,
    context: Vec<ContextEntry>,
}

/// The IAM identity whose policies are simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A user, with its ARN.
    User(String),
    /// A role, with its name. The ARN of a role session doesn't contain the path of the role.
    Role(String),
    /// An identity whose policies can't be simulated.
    Unknown,
}

/// The permissions to check for a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionCheck {
    /// The IAM identity whose policies are simulated.
    pub source: PolicySource,
    /// The permissions that Finish needs.
    pub permissions: Vec<RequiredPermission>,
    key_policy: String,
}

/// The reason why a permission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialReason {
    /// No IAM policy allows it.
    ImplicitDeny,
    /// A statement denies it, so that no other statement can allow it.
    ExplicitDeny,
    /// The key policy of the draft doesn't allow it for the caller.
    KeyPolicy,
}

impl DenialReason {
    /// Returns a sentence about the reason, unless the permission is just missing.
    pub const fn explanation(self) -> Option<&'static str> {
        match self {
            Self::ImplicitDeny => None,
            Self::ExplicitDeny => Some("An explicit deny overrides every allow statement."),
            Self::KeyPolicy => Some("The key policy doesn't allow it."),
        }
    }
}

/// A permission that the caller doesn't have.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingPermission {
    /// The permission.
    pub permission: RequiredPermission,
    /// The reason why it is missing.
    pub reason: DenialReason,
    /// The condition keys that affect the result but that only the real request has.
    pub missing_context_keys: Vec<String>,
}

fn context_entry(name: &str, kind: &str, values: impl IntoIterator<Item = String>) -> ContextEntry {
    ContextEntry {
        context_key_name: name.to_owned(),
        context_key_values: values.into_iter().collect(),
        context_key_type: kind.to_owned(),
    }
}

/// Escapes `${`, which starts a variable in a policy.
fn escape_policy_variables(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Returns the permission check for the requests that this draft needs.
///
/// Returns `None` for the root user of the account, which needs no permissions, and while the caller is unknown.
pub fn permission_check(draft: &KeyDraft, account: &AccountState) -> Option<PermissionCheck> {
    let caller: Arn = account.caller_arn.parse().ok()?;
    let source = match (&*caller.service, caller.resource.split('/').collect::<Vec<_>>().as_slice()) {
        ("iam", ["root"]) => return None,
        ("iam", ["user", ..]) => PolicySource::User(account.caller_arn.clone()),
        ("sts", ["assumed-role", role, _]) => PolicySource::Role((*role).to_owned()),
        _ => PolicySource::Unknown,
    };
    Some(PermissionCheck {
        source,
        permissions: required_permissions(draft, account),
        key_policy: draft.policy_json(account),
    })
}

fn required_permissions(draft: &KeyDraft, account: &AccountState) -> Vec<RequiredPermission> {
    let request = requests::create_key_request(draft, account);
    let tags = request.tags.unwrap_or_default();
    let origin = draft.origin.as_str();
    let text = |name: &str, value: &str| context_entry(name, "string", [value.to_owned()]);
    let is_false = |name: &str| context_entry(name, "boolean", ["false".to_owned()]);
    let global_context =
        vec![text("kms:CallerAccount", &account.account_id), text("aws:RequestedRegion", &account.region)];
    let key_context = [
        text("kms:KeyOrigin", origin),
        text("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        text("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        is_false("kms:MultiRegion"),
    ];
    let mut create_context: Vec<ContextEntry> = global_context.iter().cloned().chain(key_context.clone()).collect();
    create_context.push(is_false("kms:BypassPolicyLockoutSafetyCheck"));
    for tag in &tags {
        create_context.push(text(&format!("aws:RequestTag/{}", tag.tag_key), &tag.tag_value));
    }
    if !tags.is_empty() {
        create_context.push(context_entry("aws:TagKeys", "stringList", tags.iter().map(|tag| tag.tag_key.clone())));
    }
    let mut existing_key_context: Vec<ContextEntry> = global_context.iter().cloned().chain(key_context).collect();
    existing_key_context
        .extend(tags.iter().map(|tag| text(&format!("aws:ResourceTag/{}", tag.tag_key), &tag.tag_value)));
    let key = |id: &str| Arn::kms_key(&account.region, &account.account_id, id).to_string();
    let alias = Arn::kms_alias(&account.region, &account.account_id, &draft.alias_name()).to_string();
    let permission = |action, resource: &str, condition, context: &[ContextEntry]| RequiredPermission {
        action,
        resource: resource.to_owned(),
        condition,
        simulated_resource: if resource == key("*") { key(PLACEHOLDER_KEY_ID) } else { resource.to_owned() },
        context: context.to_vec(),
    };
    let origin_and_region =
        json!({ "StringEquals": { "kms:KeyOrigin": origin, "aws:RequestedRegion": account.region } });
    let mut permissions = vec![permission("kms:CreateKey", "*", origin_and_region, &create_context)];
    if !tags.is_empty() {
        let values = tags
            .iter()
            .map(|tag| (format!("aws:RequestTag/{}", tag.tag_key), escape_policy_variables(&tag.tag_value).into()));
        let values: Map<String, Value> = values.collect();
        let keys: Vec<String> = tags.iter().map(|tag| escape_policy_variables(&tag.tag_key)).collect();
        let these_tags = json!({ "StringEquals": values, "ForAllValues:StringEquals": { "aws:TagKeys": keys } });
        permissions.push(permission("kms:TagResource", &key("*"), these_tags, &create_context));
    }
    permissions.push(permission("kms:CreateAlias", &alias, Value::Null, &global_context));
    permissions.push(permission("kms:CreateAlias", &key("*"), Value::Null, &existing_key_context));
    permissions.push(permission("kms:DescribeKey", &key("*"), Value::Null, &existing_key_context));
    if draft.is_external() {
        permissions.push(permission("kms:DescribeCustomKeyStores", "*", Value::Null, &global_context));
    }
    permissions
}

impl PermissionCheck {
    /// Returns the simulation requests, each with the permissions that it covers.
    ///
    /// There is one request per resource and context, so that each response has one result per action.
    pub fn simulation_requests(&self, source_arn: &str) -> Vec<(SimulatePrincipalPolicy, Vec<RequiredPermission>)> {
        let mut groups: Vec<Vec<RequiredPermission>> = Vec::new();
        for permission in &self.permissions {
            let has_same_target = |group: &&mut Vec<RequiredPermission>| {
                group.iter().any(|one| {
                    one.simulated_resource == permission.simulated_resource && one.context == permission.context
                })
            };
            match groups.iter_mut().find(has_same_target) {
                Some(group) => group.push(permission.clone()),
                None => groups.push(vec![permission.clone()]),
            }
        }
        let to_request = |permissions: Vec<RequiredPermission>| {
            let request = SimulatePrincipalPolicy {
                policy_source_arn: source_arn.to_owned(),
                action_names: permissions.iter().map(|permission| permission.action.to_owned()).collect(),
                resource_arns: permissions
                    .first()
                    .map(|permission| permission.simulated_resource.clone())
                    .into_iter()
                    .collect(),
                context_entries: permissions
                    .first()
                    .map(|permission| permission.context.clone())
                    .into_iter()
                    .flatten()
                    .collect(),
                ..SimulatePrincipalPolicy::default()
            };
            (request, permissions)
        };
        groups.into_iter().map(to_request).collect()
    }

    /// Returns how the key policy of the draft decides on the permission for this ARN, or `None` if it doesn't apply.
    fn key_policy_result(&self, permission: &RequiredPermission, source_arn: &str) -> Option<PermissionResult> {
        let is_key_operation = matches!(permission.action, "kms:CreateAlias" | "kms:DescribeKey");
        let policy = serde_json::from_str::<PolicyDocument>(&self.key_policy).ok();
        let policy = policy.filter(|_| is_key_operation && permission.resource.ends_with(":key/*"))?;
        let mut context = RequestContext::default();
        context.add("aws:PrincipalArn", source_arn);
        let account = source_arn.split(':').nth(4).unwrap_or_default();
        let principal = RequestPrincipal { arn: source_arn, issuer_arn: source_arn, account };
        let request =
            PolicyRequest { action: permission.action, resource: &permission.simulated_resource, context: &context };
        let is_denied = policy.denies(&principal, &request);
        Some(if is_denied { PermissionResult::NotAllowed } else { policy.permission_for(&principal, &request) })
    }

    /// Returns the permissions that the simulation results and the key policy don't allow.
    pub fn missing_permissions(
        &self,
        source_arn: &str,
        permissions: &[RequiredPermission],
        results: &[EvaluationResult],
    ) -> Vec<MissingPermission> {
        let mut missing_permissions = Vec::new();
        for permission in permissions {
            let Some(result) =
                results.iter().find(|result| result.eval_action_name.eq_ignore_ascii_case(permission.action))
            else {
                continue;
            };
            let reason = match (result.eval_decision, self.key_policy_result(permission, source_arn)) {
                (Decision::ExplicitDeny, _) => DenialReason::ExplicitDeny,
                (_, Some(PermissionResult::NotAllowed)) => DenialReason::KeyPolicy,
                (Decision::Allowed, _) | (_, Some(PermissionResult::Direct)) => continue,
                (Decision::ImplicitDeny | Decision::Other(_), _) => DenialReason::ImplicitDeny,
            };
            let specific = result.resource_specific_results.member.iter();
            let missing = specific.flat_map(|one| &one.missing_context_values.member);
            let mut depends_on: Vec<String> = missing.chain(&result.missing_context_values.member).cloned().collect();
            depends_on.sort_unstable();
            depends_on.dedup();
            missing_permissions.push(MissingPermission {
                permission: permission.clone(),
                reason,
                missing_context_keys: depends_on,
            });
        }
        missing_permissions
    }

    /// Returns the permissions that an access denied error is about.
    ///
    /// They are the permissions for the action that the message names or, if it names none, for the actions in `stage`.
    pub fn missing_from_error(&self, message: &str, stage: &[&str]) -> Vec<MissingPermission> {
        let action = message.split("not authorized to perform: ").nth(1).and_then(|rest| rest.split(' ').next());
        let reason = if message.contains("explicit deny") {
            DenialReason::ExplicitDeny
        } else if message.contains("no resource-based policy") {
            DenialReason::KeyPolicy
        } else {
            DenialReason::ImplicitDeny
        };
        let is_meant = |permission: &&RequiredPermission| {
            action.map_or(stage.contains(&permission.action), |action| action == permission.action)
        };
        let meant = self.permissions.iter().filter(is_meant);
        meant
            .map(|permission| MissingPermission {
                permission: permission.clone(),
                reason,
                missing_context_keys: Vec::new(),
            })
            .collect()
    }
}

/// Returns an IAM policy that grants exactly the missing permissions, or `None` if no IAM policy can grant any.
pub fn iam_policy(missing_permissions: &[MissingPermission]) -> Option<String> {
    let mut statements: Vec<Value> = Vec::new();
    for permission in
        missing_permissions.iter().filter(|lack| lack.reason == DenialReason::ImplicitDeny).map(|lack| &lack.permission)
    {
        let same =
            statements.iter_mut().find(|one| one["Action"] == permission.action && permission.condition.is_null());
        if let Some(resources) = same.and_then(|one| one["Resource"].as_array_mut()) {
            resources.push(permission.resource.clone().into());
            continue;
        }
        let sid = permission.action.trim_start_matches("kms:");
        let resource = [&permission.resource];
        let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": permission.action, "Resource": resource });
        if !permission.condition.is_null() {
            statement["Condition"] = permission.condition.clone();
        }
        statements.push(statement);
    }
    let is_any = !statements.is_empty();
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    is_any.then(|| serde_json::to_string_pretty(&document).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::{Origin, Tag};
    use crate::create_key::testing::{account_state, draft};

    const ADMIN: &str = "arn:aws:iam::111122223333:user/Admin";

    fn actions(draft: &KeyDraft) -> Vec<(&'static str, String)> {
        let check = permission_check(draft, &account_state()).unwrap();
        check.permissions.into_iter().map(|permission| (permission.action, permission.resource)).collect()
    }

    fn result(action: &str, decision: Decision) -> EvaluationResult {
        serde_json::from_value(json!({ "EvalActionName": action, "EvalDecision": decision })).unwrap()
    }

    #[test]
    fn required_permissions_depend_on_the_draft() {
        let key = "arn:aws:kms:us-west-2:111122223333:key/*".to_owned();
        let alias = "arn:aws:kms:us-west-2:111122223333:alias/payments".to_owned();
        let all = [
            ("kms:CreateKey", "*".to_owned()),
            ("kms:TagResource", key.clone()),
            ("kms:CreateAlias", alias.clone()),
            ("kms:CreateAlias", key.clone()),
            ("kms:DescribeKey", key.clone()),
            ("kms:DescribeCustomKeyStores", "*".to_owned()),
        ];
        assert_eq!(actions(&draft()), all);
        let plain = KeyDraft { tags: Vec::new(), origin: Origin::AwsKms, ..draft() };
        assert_eq!(
            actions(&plain),
            [all[0].clone(), all[2].clone(), all[3].clone(), all[4].clone()],
            "a key without tags and key store needs fewer permissions"
        );
    }

    #[test]
    fn policy_source_is_derived_from_the_caller_arn() {
        let source = |arn: &str| {
            let account = AccountState { caller_arn: arn.to_owned(), ..account_state() };
            permission_check(&draft(), &account).map(|check| check.source)
        };
        assert_eq!(source("arn:aws:iam::111122223333:root"), None);
        assert_eq!(source(""), None);
        assert_eq!(source(ADMIN), Some(PolicySource::User(ADMIN.to_owned())));
        assert_eq!(
            source("arn:aws:sts::111122223333:assumed-role/Ops/ann"),
            Some(PolicySource::Role("Ops".to_owned()))
        );
        assert_eq!(source("arn:aws:sts::111122223333:federated-user/ann"), Some(PolicySource::Unknown));
    }

    #[test]
    fn each_simulation_request_has_one_resource_and_distinct_actions() {
        let check = permission_check(&draft(), &account_state()).unwrap();
        let requests = check.simulation_requests(ADMIN);
        assert_eq!(requests.iter().map(|(_, permissions)| permissions.len()).sum::<usize>(), 6);
        for (request, permissions) in requests {
            assert_eq!(request.resource_arns.member.len(), 1);
            assert_eq!(request.action_names.member.len(), permissions.len());
            let mut actions = request.action_names.member.clone();
            actions.dedup();
            assert_eq!(actions.len(), permissions.len());
        }
    }

    #[test]
    fn key_administrator_needs_no_iam_policy_on_the_key() {
        let with_admin = KeyDraft { administrators: vec![ADMIN.to_owned()], ..draft() };
        let denied = [result("kms:CreateAlias", Decision::ImplicitDeny), result("kms:DescribeKey", Decision::Allowed)];
        let missing_permissions = |draft: &KeyDraft, results: &[EvaluationResult]| {
            let check = permission_check(draft, &account_state()).unwrap();
            let missing_permissions = check.missing_permissions(ADMIN, &check.permissions, results);
            missing_permissions.into_iter().map(|lack| lack.permission.resource).collect::<Vec<_>>()
        };
        let alias = "arn:aws:kms:us-west-2:111122223333:alias/payments";
        assert_eq!(missing_permissions(&with_admin, &denied), [alias]);
        assert_eq!(missing_permissions(&draft(), &denied), [alias, "arn:aws:kms:us-west-2:111122223333:key/*"]);
        let explicitly_denied = [result("kms:CreateAlias", Decision::ExplicitDeny)];
        assert_eq!(
            missing_permissions(&with_admin, &explicitly_denied).len(),
            2,
            "an explicit deny overrides the key policy"
        );
        let not_for_me = crate::aws::policy::default_policy("aws", "444455556666");
        let for_others = KeyDraft { edited_policy: Some(not_for_me), ..draft() };
        let allowed = [result("kms:CreateAlias", Decision::Allowed), result("kms:DescribeKey", Decision::Allowed)];
        let key = "arn:aws:kms:us-west-2:111122223333:key/*";
        assert_eq!(missing_permissions(&for_others, &allowed), [key, key], "an IAM policy alone isn't enough");
    }

    #[test]
    fn iam_policy_grants_only_the_missing_permissions() {
        let tags = vec![Tag { tag_key: "team".to_owned(), tag_value: "${aws:username}".to_owned() }];
        let check = permission_check(&KeyDraft { tags, ..draft() }, &account_state()).unwrap();
        let denied = ["kms:TagResource", "kms:CreateAlias"].map(|action| result(action, Decision::ImplicitDeny));
        let missing_permissions =
            check.missing_permissions("arn:aws:iam::111122223333:user/Lee", &check.permissions, &denied);
        let policy: Value = serde_json::from_str(&iam_policy(&missing_permissions).unwrap()).unwrap();
        assert_eq!(
            policy["Statement"],
            json!([
                { "Sid": "TagResource", "Effect": "Allow", "Action": "kms:TagResource",
                  "Resource": ["arn:aws:kms:us-west-2:111122223333:key/*"],
                  "Condition": { "StringEquals": { "aws:RequestTag/team": "${$}{aws:username}" },
                                 "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } } },
                { "Sid": "CreateAlias", "Effect": "Allow", "Action": "kms:CreateAlias",
                  "Resource": ["arn:aws:kms:us-west-2:111122223333:alias/payments",
                               "arn:aws:kms:us-west-2:111122223333:key/*"] }
            ])
        );
        let none =
            check.missing_permissions(ADMIN, &check.permissions, &[result("kms:CreateKey", Decision::ExplicitDeny)]);
        assert_eq!((none.len(), iam_policy(&none)), (1, None), "no IAM policy can override an explicit deny");
    }

    #[test]
    fn access_denied_message_names_the_missing_permission() {
        let check = permission_check(&draft(), &account_state()).unwrap();
        let message = "User: x is not authorized to perform: kms:CreateKey on resource: * because no identity-based \
                       policy allows the kms:CreateKey action";
        let named = |message: &str| -> Vec<_> {
            let stage = ["kms:CreateKey", "kms:TagResource"];
            check
                .missing_from_error(message, &stage)
                .into_iter()
                .map(|lack| (lack.permission.action, lack.reason))
                .collect()
        };
        assert_eq!(named(message), [("kms:CreateKey", DenialReason::ImplicitDeny)]);
        assert_eq!(
            named(&message.replace("because no", "with an explicit deny in an")),
            [("kms:CreateKey", DenialReason::ExplicitDeny)]
        );
        assert_eq!(
            named("no"),
            [("kms:CreateKey", DenialReason::ImplicitDeny), ("kms:TagResource", DenialReason::ImplicitDeny)]
        );
    }
}
