//! The entry point of the bundled AWS: authenticates a request and dispatches it to the handler of its operation.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};

use super::cloudtrail::EventDraft;
use super::iam::principals;
use super::iam::sessions;
use super::store::StoreError;
use super::{ApiResult, Call, Caller, ConnectionInfo, Inner, account_region};
use crate::access_log::{RequestDetails, RequestDetailsSlot};
use crate::aws::codec::{self, XML_CONTENT_TYPE};
use crate::aws::error::ServiceError;
use crate::aws::operation::{Operation, Protocol, Service};
use crate::aws::sigv4::{PresignedRequest, SignedRequest};
use crate::aws::{active_proxy_faults, cloudtrail, cloudwatch, iam, kms, shape, sts, tagging, xks_console, xray};
use crate::bundled::iam::credential_error::CredentialError;

/// The maximum size of a request body, in bytes: a key policy of 128 KiB, with room for everything around it.
const MAX_BODY_BYTES: usize = 512 * 1024;

/// An extension of requests in this process that leave no CloudTrail event. Everything else applies to them, such as
/// signatures and permissions. Only read-only requests can have it.
#[derive(Clone, Copy, Debug)]
pub struct Unrecorded;

pub async fn handle(aws: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let mut response = respond(aws, request).await;
    let seconds_ahead = aws.store.environment().clock.ahead().as_secs();
    if seconds_ahead > 0 {
        response.headers_mut().insert(xks_console::SECONDS_AHEAD_HEADER, seconds_ahead.into());
    }
    if let Some(faults) =
        aws.store.active_faults_summary().and_then(|active| HeaderValue::from_str(&active.to_string()).ok())
    {
        response.headers_mut().insert(active_proxy_faults::PROXY_FAULTS_HEADER, faults);
    }
    response
}

/// A request that the bundled AWS makes itself on behalf of a principal.
pub struct InternalRequest<'a> {
    pub caller: Arc<Caller>,
    pub region: &'a str,
    pub service: Service,
    pub operation: &'a str,
    /// The input, in the protocol of the service.
    pub body: &'a [u8],
    pub user_agent: &'a str,
    pub source_ip: Option<IpAddr>,
}

/// Handles an internal request and returns the output. It is authorized and recorded, as if the caller had signed it.
pub async fn handle_internally(aws: &Inner, request: InternalRequest<'_>) -> ApiResult<Bytes> {
    let InternalRequest { caller, region, service, operation, body, user_agent, source_ip } = request;
    let draft = EventDraft::new(service, operation, body, user_agent, false, aws.flow_recorder(service, operation));
    let account = caller.account.clone();
    let call = Call {
        aws,
        account_region: account_region(&account, region),
        caller,
        account,
        region: region.to_owned(),
        request_id: aws.store.environment().random.uuid()?,
        draft: &draft,
        source_ip: source_ip.map(|address| address.to_string()),
        is_over_tls: true,
    };
    let start = aws.store.environment().clock.machine_time();
    let result = dispatch(&call, service, operation, body).await;
    call.record_event(result.as_ref().err());
    call.record_flow(result.as_ref().err(), start);
    Ok(result?)
}

