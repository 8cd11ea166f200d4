//! Comparison of policy documents, regardless of their formatting.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether two policy documents are equivalent. AWS returns a policy with its own formatting, and in any order where
/// order doesn't matter. Text that isn't JSON must match exactly.
pub fn is_equivalent(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str(text).map(normalize);
    one == other || matches!((read(one), read(other)), (Ok(one), Ok(other)) if one == other)
}

/// Converts a value to a canonical form: the order of statements, values, and members doesn't matter, and a single
/// value is equivalent to a list of one.
fn normalize(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(normalize).collect();
            values.sort_by_cached_key(ToString::to_string);
            if values.len() == 1 { values.swap_remove(0) } else { Value::Array(values) }
        }
        Value::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.into_iter().map(|(name, value)| (name, normalize(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"a","Effect":"Allow","Principal":{"AWS":["x","y"]},"Action":["kms:*"],"Resource":"*"},
        {"Sid":"b","Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}]}"#;

    #[test]
    fn policies_that_differ_in_layout_and_order_are_equivalent() {
        let other = r#"{
  "Statement" : [ { "Resource" : "*", "Sid" : "b", "Effect" : "Deny", "Principal" : "*", "Action" : "kms:Encrypt" },
    { "Action" : "kms:*", "Sid" : "a", "Effect" : "Allow", "Principal" : { "AWS" : [ "y", "x" ] }, "Resource" : "*" } ],
  "Version" : "2012-10-17"
}"#;
        assert!(is_equivalent(POLICY, other));
    }

    #[test]
    fn different_policies_are_not_equivalent() {
        for (word, other) in [("Deny", "Allow"), (r#"["x","y"]"#, r#"["x"]"#), ("kms:Encrypt", "kms:Decrypt")] {
            assert!(!is_equivalent(POLICY, &POLICY.replace(word, other)), "{word}");
        }
        assert!(is_equivalent("no JSON", "no JSON") && !is_equivalent("no JSON", "no  JSON"));
    }
}
