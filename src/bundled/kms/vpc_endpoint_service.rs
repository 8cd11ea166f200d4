//! VPC endpoint services, as far as an external key store needs them.

use serde::{Deserialize, Serialize};

/// A VPC endpoint service in front of an external key store proxy. The scenario makes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpointService {
    /// `com.amazonaws.vpce.<region>.vpce-svc-…`.
    pub name: String,
    /// The host of the proxy's URI endpoint.
    pub private_dns_name: String,
    /// Which requirement it does not meet, if one.
    #[serde(default)]
    pub problem: Option<String>,
}
