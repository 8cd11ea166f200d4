//! Proxy faults: the error of AWS KMS for each of them, their schedule, and several processes on one account.

use std::process::Command;

use jiff::SignedDuration;
use serde_json::Value;
use xks_console::aws::kms::{
    ConnectCustomKeyStore, ConnectionState, CreateCustomKeyStore, CustomKeyStoreType, DescribeKey,
    DisconnectCustomKeyStore, Encrypt, XksProxyAuthenticationCredential, XksProxyConnectivity,
};
use xks_console::aws::xks_console::{
    AdvanceAccountClock, DeleteProxyFault, DeleteProxyFaults, DescribeExternalKey, ListProxyFaults, ListProxyRequests,
    ProxyFault, ProxyRequest, PutProxyFault, RotateProxyCredential,
};
use xks_console::bundled::BundledAws;
use xks_console::client::{CallError, Client};
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};
use xks_console::in_process;
use xks_console::tui::target::Target;

use super::account::{
    account, block_on, create_external_key, create_key_request, decrypt, encrypt, key_store, secret, service_error,
};
use super::endpoint::ServedAws;
use super::snapshots::play_tape;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xks-console");

async fn put(client: &Client, words: &str) -> ProxyFault {
    let request = PutProxyFault { fault: words.to_owned() };
    client.call(&request).await.unwrap_or_else(|error| panic!("{words}: {error}"))
}

async fn list(client: &Client) -> Vec<ProxyFault> {
    client.call(&ListProxyFaults {}).await.unwrap().faults
}

async fn clear(client: &Client) {
    client.call(&DeleteProxyFaults {}).await.unwrap();
}

async fn try_encrypt(client: &Client, key_id: &str) -> Result<(), CallError> {
    let request = Encrypt { key_id: key_id.to_owned(), plaintext: secret(b"four corners"), ..Default::default() };
    client.call(&request).await.map(drop)
}

/// Returns the newest request in the proxy's log.
async fn newest_request(client: &Client) -> ProxyRequest {
    client.call(&ListProxyRequests::default()).await.unwrap().requests.remove(0)
}

#[tokio::test]
async fn each_fault_makes_encrypt_fail_with_the_message_of_aws() {
    let (client, _) = account();
    let key = create_external_key(&client).await;
    for (words, message, logged_error) in [
        ("timeout", "did not respond in time", None),
        ("latency 250ms", "did not respond in time", None),
        ("latency p100=30s seed 4", "did not respond in time", None),
        ("unreachable", "AWS KMS cannot communicate with the external key store proxy", None),
        ("tls", "cannot establish a TLS connection", None),
        ("expired-certificate", "cannot establish a TLS connection", None),
        ("wrong-host-name", "cannot establish a TLS connection", None),
        ("unknown-ca", "cannot establish a TLS connection", None),
        ("wrong-signature", "could not authenticate AWS KMS", Some("AuthenticationFailedException")),
        ("revoked-credential", "could not authenticate AWS KMS", Some("AuthenticationFailedException")),
        ("ThrottlingException", "very high request rate", Some("ThrottlingException")),
        ("malformed", "cannot interpret the response", None),
        ("wrong-tag", "submitted for decryption", None),
        ("wrong-cdiv", "submitted for decryption", None),
        ("damaged", "submitted for decryption", None),
        ("key-disabled", "is not enabled in the external key manager", Some("InvalidStateException")),
        ("key-deleted", "was not found in its external key manager", Some("KeyNotFoundException")),
        ("AccessDeniedException", "denied access to the operation", Some("AccessDeniedException")),
        ("InternalException", "cannot communicate with the external key", Some("InternalException")),
    ] {
        put(&client, &format!("xks:Encrypt {words}")).await;
        let error = service_error(try_encrypt(&client, &key).await);
        assert_eq!(error.code, "KMSInvalidStateException", "{words}");
        assert!(error.message.contains(message), "{words}: {}", error.message);
        if logged_error.is_some() {
            let logged = newest_request(&client).await;
            assert_eq!((logged.operation.as_str(), logged.error_name.as_deref()), ("Encrypt", logged_error), "{words}");
            assert!(logged.access_key_id.is_some(), "{words}");
        }
        clear(&client).await;
        try_encrypt(&client, &key).await.unwrap_or_else(|error| panic!("after {words}: {error}"));
    }
}

