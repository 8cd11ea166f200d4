//! Deserialization of a JSON body against a shape.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ANY_STRING, Member, Shape, at_least, at_most};
use crate::aws::error::ServiceError;

/// Returns all constraint violations, in AWS's wording.
pub fn validate(members: &'static [Member], body: &[u8]) -> Result<Vec<String>, ServiceError> {
    let mut report = ValidationReport::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let whole = ShapeVisitor {
        shape: &Shape::Structure(members),
        path: &Path::Root,
        is_list_element: false,
        report: &mut report,
    };
    let seen = whole.deserialize(&mut reader).and_then(|seen| reader.end().map(|()| seen));
    match seen {
        Ok(VisitedValue::Null) => Err(ServiceError::new("SerializationException", "Expected a Structure")),
        Ok(_) => Ok(report.violations),
        Err(error) => {
            let message = report.type_error.unwrap_or_else(|| error.to_string());
            Err(ServiceError::new("SerializationException", message))
        }
    }
}

#[derive(Default)]
struct ValidationReport {
    violations: Vec<String>,
    /// The type error that ended the deserialization.
    type_error: Option<String>,
}

impl ValidationReport {
    fn add_violation(&mut self, path: &Path, value: Option<&str>, limit: &str) {
        let value = value.map(|value| format!(" '{value}'")).unwrap_or_default();
        self.violations.push(format!("Value{value} at '{path}' failed to satisfy constraint: {limit}"));
    }

    fn add_missing(&mut self, path: &Path) {
        self.violations.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }
}

/// The path of a value in the body.
enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'static str),
    /// The element number, starting at 1.
    Element(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Element(list, number) => write!(f, "{list}.{number}.member"),
            Self::Member(owner, name) => {
                if !matches!(owner, Self::Root) {
                    write!(f, "{owner}.")?;
                }
                let (first, rest) = name.split_at_checked(1).unwrap_or_default();
                write!(f, "{}{rest}", first.to_ascii_lowercase())
            }
        }
    }
}

/// The result of visiting a value.
enum VisitedValue {
    /// `null`, which counts as absent.
    Null,
    Checked,
    /// A string in a list. The list is validated as a whole.
    ListedString(String),
}

struct ShapeVisitor<'a> {
    shape: &'a Shape,
    path: &'a Path<'a>,
    is_list_element: bool,
    report: &'a mut ValidationReport,
}

