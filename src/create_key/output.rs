//! The created key in the output format of `aws kms create-key`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

use crate::aws::kms::KeyMetadata;
use crate::aws::scalar::EpochSeconds;

/// Returns the JSON that the AWS CLI prints for a created key, byte for byte.
///
/// It has four spaces per level, members in the order of the API model, and non-ASCII characters unescaped. Times are
/// ISO 8601 in the time zone `zone`, as in version 2 of the AWS CLI. Version 1 prints them this way only with
/// `cli_timestamp_format = iso8601`; otherwise it prints the value from the response.
///
/// # Errors
/// Returns an error if the key can't be serialized as JSON, which never happens for a [`KeyMetadata`].
pub fn create_key_output(key: &KeyMetadata, zone: &TimeZone) -> serde_json::Result<String> {
    let mut output = json!({ "KeyMetadata": key });
    for (member, time) in [("CreationDate", Some(key.creation_date)), ("DeletionDate", key.deletion_date)] {
        if let Some(EpochSeconds(time)) = time {
            output["KeyMetadata"][member] = Value::from(format_iso_8601(time, zone));
        }
    }
    let mut bytes = Vec::new();
    output.serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    ")))?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Formats a time like Python's `datetime.isoformat`, which omits microseconds that are zero.
fn format_iso_8601(time: Timestamp, zone: &TimeZone) -> String {
    let format = if time.subsec_microsecond() == 0 && time.subsec_millisecond() == 0 {
        "%Y-%m-%dT%H:%M:%S%:z"
    } else {
        "%Y-%m-%dT%H:%M:%S.%6f%:z"
    };
    time.to_zoned_datetime(zone.clone()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::key;

    #[test]
    fn output_matches_the_aws_cli() {
        let created = KeyMetadata {
            creation_date: EpochSeconds("2026-03-02T10:15:00.12Z".parse().unwrap()),
            description: "Zürich \u{1}\"".to_owned(),
            encryption_algorithms: Some(vec!["SYMMETRIC_DEFAULT".to_owned()]),
            multi_region: Some(false),
            ..key("1111aaaa", "payments-2026")
        };
        let expected = r#"{
    "KeyMetadata": {
        "AWSAccountId": "111122223333",
        "KeyId": "1111aaaa",
        "Arn": "arn:aws:kms:us-west-2:111122223333:key/1111aaaa",
        "CreationDate": "2026-03-02T11:15:00.120000+01:00",
        "Enabled": true,
        "Description": "Zürich \u0001\"",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "EXTERNAL_KEY_STORE",
        "CustomKeyStoreId": "cks-1",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": [
            "SYMMETRIC_DEFAULT"
        ],
        "MultiRegion": false,
        "XksKeyConfiguration": {
            "Id": "payments-2026"
        }
    }
}
"#;
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(create_key_output(&created, &zone).unwrap(), expected);
    }

    #[test]
    fn whole_seconds_are_printed_without_a_fraction() {
        let zone = TimeZone::fixed(jiff::tz::Offset::from_seconds(-(3 * 3600 + 1800)).unwrap());
        assert_eq!(format_iso_8601("2026-03-02T10:15:00Z".parse().unwrap(), &zone), "2026-03-02T06:45:00-03:30");
        assert_eq!(
            format_iso_8601("2026-03-02T10:15:00.001Z".parse().unwrap(), &TimeZone::UTC),
            "2026-03-02T10:15:00.001000+00:00"
        );
    }
}
