//! Tests that the answers from cached records are the answers from the database.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::BundledAws;
use crate::aws::sigv4::Credentials;
use crate::client::named_call::NamedOperation;
use crate::client::{Client, InProcess};
use crate::environment::Clock;

const KEYS: [&str; 2] = ["alias/customer-db", "alias/app-logs"];
const ALIAS: &str = "alias/moved";
const USER: &str = "arn:aws:iam::444455556666:user/partner.analyst";

/// A process that uses the account, with clients of an administrator and of a user that has permissions only at times.
struct Process {
    aws: BundledAws,
    admin: Client,
    user: Client,
}

fn client(aws: &BundledAws, credentials: Credentials) -> Client {
    let aws = aws.clone();
    let transport = InProcess::new(move |request| {
        let aws = aws.clone();
        Box::pin(async move { aws.handle(request).await })
    });
    Client::new(Arc::new(transport), credentials, BundledAws::REGION, Clock::System)
}

impl Process {
    fn open(dir: &Path) -> Self {
        let aws = BundledAws::open(dir, None).unwrap();
        let user = aws.access_keys().unwrap().into_iter().find(|key| key.user_name == "partner.analyst").unwrap();
        let (admin, user) = (client(&aws, aws.console_credentials()), client(&aws, user.credentials));
        Self { aws, admin, user }
    }
}

/// Returns the output, or the code of the error.
async fn call(client: &Client, name: &str, input: Value) -> Result<Value, String> {
    let output = NamedOperation::find(name).unwrap().call(client, input).await;
    output.map_err(|error| error.to_string().split(':').next().unwrap_or_default().to_owned())
}

/// The keys that the steps are about, and the key store of the first one.
struct Subjects {
    keys: [String; 2],
    key_store: String,
}

impl Subjects {
    async fn find(process: &Process) -> Self {
        let mut found = Vec::new();
        for key in KEYS {
            found.push(
                call(&process.admin, "kms:DescribeKey", json!({"KeyId": key})).await.unwrap()["KeyMetadata"].take(),
            );
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { keys: [text(&found[0]["Arn"]), text(&found[1]["Arn"])], key_store: text(&found[0]["CustomKeyStoreId"]) }
    }
}

fn policy(effect: &str) -> String {
    let statement = |effect: &str, principal: &str, action: &str| json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": "*"});
    let root = statement("Allow", "arn:aws:iam::111122223333:root", "kms:*");
    let mut user = statement(effect, USER, "kms:*");
    user["Condition"] = json!({"StringEquals": {"aws:ResourceTag/team": "data"}});
    json!({"Version": "2012-10-17", "Statement": [root, user]}).to_string()
}

const STEPS: usize = 25;

/// Makes one change. Some of them fail, depending on those before.
async fn make_change(process: &Process, subjects: &Subjects, step: usize, key: usize) {
    let (id, store) = (&subjects.keys[key], &subjects.key_store);
    let id_only = json!({"KeyId": id});
    let store_only = json!({"CustomKeyStoreId": store});
    let (name, input) = match step {
        0 => ("kms:CreateAlias", json!({"AliasName": ALIAS, "TargetKeyId": id})),
        1 | 2 => ("kms:UpdateAlias", json!({"AliasName": ALIAS, "TargetKeyId": id})),
        3 => ("kms:DeleteAlias", json!({"AliasName": ALIAS})),
        4 => ("kms:DisableKey", id_only),
        5 | 6 => ("kms:EnableKey", id_only),
        7 => ("kms:PutKeyPolicy", json!({"KeyId": id, "PolicyName": "default", "Policy": policy("Allow")})),
        8 => ("kms:PutKeyPolicy", json!({"KeyId": id, "PolicyName": "default", "Policy": policy("Deny")})),
        9 => ("kms:ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 30})),
        10 | 11 => ("kms:CancelKeyDeletion", id_only),
        12 => ("kms:RotateKeyOnDemand", id_only),
        13 => ("kms:DisconnectCustomKeyStore", store_only),
        14 | 15 => ("kms:ConnectCustomKeyStore", store_only),
        16 => ("kms:UpdateKeyDescription", json!({"KeyId": id, "Description": format!("{key}")})),
        17 => ("kms:TagResource", json!({"KeyId": id, "Tags": [{"TagKey": "team", "TagValue": "data"}]})),
        18 => ("kms:CreateKey", json!({})),
        19 => ("xks-console:PutProxyFault", json!({"Fault": "xks:Encrypt tls"})),
        20 => ("xks-console:DeleteProxyFaults", json!({})),
        21 => ("kms:EnableKeyRotation", id_only),
        22 => ("kms:UntagResource", json!({"KeyId": id, "TagKeys": ["team"]})),
        23 => {
            let grant = json!({"KeyId": id, "GranteePrincipal": USER, "Operations": ["Encrypt"], "Name": "some"});
            ("kms:CreateGrant", grant)
        }
        _ => {
            let grants = call(&process.admin, "kms:ListGrants", json!({"KeyId": id, "GranteePrincipal": USER})).await;
            let grant = grants.ok().map(|grants| grants["Grants"][0]["GrantId"].clone()).unwrap_or_default();
            ("kms:RevokeGrant", json!({"KeyId": id, "GrantId": grant}))
        }
    };
    let _ = call(&process.admin, name, input).await;
    if name.ends_with("CustomKeyStore") {
        // Completes the connection or disconnection.
        call(&process.admin, "xks-console:AdvanceAccountClock", json!({"Seconds": 60})).await.unwrap();
    }
}

/// Returns what both callers see through records that are cached.
async fn observe(process: &Process, subjects: &Subjects) -> Vec<Result<Value, String>> {
    let mut seen = Vec::new();
    for id in subjects.keys.iter().map(String::as_str).chain([ALIAS]) {
        seen.push(call(&process.admin, "kms:DescribeKey", json!({"KeyId": id})).await);
    }
    for id in &subjects.keys {
        for caller in [&process.admin, &process.user] {
            let input = json!({"KeyId": id, "Plaintext": "c2VjcmV0"});
            seen.push(call(caller, "kms:Encrypt", input).await.map(|_| Value::Null));
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn answers_from_cached_records_equal_those_from_the_database(
        steps in prop::collection::vec((0..2_usize, 0..STEPS, 0..2_usize), 1..30)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let processes = [Process::open(dir.path()), Process::open(dir.path())];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let subjects = Subjects::find(&processes[0]).await;
            for (writer, step, key) in steps {
                make_change(&processes[writer], &subjects, step, key).await;
                for process in &processes {
                    let from_cache = observe(process, &subjects).await;
                    process.aws.0.store.clear_cache();
                    let from_database = observe(process, &subjects).await;
                    prop_assert_eq!(from_cache, from_database, "after step {} of process {}", step, writer);
                }
            }
            Ok(())
        })?;
    }
}
