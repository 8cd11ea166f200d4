//! CreateAlias, ListAliases.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::paging::page;
use super::{Answer, Call};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{AliasListEntry, CreateAlias, KeyState, ListAliases, ListAliasesOutput};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;

/// Aliases that a key can have (KMS resource quotas).
const MOST_ALIASES: i64 = 50;

impl Call<'_> {
    pub fn create_alias(&self, request: &CreateAlias) -> Answer<Empty> {
        let name = &request.alias_name;
        if limits::is_reserved_alias(name) {
            return Err(ServiceError::new("InvalidAliasNameException", "Aliases can't begin with alias/aws/.").into());
        }
        limits::alias_name(name).map_err(|violation| violation.to_service_error(Some(name)))?;
        if request.target_key_id.contains("alias/") {
            return Err(ServiceError::validation("Aliases must refer to keys. Not aliases").into());
        }
        let now = self.store().world().clock.now().as_millisecond();
        self.store().write(|tx| {
            let key = self.find_key(tx, &request.target_key_id)?;
            if key.metadata.key_state == KeyState::PendingDeletion {
                let message = format!("{} is pending deletion.", key.metadata.arn);
                return Err(ServiceError::new("KMSInvalidStateException", message).into());
            }
            let taken: Option<i64> = tx
                .query_row("SELECT 1 FROM aliases WHERE region = ?1 AND name = ?2", [&self.region, name], |row| {
                    row.get(0)
                })
                .optional()?;
            if taken.is_some() {
                let arn = Arn::kms_alias(&self.region, &self.caller.account, name);
                let message = format!("An alias with the name {arn} already exists");
                return Err(ServiceError::new("AlreadyExistsException", message).into());
            }
            let key_id = &key.metadata.key_id;
            let count: i64 = tx.query_row(
                "SELECT count(*) FROM aliases WHERE region = ?1 AND key_id = ?2",
                [&self.region, key_id],
                |row| row.get(0),
            )?;
            if count >= MOST_ALIASES {
                return Err(ServiceError::new("LimitExceededException", "A key can have 50 aliases.").into());
            }
            tx.execute("INSERT INTO aliases VALUES (?1, ?2, ?3, ?4)", params![self.region, name, key_id, now])?;
            Ok(Empty {})
        })
    }

    pub fn list_aliases(&self, request: &ListAliases) -> Answer<ListAliasesOutput> {
        let all: Vec<AliasListEntry> = self.store().read(|tx| -> Answer<_> {
            let only = request.key_id.as_deref().map(|id| self.find_key(tx, id)).transpose()?;
            let mut query = tx.prepare("SELECT name, key_id, created FROM aliases WHERE region = ?1 ORDER BY name")?;
            let rows = query.query_map([&self.region], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
            })?;
            let mut all = Vec::new();
            for row in rows {
                let (name, key_id, created) = row?;
                if only.as_ref().is_some_and(|key| key.metadata.key_id != key_id) {
                    continue;
                }
                let created = Timestamp::from_millisecond(created).ok().map(EpochSeconds);
                all.push(AliasListEntry {
                    alias_arn: Arn::kms_alias(&self.region, &self.caller.account, &name).to_string(),
                    alias_name: name,
                    target_key_id: Some(key_id),
                    creation_date: created,
                    last_updated_date: created,
                });
            }
            Ok(all)
        })?;
        let page = page(all, |alias| &alias.alias_name, request.limit, 50, 100, request.marker.as_deref())?;
        Ok(ListAliasesOutput { aliases: page.items, truncated: page.next.is_some(), next_marker: page.next })
    }
}
