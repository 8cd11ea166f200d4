//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

/// An ARN: `arn:partition:service:region:account:resource`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    /// The partition, such as `aws`, `aws-cn`, or `aws-us-gov`.
    pub partition: String,
    /// The service, such as `kms` or `iam`.
    pub service: String,
    /// The Region. Empty for global services.
    pub region: String,
    /// The 12-digit account ID.
    pub account: String,
    /// The rest of the ARN, such as `key/1234…` or `role/path/Name`.
    pub resource: String,
}

/// The error for text that isn't an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" isn't an ARN. An ARN has the form arn:partition:service:region:account:resource")]
pub struct ParseArnError(pub String);

impl FromStr for Arn {
    type Err = ParseArnError;

    fn from_str(text: &str) -> Result<Self, ParseArnError> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().ok_or_else(|| ParseArnError(text.to_owned()));
        let (head, arn) = (
            part()?,
            Self {
                partition: part()?.to_owned(),
                service: part()?.to_owned(),
                region: part()?.to_owned(),
                account: part()?.to_owned(),
                resource: part()?.to_owned(),
            },
        );
        if head == "arn" && !arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty() {
            Ok(arn)
        } else {
            Err(ParseArnError(text.to_owned()))
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:{}:{}:{}:{}", self.partition, self.service, self.region, self.account, self.resource)
    }
}

impl Arn {
    fn kms(region: &str, account: &str, resource: String) -> Self {
        Self {
            partition: partition_of(region).to_owned(),
            service: "kms".to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource,
        }
    }

    /// Returns the ARN of a KMS key.
    pub fn kms_key(region: &str, account: &str, key_id: &str) -> Self {
        Self::kms(region, account, format!("key/{key_id}"))
    }

    /// Returns the ARN of an alias. `alias_name` starts with `alias/`.
    pub fn kms_alias(region: &str, account: &str, alias_name: &str) -> Self {
        Self::kms(region, account, alias_name.to_owned())
    }

    /// Returns the ARN of the account root user: `arn:aws:iam::<account>:root`.
    pub fn account_root(partition: &str, account: &str) -> Self {
        Self {
            partition: partition.to_owned(),
            service: "iam".to_owned(),
            region: String::new(),
            account: account.to_owned(),
            resource: "root".to_owned(),
        }
    }
}

/// Returns the partition that a Region belongs to.
pub fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arn_round_trips() {
        let text = "arn:aws:iam::111122223333:role/ops/Key:Admin";
        assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
    }

    #[test]
    fn arn_with_missing_part_is_rejected() {
        for text in ["", "arn", "arn:aws:kms:us-west-2:111122223333", "arn::kms:::key/x", "urn:aws:kms:::key/x"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn partition_follows_the_region() {
        assert_eq!(Arn::kms_key("us-gov-west-1", "111122223333", "k").partition, "aws-us-gov");
    }
}
