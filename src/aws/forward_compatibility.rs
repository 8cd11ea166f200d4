//! AWS adds values, members, and elements to the responses of every operation. Responses stay readable regardless.

use std::fmt::Write as _;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize as _, Deserializer, IntoDeserializer};
use serde_json::{Error, Map, Value, json};

use super::codec::{CodecError, decode_response};
use super::lenient::{PROBLEM, UNREADABLE};
use super::operation::{Operation, OperationVisitor, Protocol, Service, visit_all};

/// Returns a sample response of each operation with all members. The suffix `!` marks a required member: if it is
/// missing outside a list, the response is rejected; if it is missing in a list element, the element reports the
/// problem.
#[allow(clippy::too_many_lines)]
fn sample(service: Service, operation: &str) -> Value {
    match (service, operation) {
        (Service::Kms, "CreateKey" | "DescribeKey") => json!({ "KeyMetadata!": {
            "AWSAccountId": "111122223333", "KeyId!": "1234abcd", "Arn": "arn:aws:kms:us-west-2:111122223333:key/1234abcd",
            "CreationDate": 1_700_000_000, "Enabled": true, "Description": "payments", "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled", "DeletionDate": 1_700_086_400.5, "Origin": "EXTERNAL_KEY_STORE",
            "CustomKeyStoreId": "cks-1", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": false,
            "XksKeyConfiguration": { "Id": "ext-1" }, "CurrentKeyMaterialId": "00ff" } }),
        (Service::Kms, "ListKeys") => json!({
            "Keys!": [{ "KeyId!": "1234abcd", "KeyArn!": "arn:1" }], "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "ScheduleKeyDeletion") => json!({ "KeyId!": "arn:1", "DeletionDate!": 1_700_000_000,
            "KeyState!": "PendingDeletion", "PendingWindowInDays!": 30 }),
        (Service::Kms, "CancelKeyDeletion" | "RotateKeyOnDemand") => json!({ "KeyId!": "arn:1" }),
        (Service::Kms, "GetKeyRotationStatus") => json!({ "KeyRotationEnabled": true, "KeyId": "arn:1",
            "RotationPeriodInDays": 365, "NextRotationDate": 1_700_000_000 }),
        (Service::Kms, "ListKeyRotations") => json!({ "Rotations!": [{ "KeyId!": "1234abcd", "KeyMaterialId!": "00ff",
            "KeyMaterialState!": "CURRENT", "RotationDate": 1_700_000_000, "RotationType": "AUTOMATIC" }],
            "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "GetKeyLastUsage") => json!({ "KeyId!": "arn:1", "KeyLastUsage": { "Operation!": "Encrypt",
            "Timestamp!": 1_700_000_000, "CloudTrailEventId!": "e-1", "KmsRequestId!": "r-1" },
            "TrackingStartDate!": 1_700_000_000, "KeyCreationDate!": 1_700_000_000 }),
        (Service::Kms, "ListAliases") => json!({ "Aliases!": [{ "AliasName!": "alias/a", "AliasArn!": "arn:a",
            "TargetKeyId": "1234abcd", "CreationDate": 1_700_000_000, "LastUpdatedDate": 1_700_000_000 }],
            "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "ListResourceTags") => json!({ "Tags!": [{ "TagKey!": "team", "TagValue!": "payments" }],
            "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "GetKeyPolicy") => json!({ "Policy!": "{}", "PolicyName": "default" }),
        (Service::Kms, "ListKeyPolicies") => json!({
            "PolicyNames!": ["default"], "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "Encrypt") => json!({ "CiphertextBlob!": "AAEC", "KeyId!": "arn:1",
            "EncryptionAlgorithm!": "SYMMETRIC_DEFAULT" }),
        (Service::Kms, "Decrypt") => json!({ "KeyId!": "arn:1", "Plaintext!": "AAEC",
            "EncryptionAlgorithm!": "SYMMETRIC_DEFAULT", "KeyMaterialId": "00ff" }),
        (Service::Kms, "ReEncrypt") => json!({ "CiphertextBlob!": "AAEC", "SourceKeyId!": "arn:1", "KeyId!": "arn:2",
            "SourceEncryptionAlgorithm!": "SYMMETRIC_DEFAULT", "DestinationEncryptionAlgorithm!": "SYMMETRIC_DEFAULT",
            "SourceKeyMaterialId": "00ff", "DestinationKeyMaterialId": "00ff" }),
        (Service::Kms, "GenerateDataKey") => {
            json!({ "CiphertextBlob!": "AAEC", "Plaintext!": "AAEC", "KeyId!": "arn:1",
            "KeyMaterialId": "00ff" })
        }
        (Service::Kms, "GenerateDataKeyWithoutPlaintext") => json!({ "CiphertextBlob!": "AAEC", "KeyId!": "arn:1",
            "KeyMaterialId": "00ff" }),
        (Service::Kms, "GenerateRandom") => json!({ "Plaintext!": "AAEC" }),
        (Service::Kms, "CreateGrant") => json!({ "GrantToken!": "token", "GrantId!": "00ff" }),
        (Service::Kms, "ListGrants" | "ListRetirableGrants") => json!({ "Grants!": [{
            "KeyId!": "arn:1", "GrantId!": "00ff", "Name": "n", "CreationDate!": 1_700_000_000,
            "GranteePrincipal": "arn:u", "RetiringPrincipal": "arn:v", "IssuingAccount!": "arn:root",
            "Operations!": ["Encrypt"], "Constraints": { "EncryptionContextSubset": { "a": "b" },
            "EncryptionContextEquals": { "a": "b" }, "SourceArn": "arn:s" }, "GranteeServicePrincipal": "s3.amazonaws.com",
            "RetiringServicePrincipal": "s3.amazonaws.com" }], "NextMarker": "m", "Truncated": true }),
        (Service::Kms, "CreateCustomKeyStore") => json!({ "CustomKeyStoreId!": "cks-1" }),
        (Service::Kms, "DescribeCustomKeyStores") => json!({ "CustomKeyStores!": [{ "CustomKeyStoreId!": "cks-1",
            "CustomKeyStoreName!": "oslo", "ConnectionState!": "FAILED",
            "ConnectionErrorCode": "XKS_PROXY_ACCESS_DENIED", "CreationDate!": 1_700_000_000,
            "CustomKeyStoreType!": "EXTERNAL_KEY_STORE", "XksProxyConfiguration": { "Connectivity!": "PUBLIC_ENDPOINT",
            "AccessKeyId": "AAAA", "UriEndpoint!": "https://proxy.example", "UriPath!": "/kms/xks/v1",
            "VpcEndpointServiceName": "com.amazonaws.vpce.x", "VpcEndpointServiceOwner": "111122223333" } }],
            "NextMarker": "m", "Truncated": true }),
        (Service::CloudTrail, "LookupEvents") => json!({ "Events!": [{ "EventId!": "e-1", "EventName!": "Encrypt",
            "ReadOnly!": "true", "AccessKeyId": "AKIA", "EventTime!": 1_700_000_000, "EventSource!": "kms.amazonaws.com",
            "Username": "ann", "Resources": [{ "ResourceType": "AWS::KMS::Key", "ResourceName": "arn:1" }],
            "CloudTrailEvent!": "{}" }], "NextToken": "t" }),
        (Service::CloudWatch, "ListMetrics") => {
            json!({ "Metrics": [{ "Namespace": "AWS/KMS", "MetricName": "XksProxyErrors",
            "Dimensions": [{ "Name!": "CustomKeyStoreId", "Value!": "cks-1" }] }], "NextToken": "t" })
        }
        (Service::CloudWatch, "GetMetricData") => json!({ "MetricDataResults": [{ "Id!": "q0", "Label": "errors",
            "Timestamps": [1_700_000_000], "Values": [1.5], "StatusCode": "Complete" }], "NextToken": "t" }),
        (Service::Tagging, "GetResources") => json!({ "PaginationToken": "t", "ResourceTagMappingList": [{
            "ResourceARN": "arn:1", "Tags": [{ "Key!": "team", "Value!": "payments" }] }] }),
        (Service::Iam, "ListUsers") => json!({ "Users": { "member": [user()] }, "IsTruncated": true, "Marker": "m" }),
        (Service::Iam, "GetUser" | "CreateUser") => json!({ "User!": only_id_required(user(), "UserName") }),
        (Service::Iam, "ListRoles") => json!({ "Roles": { "member": [role()] }, "IsTruncated": true, "Marker": "m" }),
        (Service::Iam, "GetRole" | "CreateRole") => json!({ "Role!": only_id_required(role(), "RoleName") }),
        (Service::Iam, "ListAccountAliases") => json!({
            "AccountAliases": { "member": ["example"] }, "IsTruncated": true }),
        (Service::Iam, "SimulatePrincipalPolicy") => {
            let statement = json!({ "SourcePolicyId!": "p", "SourcePolicyType": "user",
                "StartPosition": { "Line": 1, "Column": 2 }, "EndPosition": { "Line": 3, "Column": 4 } });
            json!({ "EvaluationResults": { "member": [{
                "EvalActionName!": "kms:CreateKey", "EvalResourceName": "*", "EvalDecision!": "implicitDeny",
                "MatchedStatements": { "member": [statement] }, "MissingContextValues": { "member": ["kms:KeySpec"] },
                "PermissionsBoundaryDecisionDetail": { "AllowedByPermissionsBoundary": true },
                "ResourceSpecificResults": { "member": [{
                    "EvalResourceName!": "arn:1", "EvalResourceDecision!": "allowed",
                    "MatchedStatements": { "member": [statement] }, "MissingContextValues": { "member": ["kms:KeySpec"] },
                    "PermissionsBoundaryDecisionDetail": { "AllowedByPermissionsBoundary": true } }] },
            }] }, "IsTruncated": true, "Marker": "m" })
        }
        (Service::Iam, "GetUserPolicy") => {
            json!({ "UserName!": "ann", "PolicyName!": "p", "PolicyDocument!": "%7B%7D" })
        }
        (Service::Iam, "GetRolePolicy") => {
            json!({ "RoleName!": "ops", "PolicyName!": "p", "PolicyDocument!": "%7B%7D" })
        }
        (Service::Iam, "ListUserPolicies" | "ListRolePolicies") => json!({
            "PolicyNames": { "member": ["p"] }, "IsTruncated": true, "Marker": "m" }),
        (Service::Iam, "CreateAccessKey") => json!({ "AccessKey!": { "UserName!": "ann", "AccessKeyId!": "AKIA",
            "Status!": "Active", "SecretAccessKey!": "secret", "CreateDate!": "2026-01-02T03:04:05Z" } }),
        (Service::Iam, "ListAccessKeys") => json!({ "AccessKeyMetadata": { "member": [{ "UserName!": "ann",
            "AccessKeyId!": "AKIA", "Status!": "Active", "CreateDate!": "2026-01-02T03:04:05Z" }] },
            "IsTruncated": true, "Marker": "m" }),
        (Service::Sts, "GetCallerIdentity") => {
            json!({ "UserId!": "AIDA", "Account!": "111122223333", "Arn!": "arn:u" })
        }
        (Service::Sts, "AssumeRole") => json!({ "Credentials!": { "AccessKeyId!": "ASIA", "SecretAccessKey!": "secret",
            "SessionToken!": "token", "Expiration!": "2026-01-02T03:04:05Z" }, "AssumedRoleUser!": {
            "AssumedRoleId!": "AROA:ann", "Arn!": "arn:r" }, "PackedPolicySize": 5, "SourceIdentity": "ann" }),
        (Service::XksConsole, "DescribeExternalKey") => json!({
            "KeySpec!": "AES_256", "KeyUsage!": ["ENCRYPT"], "KeyStatus!": "ENABLED" }),
        (Service::XksConsole, "ListExternalKeys") => json!({ "Partitions!": [{ "Name!": "oslo",
            "UriPath!": "/oslo/kms/xks/v1", "AccessKeyIds!": ["AAAA"], "Keys!": [{ "Id!": "ext-1", "ManagerId!": "m-1",
            "Spec!": "AES_256", "Usage!": ["ENCRYPT"], "Enabled": true, "Version": 1, "Encryptions": 7,
            "Callers": ["arn:u"] }] }] }),
        (Service::XksConsole, "CreatePartition" | "RotateProxyCredential") => json!({ "Configuration!": "{}" }),
        (Service::XksConsole, "ListProxyRequests") => json!({ "Requests!": [{ "time": "2026-01-02T03:04:05Z",
            "partition!": "oslo", "operation!": "Encrypt", "externalKeyId": "ext-1", "accessKeyId": "AAAA", "status": 200,
            "errorName": "E", "deniedBy": "arn:u", "microseconds": 7, "awsPrincipalArn": "arn:u",
            "kmsOperation": "Encrypt", "kmsRequestId": "r-1", "kmsKeyArn": "arn:1", "kmsViaService": "s3",
            "awsSourceVpc": "vpc-1", "awsSourceVpce": "vpce-1" }] }),
        (Service::XksConsole, "ListProxyRoutes") => json!({ "Routes!": [{ "Host!": "proxy.example",
            "Address": "127.0.0.1:443", "CertificateAuthorities": "PEM" }] }),
        (Service::XksConsole, "PutProxyFault") => proxy_fault("!"),
        (Service::XksConsole, "ListProxyFaults") => json!({ "Faults!": [proxy_fault("")] }),
        (Service::XksConsole, "ListWorkloads") => json!({ "Workloads!": [{ "Name!": "shop", "RoleArn!": "arn:r",
            "KeyId!": "alias/a", "Operation!": "Decrypt", "IntervalSeconds": 900, "DataKeyCacheSeconds": 60,
            "CachedUntil": 1_700_000_000, "LastRun": 1_700_000_000, "Requests": 2, "Failures": 1,
            "FailingSince": 1_700_000_000, "ErrorCode": "E", "ErrorMessage": "m" }] }),
        (Service::XksConsole, "ListFlows") => json!({ "Flows!": [{ "flowId!": "r-1", "time": "2026-01-02T03:04:05Z",
            "operation": "Encrypt", "caller": "arn:u", "keyArn": "arn:1", "microseconds": 7, "errorCode": "E",
            "refusedAt": "Proxy" }], "NextToken": "t" }),
        (Service::XksConsole, "GetFlow") => json!({ "Flow!": "{}" }),
        (Service::XksConsole, "DescribeAccountClock" | "AdvanceAccountClock") => {
            json!({ "Time!": 1_700_000_000, "SecondsAhead!": 7 })
        }
        (Service::Kms | Service::Iam | Service::XksConsole, name) if has_empty_response(name) => json!({}),
        _ => panic!("{operation} has no sample response"),
    }
}

/// Returns a sample fault. `mark` marks the numbers: they are required outside a list.
fn proxy_fault(mark: &str) -> Value {
    let mut fault = json!({ "Fault!": "xks:* tls", "Target!": "All operations", "Failure!": "tls", "Effect!": "It fails.",
        "Schedule!": "every request", "EndDate": 1_700_000_000 });
    for (name, value) in [
        ("Id", json!(1)),
        ("IsActive", json!(true)),
        ("MatchedRequests", json!(2)),
        ("FailedRequests", json!(1)),
        ("CreationDate", json!(1_700_000_000)),
    ] {
        fault[format!("{name}{mark}")] = value;
    }
    fault
}

/// Whether a successful response of the operation is empty.
fn has_empty_response(operation: &str) -> bool {
    [
        "EnableKey DisableKey UpdateKeyDescription EnableKeyRotation DisableKeyRotation CreateAlias UpdateAlias DeleteAlias",
        "TagResource UntagResource PutKeyPolicy RevokeGrant RetireGrant UpdateCustomKeyStore DeleteCustomKeyStore",
        "ConnectCustomKeyStore DisconnectCustomKeyStore DeleteUser DeleteRole PutUserPolicy DeleteUserPolicy PutRolePolicy",
        "DeleteRolePolicy DeleteAccessKey CreateExternalKey EnableExternalKey DisableExternalKey RotateExternalKey",
        "DeleteExternalKey RevokeProxyCredential PutProxyRoute DeleteProxyFault DeleteProxyFaults",
    ]
    .iter()
    .any(|names| names.split(' ').any(|name| name == operation))
}

fn user() -> Value {
    json!({ "Path!": "/", "UserName!": "ann", "UserId!": "AIDA", "Arn!": "arn:u", "CreateDate!": "2026-01-02T03:04:05Z",
        "Tags": { "member": [{ "Key!": "team", "Value!": "payments" }] } })
}

fn role() -> Value {
    json!({ "Path!": "/", "RoleName!": "ops", "RoleId!": "AROA", "Arn!": "arn:r", "CreateDate!": "2026-01-02T03:04:05Z",
        "AssumeRolePolicyDocument": "%7B%7D", "Description": "operators", "MaxSessionDuration": 3600,
        "Tags": { "member": [{ "Key!": "team", "Value!": "payments" }] } })
}

/// Marks only `id` as required, for a structure that is the whole response.
fn only_id_required(structure: Value, id: &str) -> Value {
    let Value::Object(members) = structure else { panic!("the sample isn't a structure") };
    let marked = members.into_iter().map(|(name, member)| {
        let name = name.trim_end_matches('!');
        (if name == id { format!("{name}!") } else { name.to_owned() }, member)
    });
    Value::Object(marked.collect())
}

/// Returns the sample without its `!` markers.
fn without_markers(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.trim_end_matches('!').to_owned(), without_markers(member)))
            .collect(),
        Value::Array(items) => items.iter().map(without_markers).collect(),
        scalar => scalar.clone(),
    }
}

