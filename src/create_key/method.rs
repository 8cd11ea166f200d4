//! The two ways to a KMS key in an external key store, as lists of steps.

use serde::{Deserialize, Serialize};

use crate::aws::kms::Origin;

/// Where the person started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Method 1: in an external key store.
    FromKeyStore {
        /// The store.
        custom_key_store_id: String,
    },
    /// Method 2: in *Customer managed keys*.
    FromCustomerManagedKeys,
}

/// A page of the wizard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Step {
    ConfigureKey,
    ChooseExternalKey,
    AliasAndDescription,
    Tags,
    Administrators,
    Users,
    KeyPolicy,
    Review,
}

impl Method {
    /// The steps in order, for a key of this origin. Only Method 2 chooses a store, and only for an external key.
    pub fn steps(&self, origin: Origin) -> &'static [Step] {
        const WITH_STORE: [Step; 8] = [
            Step::ConfigureKey,
            Step::ChooseExternalKey,
            Step::AliasAndDescription,
            Step::Tags,
            Step::Administrators,
            Step::Users,
            Step::KeyPolicy,
            Step::Review,
        ];
        const WITHOUT_STORE: [Step; 7] = [
            Step::ConfigureKey,
            Step::AliasAndDescription,
            Step::Tags,
            Step::Administrators,
            Step::Users,
            Step::KeyPolicy,
            Step::Review,
        ];
        match self {
            Self::FromCustomerManagedKeys if origin == Origin::ExternalKeyStore => &WITH_STORE,
            Self::FromCustomerManagedKeys | Self::FromKeyStore { .. } => &WITHOUT_STORE,
        }
    }
}

impl Step {
    /// The page title, as the AWS console has it where it has the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ConfigureKey => "Configure key",
            Self::ChooseExternalKey => "Choose external key for this KMS key",
            Self::AliasAndDescription => "Add alias and description",
            Self::Tags => "Add tags",
            Self::Administrators => "Define key administrative permissions",
            Self::Users => "Define key usage permissions",
            Self::KeyPolicy => "Edit key policy",
            Self::Review => "Review",
        }
    }

    /// The short name on the rail.
    pub const fn short_title(self) -> &'static str {
        match self {
            Self::ConfigureKey => "Configure key",
            Self::ChooseExternalKey => "External key",
            Self::AliasAndDescription => "Alias, description",
            Self::Tags => "Tags",
            Self::Administrators => "Key administrators",
            Self::Users => "Key users",
            Self::KeyPolicy => "Key policy",
            Self::Review => "Review",
        }
    }

    /// Whether the step can be passed without doing anything.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Tags | Self::Administrators | Self::Users | Self::KeyPolicy)
    }

    /// What the step is for, in a sentence or two.
    pub const fn intro(self) -> &'static str {
        match self {
            Self::ConfigureKey => "For a key that your external key manager has already.",
            Self::ChooseExternalKey => {
                "Choose the external key store and name an existing AES-256 key in your external key manager."
            }
            Self::AliasAndDescription => {
                "You can change both at any time. Write nothing confidential: they may appear in plain text in \
                 CloudTrail logs and other output."
            }
            Self::Tags => {
                "Tags identify the key, sort its costs, and can control access to it. Write nothing confidential: \
                 they may appear in plain text in CloudTrail logs."
            }
            Self::Administrators => {
                "The users and roles that may administer the key through the KMS API. IAM policies can give others \
                 permission too. Prefer roles: they have temporary credentials."
            }
            Self::Users => {
                "The users and roles that may use the key in cryptographic operations. IAM policies can give others \
                 permission too. Prefer roles: they have temporary credentials."
            }
            Self::KeyPolicy => "The policy that your choices make. Edit it if you need other statements.",
            Self::Review => "",
        }
    }
}
