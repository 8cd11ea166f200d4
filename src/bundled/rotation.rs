//! EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, ListKeyRotations, RotateKeyOnDemand: for keys whose
//! material KMS makes. What older material encrypted is decrypted by it for ever.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};
use zeroize::Zeroizing;

use super::key_states::wrong_origin;
use super::keys::FoundKey;
use super::paging::page;
use super::{Answer, Call};
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    DisableKeyRotation, EnableKeyRotation, GetKeyRotationStatus, GetKeyRotationStatusOutput, KeyState,
    ListKeyRotations, ListKeyRotationsOutput, Origin, RotateKeyOnDemand, RotateKeyOnDemandOutput, RotationsListEntry,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;

/// The days between two rotations when none are named.
const USUAL_PERIOD: u32 = 365;
/// How often a key can be rotated on demand (KMS resource quotas).
const MOST_ON_DEMAND: u32 = 25;

/// Refuses keys whose material KMS doesn't make, and those that are not in use.
fn check(key: &FoundKey) -> Result<(), ServiceError> {
    let (arn, origin) = (&key.metadata.arn, key.metadata.origin);
    if origin != Origin::AwsKms {
        return Err(wrong_origin(arn, origin));
    }
    if key.metadata.key_state == KeyState::Disabled {
        return Err(ServiceError::new("DisabledException", format!("{arn} is disabled.")));
    }
    Ok(())
}

