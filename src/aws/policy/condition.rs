//! Evaluation of statement conditions for a request.
//!
//! Sources: *IAM JSON policy elements: Condition operators*; *Condition keys for AWS KMS*.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{ESCAPE, arn_like, wildcard_match};

/// The request context: the values of each condition key. Condition key names aren't case-sensitive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestContext(BTreeMap<String, Vec<String>>);

impl RequestContext {
    /// Adds a value to a condition key.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_ascii_lowercase()).or_default().push(value.into());
    }

    /// Adds a value to a condition key, if the value is present.
    pub fn add_optional(&mut self, key: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    /// Replaces the values of a condition key.
    pub fn set(&mut self, key: &str, values: &[String]) {
        self.0.insert(key.to_ascii_lowercase(), values.to_vec());
    }

    /// Whether the condition key is present.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }

    /// Replaces policy variables such as `${aws:username}` in a pattern. Their values match literally. Returns `None`
    /// if a variable has no value.
    pub fn expand_pattern<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        self.expand_variables(text, |value| value.chars().flat_map(|letter| [ESCAPE, letter]).collect())
    }

    fn expand_variables<'t>(&self, text: &'t str, literal: impl Fn(&str) -> String) -> Option<Cow<'t, str>> {
        if !text.contains("${") {
            return Some(Cow::Borrowed(text));
        }
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}')?;
            filled.push_str(before);
            match name {
                "*" | "?" | "$" => filled.push_str(&literal(name)),
                name => {
                    let (name, default) = match name.split_once(',') {
                        Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
                        None => (name, None),
                    };
                    match self.get(name) {
                        Some([one]) => filled.push_str(&literal(one)),
                        _ => filled.push_str(&literal(default?)),
                    }
                }
            }
            rest = tail;
        }
        filled.push_str(rest);
        Some(Cow::Owned(filled))
    }

    /// Whether all conditions are met.
    pub fn satisfies(&self, conditions: &Map<String, Value>) -> bool {
        conditions.iter().all(|(operator, keys)| {
            let Some(operator) = Operator::parse(operator) else { return false };
            keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, expected)| self.satisfies_operator(&operator, key, expected))
            })
        })
    }

    fn satisfies_operator(&self, operator: &Operator, key: &str, expected: &Value) -> bool {
        let list = expected.as_array().map_or(std::slice::from_ref(expected), Vec::as_slice);
        let expected: Vec<String> = list.iter().filter_map(condition_value).collect();
        let values = self.get(key);
        if operator.kind == OperatorKind::Null {
            let asks_for_absence = expected.iter().any(|one| one.eq_ignore_ascii_case("true"));
            return values.is_none() == asks_for_absence;
        }
        let Some(values) = values else {
            return operator.is_negated || operator.if_exists || operator.set == SetOperator::ForAllValues;
        };
        let is_met = |value: &String| {
            let is_like = |one: &String| {
                let filled = match operator.kind {
                    OperatorKind::StringLike | OperatorKind::Arn => self.expand_pattern(one),
                    _ => self.expand_variables(one, str::to_owned),
                };
                filled.is_some_and(|one| operator.kind.compare(value, &one))
            };
            expected.iter().any(is_like) != operator.is_negated
        };
        match operator.set {
            SetOperator::ForAllValues => values.iter().all(is_met),
            // A negated operator requires that no value of a multivalued key matches.
            SetOperator::None if operator.is_negated => values.iter().all(is_met),
            SetOperator::ForAnyValue | SetOperator::None => values.iter().any(is_met),
        }
    }
}

