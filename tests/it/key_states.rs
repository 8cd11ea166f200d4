//! Key states: every row of the key state table in the AWS KMS Developer Guide except those for grants, and the effects
//! of the operations.

use super::account::*;
use xks_console::aws::kms::{
    CancelKeyDeletion, ConnectCustomKeyStore, CreateAlias, CreateKey, Decrypt, DeleteAlias, DescribeKey, DisableKey,
    DisconnectCustomKeyStore, EnableKey, Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom,
    GetKeyPolicy, GetKeyRotationStatus, KeyMetadata, KeyState, ListAliases, ListKeyPolicies, ListResourceTags, Origin,
    PutKeyPolicy, ReEncrypt, ScheduleKeyDeletion, Tag, TagResource, UntagResource, UpdateAlias, UpdateKeyDescription,
};
use xks_console::aws::operation::{Empty, Operation, Service};
use xks_console::aws::policy::default_policy;
use xks_console::aws::scalar::Blob;
use xks_console::client::{CallError, Client};
use xks_console::environment::Clock;

/// The columns of the table that apply to keys in external key stores.
const STATES: [KeyState; 4] = [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion, KeyState::Unavailable];

struct TestKey {
    client: Client,
    clock: Clock,
    id: String,
    /// A ciphertext that the key encrypted while it was enabled.
    blob: Blob,
}

impl TestKey {
    /// Creates a key in an external key store, with the alias `alias/it`, and puts it in this state.
    async fn in_state(state: KeyState) -> Self {
        let (client, clock) = account();
        let id = create_external_key(&client).await;
        let alias = CreateAlias { alias_name: "alias/it".to_owned(), target_key_id: id.clone() };
        client.call(&alias).await.unwrap();
        let key = Self { blob: encrypt(&client, &id).await, client, clock, id };
        let key_id = key.id.clone();
        match state {
            KeyState::Disabled => key.call(DisableKey { key_id }).await,
            KeyState::PendingDeletion => {
                key.client.call(&ScheduleKeyDeletion { key_id, pending_window_in_days: Some(7) }).await.unwrap();
            }
            KeyState::Unavailable => key.disconnect().await,
            _ => {}
        }
        assert_eq!(key.metadata().await.key_state, state);
        key
    }

    async fn call(&self, request: impl Operation<Response = Empty>) {
        self.client.call(&request).await.unwrap();
    }

    async fn disconnect(&self) {
        let custom_key_store_id = key_store(&self.client, "Frankfurt HSM").await.custom_key_store_id;
        self.call(DisconnectCustomKeyStore { custom_key_store_id }).await;
        self.clock.advance(jiff::SignedDuration::from_secs(10));
    }

    async fn connect(&self) {
        let custom_key_store_id = key_store(&self.client, "Frankfurt HSM").await.custom_key_store_id;
        self.call(ConnectCustomKeyStore { custom_key_store_id }).await;
        self.clock.advance(jiff::SignedDuration::from_secs(10));
    }

    async fn metadata(&self) -> KeyMetadata {
        self.client.call(&DescribeKey::new(self.id.clone())).await.unwrap().key_metadata
    }

