//! A proxy that is asked for tunnels and stands, at the end of each, for all of AWS.

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

/// What AWS is called in Regions of these tests, and hosts that nobody ever has.
const NAMES: [&str; 4] =
    ["*.us-west-2.amazonaws.com", "*.amazonaws.com", "*.sso.eu-central-1.amazonaws.com", "aws.invalid"];

pub struct HttpProxy {
    pub url: String,
    /// Whose certificates it shows, PEM.
    pub ca_path: PathBuf,
    connect_targets: Arc<Mutex<BTreeSet<String>>>,
}

impl HttpProxy {
    /// A proxy in front of what answers at `cloud`.
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

    /// The hosts and ports that tunnels were asked for.
    pub fn connect_targets(&self) -> Vec<String> {
        self.connect_targets.lock().unwrap().iter().cloned().collect()
    }
}

/// A client that goes away ends it.
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
    assert_eq!(words.next(), Some("CONNECT"), "nothing is sent in the open: {head}");
    connect_targets.lock().unwrap().insert(words.next().unwrap().to_owned());
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let stream = TokioIo::new(tls.accept(stream).await?);
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, TowerToHyperService::new(router)).await;
    Ok(())
}
