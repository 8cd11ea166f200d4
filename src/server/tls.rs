//! Certificates of the server: given as files, or made by the program and kept in the data directory.

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

/// The names that a certificate of the program's own is for.
const CERTIFICATE_NAMES: [&str; 5] = ["localhost", "127.0.0.1", "::1", BUNDLED_HOST, BUNDLED_VPC_HOST];
/// Where the authority, the certificate and its key are in the data directory.
const TLS_FILES: [&str; 3] = ["tls-ca.pem", "tls-certificate.pem", "tls-key.pem"];

/// Why TLS can't be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{} holds no {what} in PEM: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A certificate of the program's own can't be made.
    #[error("no certificate can be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// Certificate and key don't belong together, or are of a kind that TLS doesn't take.
    #[error("the certificate can't be used: {0}")]
    InvalidCertificate(#[from] rustls::Error),
    /// The authority of clients can't be used.
    #[error("the certificate authority of clients can't be used: {0}")]
    ClientCa(String),
}

/// Who may connect: callers that show a certificate of this authority for this name, as AWS KMS shows one for
/// `cks.kms.<Region>.amazonaws.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The certificates of the authority, PEM.
    pub ca_certificates: PathBuf,
    /// The name in the client's certificate.
    pub client_name: String,
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> TlsError {
    move |source| TlsError::File { path: path.to_owned(), source }
}

/// The certificates in a PEM file, at least one.
///
/// # Errors
/// [`TlsError::File`] and [`TlsError::Pem`].
pub fn load_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificate";
    let no_pem = |reason: String| TlsError::Pem { path: path.to_owned(), what, reason };
    let text = pem::read(path).map_err(file_error(path))?;
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| no_pem(error.to_string()))?;
    if found.is_empty() { Err(no_pem("it has none".to_owned())) } else { Ok(found) }
}

/// TLS with the certificate chain and the key in these files.
///
/// # Errors
/// [`TlsError`].
pub fn from_files(chain: &Path, key: &Path, client_auth: Option<&ClientAuth>) -> Result<Arc<ServerConfig>, TlsError> {
    let private = PrivateKeyDer::from_pem_slice(&pem::read(key).map_err(file_error(key))?)
        .map_err(|error| TlsError::Pem { path: key.to_owned(), what: "private key", reason: error.to_string() })?;
    let builder = ServerConfig::builder();
    let builder = match client_auth {
        None => builder.with_no_client_auth(),
        Some(client_auth) => builder.with_client_cert_verifier(Arc::new(ClientNameVerifier::new(client_auth)?)),
    };
    let mut config = builder.with_single_cert(load_certificates(chain)?, private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// TLS with a certificate of the program's own, made on the first use; gives the file of the authority to be trusted.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(dir: &Path, client_auth: Option<&ClientAuth>) -> Result<(Arc<ServerConfig>, PathBuf), TlsError> {
    let [authority, chain, key] = TLS_FILES.map(|name| dir.join(name));
    if !(authority.exists() && chain.exists() && key.exists()) {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "xks-console of this data directory");
        let authority_key = KeyPair::generate()?;
        let authority_certificate = params.self_signed(&authority_key)?;
        // The authority's key is not kept: it signs this one certificate and no other.
        let issuer = Issuer::new(params, authority_key);
        let mut leaf = CertificateParams::new(CERTIFICATE_NAMES.map(str::to_owned))?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        let leaf_key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&leaf_key, &issuer)?;
        write(&key, leaf_key.serialize_pem().as_bytes())?;
        write(&chain, certificate.pem().as_bytes())?;
        write(&authority, authority_certificate.pem().as_bytes())?;
    }
    Ok((from_files(&chain, &key, client_auth)?, authority))
}

/// Writes a file that only its owner reads; a write that is cut off leaves the old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    replace(path, bytes).map_err(file_error(path))
}

/// Takes certificates of an authority that are for one name.
#[derive(Debug)]
struct ClientNameVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    name: ServerName<'static>,
}

impl ClientNameVerifier {
    fn new(client_auth: &ClientAuth) -> Result<Self, TlsError> {
        let wrong = |error: &dyn std::fmt::Display| TlsError::ClientCa(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in load_certificates(&client_auth.ca_certificates)? {
            roots.add(certificate)?;
        }
        let chain = WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(|error| wrong(&error))?;
        let name = ServerName::try_from(client_auth.client_name.clone()).map_err(|error| wrong(&error))?;
        Ok(Self { inner: chain, name })
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
        let made = self_signed(dir.path(), None).unwrap();
        let [authority, chain, key] = TLS_FILES.map(|name| dir.path().join(name));
        assert_eq!(made.1, authority);
        for path in [&authority, &chain, &key] {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, format!("\u{feff}{text}")).unwrap();
        }
        let client_auth =
            ClientAuth { ca_certificates: authority, client_name: "cks.kms.us-west-2.amazonaws.com".to_owned() };
        assert!(from_files(&chain, &key, Some(&client_auth)).is_ok());
        let error = from_files(&dir.path().join("none.pem"), &key, None).unwrap_err().to_string();
        assert!(error.ends_with("none.pem: No such file or directory (os error 2)"), "{error}");
    }
}