#[tokio::test]
async fn damage_on_the_way_to_the_proxy_makes_decrypt_fail() {
    let (client, _) = account();
    let blob = encrypt(&client, &create_external_key(&client).await).await;
    for words in ["wrong-tag", "damaged"] {
        put(&client, &format!("xks:* {words} 1 time")).await;
        let error = service_error(decrypt(&client, &blob, "nile").await);
        assert!(error.message.contains("the specified ciphertext or encryption context"), "{words}: {}", error.message);
        let logged = newest_request(&client).await;
        assert_eq!(logged.error_name.as_deref(), Some("InvalidCiphertextException"), "{words}");
        decrypt(&client, &blob, "nile").await.unwrap();
    }
}

#[tokio::test]
async fn faults_of_the_external_key_make_create_key_fail() {
    let (client, _) = account();
    let request = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
    for (words, code, message) in [
        ("key-disabled", "XksKeyInvalidConfigurationException", "status of specified external key is DISABLED"),
        ("key-deleted", "XksKeyNotFoundException", "could not find the external key"),
        ("timeout", "CustomKeyStoreInvalidStateException", "did not respond in time"),
        ("wrong-signature", "CustomKeyStoreInvalidStateException", "could not authenticate AWS KMS"),
    ] {
        put(&client, &format!("xks:GetKeyMetadata {words}")).await;
        let error = service_error(client.call(&request).await);
        assert_eq!(error.code, code, "{words}");
        assert!(error.message.contains(message), "{words}: {}", error.message);
        clear(&client).await;
    }
    client.call(&request).await.unwrap();
}

#[tokio::test]
async fn health_faults_make_creating_and_connecting_a_key_store_fail() {
    let (client, clock) = account();
    let configuration =
        client.call(&RotateProxyCredential { partition: "oslo".to_owned() }).await.unwrap().configuration;
    let file: Value = serde_json::from_str(configuration.expose()).unwrap();
    let credential =
        serde_json::from_value::<XksProxyAuthenticationCredential>(file["XksProxyAuthenticationCredential"].clone());
    let create = CreateCustomKeyStore {
        custom_key_store_name: "Oslo HSM".to_owned(),
        custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
        xks_proxy_connectivity: Some(XksProxyConnectivity::PublicEndpoint),
        xks_proxy_uri_endpoint: Some("https://xks-proxy.bundled.internal".to_owned()),
        xks_proxy_uri_path: Some("/oslo/kms/xks/v1".to_owned()),
        xks_proxy_authentication_credential: credential.ok(),
        ..CreateCustomKeyStore::default()
    };
    for (words, code) in [
        ("manager-unavailable", "XksProxyUriUnreachableException"),
        ("expired-certificate", "XksProxyUriUnreachableException"),
        ("revoked-credential", "XksProxyIncorrectAuthenticationCredentialException"),
        ("InvalidUriPathException", "XksProxyInvalidConfigurationException"),
        ("malformed", "XksProxyInvalidResponseException"),
    ] {
        put(&client, &format!("xks:GetHealthStatus {words} partition oslo")).await;
        assert_eq!(service_error(client.call(&create).await).code, code, "{words}");
        clear(&client).await;
    }
    put(&client, "xks:GetHealthStatus manager-degraded").await;
    client.call(&create).await.unwrap();
    clear(&client).await;

    let id = key_store(&client, "Oslo HSM").await.custom_key_store_id;
    for (words, code) in [
        ("wrong-host-name", "XKS_PROXY_INVALID_TLS_CONFIGURATION"),
        ("revoked-credential", "INVALID_CREDENTIALS"),
        ("timeout", "XKS_PROXY_TIMED_OUT"),
        ("manager-unavailable", "XKS_PROXY_NOT_REACHABLE"),
    ] {
        put(&client, &format!("xks:GetHealthStatus {words} key-store \"Oslo HSM\"")).await;
        client.call(&ConnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
        clock.advance(SignedDuration::from_mins(10));
        let store = key_store(&client, "Oslo HSM").await;
        assert_eq!(store.connection_state, ConnectionState::Failed, "{words}");
        assert_eq!(store.connection_error_code.as_deref(), Some(code), "{words}");
        client.call(&DisconnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
        clock.advance(SignedDuration::from_mins(10));
        key_store(&client, "Oslo HSM").await;
        clear(&client).await;
    }
}

#[tokio::test]
async fn latency_waits_on_the_clock_of_the_environment_and_is_in_the_log_of_the_proxy() {
    let (client, clock) = account();
    let key = create_external_key(&client).await;
    put(&client, "xks:Encrypt latency 100ms 1 time").await;
    let start = clock.now();
    try_encrypt(&client, &key).await.unwrap();
    assert_eq!(clock.now().duration_since(start).as_millis(), 100);
    assert_eq!(newest_request(&client).await.microseconds, 100_000);
    // Two attempts of 250 ms each.
    put(&client, "xks:Encrypt latency 2s 2 times").await;
    let start = clock.now();
    service_error(try_encrypt(&client, &key).await);
    assert_eq!(clock.now().duration_since(start).as_millis(), 500);
    assert_eq!(list(&client).await[1].failed_requests, 2);
    try_encrypt(&client, &key).await.unwrap();
}

#[tokio::test]
async fn one_late_response_is_hidden_by_the_retry() {
    let (client, _) = account();
    let key = create_external_key(&client).await;
    put(&client, "xks:Encrypt timeout 1 time").await;
    try_encrypt(&client, &key).await.unwrap();
    let faults = list(&client).await;
    assert!(!faults[0].is_active && faults[0].failed_requests == 1, "{faults:?}");
}

#[tokio::test]
async fn fault_applies_only_to_its_partition_or_key_store() {
    let (client, _) = account();
    let key = create_external_key(&client).await;
    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    for (scope, fails) in [
        ("partition frankfurt".to_owned(), true),
        ("partition dublin".to_owned(), false),
        (format!("key-store {id}"), true),
        ("key-store \"Frankfurt HSM\"".to_owned(), true),
        ("key-store \"Dublin HSM\"".to_owned(), false),
    ] {
        put(&client, &format!("xks:Encrypt unreachable {scope}")).await;
        assert_eq!(try_encrypt(&client, &key).await.is_err(), fails, "{scope}");
        assert_eq!(list(&client).await[0].matched_requests, u64::from(fails), "{scope}");
        clear(&client).await;
    }
}

#[tokio::test]
async fn schedule_is_kept() {
    let (client, _) = account();
    let key = create_external_key(&client).await;
    put(&client, "xks:Encrypt unreachable 2 times after 1 request").await;
    let mut failed = Vec::new();
    for _ in 0..5 {
        failed.push(try_encrypt(&client, &key).await.is_err());
    }
    assert_eq!(failed, [false, true, true, false, false]);
    clear(&client).await;

    put(&client, "xks:Encrypt unreachable for 10m").await;
    client.call(&AdvanceAccountClock { seconds: 9 * 60 }).await.unwrap();
    service_error(try_encrypt(&client, &key).await);
    client.call(&AdvanceAccountClock { seconds: 60 }).await.unwrap();
    try_encrypt(&client, &key).await.unwrap();
    let faults = list(&client).await;
    assert!(!faults[0].is_active && faults[0].end_date.is_some(), "{faults:?}");
}

#[tokio::test]
async fn percentage_with_a_seed_is_the_same_in_every_account() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (client, _) = account();
        let key = create_external_key(&client).await;
        put(&client, "xks:Encrypt unreachable 40 percent seed 11").await;
        let mut failed = Vec::new();
        for _ in 0..40 {
            failed.push(try_encrypt(&client, &key).await.is_err());
        }
        runs.push(failed);
    }
    assert_eq!(runs[0], runs[1]);
    let count = runs[0].iter().filter(|failed| **failed).count();
    assert!((6..30).contains(&count), "{count}");
}

