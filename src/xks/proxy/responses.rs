//! The responses of the proxy, and the errors that become responses.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::aws::codec::json_body;
use crate::xks::key_manager::KeyManagerError;
use crate::xks::wire::ErrorName;

/// An error to be sent to the client.
pub(super) struct ProxyError {
    pub(super) name: ErrorName,
    pub(super) message: String,
}

impl ProxyError {
    pub(super) fn new(name: ErrorName, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorName::ValidationException, message)
    }
}

impl From<KeyManagerError> for ProxyError {
    fn from(error: KeyManagerError) -> Self {
        let name = match &error {
            KeyManagerError::KeyNotFound => ErrorName::KeyNotFoundException,
            KeyManagerError::KeyDisabled | KeyManagerError::Exhausted(_) => ErrorName::InvalidStateException,
            KeyManagerError::KeyUsage(_) => ErrorName::InvalidKeyUsageException,
            KeyManagerError::CallerDenied(_) => ErrorName::AccessDeniedException,
            KeyManagerError::InvalidCiphertext => ErrorName::InvalidCiphertextException,
            KeyManagerError::TooLong => ErrorName::UnsupportedOperationException,
            KeyManagerError::Database(database)
                if database.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) =>
            {
                return Self::new(ErrorName::DependencyTimeoutException, "the external key manager is busy");
            }
            // Internal errors may contain file paths, which must not be sent to the client.
            _ => return Self::new(ErrorName::InternalException, "the external key manager failed"),
        };
        Self::new(name, error.to_string())
    }
}

pub(super) fn ok<T: Serialize>(body: &T) -> Response<Bytes> {
    json(StatusCode::OK, body)
}

pub(super) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response<Bytes> {
    let Ok(bytes) = json_body(body) else {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(bytes);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
