//! Lists of keys and key stores, independent of any user interface: columns, cells, labels, and the search.

pub mod key_stores;
pub mod keys;
pub mod search;
