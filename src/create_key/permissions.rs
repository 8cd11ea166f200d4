//! What Finish asks of IAM, what of it is missing, and the policy that would give it.
//!
//! An estimate: service control policies, permissions boundaries and session policies are not asked. Sources: *AWS KMS
//! permissions*, *Condition keys for AWS KMS*, SimulatePrincipalPolicy in the IAM API Reference.

use serde_json::{Map, Value, json};

use super::draft::KeyDraft;
use super::known::Known;
use super::preview;
use crate::aws::arn::Arn;
use crate::aws::iam::{ContextEntry, Decision, EvaluationResult, SimulatePrincipalPolicy};
use crate::aws::policy::PolicyDocument;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};

/// The ID of a key that is not there yet: policies about any key hold for it, those about one key don't.
const NO_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// Something that Finish does, as IAM sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// `kms:CreateKey` ...
    pub action: &'static str,
    /// What a policy has to name: an ARN, `…:key/*` for a key that is not there yet, or `*`.
    pub resource: String,
    /// Under which condition a policy is enough.
    condition: Value,
    /// What the simulation is asked about.
    simulated: String,
    context: Vec<ContextEntry>,
}

/// Whose policies decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A user, by its ARN.
    User(String),
    /// A role, by its name: the ARN of a session lacks the path.
    Role(String),
    /// Nobody whose policies can be simulated.
    Unknown,
}

/// What is to be looked at: everything that Finish does, for one caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Whose policies decide.
    pub source: Source,
    /// What Finish does.
    pub needs: Vec<Need>,
    key_policy: String,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No IAM policy allows it.
    NotAllowed,
    /// A statement denies it, so that no other can help.
    Denied,
    /// The key policy of the draft leaves it to nobody whom the caller is.
    KeyPolicy,
}

/// A need that is not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Lack {
    /// What is not allowed.
    pub need: Need,
    /// Why.
    pub reason: Reason,
    /// Condition keys that the answer depends on and that only the real request has.
    pub depends_on: Vec<String>,
}

fn entry(name: &str, kind: &str, values: impl IntoIterator<Item = String>) -> ContextEntry {
    ContextEntry {
        context_key_name: name.to_owned(),
        context_key_values: values.into_iter().collect(),
        context_key_type: kind.to_owned(),
    }
}

