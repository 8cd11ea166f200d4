//! The endpoints of AWS services, and the Region that requests to them are signed for.

use http::Uri;

use crate::aws::arn::partition_of;
use crate::aws::operation::Service;

/// The endpoint settings: custom endpoints of single services, one for all services, and variants of the AWS endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The endpoint of all services that are not in `service_urls`.
    pub global_url: Option<String>,
    /// The endpoints of single services.
    pub service_urls: Vec<(Service, String)>,
    /// Whether to use the FIPS 140 endpoints of AWS.
    pub uses_fips: bool,
    /// Whether to use the dual-stack (IPv4 and IPv6) endpoints of AWS.
    pub uses_dual_stack: bool,
}

/// Why a URL can't be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// The URL is malformed.
    #[error("\"{0}\" is not a valid endpoint. Enter https://HOST, or http://127.0.0.1:PORT on this machine")]
    Malformed(String),
    /// The URL sends plain HTTP to another machine.
    #[error(
        "\"{0}\" uses plain HTTP to reach another machine, so others could read and change the requests. Use https"
    )]
    InsecureHttp(String),
    /// The URL contains a user name or password, which the message must not repeat.
    #[error(
        "the URL contains a user name or password. Requests are signed with AWS credentials instead. Remove everything \
         between // and the host"
    )]
    UserInfo,
    /// The URL contains a query or fragment, which the message must not repeat.
    #[error(
        "\"{0}\" is followed by a query or fragment, which an endpoint can't have. Remove the ? or # and everything \
         after it"
    )]
    Query(String),
}

/// A Region name that can't be part of a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a valid Region. Example: us-west-2")]
pub struct InvalidRegion(String);

/// Checks the name of a Region, and accepts the names of Regions that don't exist yet.
///
/// # Errors
/// [`InvalidRegion`] unless the name consists of lowercase letters, digits, and hyphens.
pub fn check_region(region: &str) -> Result<(), InvalidRegion> {
    let is_valid = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_valid && !region.is_empty() { Ok(()) } else { Err(InvalidRegion(region.to_owned())) }
}

/// Whether the host is this machine: a loopback address, or `localhost`.
pub fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// Returns the host and port of a URL for messages, without a user name or password.
pub(super) fn host_and_port(uri: &Uri) -> Option<&str> {
    uri.authority()?.as_str().rsplit('@').next()
}

/// Checks the URL of an endpoint, which must be `https`, or `http` on this machine.
///
/// # Errors
/// [`InvalidUrl`] says what is wrong with it.
pub fn check_url(url: &str) -> Result<(), InvalidUrl> {
    // Anywhere in the URL: a password may contain a / that isn't encoded.
    if url.contains('@') {
        return Err(InvalidUrl::UserInfo);
    }
    // Checked before parsing, which drops the fragment.
    if let Some((before, _)) = url.split_once(['?', '#']) {
        return Err(InvalidUrl::Query(before.to_owned()));
    }
    let uri: Option<Uri> = url.parse().ok();
    match uri {
        Some(uri) if uri.host().is_none_or(str::is_empty) => Err(InvalidUrl::Malformed(url.to_owned())),
        Some(uri) if uri.scheme_str() == Some("https") || uri.scheme_str() == Some("http") && is_loopback(&uri) => {
            Ok(())
        }
        Some(uri) if uri.scheme_str() == Some("http") => Err(InvalidUrl::InsecureHttp(url.to_owned())),
        _ => Err(InvalidUrl::Malformed(url.to_owned())),
    }
}

impl Endpoints {
    /// Creates settings with one endpoint for all services.
    pub fn from_url(url: &str) -> Self {
        Self { global_url: Some(url.to_owned()), ..Self::default() }
    }

    /// Returns the custom endpoint of a service, if it has one.
    pub fn custom_url(&self, service: Service) -> Option<&str> {
        let specific = self.service_urls.iter().find(|(other, _)| *other == service).map(|(_, url)| url);
        specific.or(self.global_url.as_ref()).map(String::as_str)
    }

    /// Returns the host and port of the custom endpoint of KMS, if it has one.
    pub fn kms_host(&self) -> Option<String> {
        let uri: Uri = self.custom_url(Service::Kms)?.parse().ok()?;
        host_and_port(&uri).map(str::to_owned)
    }

