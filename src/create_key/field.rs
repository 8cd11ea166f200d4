//! The fields of the draft: what they are called, what may stand in them, and why.

use serde::{Deserialize, Serialize};

use super::method::{Method, Step};

/// Something the person can fill in, tick or choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Field {
    KeyType,
    KeyUsage,
    Origin,
    CustomKeyStore,
    ExternalKeyId,
    Acknowledgement,
    Alias,
    Description,
    TagKey(usize),
    TagValue(usize),
    AddTag,
    Administrators,
    AddAdministrator,
    AdministratorsMayDelete,
    Users,
    AddUser,
    OtherAccount(usize),
    AddOtherAccount,
    KeyPolicy,
}

impl Field {
    /// The step that has the field.
    pub fn step(self, method: &Method) -> Step {
        match self {
            Self::CustomKeyStore | Self::ExternalKeyId if *method == Method::FromCustomerManagedKeys => {
                Step::ChooseExternalKey
            }
            Self::KeyType
            | Self::KeyUsage
            | Self::Origin
            | Self::CustomKeyStore
            | Self::ExternalKeyId
            | Self::Acknowledgement => Step::ConfigureKey,
            Self::Alias | Self::Description => Step::AliasAndDescription,
            Self::TagKey(_) | Self::TagValue(_) | Self::AddTag => Step::Tags,
            Self::Administrators | Self::AddAdministrator | Self::AdministratorsMayDelete => Step::Administrators,
            Self::Users | Self::AddUser | Self::OtherAccount(_) | Self::AddOtherAccount => Step::Users,
            Self::KeyPolicy => Step::KeyPolicy,
        }
    }

