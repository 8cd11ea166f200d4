//! Answers that are not quite of the shape that this version knows.
//!
//! An element of a list that can't be read must not take the others with it: what can be read of it is kept, the rest
//! is what the template says, and [`PROBLEM`] says what is wrong, for the row that shows it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::cloudtrail::Event;
use super::kms::{AliasListEntry, CustomKeyStore, KeyListEntry, KeyMetadata, Tag};
use super::operation::Service;

/// The member that says what couldn't be read. No API of AWS has it.
pub const PROBLEM: &str = "XksConsoleProblem";

/// Mends the answer of an operation that couldn't be read as it came.
pub fn answer(service: Service, operation: &str, answer: &mut Value) {
    match (service, operation) {
        (Service::Kms, "DescribeCustomKeyStores") => {
            let store = json!({ "CustomKeyStoreId": "", "CustomKeyStoreName": "", "ConnectionState": UNREADABLE,
                "CreationDate": 0, "CustomKeyStoreType": UNREADABLE });
            list::<CustomKeyStore>(answer, "CustomKeyStores", &store);
        }
        (Service::Kms, "DescribeKey") if answer["KeyMetadata"]["KeyId"].is_string() => {
            let key = json!({ "AWSAccountId": "", "KeyId": "", "Arn": "", "CreationDate": 0, "Enabled": false,
                "KeyState": UNREADABLE, "Origin": UNREADABLE, "KeyManager": UNREADABLE });
            one::<KeyMetadata>(&mut answer["KeyMetadata"], &key);
        }
        (Service::Kms, "ListKeys") => list::<KeyListEntry>(answer, "Keys", &json!({ "KeyId": "", "KeyArn": "" })),
        (Service::Kms, "ListAliases") => {
            list::<AliasListEntry>(answer, "Aliases", &json!({ "AliasName": "", "AliasArn": "" }));
        }
        (Service::Kms, "ListResourceTags") => {
            list::<Tag>(answer, "Tags", &json!({ "TagKey": "", "TagValue": "" }));
        }
        (Service::CloudTrail, "LookupEvents") => {
            let event = json!({ "EventId": "", "EventName": UNREADABLE, "ReadOnly": "", "EventTime": 0,
                "EventSource": "", "CloudTrailEvent": "{}" });
            list::<Event>(answer, "Events", &event);
        }
        _ => {}
    }
}

/// What stands where a text couldn't be read.
const UNREADABLE: &str = "Not readable";

/// Mends the elements of the list `name` in `answer`. Nothing happens to elements that can be read.
fn list<T: DeserializeOwned>(answer: &mut Value, name: &str, template: &Value) {
    if let Some(Value::Array(elements)) = answer.get_mut(name) {
        for element in elements {
            one::<T>(element, template);
        }
    }
}

/// Mends one structure, of which `template` has every member that is required.
fn one<T: DeserializeOwned>(value: &mut Value, template: &Value) {
    let Err(error) = T::deserialize(&*value) else { return };
    let mut mended = template.as_object().cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, member) in value.as_object().unwrap_or(&Map::new()) {
        let before = mended.insert(name.clone(), member.clone());
        if T::deserialize(Value::Object(mended.clone())).is_err() {
            wrong.push(name.clone());
            match before {
                Some(before) => mended.insert(name.clone(), before),
                None => mended.remove(name),
            };
        }
    }
    let what = if wrong.is_empty() { error.to_string() } else { format!("a new form of {}", wrong.join(", ")) };
    mended.insert(PROBLEM.to_owned(), what.into());
    *value = Value::Object(mended);
}

#[cfg(test)]
mod tests {
    use crate::aws::codec::decode_response;
    use crate::aws::kms::{
        ConnectionState, DescribeCustomKeyStores, DescribeKey, ListAliases, ListKeys, ListResourceTags,
    };

    #[test]
    fn a_store_that_cannot_be_read_leaves_the_others() {
        let body = br#"{"CustomKeyStores":[
            {"CustomKeyStoreId":"cks-1","CustomKeyStoreName":"new","ConnectionState":{"Is":"CONNECTED"},
             "CreationDate":1.5,"CustomKeyStoreType":"EXTERNAL_KEY_STORE"},
            {"CustomKeyStoreId":"cks-2","CustomKeyStoreName":"old","ConnectionState":"CONNECTED",
             "CreationDate":1.5,"CustomKeyStoreType":"EXTERNAL_KEY_STORE","Added":[1]},
            {"CustomKeyStoreName":"short"}, "text", null]}"#;
        let stores = decode_response::<DescribeCustomKeyStores>(body).unwrap().custom_key_stores;
        assert_eq!(stores.len(), 5);
        assert_eq!(stores[0].custom_key_store_name, "new");
        assert_eq!(stores[0].problem.as_deref(), Some("a new form of ConnectionState"));
        assert!(!stores[0].connection_state.is_known());
        assert_eq!((stores[1].connection_state, stores[1].problem.as_deref()), (ConnectionState::Connected, None));
        assert!(stores[2].problem.as_deref().unwrap().contains("missing field"));
        assert!(stores[3].problem.is_some() && stores[4].problem.is_some());
    }

    #[test]
    fn each_list_stands_when_one_element_has_a_new_form() {
        let keys = decode_response::<ListKeys>(br#"{"Keys":[{"KeyId":7},{"KeyId":"k","KeyArn":"a"}]}"#).unwrap().keys;
        assert_eq!(keys.iter().map(|key| key.key_id.as_str()).collect::<Vec<_>>(), ["", "k"]);
        let aliases = decode_response::<ListAliases>(br#"{"Aliases":[{"AliasName":[]},{"AliasName":"alias/x"}]}"#);
        assert_eq!(aliases.unwrap().aliases[1].alias_name, "alias/x");
        let tags = decode_response::<ListResourceTags>(br#"{"Tags":[{"TagKey":"a"},{"TagKey":"b","TagValue":"c"}]}"#);
        assert_eq!(tags.unwrap().tags[1].tag_value, "c");
        let key = br#"{"KeyMetadata":{"KeyId":"k","Arn":"a","KeyState":["Enabled"],"Origin":"MOON"}}"#;
        let key = decode_response::<DescribeKey>(key).unwrap().key_metadata;
        assert_eq!((key.key_id.as_str(), key.origin.as_str()), ("k", "MOON"));
        assert!(key.problem.is_some());
        // An answer that is no such structure at all is still none.
        assert!(decode_response::<DescribeKey>(br#"{"KeyMetadata":"k"}"#).is_err());
        assert!(decode_response::<DescribeKey>(br#"{"KeyMetadata":{"KeyId":null}}"#).is_err());
    }
}
