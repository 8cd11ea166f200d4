//! The services that credentials come from, on loopback: the bundled AWS with STS, the IAM Identity Center portal, and
//! the metadata services of containers and EC2.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::runtime::Runtime;
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::AssumeRole;
use xks_console::bundled::BundledAws;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

use crate::pty::Console;

/// The access token that IAM Identity Center accepts.
pub const SSO_TOKEN: &str = "portal-token";
/// The refresh token that IAM Identity Center exchanges for an access token.
pub const REFRESH_TOKEN: &str = "refresh-token";
/// The authorization token that the container credentials endpoint accepts.
pub const CONTAINER_TOKEN: &str = "container-token";
/// The web identity token that STS accepts.
pub const WEB_IDENTITY: &str = "header.claims.signature";
/// The session token of the EC2 instance metadata service (IMDSv2).
const METADATA_SESSION: &str = "metadata-session";
/// The role of all sessions.
pub const ROLE: &str = "arn:aws:iam::111122223333:role/platform/PlatformAdmin";

/// An access key ID and its session token, if any.
pub type Signer = (String, Option<String>);

pub fn signer(credentials: &Credentials) -> Signer {
    let token = credentials.session_token.as_ref().map(|token| token.expose().to_owned());
    (credentials.access_key_id.clone(), token)
}

/// Services on loopback that record the signer of each request, and a home directory with AWS configuration files.
pub struct Cloud {
    pub url: String,
    pub bundled: BundledAws,
    pub home: tempfile::TempDir,
    state: Arc<ServiceState>,
    pub runtime: Runtime,
}

/// The state shared by the request handlers.
pub struct ServiceState {
    bundled: BundledAws,
    /// The operation and signer of each request to AWS.
    calls: Mutex<Vec<(String, Signer)>>,
    /// The credentials issued so far.
    issued: Mutex<Vec<Signer>>,
    /// The lifetimes of the next credentials, in seconds. Credentials last one hour when the queue is empty.
    lifetimes: Mutex<VecDeque<i64>>,
}

impl ServiceState {
    pub fn new(bundled: BundledAws) -> Arc<Self> {
        let (calls, issued, lifetimes) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { bundled, calls, issued, lifetimes })
    }

    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle_request).with_state(Arc::clone(self))
    }

    /// Returns the signers of all calls to AWS except AssumeRole.
    pub fn signers(&self) -> Vec<Signer> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(operation, _)| operation != "AssumeRole").map(|(_, signer)| signer.clone()).collect()
    }

    /// Returns the signers of AssumeRole calls.
    fn assumed_by(&self) -> Vec<Signer> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(operation, _)| operation == "AssumeRole").map(|(_, signer)| signer.clone()).collect()
    }

    /// Returns the operations that were called.
    pub fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// Issues session credentials for the role and returns them with their expiration time.
    async fn issue(&self, name: &str) -> (Credentials, Timestamp) {
        let request =
            AssumeRole { role_arn: ROLE.to_owned(), role_session_name: name.to_owned(), ..AssumeRole::default() };
        let issued_credentials =
            in_process::client(&self.bundled, Clock::System).call(&request).await.unwrap().credentials;
        let credentials = Credentials {
            access_key_id: issued_credentials.access_key_id,
            secret_access_key: issued_credentials.secret_access_key,
            session_token: Some(issued_credentials.session_token),
        };
        self.issued.lock().unwrap().push(signer(&credentials));
        let seconds = self.next_lifetime().unwrap_or(3600);
        (credentials, Timestamp::now() + SignedDuration::from_secs(seconds))
    }

    /// Issues credentials in the format of the EC2 and container metadata services.
    async fn issue_json(&self, name: &str) -> String {
        let (credentials, expires) = self.issue(name).await;
        json!({
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": Timestamp::now().strftime("%FT%TZ").to_string(),
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key.expose(),
            "Token": credentials.session_token.unwrap().expose(),
            "Expiration": expires.strftime("%FT%TZ").to_string(),
        })
        .to_string()
    }

    /// Issues credentials in the format of IAM Identity Center.
    async fn issue_for_identity_center(&self) -> String {
        let (credentials, expires) = self.issue("sso").await;
        json!({ "roleCredentials": {
            "accessKeyId": credentials.access_key_id,
            "secretAccessKey": credentials.secret_access_key.expose(),
            "sessionToken": credentials.session_token.unwrap().expose(),
            "expiration": expires.as_millisecond(),
        }})
        .to_string()
    }

    /// Issues credentials in the format of STS.
    async fn issue_for_web_identity(&self) -> String {
        let (credentials, expires) = self.issue("web-identity").await;
        format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
             <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROA:w\
             </AssumedRoleId><Arn>{ROLE}</Arn></AssumedRoleUser></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
            credentials.access_key_id,
            credentials.secret_access_key.expose(),
            credentials.session_token.unwrap().expose(),
            expires.strftime("%FT%TZ")
        )
    }

    async fn handle_aws(&self, request: Request<Bytes>) -> Response<Bytes> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let target = header(&request, "x-amz-target");
        let operation = target.rsplit_once('.').map(|(_, name)| name.to_owned()).or_else(|| field("Action"));
        let operation = operation.unwrap_or_default();
        // The request isn't signed because the caller has no credentials yet.
        if operation == "AssumeRoleWithWebIdentity" {
            let is_valid = field("WebIdentityToken").as_deref() == Some(WEB_IDENTITY);
            return if is_valid {
                response(StatusCode::OK, self.issue_for_web_identity().await)
            } else {
                let message = "No OpenIDConnect provider found in your account";
                let error = format!("<Error><Code>InvalidIdentityToken</Code><Message>{message}</Message></Error>");
                response(StatusCode::BAD_REQUEST, format!("<ErrorResponse>{error}</ErrorResponse>"))
            };
        }
        let authorization = header(&request, "authorization");
        let id = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split_once('/'));
        let id = id.map(|(id, _)| id.to_owned()).unwrap_or_default();
        let token = Some(header(&request, "x-amz-security-token")).filter(|token| !token.is_empty());
        let lifetime = Some(()).filter(|()| operation == "AssumeRole").and_then(|()| self.next_lifetime());
        self.calls.lock().unwrap().push((operation, (id, token)));
        let response = self.bundled.handle(request).await;
        match lifetime {
            Some(seconds) => {
                response.map(|body| with_expiration(&body, Timestamp::now() + SignedDuration::from_secs(seconds)))
            }
            None => response,
        }
    }

    fn next_lifetime(&self) -> Option<i64> {
        self.lifetimes.lock().unwrap().pop_front()
    }
}

