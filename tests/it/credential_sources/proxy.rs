//! An HTTP proxy that opens tunnels and acts as all of AWS at the end of each.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use xks_console::server::tls;

use super::cloud::Cloud;

/// The host names of AWS in the Regions of these tests, and a host that can't exist.
const NAMES: [&str; 4] =
    ["*.us-west-2.amazonaws.com", "*.amazonaws.com", "*.sso.eu-central-1.amazonaws.com", "aws.invalid"];

pub struct HttpProxy {
    pub url: String,
    /// The certificate authority of the proxy's certificates, as a PEM file.
    pub ca_path: PathBuf,
    connect_targets: Arc<Mutex<BTreeSet<String>>>,
}

impl HttpProxy {
    /// Starts a proxy in front of the services of `cloud`.
    pub fn start(cloud: &Cloud) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(NAMES.map(str::to_owned).to_vec()).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let ca_path = cloud.write("authority.pem", &certificate.pem());
        let key = cloud.write("key.pem", &key.serialize_pem());
        let tls = TlsAcceptor::from(tls::from_files(&ca_path, &key, None).unwrap());
        let listener = cloud.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connect_targets = Arc::<Mutex<BTreeSet<String>>>::default();
        let (recorded, router) = (Arc::clone(&connect_targets), cloud.router());
        cloud.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, tls.clone(), router.clone(), Arc::clone(&recorded)));
            }
        });
        Self { url, ca_path, connect_targets }
    }

    /// Returns the hosts and ports that tunnels were requested for.
    pub fn connect_targets(&self) -> Vec<String> {
        self.connect_targets.lock().unwrap().iter().cloned().collect()
    }
}

/// Serves one tunnel until the client disconnects.
async fn tunnel(
    stream: TcpStream,
    tls: TlsAcceptor,
    router: Router,
    connect_targets: Arc<Mutex<BTreeSet<String>>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
    let mut words = head.split(' ');
    assert_eq!(words.next(), Some("CONNECT"), "not a request for a tunnel: {head}");
    connect_targets.lock().unwrap().insert(words.next().unwrap().to_owned());
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let stream = TokioIo::new(tls.accept(stream).await?);
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, TowerToHyperService::new(router)).await;
    Ok(())
}
