//! CloudTrail: the events that calls leave, and LookupEvents.

use serde_json::{Value, json};

use crate::account::{
    account, account_with_bundled, create_external_key, create_key_request, decrypt, encrypt, key_store, service_error,
};
use xks_console::aws::cloudtrail::{Event, LookupAttribute, LookupEvents};
use xks_console::aws::iam::ListUsers;
use xks_console::aws::kms::*;
use xks_console::aws::scalar::{EpochSeconds, SecretBlob, SecretString};
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::AssumeRole;
use xks_console::aws::xks_console::ListProxyRequests;
use xks_console::bundled::BundledAws;
use xks_console::client::{Client, InProcess};
use xks_console::environment::Clock;

async fn lookup_events(client: &Client, attribute: Option<(&str, &str)>) -> Vec<Event> {
    let lookup_attributes = attribute
        .map(|(key, value)| vec![LookupAttribute { attribute_key: key.into(), attribute_value: value.into() }]);
    client.call(&LookupEvents { lookup_attributes, ..LookupEvents::default() }).await.unwrap().events
}

async fn last_event(client: &Client, name: &str) -> Value {
    let events = lookup_events(client, Some(("EventName", name))).await;
    serde_json::from_str(&events.first().unwrap_or_else(|| panic!("{name} left no event")).cloud_trail_event).unwrap()
}

pub fn client_for_user(bundled: &BundledAws, name: &str, clock: &Clock) -> Client {
    let keys = bundled.access_keys().unwrap();
    client_with_credentials(bundled, keys.into_iter().find(|key| key.user_name == name).unwrap().credentials, clock)
}

fn client_with_credentials(bundled: &BundledAws, credentials: Credentials, clock: &Clock) -> Client {
    let aws = bundled.clone();
    let transport = InProcess::new(move |request| {
        let aws = aws.clone();
        Box::pin(async move { aws.handle(request).await })
    });
    Client::new(std::sync::Arc::new(transport), credentials, "us-west-2", clock.clone())
}

#[tokio::test]
async fn create_key_event_matches_the_guide() {
    let (client, _) = account();
    let request = CreateKey {
        tags: Some(vec![Tag { tag_key: "Team".to_owned(), tag_value: "Payments".to_owned() }]),
        ..create_key_request(&client, "Frankfurt HSM", "payments-2026").await
    };
    let key = client.call(&request).await.unwrap().key_metadata;
    let event = last_event(&client, "CreateKey").await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap());
    assert_eq!(event["responseElements"]["keyMetadata"]["keyId"], json!(key.key_id));
    assert_eq!(event["resources"][0]["ARN"], json!(key.arn));
}

#[tokio::test]
async fn encrypt_and_decrypt_events_name_the_external_key_but_contain_no_data() {
    let (client, _) = account();
    let key = create_external_key(&client).await;
    let blob = encrypt(&client, &key).await;
    decrypt(&client, &blob, "nile").await.unwrap();
    for name in ["Encrypt", "Decrypt"] {
        let event = last_event(&client, name).await;
        assert_eq!(event["additionalEventData"]["xksKeyId"], "payments-2026", "{event}");
        assert_eq!(event["requestParameters"]["encryptionContext"], json!({ "project": "nile" }));
        assert_eq!((&event["readOnly"], &event["responseElements"]), (&json!(true), &Value::Null));
        let text = event.to_string();
        assert!(!text.contains("plaintext") && !text.contains("ciphertextBlob"), "{text}");
    }
}

#[tokio::test]
async fn denied_call_is_recorded_with_its_error() {
    let (client, clock, bundled) = account_with_bundled();
    let key = create_external_key(&client).await;
    let jonas = client_for_user(&bundled, "jonas.bauer", &clock);
    service_error(jonas.call(&DisableKey { key_id: key.clone() }).await);
    let event = last_event(&client, "DisableKey").await;
    assert_eq!(event["errorCode"], "AccessDenied");
    assert!(event["errorMessage"].as_str().unwrap().contains("kms:DisableKey"), "{event}");
    assert_eq!(event["userIdentity"]["userName"], "jonas.bauer");
    assert_eq!(event["resources"][0]["ARN"].as_str().unwrap().rsplit('/').next(), Some(&*key));
}

