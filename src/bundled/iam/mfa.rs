//! Virtual MFA devices of IAM users.
//!
//! Their codes are time-based one-time passwords (RFC 6238) with the parameters that IAM uses: SHA-1, six digits, and a
//! new code every 30 seconds.

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

/// An MFA device, with the seed that an authenticator app needs to show its codes.
pub struct MfaDevice {
    /// The serial number, which is an ARN.
    pub serial: String,
    /// The seed of the codes, in Base32.
    pub seed: SecretString,
}

/// A correct code, which can be used once.
pub(super) struct VerifiedMfaCode {
    serial: String,
    step: i64,
}

impl VerifiedMfaCode {
    /// Marks the code as used.
    ///
    /// # Errors
    /// `AccessDenied` if this code or a later one was already used.
    pub fn consume(&self, tx: &Transaction) -> ApiResult<()> {
        let updated = tx.execute(
            "UPDATE mfa_devices SET last_step = ?2 WHERE serial = ?1 AND last_step < ?2",
            params![self.serial, self.step],
        )?;
        if updated == 1 { Ok(()) } else { Err(access_denied(INVALID_CODE).into()) }
    }
}

// The error messages of STS.
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

/// Returns the MFA device of a user, and creates it if there is none.
pub fn get_or_create_device(store: &Store, user: &Arn) -> Result<MfaDevice, OpenError> {
    let name = user.resource.rsplit('/').next().unwrap_or_default();
    let serial = format!("arn:{}:iam::{}:mfa/{name}", user.partition, user.account);
    let seed = Zeroizing::new(store.environment().random.bytes::<20>()?);
    let sealed = store.seal(&["mfa_devices", &serial], &*seed)?;
    let stored: Vec<u8> = store.write(|tx| -> Result<_, OpenError> {
        let insert = "INSERT INTO mfa_devices VALUES (?1, ?2, ?3, 0) ON CONFLICT DO NOTHING";
        tx.execute(insert, params![serial, user.to_string(), sealed])?;
        Ok(tx.query_row("SELECT seed FROM mfa_devices WHERE serial = ?1", [&serial], |row| row.get(0))?)
    })?;
    let seed = store.unseal(&["mfa_devices", &serial], &stored)?;
    let base32 = totp(&seed).map_err(|StoreError(error)| OpenError::Service(error))?.secret().to_base32();
    Ok(MfaDevice { serial, seed: SecretString::new(base32) })
}

impl Call<'_> {
    /// Verifies the code of the caller's MFA device. Returns `None` if the request has no code.
    ///
    /// # Errors
    /// `AccessDenied` if the code, or the serial number of the device, is missing or wrong.
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
            let parameters = [serial.as_str(), &self.caller.arn];
            Ok(tx.query_row(query, parameters, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })?;
        let (sealed, last_step) = found.ok_or_else(|| access_denied(DEVICE_NOT_FOUND))?;
        let seed = self.store().unseal(&["mfa_devices", serial], &sealed)?;
        let now = u64::try_from(self.store().environment().clock.machine_time().as_second()).unwrap_or_default();
        let step = totp(&seed)?.check(code, now).and_then(|step| i64::try_from(step).ok());
        match step.filter(|step| *step > last_step) {
            Some(step) => Ok(Some(VerifiedMfaCode { serial: serial.clone(), step })),
            None => Err(access_denied(INVALID_CODE).into()),
        }
    }
}
