//! The API client: signs and sends requests, retries them, decodes responses, and reads all pages of lists.
//!
//! [`profile::open`] creates a client for AWS, and [`in_process::client`](crate::in_process::client) one for a bundled AWS in
//! the same process. Both call operations in the same way:
//!
//! ```
//! # use xks_console::bundled::BundledAws;
//! # use xks_console::environment::{Clock, Environment};
//! # use xks_console::in_process;
//! use xks_console::aws::kms::{Decrypt, Encrypt};
//! use xks_console::aws::scalar::SecretBlob;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = in_process::client(&BundledAws::in_memory("default", Environment::system())?, Clock::System);
//! let encrypt = Encrypt {
//!     key_id: "alias/customer-db".to_owned(),
//!     plaintext: SecretBlob::new(b"hello".to_vec()),
//!     ..Encrypt::default()
//! };
//! let ciphertext_blob = client.call(&encrypt).await?.ciphertext_blob;
//! let decrypted = client.call(&Decrypt { ciphertext_blob, ..Decrypt::default() }).await?;
//! assert_eq!(decrypted.plaintext.expose(), b"hello");
//! # Ok(())
//! # }
//! ```

mod call;
mod clock_skew;
pub mod credentials;
pub mod endpoints;
pub mod find;
pub mod log;
#[cfg(feature = "aws-profiles")]
mod mfa;
pub mod named_call;
pub mod profile;
mod rate_limit;
mod retry;
#[cfg(feature = "aws-profiles")]
mod sdk_error;
#[cfg(feature = "aws-profiles")]
mod sdk_http;
#[cfg(feature = "aws-profiles")]
mod shared_config;
#[cfg(test)]
mod tests;
pub mod transport;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use transport::{Https, InProcess, Transport, TransportError};

use clock_skew::ClockSkew;
use credentials::{CredentialsProvider, LoadCredentialsError};
use endpoints::{Endpoints, check_region};
use log::Observer;
use profile::{OpenError, ProfileContext, ProfileSummary, SwitchTarget};
use rate_limit::RateLimiter;

use crate::aws::active_proxy_faults::ActiveProxyFaults;
use crate::aws::codec;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    AliasListEntry, CustomKeyStore, DescribeCustomKeyStores, KeyListEntry, ListAliases, ListKeys, ListResourceTags, Tag,
};
use crate::aws::operation::Service;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::{Credentials, SigningError};
use crate::environment::{Clock, Random};

/// Why a call gave no usable response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The service returned an error.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No response arrived.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The response isn't one of this operation, or the request couldn't be encoded.
    #[error("couldn't read the response to {operation}: {reason}")]
    Malformed {
        /// The operation.
        operation: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Only the bundled AWS has this operation, so it was not sent, or the endpoint doesn't know it.
    #[error("not available from the AWS API")]
    NotAvailable,
    /// There are no credentials to sign the request with, so it was not sent.
    #[error(transparent)]
    Credentials(#[from] LoadCredentialsError),
    /// The request couldn't be signed, so it was not sent.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The client is read-only, so the request was not sent.
    #[error("this console is read-only, so {operation} was not sent")]
    ReadOnly {
        /// The operation.
        operation: &'static str,
    },
}

impl CallError {
    /// Whether the service may have carried out the request despite the error.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Service(error) if error.is_throttling() => false,
            // An error without a code comes from something between the client and the service.
            Self::Service(error) => error.status >= 500 || error.code == codec::UNKNOWN_ERROR,
            Self::Transport(error) => error.may_have_arrived,
            Self::Malformed { .. } => true,
            Self::NotAvailable | Self::Credentials(_) | Self::Signing(_) | Self::ReadOnly { .. } => false,
        }
    }
}

/// Error codes that new credentials may resolve.
const INVALID_CREDENTIALS_CODES: [&str; 5] =
    ["ExpiredToken", "UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature", "SignatureDoesNotMatch"];

