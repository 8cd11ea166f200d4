//! Deserializes responses that may be newer than this version.
//!
//! AWS adds members, values, and elements to its responses. An unreadable part of a list element must not affect the
//! other elements: the element keeps its readable members, [`UNREADABLE`] replaces each string that can't be read, and
//! the member [`PROBLEM`] names the affected members. Outside lists, required members stay required, because an
//! incomplete response to CreateKey or Decrypt must never be mistaken for a complete one.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

use crate::aws::member_list::MemberList;

/// The member that describes what couldn't be read. No AWS API has it.
pub const PROBLEM: &str = "XksConsoleProblem";

/// The placeholder for a string that couldn't be read.
pub const UNREADABLE: &str = "Unreadable";

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

/// Deserializes a value. Parts that can't be read become placeholders.
fn read_element<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    let error = match T::deserialize(LenientDeserializer(value)) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let fields = Cell::new(&[][..]);
    let blank = T::deserialize(Placeholder { fields: &fields, allow_numbers: true })?;
    match value {
        _ if fields.get().is_empty() => Ok(blank),
        Value::Object(members) => repair(Some(members), fields.get(), &error.to_string()),
        _ => repair(None, fields.get(), "it isn't a structure"),
    }
}

/// Deserializes a structure whose members are partly unreadable, or entirely if `members` is `None`.
///
/// `problem` is reported if the problem isn't limited to individual members.
fn repair<T: DeserializeOwned>(
    members: Option<&Map<String, Value>>,
    fields: &'static [&'static str],
    problem: &str,
) -> Result<T, Error> {
    let problem_of_all = Value::from(problem);
    let mut parts: Vec<(&'static str, MemberValue<'_>)> = fields
        .iter()
        .filter(|name| **name != PROBLEM)
        .map(|name| (*name, MemberValue::Placeholder { allow_numbers: true }))
        .collect();
    let is_read = |parts: &[(&'static str, MemberValue<'_>)]| T::deserialize(RepairedStructure(parts)).is_ok();
    let (mut unknown, mut missing) = (Vec::new(), Vec::new());
    for place in 0..parts.len() {
        let name = parts[place].0;
        let member = members.and_then(|members| members.get(name)).filter(|member| !member.is_null());
        let tries = member.map(MemberValue::Present).into_iter().chain(match member {
            // A placeholder distinguishes an unreadable optional string from an absent one.
            _ if member.is_some() || members.is_none() => {
                [MemberValue::Placeholder { allow_numbers: false }, MemberValue::Absent]
            }
            _ => [MemberValue::Absent, MemberValue::Placeholder { allow_numbers: false }],
        });
        for part in tries.chain([MemberValue::Placeholder { allow_numbers: true }]) {
            parts[place].1 = part;
            if is_read(&parts) {
                break;
            }
        }
        match parts[place].1 {
            MemberValue::Present(_) => {}
            _ if member.is_some() => unknown.push(name),
            MemberValue::Absent => {}
            MemberValue::Placeholder { .. } => missing.push(name),
        }
    }
    let mut problems = Vec::new();
    if !unknown.is_empty() {
        problems.push(format!("{} in an unknown format", unknown.join(", ")));
    }
    if !missing.is_empty() && members.is_some() {
        problems.push(format!("{} missing", missing.join(", ")));
    }
    let problems = if problems.is_empty() { problem_of_all } else { Value::from(problems.join("; ")) };
    if fields.contains(&PROBLEM) {
        parts.push((PROBLEM, MemberValue::Present(&problems)));
    }
    T::deserialize(RepairedStructure(&parts))
}

/// A member of a repaired structure.
#[derive(Clone, Copy)]
enum MemberValue<'a> {
    Present(&'a Value),
    Absent,
    Placeholder { allow_numbers: bool },
}

/// A structure that is assembled from repaired members.
struct RepairedStructure<'a>(&'a [(&'static str, MemberValue<'a>)]);

