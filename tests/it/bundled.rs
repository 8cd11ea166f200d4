//! The bundled AWS, called through the client with the same bytes that any other caller sends.

use super::account::*;
use xks_console::aws::iam::ListUsers;
use xks_console::aws::kms::{
    ConnectCustomKeyStore, ConnectionState, CreateAlias, CreateKey, Decrypt, DescribeKey, DisconnectCustomKeyStore,
    Encrypt, GenerateDataKey, KeyState, ListKeys, Tag,
};
use xks_console::aws::scalar::{Blob, SecretString};
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::GetCallerIdentity;
use xks_console::bundled::kms::ciphertext;
use xks_console::bundled::{BundledAws, OpenError};
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

#[tokio::test]
async fn new_key_encrypts_and_decrypts() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let blob = encrypt(&client, &key_id).await;
    assert_eq!(decrypt(&client, &blob, "nile").await.unwrap().expose(), b"four corners");
    let key = client.call(&DescribeKey::new(key_id)).await.unwrap().key_metadata;
    assert_eq!(key.xks_key_configuration.unwrap().id, "payments-2026");
    assert_eq!((key.key_state, key.enabled, key.current_key_material_id), (KeyState::Enabled, true, None));
}

#[tokio::test]
async fn decrypt_rejects_wrong_encryption_context() {
    let (client, _) = account();
    let blob = encrypt(&client, &create_external_key(&client).await).await;
    assert_eq!(service_error(decrypt(&client, &blob, "amazon").await).code, "KMSInvalidStateException");
}

#[tokio::test]
async fn decrypt_rejects_every_flipped_ciphertext_bit() {
    let (client, _) = account();
    let external = encrypt(&client, &create_external_key(&client).await).await;
    let standard = encrypt(&client, "alias/app-logs").await;
    for blob in [external, standard] {
        for bit in 0..blob.0.len() * 8 {
            let mut flipped = blob.clone();
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert!(decrypt(&client, &flipped, "nile").await.is_err(), "bit {bit}");
        }
    }
}

#[tokio::test]
async fn decryption_needs_both_kms_and_external_key_layers() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let blob = encrypt(&client, &key_id).await;
    let (mut header, body) = ciphertext::decode(&blob.0).unwrap();
    let ciphertext::Body::Double(external) = body else { panic!("the ciphertext has no second layer") };
    // KMS alone: the output of the external key is not a first-layer ciphertext.
    header.is_external = false;
    let single_layer = Blob(ciphertext::encode(&header, &ciphertext::Body::Single(external.ciphertext.clone())));
    assert_eq!(service_error(decrypt(&client, &single_layer, "nile").await).code, "InvalidCiphertextException");
    // The external key alone: another KMS key has different key material, so it can't decrypt the first layer even if
    // the second layer is removed.
    assert!(!external.ciphertext.windows(12).any(|window| window == b"four corners"));
    let other =
        client.call(&create_key_request(&client, "Frankfurt HSM", "ledger-archive").await).await.unwrap().key_metadata;
    header.is_external = true;
    header.key_arn = other.arn;
    let moved = Blob(ciphertext::encode(&header, &ciphertext::Body::Double(external)));
    assert!(decrypt(&client, &moved, "nile").await.is_err());
}

#[tokio::test]
async fn encrypted_data_key_decrypts_to_its_plaintext() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let request = GenerateDataKey { key_id, key_spec: Some("AES_256".to_owned()), ..Default::default() };
    let data_key = client.call(&request).await.unwrap();
    assert_eq!(data_key.plaintext.expose().len(), 32);
    let decrypted =
        client.call(&Decrypt { ciphertext_blob: data_key.ciphertext_blob, ..Default::default() }).await.unwrap();
    assert_eq!(decrypted.plaintext, data_key.plaintext);
}

