//! The list of keys to make: CSV whose columns are the options that say something of a key.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, Args as _};
use csv::{Position, ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};

use crate::create_key::answers::Answers;

/// What stands between several values in a cell. No tag, account ID or usual ARN has one inside.
const SEPARATOR: char = ';';

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it begins at, counted from 1.
    pub line: u64,
    /// What its cells say; an empty cell says nothing.
    pub answers: Answers,
}

/// Reads a list, from its header on.
///
/// # Errors
/// All that is wrong with it, each with its line.
pub fn read(text: &[u8]) -> Result<Vec<Row>, Vec<String>> {
    // What spreadsheets put in front of UTF-8.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let header = reader.headers().map_err(|error| vec![format!("line 1: {error}")])?.clone();
    let options: Vec<Arg> = Answers::augment_args(clap::Command::new("")).get_arguments().cloned().collect();
    let columns = columns(&header, &options)?;
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = line_at(text, record.position());
                match answers(&record, &columns) {
                    Ok(answers) => rows.push(Row { line, answers }),
                    Err(reason) => wrong.push(format!("line {line}: {reason}")),
                }
            }
            Err(error) => {
                let line = line_at(text, error.position());
                wrong.push(format!("line {line}: {}", reason(&error)));
            }
        }
    }
    if rows.is_empty() && wrong.is_empty() {
        wrong.push("there is no row under the header".to_owned());
    }
    if wrong.is_empty() { Ok(rows) } else { Err(wrong) }
}

/// The line at a position; empty lines before a row count as its own there.
fn line_at(text: &[u8], position: Option<&Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|start| text.get(start..)).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + empty.count() as u64
}

/// The option of each column.
fn columns<'a>(header: &StringRecord, options: &'a [Arg]) -> Result<Vec<&'a Arg>, Vec<String>> {
    let names: Vec<&str> = options.iter().filter_map(Arg::get_long).collect();
    let (mut columns, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for name in header {
        if !seen.insert(name) {
            wrong.push(format!("line 1: the column ‘{name}’ stands twice"));
        }
        match options.iter().find(|option| option.get_long() == Some(name)) {
            Some(option) => columns.push(option),
            None => wrong.push(format!("line 1: there is no column ‘{name}’. There are: {}", names.join(", "))),
        }
    }
    if wrong.is_empty() { Ok(columns) } else { Err(wrong) }
}

fn answers(record: &StringRecord, columns: &[&Arg]) -> Result<Answers, String> {
    let mut said = Map::new();
    for (cell, column) in record.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        let name = column.get_long().unwrap_or_default();
        let value = match column.get_action() {
            ArgAction::Append => {
                let values = cell.split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty());
                values.map(Value::from).collect::<Vec<_>>().into()
            }
            ArgAction::SetTrue => {
                cell.parse::<bool>().map_err(|_| format!("{name}: ‘{cell}’ is neither true nor false"))?.into()
            }
            _ => Value::from(cell),
        };
        said.insert(name.to_owned(), value);
    }
    serde_json::from_value(said.into()).map_err(|error| error.to_string())
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells under {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "this is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_lines_and_cells_their_options() {
        let text = "\u{feff}alias, xks-key-id,tag,no-admin-deletion,description\n\
                    a,k-1,team=x; stage=a=b ;,true,\"two\nlines\"\n\n,k-2,,,\n";
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(
            rows[0].answers,
            Answers {
                alias: Some("a".to_owned()),
                xks_key_id: Some("k-1".to_owned()),
                tags: vec!["team=x".to_owned(), "stage=a=b".to_owned()],
                no_admin_deletion: true,
                description: Some("two\nlines".to_owned()),
                ..Answers::default()
            }
        );
        assert_eq!(rows[1].answers, Answers { xks_key_id: Some("k-2".to_owned()), ..Answers::default() });
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| read(text.as_bytes()).unwrap_err();
        let header = wrong("alias,name,alias\n");
        assert!(
            header[0].contains("line 1: there is no column ‘name’. There are: origin, custom-key-store-id, "),
            "{header:?}"
        );
        assert!(header[1].contains("‘alias’ stands twice"), "{header:?}");
        let rows = wrong("alias,no-admin-deletion\na,maybe\nb\nc,true\nd,1\n");
        assert_eq!(
            rows,
            [
                "line 2: no-admin-deletion: ‘maybe’ is neither true nor false",
                "line 3: 1 cells under 2 columns",
                "line 5: no-admin-deletion: ‘1’ is neither true nor false"
            ]
        );
        assert_eq!(wrong("alias\n"), ["there is no row under the header"]);
        assert_eq!(read(b"alias\n\xff\n").unwrap_err(), ["line 2: this is not UTF-8"]);
    }
}
