//! What the radio buttons of *Configure key* offer, and what they only show.

use super::field::Field;
use crate::aws::kms::Origin;

/// One radio button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RadioOption {
    /// Its words.
    pub label: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Why it can't be chosen here, if it can't.
    pub unavailable_reason: Option<&'static str>,
}

const fn available(label: &'static str, meaning: &'static str) -> RadioOption {
    RadioOption { label, description: meaning, unavailable_reason: None }
}

const fn unavailable(label: &'static str, meaning: &'static str, why: &'static str) -> RadioOption {
    RadioOption { label, description: meaning, unavailable_reason: Some(why) }
}

const KEY_TYPES: [RadioOption; 2] = [
    available("Symmetric", "A single key used for encrypting and decrypting data."),
    unavailable(
        "Asymmetric",
        "A public and private key pair used for encrypting and decrypting data, signing and verifying messages, or \
         deriving shared secrets.",
        "A custom key store can't hold asymmetric keys, and this console makes keys for external key stores.",
    ),
];

const KEY_USAGES: [RadioOption; 2] = [
    available("Encrypt and decrypt", "Use the key only to encrypt and decrypt data."),
    unavailable(
        "Generate and verify MAC",
        "Use the key only to generate and verify hash-based message authentication codes (HMAC).",
        "A custom key store can't hold HMAC keys, and this console makes keys for external key stores.",
    ),
];

const ORIGINS: [RadioOption; 4] = [
    available("KMS", "AWS KMS makes the key material and keeps it."),
    unavailable(
        "External (Import Key material)",
        "You make the key material and import it.",
        "Imported key material can't be used in a custom key store. Use the AWS console or the AWS CLI for such keys.",
    ),
    unavailable(
        "AWS CloudHSM key store",
        "The key material lives in your AWS CloudHSM cluster.",
        "This console is about external key stores. Use the AWS console or the AWS CLI for CloudHSM key stores.",
    ),
    available("External key store", "The key material lives in an external key manager outside of AWS."),
];

/// The radio buttons of a field; none for fields of another kind.
pub const fn radio_options(field: Field) -> &'static [RadioOption] {
    match field {
        Field::KeyType => &KEY_TYPES,
        Field::KeyUsage => &KEY_USAGES,
        Field::Origin => &ORIGINS,
        _ => &[],
    }
}

/// Why an origin can't be chosen here, if it can't.
pub fn unavailable_reason(origin: Origin) -> Option<&'static str> {
    ORIGINS.get(selected_index(Field::Origin, origin))?.unavailable_reason
}

/// Which radio button of a field is on.
pub fn selected_index(field: Field, origin: Origin) -> usize {
    match field {
        Field::Origin => Origin::ALL.iter().position(|one| *one == origin).unwrap_or(0),
        _ => 0,
    }
}
