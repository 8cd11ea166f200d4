//! External key store proxies on the network: TLS connections to proxies of other programs, and their failures.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use xks_console::aws::scalar::SecretString;
use xks_console::aws::xks_console::{DescribeExternalKey, ListProxyRoutes, ProxyRoute, PutProxyRoute};
use xks_console::bundled::BundledAws;
use xks_console::client::CallError;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};
use xks_console::in_process;
use xks_console::server::Server;
use xks_console::server::tls::{self, ClientAuth};
use xks_console::xks::client::{ProxyTarget, RequestMetadata, XksClient};
use xks_console::xks::failure::{TlsProblem, XksFailure};
use xks_console::xks::faults;
use xks_console::xks::metrics::Metric;
use xks_console::xks::network::{ConnectTo, Network};
use xks_console::xks::wire::ErrorName;

use super::account::{block_on, service_error};
use super::snapshots::play_tape;
use xks_console::tui::target::Target;

pub const HOST: &str = "xks.example.com";

/// A certificate authority that writes its certificates as PEM files.
pub struct CertificateAuthority {
    dir: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(dir.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key) }
    }

    pub fn ca_path(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Issues a certificate for a name and returns the paths of the certificate and its private key.
    pub fn issue(&self, name: &str) -> [PathBuf; 2] {
        self.issue_from(CertificateParams::new([name.to_owned()]).unwrap(), name)
    }

    fn issue_from(&self, params: CertificateParams, name: &str) -> [PathBuf; 2] {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let paths = ["pem", "key"].map(|end| self.dir.path().join(format!("{name}.{end}")));
        std::fs::write(&paths[0], certificate.pem()).unwrap();
        std::fs::write(&paths[1], key.serialize_pem()).unwrap();
        paths
    }
}

/// Starts a proxy and returns its address and a target with a credential for its partition `oslo`.
async fn start_remote_proxy(chain: &Path, key: &Path, clients: Option<&ClientAuth>) -> (SocketAddr, ProxyTarget) {
    let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
    let file: serde_json::Value = serde_json::from_str(&aws.proxy_configuration("oslo").unwrap()).unwrap();
    let text = |name: &str| file["XksProxyAuthenticationCredential"][name].as_str().unwrap().to_owned();
    let target = ProxyTarget {
        key_store: "111122223333/us-west-2/cks-1".to_owned(),
        key_store_name: "Oslo HSM".to_owned(),
        uri_endpoint: format!("https://{HOST}"),
        uri_path: file["XksProxyUriPath"].as_str().unwrap().to_owned(),
        access_key_id: text("AccessKeyId"),
        secret_access_key: SecretString::new(text("RawSecretAccessKey")),
        region: "us-west-2".to_owned(),
    };
    let tls = tls::from_files(chain, key, clients).unwrap();
    let server = Server::open(aws, "127.0.0.1:0".parse().unwrap(), Some(tls), false).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    (address, target)
}

fn xks_client(address: SocketAddr, authorities: Option<PathBuf>) -> XksClient {
    let connect_to = vec![ConnectTo { host: HOST.to_owned(), address }];
    let no_local_proxy = axum::Router::new();
    XksClient::new(no_local_proxy, Some(Arc::new(Network::new(connect_to, authorities))), Clock::System)
}

fn metadata() -> RequestMetadata {
    RequestMetadata {
        aws_principal_arn: "arn:aws:iam::111122223333:user/Admin".to_owned(),
        aws_source_vpc: None,
        aws_source_vpce: None,
        kms_key_arn: Some("arn:aws:kms:us-west-2:111122223333:key/k".to_owned()),
        kms_operation: "Encrypt".to_owned(),
        kms_request_id: "r".to_owned(),
        kms_via_service: None,
    }
}