#[tokio::test]
async fn faults_are_listed_and_removed_by_id() {
    let (client, _) = account();
    let first = put(&client, "xks:Encrypt   timeout 1 time partition frankfurt").await;
    assert_eq!(first.fault, "xks:Encrypt timeout partition frankfurt 1 time");
    assert_eq!((first.target.as_str(), first.schedule.as_str()), ("Encrypt, partition frankfurt", "1 time"));
    let second = put(&client, "xks:* tls").await;
    assert_eq!(list(&client).await, [first.clone(), second.clone()]);
    client.call(&DeleteProxyFault { id: first.id }).await.unwrap();
    assert_eq!(list(&client).await, [second]);
    assert_eq!(service_error(client.call(&DeleteProxyFault { id: first.id }).await).code, "NotFoundException");
    // IDs aren't used again.
    clear(&client).await;
    assert_eq!(put(&client, "xks:* tls").await.id, 3);
}

#[tokio::test]
async fn invalid_faults_are_rejected() {
    let (client, _) = account();
    for (words, part) in [
        ("xks:Encrypt timeot", "did you mean timeout?"),
        ("kms:Encrypt timeout", "is not an operation of proxies"),
        ("xks:Encrypt timeout partition lima", "there is no partition \"lima\". The partitions are dublin, frankfurt"),
        ("xks:Encrypt timeout key-store cks-0", "there is no key store \"cks-0\". The key stores are"),
    ] {
        let error = service_error(client.call(&PutProxyFault { fault: words.to_owned() }).await);
        assert_eq!(error.code, "ValidationException", "{words}");
        assert!(error.message.starts_with("Couldn't add the proxy fault: ") && error.message.contains(part), "{error}");
    }
    for _ in 0..100 {
        put(&client, "xks:Decrypt tls 1 time").await;
    }
    let error = service_error(client.call(&PutProxyFault { fault: "xks:* tls".to_owned() }).await);
    assert_eq!(error.code, "LimitExceededException");
    let key = create_external_key(&client).await;
    let blob = encrypt(&client, &key).await;
    service_error(decrypt(&client, &blob, "nile").await);
    // The first fault has ended, so a new one replaces it.
    put(&client, "xks:* tls").await;
    assert_eq!(list(&client).await.len(), 100);
}

