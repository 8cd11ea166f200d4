//! EnableKey, DisableKey, UpdateKeyDescription, ScheduleKeyDeletion, CancelKeyDeletion, and the deletion of keys after
//! their waiting period.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, params};

use crate::aws::error::ServiceError;
use crate::aws::kms::{
    CancelKeyDeletion, CancelKeyDeletionOutput, ConnectionState, DisableKey, EnableKey, KeyState, Origin,
    ScheduleKeyDeletion, ScheduleKeyDeletionOutput, UpdateKeyDescription,
};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::{ApiResult, Call};

/// The default waiting period, in days.
const DEFAULT_PENDING_WINDOW_DAYS: u32 = 30;

impl Call<'_> {
    pub fn enable_key(&self, request: &EnableKey) -> ApiResult<Empty> {
        self.set_key_state(&request.key_id, KeyState::Enabled, "kms:EnableKey")
    }

    pub fn disable_key(&self, request: &DisableKey) -> ApiResult<Empty> {
        self.set_key_state(&request.key_id, KeyState::Disabled, "kms:DisableKey")
    }

    /// Enables or disables a key. If its key store isn't connected, this takes effect when it is connected again.
    fn set_key_state(&self, id: &str, state: KeyState, action: &'static str) -> ApiResult<Empty> {
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, id, action)?;
            self.save_key(tx, KeyRecord { stored_state: state, ..key }, None)?;
            Ok(Empty {})
        })
    }

    pub fn update_key_description(&self, request: &UpdateKeyDescription) -> ApiResult<Empty> {
        let description = &request.description;
        self.commit_with_event(|tx| {
            let mut key = self.find_changeable_key(tx, &request.key_id, "kms:UpdateKeyDescription")?;
            key.metadata.description.clone_from(description);
            self.save_key(tx, key, None)?;
            Ok(Empty {})
        })
    }

    pub fn schedule_key_deletion(&self, request: &ScheduleKeyDeletion) -> ApiResult<ScheduleKeyDeletionOutput> {
        let days = request.pending_window_in_days.unwrap_or(DEFAULT_PENDING_WINDOW_DAYS);
        let days_text = days.to_string();
        limits::pending_window_in_days(days).map_err(|violation| violation.to_service_error(&days_text))?;
        let wait = SignedDuration::from_hours(24 * i64::from(days));
        let due = self.store().environment().clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let authorization = AuthorizationRequest::from("kms:ScheduleKeyDeletion")
            .with_condition_key("kms:ScheduleKeyDeletionPendingWindowInDays", days_text);
        self.commit_with_event(|tx| {
            let mut key = self.find_changeable_key(tx, &request.key_id, authorization)?;
            let key_id = key.metadata.arn.clone();
            let deletion_date = EpochSeconds(due);
            (key.stored_state, key.metadata.deletion_date) = (KeyState::PendingDeletion, Some(deletion_date));
            self.save_key(tx, key, Some(due))?;
            let key_state = KeyState::PendingDeletion;
            Ok(ScheduleKeyDeletionOutput { key_id, deletion_date, key_state, pending_window_in_days: days })
        })
    }

    pub fn cancel_key_deletion(&self, request: &CancelKeyDeletion) -> ApiResult<CancelKeyDeletionOutput> {
        self.commit_with_event(|tx| {
            let mut key = self.find_key_by_id(tx, &request.key_id, "kms:CancelKeyDeletion")?;
            let key_id = key.metadata.arn.clone();
            if key.stored_state != KeyState::PendingDeletion {
                let message = format!("{key_id} is not pending deletion.");
                return Err(ServiceError::new("KMSInvalidStateException", message).into());
            }
            (key.stored_state, key.metadata.deletion_date) = (KeyState::Disabled, None);
            self.save_key(tx, key, None)?;
            Ok(CancelKeyDeletionOutput { key_id })
        })
    }

    /// Saves the metadata of a key, and when it will be deleted.
    fn save_key(&self, tx: &Transaction, mut key: KeyRecord, due: Option<Timestamp>) -> ApiResult<()> {
        key.metadata.key_state = key.stored_state;
        key.metadata.enabled = key.stored_state == KeyState::Enabled;
        tx.execute(
            "UPDATE keys SET document = ?3, due = ?4 WHERE world = ?1 AND id = ?2",
            params![
                self.account_region,
                key.metadata.key_id,
                serde_json::to_string(&key.metadata)?,
                due.map(Timestamp::as_millisecond)
            ],
        )?;
        Ok(())
    }

    /// Deletes the keys whose waiting period has ended, with everything that belongs to them.
    ///
    /// External keys aren't changed.
    pub fn delete_due_keys(&self, now: i64) -> ApiResult<()> {
        let due = "SELECT world, id FROM keys WHERE due <= ?1";
        self.store().write(|tx| {
            for table in ["aliases", "tags", "grants", "key_materials", "rotation_schedules"] {
                tx.execute(&format!("DELETE FROM {table} WHERE (world, key_id) IN ({due})"), [now])?;
            }
            tx.execute("DELETE FROM keys WHERE due <= ?1", [now])?;
            Ok(())
        })
    }
}

/// Returns the current state of a key from its stored state: `Unavailable` while its key store isn't connected, unless the
/// deletion is pending.
pub fn current_state(stored: KeyState, key_store: Option<ConnectionState>) -> KeyState {
    let is_connected = key_store.is_none_or(|state| state == ConnectionState::Connected);
    if is_connected || stored == KeyState::PendingDeletion { stored } else { KeyState::Unavailable }
}

/// Returns the error for an operation that isn't valid for keys of this origin.
pub fn unsupported_origin(arn: &str, origin: Origin) -> ServiceError {
    let origin = origin.as_str();
    let message = format!("{arn} origin is {origin} which is not valid for this operation.");
    ServiceError::new("UnsupportedOperationException", message)
}