/// Which clients are read-only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOnly {
    /// Whether every client is read-only.
    pub all: bool,
    /// The profiles whose clients are read-only.
    pub profiles: BTreeSet<String>,
}

impl ReadOnly {
    /// Makes every client read-only.
    pub const ALL: Self = Self { all: true, profiles: BTreeSet::new() };

    /// Whether clients of `profile` are read-only; `None` stands for the bundled AWS.
    pub fn applies_to(&self, profile: Option<&str>) -> bool {
        self.all || profile.is_some_and(|name| self.profiles.contains(name))
    }
}

/// An AWS client for one caller in one Region.
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
    bundled_account: Arc<BundledAccount>,
    rate_limiter: Arc<RateLimiter>,
    attempt_timeout: Option<Duration>,
    read_only: ReadOnly,
    observers: Vec<Arc<dyn Observer>>,
}

/// What the last response of a bundled AWS said about its account.
#[derive(Default)]
struct BundledAccount {
    /// How many seconds the account is ahead.
    seconds_ahead: AtomicI64,
    /// The active proxy faults.
    proxy_faults: Mutex<Option<ActiveProxyFaults>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Two clients are equal when they have the same caller and Region.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.region == other.region
    }
}

impl Client {
    /// Creates a client that signs with `credentials` for `region` and takes the time from `clock`.
    pub fn new(transport: Arc<dyn Transport>, credentials: Credentials, region: &str, clock: Clock) -> Self {
        Self::from_provider(transport, credentials.into(), region, clock)
    }

    /// Creates a client that signs with the credentials from `source`.
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
            bundled_account: Arc::default(),
            rate_limiter: Arc::default(),
            attempt_timeout: None,
            read_only: ReadOnly::default(),
            observers: Vec::new(),
        }
    }

    /// Sets custom endpoints.
    #[must_use]
    pub fn with_endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints: Arc::new(endpoints), ..self }
    }

    /// Sets the source of randomness for the backoff between attempts.
    #[must_use]
    pub fn with_random(self, random: Random) -> Self {
        Self { random, ..self }
    }

    /// Sets how long an attempt waits for a response.
    ///
    /// The default is 30 seconds for idempotent operations and one minute for others.
    #[must_use]
    pub fn with_attempt_timeout(self, time: Duration) -> Self {
        Self { attempt_timeout: Some(time), ..self }
    }

    /// Adds an observer, which is notified of each finished call after the observers added before it.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Makes this client read-only where `read_only` applies.
    ///
    /// A read-only client never signs, and so never sends, a request that is not
    /// [read-only](crate::aws::operation::Operation::is_read_only). The setting carries over to every client derived from this one; after a
    /// switch to another profile, it applies according to that profile.
    #[must_use]
    pub fn with_read_only(self, read_only: ReadOnly) -> Self {
        Self { read_only, ..self }
    }

    /// Whether this client is read-only.
    pub fn is_read_only(&self) -> bool {
        self.read_only.applies_to(self.profile())
    }

    /// Returns the endpoints of the services.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Returns the Region that this client calls.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the current time, corrected for the known difference between this machine's clock and that of AWS.
    pub fn now(&self) -> Timestamp {
        self.skew.correct(self.clock.now())
    }

    /// Returns the current time of the account, which can be ahead in a bundled AWS.
    pub fn account_time(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.bundled_account.seconds_ahead.load(Ordering::Relaxed));
        self.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Whether this client calls a bundled AWS, or an endpoint that can be one.
    fn may_be_bundled(&self) -> bool {
        self.transport.is_bundled() || self.endpoints.custom_url(Service::XksConsole).is_some()
    }

    /// Whether this client calls the bundled AWS in this process.
    pub fn is_bundled(&self) -> bool {
        self.transport.is_bundled()
    }

    /// Returns a client with the same caller in another Region.
    #[must_use]
    pub fn with_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Replaces the transport.
    ///
    /// `wrap` receives the current transport, and can inspect, change, or delay what passes through it.
    #[must_use]
    pub fn map_transport(&self, wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) -> Self {
        Self { transport: wrap(Arc::clone(&self.transport)), ..self.clone() }
    }

    /// Returns the profile that the credentials come from, or `None` for the bundled AWS.
    pub fn profile(&self) -> Option<&str> {
        self.profile_context.as_ref().map(|context| context.profile())
    }

    /// Returns the profiles to choose from. The bundled AWS has none.
    ///
    /// # Errors
    /// [`OpenError`] if the profiles can't be read.
    pub async fn profiles(&self) -> Result<Vec<ProfileSummary>, OpenError> {
        match &self.profile_context {
            Some(context) => profile::list_profiles(context).await,
            None => Ok(Vec::new()),
        }
    }

    /// Returns a client for another profile, another Region, or both.
    ///
    /// Another profile changes the caller and the endpoints; the other settings stay. Without another profile, the
    /// caller keeps its session, which is valid in every Region.
    ///
    /// # Errors
    /// [`OpenError`] if the Region is invalid or the profile can't be used.
    pub async fn switch_to(&self, target: &SwitchTarget) -> Result<Self, OpenError> {
        check_region(&target.region)?;
        match (&self.profile_context, &target.profile) {
            (Some(context), Some(profile)) => profile::reopen(self, context, profile, &target.region).await,
            _ => Ok(self.with_region(&target.region)),
        }
    }

    /// Fetches credentials ahead of the first call.
    ///
    /// # Errors
    /// [`LoadCredentialsError`], which each call returns too.
    pub async fn load_credentials(&self) -> Result<(), LoadCredentialsError> {
        self.source.credentials(self.now()).await.map(drop)
    }

    /// Fetches new credentials after the user has signed in again.
    ///
    /// `code` is from the MFA device that [`LoadCredentialsError::mfa_serial`] names.
    ///
    /// # Errors
    /// [`LoadCredentialsError`]. After a wrong code, it asks for the next one.
    pub async fn log_in(&self, code: Option<SecretString>) -> Result<(), LoadCredentialsError> {
        self.source.log_in(code, self.now()).await
    }
}

