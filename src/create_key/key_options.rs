//! What is said beforehand about a key: by options, in a file of answers, in a row of a list.

use serde::Deserialize;

use super::draft::KeyDraft;
use super::field::Field;
use super::radio_options;
use crate::aws::arn::Arn;
use crate::aws::kms::{Origin, Tag};
use crate::aws::limits::ALIAS_PREFIX;

/// The answers to what the wizard asks. A file of answers and the columns of a list have the names of the options.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[command(next_help_heading = "The key")]
pub struct KeyOptions {
    /// Where the key material comes from: `AWS_KMS`, or `EXTERNAL_KEY_STORE` when nothing is said
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    pub origin: Option<Origin>,
    /// The external key store, by its ID or its name; not needed when there is only one
    #[arg(long, value_name = "ID|NAME")]
    pub custom_key_store_id: Option<String>,
    /// The external key ID, as the external key store proxy calls the key
    #[arg(long, value_name = "ID")]
    pub xks_key_id: Option<String>,
    /// The alias, with or without `alias/`
    #[arg(long, value_name = "NAME")]
    pub alias: Option<String>,
    /// What the key is for
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// A tag; may be given several times
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    #[serde(rename = "tag")]
    pub tags: Vec<String>,
    /// A user or role that may administer the key; may be given several times
    #[arg(long = "administrator", value_name = "ARN")]
    #[serde(rename = "administrator")]
    pub administrators: Vec<String>,
    /// A user or role that may use the key; may be given several times
    #[arg(long = "user", value_name = "ARN")]
    #[serde(rename = "user")]
    pub users: Vec<String>,
    /// Another AWS account that may use the key; may be given several times
    #[arg(long = "other-account", value_name = "ID")]
    #[serde(rename = "other-account")]
    pub other_accounts: Vec<String>,
    /// Don't let the administrators delete the key
    #[arg(long)]
    pub no_admin_deletion: bool,
    /// The whole key policy, JSON, instead of one made from administrators, users and other accounts
    #[arg(long, value_name = "FILE")]
    pub policy: Option<String>,
}

impl KeyOptions {
    /// These, and where they say nothing, the ones `below`.
    #[must_use]
    pub fn with_defaults(self, defaults: &Self) -> Self {
        let text = |upper: Option<String>, lower: &Option<String>| upper.or_else(|| lower.clone());
        let list = |upper: Vec<String>, lower: &Vec<String>| if upper.is_empty() { lower.clone() } else { upper };
        Self {
            origin: self.origin.or(defaults.origin),
            custom_key_store_id: text(self.custom_key_store_id, &defaults.custom_key_store_id),
            xks_key_id: text(self.xks_key_id, &defaults.xks_key_id),
            alias: text(self.alias, &defaults.alias),
            description: text(self.description, &defaults.description),
            tags: list(self.tags, &defaults.tags),
            administrators: list(self.administrators, &defaults.administrators),
            users: list(self.users, &defaults.users),
            other_accounts: list(self.other_accounts, &defaults.other_accounts),
            no_admin_deletion: self.no_admin_deletion || defaults.no_admin_deletion,
            policy: text(self.policy, &defaults.policy),
        }
    }

    /// The origin of the key: an external key store, unless another is asked for.
    pub fn parse_origin(&self) -> Origin {
        self.origin.unwrap_or(Origin::ExternalKeyStore)
    }

