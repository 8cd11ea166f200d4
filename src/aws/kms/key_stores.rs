//! Custom key stores: create, describe, connect, disconnect, update, delete.

use serde::{Deserialize, Serialize};

use crate::aws::open_enum::open_enum;
use crate::aws::scalar::{EpochSeconds, SecretString};

/// The request of DescribeCustomKeyStores: all, or one by ID or by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStores {
    /// Only this store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Only the store of this name; not together with the ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_name: Option<String>,
    /// 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of DescribeCustomKeyStores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCustomKeyStoresOutput {
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub custom_key_stores: Vec<CustomKeyStore>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}

/// A custom key store (`CustomKeyStoresListEntry`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CustomKeyStore {
    /// `cks-` and 17 hexadecimal digits.
    pub custom_key_store_id: String,
    /// Unique in the account and Region.
    pub custom_key_store_name: String,
    /// Whether it can be used now.
    pub connection_state: ConnectionState,
    /// Why the last connecting failed; present only in the state Failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_error_code: Option<String>,
    /// When it was made.
    pub creation_date: EpochSeconds,
    /// CloudHSM or external.
    pub custom_key_store_type: CustomKeyStoreType,
    /// How KMS reaches the external key store proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xks_proxy_configuration: Option<XksProxyConfiguration>,
    /// What of it this version can't read; the API has no such member.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

open_enum! {
    /// `CustomKeyStoreType`.
    pub enum CustomKeyStoreType {
        /// Backed by an AWS CloudHSM cluster.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// Backed by an external key manager behind a proxy.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

impl CustomKeyStoreType {
    /// The console's word; of a value that is not known, AWS's own.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AwsCloudHsm => "AWS CloudHSM key store",
            Self::ExternalKeyStore => "External key store",
            Self::Other(text) => text,
        }
    }
}

open_enum! {
    /// `ConnectionState`.
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
    /// The console's word; of a value that is not known, AWS's own.
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

    /// Whether the state goes over into another by itself.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Connecting | Self::Disconnecting)
    }
}

open_enum! {
    /// `XksProxyConnectivityType`.
    pub enum XksProxyConnectivity {
        /// Over the internet.
        PublicEndpoint = "PUBLIC_ENDPOINT",
        /// Through an Amazon VPC endpoint service.
        VpcEndpointService = "VPC_ENDPOINT_SERVICE",
    }
}

impl XksProxyConnectivity {
    /// The console's word; of a value that is not known, AWS's own.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PublicEndpoint => "Public endpoint",
            Self::VpcEndpointService => "VPC endpoint service",
            Self::Other(text) => text,
        }
    }
}

/// How KMS reaches the proxy; the secret access key is never told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyConfiguration {
    /// Public, or through a VPC endpoint service.
    pub connectivity: XksProxyConnectivity,
    /// The ID of the proxy credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// `https://host`, no port.
    pub uri_endpoint: String,
    /// `[/prefix]/kms/xks/v1`.
    pub uri_path: String,
    /// Only for VPC connectivity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_name: Option<String>,
    /// The owner of that service when it is another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint_service_owner: Option<String>,
}

/// The request of ConnectCustomKeyStore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectCustomKeyStore {
    /// The store.
    pub custom_key_store_id: String,
}

/// The request of DisconnectCustomKeyStore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisconnectCustomKeyStore {
    /// The store.
    pub custom_key_store_id: String,
}

/// What KMS signs its requests to the proxy with (`XksProxyAuthenticationCredentialType`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksProxyAuthenticationCredential {
    /// 20 to 30 of `A-Z2-7`.
    pub access_key_id: String,
    /// 43 to 64 of `a-zA-Z0-9/+=`.
    pub raw_secret_access_key: SecretString,
}

/// The request of CreateCustomKeyStore, for an external key store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStore {
    /// 1 to 256 characters, unique in the account and Region.
    pub custom_key_store_name: String,
    /// `AWS_CLOUDHSM` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_type: Option<CustomKeyStoreType>,
    /// Only for a CloudHSM key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// `https://host`, no port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_endpoint: Option<String>,
    /// `[/prefix]/kms/xks/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_path: Option<String>,
    /// Only for VPC connectivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// The owner of that service when it is another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// What the proxy knows KMS by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_authentication_credential: Option<XksProxyAuthenticationCredential>,
    /// Public, or through a VPC endpoint service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_connectivity: Option<XksProxyConnectivity>,
}

/// What CreateCustomKeyStore answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateCustomKeyStoreOutput {
    /// `cks-` and 17 hexadecimal digits.
    pub custom_key_store_id: String,
}

/// The request of UpdateCustomKeyStore. `None` leaves a property as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateCustomKeyStore {
    /// The store.
    pub custom_key_store_id: String,
    /// 1 to 256 characters, unique in the account and Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_custom_key_store_name: Option<String>,
    /// `https://host`, no port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_endpoint: Option<String>,
    /// `[/prefix]/kms/xks/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_uri_path: Option<String>,
    /// Only for VPC connectivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_name: Option<String>,
    /// The owner of that service when it is another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_vpc_endpoint_service_owner: Option<String>,
    /// Both parts, also when only one changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_authentication_credential: Option<XksProxyAuthenticationCredential>,
    /// Public, or through a VPC endpoint service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_proxy_connectivity: Option<XksProxyConnectivity>,
}

/// The request of DeleteCustomKeyStore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCustomKeyStore {
    /// The store.
    pub custom_key_store_id: String,
}
