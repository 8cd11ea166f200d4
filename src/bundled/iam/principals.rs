//! IAM and STS operations that look up users, roles, and callers.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    GetRole, GetRoleOutput, GetUser, GetUserOutput, ListAccountAliases, ListAccountAliasesOutput, ListRoles,
    ListRolesOutput, ListUsers, ListUsersOutput, Role, Tag, User,
};
use crate::aws::limits;
use crate::aws::member_list::MemberList;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::aws::sts::{CallerIdentity, GetCallerIdentity};
use crate::bundled::iam::credential_error::CredentialError;
use crate::bundled::iam::sessions::SessionAttributes;
use crate::bundled::pagination::paginate;
use crate::bundled::store::{OpenError, Sources, Store, StoreError};
use crate::bundled::{AccessKey, ApiResult, Call, Caller, Inner};
use crate::environment::{Random, RandomError};

/// Returns the account, the kind, and the name of a user or role, which identify it in the database.
fn principal_key(arn: &str) -> ApiResult<[String; 3]> {
    let arn: Arn =
        arn.parse().map_err(|_| ServiceError::new("InternalFailure", "The ARN of a principal is not valid."))?;
    let kind = arn.resource.split('/').next().unwrap_or_default().to_owned();
    let name = arn.resource.rsplit('/').next().unwrap_or_default().to_owned();
    Ok([arn.account, kind, name])
}

/// Adds a user or role, with its policies, to the sources of a record.
pub fn add_principal(sources: &mut Sources, arn: &str) -> ApiResult<()> {
    let key = principal_key(arn)?;
    for table in ["principals", "principal_policies"] {
        sources.add_row(table, &key.each_ref().map(String::as_str));
    }
    Ok(())
}

/// Returns the names and texts of the policies of a user or role, sorted by name.
pub fn policies_of(tx: &Transaction, arn: &str) -> ApiResult<Vec<(String, String)>> {
    let mut query = tx.prepare_cached(
        "SELECT name, document FROM principal_policies WHERE account = ?1 AND kind = ?2 AND principal = ?3 ORDER BY name",
    )?;
    let rows = query.query_map(principal_key(arn)?, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
}

/// Returns the tags of a user or role.
pub fn tags_of_principal(tx: &Transaction, arn: &str) -> ApiResult<Vec<Tag>> {
    let [account, kind, name] = principal_key(arn)?;
    let query = "SELECT document -> '$.Tags.member' FROM principals
                 WHERE account = ?1 AND kind = ?2 AND name = ?3 AND document ->> '$.Arn' = ?4";
    let found: Option<Option<String>> =
        tx.prepare_cached(query)?.query_row([&account, &kind, &name, arn], |row| row.get(0)).optional()?;
    Ok(found.flatten().as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default())
}

/// The caller that an access key belongs to, and its secret.
struct AccessKeyRecord {
    caller: Arc<Caller>,
    secret: SecretString,
}

/// Returns the caller that an access key belongs to, and its secret.
pub fn find_access_key(aws: &Inner, id: &str) -> Result<(Arc<Caller>, SecretString), CredentialError> {
    let key = aws.store.get_or_load(id, |tx, sources| -> Result<_, CredentialError> {
        sources.add_row("access_keys", &[id]);
        let mut query = tx.prepare_cached("SELECT account, arn, user_id, secret FROM access_keys WHERE id = ?1")?;
        let row = query.query_row([id], |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?)));
        let ([account, arn, user_id], sealed): ([String; 3], Vec<u8>) =
            row.optional()?.ok_or(CredentialError::Unknown)?;
        add_principal(sources, &arn)?;
        let caller = Arc::new(Caller {
            account,
            issuer_arn: arn.clone(),
            access_key_id: id.to_owned(),
            policies: policies_of(tx, &arn)?
                .iter()
                .filter_map(|(_, text)| aws.policy_cache.get_or_parse(text))
                .collect(),
            tags: tags_of_principal(tx, &arn)?,
            session: None,
            arn,
            user_id,
            session_policy: None,
        });
        Ok(AccessKeyRecord { caller, secret: unseal_secret(&aws.store, id, &sealed)? })
    })?;
    Ok((Arc::clone(&key.caller), key.secret.clone()))
}

