//! Authorization of every kind of caller by key policies, grants, IAM policies, and role sessions.

use serde_json::{Value, json};

use xks_console::aws::kms::*;
use xks_console::aws::operation::Operation;
use xks_console::aws::scalar::{Blob, SecretBlob, SecretString};
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::{AssumeRole, GetCallerIdentity};
use xks_console::bundled::BundledAws;
use xks_console::client::{CallError, Client, InProcess};
use xks_console::create_key::account_state::AccountState;
use xks_console::create_key::draft::KeyDraft;
use xks_console::environment::{Clock, Environment};

const ACCOUNT: &str = "arn:aws:iam::111122223333";
const OTHER: &str = "arn:aws:iam::444455556666";

struct Aws {
    bundled: BundledAws,
    clock: Clock,
}

impl Aws {
    fn new() -> Self {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 11);
        Self { bundled: BundledAws::in_memory("default", environment.clone()).unwrap(), clock: environment.clock }
    }

    fn client(&self, credentials: Credentials) -> Client {
        let aws = self.bundled.clone();
        let transport = InProcess::new(move |request| {
            let aws = aws.clone();
            Box::pin(async move { aws.handle(request).await })
        });
        Client::new(std::sync::Arc::new(transport), credentials, "us-west-2", self.clock.clone())
    }

    /// Returns a client with the access key of a user.
    fn user(&self, name: &str) -> Client {
        let keys = self.bundled.access_keys().unwrap();
        self.client(keys.into_iter().find(|key| key.user_name == name).unwrap().credentials)
    }

    fn admin(&self) -> Client {
        self.user("Admin")
    }

    /// Assumes a role as the user `by` and returns a client with the session's credentials.
    async fn assume_role(&self, by: &str, arn: &str, policy: Option<Value>) -> Result<Client, CallError> {
        let request = AssumeRole {
            role_arn: arn.to_owned(),
            role_session_name: "it".to_owned(),
            policy: policy.map(|policy| policy.to_string()),
            ..AssumeRole::default()
        };
        let credentials = self.user(by).call(&request).await?.credentials;
        Ok(self.client(Credentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: Some(credentials.session_token),
        }))
    }

    /// Creates a key with these policy statements and one that lets its creator change the policy again.
    async fn create_key(&self, statements: Vec<Value>) -> String {
        let mut all = vec![json!({
            "Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": { "AWS": format!("{ACCOUNT}:root") }, "Action": "kms:*", "Resource": "*"
        })];
        all.extend(statements);
        let policy = json!({ "Version": "2012-10-17", "Statement": all });
        let request = CreateKey { policy: Some(policy.to_string()), ..CreateKey::default() };
        self.admin().call(&request).await.unwrap().key_metadata.arn
    }
}

fn allow_statement(principal: &str, actions: &[&str]) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": actions, "Resource": "*" })
}

fn policy_document(effect: &str, actions: &[&str]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": effect, "Action": actions, "Resource": "*" }] })
}

fn encrypt(key: &str) -> Encrypt {
    Encrypt { key_id: key.to_owned(), plaintext: SecretBlob::new(b"x".to_vec()), ..Encrypt::default() }
}

fn encrypt_with_context(key: &str, pairs: &[(&str, &str)]) -> Encrypt {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Encrypt { encryption_context: Some(pairs), ..encrypt(key) }
}

fn schedule_deletion(key: &str) -> ScheduleKeyDeletion {
    ScheduleKeyDeletion { key_id: key.to_owned(), pending_window_in_days: Some(7) }
}

async fn is_allowed<O: Operation>(client: &Client, request: O) -> bool {
    match client.call(&request).await {
        Ok(_) => true,
        Err(CallError::Service(error)) if error.has_code("AccessDenied") => false,
        Err(other) => panic!("{other}"),
    }
}

async fn denial_message<O: Operation>(client: &Client, request: O) -> String {
    match client.call(&request).await {
        Err(CallError::Service(error)) => error.message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the request was allowed"),
    }
}