/// Encodes `value` as a response body. The XML contains unknown attributes, and with `repeated`, duplicate elements.
fn encode_body<O: Operation>(value: &Value, repeated: bool) -> Vec<u8> {
    fn enclosing_element(name: &str, value: &Value, repeated: bool, out: &mut String) {
        if let Value::Array(items) = value {
            for item in items {
                enclosing_element(name, item, repeated, out);
            }
            return;
        }
        write!(out, "<{name} added=\"1\">").unwrap();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    enclosing_element(name, member, repeated, out);
                    if repeated && name != "member" {
                        write!(out, "<{name}>again</{name}><{name}><Again/></{name}>").unwrap();
                    }
                }
            }
            Value::String(text) => out.push_str(&quick_xml::escape::escape(text.as_str())),
            scalar => out.push_str(&scalar.to_string()),
        }
        write!(out, "</{name}>").unwrap();
    }
    match O::SERVICE.protocol() {
        Protocol::Json { .. } => serde_json::to_vec(value).unwrap(),
        Protocol::Query { namespace, .. } => {
            let mut result = String::new();
            enclosing_element(&format!("{}Result", O::NAME), value, repeated, &mut result);
            format!(
                "<?xml version=\"1.0\"?>\n<{0}Response xmlns=\"{namespace}\"><Added><Added/></Added>{result}\
                 <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{0}Response>",
                O::NAME
            )
            .into_bytes()
        }
    }
}

