//! The deserializer of values that may be newer than this version.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

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

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, Error> {
        Ok(None)
    }
}
