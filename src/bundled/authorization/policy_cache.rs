//! Parsed policies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::policy::PolicyDocument;

/// A cache of parsed policies, by their text.
#[derive(Default)]
pub struct PolicyCache(Mutex<HashMap<String, Arc<PolicyDocument>>>);

/// The maximum number of cached policies. The cache is cleared when it is full.
const MAX_CACHED_POLICIES: usize = 1024;

impl PolicyCache {
    /// Returns the parsed policy, or `None` if `text` isn't a valid policy.
    pub fn get_or_parse(&self, text: &str) -> Option<Arc<PolicyDocument>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = cache.get(text) {
            return Some(Arc::clone(document));
        }
        let document: Arc<PolicyDocument> = Arc::new(serde_json::from_str(text).ok()?);
        if cache.len() >= MAX_CACHED_POLICIES {
            cache.clear();
        }
        cache.insert(text.to_owned(), Arc::clone(&document));
        Some(document)
    }
}