/// A text that stands for itself in a policy: `${` begins a variable there.
fn literal(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Who is asked about, and what for: the calls that this draft leads to. The root user of an account needs nothing, and
/// as long as AWS has not told who is calling there is nobody to ask about.
pub fn demand(draft: &KeyDraft, known: &Known) -> Option<Demand> {
    let caller: Arn = known.caller_arn.parse().ok()?;
    let source = match (&*caller.service, caller.resource.split('/').collect::<Vec<_>>().as_slice()) {
        ("iam", ["root"]) => return None,
        ("iam", ["user", ..]) => Source::User(known.caller_arn.clone()),
        ("sts", ["assumed-role", role, _]) => Source::Role((*role).to_owned()),
        _ => Source::Unknown,
    };
    Some(Demand { source, needs: needs(draft, known), key_policy: draft.policy_json(known) })
}

fn needs(draft: &KeyDraft, known: &Known) -> Vec<Need> {
    let request = preview::create_key_request(draft, known);
    let tags = request.tags.unwrap_or_default();
    let origin = draft.origin.as_str();
    let text = |name: &str, value: &str| entry(name, "string", [value.to_owned()]);
    let no = |name: &str| entry(name, "boolean", ["false".to_owned()]);
    let everywhere = vec![text("kms:CallerAccount", &known.account), text("aws:RequestedRegion", &known.region)];
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
        creating.push(entry("aws:TagKeys", "stringList", tags.iter().map(|tag| tag.tag_key.clone())));
    }
    let mut made: Vec<ContextEntry> = everywhere.iter().cloned().chain(of_key).collect();
    made.extend(tags.iter().map(|tag| text(&format!("aws:ResourceTag/{}", tag.tag_key), &tag.tag_value)));
    let key = |id: &str| Arn::kms_key(&known.region, &known.account, id).to_string();
    let alias = Arn::kms_alias(&known.region, &known.account, &draft.alias_name()).to_string();
    let need = |action, resource: &str, condition, context: &[ContextEntry]| Need {
        action,
        resource: resource.to_owned(),
        condition,
        simulated: if resource == key("*") { key(NO_KEY) } else { resource.to_owned() },
        context: context.to_vec(),
    };
    let here = json!({ "StringEquals": { "kms:KeyOrigin": origin, "aws:RequestedRegion": known.region } });
    let mut needs = vec![need("kms:CreateKey", "*", here, &creating)];
    if !tags.is_empty() {
        let values = tags.iter().map(|tag| (format!("aws:RequestTag/{}", tag.tag_key), literal(&tag.tag_value).into()));
        let values: Map<String, Value> = values.collect();
        let keys: Vec<String> = tags.iter().map(|tag| literal(&tag.tag_key)).collect();
        let these = json!({ "StringEquals": values, "ForAllValues:StringEquals": { "aws:TagKeys": keys } });
        needs.push(need("kms:TagResource", &key("*"), these, &creating));
    }
    needs.push(need("kms:CreateAlias", &alias, Value::Null, &everywhere));
    needs.push(need("kms:CreateAlias", &key("*"), Value::Null, &made));
    needs.push(need("kms:DescribeKey", &key("*"), Value::Null, &made));
    if draft.is_external() {
        needs.push(need("kms:DescribeCustomKeyStores", "*", Value::Null, &everywhere));
    }
    needs
}

impl Demand {
    /// The questions to IAM, with the needs that each is about: one for each resource and context, so that each action
    /// has one answer.
    pub fn questions(&self, source_arn: &str) -> Vec<(SimulatePrincipalPolicy, Vec<Need>)> {
        let mut groups: Vec<Vec<Need>> = Vec::new();
        for need in &self.needs {
            let is_like = |group: &&mut Vec<Need>| {
                group.iter().any(|one| one.simulated == need.simulated && one.context == need.context)
            };
            match groups.iter_mut().find(is_like) {
                Some(group) => group.push(need.clone()),
                None => groups.push(vec![need.clone()]),
            }
        }
        let question = |needs: Vec<Need>| {
            let request = SimulatePrincipalPolicy {
                policy_source_arn: source_arn.to_owned(),
                action_names: needs.iter().map(|need| need.action.to_owned()).collect(),
                resource_arns: needs.first().map(|need| need.simulated.clone()).into_iter().collect(),
                context_entries: needs.first().map(|need| need.context.clone()).into_iter().flatten().collect(),
                ..SimulatePrincipalPolicy::default()
            };
            (request, needs)
        };
        groups.into_iter().map(question).collect()
    }

    /// How the key policy of the draft gives it to whoever has this ARN; nothing for what it does not decide.
    fn by_key_policy(&self, need: &Need, source_arn: &str) -> Option<PermissionResult> {
        let is_use_of_key = matches!(need.action, "kms:CreateAlias" | "kms:DescribeKey");
        let policy = serde_json::from_str::<PolicyDocument>(&self.key_policy).ok();
        let policy = policy.filter(|_| is_use_of_key && need.resource.ends_with(":key/*"))?;
        let mut facts = RequestContext::default();
        facts.add("aws:PrincipalArn", source_arn);
        let account = source_arn.split(':').nth(4).unwrap_or_default();
        let principal = RequestPrincipal { arn: source_arn, issuer_arn: source_arn, account };
        let question = PolicyRequest { action: need.action, resource: &need.simulated, context: &facts };
        let is_forbidden = policy.denies(&principal, &question);
        Some(if is_forbidden { PermissionResult::NotAllowed } else { policy.permission_for(&principal, &question) })
    }