/// Returns the caller for a request that a user makes, or a role in the session `session_name`.
///
/// # Errors
/// `NoSuchEntity` if the principal doesn't exist.
pub fn find_caller(aws: &Inner, arn: &str, session_name: &str) -> ApiResult<Arc<Caller>> {
    aws.store.get_or_load(&format!("{arn}/{session_name}"), |tx, sources| {
        add_principal(sources, arn)?;
        let [account, kind, name] = principal_key(arn)?;
        let query = "SELECT document FROM principals
                     WHERE account = ?1 AND kind = ?2 AND name = ?3 AND document ->> '$.Arn' = ?4";
        let found = tx.query_row(query, [&account, &kind, &name, arn], |row| row.get::<_, String>(0));
        let document = found.optional()?.ok_or_else(|| no_such_entity("principal", arn))?;
        let policies = policies_of(tx, arn)?;
        let digest = Sha256::digest(format!("{arn}/{session_name}"));
        let mut caller = Caller {
            account,
            arn: arn.to_owned(),
            issuer_arn: arn.to_owned(),
            user_id: String::new(),
            access_key_id: format!("ASIA{}", unique_id(digest.first_chunk().unwrap_or(&[0; 16]))),
            policies: policies.iter().filter_map(|(_, text)| aws.policy_cache.get_or_parse(text)).collect(),
            session_policy: None,
            tags: tags_of_principal(tx, arn)?,
            session: None,
        };
        if kind == "role" {
            let role: Role = serde_json::from_str(&document)?;
            let parsed: Arn = arn.parse().map_err(|_| no_such_entity("role", arn))?;
            caller.arn = format!("arn:{}:sts::{}:assumed-role/{name}/{session_name}", parsed.partition, caller.account);
            caller.user_id = format!("{}:{session_name}", role.role_id);
            caller.session = Some(SessionAttributes::default());
        } else {
            let user: User = serde_json::from_str(&document)?;
            sources.add_row("access_keys", &[arn]);
            let query = "SELECT min(id) FROM access_keys WHERE arn = ?1";
            let access_key: Option<String> = tx.query_row(query, [arn], |row| row.get(0))?;
            caller.access_key_id = access_key.unwrap_or(caller.access_key_id);
            caller.user_id = user.user_id;
        }
        Ok(caller)
    })
}

fn unseal_secret(store: &Store, id: &str, sealed: &[u8]) -> ApiResult<SecretString> {
    let secret = store.unseal(&["access_keys", id], sealed)?;
    Ok(SecretString::new(String::from_utf8_lossy(&secret).into_owned()))
}

/// Returns the credentials of an existing access key.
fn load_credentials(store: &Store, id: &str) -> Result<Credentials, OpenError> {
    let sealed: Vec<u8> =
        store.read(|tx| tx.query_row("SELECT secret FROM access_keys WHERE id = ?1", [id], |row| row.get(0)))?;
    let secret_access_key = unseal_secret(store, id, &sealed).map_err(ServiceError::from)?;
    Ok(Credentials { access_key_id: id.to_owned(), secret_access_key, session_token: None })
}

/// Returns 16 random characters from A-Z and 2-7, for the end of a unique ID of IAM.
pub fn unique_id_suffix(random: &Random) -> Result<String, RandomError> {
    Ok(unique_id(&random.bytes()?))
}

