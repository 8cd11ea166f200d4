//! The radio buttons of the step *Configure key*, including those that are shown but unavailable.

use super::field::Field;
use crate::aws::kms::Origin;

/// The configuration that every KMS key in an external key store has.
pub const FIXED_CONFIGURATION: [(&str, &str); 5] = [
    ("Key type", "Symmetric"),
    ("Key usage", "Encrypt and decrypt"),
    ("Key spec", "SYMMETRIC_DEFAULT"),
    ("Key material origin", "External key store"),
    ("Regionality", "Single-Region key"),
];

/// A radio button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RadioOption {
    /// The label.
    pub label: &'static str,
    /// The description.
    pub description: &'static str,
    /// The reason why the option is unavailable, if it is.
    pub unavailable_reason: Option<&'static str>,
}

const fn available(label: &'static str, description: &'static str) -> RadioOption {
    RadioOption { label, description, unavailable_reason: None }
}

const fn unavailable(label: &'static str, description: &'static str, reason: &'static str) -> RadioOption {
    RadioOption { label, description, unavailable_reason: Some(reason) }
}

const KEY_TYPES: [RadioOption; 2] = [
    available("Symmetric", "A single key used for encrypting and decrypting data."),
    unavailable(
        "Asymmetric",
        "A public and private key pair used for encrypting and decrypting data, signing and verifying messages, or \
         deriving shared secrets.",
        "Custom key stores don't support asymmetric keys. Use the AWS Management Console or the AWS CLI for these keys.",
    ),
];

const KEY_USAGES: [RadioOption; 2] = [
    available("Encrypt and decrypt", "Use the key only to encrypt and decrypt data."),
    unavailable(
        "Generate and verify MAC",
        "Use the key only to generate and verify hash-based message authentication codes (HMAC).",
        "Custom key stores don't support HMAC keys. Use the AWS Management Console or the AWS CLI for these keys.",
    ),
];

const ORIGINS: [RadioOption; 4] = [
    available("KMS", "AWS KMS creates and manages the key material."),
    unavailable(
        "External (Import Key material)",
        "You create the key material and import it.",
        "Custom key stores don't support imported key material. Use the AWS Management Console or the AWS CLI for \
         these keys.",
    ),
    unavailable(
        "AWS CloudHSM key store",
        "The key material is in your AWS CloudHSM cluster.",
        "This console doesn't support AWS CloudHSM key stores. Use the AWS Management Console or the AWS CLI for these \
         keys.",
    ),
    available("External key store", "The key material is in an external key manager outside of AWS."),
];

/// Returns the radio buttons of a field, or an empty slice if the field has none.
pub const fn radio_options(field: Field) -> &'static [RadioOption] {
    match field {
        Field::KeyType => &KEY_TYPES,
        Field::KeyUsage => &KEY_USAGES,
        Field::Origin => &ORIGINS,
        _ => &[],
    }
}

/// Returns the reason why an origin is unavailable, or `None` if it is available.
pub fn unavailable_reason(origin: Origin) -> Option<&'static str> {
    ORIGINS.get(selected_index(Field::Origin, origin))?.unavailable_reason
}

/// Returns the index of the selected radio button of a field.
pub fn selected_index(field: Field, origin: Origin) -> usize {
    match field {
        Field::Origin => Origin::ALL.iter().position(|one| *one == origin).unwrap_or(0),
        _ => 0,
    }
}
