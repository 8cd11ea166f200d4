//! What the radio buttons of *Configure key* offer, and what they only show.

use super::field::Field;
use crate::aws::kms::Origin;

/// One radio button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its words.
    pub label: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Why it can't be chosen here, if it can't.
    pub not_here: Option<&'static str>,
}

const fn choice(label: &'static str, meaning: &'static str) -> Choice {
    Choice { label, meaning, not_here: None }
}

const fn shown(label: &'static str, meaning: &'static str, why: &'static str) -> Choice {
    Choice { label, meaning, not_here: Some(why) }
}

const KEY_TYPES: [Choice; 2] = [
    choice("Symmetric", "A single key used for encrypting and decrypting data."),
    shown(
        "Asymmetric",
        "A public and private key pair used for encrypting and decrypting data, signing and verifying messages, or \
         deriving shared secrets.",
        "A custom key store can't hold asymmetric keys, and this console makes keys for external key stores.",
    ),
];

const KEY_USAGES: [Choice; 2] = [
    choice("Encrypt and decrypt", "Use the key only to encrypt and decrypt data."),
    shown(
        "Generate and verify MAC",
        "Use the key only to generate and verify hash-based message authentication codes (HMAC).",
        "A custom key store can't hold HMAC keys, and this console makes keys for external key stores.",
    ),
];

const ORIGINS: [Choice; 4] = [
    choice("KMS", "AWS KMS makes the key material and keeps it."),
    shown(
        "External (Import Key material)",
        "You make the key material and import it.",
        "Imported key material can't be used in a custom key store. Use the AWS console or the AWS CLI for such keys.",
    ),
    shown(
        "AWS CloudHSM key store",
        "The key material lives in your AWS CloudHSM cluster.",
        "This console is about external key stores. Use the AWS console or the AWS CLI for CloudHSM key stores.",
    ),
    choice("External key store", "The key material lives in an external key manager outside of AWS."),
];

/// The radio buttons of a field; none for fields of another kind.
pub const fn choices(field: Field) -> &'static [Choice] {
    match field {
        Field::KeyType => &KEY_TYPES,
        Field::KeyUsage => &KEY_USAGES,
        Field::Origin => &ORIGINS,
        _ => &[],
    }
}

/// Why an origin can't be chosen here, if it can't.
pub fn not_here(origin: Origin) -> Option<&'static str> {
    ORIGINS.get(chosen(Field::Origin, origin))?.not_here
}

/// Which radio button of a field is on.
pub fn chosen(field: Field, origin: Origin) -> usize {
    match field {
        Field::Origin => Origin::ALL.iter().position(|one| *one == origin).unwrap_or(0),
        _ => 0,
    }
}
