//! The credentials that requests are signed with: static ones, or temporary ones from a provider chain.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::aws::error::ServiceError;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;

/// How long before expiration credentials are refreshed.
const EXPIRY_BUFFER: SignedDuration = SignedDuration::from_secs(60);
/// How long a failure is cached, so that callers that waited for the same fetch share its error.
const FAILURE_TTL: SignedDuration = SignedDuration::from_secs(1);

/// The error of a profile that provides no usable credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't get credentials from the profile {profile}: {reason}. {remedy}")]
pub struct LoadCredentialsError {
    /// The profile.
    pub profile: String,
    /// What went wrong: the error and its causes.
    pub reason: String,
    /// What to do about it, without a final period.
    pub remedy: String,
    /// The serial number of the MFA device whose code is needed, or `None` if a code wouldn't help.
    pub mfa_serial: Option<String>,
}

/// Credentials from a provider chain.
pub struct FetchedCredentials {
    /// The credentials to sign with.
    pub credentials: Arc<Credentials>,
    /// When they expire, or `None` if they don't.
    pub expires_at: Option<Timestamp>,
    /// The profile that provided them.
    pub profile: String,
    /// What to do if AWS rejects them.
    pub remedy: String,
}

/// A function that gets credentials from a provider chain, with an MFA code if the user has entered one.
pub type FetchCredentials = Box<
    dyn Fn(Option<SecretString>) -> BoxFuture<'static, Result<FetchedCredentials, LoadCredentialsError>> + Send + Sync,
>;

/// The source of a client's credentials.
pub enum CredentialsProvider {
    /// Credentials that never change.
    Static(Arc<Credentials>),
    /// Credentials that are fetched when needed, and refreshed before they expire.
    Chain(ProviderChain),
}

/// A provider chain and its cached credentials.
pub struct ProviderChain {
    fetch: FetchCredentials,
    cache: Mutex<CredentialCache>,
}

#[derive(Default)]
struct CredentialCache {
    fetched: Option<Arc<FetchedCredentials>>,
    failure: Option<(LoadCredentialsError, Timestamp)>,
}

impl From<Credentials> for CredentialsProvider {
    fn from(credentials: Credentials) -> Self {
        Self::Static(Arc::new(credentials))
    }
}

impl CredentialsProvider {
    /// Creates a provider that gets credentials with `fetch`.
    pub fn chain(fetch: FetchCredentials) -> Self {
        Self::Chain(ProviderChain { fetch, cache: Mutex::default() })
    }

    /// Returns credentials that are valid at `now`, fetching them if necessary.
    ///
    /// # Errors
    /// [`LoadCredentialsError`] if there are none.
    pub async fn credentials(&self, now: Timestamp) -> Result<Arc<Credentials>, LoadCredentialsError> {
        match self {
            Self::Static(credentials) => Ok(Arc::clone(credentials)),
            Self::Chain(chain) => chain.credentials(now).await,
        }
    }

    /// Fetches new credentials after the user has signed in again, with an MFA code if the profile needs one.
    ///
    /// # Errors
    /// [`LoadCredentialsError`] if there are none.
    pub async fn log_in(&self, code: Option<SecretString>, now: Timestamp) -> Result<(), LoadCredentialsError> {
        let Self::Chain(chain) = self else { return Ok(()) };
        chain.refresh(&mut *chain.cache.lock().await, code, now).await.map(drop)
    }

    /// Replaces credentials that AWS has rejected as expired, and returns whether there are other ones now.
    ///
    /// Static credentials can't be replaced.
    ///
    /// # Errors
    /// [`LoadCredentialsError`] if the provider chain fails, or returns the rejected credentials again.
    pub async fn renew(
        &self,
        rejected: &Credentials,
        error: &ServiceError,
        now: Timestamp,
    ) -> Result<bool, LoadCredentialsError> {
        let Self::Chain(chain) = self else { return Ok(false) };
        let cache = &mut *chain.cache.lock().await;
        // Another call may have replaced them already.
        if cache.fetched.take_if(|fetched| *fetched.credentials == *rejected).is_none() && cache.fetched.is_some() {
            return Ok(true);
        }
        let fetched = chain.refresh(cache, None, now).await?;
        if *fetched.credentials != *rejected {
            return Ok(true);
        }
        cache.fetched = None;
        let reason = format!("AWS rejected its credentials: {error}");
        Err(LoadCredentialsError {
            profile: fetched.profile.clone(),
            reason,
            remedy: fetched.remedy.clone(),
            mfa_serial: None,
        })
    }

    /// Removes cached credentials that AWS has rejected, so that the next call fetches new ones.
    pub async fn invalidate(&self) {
        if let Self::Chain(chain) = self {
            chain.cache.lock().await.fetched = None;
        }
    }
}

