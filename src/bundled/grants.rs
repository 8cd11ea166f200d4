//! CreateGrant, ListGrants, RevokeGrant, RetireGrant, and whether a grant allows something.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::authorize::Deed;
use super::keys::FoundKey;
use super::paging::page;
use super::{Answer, Call, world_of};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    CreateGrant, CreateGrantOutput, EncryptionContext, GrantConstraints, GrantListEntry, KeyState, ListGrants,
    ListGrantsOutput, RetireGrant, RevokeGrant,
};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;

/// What a grant can allow on a symmetric encryption key.
const OPERATIONS: [&str; 9] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
];
/// What can be granted, but not on keys of this kind.
const OTHER_OPERATIONS: [&str; 10] = [
    "Sign",
    "Verify",
    "GetPublicKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
    "Encapsulate",
    "Decapsulate",
];
/// Grants that a key can have (KMS resource quotas).
const MOST_GRANTS: usize = 50_000;

fn check(request: &CreateGrant) -> Result<(), ServiceError> {
    let missing = |name: &str| {
        ServiceError::validation(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    };
    if request.grantee_principal.is_none() {
        return Err(missing("granteePrincipal"));
    }
    if request.operations.is_empty() {
        return Err(missing("operations"));
    }
    for principal in [&request.grantee_principal, &request.retiring_principal].into_iter().flatten() {
        limits::principal_id(principal).map_err(|violation| violation.to_service_error(Some(principal)))?;
    }
    if let Some(name) = &request.name {
        limits::grant_name(name).map_err(|violation| violation.to_service_error(Some(name)))?;
    }
    for operation in &request.operations {
        if OTHER_OPERATIONS.contains(&operation.as_str()) {
            let message = format!("The operation {operation} is not valid for a symmetric encryption key.");
            return Err(ServiceError::validation(message));
        }
        if !OPERATIONS.contains(&operation.as_str()) {
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value '{operation}' at 'operations' failed to satisfy constraint: Member must \
                 satisfy enum value set: [{}, {}]",
                OPERATIONS.join(", "),
                OTHER_OPERATIONS.join(", ")
            )));
        }
    }
    Ok(())
}

fn invalid_grant_id() -> ServiceError {
    ServiceError::new("InvalidGrantIdException", "The grant ID is not one of this key.")
}

/// Whether these constraints are met; operations without an encryption context take no constrained grant.
fn are_met(constraints: Option<&GrantConstraints>, context: Option<&EncryptionContext>) -> bool {
    let Some(constraints) = constraints else { return true };
    let empty = EncryptionContext::new();
    let context = context.unwrap_or(&empty);
    let holds = |subset: &EncryptionContext| subset.iter().all(|(key, value)| context.get(key) == Some(value));
    constraints.encryption_context_equals.as_ref().is_none_or(|equals| equals == context)
        && constraints.encryption_context_subset.as_ref().is_none_or(holds)
}

/// Refuses tokens that no grant has.
pub fn check_tokens(tx: &Transaction, tokens: &[String]) -> Answer<()> {
    for token in tokens {
        let query = "SELECT EXISTS (SELECT 1 FROM grants WHERE token = ?1)";
        if !tx.query_row(query, [token], |row| row.get::<_, bool>(0))? {
            let message = "The grant token is not one that CreateGrant gave, or its grant is gone.";
            return Err(ServiceError::new("InvalidGrantTokenException", message).into());
        }
    }
    Ok(())
}

