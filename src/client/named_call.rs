//! Calls of operations that are named at run time, such as `kms:DescribeKey` in a tape, with JSON input and output.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{CallError, Client};
use crate::aws::operation::{self, Operation, OperationVisitor, Service};
use crate::text::nearest;

/// An operation that was looked up by its name.
///
/// ```
/// # use xks_console::bundled::BundledAws;
/// # use xks_console::environment::{Clock, Environment};
/// # use xks_console::in_process;
/// use serde_json::json;
/// use xks_console::client::named_call::NamedOperation;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = in_process::client(&BundledAws::in_memory("default", Environment::system())?, Clock::System);
/// let describe_key = NamedOperation::find("kms:DescribeKey")?;
/// let output = describe_key.call(&client, json!({"KeyId": "alias/customer-db"})).await?;
/// assert_eq!(output["KeyMetadata"]["Origin"], "EXTERNAL_KEY_STORE");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct NamedOperation {
    service: Service,
    name: &'static str,
    check: fn(&Value) -> Result<(), InputError>,
    is_read_only: fn(&Value) -> bool,
    call: for<'a> fn(&'a Client, Value) -> BoxFuture<'a, Result<Value, NamedCallError>>,
}

/// The name is not the name of an operation that this program can call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownOperation(String);

/// The input of an operation is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InputError(String);

/// The reasons why a named call has no output.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NamedCallError {
    /// The input is not that of the operation, so no request was sent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The output can't be represented as JSON.
    #[error("the output isn't valid JSON: {0}")]
    Output(String),
}

impl std::fmt::Debug for NamedOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for NamedOperation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service.action_prefix(), self.name)
    }
}

impl PartialEq for NamedOperation {
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service && self.name == other.name
    }
}

impl NamedOperation {
    /// Finds an operation by its service and name, as in IAM actions: `kms:CreateKey`.
    ///
    /// # Errors
    /// [`UnknownOperation`], with the nearest name that exists.
    pub fn find(action: &str) -> Result<Self, UnknownOperation> {
        let mut finder = Finder::default();
        operation::visit_all(&mut finder);
        if let Some(found) = finder.0.iter().find(|operation| operation.to_string() == action) {
            return Ok(*found);
        }
        let known: Vec<String> = finder.0.iter().map(Self::to_string).collect();
        let hint = nearest(action, known.iter().map(String::as_str)).map_or_else(
            || "write a service and an operation, such as kms:DescribeKey".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        Err(UnknownOperation(format!("`{action}` is not an operation that the console knows; {hint}")))
    }

    /// Returns the service.
    pub fn service(&self) -> Service {
        self.service
    }

    /// Returns the name without the service.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks the input without a call.
    ///
    /// # Errors
    /// [`InputError`] if a member is unknown or has the wrong type.
    pub fn check(&self, input: &Value) -> Result<(), InputError> {
        (self.check)(input)
    }

    /// Returns whether a request with `input` only reads: it changes nothing and uses no KMS key.
    pub fn is_read_only(&self, input: &Value) -> bool {
        (self.is_read_only)(input)
    }

    /// Calls the operation with `input`, whose members have the names of the API, such as `KeyId`.
    ///
    /// # Errors
    /// [`NamedCallError`].
    pub async fn call(&self, client: &Client, input: Value) -> Result<Value, NamedCallError> {
        (self.call)(client, input).await
    }
}

#[derive(Default)]
struct Finder(Vec<NamedOperation>);

impl OperationVisitor for Finder {
    fn visit<O: Operation + Default + 'static>(&mut self) {
        self.0.push(NamedOperation {
            service: O::SERVICE,
            name: O::NAME,
            check: |input| decode::<O>(input).map(drop),
            is_read_only: |input| decode::<O>(input).is_ok_and(|request| request.is_read_only()),
            call: |client, input| call::<O>(client, input).boxed(),
        });
    }
}

async fn call<O: Operation>(client: &Client, input: Value) -> Result<Value, NamedCallError> {
    let request: O = decode(&input)?;
    let output = client.call(&request).await?;
    serde_json::to_value(output).map_err(|error| NamedCallError::Output(error.to_string()))
}

/// Decodes the input, and refuses members that the operation doesn't have.
fn decode<O: Operation>(input: &Value) -> Result<O, InputError> {
    let invalid = |reason: String| InputError(format!("the input of {} is invalid: {reason}", O::NAME));
    let request = O::deserialize(input).map_err(|error| invalid(error.to_string()))?;
    let accepted = serde_json::to_value(&request).map_err(|error| invalid(error.to_string()))?;
    let (Value::Object(members), Value::Object(known)) = (input, accepted) else {
        return Err(invalid("write an object, such as {\"KeyId\": \"alias/payments\"}".to_owned()));
    };
    let is_unknown = |(name, value): &(&String, &Value)| !known.contains_key(*name) && !value.is_null();
    match members.iter().find(is_unknown) {
        Some((name, _)) => Err(invalid(format!("it has no member `{name}`"))),
        None => Ok(request),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operation_is_found_by_its_iam_action() {
        let found = NamedOperation::find("kms:DescribeKey").unwrap();
        assert_eq!((found.service(), found.name()), (Service::Kms, "DescribeKey"));
        assert_eq!(NamedOperation::find("sts:GetCallerIdentity").unwrap().to_string(), "sts:GetCallerIdentity");
    }

    #[test]
    fn unknown_operation_is_refused_with_the_nearest_name() {
        let error = NamedOperation::find("kms:DescribKey").unwrap_err().to_string();
        assert!(error.contains("`kms:DescribKey`") && error.contains("did you mean kms:DescribeKey?"), "{error}");
        let error = NamedOperation::find("payments").unwrap_err().to_string();
        assert!(error.contains("such as kms:DescribeKey"), "{error}");
    }

    #[test]
    fn unknown_members_and_wrong_types_are_refused() {
        let describe = NamedOperation::find("kms:DescribeKey").unwrap();
        assert!(describe.check(&json!({"KeyId": "alias/a"})).is_ok());
        for (input, part) in [
            (json!({"KeyID": "alias/a", "KeyId": "a"}), "no member `KeyID`"),
            (json!({"KeyId": 1}), "invalid"),
            (json!(["KeyId"]), "invalid"),
        ] {
            let error = describe.check(&input).unwrap_err().to_string();
            assert!(error.contains("DescribeKey") && error.contains(part), "{error}");
        }
    }
}
