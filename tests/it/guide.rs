//! The tests that `tests/guide.md` and the manual name exist.

use std::collections::BTreeSet;
use std::path::Path;

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