/// Retries requests that time out, because a machine under load can exceed the 250 ms that KMS allows a proxy.
async fn retry_on_timeout<T>(mut send: impl AsyncFnMut() -> Result<T, XksFailure>) -> Result<T, XksFailure> {
    for _ in 0..20 {
        match send().await {
            Err(XksFailure::TimedOut) => {}
            other => return other,
        }
    }
    Err(XksFailure::TimedOut)
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_proxy_is_called_over_tls() {
    let authority = CertificateAuthority::new();
    let [chain, key] = authority.issue(HOST);
    let (address, target) = start_remote_proxy(&chain, &key, None).await;
    let kms = xks_client(address, Some(authority.ca_path()));
    let health = retry_on_timeout(async || kms.get_health_status(&target, &metadata()).await).await.unwrap();
    assert_eq!(health.xks_proxy_vendor, "xks-console");
    let metrics = kms.metrics().take();
    let certificate = metrics.iter().find(|one| matches!(one.metric, Metric::CertificateDaysToExpire(_))).unwrap();
    // The default name and validity period of rcgen certificates.
    assert_eq!(certificate.metric, Metric::CertificateDaysToExpire("rcgen self signed cert".into()));
    assert!(certificate.statistics.max > 365. * 1000., "{certificate:?}");
    let parts = retry_on_timeout(async || kms.encrypt(&target, &metadata(), "oslo-vault", b"secret", b"aad").await)
        .await
        .unwrap();
    let plain =
        retry_on_timeout(async || kms.decrypt(&target, &metadata(), "oslo-vault", &parts, b"aad").await).await.unwrap();
    assert_eq!(plain.expose(), b"secret");
    let wrong = ProxyTarget { secret_access_key: SecretString::new("A".repeat(43)), ..target };
    let failure = retry_on_timeout(async || kms.get_health_status(&wrong, &metadata()).await).await.unwrap_err();
    assert_eq!(failure.connection_error_code(), "INVALID_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_with_an_untrusted_certificate_is_rejected() {
    let (authority, untrusted) = (CertificateAuthority::new(), CertificateAuthority::new());
    let [chain, key] = authority.issue("other.example.com");
    let (address, target) = start_remote_proxy(&chain, &key, None).await;
    for (authorities, problem) in [
        // Without any CA certificates on this computer, the handshake fails for another reason.
        (None, None),
        (Some(untrusted.ca_path()), Some(TlsProblem::UnknownIssuer)),
        (Some(authority.ca_path()), Some(TlsProblem::WrongHostName)),
    ] {
        let kms = xks_client(address, authorities);
        let failure = retry_on_timeout(async || kms.get_health_status(&target, &metadata()).await).await.unwrap_err();
        assert_eq!(failure.connection_error_code(), "XKS_PROXY_INVALID_TLS_CONFIGURATION", "{failure:?}");
        assert!(problem.is_none_or(|problem| failure == XksFailure::Tls(problem)), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_with_an_expired_certificate_is_rejected() {
    let authority = CertificateAuthority::new();
    let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let [chain, key] = authority.issue_from(params, HOST);
    let (address, target) = start_remote_proxy(&chain, &key, None).await;
    let kms = xks_client(address, Some(authority.ca_path()));
    let failure = retry_on_timeout(async || kms.get_health_status(&target, &metadata()).await).await.unwrap_err();
    assert_eq!(failure, XksFailure::Tls(TlsProblem::Expired));
    assert!(failure.to_string().ends_with("the proxy's certificate has expired"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_disturb_requests_to_a_proxy_on_the_network() {
    let authority = CertificateAuthority::new();
    let [chain, key] = authority.issue(HOST);
    let (address, target) = start_remote_proxy(&chain, &key, None).await;
    let kms = xks_client(address, Some(authority.ca_path()));
    let refused = XksFailure::Refused;
    for (words, expected) in [
        ("xks:* ThrottlingException", refused(ErrorName::ThrottlingException)),
        ("xks:* revoked-credential", refused(ErrorName::AuthenticationFailedException)),
        ("xks:* wrong-signature", refused(ErrorName::AuthenticationFailedException)),
        ("xks:* key-deleted", refused(ErrorName::KeyNotFoundException)),
        ("xks:* key-disabled", refused(ErrorName::InvalidStateException)),
        ("xks:* wrong-cdiv", XksFailure::DamagedCiphertext),
        ("xks:* wrong-tag", XksFailure::DamagedCiphertext),
        ("xks:* unknown-ca", XksFailure::Tls(TlsProblem::UnknownIssuer)),
    ] {
        kms.faults().add(faults::parse(&faults::split_words(words)).unwrap(), Timestamp::now());
        let encrypt = async || kms.encrypt(&target, &metadata(), "oslo-vault", b"plaintext", b"").await;
        assert_eq!(retry_on_timeout(encrypt).await.unwrap_err(), expected, "{words}");
        kms.faults().clear();
    }
    kms.faults().add(faults::parse(&["xks:*", "manager-unavailable"]).unwrap(), Timestamp::now());
    let failure = retry_on_timeout(async || kms.get_health_status(&target, &metadata()).await).await.unwrap_err();
    assert_eq!(failure, XksFailure::Unhealthy);
    kms.faults().add(faults::parse(&["xks:*", "key-disabled"]).unwrap(), Timestamp::now());
    let read = async || kms.get_key_metadata(&target, &metadata(), "oslo-vault").await;
    assert_eq!(retry_on_timeout(read).await.unwrap().key_status, "DISABLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_that_requires_client_certificates_rejects_other_clients() {
    let authority = CertificateAuthority::new();
    let [chain, key] = authority.issue(HOST);
    let clients =
        ClientAuth { ca_certificates: authority.ca_path(), client_name: "cks.kms.us-west-2.amazonaws.com".to_owned() };
    let (address, _) = start_remote_proxy(&chain, &key, Some(&clients)).await;
    let connects = async |name: Option<&str>| {
        let ca = reqwest::Certificate::from_pem(&std::fs::read(authority.ca_path()).unwrap()).unwrap();
        let mut client = reqwest::Client::builder().no_proxy().resolve(HOST, address).tls_certs_only([ca]);
        if let Some(name) = name {
            let pem = authority.issue(name).map(|path| std::fs::read(path).unwrap()).concat();
            client = client.identity(reqwest::Identity::from_pem(&pem).unwrap());
        }
        client.build().unwrap().get(format!("https://{HOST}:{}/ping", address.port())).send().await.is_ok()
    };
    assert!(connects(Some("cks.kms.us-west-2.amazonaws.com")).await);
    assert!(!connects(Some("cks.kms.eu-west-1.amazonaws.com")).await && !connects(None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_and_unresponsive_proxies_are_distinguished() {
    let authority = CertificateAuthority::new();
    let [chain, key] = authority.issue(HOST);
    let (_, target) = start_remote_proxy(&chain, &key, None).await;
    let unresponsive = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let start = Instant::now();
    let failure =
        xks_client(unresponsive.local_addr().unwrap(), None).get_health_status(&target, &metadata()).await.unwrap_err();
    assert_eq!(failure.connection_error_code(), "XKS_PROXY_TIMED_OUT");
    // Two attempts of 250 ms each.
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    let address = unresponsive.local_addr().unwrap();
    drop(unresponsive);
    let failure = retry_on_timeout(async || xks_client(address, None).get_health_status(&target, &metadata()).await)
        .await
        .unwrap_err();
    assert_eq!(failure.connection_error_code(), "XKS_PROXY_NOT_REACHABLE");
}

#[test]
fn ca_file_without_certificates_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = Network::new(Vec::new(), Some(dir.path().join("none.pem"))).check().unwrap_err();
    assert!(error.contains("none.pem"), "{error}");
}

const OPEN_CREATE_FORM: &str = "Wait+Screen /External key stores \\(4\\)/
Type \"C\"
Wait+Screen /Key store name/
Type \"Vendor HSM\"
Tab
";

/// Reads the key spec of an external key through a key store, and retries on timeouts.
async fn external_key_spec(account: &BundledAws, store: &str) -> Result<String, CallError> {
    let client = in_process::client(account, Clock::System);
    let request = DescribeExternalKey { custom_key_store_id: store.to_owned(), xks_key_id: "oslo-vault".to_owned() };
    let mut response = client.call(&request).await;
    for _ in 0..20 {
        let is_timeout =
            matches!(&response, Err(CallError::Service(error)) if error.message.to_lowercase().contains("tim"));
        if !is_timeout {
            break;
        }
        response = client.call(&request).await;
    }
    response.map(|response| response.key_spec)
}

#[test]
fn key_store_can_use_a_proxy_that_has_no_public_name() {
    let authority = CertificateAuthority::new();
    let [chain, key] = authority.issue(HOST);
    let server_runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (address, target) = server_runtime.block_on(start_remote_proxy(&chain, &key, None));
    let dir = tempfile::tempdir().unwrap();
    let first = BundledAws::open(dir.path(), None).unwrap();
    let second = BundledAws::open(dir.path(), None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = Clock::manual("2026-03-02T10:15:00Z".parse().unwrap());
    let client = in_process::client(&first, Clock::System);
    let mut console = Player::with_client((80, 24), first.clone(), client, Target::Bundled, clock, runtime);
    play_tape(&mut console, "route", OPEN_CREATE_FORM);
    let secret = target.secret_access_key.expose();
    let credential = serde_json::json!({ "AccessKeyId": target.access_key_id, "RawSecretAccessKey": secret });
    let file =
        serde_json::json!({ "XksProxyUriPath": target.uri_path, "XksProxyAuthenticationCredential": credential });
    console.paste(&file.to_string());
    let none = authority.dir.path().join("none.pem");
    let tape = format!(
        "Tab\nType \"https://{HOST}\"\nCtrl+N\nWait+Screen /XksProxyUriUnreachableException/\nTab\nSpace\nTab\n\
         Type \"127.0.0.1\"\nTab\nType \"{}\"\nCtrl+N\nWait+Screen /and a port, such as/\nType \":{}\"\nCtrl+N\n\
         Wait+Screen /FileNotRead/\nCtrl+U\nType \"{}\"\nCtrl+N\nWait+Screen /MalformedCertificateException/\n\
         Ctrl+U\nType \"{}\"\n",
        none.display(),
        address.port(),
        key.display(),
        authority.ca_path().display()
    );
    play_tape(&mut console, "route", &tape);
    for _ in 0..20 {
        play_tape(&mut console, "route", "Ctrl+N\n");
        if tape::screen_text(&console.frame()).contains("Vendor HSM was created") {
            break;
        }
    }
    play_tape(&mut console, "route", "Wait+Screen /Vendor HSM was created/\n");

    block_on(async {
        let stores = in_process::client(&first, Clock::System).collect_key_stores().await.unwrap();
        let id = &stores.iter().find(|store| store.custom_key_store_name == "Vendor HSM").unwrap().custom_key_store_id;
        assert_eq!(external_key_spec(&first, id).await.as_deref(), Ok("AES_256"));
        assert_eq!(external_key_spec(&second, id).await.as_deref(), Ok("AES_256"));
        let unreachable = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let connect_to = vec![ConnectTo { host: HOST.to_owned(), address: unreachable }];
        let overridden = BundledAws::open_with_network(dir.path(), None, Network::new(connect_to, None)).unwrap();
        assert!(external_key_spec(&overridden, id).await.is_err());
        // Without an address, the host name is resolved again, and it doesn't exist.
        let route = ProxyRoute { host: HOST.to_uppercase(), ..ProxyRoute::default() };
        in_process::client(&second, Clock::System).call(&PutProxyRoute(route)).await.unwrap();
        assert!(external_key_spec(&first, id).await.is_err());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_authority_is_trusted_only_for_its_host() {
    let authority = CertificateAuthority::new();
    let names = [HOST, "xks.example.org"];
    let pem = std::fs::read_to_string(authority.ca_path()).unwrap();
    for (name, is_trusted) in names.into_iter().zip([true, false]) {
        let [chain, key] = authority.issue(name);
        let (address, target) = start_remote_proxy(&chain, &key, None).await;
        let network = Network::new(Vec::new(), None);
        let routes = names.map(|host| ProxyRoute {
            host: host.to_owned(),
            address: Some(address.to_string()),
            certificate_authorities: (host == HOST).then(|| pem.clone()),
        });
        network.set_route_lookup(move |host| Ok(routes.iter().find(|route| route.host == host).cloned().map(Arc::new)));
        let kms = XksClient::new(axum::Router::new(), Some(Arc::new(network)), Clock::System);
        let target = ProxyTarget { uri_endpoint: format!("https://{name}"), ..target };
        let health = retry_on_timeout(async || kms.get_health_status(&target, &metadata()).await).await;
        assert_eq!(health.is_ok(), is_trusted, "{name}: {health:?}");
    }
}

#[tokio::test]
async fn proxy_routes_are_stored_listed_and_validated() {
    let (client, _) = super::account::account();
    let authority = CertificateAuthority::new();
    let pem = std::fs::read_to_string(authority.ca_path()).unwrap();
    let route = ProxyRoute {
        host: "XKS.example.com".to_owned(),
        address: Some("[::1]:8443".to_owned()),
        certificate_authorities: Some(pem),
    };
    client.call(&PutProxyRoute(route.clone())).await.unwrap();
    let stored = ProxyRoute { host: "xks.example.com".to_owned(), ..route.clone() };
    assert_eq!(client.call(&ListProxyRoutes {}).await.unwrap().routes, [stored]);
    for (invalid, code) in [
        (ProxyRoute { host: "a b".to_owned(), ..route.clone() }, "Validation"),
        (ProxyRoute { address: Some("localhost:8443".to_owned()), ..route.clone() }, "Validation"),
        (ProxyRoute { address: Some("127.0.0.1:0".to_owned()), ..route.clone() }, "Validation"),
        (ProxyRoute { certificate_authorities: Some("none".to_owned()), ..route }, "MalformedCertificate"),
    ] {
        let error = service_error(client.call(&PutProxyRoute(invalid.clone())).await);
        assert!(error.has_code(code), "{invalid:?}: {error}");
    }
    assert_eq!(client.call(&ListProxyRoutes {}).await.unwrap().routes.len(), 1);
}
