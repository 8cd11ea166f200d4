//! SimulatePrincipalPolicy: how the policies of a user or role would decide on a request. Source: IAM API Reference.

use serde::{Deserialize, Serialize};

use super::MemberList;
use crate::aws::open_enum::open_enum;

/// A `SimulatePrincipalPolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePrincipalPolicy {
    /// The ARN of the user, group, or role whose policies to evaluate.
    pub policy_source_arn: String,
    /// Additional policies to evaluate.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub policy_input_list: MemberList<String>,
    /// The permissions boundary policy to use instead of the principal's own.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub permissions_boundary_policy_input_list: MemberList<String>,
    /// The actions to evaluate for each resource, such as `kms:CreateKey`.
    pub action_names: MemberList<String>,
    /// The ARNs of the resources. The default is `*`.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub resource_arns: MemberList<String>,
    /// A resource-based policy to apply to each resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy: Option<String>,
    /// The account that owns the resources. The default is the caller's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_owner: Option<String>,
    /// The ARN of the user to simulate as the caller. The default is `policy_source_arn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<String>,
    /// The context keys and values for the simulation.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub context_entries: MemberList<ContextEntry>,
    /// The resource handling option, which only `ec2:RunInstances` uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_handling_option: Option<String>,
    /// The maximum number of results per page: 1 to 1,000. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// The `Marker` from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A context key and its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextEntry {
    /// The name of the context key, such as `aws:TagKeys`.
    pub context_key_name: String,
    /// The values of the context key.
    #[serde(default)]
    pub context_key_values: MemberList<String>,
    /// The data type of the values, such as `string`, `stringList`, or `boolean`.
    pub context_key_type: String,
}

/// One page of `SimulatePrincipalPolicy` results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePolicyOutput {
    /// The results, one for each action.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub evaluation_results: MemberList<EvaluationResult>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

open_enum! {
    /// The result of a policy evaluation, from least to most restrictive.
    pub enum Decision {
        /// A statement allows the request, and no statement denies it.
        Allowed = "allowed",
        /// No statement allows the request.
        ImplicitDeny = "implicitDeny",
        /// A statement denies the request.
        ExplicitDeny = "explicitDeny",
    }
}

/// The result for an action on all resources: the most restrictive decision on any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The name of the action.
    pub eval_action_name: String,
    /// The ARN of the resource, or `*` for no resource or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_resource_name: Option<String>,
    /// The decision.
    pub eval_decision: Decision,
    /// The statements that determined the decision.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub matched_statements: MemberList<MatchedStatement>,
    /// The context keys that the policies use and the request didn't provide. Empty if the request names resources.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub missing_context_values: MemberList<String>,
    /// The effect of the permissions boundary, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    /// The results for each resource in the request.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub resource_specific_results: MemberList<ResourceSpecificResult>,
}

/// The result for an action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceSpecificResult {
    /// The ARN of the resource.
    pub eval_resource_name: String,
    /// The decision.
    pub eval_resource_decision: Decision,
    /// The statements that determined the decision.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub matched_statements: MemberList<MatchedStatement>,
    /// The context keys that the policies use and the request didn't provide.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub missing_context_values: MemberList<String>,
    /// The effect of the permissions boundary, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}

/// The effect of the permissions boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PermissionsBoundaryDecisionDetail {
    /// Whether the permissions boundary allows the action.
    pub allowed_by_permissions_boundary: bool,
}

/// A statement that determined a decision, and its position in the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    /// The ID of the policy.
    pub source_policy_id: String,
    /// The type of the policy, such as `user`, `role`, `resource`, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_policy_type: Option<String>,
    /// The start of the statement.
    #[serde(default)]
    pub start_position: Position,
    /// The position after the end of the statement.
    #[serde(default)]
    pub end_position: Position,
}

/// A position in a policy document. Lines and columns start at 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Position {
    #[serde(default)]
    pub line: u32,
    #[serde(default)]
    pub column: u32,
}
