//! The External Key Store Proxy API, version 1: the KMS client, the proxy, and the external key manager behind it.

pub mod client;
pub mod failure;
pub mod faults;
pub mod key_manager;
pub mod log;
pub mod metrics;
pub mod network;
pub mod proxy;
pub mod quota;
pub mod wire;
