//! Connections to the proxy.
//!
//! The checks open them at a low level to restrict TLS to what AWS KMS supports and to time each step.

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

/// The time limit for each connection and request. A slower proxy fails the check, whatever its response.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// The TLS cipher suites in the specification, TLS 1.3 first. A proxy must support at least one.
pub const KMS_CIPHER_SUITES: [CipherSuite; 4] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
];

/// A request body.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The reason why connecting to the proxy failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host name can't be resolved.
    #[error("couldn't resolve the host name {host}: {source}")]
    Resolve {
        /// The host of the endpoint.
        host: String,
        /// The error of the resolver.
        source: io::Error,
    },
    /// The TCP connection failed.
    #[error("couldn't connect to {place}: {source}")]
    Tcp {
        /// The address and port, or the host and port.
        place: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// The proxy requested a client certificate but received none.
    #[error("the proxy requested a client certificate, received none, and didn't respond: {0}")]
    CertificateRequired(String),
    /// The proxy returned no valid HTTP response within the time limit.
    #[error("{0}")]
    NoResponse(String),
}

impl ConnectError {
    /// Returns the recommended action, without a final period.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => {
                "Check --endpoint. If the host has no public DNS name yet, add --connect-to HOST=ADDRESS:PORT"
            }
            Self::Tcp { .. } => "Start the proxy, or check --endpoint and --connect-to",
            Self::Tls(_) => {
                "AWS KMS requires TLS 1.2 or 1.3 and a certificate for the endpoint's host name from a public \
                 certificate authority (CA). To trust another CA, use --proxy-ca FILE. If the proxy requests a client \
                 certificate, use --client-cert and --client-key"
            }
            Self::CertificateRequired(_) => "Use --client-cert and --client-key to send a client certificate",
            Self::NoResponse(_) => {
                "Check that an external key store proxy listens on this endpoint, and that it uses TLS for https://"
            }
        }
    }
}

/// The PEM files for TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// Certificates of CAs to trust in addition to the public CAs.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate chain and private key.
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
    /// Records whether the server requested a client certificate.
    certificate_request: Arc<CertificateRequestObserver>,
}

/// A byte stream to the proxy, with or without TLS.
pub trait IoStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> IoStream for T {}

/// An HTTP connection to the proxy.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Body>,
    /// The TLS version and cipher suite, or `None` without TLS.
    pub negotiated: Option<String>,
}

fn pem_error(path: &Path) -> impl Fn(rustls::pki_types::pem::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

impl Connector {
    /// Creates a connector and reads the TLS files. If `address` is given, it replaces the DNS lookup of the host.
    ///
    /// # Errors
    /// Returns a message for the user if a file can't be read or contains no valid certificate.
    pub fn new(endpoint: Endpoint, address: Option<SocketAddr>, files: &TlsFiles) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // AWS KMS trusts only public CAs, so the trust store of this machine doesn't matter.
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        if let Some(path) = &files.ca_file {
            let (added, _) = roots.add_parsable_certificates(read_certificates(path)?);
            if added == 0 {
                return Err(format!(
                    "{}: no valid CA certificate found. Use a PEM file with CA certificates",
                    path.display()
                ));
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

    /// Returns a copy that only supports [`KMS_CIPHER_SUITES`].
    ///
    /// # Errors
    /// Returns the message of the TLS library if the configuration is invalid.
    pub fn with_kms_cipher_suites(&self) -> Result<Self, String> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|suite| KMS_CIPHER_SUITES.contains(&suite.suite()));
        let config = client_config(&self.roots, self.identity.as_deref(), &self.certificate_request, provider)?;
        Ok(Self { config: Arc::new(config), ..self.clone() })
    }

    /// Returns a copy without a client certificate.
    ///
    /// # Errors
    /// Returns the message of the TLS library if the configuration is invalid.
    pub fn without_client_certificate(&self) -> Result<Self, String> {
        let config = client_config(&self.roots, None, &self.certificate_request, aws_lc_rs::default_provider())?;
        Ok(Self { identity: None, config: Arc::new(config), ..self.clone() })
    }

    /// Returns a copy with a self-signed client certificate for the subject name of AWS KMS.
    ///
    /// # Errors
    /// Returns the message of the TLS library if the certificate can't be created.
    pub fn with_untrusted_certificate(&self, region: &str) -> Result<Self, String> {
        let names = vec![format!("cks.kms.{region}.amazonaws.com")];
        let generated = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::try_from(generated.signing_key.serialize_der())?;
        let identity = (vec![generated.cert.der().clone()], key);
        let config =
            client_config(&self.roots, Some(&identity), &self.certificate_request, aws_lc_rs::default_provider())?;
        Ok(Self { identity: Some(Arc::new(identity)), config: Arc::new(config), ..self.clone() })
    }

    /// Returns whether the connector has a client certificate.
    pub fn has_client_certificate(&self) -> bool {
        self.identity.is_some()
    }

    /// Returns whether the server requested a client certificate on a connection that has none.
    pub fn was_certificate_requested(&self) -> bool {
        self.certificate_request.0.load(Ordering::Relaxed)
    }

    /// Opens a TCP connection without TLS.
    ///
    /// # Errors
    /// [`ConnectError::Resolve`] or [`ConnectError::Tcp`].
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

    /// Opens a connection, with TLS if the endpoint uses it. Also returns the TLS version and cipher suite.
    ///
    /// # Errors
    /// [`ConnectError::Resolve`], [`ConnectError::Tcp`], or [`ConnectError::Tls`].
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

    /// Opens an HTTP connection.
    ///
    /// # Errors
    /// [`ConnectError`] if any step fails.
    pub async fn connect(&self) -> Result<Connection, ConnectError> {
        let (stream, negotiated) = self.connect_stream().await?;
        let no_response = |error: hyper::Error| ConnectError::NoResponse(error.to_string());
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_response)?;
        // The task ends when the sender is dropped. The sender reports its errors.
        tokio::spawn(connection);
        Ok(Connection { sender, negotiated })
    }
}

impl Connection {
    /// Sends a request in origin form and waits for the response headers.
    ///
    /// # Errors
    /// Returns the HTTP error. The connection can't be used again after an error.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    /// Returns whether the proxy kept the connection open.
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
    // Perform a full handshake for each connection, like the first connection from AWS KMS.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// A certificate resolver without a certificate that records whether the server requested one.
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