#[tokio::test]
async fn invalid_create_key_requests_fail_as_on_aws_and_create_nothing() {
    let (client, _) = account();
    let before = client.collect_keys().await.unwrap();
    for (name, external, code, words) in [
        ("Zurich DR", "dr-vault", "CustomKeyStoreInvalidStateException", "not connected"),
        ("Frankfurt HSM", "no-such-key", "XksKeyNotFoundException", "could not find the external key"),
        ("Frankfurt HSM", "kid-7f3a91c2", "XksKeyNotFoundException", "could not find the external key"),
        ("Frankfurt HSM", "customer-db", "XksKeyAlreadyInUseException", "already associated"),
        ("Frankfurt HSM", "branch-aes128", "XksKeyInvalidConfigurationException", "must be AES_256"),
        ("Frankfurt HSM", "disabled-2019", "XksKeyInvalidConfigurationException", "must be ENABLED"),
        ("Frankfurt HSM", "backup-encrypt-only", "XksKeyInvalidConfigurationException", "ENCRYPT and DECRYPT"),
        ("Frankfurt HSM", "a b", "ValidationException", "xksKeyId"),
    ] {
        let error = service_error(client.call(&create_key_request(&client, name, external).await).await);
        assert_eq!(error.code, code, "{external}: {error}");
        assert!(error.message.contains(words), "{error}");
        assert!(!error.request_id.is_empty());
    }
    let good = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
    for (wrong, code) in [
        (CreateKey { key_spec: Some("RSA_2048".to_owned()), ..good.clone() }, "ValidationException"),
        (CreateKey { key_usage: Some("SIGN_VERIFY".to_owned()), ..good.clone() }, "ValidationException"),
        (
            CreateKey {
                key_spec: Some("RSA_2048".to_owned()),
                key_usage: Some("SIGN_VERIFY".to_owned()),
                ..good.clone()
            },
            "UnsupportedOperationException",
        ),
        (
            CreateKey {
                key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
                customer_master_key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
                ..good.clone()
            },
            "ValidationException",
        ),
        (CreateKey { multi_region: Some(true), ..good.clone() }, "UnsupportedOperationException"),
        (
            CreateKey { custom_key_store_id: Some("cks-0".to_owned()), ..good.clone() },
            "CustomKeyStoreNotFoundException",
        ),
        (CreateKey { origin: None, ..good.clone() }, "ValidationException"),
        (CreateKey { xks_key_id: None, ..good.clone() }, "ValidationException"),
        (CreateKey { policy: Some("{}".to_owned()), ..good.clone() }, "MalformedPolicyDocumentException"),
        (CreateKey { policy: Some(" ".repeat(32_769)), ..good.clone() }, "LimitExceededException"),
        (CreateKey { tags: Some(vec![Tag { tag_key: "aws:x".to_owned(), ..Tag::default() }]), ..good }, "TagException"),
    ] {
        assert_eq!(service_error(client.call(&wrong).await).code, code, "{wrong:?}");
    }
    assert_eq!(client.collect_keys().await.unwrap(), before);
}