#[tokio::test]
async fn key_users_can_use_the_key_and_key_administrators_can_administer_it() {
    let aws = Aws::new();
    let (user, administrator) =
        (format!("{ACCOUNT}:user/payments/grace.liu"), format!("{ACCOUNT}:user/data/jonas.bauer"));
    let policy = |may_delete: bool| {
        let draft = KeyDraft {
            administrators: vec![administrator.clone()],
            users: vec![user.clone()],
            administrators_may_delete: may_delete,
            ..KeyDraft::in_key_store("cks-1".to_owned())
        };
        let account_state = AccountState { account_id: "111122223333".to_owned(), ..Default::default() };
        draft.generated_policy(&account_state)
    };
    let request = |may_delete| CreateKey { policy: Some(policy(may_delete)), ..CreateKey::default() };
    let key = aws.admin().call(&request(true)).await.unwrap().key_metadata.arn;
    let (grace, jonas) = (aws.user("grace.liu"), aws.user("jonas.bauer"));
    assert!(is_allowed(&grace, encrypt(&key)).await && !is_allowed(&grace, schedule_deletion(&key)).await);
    assert!(!is_allowed(&jonas, encrypt(&key)).await && is_allowed(&jonas, DisableKey { key_id: key.clone() }).await);
    assert!(
        is_allowed(&jonas, EnableKey { key_id: key.clone() }).await
            && is_allowed(&jonas, schedule_deletion(&key)).await
    );
    assert_eq!(
        denial_message(&grace, schedule_deletion(&key)).await,
        format!(
            "User: {user} is not authorized to perform: kms:ScheduleKeyDeletion on resource: {key} because no \
             identity-based policy allows the kms:ScheduleKeyDeletion action"
        )
    );
    // Clearing *Allow key administrators to delete this key* denies deletion.
    let key = aws.admin().call(&request(false)).await.unwrap().key_metadata.arn;
    assert!(!is_allowed(&jonas, schedule_deletion(&key)).await && is_allowed(&jonas, DisableKey { key_id: key }).await);
}

#[tokio::test]
async fn explicit_deny_overrides_every_allow() {
    let aws = Aws::new();
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": format!("{ACCOUNT}:user/Admin") },
        "Action": "kms:Encrypt", "Resource": "*" });
    let key = aws.create_key(vec![deny]).await;
    assert!(!is_allowed(&aws.admin(), encrypt(&key)).await);
    let message = denial_message(&aws.admin(), encrypt(&key)).await;
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
    let grant = CreateGrant {
        key_id: key.clone(),
        grantee_principal: Some(format!("{ACCOUNT}:user/Admin")),
        operations: vec!["Encrypt".to_owned()],
        ..CreateGrant::default()
    };
    aws.admin().call(&grant).await.unwrap();
    assert!(!is_allowed(&aws.admin(), encrypt(&key)).await, "a deny overrides a grant");
}

#[tokio::test]
async fn operations_without_a_key_need_only_iam_permissions() {
    let aws = Aws::new();
    let (grace, maria, jonas) = (aws.user("grace.liu"), aws.user("maria.nowak"), aws.user("jonas.bauer"));
    assert!(is_allowed(&grace, ListKeys::default()).await && !is_allowed(&grace, CreateKey::default()).await);
    assert!(is_allowed(&maria, DescribeCustomKeyStores::default()).await);
    assert!(!is_allowed(&jonas, ListAliases::default()).await && is_allowed(&jonas, GetCallerIdentity {}).await);
    let message = denial_message(&jonas, ListKeys::default()).await;
    assert_eq!(
        message,
        format!(
            "User: {ACCOUNT}:user/data/jonas.bauer is not authorized to perform: kms:ListKeys on resource: * because no \
             identity-based policy allows the kms:ListKeys action"
        )
    );
    // The key policies leave read access to IAM policies.
    assert!(is_allowed(&maria, DescribeKey::new("alias/customer-db".to_owned())).await);
    assert!(!is_allowed(&maria, encrypt("alias/customer-db")).await);
    // Creating an alias needs permission on the alias, from IAM, and on the key, from the key policy.
    let key = aws
        .create_key(vec![allow_statement(&format!("{ACCOUNT}:user/payments/grace.liu"), &["kms:CreateAlias"])])
        .await;
    let alias = CreateAlias { alias_name: "alias/grace".to_owned(), target_key_id: key };
    assert!(!is_allowed(&grace, alias.clone()).await && is_allowed(&aws.admin(), alias).await);
}

