//! The one table of operations: what a request is called, where it goes and what answers it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{JSON_1_0, JSON_1_1};

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
}

/// Declares operations: `Request => Response, "Name";`, with `once` behind the name of one that is not idempotent.
macro_rules! operations {
    ($service:expr; $($request:ty => $response:ty, $name:literal $($once:ident)?;)+) => {
        $(impl $crate::aws::operation::Operation for $request {
            const SERVICE: $crate::aws::operation::Service = $service;
            const NAME: &'static str = $name;
            const IS_IDEMPOTENT: bool = $crate::aws::operation::is_idempotent!($($once)?);
            type Response = $response;
        })+
    };
}
pub(crate) use operations;

/// What stands behind the name of an operation in the table.
macro_rules! is_idempotent {
    () => {
        true
    };
    (once) => {
        false
    };
}
pub(crate) use is_idempotent;

/// An answer without a body, as most changing operations of KMS give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Empty {}
