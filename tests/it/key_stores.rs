//! Creating, updating, and deleting external key stores, with all error cases.

use super::account::*;
use xks_console::aws::kms::{
    ConnectCustomKeyStore, ConnectionState, CreateCustomKeyStore, CustomKeyStoreType, DeleteCustomKeyStore,
    DescribeCustomKeyStores, DisconnectCustomKeyStore, UpdateCustomKeyStore, XksProxyAuthenticationCredential,
    XksProxyConnectivity,
};
use xks_console::aws::scalar::SecretString;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::xks::key_manager::ProxyCredential;

const GOOD_SERVICE: &str = "com.amazonaws.vpce.us-west-2.vpce-svc-0a1b2c3d4e5f60718";
const BAD_SERVICE: &str = "com.amazonaws.vpce.us-west-2.vpce-svc-0f9e8d7c6b5a40312";

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Creates a credential and registers it with the proxy of this partition.
fn register_credential(bundled: &BundledAws, partition: &str, seed: u64) -> Option<XksProxyAuthenticationCredential> {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), seed);
    let credential = ProxyCredential::generate(&environment.random).unwrap();
    bundled.key_manager().add_credential(partition, &credential).unwrap();
    Some(XksProxyAuthenticationCredential {
        access_key_id: credential.access_key_id,
        raw_secret_access_key: credential.secret_access_key,
    })
}

fn oslo_request(bundled: &BundledAws) -> CreateCustomKeyStore {
    CreateCustomKeyStore {
        custom_key_store_name: "Oslo HSM".to_owned(),
        custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
        xks_proxy_connectivity: Some(XksProxyConnectivity::PublicEndpoint),
        xks_proxy_uri_endpoint: some("https://xks-proxy.bundled.internal"),
        xks_proxy_uri_path: some("/oslo/kms/xks/v1"),
        xks_proxy_authentication_credential: register_credential(bundled, "oslo", 99),
        ..Default::default()
    }
}

fn oslo_vpc_request(bundled: &BundledAws) -> CreateCustomKeyStore {
    CreateCustomKeyStore {
        xks_proxy_connectivity: Some(XksProxyConnectivity::VpcEndpointService),
        xks_proxy_uri_endpoint: some("https://xks-vpc.bundled.internal"),
        xks_proxy_vpc_endpoint_service_name: some(GOOD_SERVICE),
        ..oslo_request(bundled)
    }
}

