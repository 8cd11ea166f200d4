//! Every documented condition key and operator in a key policy, one row each, tested with real requests.
//!
//! Sources: *AWS KMS condition keys* (AWS KMS Developer Guide); *AWS global condition context keys* and *IAM JSON
//! policy elements: Condition operators* (IAM User Guide). Each row allows a caller that has no other permissions to
//! send a request under one condition, and states the outcome of the request.

use serde_json::{Value, json};

use xks_console::aws::iam::{CreateAccessKey, CreateRole, CreateUser, PutUserPolicy, Tag as IamTag};
use xks_console::aws::kms::*;
use xks_console::aws::member_list::MemberList;
use xks_console::aws::scalar::{Blob, SecretBlob};
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::AssumeRole;
use xks_console::bundled::BundledAws;
use xks_console::client::{CallError, Client, InProcess};
use xks_console::environment::{Clock, Environment};

const ACCOUNT: &str = "arn:aws:iam::111122223333";
const NOW: &str = "2026-03-02T10:15:00Z";

/// Condition key | operator | values in the policy | request | caller | outcome.
///
/// Keys of KMS operations that the bundled AWS doesn't have, and keys of services that call on behalf of a principal,
/// are absent from every request here. An absent key doesn't match a condition, but matches a negated one.
const ROWS: &str = r#"
kms:BypassPolicyLockoutSafetyCheck | Null | "true" | put policy | user | allowed
kms:BypassPolicyLockoutSafetyCheck | Null | "true" | put policy, bypass false | user | denied
kms:BypassPolicyLockoutSafetyCheck | Bool | "true" | put policy, bypass true | user | allowed
kms:BypassPolicyLockoutSafetyCheck | Bool | "false" | put policy | user | denied
kms:CallerAccount | StringEquals | "111122223333" | encrypt | user | allowed
kms:CallerAccount | StringEquals | "444455556666" | encrypt | user | denied
kms:CustomerMasterKeySpec | StringEquals | "SYMMETRIC_DEFAULT" | encrypt | user | allowed
kms:CustomerMasterKeySpec | StringLike | "RSA_*" | encrypt | user | denied
kms:CustomerMasterKeyUsage | StringEquals | "ENCRYPT_DECRYPT" | encrypt | user | allowed
kms:CustomerMasterKeyUsage | StringEquals | "SIGN_VERIFY" | encrypt | user | denied
kms:DataKeyPairSpec | Null | "true" | encrypt | user | allowed
kms:EncryptionAlgorithm | StringEquals | "SYMMETRIC_DEFAULT" | encrypt | user | allowed
kms:EncryptionAlgorithm | StringEquals | "SYMMETRIC_DEFAULT" | describe | user | denied
kms:EncryptionContext:AppName | StringEquals | "ExampleApp" | encrypt AppName=ExampleApp | user | allowed
kms:EncryptionContext:APPNAME | StringEquals | "ExampleApp" | encrypt AppName=ExampleApp | user | allowed
kms:EncryptionContext:AppName | StringEquals | "exampleapp" | encrypt AppName=ExampleApp | user | denied
kms:EncryptionContext:AppName | StringEqualsIgnoreCase | "exampleapp" | encrypt AppName=ExampleApp | user | allowed
kms:EncryptionContext:AppName | StringEquals | "ExampleApp" | encrypt | user | denied
kms:EncryptionContext:AppName | StringEquals | "ExampleApp" | grant equals AppName=ExampleApp | user | allowed
kms:EncryptionContext:AppName | StringEquals | "ExampleApp" | grant subset AppName=ExampleApp | user | allowed
kms:EncryptionContext:AppName | StringEquals | "ExampleApp" | grant | user | denied
kms:EncryptionContext:user | StringEquals | "${aws:username}" | encrypt user=alice.moreau | user | allowed
kms:EncryptionContext:user | StringEquals | "${aws:username}" | encrypt user=bob | user | denied
kms:EncryptionContextKeys | ForAnyValue:StringEquals | "AppName" | encrypt AppName=Helper | user | allowed
kms:EncryptionContextKeys | ForAnyValue:StringEquals | "appname" | encrypt AppName=Helper | user | denied
kms:EncryptionContextKeys | ForAllValues:StringEquals | ["AppName", "Project"] | encrypt AppName=Helper | user | allowed
kms:EncryptionContextKeys | ForAllValues:StringEquals | ["Project"] | encrypt AppName=Helper | user | denied
kms:EncryptionContextKeys | ForAllValues:StringEquals | ["Project"] | encrypt | user | allowed
kms:EncryptionContextKeys | Null | "false" | encrypt | user | denied
kms:EncryptionContextKeys | ForAnyValue:StringEquals | "AppName" | grant subset AppName=Helper | user | allowed
kms:ExpirationModel | Null | "true" | encrypt | user | allowed
kms:GrantConstraintType | StringEquals | "EncryptionContextEquals" | grant equals AppName=ExampleApp | user | allowed
kms:GrantConstraintType | StringEquals | "EncryptionContextEquals" | grant subset AppName=ExampleApp | user | denied
kms:GrantConstraintType | StringEquals | "EncryptionContextEquals" | grant | user | denied
kms:GrantIsForAWSResource | Bool | "false" | grant | user | allowed
kms:GrantIsForAWSResource | Bool | "true" | grant | user | denied
kms:GrantIsForAWSResource | Bool | "false" | list grants | user | allowed
kms:GrantIsForAWSResource | Null | "true" | encrypt | user | allowed
kms:GrantOperations | ForAllValues:StringEquals | ["Encrypt", "ReEncryptTo"] | grant | user | allowed
kms:GrantOperations | ForAllValues:StringEquals | ["Decrypt"] | grant | user | denied
kms:GrantOperations | ForAnyValue:StringEquals | ["Encrypt", "Decrypt"] | grant | user | allowed
kms:GranteePrincipal | StringEquals | "arn:aws:iam::111122223333:user/data/jonas.bauer" | grant | user | allowed
kms:GranteePrincipal | StringEquals | "arn:aws:iam::111122223333:user/Admin" | grant | user | denied
kms:KeyAgreementAlgorithm | Null | "true" | encrypt | user | allowed
kms:KeyOrigin | StringEquals | "AWS_KMS" | encrypt | user | allowed
kms:KeyOrigin | StringEquals | "EXTERNAL_KEY_STORE" | encrypt | user | denied
kms:KeySpec | StringEquals | "SYMMETRIC_DEFAULT" | describe | user | allowed
kms:KeyUsage | StringEquals | "ENCRYPT_DECRYPT" | describe | user | allowed
kms:MacAlgorithm | Null | "true" | encrypt | user | allowed
kms:MessageType | Null | "true" | encrypt | user | allowed
kms:MultiRegion | Bool | "false" | encrypt | user | allowed
kms:MultiRegion | Bool | "true" | encrypt | user | denied
kms:MultiRegionKeyType | Null | "true" | encrypt | user | allowed
kms:PrimaryRegion | Null | "true" | encrypt | user | allowed
kms:ReEncryptOnSameKey | Bool | "true" | re-encrypt, same key | user | allowed
kms:ReEncryptOnSameKey | Bool | "true" | re-encrypt, other key | user | denied
kms:ReEncryptOnSameKey | Bool | "false" | re-encrypt, other key | user | allowed
kms:ReEncryptOnSameKey | Null | "true" | encrypt | user | allowed
kms:RecipientAttestation:ImageSha384 | Null | "true" | encrypt | user | allowed
kms:ReplicaRegion | Null | "true" | encrypt | user | allowed
kms:RequestAlias | StringEquals | "alias/finance-key" | encrypt by alias | user | allowed
kms:RequestAlias | StringEquals | "alias/finance-key" | encrypt | user | denied
kms:ResourceAliases | ForAnyValue:StringEquals | "alias/finance-key" | encrypt | user | allowed
kms:ResourceAliases | ForAnyValue:StringLike | "alias/*Test*" | encrypt | user | denied
kms:RetiringPrincipal | Null | "true" | grant | user | allowed
kms:RetiringPrincipal | StringEquals | "arn:aws:iam::111122223333:user/Admin" | grant, retired by Admin | user | allowed
kms:RotationPeriodInDays | NumericLessThanEquals | "180" | rotate every 90 days | user | allowed
kms:RotationPeriodInDays | NumericLessThanEquals | "180" | rotate every 365 days | user | denied
kms:ScheduleKeyDeletionPendingWindowInDays | NumericGreaterThanEquals | "7" | delete in 7 days | user | allowed
kms:ScheduleKeyDeletionPendingWindowInDays | NumericGreaterThan | "21" | delete in 7 days | user | denied
kms:SigningAlgorithm | Null | "true" | encrypt | user | allowed
kms:ValidTo | Null | "true" | encrypt | user | allowed
kms:ViaService | StringEquals | "ec2.us-west-2.amazonaws.com" | encrypt | user | denied
kms:ViaService | StringNotEquals | "ec2.us-west-2.amazonaws.com" | encrypt | user | allowed
kms:WrappingAlgorithm | Null | "true" | encrypt | user | allowed
kms:WrappingKeySpec | Null | "true" | encrypt | user | allowed
aws:PrincipalArn | ArnEquals | "arn:aws:iam::111122223333:user/security/alice.moreau" | encrypt | user | allowed
aws:PrincipalArn | ArnLike | "arn:aws:iam::*:role/security/*" | encrypt | session | allowed
aws:PrincipalArn | ArnEquals | "arn:aws:sts::111122223333:assumed-role/KeyAdministrator/table" | encrypt | session | denied
aws:PrincipalAccount | StringEquals | "111122223333" | encrypt | user | allowed
aws:PrincipalOrgID | StringEquals | "o-a1b2c3d4e5" | encrypt | user | denied
aws:PrincipalOrgPaths | ForAnyValue:StringLike | "o-a1b2c3d4e5/*" | encrypt | user | denied
aws:PrincipalTag/team | StringEquals | "red" | encrypt | tagged session | allowed
aws:PrincipalTag/TEAM | StringEquals | "red" | encrypt | tagged session | allowed
aws:PrincipalTag/team | StringEquals | "blue" | encrypt | tagged session | denied
aws:PrincipalTag/team | Null | "true" | encrypt | user | allowed
aws:PrincipalIsAWSService | Bool | "false" | encrypt | user | allowed
aws:PrincipalIsAWSService | Bool | "true" | encrypt | user | denied
aws:PrincipalServiceName | Null | "true" | encrypt | user | allowed
aws:PrincipalServiceNamesList | Null | "true" | encrypt | user | allowed
aws:PrincipalType | StringEquals | "User" | encrypt | user | allowed
aws:PrincipalType | StringEquals | "AssumedRole" | encrypt | session | allowed
aws:userid | StringLike | "AIDA*" | encrypt | user | allowed
aws:userid | StringLike | "AROA*:table" | encrypt | session | allowed
aws:username | StringEquals | "alice.moreau" | encrypt | user | allowed
aws:username | Null | "true" | encrypt | session | allowed
aws:AssumedRoot | Null | "true" | encrypt | session | allowed
aws:FederatedProvider | Null | "true" | encrypt | session | allowed
aws:TokenIssueTime | DateLessThan | "2026-03-02T10:15:01Z" | encrypt | session | allowed
aws:TokenIssueTime | DateGreaterThan | "2026-03-02T10:15:01Z" | encrypt | session | denied
aws:TokenIssueTime | Null | "true" | encrypt | user | allowed
aws:MultiFactorAuthAge | Null | "true" | encrypt | session | allowed
aws:MultiFactorAuthPresent | Bool | "true" | encrypt | session | denied
aws:MultiFactorAuthPresent | Bool | "false" | encrypt | session | allowed
aws:MultiFactorAuthPresent | Bool | "false" | encrypt | user | denied
aws:MultiFactorAuthPresent | BoolIfExists | "true" | encrypt | user | allowed
aws:ChatbotSourceArn | Null | "true" | encrypt | session | allowed
aws:Ec2InstanceSourceVpc | Null | "true" | encrypt | session | allowed
aws:Ec2InstanceSourcePrivateIPv4 | Null | "true" | encrypt | session | allowed
aws:SourceIdentity | StringEquals | "alice" | encrypt | tagged session | allowed
aws:SourceIdentity | Null | "true" | encrypt | session | allowed
ec2:RoleDelivery | Null | "true" | encrypt | session | allowed
ec2:SourceInstanceArn | Null | "true" | encrypt | session | allowed
glue:RoleAssumedBy | Null | "true" | encrypt | session | allowed
lambda:SourceFunctionArn | Null | "true" | encrypt | session | allowed
aws:SourceIp | IpAddress | "203.0.113.0/24" | encrypt | user from 203.0.113.9 | allowed
aws:SourceIp | NotIpAddress | "203.0.113.0/24" | encrypt | user from 203.0.113.9 | denied
aws:SourceVpc | Null | "true" | encrypt | user | allowed
aws:SourceVpce | Null | "true" | encrypt | user | allowed
aws:SourceVpcArn | Null | "true" | encrypt | user | allowed
aws:VpcSourceIp | Null | "true" | encrypt | user | allowed
aws:VpceAccount | Null | "true" | encrypt | user | allowed
aws:VpceOrgID | Null | "true" | encrypt | user | allowed
aws:VpceOrgPaths | Null | "true" | encrypt | user | allowed
aws:ResourceAccount | StringEquals | "111122223333" | encrypt | user | allowed
aws:ResourceOrgID | Null | "true" | encrypt | user | allowed
aws:ResourceOrgPaths | Null | "true" | encrypt | user | allowed
aws:ResourceTag/team | StringEquals | "red" | encrypt | user | allowed
aws:ResourceTag/Team | StringEquals | "red" | encrypt | user | allowed
aws:ResourceTag/team | StringEquals | "${aws:PrincipalTag/team}" | encrypt | tagged session | allowed
aws:ResourceTag/team | StringEquals | "${aws:PrincipalTag/team}" | encrypt | user | denied
aws:CalledVia | Null | "true" | encrypt | user | allowed
aws:CalledViaFirst | Null | "true" | encrypt | user | allowed
aws:CalledViaLast | Null | "true" | encrypt | user | allowed
aws:CalledViaAWSMCP | Null | "true" | encrypt | user | allowed
aws:ViaAWSService | Bool | "false" | encrypt | user | allowed
aws:ViaAWSService | Bool | "true" | encrypt | user | denied
aws:ViaAWSMCPService | Null | "true" | encrypt | user | allowed
aws:CurrentTime | DateLessThan | "2026-03-02T10:15:01Z" | encrypt | user | allowed
aws:CurrentTime | DateEquals | "2026-03-02T10:15:00Z" | encrypt | user | allowed
aws:CurrentTime | DateNotEquals | "2026-03-02T10:15:00Z" | encrypt | user | denied
aws:CurrentTime | DateLessThanEquals | "2026-03-02T10:15:00+00:00" | encrypt | user | allowed
aws:CurrentTime | DateGreaterThan | "2026-03-02" | encrypt | user | allowed
aws:CurrentTime | DateGreaterThanEquals | "2026-03-03" | encrypt | user | denied
aws:EpochTime | NumericGreaterThan | "1772446499" | encrypt | user | allowed
aws:EpochTime | DateLessThan | "1772446501" | encrypt | user | allowed
aws:referer | Null | "true" | encrypt | user | allowed
aws:RequestedRegion | StringEquals | ["us-west-2", "eu-central-1"] | encrypt | user | allowed
aws:RequestedRegion | StringNotLike | "us-*" | encrypt | user | denied
aws:RequestTag/team | StringEquals | "red" | tag team=red | user | allowed
aws:RequestTag/team | StringEquals | "red" | tag team=blue | user | denied
aws:TagKeys | ForAllValues:StringEquals | ["team", "cost"] | tag team=red | user | allowed
aws:TagKeys | ForAllValues:StringEquals | ["cost"] | tag team=red | user | denied
aws:SecureTransport | Bool | "true" | encrypt | user | allowed
aws:SecureTransport | Bool | "false" | encrypt | user from 203.0.113.9 | allowed
aws:SourceAccount | Null | "true" | encrypt | user | allowed
aws:SourceArn | Null | "true" | encrypt | user | allowed
aws:SourceOrgID | Null | "true" | encrypt | user | allowed
aws:SourceOrgPaths | Null | "true" | encrypt | user | allowed
aws:UserAgent | StringLike | "xks-console*" | encrypt | user | allowed
aws:UserAgent | StringEquals | "curl" | encrypt | user | denied
aws:IsMcpServiceAction | Null | "true" | encrypt | user | allowed
kms:KeySpec | StringNotEquals | "RSA_2048" | encrypt | user | allowed
kms:KeySpec | StringNotEqualsIgnoreCase | "symmetric_default" | encrypt | user | denied
kms:KeySpec | StringEqualsIfExists | "RSA_2048" | encrypt | user | denied
kms:MacAlgorithm | StringEqualsIfExists | "HMAC_SHA_256" | encrypt | user | allowed
kms:ScheduleKeyDeletionPendingWindowInDays | NumericEquals | "7" | delete in 7 days | user | allowed
kms:ScheduleKeyDeletionPendingWindowInDays | NumericNotEquals | "7" | delete in 7 days | user | denied
kms:ScheduleKeyDeletionPendingWindowInDays | NumericLessThan | "7" | delete in 7 days | user | denied
kms:KeySpec | BinaryEquals | "U1lNTUVUUklDX0RFRkFVTFQ=" | encrypt | user | denied
aws:PrincipalArn | ArnNotEquals | "arn:aws:iam::111122223333:user/Admin" | encrypt | user | allowed
aws:PrincipalArn | ArnNotLike | "arn:aws:iam::111122223333:user/*" | encrypt | user | denied
kms:EncryptionContext:AppName | ForAllValues:StringEquals | "ExampleApp" | encrypt | user | OverlyPermissiveCondition
aws:RequestTag/team | ForAllValues:StringEquals | "red" | encrypt | user | OverlyPermissiveCondition
kms:KeySpec | StringSame | "SYMMETRIC_DEFAULT" | encrypt | user | StringSame
"#;