async fn respond(aws: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let Ok(request_id) = aws.store.environment().random.uuid() else {
        return error_response(
            Service::Kms.protocol(),
            false,
            "",
            ServiceError::new("InternalFailure", "The operating system returned no random bytes."),
        );
    };
    let (service, name) = match operation_of(&request) {
        Ok(found) => found,
        Err(error) => {
            let details = RequestDetails { error: Some(error.code.clone()), ..RequestDetails::default() };
            record_access_details(&request, || details);
            return error_response(protocol_of(&request), wants_json(&request), &request_id, error);
        }
    };
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let is_query = matches!(service.protocol(), Protocol::Query { .. });
    let parameters = if is_query { parameters_of(&request) } else { request.body() };
    let (user_agent, flow) = (user_agent.unwrap_or("xks-console"), aws.flow_recorder(service, &name));
    let mut draft = EventDraft::new(service, &name, parameters, user_agent, wants_json(&request), flow);
    draft.is_unrecorded = request.extensions().get::<Unrecorded>().is_some();
    let start = aws.store.environment().clock.machine_time();
    let mut caller = None;
    let result = match authenticate(aws, &request, &draft, &request_id) {
        Ok(call) => {
            caller = Some(Arc::clone(&call.caller));
            let result = dispatch(&call, service, &name, parameters).await;
            call.record_event(result.as_ref().err());
            call.record_flow(result.as_ref().err(), start);
            result
        }
        Err(error) => Err(error),
    };
    record_access_details(&request, || RequestDetails {
        operation: Some(format!("{}:{name}", service.signing_name())),
        caller: caller.map(|caller| caller.arn.clone()),
        error: result.as_ref().err().map(|error| error.code.clone()),
    });
    match result {
        Ok(body) => {
            build_response(content_type(service.protocol(), draft.wants_json), StatusCode::OK, &request_id, body)
        }
        Err(error) => error_response(service.protocol(), draft.wants_json, &request_id, error),
    }
}

/// Passes the details of a request to the access log, if there is one.
fn record_access_details(request: &Request<Bytes>, details: impl FnOnce() -> RequestDetails) {
    if let Some(slot) = request.extensions().get::<RequestDetailsSlot>() {
        slot.set(details());
    }
}

fn protocol_of(request: &Request<Bytes>) -> Protocol {
    if request.headers().contains_key("x-amz-target") { Service::Kms.protocol() } else { Service::Iam.protocol() }
}

/// Returns the service and the operation that a request names.
fn operation_of(request: &Request<Bytes>) -> Result<(Service, String), ServiceError> {
    let unknown = || ServiceError::new("UnknownOperationException", "");
    if request.body().len() > MAX_BODY_BYTES {
        return Err(ServiceError::new("RequestEntityTooLargeException", "The request body is larger than 512 KiB."));
    }
    if let Some(target) = request.headers().get("x-amz-target") {
        let (prefix, name) = target.to_str().ok().and_then(|target| target.rsplit_once('.')).ok_or_else(unknown)?;
        let service = [Service::Kms, Service::CloudTrail, Service::CloudWatch, Service::Tagging, Service::XksConsole]
            .into_iter()
            .find(
                |service| matches!(service.protocol(), Protocol::Json { target_prefix, .. } if target_prefix == prefix),
            );
        return Ok((service.ok_or_else(unknown)?, name.to_owned()));
    }
    let (action, requested_version) = codec::query_action(parameters_of(request)).ok_or_else(|| {
        ServiceError::new("MissingAction", "The request is missing an action or a required parameter.")
    })?;
    let service = [Service::Iam, Service::Sts]
        .into_iter()
        .find(|service| matches!(service.protocol(), Protocol::Query { version, .. } if version == requested_version));
    let invalid = || {
        ServiceError::new("InvalidAction", format!("Could not find operation {action} for version {requested_version}"))
    };
    Ok((service.ok_or_else(invalid)?, action))
}

/// Returns the parameters of a query-protocol request: its body, or its query string if the body is empty.
fn parameters_of(request: &Request<Bytes>) -> &[u8] {
    let query = request.uri().query().unwrap_or_default();
    if request.body().is_empty() { query.as_bytes() } else { request.body() }
}

/// Returns whether the caller of a query-protocol service wants JSON instead of XML.
fn wants_json(request: &Request<Bytes>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"))
}

