//! AssumeRole, and the temporary credentials that it gives.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use subtle::ConstantTimeEq as _;

use super::store::Fault;
use super::{Answer, Call, Caller, Inner, identity};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::Role;
use crate::aws::limits;
use crate::aws::policy::condition::Facts;
use crate::aws::policy::evaluate::{Allowance, Question};
use crate::aws::scalar::SecretText;
use crate::aws::sts::{AssumeRole, AssumeRoleOutput, AssumedRoleUser, SessionCredentials};

/// How long a session lasts when the caller does not say, in seconds.
const USUAL_DURATION: u32 = 3600;

/// A role that other principals of its account may assume, as IAM allows them.
fn default_trust(account: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// Why temporary credentials are not taken.
pub enum Unfit {
    /// They are none of this AWS, or the token is not theirs.
    Unknown,
    /// Their time is over.
    Expired,
    /// Something failed.
    Failed(ServiceError),
}

impl From<Fault> for Unfit {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault.0)
    }
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Fault::from(error).0)
    }
}

/// Temporary credentials.
struct Session {
    caller: Arc<Caller>,
    secret: SecretText,
    token: String,
    /// In milliseconds since 1970.
    expires: i64,
}

/// Whose temporary credentials these are, and their secret.
pub fn session(aws: &Inner, id: &str, token: &SecretText) -> Result<(Arc<Caller>, SecretText), Unfit> {
    let session = aws.store.remember(id, |tx| -> Result<_, Unfit> {
        let query =
            "SELECT account, arn, role_arn, user_id, secret, token, policy, expires FROM sessions WHERE id = ?1";
        let row = tx.query_row(query, [id], |row| {
            let texts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((
                texts,
                row.get::<_, Vec<u8>>(4)?,
                row.get::<_, String>(5)?,
                row.get::<_, Option<String>>(6)?,
                row.get::<_, i64>(7)?,
            ))
        });
        let ([account, arn, issuer_arn, user_id], sealed, token, policy, expires) =
            row.optional()?.ok_or(Unfit::Unknown)?;
        let policies = identity::policies_of(tx, &issuer_arn)?;
        let caller = Arc::new(Caller {
            account,
            arn,
            issuer_arn,
            user_id,
            access_key_id: id.to_owned(),
            policies: policies.iter().filter_map(|text| aws.policies.read(text)).collect(),
            session_policy: policy.as_deref().and_then(|text| aws.policies.read(text)),
        });
        let secret = aws.store.unseal(&["sessions", id], &sealed).map_err(Fault::from)?;
        let secret = SecretText::new(String::from_utf8_lossy(&secret).into_owned());
        Ok(Session { caller, secret, token, expires })
    })?;
    if !bool::from(session.token.as_bytes().ct_eq(token.expose().as_bytes())) {
        return Err(Unfit::Unknown);
    }
    if aws.store.world().clock.now().as_millisecond() >= session.expires {
        return Err(Unfit::Expired);
    }
    Ok((Arc::clone(&session.caller), session.secret.clone()))
}