async fn connect_and_wait(client: &Client, clock: &Clock, id: &str) -> ConnectionState {
    client.call(&ConnectCustomKeyStore { custom_key_store_id: id.to_owned() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(10));
    connection_state(client, id).await
}

async fn connection_state(client: &Client, id: &str) -> ConnectionState {
    let request = DescribeCustomKeyStores { custom_key_store_id: some(id), ..Default::default() };
    client.call(&request).await.unwrap().custom_key_stores[0].connection_state
}

#[tokio::test]
async fn new_key_store_starts_disconnected_connects_and_accepts_keys() {
    for in_a_vpc in [false, true] {
        let (client, clock, bundled) = account_with_bundled();
        let create = if in_a_vpc { oslo_vpc_request(&bundled) } else { oslo_request(&bundled) };
        let id = client.call(&create).await.unwrap().custom_key_store_id;
        assert!(id.starts_with("cks-") && id.len() == 21, "{id}");
        assert_eq!(connection_state(&client, &id).await, ConnectionState::Disconnected);
        assert_eq!(connect_and_wait(&client, &clock, &id).await, ConnectionState::Connected);
        let key = create_key_request(&client, "Oslo HSM", "oslo-vault").await;
        let key_id = client.call(&key).await.unwrap().key_metadata.key_id;
        let blob = encrypt(&client, &key_id).await;
        assert_eq!(decrypt(&client, &blob, "nile").await.unwrap().expose(), b"four corners");
    }
}

#[tokio::test]
async fn invalid_create_requests_fail_as_on_aws_and_create_nothing() {
    let (client, _, bundled) = account_with_bundled();
    let before = client.collect_key_stores().await.unwrap();
    let frankfurt = some("/frankfurt/kms/xks/v1");
    let wrong_secret = |create: &CreateCustomKeyStore| {
        let access_key_id = create.xks_proxy_authentication_credential.as_ref().unwrap().access_key_id.clone();
        let raw_secret_access_key = SecretString::new("A".repeat(43));
        Some(XksProxyAuthenticationCredential { access_key_id, raw_secret_access_key })
    };
    let good = || oslo_request(&bundled);
    let short = Some(XksProxyAuthenticationCredential {
        access_key_id: "SHORT".to_owned(),
        raw_secret_access_key: SecretString::new("A".repeat(43)),
    });
    let first = good();
    let refusals: Vec<(&str, CreateCustomKeyStore)> = vec![
        (
            "CustomKeyStoreNameInUse",
            CreateCustomKeyStore { custom_key_store_name: "Dublin HSM".to_owned(), ..first.clone() },
        ),
        ("Validation", CreateCustomKeyStore { custom_key_store_name: String::new(), ..first.clone() }),
        ("Validation", CreateCustomKeyStore { custom_key_store_name: "x".repeat(257), ..first.clone() }),
        ("XksProxyUriInUse", CreateCustomKeyStore { xks_proxy_uri_path: frankfurt, ..first.clone() }),
        (
            "XksProxyInvalidConfiguration",
            CreateCustomKeyStore { xks_proxy_uri_path: some("/nowhere/kms/xks/v1"), ..first.clone() },
        ),
        (
            "XksProxyUriUnreachable",
            CreateCustomKeyStore { xks_proxy_uri_endpoint: some("https://xks.example.com"), ..first.clone() },
        ),
        (
            "XksProxyIncorrectAuthenticationCredential",
            CreateCustomKeyStore { xks_proxy_authentication_credential: wrong_secret(&first), ..first.clone() },
        ),
        ("Validation", CreateCustomKeyStore { xks_proxy_authentication_credential: short, ..first.clone() }),
        ("Validation", CreateCustomKeyStore { xks_proxy_uri_endpoint: some("https://host:8443"), ..first.clone() }),
        ("Validation", CreateCustomKeyStore { xks_proxy_uri_path: some("/oslo"), ..first.clone() }),
        ("Validation", CreateCustomKeyStore { xks_proxy_connectivity: None, ..first.clone() }),
        (
            "Validation",
            CreateCustomKeyStore { xks_proxy_vpc_endpoint_service_name: some(GOOD_SERVICE), ..first.clone() },
        ),
        ("CloudHsmClusterNotFound", CreateCustomKeyStore { custom_key_store_type: None, ..first.clone() }),
    ];
    for (code, create) in refusals {
        assert_eq!(service_error(client.call(&create).await).code, format!("{code}Exception"), "{create:?}");
    }
    let template = CreateCustomKeyStore {
        xks_proxy_authentication_credential: first.xks_proxy_authentication_credential,
        ..oslo_vpc_request_without_credential()
    };
    let refusals: Vec<(&str, CreateCustomKeyStore)> = vec![
        ("Validation", CreateCustomKeyStore { xks_proxy_vpc_endpoint_service_name: None, ..template.clone() }),
        (
            "Validation",
            CreateCustomKeyStore { xks_proxy_vpc_endpoint_service_name: some("vpce-svc-1"), ..template.clone() },
        ),
        ("Validation", CreateCustomKeyStore { xks_proxy_vpc_endpoint_service_owner: some("12"), ..template.clone() }),
        (
            "XksProxyVpcEndpointServiceNotFound",
            CreateCustomKeyStore {
                xks_proxy_vpc_endpoint_service_name: some("com.amazonaws.vpce.us-west-2.vpce-svc-00000000000000000"),
                ..template.clone()
            },
        ),
        (
            "XksProxyVpcEndpointServiceInvalidConfiguration",
            CreateCustomKeyStore { xks_proxy_vpc_endpoint_service_name: some(BAD_SERVICE), ..template.clone() },
        ),
        (
            "XksProxyVpcEndpointServiceInvalidConfiguration",
            CreateCustomKeyStore { xks_proxy_uri_endpoint: some("https://other.example.com"), ..template.clone() },
        ),
        (
            "XksProxyUriEndpointInUse",
            CreateCustomKeyStore {
                xks_proxy_uri_endpoint: some("https://xks-proxy.bundled.internal"),
                ..template.clone()
            },
        ),
    ];
    for (code, create) in refusals {
        assert_eq!(service_error(client.call(&create).await).code, format!("{code}Exception"), "{create:?}");
    }
    assert_eq!(client.collect_key_stores().await.unwrap(), before);
    client.call(&template).await.unwrap();
    let second = CreateCustomKeyStore {
        custom_key_store_name: "Second".to_owned(),
        xks_proxy_uri_endpoint: some("https://xks-vpc2.bundled.internal"),
        ..template
    };
    assert_eq!(service_error(client.call(&second).await).code, "XksProxyVpcEndpointServiceInUseException");
}

fn oslo_vpc_request_without_credential() -> CreateCustomKeyStore {
    CreateCustomKeyStore {
        custom_key_store_name: "Oslo in a VPC".to_owned(),
        custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
        xks_proxy_connectivity: Some(XksProxyConnectivity::VpcEndpointService),
        xks_proxy_uri_endpoint: some("https://xks-vpc.bundled.internal"),
        xks_proxy_uri_path: some("/oslo/kms/xks/v1"),
        xks_proxy_vpc_endpoint_service_name: some(GOOD_SERVICE),
        ..Default::default()
    }
}

#[tokio::test]
async fn account_is_limited_to_ten_key_stores() {
    let (client, _, bundled) = account_with_bundled();
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 5);
    for number in 5..=10 {
        let partition = format!("extra-{number}");
        let credential = ProxyCredential::generate(&environment.random).unwrap();
        bundled.key_manager().create_partition(&partition, &credential).unwrap();
        let create = CreateCustomKeyStore {
            custom_key_store_name: partition.clone(),
            xks_proxy_uri_path: some(&format!("/{partition}/kms/xks/v1")),
            xks_proxy_authentication_credential: Some(XksProxyAuthenticationCredential {
                access_key_id: credential.access_key_id,
                raw_secret_access_key: credential.secret_access_key,
            }),
            xks_proxy_connectivity: Some(XksProxyConnectivity::PublicEndpoint),
            xks_proxy_uri_endpoint: some("https://xks-proxy.bundled.internal"),
            xks_proxy_vpc_endpoint_service_name: None,
            ..oslo_vpc_request_without_credential()
        };
        client.call(&create).await.unwrap();
    }
    assert_eq!(service_error(client.call(&oslo_request(&bundled)).await).code, "LimitExceededException");
}