/// Decodes a response and serializes the result.
fn round_trip<O: Operation>(value: &Value) -> Result<Value, CodecError> {
    decode_response::<O>(&encode_body::<O>(value, false)).map(|answer| serde_json::to_value(answer).unwrap())
}

/// Returns the JSON pointers of all values below `value`, outer values first.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let below = |(name, member): (String, &Value)| {
        let deeper = pointers(member).into_iter().map(|pointer| format!("/{name}{pointer}")).collect::<Vec<_>>();
        [vec![format!("/{name}")], deeper].concat()
    };
    inner.into_iter().flat_map(below).collect()
}

fn split_pointer(pointer: &str) -> (&str, &str) {
    pointer.rsplit_once('/').unwrap()
}

/// Returns the innermost list that contains the pointer, and the list element that contains it.
fn enclosing_element(pointer: &str) -> Option<(&str, &str)> {
    let steps: Vec<usize> = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]).collect();
    let at = steps.windows(2).rposition(|step| pointer[step[0] + 1..step[1]].parse::<usize>().is_ok())?;
    Some((&pointer[..steps[at]], &pointer[..steps[at + 1]]))
}

/// Whether a string is a blob or a timestamp, for which AWS can't add new values.
fn has_fixed_format(pointer: &str) -> bool {
    ["CiphertextBlob", "Plaintext", "time"].contains(&split_pointer(pointer).1)
}

