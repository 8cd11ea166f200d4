//! CreateAlias, UpdateAlias, DeleteAlias, ListAliases.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{AliasListEntry, CreateAlias, DeleteAlias, ListAliases, ListAliasesOutput, UpdateAlias};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::pagination::PageRequest;
use crate::bundled::{ApiResult, Call, account_region};

/// The maximum number of aliases of a key. Source: *KMS resource quotas*.
const MAX_ALIASES_PER_KEY: i64 = 50;

fn check_alias_name(name: &str) -> Result<(), ServiceError> {
    if limits::is_reserved_alias(name) {
        return Err(ServiceError::new("InvalidAliasNameException", "Aliases can't start with alias/aws/."));
    }
    limits::alias_name(name).map_err(|violation| violation.to_service_error(name))
}

impl Call<'_> {
    pub fn create_alias(&self, request: &CreateAlias) -> ApiResult<Empty> {
        let name = &request.alias_name;
        check_alias_name(name)?;
        self.commit_with_event(|tx| {
            self.authorize(
                AuthorizationRequest::from("kms:CreateAlias").with_condition_key("kms:RequestAlias", name),
                &self.alias_arn(name),
            )?;
            let key = self.find_alias_target(tx, &request.target_key_id, "kms:CreateAlias")?;
            if self.alias_target_of(tx, name)?.is_some() {
                let message = format!("An alias with the name {} already exists", self.alias_arn(name));
                return Err(ServiceError::new("AlreadyExistsException", message).into());
            }
            self.check_alias_quota(tx, &key)?;
            let now = self.store().environment().clock.now().as_millisecond();
            tx.execute(
                "INSERT INTO aliases VALUES (?1, ?2, ?3, ?4, ?4)",
                params![self.account_region, name, key.metadata.key_id, now],
            )?;
            Ok(Empty {})
        })
    }

    pub fn update_alias(&self, request: &UpdateAlias) -> ApiResult<Empty> {
        let name = &request.alias_name;
        check_alias_name(name)?;
        self.commit_with_event(|tx| {
            self.authorize("kms:UpdateAlias", &self.alias_arn(name))?;
            let key = self.find_alias_target(tx, &request.target_key_id, "kms:UpdateAlias")?;
            let before = self.alias_target_of(tx, name)?.ok_or_else(|| self.alias_not_found(name))?;
            if before != key.metadata.key_id {
                // The caller also needs the permission on the alias's previous key, whose state doesn't matter.
                self.find_key_by_id(tx, &before, "kms:UpdateAlias")?;
                self.check_alias_quota(tx, &key)?;
            }
            let now = self.store().environment().clock.now().as_millisecond();
            tx.execute(
                "UPDATE aliases SET key_id = ?3, updated = ?4 WHERE world = ?1 AND name = ?2",
                params![self.account_region, name, key.metadata.key_id, now],
            )?;
            Ok(Empty {})
        })
    }

    pub fn delete_alias(&self, request: &DeleteAlias) -> ApiResult<Empty> {
        let name = &request.alias_name;
        check_alias_name(name)?;
        self.commit_with_event(|tx| {
            self.authorize("kms:DeleteAlias", &self.alias_arn(name))?;
            let target = self.alias_target_of(tx, name)?.ok_or_else(|| self.alias_not_found(name))?;
            self.find_key_by_id(tx, &target, "kms:DeleteAlias")?;
            tx.execute("DELETE FROM aliases WHERE world = ?1 AND name = ?2", [&self.account_region, name])?;
            Ok(Empty {})
        })
    }

    fn alias_arn(&self, name: &str) -> String {
        Arn::kms_alias(&self.region, &self.account, name).to_string()
    }

    fn alias_not_found(&self, name: &str) -> ServiceError {
        ServiceError::new("NotFoundException", format!("Alias {} is not found.", self.alias_arn(name)))
    }

    /// Finds the key that an alias will refer to.
    fn find_alias_target(&self, tx: &Transaction, id: &str, action: &'static str) -> ApiResult<KeyRecord> {
        if id.contains(limits::ALIAS_PREFIX) {
            return Err(ServiceError::validation("Aliases must refer to keys. Not aliases").into());
        }
        self.find_changeable_key(tx, id, action)
    }

    /// Returns the alias names of a key, sorted.
    pub fn alias_names_of(&self, tx: &Transaction, key: &KeyRecord) -> ApiResult<Vec<String>> {
        let account_region = account_region(&key.metadata.aws_account_id, &self.region);
        let mut query = tx.prepare_cached("SELECT name FROM aliases WHERE world = ?1 AND key_id = ?2 ORDER BY name")?;
        let rows = query.query_map([&account_region, &key.metadata.key_id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn alias_target_of(&self, tx: &Transaction, name: &str) -> ApiResult<Option<String>> {
        let query = "SELECT key_id FROM aliases WHERE world = ?1 AND name = ?2";
        Ok(tx.query_row(query, [&self.account_region, name], |row| row.get(0)).optional()?)
    }

    fn check_alias_quota(&self, tx: &Transaction, key: &KeyRecord) -> ApiResult<()> {
        let query = "SELECT count(*) FROM aliases WHERE world = ?1 AND key_id = ?2";
        let count: i64 = tx.query_row(query, [&self.account_region, &key.metadata.key_id], |row| row.get(0))?;
        if count >= MAX_ALIASES_PER_KEY {
            return Err(ServiceError::new("LimitExceededException", "A KMS key can have at most 50 aliases.").into());
        }
        Ok(())
    }

    pub fn list_aliases(&self, request: &ListAliases) -> ApiResult<ListAliasesOutput> {
        self.authorize("kms:ListAliases", "*")?;
        let page_request = PageRequest::new(request.limit, 50, 100, request.marker.as_deref())?;
        let aliases: Vec<AliasListEntry> = self.store().read(|tx| -> ApiResult<_> {
            let only = request.key_id.as_deref().map(|id| self.load_key(tx, id)).transpose()?;
            let only = only.map(|key| key.metadata.key_id);
            let (index, condition) =
                if only.is_some() { ("INDEXED BY aliases_of_key", "key_id = ?4") } else { ("", "?4 IS NULL") };
            let mut query = tx.prepare_cached(&format!(
                "SELECT name, key_id, created, coalesce(updated, created) FROM aliases {index}
                 WHERE world = ?1 AND name > ?2 AND {condition} ORDER BY name LIMIT ?3",
            ))?;
            let date = |row: &rusqlite::Row, column| -> rusqlite::Result<Option<EpochSeconds>> {
                Ok(Timestamp::from_millisecond(row.get(column)?).ok().map(EpochSeconds))
            };
            let rows = query.query_map(
                params![self.account_region, page_request.after, page_request.fetch_limit(), only],
                |row| {
                    let alias_name: String = row.get(0)?;
                    Ok(AliasListEntry {
                        alias_arn: self.alias_arn(&alias_name),
                        alias_name,
                        target_key_id: Some(row.get(1)?),
                        creation_date: date(row, 2)?,
                        last_updated_date: date(row, 3)?,
                    })
                },
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        let page = page_request.build_page(aliases, |alias| &alias.alias_name);
        Ok(ListAliasesOutput {
            aliases: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }
}
