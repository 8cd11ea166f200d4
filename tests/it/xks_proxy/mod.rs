//! Tests of the served external key store proxy against the XKS Proxy API Specification 1.0.3, over HTTP and TLS. Each
//! assertion names its requirement. Other proxies are known to violate many of them.

mod api;
mod authentication;
mod callers;
pub mod client;
mod connections;
mod failures;
mod logging;
mod throttling;