/// Whether a list element reports that part of it couldn't be read.
fn reports_problem(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key(PROBLEM) || members.values().any(reports_problem),
        Value::Array(items) => items.iter().any(reports_problem),
        Value::String(text) => text == UNREADABLE,
        _ => false,
    }
}

/// Whether the value contains no strings.
fn has_no_strings(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(has_no_strings),
        Value::Array(items) => items.iter().all(has_no_strings),
        scalar => !scalar.is_string(),
    }
}

/// Checks each operation that it visits.
#[derive(Default)]
struct CompatibilityChecker {
    operations: usize,
    changes: usize,
}

impl CompatibilityChecker {
    /// Decodes a changed response, which must succeed.
    fn decode_changed<O: Operation>(&mut self, what: &str, changed: &Value) -> Value {
        self.changes += 1;
        round_trip::<O>(changed).unwrap_or_else(|error| panic!("{} with {what}: {error}\n{changed:#}", O::NAME))
    }

    fn check_new_value<O: Operation>(&mut self, pointer: &str, sample: &Value) {
        let mut changed = sample.clone();
        *changed.pointer_mut(pointer).unwrap() = "ADDED_LATER".into();
        assert_eq!(
            self.decode_changed::<O>(&format!("a new value of {pointer}"), &changed),
            changed,
            "{} {pointer}",
            O::NAME
        );
    }