#[tokio::test]
async fn session_events_name_the_role_and_contain_no_secrets() {
    let (client, clock, bundled) = account_with_bundled();
    let role = "arn:aws:iam::111122223333:role/payments/PaymentsApi".to_owned();
    let request = AssumeRole { role_arn: role.clone(), role_session_name: "audit".to_owned(), ..Default::default() };
    let grace = client_for_user(&bundled, "grace.liu", &clock);
    let session = grace.call(&request).await.unwrap().credentials;
    let assumed = last_event(&client, "AssumeRole").await.to_string();
    for secret in [session.secret_access_key.expose(), session.session_token.expose()] {
        assert!(!assumed.contains(secret));
    }
    let credentials = Credentials {
        access_key_id: session.access_key_id.clone(),
        secret_access_key: SecretString::new(session.secret_access_key.expose().to_owned()),
        session_token: Some(session.session_token),
    };
    service_error(client_with_credentials(&bundled, credentials, &clock).call(&ListKeys::default()).await);
    let user = &last_event(&client, "ListKeys").await["userIdentity"];
    assert_eq!((&user["type"], &user["accessKeyId"]), (&json!("AssumedRole"), &json!(session.access_key_id)));
    assert_eq!(user["sessionContext"]["sessionIssuer"]["arn"], json!(role));
    assert_eq!(lookup_events(&client, Some(("Username", "audit"))).await.len(), 1);
}

#[tokio::test]
async fn proxy_secret_access_key_is_hidden() {
    let (client, _) = account();
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEYwJalrXUtn";
    let request = UpdateCustomKeyStore {
        custom_key_store_id: key_store(&client, "Frankfurt HSM").await.custom_key_store_id,
        xks_proxy_authentication_credential: Some(XksProxyAuthenticationCredential {
            access_key_id: "ABCDEFGHIJKLMNOPQRST".to_owned(),
            raw_secret_access_key: SecretString::new(secret.to_owned()),
        }),
        ..Default::default()
    };
    service_error(client.call(&request).await);
    let event = last_event(&client, "UpdateCustomKeyStore").await;
    assert_eq!(
        event["requestParameters"]["xksProxyAuthenticationCredential"],
        json!({ "accessKeyId": "ABCDEFGHIJKLMNOPQRST", "rawSecretAccessKey": "HIDDEN_DUE_TO_SECURITY_REASONS" })
    );
    assert!(!event.to_string().contains(secret));
}

#[tokio::test]
async fn key_owner_sees_calls_of_other_accounts() {
    let (client, clock, bundled) = account_with_bundled();
    let key = client.call(&CreateKey::default()).await.unwrap().key_metadata;
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::444455556666:root" }, "Action": "kms:*", "Resource": "*" },
    ] });
    let put = PutKeyPolicy { key_id: key.key_id.clone(), policy: policy.to_string(), ..Default::default() };
    client.call(&put).await.unwrap();
    let partner = client_for_user(&bundled, "partner.analyst", &clock);
    partner.call(&DescribeKey::new(key.arn.clone())).await.unwrap();
    let event = last_event(&client, "DescribeKey").await;
    assert_eq!(event["userIdentity"]["accountId"], "444455556666");
    assert_eq!(event["recipientAccountId"], "111122223333");
    assert!(event["sharedEventID"].is_string() && event["sharedEventID"] != event["eventID"], "{event}");
    assert!(last_event(&client, "PutKeyPolicy").await["sharedEventID"].is_null());
    // The partner's own events are in the partner's account, and this user isn't allowed to read them.
    assert_eq!(service_error(partner.call(&LookupEvents::default()).await).code, "AccessDeniedException");
}

