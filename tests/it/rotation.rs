//! Rotation of key material that KMS generates, and GetKeyLastUsage.

use jiff::SignedDuration;

use crate::account::{account, create_external_key, decrypt, encrypt, service_error};
use xks_console::aws::kms::*;
use xks_console::client::Client;

async fn create_kms_key(client: &Client) -> KeyMetadata {
    client.call(&CreateKey::default()).await.unwrap().key_metadata
}

async fn list_rotations(client: &Client, key_id: &str, include: &str) -> Vec<(String, String, Option<String>)> {
    let request = ListKeyRotations {
        key_id: key_id.to_owned(),
        include_key_material: Some(include.to_owned()),
        ..ListKeyRotations::default()
    };
    let all = client.call(&request).await.unwrap().rotations;
    all.into_iter().map(|one| (one.key_material_id, one.key_material_state, one.rotation_type)).collect()
}

#[tokio::test]
async fn older_key_material_decrypts_after_rotations() {
    let (client, _) = account();
    let KeyMetadata { key_id, current_key_material_id: first, .. } = create_kms_key(&client).await;
    let mut blobs = vec![encrypt(&client, &key_id).await];
    for _ in 0..3 {
        let rotated = client.call(&RotateKeyOnDemand { key_id: key_id.clone() }).await.unwrap();
        assert_eq!(rotated.key_id, key_id);
        blobs.push(encrypt(&client, &key_id).await);
    }
    for blob in &blobs {
        assert_eq!(decrypt(&client, blob, "nile").await.unwrap().expose(), b"four corners");
    }
    let request = Decrypt {
        ciphertext_blob: blobs[0].clone(),
        encryption_context: crate::account::context("nile"),
        ..Default::default()
    };
    assert_eq!(client.call(&request).await.unwrap().key_material_id, first);
    let all = list_rotations(&client, &key_id, "ALL_KEY_MATERIAL").await;
    let current = client.call(&DescribeKey::new(key_id.clone())).await.unwrap().key_metadata.current_key_material_id;
    assert_eq!((all.len(), &all[0].0, &all[3].0), (4, first.as_ref().unwrap(), current.as_ref().unwrap()));
    let states: Vec<&str> = all.iter().map(|(_, state, _)| state.as_str()).collect();
    assert_eq!(states, ["NON_CURRENT", "NON_CURRENT", "NON_CURRENT", "CURRENT"]);
    assert_eq!(list_rotations(&client, &key_id, "ROTATIONS_ONLY").await, all[1..]);
}

#[tokio::test]
async fn key_is_rotated_automatically_when_due_but_not_while_disabled() {
    let (client, clock) = account();
    let key_id = create_kms_key(&client).await.key_id;
    let blob = encrypt(&client, &key_id).await;
    client.call(&EnableKeyRotation { key_id: key_id.clone(), rotation_period_in_days: Some(90) }).await.unwrap();
    let status = client.call(&GetKeyRotationStatus { key_id: key_id.clone() }).await.unwrap();
    assert_eq!((status.key_rotation_enabled, status.rotation_period_in_days), (true, Some(90)));
    assert_eq!(status.next_rotation_date.unwrap().0, clock.now() + SignedDuration::from_hours(90 * 24));
    clock.advance(SignedDuration::from_hours(91 * 24));
    let rotated = list_rotations(&client, &key_id, "ROTATIONS_ONLY").await;
    assert_eq!(rotated.iter().map(|(_, _, kind)| kind.as_deref()).collect::<Vec<_>>(), [Some("AUTOMATIC")]);
    assert!(decrypt(&client, &blob, "nile").await.is_ok());
    client.call(&DisableKey { key_id: key_id.clone() }).await.unwrap();
    clock.advance(SignedDuration::from_hours(91 * 24));
    assert_eq!(list_rotations(&client, &key_id, "ROTATIONS_ONLY").await.len(), 1);
    client.call(&EnableKey { key_id: key_id.clone() }).await.unwrap();
    client.call(&DisableKeyRotation { key_id: key_id.clone() }).await.unwrap();
    assert!(!client.call(&GetKeyRotationStatus { key_id: key_id.clone() }).await.unwrap().key_rotation_enabled);
    clock.advance(SignedDuration::from_hours(365 * 24));
    assert_eq!(list_rotations(&client, &key_id, "ROTATIONS_ONLY").await.len(), 1);
}

#[tokio::test]
async fn rotation_is_rejected_where_aws_rejects_it() {
    let (client, _) = account();
    let external = create_external_key(&client).await;
    let (kms_key, disabled) = (create_kms_key(&client).await.key_id, create_kms_key(&client).await.key_id);
    client.call(&DisableKey { key_id: disabled.clone() }).await.unwrap();
    let rotate =
        async |key_id: &str| service_error(client.call(&RotateKeyOnDemand { key_id: key_id.to_owned() }).await).code;
    assert_eq!(rotate(&external).await, "UnsupportedOperationException");
    assert_eq!(rotate(&disabled).await, "DisabledException");
    assert_eq!(rotate("alias/app-logs").await, "NotFoundException");
    let enable = async |key_id: &str, days| {
        let request = EnableKeyRotation { key_id: key_id.to_owned(), rotation_period_in_days: Some(days) };
        service_error(client.call(&request).await).code
    };
    assert_eq!(enable(&external, 365).await, "UnsupportedOperationException");
    for days in [89, 2561] {
        assert_eq!(enable(&kms_key, days).await, "ValidationException");
    }
    for _ in 0..25 {
        client.call(&RotateKeyOnDemand { key_id: kms_key.clone() }).await.unwrap();
    }
    assert_eq!(rotate(&kms_key).await, "LimitExceededException");
    let page = ListKeyRotations { key_id: kms_key, limit: Some(20), ..Default::default() };
    let first = client.call(&page).await.unwrap();
    let rest = client.call(&ListKeyRotations { marker: first.next_marker.clone(), ..page }).await.unwrap();
    assert_eq!((first.rotations.len(), first.truncated, rest.rotations.len(), rest.truncated), (20, true, 5, false));
}

#[tokio::test]
async fn get_key_last_usage_returns_the_last_use_and_its_event() {
    let (client, clock) = account();
    let key_id = create_external_key(&client).await;
    let usage = async || client.call(&GetKeyLastUsage { key_id: key_id.clone() }).await.unwrap();
    let none = usage().await;
    assert_eq!((none.key_last_usage, none.tracking_start_date), (None, none.key_creation_date));
    let blob = encrypt(&client, &key_id).await;
    clock.advance(SignedDuration::from_secs(60));
    decrypt(&client, &blob, "nile").await.unwrap();
    service_error(decrypt(&client, &blob, "amazon").await);
    let last = usage().await.key_last_usage.unwrap();
    assert_eq!((last.operation.as_str(), last.timestamp.0), ("Decrypt", clock.now()));
    assert_eq!((last.cloud_trail_event_id.len(), last.kms_request_id.len()), (36, 36));
}
