//! TLS certificates of the server, from files or self-signed and stored in the data directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};

use crate::pem;
use crate::storage::atomic_file::replace;
use crate::xks::proxy::{BUNDLED_HOST, BUNDLED_VPC_HOST};

/// The names in the self-signed certificate.
const CERTIFICATE_NAMES: [&str; 5] = ["localhost", "127.0.0.1", "::1", BUNDLED_HOST, BUNDLED_VPC_HOST];
/// The names of the CA certificate, server certificate, and private key files in the data directory.
const TLS_FILES: [&str; 3] = ["tls-ca.pem", "tls-certificate.pem", "tls-key.pem"];

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error from the operating system.
        source: std::io::Error,
    },
    /// A PEM file doesn't contain what it should.
    #[error("couldn't read a {what} in PEM format from {}: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should contain.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The self-signed certificate can't be created.
    #[error("couldn't create a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// The certificate and private key don't match, or TLS doesn't support their type.
    #[error("couldn't use the certificate: {0}")]
    InvalidCertificate(#[from] rustls::Error),
    /// The CA or name of client certificates can't be used.
    #[error("couldn't set up client certificate verification: {0}")]
    ClientCa(String),
}

/// The requirements for client certificates: the CA that signed them, and the name in them.
///
/// AWS KMS presents a certificate for `cks.kms.<Region>.amazonaws.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The PEM file with the CA certificates.
    pub ca_certificates: PathBuf,
    /// The name in the client's certificate.
    pub client_name: String,
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> TlsError {
    move |source| TlsError::File { path: path.to_owned(), source }
}

/// Loads the certificates in a PEM file, at least one.
///
/// # Errors
/// [`TlsError::File`] if the file can't be read, and [`TlsError::Pem`] if it contains no valid certificates.
pub fn load_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificate";
    let invalid = |reason: String| TlsError::Pem { path: path.to_owned(), what, reason };
    let text = pem::read(path).map_err(file_error(path))?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| invalid(error.to_string()))?;
    if certificates.is_empty() { Err(invalid("it contains none".to_owned())) } else { Ok(certificates) }
}

/// Returns a TLS configuration with the certificate chain and private key in these PEM files.
///
/// # Errors
/// [`TlsError`] if a file or the client authentication can't be used.
pub fn from_files(chain: &Path, key: &Path, client_auth: Option<&ClientAuth>) -> Result<Arc<ServerConfig>, TlsError> {
    let private_key = PrivateKeyDer::from_pem_slice(&pem::read(key).map_err(file_error(key))?)
        .map_err(|error| TlsError::Pem { path: key.to_owned(), what: "private key", reason: error.to_string() })?;
    let builder = ServerConfig::builder();
    let builder = match client_auth {
        None => builder.with_no_client_auth(),
        Some(client_auth) => builder.with_client_cert_verifier(Arc::new(ClientNameVerifier::new(client_auth)?)),
    };
    let mut config = builder.with_single_cert(load_certificates(chain)?, private_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Returns a TLS configuration with a self-signed certificate, and the path of the CA certificate to trust.
///
/// The first call creates the certificate in `dir`.
///
/// # Errors
/// [`TlsError`] if the certificate can't be created or used.
pub fn self_signed(dir: &Path, client_auth: Option<&ClientAuth>) -> Result<(Arc<ServerConfig>, PathBuf), TlsError> {
    let [ca, chain, key] = TLS_FILES.map(|name| dir.join(name));
    if !(ca.exists() && chain.exists() && key.exists()) {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "xks-console local CA");
        let ca_key = KeyPair::generate()?;
        let ca_certificate = params.self_signed(&ca_key)?;
        // The CA key is not stored, because it never signs another certificate.
        let issuer = Issuer::new(params, ca_key);
        let mut leaf = CertificateParams::new(CERTIFICATE_NAMES.map(str::to_owned))?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        let leaf_key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&leaf_key, &issuer)?;
        write(&key, leaf_key.serialize_pem().as_bytes())?;
        write(&chain, certificate.pem().as_bytes())?;
        write(&ca, ca_certificate.pem().as_bytes())?;
    }
    Ok((from_files(&chain, &key, client_auth)?, ca))
}

/// Writes a file that only its owner can read. An interrupted write keeps the old file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    replace(path, bytes).map_err(file_error(path))
}

/// A verifier that requires client certificates to be signed by a CA and contain a name.
#[derive(Debug)]
struct ClientNameVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    name: ServerName<'static>,
}

impl ClientNameVerifier {
    fn new(client_auth: &ClientAuth) -> Result<Self, TlsError> {
        let invalid = |error: &dyn std::fmt::Display| TlsError::ClientCa(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in load_certificates(&client_auth.ca_certificates)? {
            roots.add(certificate)?;
        }
        let inner = WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(|error| invalid(&error))?;
        let name = ServerName::try_from(client_auth.client_name.clone()).map_err(|error| invalid(&error))?;
        Ok(Self { inner, name })
    }
}

impl ClientCertVerifier for ClientNameVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now)?;
        let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_name(&certificate, &self.name)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_files_may_start_with_byte_order_mark() {
        let dir = tempfile::tempdir().unwrap();
        let (_, ca_path) = self_signed(dir.path(), None).unwrap();
        let [ca, chain, key] = TLS_FILES.map(|name| dir.path().join(name));
        assert_eq!(ca_path, ca);
        for path in [&ca, &chain, &key] {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, format!("\u{feff}{text}")).unwrap();
        }
        let client_auth = ClientAuth { ca_certificates: ca, client_name: "cks.kms.us-west-2.amazonaws.com".to_owned() };
        assert!(from_files(&chain, &key, Some(&client_auth)).is_ok());
        let error = from_files(&dir.path().join("none.pem"), &key, None).unwrap_err().to_string();
        assert!(error.ends_with("none.pem: No such file or directory (os error 2)"), "{error}");
    }
}
