//! Connections: HTTP framing, time and size limits, and TLS.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use xks_console::bundled::BundledAws;
use xks_console::environment::Environment;
use xks_console::server::Server;
use xks_console::server::tls::{self, ClientAuth};

use super::client::{
    API_PATH, Protocol, RawRequest, RawResponse, ServedProxy, client_config_trusting, encrypt_body, over_http_and_tls,
};

#[tokio::test]
async fn connection_serves_several_requests() {
    over_http_and_tls(async |proxy| {
        let mut stream = proxy.connect().await;
        for _ in 0..3 {
            proxy.send_on(&mut stream, &RawRequest::health()).await.assert_outcome(200, "", "keep-alive");
            proxy.send_on(&mut stream, &RawRequest::health().with_invalid_signature()).await.assert_outcome(
                401,
                "AuthenticationFailedException",
                "keep-alive after an error",
            );
            let request = RawRequest::new("/keys/good/encrypt", &encrypt_body());
            proxy.send_on(&mut stream, &request).await.assert_outcome(200, "", "keep-alive");
        }
        let head = RawRequest::health().head(&proxy.credential, proxy.clock.now());
        let one = [head.as_bytes(), &RawRequest::health().body].concat();
        stream.write_all(&[one.clone(), one].concat()).await.unwrap();
        for _ in 0..2 {
            RawResponse::read(&mut stream).await.assert_outcome(200, "", "pipelined requests");
        }
        stream.write_all(b"GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let ping = RawResponse::read(&mut stream).await;
        assert_eq!((ping.status, ping.text.as_str()), (200, "pong\n"), "load balancers can send a plain GET");
    })
    .await;
}

#[tokio::test]
async fn body_can_be_chunked_or_sent_after_100_continue() {
    over_http_and_tls(async |proxy| {
        let body = RawRequest::health().body;
        let mut stream = proxy.connect().await;
        let request =
            RawRequest::health().modified(|request| request.headers.push(("expect", "100-continue".to_owned())));
        stream.write_all(request.head(&proxy.credential, proxy.clock.now()).as_bytes()).await.unwrap();
        assert_eq!(RawResponse::read(&mut stream).await.status, 100, "Expect: 100-continue gets a response");
        stream.write_all(&body).await.unwrap();
        RawResponse::read(&mut stream).await.assert_outcome(200, "", "Expect: 100-continue");
        let request =
            RawRequest::health().modified(|request| request.headers.push(("transfer-encoding", "chunked".to_owned())));
        stream.write_all(request.head(&proxy.credential, proxy.clock.now()).as_bytes()).await.unwrap();
        let (first, second) = body.split_at(10);
        for part in [first, second, b""] {
            let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
            stream.write_all(&chunk).await.unwrap();
        }
        RawResponse::read(&mut stream).await.assert_outcome(200, "", "a chunked body");
    })
    .await;
}

#[tokio::test]
async fn oversized_bodies_are_rejected_before_they_are_read() {
    over_http_and_tls(async |proxy| {
        let assert_too_large = |response: RawResponse| {
            response.assert_outcome(501, "UnsupportedOperationException", "the size of a body is limited")
        };
        let head = |length: &str, headers: &str| {
            format!("POST {API_PATH}/health HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n")
        };
        for headers in ["", "expect: 100-continue\r\n"] {
            let mut stream = proxy.connect().await;
            stream.write_all(head("268435456", headers).as_bytes()).await.unwrap();
            let response = tokio::time::timeout(Duration::from_secs(2), RawResponse::read(&mut stream)).await;
            assert_too_large(response.expect("the server must not wait for the body"));
        }
        let unauthenticated =
            RawRequest::health().modified(|request| request.body = vec![b'x'; 600_000]).with_invalid_signature();
        assert_too_large(proxy.send(&unauthenticated).await);
        let mut stream = proxy.connect().await;
        let chunked =
            unauthenticated.modified(|request| request.headers.push(("transfer-encoding", "chunked".to_owned())));
        stream.write_all(chunked.head(&proxy.credential, proxy.clock.now()).as_bytes()).await.unwrap();
        let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        for _ in 0..8 {
            let _ = stream.write_all(&chunk).await;
        }
        assert_too_large(RawResponse::read(&mut stream).await);
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "the server keeps running");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn half_sent_requests_time_out() {
    let proxy = ServedProxy::start(Protocol::Http).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(format!("POST {API_PATH}/health HTTP/1.1\r\nhost: loc").as_bytes()).await.unwrap();
        streams.push(stream);
    }
    for stream in &mut streams {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"", "half-sent heads time out");
    }
    let mut stream = proxy.connect().await;
    let head = RawRequest::health().head(&proxy.credential, proxy.clock.now());
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(RawResponse::read(&mut stream).await.status, 408, "half-sent bodies time out");
}

#[tokio::test(start_paused = true)]
async fn unfinished_tls_handshake_times_out() {
    let proxy = ServedProxy::start(Protocol::Tls).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "an unfinished handshake times out");
}

