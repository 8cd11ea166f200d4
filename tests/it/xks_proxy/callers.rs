//! External keys that only some callers of AWS KMS can use.

use serde_json::Value;

use super::client::{
    RawRequest, ServedProxy, decrypt_body, encrypt_body, metadata_body, over_http_and_tls, with_member,
};
use crate::account::{create_key_request, encrypt, service_error};
use xks_console::aws::xks_console::ListProxyRequests;
use xks_console::bundled::BundledAws;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

const DENIED: &str = "AccessDeniedException";
const ALICE: &str = "arn:aws:iam::111122223333:user/Alice";

fn with_caller(caller: &str, body: Value) -> Value {
    with_member(body, "/requestMetadata/awsPrincipalArn", Some(caller.into()))
}

fn set_callers(proxy: &ServedProxy, key: &str, callers: &[&str]) {
    let callers: Vec<String> = callers.iter().map(|one| (*one).to_owned()).collect();
    proxy.aws.key_manager().set_callers("lab", key, &callers).unwrap();
}

#[tokio::test]
async fn callers_that_are_not_listed_are_denied_except_for_health() {
    over_http_and_tls(async |proxy| {
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        set_callers(&proxy, "good", &["arn:aws:iam::111122223333:user/A*", "ec2.amazonaws.com", "AWS Internal"]);
        let requests =
            [("metadata", metadata_body()), ("encrypt", encrypt_body()), ("decrypt", decrypt_body(&encrypted))];
        for (api, body) in requests {
            let api = format!("/keys/good/{api}");
            for caller in [ALICE, "ec2.amazonaws.com", "AWS Internal"] {
                proxy.call(&api, &with_caller(caller, body.clone())).await.assert_outcome(
                    200,
                    "",
                    "listed callers are allowed",
                );
            }
            for caller in ["arn:aws:iam::111122223333:user/Bob", "s3.amazonaws.com", "aws internal", ""] {
                let response = proxy.call(&api, &with_caller(caller, body.clone())).await;
                response.assert_outcome(403, DENIED, "unlisted callers are denied");
                assert!(
                    !response.text.contains("user/A"),
                    "the response must not reveal the allowed callers: {}",
                    response.text
                );
            }
        }
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "health is exempt");
        set_callers(&proxy, "good", &[]);
        let unlisted = with_caller("arn:aws:iam::111122223333:user/Bob", encrypt_body());
        proxy.call("/keys/good/encrypt", &unlisted).await.assert_outcome(
            200,
            "",
            "clearing the list allows everybody immediately",
        );
    })
    .await;
}

#[tokio::test]
async fn denial_comes_after_validation_and_before_key_state() {
    over_http_and_tls(async |proxy| {
        for key in ["good", "off", "decrypt-only"] {
            set_callers(&proxy, key, &["arn:aws:iam::111122223333:user/Bob"]);
        }
        proxy.call("/keys/none/encrypt", &encrypt_body()).await.assert_outcome(
            404,
            "KeyNotFoundException",
            "an unknown key",
        );
        let wrong = with_member(encrypt_body(), "/encryptionAlgorithm", Some("AES_CBC".into()));
        proxy.call("/keys/good/encrypt", &wrong).await.assert_outcome(400, "ValidationException", "an invalid request");
        let unauthenticated = RawRequest::new("/keys/good/encrypt", &encrypt_body()).with_invalid_signature();
        proxy.send(&unauthenticated).await.assert_outcome(
            401,
            "AuthenticationFailedException",
            "the signature is checked first",
        );
        for key in ["off", "decrypt-only"] {
            let response = proxy.call(&format!("/keys/{key}/encrypt"), &encrypt_body()).await;
            response.assert_outcome(403, DENIED, "unlisted callers don't learn the state and usage of a key");
        }
    })
    .await;
}

#[tokio::test]
async fn log_names_the_rule_that_denied_a_caller() {
    over_http_and_tls(async |proxy| {
        set_callers(&proxy, "good", &["AWS Internal", "arn:aws:iam::111122223333:role/*"]);
        proxy.call("/keys/good/encrypt", &encrypt_body()).await.assert_outcome(403, DENIED, "Alice isn't listed");
        let filter = ListProxyRequests { external_key_id: Some("good".to_owned()), ..ListProxyRequests::default() };
        let entry = proxy.aws.key_manager().requests(&filter).unwrap().remove(0);
        assert_eq!((entry.status, entry.error_name.as_deref()), (403, Some(DENIED)));
        assert_eq!(entry.denied_by.as_deref(), Some("callers: AWS Internal, arn:aws:iam::111122223333:role/*"));
        assert_eq!(entry.aws_principal_arn.as_deref(), Some(ALICE));
    })
    .await;
}

#[tokio::test]
async fn kms_reports_that_the_proxy_denied_access() {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let bundled = BundledAws::in_memory("default", environment).unwrap();
    let client = in_process::client(&bundled, Clock::manual("2026-03-02T10:15:00Z".parse().unwrap()));
    let allow_only = |callers: &[&str]| {
        let callers: Vec<String> = callers.iter().map(|one| (*one).to_owned()).collect();
        for key in ["payments-2026", "customer-db"] {
            bundled.key_manager().set_callers("frankfurt", key, &callers).unwrap();
        }
    };
    allow_only(&["arn:aws:iam::111122223333:user/payments/*"]);
    let create = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
    let before = client.collect_keys().await.unwrap();
    let error = service_error(client.call(&create).await);
    assert!(error.has_code("CustomKeyStoreInvalidState") && error.message.contains("denied access"), "{error}");
    assert_eq!(client.collect_keys().await.unwrap(), before);
    let encrypt_request = xks_console::aws::kms::Encrypt {
        key_id: "alias/customer-db".to_owned(),
        plaintext: crate::account::secret(b"x"),
        ..Default::default()
    };
    let error = service_error(client.call(&encrypt_request).await);
    assert!(error.has_code("KMSInvalidState") && error.message.contains("denied access"), "{error}");
    allow_only(&["arn:aws:iam::111122223333:user/Admin"]);
    let key = client.call(&create).await.unwrap().key_metadata.key_id;
    encrypt(&client, &key).await;
}
