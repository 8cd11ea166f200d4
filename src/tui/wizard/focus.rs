//! What can have the focus on each step, in the order of Tab.

use crate::aws::kms::Origin;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::submission::Submission;

/// Something that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FocusTarget {
    /// A field of the draft.
    Field(Field),
    /// Shows or hides the key material origins.
    AdvancedOptions,
    /// Goes to create an external key store, and back.
    CreateKeyStore,
    /// Removes a tag.
    RemoveTag(usize),
    /// Removes another account.
    RemoveAccount(usize),
    /// Goes back to the generated policy.
    RestorePolicy,
    /// On Review: goes to a step.
    EditStep(Step),
    /// Copies the commands that do the same.
    CopyCommands,
    /// Writes the commands that do the same into a file.
    SaveCommands,
    /// Copies the policy.
    CopyKeyPolicy,
    /// Copies the IAM policy that gives what is lacking.
    CopyIamPolicy,
    /// After a failure: goes to the field that mends it.
    FixField(Field),
    /// After a failure that no field mends: tries again.
    Retry,
    /// Leaves the wizard.
    Cancel,
    /// Goes back a step.
    Previous,
    /// Goes on, or finishes.
    Next,
}

/// The steps that Review shows and links to.
pub fn review_steps(method: &Method, origin: Origin) -> impl Iterator<Item = Step> {
    method.steps(origin).iter().copied().filter(|step| *step != Step::Review)
}

/// The fields of *Configure key* in Method 2.
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

/// The spots of a step, in the order of Tab; on Review `ways_on` comes first.
pub fn focus_targets(
    method: &Method,
    step: Step,
    draft: &KeyDraft,
    shows_origins: bool,
    submission: &Submission,
    ways_on: Vec<FocusTarget>,
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
        // The key has its description already; it is changed on the key's page.
        Step::AliasAndDescription if submission.key().is_some() => targets.push(FocusTarget::Field(Field::Alias)),
        Step::AliasAndDescription => targets.extend([Field::Alias, Field::Description].map(FocusTarget::Field)),
        Step::Tags => {
            for row in 0..draft.tags.len() {
                targets.extend([
                    FocusTarget::Field(Field::TagKey(row)),
                    FocusTarget::Field(Field::TagValue(row)),
                    FocusTarget::RemoveTag(row),
                ]);
            }
            targets.push(FocusTarget::Field(Field::AddTag));
        }
        Step::Administrators => {
            targets.extend(
                [Field::Administrators, Field::AddAdministrator, Field::AdministratorsMayDelete]
                    .map(FocusTarget::Field),
            );
        }
        Step::Users => {
            targets.extend([Field::Users, Field::AddUser].map(FocusTarget::Field));
            for row in 0..draft.other_accounts.len() {
                targets.extend([FocusTarget::Field(Field::OtherAccount(row)), FocusTarget::RemoveAccount(row)]);
            }
            targets.push(FocusTarget::Field(Field::AddOtherAccount));
        }
        Step::KeyPolicy => {
            targets.push(FocusTarget::Field(Field::KeyPolicy));
            if draft.edited_policy.is_some() {
                targets.push(FocusTarget::RestorePolicy);
            }
        }
        Step::Review => {
            targets.extend(ways_on);
            if submission.key().is_none() {
                targets.extend(review_steps(method, draft.origin).map(FocusTarget::EditStep));
            }
            targets.push(FocusTarget::CopyKeyPolicy);
            if !matches!(submission, Submission::Unknown { key: None, .. }) {
                targets.push(FocusTarget::CopyCommands);
            }
        }
    }
    targets.push(FocusTarget::Cancel);
    let is_first = step == Step::ConfigureKey || step == Step::AliasAndDescription && submission.key().is_some();
    if !is_first {
        targets.push(FocusTarget::Previous);
    }
    targets.push(FocusTarget::Next);
    targets
}