impl ShapeVisitor<'_> {
    fn type_error<E: Error>(self, message: String) -> E {
        self.report.type_error = Some(message);
        E::custom("wrong type")
    }

    /// Fails because the value has another type.
    fn wrong_type<T, E: Error>(self, found: &str) -> Result<T, E> {
        let expected = self.shape.type_name();
        let message = match self.shape {
            Shape::Map | Shape::List(..) | Shape::Structure(_) => format!("Expected {expected} or null"),
            _ => format!("{found} can not be converted to {expected}"),
        };
        Err(self.type_error(message))
    }

    fn visit_integer<E: Error>(self, number: i64) -> Result<VisitedValue, E> {
        match self.shape {
            Shape::Timestamp => Ok(VisitedValue::Checked),
            Shape::Integer(min, max) => {
                let shown = number.to_string();
                if number < *min {
                    self.report.add_violation(self.path, Some(&shown), &at_least("value", min));
                }
                if number > *max {
                    self.report.add_violation(self.path, Some(&shown), &at_most("value", max));
                }
                Ok(VisitedValue::Checked)
            }
            _ => self.wrong_type("NUMBER_VALUE"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ShapeVisitor<'_> {
    type Value = VisitedValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<VisitedValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ShapeVisitor<'_> {
    type Value = VisitedValue;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.shape.type_name())
    }

    fn visit_unit<E>(self) -> Result<VisitedValue, E> {
        Ok(VisitedValue::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<VisitedValue, E> {
        match self.shape {
            Shape::Boolean => Ok(VisitedValue::Checked),
            _ => self.wrong_type(if truth { "TRUE_VALUE" } else { "FALSE_VALUE" }),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<VisitedValue, E> {
        self.visit_integer(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<VisitedValue, E> {
        self.visit_integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<VisitedValue, E> {
        match self.shape {
            Shape::Timestamp => Ok(VisitedValue::Checked),
            _ => self.wrong_type("NUMBER_VALUE"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<VisitedValue, E> {
        match self.shape {
            Shape::String { .. } | Shape::Enum(_) if self.is_list_element => {
                return Ok(VisitedValue::ListedString(text.to_owned()));
            }
            Shape::String { .. } | Shape::Enum(_) if self.shape.accepts(text) => {}
            Shape::String { is_sensitive: is_secret, .. } => {
                let shown = (!is_secret).then_some(text);
                for (limit, _) in self.shape.constraints(text).iter().filter(|(_, is_kept)| !is_kept) {
                    self.report.add_violation(self.path, shown, limit);
                }
            }
            Shape::Enum(_) => {
                for (limit, _) in self.shape.constraints(text) {
                    self.report.add_violation(self.path, Some(text), &limit);
                }
            }
            Shape::Blob(min, max) => match base64_decoded_length(text) {
                None => return Err(self.type_error("The value is not Base64 with padding".to_owned())),
                Some(length) if length < *min => self.report.add_violation(self.path, None, &at_least("length", min)),
                Some(length) if length > *max => self.report.add_violation(self.path, None, &at_most("length", max)),
                Some(_) => {}
            },
            _ => return self.wrong_type("STRING_VALUE"),
        }
        Ok(VisitedValue::Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<VisitedValue, A::Error> {
        let Shape::List(shape, min, max) = self.shape else {
            return Err(self.type_error("Start of list found where not expected".to_owned()));
        };
        let (mut count, mut texts) = (0, Vec::new());
        loop {
            let path = Path::Element(self.path, count + 1);
            let element = ShapeVisitor { shape, path: &path, is_list_element: true, report: self.report };
            match elements.next_element_seed(element)? {
                None => break,
                Some(VisitedValue::Null) => self.report.add_missing(&path),
                Some(VisitedValue::ListedString(text)) => texts.push(text),
                Some(VisitedValue::Checked) => {}
            }
            count += 1;
        }
        if texts.iter().any(|text| !shape.accepts(text)) {
            let limits: Vec<String> = shape.constraints("").into_iter().map(|(limit, _)| limit).collect();
            let limit = format!("Member must satisfy constraint: [{}]", limits.join(", "));
            self.report.add_violation(self.path, Some(&format_list(&texts)), &limit);
        }
        if count < *min {
            self.report.add_violation(self.path, Some(&format_list(&texts)), &at_least("length", min));
        }
        if count > *max {
            self.report.add_violation(self.path, Some(&format_list(&texts)), &at_most("length", max));
        }
        Ok(VisitedValue::Checked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<VisitedValue, A::Error> {
        match self.shape {
            Shape::Structure(members) => {
                let mut present = 0_u32;
                while let Some(known) = pairs.next_key_seed(MemberNameSeed(members))? {
                    let Some(at) = known else {
                        pairs.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let Member { name, shape, .. } = &members[at];
                    let path = Path::Member(self.path, name);
                    let value = ShapeVisitor { shape, path: &path, is_list_element: false, report: self.report };
                    if !matches!(pairs.next_value_seed(value)?, VisitedValue::Null) {
                        present |= 1 << at;
                    }
                }
                for (at, member) in members.iter().enumerate() {
                    if member.is_required && present & (1 << at) == 0 {
                        self.report.add_missing(&Path::Member(self.path, member.name));
                    }
                }
            }
            Shape::Map => {
                while pairs.next_key::<IgnoredAny>()?.is_some() {
                    let value = ShapeVisitor {
                        shape: &ANY_STRING,
                        path: self.path,
                        is_list_element: false,
                        report: self.report,
                    };
                    if matches!(pairs.next_value_seed(value)?, VisitedValue::Null) {
                        self.report.add_missing(self.path);
                    }
                }
            }
            _ => return Err(self.type_error("Start of structure or map found where not expected".to_owned())),
        }
        Ok(VisitedValue::Checked)
    }
}

fn format_list(texts: &[String]) -> String {
    format!("[{}]", texts.join(", "))
}

/// Resolves the name of a member to its index.
struct MemberNameSeed(&'static [Member]);

impl<'de> DeserializeSeed<'de> for MemberNameSeed {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberNameSeed {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|member| member.name == name))
    }
}

/// Returns the number of bytes that a padded Base64 string decodes to, or `None` if it isn't valid.
pub fn base64_decoded_length(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (text.len().is_multiple_of(4) && padding <= 2 && are_digits).then(|| text.len() / 4 * 3 - padding)
}
