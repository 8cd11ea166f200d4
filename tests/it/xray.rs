//! X-ray: the flows that requests leave, and that they contain no secrets.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};

use super::account::{
    account_with_bundled, block_on, context, create_external_key, decrypt, encrypt, key_store, secret, service_error,
};
use super::cloudtrail::client_for_user;
use xks_console::aws::kms::*;
use xks_console::aws::scalar::Blob;
use xks_console::aws::xks_console::PutProxyFault;
use xks_console::aws::xks_console::{DisableExternalKey, ExternalKeyName};
use xks_console::aws::xray::{Flow, FlowStage, FlowSummary, GetFlow, ListFlows, PolicySource, StatementEffect};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::Clock;
use xks_console::in_process;

const PLAINTEXT: &[u8] = b"the four corners of the earth, and their plaintext";

async fn summaries(client: &Client) -> Vec<FlowSummary> {
    client.call(&ListFlows::default()).await.unwrap().flows
}

async fn document(client: &Client, flow_id: &str) -> String {
    client.call(&GetFlow { flow_id: flow_id.to_owned() }).await.unwrap().flow
}

/// Returns the newest flow.
async fn last_flow(client: &Client) -> Flow {
    let newest = summaries(client).await.remove(0);
    serde_json::from_str(&document(client, &newest.flow_id).await).unwrap()
}

async fn encrypt_plaintext(client: &Client, key_id: &str) -> Blob {
    let request = Encrypt {
        key_id: key_id.to_owned(),
        plaintext: secret(PLAINTEXT),
        encryption_context: context("nile"),
        ..Default::default()
    };
    client.call(&request).await.unwrap().ciphertext_blob
}

/// Checks that a flow has every leg of an operation with an external key.
fn assert_has_all_legs(flow: &Flow, operations: &[&str]) {
    let name = &flow.summary.operation;
    assert!(flow.authorizations.iter().all(|one| one.is_allowed && !one.statements.is_empty()), "{flow:#?}");
    assert!(flow.event_id.is_some() && !flow.access_key_id.is_empty() && !flow.fields.is_empty(), "{name}");
    assert_eq!(flow.exchanges.iter().map(|one| one.operation.as_str()).collect::<Vec<_>>(), operations, "{name}");
    assert_eq!(flow.ciphers.len(), operations.len(), "{name}");
    for exchange in &flow.exchanges {
        assert_eq!((exchange.method.as_str(), exchange.status, exchange.attempts), ("POST", Some(200), 1));
        assert!(exchange.headers.iter().any(|header| header.name == "authorization"), "{name}");
        assert!(exchange.body.contains(&flow.summary.flow_id), "the proxy gets the request ID: {}", exchange.body);
        assert!(exchange.answer.is_some() && exchange.microseconds.is_some() && exchange.is_bundled);
    }
    for cipher in &flow.ciphers {
        let (first, second) = (cipher.first_layer.as_ref().unwrap(), cipher.second_layer.as_ref().unwrap());
        assert!(first.is_complete && second.is_complete, "{name}");
        assert_eq!((first.salt.0.len(), first.iv.0.len(), first.tag.0.len()), (16, 12, 16), "{name}");
        assert_eq!((second.tag.0.len(), second.key_version, second.aad.0.len()), (16, Some(1), 32), "{name}");
        assert_eq!(first.ciphertext_length, cipher.plaintext_length, "{name}");
        assert!(cipher.blob.is_some());
    }
}

