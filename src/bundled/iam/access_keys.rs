//! Operations on the access keys of users.

use rusqlite::{OptionalExtension as _, params};

use super::principals::{no_such_entity, unique_id_suffix};
use super::validation_error;
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    AccessKey, AccessKeyMetadata, CreateAccessKey, CreateAccessKeyOutput, DeleteAccessKey, ListAccessKeys,
    ListAccessKeysOutput, User,
};
use crate::aws::member_list::MemberList;
use crate::aws::operation::Empty;
use crate::aws::scalar::SecretString;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};

/// The maximum number of access keys of a user.
const MAX_ACCESS_KEYS: u32 = 2;
/// The status of every access key. The bundled AWS doesn't support inactive ones.
const STATUS_ACTIVE: &str = "Active";

impl Call<'_> {
    /// Returns the user whose access keys a request is about: the named user, or else the caller.
    fn access_key_user(&self, action: &'static str, name: Option<&str>) -> ApiResult<User> {
        let Some(name) = name.or(self.caller.user_name()) else {
            return Err(validation_error("Must specify userName when calling with non-User credentials").into());
        };
        let (arn, user) = self.resolve_principal::<User>("user", name, |user| &user.arn)?;
        self.authorize(action, &arn)?;
        Ok(user.ok_or_else(|| no_such_entity("user", name))?)
    }

    pub fn create_access_key(&self, request: &CreateAccessKey) -> ApiResult<CreateAccessKeyOutput> {
        let user = self.access_key_user("iam:CreateAccessKey", request.user_name.as_deref())?;
        let environment = self.store().environment();
        let id = format!("AKIA{}", unique_id_suffix(&environment.random)?);
        let secret = zeroize::Zeroizing::new(environment.random.hex::<20>()?);
        let sealed = self.store().seal(&["access_keys", &id], secret.as_bytes())?;
        let created = self.now_iso8601();
        self.commit_with_event(|tx| {
            let count: u32 =
                tx.query_row("SELECT count(*) FROM access_keys WHERE arn = ?1", [&user.arn], |row| row.get(0))?;
            if count >= MAX_ACCESS_KEYS {
                let message = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_ACCESS_KEYS}");
                return Err(ServiceError::new("LimitExceeded", message).into());
            }
            tx.execute(
                "INSERT INTO access_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id, self.caller.account, user.arn, user.user_id, sealed, created],
            )?;
            Ok(CreateAccessKeyOutput {
                access_key: AccessKey {
                    user_name: user.user_name.clone(),
                    access_key_id: id.clone(),
                    status: STATUS_ACTIVE.to_owned(),
                    secret_access_key: SecretString::new(secret.to_string()),
                    create_date: created.clone(),
                },
            })
        })
    }

    pub fn list_access_keys(&self, request: &ListAccessKeys) -> ApiResult<ListAccessKeysOutput> {
        let user = self.access_key_user("iam:ListAccessKeys", request.user_name.as_deref())?;
        let keys = self.store().read(|tx| -> ApiResult<Vec<AccessKeyMetadata>> {
            let mut query = tx.prepare("SELECT id, created FROM access_keys WHERE arn = ?1 ORDER BY id")?;
            let rows = query.query_map([&user.arn], |row| {
                Ok(AccessKeyMetadata {
                    user_name: user.user_name.clone(),
                    access_key_id: row.get(0)?,
                    status: STATUS_ACTIVE.to_owned(),
                    create_date: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
        })?;
        let page = paginate(keys, |key| &key.access_key_id, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(ListAccessKeysOutput {
            access_key_metadata: MemberList { member: page.items },
            is_truncated: page.next_marker.is_some(),
            marker: page.next_marker,
        })
    }

    pub fn delete_access_key(&self, request: &DeleteAccessKey) -> ApiResult<Empty> {
        let user = self.access_key_user("iam:DeleteAccessKey", request.user_name.as_deref())?;
        if request.access_key_id == self.aws.console_credentials().access_key_id {
            let message = "The console signs its requests with this access key, so it can't be deleted.";
            return Err(ServiceError::new("DeleteConflict", message).into());
        }
        self.commit_with_event(|tx| {
            let owner: Option<String> = tx
                .query_row("SELECT arn FROM access_keys WHERE id = ?1", [&request.access_key_id], |row| row.get(0))
                .optional()?;
            if owner.as_ref() != Some(&user.arn) {
                return Err(no_such_entity("Access Key", &request.access_key_id).into());
            }
            tx.execute("DELETE FROM access_keys WHERE id = ?1", [&request.access_key_id])?;
            Ok(Empty {})
        })
    }
}
