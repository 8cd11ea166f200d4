//! Dry runs, with and without a ciphertext, and requests with an invalid attestation document.

use xks_console::aws::kms::*;
use xks_console::aws::operation::Operation;
use xks_console::aws::scalar::Blob;
use xks_console::client::Client;

use crate::account::{account, context, create_external_key, encrypt, secret, service_error};

async fn error_code(client: &Client, request: impl Operation<Response: std::fmt::Debug>) -> String {
    service_error(client.call(&request).await).code
}

#[tokio::test]
async fn dry_run_fails_like_the_real_call_or_reports_that_it_would_succeed() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let ciphertext_blob = encrypt(&client, &key_id).await;
    let expected = "DryRunOperationException";
    let data_key = |key_id: &str| GenerateDataKey {
        key_id: key_id.to_owned(),
        number_of_bytes: Some(32),
        dry_run: Some(true),
        ..GenerateDataKey::default()
    };
    let (dry_run, encryption_context) = (Some(true), context("nile"));
    let encrypt = Encrypt { key_id: key_id.clone(), plaintext: secret(b"x"), dry_run, ..Encrypt::default() };
    let decrypt =
        Decrypt { ciphertext_blob: ciphertext_blob.clone(), encryption_context, dry_run, ..Decrypt::default() };
    let re_encrypt = ReEncrypt {
        ciphertext_blob,
        source_encryption_context: context("nile"),
        destination_key_id: "alias/app-logs".to_owned(),
        dry_run,
        ..ReEncrypt::default()
    };
    assert_eq!(error_code(&client, encrypt.clone()).await, expected);
    assert_eq!(error_code(&client, decrypt.clone()).await, expected);
    assert_eq!(error_code(&client, re_encrypt).await, expected);
    assert_eq!(error_code(&client, data_key(&key_id)).await, expected);
    assert_eq!(error_code(&client, GenerateDataKeyWithoutPlaintext(data_key(&key_id))).await, expected);
    client.call(&DisableKey { key_id: key_id.clone() }).await.unwrap();
    assert_eq!(error_code(&client, encrypt).await, "DisabledException");
    assert_eq!(error_code(&client, decrypt).await, "DisabledException");
    assert_eq!(error_code(&client, data_key(&key_id)).await, "DisabledException");
}

#[tokio::test]
async fn dry_run_can_check_permissions_without_a_ciphertext() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let decrypt = Decrypt {
        key_id: Some(key_id.clone()),
        dry_run: Some(true),
        dry_run_modifiers: Some(vec!["IGNORE_CIPHERTEXT".to_owned()]),
        ..Decrypt::default()
    };
    assert_eq!(error_code(&client, decrypt.clone()).await, "DryRunOperationException");
    let garbage = Decrypt { ciphertext_blob: Blob(b"garbage".to_vec()), ..decrypt.clone() };
    assert_eq!(error_code(&client, garbage).await, "DryRunOperationException");
    for (wrong, member) in [
        (Decrypt { key_id: None, ..decrypt.clone() }, "'keyId'"),
        (Decrypt { dry_run: None, ..decrypt.clone() }, "'ciphertextBlob'"),
        (Decrypt { dry_run_modifiers: None, ..decrypt.clone() }, "'ciphertextBlob'"),
    ] {
        let error = service_error(client.call(&wrong).await);
        assert!(error.has_code("Validation") && error.message.contains(member), "{error}");
    }
    let re_encrypt = ReEncrypt {
        source_key_id: Some(key_id.clone()),
        destination_key_id: "alias/app-logs".to_owned(),
        dry_run: Some(true),
        dry_run_modifiers: decrypt.dry_run_modifiers.clone(),
        ..ReEncrypt::default()
    };
    assert_eq!(error_code(&client, re_encrypt.clone()).await, "DryRunOperationException");
    let error = service_error(client.call(&ReEncrypt { source_key_id: None, ..re_encrypt.clone() }).await);
    assert!(error.message.contains("'sourceKeyId'"), "{error}");
    client.call(&DisableKey { key_id }).await.unwrap();
    assert_eq!(error_code(&client, decrypt).await, "DisabledException");
    assert_eq!(error_code(&client, re_encrypt).await, "DisabledException");
}

#[tokio::test]
async fn invalid_attestation_document_is_rejected() {
    let (client, _) = account();
    let key_id = create_external_key(&client).await;
    let ciphertext_blob = encrypt(&client, &key_id).await;
    let recipient = Some(Recipient {
        key_encryption_algorithm: Some("RSAES_OAEP_SHA_256".to_owned()),
        attestation_document: Some(Blob(b"not signed".to_vec())),
    });
    let decrypt = Decrypt { ciphertext_blob, recipient: recipient.clone(), ..Decrypt::default() };
    let number_of_bytes = Some(32);
    let data_key = GenerateDataKey { key_id, number_of_bytes, recipient: recipient.clone(), ..Default::default() };
    assert_eq!(error_code(&client, decrypt).await, "ValidationException");
    assert_eq!(error_code(&client, data_key.clone()).await, "ValidationException");
    let random = GenerateRandom { number_of_bytes, custom_key_store_id: None, recipient };
    assert_eq!(error_code(&client, random).await, "ValidationException");
    // GenerateDataKeyWithoutPlaintext has no such member and ignores it.
    assert!(client.call(&GenerateDataKeyWithoutPlaintext(data_key)).await.is_ok());
}