#[tokio::test]
async fn flow_of_each_operation_has_all_legs() {
    let (client, _, _) = account_with_bundled();
    let key = create_external_key(&client).await;
    let flow = last_flow(&client).await;
    assert_eq!(
        (flow.summary.operation.as_str(), flow.exchanges[0].operation.as_str()),
        ("CreateKey", "GetKeyMetadata")
    );
    assert_eq!((flow.ciphers.len(), flow.authorizations[0].action.as_str()), (0, "kms:CreateKey"));

    let blob = encrypt_plaintext(&client, &key).await;
    let flow = last_flow(&client).await;
    assert_has_all_legs(&flow, &["Encrypt"]);
    assert_eq!(flow.ciphers[0].blob.as_ref(), Some(&blob));
    assert_eq!(flow.ciphers[0].encryption_context["project"], "nile");
    let sources: Vec<_> = flow.authorizations[0].statements.iter().map(|one| (one.source, one.effect)).collect();
    assert_eq!(
        sources,
        [(PolicySource::KeyPolicy, StatementEffect::Delegate), (PolicySource::IamPolicy, StatementEffect::Allow)]
    );
    assert_eq!(flow.authorizations[0].statements[0].id.as_deref(), Some("Enable IAM User Permissions"));

    decrypt(&client, &blob, "nile").await.unwrap();
    assert_has_all_legs(&last_flow(&client).await, &["Decrypt"]);
    let data_key = GenerateDataKey { key_id: key.clone(), number_of_bytes: Some(24), ..Default::default() };
    client.call(&data_key).await.unwrap();
    let flow = last_flow(&client).await;
    assert_has_all_legs(&flow, &["Encrypt"]);
    assert_eq!((flow.summary.operation.as_str(), flow.ciphers[0].plaintext_length), ("GenerateDataKey", Some(24)));
    client.call(&GenerateDataKeyWithoutPlaintext(data_key)).await.unwrap();
    assert_has_all_legs(&last_flow(&client).await, &["Encrypt"]);
    let request = ReEncrypt {
        ciphertext_blob: blob,
        source_encryption_context: context("nile"),
        destination_key_id: "alias/customer-db".to_owned(),
        ..Default::default()
    };
    client.call(&request).await.unwrap();
    let flow = last_flow(&client).await;
    assert_has_all_legs(&flow, &["Decrypt", "Encrypt"]);
    assert_eq!(flow.authorizations.len(), 2);
    assert_ne!(flow.ciphers[0].key_arn, flow.ciphers[1].key_arn);
}

#[tokio::test]
async fn reads_leave_no_flow() {
    let (client, _, _) = account_with_bundled();
    client.call(&ListKeys::default()).await.unwrap();
    client.call(&DescribeKey::new("alias/customer-db".to_owned())).await.unwrap();
    assert_eq!(summaries(&client).await, []);
}

#[tokio::test]
async fn connecting_a_key_store_leaves_the_flow_of_its_health_check() {
    let (client, clock, _) = account_with_bundled();
    let store = key_store(&client, "Zurich DR").await.custom_key_store_id;
    client.call(&ConnectCustomKeyStore { custom_key_store_id: store }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_mins(5));
    // The first request after that time completes the connection.
    client.call(&ListAliases::default()).await.unwrap();
    let flow = last_flow(&client).await;
    assert_eq!((flow.summary.operation.as_str(), &flow.event_id), ("ConnectCustomKeyStore", &None));
    assert_eq!(flow.exchanges[0].operation, "GetHealthStatus");
}

/// Returns the ways in which a secret could be written.
fn forms(bytes: &[u8]) -> Vec<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Without its end, Base64 also is a part of the Base64 of a longer text that begins in the same way.
    let base64 = BASE64_STANDARD_NO_PAD.encode(&bytes[..bytes.len() / 3 * 3]);
    let array = serde_json::to_string(bytes).unwrap();
    vec![hex.to_uppercase(), hex, base64, array.trim_matches(['[', ']']).to_owned()]
}