    /// Sends a request and returns its error code, or `ok`.
    async fn result_code<O: Operation>(&self, request: O) -> String {
        match self.client.call(&request).await {
            Ok(_) => "ok".to_owned(),
            Err(CallError::Service(error)) => error.code.trim_end_matches("Exception").to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    async fn try_operation(&self, operation: &str) -> String {
        let key_id = self.id.clone();
        let context = context("nile");
        let other = "alias/app-logs".to_owned();
        match operation {
            "CancelKeyDeletion" => self.result_code(CancelKeyDeletion { key_id }).await,
            "CreateAlias" => {
                self.result_code(CreateAlias { alias_name: "alias/new".to_owned(), target_key_id: key_id }).await
            }
            "Encrypt" => self.result_code(Encrypt { key_id, plaintext: secret(b"x"), ..Default::default() }).await,
            "Decrypt" => {
                let ciphertext_blob = self.blob.clone();
                self.result_code(Decrypt { ciphertext_blob, encryption_context: context, ..Default::default() }).await
            }
            "ReEncrypt from" => {
                let (ciphertext_blob, destination_key_id) = (self.blob.clone(), other);
                let source_encryption_context = context;
                self.result_code(ReEncrypt {
                    ciphertext_blob,
                    destination_key_id,
                    source_encryption_context,
                    ..Default::default()
                })
                .await
            }
            "ReEncrypt to" => {
                let ciphertext_blob = encrypt(&self.client, &other).await;
                let (destination_key_id, source_encryption_context) = (key_id, context);
                self.result_code(ReEncrypt {
                    ciphertext_blob,
                    destination_key_id,
                    source_encryption_context,
                    ..Default::default()
                })
                .await
            }
            "GenerateDataKey" => self.result_code(data_key(key_id)).await,
            "GenerateDataKeyWithoutPlaintext" => {
                self.result_code(GenerateDataKeyWithoutPlaintext(data_key(key_id))).await
            }
            "DeleteAlias" => self.result_code(DeleteAlias { alias_name: "alias/it".to_owned() }).await,
            "DescribeKey" => self.result_code(DescribeKey::new(key_id)).await,
            "GetKeyPolicy" => self.result_code(GetKeyPolicy { key_id, policy_name: None }).await,
            "PutKeyPolicy" => {
                let policy = default_policy("aws", "111122223333");
                self.result_code(PutKeyPolicy { key_id, policy, ..Default::default() }).await
            }
            "ListAliases" => self.result_code(ListAliases { key_id: Some(key_id), ..Default::default() }).await,
            "ListKeyPolicies" => self.result_code(ListKeyPolicies { key_id, ..Default::default() }).await,
            "ListResourceTags" => self.result_code(ListResourceTags { key_id, ..Default::default() }).await,
            "EnableKey" => self.result_code(EnableKey { key_id }).await,
            "DisableKey" => self.result_code(DisableKey { key_id }).await,
            "ScheduleKeyDeletion" => {
                self.result_code(ScheduleKeyDeletion { key_id, pending_window_in_days: None }).await
            }
            "TagResource" => {
                let tags = vec![Tag { tag_key: "a".to_owned(), tag_value: String::new() }];
                self.result_code(TagResource { key_id, tags }).await
            }
            "UntagResource" => self.result_code(UntagResource { key_id, tag_keys: vec!["a".to_owned()] }).await,
            "UpdateKeyDescription" => {
                self.result_code(UpdateKeyDescription { key_id, description: "new".to_owned() }).await
            }
            "UpdateAlias from" => {
                let target_key_id = self.client.call(&DescribeKey::new(other)).await.unwrap().key_metadata.key_id;
                self.result_code(UpdateAlias { alias_name: "alias/it".to_owned(), target_key_id }).await
            }
            "UpdateAlias to" => {
                self.result_code(UpdateAlias { alias_name: "alias/app-logs".to_owned(), target_key_id: key_id }).await
            }
            "GetKeyRotationStatus" => self.result_code(GetKeyRotationStatus { key_id }).await,
            other => panic!("unknown operation {other}"),
        }
    }
}

fn data_key(key_id: String) -> GenerateDataKey {
    GenerateDataKey { key_id, number_of_bytes: Some(16), ..Default::default() }
}

#[tokio::test]
async fn operations_follow_the_documented_key_state_table() {
    const OK: &str = "ok";
    const STATE: &str = "KMSInvalidState";
    const DISABLED: &str = "Disabled";
    // Columns: Enabled, Disabled, PendingDeletion, Unavailable.
    let table: [(&str, [&str; 4]); 24] = [
        ("CancelKeyDeletion", [STATE, STATE, OK, STATE]),
        ("CreateAlias", [OK, OK, STATE, OK]),
        ("Encrypt", [OK, DISABLED, STATE, STATE]),
        ("Decrypt", [OK, DISABLED, STATE, STATE]),
        ("ReEncrypt from", [OK, DISABLED, STATE, STATE]),
        ("ReEncrypt to", [OK, DISABLED, STATE, STATE]),
        ("GenerateDataKey", [OK, DISABLED, STATE, STATE]),
        ("GenerateDataKeyWithoutPlaintext", [OK, DISABLED, STATE, STATE]),
        ("DeleteAlias", [OK, OK, OK, OK]),
        ("DescribeKey", [OK, OK, OK, OK]),
        ("GetKeyPolicy", [OK, OK, OK, OK]),
        ("PutKeyPolicy", [OK, OK, OK, OK]),
        ("ListAliases", [OK, OK, OK, OK]),
        ("ListKeyPolicies", [OK, OK, OK, OK]),
        ("ListResourceTags", [OK, OK, OK, OK]),
        ("EnableKey", [OK, OK, STATE, OK]),
        ("DisableKey", [OK, OK, STATE, OK]),
        ("ScheduleKeyDeletion", [OK, OK, STATE, OK]),
        ("TagResource", [OK, OK, STATE, OK]),
        ("UntagResource", [OK, OK, STATE, OK]),
        ("UpdateKeyDescription", [OK, OK, STATE, OK]),
        ("UpdateAlias from", [OK, OK, OK, OK]),
        ("UpdateAlias to", [OK, OK, STATE, OK]),
        ("GetKeyRotationStatus", ["UnsupportedOperation", "UnsupportedOperation", STATE, "UnsupportedOperation"]),
    ];
    for (operation, expected) in table {
        for (state, expected) in STATES.into_iter().zip(expected) {
            assert_eq!(
                TestKey::in_state(state).await.try_operation(operation).await,
                expected,
                "{operation} on a key that is {state:?}"
            );
        }
    }
}

#[tokio::test]
async fn enabling_or_disabling_an_unavailable_key_shows_once_its_store_is_connected() {
    let key = TestKey::in_state(KeyState::Unavailable).await;
    key.call(DisableKey { key_id: key.id.clone() }).await;
    assert_eq!(key.metadata().await.key_state, KeyState::Unavailable);
    key.connect().await;
    assert_eq!((key.metadata().await.key_state, key.metadata().await.enabled), (KeyState::Disabled, false));
    key.call(EnableKey { key_id: key.id.clone() }).await;
    assert_eq!((key.metadata().await.key_state, key.metadata().await.enabled), (KeyState::Enabled, true));
}

#[tokio::test]
async fn key_is_pending_deletion_until_cancelled_or_due() {
    let key = TestKey::in_state(KeyState::PendingDeletion).await;
    let due = key.metadata().await.deletion_date.unwrap().0;
    assert_eq!(due.to_string(), "2026-03-09T10:15:00Z");
    // While the key store is disconnected, the key stays pending deletion, and the deletion can be cancelled.
    key.disconnect().await;
    assert_eq!(key.metadata().await.key_state, KeyState::PendingDeletion);
    let response = key.client.call(&CancelKeyDeletion { key_id: key.id.clone() }).await.unwrap();
    assert!(response.key_id.ends_with(&key.id));
    key.connect().await;
    let metadata = key.metadata().await;
    assert_eq!((metadata.key_state, metadata.deletion_date), (KeyState::Disabled, None));

    key.client.call(&ScheduleKeyDeletion { key_id: key.id.clone(), pending_window_in_days: Some(7) }).await.unwrap();
    key.clock.advance(jiff::SignedDuration::from_hours(7 * 24 - 1));
    assert_eq!(key.metadata().await.key_state, KeyState::PendingDeletion);
    // The external key is still in use.
    let again = create_key_request(&key.client, "Frankfurt HSM", "payments-2026").await;
    assert_eq!(service_error(key.client.call(&again).await).code, "XksKeyAlreadyInUseException");
    key.clock.advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(service_error(key.client.call(&DescribeKey::new(key.id.clone())).await).code, "NotFoundException");
    assert_eq!(
        service_error(key.client.call(&DescribeKey::new("alias/it".to_owned())).await).code,
        "NotFoundException"
    );
    // The external key still exists. A new KMS key can use it, but can't decrypt ciphertexts of the old KMS key.
    key.client.call(&again).await.unwrap();
    assert_eq!(service_error(decrypt(&key.client, &key.blob, "nile").await).code, "InvalidCiphertextException");
}

#[tokio::test]
async fn waiting_period_must_be_7_to_30_days() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    for days in [0, 6, 31] {
        let request = ScheduleKeyDeletion { key_id: key_id.clone(), pending_window_in_days: Some(days) };
        assert_eq!(service_error(client.call(&request).await).code, "ValidationException");
    }
    let response = client.call(&ScheduleKeyDeletion { key_id, pending_window_in_days: None }).await.unwrap();
    assert_eq!((response.pending_window_in_days, response.key_state), (30, KeyState::PendingDeletion));
}

#[tokio::test]
async fn description_tag_and_policy_changes_are_stored() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let key_id = || key.id.clone();
    key.call(UpdateKeyDescription { key_id: key_id(), description: "what it is for".to_owned() }).await;
    assert_eq!(key.metadata().await.description, "what it is for");
    let tag = |name: &str, value: &str| Tag { tag_key: name.to_owned(), tag_value: value.to_owned() };
    key.call(TagResource { key_id: key_id(), tags: vec![tag("a", "1"), tag("b", "2")] }).await;
    key.call(UntagResource { key_id: key_id(), tag_keys: vec!["a".to_owned(), "never there".to_owned()] }).await;
    assert_eq!(key.client.collect_tags(&key.id).await.unwrap(), [tag("b", "2")]);
    let policy = default_policy("aws", "111122223333").replace("Enable IAM", "Enable all IAM");
    key.call(PutKeyPolicy { key_id: key_id(), policy: policy.clone(), ..Default::default() }).await;
    let stored = key.client.call(&GetKeyPolicy { key_id: key_id(), policy_name: None }).await.unwrap();
    assert_eq!(stored.policy, policy);
}

