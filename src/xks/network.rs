//! External key store proxies on the network, reached over TLS. The bundled proxy isn't one of them.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};
use jiff::Timestamp;
use reqwest::tls::TlsInfo;
use x509_parser::parse_x509_certificate;

use super::failure::{TlsProblem, XksFailure};
use super::wire::MAX_BODY;
use crate::aws::limits;
use crate::aws::xks_console::ProxyRoute;
use crate::pem;

/// Redirects connections to port 443 of a host to another address, like curl's `--connect-to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host in a proxy URI endpoint.
    pub host: String,
    /// The address to connect to.
    pub address: SocketAddr,
}

impl FromStr for ConnectTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, address) =
            text.split_once('=').ok_or("expected HOST=ADDRESS:PORT, such as xks.example.com=127.0.0.1:8443")?;
        limits::xks_proxy_host(host).map_err(|violation| violation.reason)?;
        let address = limits::xks_proxy_address(address).map_err(|violation| violation.reason)?;
        Ok(Self { host: host.to_owned(), address })
    }
}

/// Looks up the route of a host, if it has one.
type RouteLookup = Box<dyn Fn(&str) -> Result<Option<Arc<ProxyRoute>>, String> + Send + Sync>;

/// The maximum number of cached clients for hosts with a route. When it is reached, the cache is cleared.
const MAX_ROUTED_CLIENTS: usize = 64;

/// The network connection to proxies. Files are loaded before the first request.
#[derive(Default)]
pub struct Network {
    connect_to: Vec<ConnectTo>,
    ca_bundle: Option<PathBuf>,
    closes_connections: bool,
    client: OnceLock<Result<reqwest::Client, String>>,
    /// The latest certificate of each host, in DER format.
    peer_certificates: Mutex<HashMap<String, Vec<u8>>>,
    route_lookup: OnceLock<RouteLookup>,
    routed_clients: Mutex<HashMap<Arc<ProxyRoute>, Result<reqwest::Client, String>>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("connect_to", &self.connect_to).finish_non_exhaustive()
    }
}

/// Parses the certificates in a PEM text.
///
/// # Errors
/// The text contains no certificates, or an unreadable one.
pub fn parse_certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, String> {
    let found =
        reqwest::Certificate::from_pem_bundle(&pem::strip_byte_order_marks(pem)).map_err(|error| error.to_string())?;
    if found.is_empty() { Err("it contains no certificates".to_owned()) } else { Ok(found) }
}

impl Network {
    /// Creates a network that trusts the system's CA certificates and those in the PEM file `authorities`.
    pub fn new(connect_to: Vec<ConnectTo>, authorities: Option<PathBuf>) -> Self {
        Self { connect_to, ca_bundle: authorities, ..Self::default() }
    }

    /// Closes each connection after its request. For runtimes that don't run between requests, and so don't notice that a
    /// proxy has closed an idle connection.
    #[must_use]
    pub fn without_idle_connections(self) -> Self {
        // A client that was built before keeps idle connections.
        Self { closes_connections: true, client: OnceLock::new(), ..self }
    }

    /// Looks up each host with `find_route` before a request is sent to it. If the lookup fails, no request is sent.
    /// The settings from [`new`](Self::new) take precedence.
    pub fn set_route_lookup(
        &self,
        find_route: impl Fn(&str) -> Result<Option<Arc<ProxyRoute>>, String> + Send + Sync + 'static,
    ) {
        // Later calls are ignored: a network belongs to one account.
        let _ = self.route_lookup.set(Box::new(find_route));
    }

    fn build_client(&self, route: Option<&ProxyRoute>) -> Result<reqwest::Client, String> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .tls_info(true)
            .http1_only();
        if self.closes_connections {
            builder = builder.pool_max_idle_per_host(0);
        }
        if let Some(ProxyRoute { host, address, certificate_authorities }) = route {
            if let Some(address) = address {
                let address = limits::xks_proxy_address(address).map_err(|violation| violation.reason)?;
                builder = builder.resolve(host, address);
            }
            if let Some(pem) = certificate_authorities {
                builder = builder.tls_certs_merge(parse_certificates(pem.as_bytes())?);
            }
        }
        for ConnectTo { host, address } in &self.connect_to {
            builder = builder.resolve(host, *address);
        }
        if let Some(path) = &self.ca_bundle {
            let invalid = |reason: String| format!("{}: {reason}", path.display());
            let pem = pem::read(path).map_err(|error| invalid(error.to_string()))?;
            builder = builder.tls_certs_merge(parse_certificates(&pem).map_err(invalid)?);
        }
        builder.build().map_err(|error| error.to_string())
    }

    /// Returns the HTTP client for a host.
    fn client_for(&self, host: &str) -> Result<reqwest::Client, String> {
        let route = self.route_lookup.get().map_or(Ok(None), |find_route| find_route(host))?;
        let Some(route) = route else {
            return self.client.get_or_init(|| self.build_client(None)).clone();
        };
        let mut routed = self.routed_clients.lock().unwrap_or_else(PoisonError::into_inner);
        if routed.len() >= MAX_ROUTED_CLIENTS {
            routed.clear();
        }
        routed.entry(Arc::clone(&route)).or_insert_with(|| self.build_client(Some(&route))).clone()
    }

    /// Loads the PEM file of CA certificates, if there is one, so that problems are reported before any request is sent. The
    /// system's certificates are needed only once a request is sent.
    ///
    /// # Errors
    /// The file can't be read, or contains no certificates.
    pub fn check(&self) -> Result<(), String> {
        if self.ca_bundle.is_none() {
            return Ok(());
        }
        self.client.get_or_init(|| self.build_client(None)).as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Sends a signed request and returns the status and body of the response.
    ///
    /// # Errors
    /// [`XksFailure::Tls`] if the host's certificate can't be verified, [`XksFailure::Unreachable`] if the connection
    /// fails, or [`XksFailure::InvalidResponse`] if the response is too long or incomplete.
    pub async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), XksFailure> {
        let host = request.uri().host().unwrap_or_default();
        let client = self.client_for(host).map_err(|_| XksFailure::Unreachable)?;
        let request = reqwest::Request::try_from(request).map_err(|_| XksFailure::Unreachable)?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let mut response = client.execute(request).await.map_err(|error| classify_error(&error))?;
        if let Some(shown) = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate) {
            self.store_certificate(host, shown);
        }
        let mut body = BytesMut::new();
        let broken = |_| XksFailure::InvalidResponse("the response is incomplete");
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(XksFailure::InvalidResponse("the response is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), body.freeze()))
    }

    fn store_certificate(&self, host: String, shown: &[u8]) {
        let mut certificates = self.peer_certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let known = certificates.entry(host).or_default();
        if known != shown {
            shown.clone_into(known);
        }
    }

    /// Returns the subject name (CN) of a host's latest certificate, and the whole days until it expires.
    ///
    /// Returns `None` for a host that hasn't been called yet, and for a certificate with no CN or a wildcard CN, for
    /// which CloudWatch has no metric.
    pub fn certificate_days_to_expire(&self, host: &str, now: Timestamp) -> Option<(String, f64)> {
        let certificates = self.peer_certificates.lock().unwrap_or_else(PoisonError::into_inner);
        days_to_expire(certificates.get(&host.to_ascii_lowercase())?, now)
    }
}