    fn check_new_members<O: Operation>(&mut self, pointer: &str, sample: &Value) {
        let json = matches!(O::SERVICE.protocol(), Protocol::Json { .. });
        let nulls = [Value::Null, json!([null])];
        let members = [json!({ "A": { "B": ["c"] } }), json!([1, "a"]), json!("text"), json!({})];
        for member in members.into_iter().chain(nulls.into_iter().filter(|_| json)) {
            let mut changed = sample.clone();
            changed.pointer_mut(pointer).unwrap()["AddedLater"] = member;
            assert_eq!(
                self.decode_changed::<O>(&format!("a new member in {pointer}"), &changed),
                *sample,
                "{} {pointer}",
                O::NAME
            );
        }
    }

    /// Outside lists, optional members may be missing and required members must not.
    fn check_missing_member<O: Operation>(&mut self, pointer: &str, is_required: bool, sample: &Value) {
        let (structure, name) = split_pointer(pointer);
        let mut changed = sample.clone();
        changed.pointer_mut(structure).unwrap().as_object_mut().unwrap().shift_remove(name);
        if is_required {
            let reason = round_trip::<O>(&changed).expect_err(&format!("{} without {pointer}", O::NAME));
            assert!(reason.0.contains(name), "{} without {pointer}: {reason}", O::NAME);
        } else {
            self.decode_changed::<O>(&format!("no {pointer}"), &changed);
        }
    }

