//! What Finish asks of IAM, what of it is missing, and the policy that would give it.
//!
//! An estimate: service control policies, permissions boundaries and session policies are not asked. Sources: *AWS KMS
//! permissions*, *Condition keys for AWS KMS*, SimulatePrincipalPolicy in the IAM API Reference.

use serde_json::{Map, Value, json};

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::requests;
use crate::aws::arn::Arn;
use crate::aws::iam::{ContextEntry, Decision, EvaluationResult, SimulatePrincipalPolicy};
use crate::aws::policy::PolicyDocument;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};

/// The ID of a key that is not there yet: policies about any key hold for it, those about one key don't.
const PLACEHOLDER_KEY_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Something that Finish does, as IAM sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequiredPermission {
    /// `kms:CreateKey` ...
    pub action: &'static str,
    /// What a policy has to name: an ARN, `…:key/*` for a key that is not there yet, or `*`.
    pub resource: String,
    /// Under which condition a policy is enough.
    condition: Value,
    /// What the simulation is asked about.
    simulated_resource: String,
    context: Vec<ContextEntry>,
}

/// Whose policies decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A user, by its ARN.
    User(String),
    /// A role, by its name: the ARN of a session lacks the path.
    Role(String),
    /// Nobody whose policies can be simulated.
    Unknown,
}

/// What is to be looked at: everything that Finish does, for one caller.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionCheck {
    /// Whose policies decide.
    pub source: PolicySource,
    /// What Finish does.
    pub permissions: Vec<RequiredPermission>,
    key_policy: String,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialReason {
    /// No IAM policy allows it.
    ImplicitDeny,
    /// A statement denies it, so that no other can help.
    ExplicitDeny,
    /// The key policy of the draft leaves it to nobody whom the caller is.
    KeyPolicy,
}

/// A need that is not met.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingPermission {
    /// What is not allowed.
    pub permission: RequiredPermission,
    /// Why.
    pub reason: DenialReason,
    /// Condition keys that the answer depends on and that only the real request has.
    pub missing_context_keys: Vec<String>,
}

fn context_entry(name: &str, kind: &str, values: impl IntoIterator<Item = String>) -> ContextEntry {
    ContextEntry {
        context_key_name: name.to_owned(),
        context_key_values: values.into_iter().collect(),
        context_key_type: kind.to_owned(),
    }
}

/// A text that stands for itself in a policy: `${` begins a variable there.
fn escape_policy_variables(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Who is asked about, and what for: the calls that this draft leads to. The root user of an account needs nothing, and
/// as long as AWS has not told who is calling there is nobody to ask about.
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
    let no = |name: &str| context_entry(name, "boolean", ["false".to_owned()]);
    let everywhere = vec![text("kms:CallerAccount", &account.account_id), text("aws:RequestedRegion", &account.region)];
    let of_key = [
        text("kms:KeyOrigin", origin),
        text("kms:KeySpec", "SYMMETRIC_DEFAULT"),
        text("kms:KeyUsage", "ENCRYPT_DECRYPT"),
        no("kms:MultiRegion"),
    ];
    let mut creating: Vec<ContextEntry> = everywhere.iter().cloned().chain(of_key.clone()).collect();
    creating.push(no("kms:BypassPolicyLockoutSafetyCheck"));
    for tag in &tags {
        creating.push(text(&format!("aws:RequestTag/{}", tag.tag_key), &tag.tag_value));
    }
    if !tags.is_empty() {
        creating.push(context_entry("aws:TagKeys", "stringList", tags.iter().map(|tag| tag.tag_key.clone())));
    }
    let mut made: Vec<ContextEntry> = everywhere.iter().cloned().chain(of_key).collect();
    made.extend(tags.iter().map(|tag| text(&format!("aws:ResourceTag/{}", tag.tag_key), &tag.tag_value)));
    let key = |id: &str| Arn::kms_key(&account.region, &account.account_id, id).to_string();
    let alias = Arn::kms_alias(&account.region, &account.account_id, &draft.alias_name()).to_string();
    let permission = |action, resource: &str, condition, context: &[ContextEntry]| RequiredPermission {
        action,
        resource: resource.to_owned(),
        condition,
        simulated_resource: if resource == key("*") { key(PLACEHOLDER_KEY_ID) } else { resource.to_owned() },
        context: context.to_vec(),
    };
    let here = json!({ "StringEquals": { "kms:KeyOrigin": origin, "aws:RequestedRegion": account.region } });
    let mut permissions = vec![permission("kms:CreateKey", "*", here, &creating)];
    if !tags.is_empty() {
        let values = tags
            .iter()
            .map(|tag| (format!("aws:RequestTag/{}", tag.tag_key), escape_policy_variables(&tag.tag_value).into()));
        let values: Map<String, Value> = values.collect();
        let keys: Vec<String> = tags.iter().map(|tag| escape_policy_variables(&tag.tag_key)).collect();
        let these = json!({ "StringEquals": values, "ForAllValues:StringEquals": { "aws:TagKeys": keys } });
        permissions.push(permission("kms:TagResource", &key("*"), these, &creating));
    }
    permissions.push(permission("kms:CreateAlias", &alias, Value::Null, &everywhere));
    permissions.push(permission("kms:CreateAlias", &key("*"), Value::Null, &made));
    permissions.push(permission("kms:DescribeKey", &key("*"), Value::Null, &made));
    if draft.is_external() {
        permissions.push(permission("kms:DescribeCustomKeyStores", "*", Value::Null, &everywhere));
    }
    permissions
}