#[tokio::test]
async fn create_key_rejects_policies_that_lock_out_the_caller_or_name_unknown_principals() {
    let (client, _) = account();
    let policy = |principal: &str| {
        let statement =
            format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"}}"#);
        Some(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
    };
    let good = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
    let try_with = async |principal: &str| client.call(&CreateKey { policy: policy(principal), ..good.clone() }).await;
    let unknown_principal = service_error(try_with("arn:aws:iam::111122223333:role/NoSuchRole").await);
    assert_eq!(unknown_principal.message, "Policy contains a statement with one or more invalid principals.");
    let locked_out = service_error(try_with("arn:aws:iam::444455556666:root").await);
    assert_eq!(locked_out.message, "The new key policy will not allow you to update the key policy in the future.");
    assert!(try_with("arn:aws:iam::111122223333:root").await.is_ok());
}

#[tokio::test]
async fn create_alias_rejects_duplicate_reserved_and_malformed_names() {
    let (client, _) = account();
    let target_key_id = create_external_key(&client).await;
    let create = |name: &str| CreateAlias { alias_name: name.to_owned(), target_key_id: target_key_id.clone() };
    assert!(client.call(&create("alias/payments")).await.is_ok());
    let taken = service_error(client.call(&create("alias/customer-db")).await);
    assert_eq!(
        taken.to_string(),
        "AlreadyExistsException: An alias with the name arn:aws:kms:us-west-2:111122223333:alias/customer-db already exists"
    );
    assert_eq!(service_error(client.call(&create("alias/aws/s3")).await).code, "InvalidAliasNameException");
    assert_eq!(service_error(client.call(&create("payments")).await).code, "ValidationException");
    let by_alias = DescribeKey::new("alias/payments".to_owned());
    assert_eq!(client.call(&by_alias).await.unwrap().key_metadata.key_id, target_key_id);
}

#[tokio::test]
async fn key_store_connects_after_a_delay_and_key_states_follow_its_connection_state() {
    let (client, clock) = account();
    let key_id = create_external_key(&client).await;
    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
    assert_eq!(key_store(&client, "Frankfurt HSM").await.connection_state, ConnectionState::Disconnecting);
    clock.advance(jiff::SignedDuration::from_secs(2));
    assert_eq!(key_store(&client, "Frankfurt HSM").await.connection_state, ConnectionState::Disconnected);
    let key = client.call(&DescribeKey::new(key_id.clone())).await.unwrap().key_metadata;
    assert_eq!((key.key_state, key.enabled), (KeyState::Unavailable, false));
    let request = Encrypt { key_id: key_id.clone(), plaintext: secret(b"x"), ..Default::default() };
    let error = service_error(client.call(&request).await);
    assert!(error.code == "KMSInvalidStateException" && error.message.ends_with("is unavailable."), "{error}");
    client.call(&ConnectCustomKeyStore { custom_key_store_id: id }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(4));
    assert_eq!(key_store(&client, "Frankfurt HSM").await.connection_state, ConnectionState::Connecting);
    clock.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(key_store(&client, "Frankfurt HSM").await.connection_state, ConnectionState::Connected);
    assert!(client.call(&request).await.is_ok());
}

#[tokio::test]
async fn key_store_with_wrong_secret_fails_to_connect() {
    let (client, clock) = account();
    let id = key_store(&client, "Paris legacy").await.custom_key_store_id;
    let connect = ConnectCustomKeyStore { custom_key_store_id: id.clone() };
    assert_eq!(service_error(client.call(&connect).await).code, "CustomKeyStoreInvalidStateException");
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(2));
    client.call(&connect).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(5));
    let failed = key_store(&client, "Paris legacy").await;
    assert_eq!(failed.connection_state, ConnectionState::Failed);
    assert_eq!(failed.connection_error_code.as_deref(), Some("INVALID_CREDENTIALS"));
}

#[tokio::test]
async fn requests_with_invalid_or_missing_signatures_are_rejected() {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let clock = environment.clock.clone();
    let bundled = BundledAws::in_memory("default", environment).unwrap();
    let caller = in_process::client(&bundled, clock.clone()).call(&GetCallerIdentity {}).await.unwrap();
    assert_eq!(caller.arn, "arn:aws:iam::111122223333:user/Admin");
    let client_with = |credentials: Credentials| {
        let aws = bundled.clone();
        let transport = xks_console::client::InProcess::new(move |request| {
            let aws = aws.clone();
            Box::pin(async move { aws.handle(request).await })
        });
        Client::new(std::sync::Arc::new(transport), credentials, "us-west-2", clock.clone())
    };
    let good = bundled.console_credentials();
    let wrong = Credentials { secret_access_key: SecretString::new("guess".to_owned()), ..good.clone() };
    assert_eq!(service_error(client_with(wrong).call(&ListKeys::default()).await).code, "InvalidSignatureException");
    let nobody = Credentials { access_key_id: "AKIANOBODY".to_owned(), ..good };
    assert_eq!(service_error(client_with(nobody).call(&ListKeys::default()).await).code, "UnrecognizedClientException");
    let unsigned =
        http::Request::post("https://kms.us-west-2.amazonaws.com/").header("x-amz-target", "TrentService.ListKeys");
    let response = bundled.handle(unsigned.body(bytes::Bytes::from_static(b"{}")).unwrap()).await;
    assert_eq!(response.status(), 400);
    assert!(String::from_utf8_lossy(response.body()).contains("MissingAuthenticationTokenException"));
}

