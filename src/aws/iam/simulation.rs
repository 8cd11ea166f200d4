//! SimulatePrincipalPolicy: what the policies of a user or role would say to a request. Source: IAM API Reference.

use serde::{Deserialize, Serialize};

use super::MemberList;
use crate::aws::open_enum::open_enum;

/// The request of SimulatePrincipalPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePrincipalPolicy {
    /// The ARN of the user, group or role whose policies are asked.
    pub policy_source_arn: String,
    /// Policies that are asked beside them.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub policy_input_list: MemberList<String>,
    /// The permissions boundary, instead of that of the principal.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub permissions_boundary_policy_input_list: MemberList<String>,
    /// `kms:CreateKey` ...; each is asked about each resource.
    pub action_names: MemberList<String>,
    /// ARNs; `*` when there are none.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub resource_arns: MemberList<String>,
    /// A policy that each of the resources has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy: Option<String>,
    /// The account that the resources are in; that of the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_owner: Option<String>,
    /// The ARN of the user that calls; the source of the policies when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<String>,
    /// What conditions look at.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    pub context_entries: MemberList<ContextEntry>,
    /// For `ec2:RunInstances` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_handling_option: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
    /// `Marker` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A condition key and its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextEntry {
    /// `aws:TagKeys` ...
    pub context_key_name: String,
    /// Its values.
    #[serde(default)]
    pub context_key_values: MemberList<String>,
    /// `string`, `stringList`, `boolean` ...
    pub context_key_type: String,
}

/// One page of SimulatePrincipalPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulatePolicyOutput {
    /// One for each action.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub evaluation_results: MemberList<EvaluationResult>,
    /// Whether there is more.
    #[serde(default)]
    pub is_truncated: bool,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

open_enum! {
    /// What is decided, from the least to the most restrictive.
    pub enum Decision {
        /// A statement allows it and none denies it.
        Allowed = "allowed",
        /// No statement allows it.
        ImplicitDeny = "implicitDeny",
        /// A statement denies it.
        ExplicitDeny = "explicitDeny",
    }
}

/// What is decided about an action on all resources: the most restrictive of the decisions on each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The action.
    pub eval_action_name: String,
    /// The resource; `*` for none or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_resource_name: Option<String>,
    /// The decision.
    pub eval_decision: Decision,
    /// The statements that made it.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub matched_statements: MemberList<MatchedStatement>,
    /// Condition keys that policies look at and the request did not tell, where no resource is named.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub missing_context_values: MemberList<String>,
    /// Whether the permissions boundary allows it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    /// The decision on each resource that is named.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub resource_specific_results: MemberList<ResourceSpecificResult>,
}

/// What is decided about an action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceSpecificResult {
    /// The resource.
    pub eval_resource_name: String,
    /// The decision.
    pub eval_resource_decision: Decision,
    /// The statements that made it.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub matched_statements: MemberList<MatchedStatement>,
    /// Condition keys that policies look at and the request did not tell.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub missing_context_values: MemberList<String>,
    /// Whether the permissions boundary allows it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}

/// Whether the permissions boundary allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PermissionsBoundaryDecisionDetail {
    /// Whether it does.
    pub allowed_by_permissions_boundary: bool,
}

/// A statement that decided: the policy, and where in it the statement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    /// The policy.
    pub source_policy_id: String,
    /// `user`, `role`, `resource`, `none` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_policy_type: Option<String>,
    /// Where it begins.
    #[serde(default)]
    pub start_position: Position,
    /// What comes after its end.
    #[serde(default)]
    pub end_position: Position,
}

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Position {
    #[serde(default)]
    pub line: u32,
    #[serde(default)]
    pub column: u32,
}
