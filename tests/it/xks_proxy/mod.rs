//! The served external key store proxy against the XKS Proxy API Specification 1.0.3, over HTTP and over TLS. Each check
//! names its requirement; many are faults that other proxies have.

mod api;
mod authentication;
mod callers;
pub mod client;
mod connections;
mod failures;
mod logging;
mod throttling;