/// Replaces the expiration time in a response of STS.
fn with_expiration(body: &[u8], expires: Timestamp) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let (before, rest) = text.split_once("<Expiration>").unwrap();
    let (_, after) = rest.split_once("</Expiration>").unwrap();
    format!("{before}<Expiration>{}</Expiration>{after}", expires.strftime("%FT%TZ")).into()
}

fn header(request: &Request<Bytes>, name: &str) -> String {
    request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn response(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

async fn handle_request(State(state): State<Arc<ServiceState>>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let request = Request::from_parts(head, body);
    let has_header = |name, value| header(&request, name) == value;
    let is_in_session = has_header("x-aws-ec2-metadata-token", METADATA_SESSION);
    let result = match (request.method().as_str(), request.uri().path()) {
        ("POST", "/") => state.handle_aws(request).await,
        ("GET", "/federation/credentials") if has_header("x-amz-sso_bearer_token", SSO_TOKEN) => {
            response(StatusCode::OK, state.issue_for_identity_center().await)
        }
        ("GET", "/federation/credentials") => {
            let mut rejection =
                response(StatusCode::UNAUTHORIZED, r#"{"message":"Session token not found or invalid"}"#);
            rejection.headers_mut().insert("x-amzn-errortype", "UnauthorizedException".parse().unwrap());
            rejection
        }
        ("POST", "/token") => {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let is_valid = body["grantType"] == "refresh_token" && body["refreshToken"] == REFRESH_TOKEN;
            let token = json!({"accessToken": SSO_TOKEN, "expiresIn": 28800, "tokenType": "Bearer"});
            if is_valid { response(StatusCode::OK, token.to_string()) } else { response(StatusCode::BAD_REQUEST, "{}") }
        }
        ("GET", "/container") if has_header("authorization", CONTAINER_TOKEN) => {
            response(StatusCode::OK, state.issue_json("container").await)
        }
        ("PUT", "/latest/api/token") => {
            let mut session = response(StatusCode::OK, METADATA_SESSION);
            session.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", "21600".parse().unwrap());
            session
        }
        ("GET", "/latest/meta-data/iam/security-credentials/") if is_in_session => response(StatusCode::OK, "console"),
        ("GET", "/latest/meta-data/iam/security-credentials/console") if is_in_session => {
            response(StatusCode::OK, state.issue_json("instance").await)
        }
        _ => response(StatusCode::UNAUTHORIZED, ""),
    };
    result.map(Body::from)
}

impl Cloud {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bundled = BundledAws::in_memory("default", Environment::system()).unwrap();
        let state = ServiceState::new(bundled.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = state.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
        Self { url, bundled, home, state, runtime }
    }

    /// Returns the access key of a user.
    pub fn access_key(&self, user: &str) -> Credentials {
        let keys = self.bundled.access_keys().unwrap();
        keys.into_iter().find(|key| key.user_name == user).unwrap().credentials
    }

    /// Sets the lifetimes, in seconds, of the next credentials to be issued.
    pub fn set_lifetimes<const N: usize>(&self, seconds: [i64; N]) {
        *self.state.lifetimes.lock().unwrap() = seconds.into();
    }

    /// Returns the credentials issued so far.
    pub fn issued(&self) -> Vec<Signer> {
        self.state.issued.lock().unwrap().clone()
    }

    pub fn signers(&self) -> Vec<Signer> {
        self.state.signers()
    }

    pub fn operations(&self) -> Vec<String> {
        self.state.operations()
    }

    /// Returns the router of all services.
    pub fn router(&self) -> Router {
        self.state.router()
    }

    pub fn assumed_by(&self) -> Vec<Signer> {
        self.state.assumed_by()
    }

    /// Asserts that there were calls to AWS and that `expected` signed all of them.
    pub fn assert_signed_by(&self, expected: &Signer) {
        let signers = self.signers();
        assert!(signers.len() > 1 && signers.iter().all(|signer| signer == expected), "{expected:?} {signers:?}");
    }

    /// Writes a file below the home directory and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program against this AWS, with only this home directory and `environment` as its AWS configuration.
    pub fn console(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Console {
        run(self.home.path(), &[&["--aws"], arguments].concat(), &[&self.default_env()[..], environment].concat())
    }

    fn default_env(&self) -> [(&str, &str); 3] {
        [("AWS_ENDPOINT_URL", &self.url), ("AWS_REGION", "us-west-2"), ("AWS_EC2_METADATA_DISABLED", "true")]
    }
}

/// Runs the program on a screen that is wide enough for whole sentences.
pub fn run(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Console {
    let (path, data) = (home.to_str().unwrap(), home.join("data"));
    let default_env = [("HOME", path), ("XDG_DATA_HOME", data.to_str().unwrap())];
    Console::run(arguments, home, (200, 50), &[&default_env[..], environment].concat())
}
