//! CreateAlias, UpdateAlias, DeleteAlias, ListAliases.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::authorize::Deed;
use super::keys::FoundKey;
use super::paging::Asked;
use super::{Answer, Call, world_of};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{AliasListEntry, CreateAlias, DeleteAlias, ListAliases, ListAliasesOutput, UpdateAlias};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;

/// Aliases that a key can have (KMS resource quotas).
const MOST_ALIASES: i64 = 50;

fn check_name(name: &str) -> Result<(), ServiceError> {
    if limits::is_reserved_alias(name) {
        return Err(ServiceError::new("InvalidAliasNameException", "Aliases can't begin with alias/aws/."));
    }
    limits::alias_name(name).map_err(|violation| violation.to_service_error(name))
}

impl Call<'_> {
    pub fn create_alias(&self, request: &CreateAlias) -> Answer<Empty> {
        let name = &request.alias_name;
        check_name(name)?;
        self.change(|tx| {
            self.permit_on(Deed::from("kms:CreateAlias").with("kms:RequestAlias", name), &self.alias_arn(name))?;
            let key = self.find_target(tx, &request.target_key_id, "kms:CreateAlias")?;
            if self.target_of(tx, name)?.is_some() {
                let message = format!("An alias with the name {} already exists", self.alias_arn(name));
                return Err(ServiceError::new("AlreadyExistsException", message).into());
            }
            self.check_room(tx, &key)?;
            let now = self.store().world().clock.now().as_millisecond();
            tx.execute(
                "INSERT INTO aliases VALUES (?1, ?2, ?3, ?4, ?4)",
                params![self.world, name, key.metadata.key_id, now],
            )?;
            Ok(Empty {})
        })
    }

    pub fn update_alias(&self, request: &UpdateAlias) -> Answer<Empty> {
        let name = &request.alias_name;
        check_name(name)?;
        self.change(|tx| {
            self.permit_on("kms:UpdateAlias", &self.alias_arn(name))?;
            let key = self.find_target(tx, &request.target_key_id, "kms:UpdateAlias")?;
            let before = self.target_of(tx, name)?.ok_or_else(|| self.no_such_alias(name))?;
            if before != key.metadata.key_id {
                // Whoever takes a name from a key needs the permission there, too; its state does not matter.
                self.find_key_by_id(tx, &before, "kms:UpdateAlias")?;
                self.check_room(tx, &key)?;
            }
            let now = self.store().world().clock.now().as_millisecond();
            tx.execute(
                "UPDATE aliases SET key_id = ?3, updated = ?4 WHERE world = ?1 AND name = ?2",
                params![self.world, name, key.metadata.key_id, now],
            )?;
            Ok(Empty {})
        })
    }

    pub fn delete_alias(&self, request: &DeleteAlias) -> Answer<Empty> {
        let name = &request.alias_name;
        check_name(name)?;
        self.change(|tx| {
            self.permit_on("kms:DeleteAlias", &self.alias_arn(name))?;
            let target = self.target_of(tx, name)?.ok_or_else(|| self.no_such_alias(name))?;
            self.find_key_by_id(tx, &target, "kms:DeleteAlias")?;
            tx.execute("DELETE FROM aliases WHERE world = ?1 AND name = ?2", [&self.world, name])?;
            Ok(Empty {})
        })
    }

    fn alias_arn(&self, name: &str) -> String {
        Arn::kms_alias(&self.region, &self.account, name).to_string()
    }

    fn no_such_alias(&self, name: &str) -> ServiceError {
        ServiceError::new("NotFoundException", format!("Alias {} is not found.", self.alias_arn(name)))
    }

    /// The key that an alias is to point to.
    fn find_target(&self, tx: &Transaction, id: &str, action: &'static str) -> Answer<FoundKey> {
        if id.contains(limits::ALIAS_PREFIX) {
            return Err(ServiceError::validation("Aliases must refer to keys. Not aliases").into());
        }
        self.find_changeable_key(tx, id, action)
    }

    /// The names of a key, in order.
    pub fn names_of(&self, tx: &Transaction, key: &FoundKey) -> Answer<Vec<String>> {
        let there = world_of(&key.metadata.aws_account_id, &self.region);
        let mut query = tx.prepare_cached("SELECT name FROM aliases WHERE world = ?1 AND key_id = ?2 ORDER BY name")?;
        let rows = query.query_map([&there, &key.metadata.key_id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn target_of(&self, tx: &Transaction, name: &str) -> Answer<Option<String>> {
        let query = "SELECT key_id FROM aliases WHERE world = ?1 AND name = ?2";
        Ok(tx.query_row(query, [&self.world, name], |row| row.get(0)).optional()?)
    }

    fn check_room(&self, tx: &Transaction, key: &FoundKey) -> Answer<()> {
        let query = "SELECT count(*) FROM aliases WHERE world = ?1 AND key_id = ?2";
        let count: i64 = tx.query_row(query, [&self.world, &key.metadata.key_id], |row| row.get(0))?;
        if count >= MOST_ALIASES {
            return Err(ServiceError::new("LimitExceededException", "A key can have 50 aliases.").into());
        }
        Ok(())
    }

    pub fn list_aliases(&self, request: &ListAliases) -> Answer<ListAliasesOutput> {
        self.permit_on("kms:ListAliases", "*")?;
        let asked = Asked::new(request.limit, 50, 100, request.marker.as_deref())?;
        let aliases: Vec<AliasListEntry> = self.store().read(|tx| -> Answer<_> {
            let only = request.key_id.as_deref().map(|id| self.look_up_key(tx, id)).transpose()?;
            let only = only.map(|key| key.metadata.key_id);
            let mut query = tx.prepare_cached(
                "SELECT name, key_id, created, coalesce(updated, created) FROM aliases
                 WHERE world = ?1 AND name > ?2 AND (?4 IS NULL OR key_id = ?4) ORDER BY name LIMIT ?3",
            )?;
            let date = |row: &rusqlite::Row, column| -> rusqlite::Result<Option<EpochSeconds>> {
                Ok(Timestamp::from_millisecond(row.get(column)?).ok().map(EpochSeconds))
            };
            let rows = query.query_map(params![self.world, asked.after, asked.count(), only], |row| {
                let alias_name: String = row.get(0)?;
                Ok(AliasListEntry {
                    alias_arn: self.alias_arn(&alias_name),
                    alias_name,
                    target_key_id: Some(row.get(1)?),
                    creation_date: date(row, 2)?,
                    last_updated_date: date(row, 3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        let page = asked.page(aliases, |alias| &alias.alias_name);
        Ok(ListAliasesOutput { aliases: page.items, truncated: page.next.is_some(), next_marker: page.next })
    }
}
