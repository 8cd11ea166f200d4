//! What requests are signed with: fixed credentials, or those that a chain of sources gives and that expire.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::aws::sigv4::Credentials;

/// How long before they expire credentials are fetched again.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// How long a failure counts: who has waited for it is told the same, and doesn't try once more.
const FAILURE_COUNTS: SignedDuration = SignedDuration::from_secs(1);

/// No credentials to sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile {profile} gives no credentials: {reason}. {remedy}")]
pub struct NoCredentials {
    /// The profile that was asked.
    pub profile: String,
    /// What went wrong, from the outside to the inside.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// What a chain of sources has given.
pub struct Fetched {
    /// To sign with.
    pub credentials: Credentials,
    /// Until when; absent when they don't expire.
    pub expires: Option<Timestamp>,
}

/// Asks a chain of sources.
pub type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<Fetched, NoCredentials>> + Send + Sync>;

/// Where a client has its credentials from.
pub enum Source {
    /// They are always the same.
    Fixed(Arc<Credentials>),
    /// They are fetched when they are needed, and again before they expire.
    Chain(Chain),
}

/// Credentials that are fetched when they are needed.
pub struct Chain {
    fetch: Fetch,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    credentials: Option<(Arc<Credentials>, Option<Timestamp>)>,
    failure: Option<(NoCredentials, Timestamp)>,
}

impl From<Credentials> for Source {
    fn from(credentials: Credentials) -> Self {
        Self::Fixed(Arc::new(credentials))
    }
}

impl Source {
    /// Credentials from a chain of sources.
    pub fn chain(fetch: Fetch) -> Self {
        Self::Chain(Chain { fetch, held: Mutex::default() })
    }

    /// Credentials that can be used at `now`.
    ///
    /// # Errors
    /// [`NoCredentials`].
    pub async fn credentials(&self, now: Timestamp) -> Result<Arc<Credentials>, NoCredentials> {
        match self {
            Self::Fixed(credentials) => Ok(Arc::clone(credentials)),
            Self::Chain(chain) => chain.credentials(now).await,
        }
    }

    /// Lets go of credentials that AWS does not take, so that the next call fetches others.
    pub async fn let_go(&self) {
        if let Self::Chain(chain) = self {
            chain.held.lock().await.credentials = None;
        }
    }
}

impl Chain {
    async fn credentials(&self, now: Timestamp) -> Result<Arc<Credentials>, NoCredentials> {
        let mut held = self.held.lock().await;
        let lasts = |expires: &Option<Timestamp>, ahead: SignedDuration| {
            expires.is_none_or(|expires| expires.duration_since(now) > ahead)
        };
        if let Some((credentials, expires)) = &held.credentials
            && lasts(expires, AHEAD)
        {
            return Ok(Arc::clone(credentials));
        }
        let failure = match &held.failure {
            Some((failure, at)) if now.duration_since(*at) < FAILURE_COUNTS => failure.clone(),
            _ => match (self.fetch)().await {
                Ok(Fetched { credentials, expires }) => {
                    let credentials = Arc::new(credentials);
                    *held = Held { credentials: Some((Arc::clone(&credentials), expires)), failure: None };
                    return Ok(credentials);
                }
                Err(failure) => {
                    held.failure = Some((failure.clone(), now));
                    failure
                }
            },
        };
        match &held.credentials {
            // Those that are about to expire are better than none.
            Some((credentials, expires)) if lasts(expires, SignedDuration::ZERO) => Ok(Arc::clone(credentials)),
            _ => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use super::*;
    use crate::aws::scalar::SecretText;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// A chain that gives these, one after the other: an access key ID and when it expires, or a failure.
    fn chain(mut answers: Vec<Option<(&'static str, i64)>>) -> Source {
        answers.reverse();
        let answers = StdMutex::new(answers);
        Source::chain(Box::new(move || {
            let answer = answers.lock().unwrap().pop().expect("asked too often");
            Box::pin(async move {
                let (id, seconds) = answer.ok_or_else(|| NoCredentials {
                    profile: "p".to_owned(),
                    reason: "r".to_owned(),
                    remedy: "m".to_owned(),
                })?;
                let credentials = Credentials {
                    access_key_id: id.to_owned(),
                    secret_access_key: SecretText::default(),
                    session_token: None,
                };
                Ok(Fetched { credentials, expires: Some(after(seconds)) })
            })
        }))
    }

    async fn id(source: &Source, seconds: i64) -> Option<String> {
        source.credentials(after(seconds)).await.ok().map(|credentials| credentials.access_key_id.clone())
    }

    #[tokio::test]
    async fn they_are_fetched_again_a_minute_before_they_expire() {
        let source = chain(vec![Some(("first", 900)), Some(("second", 1800))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 839).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 840).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn when_no_others_come_the_old_ones_serve_until_they_expire() {
        let source = chain(vec![Some(("first", 900)), None, None, Some(("second", 1800))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 850).await.as_deref(), Some("first"));
        assert_eq!(id(&source, 900).await, None);
        assert_eq!(id(&source, 902).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn who_waits_for_a_failure_does_not_try_once_more() {
        let source = chain(vec![None, Some(("second", 1800))]);
        assert_eq!((id(&source, 0).await, id(&source, 0).await), (None, None));
        assert_eq!(id(&source, 1).await.as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn those_that_aws_does_not_take_are_let_go() {
        let source = chain(vec![Some(("first", 900)), Some(("second", 900))]);
        assert_eq!(id(&source, 0).await.as_deref(), Some("first"));
        source.let_go().await;
        assert_eq!(id(&source, 0).await.as_deref(), Some("second"));
    }
}