fn authenticate<'a>(
    aws: &'a Inner,
    request: &Request<Bytes>,
    draft: &'a EventDraft<'a>,
    request_id: &str,
) -> Result<Call<'a>, ServiceError> {
    aws.store.invalidate_stale_cache().map_err(StoreError::from)?;
    let service = draft.service;
    let protocol = service.protocol();
    let auth_error = |error: crate::aws::sigv4::AuthError| error.to_service_error(protocol);
    // Only STS accepts presigned requests: callers use a presigned GetCallerIdentity to prove their identity.
    let presigned = if service == Service::Sts { PresignedRequest::parse(request).map_err(auth_error)? } else { None };
    let signed_request = match &presigned {
        Some(presigned) => presigned.signed_request(request).map_err(auth_error)?,
        None => SignedRequest::parse(request).map_err(auth_error)?,
    };
    let unknown = || {
        let code = match protocol {
            Protocol::Json { .. } => "UnrecognizedClientException",
            Protocol::Query { .. } => "InvalidClientTokenId",
        };
        ServiceError::new(code, "The security token included in the request is invalid.")
    };
    if signed_request.scope.service != service.signing_name() {
        return Err(unknown());
    }
    let found = match &signed_request.session_token {
        None => principals::find_access_key(aws, signed_request.access_key_id),
        Some(token) => sessions::find_session(aws, signed_request.access_key_id, token),
    };
    let (caller, secret) = found.map_err(|error| match error {
        CredentialError::Unknown => unknown(),
        CredentialError::Expired => {
            let code = if matches!(protocol, Protocol::Json { .. }) { "ExpiredTokenException" } else { "ExpiredToken" };
            ServiceError::new(code, "The security token included in the request is expired")
        }
        CredentialError::Failed(error) => error,
    })?;
    let key = aws
        .signing_keys
        .get_or_derive(signed_request.access_key_id, &secret, signed_request.scope)
        .map_err(auth_error)?;
    signed_request.verify(request, &key, aws.store.environment().clock.machine_time()).map_err(auth_error)?;
    let account = caller.account.clone();
    let account_region = account_region(&account, signed_request.scope.region);
    let connection = request.extensions().get::<ConnectionInfo>();
    Ok(Call {
        aws,
        caller,
        account,
        region: signed_request.scope.region.to_owned(),
        account_region,
        request_id: request_id.to_owned(),
        draft,
        source_ip: connection.map(|connection| connection.address.to_string()),
        is_over_tls: connection.is_none_or(|connection| connection.is_over_tls),
    })
}

/// Encodes a response in the protocol of the operation.
fn encode<O: Operation>(call: &Call, response: ApiResult<O::Response>) -> Result<Bytes, ServiceError> {
    let response = response?;
    match O::SERVICE.protocol() {
        Protocol::Query { .. } if call.draft.wants_json => {
            codec::query_response_json::<O>(&response, &call.request_id).map(Bytes::from)
        }
        Protocol::Query { .. } => codec::query_response_xml::<O>(&response, &call.request_id).map(Bytes::from),
        Protocol::Json { .. } => {
            let body = codec::json_body(&response)
                .map_err(|error| ServiceError::new("KMSInternalException", error.to_string()))?;
            // Operations without output return an empty body, except those on custom key stores, which return `{}`.
            let has_empty_body = *body == *b"{}" && !O::NAME.ends_with("CustomKeyStore");
            Ok(if has_empty_body { Bytes::new() } else { body })
        }
    }
}

fn decode<O: Operation>(call: &Call<'_>, body: &[u8]) -> Result<O, ServiceError> {
    let request: O = parse(body)?;
    if call.draft.is_unrecorded && !request.is_read_only() {
        let message = format!("{} isn't a read-only request, so it can't be sent without a CloudTrail event.", O::NAME);
        return Err(ServiceError::new("ValidationException", message));
    }
    Ok(request)
}

fn parse<O: Operation>(body: &[u8]) -> Result<O, ServiceError> {
    match O::SERVICE.protocol() {
        Protocol::Query { .. } => codec::parse_query_request(body),
        Protocol::Json { .. } => {
            if O::SERVICE == Service::Kms
                && let Some(members) = kms::request_members(O::NAME)
            {
                shape::validate(members, body)?;
            }
            serde_json::from_slice(if body.is_empty() { b"{}" } else { body })
                .map_err(|error| ServiceError::new("SerializationException", error.to_string()))
        }
    }
}