fn days_to_expire(certificate: &[u8], now: Timestamp) -> Option<(String, f64)> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
    let seconds = certificate.validity().not_after.timestamp() - now.as_second();
    let days = i32::try_from(seconds.div_euclid(24 * 60 * 60)).ok()?;
    (!name.contains('*')).then_some((name, f64::from(days)))
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    use rustls::CertificateError as Problem;
    match error {
        rustls::Error::InvalidCertificate(Problem::Expired | Problem::ExpiredContext { .. }) => TlsProblem::Expired,
        rustls::Error::InvalidCertificate(Problem::NotValidForName | Problem::NotValidForNameContext { .. }) => {
            TlsProblem::WrongHostName
        }
        // The signature is wrong if another CA has the name of a trusted one.
        rustls::Error::InvalidCertificate(Problem::UnknownIssuer | Problem::BadSignature) => TlsProblem::UnknownIssuer,
        _ => TlsProblem::Handshake,
    }
}

fn classify_error(error: &reqwest::Error) -> XksFailure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(error) = this.downcast_ref::<rustls::Error>() {
            return XksFailure::Tls(tls_problem(error));
        }
        // An I/O error's inner error isn't its source, but can be a TLS error.
        let inside = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| this.source());
    }
    if error.is_connect() || error.is_builder() {
        XksFailure::Unreachable
    } else {
        XksFailure::InvalidResponse("the connection was interrupted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_that_was_built_before_does_not_keep_idle_connections() {
        let network = Network::default();
        network.client.get_or_init(|| network.build_client(None)).as_ref().unwrap();
        let network = network.without_idle_connections();
        assert!(network.closes_connections && network.client.get().is_none());
    }

    #[test]
    fn connect_to_parses_or_explains_the_error() {
        let read = "xks.example.com=[::1]:8443".parse::<ConnectTo>().unwrap();
        assert_eq!((read.host.as_str(), read.address), ("xks.example.com", "[::1]:8443".parse().unwrap()));
        for (text, reason) in
            [("xks", "HOST=ADDRESS:PORT"), ("x=127.0.0.1", "and a port"), ("=127.0.0.1:1", "Proxy host is required")]
        {
            assert!(text.parse::<ConnectTo>().unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn certificates_parse_after_byte_order_marks() {
        let one = || {
            let key = rcgen::KeyPair::generate().unwrap();
            rcgen::CertificateParams::new(["xks.example.com".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
        };
        let joined = format!("\u{feff}{}\u{feff}{}", one(), one());
        assert_eq!(parse_certificates(joined.as_bytes()).unwrap().len(), 2);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        std::fs::write(&path, joined).unwrap();
        assert_eq!(Network::new(Vec::new(), Some(path)).check(), Ok(()));
    }

    #[test]
    fn certificate_days_are_reported_unless_name_is_missing_or_wildcard() {
        let certificate = |name: Option<&str>| {
            let mut params = rcgen::CertificateParams::new(["xks.example.com".to_owned()]).unwrap();
            params.distinguished_name = rcgen::DistinguishedName::new();
            if let Some(name) = name {
                params.distinguished_name.push(rcgen::DnType::CommonName, name);
            }
            params.not_after = rcgen::date_time_ymd(2026, 4, 1);
            params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
        };
        let days = |name, now: &str| days_to_expire(&certificate(name), now.parse().unwrap());
        let name = "xks.example.com";
        assert_eq!(days(Some(name), "2026-03-02T10:15:00Z"), Some((name.to_owned(), 29.)));
        assert_eq!(days(Some(name), "2026-04-01T00:00:01Z"), Some((name.to_owned(), -1.)));
        assert_eq!(days(Some("*.example.com"), "2026-03-02T10:15:00Z"), None);
        assert_eq!(days(None, "2026-03-02T10:15:00Z"), None);
        assert_eq!(days_to_expire(b"no certificate", Timestamp::UNIX_EPOCH), None);
    }
}