    /// A changed list element reports its problem and doesn't affect the element that follows it.
    fn check_changed_element<O: Operation>(&mut self, pointer: &str, is_required: bool, sample: &Value) {
        let Some((list, first)) = enclosing_element(pointer) else { return };
        let whole = sample.pointer(first).unwrap().clone();
        let member = sample.pointer(pointer).unwrap();
        let is_json = matches!(O::SERVICE.protocol(), Protocol::Json { .. });
        let mut forms = vec![None, Some(json!({ "New": "1" }))];
        if is_json {
            forms.extend([Some(Value::Null), Some(json!([["new"]]))]);
            forms.push(Some(if member.is_string() { json!(7) } else { json!("new") }));
        } else if !member.is_string() {
            forms.push(Some(json!("new")));
        }
        for form in forms {
            let what = form.as_ref().map_or("nothing".to_owned(), Value::to_string);
            let what = format!("{what} at {pointer}");
            let mut changed = sample.clone();
            changed.pointer_mut(list).unwrap().as_array_mut().unwrap().push(whole.clone());
            let is_missing = form.as_ref().is_none_or(Value::is_null);
            let is_same = form.as_ref().is_some_and(|form| form.is_object() && member.is_object());
            match form {
                Some(form) => *changed.pointer_mut(pointer).unwrap() = form,
                // A missing element can't be observed.
                None if pointer == first => continue,
                None => {
                    let (structure, name) = split_pointer(pointer);
                    changed.pointer_mut(structure).unwrap().as_object_mut().unwrap().shift_remove(name);
                }
            }
            let out = self.decode_changed::<O>(&what, &changed);
            let elements = out.pointer(list).and_then(Value::as_array).unwrap();
            assert_eq!((elements.len(), &elements[1]), (2, &whole), "{} with {what}", O::NAME);
            if is_missing && !is_required && pointer != first {
                assert!(!reports_problem(&elements[0]), "{} with {what}: {:#}", O::NAME, elements[0]);
            } else if !has_no_strings(member) && !is_same && !has_fixed_format(pointer) || is_required {
                assert!(reports_problem(&elements[0]), "{} with {what}: {:#}", O::NAME, elements[0]);
            }
        }
    }
}