#[tokio::test]
async fn data_survives_a_restart_and_a_missing_root_key_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let (key_id, blob) = {
        let client = in_process::client(&BundledAws::open(&path, None).unwrap(), Clock::System);
        let key_id = create_external_key(&client).await;
        let blob = encrypt(&client, &key_id).await;
        (key_id, blob)
    };
    let reopened = in_process::client(&BundledAws::open(&path, None).unwrap(), Clock::System);
    assert!(reopened.call(&DescribeKey::new(key_id)).await.is_ok());
    assert_eq!(decrypt(&reopened, &blob, "nile").await.unwrap().expose(), b"four corners");
    assert!(matches!(BundledAws::open(&path, Some("default")), Err(OpenError::AccountExists(_))));
    let mode = |name: &str| std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("account.root"), mode("external-key-manager.root")), (0o700, 0o600, 0o600));
    std::fs::remove_file(path.join("account.root")).unwrap();
    assert!(matches!(BundledAws::open(&path, None), Err(OpenError::Seal(_))));
    assert!(!path.join("account.root").exists(), "a missing root key is never recreated");
}

#[tokio::test]
async fn two_processes_share_one_account() {
    let dir = tempfile::tempdir().unwrap();
    let one = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let two = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let key_id = create_external_key(&one).await;
    let blob = encrypt(&two, &key_id).await;
    assert!(decrypt(&one, &blob, "nile").await.is_ok());
}

#[test]
fn concurrent_starts_create_one_account() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let start = || BundledAws::open(&path, None).map(|aws| aws.console_credentials().access_key_id);
    let ids: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let first = ids[0].as_ref().unwrap();
    assert!(ids.iter().all(|id| id.as_ref().ok() == Some(first)), "{ids:?}");
}

#[tokio::test]
async fn concurrent_create_key_requests_for_one_external_key_succeed_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let one = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let two = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let request = create_key_request(&one, "Frankfurt HSM", "hr-records").await;
    let failed = match tokio::join!(one.call(&request), two.call(&request)) {
        (Ok(_), failed @ Err(_)) | (failed @ Err(_), Ok(_)) => service_error(failed),
        both => panic!("{both:?}"),
    };
    assert_eq!(failed.code, "XksKeyAlreadyInUseException");
}

#[tokio::test]
async fn key_store_disconnected_while_connecting_stays_disconnected() {
    let (client, clock) = account();
    let id = key_store(&client, "Zurich DR").await.custom_key_store_id;
    client.call(&ConnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(3));
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id }).await.unwrap();
    // By now the five seconds that connecting takes have passed, too. They must not have an effect.
    clock.advance(jiff::SignedDuration::from_secs(2));
    assert_eq!(key_store(&client, "Zurich DR").await.connection_state, ConnectionState::Disconnected);
    clock.advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(key_store(&client, "Zurich DR").await.connection_state, ConnectionState::Disconnected);
}

#[tokio::test]
async fn other_region_is_empty_and_does_not_find_keys_of_this_region() {
    let (client, _) = account();
    let other_region = client.with_region("eu-central-1");
    assert!(other_region.collect_keys().await.unwrap().is_empty());
    assert!(other_region.collect_key_stores().await.unwrap().is_empty());
    let all = ListUsers { max_items: Some(1000), ..ListUsers::default() };
    let users = other_region.call(&all).await.unwrap().users.member;
    assert_eq!(users.len(), 20, "IAM is global");
    let key_id = client.collect_keys().await.unwrap().remove(0).key_arn;
    let error = service_error(other_region.call(&DescribeKey::new(key_id)).await);
    assert_eq!(error.to_string(), "NotFoundException: Invalid arn us-west-2");
}

#[test]
fn account_files_do_not_contain_the_secret_access_key_in_plaintext() {
    let dir = tempfile::tempdir().unwrap();
    let aws = BundledAws::open(dir.path(), None).unwrap();
    let (contains, credentials) = (
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes()),
        aws.console_credentials(),
    );
    let files: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(files.iter().any(|file| contains(file, &credentials.access_key_id)), "the ID is not secret");
    assert!(!files.iter().any(|file| contains(file, credentials.secret_access_key.expose())));
}