    /// The draft that they fill in, its external key store yet to be found; `policy` is what stands in the file.
    ///
    /// # Errors
    /// What no draft can hold, each with its option.
    pub fn to_draft(&self, policy: Option<String>) -> Result<KeyDraft, Vec<String>> {
        let mut errors = self.origin_conflicts();
        let tags = self.tags.iter().filter_map(|tag| {
            let Some((key, value)) = tag.split_once('=') else {
                errors.push(format!("--tag: ‘{tag}’ has no =. Write KEY=VALUE; the value may be empty."));
                return None;
            };
            Some(Tag { tag_key: key.to_owned(), tag_value: value.to_owned() })
        });
        let tags = tags.collect();
        for (option, arns) in [("--administrator", &self.administrators), ("--user", &self.users)] {
            let no_principal = |arn: &&String| !arn.parse::<Arn>().is_ok_and(|arn| arn.service == "iam");
            errors.extend(arns.iter().filter(no_principal).map(|arn| {
                format!(
                    "{option}: ‘{arn}’ is not the ARN of a user or role, such as arn:aws:iam::111122223333:role/Name."
                )
            }));
        }
        if policy.is_some() {
            let said = [
                ("--administrator", !self.administrators.is_empty()),
                ("--user", !self.users.is_empty()),
                ("--other-account", !self.other_accounts.is_empty()),
                ("--no-admin-deletion", self.no_admin_deletion),
            ];
            errors.extend(said.iter().filter(|(_, is_said)| *is_said).map(|(option, _)| {
                format!(
                    "{option}: it goes into a policy that is made, and --policy is the whole policy. Leave out one."
                )
            }));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let alias = self.alias.clone().unwrap_or_default();
        Ok(KeyDraft {
            origin: self.parse_origin(),
            custom_key_store_id: None,
            xks_key_id: self.xks_key_id.clone().unwrap_or_default(),
            alias: alias.strip_prefix(ALIAS_PREFIX).map(str::to_owned).unwrap_or(alias),
            description: self.description.clone().unwrap_or_default(),
            tags,
            administrators: self.administrators.clone(),
            administrators_may_delete: !self.no_admin_deletion,
            users: self.users.clone(),
            other_accounts: self.other_accounts.clone(),
            edited_policy: policy,
            ..KeyDraft::in_key_store(String::new())
        })
    }

    /// What can't be said of a key of this origin.
    fn origin_conflicts(&self) -> Vec<String> {
        let origin = self.parse_origin();
        if let Some(why) = radio_options::unavailable_reason(origin) {
            return vec![format!("--origin: {}: {why}", origin.as_str())];
        }
        if origin == Origin::ExternalKeyStore {
            return Vec::new();
        }
        let said = [("--custom-key-store-id", &self.custom_key_store_id), ("--xks-key-id", &self.xks_key_id)];
        let said = said.iter().filter(|(_, value)| value.is_some());
        said.map(|(option, _)| {
            format!(
                "{option}: it is for a key in an external key store, and --origin is {}. Leave out one.",
                origin.as_str()
            )
        })
        .collect()
    }
}

fn parse_origin(text: &str) -> Result<Origin, String> {
    let found = Origin::ALL.into_iter().find(|origin| origin.as_str() == text);
    found.ok_or_else(|| "it is AWS_KMS or EXTERNAL_KEY_STORE".to_owned())
}

/// The option that says what stands in a field.
pub const fn option_name(field: Field) -> &'static str {
    match field {
        Field::CustomKeyStore | Field::KeyType | Field::KeyUsage => "--custom-key-store-id",
        Field::Origin => "--origin",
        Field::ExternalKeyId => "--xks-key-id",
        Field::Acknowledgement => "--yes",
        Field::Alias => "--alias",
        Field::Description => "--description",
        Field::TagKey(_) | Field::TagValue(_) | Field::AddTag => "--tag",
        Field::Administrators | Field::AddAdministrator => "--administrator",
        Field::AdministratorsMayDelete => "--no-admin-deletion",
        Field::Users | Field::AddUser => "--user",
        Field::OtherAccount(_) | Field::AddOtherAccount => "--other-account",
        Field::KeyPolicy => "--policy, --administrator, --user, --other-account",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> KeyOptions {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn explicit_options_override_defaults() {
        let above = parse(r#"{ "alias": "a", "tag": ["x=1"], "description": "" }"#);
        let defaults = parse(
            r#"{ "alias": "b", "tag": ["y=2", "z=3"], "user": ["u"], "description": "d",
                            "no-admin-deletion": true }"#,
        );
        let both = above.with_defaults(&defaults);
        assert_eq!(
            both,
            parse(r#"{ "alias": "a", "tag": ["x=1"], "user": ["u"], "description": "", "no-admin-deletion": true }"#)
        );
    }

    #[test]
    fn unknown_member_is_named_in_the_error() {
        let errors = serde_json::from_str::<KeyOptions>(r#"{ "aliass": "a" }"#).unwrap_err().to_string();
        assert!(errors.contains("`aliass`") && errors.contains("`alias`"), "{errors}");
    }

    #[test]
    fn options_fill_in_the_draft() {
        let answers = parse(
            r#"{ "xks-key-id": "k", "alias": "alias/payments", "tag": ["a=b=c", "empty="],
                              "administrator": ["arn:aws:iam::111122223333:role/A"], "no-admin-deletion": true }"#,
        );
        let draft = answers.to_draft(None).unwrap();
        assert_eq!((draft.xks_key_id.as_str(), draft.alias.as_str()), ("k", "payments"));
        let tags: Vec<_> = draft.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
        assert_eq!(tags, [("a", "b=c"), ("empty", "")]);
        assert!(draft.is_external() && !draft.administrators_may_delete && !draft.acknowledged);
        assert_eq!(draft.custom_key_store_id, None);
    }

    #[test]
    fn aws_kms_origin_rejects_key_store_and_external_key_options() {
        let draft = parse(r#"{ "origin": "AWS_KMS", "alias": "payments" }"#).to_draft(None).unwrap();
        assert_eq!((draft.origin, draft.is_external()), (Origin::AwsKms, false));
        // What stands in a file holds for the options, too.
        let above = parse(r#"{ "xks-key-id": "k", "custom-key-store-id": "cks-1" }"#);
        let errors = above.with_defaults(&parse(r#"{ "origin": "AWS_KMS" }"#)).to_draft(None).unwrap_err();
        let options: Vec<&str> = errors.iter().map(|words| words.split(':').next().unwrap()).collect();
        assert_eq!(options, ["--custom-key-store-id", "--xks-key-id"]);
        assert!(errors[0].contains("--origin is AWS_KMS"), "{errors:?}");
        assert!(
            parse(r#"{ "origin": "EXTERNAL_KEY_STORE", "xks-key-id": "k" }"#).to_draft(None).unwrap().is_external()
        );
    }

    #[test]
    fn unsupported_origin_is_rejected_with_the_reason() {
        for (name, words) in [("EXTERNAL", "Imported key material"), ("AWS_CLOUDHSM", "CloudHSM key stores")] {
            let errors = parse(&format!(r#"{{ "origin": "{name}" }}"#)).to_draft(None).unwrap_err();
            assert!(errors[0].starts_with(&format!("--origin: {name}: ")) && errors[0].contains(words), "{errors:?}");
            assert_eq!(parse_origin(name).unwrap().as_str(), name);
        }
        assert!(parse_origin("KMS").unwrap_err().contains("AWS_KMS"));
    }

    #[test]
    fn invalid_values_are_reported_with_their_option() {
        let answers =
            parse(r#"{ "tag": ["x"], "user": ["bob", "arn:aws:kms::1:key/1"], "other-account": ["444455556666"] }"#);
        let errors = answers.to_draft(Some("{}".to_owned())).unwrap_err();
        let options: Vec<&str> = errors.iter().map(|words| words.split(':').next().unwrap()).collect();
        assert_eq!(options, ["--tag", "--user", "--user", "--user", "--other-account"]);
    }
}