/// Defines a method that reads all pages of a list. It stops at a repeated marker, which would lead to an endless loop.
macro_rules! collect {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty)?) -> $item:ty, $request:expr, $page:ident => $items:expr, $next:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`CallError`] of the first page that can't be read.
        pub async fn $name(&self $(, $argument: $type)?) -> Result<Vec<$item>, CallError> {
            let (mut all, mut marker): (Vec<$item>, Option<String>) = (Vec::new(), None);
            loop {
                let mut request = $request;
                request.marker.clone_from(&marker);
                let $page = self.call(&request).await?;
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
        /// Returns all KMS keys in the account and Region.
        collect_keys() -> KeyListEntry, ListKeys { limit: Some(1000), ..ListKeys::default() },
        page => page.keys, page.next_marker.clone().filter(|_| page.truncated)
    }
    collect! {
        /// Returns all aliases in the account and Region.
        collect_aliases() -> AliasListEntry, ListAliases { limit: Some(100), ..ListAliases::default() },
        page => page.aliases, page.next_marker.clone().filter(|_| page.truncated)
    }
    collect! {
        /// Returns all aliases of a KMS key.
        collect_aliases_of(key_id: &str) -> AliasListEntry,
        ListAliases { key_id: Some(key_id.to_owned()), limit: Some(100), ..ListAliases::default() },
        page => page.aliases, page.next_marker.clone().filter(|_| page.truncated)
    }
    collect! {
        /// Returns all custom key stores in the account and Region.
        collect_key_stores() -> CustomKeyStore, DescribeCustomKeyStores::default(),
        page => page.custom_key_stores, page.next_marker.clone().filter(|_| page.truncated)
    }
    collect! {
        /// Returns all tags of a KMS key.
        collect_tags(key_id: &str) -> Tag, ListResourceTags { key_id: key_id.to_owned(), limit: Some(50), marker: None },
        page => page.tags, page.next_marker.clone().filter(|_| page.truncated)
    }
}
