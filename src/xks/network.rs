//! External key store proxies on the network: other hosts than those of the bundled proxy, over TLS.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};
use http::{Request, StatusCode};

use super::failure::XksFailure;
use super::wire::MAX_BODY;

/// Sends what is for a host, at port 443, to another address, as curl's option of this name does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host that a proxy URI endpoint names.
    pub host: String,
    /// Where it really is.
    pub address: SocketAddr,
}

impl FromStr for ConnectTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, address) =
            text.split_once('=').ok_or("write HOST=ADDRESS:PORT, such as xks.example.com=127.0.0.1:8443")?;
        let address = address.parse().map_err(|_| format!("‘{address}’ is no ADDRESS:PORT, such as 127.0.0.1:8443"))?;
        let is_host =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if is_host { Ok(Self { host: host.to_owned(), address }) } else { Err(format!("‘{host}’ is no host name")) }
    }
}

/// How proxies on the network are reached. Nothing is loaded before the first is called.
#[derive(Debug, Default)]
pub struct Network {
    connect_to: Vec<ConnectTo>,
    authorities: Option<PathBuf>,
    client: OnceLock<Result<reqwest::Client, String>>,
}

impl Network {
    /// Proxies whose certificates are signed by an authority of this system, or by one in the file `authorities` (PEM).
    pub fn new(connect_to: Vec<ConnectTo>, authorities: Option<PathBuf>) -> Self {
        Self { connect_to, authorities, client: OnceLock::new() }
    }

    fn make(&self) -> Result<reqwest::Client, String> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .http1_only();
        for ConnectTo { host, address } in &self.connect_to {
            builder = builder.resolve(host, *address);
        }
        if let Some(path) = &self.authorities {
            let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().map_err(|error| error.to_string())
    }

    /// Reads what the network needs, so that what is wrong with it is told before anything is sent.
    ///
    /// # Errors
    /// A file that can't be read, or holds no certificates.
    pub fn check(&self) -> Result<(), String> {
        self.client.get_or_init(|| self.make()).as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Sends a signed request; gives status and body.
    ///
    /// # Errors
    /// [`XksFailure::Tls`] when the host can't prove who it is, [`XksFailure::Unreachable`] when it can't be reached,
    /// [`XksFailure::InvalidResponse`] when its answer is too long or not whole.
    pub async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), XksFailure> {
        let client = self.client.get_or_init(|| self.make()).as_ref().map_err(|_| XksFailure::Unreachable)?;
        let request = reqwest::Request::try_from(request).map_err(|_| XksFailure::Unreachable)?;
        let mut answer = client.execute(request).await.map_err(|error| failure_of(&error))?;
        let mut body = BytesMut::new();
        let broken = |_| XksFailure::InvalidResponse("the answer is not whole");
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(XksFailure::InvalidResponse("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((answer.status(), body.freeze()))
    }
}

fn failure_of(error: &reqwest::Error) -> XksFailure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<rustls::Error>() {
            return XksFailure::Tls;
        }
        // What an input or output error carries is not its source, but itself.
        let inside = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| this.source());
    }
    if error.is_connect() || error.is_builder() {
        XksFailure::Unreachable
    } else {
        XksFailure::InvalidResponse("the connection broke off")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_a_host_is_read_or_refused_with_the_reason() {
        let read = "xks.example.com=[::1]:8443".parse::<ConnectTo>().unwrap();
        assert_eq!((read.host.as_str(), read.address), ("xks.example.com", "[::1]:8443".parse().unwrap()));
        for (text, reason) in
            [("xks", "HOST=ADDRESS:PORT"), ("x=127.0.0.1", "no ADDRESS:PORT"), ("=127.0.0.1:1", "no host name")]
        {
            assert!(text.parse::<ConnectTo>().unwrap_err().contains(reason), "{text}");
        }
    }
}
