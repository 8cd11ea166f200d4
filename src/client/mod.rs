//! The API client: sign, send, try again, decode, page.

mod call;
mod clock_skew;
pub mod credentials;
pub mod endpoints;
pub mod log;
pub mod mfa;
pub mod profile;
mod rate_limit;
mod retry;
mod sdk_error;
mod sdk_http;
mod shared_config;
#[cfg(test)]
mod tests;
pub mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use transport::{Https, InProcess, Transport, TransportError};

use clock_skew::ClockSkew;
use credentials::{CredentialsProvider, LoadCredentialsError};
use endpoints::{Endpoints, check_region};
use log::Observer;
use profile::{OpenError, ProfileContext, ProfileSummary, SwitchTarget};
use rate_limit::RateLimiter;

use crate::aws::codec;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    AliasListEntry, CustomKeyStore, DescribeCustomKeyStores, KeyListEntry, ListAliases, ListKeys, ListResourceTags, Tag,
};
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::{Credentials, SigningError};
use crate::environment::{Clock, Random};

/// Why a call gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The service refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An answer came that is none.
    #[error("{operation} was answered with something that can't be read: {reason}")]
    Malformed {
        /// The operation.
        operation: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// Only the bundled AWS can tell.
    #[error("not available from the API")]
    NotAvailable,
    /// There is nothing to sign the request with, so it was not sent.
    #[error(transparent)]
    Credentials(#[from] LoadCredentialsError),
    /// The request could not be signed, so it was not sent.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The client may only look, so it was not sent.
    #[error("this console is read-only, so {operation} was not sent")]
    ReadOnly {
        /// The operation.
        operation: &'static str,
    },
}

impl CallError {
    /// Whether the request may have been carried out all the same.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Service(error) if error.is_throttling() => false,
            // Without a code it is no answer of the service, but of something on the way.
            Self::Service(error) => error.status >= 500 || error.code == codec::UNKNOWN_ERROR,
            Self::Transport(error) => error.may_have_arrived,
            Self::Malformed { .. } => true,
            Self::NotAvailable | Self::Credentials(_) | Self::Signing(_) | Self::ReadOnly { .. } => false,
        }
    }
}

/// Codes of errors that other credentials may mend.
const INVALID_CREDENTIALS_CODES: [&str; 5] =
    ["ExpiredToken", "UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature", "SignatureDoesNotMatch"];

/// Who only looks, and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOnly {
    /// Whoever calls.
    pub all: bool,
    /// Who has the credentials of one of these profiles.
    pub profiles: BTreeSet<String>,
}

impl ReadOnly {
    /// Whoever calls.
    pub const ALL: Self = Self { all: true, profiles: BTreeSet::new() };

    /// Whether it holds for who has the credentials of `profile`, or those of the bundled AWS.
    pub fn applies_to(&self, profile: Option<&str>) -> bool {
        self.all || profile.is_some_and(|name| self.profiles.contains(name))
    }
}

/// Speaks to AWS for one caller in one Region.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    source: Arc<CredentialsProvider>,
    profile_context: Option<Arc<ProfileContext>>,
    endpoints: Arc<Endpoints>,
    region: String,
    clock: Clock,
    random: Random,
    skew: Arc<ClockSkew>,
    rate_limiter: Arc<RateLimiter>,
    attempt_timeout: Option<Duration>,
    read_only: ReadOnly,
    observers: Vec<Arc<dyn Observer>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Two are the same when they speak for the same caller in the same Region.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.region == other.region
    }
}

impl Client {
    /// A client that signs with `credentials` for `region` by the time of `clock`.
    pub fn new(transport: Arc<dyn Transport>, credentials: Credentials, region: &str, clock: Clock) -> Self {
        Self::from_provider(transport, credentials.into(), region, clock)
    }

    /// A client that signs with what `source` gives.
    pub fn from_provider(
        transport: Arc<dyn Transport>,
        source: CredentialsProvider,
        region: &str,
        clock: Clock,
    ) -> Self {
        Self {
            transport,
            source: Arc::new(source),
            profile_context: None,
            endpoints: Arc::default(),
            region: region.to_owned(),
            clock,
            random: Random::system(),
            skew: Arc::default(),
            rate_limiter: Arc::default(),
            attempt_timeout: None,
            read_only: ReadOnly::default(),
            observers: Vec::new(),
        }
    }