impl<'de> Deserializer<'de> for RepairedStructure<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let present = self.0.iter().filter(|(_, part)| !matches!(part, MemberValue::Absent));
        visitor.visit_map(MapDeserializer::new(present.map(|(name, part)| (*name, *part))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for MemberValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Forwards each method to the deserializer of the member's variant.
macro_rules! forward_member_value {
    ($($method:ident($($argument:ident: $type:ty),*))+) => {
        $(fn $method<V: Visitor<'de>>(self $(, $argument: $type)*, visitor: V) -> Result<V::Value, Error> {
            let fields = Cell::new(&[][..]);
            match self {
                Self::Present(value) => LenientDeserializer(value).$method($($argument,)* visitor),
                Self::Absent => Err(Error::custom("the member is absent")),
                Self::Placeholder { allow_numbers } => Placeholder { fields: &fields, allow_numbers }.$method($($argument,)* visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for MemberValue<'de> {
    type Error = Error;

    forward_member_value! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit() deserialize_seq()
        deserialize_map() deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }
}

/// Deserializes placeholders for unreadable values: [`UNREADABLE`] for a string, lists and structures of placeholders,
/// and 0 for a number, which is an error unless `allow_numbers` is set. Stores the member names of a structure in
/// `fields`.
#[derive(Clone, Copy)]
struct Placeholder<'a> {
    fields: &'a Cell<&'static [&'static str]>,
    allow_numbers: bool,
}

impl Placeholder<'_> {
    fn visit_number<T>(self, visited: Result<T, Error>) -> Result<T, Error> {
        if self.allow_numbers { visited } else { Err(Error::custom("numbers have no placeholder")) }
    }
}

macro_rules! placeholder_numbers {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_number(visitor.visit_u8(0))
        })+
    };
}

impl<'de> Deserializer<'de> for Placeholder<'_> {
    type Error = Error;

    /// Only timestamps can have several types.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_u8(0))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_bool(false))
    }

    placeholder_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_f64(f64::NAN))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.allow_numbers { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let element = (!self.allow_numbers).then_some(StrDeserializer::new(UNREADABLE));
        visitor.visit_seq(SeqDeserializer::new(element.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let pair = (!self.allow_numbers).then_some((UNREADABLE, UNREADABLE));
        visitor.visit_map(MapDeserializer::new(pair.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields.set(fields);
        let inner = Cell::new(&[][..]);
        let blank = Placeholder { fields: &inner, ..self };
        visitor
            .visit_map(PlaceholderMembers { names: fields.iter().filter(|name| **name != PROBLEM), placeholder: blank })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(UNREADABLE)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(UNREADABLE)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// The members of a structure, all placeholders.
struct PlaceholderMembers<'a, N> {
    names: N,
    placeholder: Placeholder<'a>,
}

impl<'de, N: Iterator<Item = &'static &'static str>> MapAccess<'de> for PlaceholderMembers<'_, N> {
    type Error = Error;

    fn next_key_seed<K: serde::de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.names.next().map(|name| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<K: serde::de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<K::Value, Error> {
        seed.deserialize(self.placeholder)
    }
}

/// Deserializes a value of a response. A `null` member counts as absent, and XML strings are parsed to the target type.
#[derive(Clone, Copy)]
pub struct LenientDeserializer<'a>(pub &'a Value);

impl LenientDeserializer<'_> {
    fn parse<T: std::str::FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Error> {
        text.trim().parse().map_err(Error::custom)
    }

    /// Whether the value is empty text, as in an XML element without content.
    fn is_empty_text(self) -> bool {
        self.0.as_str().is_some_and(|text| text.trim().is_empty())
    }
}

impl<'de> IntoDeserializer<'de, Error> for LenientDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed_numbers {
    ($($method:ident $visit:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Value::String(text) => visitor.$visit(Self::parse(text)?),
                other => other.$method(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for LenientDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(LenientDeserializer))),
            Value::Object(members) => {
                let present = members.iter().filter(|(_, member)| !member.is_null());
                visitor.visit_map(MapDeserializer::new(
                    present.map(|(name, member)| (name.as_str(), LenientDeserializer(member))),
                ))
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    parsed_numbers! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_empty_text() { visitor.visit_seq(EmptySeq) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.is_empty_text() {
            visitor.visit_map(MapDeserializer::new(std::iter::empty::<(&str, LenientDeserializer<'_>)>()))
        } else if self.0.is_array() {
            // Otherwise, its elements would be read as the members, in order.
            Err(Error::custom("expected a structure, found a list"))
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

/// An empty list.
struct EmptySeq;

impl<'de> SeqAccess<'de> for EmptySeq {
    type Error = Error;

    fn next_element_seed<T: serde::de::DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, Error> {
        Ok(None)
    }
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