#[tokio::test]
async fn put_key_policy_rejects_a_policy_that_locks_out_the_caller() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let policy = default_policy("aws", "444455556666");
    let request = PutKeyPolicy { key_id: key.id.clone(), policy, ..Default::default() };
    let error = service_error(key.client.call(&request).await);
    assert_eq!(error.code, "MalformedPolicyDocumentException");
    assert!(error.message.contains("will not allow you to update the key policy"), "{error}");
    let request = PutKeyPolicy { bypass_policy_lockout_safety_check: Some(true), ..request };
    key.client.call(&request).await.unwrap();
}

#[tokio::test]
async fn alias_can_be_updated_and_deleted() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let other = key.client.call(&DescribeKey::new("alias/app-logs".to_owned())).await.unwrap().key_metadata.key_id;
    let alias_name = "alias/it".to_owned();
    key.call(UpdateAlias { alias_name: alias_name.clone(), target_key_id: other.clone() }).await;
    let found = key.client.call(&DescribeKey::new(alias_name.clone())).await.unwrap().key_metadata.key_id;
    assert_eq!(found, other);
    key.call(DeleteAlias { alias_name: alias_name.clone() }).await;
    assert_eq!(key.result_code(DeleteAlias { alias_name: alias_name.clone() }).await, "NotFound");
    assert_eq!(key.result_code(UpdateAlias { alias_name, target_key_id: other }).await, "NotFound");
}

