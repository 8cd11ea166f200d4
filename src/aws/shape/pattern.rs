//! The regular expressions of the API model, each compiled once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regex_lite::Regex;

static COMPILED: Mutex<Option<HashMap<&str, Option<Regex>>>> = Mutex::new(None);

/// Whether `regex` matches the whole of `text`. An invalid regular expression matches nothing.
pub fn is_match(regex: &'static str, text: &str) -> bool {
    let compiled = {
        let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || Regex::new(&format!("^(?:{regex})$")).ok();
        known.get_or_insert_default().entry(regex).or_insert_with(compile).clone()
    };
    compiled.is_some_and(|regex| regex.is_match(text))
}