impl PermissionCheck {
    /// The questions to IAM, with the needs that each is about: one for each resource and context, so that each action
    /// has one answer.
    pub fn simulation_requests(&self, source_arn: &str) -> Vec<(SimulatePrincipalPolicy, Vec<RequiredPermission>)> {
        let mut groups: Vec<Vec<RequiredPermission>> = Vec::new();
        for permission in &self.permissions {
            let is_like = |group: &&mut Vec<RequiredPermission>| {
                group.iter().any(|one| {
                    one.simulated_resource == permission.simulated_resource && one.context == permission.context
                })
            };
            match groups.iter_mut().find(is_like) {
                Some(group) => group.push(permission.clone()),
                None => groups.push(vec![permission.clone()]),
            }
        }
        let question = |permissions: Vec<RequiredPermission>| {
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
        groups.into_iter().map(question).collect()
    }

    /// How the key policy of the draft gives it to whoever has this ARN; nothing for what it does not decide.
    fn key_policy_result(&self, permission: &RequiredPermission, source_arn: &str) -> Option<PermissionResult> {
        let is_use_of_key = matches!(permission.action, "kms:CreateAlias" | "kms:DescribeKey");
        let policy = serde_json::from_str::<PolicyDocument>(&self.key_policy).ok();
        let policy = policy.filter(|_| is_use_of_key && permission.resource.ends_with(":key/*"))?;
        let mut facts = RequestContext::default();
        facts.add("aws:PrincipalArn", source_arn);
        let account = source_arn.split(':').nth(4).unwrap_or_default();
        let principal = RequestPrincipal { arn: source_arn, issuer_arn: source_arn, account };
        let question =
            PolicyRequest { action: permission.action, resource: &permission.simulated_resource, context: &facts };
        let is_forbidden = policy.denies(&principal, &question);
        Some(if is_forbidden { PermissionResult::NotAllowed } else { policy.permission_for(&principal, &question) })
    }

    /// What is not allowed, of what a question was about.
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

    /// What a refusal is about, of what Finish does: the action that its message names, else those of its stage.
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

/// The policy that gives what is lacking, and no more, for whoever administers IAM; `None` when no policy can.
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
            "no tags and no store: less is needed"
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
        let questions = check.simulation_requests(ADMIN);
        assert_eq!(questions.iter().map(|(_, permissions)| permissions.len()).sum::<usize>(), 6);
        for (request, permissions) in questions {
            assert_eq!(request.resource_arns.member.len(), 1);
            assert_eq!(request.action_names.member.len(), permissions.len());
            let mut actions = request.action_names.member.clone();
            actions.dedup();
            assert_eq!(actions.len(), permissions.len());
        }
    }

    #[test]
    fn key_administrator_needs_no_iam_policy_on_the_key() {
        let names_me = KeyDraft { administrators: vec![ADMIN.to_owned()], ..draft() };
        let denied = [result("kms:CreateAlias", Decision::ImplicitDeny), result("kms:DescribeKey", Decision::Allowed)];
        let missing_permissions = |draft: &KeyDraft, results: &[EvaluationResult]| {
            let check = permission_check(draft, &account_state()).unwrap();
            let missing_permissions = check.missing_permissions(ADMIN, &check.permissions, results);
            missing_permissions.into_iter().map(|lack| lack.permission.resource).collect::<Vec<_>>()
        };
        let alias = "arn:aws:kms:us-west-2:111122223333:alias/payments";
        assert_eq!(missing_permissions(&names_me, &denied), [alias]);
        assert_eq!(missing_permissions(&draft(), &denied), [alias, "arn:aws:kms:us-west-2:111122223333:key/*"]);
        let forbidden = [result("kms:CreateAlias", Decision::ExplicitDeny)];
        assert_eq!(missing_permissions(&names_me, &forbidden).len(), 2, "a deny beats the key policy");
        let not_for_me = crate::aws::policy::default_policy("aws", "444455556666");
        let for_others = KeyDraft { edited_policy: Some(not_for_me), ..draft() };
        let allowed = [result("kms:CreateAlias", Decision::Allowed), result("kms:DescribeKey", Decision::Allowed)];
        let key = "arn:aws:kms:us-west-2:111122223333:key/*";
        assert_eq!(missing_permissions(&for_others, &allowed), [key, key], "IAM alone is not enough");
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
        assert_eq!((none.len(), iam_policy(&none)), (1, None), "no statement helps against a deny");
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