#[tokio::test]
async fn updatable_settings_depend_on_the_connection_state() {
    let (client, clock, bundled) = account_with_bundled();
    let id = client.call(&oslo_request(&bundled)).await.unwrap().custom_key_store_id;
    let update = || UpdateCustomKeyStore { custom_key_store_id: id.clone(), ..Default::default() };
    let name = |name: &str| UpdateCustomKeyStore { new_custom_key_store_name: some(name), ..update() };
    let new_credential = || UpdateCustomKeyStore {
        xks_proxy_authentication_credential: register_credential(
            &bundled,
            "oslo",
            clock.now().as_second().unsigned_abs(),
        ),
        ..update()
    };
    let path = || UpdateCustomKeyStore { xks_proxy_uri_path: some("/oslo/kms/xks/v1"), ..update() };
    let endpoint =
        || UpdateCustomKeyStore { xks_proxy_uri_endpoint: some("https://xks-proxy.bundled.internal"), ..update() };
    let to_vpc = || UpdateCustomKeyStore {
        xks_proxy_connectivity: Some(XksProxyConnectivity::VpcEndpointService),
        xks_proxy_uri_endpoint: some("https://xks-vpc.bundled.internal"),
        xks_proxy_vpc_endpoint_service_name: some(GOOD_SERVICE),
        ..update()
    };
    let service = || UpdateCustomKeyStore { xks_proxy_vpc_endpoint_service_name: some(GOOD_SERVICE), ..update() };
    for is_connected in [false, true] {
        if is_connected {
            assert_eq!(connect_and_wait(&client, &clock, &id).await, ConnectionState::Connected);
        }
        for (number, change) in [name("Oslo 1"), name("Oslo 2"), new_credential(), path()].into_iter().enumerate() {
            client.call(&change).await.unwrap_or_else(|error| panic!("{number} connected {is_connected}: {error}"));
        }
        let others = [endpoint(), to_vpc(), service()];
        for (number, change) in others.into_iter().enumerate() {
            let result = client.call(&change).await;
            if is_connected {
                assert_eq!(service_error(result).code, "CustomKeyStoreInvalidStateException", "{number}");
            } else {
                result.unwrap_or_else(|error| panic!("{number}: {error}"));
            }
        }
    }
    // The key store still connects with the new credential through the VPC endpoint service.
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(10));
    assert_eq!(connect_and_wait(&client, &clock, &id).await, ConnectionState::Connected);
}

