//! The effects that the console requests and the messages that it receives. Both are plain values.

use std::collections::HashMap;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::monitoring::{Monitoring, TimeRange};
use super::pages::Location;
use super::pages::xray::flow::FlowDetails;
use super::preferences::SavedChange;
use super::theme_name::ThemeName;
use crate::aws::cloudtrail::Event;
use crate::aws::kms::{self, AliasListEntry, CustomKeyStore, Tag};
use crate::aws::scalar::{Blob, SecretBlob, SecretString};
use crate::aws::sts::CallerIdentity;
use crate::aws::xks_console::{self, DescribeExternalKeyOutput, Partition, ProxyFault, ProxyRequest, Workload};
use crate::aws::xray::FlowSummary;
use crate::client::credentials::LoadCredentialsError;
use crate::client::find::Found;
use crate::client::log::ApiCall;
use crate::client::profile::{ProfileSummary, SwitchTarget};
use crate::client::{CallError, Client};
use crate::create_key::changed_keys::ChangedKey;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::permissions::{MissingPermission, PermissionCheck};
use crate::create_key::principals::IamPrincipal;
use crate::create_key::submission;
use crate::drafts::{DraftRequest, DraftResponse};
use crate::lessons::state::{LessonRequest, LessonState};
use crate::storage::changes::Changes;

/// Identifies a call, so that a response that is no longer expected can be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Identifies a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// A side effect that the runtime performs.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Perform a call. The response arrives as [`Msg::CallCompleted`].
    Call(CallId, Call),
    /// Start a timer, in milliseconds. [`Msg::TimerElapsed`] arrives when it elapses.
    StartTimer(TimerId, u64),
    /// Save a change for the next run.
    Save(SavedChange),
    /// Perform a request on the saved drafts. The response arrives as [`Msg::Draft`].
    Draft(DraftRequest),
    /// Pass a request to the lesson. The new state arrives as [`Msg::Lesson`].
    Lesson(LessonRequest),
    /// Turn the mouse on or off.
    SetMouse(bool),
    /// Copy a text to the clipboard. The result arrives as [`Msg::Copied`].
    Copy(String),
    /// Use another client for all later calls.
    SwitchClient(Client),
    /// Draw with another theme.
    SetTheme(ThemeName),
    /// Draw the whole screen again.
    Redraw,
    /// Return to the shell until it continues the console.
    Suspend,
    /// Quit the console.
    Quit,
}

/// A request to AWS, the file system, or the credentials.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// The identity of the caller and the account alias.
    Identity,
    /// All custom key stores.
    KeyStores,
    /// All aliases.
    Aliases,
    /// A page of the keys with their metadata: the first page, or the page at a marker.
    Keys(Option<String>),
    /// One key, by its ID.
    Key(String),
    /// These keys with their aliases, and possibly their tags, after they changed.
    ChangedKeys {
        /// The IDs of the keys.
        key_ids: Vec<String>,
        /// Whether the tags are needed, too.
        with_tags: bool,
    },
    /// The page of a key or a key store, by any of its names.
    FindPage(String),
    /// A page of the IAM users: the first page, or the page at a marker.
    Users(Option<String>),
    /// A page of the IAM roles: the first page, or the page at a marker.
    Roles(Option<String>),
    /// Whether the IAM policies of the caller allow the operations of *Finish*.
    Permissions(Box<PermissionCheck>),
    /// The policy of a key.
    KeyPolicy(String),
    /// The tags of a key.
    KeyTags(String),
    /// The tags of all these keys.
    AllTags(Vec<String>),
    /// The external key of a KMS key. Available only in the bundled AWS.
    ExternalKey {
        /// The key store whose proxy has the key.
        custom_key_store_id: String,
        /// The external key ID.
        xks_key_id: String,
    },
    /// The external keys in the external key manager. Available only in the bundled AWS.
    ExternalKeys,
    /// The proxy faults. Available only in the bundled AWS.
    ProxyFaults,
    /// A page of CloudTrail events: the newest, or the page at a token.
    Events(Option<String>),
    /// The proxy requests that belong to a KMS request ID. Available only in the bundled AWS.
    ProxyRequests(String),
    /// The workloads. Available only in the bundled AWS.
    Workloads,
    /// A page of flows: the newest, or the page at a token. Available only in the bundled AWS.
    Flows(Option<String>),
    /// One flow, by its ID. Available only in the bundled AWS.
    Flow(String),
    /// Decrypt for X-ray: only the flow of the request is of interest.
    Replay(Box<kms::Decrypt>),
    /// The CloudWatch metrics of a key store.
    Metrics {
        /// The key store.
        custom_key_store_id: String,
        /// The time range.
        range: TimeRange,
    },
    /// Connect a key store.
    Connect(String),
    /// Disconnect a key store.
    Disconnect(String),
    /// A stage of creating a key.
    Submission(submission::SubmissionRequest),
    /// Perform a change.
    Change(Box<Change>),
    /// Try a key: send one request that encrypts or decrypts, and measure it.
    TryKey(Box<Change>),
    /// Read a file that the user chose, at most 64 KiB.
    ReadFile(String),
    /// Write a new file.
    WriteFile {
        /// The name of the file.
        name: String,
        /// The content of the file.
        text: SecretString,
    },
    /// The current time, for a report.
    CurrentTime,
    /// The available profiles.
    Profiles,
    /// Open a client for another profile or Region.
    OpenClient(SwitchTarget),
    /// Load new credentials, with an MFA code if one is required.
    LogIn(Option<SecretString>),
}