    /// What is not allowed, of what a question was about.
    pub fn lacks(&self, source_arn: &str, needs: &[Need], results: &[EvaluationResult]) -> Vec<Lack> {
        let mut lacks = Vec::new();
        for need in needs {
            let Some(result) = results.iter().find(|result| result.eval_action_name.eq_ignore_ascii_case(need.action))
            else {
                continue;
            };
            let reason = match (result.eval_decision, self.by_key_policy(need, source_arn)) {
                (Decision::ExplicitDeny, _) => Reason::Denied,
                (_, Some(PermissionResult::NotAllowed)) => Reason::KeyPolicy,
                (Decision::Allowed, _) | (_, Some(PermissionResult::Direct)) => continue,
                (Decision::ImplicitDeny | Decision::Other(_), _) => Reason::NotAllowed,
            };
            let specific = result.resource_specific_results.member.iter();
            let missing = specific.flat_map(|one| &one.missing_context_values.member);
            let mut depends_on: Vec<String> = missing.chain(&result.missing_context_values.member).cloned().collect();
            depends_on.sort_unstable();
            depends_on.dedup();
            lacks.push(Lack { need: need.clone(), reason, depends_on });
        }
        lacks
    }

    /// What a refusal is about, of what Finish does: the action that its message names, else those of its stage.
    pub fn refused(&self, message: &str, stage: &[&str]) -> Vec<Lack> {
        let action = message.split("not authorized to perform: ").nth(1).and_then(|rest| rest.split(' ').next());
        let reason = if message.contains("explicit deny") {
            Reason::Denied
        } else if message.contains("no resource-based policy") {
            Reason::KeyPolicy
        } else {
            Reason::NotAllowed
        };
        let is_meant = |need: &&Need| action.map_or(stage.contains(&need.action), |action| action == need.action);
        let meant = self.needs.iter().filter(is_meant);
        meant.map(|need| Lack { need: need.clone(), reason, depends_on: Vec::new() }).collect()
    }
}