#[tokio::test]
async fn assuming_a_role_needs_trust_and_iam_and_its_session_expires() {
    let aws = Aws::new();
    let role = format!("{ACCOUNT}:role/payments/PaymentsApi");
    let key = aws.create_key(vec![allow_statement(&role, &["kms:Encrypt", "kms:Decrypt"])]).await;
    let session = aws.assume_role("grace.liu", &role, None).await.unwrap();
    let caller = session.call(&GetCallerIdentity {}).await.unwrap();
    assert_eq!(caller.arn, "arn:aws:sts::111122223333:assumed-role/PaymentsApi/it");
    assert!(is_allowed(&session, encrypt(&key)).await && !is_allowed(&session, schedule_deletion(&key)).await);
    // A session policy restricts what the key policy allows.
    let narrow = aws.assume_role("grace.liu", &role, Some(policy_document("Allow", &["kms:Decrypt"]))).await.unwrap();
    assert!(!is_allowed(&narrow, encrypt(&key)).await);
    assert!(denial_message(&narrow, encrypt(&key)).await.ends_with("no session policy allows the kms:Encrypt action"));
    for (by, role) in
        [("jonas.bauer", &*role), ("grace.liu", &*format!("{ACCOUNT}:role/ops/OpsOnCall")), ("Admin", "nobody")]
    {
        let Err(CallError::Service(error)) = aws.assume_role(by, role, None).await else {
            panic!("{by} must not assume the role")
        };
        assert!(error.has_code("AccessDenied") && error.status == 403, "{error}");
    }
    assert!(aws.assume_role("partner.analyst", &format!("{OTHER}:role/PartnerDecrypt"), None).await.is_ok());
    assert!(aws.assume_role("partner.analyst", &role, None).await.is_err(), "the trust policy names another account");
    aws.clock.advance(jiff::SignedDuration::from_secs(3600));
    let Err(CallError::Service(error)) = session.call(&ListKeys::default()).await else {
        panic!("the call must fail after the session expires")
    };
    assert_eq!(error.code, "ExpiredTokenException");
}

