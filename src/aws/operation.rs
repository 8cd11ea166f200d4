//! The operation table: the name, service, and response type of each request.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The content type of AWS JSON 1.0.
pub const JSON_1_0: &str = "application/x-amz-json-1.0";
/// The content type of AWS JSON 1.1.
pub const JSON_1_1: &str = "application/x-amz-json-1.1";

/// An AWS service that the console calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Key Management Service: AWS JSON 1.1, one endpoint per Region.
    Kms,
    /// Identity and Access Management: AWS query, one endpoint per partition.
    Iam,
    /// Security Token Service: AWS query, one endpoint per Region.
    Sts,
    /// CloudTrail: AWS JSON 1.1, one endpoint per Region.
    CloudTrail,
    /// CloudWatch: AWS JSON 1.0, one endpoint per Region.
    CloudWatch,
    /// Resource Groups Tagging API: AWS JSON 1.1, one endpoint per Region.
    Tagging,
    /// The bundled AWS's own operations, which no AWS service has: AWS JSON 1.1.
    XksConsole,
}

/// The wire protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON bodies. The `X-Amz-Target` header names the operation.
    Json {
        /// The content type of requests and responses.
        content_type: &'static str,
        /// The part of `X-Amz-Target` before the dot.
        target_prefix: &'static str,
    },
    /// Form requests with `Action` and `Version`, and XML responses.
    Query {
        /// The API version.
        version: &'static str,
        /// The XML namespace of responses.
        namespace: &'static str,
    },
}

impl Service {
    /// All services.
    pub const ALL: [Self; 7] =
        [Self::Kms, Self::Iam, Self::Sts, Self::CloudTrail, Self::CloudWatch, Self::Tagging, Self::XksConsole];

    /// Returns the prefix of the service in IAM actions, such as `kms` in `kms:CreateKey`.
    pub const fn action_prefix(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch",
            Self::Tagging => "tag",
            _ => self.signing_name(),
        }
    }

    /// Returns the service name in the SigV4 credential scope and in endpoint hosts.
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::CloudTrail => "cloudtrail",
            Self::CloudWatch => "monitoring",
            Self::Tagging => "tagging",
            Self::XksConsole => "xks-console",
        }
    }

    /// Returns the wire protocol of the service.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Kms => Protocol::Json { content_type: JSON_1_1, target_prefix: "TrentService" },
            Self::CloudTrail => Protocol::Json {
                content_type: JSON_1_1,
                target_prefix: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
            },
            Self::CloudWatch => {
                Protocol::Json { content_type: JSON_1_0, target_prefix: "GraniteServiceVersion20100801" }
            }
            Self::Tagging => {
                Protocol::Json { content_type: JSON_1_1, target_prefix: "ResourceGroupsTaggingAPI_20170126" }
            }
            Self::XksConsole => Protocol::Json { content_type: JSON_1_1, target_prefix: "XksConsole" },
            Self::Iam => {
                Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" }
            }
            Self::Sts => {
                Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" }
            }
        }
    }
}

/// An AWS operation, represented by its request type. The client sends it, and the bundled router dispatches on
/// [`Operation::NAME`].
pub trait Operation: Serialize + DeserializeOwned + Send + Sync {
    /// The service that the operation belongs to.
    const SERVICE: Service;
    /// The name of the operation, as in `X-Amz-Target` or `Action`.
    const NAME: &'static str;
    /// Whether repeating the request has the same effect as sending it once, so that the client can retry it when the
    /// response is lost.
    ///
    /// An operation isn't idempotent if a second request creates another resource, or fails because the first
    /// succeeded: a retry would then report a failure that didn't happen.
    const IS_IDEMPOTENT: bool;
    /// The response of a successful request.
    type Response: Serialize + DeserializeOwned + Send;

    /// Whether this request only reads: it changes nothing and uses no KMS key.
    fn is_read_only(&self) -> bool {
        false
    }
}

/// Declares operations: `Request => Response, "Name" words;`. The words are:
///
/// - `read_only`: the operation has the access level *Read* or *List* in AWS's service authorization reference.
///   AssumeRole is included although AWS classifies it as a write, because it returns credentials and changes nothing.
/// - `not_idempotent`: the operation isn't idempotent.
/// - `dry_run`: the request is read-only when `DryRun` is set, because KMS then only checks permissions.
///
/// All other operations write, tag, or manage permissions. AWS also classifies Encrypt, Decrypt, and similar operations
/// as writes: Decrypt changes nothing, but the plaintext that it reveals can't be taken back.
macro_rules! operations {
    ($service:expr; $($request:ty => $response:ty, $name:literal $($word:ident)*;)+) => {
        $(impl $crate::aws::operation::Operation for $request {
            const SERVICE: $crate::aws::operation::Service = $service;
            const NAME: &'static str = $name;
            const IS_IDEMPOTENT: bool = $crate::aws::operation::is_idempotent!($($word)*);
            type Response = $response;

            fn is_read_only(&self) -> bool {
                $crate::aws::operation::is_read_only!(self $($word)*)
            }
        })+

        /// Passes each operation of this service to `visitor`.
        pub(crate) fn visit(visitor: &mut impl $crate::aws::operation::OperationVisitor) {
            $(visitor.visit::<$request>();)+
        }
    };
}
pub(crate) use operations;

/// Whether an operation with these words in the table is idempotent.
macro_rules! is_idempotent {
    () => {
        true
    };
    (not_idempotent $($word:ident)*) => {
        false
    };
    ($other:ident $($word:ident)*) => {
        $crate::aws::operation::is_idempotent!($($word)*)
    };
}
pub(crate) use is_idempotent;

/// Whether a request of an operation with these words in the table is read-only.
macro_rules! is_read_only {
    ($request:ident) => {
        false
    };
    ($request:ident read_only $($word:ident)*) => {
        true
    };
    ($request:ident dry_run $($word:ident)*) => {
        $request.dry_run == Some(true)
    };
    ($request:ident $other:ident $($word:ident)*) => {
        $crate::aws::operation::is_read_only!($request $($word)*)
    };
}
pub(crate) use is_read_only;

/// Visits operations, one after the other.
pub(crate) trait OperationVisitor {
    /// Visits an operation.
    fn visit<O: Operation + Default + 'static>(&mut self);
}

/// Passes each operation in the table to `visitor`.
pub(crate) fn visit_all(visitor: &mut impl OperationVisitor) {
    use super::{cloudtrail, cloudwatch, iam, kms, sts, tagging, xks_console};
    kms::visit(visitor);
    iam::visit(visitor);
    sts::visit(visitor);
    cloudtrail::visit(visitor);
    cloudwatch::visit(visitor);
    tagging::visit(visitor);
    xks_console::visit(visitor);
}

/// An empty response, which most modifying KMS operations return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Empty {}
