//! A writer for the HCL of Terraform, in the layout of `terraform fmt`.
//!
//! Terraform reads all strings in Unicode normalization form C. Source: *HCL Native Syntax Specification*; *Terraform
//! language: Style conventions*.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::is_hidden;

/// An expression on the right side of an argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A string. It's escaped, so that it contains no template.
    Text(String),
    /// Text that is written as it is: a number, a keyword, or a reference.
    Verbatim(String),
    /// A list.
    List(Vec<Expression>),
    /// An object.
    Object(Vec<(String, Expression)>),
    /// A call of `jsonencode`.
    JsonEncode(Box<Expression>),
}

impl Expression {
    /// Creates a string.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a number, keyword, or reference.
    pub(super) fn verbatim(text: impl Into<String>) -> Self {
        Self::Verbatim(text.into())
    }

    /// Whether the expression is written on one line.
    fn is_single_line(&self) -> bool {
        match self {
            Self::Text(_) | Self::Verbatim(_) => true,
            Self::List(items) => items.len() < 2 && items.iter().all(Self::is_single_line),
            Self::Object(members) => members.is_empty(),
            Self::JsonEncode(value) => value.is_single_line(),
        }
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::Text(text) => out.push_str(&quote(text)),
            Self::Verbatim(text) => out.push_str(text),
            Self::List(items) if self.is_single_line() => {
                out.push('[');
                for item in items {
                    item.write(out, depth);
                }
                out.push(']');
            }
            Self::List(items) => {
                out.push_str("[\n");
                for (index, item) in items.iter().enumerate() {
                    indent(out, depth + 1);
                    item.write(out, depth + 1);
                    out.push_str(if index + 1 < items.len() { ",\n" } else { "\n" });
                }
                indent(out, depth);
                out.push(']');
            }
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::Object(members) => {
                out.push_str("{\n");
                let members: Vec<_> = members.iter().map(|(key, value)| (object_key(key), value)).collect();
                write_assignments(out, &members, depth + 1);
                indent(out, depth);
                out.push('}');
            }
            Self::JsonEncode(value) => {
                out.push_str("jsonencode(");
                value.write(out, depth);
                out.push(')');
            }
        }
    }
}

impl From<&Value> for Expression {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
            other => Self::verbatim(other.to_string()),
        }
    }
}

/// Writes a block. The labels must be valid identifiers.
pub(super) fn write_block(out: &mut String, header: &str, arguments: &[(&str, Expression)]) {
    out.push_str(header);
    out.push_str(" {\n");
    let arguments: Vec<_> = arguments.iter().map(|(name, value)| ((*name).to_owned(), value)).collect();
    write_assignments(out, &arguments, 1);
    out.push_str("}\n");
}

/// Writes assignments, one per line. The equals signs of consecutive single-line assignments are aligned.
fn write_assignments(out: &mut String, assignments: &[(String, &Expression)], depth: usize) {
    for group in assignments.chunk_by(|(_, one), (_, next)| one.is_single_line() && next.is_single_line()) {
        let columns = |key: &str| key.graphemes(true).count();
        let widest = group.iter().map(|(key, _)| columns(key)).max().unwrap_or(0);
        for (key, value) in group {
            indent(out, depth);
            out.push_str(key);
            out.extend(std::iter::repeat_n(' ', widest - columns(key)));
            out.push_str(" = ");
            value.write(out, depth);
            out.push('\n');
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Words that have a meaning of their own in an expression, so that they are quoted as keys.
const KEYWORDS: [&str; 6] = ["true", "false", "null", "for", "in", "if"];

fn object_key(key: &str) -> String {
    let starts_well = key.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let is_identifier = starts_well && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_identifier && !KEYWORDS.contains(&key) { key.to_owned() } else { quote(key) }
}

/// Returns `text` as a quoted string without templates.
///
/// Control characters and characters that change the direction of text are written as escapes.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // A doubled sign means the sign itself before a brace, so a sign before such a pair needs another escape.
            '$' | '%' if letters.peek() == Some(&'{') => out.extend([letter, letter]),
            '$' | '%' if letters.peek() == Some(&letter) => push_escape(&mut out, letter),
            other if is_hidden(other) => push_escape(&mut out, other),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

fn push_escape(out: &mut String, letter: char) {
    let code = u32::from(letter);
    let escape = if code > 0xFFFF { format!("\\U{code:08X}") } else { format!("\\u{code:04X}") };
    out.push_str(&escape);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Parses an expression, and returns its value without templates.
    fn parse(text: &str) -> Value {
        let body: hcl::Body =
            hcl::parse(&format!("value = {text}\n")).unwrap_or_else(|error| panic!("{text}: {error}"));
        let context = hcl::eval::Context::new();
        let expression = body.attributes().next().unwrap().expr().clone();
        let value: hcl::Value = hcl::eval::Evaluate::evaluate(&expression, &context).unwrap();
        serde_json::to_value(value).unwrap()
    }

    fn written(value: &Value) -> String {
        let mut out = String::new();
        Expression::from(value).write(&mut out, 0);
        out
    }

    #[test]
    fn strings_contain_no_templates() {
        for (text, expected) in [
            ("${var.x}", r#""$${var.x}""#),
            ("%{if x}", r#""%%{if x}""#),
            ("$${x}", r#""\u0024$${x}""#),
            ("say \"hi\"\\\n", r#""say \"hi\"\\\n""#),
            ("$5 or 10%", r#""$5 or 10%""#),
            ("a\u{1b}[2J\u{202e}b", r#""a\u001B[2J\u202Eb""#),
            ("日本 \u{1f512}", "\"日本 \u{1f512}\""),
        ] {
            assert_eq!(quote(text), expected);
            assert_eq!(parse(&quote(text)), json!(text), "{text}");
        }
    }

    #[test]
    fn assignments_are_aligned_as_terraform_fmt_does() {
        let value = json!({
            "Sid": "a", "Effect": "Allow", "Principal": { "AWS": "x" }, "Action": ["a"], "Resource": ["a", "b"],
            "Condition": { "a:b": true, "null": 1.5, "é": {} }
        });
        let expected = r#"{
  Sid    = "a"
  Effect = "Allow"
  Principal = {
    AWS = "x"
  }
  Action = ["a"]
  Resource = [
    "a",
    "b"
  ]
  Condition = {
    "a:b"  = true
    "null" = 1.5
    "é"    = {}
  }
}"#;
        assert_eq!(written(&value), expected);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[${}%\"\\\\~ a]{0,12}".prop_map(Value::from),
        ];
        let key = || prop_oneof![any::<String>(), "[a-z_]{1,8}", "[${}%:/a]{0,6}"];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn written_values_parse_back(value in json_value()) {
            prop_assert_eq!(parse(&written(&value)), value);
        }
    }
}