/// One request that changes a resource or uses a key.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Change {
    Enable(kms::EnableKey),
    Disable(kms::DisableKey),
    ScheduleDeletion(kms::ScheduleKeyDeletion),
    CancelDeletion(kms::CancelKeyDeletion),
    UpdateDescription(kms::UpdateKeyDescription),
    Tag(kms::TagResource),
    Untag(kms::UntagResource),
    PutPolicy(kms::PutKeyPolicy),
    CreateAlias(kms::CreateAlias),
    /// The target can also be an alias, which is resolved first.
    UpdateAlias(kms::UpdateAlias),
    DeleteAlias(kms::DeleteAlias),
    CreateKeyStore(kms::CreateCustomKeyStore),
    UpdateKeyStore(kms::UpdateCustomKeyStore),
    DeleteKeyStore(kms::DeleteCustomKeyStore),
    CreateExternalKey(xks_console::CreateExternalKey),
    EnableExternalKey(xks_console::EnableExternalKey),
    DisableExternalKey(xks_console::DisableExternalKey),
    RotateExternalKey(xks_console::RotateExternalKey),
    DeleteExternalKey(xks_console::DeleteExternalKey),
    CreatePartition(xks_console::CreatePartition),
    RotateProxyCredential(xks_console::RotateProxyCredential),
    RevokeProxyCredential(xks_console::RevokeProxyCredential),
    PutProxyFault(xks_console::PutProxyFault),
    DeleteProxyFault(xks_console::DeleteProxyFault),
    DeleteProxyFaults(xks_console::DeleteProxyFaults),
    AdvanceClock(xks_console::AdvanceAccountClock),
    /// With an optional PEM file of CA certificates.
    PutProxyRoute(xks_console::PutProxyRoute, Option<String>),
    /// With an optional file that replaces the plaintext.
    Encrypt(kms::Encrypt, Option<String>),
    /// With an optional file that replaces the ciphertext blob.
    Decrypt(kms::Decrypt, Option<String>),
}

/// The result of a successful [`Change`].
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeOutcome {
    /// The change is done, without further data.
    Done,
    /// The ciphertext from Encrypt.
    Ciphertext(Blob),
    /// The plaintext from Decrypt.
    Plaintext(SecretBlob),
    /// A proxy configuration file.
    Configuration(SecretString),
}

/// What was measured while a key was tried with one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The ciphertext or the plaintext, or the failure.
    pub outcome: Result<ChangeOutcome, CallFailure>,
    /// The request ID. Empty without a response.
    pub request_id: String,
    /// The duration of the request in milliseconds. `None` if it was not sent.
    pub milliseconds: Option<u64>,
    /// The requests to the external key store proxy that belong to the request. `None` without a proxy log.
    pub proxy_requests: Option<Vec<ProxyRequest>>,
}

impl Trial {
    /// Creates the trial of a request that failed before it was sent.
    pub fn failed(failure: CallFailure) -> Self {
        let request_id = failure.request_id.clone();
        Self { outcome: Err(failure), request_id, milliseconds: None, proxy_requests: None }
    }
}

/// The result of looking up a page by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLookup {
    /// The page.
    pub location: Location,
    /// The account of the KMS key. `None` for a key store, which is always in the account of the caller.
    pub account_id: Option<String>,
}