#[tokio::test]
async fn trust_policy_can_require_mfa_code_of_the_caller() {
    let aws = Aws::new();
    let device = aws.bundled.mfa_device().unwrap();
    assert_eq!(device.serial, "arn:aws:iam::111122223333:mfa/Admin");
    let again = aws.bundled.mfa_device().unwrap();
    assert_eq!(again.seed, device.seed, "the device is created only once");
    let code = |seconds: i64| super::sign_in::mfa_code(&device.seed, aws.clock.now().as_second() + seconds);
    let assume = async |by: &str, role: &str, serial: Option<&str>, code: Option<String>| {
        let request = AssumeRole {
            role_arn: format!("{ACCOUNT}:role/{role}"),
            role_session_name: "it".to_owned(),
            serial_number: serial.map(str::to_owned),
            token_code: code.map(SecretString::new),
            ..AssumeRole::default()
        };
        match aws.user(by).call(&request).await {
            Ok(_) => "assumed".to_owned(),
            Err(CallError::Service(error)) => format!("{} {}", error.status, error),
            Err(other) => panic!("{other}"),
        }
    };
    let serial = Some(&*device.serial);
    let wrong = if code(0) == "000000" { "000001" } else { "000000" };
    for (by, role, serial, code, message) in [
        ("Admin", "security/BreakGlass", None, None, "403 AccessDenied: User: arn:aws:iam::111122223333:user/Admin"),
        (
            "Admin",
            "security/BreakGlass",
            serial,
            None,
            "403 AccessDenied: MultiFactorAuthentication failed, must provide",
        ),
        (
            "Admin",
            "security/BreakGlass",
            None,
            Some(code(0)),
            "403 AccessDenied: MultiFactorAuthentication failed, must",
        ),
        ("Admin", "security/BreakGlass", serial, Some("12345".to_owned()), "400 Validation"),
        ("Admin", "security/BreakGlass", serial, Some("12345x".to_owned()), "400 Validation"),
        ("Admin", "security/BreakGlass", Some("short"), Some(code(0)), "400 Validation"),
        ("Admin", "security/BreakGlass", serial, Some(wrong.to_owned()), "with invalid MFA one time pass code"),
        ("Admin", "security/BreakGlass", serial, Some(code(-120)), "with invalid MFA one time pass code"),
        ("grace.liu", "payments/PaymentsApi", serial, Some(code(0)), "unable to validate MFA code"),
        ("Admin", "security/BreakGlass", serial, Some(code(0)), "assumed"),
        ("Admin", "security/BreakGlass", serial, Some(code(0)), "with invalid MFA one time pass code"),
        ("Admin", "security/BreakGlass", serial, Some(code(-30)), "with invalid MFA one time pass code"),
        ("Admin", "security/SecurityAudit", serial, Some(code(30)), "assumed"),
    ] {
        let found = assume(by, role, serial, code).await;
        assert!(found.contains(message), "{by} {role} {serial:?}: {found}");
    }
}

#[tokio::test]
async fn role_sessions_report_mfa_absent_and_user_access_keys_omit_it() {
    let aws = Aws::new();
    let with = |condition: Value| json!({ "Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*", "Condition": condition });
    for (condition, by_role, by_user) in [
        (json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }), true, false),
        (json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }), false, false),
        (json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" } }), false, true),
    ] {
        let key = aws.create_key(vec![with(condition)]).await;
        let role = aws.assume_role("grace.liu", &format!("{ACCOUNT}:role/payments/PaymentsApi"), None).await.unwrap();
        let found = (is_allowed(&role, encrypt(&key)).await, is_allowed(&aws.user("jonas.bauer"), encrypt(&key)).await);
        assert_eq!(found, (by_role, by_user));
    }
}

#[tokio::test]
async fn cross_account_access_needs_key_policy_and_iam_policy() {
    let aws = Aws::new();
    let partner = aws.user("partner.analyst");
    let shared = aws
        .create_key(vec![allow_statement(&format!("{OTHER}:root"), &["kms:Encrypt", "kms:Decrypt", "kms:EnableKey"])])
        .await;
    let unshared = aws.create_key(vec![]).await;
    assert!(is_allowed(&partner, encrypt(&shared)).await);
    let blob = partner.call(&encrypt(&shared)).await.unwrap().ciphertext_blob;
    let decrypt = Decrypt { ciphertext_blob: blob, ..Decrypt::default() };
    assert!(is_allowed(&partner, decrypt.clone()).await && is_allowed(&aws.admin(), decrypt).await);
    // An inaccessible key and a key that doesn't exist give the same message.
    let missing = "arn:aws:kms:us-west-2:111122223333:key/00000000-0000-4000-8000-000000000000";
    let messages =
        [denial_message(&partner, encrypt(&unshared)).await, denial_message(&partner, encrypt(missing)).await];
    assert_eq!(messages[0], messages[1]);
    assert!(messages[0].contains("user/partner.analyst is not authorized to perform: kms:Encrypt on this resource"));
    // Other accounts can't call some operations, whatever the key policy says.
    assert!(!is_allowed(&partner, EnableKey { key_id: shared.clone() }).await);
    // The partner's IAM policy doesn't allow GenerateRandom.
    assert!(!is_allowed(&partner, GenerateRandom { number_of_bytes: Some(1), ..Default::default() }).await);
    let role = aws.assume_role("partner.analyst", &format!("{OTHER}:role/PartnerDecrypt"), None).await.unwrap();
    assert!(is_allowed(&role, encrypt(&shared)).await);
}