impl Call<'_> {
    pub fn enable_key_rotation(&self, request: &EnableKeyRotation) -> Answer<Empty> {
        let days = request.rotation_period_in_days.unwrap_or(USUAL_PERIOD);
        let deed =
            super::authorize::Deed::from("kms:EnableKeyRotation").with("kms:RotationPeriodInDays", days.to_string());
        self.change(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, deed)?;
            check(&key)?;
            let wait = SignedDuration::from_hours(24 * i64::from(days));
            let next = self.store().world().clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            tx.execute(
                "INSERT OR REPLACE INTO rotation_schedules VALUES (?1, ?2, ?3, ?4)",
                params![self.world, key.metadata.key_id, days, next.as_millisecond()],
            )?;
            Ok(Empty {})
        })
    }

    pub fn disable_key_rotation(&self, request: &DisableKeyRotation) -> Answer<Empty> {
        self.change(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:DisableKeyRotation")?;
            check(&key)?;
            let sql = "DELETE FROM rotation_schedules WHERE world = ?1 AND key_id = ?2";
            tx.execute(sql, [&self.world, &key.metadata.key_id])?;
            Ok(Empty {})
        })
    }

    pub fn get_key_rotation_status(&self, request: &GetKeyRotationStatus) -> Answer<GetKeyRotationStatusOutput> {
        self.store().read(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:GetKeyRotationStatus")?.metadata;
            if key.origin != Origin::AwsKms {
                return Err(wrong_origin(&key.arn, key.origin).into());
            }
            let there = super::world_of(&key.aws_account_id, &self.region);
            let sql = "SELECT days, next FROM rotation_schedules WHERE world = ?1 AND key_id = ?2";
            let schedule = tx.query_row(sql, [&there, &key.key_id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
            let schedule: Option<(u32, i64)> = schedule.optional()?;
            Ok(GetKeyRotationStatusOutput {
                // A key that is disabled is not rotated; the schedule is kept for when it is enabled.
                key_rotation_enabled: schedule.is_some(),
                key_id: Some(key.arn),
                rotation_period_in_days: schedule.map(|(days, _)| days),
                next_rotation_date: schedule
                    .and_then(|(_, next)| Timestamp::from_millisecond(next).ok())
                    .map(EpochSeconds),
            })
        })
    }

    pub fn rotate_key_on_demand(&self, request: &RotateKeyOnDemand) -> Answer<RotateKeyOnDemandOutput> {
        self.change(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:RotateKeyOnDemand")?;
            check(&key)?;
            let key_id = key.metadata.key_id.clone();
            let sql = "SELECT count(*) FROM key_materials WHERE world = ?1 AND key_id = ?2 AND kind = 'ON_DEMAND'";
            let so_far: u32 = tx.query_row(sql, [&self.world, &key_id], |row| row.get(0))?;
            if so_far >= MOST_ON_DEMAND {
                let message = format!("A key can be rotated on demand {MOST_ON_DEMAND} times.");
                return Err(ServiceError::new("LimitExceededException", message).into());
            }
            self.rotate(tx, key, "ON_DEMAND", self.store().world().clock.now())?;
            Ok(RotateKeyOnDemandOutput { key_id })
        })
    }

    /// Gives a key new material.
    fn rotate(&self, tx: &Transaction, key: FoundKey, kind: &str, at: Timestamp) -> Answer<()> {
        let world = self.store().world();
        let (key_id, material_id) = (key.metadata.key_id.clone(), world.random.hex::<32>()?);
        let material = Zeroizing::new(world.random.bytes::<32>()?);
        let record = ["key_material", &self.account, &self.region, &key_id, &material_id];
        let sealed = self.store().seal(&record, &*material)?;
        // The first rotation keeps the material that the key was made with.
        let keep = "INSERT OR IGNORE INTO key_materials VALUES (?1, ?2, ?3, ?4, NULL, NULL)";
        tx.execute(keep, params![self.world, key_id, key.material_id, key.material])?;
        tx.execute(
            "INSERT INTO key_materials VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.world, key_id, material_id, sealed, kind, at.as_millisecond()],
        )?;
        let (mut metadata, own_state) = (key.metadata, key.own_state);
        metadata.current_key_material_id = Some(material_id.clone());
        (metadata.key_state, metadata.enabled) = (own_state, own_state == KeyState::Enabled);
        tx.execute(
            "UPDATE keys SET document = ?3, material_id = ?4, material = ?5 WHERE world = ?1 AND id = ?2",
            params![self.world, key_id, serde_json::to_string(&metadata)?, material_id, sealed],
        )?;
        Ok(())
    }

    /// The material of a key that a blob names: the current one, or one before it.
    pub fn material_of(&self, tx: &Transaction, key: &FoundKey, material_id: &str) -> Answer<Option<Vec<u8>>> {
        if material_id == key.material_id {
            return Ok(Some(key.material.clone()));
        }
        let there = super::world_of(&key.metadata.aws_account_id, &self.region);
        let sql = "SELECT material FROM key_materials WHERE world = ?1 AND key_id = ?2 AND material_id = ?3";
        let found = tx.query_row(sql, [&there, &key.metadata.key_id, material_id], |row| row.get(0));
        Ok(found.optional()?)
    }

    pub fn list_key_rotations(&self, request: &ListKeyRotations) -> Answer<ListKeyRotationsOutput> {
        let with_first = request.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
        let all = self.store().read(|tx| -> Answer<_> {
            let key = self.find_changeable_key(tx, &request.key_id, "kms:ListKeyRotations")?;
            if key.metadata.origin != Origin::AwsKms {
                return Err(wrong_origin(&key.metadata.arn, key.metadata.origin).into());
            }
            let mut query = tx.prepare(
                "SELECT material_id, kind, at FROM key_materials WHERE world = ?1 AND key_id = ?2 ORDER BY at, rowid",
            )?;
            let rows = query
                .query_map([&self.world, &key.metadata.key_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
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
        // A page starts after a number: rotations are only ever added.
        let numbered = all.into_iter().enumerate().map(|(at, entry)| (format!("{at:05}"), entry)).collect();
        let page = page(numbered, |(at, _)| at, request.limit, 100, 1000, request.marker.as_deref())?;
        let rotations = page.items.into_iter().map(|(_, entry)| entry).collect();
        Ok(ListKeyRotationsOutput { rotations, truncated: page.next.is_some(), next_marker: page.next })
    }

    /// Rotates every key whose day has come; those that are not enabled wait.
    pub fn settle_rotations(&self, now: i64) -> Answer<()> {
        self.store().write(|tx| {
            let mut query = tx.prepare("SELECT world, key_id, days, next FROM rotation_schedules WHERE next <= ?1")?;
            let rows = query.query_map([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            let due: Vec<(String, String, i64, i64)> = rows.collect::<Result<_, _>>()?;
            for (world, key_id, days, at) in due {
                let (account, region) = world.split_once('/').unwrap_or_default();
                let there = Self {
                    account: account.to_owned(),
                    region: region.to_owned(),
                    world: world.clone(),
                    ..self.clone()
                };
                let key = there.look_up_key(tx, &key_id)?;
                if key.metadata.key_state == KeyState::Enabled {
                    there.rotate(tx, key, "AUTOMATIC", Timestamp::from_millisecond(at).unwrap_or_default())?;
                }
                let period = days * 24 * 3_600_000;
                let next = at + ((now - at) / period + 1) * period;
                tx.execute(
                    "UPDATE rotation_schedules SET next = ?3 WHERE world = ?1 AND key_id = ?2",
                    params![world, key_id, next],
                )?;
            }
            Ok(())
        })
    }
}
