//! What the console asks the world to do, and what the world answers. Both are plain values.

use std::collections::HashMap;

use crossterm::event::KeyEvent;

use super::monitoring::{Monitoring, TimeRange};
use super::preferences::Preferences;
use crate::aws::cloudtrail::Event;
use crate::aws::kms::{self, AliasListEntry, CustomKeyStore, Tag};
use crate::aws::scalar::{Blob, SecretBlob, SecretString};
use crate::aws::sts::CallerIdentity;
use crate::aws::xks_console::{self, DescribeExternalKeyOutput, Partition, ProxyRequest};
use crate::client::credentials::LoadCredentialsError;
use crate::client::log::ApiCall;
use crate::client::profile::{ProfileSummary, SwitchTarget};
use crate::client::{CallError, Client};
use crate::create_key::key_summary::KeySummary;
use crate::create_key::permissions::{MissingPermission, PermissionCheck};
use crate::create_key::principals::IamPrincipal;
use crate::create_key::submission;
use crate::drafts::{DraftRequest, DraftResponse};

/// Names one question, so that an answer nobody waits for can be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Names one timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

/// Something only the runtime can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask AWS; the answer comes as [`Msg::Answered`].
    Call(CallId, Call),
    /// Come back with [`Msg::Elapsed`] after so many milliseconds.
    StartTimer(TimerId, u64),
    /// Remember what the person prefers for the next run.
    SavePreferences(Preferences),
    /// Ask something of the drafts on disk; what is to be told comes as [`Msg::Draft`].
    Draft(DraftRequest),
    /// Put a text on the clipboard.
    Copy(String),
    /// Make this and all later calls by another client.
    SwitchClient(Client),
    /// Leave the program.
    Quit,
}

/// A question to AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Who is calling, and the account's alias.
    Identity,
    /// All custom key stores.
    KeyStores,
    /// All aliases.
    Aliases,
    /// A page of the keys, described: the first, or the one that a marker names.
    Keys(Option<String>),
    /// One key, by its ID.
    Key(String),
    /// A page of the IAM users: the first, or the one that a marker names.
    Users(Option<String>),
    /// A page of the IAM roles, likewise.
    Roles(Option<String>),
    /// Whether the caller's IAM policies allow what Finish does.
    Permissions(Box<PermissionCheck>),
    /// The policy of a key.
    KeyPolicy(String),
    /// The tags of a key.
    KeyTags(String),
    /// The tags of all these keys.
    AllTags(Vec<String>),
    /// The external key behind a key, where the bundled AWS can tell.
    ExternalKey {
        /// The store whose proxy is asked.
        custom_key_store_id: String,
        /// The external key ID.
        xks_key_id: String,
    },
    /// What is in the external key manager, where the bundled AWS can tell.
    ExternalKeys,
    /// A page of the events of CloudTrail: the newest, or the one that a token names.
    Events(Option<String>),
    /// What the proxy was asked for the sake of a request to KMS, where the bundled AWS can tell.
    ProxyRequests(String),
    /// What CloudWatch tells of a store.
    Metrics {
        /// The store.
        custom_key_store_id: String,
        /// How far back.
        range: TimeRange,
    },
    /// Connect a store.
    Connect(String),
    /// Disconnect a store.
    Disconnect(String),
    /// A stage of creating a key.
    Submission(submission::SubmissionRequest),
    /// Change something.
    Change(Box<Change>),
    /// Read a file of the person's, at most 64 KiB.
    ReadFile(String),
    /// Write a new file.
    WriteFile {
        /// The name of the file.
        name: String,
        /// What stands in it.
        text: SecretString,
    },
    /// The profiles that can be gone on with.
    Profiles,
    /// Open a client of another profile or Region.
    OpenClient(SwitchTarget),
    /// Fetch credentials anew, with the code of an MFA device if one is asked for.
    LogIn(Option<SecretString>),
}

/// A change to a key or a key store, or the use of a key: one request.
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
    /// The target may be an alias too; it is looked up first.
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
    /// With the file that holds the certificates of the authorities, PEM.
    PutProxyRoute(xks_console::PutProxyRoute, Option<String>),
    /// The plaintext, or the file whose bytes are taken instead.
    Encrypt(kms::Encrypt, Option<String>),
    /// The blob, or the file whose bytes are taken instead.
    Decrypt(kms::Decrypt, Option<String>),
}

/// What came of a [`Change`].
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeOutcome {
    /// It is done.
    Done,
    /// What Encrypt gave.
    Ciphertext(Blob),
    /// What Decrypt gave.
    Plaintext(SecretBlob),
    /// A proxy configuration file.
    Configuration(SecretString),
}

/// What AWS answered to a [`Call`].
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
    Events {
        page: Vec<Event>,
        next: Option<String>,
    },
    ProxyRequests(Vec<ProxyRequest>),
    Metrics(Box<Monitoring>),
    Accepted,
    Changed(ChangeOutcome),
    FileRead(SecretString),
    FileWritten(String),
    Submission(submission::SubmissionResponse),
    Profiles(Vec<ProfileSummary>),
    ClientOpened(Client),
    LoggedIn,
    /// Nothing was asked: there is nothing to sign with until the person has logged in.
    NoCredentials(LoadCredentialsError),
}

/// Why a [`Call`] failed, in words and with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// AWS's error code, or a word for what went wrong on the way.
    pub code: String,
    /// What it says.
    pub message: String,
    /// The request ID, empty when no answer came.
    pub request_id: String,
}

impl CallFailure {
    /// The code of what only the bundled AWS can tell.
    pub const NOT_AVAILABLE: &str = "NotAvailable";
    /// The code of what was not asked for want of credentials.
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

/// What came of a text that was to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyResult {
    /// A program of this machine confirmed that it is on the clipboard.
    Clipboard,
    /// It is in tmux's paste buffer, and tmux was asked to pass it on to the terminal.
    Tmux,
    /// It was sent to the terminal, which doesn't tell what it did with it.
    Sent,
    /// It is longer than terminals take.
    TooLong {
        /// The bytes of the text.
        bytes: usize,
        /// The most that are sent.
        max_bytes: usize,
    },
}

/// Everything that can happen to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size now, in cells.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// A text was copied.
    Copied(CopyResult),
    /// AWS answered.
    CallCompleted(CallId, Result<Response, CallFailure>),
    /// A call to AWS is over. A [`Call`] may take several.
    ApiCallCompleted(Box<ApiCall>),
    /// Something is told of the drafts on disk.
    Draft(DraftResponse),
    /// A timer ran out.
    TimerElapsed(TimerId),
    /// Somebody, perhaps this console, has changed something.
    DataChanged,
}