#[tokio::test]
async fn operations_that_need_a_key_id_reject_aliases() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let key_id = || "alias/it".to_owned();
    assert_eq!(key.result_code(DisableKey { key_id: key_id() }).await, "NotFound");
    assert_eq!(key.result_code(GetKeyPolicy { key_id: key_id(), policy_name: None }).await, "NotFound");
    assert_eq!(key.result_code(DescribeKey::new(key_id())).await, "ok");
}

#[tokio::test]
async fn re_encrypt_moves_data_between_keys() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let request = ReEncrypt {
        ciphertext_blob: key.blob.clone(),
        source_encryption_context: context("nile"),
        destination_key_id: "alias/app-logs".to_owned(),
        destination_encryption_context: context("amazon"),
        ..Default::default()
    };
    let response = key.client.call(&request).await.unwrap();
    assert!(response.source_key_id.ends_with(&key.id) && response.key_id != response.source_key_id);
    assert_eq!(decrypt(&key.client, &response.ciphertext_blob, "amazon").await.unwrap().expose(), b"four corners");
    let request = ReEncrypt { source_encryption_context: context("amazon"), ..request };
    assert_eq!(service_error(key.client.call(&request).await).code, "KMSInvalidStateException");
}

#[tokio::test]
async fn generate_random_rejects_external_key_stores() {
    let (client, _) = account();
    let request =
        |number_of_bytes, custom_key_store_id| GenerateRandom { number_of_bytes, custom_key_store_id, recipient: None };
    let random = client.call(&request(Some(32), None)).await.unwrap().plaintext;
    assert_eq!(random.expose().len(), 32);
    assert_ne!(client.call(&request(Some(32), None)).await.unwrap().plaintext, random);
    for wrong in [None, Some(0), Some(1025)] {
        assert_eq!(service_error(client.call(&request(wrong, None)).await).code, "ValidationException");
    }
    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    assert_eq!(service_error(client.call(&request(Some(1), Some(id))).await).code, "UnsupportedOperationException");
    let error = service_error(client.call(&request(Some(1), Some("cks-0".to_owned()))).await);
    assert_eq!(error.code, "CustomKeyStoreNotFoundException");
}

