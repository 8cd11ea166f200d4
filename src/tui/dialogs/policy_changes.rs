//! What the forms that edit a key policy change in it.

use super::events::DialogEvent;
use super::form_dialog::FormDialog;
use super::form_kind::FormKind;
use crate::create_key::account_state::AccountState;
use crate::create_key::preview::changes::PolicyChanges;
use crate::tui::text_view::TextView;

/// What an edited key policy is compared with.
const CURRENT_POLICY: &str = "current key policy";

impl FormDialog {
    /// Whether the form edits a key policy.
    pub fn edits_policy(&self) -> bool {
        matches!(self.kind, FormKind::EditPolicy(..) | FormKind::EditPermissions(..))
    }

    /// Returns how the key policy in the form differs from the current one, if it does.
    fn policy_changes(&self, account: &AccountState) -> Option<PolicyChanges> {
        self.kind.policy_changes(&self.form, account).filter(|changes| !changes.is_empty())
    }

    /// Whether the form changes lines of a key policy.
    pub fn changes_policy(&self, account: &AccountState) -> bool {
        self.policy_changes(account).is_some()
    }

    /// Returns the changes of the key policy, to show them on the whole screen.
    pub(super) fn view_changes(&self, account: &AccountState) -> Vec<DialogEvent> {
        let view = |changes: PolicyChanges| {
            let text = changes.report(CURRENT_POLICY);
            DialogEvent::View(Box::new(TextView::of_changes("key policy changes", text)))
        };
        self.policy_changes(account).map(view).into_iter().collect()
    }
}