fn unique_id(bytes: &[u8; 16]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Returns the access key of the console's user.
pub fn console_credentials(store: &Store) -> Result<Credentials, OpenError> {
    let id: Vec<u8> = store
        .read(|tx| tx.query_row("SELECT value FROM meta WHERE name = 'console-access-key'", [], |row| row.get(0)))?;
    load_credentials(store, &String::from_utf8_lossy(&id))
}

/// Replaces the access key of the console's user.
pub fn replace_console_credentials(store: &Store, credentials: &Credentials) -> Result<(), OpenError> {
    let id = &credentials.access_key_id;
    let sealed = store.seal(&["access_keys", id], credentials.secret_access_key.expose().as_bytes())?;
    store.write(|tx| {
        let is_console_key = "CAST(id AS BLOB) = (SELECT value FROM meta WHERE name = 'console-access-key')";
        tx.execute(
            &format!("UPDATE access_keys SET id = ?1, secret = ?2 WHERE {is_console_key}"),
            params![id, sealed],
        )?;
        tx.execute("UPDATE meta SET value = ?1 WHERE name = 'console-access-key'", [id.as_bytes()])?;
        Ok(())
    })
}

/// Returns the ARN of the console's user.
pub fn console_user(store: &Store) -> Result<Arn, OpenError> {
    let query = "SELECT arn FROM access_keys WHERE CAST(id AS BLOB) = (SELECT value FROM meta WHERE name = 'console-access-key')";
    let arn: String = store.read(|tx| tx.query_row(query, [], |row| row.get(0)))?;
    arn.parse().map_err(|_| ServiceError::new("InternalFailure", "The ARN of the console's user is not valid.").into())
}

/// Returns the access keys of all users that have one, the console's first.
pub fn access_keys(store: &Store) -> Result<Vec<AccessKey>, OpenError> {
    let query = "SELECT id, arn FROM access_keys
                 ORDER BY CAST(id AS BLOB) <> (SELECT value FROM meta WHERE name = 'console-access-key'), arn";
    let found: Vec<(String, String)> = store.read(|tx| {
        let mut query = tx.prepare(query)?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, rusqlite::Error>>()
    })?;
    let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    found
        .iter()
        .map(|(id, arn)| Ok(AccessKey { user_name: name(arn), credentials: load_credentials(store, id)? }))
        .collect()
}

/// Returns the names and ARNs of all roles.
pub fn roles(store: &Store) -> Result<Vec<(String, String)>, OpenError> {
    let query = "SELECT name, document ->> '$.Arn' FROM principals WHERE kind = 'role' ORDER BY account, name";
    Ok(store.read(|tx| {
        let mut query = tx.prepare(query)?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, rusqlite::Error>>()
    })?)
}

pub fn no_such_entity(kind: &str, name: &str) -> ServiceError {
    ServiceError::new("NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
}

/// URL-encodes a policy as IAM does in its responses, according to RFC 3986.
pub fn url_encode(policy: &str) -> String {
    form_urlencoded::byte_serialize(policy.as_bytes()).collect::<String>().replace('+', "%20")
}

impl Call<'_> {
    fn list_principals<T: DeserializeOwned>(&self, kind: &str) -> ApiResult<Vec<T>> {
        self.store().read(|tx| {
            let mut query =
                tx.prepare("SELECT document FROM principals WHERE account = ?1 AND kind = ?2 ORDER BY name")?;
            let rows = query.query_map([&self.caller.account, kind], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
        })
    }

    pub fn list_users(&self, request: &ListUsers) -> ApiResult<ListUsersOutput> {
        self.authorize("iam:ListUsers", "*")?;
        let mut all: Vec<User> = self.list_principals("user")?;
        let prefix = request.path_prefix.as_deref().unwrap_or_default();
        all.retain(|user| user.path.starts_with(prefix));
        for user in &mut all {
            user.tags = MemberList::default();
        }
        let page = paginate(all, |user| &user.user_name, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(ListUsersOutput {
            users: MemberList { member: page.items },
            is_truncated: page.next_marker.is_some(),
            marker: page.next_marker,
        })
    }

    pub fn list_roles(&self, request: &ListRoles) -> ApiResult<ListRolesOutput> {
        self.authorize("iam:ListRoles", "*")?;
        let mut all: Vec<Role> = self.list_principals("role")?;
        let prefix = request.path_prefix.as_deref().unwrap_or_default();
        all.retain(|role| role.path.starts_with(prefix));
        for role in &mut all {
            role.tags = MemberList::default();
            role.assume_role_policy_document = role.assume_role_policy_document.as_deref().map(url_encode);
        }
        let page = paginate(all, |role| &role.role_name, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(ListRolesOutput {
            roles: MemberList { member: page.items },
            is_truncated: page.next_marker.is_some(),
            marker: page.next_marker,
        })
    }

    pub fn get_user(&self, request: &GetUser) -> ApiResult<GetUserOutput> {
        let Some(name) = request.user_name.as_deref().or(self.caller.user_name()) else {
            let message = "Must specify userName when calling with non-User credentials";
            return Err(ServiceError::new("ValidationError", message).into());
        };
        let user = self.find_principal_by_name::<User>("user", name)?;
        self.authorize(
            "iam:GetUser",
            &user.as_ref().map_or_else(|| self.iam_arn("user", name), |user| user.arn.clone()),
        )?;
        Ok(GetUserOutput { user: user.ok_or_else(|| no_such_entity("user", name))? })
    }

    pub fn get_role(&self, request: &GetRole) -> ApiResult<GetRoleOutput> {
        let name = request.role_name.as_str();
        let role = self.find_principal_by_name::<Role>("role", name)?;
        self.authorize(
            "iam:GetRole",
            &role.as_ref().map_or_else(|| self.iam_arn("role", name), |role| role.arn.clone()),
        )?;
        Ok(GetRoleOutput { role: role.ok_or_else(|| no_such_entity("role", name))? })
    }

    pub fn iam_arn(&self, kind: &str, name: &str) -> String {
        format!("arn:{}:iam::{}:{kind}/{name}", self.partition(), self.caller.account)
    }

    pub fn find_principal_by_name<T: DeserializeOwned>(&self, kind: &str, name: &str) -> ApiResult<Option<T>> {
        let query = "SELECT document FROM principals WHERE account = ?1 AND kind = ?2 AND name = ?3";
        let found = self.store().read(|tx| -> ApiResult<Option<String>> {
            Ok(tx.query_row(query, [&self.caller.account, kind, name], |row| row.get(0)).optional()?)
        })?;
        Ok(found.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// Finds the user or role of this account with this ARN, and returns the parsed ARN and the unique ID.
    pub fn find_principal_by_arn(&self, arn: &str) -> ApiResult<(Arn, String)> {
        let invalid = || ServiceError::new("InvalidInput", format!("Invalid PolicySourceArn: {arn}"));
        let parsed: Arn = arn.parse().map_err(|_| invalid())?;
        let (kind, name) = parsed.resource.split_once('/').ok_or_else(invalid)?;
        if parsed.service != "iam" || !matches!(kind, "user" | "role" | "group") {
            return Err(invalid().into());
        }
        let name = name.rsplit('/').next().unwrap_or_default();
        let found = match kind {
            _ if parsed.account != self.caller.account => None,
            "user" => self.find_principal_by_name::<User>(kind, name)?.map(|user| (user.arn, user.user_id)),
            _ => self.find_principal_by_name::<Role>(kind, name)?.map(|role| (role.arn, role.role_id)),
        };
        let (_, id) = found.filter(|(found_arn, _)| found_arn == arn).ok_or_else(|| no_such_entity(kind, name))?;
        Ok((parsed, id))
    }

    pub fn list_account_aliases(&self, _: &ListAccountAliases) -> ApiResult<ListAccountAliasesOutput> {
        self.authorize("iam:ListAccountAliases", "*")?;
        let name = format!("account-alias/{}", self.caller.account);
        let alias: Option<Vec<u8>> = self.store().read(|tx| {
            let found = tx.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0));
            found.optional().map_err(StoreError::from)
        })?;
        let member = alias.into_iter().map(|alias| String::from_utf8_lossy(&alias).into_owned()).collect();
        Ok(ListAccountAliasesOutput { account_aliases: MemberList { member }, is_truncated: false })
    }

    // The operation table requires handlers to return a `Result`.
    #[allow(clippy::unnecessary_wraps)]
    pub fn get_caller_identity(&self, _: &GetCallerIdentity) -> ApiResult<CallerIdentity> {
        let Caller { account, arn, user_id, .. } = (*self.caller).clone();
        Ok(CallerIdentity { user_id, account, arn })
    }

    fn role_exists(&self, account: &str, name: &str) -> ApiResult<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM principals WHERE account = ?1 AND kind = 'role' AND name = ?2)";
        self.store().read(|tx| Ok(tx.query_row(query, [account, name], |row| row.get(0))?))
    }

    /// Returns whether a principal of a policy exists: a known user or role, or any account.
    pub fn principal_exists(&self, name: &str) -> ApiResult<bool> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if name == "*" || is_account(name) {
            return Ok(true);
        }
        let Ok(arn) = name.parse::<Arn>() else { return Ok(false) };
        if arn.partition != self.partition() || !arn.region.is_empty() || !is_account(&arn.account) {
            return Ok(false);
        }
        if let Some(session) = arn.resource.strip_prefix("assumed-role/").filter(|_| arn.service == "sts") {
            // The role must exist, but the session doesn't have to. A session's ARN doesn't contain the role's path.
            let Some((role, session)) = session.split_once('/') else { return Ok(false) };
            let is_session = limits::role_session_name(session).is_ok();
            return Ok(is_session && self.role_exists(&arn.account, role)?);
        }
        if arn.service != "iam" {
            return Ok(false);
        }
        let Some((kind, _)) = arn.resource.split_once('/') else { return Ok(arn.resource == "root") };
        let bare_name = arn.resource.rsplit('/').next().unwrap_or_default();
        self.store().read(|tx| {
            let document: Option<String> = tx
                .query_row(
                    "SELECT document FROM principals WHERE account = ?1 AND kind = ?2 AND name = ?3",
                    [&arn.account, kind, bare_name],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(document) = document else { return Ok(false) };
            let document: serde_json::Value = serde_json::from_str(&document)?;
            Ok(document["Arn"] == name)
        })
    }
}
