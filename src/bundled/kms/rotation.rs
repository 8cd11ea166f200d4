//! EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, ListKeyRotations, and RotateKeyOnDemand, for keys whose
//! key material KMS generates.
//!
//! A rotated key keeps its older key materials, so it can still decrypt older ciphertexts.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};
use zeroize::Zeroizing;

use super::key_states::unsupported_origin;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    DisableKeyRotation, EnableKeyRotation, GetKeyRotationStatus, GetKeyRotationStatusOutput, KeyState,
    ListKeyRotations, ListKeyRotationsOutput, Origin, RotateKeyOnDemand, RotateKeyOnDemandOutput, RotationsListEntry,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};

/// The default rotation period, in days.
const DEFAULT_ROTATION_PERIOD_DAYS: u32 = 365;
/// The maximum number of on-demand rotations of a key. Source: *KMS resource quotas*.
const MAX_ON_DEMAND_ROTATIONS: u32 = 25;

/// Rejects keys whose key material KMS doesn't generate, and disabled keys.
fn check_rotatable(key: &KeyRecord) -> Result<(), ServiceError> {
    let (arn, origin) = (&key.metadata.arn, key.metadata.origin);
    if origin != Origin::AwsKms {
        return Err(unsupported_origin(arn, origin));
    }
    if key.metadata.key_state == KeyState::Disabled {
        return Err(ServiceError::new("DisabledException", format!("{arn} is disabled.")));
    }
    Ok(())
}

