//! What can have the focus on each step, in the order of Tab.

use crate::aws::kms::Origin;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::submission::Submission;

/// Something that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
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
    Edit(Step),
    /// Copies the commands that do the same.
    CopyCommands,
    /// Writes the commands that do the same into a file.
    SaveCommands,
    /// Copies the policy.
    CopyPolicy,
    /// Copies the IAM policy that gives what is lacking.
    CopyStatement,
    /// After a failure: goes to the field that mends it.
    Mend(Field),
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
pub fn reviewed(method: &Method, origin: Origin) -> impl Iterator<Item = Step> {
    method.steps(origin).iter().copied().filter(|step| *step != Step::Review)
}

/// The fields of *Configure key* in Method 2.
fn configuration(draft: &KeyDraft, shows_origins: bool) -> Vec<Spot> {
    let mut spots = vec![Spot::Field(Field::KeyType), Spot::Field(Field::KeyUsage), Spot::AdvancedOptions];
    if shows_origins {
        spots.push(Spot::Field(Field::Origin));
    }
    if draft.is_external() {
        spots.push(Spot::Field(Field::Acknowledgement));
    }
    spots
}

/// The spots of a step, in the order of Tab; on Review `ways_on` comes first.
pub fn of(
    method: &Method,
    step: Step,
    draft: &KeyDraft,
    shows_origins: bool,
    submission: &Submission,
    ways_on: Vec<Spot>,
) -> Vec<Spot> {
    let mut spots = Vec::new();
    match step {
        Step::ConfigureKey if *method == Method::FromCustomerManagedKeys => {
            spots.extend(configuration(draft, shows_origins));
        }
        Step::ConfigureKey => {
            spots.extend([Field::CustomKeyStore, Field::ExternalKeyId, Field::Acknowledgement].map(Spot::Field));
        }
        Step::ChooseExternalKey => {
            spots.extend([Field::CustomKeyStore, Field::ExternalKeyId].map(Spot::Field));
            spots.push(Spot::CreateKeyStore);
        }
        // The key has its description already; it is changed on the key's page.
        Step::AliasAndDescription if submission.key().is_some() => spots.push(Spot::Field(Field::Alias)),
        Step::AliasAndDescription => spots.extend([Field::Alias, Field::Description].map(Spot::Field)),
        Step::Tags => {
            for row in 0..draft.tags.len() {
                spots.extend([
                    Spot::Field(Field::TagKey(row)),
                    Spot::Field(Field::TagValue(row)),
                    Spot::RemoveTag(row),
                ]);
            }
            spots.push(Spot::Field(Field::AddTag));
        }
        Step::Administrators => {
            spots.extend(
                [Field::Administrators, Field::AddAdministrator, Field::AdministratorsMayDelete].map(Spot::Field),
            );
        }
        Step::Users => {
            spots.extend([Field::Users, Field::AddUser].map(Spot::Field));
            for row in 0..draft.other_accounts.len() {
                spots.extend([Spot::Field(Field::OtherAccount(row)), Spot::RemoveAccount(row)]);
            }
            spots.push(Spot::Field(Field::AddOtherAccount));
        }
        Step::KeyPolicy => {
            spots.push(Spot::Field(Field::KeyPolicy));
            if draft.edited_policy.is_some() {
                spots.push(Spot::RestorePolicy);
            }
        }
        Step::Review => {
            spots.extend(ways_on);
            if submission.key().is_none() {
                spots.extend(reviewed(method, draft.origin).map(Spot::Edit));
            }
            spots.push(Spot::CopyPolicy);
            if !matches!(submission, Submission::Unknown { key: None, .. }) {
                spots.push(Spot::CopyCommands);
            }
        }
    }
    spots.push(Spot::Cancel);
    let is_first = step == Step::ConfigureKey || step == Step::AliasAndDescription && submission.key().is_some();
    if !is_first {
        spots.push(Spot::Previous);
    }
    spots.push(Spot::Next);
    spots
}
