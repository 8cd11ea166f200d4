//! The controls of each step that can have the focus, in Tab order.

use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::submission::Submission;

/// A control that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FocusTarget {
    /// A field of the draft.
    Field(Field),
    /// Shows or hides the key material origins.
    AdvancedOptions,
    /// Opens the dialog that creates an external key store.
    CreateKeyStore,
    /// Removes a tag.
    RemoveTag(usize),
    /// Removes another AWS account.
    RemoveAccount(usize),
    /// Restores the generated key policy.
    RestorePolicy,
    /// Shows how the edited key policy differs from the generated one, or the policy again.
    ToggleChanges,
    /// Shows another tab of Review.
    ReviewTabs,
    /// Goes to a step from Review.
    EditStep(Step),
    /// Copies the equivalent AWS CLI commands.
    CopyCommands,
    /// Copies the key as Terraform.
    CopyTerraform,
    /// Saves the equivalent AWS CLI commands to a file.
    SaveCommands,
    /// Copies the key policy.
    CopyKeyPolicy,
    /// Copies the IAM policy that grants the missing permissions.
    CopyIamPolicy,
    /// Goes to the field that has to be corrected after a failure.
    FixField(Field),
    /// Retries after a failure that no field can correct.
    Retry,
    /// Closes the wizard.
    Cancel,
    /// Goes directly to Review, past the optional steps.
    SkipToReview,
    /// Goes to the previous step.
    Previous,
    /// Goes to the next step, or finishes.
    Next,
}

/// What is shown of an edited key policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyView {
    /// The policy.
    #[default]
    Policy,
    /// How it differs from the generated one.
    Changes,
    /// The policy, and the question whether to discard its changes.
    RestoreQuestion,
}

impl PolicyView {
    /// Returns the other view.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Policy | Self::RestoreQuestion => Self::Changes,
            Self::Changes => Self::Policy,
        }
    }
}

/// A tab of Review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReviewTab {
    /// All choices.
    #[default]
    Summary,
    /// The key policy as JSON.
    KeyPolicy,
    /// The equivalent commands.
    Commands,
}

impl FocusTarget {
    /// Returns what Enter does on the control, unless it is a text field or a table.
    pub fn enter_title(self) -> &'static str {
        match self {
            Self::Field(
                Field::AdministratorsMayDelete
                | Field::Acknowledgement
                | Field::KeyType
                | Field::KeyUsage
                | Field::Origin,
            ) => "Select",
            Self::AdvancedOptions => "Show or hide",
            Self::ReviewTabs => "Next tab",
            Self::EditStep(_) => "Edit",
            Self::CopyCommands | Self::CopyTerraform | Self::CopyKeyPolicy | Self::CopyIamPolicy => "Copy",
            Self::SaveCommands => "Save",
            Self::RemoveTag(_) | Self::RemoveAccount(_) => "Remove",
            _ => "Press",
        }
    }
}

impl ReviewTab {
    /// All tabs, in order.
    pub const ALL: [Self; 3] = [Self::Summary, Self::KeyPolicy, Self::Commands];
    /// The titles of the tabs, in the same order.
    pub const TITLES: [&str; 3] = ["Summary", "Key policy", "Commands"];

    /// Returns the position of the tab.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    /// Returns the next tab, or the previous one if `forward` is false.
    #[must_use]
    pub fn neighbor(self, forward: bool) -> Self {
        let step = if forward { 1 } else { Self::ALL.len() - 1 };
        Self::ALL[(self.index() + step) % Self::ALL.len()]
    }
}

/// Returns the focus targets of *Configure key* in Method 2.
fn configure_key_targets(draft: &KeyDraft, shows_origins: bool) -> Vec<FocusTarget> {
    let mut targets =
        vec![FocusTarget::Field(Field::KeyType), FocusTarget::Field(Field::KeyUsage), FocusTarget::AdvancedOptions];
    if shows_origins {
        targets.push(FocusTarget::Field(Field::Origin));
    }
    if draft.is_external() {
        targets.push(FocusTarget::Field(Field::Acknowledgement));
    }
    targets
}

