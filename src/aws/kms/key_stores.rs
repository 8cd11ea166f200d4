//! Custom key store operations: create, describe, connect, disconnect, update, and delete.

use serde::{Deserialize, Serialize};

use crate::aws::open_enum::open_enum;
use crate::aws::scalar::{EpochSeconds, SecretString};

/// A `DescribeCustomKeyStores` request for all custom key stores, or for one by its ID or name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStores {
    /// Returns only the key store with this ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Returns only the key store with this name. Can't be combined with the ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_name: Option<String>,
    /// The maximum number of key stores per page: 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of DescribeCustomKeyStores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStoresOutput {
    /// The key stores.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub custom_key_stores: Vec<CustomKeyStore>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// A custom key store (`CustomKeyStoresListEntry`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomKeyStore {
    /// The key store ID: `cks-` and 17 hexadecimal digits.
    pub custom_key_store_id: String,
    /// The name, which is unique in the account and Region.
    pub custom_key_store_name: String,
    /// The connection state of the key store.
    pub connection_state: ConnectionState,
    /// The reason for the last connection failure. Present only when the connection state is `FAILED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_error_code: Option<String>,
    /// The date and time that the key store was created.
    pub creation_date: EpochSeconds,
    /// The type of the key store.
    pub custom_key_store_type: CustomKeyStoreType,
    /// The configuration of the external key store proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xks_proxy_configuration: Option<XksProxyConfiguration>,
    /// The members that this version couldn't read. Not part of the API.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

open_enum! {
    /// The type of a custom key store (`CustomKeyStoreType`).
    pub enum CustomKeyStoreType {
        /// Backed by an AWS CloudHSM cluster.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// Backed by an external key manager behind an external key store proxy.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

impl CustomKeyStoreType {
    /// Returns the console's label. For an unknown value, returns the value.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AwsCloudHsm => "AWS CloudHSM key store",
            Self::ExternalKeyStore => "External key store",
            Self::Other(text) => text,
        }
    }
}

open_enum! {
    /// The connection state of a custom key store (`ConnectionStateType`).
    #[allow(missing_docs)]
    pub enum ConnectionState {
        Connected = "CONNECTED",
        Connecting = "CONNECTING",
        Failed = "FAILED",
        Disconnected = "DISCONNECTED",
        Disconnecting = "DISCONNECTING",
    }
}

impl ConnectionState {
    /// Returns the console's label. For an unknown value, returns the value.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Connecting => "Connecting",
            Self::Failed => "Failed",
            Self::Disconnected => "Disconnected",
            Self::Disconnecting => "Disconnecting",
            Self::Other(text) => text,
        }
    }

    /// Whether the state changes to another one without a further request.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Connecting | Self::Disconnecting)
    }
}

open_enum! {
    /// How KMS communicates with the external key store proxy (`XksProxyConnectivityType`).
    pub enum XksProxyConnectivity {
        /// Over the public internet.
        PublicEndpoint = "PUBLIC_ENDPOINT",
        /// Through an Amazon VPC endpoint service.
        VpcEndpointService = "VPC_ENDPOINT_SERVICE",
    }
}

impl XksProxyConnectivity {
    /// Returns the console's label. For an unknown value, returns the value.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PublicEndpoint => "Public endpoint",
            Self::VpcEndpointService => "VPC endpoint service",
            Self::Other(text) => text,
        }
    }
}

/// The configuration of an external key store proxy. It never includes the secret access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyConfiguration {
    /// The connectivity of the proxy.
    pub connectivity: XksProxyConnectivity,
    /// The access key ID of the proxy authentication credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The URI endpoint: `https://` and a host name, without a port.
    pub uri_endpoint: String,
    /// The URI path: `[/prefix]/kms/xks/v1`.
    pub uri_path: String,
    /// The Amazon VPC endpoint service. Present only with VPC endpoint service connectivity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_name: Option<String>,
    /// The account that owns the VPC endpoint service, if it is another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_owner: Option<String>,
}

/// A `ConnectCustomKeyStore` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectCustomKeyStore {
    /// The key store ID.
    pub custom_key_store_id: String,
}

/// A `DisconnectCustomKeyStore` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisconnectCustomKeyStore {
    /// The key store ID.
    pub custom_key_store_id: String,
}

/// The credential that KMS signs its requests to the proxy with (`XksProxyAuthenticationCredentialType`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyAuthenticationCredential {
    /// The access key ID: 20 to 30 characters of `A-Z2-7`.
    pub access_key_id: String,
    /// The secret access key: 43 to 64 characters of `a-zA-Z0-9/+=`.
    pub raw_secret_access_key: SecretString,
}

/// A `CreateCustomKeyStore` request for an external key store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStore {
    /// The name: 1 to 256 characters, unique in the account and Region.
    pub custom_key_store_name: String,
    /// The type of the key store. The default is `AWS_CLOUDHSM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_type: Option<CustomKeyStoreType>,
    /// The CloudHSM cluster, for a CloudHSM key store only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// The URI endpoint: `https://` and a host name, without a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_endpoint: Option<String>,
    /// The URI path: `[/prefix]/kms/xks/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_path: Option<String>,
    /// The Amazon VPC endpoint service, for VPC endpoint service connectivity only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// The account that owns the VPC endpoint service, if it is another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// The credential that KMS signs its requests to the proxy with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_authentication_credential: Option<XksProxyAuthenticationCredential>,
    /// The connectivity of the proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_connectivity: Option<XksProxyConnectivity>,
}

/// A `CreateCustomKeyStore` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStoreOutput {
    /// The key store ID: `cks-` and 17 hexadecimal digits.
    pub custom_key_store_id: String,
}

/// An `UpdateCustomKeyStore` request. `None` doesn't change a property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCustomKeyStore {
    /// The key store ID.
    pub custom_key_store_id: String,
    /// The new name: 1 to 256 characters, unique in the account and Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_custom_key_store_name: Option<String>,
    /// The URI endpoint: `https://` and a host name, without a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_endpoint: Option<String>,
    /// The URI path: `[/prefix]/kms/xks/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_path: Option<String>,
    /// The Amazon VPC endpoint service, for VPC endpoint service connectivity only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// The account that owns the VPC endpoint service, if it is another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// The credential that KMS signs its requests with. Both parts are required, even to change only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_authentication_credential: Option<XksProxyAuthenticationCredential>,
    /// The connectivity of the proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_connectivity: Option<XksProxyConnectivity>,
}

/// A `DeleteCustomKeyStore` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCustomKeyStore {
    /// The key store ID.
    pub custom_key_store_id: String,
}