/// Returns a TLS 1.1 ClientHello with cipher suites of that version.
fn client_hello_of_tls_1_1() -> Vec<u8> {
    // Record: handshake, length; message: ClientHello, length, version; then the random bytes.
    let head = [22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 2];
    // No session; TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA; no compression.
    let tail = [0, 0, 4, 0, 0x2f, 0xc0, 0x13, 1, 0];
    [head.as_slice(), &[7; 32], &tail].concat()
}

#[tokio::test]
async fn tls_has_the_specified_versions_and_cipher_suites() {
    let dir = tempfile::tempdir().unwrap();
    let (config, authority) = tls::self_signed(dir.path(), None).unwrap();
    let aws =
        BundledAws::in_memory("default", Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1)).unwrap();
    let server = Server::open(aws, "127.0.0.1:0".parse().unwrap(), Some(config), false).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    for (version, suites) in [
        (&rustls::version::TLS13, [CipherSuite::TLS13_AES_256_GCM_SHA384, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256]),
        (
            &rustls::version::TLS12,
            [CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
        ),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(client_config_trusting(&authority, &[version]));
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        assert!(suites.contains(&suite), "{suite:?}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&client_hello_of_tls_1_1()).await.unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    // A fatal alert: protocol_version or handshake_failure.
    assert!(matches!(response[..], [21, 3, _, 0, 2, 2, 70 | 40]), "the minimum version is TLS 1.2: {response:?}");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    assert!(!response.starts_with(b"HTTP"), "a TLS port must not respond to plain HTTP");
}

#[tokio::test]
async fn mutual_tls_accepts_only_the_configured_name_and_authority() {
    let dir = tempfile::tempdir().unwrap();
    let authority = || {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (Issuer::new(params, key), pem)
    };
    let ((amazon, pem), (untrusted, _)) = (authority(), authority());
    let file = dir.path().join("clients.pem");
    std::fs::write(&file, pem).unwrap();
    let name = "cks.kms.us-west-2.amazonaws.com";
    let clients = ClientAuth { ca_certificates: file, client_name: name.to_owned() };
    let (config, trusted) = tls::self_signed(dir.path(), Some(&clients)).unwrap();
    let aws =
        BundledAws::in_memory("default", Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1)).unwrap();
    let server = Server::open(aws, "127.0.0.1:0".parse().unwrap(), Some(config), false).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    let long_ago = rcgen::date_time_ymd(2001, 1, 1);
    for (requirement, issuer, subject, is_expired, is_accepted) in [
        ("the configured name and authority", Some(&amazon), name, false, true),
        ("another authority", Some(&untrusted), name, false, false),
        ("another name", Some(&amazon), "cks.kms.eu-west-1.amazonaws.com", false, false),
        ("an expired certificate", Some(&amazon), name, true, false),
        ("no certificate", None, name, false, false),
    ] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(&trusted).unwrap()).unwrap();
            let builder = ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots);
            let config = match issuer {
                None => builder.with_no_client_auth(),
                Some(issuer) => {
                    let mut params = CertificateParams::new([subject.to_owned()]).unwrap();
                    if is_expired {
                        params.not_after = long_ago;
                    }
                    let key = KeyPair::generate().unwrap();
                    let certificate = params.signed_by(&key, issuer).unwrap();
                    let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
                    builder.with_client_auth_cert(vec![certificate.der().clone()], private).unwrap()
                }
            };
            let connector = TlsConnector::from(std::sync::Arc::new(config));
            let stream = TcpStream::connect(address).await.unwrap();
            let mut response = Vec::new();
            if let Ok(mut stream) = connector.connect("localhost".try_into().unwrap(), stream).await {
                let ping = b"GET /ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(ping).await;
                let _ = stream.read_to_end(&mut response).await;
            }
            assert_eq!(response.ends_with(b"pong\n"), is_accepted, "{requirement}, {version:?}");
        }
    }
}
