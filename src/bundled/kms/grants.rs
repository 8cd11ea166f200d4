//! CreateGrant, ListGrants, RevokeGrant, RetireGrant, and authorization by grants.

use rusqlite::{OptionalExtension as _, Transaction, params, params_from_iter};

use super::dry_run::dry_run_error;
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    CreateGrant, CreateGrantOutput, EncryptionContext, GrantConstraints, GrantListEntry, KeyMetadata, KeyState,
    ListGrants, ListGrantsOutput, ListRetirableGrants, RetireGrant, RevokeGrant,
};
use crate::aws::operation::Empty;
use crate::aws::scalar::EpochSeconds;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::pagination::paginate;
use crate::bundled::store::RecordReader;
use crate::bundled::{ApiResult, Call, account_region};

/// Grant operations that aren't valid for symmetric encryption keys.
const UNSUPPORTED_GRANT_OPERATIONS: [&str; 10] = [
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
/// The maximum number of grants on a key. Source: *KMS resource quotas*.
const MAX_GRANTS_PER_KEY: u32 = 50_000;

/// The maximum number of encryption context pairs in a grant constraint.
const MAX_CONSTRAINT_PAIRS: usize = 8;
/// The maximum number of characters in a key or value of a grant constraint.
const MAX_CONSTRAINT_CHARS: usize = 384;

/// Checks that exactly one of two members is present.
fn require_exactly_one(first: Option<&String>, second: Option<&String>, names: &str) -> Result<(), ServiceError> {
    if first.is_some() == second.is_some() {
        return Err(ServiceError::validation(format!("Specify either {names}, but not both.")));
    }
    Ok(())
}

fn check_create_grant(request: &CreateGrant) -> Result<(), ServiceError> {
    let service = request.grantee_service_principal.as_ref();
    require_exactly_one(request.grantee_principal.as_ref(), service, "GranteePrincipal or GranteeServicePrincipal")?;
    let retiring = (request.retiring_principal.as_ref(), request.retiring_service_principal.as_ref());
    if retiring.0.is_some() || retiring.1.is_some() || service.is_some() {
        require_exactly_one(retiring.0, retiring.1, "RetiringPrincipal or RetiringServicePrincipal")?;
    }
    let has_source = request.constraints.as_ref().is_some_and(|constraints| constraints.source_arn.is_some());
    request.constraints.as_ref().map_or(Ok(()), check_constraints)?;
    if service.is_some() && !has_source {
        return Err(ServiceError::validation("GranteeServicePrincipal requires the SourceArn constraint."));
    }
    if request.operations.is_empty() {
        return Err(ServiceError::validation("Operations must contain at least one grant operation."));
    }
    if let Some(other) = request.operations.iter().find(|one| UNSUPPORTED_GRANT_OPERATIONS.contains(&one.as_str())) {
        let message = format!("The operation {other} is not valid for a symmetric encryption key.");
        return Err(ServiceError::validation(message));
    }
    Ok(())
}

/// Returns the error for a member that only AWS services can use. No caller of the bundled AWS is one.
fn service_principal_required(member: &str) -> ServiceError {
    ServiceError::validation(format!("{member} can be used only by AWS service principals."))
}

fn invalid_grant_id() -> ServiceError {
    ServiceError::new("InvalidGrantIdException", "The KMS key has no grant with this grant ID.")
}

/// Returns whether the constraints of a grant are met.
///
/// Constraints on the encryption context apply only to cryptographic operations. Their keys aren't case-sensitive, but
/// their values are. A `SourceArn` constraint is never met, because no caller of the bundled AWS acts on behalf of
/// another resource. Source: *GrantConstraints*.
fn are_constraints_met(constraints: Option<&GrantConstraints>, context: Option<&EncryptionContext>) -> bool {
    let Some(constraints) = constraints else { return true };
    if constraints.source_arn.is_some() {
        return false;
    }
    let Some(context) = context else { return true };
    let includes = |all: &EncryptionContext, some: &EncryptionContext| {
        let is_in = |(key, value): (&String, &String)| {
            all.iter().any(|(other, found)| other.eq_ignore_ascii_case(key) && found == value)
        };
        some.iter().all(is_in)
    };
    let is_same = |equals: &EncryptionContext| {
        equals.len() == context.len() && includes(context, equals) && includes(equals, context)
    };
    constraints.encryption_context_equals.as_ref().is_none_or(is_same)
        && constraints.encryption_context_subset.as_ref().is_none_or(|subset| includes(context, subset))
}

/// Checks the constraints of a new grant.
///
/// Sources: *CreateGrant*, `Constraints`; *GrantConstraints*.
fn check_constraints(constraints: &GrantConstraints) -> Result<(), ServiceError> {
    let (equals, subset) = (&constraints.encryption_context_equals, &constraints.encryption_context_subset);
    if equals.is_some() && subset.is_some() {
        return Err(ServiceError::validation("More than one constraint supplied"));
    }
    for (name, context) in [("EncryptionContextEquals", equals), ("EncryptionContextSubset", subset)] {
        let Some(context) = context else { continue };
        if context.len() > MAX_CONSTRAINT_PAIRS {
            let message = format!("{name} has {} pairs, but can have at most {MAX_CONSTRAINT_PAIRS}.", context.len());
            return Err(ServiceError::validation(message));
        }
        if context.iter().any(|(key, value)| key.chars().count().max(value.chars().count()) > MAX_CONSTRAINT_CHARS) {
            let message = format!("A key or value in {name} is longer than {MAX_CONSTRAINT_CHARS} characters.");
            return Err(ServiceError::validation(message));
        }
    }
    Ok(())
}

/// Returns the authorization request of CreateGrant, with its condition keys.
fn create_grant_authorization(request: &CreateGrant) -> AuthorizationRequest {
    let mut authorization = AuthorizationRequest::from("kms:CreateGrant");
    for operation in &request.operations {
        authorization = authorization.with_condition_key("kms:GrantOperations", operation);
    }
    for (key, principal) in
        [("kms:GranteePrincipal", &request.grantee_principal), ("kms:RetiringPrincipal", &request.retiring_principal)]
    {
        authorization = authorization.with_optional_condition_key(key, principal.as_deref());
    }
    authorization.with_grant_constraints(request.constraints.as_ref())
}

/// Checks that the state of a key allows new grants.
fn check_grantable(key: &KeyMetadata) -> Result<(), ServiceError> {
    let arn = &key.arn;
    match key.key_state {
        KeyState::Disabled => Err(ServiceError::new("DisabledException", format!("{arn} is disabled."))),
        KeyState::PendingDeletion => {
            Err(ServiceError::new("KMSInvalidStateException", format!("{arn} is pending deletion.")))
        }
        _ => Ok(()),
    }
}

/// Rejects grant tokens that belong to no grant.
pub fn check_grant_tokens(tx: &Transaction, tokens: &[String]) -> ApiResult<()> {
    for token in tokens {
        let query = "SELECT EXISTS (SELECT 1 FROM grants WHERE token = ?1)";
        if !tx.query_row(query, [token], |row| row.get::<_, bool>(0))? {
            let message = "The grant token is not valid, or its grant was deleted.";
            return Err(ServiceError::new("InvalidGrantTokenException", message).into());
        }
    }
    Ok(())
}

/// Checks the quota of grants on a key.
fn check_grant_quota(tx: &Transaction, account_region: &str, key_id: &str) -> ApiResult<()> {
    let sql = "SELECT coalesce((SELECT count FROM counts WHERE name = 'grants/' || ?1 || '/' || ?2), 0)";
    let count: u32 = tx.prepare_cached(sql)?.query_row([account_region, key_id], |row| row.get(0))?;
    if count >= MAX_GRANTS_PER_KEY {
        return Err(ServiceError::new("LimitExceededException", "A KMS key can have at most 50,000 grants.").into());
    }
    Ok(())
}

/// The grants on a key whose grantee is the caller.
struct CallerGrants(Vec<GrantListEntry>);

/// Selects grants on a key.
#[derive(Clone, Copy)]
enum GrantFilter<'a> {
    All,
    Id(&'a str),
    Name(&'a str),
    /// Those for one of two ARNs.
    Grantees(&'a [&'a str; 2]),
}

impl Call<'_> {
    pub fn create_grant(&self, request: &CreateGrant) -> ApiResult<CreateGrantOutput> {
        check_create_grant(request)?;
        let environment = self.store().environment();
        let (grant_id, token, now) =
            (environment.random.hex::<32>()?, environment.random.hex::<48>()?, environment.clock.now());
        let authorization = create_grant_authorization(request);
        // Check the permission first: a caller without it must not learn which principals exist.
        self.store().read(|tx| self.find_key_by_id(tx, &request.key_id, authorization.clone()))?;
        for principal in [&request.grantee_principal, &request.retiring_principal].into_iter().flatten() {
            if !self.principal_exists(principal)? {
                let message = format!("{principal} is not the ARN of an existing principal.");
                return Err(ServiceError::new("InvalidArnException", message).into());
            }
        }
        self.commit_with_event(|tx| {
            check_grant_tokens(tx, request.grant_tokens.as_deref().unwrap_or_default())?;
            let key = self.find_key_by_id(tx, &request.key_id, authorization)?;
            check_grantable(&key.metadata)?;
            if request.dry_run == Some(true) {
                return Err(dry_run_error().into());
            }
            let entry = GrantListEntry {
                key_id: key.metadata.arn.clone(),
                grant_id,
                name: request.name.clone(),
                creation_date: EpochSeconds(now),
                grantee_principal: request.grantee_principal.clone(),
                retiring_principal: request.retiring_principal.clone(),
                issuing_account: Arn::account_root(self.partition(), &self.caller.account).to_string(),
                operations: request.operations.clone(),
                constraints: request.constraints.clone(),
                grantee_service_principal: request.grantee_service_principal.clone(),
                retiring_service_principal: request.retiring_service_principal.clone(),
                problem: None,
            };
            let (account_region, key_id) =
                (account_region(&key.metadata.aws_account_id, &self.region), &key.metadata.key_id);
            let is_same = |other: &(GrantListEntry, String)| {
                let (id, date) = (other.0.grant_id.clone(), other.0.creation_date);
                other.0 == GrantListEntry { grant_id: id, creation_date: date, ..entry.clone() }
            };
            if let Some(name) = &entry.name
                && let Some((same, grant_token)) =
                    self.grants_of(tx, &key, GrantFilter::Name(name))?.into_iter().find(is_same)
            {
                return Ok(CreateGrantOutput { grant_token, grant_id: same.grant_id });
            }
            check_grant_quota(tx, &account_region, key_id)?;
            tx.prepare_cached("INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                account_region,
                key_id,
                entry.grant_id,
                token,
                serde_json::to_string(&entry)?
            ])?;
            Ok(CreateGrantOutput { grant_token: token, grant_id: entry.grant_id })
        })
    }

    /// Returns the selected grants on a key with their tokens, sorted by grant ID.
    fn grants_of(
        &self,
        tx: &Transaction,
        key: &KeyRecord,
        filter: GrantFilter,
    ) -> ApiResult<Vec<(GrantListEntry, String)>> {
        let account_region = account_region(&key.metadata.aws_account_id, &self.region);
        // SQLite can't know that a key can have many more grants than those with one name or for one principal.
        let (index, condition, values) = match filter {
            GrantFilter::All => ("", "", &[][..]),
            GrantFilter::Id(id) => ("", "AND id = ?3", &[id][..]),
            GrantFilter::Name(name) => ("INDEXED BY grants_by_name", "AND document ->> '$.Name' = ?3", &[name][..]),
            GrantFilter::Grantees(arns) => {
                ("INDEXED BY grants_by_grantee", "AND document ->> '$.GranteePrincipal' IN (?3, ?4)", &arns[..])
            }
        };
        let sql = format!(
            "SELECT document, token FROM grants {index} WHERE world = ?1 AND key_id = ?2 {condition} ORDER BY id"
        );
        let mut query = tx.prepare_cached(&sql)?;
        let parameters = [account_region.as_str(), &key.metadata.key_id].into_iter().chain(values.iter().copied());
        let rows = query.query_map(params_from_iter(parameters), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (document, token) = row?;
            Ok((serde_json::from_str(&document)?, token))
        })
        .collect()
    }

    /// Returns the ID of a grant on the key that allows the caller to perform the action.
    pub fn allowing_grant(
        &self,
        records: &impl RecordReader,
        authorization: &AuthorizationRequest,
        key: &KeyRecord,
    ) -> ApiResult<Option<String>> {
        let operation = authorization.action.strip_prefix("kms:").unwrap_or(authorization.action);
        let KeyMetadata { arn, aws_account_id, key_id, .. } = &key.metadata;
        let caller_arns = [self.caller.arn.as_str(), &self.caller.issuer_arn];
        let name = [arn, caller_arns[0], caller_arns[1]].join(" ");
        let grants = records.record(&name, |tx, sources| -> ApiResult<CallerGrants> {
            sources.add_row("grants", &[&account_region(aws_account_id, &self.region), key_id]);
            let grants = self.grants_of(tx, key, GrantFilter::Grantees(&caller_arns))?;
            Ok(CallerGrants(grants.into_iter().map(|(grant, _)| grant).collect()))
        })?;
        let allows = |grant: &&GrantListEntry| {
            are_constraints_met(grant.constraints.as_ref(), authorization.encryption_context.as_ref())
                && grant.operations.iter().any(|one| one == operation)
        };
        Ok(grants.0.iter().find(allows).map(|grant| grant.grant_id.clone()))
    }

    pub fn list_grants(&self, request: &ListGrants) -> ApiResult<ListGrantsOutput> {
        if request.grantee_service_principal.is_some() {
            return Err(service_principal_required("GranteeServicePrincipal").into());
        }
        let all = self.store().read(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, "kms:ListGrants")?;
            self.grants_of(tx, &key, GrantFilter::All)
        })?;
        let mut all: Vec<GrantListEntry> = all.into_iter().map(|(grant, _)| grant).collect();
        if let Some(id) = &request.grant_id {
            all.retain(|grant| grant.grant_id == *id);
            if all.is_empty() {
                return Err(invalid_grant_id().into());
            }
        }
        if request.grantee_principal.is_some() {
            all.retain(|grant| grant.grantee_principal == request.grantee_principal);
        }
        let page = paginate(all, |grant| &grant.grant_id, request.limit, 50, 100, request.marker.as_deref())?;
        Ok(ListGrantsOutput {
            grants: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }

    pub fn list_retirable_grants(&self, request: &ListRetirableGrants) -> ApiResult<ListGrantsOutput> {
        let (principal, service) = (request.retiring_principal.as_ref(), request.retiring_service_principal.as_ref());
        require_exactly_one(principal, service, "RetiringPrincipal or RetiringServicePrincipal")?;
        let principal = principal.ok_or_else(|| service_principal_required("RetiringServicePrincipal"))?;
        self.authorize("kms:ListRetirableGrants", "*")?;
        if !principal.parse::<Arn>().is_ok_and(|arn| arn.account == self.account) {
            let message = format!("{principal} is not the ARN of a principal in this account.");
            return Err(ServiceError::new("InvalidArnException", message).into());
        }
        // The grants can be on keys of any account in this Region.
        let all = self.store().read(|tx| -> ApiResult<Vec<GrantListEntry>> {
            let mut query = tx.prepare_cached(
                "SELECT document FROM grants WHERE world LIKE '%/' || ?1 AND document ->> '$.RetiringPrincipal' = ?2
                 ORDER BY id",
            )?;
            let rows = query.query_map([&self.region, principal], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
        })?;
        let page = paginate(all, |grant| &grant.grant_id, request.limit, 50, 100, request.marker.as_deref())?;
        Ok(ListGrantsOutput {
            grants: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }

    pub fn revoke_grant(&self, request: &RevokeGrant) -> ApiResult<Empty> {
        self.commit_with_event(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, "kms:RevokeGrant")?;
            if self.grants_of(tx, &key, GrantFilter::Id(&request.grant_id))?.is_empty() {
                return Err(invalid_grant_id().into());
            }
            if request.dry_run == Some(true) {
                return Err(dry_run_error().into());
            }
            self.delete_grant(tx, &key, &request.grant_id)
        })
    }

    fn delete_grant(&self, tx: &Transaction, key: &KeyRecord, grant_id: &str) -> ApiResult<Empty> {
        let account_region = account_region(&key.metadata.aws_account_id, &self.region);
        let delete = "DELETE FROM grants WHERE world = ?1 AND key_id = ?2 AND id = ?3";
        tx.execute(delete, [&account_region, &key.metadata.key_id, grant_id])?;
        Ok(Empty {})
    }

    pub fn retire_grant(&self, request: &RetireGrant) -> ApiResult<Empty> {
        self.commit_with_event(|tx| {
            let (arn, grant_id) = match request {
                RetireGrant { grant_token: Some(token), key_id: None, grant_id: None, .. } => {
                    check_grant_tokens(tx, std::slice::from_ref(token))?;
                    let query = "SELECT document FROM grants WHERE token = ?1";
                    let document: Option<String> = tx.query_row(query, [token], |row| row.get(0)).optional()?;
                    let grant: GrantListEntry = serde_json::from_str(&document.unwrap_or_default())?;
                    (grant.key_id, grant.grant_id)
                }
                RetireGrant { grant_token: None, key_id: Some(key), grant_id: Some(id), .. } => {
                    (key.clone(), id.clone())
                }
                _ => {
                    let message = "Specify either GrantToken, or both KeyId and GrantId.";
                    return Err(ServiceError::validation(message).into());
                }
            };
            let account = arn
                .parse::<Arn>()
                .map(|arn| arn.account)
                .map_err(|_| ServiceError::new("InvalidArnException", format!("{arn} is not a key ARN.")))?;
            let key = self.for_account(&account).load_key(tx, &arn)?;
            let found = self.grants_of(tx, &key, GrantFilter::Id(&grant_id))?;
            let (grant, _) = found.first().ok_or_else(invalid_grant_id)?;
            let caller_arns = [&self.caller.arn, &self.caller.issuer_arn];
            let is_retiring_principal =
                grant.retiring_principal.as_ref().is_some_and(|principal| caller_arns.contains(&principal));
            let is_retiring_grantee =
                grant.grantee_principal.as_ref().is_some_and(|grantee| caller_arns.contains(&grantee))
                    && grant.operations.iter().any(|one| one == "RetireGrant");
            if !is_retiring_principal && !is_retiring_grantee {
                // The key's account can give other principals the permission to retire grants.
                let authorization =
                    AuthorizationRequest::from("kms:RetireGrant").with_grant_constraints(grant.constraints.as_ref());
                self.authorize_key(tx, &authorization, &key)?;
            }
            if request.dry_run == Some(true) {
                return Err(dry_run_error().into());
            }
            self.delete_grant(tx, &key, &grant_id)
        })
    }
}