fn condition_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SetOperator {
    None,
    ForAllValues,
    ForAnyValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn matches(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OperatorKind {
    String,
    StringIgnoreCase,
    StringLike,
    Numeric(Comparison),
    Date(Comparison),
    Bool,
    IpAddress,
    Arn,
    Null,
}

struct Operator {
    set: SetOperator,
    kind: OperatorKind,
    is_negated: bool,
    if_exists: bool,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        let (set, name) = match name.split_once(':') {
            None => (SetOperator::None, name),
            Some((prefix, name)) if prefix.eq_ignore_ascii_case("ForAllValues") => (SetOperator::ForAllValues, name),
            Some((prefix, name)) if prefix.eq_ignore_ascii_case("ForAnyValue") => (SetOperator::ForAnyValue, name),
            Some(_) => return None,
        };
        let name = name.to_ascii_lowercase();
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name.as_str(), false), |name| (name, true));
        let (kind, is_negated) = match name {
            "stringequals" | "binaryequals" => (OperatorKind::String, false),
            "stringnotequals" => (OperatorKind::String, true),
            "stringequalsignorecase" => (OperatorKind::StringIgnoreCase, false),
            "stringnotequalsignorecase" => (OperatorKind::StringIgnoreCase, true),
            "stringlike" => (OperatorKind::StringLike, false),
            "stringnotlike" => (OperatorKind::StringLike, true),
            "numericequals" => (OperatorKind::Numeric(Comparison::Equal), false),
            "numericnotequals" => (OperatorKind::Numeric(Comparison::Equal), true),
            "numericlessthan" => (OperatorKind::Numeric(Comparison::Less), false),
            "numericlessthanequals" => (OperatorKind::Numeric(Comparison::LessOrEqual), false),
            "numericgreaterthan" => (OperatorKind::Numeric(Comparison::Greater), false),
            "numericgreaterthanequals" => (OperatorKind::Numeric(Comparison::GreaterOrEqual), false),
            "dateequals" => (OperatorKind::Date(Comparison::Equal), false),
            "datenotequals" => (OperatorKind::Date(Comparison::Equal), true),
            "datelessthan" => (OperatorKind::Date(Comparison::Less), false),
            "datelessthanequals" => (OperatorKind::Date(Comparison::LessOrEqual), false),
            "dategreaterthan" => (OperatorKind::Date(Comparison::Greater), false),
            "dategreaterthanequals" => (OperatorKind::Date(Comparison::GreaterOrEqual), false),
            "bool" => (OperatorKind::Bool, false),
            "ipaddress" => (OperatorKind::IpAddress, false),
            "notipaddress" => (OperatorKind::IpAddress, true),
            "arnequals" | "arnlike" => (OperatorKind::Arn, false),
            "arnnotequals" | "arnnotlike" => (OperatorKind::Arn, true),
            "null" => (OperatorKind::Null, false),
            _ => return None,
        };
        Some(Self { set, kind, is_negated, if_exists })
    }
}

impl OperatorKind {
    fn compare(self, value: &str, expected: &str) -> bool {
        match self {
            Self::String => value == expected,
            Self::StringIgnoreCase | Self::Bool => value.eq_ignore_ascii_case(expected),
            Self::StringLike => wildcard_match(expected, value),
            Self::Numeric(compare) => match (value.parse::<f64>(), expected.parse::<f64>()) {
                (Ok(value), Ok(expected)) => value.partial_cmp(&expected).is_some_and(|order| compare.matches(order)),
                _ => false,
            },
            Self::Date(compare) => match (parse_date(value), parse_date(expected)) {
                (Some(value), Some(expected)) => compare.matches(value.cmp(&expected)),
                _ => false,
            },
            Self::IpAddress => cidr_contains(value, expected),
            Self::Arn => value.splitn(6, ':').count() == 6 && arn_like(expected, value),
            Self::Null => false,
        }
    }
}

/// Parses an ISO 8601 date, with or without a time, or epoch seconds.
fn parse_date(text: &str) -> Option<Timestamp> {
    let midnight = || text.parse::<jiff::civil::Date>().ok().map(|day| day.at(0, 0, 0, 0));
    let day = || jiff::tz::TimeZone::UTC.to_timestamp(midnight()?).ok();
    text.parse().ok().or_else(|| Timestamp::from_second(text.parse().ok()?).ok()).or_else(day)
}

