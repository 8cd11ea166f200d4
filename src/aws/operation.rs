//! The one table of operations: what a request is called, where it goes and what answers it.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The content type of AWS JSON 1.0.
pub const JSON_1_0: &str = "application/x-amz-json-1.0";
/// The content type of AWS JSON 1.1.
pub const JSON_1_1: &str = "application/x-amz-json-1.1";

/// An AWS service that the console speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Key Management Service: AWS JSON 1.1, one endpoint a Region.
    Kms,
    /// Identity and Access Management: AWS query, one endpoint a partition.
    Iam,
    /// Security Token Service: AWS query, one endpoint a Region.
    Sts,
    /// CloudTrail: AWS JSON 1.1, one endpoint a Region.
    CloudTrail,
    /// CloudWatch: AWS JSON 1.0, one endpoint a Region.
    CloudWatch,
    /// Resource Groups Tagging API: AWS JSON 1.1, one endpoint a Region.
    Tagging,
    /// What the bundled AWS tells of itself and no AWS API carries: AWS JSON 1.1.
    XksConsole,
}

/// How a service writes requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// JSON bodies, the operation in the `X-Amz-Target` header after this prefix.
    Json {
        /// Of requests and answers.
        content_type: &'static str,
        /// The part of `X-Amz-Target` before the dot.
        target_prefix: &'static str,
    },
    /// Form bodies with `Action` and `Version`, XML answers.
    Query {
        /// The API version.
        version: &'static str,
        /// The XML namespace of answers.
        namespace: &'static str,
    },
}

impl Service {
    /// The name in the SigV4 credential scope and in endpoint hosts.
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

    /// How the service writes requests and responses.
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

/// One AWS operation. The request type is the operation: the client calls it, the bundled router dispatches on
/// [`Operation::NAME`].
pub trait Operation: Serialize + DeserializeOwned + Send + Sync {
    /// The service that has it.
    const SERVICE: Service;
    /// Its name, as in `X-Amz-Target` or `Action`.
    const NAME: &'static str;
    /// Whether asking twice comes to the same as asking once, so that it may be asked again when no answer came.
    ///
    /// It is not where the second makes another thing, or is refused because the first was carried out: then the person
    /// would be told of a failure that is none.
    const IS_IDEMPOTENT: bool;
    /// What a success answers.
    type Response: Serialize + DeserializeOwned + Send;

    /// Whether this request only looks: it changes nothing and uses no key. One of an operation that nobody calls a read
    /// doesn't.
    fn is_read_only(&self) -> bool {
        false
    }
}

/// Declares operations: `Request => Response, "Name" words;`. Of these words the table has:
///
/// - `read_only`: it has the access level *Read* or *List* in AWS's service authorization reference. AssumeRole has it too,
///   although AWS calls it a write: it gives credentials and changes nothing.
/// - `not_idempotent`: it is not idempotent.
/// - `dry_run`: it reads when `DryRun` is set, by which KMS only says whether it would do it.
///
/// What has neither `read_only` nor `dry_run` writes, tags or manages permissions. Encrypt, Decrypt and the like are writes to
/// AWS as well: Decrypt changes nothing, but what it gives away can't be taken back.
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

        /// Shows each operation of this service to `visitor`.
        #[cfg(test)]
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

/// Whether a request of an operation with these words in the table only looks.
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

/// Looks at operations, one after the other.
#[cfg(test)]
pub(crate) trait OperationVisitor {
    /// Takes an operation.
    fn visit<O: Operation + Default>(&mut self);
}

/// Shows the whole table to `visitor`.
#[cfg(test)]
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

/// An answer without a body, as most changing operations of KMS give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Empty {}