/// Returns the focus targets of *Add tags*.
fn tag_targets(rows: usize) -> Vec<FocusTarget> {
    let mut targets = Vec::new();
    for row in 0..rows {
        targets.extend([
            FocusTarget::Field(Field::TagKey(row)),
            FocusTarget::Field(Field::TagValue(row)),
            FocusTarget::RemoveTag(row),
        ]);
    }
    targets.push(FocusTarget::Field(Field::AddTag));
    targets
}

/// Returns the focus targets of *Define key usage permissions*.
fn user_targets(other_accounts: usize) -> Vec<FocusTarget> {
    let mut targets: Vec<_> = [Field::Users, Field::AddUser].map(FocusTarget::Field).into();
    for row in 0..other_accounts {
        targets.extend([FocusTarget::Field(Field::OtherAccount(row)), FocusTarget::RemoveAccount(row)]);
    }
    targets.push(FocusTarget::Field(Field::AddOtherAccount));
    targets
}

/// Returns the focus targets of a step in Tab order. On Review, `next_actions` come first.
pub fn focus_targets(
    method: &Method,
    step: Step,
    draft: &KeyDraft,
    shows_origins: bool,
    submission: &Submission,
    review_tab: ReviewTab,
    next_actions: Vec<FocusTarget>,
) -> Vec<FocusTarget> {
    let mut targets = Vec::new();
    match step {
        Step::ConfigureKey if *method == Method::FromCustomerManagedKeys => {
            targets.extend(configure_key_targets(draft, shows_origins));
        }
        Step::ConfigureKey => {
            targets
                .extend([Field::CustomKeyStore, Field::ExternalKeyId, Field::Acknowledgement].map(FocusTarget::Field));
        }
        Step::ChooseExternalKey => {
            targets.extend([Field::CustomKeyStore, Field::ExternalKeyId].map(FocusTarget::Field));
            targets.push(FocusTarget::CreateKeyStore);
        }
        // The KMS key already has its description. It can be changed on the key's page.
        Step::AliasAndDescription if submission.key().is_some() => targets.push(FocusTarget::Field(Field::Alias)),
        Step::AliasAndDescription => targets.extend([Field::Alias, Field::Description].map(FocusTarget::Field)),
        Step::Tags => targets.extend(tag_targets(draft.tags.len())),
        Step::Administrators => {
            targets.extend(
                [Field::Administrators, Field::AddAdministrator, Field::AdministratorsMayDelete]
                    .map(FocusTarget::Field),
            );
        }
        Step::Users => targets.extend(user_targets(draft.other_accounts.len())),
        Step::KeyPolicy => {
            targets.push(FocusTarget::Field(Field::KeyPolicy));
            if draft.edited_policy.is_some() {
                targets.extend([FocusTarget::RestorePolicy, FocusTarget::ToggleChanges]);
            }
        }
        Step::Review => {
            targets.extend(next_actions);
            targets.push(FocusTarget::ReviewTabs);
            match review_tab {
                ReviewTab::Summary if submission.key().is_none() => {
                    targets.extend(method.review_steps(draft.origin).map(FocusTarget::EditStep));
                }
                ReviewTab::Summary => {}
                ReviewTab::KeyPolicy => {
                    targets.extend(draft.edited_policy.is_some().then_some(FocusTarget::ToggleChanges));
                    targets.push(FocusTarget::CopyKeyPolicy);
                }
                ReviewTab::Commands => targets.extend([FocusTarget::CopyCommands, FocusTarget::CopyTerraform]),
            }
        }
    }
    targets.push(FocusTarget::Cancel);
    if step.is_optional() && step != Step::KeyPolicy && submission.key().is_none() {
        targets.push(FocusTarget::SkipToReview);
    }
    let is_first = step == Step::ConfigureKey || step == Step::AliasAndDescription && submission.key().is_some();
    if !is_first {
        targets.push(FocusTarget::Previous);
    }
    targets.push(FocusTarget::Next);
    targets
}