/// Defines operations that keys in external key stores don't support.
macro_rules! unsupported_operations {
    ($($name:ident)+) => {
        $(
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(transparent)]
            struct $name(serde_json::Value);
            impl Operation for $name {
                const SERVICE: Service = Service::Kms;
                const NAME: &'static str = stringify!($name);
                const IS_IDEMPOTENT: bool = false;
                type Response = Empty;
            }
        )+
        const UNSUPPORTED: &[&str] = &[$(stringify!($name)),+];

        async fn call_operation(client: &Client, operation: &str, request: serde_json::Value) -> Result<Empty, CallError> {
            match operation {
                $(stringify!($name) => client.call(&$name(request)).await,)+
                other => panic!("unknown operation {other}"),
            }
        }
    };
}
unsupported_operations! {
    GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GetParametersForImport ImportKeyMaterial
    DeleteImportedKeyMaterial ReplicateKey UpdatePrimaryRegion GetPublicKey Sign Verify GenerateMac VerifyMac
    DeriveSharedSecret Encapsulate Decapsulate Sing
}

#[tokio::test]
async fn operations_unsupported_for_external_key_store_keys_are_rejected() {
    let (client, _) = account();
    // The required members of all operations. Each operation ignores those that it doesn't have.
    let request = serde_json::json!({
        "KeyId": create_external_key(&client).await, "KeyPairSpec": "RSA_2048", "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048", "ImportToken": "YQ==", "EncryptedKeyMaterial": "YQ==", "ReplicaRegion": "us-east-1",
        "PrimaryRegion": "us-east-1", "Message": "YQ==", "Signature": "YQ==", "SigningAlgorithm": "ECDSA_SHA_256",
        "MacAlgorithm": "HMAC_SHA_256", "Mac": "YQ==", "KeyAgreementAlgorithm": "ECDH", "PublicKey": "YQ==",
        "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "YQ==",
    });
    for operation in UNSUPPORTED {
        let error = service_error(call_operation(&client, operation, request.clone()).await);
        let expected = match *operation {
            "Sign" | "Verify" | "GenerateMac" | "VerifyMac" | "DeriveSharedSecret" | "Encapsulate" | "Decapsulate" => {
                "InvalidKeyUsageException"
            }
            "Sing" => "UnknownOperationException",
            _ => "UnsupportedOperationException",
        };
        assert_eq!(error.code, expected, "{operation}: {}", error.message);
        if expected != "UnknownOperationException" {
            let without_key_id = serde_json::json!({ "Message": "YQ==" });
            assert_eq!(
                service_error(call_operation(&client, operation, without_key_id).await).code,
                "ValidationException",
                "{operation}"
            );
        }
    }
}

