//! Collects the flow of one request while it is handled.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aws::operation::Service;
use crate::aws::xray::{FlowAuthorization, FlowCipher, FlowExchange, FlowStage};
use crate::xks::client::ExchangeLog;
use crate::xks::wire::ErrorName;

/// Operations whose requests have a flow, even if they fail before a proxy is reached.
const RECORDED_OPERATIONS: [&str; 5] =
    ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"];
/// Operations whose requests have a flow if they reach a proxy.
const PROXY_OPERATIONS: [&str; 3] = ["CreateKey", "CreateCustomKeyStore", "UpdateCustomKeyStore"];

/// What is known about the flow so far.
#[derive(Debug, Default)]
struct FlowDraft {
    stage: FlowStage,
    authorizations: Vec<FlowAuthorization>,
    ciphers: Vec<FlowCipher>,
}

/// A flow when its request is finished.
pub struct RecordedFlow {
    /// Whether the flow is about the request of the caller. If not, AWS called a proxy meanwhile.
    pub is_about_request: bool,
    /// How far the request came.
    pub stage: FlowStage,
    pub authorizations: Vec<FlowAuthorization>,
    pub ciphers: Vec<FlowCipher>,
    pub exchanges: Vec<FlowExchange>,
}

/// Collects the flow of one request. For requests that have no flow, it ignores everything except calls to proxies.
#[derive(Debug)]
pub struct FlowRecorder {
    always_records: bool,
    records_details: bool,
    draft: Mutex<FlowDraft>,
    /// The calls to proxies. `None` if nothing is recorded.
    exchanges: Option<ExchangeLog>,
}

impl FlowRecorder {
    /// Creates the recorder of a request.
    pub fn new(service: Service, operation: &str) -> Self {
        let is_kms = service == Service::Kms;
        let always_records = is_kms && RECORDED_OPERATIONS.contains(&operation);
        let records_details = always_records || is_kms && PROXY_OPERATIONS.contains(&operation);
        let exchanges = Some(ExchangeLog::default());
        Self { always_records, records_details, draft: Mutex::default(), exchanges }
    }

    /// Creates the recorder of a request that has no flow.
    pub fn off() -> Self {
        Self { always_records: false, records_details: false, draft: Mutex::default(), exchanges: None }
    }

    fn draft(&self) -> MutexGuard<'_, FlowDraft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether decisions and layers are recorded.
    pub fn records_details(&self) -> bool {
        self.records_details
    }

    /// Returns the log for the requests to proxies, if they are recorded.
    pub fn exchanges(&self) -> Option<ExchangeLog> {
        self.exchanges.clone()
    }

    /// Records how far the request came. If the request fails, it was refused at this stage.
    pub fn enter(&self, stage: FlowStage) {
        if self.records_details {
            self.draft().stage = stage;
        }
    }

    /// Records a decision about a permission.
    pub fn authorized(&self, authorization: FlowAuthorization) {
        let mut draft = self.draft();
        draft.stage = if authorization.is_allowed { FlowStage::Request } else { FlowStage::Authorization };
        draft.authorizations.push(authorization);
    }

    /// Records the start of an encryption or decryption.
    pub fn start_cipher(&self, cipher: FlowCipher) {
        self.draft().ciphers.push(cipher);
    }

    /// Completes the last encryption or decryption.
    pub fn update_cipher(&self, update: impl FnOnce(&mut FlowCipher)) {
        if let Some(cipher) = self.draft().ciphers.last_mut() {
            update(cipher);
        }
    }

    /// Returns what was recorded, if the request has a flow.
    pub fn finish(&self, error_code: Option<&str>) -> Option<RecordedFlow> {
        let exchanges = self.exchanges.as_ref()?.take();
        if !self.always_records && exchanges.is_empty() {
            return None;
        }
        let FlowDraft { stage, authorizations, ciphers } = std::mem::take(&mut *self.draft());
        let is_about_request = self.records_details;
        // Only the proxy's answer says which of its two steps failed.
        let refused = |exchange: &FlowExchange| {
            let answer = exchange.answer.as_deref().unwrap_or_default();
            exchange.operation == "Decrypt" && answer.contains(ErrorName::InvalidCiphertextException.as_str())
        };
        let stage = match stage {
            FlowStage::Proxy if exchanges.last().is_some_and(refused) => FlowStage::SecondLayer,
            _ if !is_about_request => FlowStage::Proxy,
            // Operations that only check the proxy have no other stage to enter.
            FlowStage::Request if exchanges.last().is_some_and(|last| last.failure.is_some()) => FlowStage::Proxy,
            FlowStage::Request if error_code.is_some_and(|code| code.starts_with("Xks")) => FlowStage::Proxy,
            stage => stage,
        };
        Some(RecordedFlow { is_about_request, stage, authorizations, ciphers, exchanges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(operation: &str, answer: &str) -> FlowExchange {
        FlowExchange { operation: operation.to_owned(), answer: Some(answer.to_owned()), ..FlowExchange::default() }
    }

    #[test]
    fn only_requests_that_use_a_key_or_reach_a_proxy_have_a_flow() {
        let has_flow = |service, operation| FlowRecorder::new(service, operation).finish(None).is_some();
        assert!(has_flow(Service::Kms, "Decrypt"));
        assert!(!has_flow(Service::Kms, "ListKeys"));
        assert!(!has_flow(Service::Kms, "CreateKey"));
        assert!(FlowRecorder::off().finish(None).is_none());
        let recorder = FlowRecorder::new(Service::Kms, "CreateKey");
        recorder.exchanges().unwrap().push(exchange("GetKeyMetadata", "{}"));
        assert!(recorder.finish(None).is_some_and(|flow| flow.is_about_request));
        // Any request can complete a connection that another request began.
        let recorder = FlowRecorder::new(Service::CloudWatch, "GetMetricData");
        recorder.exchanges().unwrap().push(exchange("GetHealthStatus", "{}"));
        assert!(recorder.finish(None).is_some_and(|flow| !flow.is_about_request && flow.stage == FlowStage::Proxy));
    }

    #[test]
    fn invalid_ciphertext_of_a_proxy_is_refused_by_the_second_layer() {
        let stage = |operation: &str, answer: &str| {
            let recorder = FlowRecorder::new(Service::Kms, "Decrypt");
            recorder.enter(FlowStage::Proxy);
            recorder.exchanges().unwrap().push(exchange(operation, answer));
            recorder.finish(None).unwrap().stage
        };
        assert_eq!(stage("Decrypt", r#"{"errorName":"InvalidCiphertextException"}"#), FlowStage::SecondLayer);
        assert_eq!(stage("Decrypt", r#"{"errorName":"InvalidStateException"}"#), FlowStage::Proxy);
        assert_eq!(stage("Encrypt", r#"{"errorName":"InvalidCiphertextException"}"#), FlowStage::Proxy);
    }
}
