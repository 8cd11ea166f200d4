//! The fields of the wizard, with their labels, hints, and help.

use serde::{Deserialize, Serialize};

use super::method::{Method, Step};

/// Appends the note about IAM policies to the help of key administrators and key users.
macro_rules! with_iam_policies_note {
    ($text:literal) => {
        concat!(
            $text,
            "\n\nIAM policies can give other IAM users and roles permission to use the KMS key. IAM best practices \
             discourage the use of IAM users with long-term credentials. Whenever possible, use IAM roles, which \
             provide temporary credentials."
        )
    };
}

/// The help of the fields for an ARN. `$row` describes the row that the ARN gets in the list of a full-screen console.
macro_rules! add_principal_help {
    ($row:literal) => {
        concat!(
            "The ARN of an IAM user or role that isn't in the list, for example because it is in another account or \
             you don't have permission to list users and roles. Include the path of a role: \
             arn:aws:iam::111122223333:role/team/Name.\n\nThe user or role must exist. AWS KMS rejects a key policy \
             with a principal that doesn't exist.",
            $row,
            "\n\nYou can't add a role session, a group, or a wildcard. For a principal in another account, the \
             administrators of that account must also allow access with IAM policies."
        )
    };
}

/// A field or control of the wizard.
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
    /// Returns the step that shows the field.
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

    /// Returns the label; for a check box, the statement that it confirms.
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

    /// Returns a label of at most 50 characters.
    pub const fn short_label(self) -> &'static str {
        match self {
            Self::Acknowledgement => "Confirmation",
            other => other.label(),
        }
    }

    /// Returns a short hint on what to enter or press.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::KeyType | Self::KeyUsage => "You can't change it after the key is created.",
            Self::Origin => "The source of the key material. You can't change it after the key is created.",
            Self::CustomKeyStore => {
                "The key store must be connected. Press Enter on a disconnected key store to connect it."
            }
            Self::ExternalKeyId => {
                "The ID that the external key store proxy uses for this key. Up to 128 letters, digits, hyphens, \
                 underscores, and dots."
            }
            Self::Acknowledgement => "Required. Press Space to select.",
            Self::Alias => "Required. Up to 250 letters, digits, slashes, underscores, and hyphens.",
            Self::Description => "Up to 8,192 characters.",
            Self::TagKey(_) => "Up to 128 letters, digits, spaces, and + - = . _ : / @. It can't start with aws:",
            Self::TagValue(_) => "Up to 256 letters, digits, spaces, and + - = . _ : / @",
            Self::AddTag => "You can add up to 50 tags.",
            Self::Administrators | Self::Users => "Press Space to select, / to search, or a to select all rows shown.",
            Self::AddAdministrator | Self::AddUser => {
                "An IAM user or role in this or another account. Press Enter to add it."
            }
            Self::AdministratorsMayDelete => "Clear to prevent key administrators from deleting the key.",
            Self::OtherAccount(_) => "A 12-digit account ID.",
            Self::AddOtherAccount => {
                "Accounts that can use this key. Their administrators must also allow access with IAM policies."
            }
            Self::KeyPolicy => "JSON, up to 32,768 bytes. Press Tab to leave the editor.",
        }
    }

    /// Returns the hint for a user interface that asks for one line after the other, where there are no keys to press.
    pub const fn prompt_hint(self) -> &'static str {
        match self {
            Self::CustomKeyStore => "The key store must be connected. You can connect it here.",
            Self::Acknowledgement => "Required.",
            Self::Administrators | Self::Users => {
                "Enter the numbers of the users and roles to select or clear, such as 2 or 1-4, or an ARN."
            }
            Self::AddAdministrator | Self::AddUser => "An IAM user or role in this or another account.",
            Self::AdministratorsMayDelete => "Answer no to prevent key administrators from deleting the key.",
            Self::KeyPolicy => "JSON, up to 32,768 bytes.",
            other => other.hint(),
        }
    }

    /// Returns the help text for a user interface that asks for one line after the other.
    pub const fn prompt_help(self) -> &'static str {
        match self {
            Self::AddAdministrator | Self::AddUser => add_principal_help!(""),
            other => other.help(),
        }
    }

    /// Returns the help text of the field.
    ///
    /// Source: *Create a KMS key in external key stores*, AWS KMS Developer Guide.
    pub const fn help(self) -> &'static str {
        match self {
            Self::KeyType => {
                "A symmetric key is a single secret key. An asymmetric key is a public and private key pair.\n\nKMS \
                 keys in an external key store must be symmetric encryption keys. You can't create asymmetric keys, \
                 HMAC keys, or keys with imported key material in a custom key store. You also can't use a KMS key in \
                 a custom key store to generate asymmetric data key pairs."
            }
            Self::KeyUsage => {
                "The cryptographic operations that the KMS key supports. Encrypt and decrypt is selected for you. \
                 Don't change it. It is the only key usage for a KMS key in an external key store."
            }
            Self::Origin => {
                "The source of the key material.\n\n• KMS: AWS KMS creates and manages the key material. This is the \
                 default.\n• External (Import Key material): you import the key material. Custom key stores don't \
                 support it.\n• AWS CloudHSM key store: the key material is created in your AWS CloudHSM cluster.\n• \
                 External key store: the key material is in an external key manager outside of AWS. The KMS key might \
                 have poorer latency, durability, and availability than a standard KMS key, because it depends on \
                 components located outside of AWS. Verify that you require a key with external key store properties."
            }
            Self::CustomKeyStore => {
                "The external key store for the new KMS key.\n\nThe key store must be connected to its external key \
                 store proxy. AWS KMS sends a request to the proxy when you create the KMS key and for every encrypt \
                 and decrypt operation. A KMS key in an external key store might have poorer latency, durability, and \
                 availability than a standard KMS key, because it depends on components located outside of AWS. Verify \
                 that you require a key with external key store properties.\n\nYou can't change the key store after \
                 the KMS key is created."
            }
            Self::ExternalKeyId => {
                "The ID of an existing key in your external key manager. Creating a KMS key doesn't create an external \
                 key.\n\nThe external key must be:\n• A 256-bit AES key (key spec AES_256).\n• Enabled.\n• Configured \
                 for ENCRYPT and DECRYPT.\n• Not associated with another KMS key in this external key store. AWS KMS \
                 also recommends that you use the external key only for this key store.\n• Accessible by the external \
                 key store proxy.\n• Able to handle your traffic. AWS KMS recommends support for up to 1,800 requests \
                 per second.\n\nIf the external key has multiple IDs, enter the ID that the external key store proxy \
                 uses to identify it.\n\nYou can't change the ID after the KMS key is created. AWS KMS provides it to \
                 the proxy in requests for encryption and decryption. AWS KMS can't directly access your external key \
                 manager or any of its keys. Data is encrypted twice, first with AWS KMS key material and then with \
                 this external key, so the ciphertext is at least as strong as ciphertext protected only by AWS KMS. \
                 If you lose either key, you can't decrypt the data. A new KMS key with the same external key can't \
                 decrypt data that was encrypted under an older one.\n\nSome external key managers provide a simpler \
                 method for creating KMS keys. For details, see their documentation."
            }
            Self::Acknowledgement => {
                "Confirm that you intend to create a KMS key in the specified external key store.\n\nAWS KMS can't \
                 access or repair the external key manager. If AWS KMS can't reach it or its proxy, you can't use the \
                 KMS key. If the external key is lost, all data encrypted under the KMS key is lost."
            }
            Self::Alias => {
                "A friendly name for the KMS key. It must be unique in this account and Region. The console adds the \
                 prefix alias/ for you.\n\nYou can add or delete an alias, or move it to another KMS key, at any time. \
                 Names that start with aws/ are reserved for AWS managed keys.\n\nDon't include confidential or \
                 sensitive information. Aliases may appear in plain text in CloudTrail logs and other output."
            }
            Self::Description => {
                "The purpose of the key. You can change the description at any time.\n\nDon't include confidential or \
                 sensitive information. Descriptions may appear in plain text in CloudTrail logs and other output."
            }
            Self::TagKey(_) | Self::TagValue(_) | Self::AddTag => {
                "Tags identify or categorize your KMS keys. AWS generates a cost allocation report with usage and \
                 costs aggregated by tags. You can also use tags to control access to KMS keys (ABAC).\n\nTag keys and \
                 values are case-sensitive, and tag keys must be unique. Don't include confidential or sensitive \
                 information. Tags may appear in plain text in CloudTrail logs and other output."
            }
            Self::Administrators => {
                with_iam_policies_note!(
                    "The IAM users and roles that can manage the KMS key. They can change its policy, tags, aliases, and \
                     state, but can't use it in cryptographic operations."
                )
            }
            Self::AdministratorsMayDelete => {
                "Clear to prevent key administrators from deleting this KMS key.\n\nDeleting a KMS key is destructive \
                 and irreversible. Data encrypted under it can never be decrypted. You can't recreate a KMS key in an \
                 external key store, even if you have the external key. The external key isn't affected."
            }
            Self::Users => {
                with_iam_policies_note!(
                    "The IAM users and roles in this account that can use the KMS key to encrypt, decrypt, and generate \
                     data keys."
                )
            }
            Self::AddAdministrator | Self::AddUser => {
                add_principal_help!(" In the list, the entry is marked \"Typed\". To remove it, press Space on it.")
            }
            Self::OtherAccount(_) | Self::AddOtherAccount => {
                "The 12-digit ID of another AWS account that can use this KMS key for cryptographic operations. Add \
                 one row for each account.\n\nAdministrators of the other account must also allow access to the KMS \
                 key by creating IAM policies for their users and roles."
            }
            Self::KeyPolicy => {
                "The key policy controls access to the KMS key. It is generated from your choices. After you edit it, \
                 your choices in earlier steps no longer change it until you restore the generated policy.\n\nThe \
                 policy must allow you to change it later, include only principals that exist, and have at most 32,768 \
                 bytes. Modifying Sids might impact the console's ability to update administrators and users."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_mention_no_keys() {
        let all = [
            Field::KeyType,
            Field::KeyUsage,
            Field::Origin,
            Field::CustomKeyStore,
            Field::ExternalKeyId,
            Field::Acknowledgement,
            Field::Alias,
            Field::Description,
            Field::TagKey(0),
            Field::TagValue(0),
            Field::AddTag,
            Field::Administrators,
            Field::AddAdministrator,
            Field::AdministratorsMayDelete,
            Field::Users,
            Field::AddUser,
            Field::OtherAccount(0),
            Field::AddOtherAccount,
            Field::KeyPolicy,
        ];
        for field in all {
            for text in [field.prompt_hint(), field.prompt_help()] {
                assert!(!text.to_lowercase().contains("press "), "{field:?}: {text}");
            }
        }
    }

    #[test]
    fn field_help_contains_every_warning_of_the_developer_guide() {
        let words = |field: Field| field.help().replace('\n', " ");
        for (field, parts) in [
            (Field::KeyType, &["must be symmetric encryption", "HMAC", "imported", "data key pairs"][..]),
            (Field::KeyUsage, &["is selected for you", "Don't change it"]),
            (Field::Origin, &["latency, durability, and availability", "Verify that you require"]),
            (Field::CustomKeyStore, &["must be connected", "latency, durability, and availability", "can't change"]),
            (
                Field::ExternalKeyId,
                &[
                    "doesn't create an external key",
                    "AES_256",
                    "Enabled",
                    "ENCRYPT",
                    "DECRYPT",
                    "Not associated with another KMS key",
                    "only for this key store",
                    "Accessible by the external key store proxy",
                    "1,800 requests per second",
                    "multiple IDs",
                    "can't change",
                    "can't directly access your external key manager",
                    "encrypted twice",
                    "at least as strong",
                    "can't decrypt data that was encrypted under an older one",
                    "simpler method",
                ],
            ),
            (Field::Acknowledgement, &["Confirm that you intend to create", "external key manager"]),
            (Field::Alias, &["confidential", "CloudTrail", "aws/"]),
            (Field::Description, &["confidential", "CloudTrail"]),
            (Field::AddTag, &["confidential", "cost allocation report", "control access"]),
            (Field::Administrators, &["IAM policies can give other", "long-term credentials", "use IAM roles"]),
            (Field::AdministratorsMayDelete, &["destructive", "irreversible", "can't recreate", "isn't affected"]),
            (Field::Users, &["IAM policies can give other", "long-term credentials", "use IAM roles"]),
            (Field::AddOtherAccount, &["Administrators of the other account must also allow access"]),
            (Field::KeyPolicy, &["Sids"]),
        ] {
            for part in parts {
                assert!(
                    words(field).contains(part),
                    "the help of {field:?} does not contain {part:?}: {}",
                    words(field)
                );
            }
        }
    }
}
