//! A JSON body, read against a shape.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ANY_TEXT, Member, Shape, at_least, at_most};
use crate::aws::error::ServiceError;

/// All that breaks a limit, each in AWS's words.
pub fn look(members: &'static [Member], body: &[u8]) -> Result<Vec<String>, ServiceError> {
    let mut report = Report::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let whole = Look { shape: &Shape::Structure(members), path: &Path::Whole, is_listed: false, report: &mut report };
    let seen = whole.deserialize(&mut reader).and_then(|seen| reader.end().map(|()| seen));
    match seen {
        Ok(Seen::Nothing) => Err(ServiceError::new("SerializationException", "Expected a Structure")),
        Ok(_) => Ok(report.broken),
        Err(error) => {
            let words = report.misfit.unwrap_or_else(|| error.to_string());
            Err(ServiceError::new("SerializationException", words))
        }
    }
}

#[derive(Default)]
struct Report {
    broken: Vec<String>,
    /// What was of a wrong type, which ended the reading.
    misfit: Option<String>,
}

impl Report {
    fn add(&mut self, path: &Path, value: Option<&str>, limit: &str) {
        let value = value.map(|value| format!(" '{value}'")).unwrap_or_default();
        self.broken.push(format!("Value{value} at '{path}' failed to satisfy constraint: {limit}"));
    }

    fn add_missing(&mut self, path: &Path) {
        self.broken.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }
}

/// Where a value stands.
enum Path<'a> {
    Whole,
    Member(&'a Path<'a>, &'static str),
    /// Counted from one.
    Element(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Element(list, number) => write!(f, "{list}.{number}.member"),
            Self::Member(owner, name) => {
                if !matches!(owner, Self::Whole) {
                    write!(f, "{owner}.")?;
                }
                let (first, rest) = name.split_at_checked(1).unwrap_or_default();
                write!(f, "{}{rest}", first.to_ascii_lowercase())
            }
        }
    }
}

/// What came of a value.
enum Seen {
    /// `null`, which is as if it were not there.
    Nothing,
    Something,
    /// A text in a list, which is judged as a whole.
    Text(String),
}

struct Look<'a> {
    shape: &'a Shape,
    path: &'a Path<'a>,
    is_listed: bool,
    report: &'a mut Report,
}