#[tokio::test]
async fn other_processes_see_a_fault_at_their_next_request_and_count_together() {
    let dir = tempfile::tempdir().unwrap();
    let open = || in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let (one, other) = (open(), open());
    let key = create_external_key(&one).await;
    try_encrypt(&other, &key).await.unwrap();
    put(&one, "xks:Encrypt unreachable 4 times").await;
    for client in [&other, &one, &other] {
        service_error(try_encrypt(client, &key).await);
    }
    // A process that starts later continues to count.
    let third = open();
    service_error(try_encrypt(&third, &key).await);
    for client in [&one, &other, &third] {
        try_encrypt(client, &key).await.unwrap();
        assert_eq!(list(client).await[0].failed_requests, 4);
    }
    put(&third, "xks:Encrypt unreachable").await;
    service_error(try_encrypt(&one, &key).await);
    clear(&other).await;
    try_encrypt(&one, &key).await.unwrap();
}

#[tokio::test]
async fn requests_at_the_same_time_fail_as_often_as_the_fault_says() {
    let dir = tempfile::tempdir().unwrap();
    let open = || in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let (one, other) = (open(), open());
    let key = create_external_key(&one).await;
    put(&one, "xks:Encrypt unreachable 7 times").await;
    let mut tasks = Vec::new();
    for number in 0..20 {
        let (client, key) = (if number % 2 == 0 { one.clone() } else { other.clone() }, key.clone());
        tasks.push(tokio::spawn(async move { try_encrypt(&client, &key).await.is_err() }));
    }
    let mut failed = 0;
    for task in tasks {
        failed += usize::from(task.await.unwrap());
    }
    assert_eq!(failed, 7);
}

#[test]
fn served_aws_has_the_faults_of_its_account() {
    let aws = ServedAws::start();
    let (client, local) = (aws.client("default"), aws.other_client());
    let key = block_on(create_external_key(&local));
    block_on(put(&client, "xks:Encrypt ThrottlingException"));
    assert!(service_error(block_on(try_encrypt(&local, &key))).message.contains("very high request rate"));
    assert!(service_error(block_on(try_encrypt(&client, &key))).message.contains("very high request rate"));
    block_on(clear(&local));
    block_on(try_encrypt(&client, &key)).unwrap();
}

