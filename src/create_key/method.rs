//! The two methods of creating a KMS key in an external key store, as lists of steps.

use serde::{Deserialize, Serialize};

use crate::aws::kms::Origin;

/// Where the wizard was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// Method 1: on the page of an external key store.
    FromKeyStore {
        /// The ID of the key store.
        custom_key_store_id: String,
    },
    /// Method 2: in *Customer managed keys*.
    FromCustomerManagedKeys,
}

/// A step of the wizard.
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
    /// Returns the steps in order for a key of this origin.
    ///
    /// Only Method 2 has a separate step for the key store, and only if the origin is an external key store.
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

    /// Returns the steps that the user can go to. After the KMS key is created, only its alias can still be changed.
    pub fn available_steps(&self, origin: Origin, is_key_created: bool) -> &'static [Step] {
        const ALIAS_STEPS: [Step; 2] = [Step::AliasAndDescription, Step::Review];
        if is_key_created { &ALIAS_STEPS } else { self.steps(origin) }
    }

    /// Returns the steps whose choices *Review* shows.
    pub fn review_steps(&self, origin: Origin) -> impl Iterator<Item = Step> {
        self.steps(origin).iter().copied().filter(|step| *step != Step::Review)
    }
}

impl Step {
    /// Returns the page title, which is AWS's own where the AWS console has the page.
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

    /// Returns the short title for the list of steps.
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

    /// Returns the heading that the AWS console gives the choices of the step on *Review*.
    pub const fn section_title(self) -> &'static str {
        match self {
            Self::ConfigureKey => "Key configuration",
            Self::ChooseExternalKey => "External key",
            Self::AliasAndDescription => "Alias and description",
            Self::Tags => "Tags",
            Self::Administrators => "Key administrators",
            Self::Users => "Key users",
            Self::KeyPolicy => "Key policy",
            Self::Review => self.title(),
        }
    }

    /// Whether the step can be skipped.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Tags | Self::Administrators | Self::Users | Self::KeyPolicy)
    }

    /// Returns the introduction of the step, in one to three sentences.
    pub const fn intro(self) -> &'static str {
        match self {
            Self::ConfigureKey => "The external key must already exist in your external key manager.",
            Self::ChooseExternalKey => {
                "Choose an external key store, and specify an existing AES-256 key in your external key manager."
            }
            Self::AliasAndDescription => {
                "You can change both at any time. Don't include confidential information: it may appear in plain text \
                 in CloudTrail logs and other output."
            }
            Self::Tags => {
                "Tags identify the key, track its costs, and can control access to it. Don't include confidential \
                 information: it may appear in plain text in CloudTrail logs."
            }
            Self::Administrators => {
                "Select the IAM users and roles authorized to manage this key via the KMS API. IAM policies can also \
                 allow others. Prefer roles, which provide temporary credentials."
            }
            Self::Users => {
                "Select the IAM users and roles that can use the KMS key in cryptographic operations. IAM policies can \
                 also allow others. Prefer roles, which provide temporary credentials."
            }
            Self::KeyPolicy => "The key policy generated from your choices. Edit it to change or add statements.",
            Self::Review => {
                "Finish creates the KMS key, and then its alias. If a request fails, you lose nothing that you entered: \
                 the console says what to correct, and Finish continues from there."
            }
        }
    }
}
