//! The tables of a lesson file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub title: Spanned<String>,
    pub summary: Spanned<String>,
    pub minutes: Spanned<u16>,
    pub scenario: Option<Spanned<String>>,
    #[serde(default)]
    pub step: Vec<Spanned<StepDocument>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepDocument {
    pub title: Spanned<String>,
    pub text: Spanned<String>,
    #[serde(default)]
    pub hints: Vec<Spanned<String>>,
    #[serde(default)]
    pub before: Vec<Spanned<String>>,
    #[serde(default, rename = "let")]
    pub variables: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub goals: Vec<GoalDocument>,
    pub question: Option<Spanned<String>>,
    #[serde(default)]
    pub answers: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a goal such as { text = \"The key is enabled\", expect = 'kms:DescribeKey …' }"
)]
pub(super) struct GoalDocument {
    pub text: Spanned<String>,
    pub expect: Spanned<String>,
}