#[tokio::test]
async fn conditions_match_encryption_context_origin_tags_and_waiting_period() {
    let aws = Aws::new();
    let grace = format!("{ACCOUNT}:user/payments/grace.liu");
    let with = |action: &str, condition: Value| json!({ "Effect": "Allow", "Principal": { "AWS": grace }, "Action": action, "Resource": "*", "Condition": condition });
    let key = aws
        .create_key(vec![
            with("kms:Encrypt", json!({ "StringEquals": { "kms:EncryptionContext:project": "nile" } })),
            with("kms:DescribeKey", json!({ "StringEquals": { "aws:ResourceTag/team": "payments" } })),
            with("kms:EnableKey", json!({ "StringEquals": { "kms:KeyOrigin": "AWS_KMS" } })),
            with("kms:DisableKey", json!({ "StringEquals": { "kms:ViaService": "s3.us-west-2.amazonaws.com" } })),
            with("kms:TagResource", json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } })),
            with(
                "kms:ScheduleKeyDeletion",
                json!({
                "NumericGreaterThan": { "kms:ScheduleKeyDeletionPendingWindowInDays": "14" } }),
            ),
        ])
        .await;
    let client = aws.user("grace.liu");
    assert!(is_allowed(&client, encrypt_with_context(&key, &[("project", "nile"), ("more", "x")])).await);
    assert!(
        !is_allowed(&client, encrypt_with_context(&key, &[("project", "amazon")])).await
            && !is_allowed(&client, encrypt(&key)).await
    );
    assert!(!is_allowed(&client, DescribeKey::new(key.clone())).await);
    let tag = |name: &str| TagResource {
        key_id: key.clone(),
        tags: vec![Tag { tag_key: name.to_owned(), tag_value: "payments".to_owned() }],
    };
    assert!(!is_allowed(&client, tag("other")).await && is_allowed(&client, tag("team")).await);
    assert!(is_allowed(&client, DescribeKey::new(key.clone())).await);
    assert!(is_allowed(&client, EnableKey { key_id: key.clone() }).await);
    assert!(!is_allowed(&client, DisableKey { key_id: key.clone() }).await);
    assert!(!is_allowed(&client, schedule_deletion(&key)).await);
    let later = ScheduleKeyDeletion { key_id: key.clone(), pending_window_in_days: Some(30) };
    assert!(is_allowed(&client, later).await);
}

