//! Keys and key stores as JSON. Every member is always present; one without a value is `null`.

use serde_json::{Value, json};

use super::keys::{has_unreadable_date, key_type};
use crate::aws::kms::{CustomKeyStore, Tag};
use crate::aws::limits::ALIAS_PREFIX;
use crate::aws::xks_console::DescribeExternalKeyOutput;
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;

/// Returns a key, with the names and values of the AWS KMS API. The aliases are `null` if they couldn't be loaded.
pub fn key(key: &KeySummary, account: &AccountState) -> Value {
    let aliases: Option<Vec<String>> = account
        .aliases
        .ready()
        .map(|_| account.aliases_of(key.key_id()).iter().map(|name| format!("{ALIAS_PREFIX}{name}")).collect());
    let is_unreadable = has_unreadable_date(key.creation_date, key.problem.as_deref());
    let creation_date = (!is_unreadable).then_some(key.creation_date.0);
    let store = key.custom_key_store_id.as_deref().and_then(|id| account.key_store(id));
    json!({
        "keyId": key.key_id(),
        "arn": key.arn,
        "aliases": aliases,
        "description": key.description,
        "keyState": key.key_state.as_str(),
        "creationDate": creation_date,
        "deletionDate": key.deletion_date.map(|date| date.0),
        "keyManager": key.key_manager.as_str(),
        "keyType": key_type(key),
        "keySpec": key.key_spec,
        "keyUsage": key.key_usage,
        "multiRegion": key.is_multi_region,
        "origin": key.origin.as_str(),
        "customKeyStoreId": key.custom_key_store_id,
        "customKeyStoreName": store.map(|store| &store.custom_key_store_name),
        "xksKeyId": key.xks_key_id,
        "problem": key.problem,
    })
}

/// Returns a key store, with the names and values of the AWS KMS API.
pub fn key_store(store: &CustomKeyStore) -> Value {
    let proxy = store.xks_proxy_configuration.as_ref().map(|proxy| {
        json!({
            "connectivity": proxy.connectivity.as_str(),
            "accessKeyId": proxy.access_key_id,
            "uriEndpoint": proxy.uri_endpoint,
            "uriPath": proxy.uri_path,
            "vpcEndpointServiceName": proxy.vpc_endpoint_service_name,
            "vpcEndpointServiceOwner": proxy.vpc_endpoint_service_owner,
        })
    });
    json!({
        "customKeyStoreId": store.custom_key_store_id,
        "customKeyStoreName": store.custom_key_store_name,
        "customKeyStoreType": store.custom_key_store_type.as_str(),
        "connectionState": store.connection_state.as_str(),
        "connectionErrorCode": store.connection_error_code,
        "creationDate": store.creation_date.0,
        "xksProxyConfiguration": proxy,
        "problem": store.problem,
    })
}

/// Returns tags, with the names of the AWS KMS API.
pub fn tags(tags: &[Tag]) -> Value {
    tags.iter().map(|tag| json!({ "tagKey": tag.tag_key, "tagValue": tag.tag_value })).collect()
}

/// Returns the properties of an external key.
pub fn external_key(key: &DescribeExternalKeyOutput) -> Value {
    json!({ "keyStatus": key.key_status, "keyUsage": key.key_usage, "keySpec": key.key_spec })
}
