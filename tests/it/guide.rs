//! The test names in `tests/guide.md` exist.

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

#[test]
fn every_statement_of_the_guide_names_an_existing_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut existing = BTreeSet::new();
    collect_function_names(&root.join("src"), &mut existing);
    collect_function_names(&root.join("tests"), &mut existing);
    let table = std::fs::read_to_string(root.join("tests/guide.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && !line.contains("| --- |")).collect();
    let rows: Vec<&str> = rows.into_iter().filter(|row| !row.ends_with("| test |")).collect();
    assert!(rows.len() > 50, "{}", rows.len());
    for row in rows {
        let test = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap().trim().trim_matches('`');
        let is_tape = test.ends_with(".tape") && root.join("tests/tapes").join(test).exists();
        assert!(is_tape || existing.contains(test), "{row}: test {test} doesn't exist");
    }
}