    /// The same caller, with services at other addresses than AWS has them.
    #[must_use]
    pub fn with_endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints: Arc::new(endpoints), ..self }
    }

    /// The same caller, whose pauses between attempts are spread by `random`.
    #[must_use]
    pub fn with_random(self, random: Random) -> Self {
        Self { random, ..self }
    }

    /// The same caller, who waits at most so long for an answer before an attempt counts as lost. Without it that is half a
    /// minute for what can be asked again, and a minute for what can't.
    #[must_use]
    pub fn with_attempt_timeout(self, time: Duration) -> Self {
        Self { attempt_timeout: Some(time), ..self }
    }

    /// The same caller, each of whose calls `observer` is told when it is over, after those who are told already.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The same caller, who only looks where `read_only` says so: what is no [read](Operation::is_read) is never signed
    /// then, and so never sent. It holds for all that is made of this client, and for other profiles as it says.
    #[must_use]
    pub fn with_read_only(self, read_only: ReadOnly) -> Self {
        Self { read_only, ..self }
    }

    /// Whether this caller only looks.
    pub fn is_read_only(&self) -> bool {
        self.read_only.applies_to(self.profile())
    }

    /// Where the services are.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The Region asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The present moment, by AWS's clock where it is known to differ from this machine's.
    pub fn now(&self) -> Timestamp {
        self.skew.correct(self.clock.now())
    }

    /// Whether the AWS at the other end is the one in this process.
    pub fn is_bundled(&self) -> bool {
        self.transport.is_bundled()
    }

    /// The same caller in another Region.
    #[must_use]
    pub fn with_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// The same caller by another way: `wrap` gets the transport so far and may look at, change or hold up what passes.
    #[must_use]
    pub fn map_transport(&self, wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) -> Self {
        Self { transport: wrap(Arc::clone(&self.transport)), ..self.clone() }
    }

    /// The profile that the credentials come from; the bundled AWS has none.
    pub fn profile(&self) -> Option<&str> {
        self.profile_context.as_ref().map(|origin| origin.profile.as_str())
    }

    /// The profiles that can be gone on with; none in the bundled AWS.
    ///
    /// # Errors
    /// [`OpenError`] when they can't be read.
    pub async fn profiles(&self) -> Result<Vec<ProfileSummary>, OpenError> {
        match &self.profile_context {
            Some(origin) => profile::list_profiles(origin).await,
            None => Ok(Vec::new()),
        }
    }

    /// A client like this on another profile or in another Region: caller, Region and endpoints are others, all else is
    /// kept. In another Region alone the caller is the same, whose session serves there, too.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn switch_to(&self, place: &SwitchTarget) -> Result<Self, OpenError> {
        check_region(&place.region)?;
        match (&self.profile_context, &place.profile) {
            (Some(origin), Some(profile)) => profile::reopen(self, origin, profile, &place.region).await,
            _ => Ok(self.with_region(&place.region)),
        }
    }

    /// Fetches credentials, so that the first call has them.
    ///
    /// # Errors
    /// [`NoCredentials`], which each call tells too.
    pub async fn load_credentials(&self) -> Result<(), LoadCredentialsError> {
        self.source.credentials(self.now()).await.map(drop)
    }

    /// Fetches credentials at once, after the person has logged in anew; with the code of the MFA device that
    /// [`NoCredentials::mfa_serial`] names.
    ///
    /// # Errors
    /// [`NoCredentials`]; a wrong code asks for the next.
    pub async fn log_in(&self, code: Option<SecretString>) -> Result<(), LoadCredentialsError> {
        self.source.log_in(code, self.now()).await
    }
}

/// Declares a method that walks all pages of a list. A marker that comes twice ends the walk: the list would never end.
macro_rules! collect {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty)?) -> $item:ty, $request:expr, $answer:ident => $items:expr, $next:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`CallError`] of the page that failed.
        pub async fn $name(&self $(, $argument: $type)?) -> Result<Vec<$item>, CallError> {
            let (mut all, mut marker): (Vec<$item>, Option<String>) = (Vec::new(), None);
            loop {
                let mut request = $request;
                request.marker.clone_from(&marker);
                let $answer = self.call(&request).await?;
                let next: Option<String> = $next;
                all.extend($items);
                if next.is_none() || next == marker {
                    return Ok(all);
                }
                marker = next;
            }
        }
    };
}

impl Client {
    collect! {
        /// All keys of the account and Region.
        collect_keys() -> KeyListEntry, ListKeys { limit: Some(1000), ..ListKeys::default() },
        answer => answer.keys, answer.next_marker.clone().filter(|_| answer.truncated)
    }
    collect! {
        /// All aliases of the account and Region.
        collect_aliases() -> AliasListEntry, ListAliases { limit: Some(100), ..ListAliases::default() },
        answer => answer.aliases, answer.next_marker.clone().filter(|_| answer.truncated)
    }
    collect! {
        /// All custom key stores of the account and Region.
        collect_key_stores() -> CustomKeyStore, DescribeCustomKeyStores::default(),
        answer => answer.custom_key_stores, answer.next_marker.clone().filter(|_| answer.truncated)
    }
    collect! {
        /// All tags of a key.
        collect_tags(key_id: &str) -> Tag, ListResourceTags { key_id: key_id.to_owned(), limit: Some(50), marker: None },
        answer => answer.tags, answer.next_marker.clone().filter(|_| answer.truncated)
    }
}
