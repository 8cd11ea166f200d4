//! SimulatePrincipalPolicy: the policies of a user or role are asked what they would say, by the engine that decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identity::policies_of;
use super::paging::page;
use super::{Answer, Call};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    Decision, EvaluationResult, MatchedStatement, MemberList, PermissionsBoundaryDecisionDetail, Position,
    ResourceSpecificResult, SimulatePolicyOutput, SimulatePrincipalPolicy,
};
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument, statement_spans};

/// The words of `ContextKeyType`.
const CONTEXT_KEY_TYPES: [&str; 12] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "binaryList",
    "date",
    "dateList",
];

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidInput", message)
}

/// A policy that is asked, with what the answer says of it.
struct Source {
    id: String,
    kind: &'static str,
    text: String,
    document: Arc<PolicyDocument>,
}

impl Source {
    /// These of its statements, each with its place.
    fn matched(&self, statements: &[usize]) -> impl Iterator<Item = MatchedStatement> {
        let spans = statement_spans(&self.text);
        statements.iter().map(move |place| {
            let (start, end) = spans.get(*place).copied().unwrap_or_default();
            let position = |(line, column)| Position { line, column };
            MatchedStatement {
                source_policy_id: self.id.clone(),
                source_policy_type: Some(self.kind.to_owned()),
                start_position: position(start),
                end_position: position(end),
            }
        })
    }
}

/// Who is asked about what.
struct Simulation {
    identity: Vec<Source>,
    boundary: Vec<Source>,
    resource: Option<Source>,
    caller_arn: String,
    caller_account: String,
    is_foreign: bool,
    facts: RequestContext,
    resources: Vec<String>,
}

/// What is decided about an action on a resource.
struct Verdict {
    decision: Decision,
    matched: Vec<MatchedStatement>,
    missing: BTreeSet<String>,
    by_boundary: Option<PermissionsBoundaryDecisionDetail>,
}

impl Simulation {
    fn verdict(&self, action: &str, resource: &str) -> Verdict {
        let question = PolicyRequest { action, resource, context: &self.facts };
        let principal =
            RequestPrincipal { arn: &self.caller_arn, issuer_arn: &self.caller_arn, account: &self.caller_account };
        let said_by = |sources: &[Source], effect| -> Vec<MatchedStatement> {
            let said = sources.iter().map(|one| (one, one.document.matching_statements(effect, &question, None)));
            said.flat_map(|(one, places)| one.matched(&places).collect::<Vec<_>>()).collect()
        };
        let of_resource = |effect| -> Vec<MatchedStatement> {
            let places = |one: &Source| one.document.matching_statements(effect, &question, Some(&principal));
            self.resource.iter().flat_map(|one| one.matched(&places(one)).collect::<Vec<_>>()).collect()
        };
        let mut denying = said_by(&self.identity, Effect::Deny);
        denying.extend(said_by(&self.boundary, Effect::Deny));
        denying.extend(of_resource(Effect::Deny));
        let by_boundary = (!self.boundary.is_empty()).then(|| !said_by(&self.boundary, Effect::Allow).is_empty());
        let by_identity = said_by(&self.identity, Effect::Allow);
        let by_resource = self
            .resource
            .as_ref()
            .map_or(PermissionResult::NotAllowed, |one| one.document.permission_for(&principal, &question));
        let is_allowed = by_boundary != Some(false)
            && match by_resource {
                PermissionResult::Direct if !self.is_foreign => true,
                PermissionResult::NotAllowed if self.is_foreign => false,
                _ => !by_identity.is_empty(),
            };
        let (decision, matched) = match (denying.is_empty(), is_allowed) {
            (false, _) => (Decision::ExplicitDeny, denying),
            (true, true) => (Decision::Allowed, by_identity.into_iter().chain(of_resource(Effect::Allow)).collect()),
            (true, false) => (Decision::ImplicitDeny, Vec::new()),
        };
        let asked = self.identity.iter().chain(&self.boundary).chain(&self.resource);
        let missing = asked.flat_map(|one| one.document.missing_context_keys(&question)).collect();
        let by_boundary = by_boundary.map(|allowed_by_permissions_boundary| PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary,
        });
        Verdict { decision, matched, missing, by_boundary }
    }

    /// One result for an action: the most restrictive decision, and that on each resource which is named.
    fn result(&self, action: &str) -> EvaluationResult {
        let verdicts: Vec<Verdict> = self.resources.iter().map(|resource| self.verdict(action, resource)).collect();
        let decision = verdicts.iter().map(|one| one.decision).max().unwrap_or(Decision::ImplicitDeny);
        let decisive = verdicts.iter().filter(|one| one.decision == decision);
        let mut matched = Vec::new();
        for statement in decisive.flat_map(|one| &one.matched) {
            if !matched.contains(statement) {
                matched.push(statement.clone());
            }
        }
        let details = verdicts.iter().filter_map(|one| one.by_boundary);
        let name = if let [one] = &self.resources[..] { one } else { "*" };
        let mut result = EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: Some(name.to_owned()),
            eval_decision: decision,
            matched_statements: matched.into_iter().collect(),
            missing_context_values: MemberList::default(),
            permissions_boundary_decision_detail: details.min_by_key(|one| one.allowed_by_permissions_boundary),
            resource_specific_results: MemberList::default(),
        };
        for (verdict, resource) in verdicts.into_iter().zip(&self.resources) {
            let missing = verdict.missing.into_iter().collect();
            if self.resources.len() == 1 && resource == "*" {
                result.missing_context_values = missing;
                continue;
            }
            result.resource_specific_results.member.push(ResourceSpecificResult {
                eval_resource_name: resource.clone(),
                eval_resource_decision: verdict.decision,
                matched_statements: verdict.matched.into_iter().collect(),
                missing_context_values: missing,
                permissions_boundary_decision_detail: verdict.by_boundary,
            });
        }
        result
    }
}