#[tokio::test]
async fn events_are_paginated_newest_first() {
    let (client, clock) = account();
    let mut keys = Vec::new();
    for _ in 0..7 {
        clock.advance(jiff::SignedDuration::from_secs(1));
        keys.push(client.call(&CreateKey::default()).await.unwrap().key_metadata.key_id);
        client.call(&ListKeys::default()).await.unwrap();
    }
    let (mut found, mut next_token) = (Vec::new(), None);
    loop {
        let lookup = LookupEvents {
            lookup_attributes: Some(vec![LookupAttribute {
                attribute_key: "EventName".to_owned(),
                attribute_value: "CreateKey".to_owned(),
            }]),
            max_results: Some(3),
            next_token,
            ..Default::default()
        };
        let page = client.call(&lookup).await.unwrap();
        assert!(page.events.len() <= 3);
        found.extend(page.events);
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    let ids: Vec<&str> = found
        .iter()
        .map(|event| event.resources[0].resource_name.as_deref().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(ids, keys.iter().rev().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(lookup_events(&client, Some(("ResourceName", &keys[2]))).await.len(), 1);
    assert_eq!(lookup_events(&client, Some(("ReadOnly", "false"))).await.len(), 7);
    let third = "2026-03-02T10:15:03Z".parse().unwrap();
    let lookup = LookupEvents {
        start_time: Some(EpochSeconds(third)),
        end_time: Some(EpochSeconds(third)),
        ..Default::default()
    };
    let names: Vec<String> =
        client.call(&lookup).await.unwrap().events.into_iter().map(|event| event.event_name).collect();
    assert_eq!(names, ["ListKeys", "CreateKey"]);
}

#[tokio::test]
async fn invalid_lookups_are_rejected_as_on_aws() {
    let (client, _) = account();
    let attribute = |key: &str| LookupAttribute { attribute_key: key.into(), attribute_value: "x".into() };
    for (code, request) in [
        ("InvalidMaxResultsException", LookupEvents { max_results: Some(51), ..Default::default() }),
        ("InvalidNextTokenException", LookupEvents { next_token: Some("x".to_owned()), ..Default::default() }),
        ("InvalidEventCategoryException", LookupEvents { event_category: Some("x".to_owned()), ..Default::default() }),
        (
            "InvalidLookupAttributesException",
            LookupEvents { lookup_attributes: Some(vec![attribute("Color")]), ..Default::default() },
        ),
        (
            "InvalidLookupAttributesException",
            LookupEvents {
                lookup_attributes: Some(vec![attribute("EventId"), attribute("EventName")]),
                ..Default::default()
            },
        ),
        (
            "InvalidTimeRangeException",
            LookupEvents {
                start_time: Some(EpochSeconds("2026-01-02T00:00:00Z".parse().unwrap())),
                end_time: Some(EpochSeconds("2026-01-01T00:00:00Z".parse().unwrap())),
                ..Default::default()
            },
        ),
    ] {
        assert_eq!(service_error(client.call(&request).await).code, code);
    }
}

#[tokio::test]
async fn iam_events_are_recorded_only_in_us_east_1() {
    let (client, _) = account();
    client.call(&ListUsers { max_items: Some(5), ..Default::default() }).await.unwrap();
    assert!(lookup_events(&client, Some(("EventName", "ListUsers"))).await.is_empty());
    let event = last_event(&client.with_region("us-east-1"), "ListUsers").await;
    assert_eq!(event["requestParameters"], json!({ "maxItems": "5" }));
}

#[tokio::test]
async fn another_process_sees_changes_at_once_and_reads_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (BundledAws::open(dir.path(), None).unwrap(), BundledAws::open(dir.path(), None).unwrap());
    let (writer, reader) =
        (client_for_user(&one, "Admin", &Clock::System), client_for_user(&other, "Admin", &Clock::System));
    writer.call(&CreateKey::default()).await.unwrap();
    writer.call(&ListKeys::default()).await.unwrap();
    assert_eq!(lookup_events(&reader, Some(("EventName", "CreateKey"))).await.len(), 1);
    let start = std::time::Instant::now();
    while lookup_events(&reader, Some(("EventName", "ListKeys"))).await.is_empty() {
        assert!(start.elapsed().as_secs() < 20, "the read event did not appear");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    writer.call(&ListAliases::default()).await.unwrap();
    drop((writer, one));
    assert_eq!(lookup_events(&reader, Some(("EventName", "ListAliases"))).await.len(), 1);
}

#[tokio::test]
async fn event_and_proxy_log_entry_describe_the_same_request() {
    let (client, clock, bundled) = account_with_bundled();
    let key = create_external_key(&client).await;
    let blob = encrypt(&client, &key).await;
    decrypt(&client, &blob, "nile").await.unwrap();
    for name in ["Encrypt", "Decrypt"] {
        let event = last_event(&client, name).await;
        let lookup = ListProxyRequests {
            kms_request_id: event["requestID"].as_str().map(str::to_owned),
            ..all_proxy_requests()
        };
        let [request] = &client.call(&lookup).await.unwrap().requests[..] else {
            panic!("expected one {name} request")
        };
        assert_eq!((&*request.operation, request.status, &request.error_name), (name, 200, &None));
        assert_eq!((&*request.partition, request.external_key_id.as_deref()), ("frankfurt", Some("payments-2026")));
        assert_eq!(request.kms_operation.as_deref(), Some(name));
        assert_eq!(request.kms_key_arn.as_deref(), event["resources"][0]["ARN"].as_str());
        assert_eq!(request.aws_principal_arn.as_deref(), event["userIdentity"]["arn"].as_str());
        // The entry identifies the signer but contains neither the secret nor the plaintext.
        let entry = serde_json::to_string(request).unwrap();
        assert!(request.access_key_id.is_some() && !entry.contains("plaintext"), "{entry}");
    }

    bundled.key_manager().set_enabled("frankfurt", "payments-2026", false).unwrap();
    service_error(
        client.call(&Encrypt { key_id: key, plaintext: SecretBlob::new(vec![1]), ..Encrypt::default() }).await,
    );
    let newest = ListProxyRequests { max_results: Some(1), ..all_proxy_requests() };
    let request = client.call(&newest).await.unwrap().requests.remove(0);
    assert_eq!((request.status, request.error_name.as_deref()), (400, Some("InvalidStateException")));

    let jonas = client_for_user(&bundled, "jonas.bauer", &clock);
    assert_eq!(service_error(jonas.call(&newest).await).code, "AccessDeniedException");
}

fn all_proxy_requests() -> ListProxyRequests {
    ListProxyRequests::default()
}