struct Fixture {
    bundled: BundledAws,
    clock: Clock,
    key: String,
    other_key: String,
    blob: Blob,
}

impl Fixture {
    async fn new() -> Self {
        let environment = Environment::replayable(NOW.parse().unwrap(), 11);
        let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
        let fixture = Self {
            bundled,
            clock: environment.clock,
            key: String::new(),
            other_key: String::new(),
            blob: Blob::default(),
        };
        let admin = fixture.user("Admin");
        let tags = Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "red".to_owned() }]);
        let key = admin.call(&CreateKey { tags, ..CreateKey::default() }).await.unwrap().key_metadata.key_id;
        let other = admin.call(&CreateKey::default()).await.unwrap().key_metadata.key_id;
        let alias = CreateAlias { alias_name: "alias/finance-key".to_owned(), target_key_id: key.clone() };
        admin.call(&alias).await.unwrap();
        let request = Encrypt { key_id: key.clone(), plaintext: SecretBlob::new(b"x".to_vec()), ..Encrypt::default() };
        let blob = admin.call(&request).await.unwrap().ciphertext_blob;
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "AWS": format!("{ACCOUNT}:root") },
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] }] });
        let role = CreateRole {
            role_name: "Tagged".to_owned(),
            assume_role_policy_document: trust.to_string(),
            ..CreateRole::default()
        };
        admin.call(&role).await.unwrap();
        Self { key, other_key: other, blob, ..fixture }
    }

    fn client(&self, credentials: Credentials, origin: Option<xks_console::bundled::ConnectionInfo>) -> Client {
        let aws = self.bundled.clone();
        let transport = InProcess::new(move |mut request: http::Request<bytes::Bytes>| {
            if let Some(origin) = origin {
                request.extensions_mut().insert(origin);
            }
            let aws = aws.clone();
            Box::pin(async move { aws.handle(request).await })
        });
        Client::new(std::sync::Arc::new(transport), credentials, "us-west-2", self.clock.clone())
    }

    fn credentials(&self, name: &str) -> Credentials {
        self.bundled.access_keys().unwrap().into_iter().find(|key| key.user_name == name).unwrap().credentials
    }

    fn user(&self, name: &str) -> Client {
        self.client(self.credentials(name), None)
    }

    async fn session(&self, role: &str, tags: Vec<IamTag>, source_identity: Option<String>) -> Client {
        let request = AssumeRole {
            role_arn: format!("{ACCOUNT}:role/{role}"),
            role_session_name: "table".to_owned(),
            tags: MemberList { member: tags },
            source_identity,
            ..AssumeRole::default()
        };
        let credentials = self.user("Admin").call(&request).await.unwrap().credentials;
        let credentials = Credentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            session_token: Some(credentials.session_token),
        };
        self.client(credentials, None)
    }

    /// Returns a client for the caller that a row names, and the ARN of its principal.
    async fn caller(&self, name: &str) -> (Client, String) {
        let user = format!("{ACCOUNT}:user/security/alice.moreau");
        match name {
            "user" => (self.user("alice.moreau"), user),
            "user from 203.0.113.9" => {
                let address = "203.0.113.9".parse().unwrap();
                let origin = xks_console::bundled::ConnectionInfo { address, is_over_tls: false };
                (self.client(self.credentials("alice.moreau"), Some(origin)), user)
            }
            "session" => {
                let client = self.session("security/KeyAdministrator", Vec::new(), None).await;
                (client, format!("{ACCOUNT}:role/security/KeyAdministrator"))
            }
            "tagged session" => {
                let tags = vec![IamTag { key: "team".to_owned(), value: "red".to_owned() }];
                let client = self.session("Tagged", tags, Some("alice".to_owned())).await;
                (client, format!("{ACCOUNT}:role/Tagged"))
            }
            other => panic!("unknown caller {other}"),
        }
    }

    /// Returns a key policy that allows `principal` every KMS action, but only under this condition.
    fn policy(principal: &str, operator: &str, key: &str, values: &Value) -> String {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "account", "Effect": "Allow", "Principal": { "AWS": format!("{ACCOUNT}:user/Admin") },
              "Action": "kms:*", "Resource": "*" },
            { "Sid": "row", "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "kms:*", "Resource": "*",
              "Condition": { operator: { key: values } } },
        ]})
        .to_string()
    }

    async fn send(&self, client: &Client, request: &str) -> Result<(), CallError> {
        let key = self.key.clone();
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap();
            EncryptionContext::from_iter([(name.to_owned(), value.to_owned())])
        };
        let encrypt = |key_id: &str, encryption_context| Encrypt {
            key_id: key_id.to_owned(),
            plaintext: SecretBlob::new(b"x".to_vec()),
            encryption_context,
            ..Encrypt::default()
        };
        let grant = |constraints, retiring: Option<String>| CreateGrant {
            key_id: key.clone(),
            grantee_principal: Some(format!("{ACCOUNT}:user/data/jonas.bauer")),
            retiring_principal: retiring,
            operations: vec!["Encrypt".to_owned()],
            constraints,
            ..CreateGrant::default()
        };
        let rotate = |days| EnableKeyRotation { key_id: key.clone(), rotation_period_in_days: Some(days) };
        let put = |bypass| PutKeyPolicy {
            key_id: key.clone(),
            policy: json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": "*",
                "Action": "kms:*", "Resource": "*" } })
            .to_string(),
            bypass_policy_lockout_safety_check: bypass,
            ..PutKeyPolicy::default()
        };
        let re_encrypt = |destination: &str| ReEncrypt {
            ciphertext_blob: self.blob.clone(),
            destination_key_id: destination.to_owned(),
            ..ReEncrypt::default()
        };
        match request {
            "encrypt" => client.call(&encrypt(&key, None)).await.map(drop),
            "encrypt by alias" => client.call(&encrypt("alias/finance-key", None)).await.map(drop),
            "describe" => client.call(&DescribeKey { key_id: key.clone(), ..DescribeKey::default() }).await.map(drop),
            "grant" => client.call(&grant(None, None)).await.map(drop),
            "grant, retired by Admin" => {
                client.call(&grant(None, Some(format!("{ACCOUNT}:user/Admin")))).await.map(drop)
            }
            "list grants" => client.call(&ListGrants { key_id: key.clone(), ..ListGrants::default() }).await.map(drop),
            "re-encrypt, same key" => client.call(&re_encrypt(&key)).await.map(drop),
            "re-encrypt, other key" => client.call(&re_encrypt(&self.other_key)).await.map(drop),
            "rotate every 90 days" => client.call(&rotate(90)).await.map(drop),
            "rotate every 365 days" => client.call(&rotate(365)).await.map(drop),
            "delete in 7 days" => {
                let request = ScheduleKeyDeletion { key_id: key.clone(), pending_window_in_days: Some(7) };
                client.call(&request).await?;
                let cancel = CancelKeyDeletion { key_id: key.clone() };
                self.user("Admin").call(&cancel).await.unwrap();
                self.user("Admin").call(&EnableKey { key_id: key.clone() }).await.map(drop)
            }
            "put policy" => client.call(&put(None)).await.map(drop),
            "put policy, bypass false" => client.call(&put(Some(false))).await.map(drop),
            "put policy, bypass true" => client.call(&put(Some(true))).await.map(drop),
            "tag team=red" | "tag team=blue" => {
                let tag_value = request.split_once('=').unwrap().1.to_owned();
                let tags = vec![Tag { tag_key: "team".to_owned(), tag_value }];
                client.call(&TagResource { key_id: key.clone(), tags }).await.map(drop)
            }
            request => {
                let constraint = |equals: Option<&str>, subset: Option<&str>| GrantConstraints {
                    encryption_context_equals: equals.map(pair),
                    encryption_context_subset: subset.map(pair),
                    ..GrantConstraints::default()
                };
                if let Some(context) = request.strip_prefix("encrypt ") {
                    client.call(&encrypt(&key, Some(pair(context)))).await.map(drop)
                } else if let Some(context) = request.strip_prefix("grant equals ") {
                    client.call(&grant(Some(constraint(Some(context), None)), None)).await.map(drop)
                } else if let Some(context) = request.strip_prefix("grant subset ") {
                    client.call(&grant(Some(constraint(None, Some(context))), None)).await.map(drop)
                } else {
                    panic!("unknown request {request}")
                }
            }
        }
    }

    /// Returns the outcome of a row: `allowed`, `denied`, or the error message of PutKeyPolicy.
    async fn outcome(&self, [key, operator, values, request, caller, _]: [&str; 6]) -> String {
        let (client, principal) = self.caller(caller).await;
        let policy = Self::policy(&principal, operator, key, &serde_json::from_str(values).unwrap());
        for key_id in [&self.key, &self.other_key] {
            let put = PutKeyPolicy { key_id: key_id.clone(), policy: policy.clone(), ..PutKeyPolicy::default() };
            if let Err(error) = self.user("Admin").call(&put).await {
                return error.to_string();
            }
        }
        match self.send(&client, request).await {
            Ok(()) => "allowed".to_owned(),
            Err(CallError::Service(error)) if error.has_code("AccessDenied") => "denied".to_owned(),
            Err(other) => other.to_string(),
        }
    }
}