/// Whether an address is in a CIDR block such as `192.0.2.0/24`.
fn cidr_contains(address: &str, block: &str) -> bool {
    let (network, bits) = block.split_once('/').map_or((block, None), |(network, bits)| (network, Some(bits)));
    let (Ok(address), Ok(network)) = (address.parse::<IpAddr>(), network.parse::<IpAddr>()) else { return false };
    let (address, network, max_bits) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(u32::from(address)), u128::from(u32::from(network)), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (u128::from(address), u128::from(network), 128),
        _ => return false,
    };
    let Ok(bits) = bits.map_or(Ok(max_bits), str::parse::<u32>) else { return false };
    bits <= max_bits && (bits == 0 || address >> (max_bits - bits) == network >> (max_bits - bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> RequestContext {
        let mut context = RequestContext::default();
        for (key, value) in [
            ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/app/Api"),
            ("aws:username", "lee"),
            ("kms:EncryptionContext:Project", "nile"),
            ("kms:ScheduleKeyDeletionPendingWindowInDays", "7"),
            ("aws:CurrentTime", "2026-03-02T10:15:00Z"),
            ("aws:SourceIp", "192.0.2.17"),
            ("aws:SecureTransport", "false"),
            ("aws:TagKeys", "team"),
            ("aws:TagKeys", "cost"),
        ] {
            context.add(key, value);
        }
        context
    }

    #[test]
    fn condition_operators_match_iam() {
        let context = context();
        for (operator, key, expected, holds) in [
            ("StringEquals", "KMS:EncryptionContext:project", json!("nile"), true),
            ("StringEquals", "kms:EncryptionContext:Project", json!(["amazon", "nile"]), true),
            ("StringEquals", "kms:EncryptionContext:Project", json!("Nile"), false),
            ("StringEqualsIgnoreCase", "kms:EncryptionContext:Project", json!("Nile"), true),
            ("StringNotEquals", "kms:EncryptionContext:Project", json!(["amazon", "nile"]), false),
            ("StringNotEquals", "kms:EncryptionContext:Other", json!("nile"), true),
            ("StringEquals", "kms:EncryptionContext:Other", json!("nile"), false),
            ("StringEqualsIfExists", "kms:EncryptionContext:Other", json!("nile"), true),
            ("StringLike", "kms:EncryptionContext:Project", json!("n?l*"), true),
            ("StringNotLike", "kms:EncryptionContext:Project", json!("n*"), false),
            ("StringEquals", "aws:username", json!("${aws:username}"), true),
            ("StringEquals", "aws:username", json!("${aws:unknown}"), false),
            ("StringEquals", "aws:username", json!("${aws:unknown, 'lee'}"), true),
            ("StringLike", "aws:username", json!("${aws:username}${*}"), false),
            ("StringEquals", "aws:username", json!("l${?}e"), false),
            ("NumericLessThan", "kms:ScheduleKeyDeletionPendingWindowInDays", json!(30), true),
            ("NumericGreaterThanEquals", "kms:ScheduleKeyDeletionPendingWindowInDays", json!("8"), false),
            ("DateGreaterThan", "aws:CurrentTime", json!("2026-03-02"), true),
            ("DateLessThan", "aws:CurrentTime", json!("2026-03-02T10:15:00Z"), false),
            ("Bool", "aws:SecureTransport", json!(false), true),
            ("IpAddress", "aws:SourceIp", json!("192.0.2.0/24"), true),
            ("NotIpAddress", "aws:SourceIp", json!(["192.0.2.0/28", "10.0.0.0/8"]), true),
            ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:role/app/*"), true),
            ("ArnEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:role/other"), false),
            ("ArnNotLike", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:user/*"), true),
            ("Null", "kms:ViaService", json!("true"), true),
            ("Null", "aws:username", json!(true), false),
            ("ForAllValues:StringEquals", "aws:TagKeys", json!(["team", "cost", "x"]), true),
            ("ForAllValues:StringEquals", "aws:TagKeys", json!(["team"]), false),
            ("ForAllValues:StringEquals", "aws:absent", json!(["team"]), true),
            ("ForAnyValue:StringEquals", "aws:TagKeys", json!(["team"]), true),
            ("ForAnyValue:StringEquals", "aws:absent", json!(["team"]), false),
            ("StringAlmostEquals", "aws:username", json!("lee"), false),
        ] {
            let condition = json!({ operator: { key: expected.clone() } });
            assert_eq!(context.satisfies(condition.as_object().unwrap()), holds, "{operator} {key} {expected}");
        }
    }

    #[test]
    fn ip_addresses_match_by_prefix_length() {
        assert!(cidr_contains("2001:db8::1", "2001:db8::/32") && !cidr_contains("2001:db9::1", "2001:db8::/32"));
        assert!(cidr_contains("10.0.0.1", "0.0.0.0/0") && !cidr_contains("10.0.0.1", "10.0.0.0/33"));
        assert!(!cidr_contains("10.0.0.1", "::/0") && !cidr_contains("x", "10.0.0.0/8"));
    }
}
