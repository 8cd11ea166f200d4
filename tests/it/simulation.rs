//! SimulatePrincipalPolicy, GetRole, and GetUser, and whether simulated decisions match real calls.

use serde_json::json;

use xks_console::aws::codec;
use xks_console::aws::iam::{
    ContextEntry, Decision, EvaluationResult, GetRole, GetUser, SimulatePolicyOutput, SimulatePrincipalPolicy,
};
use xks_console::aws::kms::{CreateKey, Tag};
use xks_console::aws::member_list::MemberList;
use xks_console::bundled::BundledAws;
use xks_console::client::{CallError, Client, InProcess};
use xks_console::environment::{Clock, Environment};

const OPERATOR: &str = "arn:aws:iam::111122223333:role/security/HsmOperator";
const ADMIN: &str = "arn:aws:iam::111122223333:user/Admin";

pub fn account() -> (BundledAws, Clock) {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 11);
    (BundledAws::in_memory("default", environment.clone()).unwrap(), environment.clock)
}

pub fn client_with_credentials(
    bundled: &BundledAws,
    clock: &Clock,
    credentials: xks_console::aws::sigv4::Credentials,
) -> Client {
    let aws = bundled.clone();
    let transport = InProcess::new(move |request| {
        let aws = aws.clone();
        Box::pin(async move { aws.handle(request).await })
    });
    Client::new(std::sync::Arc::new(transport), credentials, "us-west-2", clock.clone())
}

fn client_for_user(name: &str) -> Client {
    let (bundled, clock) = account();
    let key = bundled.access_keys().unwrap().into_iter().find(|key| key.user_name == name).unwrap();
    client_with_credentials(&bundled, &clock, key.credentials)
}

/// Assumes a role as the console's user and returns a client with the session's credentials.
pub async fn role_session(bundled: &BundledAws, clock: &Clock, role: &str) -> Client {
    let admin = client_with_credentials(bundled, clock, bundled.console_credentials());
    let request = xks_console::aws::sts::AssumeRole {
        role_arn: role.to_owned(),
        role_session_name: "it".to_owned(),
        ..Default::default()
    };
    let session = admin.call(&request).await.unwrap().credentials;
    let credentials = xks_console::aws::sigv4::Credentials {
        access_key_id: session.access_key_id,
        secret_access_key: session.secret_access_key,
        session_token: Some(session.session_token),
    };
    client_with_credentials(bundled, clock, credentials)
}

fn members<T: Clone>(items: &[T]) -> MemberList<T> {
    items.iter().cloned().collect()
}

fn simulation_request(actions: &[&str], resources: &[&str]) -> SimulatePrincipalPolicy {
    SimulatePrincipalPolicy {
        policy_source_arn: OPERATOR.to_owned(),
        action_names: actions.iter().map(|action| (*action).to_owned()).collect(),
        resource_arns: resources.iter().map(|arn| (*arn).to_owned()).collect(),
        ..SimulatePrincipalPolicy::default()
    }
}

async fn simulate(request: &SimulatePrincipalPolicy) -> Vec<EvaluationResult> {
    client_for_user("Admin").call(request).await.unwrap().evaluation_results.member
}

fn error_code_and_status<T: std::fmt::Debug>(result: Result<T, CallError>) -> (String, u16) {
    let Err(CallError::Service(error)) = result else { panic!("expected a service error: {result:?}") };
    (error.code, error.status)
}