impl Call<'_> {
    pub fn create_grant(&self, request: &CreateGrant) -> Answer<CreateGrantOutput> {
        check(request)?;
        let world = self.store().world();
        let (grant_id, token, now) = (world.random.hex::<32>()?, world.random.hex::<48>()?, world.clock.now());
        let mut deed = Deed::from("kms:CreateGrant");
        for operation in &request.operations {
            deed = deed.with("kms:GrantOperations", operation);
        }
        for (key, principal) in [
            ("kms:GranteePrincipal", &request.grantee_principal),
            ("kms:RetiringPrincipal", &request.retiring_principal),
        ] {
            if let Some(principal) = principal {
                deed = deed.with(key, principal);
            }
        }
        if let Some(constraints) = &request.constraints {
            let equals = constraints.encryption_context_equals.is_some();
            deed = deed.with(
                "kms:GrantConstraintType",
                if equals { "EncryptionContextEquals" } else { "EncryptionContextSubset" },
            );
        }
        // Who may not grant learns nothing of who exists.
        self.store().read(|tx| self.find_key_by_id(tx, &request.key_id, deed.clone()))?;
        for principal in [&request.grantee_principal, &request.retiring_principal].into_iter().flatten() {
            if !self.principal_exists(principal)? {
                let message = format!("{principal} is not the ARN of a principal that exists.");
                return Err(ServiceError::new("InvalidArnException", message).into());
            }
        }
        self.change(|tx| {
            check_tokens(tx, request.grant_tokens.as_deref().unwrap_or_default())?;
            let key = self.find_key_by_id(tx, &request.key_id, deed)?;
            let arn = &key.metadata.arn;
            match key.metadata.key_state {
                KeyState::Disabled => {
                    return Err(ServiceError::new("DisabledException", format!("{arn} is disabled.")).into());
                }
                KeyState::PendingDeletion => {
                    let message = format!("{arn} is pending deletion.");
                    return Err(ServiceError::new("KMSInvalidStateException", message).into());
                }
                _ => {}
            }
            if request.dry_run == Some(true) {
                return Err(super::cryptography::dry_run().into());
            }
            let entry = GrantListEntry {
                key_id: arn.clone(),
                grant_id,
                name: request.name.clone(),
                creation_date: EpochSeconds(now),
                grantee_principal: request.grantee_principal.clone().unwrap_or_default(),
                retiring_principal: request.retiring_principal.clone(),
                issuing_account: Arn::account_root(self.partition(), &self.caller.account).to_string(),
                operations: request.operations.clone(),
                constraints: request.constraints.clone(),
            };
            let (there, key_id) = (world_of(&key.metadata.aws_account_id, &self.region), &key.metadata.key_id);
            let all = self.grants_of(tx, &key)?;
            let is_same = |other: &&(GrantListEntry, String)| {
                let (id, date) = (other.0.grant_id.clone(), other.0.creation_date);
                entry.name.is_some() && other.0 == GrantListEntry { grant_id: id, creation_date: date, ..entry.clone() }
            };
            if let Some((same, token)) = all.iter().find(is_same) {
                return Ok(CreateGrantOutput { grant_token: token.clone(), grant_id: same.grant_id.clone() });
            }
            if all.len() >= MOST_GRANTS {
                return Err(ServiceError::new("LimitExceededException", "A key can have 50,000 grants.").into());
            }
            tx.execute(
                "INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5)",
                params![there, key_id, entry.grant_id, token, serde_json::to_string(&entry)?],
            )?;
            Ok(CreateGrantOutput { grant_token: token, grant_id: entry.grant_id })
        })
    }

    /// The grants of a key and their tokens, by grant ID.
    fn grants_of(&self, tx: &Transaction, key: &FoundKey) -> Answer<Vec<(GrantListEntry, String)>> {
        let there = world_of(&key.metadata.aws_account_id, &self.region);
        let mut query =
            tx.prepare_cached("SELECT document, token FROM grants WHERE world = ?1 AND key_id = ?2 ORDER BY id")?;
        let rows =
            query.query_map([&there, &key.metadata.key_id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (document, token) = row?;
            Ok((serde_json::from_str(&document)?, token))
        })
        .collect()
    }

    /// Whether a grant on the key lets the caller do it.
    pub fn is_granted(&self, tx: &Transaction, deed: &Deed, key: &FoundKey) -> Answer<bool> {
        let operation = deed.action.strip_prefix("kms:").unwrap_or(deed.action);
        let grants = self.grants_of(tx, key)?;
        let allows = |grant: &GrantListEntry| {
            let is_grantee =
                [&self.caller.arn, &self.caller.issuer_arn].into_iter().any(|arn| *arn == grant.grantee_principal);
            // Constraints are about cryptographic operations; the others are allowed all the same.
            let is_met = deed.context.is_none() || are_met(grant.constraints.as_ref(), deed.context.as_ref());
            is_grantee && is_met && grant.operations.iter().any(|one| one == operation)
        };
        Ok(grants.iter().any(|(grant, _)| allows(grant)))
    }

    pub fn list_grants(&self, request: &ListGrants) -> Answer<ListGrantsOutput> {
        let all = self.store().read(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, "kms:ListGrants")?;
            self.grants_of(tx, &key)
        })?;
        let mut all: Vec<GrantListEntry> = all.into_iter().map(|(grant, _)| grant).collect();
        if let Some(id) = &request.grant_id {
            all.retain(|grant| grant.grant_id == *id);
            if all.is_empty() {
                return Err(invalid_grant_id().into());
            }
        }
        if let Some(principal) = &request.grantee_principal {
            all.retain(|grant| grant.grantee_principal == *principal);
        }
        let page = page(all, |grant| &grant.grant_id, request.limit, 50, 100, request.marker.as_deref())?;
        Ok(ListGrantsOutput { grants: page.items, truncated: page.next.is_some(), next_marker: page.next })
    }

    pub fn revoke_grant(&self, request: &RevokeGrant) -> Answer<Empty> {
        self.change(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, "kms:RevokeGrant")?;
            if !self.grants_of(tx, &key)?.iter().any(|(grant, _)| grant.grant_id == request.grant_id) {
                return Err(invalid_grant_id().into());
            }
            if request.dry_run == Some(true) {
                return Err(super::cryptography::dry_run().into());
            }
            self.delete_grant(tx, &key, &request.grant_id)
        })
    }

    fn delete_grant(&self, tx: &Transaction, key: &FoundKey, grant_id: &str) -> Answer<Empty> {
        let there = world_of(&key.metadata.aws_account_id, &self.region);
        let delete = "DELETE FROM grants WHERE world = ?1 AND key_id = ?2 AND id = ?3";
        tx.execute(delete, [&there, &key.metadata.key_id, grant_id])?;
        Ok(Empty {})
    }

    pub fn retire_grant(&self, request: &RetireGrant) -> Answer<Empty> {
        self.change(|tx| {
            let (arn, grant_id) = match request {
                RetireGrant { grant_token: Some(token), key_id: None, grant_id: None, .. } => {
                    check_tokens(tx, std::slice::from_ref(token))?;
                    let query = "SELECT document FROM grants WHERE token = ?1";
                    let document: Option<String> = tx.query_row(query, [token], |row| row.get(0)).optional()?;
                    let grant: GrantListEntry = serde_json::from_str(&document.unwrap_or_default())?;
                    (grant.key_id, grant.grant_id)
                }
                RetireGrant { grant_token: None, key_id: Some(key), grant_id: Some(id), .. } => {
                    (key.clone(), id.clone())
                }
                _ => {
                    let message = "Name either GrantToken, or both KeyId and GrantId.";
                    return Err(ServiceError::validation(message).into());
                }
            };
            let account = arn
                .parse::<Arn>()
                .map(|arn| arn.account)
                .map_err(|_| ServiceError::new("InvalidArnException", format!("{arn} is not the ARN of a key.")))?;
            let key = self.of_account(&account).look_up_key(tx, &arn)?;
            let all = self.grants_of(tx, &key)?;
            let (grant, _) = all.iter().find(|(grant, _)| grant.grant_id == grant_id).ok_or_else(invalid_grant_id)?;
            let me = [&self.caller.arn, &self.caller.issuer_arn];
            let retires = grant.retiring_principal.as_ref().is_some_and(|principal| me.contains(&principal));
            let gives_up =
                me.contains(&&grant.grantee_principal) && grant.operations.iter().any(|one| one == "RetireGrant");
            if !retires && !gives_up {
                // The account of the key may let others retire its grants.
                self.permit(tx, &Deed::from("kms:RetireGrant"), &key)?;
            }
            if request.dry_run == Some(true) {
                return Err(super::cryptography::dry_run().into());
            }
            self.delete_grant(tx, &key, &grant_id)
        })
    }
}
