//! VPC endpoint services, as far as external key stores need them.

use serde::{Deserialize, Serialize};

/// A VPC endpoint service in front of an external key store proxy. Only a scenario can create one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpointService {
    /// `com.amazonaws.vpce.<region>.vpce-svc-…`.
    pub name: String,
    /// The host of the proxy's URI endpoint.
    pub private_dns_name: String,
    /// The requirement that it doesn't meet, if any.
    #[serde(default)]
    pub problem: Option<String>,
}