#[tokio::test]
async fn grants_allow_their_operations_until_retired_or_revoked() {
    let aws = Aws::new();
    let (admin, jonas) = (aws.admin(), aws.user("jonas.bauer"));
    let key = aws.create_key(vec![]).await;
    let request = CreateGrant {
        key_id: key.clone(),
        grantee_principal: Some(format!("{ACCOUNT}:user/data/jonas.bauer")),
        retiring_principal: Some(format!("{ACCOUNT}:user/payments/grace.liu")),
        operations: vec!["Encrypt".to_owned(), "Decrypt".to_owned()],
        constraints: Some(GrantConstraints {
            encryption_context_subset: Some([("project".to_owned(), "nile".to_owned())].into()),
            ..GrantConstraints::default()
        }),
        name: Some("nile".to_owned()),
        ..CreateGrant::default()
    };
    let dry_run = CreateGrant { dry_run: Some(true), ..request.clone() };
    assert!(admin.call(&dry_run).await.unwrap_err().to_string().starts_with("DryRunOperationException"));
    let created = admin.call(&request).await.unwrap();
    assert_eq!(admin.call(&request).await.unwrap(), created, "the same name and request return the same grant");
    assert!(is_allowed(&jonas, encrypt_with_context(&key, &[("project", "nile"), ("more", "x")])).await);
    assert!(!is_allowed(&jonas, encrypt(&key)).await && !is_allowed(&jonas, DescribeKey::new(key.clone())).await);
    let list = ListGrants { key_id: key.clone(), ..ListGrants::default() };
    let grants = admin.call(&list).await.unwrap().grants;
    assert_eq!((grants.len(), grants[0].name.as_deref(), &*grants[0].key_id), (1, Some("nile"), &*key));
    assert!(!is_allowed(&jonas, list.clone()).await);
    let token = Encrypt { grant_tokens: Some(vec!["nonsense".to_owned()]), ..encrypt(&key) };
    assert!(admin.call(&token).await.unwrap_err().to_string().starts_with("InvalidGrantTokenException"));
    let token = Encrypt { grant_tokens: Some(vec![created.grant_token.clone()]), ..encrypt(&key) };
    assert!(admin.call(&token).await.is_ok());
    let retire = |token: &str| RetireGrant { grant_token: Some(token.to_owned()), ..RetireGrant::default() };
    assert!(!is_allowed(&jonas, retire(&created.grant_token)).await, "the grantee is not allowed to call RetireGrant");
    assert!(is_allowed(&aws.user("grace.liu"), retire(&created.grant_token)).await);
    assert!(!is_allowed(&jonas, encrypt_with_context(&key, &[("project", "nile")])).await);
    let created = admin.call(&request).await.unwrap();
    let revoke = RevokeGrant { key_id: key.clone(), grant_id: created.grant_id, dry_run: None };
    assert!(!is_allowed(&jonas, revoke.clone()).await && is_allowed(&admin, revoke.clone()).await);
    assert!(admin.call(&revoke).await.unwrap_err().to_string().starts_with("InvalidGrantIdException"));
    for (wrong, code) in [
        (CreateGrant { operations: vec!["Sign".to_owned()], ..request.clone() }, "ValidationException"),
        (CreateGrant { operations: vec!["Sing".to_owned()], ..request.clone() }, "ValidationException"),
        (CreateGrant { operations: vec![], ..request.clone() }, "ValidationException"),
        (CreateGrant { grantee_principal: None, ..request.clone() }, "ValidationException"),
        (
            CreateGrant { grantee_service_principal: Some("backup.amazonaws.com".to_owned()), ..request.clone() },
            "ValidationException",
        ),
        (
            CreateGrant { grantee_principal: Some(format!("{ACCOUNT}:user/nobody")), ..request.clone() },
            "InvalidArnException",
        ),
        (CreateGrant { name: Some("a b".to_owned()), ..request }, "ValidationException"),
    ] {
        let error = admin.call(&wrong).await.unwrap_err().to_string();
        assert!(error.starts_with(code), "{wrong:?}: {error}");
    }
}

#[tokio::test]
async fn re_encrypt_needs_permission_on_both_keys() {
    let aws = Aws::new();
    let grace = format!("{ACCOUNT}:user/payments/grace.liu");
    let source = aws.create_key(vec![allow_statement(&grace, &["kms:ReEncryptFrom"])]).await;
    let target = aws.create_key(vec![allow_statement(&grace, &["kms:ReEncryptTo"])]).await;
    let blob = |client: Client, key: String| async move { client.call(&encrypt(&key)).await.unwrap().ciphertext_blob };
    let request = |blob: Blob, destination: &str| ReEncrypt {
        ciphertext_blob: blob,
        destination_key_id: destination.to_owned(),
        ..ReEncrypt::default()
    };
    let client = aws.user("grace.liu");
    assert!(is_allowed(&client, request(blob(aws.admin(), source.clone()).await, &target)).await);
    assert!(!is_allowed(&client, request(blob(aws.admin(), target.clone()).await, &source)).await);
    assert!(!is_allowed(&client, request(blob(aws.admin(), source.clone()).await, &source)).await);
}