    /// Returns the URL of a service, and the Region that requests to it are signed for.
    pub(super) fn resolve<'a>(&self, service: Service, region: &'a str) -> (String, &'a str) {
        let signed_for = if service == Service::Iam { global_signing_region(region) } else { region };
        let url = match (self.custom_url(service), service) {
            (Some(url), _) => format!("{}/", url.trim_end_matches('/')),
            (None, Service::Iam) => format!("https://{}/", self.iam_host(region)),
            (None, Service::XksConsole) => "https://xks-console.bundled.internal/".to_owned(),
            (None, regional) => format!("https://{}/", self.regional_host(regional, region)),
        };
        (url, signed_for)
    }

    /// Returns the host of a Regional service. Source: the endpoint rule sets of KMS, STS, CloudTrail, and CloudWatch.
    fn regional_host(&self, service: Service, region: &str) -> String {
        let name = service.signing_name();
        // In GovCloud, the regular hosts of these services are their FIPS hosts.
        let is_always_fips = partition_of(region) == "aws-us-gov"
            && match service {
                Service::Sts | Service::CloudTrail => !self.uses_dual_stack,
                service => service == Service::CloudWatch,
            };
        let fips = if self.uses_fips && !is_always_fips { "-fips" } else { "" };
        format!("{name}{fips}.{region}.{}", self.dns_suffix(region))
    }

    /// Returns the host of IAM, which is one per partition. Source: the endpoint rule set of IAM.
    fn iam_host(&self, region: &str) -> String {
        let fips = if self.uses_fips { "-fips" } else { "" };
        let suffix = self.dns_suffix(region);
        match (partition_of(region), self.uses_dual_stack) {
            ("aws-us-gov", _) => format!("iam.us-gov.{suffix}"),
            ("aws-cn", false) if !self.uses_fips => format!("iam.cn-north-1.{suffix}"),
            ("aws-cn", _) if self.uses_fips => format!("iam-fips.{suffix}"),
            (_, true) => format!("iam{fips}.global.{suffix}"),
            (_, false) => format!("iam{fips}.{suffix}"),
        }
    }

    fn dns_suffix(&self, region: &str) -> &'static str {
        match (partition_of(region), self.uses_dual_stack) {
            ("aws-cn", false) => "amazonaws.com.cn",
            ("aws-cn", true) => "api.amazonwebservices.com.cn",
            (_, false) => "amazonaws.com",
            (_, true) => "api.aws",
        }
    }
}

