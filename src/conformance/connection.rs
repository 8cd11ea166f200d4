//! Connections to the proxy: opened by hand, so that what KMS needs of TLS can be asked for and each part be timed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ClientConfig, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::target::Endpoint;
use crate::pem;

/// How long the proxy may take for anything: what is slower has failed, whatever it would have answered.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// The suites of which a proxy needs one, TLS 1.3 first.
pub const KMS_CIPHER_SUITES: [CipherSuite; 4] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
];

/// What is sent as a body.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody knows the host.
    #[error("{host} has no address: {source}")]
    Resolve {
        /// The host of the endpoint.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// Nobody listens.
    #[error("nothing takes connections at {place}: {source}")]
    Tcp {
        /// Address and port, or host and port.
        place: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// No TLS.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// The proxy has asked for a certificate of the client, and got none.
    #[error("it asks for a certificate, and then there is no answer: {0}")]
    CertificateRequired(String),
    /// No HTTP, or not in time.
    #[error("{0}")]
    NoResponse(String),
}

impl ConnectError {
    /// What may help.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => {
                "Check --endpoint; for a host that has no public name yet add --connect-to HOST=ADDRESS:PORT"
            }
            Self::Tcp { .. } => "Start the proxy, or check --endpoint and --connect-to",
            Self::Tls(_) => {
                "KMS needs a certificate of a public authority for the name of the endpoint, and TLS 1.2 or 1.3; trust \
                 another authority with --proxy-ca FILE, and show a certificate with --client-cert and --client-key \
                 if the proxy asks for one"
            }
            Self::CertificateRequired(_) => "Show it one with --client-cert and --client-key",
            Self::NoResponse(_) => "Check that an external key store proxy listens there, with TLS for https://",
        }
    }
}

/// The files that TLS needs.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// Authorities that are trusted beside the public ones, PEM.
    pub ca_file: Option<PathBuf>,
    /// The chain of the client's certificate and its key, PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// Opens connections to one endpoint.
#[derive(Clone, Debug)]
pub struct Connector {
    endpoint: Endpoint,
    address: Option<SocketAddr>,
    roots: RootCertStore,
    identity: Option<Arc<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>>,
    config: Arc<ClientConfig>,
    /// Whether the server has asked for a certificate of the client.
    certificate_request: Arc<CertificateRequestObserver>,
}

/// A connection of bytes.
pub trait IoStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> IoStream for T {}

/// A connection that can be asked over.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Body>,
    /// The version of TLS and the suite, if there is TLS.
    pub negotiated: Option<String>,
}

