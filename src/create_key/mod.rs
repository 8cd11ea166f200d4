//! Creating a KMS key, independent of any user interface: the draft, its validation, the steps, and the requests.

pub mod account_state;
pub mod changed_keys;
pub mod configuration_options;
pub mod draft;
pub mod external_keys;
pub mod field;
pub mod key_options;
pub mod key_summary;
pub mod loaded_keys;
pub mod method;
pub mod outcome;
pub mod output;
pub mod permissions;
pub mod preview;
pub mod principals;
pub mod requests;
pub mod similar_key;
pub mod store_lookup;
pub mod submission;
pub mod validate;

#[cfg(test)]
pub(crate) mod testing;
