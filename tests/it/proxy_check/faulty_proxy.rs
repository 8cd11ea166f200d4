//! The bundled proxy with one thing wrong with it, over HTTP.

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

/// What a proxy does in place of what it should.
pub type Fault = for<'a> fn(&'a FaultyProxy, Request<Bytes>) -> BoxFuture<'a, Response<Bytes>>;

/// The right proxy behind a fault, and what the fault has seen.
pub struct FaultyProxy {
    correct_proxy: Router,
    pub lab: TestProxy,
    /// The answers of Encrypt by their ciphertext and tag, and what they were asked with.
    pub encryptions: Mutex<HashMap<String, (Value, Value)>>,
    pub is_down: AtomicBool,
    /// Lets two requests meet.
    pub pair_barrier: Barrier,
}

impl FaultyProxy {
    /// Serves `lab` with a fault, until the test ends.
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

    /// What the right proxy answers.
    pub async fn forward(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = self.correct_proxy.clone().oneshot(request.map(Body::from)).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// `request` with another body, signed rightly.
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

    /// What the right proxy answers to `request` with another body.
    pub async fn forward_with_body(&self, request: &Request<Bytes>, body: &Value) -> Response<Bytes> {
        self.forward(self.sign_with_body(request, body)).await
    }

    /// Passes an Encrypt and remembers what came of it.
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

    /// What was asked, and what was given, when this ciphertext was made.
    pub fn recorded_encryption(&self, request_body: &Value) -> Option<(Value, Value)> {
        let name = format!("{}{}", request_body["ciphertext"], request_body["authenticationTag"]);
        self.encryptions.lock().unwrap().get(&name).cloned()
    }
}

/// A body as JSON; null if it is none.
pub fn parse_json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// The bytes of a Base64 member; none if it isn't there.
pub fn decode_base64(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}

pub fn encode_base64(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

/// An error as the API has them.
pub fn error_response(status: u16, name: &str, message: &str) -> Response<Bytes> {
    json_response(status, &json!({ "errorName": name, "errorMessage": message }))
}

pub fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap()
}

/// The answer with another status.
pub fn with_status(mut response: Response<Bytes>, status: u16) -> Response<Bytes> {
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// A success with its JSON changed.
pub fn map_json(response: Response<Bytes>, change: impl FnOnce(&mut Value)) -> Response<Bytes> {
    if response.status() != StatusCode::OK {
        return response;
    }
    let mut body = parse_json(response.body());
    change(&mut body);
    json_response(200, &body)
}