fn pem_error(path: &Path) -> impl Fn(rustls::pki_types::pem::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

impl Connector {
    /// Reads the files. With `address` the host of `endpoint` is looked for there.
    ///
    /// # Errors
    /// A file that can't be read or holds no certificate, in words for people.
    pub fn new(endpoint: Endpoint, address: Option<SocketAddr>, files: &TlsFiles) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // KMS trusts public authorities alone, whatever this machine trusts.
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        if let Some(path) = &files.ca_file {
            let (added, _) = roots.add_parsable_certificates(read_certificates(path)?);
            if added == 0 {
                return Err(format!("{}: it holds no certificate that can be trusted", path.display()));
            }
        }
        let identity = match &files.client_certificate {
            Some((certificate, key)) => Some(Arc::new((
                read_certificates(certificate)?,
                PrivateKeyDer::from_pem_slice(&read_pem(key)?).map_err(pem_error(key))?,
            ))),
            None => None,
        };
        let certificate_request = Arc::new(CertificateRequestObserver(AtomicBool::new(false)));
        let config = client_config(&roots, identity.as_deref(), &certificate_request, aws_lc_rs::default_provider())?;
        Ok(Self { endpoint, address, roots, identity, config: Arc::new(config), certificate_request })
    }

    /// The same, with no other cipher suites than [`SUITES`].
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn with_kms_cipher_suites(&self) -> Result<Self, String> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|suite| KMS_CIPHER_SUITES.contains(&suite.suite()));
        let config = client_config(&self.roots, self.identity.as_deref(), &self.certificate_request, provider)?;
        Ok(Self { config: Arc::new(config), ..self.clone() })
    }

    /// The same, without a certificate of the client.
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn without_client_certificate(&self) -> Result<Self, String> {
        let config = client_config(&self.roots, None, &self.certificate_request, aws_lc_rs::default_provider())?;
        Ok(Self { identity: None, config: Arc::new(config), ..self.clone() })
    }

    /// The same with a certificate for the name of KMS that nobody has signed.
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn with_untrusted_certificate(&self, region: &str) -> Result<Self, String> {
        let names = vec![format!("cks.kms.{region}.amazonaws.com")];
        let generated = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::try_from(generated.signing_key.serialize_der())?;
        let identity = (vec![generated.cert.der().clone()], key);
        let config =
            client_config(&self.roots, Some(&identity), &self.certificate_request, aws_lc_rs::default_provider())?;
        Ok(Self { identity: Some(Arc::new(identity)), config: Arc::new(config), ..self.clone() })
    }

    /// Whether there is a certificate to show.
    pub fn has_client_certificate(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether a server was met, on a connection without certificate, that asks for one.
    pub fn was_certificate_requested(&self) -> bool {
        self.certificate_request.0.load(Ordering::Relaxed)
    }

    /// Opens TCP alone.
    ///
    /// # Errors
    /// [`Unreachable::NoAddress`], [`Unreachable::Refused`].
    pub async fn connect_tcp(&self) -> Result<TcpStream, ConnectError> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let (address, connected) = if let Some(address) = self.address {
            (address.to_string(), TcpStream::connect(address).await)
        } else {
            let found = tokio::net::lookup_host((host.as_str(), *port)).await;
            let found = found.map_err(|source| ConnectError::Resolve { host: host.clone(), source })?;
            let addresses: Vec<SocketAddr> = found.collect();
            (format!("{host}:{port}"), TcpStream::connect(addresses.as_slice()).await)
        };
        let stream = connected.map_err(|source| ConnectError::Tcp { place: address, source })?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Opens TCP, and TLS if the endpoint has it; tells the version and the suite.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn connect_stream(&self) -> Result<(Box<dyn IoStream>, Option<String>), ConnectError> {
        let stream = self.connect_tcp().await?;
        if !self.endpoint.is_tls {
            return Ok((Box::new(stream), None));
        }
        let name = ServerName::try_from(self.endpoint.host.clone())
            .map_err(|error| ConnectError::Tls(io::Error::other(error.to_string())))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(name, stream).await.map_err(ConnectError::Tls)?;
        let session = stream.get_ref().1;
        let part = |name: Option<String>| name.unwrap_or_default();
        let version = part(session.protocol_version().map(|version| format!("{version:?}")));
        let suite = part(session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())));
        Ok((Box::new(stream), Some(format!("{version}, {suite}"))))
    }

    /// Opens a connection for requests.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn connect(&self) -> Result<Connection, ConnectError> {
        let (stream, negotiated) = self.connect_stream().await?;
        let no_response = |error: hyper::Error| ConnectError::NoResponse(error.to_string());
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_response)?;
        // It ends with its sender, and tells its errors there.
        tokio::spawn(connection);
        Ok(Connection { sender, negotiated })
    }
}

impl Connection {
    /// Sends a request in origin form and waits for the head of its answer.
    ///
    /// # Errors
    /// What HTTP says; the connection is of no use then.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    /// Whether the proxy has left it open.
    pub async fn is_open(&mut self) -> bool {
        tokio::time::timeout(TIMEOUT, self.sender.ready()).await.is_ok_and(|ready| ready.is_ok())
    }
}

fn read_pem(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    pem::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(&read_pem(path)?).collect::<Result<_, _>>().map_err(pem_error(path))
}

fn client_config(
    roots: &RootCertStore,
    identity: Option<&(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    certificate_request: &Arc<CertificateRequestObserver>,
    provider: CryptoProvider,
) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots.clone());
    let mut config = match identity {
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(|error| error.to_string())?
        }
        None => builder.with_client_cert_resolver(Arc::clone(certificate_request) as _),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Each handshake is one from the start, as the first of KMS is.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// Has no certificate, and remembers that it was asked for one.
#[derive(Debug)]
struct CertificateRequestObserver(AtomicBool);

impl ResolvesClientCert for CertificateRequestObserver {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