/// The table of operations, with their request types and handlers.
///
/// Handlers that may call an external key store proxy are async. All others are sync.
macro_rules! operation_table {
    ($call:expr, $service:expr, $name:expr, $body:expr;
     sync { $($request:ty => $handler:expr;)+ } async { $($async_request:ty => $async_handler:expr;)+ }) => {
        match ($service, $name) {
            $((<$request as Operation>::SERVICE, <$request as Operation>::NAME) => {
                let handler = $handler;
                encode::<$request>($call, handler($call, &decode($call, $body)?))
            })+
            $((<$async_request as Operation>::SERVICE, <$async_request as Operation>::NAME) => {
                let handler = $async_handler;
                encode::<$async_request>($call, handler($call, &decode($call, $body)?).await)
            })+
            (Service::Kms, name) => {
                $call.reject_unsupported_operation(name, $body)?;
                Ok(Bytes::new())
            }
            (_, name) => {
                let message = format!("The bundled AWS doesn't support the operation {name}.");
                Err(ServiceError::new("UnknownOperationException", message))
            }
        }
    };
}

async fn dispatch(call: &Call<'_>, service: Service, name: &str, body: &[u8]) -> Result<Bytes, ServiceError> {
    call.apply_due_changes().await?;
    operation_table! { call, service, name, body;
        sync {
            kms::DescribeKey => Call::describe_key;
            kms::ListKeys => Call::list_keys;
            kms::EnableKey => Call::enable_key;
            kms::DisableKey => Call::disable_key;
            kms::UpdateKeyDescription => Call::update_key_description;
            kms::ScheduleKeyDeletion => Call::schedule_key_deletion;
            kms::CancelKeyDeletion => Call::cancel_key_deletion;
            kms::GetKeyRotationStatus => Call::get_key_rotation_status;
            kms::EnableKeyRotation => Call::enable_key_rotation;
            kms::DisableKeyRotation => Call::disable_key_rotation;
            kms::ListKeyRotations => Call::list_key_rotations;
            kms::RotateKeyOnDemand => Call::rotate_key_on_demand;
            kms::GetKeyLastUsage => Call::get_key_last_usage;
            kms::CreateAlias => Call::create_alias;
            kms::UpdateAlias => Call::update_alias;
            kms::DeleteAlias => Call::delete_alias;
            kms::ListAliases => Call::list_aliases;
            kms::TagResource => Call::tag_resource;
            kms::UntagResource => Call::untag_resource;
            kms::ListResourceTags => Call::list_resource_tags;
            kms::GetKeyPolicy => Call::get_key_policy;
            kms::PutKeyPolicy => Call::put_key_policy;
            kms::ListKeyPolicies => Call::list_key_policies;
            kms::CreateGrant => Call::create_grant;
            kms::ListGrants => Call::list_grants;
            kms::ListRetirableGrants => Call::list_retirable_grants;
            kms::RevokeGrant => Call::revoke_grant;
            kms::RetireGrant => Call::retire_grant;
            kms::GenerateRandom => Call::generate_random;
            kms::DescribeCustomKeyStores => Call::describe_custom_key_stores;
            kms::ConnectCustomKeyStore => Call::connect_custom_key_store;
            kms::DisconnectCustomKeyStore => Call::disconnect_custom_key_store;
            kms::DeleteCustomKeyStore => Call::delete_custom_key_store;
            iam::ListUsers => Call::list_users;
            iam::ListRoles => Call::list_roles;
            iam::ListAccountAliases => Call::list_account_aliases;
            iam::GetUser => Call::get_user;
            iam::GetRole => Call::get_role;
            iam::SimulatePrincipalPolicy => Call::simulate_principal_policy;
            iam::CreateUser => Call::create_user;
            iam::DeleteUser => Call::delete_user;
            iam::CreateRole => Call::create_role;
            iam::DeleteRole => Call::delete_role;
            iam::PutUserPolicy => Call::put_user_policy;
            iam::GetUserPolicy => Call::get_user_policy;
            iam::ListUserPolicies => Call::list_user_policies;
            iam::DeleteUserPolicy => Call::delete_user_policy;
            iam::PutRolePolicy => Call::put_role_policy;
            iam::GetRolePolicy => Call::get_role_policy;
            iam::ListRolePolicies => Call::list_role_policies;
            iam::DeleteRolePolicy => Call::delete_role_policy;
            iam::CreateAccessKey => Call::create_access_key;
            iam::ListAccessKeys => Call::list_access_keys;
            iam::DeleteAccessKey => Call::delete_access_key;
            sts::GetCallerIdentity => Call::get_caller_identity;
            sts::AssumeRole => Call::assume_role;
            cloudtrail::LookupEvents => Call::lookup_events;
            tagging::GetResources => Call::get_resources;
            xks_console::ListExternalKeys => Call::list_external_keys;
            xks_console::CreateExternalKey => Call::create_external_key;
            xks_console::EnableExternalKey => Call::enable_external_key;
            xks_console::DisableExternalKey => Call::disable_external_key;
            xks_console::RotateExternalKey => Call::rotate_external_key;
            xks_console::DeleteExternalKey => Call::delete_external_key;
            xks_console::CreatePartition => Call::create_partition;
            xks_console::RotateProxyCredential => Call::rotate_proxy_credential;
            xks_console::RevokeProxyCredential => Call::revoke_proxy_credential;
            xks_console::ListProxyRequests => Call::list_proxy_requests;
            xks_console::PutProxyRoute => Call::put_proxy_route;
            xks_console::ListProxyRoutes => Call::list_proxy_routes;
            xks_console::PutProxyFault => Call::put_proxy_fault;
            xks_console::ListProxyFaults => Call::list_proxy_faults;
            xks_console::DeleteProxyFault => Call::delete_proxy_fault;
            xks_console::DeleteProxyFaults => Call::delete_proxy_faults;
            xks_console::DescribeAccountClock => Call::describe_account_clock;
            xks_console::ListWorkloads => Call::list_workloads;
            xray::ListFlows => Call::list_flows;
            xray::GetFlow => Call::get_flow;
        }
        async {
            kms::CreateKey => Call::create_key;
            kms::Encrypt => Call::encrypt;
            kms::Decrypt => Call::decrypt;
            kms::ReEncrypt => Call::re_encrypt;
            kms::GenerateDataKey => Call::generate_data_key;
            kms::GenerateDataKeyWithoutPlaintext => Call::generate_data_key_without_plaintext;
            kms::CreateCustomKeyStore => Call::create_custom_key_store;
            kms::UpdateCustomKeyStore => Call::update_custom_key_store;
            cloudwatch::GetMetricData => Call::get_metric_data;
            cloudwatch::ListMetrics => Call::list_metrics;
            xks_console::DescribeExternalKey => Call::describe_external_key;
            xks_console::AdvanceAccountClock => Call::advance_account_clock;
        }
    }
}

fn error_response(protocol: Protocol, wants_json: bool, request_id: &str, mut error: ServiceError) -> Response<Bytes> {
    request_id.clone_into(&mut error.request_id);
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match protocol {
        Protocol::Json { .. } => codec::json_error_body(&error).into(),
        Protocol::Query { .. } if wants_json => codec::query_error_json(&error).into(),
        Protocol::Query { namespace, .. } => codec::query_error_xml(namespace, &error).into(),
    };
    build_response(content_type(protocol, wants_json), status, request_id, body)
}

fn content_type(protocol: Protocol, wants_json: bool) -> &'static str {
    match protocol {
        Protocol::Json { content_type, .. } => content_type,
        Protocol::Query { .. } if wants_json => "application/json",
        Protocol::Query { .. } => XML_CONTENT_TYPE,
    }
}

fn build_response(content_type: &'static str, status: StatusCode, request_id: &str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