#[tokio::test]
async fn flows_contain_no_plaintext_and_no_secret() {
    let (client, _, bundled) = account_with_bundled();
    let mut secrets = forms(PLAINTEXT);
    secrets.push(String::from_utf8(PLAINTEXT.to_vec()).unwrap());
    for key in ["alias/customer-db", "alias/app-logs"] {
        let blob = encrypt_plaintext(&client, key).await;
        assert_eq!(decrypt(&client, &blob, "nile").await.unwrap().expose(), PLAINTEXT);
        let request = ReEncrypt {
            ciphertext_blob: blob,
            source_encryption_context: context("nile"),
            destination_key_id: "alias/customer-db".to_owned(),
            ..Default::default()
        };
        client.call(&request).await.unwrap();
        let data_key =
            GenerateDataKey { key_id: key.to_owned(), key_spec: Some("AES_256".to_owned()), ..Default::default() };
        secrets.extend(forms(client.call(&data_key).await.unwrap().plaintext.expose()));
    }
    for key in bundled.access_keys().unwrap() {
        secrets.push(key.credentials.secret_access_key.expose().to_owned());
    }
    let configuration = bundled.proxy_configuration("frankfurt").unwrap();
    let configuration: serde_json::Value = serde_json::from_str(&configuration).unwrap();
    let secret = &configuration["XksProxyAuthenticationCredential"]["RawSecretAccessKey"];
    secrets.push(secret.as_str().unwrap().to_owned());
    let flows = summaries(&client).await;
    assert_eq!(flows.len(), 8);
    for flow in flows {
        let text = document(&client, &flow.flow_id).await;
        for secret in &secrets {
            assert!(!text.contains(secret), "{} contains {secret}", flow.operation);
        }
    }
}

#[test]
fn database_contains_no_plaintext_and_no_key_material() {
    let dir = tempfile::tempdir().unwrap();
    let client = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    block_on(async {
        let blob = encrypt_plaintext(&client, "alias/customer-db").await;
        decrypt(&client, &blob, "nile").await.unwrap();
        assert_eq!(summaries(&client).await.len(), 2);
    });
    drop(client);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        for form in forms(PLAINTEXT).iter().chain([&"four corners".to_owned()]) {
            assert!(!text.contains(form.as_str()), "{} contains {form}", path.display());
        }
    }
}

#[tokio::test]
async fn refused_request_says_which_stage_refused_it() {
    let (client, clock, bundled) = account_with_bundled();
    let key = create_external_key(&client).await;
    let blob = encrypt(&client, &key).await;
    let refused_at = async |client: &Client, request: Decrypt| {
        service_error(client.call(&request).await);
        let flow = last_flow(client).await;
        assert!(flow.summary.error_code.is_some() && flow.error_message.is_some());
        flow.summary.refused_at.unwrap()
    };
    let request = |blob: &Blob| Decrypt {
        ciphertext_blob: blob.clone(),
        encryption_context: context("nile"),
        ..Decrypt::default()
    };
    let mut flipped = blob.clone();
    *flipped.0.last_mut().unwrap() ^= 1;
    assert_eq!(refused_at(&client, request(&flipped)).await, FlowStage::SecondLayer);
    let without_context = Decrypt { encryption_context: None, ..request(&blob) };
    assert_eq!(refused_at(&client, without_context.clone()).await, FlowStage::SecondLayer);
    let single = encrypt(&client, "alias/app-logs").await;
    let single = Decrypt { encryption_context: None, ..request(&single) };
    assert_eq!(refused_at(&client, single).await, FlowStage::FirstLayer);
    let with_other_key = Decrypt { key_id: Some("alias/customer-db".to_owned()), ..request(&blob) };
    assert_eq!(refused_at(&client, with_other_key).await, FlowStage::Key);
    assert_eq!(refused_at(&client, request(&Blob(b"no ciphertext".to_vec()))).await, FlowStage::Ciphertext);
    let jonas = client_for_user(&bundled, "jonas.bauer", &clock);
    service_error(jonas.call(&request(&blob)).await);
    let flow = last_flow(&client).await;
    assert_eq!(flow.summary.refused_at, Some(FlowStage::Authorization));
    assert!(!flow.authorizations[0].is_allowed && flow.exchanges.is_empty(), "{flow:#?}");
    let name = ExternalKeyName { partition: "frankfurt".to_owned(), id: "payments-2026".to_owned() };
    client.call(&DisableExternalKey(name)).await.unwrap();
    assert_eq!(refused_at(&client, request(&blob)).await, FlowStage::Proxy);
}

