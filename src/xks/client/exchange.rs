//! One exchange with a proxy, and the faults that disturb it.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use serde_json::Value;

use super::{PROXY_TIMEOUT, XksClient, XksFailure};
use crate::aws::codec::json_body;
use crate::aws::scalar::Blob;
use crate::xks::faults::{FaultKind, InjectedFault};
use crate::xks::proxy::{is_bundled_host, wipe};
use crate::xks::wire::{ErrorBody, ErrorName};

/// A status and a body.
type ProxyResponse = (StatusCode, Bytes);

impl XksClient {
    /// Sends a request and waits for its response, as far as `fault` lets it.
    pub(super) async fn exchange(
        &self,
        mut request: Request<Bytes>,
        operation: &str,
        fault: Option<&InjectedFault>,
    ) -> Result<ProxyResponse, XksFailure> {
        let Some(InjectedFault { kind, delay }) = fault else {
            return self.send_in_time(request, Duration::ZERO).await;
        };
        match kind {
            FaultKind::Unreachable => return Err(XksFailure::Unreachable),
            FaultKind::Tls(problem) => return Err(XksFailure::Tls(*problem)),
            FaultKind::Timeout => return self.wait_in_vain().await,
            FaultKind::Latency(_) if *delay >= PROXY_TIMEOUT => return self.wait_in_vain().await,
            FaultKind::WrongSignature => damage_signature(&mut request),
            _ => {}
        }
        let host = request.uri().host().unwrap_or_default();
        let response = if is_bundled_host(host) {
            // The bundled proxy waits and fails itself, so that its log shows it.
            request.extensions_mut().insert(InjectedFault { kind: kind.clone(), delay: *delay });
            self.send_in_time(request, Duration::ZERO).await?
        } else if let Some(name) = kind.proxy_error(operation) {
            error_response(name)?
        } else {
            self.send_in_time(request, *delay).await?
        };
        Ok(disturb_response(kind, operation, response))
    }

    /// Sends a request after `delay`, and waits [`PROXY_TIMEOUT`] in total.
    async fn send_in_time(&self, request: Request<Bytes>, delay: Duration) -> Result<ProxyResponse, XksFailure> {
        let send = async {
            if !delay.is_zero() {
                self.shared.clock.sleep(delay).await;
            }
            self.send(request).await
        };
        tokio::time::timeout(PROXY_TIMEOUT, send).await.unwrap_or(Err(XksFailure::TimedOut))
    }

    /// Waits as long as for a response that doesn't arrive.
    async fn wait_in_vain(&self) -> Result<ProxyResponse, XksFailure> {
        self.shared.clock.sleep(PROXY_TIMEOUT).await;
        Err(XksFailure::TimedOut)
    }
}

fn error_response(name: ErrorName) -> Result<ProxyResponse, XksFailure> {
    let body = json_body(&ErrorBody { error_name: name.as_str().to_owned(), error_message: None });
    let body = body.map_err(|_| XksFailure::InvalidResponse("the error can't be encoded"))?;
    Ok((StatusCode::from_u16(name.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body))
}

/// Changes the last digit of the signature.
fn damage_signature(request: &mut Request<Bytes>) {
    let Some(value) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return };
    let mut damaged = value.to_owned();
    let last = damaged.pop();
    damaged.push(if last == Some('0') { '1' } else { '0' });
    if let Ok(value) = HeaderValue::from_str(&damaged) {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
}

/// Returns the member of a message that a fault changes: that of the response of Encrypt, or of the request of Decrypt.
fn damaged_member(kind: &FaultKind) -> Option<&'static str> {
    Some(match kind {
        FaultKind::WrongTag => "authenticationTag",
        FaultKind::WrongIntegrityValue => "ciphertextDataIntegrityValue",
        FaultKind::Damaged => "ciphertext",
        _ => return None,
    })
}

/// Returns the body of a request as it arrives at the proxy.
pub(super) fn disturb_request(kind: &FaultKind, operation: &str, body: &Bytes) -> Option<Bytes> {
    let member = damaged_member(kind).filter(|_| operation == "Decrypt")?;
    edit(body, |message| flip_bit(message, member))
}

/// Returns a response as it arrives at KMS.
fn disturb_response(kind: &FaultKind, operation: &str, (status, body): ProxyResponse) -> ProxyResponse {
    if *kind == FaultKind::Malformed {
        wipe(body);
        return (status, Bytes::from_static(b"{\"ciphertext\":"));
    }
    if status != StatusCode::OK {
        return (status, body);
    }
    let edited = match kind {
        FaultKind::KeyDisabled if operation == "GetKeyMetadata" => {
            edit(&body, |message| message["keyStatus"] = "DISABLED".into())
        }
        FaultKind::ManagerDegraded => edit(&body, |message| set_health(message, "DEGRADED")),
        FaultKind::ManagerUnavailable => edit(&body, |message| set_health(message, "UNAVAILABLE")),
        _ => damaged_member(kind)
            .filter(|_| operation == "Encrypt")
            .and_then(|member| edit(&body, |message| flip_bit(message, member))),
    };
    (status, edited.unwrap_or(body))
}

/// Edits the members of a message. Returns `None` if it isn't an object.
fn edit(body: &[u8], change: impl FnOnce(&mut Value)) -> Option<Bytes> {
    let mut message: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
    change(&mut message);
    json_body(&message).ok()
}

/// Flips the first bit of a Base64 member. An empty value stays as it is.
fn flip_bit(message: &mut Value, member: &str) {
    let Some(value) = message.get_mut(member) else { return };
    let Ok(Blob(mut bytes)) = serde_json::from_value(value.clone()) else { return };
    if let Some(first) = bytes.first_mut() {
        *first ^= 0x80;
    }
    if let Ok(damaged) = serde_json::to_value(Blob(bytes)) {
        *value = damaged;
    }
}

fn set_health(message: &mut Value, status: &str) {
    for member in message["ekmFleetDetails"].as_array_mut().into_iter().flatten() {
        member["healthStatus"] = status.into();
    }
}