impl From<Found> for PageLookup {
    fn from(found: Found) -> Self {
        let account_id = match &found {
            Found::Key(key) => key.arn.split(':').nth(4).map(str::to_owned),
            Found::KeyStore(_) => None,
        };
        Self { location: found.into(), account_id }
    }
}

/// The successful response to a [`Call`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Response {
    Identity {
        caller: CallerIdentity,
        account_alias: Option<String>,
    },
    KeyStores(Vec<CustomKeyStore>),
    Aliases(Vec<AliasListEntry>),
    Keys {
        page: Vec<KeySummary>,
        next: Option<String>,
    },
    Key(Box<KeySummary>),
    ChangedKeys(Vec<ChangedKey>),
    PageFound(Box<PageLookup>),
    Principals {
        page: Vec<IamPrincipal>,
        next: Option<String>,
    },
    Permissions(Vec<MissingPermission>),
    KeyPolicy(String),
    KeyTags(Vec<Tag>),
    AllTags(HashMap<String, Vec<Tag>>),
    ExternalKey(DescribeExternalKeyOutput),
    ExternalKeys(Vec<Partition>),
    ProxyFaults(Vec<ProxyFault>),
    Workloads(Vec<Workload>),
    Events {
        page: Vec<Event>,
        next: Option<String>,
    },
    ProxyRequests(Vec<ProxyRequest>),
    Flows {
        page: Vec<FlowSummary>,
        next: Option<String>,
    },
    Flow(Box<FlowDetails>),
    /// The ID of the KMS request, and whether it succeeded. The plaintext isn't part of it.
    Replayed {
        request_id: String,
        outcome: Result<(), Box<CallFailure>>,
    },
    Metrics(Box<Monitoring>),
    Accepted,
    Changed(ChangeOutcome),
    KeyTried(Box<Trial>),
    FileRead(SecretString),
    FileWritten(String),
    Submission(submission::SubmissionResponse),
    CurrentTime(Timestamp),
    Profiles(Vec<ProfileSummary>),
    ClientOpened(Client),
    LoggedIn,
    /// The request was not sent because there are no credentials. The user has to sign in first.
    NoCredentials(LoadCredentialsError),
}

/// The failure of a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// The AWS error code, or the console's own code if there was no response.
    pub code: String,
    /// The error message.
    pub message: String,
    /// The request ID. Empty without a response.
    pub request_id: String,
}

impl CallFailure {
    /// The code for data that is available only in the bundled AWS.
    pub const NOT_AVAILABLE: &str = "NotAvailable";
    /// The code for a request that was not sent because there are no credentials.
    pub const NO_CREDENTIALS: &str = "NoCredentials";
}

impl From<&LoadCredentialsError> for CallFailure {
    fn from(none: &LoadCredentialsError) -> Self {
        let (code, message) = (Self::NO_CREDENTIALS.to_owned(), format!("{none}."));
        Self { code, message, request_id: String::new() }
    }
}

impl From<&CallError> for CallFailure {
    fn from(error: &CallError) -> Self {
        let (message, request_id) = match error {
            CallError::Service(service) => (service.message.clone(), service.request_id.clone()),
            other => (other.to_string(), String::new()),
        };
        Self { code: error.code().to_owned(), message, request_id }
    }
}

/// The result of copying a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyResult {
    /// A clipboard program confirmed that the text is on the clipboard.
    Clipboard,
    /// The text is in the paste buffer of tmux, which was asked to forward it to the terminal.
    Tmux,
    /// The text was sent to the terminal, which doesn't confirm that it copied it.
    Sent,
    /// The text is longer than terminals accept.
    TooLong {
        /// The length of the text, in bytes.
        bytes: usize,
        /// The maximum length, in bytes.
        max_bytes: usize,
    },
}

/// An event that the console handles.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// A mouse button was pressed, or the wheel turned.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal was resized.
    Resize {
        /// The width, in columns.
        width: u16,
        /// The height, in rows.
        height: u16,
    },
    /// Copying a text has finished.
    Copied(CopyResult),
    /// A call has finished.
    CallCompleted(CallId, Result<Response, CallFailure>),
    /// An AWS API call has finished. One [`Call`] can make several.
    ApiCallCompleted(Box<ApiCall>),
    /// A response about the saved drafts.
    Draft(DraftResponse),
    /// The state of the lesson.
    Lesson(Box<LessonState>),
    /// A timer elapsed.
    TimerElapsed(TimerId),
    /// Data in AWS changed, possibly through this console.
    DataChanged(Changes),
}