#[tokio::test]
async fn condition_keys_and_operators_behave_as_documented() {
    let fixture = Fixture::new().await;
    let mut mismatches = Vec::new();
    let rows: Vec<&str> = ROWS.lines().filter(|line| !line.is_empty()).collect();
    for row in &rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let cells: [&str; 6] = cells.try_into().expect(row);
        let outcome = fixture.outcome(cells).await;
        if !outcome.contains(cells[5]) {
            mismatches.push(format!("{row}: {outcome}"));
        }
    }
    assert!(mismatches.is_empty(), "{} of {} rows:\n{}", mismatches.len(), rows.len(), mismatches.join("\n"));
}

/// Only IAM policies can use the condition keys of CreateKey, because the key policy doesn't exist yet.
#[tokio::test]
async fn create_key_condition_keys_apply_in_iam_policies() {
    let fixture = Fixture::new().await;
    let admin = fixture.user("Admin");
    admin.call(&CreateUser { user_name: "creator".to_owned(), ..CreateUser::default() }).await.unwrap();
    let key = admin.call(&CreateAccessKey { user_name: Some("creator".to_owned()) }).await.unwrap().access_key;
    let credentials =
        Credentials { access_key_id: key.access_key_id, secret_access_key: key.secret_access_key, session_token: None };
    let creator = fixture.client(credentials, None);
    let plain = CreateKey::default();
    let bypass = CreateKey { bypass_policy_lockout_safety_check: Some(true), ..CreateKey::default() };
    for (operator, name, value, request, is_allowed) in [
        ("Null", "kms:BypassPolicyLockoutSafetyCheck", "true", &plain, true),
        ("Null", "kms:BypassPolicyLockoutSafetyCheck", "true", &bypass, false),
        ("Bool", "kms:BypassPolicyLockoutSafetyCheck", "true", &bypass, true),
        ("StringEquals", "kms:KeyOrigin", "AWS_KMS", &plain, true),
        ("StringEquals", "kms:KeyOrigin", "EXTERNAL_KEY_STORE", &plain, false),
        ("StringEquals", "kms:KeySpec", "SYMMETRIC_DEFAULT", &plain, true),
        ("StringLike", "kms:KeySpec", "RSA_*", &plain, false),
        ("StringEquals", "kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT", &plain, true),
        ("StringEquals", "kms:KeyUsage", "ENCRYPT_DECRYPT", &plain, true),
        ("StringEquals", "kms:CustomerMasterKeyUsage", "SIGN_VERIFY", &plain, false),
        ("Bool", "kms:MultiRegion", "false", &plain, true),
        ("Null", "kms:MultiRegionKeyType", "true", &plain, true),
        ("StringEquals", "kms:CallerAccount", "111122223333", &plain, true),
    ] {
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "kms:CreateKey",
            "Resource": "*", "Condition": { operator: { name: value } } }] });
        let put = PutUserPolicy {
            user_name: "creator".to_owned(),
            policy_name: "row".to_owned(),
            policy_document: policy.to_string(),
        };
        admin.call(&put).await.unwrap();
        let outcome = creator.call(request).await;
        assert_eq!(outcome.is_ok(), is_allowed, "{operator} {name} {value}: {outcome:?}");
    }
}