#[tokio::test]
async fn grant_that_allows_a_request_is_named() {
    let (client, clock, bundled) = account_with_bundled();
    let key = create_external_key(&client).await;
    let request = CreateGrant {
        key_id: key.clone(),
        grantee_principal: Some("arn:aws:iam::111122223333:user/data/jonas.bauer".to_owned()),
        operations: vec!["Encrypt".to_owned()],
        ..Default::default()
    };
    let grant = client.call(&request).await.unwrap().grant_id;
    encrypt(&client_for_user(&bundled, "jonas.bauer", &clock), &key).await;
    let statements = last_flow(&client).await.authorizations.remove(0).statements;
    assert_eq!((statements[0].source, statements[0].id.as_ref()), (PolicySource::Grant, Some(&grant)));
}

#[tokio::test]
async fn timeouts_are_recorded_with_their_attempts() {
    let (client, _, _) = account_with_bundled();
    let fault = PutProxyFault { fault: "xks:Encrypt timeout".to_owned() };
    client.call(&fault).await.unwrap();
    let request =
        Encrypt { key_id: "alias/customer-db".to_owned(), plaintext: secret(PLAINTEXT), ..Default::default() };
    service_error(client.call(&request).await);
    let flow = last_flow(&client).await;
    let exchange = &flow.exchanges[0];
    assert_eq!((exchange.attempts, exchange.status, exchange.microseconds), (2, None, Some(250_000)));
    assert!(exchange.failure.as_ref().unwrap().contains("250 ms"));
    assert_eq!(flow.summary.refused_at, Some(FlowStage::Proxy));
    assert!(!flow.ciphers[0].second_layer.as_ref().unwrap().is_complete);
}

#[tokio::test]
async fn newest_1000_flows_are_kept_and_listed_in_pages() {
    let (client, _, _) = account_with_bundled();
    for _ in 0..1005 {
        encrypt(&client, "alias/app-logs").await;
    }
    decrypt(&client, &encrypt(&client, "alias/customer-db").await, "nile").await.unwrap();
    let (mut all, mut next_token) = (Vec::new(), None);
    loop {
        let page = client.call(&ListFlows { max_results: Some(300), next_token, ..Default::default() }).await.unwrap();
        all.extend(page.flows);
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), all[0].operation.as_str()), (1000, "Decrypt"));
    let mut ids: Vec<&str> = all.iter().map(|flow| flow.flow_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1000);
    let filtered = client.call(&ListFlows { filter: Some("DECRYPT".to_owned()), ..Default::default() }).await.unwrap();
    assert_eq!(filtered.flows, all[..1]);
    let missing = service_error(client.call(&GetFlow { flow_id: "none".to_owned() }).await);
    assert!(missing.code == "NotFoundException" && missing.message.contains("ListFlows"), "{missing:?}");
    for (max_results, token) in [(Some(0), None), (Some(1001), None), (None, Some("x".to_owned()))] {
        let request = ListFlows { max_results, next_token: token, ..Default::default() };
        assert_eq!(service_error(client.call(&request).await).code, "ValidationException");
    }
}

#[tokio::test]
async fn another_process_on_the_same_directory_sees_the_flows() {
    let dir = tempfile::tempdir().unwrap();
    let open = || in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let (one, other) = (open(), open());
    assert_eq!(summaries(&other).await, []);
    encrypt(&one, "alias/customer-db").await;
    // The flow is written in the background, with a delay of half a second.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while summaries(&other).await.is_empty() && std::time::Instant::now() < deadline {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_has_all_legs(&last_flow(&other).await, &["Encrypt"]);
}