#[tokio::test]
async fn invalid_update_requests_fail_as_on_aws_and_change_nothing() {
    let (client, _, bundled) = account_with_bundled();
    let id = client.call(&oslo_request(&bundled)).await.unwrap().custom_key_store_id;
    let before = client.collect_key_stores().await.unwrap();
    let update = || UpdateCustomKeyStore { custom_key_store_id: id.clone(), ..Default::default() };
    let refusals = [
        ("CustomKeyStoreNotFound", UpdateCustomKeyStore { custom_key_store_id: "cks-0".to_owned(), ..update() }),
        ("CustomKeyStoreNameInUse", UpdateCustomKeyStore { new_custom_key_store_name: some("Dublin HSM"), ..update() }),
        ("XksProxyUriInUse", UpdateCustomKeyStore { xks_proxy_uri_path: some("/dublin/kms/xks/v1"), ..update() }),
        (
            "XksProxyInvalidConfiguration",
            UpdateCustomKeyStore { xks_proxy_uri_path: some("/nowhere/kms/xks/v1"), ..update() },
        ),
        (
            "XksProxyUriUnreachable",
            UpdateCustomKeyStore { xks_proxy_uri_endpoint: some("https://xks.example.com"), ..update() },
        ),
        (
            "XksProxyIncorrectAuthenticationCredential",
            UpdateCustomKeyStore {
                xks_proxy_authentication_credential: Some(XksProxyAuthenticationCredential {
                    access_key_id: "A".repeat(20),
                    raw_secret_access_key: SecretString::new("A".repeat(43)),
                }),
                ..update()
            },
        ),
    ];
    for (code, change) in refusals {
        assert_eq!(service_error(client.call(&change).await).code, format!("{code}Exception"), "{change:?}");
    }
    assert_eq!(client.collect_key_stores().await.unwrap(), before);
}

#[tokio::test]
async fn only_an_empty_disconnected_key_store_can_be_deleted() {
    let (client, clock, bundled) = account_with_bundled();
    let delete = |id: &str| DeleteCustomKeyStore { custom_key_store_id: id.to_owned() };
    let frankfurt = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    assert_eq!(service_error(client.call(&delete(&frankfurt)).await).code, "CustomKeyStoreInvalidStateException");
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: frankfurt.clone() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(10));
    assert_eq!(service_error(client.call(&delete(&frankfurt)).await).code, "CustomKeyStoreHasCMKsException");
    let failed = key_store(&client, "Paris legacy").await.custom_key_store_id;
    assert_eq!(service_error(client.call(&delete(&failed)).await).code, "CustomKeyStoreInvalidStateException");
    let id = client.call(&oslo_request(&bundled)).await.unwrap().custom_key_store_id;
    client.call(&delete(&id)).await.unwrap();
    assert_eq!(service_error(client.call(&delete(&id)).await).code, "CustomKeyStoreNotFoundException");
}

#[tokio::test]
async fn connect_and_disconnect_are_rejected_in_the_wrong_connection_state() {
    let (client, _) = account();
    let connect = |id: &str| ConnectCustomKeyStore { custom_key_store_id: id.to_owned() };
    let disconnect = |id: &str| DisconnectCustomKeyStore { custom_key_store_id: id.to_owned() };
    assert_eq!(service_error(client.call(&connect("cks-0")).await).code, "CustomKeyStoreNotFoundException");
    assert_eq!(service_error(client.call(&disconnect("cks-0")).await).code, "CustomKeyStoreNotFoundException");
    let id = async |name: &str| key_store(&client, name).await.custom_key_store_id;
    let (zurich, paris, dublin) = (id("Zurich DR").await, id("Paris legacy").await, id("Dublin HSM").await);
    assert_eq!(service_error(client.call(&disconnect(&zurich)).await).code, "CustomKeyStoreInvalidStateException");
    assert_eq!(service_error(client.call(&connect(&paris)).await).code, "CustomKeyStoreInvalidStateException");
    client.call(&connect(&dublin)).await.unwrap();
    client.call(&disconnect(&dublin)).await.unwrap();
    assert_eq!(service_error(client.call(&connect(&dublin)).await).code, "CustomKeyStoreInvalidStateException");
    assert_eq!(service_error(client.call(&disconnect(&dublin)).await).code, "CustomKeyStoreInvalidStateException");
}