impl OperationVisitor for CompatibilityChecker {
    fn visit<O: Operation + Default + 'static>(&mut self) {
        let marked = sample(O::SERVICE, O::NAME);
        let sample = without_markers(&marked);
        O::Response::deserialize(CompleteSample(&sample, O::NAME))
            .unwrap_or_else(|error| panic!("{}: {error}", O::NAME));
        assert_eq!(round_trip::<O>(&sample).as_ref(), Ok(&sample), "{}", O::NAME);
        let twice = decode_response::<O>(&encode_body::<O>(&sample, true)).unwrap();
        assert_eq!(serde_json::to_value(twice).unwrap(), sample, "{}", O::NAME);
        self.operations += 1;
        self.check_new_members::<O>("", &sample);
        for marked_place in pointers(&marked) {
            let pointer = marked_place.replace('!', "");
            let is_required = marked_place.ends_with('!');
            let is_member = split_pointer(&pointer).1.parse::<usize>().is_err();
            match sample.pointer(&pointer).unwrap() {
                Value::String(_) if !has_fixed_format(&pointer) => self.check_new_value::<O>(&pointer, &sample),
                // The members of an encryption context are names that customers choose.
                Value::Object(_) if !pointer.contains("/EncryptionContext") => {
                    self.check_new_members::<O>(&pointer, &sample);
                }
                Value::Array(items) => assert!(!items.is_empty(), "{}: {pointer} is empty", O::NAME),
                _ => {}
            }
            let is_in_a_list = enclosing_element(&pointer).is_some();
            if is_member && !is_in_a_list {
                self.check_missing_member::<O>(&pointer, is_required, &sample);
            }
            let is_context = pointer.contains("/EncryptionContext");
            if is_in_a_list && !is_context && !pointer.ends_with("/member") {
                self.check_changed_element::<O>(&pointer, is_required, &sample);
            }
        }
    }
}

#[test]
fn every_response_tolerates_additions_and_a_broken_element_does_not_affect_the_others() {
    let mut checker = CompatibilityChecker::default();
    visit_all(&mut checker);
    assert!(checker.operations > 70 && checker.changes > 1900, "{} {}", checker.operations, checker.changes);
}

#[test]
fn empty_iam_response_needs_no_result_element() {
    let xml = "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata/>\
               </DeleteUserResponse>";
    assert!(decode_response::<super::iam::DeleteUser>(xml.as_bytes()).is_ok());
    assert!(decode_response::<super::iam::GetUser>(xml.replace("DeleteUser", "GetUser").as_bytes()).is_err());
}

/// A sample that must contain every member that the response type has.
struct CompleteSample<'a>(&'a Value, &'static str);

impl<'de> IntoDeserializer<'de, Error> for CompleteSample<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for CompleteSample<'de> {
    type Error = Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let operation = self.1;
        match self.0 {
            Value::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(|item| CompleteSample(item, operation))))
            }
            Value::Object(members) => visitor.visit_map(MapDeserializer::new(
                members.iter().map(|(name, member)| (name.as_str(), CompleteSample(member, operation))),
            )),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let empty = Map::new();
        let members = self.0.as_object().unwrap_or(&empty);
        for field in fields.iter().filter(|field| **field != PROBLEM) {
            assert!(members.contains_key(*field), "the sample of {} has no {field}", self.1);
        }
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}