impl Look<'_> {
    fn misfit<E: Error>(self, words: String) -> E {
        self.report.misfit = Some(words);
        E::custom("of a wrong type")
    }

    /// The end of a value of another type.
    fn wrong<T, E: Error>(self, found: &str) -> Result<T, E> {
        let wanted = self.shape.called();
        let words = match self.shape {
            Shape::Texts | Shape::List(..) | Shape::Structure(_) => format!("Expected {wanted} or null"),
            _ => format!("{found} can not be converted to {wanted}"),
        };
        Err(self.misfit(words))
    }

    fn whole<E: Error>(self, number: i64) -> Result<Seen, E> {
        match self.shape {
            Shape::Moment => Ok(Seen::Something),
            Shape::Whole(least, most) => {
                let shown = number.to_string();
                if number < *least {
                    self.report.add(self.path, Some(&shown), &at_least("value", least));
                }
                if number > *most {
                    self.report.add(self.path, Some(&shown), &at_most("value", most));
                }
                Ok(Seen::Something)
            }
            _ => self.wrong("NUMBER_VALUE"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.shape.called())
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Nothing)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Seen, E> {
        match self.shape {
            Shape::Truth => Ok(Seen::Something),
            _ => self.wrong(if truth { "TRUE_VALUE" } else { "FALSE_VALUE" }),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Seen, E> {
        self.whole(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Seen, E> {
        self.whole(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Seen, E> {
        match self.shape {
            Shape::Moment => Ok(Seen::Something),
            _ => self.wrong("NUMBER_VALUE"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seen, E> {
        match self.shape {
            Shape::Text { .. } | Shape::Word(_) if self.is_listed => return Ok(Seen::Text(text.to_owned())),
            Shape::Text { .. } | Shape::Word(_) if self.shape.holds(text) => {}
            Shape::Text { is_secret, .. } => {
                let shown = (!is_secret).then_some(text);
                for (limit, _) in self.shape.limits(text).iter().filter(|(_, is_kept)| !is_kept) {
                    self.report.add(self.path, shown, limit);
                }
            }
            Shape::Word(_) => {
                for (limit, _) in self.shape.limits(text) {
                    self.report.add(self.path, Some(text), &limit);
                }
            }
            Shape::Bytes(least, most) => match length_of_base64(text) {
                None => return Err(self.misfit("The value is not Base64 with padding".to_owned())),
                Some(length) if length < *least => self.report.add(self.path, None, &at_least("length", least)),
                Some(length) if length > *most => self.report.add(self.path, None, &at_most("length", most)),
                Some(_) => {}
            },
            _ => return self.wrong("STRING_VALUE"),
        }
        Ok(Seen::Something)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Seen, A::Error> {
        let Shape::List(shape, least, most) = self.shape else {
            return Err(self.misfit("Start of list found where not expected".to_owned()));
        };
        let (mut count, mut texts) = (0, Vec::new());
        loop {
            let path = Path::Element(self.path, count + 1);
            let element = Look { shape, path: &path, is_listed: true, report: self.report };
            match elements.next_element_seed(element)? {
                None => break,
                Some(Seen::Nothing) => self.report.add_missing(&path),
                Some(Seen::Text(text)) => texts.push(text),
                Some(Seen::Something) => {}
            }
            count += 1;
        }
        if texts.iter().any(|text| !shape.holds(text)) {
            let limits: Vec<String> = shape.limits("").into_iter().map(|(limit, _)| limit).collect();
            let limit = format!("Member must satisfy constraint: [{}]", limits.join(", "));
            self.report.add(self.path, Some(&shown(&texts)), &limit);
        }
        if count < *least {
            self.report.add(self.path, Some(&shown(&texts)), &at_least("length", least));
        }
        if count > *most {
            self.report.add(self.path, Some(&shown(&texts)), &at_most("length", most));
        }
        Ok(Seen::Something)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Seen, A::Error> {
        match self.shape {
            Shape::Structure(members) => {
                let mut is_there = 0_u32;
                while let Some(known) = pairs.next_key_seed(Name(members))? {
                    let Some(at) = known else {
                        pairs.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let Member { name, shape, .. } = &members[at];
                    let path = Path::Member(self.path, name);
                    let value = Look { shape, path: &path, is_listed: false, report: self.report };
                    if !matches!(pairs.next_value_seed(value)?, Seen::Nothing) {
                        is_there |= 1 << at;
                    }
                }
                for (at, member) in members.iter().enumerate() {
                    if member.is_required && is_there & (1 << at) == 0 {
                        self.report.add_missing(&Path::Member(self.path, member.name));
                    }
                }
            }
            Shape::Texts => {
                while pairs.next_key::<IgnoredAny>()?.is_some() {
                    let value = Look { shape: &ANY_TEXT, path: self.path, is_listed: false, report: self.report };
                    if matches!(pairs.next_value_seed(value)?, Seen::Nothing) {
                        self.report.add_missing(self.path);
                    }
                }
            }
            _ => return Err(self.misfit("Start of structure or map found where not expected".to_owned())),
        }
        Ok(Seen::Something)
    }
}

fn shown(texts: &[String]) -> String {
    format!("[{}]", texts.join(", "))
}

/// Which member a name is.
struct Name(&'static [Member]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|member| member.name == name))
    }
}

/// How many bytes a text of Base64 with padding stands for.
pub fn length_of_base64(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (text.len().is_multiple_of(4) && padding <= 2 && are_digits).then(|| text.len() / 4 * 3 - padding)
}
