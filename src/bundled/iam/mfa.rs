//! MFA devices of IAM users: virtual ones, which show time-based one-time passwords (RFC 6238) as IAM has them: SHA-1, six
//! digits, a new code every thirty seconds.

use rusqlite::{OptionalExtension as _, Transaction, params};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::aws::sts::AssumeRole;
use crate::bundled::store::{OpenError, Store, StoreError};
use crate::bundled::{ApiResult, Call};

/// A device, and what an authenticator needs to show its codes.
pub struct MfaDevice {
    /// Its serial number: an ARN.
    pub serial: String,
    /// What its codes are made from, Base32.
    pub seed: SecretString,
}

/// A code that was right, and may be used once.
pub(super) struct VerifiedMfaCode {
    serial: String,
    step: i64,
}

impl VerifiedMfaCode {
    /// Uses the code up.
    ///
    /// # Errors
    /// `AccessDenied` when it, or a later one, was used before.
    pub fn consume(&self, tx: &Transaction) -> ApiResult<()> {
        let spent = tx.execute(
            "UPDATE mfa_devices SET last_step = ?2 WHERE serial = ?1 AND last_step < ?2",
            params![self.serial, self.step],
        )?;
        if spent == 1 { Ok(()) } else { Err(access_denied(INVALID_CODE).into()) }
    }
}

// What STS says in these cases.
const MISSING_SERIAL_OR_CODE: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code. ";
const DEVICE_NOT_FOUND: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number \
    is valid and associated with this user.";
const INVALID_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";

fn access_denied(message: &str) -> ServiceError {
    ServiceError::new("AccessDenied", message)
}

fn totp(seed: &[u8]) -> ApiResult<Totp> {
    let built = Builder::new().with_secret(Secret::new(seed.into())).with_skew(1).build();
    built.map_err(|error| ServiceError::new("InternalFailure", error.to_string()).into())
}

/// The device of a user, made when there is none yet.
pub fn get_or_create_device(store: &Store, user: &Arn) -> Result<MfaDevice, OpenError> {
    let name = user.resource.rsplit('/').next().unwrap_or_default();
    let serial = format!("arn:{}:iam::{}:mfa/{name}", user.partition, user.account);
    let seed = Zeroizing::new(store.environment().random.bytes::<20>()?);
    let sealed = store.seal(&["mfa_devices", &serial], &*seed)?;
    let kept: Vec<u8> = store.write(|tx| -> Result<_, OpenError> {
        let insert = "INSERT INTO mfa_devices VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING";
        tx.execute(insert, params![serial, user.to_string(), sealed])?;
        Ok(tx.query_row("SELECT seed FROM mfa_devices WHERE serial = ?1", [&serial], |row| row.get(0))?)
    })?;
    let seed = store.unseal(&["mfa_devices", &serial], &kept)?;
    let base32 = totp(&seed).map_err(|StoreError(error)| OpenError::Service(error))?.secret().to_base32();
    Ok(MfaDevice { serial, seed: SecretString::new(base32) })
}

impl Call<'_> {
    /// Whether the caller shows a right code of its own MFA device; none when it shows none at all.
    pub(super) fn verify_mfa_code(&self, request: &AssumeRole) -> ApiResult<Option<VerifiedMfaCode>> {
        let (serial, code) = match (&request.serial_number, &request.token_code) {
            (None, None) => return Ok(None),
            (Some(serial), Some(code)) => (serial, code.expose()),
            _ => return Err(access_denied(MISSING_SERIAL_OR_CODE).into()),
        };
        limits::mfa_serial(serial).map_err(|violation| violation.to_service_error(serial))?;
        limits::mfa_code(code).map_err(|violation| violation.to_service_error(code))?;
        let query = "SELECT seed, last_step FROM mfa_devices WHERE serial = ?1 AND user_arn = ?2";
        let found: Option<(Vec<u8>, i64)> = self.store().read(|tx| -> ApiResult<_> {
            let mine = [serial.as_str(), &self.caller.arn];
            Ok(tx.query_row(query, mine, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })?;
        let (sealed, last_step) = found.ok_or_else(|| access_denied(DEVICE_NOT_FOUND))?;
        let seed = self.store().unseal(&["mfa_devices", serial], &sealed)?;
        let now = u64::try_from(self.store().environment().clock.now().as_second()).unwrap_or_default();
        let step = totp(&seed)?.check(code, now).and_then(|step| i64::try_from(step).ok());
        match step.filter(|step| *step > last_step) {
            Some(step) => Ok(Some(VerifiedMfaCode { serial: serial.clone(), step })),
            None => Err(access_denied(INVALID_CODE).into()),
        }
    }
}