impl ProviderChain {
    async fn credentials(&self, now: Timestamp) -> Result<Arc<Credentials>, LoadCredentialsError> {
        let cache = &mut *self.cache.lock().await;
        if let Some(fetched) = cache.valid_for(now, EXPIRY_BUFFER) {
            return Ok(Arc::clone(&fetched.credentials));
        }
        let failure = match &cache.failure {
            Some((failure, at)) if now.duration_since(*at) < FAILURE_TTL => failure.clone(),
            _ => match self.refresh(cache, None, now).await {
                Ok(fetched) => return Ok(Arc::clone(&fetched.credentials)),
                Err(failure) => failure,
            },
        };
        // Credentials that are about to expire are better than none.
        cache.valid_for(now, SignedDuration::ZERO).map(|fetched| Arc::clone(&fetched.credentials)).ok_or(failure)
    }

    /// Fetches credentials and caches the result.
    async fn refresh(
        &self,
        cache: &mut CredentialCache,
        code: Option<SecretString>,
        now: Timestamp,
    ) -> Result<Arc<FetchedCredentials>, LoadCredentialsError> {
        match (self.fetch)(code).await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                *cache = CredentialCache { fetched: Some(Arc::clone(&fetched)), failure: None };
                Ok(fetched)
            }
            Err(failure) => {
                cache.failure = Some((failure.clone(), now));
                Err(failure)
            }
        }
    }
}

impl CredentialCache {
    /// Returns the cached credentials if they are still valid for longer than `time`.
    fn valid_for(&self, now: Timestamp, time: SignedDuration) -> Option<&FetchedCredentials> {
        let fetched = self.fetched.as_deref()?;
        fetched.expires_at.is_none_or(|expires| expires.duration_since(now) > time).then_some(fetched)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// Creates a chain that returns these results in turn: an access key ID and when it expires, or a failure.
    fn chain(mut results: Vec<Option<(&'static str, i64)>>) -> CredentialsProvider {
        results.reverse();
        let results = StdMutex::new(results);
        CredentialsProvider::chain(Box::new(move |code| {
            let result = results.lock().unwrap().pop().expect("fetched too often");
            Box::pin(async move {
                let (id, seconds) = result.ok_or_else(|| LoadCredentialsError {
                    profile: "p".to_owned(),
                    reason: "r".to_owned(),
                    remedy: "m".to_owned(),
                    mfa_serial: None,
                })?;
                let credentials = Arc::new(Credentials {
                    access_key_id: id.to_owned(),
                    secret_access_key: SecretString::default(),
                    session_token: code,
                });
                let (profile, remedy) = ("p".to_owned(), "m".to_owned());
                Ok(FetchedCredentials { credentials, expires_at: Some(after(seconds)), profile, remedy })
            })
        }))
    }

    async fn id(source: &CredentialsProvider, seconds: i64) -> Option<String> {
        source.credentials(after(seconds)).await.ok().map(|credentials| credentials.access_key_id.clone())
    }

    #[tokio::test]
    async fn credentials_are_refreshed_a_minute_before_they_expire() {
        let source = chain(vec![Some(("first", 900)), Some(("second", 1800))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 839).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 840).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn failed_refresh_keeps_old_credentials_until_they_expire() {
        let source = chain(vec![Some(("first", 900)), None, None, Some(("second", 1800))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 850).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 900).await, None);
        assert_eq!(id(&source, 902).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_failed_fetch() {
        let source = chain(vec![None, Some(("second", 1800))]);
        assert_eq!((id(&source, 0).await, id(&source, 0).await), (None, None));
        assert_eq!(id(&source, 1).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn invalidated_credentials_are_fetched_again() {
        let source = chain(vec![Some(("first", 900)), Some(("second", 900))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        source.invalidate().await;
        assert_eq!(id(&source, 0).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn expired_credentials_are_renewed_once_for_all_callers() {
        let expired = ServiceError::new("ExpiredTokenException", "expired");
        let source = chain(vec![Some(("first", 900)), Some(("second", 900)), Some(("second", 900)), None]);
        let first = source.credentials(START).await.unwrap();
        assert_eq!(source.renew(&first, &expired, START).await, Ok(true));
        assert_eq!(source.renew(&first, &expired, START).await, Ok(true), "fetched once");
        let second = source.credentials(START).await.unwrap();
        assert_eq!(second.access_key_id, "second");
        let error = source.renew(&second, &expired, START).await.unwrap_err();
        let message = "couldn't get credentials from the profile p: AWS rejected its credentials: \
                       ExpiredTokenException: expired. m";
        assert_eq!(error.to_string(), message);
        assert_eq!(source.renew(&second, &expired, START).await.unwrap_err().reason, "r");
        assert_eq!(CredentialsProvider::from((*first).clone()).renew(&first, &expired, START).await, Ok(false));
    }

    #[tokio::test]
    async fn log_in_passes_mfa_code_and_ignores_cached_failure() {
        let source = chain(vec![None, Some(("first", 900))]);
        assert_eq!(id(&source, 0).await, None);
        let code = SecretString::new("123456".to_owned());
        assert_eq!(source.log_in(Some(code.clone()), START).await, Ok(()));
        assert_eq!(source.credentials(START).await.unwrap().session_token, Some(code));
    }
}
