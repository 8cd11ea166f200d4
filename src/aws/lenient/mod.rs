//! Deserializes responses that may be newer than this version.
//!
//! AWS adds members, values, and elements to its responses. An unreadable part of a list element must not affect the
//! other elements: the element keeps its readable members, [`UNREADABLE`] replaces each string that can't be read, and
//! the member [`PROBLEM`] names the affected members. Outside lists, required members stay required, because an
//! incomplete response to CreateKey or Decrypt must never be mistaken for a complete one.

mod deserializer;
mod placeholders;
mod repair;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::{Error, Value};

pub use self::deserializer::LenientDeserializer;
use self::placeholders::Placeholder;
pub use self::placeholders::{PROBLEM, UNREADABLE};
use self::repair::{read_element, repair};
use crate::aws::member_list::MemberList;

/// Deserializes a list whose elements may be newer than this version.
///
/// # Errors
/// The value isn't a list.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);
    impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(element) = elements.next_element::<Value>()? {
                read.push(read_element(&element).map_err(A::Error::custom)?);
            }
            Ok(read)
        }
    }
    deserializer.deserialize_seq(List(PhantomData))
}

/// Deserializes an optional list whose elements may be newer than this version.
///
/// # Errors
/// The value isn't a list.
pub fn optional_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list(deserializer).map(Some)
}

/// Deserializes a query protocol list whose elements may be newer than this version.
///
/// # Errors
/// The value isn't a list.
pub fn member_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<MemberList<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct ResponseMembers<T> {
        #[serde(default = "Vec::new", deserialize_with = "list")]
        member: Vec<T>,
    }
    ResponseMembers::deserialize(deserializer).map(|response| MemberList { member: response.member })
}

/// A structure that is the whole response, with one member that is always required.
pub trait Identified {
    /// The name of the required member, a string.
    const ID: &'static str;
}

/// Deserializes a response structure as leniently as a list element, provided that the required member is present.
///
/// # Errors
/// The required member is missing, or the value isn't a structure.
pub fn identified<'de, D: Deserializer<'de>, T: DeserializeOwned + Identified>(deserializer: D) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value[T::ID].is_string() { read_element(&value) } else { T::deserialize(LenientDeserializer(&value)) }
        .map_err(D::Error::custom)
}

/// Deserializes a timestamp in ISO 8601 format.
///
/// # Errors
/// The value isn't a timestamp.
pub fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(D::Error::custom),
        // The placeholder for a timestamp that couldn't be read.
        Value::Number(_) => Ok(Timestamp::UNIX_EPOCH),
        other => Err(D::Error::custom(format!("{other} isn't a timestamp"))),
    }
}

/// Returns a value in which every member is a placeholder, because nothing of the response could be read.
///
/// # Errors
/// `T` has a member for which no placeholder is valid.
pub fn placeholder<T: DeserializeOwned>(problem: &str) -> Result<T, Error> {
    let fields = Cell::new(&[][..]);
    T::deserialize(Placeholder { fields: &fields, allow_numbers: true })?;
    repair(None, fields.get(), problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::codec::decode_response;
    use crate::aws::kms::{
        ConnectionState, DescribeCustomKeyStores, DescribeKey, KeyMetadata, ListAliases, ListKeys, ListResourceTags,
    };

    #[test]
    fn unreadable_key_store_does_not_affect_the_others() {
        let body = br#"{"CustomKeyStores":[
            {"CustomKeyStoreId":"cks-1","CustomKeyStoreName":"new","ConnectionState":{"Is":"CONNECTED"},
             "CreationDate":1.5,"CustomKeyStoreType":"EXTERNAL_KEY_STORE","XksProxyConfiguration":{"Connectivity":"X"}},
            {"CustomKeyStoreId":"cks-2","CustomKeyStoreName":"old","ConnectionState":"CONNECTED",
             "CreationDate":1.5,"CustomKeyStoreType":"EXTERNAL_KEY_STORE","Added":[1]},
            {"CustomKeyStoreName":"short"}, "text", null]}"#;
        let stores = decode_response::<DescribeCustomKeyStores>(body).unwrap().custom_key_stores;
        assert_eq!(stores.len(), 5);
        assert_eq!(stores[0].custom_key_store_name, "new");
        let problem = "ConnectionState, XksProxyConfiguration in an unknown format";
        assert_eq!(stores[0].problem.as_deref(), Some(problem));
        assert_eq!(stores[0].xks_proxy_configuration.as_ref().unwrap().uri_path, UNREADABLE);
        assert!(!stores[0].connection_state.is_known());
        assert_eq!((stores[1].connection_state, stores[1].problem.as_deref()), (ConnectionState::Connected, None));
        let missing = "CustomKeyStoreId, ConnectionState, CreationDate, CustomKeyStoreType missing";
        assert_eq!(stores[2].problem.as_deref(), Some(missing));
        assert_eq!(stores[3].problem.as_deref(), Some("it isn't a structure"));
        assert!(stores[4].problem.is_some());
    }

    #[test]
    fn list_is_readable_when_one_element_has_a_new_format() {
        let keys = decode_response::<ListKeys>(br#"{"Keys":[{"KeyId":7},{"KeyId":"k","KeyArn":"a"}]}"#).unwrap().keys;
        assert_eq!(keys.iter().map(|key| key.key_id.as_str()).collect::<Vec<_>>(), [UNREADABLE, "k"]);
        let aliases = decode_response::<ListAliases>(br#"{"Aliases":[{"AliasName":[]},{"AliasName":"alias/x"}]}"#);
        assert_eq!(aliases.unwrap().aliases[1].alias_name, "alias/x");
        let tags = decode_response::<ListResourceTags>(br#"{"Tags":[{"TagKey":"a"},{"TagKey":"b","TagValue":"c"}]}"#);
        assert_eq!(tags.unwrap().tags[1].tag_value, "c");
    }

    #[test]
    fn key_with_new_format_is_readable_only_if_it_has_an_id() {
        let key = br#"{"KeyMetadata":{"KeyId":"k","Arn":"a","KeyState":["Enabled"],"Origin":"MOON"}}"#;
        let key = decode_response::<DescribeKey>(key).unwrap().key_metadata;
        assert_eq!((key.key_id.as_str(), key.origin.as_str(), key.description.as_str()), ("k", "MOON", ""));
        assert!(key.problem.is_some());
        assert!(decode_response::<DescribeKey>(br#"{"KeyMetadata":"k"}"#).is_err());
        assert!(decode_response::<DescribeKey>(br#"{"KeyMetadata":{"KeyId":null}}"#).is_err());
        let nothing: KeyMetadata = placeholder("lost").unwrap();
        assert_eq!((nothing.problem.as_deref(), nothing.key_state.label()), (Some("lost"), UNREADABLE));
    }
}
