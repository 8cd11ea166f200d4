//! What requests are signed with: fixed credentials, or those that a chain of sources gives and that expire.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::aws::error::ServiceError;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;

/// How long before they expire credentials are fetched again.
const EXPIRY_BUFFER: SignedDuration = SignedDuration::from_secs(60);
/// How long a failure counts: who has waited for it is told the same, and doesn't try once more.
const FAILURE_TTL: SignedDuration = SignedDuration::from_secs(1);

/// No credentials to sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile {profile} gives no credentials: {reason}. {remedy}")]
pub struct LoadCredentialsError {
    /// The profile that was asked.
    pub profile: String,
    /// What went wrong, from the outside to the inside.
    pub reason: String,
    /// What to do.
    pub remedy: String,
    /// The serial number of the MFA device whose code is asked for; nothing when no code helps.
    pub mfa_serial: Option<String>,
}

/// What a chain of sources has given.
pub struct FetchedCredentials {
    /// To sign with.
    pub credentials: Arc<Credentials>,
    /// Until when; absent when they don't expire.
    pub expires_at: Option<Timestamp>,
    /// The profile that gave them.
    pub profile: String,
    /// What to do should AWS not take them.
    pub remedy: String,
}

/// Asks a chain of sources, with a code of an MFA device if the person has given one.
pub type FetchCredentials = Box<
    dyn Fn(Option<SecretString>) -> BoxFuture<'static, Result<FetchedCredentials, LoadCredentialsError>> + Send + Sync,
>;

/// Where a client has its credentials from.
pub enum CredentialsProvider {
    /// They are always the same.
    Static(Arc<Credentials>),
    /// They are fetched when they are needed, and again before they expire.
    Chain(ProviderChain),
}

/// Credentials that are fetched when they are needed.
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
    /// Credentials from a chain of sources.
    pub fn chain(fetch: FetchCredentials) -> Self {
        Self::Chain(ProviderChain { fetch, cache: Mutex::default() })
    }

    /// Credentials that can be used at `now`.
    ///
    /// # Errors
    /// [`NoCredentials`].
    pub async fn credentials(&self, now: Timestamp) -> Result<Arc<Credentials>, LoadCredentialsError> {
        match self {
            Self::Static(credentials) => Ok(Arc::clone(credentials)),
            Self::Chain(chain) => chain.credentials(now).await,
        }
    }

    /// Fetches credentials at once, with the code of the MFA device where one is asked for: the person has logged in anew.
    ///
    /// # Errors
    /// [`NoCredentials`].
    pub async fn log_in(&self, code: Option<SecretString>, now: Timestamp) -> Result<(), LoadCredentialsError> {
        let Self::Chain(chain) = self else { return Ok(()) };
        chain.refresh(&mut *chain.cache.lock().await, code, now).await.map(drop)
    }

    /// Whether there are others in the place of credentials that AWS refuses because their time is over.
    ///
    /// # Errors
    /// [`NoCredentials`] when there could be, and are not.
    pub async fn renew(
        &self,
        refused: &Credentials,
        why: &ServiceError,
        now: Timestamp,
    ) -> Result<bool, LoadCredentialsError> {
        let Self::Chain(chain) = self else { return Ok(false) };
        let cache = &mut *chain.cache.lock().await;
        // Somebody else may have been refused before, and have seen to it.
        if cache.fetched.take_if(|fetched| *fetched.credentials == *refused).is_none() && cache.fetched.is_some() {
            return Ok(true);
        }
        let fetched = chain.refresh(cache, None, now).await?;
        if *fetched.credentials != *refused {
            return Ok(true);
        }
        cache.fetched = None;
        let reason = format!("AWS does not take those it has: {why}");
        Err(LoadCredentialsError {
            profile: fetched.profile.clone(),
            reason,
            remedy: fetched.remedy.clone(),
            mfa_serial: None,
        })
    }

    /// Lets go of credentials that AWS does not take, so that the next call fetches others.
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
        // Those that are about to expire are better than none.
        cache.valid_for(now, SignedDuration::ZERO).map(|fetched| Arc::clone(&fetched.credentials)).ok_or(failure)
    }

    /// Fetches credentials and holds them, or the failure.
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
    /// What lasts for some time yet.
    fn valid_for(&self, now: Timestamp, ahead: SignedDuration) -> Option<&FetchedCredentials> {
        let fetched = self.fetched.as_deref()?;
        fetched.expires_at.is_none_or(|expires| expires.duration_since(now) > ahead).then_some(fetched)
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

    /// A chain that gives these, one after the other: an access key ID and when it expires, or a failure.
    fn chain(mut answers: Vec<Option<(&'static str, i64)>>) -> CredentialsProvider {
        answers.reverse();
        let answers = StdMutex::new(answers);
        CredentialsProvider::chain(Box::new(move |code| {
            let answer = answers.lock().unwrap().pop().expect("asked too often");
            Box::pin(async move {
                let (id, seconds) = answer.ok_or_else(|| LoadCredentialsError {
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
        let expired = ServiceError::new("ExpiredTokenException", "over");
        let source = chain(vec![Some(("first", 900)), Some(("second", 900)), Some(("second", 900)), None]);
        let first = source.credentials(START).await.unwrap();
        assert_eq!(source.renew(&first, &expired, START).await, Ok(true));
        assert_eq!(source.renew(&first, &expired, START).await, Ok(true), "asked once");
        let second = source.credentials(START).await.unwrap();
        assert_eq!(second.access_key_id, "second");
        let none = source.renew(&second, &expired, START).await.unwrap_err();
        let words =
            "the profile p gives no credentials: AWS does not take those it has: ExpiredTokenException: over. m";
        assert_eq!(none.to_string(), words);
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
