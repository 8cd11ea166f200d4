//! The addresses of the console's pages in the AWS web console.

use super::pages::Location;
use crate::aws::arn::partition_of;
use crate::aws::lenient::UNREADABLE;
use crate::aws::regions;

/// Returns the address of a page in the AWS web console of `region`, if that console has the page.
pub fn of_page(location: &Location, region: &str) -> Option<String> {
    let (service, path) = match location {
        Location::Keys => ("kms", "/kms/keys".to_owned()),
        Location::AwsKeys => ("kms", "/kms/defaultKeys".to_owned()),
        Location::Key(id) if id != UNREADABLE => ("kms", format!("/kms/keys/{id}")),
        Location::KeyStores | Location::KeyStore(_) => ("kms", "/kms/custom-key-stores/external".to_owned()),
        Location::Events => ("cloudtrailv2", "/events".to_owned()),
        Location::Event(id) if !id.is_empty() => ("cloudtrailv2", format!("/events/{id}")),
        _ => return None,
    };
    let domain = regions::console_domain(partition_of(region))?;
    Some(format!("https://{region}.{domain}/{service}/home?region={region}#{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_partition_and_the_page() {
        let of = |location, region| of_page(&location, region).unwrap_or_default();
        assert_eq!(
            of(Location::Key("1234abcd".to_owned()), "eu-central-1"),
            "https://eu-central-1.console.aws.amazon.com/kms/home?region=eu-central-1#/kms/keys/1234abcd"
        );
        assert_eq!(
            of(Location::KeyStore("cks-1".to_owned()), "cn-north-1"),
            "https://cn-north-1.console.amazonaws.cn/kms/home?region=cn-north-1#/kms/custom-key-stores/external"
        );
        assert_eq!(
            of(Location::Event("e-1".to_owned()), "us-gov-west-1"),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudtrailv2/home?region=us-gov-west-1#/events/e-1"
        );
        for (location, path) in [
            (Location::Keys, "#/kms/keys"),
            (Location::AwsKeys, "#/kms/defaultKeys"),
            (Location::KeyStores, "#/kms/custom-key-stores/external"),
            (Location::Events, "#/events"),
        ] {
            assert!(of(location, "us-east-1").ends_with(path));
        }
        for location in [Location::CloudHsm, Location::ApiCalls, Location::Key(UNREADABLE.to_owned())] {
            assert_eq!(of_page(&location, "us-east-1"), None);
        }
    }
}