impl Call<'_> {
    pub fn enable_key_rotation(&self, request: &EnableKeyRotation) -> ApiResult<Empty> {
        let days = request.rotation_period_in_days.unwrap_or(DEFAULT_ROTATION_PERIOD_DAYS);
        let authorization = crate::bundled::authorization::AuthorizationRequest::from("kms:EnableKeyRotation")
            .with_condition_key("kms:RotationPeriodInDays", days.to_string());
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, authorization)?;
            check_rotatable(&key)?;
            let wait = SignedDuration::from_hours(24 * i64::from(days));
            let next = self.store().environment().clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            tx.execute(
                "INSERT OR REPLACE INTO rotation_schedules VALUES (?1, ?2, ?3, ?4)",
                params![self.account_region, key.metadata.key_id, days, next.as_millisecond()],
            )?;
            Ok(Empty {})
        })
    }

    pub fn disable_key_rotation(&self, request: &DisableKeyRotation) -> ApiResult<Empty> {
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:DisableKeyRotation")?;
            check_rotatable(&key)?;
            let sql = "DELETE FROM rotation_schedules WHERE world = ?1 AND key_id = ?2";
            tx.execute(sql, [&self.account_region, &key.metadata.key_id])?;
            Ok(Empty {})
        })
    }

    pub fn get_key_rotation_status(&self, request: &GetKeyRotationStatus) -> ApiResult<GetKeyRotationStatusOutput> {
        self.store().read(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:GetKeyRotationStatus")?.metadata;
            if key.origin != Origin::AwsKms {
                return Err(unsupported_origin(&key.arn, key.origin).into());
            }
            let account_region = super::super::account_region(&key.aws_account_id, &self.region);
            let sql = "SELECT days, next FROM rotation_schedules WHERE world = ?1 AND key_id = ?2";
            let schedule =
                tx.query_row(sql, [&account_region, &key.key_id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
            let schedule: Option<(u32, i64)> = schedule.optional()?;
            Ok(GetKeyRotationStatusOutput {
                // A disabled key keeps its schedule, but isn't rotated until it is enabled again.
                key_rotation_enabled: schedule.is_some(),
                key_id: Some(key.arn),
                rotation_period_in_days: schedule.map(|(days, _)| days),
                next_rotation_date: schedule
                    .and_then(|(_, next)| Timestamp::from_millisecond(next).ok())
                    .map(EpochSeconds),
            })
        })
    }

    pub fn rotate_key_on_demand(&self, request: &RotateKeyOnDemand) -> ApiResult<RotateKeyOnDemandOutput> {
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:RotateKeyOnDemand")?;
            check_rotatable(&key)?;
            let key_id = key.metadata.key_id.clone();
            let sql = "SELECT count(*) FROM key_materials WHERE world = ?1 AND key_id = ?2 AND kind = 'ON_DEMAND'";
            let so_far: u32 = tx.query_row(sql, [&self.account_region, &key_id], |row| row.get(0))?;
            if so_far >= MAX_ON_DEMAND_ROTATIONS {
                let message = format!("A KMS key can be rotated on demand at most {MAX_ON_DEMAND_ROTATIONS} times.");
                return Err(ServiceError::new("LimitExceededException", message).into());
            }
            self.rotate_key_material(tx, key, "ON_DEMAND", self.store().environment().clock.now())?;
            Ok(RotateKeyOnDemandOutput { key_id })
        })
    }

    /// Generates new key material and makes it the current key material of a key.
    fn rotate_key_material(&self, tx: &Transaction, key: KeyRecord, kind: &str, at: Timestamp) -> ApiResult<()> {
        let environment = self.store().environment();
        let (key_id, material_id) = (key.metadata.key_id.clone(), environment.random.hex::<32>()?);
        let material = Zeroizing::new(environment.random.bytes::<32>()?);
        let record = ["key_material", &self.account, &self.region, &key_id, &material_id];
        let sealed = self.store().seal(&record, &*material)?;
        // The first rotation also saves the key material that the key was created with.
        let save_first = "INSERT OR IGNORE INTO key_materials VALUES (?1, ?2, ?3, ?4, NULL, NULL)";
        tx.execute(save_first, params![self.account_region, key_id, key.material_id, key.material])?;
        tx.execute(
            "INSERT INTO key_materials VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.account_region, key_id, material_id, sealed, kind, at.as_millisecond()],
        )?;
        let (mut metadata, stored_state) = (key.metadata, key.stored_state);
        metadata.current_key_material_id = Some(material_id.clone());
        (metadata.key_state, metadata.enabled) = (stored_state, stored_state == KeyState::Enabled);
        tx.execute(
            "UPDATE keys SET document = ?3, material_id = ?4, material = ?5 WHERE world = ?1 AND id = ?2",
            params![self.account_region, key_id, serde_json::to_string(&metadata)?, material_id, sealed],
        )?;
        Ok(())
    }

    /// Returns the encrypted key material with this ID: the current one or an older one.
    pub fn sealed_key_material(
        &self,
        tx: &Transaction,
        key: &KeyRecord,
        material_id: &str,
    ) -> ApiResult<Option<Vec<u8>>> {
        if material_id == key.material_id {
            return Ok(Some(key.material.clone()));
        }
        let account_region = super::super::account_region(&key.metadata.aws_account_id, &self.region);
        let sql = "SELECT material FROM key_materials WHERE world = ?1 AND key_id = ?2 AND material_id = ?3";
        let found = tx.query_row(sql, [&account_region, &key.metadata.key_id, material_id], |row| row.get(0));
        Ok(found.optional()?)
    }

    pub fn list_key_rotations(&self, request: &ListKeyRotations) -> ApiResult<ListKeyRotationsOutput> {
        let with_first = request.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
        let all = self.store().read(|tx| -> ApiResult<_> {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:ListKeyRotations")?;
            if key.metadata.origin != Origin::AwsKms {
                return Err(unsupported_origin(&key.metadata.arn, key.metadata.origin).into());
            }
            let mut query = tx.prepare(
                "SELECT material_id, kind, at FROM key_materials WHERE world = ?1 AND key_id = ?2 ORDER BY at, rowid",
            )?;
            let rows = query.query_map([&self.account_region, &key.metadata.key_id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            let mut rows: Vec<(String, Option<String>, Option<i64>)> = rows.collect::<Result<_, _>>()?;
            if rows.is_empty() {
                rows.push((key.material_id.clone(), None, None));
            }
            let entry = |(material_id, kind, at): (String, _, Option<i64>)| RotationsListEntry {
                key_id: key.metadata.key_id.clone(),
                key_material_state: if material_id == key.material_id { "CURRENT" } else { "NON_CURRENT" }.to_owned(),
                key_material_id: material_id,
                rotation_date: at.and_then(|at| Timestamp::from_millisecond(at).ok()).map(EpochSeconds),
                rotation_type: kind,
            };
            let entries = rows.into_iter().map(entry);
            Ok(entries.filter(|entry| with_first || entry.rotation_type.is_some()).collect::<Vec<_>>())
        })?;
        // A marker is the index of a rotation, because rotations are only ever appended.
        let numbered = all.into_iter().enumerate().map(|(at, entry)| (format!("{at:05}"), entry)).collect();
        let page = paginate(numbered, |(at, _)| at, request.limit, 100, 1000, request.marker.as_deref())?;
        let rotations = page.items.into_iter().map(|(_, entry)| entry).collect();
        Ok(ListKeyRotationsOutput { rotations, truncated: page.next_marker.is_some(), next_marker: page.next_marker })
    }

    /// Rotates the keys whose rotation is due. A key that isn't enabled waits for its next rotation date.
    pub fn rotate_due_keys(&self, now: i64) -> ApiResult<()> {
        self.store().write(|tx| {
            let mut query = tx.prepare("SELECT world, key_id, days, next FROM rotation_schedules WHERE next <= ?1")?;
            let rows = query.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            let due: Vec<(String, String, i64, i64)> = rows.collect::<Result<_, _>>()?;
            for (account_region, key_id, days, at) in due {
                let (account, region) = account_region.split_once('/').unwrap_or_default();
                let call = Self {
                    account: account.to_owned(),
                    region: region.to_owned(),
                    account_region: account_region.clone(),
                    ..self.clone()
                };
                let key = call.load_key(tx, &key_id)?;
                if key.metadata.key_state == KeyState::Enabled {
                    call.rotate_key_material(
                        tx,
                        key,
                        "AUTOMATIC",
                        Timestamp::from_millisecond(at).unwrap_or_default(),
                    )?;
                }
                let period = days * 24 * 3_600_000;
                let next = at + ((now - at) / period + 1) * period;
                tx.execute(
                    "UPDATE rotation_schedules SET next = ?3 WHERE world = ?1 AND key_id = ?2",
                    params![account_region, key_id, next],
                )?;
            }
            Ok(())
        })
    }
}