#[tokio::test]
async fn only_keys_with_kms_origin_have_a_rotation_status() {
    let (client, _) = account();
    let standard = client.call(&DescribeKey::new("alias/app-logs".to_owned())).await.unwrap().key_metadata.key_id;
    assert!(!client.call(&GetKeyRotationStatus { key_id: standard }).await.unwrap().key_rotation_enabled);
    let error = service_error(client.call(&GetKeyRotationStatus { key_id: create_external_key(&client).await }).await);
    assert!(error.message.ends_with("origin is EXTERNAL_KEY_STORE which is not valid for this operation."), "{error}");
}

#[tokio::test]
async fn key_with_kms_origin_needs_no_key_store() {
    let (client, _) = account();
    let request = CreateKey { origin: Some(Origin::AwsKms), ..Default::default() };
    let key = client.call(&request).await.unwrap().key_metadata;
    assert_eq!((key.origin, key.custom_key_store_id), (Origin::AwsKms, None));
    let blob = encrypt(&client, &key.key_id).await;
    assert_eq!(decrypt(&client, &blob, "nile").await.unwrap().expose(), b"four corners");
}

#[tokio::test]
async fn key_is_limited_to_fifty_aliases_and_fifty_tags() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    for number in 1..50 {
        let (alias_name, target_key_id) = (format!("alias/it-{number}"), key.id.clone());
        key.call(CreateAlias { alias_name, target_key_id }).await;
    }
    let one_more = CreateAlias { alias_name: "alias/it-50".to_owned(), target_key_id: key.id.clone() };
    assert_eq!(key.result_code(one_more).await, "LimitExceeded");
    let update = UpdateAlias { alias_name: "alias/app-logs".to_owned(), target_key_id: key.id.clone() };
    assert_eq!(key.result_code(update).await, "LimitExceeded");
    let tags = |count: std::ops::Range<u32>| {
        count.map(|number| Tag { tag_key: number.to_string(), tag_value: String::new() }).collect::<Vec<_>>()
    };
    key.call(TagResource { key_id: key.id.clone(), tags: tags(0..30) }).await;
    assert_eq!(key.result_code(TagResource { key_id: key.id.clone(), tags: tags(30..51) }).await, "Tag");
    // The rejected request must not add any tags.
    assert_eq!(key.client.collect_tags(&key.id).await.unwrap().len(), 30);
}

#[tokio::test]
async fn aws_managed_keys_cannot_be_changed() {
    let key = TestKey::in_state(KeyState::Enabled).await;
    let aws = key.client.call(&DescribeKey::new("alias/aws/s3".to_owned())).await.unwrap().key_metadata.key_id;
    assert_eq!(key.result_code(DisableKey { key_id: aws.clone() }).await, "AccessDenied");
    assert_eq!(
        key.result_code(ScheduleKeyDeletion { key_id: aws.clone(), pending_window_in_days: None }).await,
        "AccessDenied"
    );
    let policy = default_policy("aws", "111122223333");
    assert_eq!(
        key.result_code(PutKeyPolicy { key_id: aws.clone(), policy, ..Default::default() }).await,
        "AccessDenied"
    );
    assert_eq!(key.result_code(DeleteAlias { alias_name: "alias/aws/s3".to_owned() }).await, "InvalidAliasName");
}