impl Call<'_> {
    pub fn simulate_principal_policy(&self, request: &SimulatePrincipalPolicy) -> Answer<SimulatePolicyOutput> {
        self.permit_on("iam:SimulatePrincipalPolicy", &request.policy_source_arn)?;
        if request.action_names.is_empty() {
            return Err(invalid("ActionNames must have at least one action.").into());
        }
        for action in &request.action_names.member {
            if action.len() > 128 || action.split_once(':').is_none_or(|(from, to)| from.is_empty() || to.is_empty()) {
                return Err(invalid(format!("Invalid Action: {action}")).into());
            }
        }
        let simulation = self.simulation(request)?;
        // The marker names the place of an action: the order is the caller's.
        let places = request.action_names.member.iter().enumerate();
        let all: Vec<(String, &String)> = places.map(|(place, action)| (format!("{place:06}"), action)).collect();
        let page = page(all, |(place, _)| place, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(SimulatePolicyOutput {
            evaluation_results: page.items.iter().map(|(_, action)| simulation.result(action)).collect(),
            is_truncated: page.next.is_some(),
            marker: page.next,
        })
    }

    fn simulation(&self, request: &SimulatePrincipalPolicy) -> Answer<Simulation> {
        let (source, id) = self.find_principal(&request.policy_source_arn)?;
        let kind = if source.resource.starts_with("user/") { "user" } else { "role" };
        let name = source.resource.rsplit('/').next().unwrap_or_default();
        let read = |text: String, id: String, kind| -> Answer<Source> {
            let Some(document) = self.aws.policies.read(&text) else {
                return Err(invalid(format!("{id} is no policy document.")).into());
            };
            Ok(Source { id, kind, text, document })
        };
        let attached = self.store().read(|tx| policies_of(tx, &request.policy_source_arn))?;
        let numbered = |texts: &[String], name: &str, kind| -> Answer<Vec<Source>> {
            let numbers = texts.iter().enumerate();
            numbers.map(|(place, text)| read(text.clone(), format!("{name}.{}", place + 1), kind)).collect()
        };
        let named = attached.into_iter().map(|(policy, text)| read(text, format!("{kind}_{name}_{policy}"), kind));
        let mut identity = named.collect::<Answer<Vec<Source>>>()?;
        identity.extend(numbered(&request.policy_input_list.member, "PolicyInputList", "none")?);
        let boundary = &request.permissions_boundary_policy_input_list.member;
        let boundary = numbered(boundary, "PermissionsBoundaryPolicyInputList", "none")?;
        if request.resource_policy.is_some() && request.caller_arn.is_none() && kind != "user" {
            return Err(invalid("CallerArn is required: the source of the policies is no user.").into());
        }
        let resource = request.resource_policy.clone();
        let resource = resource.map(|text| read(text, "ResourcePolicy".to_owned(), "resource")).transpose()?;
        let caller_arn = request.caller_arn.clone().unwrap_or_else(|| request.policy_source_arn.clone());
        let caller: Arn = caller_arn.parse().map_err(|_| invalid(format!("Invalid CallerArn: {caller_arn}")))?;
        let owner = request.resource_owner.as_deref();
        let owner = owner.map(|text| text.parse::<Arn>().map_or_else(|_| text.to_owned(), |arn| arn.account));
        let mut facts = RequestContext::default();
        facts.add("aws:PrincipalArn", &*caller_arn);
        facts.add("aws:PrincipalAccount", &*caller.account);
        facts.add("aws:PrincipalType", if kind == "user" { "User" } else { "AssumedRole" });
        facts.add("aws:userid", id);
        facts.add_optional("aws:username", (kind == "user").then_some(name));
        let now = self.store().world().clock.now();
        facts.add("aws:CurrentTime", now.to_string());
        facts.add("aws:EpochTime", now.as_second().to_string());
        for entry in &request.context_entries.member {
            if !CONTEXT_KEY_TYPES.contains(&entry.context_key_type.as_str()) {
                return Err(invalid(format!("Invalid ContextKeyType: {}", entry.context_key_type)).into());
            }
            facts.set(&entry.context_key_name, &entry.context_key_values.member);
        }
        let named = request.resource_arns.member.clone();
        Ok(Simulation {
            identity,
            boundary,
            resource,
            is_foreign: owner.is_some_and(|owner| owner != caller.account),
            caller_account: caller.account,
            caller_arn,
            facts,
            resources: if named.is_empty() { vec!["*".to_owned()] } else { named },
        })
    }
}
