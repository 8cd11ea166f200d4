//! Lists of keys and key stores, independent of the console: columns, cells, labels, the search, filters, and formats.

pub mod filter;
pub mod json;
pub mod key_stores;
pub mod keys;
pub mod search;
pub mod table;
