//! AWS requests, responses, and rules, shared by the client, the bundled AWS, and the forms.

pub mod active_proxy_faults;
pub mod arn;
pub mod cli_command;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod codec;
pub mod error;
mod excerpt;
#[cfg(test)]
mod forward_compatibility;
pub mod iam;
pub mod kms;
pub mod lenient;
pub mod limits;
pub mod member_list;
pub mod open_enum;
pub mod operation;
pub mod policy;
pub mod query_form;
pub mod quotas;
pub mod regions;
pub mod scalar;
pub mod shape;
pub mod sigv4;
pub mod sts;
pub mod tagging;
pub mod xks_console;
pub mod xml;
pub mod xray;
