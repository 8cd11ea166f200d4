//! The Regions where AWS KMS is available, by partition.
//!
//! Sources: *AWS Key Management Service endpoints and quotas*; the endpoints of botocore 1.44.8. Users can enter newer
//! Regions.

/// A Region code and its location.
pub type Region = (&'static str, &'static str);

const AWS: [Region; 34] = [
    ("us-east-1", "N. Virginia"),
    ("us-east-2", "Ohio"),
    ("us-west-1", "N. California"),
    ("us-west-2", "Oregon"),
    ("af-south-1", "Cape Town"),
    ("ap-east-1", "Hong Kong"),
    ("ap-east-2", "Taipei"),
    ("ap-northeast-1", "Tokyo"),
    ("ap-northeast-2", "Seoul"),
    ("ap-northeast-3", "Osaka"),
    ("ap-south-1", "Mumbai"),
    ("ap-south-2", "Hyderabad"),
    ("ap-southeast-1", "Singapore"),
    ("ap-southeast-2", "Sydney"),
    ("ap-southeast-3", "Jakarta"),
    ("ap-southeast-4", "Melbourne"),
    ("ap-southeast-5", "Malaysia"),
    ("ap-southeast-6", "New Zealand"),
    ("ap-southeast-7", "Thailand"),
    ("ca-central-1", "Central Canada"),
    ("ca-west-1", "Calgary"),
    ("eu-central-1", "Frankfurt"),
    ("eu-central-2", "Zurich"),
    ("eu-north-1", "Stockholm"),
    ("eu-south-1", "Milan"),
    ("eu-south-2", "Spain"),
    ("eu-west-1", "Ireland"),
    ("eu-west-2", "London"),
    ("eu-west-3", "Paris"),
    ("il-central-1", "Tel Aviv"),
    ("me-central-1", "United Arab Emirates"),
    ("me-south-1", "Bahrain"),
    ("mx-central-1", "Mexico"),
    ("sa-east-1", "São Paulo"),
];
const CHINA: [Region; 2] = [("cn-north-1", "Beijing"), ("cn-northwest-1", "Ningxia")];
const GOV_CLOUD: [Region; 2] = [("us-gov-east-1", "GovCloud, East"), ("us-gov-west-1", "GovCloud, West")];

/// The partitions.
pub const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Returns the domain of the AWS web console in a partition, or `None` for an unknown partition.
///
/// Source: *AWS Management Console endpoints and quotas*, and those of the partitions in China and GovCloud.
pub fn console_domain(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("console.aws.amazon.com"),
        "aws-cn" => Some("console.amazonaws.cn"),
        "aws-us-gov" => Some("console.amazonaws-us-gov.com"),
        _ => None,
    }
}

/// Returns the Regions of a partition, or none for an unknown partition.
pub fn in_partition(partition: &str) -> &'static [Region] {
    match partition {
        "aws" => &AWS,
        "aws-cn" => &CHINA,
        "aws-us-gov" => &GOV_CLOUD,
        _ => &[],
    }
}

/// Whether `code` is a Region in any partition.
pub fn is_region(code: &str) -> bool {
    PARTITIONS.iter().any(|partition| in_partition(partition).iter().any(|(known, _)| *known == code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::arn::partition_of;

    #[test]
    fn regions_belong_to_their_partition() {
        for partition in PARTITIONS {
            let regions = in_partition(partition);
            assert!(regions.len() > 1);
            assert!(regions.iter().all(|(code, _)| partition_of(code) == partition));
        }
    }
}
