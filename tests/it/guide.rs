//! The tests that `tests/guide.md` and the manual name exist, and the manual lists every error that the code knows.

use std::collections::BTreeSet;
use std::path::Path;

use xks_console::error_remedies;
use xks_console::xks::failure::{TlsProblem, XksFailure};
use xks_console::xks::wire::ErrorName;

/// Collects the names of all functions in the Rust files below a directory.
fn collect_function_names(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_function_names(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

/// Checks that the last cell of each row of the tables in a file is the name of a test or a tape. Returns the number of
/// rows.
fn check_named_tests(file: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut existing = BTreeSet::new();
    collect_function_names(&root.join("src"), &mut existing);
    collect_function_names(&root.join("tests"), &mut existing);
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    let is_row =
        |line: &&str| line.starts_with("| ") && !line.contains("| --- |") && !line.to_lowercase().ends_with("| test |");
    let rows: Vec<&str> = text.lines().filter(is_row).collect();
    for row in &rows {
        let test = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap().trim().trim_matches('`');
        let is_tape = test.ends_with(".tape") && root.join("tests/tapes").join(test).exists();
        assert!(is_tape || existing.contains(test), "{row}: test {test} doesn't exist");
    }
    rows.len()
}

#[test]
fn every_statement_of_the_guide_names_an_existing_test() {
    let rows = check_named_tests("tests/guide.md");
    assert!(rows > 50, "{rows}");
}

#[test]
fn every_promise_of_the_manual_names_an_existing_test() {
    assert_eq!(check_named_tests("docs/src/reference/promises.md"), 38 + 25);
}

/// Returns the rows of a Markdown text that begin with `cell`.
fn rows_of<'a>(text: &'a str, cell: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(&format!("| {cell} "))).collect()
}

/// Checks that the tables of failures have one row with the exceptions and one with the message of `failure`.
fn check_failure(text: &str, cell: &str, failure: &XksFailure) {
    let rows = rows_of(text, cell);
    let codes =
        [failure.key_store_error().code, failure.create_key_error().code, failure.connection_error_code().to_owned()];
    let has_codes = |row: &&str| codes.iter().all(|code| row.contains(&format!("`{code}`")));
    assert!(rows.iter().any(has_codes), "no row of {cell} has {codes:?}: {rows:#?}");
    let message = failure.cryptographic_error().message;
    assert!(rows.iter().any(|row| row.contains(&message)), "no row of {cell} has the message {message:?}: {rows:#?}");
}

/// Returns the connection error codes that have a remedy of their own: the patterns of the `match` in
/// `for_connection_error`.
fn known_connection_error_codes(source: &str) -> BTreeSet<String> {
    let (_, function) = source.split_once("pub fn for_connection_error(").unwrap();
    let (function, _) = function.split_once("#[cfg(test)]").unwrap();
    let lines = function.lines().map(str::trim_start);
    let patterns = lines.filter_map(|line| line.strip_prefix('"')?.split_once("\" =>"));
    patterns.map(|(code, _)| code.to_owned()).collect()
}

#[test]
fn manual_lists_every_error_of_the_proxy_and_every_connection_error_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/src/reference/errors.md")).unwrap();
    for name in ErrorName::ALL {
        check_failure(&text, &format!("`{}`", name.as_str()), &XksFailure::Refused(name));
    }
    for (cell, failure) in [
        ("No connection", XksFailure::Unreachable),
        ("No TLS connection", XksFailure::Tls(TlsProblem::Handshake)),
        ("No response in time", XksFailure::TimedOut),
        ("Invalid response", XksFailure::InvalidResponse("")),
        ("Damaged ciphertext", XksFailure::DamagedCiphertext),
        ("All managers unavailable", XksFailure::Unhealthy),
        ("Invalid configuration", XksFailure::Configuration(String::new())),
    ] {
        check_failure(&text, cell, &failure);
    }
    let source = std::fs::read_to_string(root.join("src/error_remedies/mod.rs")).unwrap();
    let codes = known_connection_error_codes(&source);
    assert!(codes.len() >= 11, "{codes:?}");
    for code in codes {
        let remedy = error_remedies::for_connection_error(&code);
        let rows = rows_of(&text, &format!("`{code}`"));
        let is_complete = |row: &&str| row.contains(remedy.meaning) && row.contains(remedy.action);
        assert!(rows.iter().any(is_complete), "no row of {code} has its meaning and its remedy: {rows:#?}");
    }
    for name in ErrorName::ALL {
        let message = XksFailure::Refused(name).create_key_error().message;
        assert!(text.contains(&message), "the message of CreateKey for {} is missing: {message}", name.as_str());
    }
}
