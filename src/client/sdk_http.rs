//! The HTTP client for the AWS SDK crates, which sends requests through [`Https`].

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use http::Uri;

use super::endpoints::is_loopback;
use super::transport::{CALL_TIMEOUT, Https};

/// The client of the credential chain.
///
/// It calls STS, IAM Identity Center, and the metadata services of EC2, ECS, and EKS.
#[derive(Clone, Debug)]
pub struct SdkHttpClient(pub Https);

/// A connector with the timeouts of one SDK client.
#[derive(Clone, Debug)]
struct SdkHttpConnector {
    https: Https,
    timeout: Duration,
}

impl HttpClient for SdkHttpClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let time = settings.read_timeout().map(|read| read + settings.connect_timeout().unwrap_or_default());
        SharedHttpConnector::new(SdkHttpConnector { https: self.0.clone(), timeout: time.unwrap_or(CALL_TIMEOUT) })
    }
}

impl HttpConnector for SdkHttpConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.send(request).await })
    }
}

impl SdkHttpConnector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let invalid_request = |reason: &str| ConnectorError::user(reason.into());
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let body = body
            .bytes()
            .map(Bytes::copy_from_slice)
            .ok_or_else(|| invalid_request("the request body is not in memory"))?;
        if head.uri.scheme_str() != Some("https") && !is_local_or_metadata(&head.uri) {
            let host = head.uri.host().unwrap_or_default();
            return Err(invalid_request(&format!(
                "credentials are requested from other machines over HTTPS only, so nothing was sent to http://{host}"
            )));
        }
        match self.https.send_with_timeout(http::Request::from_parts(head, body), self.timeout).await {
            Ok(response) => HttpResponse::try_from(response.map(Into::into))
                .map_err(|error| ConnectorError::other(error.into(), None)),
            Err(error) => Err(ConnectorError::io(error.into())),
        }
    }
}

/// Whether a request stays on this machine or goes to a metadata service of EC2, ECS, or EKS, which don't support TLS.
fn is_local_or_metadata(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    is_loopback(uri)
        || match host.parse() {
            Ok(IpAddr::V4(address)) => address.is_link_local(),
            Ok(IpAddr::V6(address)) => METADATA_ADDRESSES.contains(&address),
            Err(_) => false,
        }
}

/// The IPv6 addresses of the metadata services of EC2 and EKS. Source: *Use the instance metadata service*; *EKS Pod
/// Identity*.
const METADATA_ADDRESSES: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_limited_to_loopback_and_metadata_services() {
        let is_allowed = |uri: &str| is_local_or_metadata(&uri.parse().unwrap());
        for uri in
            ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[fd00:ec2::23]/v1", "http://localhost"]
        {
            assert!(is_allowed(uri), "{uri}");
        }
        for uri in ["http://10.0.0.1/", "http://sts.amazonaws.com/", "http://[fd00::1]/"] {
            assert!(!is_allowed(uri), "{uri}");
        }
    }
}
