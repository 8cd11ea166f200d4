//! Reads structures of which some members can't be read.

use std::cell::Cell;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

use super::deserializer::LenientDeserializer;
use super::placeholders::{PROBLEM, Placeholder};

/// Deserializes a value. Parts that can't be read become placeholders.
pub(super) fn read_element<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
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
pub(super) fn repair<T: DeserializeOwned>(
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