#[tokio::test]
async fn overall_decision_is_the_most_restrictive_of_all_resources() {
    let deny = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:alias/secret" }] });
    let alias = |name| format!("arn:aws:kms:us-west-2:111122223333:alias/{name}");
    let (open, secret) = (alias("open"), alias("secret"));
    let request = SimulatePrincipalPolicy {
        policy_input_list: members(&[serde_json::to_string_pretty(&deny).unwrap()]),
        ..simulation_request(&["kms:CreateAlias", "kms:TagResource"], &[&open, &secret])
    };
    let results = simulate(&request).await;
    let decisions: Vec<_> = results.iter().map(|one| (one.eval_action_name.as_str(), one.eval_decision)).collect();
    assert_eq!(
        decisions,
        [("kms:CreateAlias", Decision::ExplicitDeny), ("kms:TagResource", Decision::ExplicitDeny)],
        "there is one result per action"
    );
    let specific: Vec<_> = results.iter().flat_map(|one| &one.resource_specific_results.member).collect();
    let specific: Vec<_> =
        specific.iter().map(|one| (one.eval_resource_name.as_str(), one.eval_resource_decision)).collect();
    assert_eq!(
        specific,
        [
            (open.as_str(), Decision::Allowed),
            (secret.as_str(), Decision::ExplicitDeny),
            (open.as_str(), Decision::ImplicitDeny),
            (secret.as_str(), Decision::ExplicitDeny)
        ]
    );
    let statement = &results[0].matched_statements.member[0];
    assert_eq!(statement.source_policy_id, "PolicyInputList.1");
    assert_eq!((statement.start_position.line, statement.end_position.line), (4, 8));
}

