//! The bundled proxy with one fault, over HTTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tower::ServiceExt as _;
use xks_console::aws::sigv4::{self, Credentials};

use super::TestProxy;

/// The faulty behavior of a proxy.
pub type Fault = for<'a> fn(&'a FaultyProxy, Request<Bytes>) -> BoxFuture<'a, Response<Bytes>>;

/// The correct proxy behind a fault, and the state of the fault.
pub struct FaultyProxy {
    correct_proxy: Router,
    pub lab: TestProxy,
    /// The request and response bodies of Encrypt, by ciphertext and tag.
    pub encryptions: Mutex<HashMap<String, (Value, Value)>>,
    pub is_down: AtomicBool,
    /// Makes two concurrent requests wait for each other.
    pub pair_barrier: Barrier,
}

impl FaultyProxy {
    /// Serves `lab` with a fault until the test ends. With `reads_all`, also reads large bodies completely.
    pub async fn serve(lab: &TestProxy, fault: Fault, reads_all: bool) -> SocketAddr {
        let faulty = Arc::new(Self {
            correct_proxy: lab.aws.proxy_router(),
            lab: lab.clone(),
            encryptions: Mutex::default(),
            is_down: AtomicBool::new(false),
            pair_barrier: Barrier::new(2),
        });
        let app = Router::new().fallback(move |request: Request<Body>| {
            let faulty = Arc::clone(&faulty);
            async move {
                let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
                if !reads_all && length.is_some_and(|length: u64| length > 1 << 20) {
                    return faulty.correct_proxy.clone().oneshot(request).await.unwrap();
                }
                let (head, body) = request.into_parts();
                let Ok(body) = body.collect().await else { return Response::new(Body::empty()) };
                fault(&faulty, Request::from_parts(head, body.to_bytes())).await.map(Body::from)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        address
    }

    /// Returns the response of the correct proxy.
    pub async fn forward(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = self.correct_proxy.clone().oneshot(request.map(Body::from)).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// Returns `request` with another body and a valid signature.
    pub fn sign_with_body(&self, request: &Request<Bytes>, body: &Value) -> Request<Bytes> {
        let host = request.headers()[HOST].to_str().unwrap();
        let uri = format!("http://{host}{}", request.uri().path());
        let mut new = Request::post(uri).body(Bytes::from(body.to_string())).unwrap();
        let credential = &self.lab.credential;
        let credentials = Credentials {
            access_key_id: credential.access_key_id.clone(),
            secret_access_key: credential.secret_access_key.clone(),
            session_token: None,
        };
        sigv4::sign(&mut new, &credentials, "us-west-2", "kms-xks-proxy", Timestamp::now()).unwrap();
        new
    }

    /// Returns the response of the correct proxy to `request` with another body.
    pub async fn forward_with_body(&self, request: &Request<Bytes>, body: &Value) -> Response<Bytes> {
        self.forward(self.sign_with_body(request, body)).await
    }

    /// Forwards an Encrypt request and records the request and response bodies.
    pub async fn forward_and_record(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request_body = parse_json(request.body());
        let response = self.forward(request).await;
        if response.status() == StatusCode::OK {
            let response_body = parse_json(response.body());
            let name = format!("{}{}", response_body["ciphertext"], response_body["authenticationTag"]);
            self.encryptions.lock().unwrap().insert(name, (request_body, response_body));
        }
        response
    }

    /// Returns the recorded request and response bodies for the ciphertext in `request_body`.
    pub fn recorded_encryption(&self, request_body: &Value) -> Option<(Value, Value)> {
        let name = format!("{}{}", request_body["ciphertext"], request_body["authenticationTag"]);
        self.encryptions.lock().unwrap().get(&name).cloned()
    }
}

/// Parses a body as JSON. Returns null if it isn't valid JSON.
pub fn parse_json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Decodes a Base64 member. Returns no bytes if it is missing or invalid.
pub fn decode_base64(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}

pub fn encode_base64(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

/// Returns an error response in the format of the XKS proxy API.
pub fn error_response(status: u16, name: &str, message: &str) -> Response<Bytes> {
    json_response(status, &json!({ "errorName": name, "errorMessage": message }))
}

pub fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap()
}

/// Returns the response with another status.
pub fn with_status(mut response: Response<Bytes>, status: u16) -> Response<Bytes> {
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Applies `change` to the JSON body of a successful response.
pub fn map_json(response: Response<Bytes>, change: impl FnOnce(&mut Value)) -> Response<Bytes> {
    if response.status() != StatusCode::OK {
        return response;
    }
    let mut body = parse_json(response.body());
    change(&mut body);
    json_response(200, &body)
}