/// The policy that gives what is lacking, and no more, for whoever administers IAM; `None` when no policy can.
pub fn statement(lacks: &[Lack]) -> Option<String> {
    let mut statements: Vec<Value> = Vec::new();
    for need in lacks.iter().filter(|lack| lack.reason == Reason::NotAllowed).map(|lack| &lack.need) {
        let same = statements.iter_mut().find(|one| one["Action"] == need.action && need.condition.is_null());
        if let Some(resources) = same.and_then(|one| one["Resource"].as_array_mut()) {
            resources.push(need.resource.clone().into());
            continue;
        }
        let sid = need.action.trim_start_matches("kms:");
        let resource = [&need.resource];
        let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": need.action, "Resource": resource });
        if !need.condition.is_null() {
            statement["Condition"] = need.condition.clone();
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
    use crate::create_key::testing::{draft, known};

    const ADMIN: &str = "arn:aws:iam::111122223333:user/Admin";

    fn actions(draft: &KeyDraft) -> Vec<(&'static str, String)> {
        let demand = demand(draft, &known()).unwrap();
        demand.needs.into_iter().map(|need| (need.action, need.resource)).collect()
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
            let known = Known { caller_arn: arn.to_owned(), ..known() };
            demand(&draft(), &known).map(|demand| demand.source)
        };
        assert_eq!(source("arn:aws:iam::111122223333:root"), None);
        assert_eq!(source(""), None);
        assert_eq!(source(ADMIN), Some(Source::User(ADMIN.to_owned())));
        assert_eq!(source("arn:aws:sts::111122223333:assumed-role/Ops/ann"), Some(Source::Role("Ops".to_owned())));
        assert_eq!(source("arn:aws:sts::111122223333:federated-user/ann"), Some(Source::Unknown));
    }

    #[test]
    fn each_simulation_request_has_one_resource_and_distinct_actions() {
        let demand = demand(&draft(), &known()).unwrap();
        let questions = demand.questions(ADMIN);
        assert_eq!(questions.iter().map(|(_, needs)| needs.len()).sum::<usize>(), 6);
        for (request, needs) in questions {
            assert_eq!(request.resource_arns.member.len(), 1);
            assert_eq!(request.action_names.member.len(), needs.len());
            let mut actions = request.action_names.member.clone();
            actions.dedup();
            assert_eq!(actions.len(), needs.len());
        }
    }

    #[test]
    fn key_administrator_needs_no_iam_policy_on_the_key() {
        let names_me = KeyDraft { administrators: vec![ADMIN.to_owned()], ..draft() };
        let denied = [result("kms:CreateAlias", Decision::ImplicitDeny), result("kms:DescribeKey", Decision::Allowed)];
        let lacks = |draft: &KeyDraft, results: &[EvaluationResult]| {
            let demand = demand(draft, &known()).unwrap();
            let lacks = demand.lacks(ADMIN, &demand.needs, results);
            lacks.into_iter().map(|lack| lack.need.resource).collect::<Vec<_>>()
        };
        let alias = "arn:aws:kms:us-west-2:111122223333:alias/payments";
        assert_eq!(lacks(&names_me, &denied), [alias]);
        assert_eq!(lacks(&draft(), &denied), [alias, "arn:aws:kms:us-west-2:111122223333:key/*"]);
        let forbidden = [result("kms:CreateAlias", Decision::ExplicitDeny)];
        assert_eq!(lacks(&names_me, &forbidden).len(), 2, "a deny beats the key policy");
        let not_for_me = crate::aws::policy::default_policy("aws", "444455556666");
        let for_others = KeyDraft { edited_policy: Some(not_for_me), ..draft() };
        let allowed = [result("kms:CreateAlias", Decision::Allowed), result("kms:DescribeKey", Decision::Allowed)];
        let key = "arn:aws:kms:us-west-2:111122223333:key/*";
        assert_eq!(lacks(&for_others, &allowed), [key, key], "IAM alone is not enough");
    }

    #[test]
    fn iam_policy_grants_only_the_missing_permissions() {
        let tags = vec![Tag { tag_key: "team".to_owned(), tag_value: "${aws:username}".to_owned() }];
        let demand = demand(&KeyDraft { tags, ..draft() }, &known()).unwrap();
        let denied = ["kms:TagResource", "kms:CreateAlias"].map(|action| result(action, Decision::ImplicitDeny));
        let lacks = demand.lacks("arn:aws:iam::111122223333:user/Lee", &demand.needs, &denied);
        let policy: Value = serde_json::from_str(&statement(&lacks).unwrap()).unwrap();
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
        let none = demand.lacks(ADMIN, &demand.needs, &[result("kms:CreateKey", Decision::ExplicitDeny)]);
        assert_eq!((none.len(), statement(&none)), (1, None), "no statement helps against a deny");
    }

    #[test]
    fn access_denied_message_names_the_missing_permission() {
        let demand = demand(&draft(), &known()).unwrap();
        let message = "User: x is not authorized to perform: kms:CreateKey on resource: * because no identity-based \
                       policy allows the kms:CreateKey action";
        let named = |message: &str| -> Vec<_> {
            let stage = ["kms:CreateKey", "kms:TagResource"];
            demand.refused(message, &stage).into_iter().map(|lack| (lack.need.action, lack.reason)).collect()
        };
        assert_eq!(named(message), [("kms:CreateKey", Reason::NotAllowed)]);
        assert_eq!(
            named(&message.replace("because no", "with an explicit deny in an")),
            [("kms:CreateKey", Reason::Denied)]
        );
        assert_eq!(named("no"), [("kms:CreateKey", Reason::NotAllowed), ("kms:TagResource", Reason::NotAllowed)]);
    }
}