#[tokio::test]
async fn conditions_use_the_context_entries_and_missing_keys_are_reported() {
    let policy = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "kms:TagResource", "Resource": "*",
        "Condition": { "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "7"] }, "Bool": { "aws:MultiFactorAuthPresent": "true" } } } });
    let request = |entries: &[(&str, &[&str])]| SimulatePrincipalPolicy {
        policy_input_list: members(&[policy.to_string()]),
        context_entries: entries
            .iter()
            .map(|(name, values)| ContextEntry {
                context_key_name: (*name).to_owned(),
                context_key_values: values.iter().map(|value| (*value).to_owned()).collect(),
                context_key_type: "stringList".to_owned(),
            })
            .collect(),
        ..simulation_request(&["kms:TagResource"], &[])
    };
    let decision = async |entries: &[(&str, &[&str])]| {
        let results = simulate(&request(entries)).await;
        (results[0].eval_decision, results[0].missing_context_values.member.clone())
    };
    let mfa: (&str, &[&str]) = ("aws:MultiFactorAuthPresent", &["true"]);
    assert_eq!(decision(&[mfa, ("aws:TagKeys", &["team", "7"])]).await, (Decision::Allowed, vec![]));
    assert_eq!(decision(&[mfa, ("aws:TagKeys", &["team", "cost"])]).await, (Decision::ImplicitDeny, vec![]));
    let missing = vec!["aws:MultiFactorAuthPresent".to_owned()];
    assert_eq!(decision(&[("aws:tagkeys", &["team"])]).await, (Decision::ImplicitDeny, missing));
}

#[tokio::test]
async fn permissions_boundaries_and_resource_policies_are_evaluated() {
    let policy = |effect: &str, principal: Option<&str>| {
        let mut statement = json!({ "Effect": effect, "Action": "kms:Decrypt", "Resource": "*" });
        if let Some(arn) = principal {
            statement["Principal"] = json!({ "AWS": arn });
        }
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let key = "arn:aws:kms:us-west-2:111122223333:key/1";
    let request = |resource_policy: Option<String>| SimulatePrincipalPolicy {
        policy_source_arn: "arn:aws:iam::111122223333:user/payments/grace.liu".to_owned(),
        resource_policy,
        ..simulation_request(&["kms:Decrypt"], &[key])
    };
    let decision = async |request| simulate(&request).await[0].eval_decision;
    let grace = request(None).policy_source_arn;
    assert_eq!(decision(request(None)).await, Decision::ImplicitDeny);
    assert_eq!(decision(request(Some(policy("Allow", Some(&grace))))).await, Decision::Allowed);
    assert_eq!(decision(request(Some(policy("Allow", Some(ADMIN))))).await, Decision::ImplicitDeny);
    assert_eq!(decision(request(Some(policy("Deny", Some(&grace))))).await, Decision::ExplicitDeny);
    let other_account = SimulatePrincipalPolicy {
        resource_owner: Some("arn:aws:iam::444455556666:root".to_owned()),
        ..request(Some(policy("Allow", Some(&grace))))
    };
    assert_eq!(decision(other_account).await, Decision::ImplicitDeny, "a key of another account needs both policies");
    let bounded = SimulatePrincipalPolicy {
        permissions_boundary_policy_input_list: members(&[policy("Allow", None)]),
        ..simulation_request(&["kms:CreateKey"], &[])
    };
    let result = &simulate(&bounded).await[0];
    assert_eq!(result.eval_decision, Decision::ImplicitDeny);
    assert!(!result.permissions_boundary_decision_detail.unwrap().allowed_by_permissions_boundary);
}

#[tokio::test]
async fn results_are_paginated_in_the_order_of_the_actions() {
    let admin = client_for_user("Admin");
    let actions = ["kms:TagResource", "kms:CreateKey", "kms:CreateKey", "kms:Decrypt", "kms:ListKeys"];
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let request = SimulatePrincipalPolicy { max_items: Some(2), marker, ..simulation_request(&actions, &[]) };
        let page: SimulatePolicyOutput = admin.call(&request).await.unwrap();
        assert!(page.evaluation_results.member.len() <= 2);
        assert_eq!(page.is_truncated, page.marker.is_some());
        names.extend(page.evaluation_results.member.into_iter().map(|one| one.eval_action_name));
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(names, actions);
}

#[tokio::test]
async fn unauthorized_and_invalid_requests_fail_as_in_iam() {
    let admin = client_for_user("Admin");
    assert_eq!(
        error_code_and_status(client_for_user("grace.liu").call(&simulation_request(&["kms:CreateKey"], &[])).await),
        ("AccessDenied".to_owned(), 403)
    );
    for (request, expected) in [
        (
            SimulatePrincipalPolicy { policy_source_arn: format!("{OPERATOR}s"), ..simulation_request(&["a:b"], &[]) },
            ("NoSuchEntity", 404),
        ),
        (
            // The ARN lacks the path.
            SimulatePrincipalPolicy {
                policy_source_arn: "arn:aws:iam::111122223333:role/HsmOperator".to_owned(),
                ..simulation_request(&["a:b"], &[])
            },
            ("NoSuchEntity", 404),
        ),
        (
            SimulatePrincipalPolicy { policy_source_arn: "me".to_owned(), ..simulation_request(&["a:b"], &[]) },
            ("InvalidInput", 400),
        ),
        (simulation_request(&["CreateKey"], &[]), ("InvalidInput", 400)),
        (
            SimulatePrincipalPolicy {
                policy_input_list: members(&["{".to_owned()]),
                ..simulation_request(&["a:b"], &[])
            },
            ("InvalidInput", 400),
        ),
        (
            SimulatePrincipalPolicy {
                resource_policy: Some(xks_console::aws::policy::default_policy("aws", "111122223333")),
                ..simulation_request(&["a:b"], &[])
            },
            ("InvalidInput", 400),
        ),
        (
            SimulatePrincipalPolicy {
                context_entries: members(&[ContextEntry {
                    context_key_type: "text".to_owned(),
                    ..ContextEntry::default()
                }]),
                ..simulation_request(&["a:b"], &[])
            },
            ("InvalidInput", 400),
        ),
        (
            SimulatePrincipalPolicy { max_items: Some(1001), ..simulation_request(&["a:b"], &[]) },
            ("ValidationException", 400),
        ),
    ] {
        assert_eq!(
            error_code_and_status(admin.call(&request).await),
            (expected.0.to_owned(), expected.1),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn get_user_and_get_role_require_permission() {
    let admin = client_for_user("Admin");
    let role = GetRole { role_name: "HsmOperator".to_owned() };
    assert_eq!(admin.call(&role).await.unwrap().role.arn, OPERATOR);
    assert_eq!(admin.call(&GetUser::default()).await.unwrap().user.arn, ADMIN);
    let grace = GetUser { user_name: Some("grace.liu".to_owned()) };
    assert_eq!(admin.call(&grace).await.unwrap().user.path, "/payments/");
    assert_eq!(
        error_code_and_status(admin.call(&GetRole { role_name: "Nobody".to_owned() }).await),
        ("NoSuchEntity".to_owned(), 404)
    );
    assert_eq!(error_code_and_status(client_for_user("grace.liu").call(&role).await), ("AccessDenied".to_owned(), 403));
    let (bundled, clock) = account();
    let operator = role_session(&bundled, &clock, OPERATOR).await;
    assert_eq!(operator.call(&role).await.unwrap().role.arn, OPERATOR);
    assert_eq!(error_code_and_status(operator.call(&GetUser::default()).await), ("ValidationError".to_owned(), 400));
}

#[tokio::test]
async fn simulated_decisions_match_real_calls() {
    let (bundled, clock) = account();
    let operator = role_session(&bundled, &clock, OPERATOR).await;
    let tagged = CreateKey {
        tags: Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "hsm".to_owned() }]),
        ..CreateKey::default()
    };
    let key = "arn:aws:kms:us-west-2:111122223333:key/*";
    let decisions: Vec<Decision> = operator
        .call(&simulation_request(&["kms:CreateKey", "kms:TagResource"], &[key]))
        .await
        .unwrap()
        .evaluation_results
        .member
        .iter()
        .map(|one| one.eval_decision)
        .collect();
    assert_eq!(decisions, [Decision::Allowed, Decision::ImplicitDeny]);
    operator.call(&CreateKey::default()).await.unwrap();
    let Err(CallError::Service(error)) = operator.call(&tagged).await else { panic!("tagging must be denied") };
    assert!(error.has_code("AccessDenied") && error.message.contains("kms:TagResource"), "{error}");
}

#[test]
fn wire_format_matches_the_api_reference() {
    let request = SimulatePrincipalPolicy {
        context_entries: members(&[ContextEntry {
            context_key_name: "aws:TagKeys".to_owned(),
            context_key_values: members(&["a".to_owned(), "b".to_owned()]),
            context_key_type: "stringList".to_owned(),
        }]),
        ..simulation_request(&["kms:CreateKey", "kms:TagResource"], &["*"])
    };
    let body = codec::encode_request(&request).unwrap();
    let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("Action", "SimulatePrincipalPolicy"),
            ("Version", "2010-05-08"),
            ("PolicySourceArn", OPERATOR),
            ("ActionNames.member.1", "kms:CreateKey"),
            ("ActionNames.member.2", "kms:TagResource"),
            ("ResourceArns.member.1", "*"),
            ("ContextEntries.member.1.ContextKeyName", "aws:TagKeys"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "a"),
            ("ContextEntries.member.1.ContextKeyValues.member.2", "b"),
            ("ContextEntries.member.1.ContextKeyType", "stringList"),
        ]
    );
    assert_eq!(codec::parse_query_request::<SimulatePrincipalPolicy>(&body).unwrap(), request);
    // A response as AWS sends it, with the members in another order and a member that only some accounts get.
    let xml = "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
        <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member>\
        <OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations></OrganizationsDecisionDetail>\
        <MatchedStatements/><MissingContextValues><member>aws:SourceIp</member></MissingContextValues>\
        <EvalResourceName>*</EvalResourceName><EvalDecision>implicitDeny</EvalDecision>\
        <EvalActionName>kms:CreateKey</EvalActionName></member></EvaluationResults></SimulatePrincipalPolicyResult>\
        <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>";
    let response = codec::decode_response::<SimulatePrincipalPolicy>(xml.as_bytes()).unwrap();
    let result = &response.evaluation_results.member[0];
    assert_eq!((result.eval_decision, result.eval_action_name.as_str()), (Decision::ImplicitDeny, "kms:CreateKey"));
    assert_eq!(result.missing_context_values.member, ["aws:SourceIp"]);
    let xml = codec::query_response_xml::<SimulatePrincipalPolicy>(&response, "r").unwrap();
    assert_eq!(codec::decode_response::<SimulatePrincipalPolicy>(xml.as_bytes()).unwrap(), response);
}
