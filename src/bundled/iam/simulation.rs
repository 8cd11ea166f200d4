//! SimulatePrincipalPolicy, which evaluates the policies of a user or role with the engine that authorizes requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::principals::policies_of;
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    Decision, EvaluationResult, MatchedStatement, PermissionsBoundaryDecisionDetail, Position, ResourceSpecificResult,
    SimulatePolicyOutput, SimulatePrincipalPolicy,
};
use crate::aws::member_list::MemberList;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument, statement_spans};
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};

/// The values of `ContextKeyType`.
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

fn invalid_input(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidInput", message)
}

/// A policy in a simulation, with the ID and type that the response shows.
struct PolicySource {
    id: String,
    kind: &'static str,
    text: String,
    document: Arc<PolicyDocument>,
}

impl PolicySource {
    /// Returns the statements with these indexes, each with its position in the policy.
    fn matched_statements(&self, statements: &[usize]) -> impl Iterator<Item = MatchedStatement> {
        let spans = statement_spans(&self.text);
        statements.iter().map(move |index| {
            let (start, end) = spans.get(*index).copied().unwrap_or_default();
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

/// The policies, caller, context, and resources of a simulation.
struct Simulation {
    identity_policies: Vec<PolicySource>,
    boundary_policies: Vec<PolicySource>,
    resource_policy: Option<PolicySource>,
    caller_arn: String,
    caller_account: String,
    is_cross_account: bool,
    request_context: RequestContext,
    resources: Vec<String>,
}

/// The decision about an action on a resource.
struct ResourceDecision {
    decision: Decision,
    matched_statements: Vec<MatchedStatement>,
    missing_context_values: BTreeSet<String>,
    boundary_decision: Option<PermissionsBoundaryDecisionDetail>,
}

impl Simulation {
    fn evaluate_resource(&self, action: &str, resource: &str) -> ResourceDecision {
        let policy_request = PolicyRequest { action, resource, context: &self.request_context };
        let principal =
            RequestPrincipal { arn: &self.caller_arn, issuer_arn: &self.caller_arn, account: &self.caller_account };
        let matching_in = |policies: &[PolicySource], effect| -> Vec<MatchedStatement> {
            let matching = policies
                .iter()
                .map(|policy| (policy, policy.document.matching_statements(effect, &policy_request, None)));
            matching.flat_map(|(policy, indexes)| policy.matched_statements(&indexes).collect::<Vec<_>>()).collect()
        };
        let matching_in_resource_policy = |effect| -> Vec<MatchedStatement> {
            let indexes =
                |policy: &PolicySource| policy.document.matching_statements(effect, &policy_request, Some(&principal));
            self.resource_policy
                .iter()
                .flat_map(|policy| policy.matched_statements(&indexes(policy)).collect::<Vec<_>>())
                .collect()
        };
        let mut denying = matching_in(&self.identity_policies, Effect::Deny);
        denying.extend(matching_in(&self.boundary_policies, Effect::Deny));
        denying.extend(matching_in_resource_policy(Effect::Deny));
        let by_boundary = (!self.boundary_policies.is_empty())
            .then(|| !matching_in(&self.boundary_policies, Effect::Allow).is_empty());
        let by_identity = matching_in(&self.identity_policies, Effect::Allow);
        let by_resource = self
            .resource_policy
            .as_ref()
            .map_or(PermissionResult::NotAllowed, |policy| policy.document.permission_for(&principal, &policy_request));
        let is_allowed = by_boundary != Some(false)
            && match by_resource {
                PermissionResult::Direct if !self.is_cross_account => true,
                PermissionResult::NotAllowed if self.is_cross_account => false,
                _ => !by_identity.is_empty(),
            };
        let (decision, matched) = match (denying.is_empty(), is_allowed) {
            (false, _) => (Decision::ExplicitDeny, denying),
            (true, true) => {
                (Decision::Allowed, by_identity.into_iter().chain(matching_in_resource_policy(Effect::Allow)).collect())
            }
            (true, false) => (Decision::ImplicitDeny, Vec::new()),
        };
        let policies = self.identity_policies.iter().chain(&self.boundary_policies).chain(&self.resource_policy);
        let missing = policies.flat_map(|policy| policy.document.missing_context_keys(&policy_request)).collect();
        let by_boundary = by_boundary.map(|allowed_by_permissions_boundary| PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary,
        });
        ResourceDecision {
            decision,
            matched_statements: matched,
            missing_context_values: missing,
            boundary_decision: by_boundary,
        }
    }

    /// Evaluates an action: the most restrictive decision, and the decision on each named resource.
    fn evaluate_action(&self, action: &str) -> EvaluationResult {
        let decisions: Vec<ResourceDecision> =
            self.resources.iter().map(|resource| self.evaluate_resource(action, resource)).collect();
        let decision = decisions.iter().map(|one| one.decision).max().unwrap_or(Decision::ImplicitDeny);
        let decisive = decisions.iter().filter(|one| one.decision == decision);
        let mut matched = Vec::new();
        for statement in decisive.flat_map(|one| &one.matched_statements) {
            if !matched.contains(statement) {
                matched.push(statement.clone());
            }
        }
        let details = decisions.iter().filter_map(|one| one.boundary_decision);
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
        for (resource_decision, resource) in decisions.into_iter().zip(&self.resources) {
            let missing = resource_decision.missing_context_values.into_iter().collect();
            if self.resources.len() == 1 && resource == "*" {
                result.missing_context_values = missing;
                continue;
            }
            result.resource_specific_results.member.push(ResourceSpecificResult {
                eval_resource_name: resource.clone(),
                eval_resource_decision: resource_decision.decision,
                matched_statements: resource_decision.matched_statements.into_iter().collect(),
                missing_context_values: missing,
                permissions_boundary_decision_detail: resource_decision.boundary_decision,
            });
        }
        result
    }
}

impl Call<'_> {
    pub fn simulate_principal_policy(&self, request: &SimulatePrincipalPolicy) -> ApiResult<SimulatePolicyOutput> {
        self.authorize("iam:SimulatePrincipalPolicy", &request.policy_source_arn)?;
        if request.action_names.is_empty() {
            return Err(invalid_input("ActionNames must have at least one action.").into());
        }
        for action in &request.action_names.member {
            if action.len() > 128 || action.split_once(':').is_none_or(|(from, to)| from.is_empty() || to.is_empty()) {
                return Err(invalid_input(format!("Invalid Action: {action}")).into());
            }
        }
        let simulation = self.build_simulation(request)?;
        // A marker is the index of an action, because the results are in the order of the request.
        let indexed = request.action_names.member.iter().enumerate();
        let all: Vec<(String, &String)> = indexed.map(|(index, action)| (format!("{index:06}"), action)).collect();
        let page = paginate(all, |(index, _)| index, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(SimulatePolicyOutput {
            evaluation_results: page.items.iter().map(|(_, action)| simulation.evaluate_action(action)).collect(),
            is_truncated: page.next_marker.is_some(),
            marker: page.next_marker,
        })
    }

    fn build_simulation(&self, request: &SimulatePrincipalPolicy) -> ApiResult<Simulation> {
        let (source, id) = self.find_principal_by_arn(&request.policy_source_arn)?;
        let kind = if source.resource.starts_with("user/") { "user" } else { "role" };
        let name = source.resource.rsplit('/').next().unwrap_or_default();
        let read = |text: String, id: String, kind| -> ApiResult<PolicySource> {
            let Some(document) = self.aws.policy_cache.get_or_parse(&text) else {
                return Err(invalid_input(format!("{id} is not a valid policy document.")).into());
            };
            Ok(PolicySource { id, kind, text, document })
        };
        let attached = self.store().read(|tx| policies_of(tx, &request.policy_source_arn))?;
        let numbered = |texts: &[String], name: &str, kind| -> ApiResult<Vec<PolicySource>> {
            let numbers = texts.iter().enumerate();
            numbers.map(|(index, text)| read(text.clone(), format!("{name}.{}", index + 1), kind)).collect()
        };
        let named = attached.into_iter().map(|(policy, text)| read(text, format!("{kind}_{name}_{policy}"), kind));
        let mut identity = named.collect::<ApiResult<Vec<PolicySource>>>()?;
        identity.extend(numbered(&request.policy_input_list.member, "PolicyInputList", "none")?);
        let boundary = &request.permissions_boundary_policy_input_list.member;
        let boundary = numbered(boundary, "PermissionsBoundaryPolicyInputList", "none")?;
        if request.resource_policy.is_some() && request.caller_arn.is_none() && kind != "user" {
            return Err(invalid_input("CallerArn is required because PolicySourceArn is not a user.").into());
        }
        let resource = request.resource_policy.clone();
        let resource = resource.map(|text| read(text, "ResourcePolicy".to_owned(), "resource")).transpose()?;
        let caller_arn = request.caller_arn.clone().unwrap_or_else(|| request.policy_source_arn.clone());
        let caller: Arn = caller_arn.parse().map_err(|_| invalid_input(format!("Invalid CallerArn: {caller_arn}")))?;
        let owner = request.resource_owner.as_deref();
        let owner = owner.map(|text| text.parse::<Arn>().map_or_else(|_| text.to_owned(), |arn| arn.account));
        let mut request_context = RequestContext::default();
        request_context.add("aws:PrincipalArn", &*caller_arn);
        request_context.add("aws:PrincipalAccount", &*caller.account);
        request_context.add("aws:PrincipalType", if kind == "user" { "User" } else { "AssumedRole" });
        request_context.add("aws:userid", id);
        request_context.add_optional("aws:username", (kind == "user").then_some(name));
        let now = self.store().environment().clock.now();
        request_context.add("aws:CurrentTime", now.to_string());
        request_context.add("aws:EpochTime", now.as_second().to_string());
        for entry in &request.context_entries.member {
            if !CONTEXT_KEY_TYPES.contains(&entry.context_key_type.as_str()) {
                return Err(invalid_input(format!("Invalid ContextKeyType: {}", entry.context_key_type)).into());
            }
            request_context.set(&entry.context_key_name, &entry.context_key_values.member);
        }
        let named = request.resource_arns.member.clone();
        Ok(Simulation {
            identity_policies: identity,
            boundary_policies: boundary,
            resource_policy: resource,
            is_cross_account: owner.is_some_and(|owner| owner != caller.account),
            caller_account: caller.account,
            caller_arn,
            request_context,
            resources: if named.is_empty() { vec!["*".to_owned()] } else { named },
        })
    }
}