#[tokio::test]
async fn list_retirable_grants_finds_grants_by_retiring_principal() {
    let aws = Aws::new();
    let admin = aws.admin();
    let grace = format!("{ACCOUNT}:user/payments/grace.liu");
    let mut created = Vec::new();
    for key in [aws.create_key(vec![]).await, aws.create_key(vec![]).await] {
        let request = CreateGrant {
            key_id: key,
            grantee_principal: Some(format!("{ACCOUNT}:user/data/jonas.bauer")),
            retiring_principal: Some(grace.clone()),
            operations: vec!["Encrypt".to_owned()],
            ..CreateGrant::default()
        };
        created.push(admin.call(&request).await.unwrap().grant_id);
    }
    created.sort();
    let list = ListRetirableGrants { retiring_principal: Some(grace), ..ListRetirableGrants::default() };
    let found: Vec<String> = admin.call(&list).await.unwrap().grants.into_iter().map(|grant| grant.grant_id).collect();
    assert_eq!(found, created);
    let first = admin.call(&ListRetirableGrants { limit: Some(1), ..list.clone() }).await.unwrap();
    assert!(first.truncated && first.grants[0].grant_id == created[0]);
    assert!(!is_allowed(&aws.user("jonas.bauer"), list.clone()).await);
    let other = ListRetirableGrants { retiring_principal: Some(format!("{ACCOUNT}:user/Admin")), ..list.clone() };
    assert_eq!(admin.call(&other).await.unwrap().grants, []);
    let service = Some("backup.amazonaws.com".to_owned());
    for wrong in [
        ListRetirableGrants { retiring_principal: None, ..list.clone() },
        ListRetirableGrants { retiring_service_principal: service.clone(), ..list.clone() },
        ListRetirableGrants { retiring_principal: None, retiring_service_principal: service, ..list },
    ] {
        assert!(admin.call(&wrong).await.unwrap_err().to_string().starts_with("ValidationException"), "{wrong:?}");
    }
}

#[tokio::test]
async fn grant_to_aws_service_requires_source_arn_and_retiring_service() {
    let aws = Aws::new();
    let (admin, key) = (aws.admin(), aws.create_key(vec![]).await);
    let arn = "arn:aws:backup:us-west-2:111122223333:backup-vault:one".to_owned();
    let request = CreateGrant {
        key_id: key.clone(),
        grantee_service_principal: Some("backup.amazonaws.com".to_owned()),
        retiring_service_principal: Some("backup.amazonaws.com".to_owned()),
        operations: vec!["Decrypt".to_owned()],
        constraints: Some(GrantConstraints { source_arn: Some(arn), ..GrantConstraints::default() }),
        ..CreateGrant::default()
    };
    admin.call(&request).await.unwrap();
    let grant = admin.call(&ListGrants { key_id: key, ..ListGrants::default() }).await.unwrap().grants.remove(0);
    assert_eq!(
        (grant.grantee_principal, grant.grantee_service_principal),
        (None, request.grantee_service_principal.clone())
    );
    for wrong in [
        CreateGrant { constraints: None, ..request.clone() },
        CreateGrant { retiring_service_principal: None, ..request },
    ] {
        assert!(admin.call(&wrong).await.unwrap_err().to_string().starts_with("ValidationException"), "{wrong:?}");
    }
}

#[tokio::test]
async fn describe_key_accepts_only_tokens_of_existing_grants() {
    let aws = Aws::new();
    let (admin, key) = (aws.admin(), aws.create_key(vec![]).await);
    let request = CreateGrant {
        key_id: key.clone(),
        grantee_principal: Some(format!("{ACCOUNT}:user/data/jonas.bauer")),
        operations: vec!["DescribeKey".to_owned()],
        ..CreateGrant::default()
    };
    let token = admin.call(&request).await.unwrap().grant_token;
    let with = |token: &str| DescribeKey { key_id: key.clone(), grant_tokens: Some(vec![token.to_owned()]) };
    assert!(is_allowed(&aws.user("jonas.bauer"), with(&token)).await);
    let error = aws.user("jonas.bauer").call(&with("nonsense")).await.unwrap_err().to_string();
    assert!(error.starts_with("InvalidGrantTokenException"), "{error}");
}