    /// What it is called; for a checkbox, what one agrees to.
    pub const fn label(self) -> &'static str {
        match self {
            Self::KeyType => "Key type",
            Self::KeyUsage => "Key usage",
            Self::Origin => "Key material origin",
            Self::CustomKeyStore => "Custom key store",
            Self::ExternalKeyId => "External key ID",
            Self::Acknowledgement => {
                "I understand that a KMS key backed by an external key store could have degraded latency, durability, \
                 and availability because it depends on an external key manager managed outside of AWS."
            }
            Self::Alias => "Alias",
            Self::Description => "Description - optional",
            Self::TagKey(_) => "Tag key",
            Self::TagValue(_) => "Tag value - optional",
            Self::AddTag => "Add tag",
            Self::Administrators => "Key administrators",
            Self::AdministratorsMayDelete => "Allow key administrators to delete this key",
            Self::Users => "Key users",
            Self::AddAdministrator | Self::AddUser => "Add by ARN",
            Self::OtherAccount(_) => "AWS account ID",
            Self::AddOtherAccount => "Other AWS accounts",
            Self::KeyPolicy => "Key policy",
        }
    }

    /// One line on what may stand in it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::KeyType | Self::KeyUsage => "It can't be changed after the key is created.",
            Self::Origin => "Where the key material comes from. It can't be changed after the key is created.",
            Self::CustomKeyStore => "It must be connected; Enter on another connects it.",
            Self::ExternalKeyId => {
                "As its proxy knows the key: up to 128 of a-z, A-Z, 0-9, hyphen, underscore and dot."
            }
            Self::Acknowledgement => "Required. Space ticks it.",
            Self::Alias => "Required. Up to 250 of a-z, A-Z, 0-9, / (slash), _ (underscore) and - (hyphen).",
            Self::Description => "Up to 8,192 characters.",
            Self::TagKey(_) => "Up to 128 letters, digits, blanks and + - = . _ : / @, not starting with aws:",
            Self::TagValue(_) => "Up to 256 letters, digits, blanks and + - = . _ : / @",
            Self::AddTag => "Up to 50 tags.",
            Self::Administrators | Self::Users => "Space chooses, / searches, a chooses all that are shown.",
            Self::AddAdministrator | Self::AddUser => "An IAM user or role of this or another account. Enter adds it.",
            Self::AdministratorsMayDelete => "Clear it, and they may do everything but delete the key.",
            Self::OtherAccount(_) => "12 digits.",
            Self::AddOtherAccount => {
                "Whole accounts that may use the key. Their administrators must allow it by IAM policies too."
            }
            Self::KeyPolicy => "JSON, up to 32,768 bytes. Tab leaves the editor.",
        }
    }

    /// What a person should know before filling it in. Source: *Create a KMS key in external key stores*, AWS KMS
    /// Developer Guide.
    pub const fn help(self) -> &'static str {
        match self {
            Self::KeyType => {
                "Whether the KMS key is one secret key or a pair of a public and a private key.\n\nIn an external key \
                 store KMS keys must be symmetric encryption keys. Asymmetric keys, HMAC keys and keys with imported \
                 material can't be created in a custom key store, and a symmetric key there can't make asymmetric \
                 data key pairs."
            }
            Self::KeyUsage => {
                "What the KMS key is for. Encrypt and decrypt is chosen for you, and is the only usage that a key in an \
                 external key store can have. Don't change it."
            }
            Self::Origin => {
                "Where the key material comes from.\n\n• KMS: AWS KMS makes and keeps it. This is the usual choice.\n\
                 • External (Import Key material): you bring it. Not for a custom key store.\n• AWS CloudHSM key store: \
                 it lives in your CloudHSM cluster.\n• External key store: it lives in an external key manager outside \
                 of AWS. The key can be slower, less durable and less available, because it depends on parts outside \
                 of AWS. Make sure that you need it."
            }
            Self::CustomKeyStore => {
                "The external key store that the KMS key will live in.\n\nIt must be connected to its external key \
                 store proxy: AWS KMS asks the proxy about the external key when the KMS key is created, and for every \
                 encryption and decryption afterwards. A key in an external key store can be slower, less durable and \
                 less available than a standard KMS key, because it depends on parts outside of AWS. Make sure that \
                 you need one.\n\nThe store of a KMS key can't be changed after the key is created."
            }
            Self::ExternalKeyId => {
                "The ID of a key that exists in your external key manager. Creating a KMS key makes no external key.\n\n\
                 The external key must be:\n• a 256-bit AES key (key spec AES_256),\n• enabled,\n• allowed to ENCRYPT \
                 and to DECRYPT,\n• not in use by another KMS key in this external key store; better, used for this \
                 store alone,\n• within reach of the store's proxy, and able to serve the requests you expect: AWS KMS \
                 recommends 1,800 a second.\n\nIf the external key has several IDs, enter the one that the external \
                 key store proxy uses.\n\nThe ID can't be changed after the KMS key is created. AWS KMS names it to the \
                 proxy in each request for encryption and decryption; it can't reach the external key manager or its \
                 keys itself. Data is encrypted twice: first with key material of AWS KMS, then with this external key, \
                 so it is at least as strong as under AWS KMS alone. Losing either is final, and a new KMS key on the \
                 same external key can't decrypt what an older one encrypted.\n\nSome external key managers offer a \
                 simpler way to create such KMS keys: see their documentation."
            }
            Self::Acknowledgement => {
                "Confirm that you mean to create the KMS key in the external key store that is chosen.\n\nAWS KMS \
                 can't see or repair the external key manager. When it or its proxy can't be reached, the KMS key \
                 can't be used; when the external key is lost, everything encrypted under the KMS key is lost."
            }
            Self::Alias => {
                "A friendly name for the KMS key, unique in this account and Region. The console adds the prefix \
                 alias/ itself.\n\nAliases can be moved to another key, added and deleted at any time. Names that \
                 begin with aws/ are reserved for AWS managed keys.\n\nWrite nothing confidential: aliases may appear \
                 in plain text in CloudTrail logs and other output."
            }
            Self::Description => {
                "What the key is for. It can be changed at any time.\n\nWrite nothing confidential: descriptions may \
                 appear in plain text in CloudTrail logs and other output."
            }
            Self::TagKey(_) | Self::TagValue(_) | Self::AddTag => {
                "Tags identify and sort your keys. AWS makes a cost allocation report with usage and costs by tag, and \
                 tags can control access to KMS keys (ABAC).\n\nKeys and values have case; a key can stand only once. \
                 Write nothing confidential: tags may appear in plain text in CloudTrail logs and other output."
            }
            Self::Administrators => {
                "Who may manage the KMS key: change its policy, tags, aliases and state, but not use it.\n\nIAM \
                 policies can give other users and roles permission as well. AWS advises against IAM users with \
                 long-term credentials; wherever possible choose roles, which have temporary ones."
            }
            Self::AdministratorsMayDelete => {
                "Clear this, and the key administrators can't schedule the key's deletion.\n\nDeleting a KMS key is \
                 destructive and can't be undone: what it encrypted can never be decrypted again. A KMS key in an \
                 external key store can't be made again, even with the same external key. The external key itself is \
                 not touched."
            }
            Self::Users => {
                "Who in this account may use the KMS key to encrypt, decrypt and make data keys.\n\nIAM policies can \
                 give other users and roles permission as well. AWS advises against IAM users with long-term \
                 credentials; wherever possible choose roles, which have temporary ones."
            }
            Self::AddAdministrator | Self::AddUser => {
                "The ARN of an IAM user or role, for when the list does not have it: you may not list them, they are many, \
                 or it is of another account. A role's ARN has its path: arn:aws:iam::111122223333:role/team/Name.\n\n\
                 It must exist: AWS KMS refuses a key policy that names a principal which does not. In the list it is \
                 marked as typed; Space there takes it out again.\n\nA session of a role, a group or a wildcard can't \
                 be named. The administrators of another account must allow it by IAM policies, too."
            }
            Self::OtherAccount(_) | Self::AddOtherAccount => {
                "Another AWS account that may use this KMS key for cryptographic operations: its ID of 12 digits. Add \
                 one row for each account.\n\nThe administrators of the other account must also allow it, by IAM \
                 policies for their users and roles."
            }
            Self::KeyPolicy => {
                "The key policy decides who may do what with the KMS key. It is made from your choices; editing it \
                 makes it your own, and later choices no longer change it until you go back to the generated one.\n\n\
                 It must let you change it again, name only principals that exist, and be at most 32,768 bytes. \
                 Changing the Sids of the generated statements may keep the console from showing administrators and \
                 users."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_help_contains_every_warning_of_the_developer_guide() {
        let words = |field: Field| field.help().replace('\n', " ");
        for (field, parts) in [
            (Field::KeyType, &["must be symmetric encryption", "HMAC", "imported", "data key pairs"][..]),
            (Field::KeyUsage, &["is chosen for you", "Don't change it"]),
            (Field::Origin, &["slower, less durable and less available", "Make sure that you need it"]),
            (Field::CustomKeyStore, &["must be connected", "slower, less durable and less", "can't be changed"]),
            (
                Field::ExternalKeyId,
                &[
                    "makes no external key",
                    "AES_256",
                    "enabled",
                    "ENCRYPT",
                    "DECRYPT",
                    "not in use by another KMS key",
                    "alone",
                    "within reach of the store's proxy",
                    "1,800 a second",
                    "several IDs",
                    "can't be changed",
                    "can't reach the external key manager",
                    "encrypted twice",
                    "at least as strong",
                    "can't decrypt what an older one encrypted",
                    "simpler way",
                ],
            ),
            (Field::Acknowledgement, &["Confirm that you mean to create", "external key manager"]),
            (Field::Alias, &["nothing confidential", "CloudTrail", "aws/"]),
            (Field::Description, &["nothing confidential", "CloudTrail"]),
            (Field::AddTag, &["nothing confidential", "cost allocation report", "control access"]),
            (Field::Administrators, &["IAM policies can give other", "long-term credentials", "choose roles"]),
            (Field::AdministratorsMayDelete, &["destructive", "can't be undone", "can't be made again", "not touched"]),
            (Field::Users, &["IAM policies can give other", "long-term credentials", "choose roles"]),
            (Field::AddOtherAccount, &["administrators of the other account must also allow it"]),
            (Field::KeyPolicy, &["Sids"]),
        ] {
            for part in parts {
                assert!(words(field).contains(part), "{part:?} is not in the help of {field:?}: {}", words(field));
            }
        }
    }
}
