//! Properties of a key that are given before the wizard starts: as options, in an answers file, or in a row of a list.

use serde::Deserialize;

use super::configuration_options;
use super::draft::KeyDraft;
use super::field::Field;
use crate::aws::arn::Arn;
use crate::aws::kms::{Origin, Tag};
use crate::aws::limits::ALIAS_PREFIX;

/// The properties of a key as command-line options. An answers file and the columns of a list use the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[command(next_help_heading = "The key")]
pub struct KeyOptions {
    /// Key material origin: `AWS_KMS` or `EXTERNAL_KEY_STORE` (the default)
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    pub origin: Option<Origin>,
    /// ID or name of the external key store; optional if there is only one
    #[arg(long, value_name = "ID|NAME")]
    pub custom_key_store_id: Option<String>,
    /// External key ID: the ID that the external key store proxy uses for the key
    #[arg(long, value_name = "ID")]
    pub xks_key_id: Option<String>,
    /// Alias, with or without `alias/`
    #[arg(long, value_name = "NAME")]
    pub alias: Option<String>,
    /// Description of the key
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Tag; can be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    #[serde(rename = "tag")]
    pub tags: Vec<String>,
    /// User or role that can administer the key; can be repeated
    #[arg(long = "administrator", value_name = "ARN")]
    #[serde(rename = "administrator")]
    pub administrators: Vec<String>,
    /// User or role that can use the key; can be repeated
    #[arg(long = "user", value_name = "ARN")]
    #[serde(rename = "user")]
    pub users: Vec<String>,
    /// Another AWS account that can use the key; can be repeated
    #[arg(long = "other-account", value_name = "ID")]
    #[serde(rename = "other-account")]
    pub other_accounts: Vec<String>,
    /// Don't allow key administrators to delete the key
    #[arg(long)]
    pub no_admin_deletion: bool,
    /// JSON file with the complete key policy, instead of one generated from administrators, users, and accounts
    #[arg(long, value_name = "FILE")]
    pub policy: Option<String>,
}

impl KeyOptions {
    /// Returns these options, with missing values filled in from `defaults`.
    #[must_use]
    pub fn with_defaults(self, defaults: &Self) -> Self {
        let text = |given: Option<String>, default: &Option<String>| given.or_else(|| default.clone());
        let list = |given: Vec<String>, default: &Vec<String>| if given.is_empty() { default.clone() } else { given };
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

    /// Returns the origin of the key, which is an external key store by default.
    pub fn parse_origin(&self) -> Origin {
        self.origin.unwrap_or(Origin::ExternalKeyStore)
    }

    /// Creates a draft from the options. It has no key store yet. `policy` is the content of the policy file.
    ///
    /// # Errors
    /// Returns a message for each invalid option, which starts with the name of the option.
    pub fn to_draft(&self, policy: Option<String>) -> Result<KeyDraft, Vec<String>> {
        let mut errors = self.origin_conflicts();
        let tags = self.tags.iter().filter_map(|tag| {
            let Some((key, value)) = tag.split_once('=') else {
                errors.push(format!("--tag: \"{tag}\" has no equals sign. Enter KEY=VALUE. The value can be empty."));
                return None;
            };
            Some(Tag { tag_key: key.to_owned(), tag_value: value.to_owned() })
        });
        let tags = tags.collect();
        for (option, arns) in [("--administrator", &self.administrators), ("--user", &self.users)] {
            let is_not_principal = |arn: &&String| !arn.parse::<Arn>().is_ok_and(|arn| arn.service == "iam");
            errors.extend(arns.iter().filter(is_not_principal).map(|arn| {
                format!(
                    "{option}: \"{arn}\" isn't the ARN of a user or role. Enter an ARN such as \
                     arn:aws:iam::111122223333:role/Name."
                )
            }));
        }
        if policy.is_some() {
            let given = [
                ("--administrator", !self.administrators.is_empty()),
                ("--user", !self.users.is_empty()),
                ("--other-account", !self.other_accounts.is_empty()),
                ("--no-admin-deletion", self.no_admin_deletion),
            ];
            errors.extend(given.iter().filter(|(_, is_given)| *is_given).map(|(option, _)| {
                format!(
                    "{option}: can't be combined with --policy, because --policy is the complete key policy. Remove \
                     one of them."
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

    /// Returns a message for each option that the origin doesn't support.
    fn origin_conflicts(&self) -> Vec<String> {
        let origin = self.parse_origin();
        if let Some(why) = configuration_options::unavailable_reason(origin) {
            return vec![format!("--origin: {}: {why}", origin.as_str())];
        }
        if origin == Origin::ExternalKeyStore {
            return Vec::new();
        }
        let given = [("--custom-key-store-id", &self.custom_key_store_id), ("--xks-key-id", &self.xks_key_id)];
        let given = given.iter().filter(|(_, value)| value.is_some());
        given
            .map(|(option, _)| {
                format!(
                    "{option}: this option applies only to keys in an external key store, but --origin is {}. Remove \
                     one of these options.",
                    origin.as_str()
                )
            })
            .collect()
    }
}

fn parse_origin(text: &str) -> Result<Origin, String> {
    let found = Origin::ALL.into_iter().find(|origin| origin.as_str() == text);
    found.ok_or_else(|| "enter AWS_KMS or EXTERNAL_KEY_STORE".to_owned())
}

/// Returns the command-line option for a field.
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
        let given = parse(r#"{ "alias": "a", "tag": ["x=1"], "description": "" }"#);
        let defaults = parse(
            r#"{ "alias": "b", "tag": ["y=2", "z=3"], "user": ["u"], "description": "d",
                            "no-admin-deletion": true }"#,
        );
        let both = given.with_defaults(&defaults);
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
        // An origin from the answers file also restricts the command-line options.
        let given = parse(r#"{ "xks-key-id": "k", "custom-key-store-id": "cks-1" }"#);
        let errors = given.with_defaults(&parse(r#"{ "origin": "AWS_KMS" }"#)).to_draft(None).unwrap_err();
        let options: Vec<&str> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
        assert_eq!(options, ["--custom-key-store-id", "--xks-key-id"]);
        assert!(errors[0].contains("--origin is AWS_KMS"), "{errors:?}");
        assert!(
            parse(r#"{ "origin": "EXTERNAL_KEY_STORE", "xks-key-id": "k" }"#).to_draft(None).unwrap().is_external()
        );
    }

    #[test]
    fn unsupported_origin_is_rejected_with_the_reason() {
        for (name, reason) in [("EXTERNAL", "imported key material"), ("AWS_CLOUDHSM", "CloudHSM key stores")] {
            let errors = parse(&format!(r#"{{ "origin": "{name}" }}"#)).to_draft(None).unwrap_err();
            assert!(errors[0].starts_with(&format!("--origin: {name}: ")) && errors[0].contains(reason), "{errors:?}");
            assert_eq!(parse_origin(name).unwrap().as_str(), name);
        }
        assert!(parse_origin("KMS").unwrap_err().contains("AWS_KMS"));
    }

    #[test]
    fn invalid_values_are_reported_with_their_option() {
        let answers =
            parse(r#"{ "tag": ["x"], "user": ["bob", "arn:aws:kms::1:key/1"], "other-account": ["444455556666"] }"#);
        let errors = answers.to_draft(Some("{}".to_owned())).unwrap_err();
        let options: Vec<&str> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
        assert_eq!(options, ["--tag", "--user", "--user", "--user", "--other-account"]);
    }
}