/// Returns the Region that requests to global services are signed for.
fn global_signing_region(region: &str) -> &'static str {
    match partition_of(region) {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hosts that botocore derives from the rule sets.
    ///
    /// The columns are the Region, FIPS, dual-stack, and the hosts of KMS, IAM, STS, CloudTrail, and CloudWatch.
    const HOSTS: &str = "
        us-west-2      - -  kms.us-west-2.amazonaws.com iam.amazonaws.com sts.us-west-2.amazonaws.com cloudtrail.us-west-2.amazonaws.com monitoring.us-west-2.amazonaws.com
        us-west-2      - d  kms.us-west-2.api.aws iam.global.api.aws sts.us-west-2.api.aws cloudtrail.us-west-2.api.aws monitoring.us-west-2.api.aws
        us-west-2      f -  kms-fips.us-west-2.amazonaws.com iam-fips.amazonaws.com sts-fips.us-west-2.amazonaws.com cloudtrail-fips.us-west-2.amazonaws.com monitoring-fips.us-west-2.amazonaws.com
        us-west-2      f d  kms-fips.us-west-2.api.aws iam-fips.global.api.aws sts-fips.us-west-2.api.aws cloudtrail-fips.us-west-2.api.aws monitoring-fips.us-west-2.api.aws
        cn-northwest-1 - -  kms.cn-northwest-1.amazonaws.com.cn iam.cn-north-1.amazonaws.com.cn sts.cn-northwest-1.amazonaws.com.cn cloudtrail.cn-northwest-1.amazonaws.com.cn monitoring.cn-northwest-1.amazonaws.com.cn
        cn-north-1     - d  kms.cn-north-1.api.amazonwebservices.com.cn iam.global.api.amazonwebservices.com.cn sts.cn-north-1.api.amazonwebservices.com.cn cloudtrail.cn-north-1.api.amazonwebservices.com.cn monitoring.cn-north-1.api.amazonwebservices.com.cn
        us-gov-east-1  - -  kms.us-gov-east-1.amazonaws.com iam.us-gov.amazonaws.com sts.us-gov-east-1.amazonaws.com cloudtrail.us-gov-east-1.amazonaws.com monitoring.us-gov-east-1.amazonaws.com
        us-gov-west-1  - d  kms.us-gov-west-1.api.aws iam.us-gov.api.aws sts.us-gov-west-1.api.aws cloudtrail.us-gov-west-1.api.aws monitoring.us-gov-west-1.api.aws
        us-gov-west-1  f -  kms-fips.us-gov-west-1.amazonaws.com iam.us-gov.amazonaws.com sts.us-gov-west-1.amazonaws.com cloudtrail.us-gov-west-1.amazonaws.com monitoring.us-gov-west-1.amazonaws.com
        us-gov-west-1  f d  kms-fips.us-gov-west-1.api.aws iam.us-gov.api.aws sts-fips.us-gov-west-1.api.aws cloudtrail-fips.us-gov-west-1.api.aws monitoring.us-gov-west-1.api.aws
    ";

    #[test]
    fn hosts_match_the_endpoint_rule_sets() {
        for line in HOSTS.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let endpoints =
                Endpoints { uses_fips: words[1] == "f", uses_dual_stack: words[2] == "d", ..Endpoints::default() };
            let services = [Service::Kms, Service::Iam, Service::Sts, Service::CloudTrail, Service::CloudWatch];
            let resolved = services.map(|service| endpoints.resolve(service, words[0]).0);
            let expected: Vec<String> = words[3..].iter().map(|host| format!("https://{host}/")).collect();
            assert_eq!(resolved.as_slice(), expected, "{line}");
        }
    }

    #[test]
    fn iam_requests_are_signed_for_the_partition_region() {
        let signed_for = |region| Endpoints::default().resolve(Service::Iam, region).1;
        assert_eq!(
            ["eu-west-1", "cn-northwest-1", "us-gov-east-1"].map(signed_for),
            ["us-east-1", "cn-north-1", "us-gov-west-1"]
        );
        assert_eq!(Endpoints::default().resolve(Service::Kms, "cn-northwest-1").1, "cn-northwest-1");
    }

    #[test]
    fn service_endpoint_overrides_global_endpoint() {
        let endpoints = Endpoints {
            service_urls: vec![(Service::Kms, "https://kms.example.com:8443".to_owned())],
            uses_fips: true,
            ..Endpoints::from_url("http://127.0.0.1:4599/")
        };
        assert_eq!(endpoints.resolve(Service::Kms, "us-west-2").0, "https://kms.example.com:8443/");
        assert_eq!(endpoints.resolve(Service::XksConsole, "us-west-2").0, "http://127.0.0.1:4599/");
        assert_eq!(endpoints.kms_host().as_deref(), Some("kms.example.com:8443"));
    }

    #[test]
    fn http_endpoint_must_be_loopback() {
        for url in ["https://kms.example.com", "http://127.0.0.1:1", "http://[::1]:1/", "http://localhost:4599"] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in ["http://10.0.0.1:4599", "http://kms.example.com", "http://127.0.0.1.example.com"] {
            assert_eq!(check_url(url), Err(InvalidUrl::InsecureHttp(url.to_owned())));
        }
        for url in ["", "127.0.0.1:4599", "kms.example.com", "ftp://x", "file:///etc"] {
            assert_eq!(check_url(url), Err(InvalidUrl::Malformed(url.to_owned())));
        }
    }

    #[test]
    fn endpoint_with_password_or_query_is_rejected_without_repeating_it() {
        for url in ["https://ada:hunter2@x", "http://hunter2@127.0.0.1:1/", "ada:hunter2@x", "https://ada:hunter2/@x?y"]
        {
            let error = check_url(url).unwrap_err();
            assert_eq!(error, InvalidUrl::UserInfo, "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        for url in ["https://x/?hunter2", "https://x/#hunter2", "x?hunter2"] {
            let error = check_url(url).unwrap_err();
            assert!(matches!(error, InvalidUrl::Query(_)), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let uri: Uri = "https://ada:hunter2@kms.example.com:8443/".parse().unwrap();
        assert_eq!(host_and_port(&uri), Some("kms.example.com:8443"));
    }
}