impl Call<'_> {
    pub fn assume_role(&self, request: &AssumeRole) -> Answer<AssumeRoleOutput> {
        limits::role_session_name(&request.role_session_name)
            .map_err(|violation| violation.to_service_error(&request.role_session_name))?;
        let duration = request.duration_seconds.unwrap_or(USUAL_DURATION);
        limits::session_duration(duration).map_err(|violation| violation.to_service_error(&duration.to_string()))?;
        if let Some(policy) = &request.policy
            && self.aws.policies.read(policy).is_none()
        {
            return Err(
                ServiceError::new("MalformedPolicyDocument", "The session policy is no policy document.").into()
            );
        }
        let code = self.mfa_code(request)?;
        let role = self.trusting_role(request, code.is_some())?;
        let account = role.arn.parse::<Arn>().map(|arn| arn.account).unwrap_or_default();
        let world = self.store().world();
        let arn = format!(
            "arn:{}:sts::{account}:assumed-role/{}/{}",
            self.partition(),
            role.role_name,
            request.role_session_name
        );
        let id = format!("ASIA{}", identity::unique_letters(&world.random)?);
        let secret = zeroize::Zeroizing::new(world.random.hex::<20>()?);
        let token = world.random.hex::<64>()?;
        let expires = world.clock.now().saturating_add(SignedDuration::from_secs(i64::from(duration)));
        let expires = expires.unwrap_or(Timestamp::MAX);
        let user_id = format!("{}:{}", role.role_id, request.role_session_name);
        let sealed = self.store().seal(&["sessions", &id], secret.as_bytes())?;
        self.change(|tx| -> Answer<()> {
            if let Some(code) = &code {
                code.spend(tx)?;
            }
            // What is over serves nobody.
            tx.execute("DELETE FROM sessions WHERE expires < ?1", [world.clock.now().as_millisecond()])?;
            tx.execute(
                "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![id, account, arn, role.arn, user_id, sealed, token, request.policy, expires.as_millisecond()],
            )?;
            Ok(())
        })?;
        let shown = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(AssumeRoleOutput {
            credentials: SessionCredentials {
                access_key_id: id,
                secret_access_key: SecretText::new(secret.to_string()),
                session_token: SecretText::new(token),
                expiration: shown,
            },
            assumed_role_user: AssumedRoleUser { assumed_role_id: user_id, arn },
            packed_policy_size: request
                .policy
                .as_ref()
                .and_then(|policy| u32::try_from(policy.len() * 100 / 2048 + 1).ok()),
        })
    }

    /// The role that is asked for, if its trust policy and the caller's IAM policies let the caller have it.
    fn trusting_role(&self, request: &AssumeRole, has_code: bool) -> Answer<Role> {
        let denied = || {
            let (arn, role) = (&self.caller.arn, &request.role_arn);
            let message = format!("User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role}");
            ServiceError::new("AccessDenied", message)
        };
        let asked = request.role_arn.parse::<Arn>().map_err(|_| denied())?;
        let name = asked.resource.rsplit('/').next().unwrap_or_default();
        let document: Option<String> = self.store().read(|tx| -> Answer<_> {
            let query = "SELECT document FROM principals WHERE account = ?1 AND kind = 'role' AND name = ?2";
            Ok(tx.query_row(query, [&asked.account, name], |row| row.get(0)).optional()?)
        })?;
        let role: Role = serde_json::from_str(&document.ok_or_else(denied)?)?;
        if role.arn != request.role_arn {
            return Err(denied().into());
        }
        let trust = role.assume_role_policy_document.clone().unwrap_or_else(|| default_trust(&asked.account));
        let trust = self.aws.policies.read(&trust).ok_or_else(denied)?;
        let mut facts = Facts::default();
        facts.add("aws:PrincipalArn", &*self.caller.issuer_arn);
        facts.add("aws:PrincipalAccount", &*self.caller.account);
        facts.add("sts:RoleSessionName", &*request.role_session_name);
        facts.add_some("sts:ExternalId", request.external_id.as_deref());
        if has_code {
            facts.add("aws:MultiFactorAuthPresent", "true");
            facts.add("aws:MultiFactorAuthAge", "0");
        } else if self.caller.is_role() {
            facts.add("aws:MultiFactorAuthPresent", "false");
        }
        let question = Question { action: "sts:AssumeRole", resource: &role.arn, facts: &facts };
        // A trust policy has no Resource: it is about its role.
        let trust = Arc::new(trust.about_everything());
        let principal = self.caller.principal();
        let by_trust = trust.allows(&principal, &question);
        let is_foreign = asked.account != self.caller.account;
        let by_iam = self.permit_on("sts:AssumeRole", &role.arn).is_ok();
        let may = !trust.forbids(&principal, &question)
            && match by_trust {
                Allowance::None => false,
                Allowance::Direct if !is_foreign => true,
                _ => by_iam,
            };
        if may { Ok(role) } else { Err(denied().into()) }
    }
}
