//! The bundled KMS, with a module for each group of operations.

pub(super) mod aliases;
pub mod ciphertext;
mod create_key;
pub(super) mod cryptography;
mod data_keys;
mod dry_run;
pub(super) mod grants;
pub(super) mod key_policies;
pub(super) mod key_record;
pub(super) mod key_states;
pub(super) mod key_stores;
pub(super) mod keys;
pub(super) mod rotation;
pub(super) mod tagging_api;
pub(super) mod tags;
mod unsupported_operations;
pub(super) mod vpc_endpoint_service;
