//! What the bundled AWS tells of itself and no AWS API carries. Real AWS answers *not available*.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Service, operations};

operations! { Service::XksConsole;
    DescribeExternalKey => DescribeExternalKeyOutput, "DescribeExternalKey";
}

/// Asks for the external key of a KMS key, as its external key store proxy reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKey {
    /// The store whose proxy is asked.
    pub custom_key_store_id: String,
    /// The external key ID.
    pub xks_key_id: String,
}

/// What the proxy reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKeyOutput {
    /// `AES_256` ...
    pub key_spec: String,
    /// `ENCRYPT`, `DECRYPT` ...
    pub key_usage: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub key_status: String,
}