/// Opens a console on an account in memory, and another client of it.
fn console(size: (u16, u16)) -> (Player, Client) {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let client = in_process::client(&bundled, environment.clock.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let player = Player::with_client(size, bundled, client.clone(), Target::Bundled, environment.clock, runtime);
    (player, client)
}

#[test]
fn every_page_tells_that_a_fault_is_active_even_if_another_program_added_it() {
    let (mut console, client) = console((80, 24));
    let notice = |console: &Player| tape::screen_text(&console.frame()).lines().nth(1).unwrap().trim().to_owned();
    play_tape(&mut console, "faults", "Wait+Screen /Frankfurt HSM/\n");
    assert!(!notice(&console).contains("fault"), "{}", notice(&console));
    block_on(put(&client, "xks:Encrypt timeout partition frankfurt"));
    play_tape(&mut console, "faults", "Type \"r\"\nWait+Screen /1 proxy fault/\n");
    assert_eq!(notice(&console), "▲ 1 proxy fault is active: xks:Encrypt timeout partition frankfurt");
    block_on(put(&client, "xks:* tls for 1h"));
    play_tape(&mut console, "faults", "Type \"r\"\nWait+Screen /2 proxy faults/\n");
    let expected = "▲ 2 proxy faults are active: xks:Encrypt timeout partition frankfurt";
    for (tape, page) in [
        ("#: key F2\nWait+Screen /API calls \\(/\n", "API calls"),
        ("Escape\nWait+Screen /Dublin HSM/\nType \"n\"\nWait+Screen /Configure key/\n", "the wizard"),
        ("Escape\nWait+Screen /Dublin HSM/\n", "External key stores"),
    ] {
        play_tape(&mut console, "faults", tape);
        assert!(notice(&console).starts_with(expected), "{page}: {}", notice(&console));
    }
    block_on(clear(&client));
    play_tape(&mut console, "faults", "Type \"r\"\nWait+Screen /Dublin HSM/\n");
    assert!(!notice(&console).contains("fault"), "{}", notice(&console));
}

#[tokio::test]
async fn refreshing_a_key_does_not_use_up_faults_in_a_loop() {
    let dir = tempfile::tempdir().unwrap();
    let client = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    put(&client, "xks:GetKeyMetadata unreachable").await;
    let changes = xks_console::storage::watch::watch(dir.path()).unwrap();
    let mut changes = Box::pin(changes);
    let store = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let request = DescribeExternalKey { custom_key_store_id: store, xks_key_id: "payments-2026".to_owned() };
    service_error(client.call(&request).await);
    // Other programs aren't notified of a failed request: their consoles would refresh, and send the next one.
    let waited =
        tokio::time::timeout(std::time::Duration::from_millis(300), futures_util::StreamExt::next(&mut changes));
    assert!(waited.await.is_err());
    assert_eq!(list(&client).await[0].failed_requests, 1);
}

/// Runs `proxy fault` on an account in `dir`.
fn command(dir: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(PROGRAM);
    command.env("HOME", dir).env_remove("XDG_CONFIG_HOME").args(["proxy", "fault"]).args(arguments);
    let output = command.arg("--data-dir").arg(dir).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn command_adds_lists_and_removes_faults() {
    let dir = tempfile::tempdir().unwrap();
    let words = "xks:Encrypt timeout partition frankfurt 2 times";
    assert_eq!(command(dir.path(), &["add", words]), (0, "1\n".to_owned(), String::new()));
    let several = ["add", "xks:*", "tls", "key-store", "Frankfurt HSM"];
    assert_eq!(command(dir.path(), &several), (0, "2\n".to_owned(), String::new()));
    let (code, out, _) = command(dir.path(), &["list"]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["ID", "STATUS", "FAILED", "FAULT"]);
    assert!(lines[1].contains("ACTIVE") && lines[1].ends_with(words), "{out}");
    assert!(lines[2].ends_with("xks:* tls key-store \"Frankfurt HSM\""), "{out}");

    // A running console or server sees it at once.
    let client = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let key = block_on(create_external_key_in_dublin(&client));
    service_error(block_on(create_in_frankfurt(&client)));
    assert_eq!(command(dir.path(), &["remove", "2"]).0, 0);
    block_on(create_in_frankfurt(&client)).unwrap();
    block_on(try_encrypt(&client, &key)).unwrap();

    let (_, out, _) = command(dir.path(), &["list", "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["faults"][0]["fault"], &json["faults"][0]["isActive"]), (&words.into(), &true.into()));
    let (_, out, _) = command(dir.path(), &["add", "xks:* timeout for 10m", "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["id"], &json["ends"].is_string()), (&3.into(), &true), "{json}");
    assert_eq!(command(dir.path(), &["remove", "--all"]).0, 0);
    assert_eq!(command(dir.path(), &["list"]).1.lines().count(), 1);

    for (arguments, code, part) in [
        (&["add", "xks:Encrypt timeot"][..], 2, "did you mean timeout?"),
        (&["add", "xks:Encrypt timeout partition lima"], 1, "there is no partition \"lima\""),
        (&["remove", "9"], 1, "There is no proxy fault with the ID 9."),
        (&["remove"], 2, "required"),
        (&["remove", "1", "--all"], 2, "cannot be used with"),
        (&["add"], 2, "required"),
        (&["remove", "1", "--json"], 2, "--json can be used only with"),
    ] {
        let (found, out, notes) = command(dir.path(), arguments);
        assert!(found == code && out.is_empty() && notes.contains(part), "{arguments:?}: {found} {notes}");
    }
}

async fn create_in_frankfurt(client: &Client) -> Result<(), CallError> {
    let request = create_key_request(client, "Frankfurt HSM", "payments-2026").await;
    client.call(&request).await.map(drop)
}

async fn create_external_key_in_dublin(client: &Client) -> String {
    client.call(&DescribeKey::new("alias/eu-analytics".to_owned())).await.unwrap().key_metadata.key_id
}
