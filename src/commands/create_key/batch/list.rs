//! The list of keys to create: a CSV file whose columns are the options that describe a key.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, Args as _};
use csv::{Position, ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};

use super::dialect::{Dialect, LineCounter, SAVE_AS_UTF_8};
use crate::create_key::key_options::KeyOptions;
use crate::text::escape_controls;

/// The separator of several values in a cell. It doesn't occur in tags, account IDs, or common ARNs.
const VALUE_SEPARATOR: char = ';';

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line number where the row starts, counted from 1.
    pub line: u64,
    /// The options in the cells. An empty cell sets no option.
    pub answers: KeyOptions,
}

/// Parses a list as text editors and spreadsheets save it. Skips empty rows, and columns without a name or values.
///
/// # Errors
/// All errors, each with its line.
pub fn read(file: &[u8]) -> Result<Vec<Row>, Vec<String>> {
    let dialect = Dialect::detect(file).map_err(|reason| vec![reason])?;
    let mut lines = dialect.line_counter();
    let mut reader =
        ReaderBuilder::new().trim(Trim::All).delimiter(dialect.separator).flexible(true).from_reader(dialect.body);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![describe_csv_error(&error, &mut lines)]),
    };
    let options: Vec<Arg> = KeyOptions::augment_args(clap::Command::new("")).get_arguments().cloned().collect();
    let columns = match_columns(&header, &options, line_number(header.position(), &mut lines))?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                errors.push(describe_csv_error(&error, &mut lines));
                continue;
            }
        }
        let ends_file = usize::try_from(reader.position().byte()).is_ok_and(|at| at >= dialect.body.len());
        let may_be_truncated = ends_file && !dialect.body.ends_with(b"\n") && !dialect.body.ends_with(b"\r");
        let line = line_number(record.position(), &mut lines);
        if record.iter().all(str::is_empty) {
            continue;
        }
        match parse_row(&record, &columns, &dialect, may_be_truncated) {
            Ok(answers) => rows.push(Row { line, answers }),
            Err(reason) => errors.push(format!("line {line}: {reason}")),
        }
    }
    if rows.is_empty() && errors.is_empty() {
        errors.push("the CSV file has no rows. Add a row for each key below the header".to_owned());
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn line_number(position: Option<&Position>, lines: &mut LineCounter<'_>) -> u64 {
    lines.line_at(position.map_or(0, Position::byte))
}

fn describe_csv_error(error: &csv::Error, lines: &mut LineCounter<'_>) -> String {
    let line = line_number(error.position(), lines);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => format!("line {line}: the text is not UTF-8. {SAVE_AS_UTF_8}"),
        _ => format!("line {line}: {error}"),
    }
}

/// Finds the option for each column. A column without a name has none.
fn match_columns<'a>(
    header: &StringRecord,
    options: &'a [Arg],
    line: u64,
) -> Result<Vec<Option<&'a Arg>>, Vec<String>> {
    let names: Vec<&str> = options.iter().filter_map(Arg::get_long).collect();
    let (mut columns, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for label in header {
        let name = label.to_lowercase();
        if name.is_empty() {
            columns.push(None);
            continue;
        }
        if !seen.insert(name.clone()) {
            errors.push(format!("line {line}: duplicate column \"{}\". Keep one of them", escape_controls(label)));
        }
        match options.iter().find(|option| option.get_long() == Some(name.as_str())) {
            Some(option) => columns.push(Some(option)),
            None => errors.push(format!(
                "line {line}: unknown column \"{}\". The columns are {}. Separate columns with commas, semicolons, or \
                 tabs",
                escape_controls(label),
                names.join(", ")
            )),
        }
    }
    if errors.is_empty() { Ok(columns) } else { Err(errors) }
}

fn parse_row(
    record: &StringRecord,
    columns: &[Option<&Arg>],
    dialect: &Dialect<'_>,
    may_be_truncated: bool,
) -> Result<KeyOptions, String> {
    check_cells(record, columns, dialect, may_be_truncated)?;
    let mut values = Map::new();
    for (cell, column) in record.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        let Some(column) = column else { continue };
        let name = column.get_long().unwrap_or_default();
        let value = match column.get_action() {
            ArgAction::Append => {
                let values = cell.split(VALUE_SEPARATOR).map(str::trim).filter(|value| !value.is_empty());
                values.map(Value::from).collect::<Vec<_>>().into()
            }
            // Spreadsheets save TRUE and FALSE in upper case.
            ArgAction::SetTrue => match cell.to_ascii_lowercase().parse::<bool>() {
                Ok(value) => value.into(),
                Err(_) => return Err(format!("{name}: \"{}\" is not true or false", escape_controls(cell))),
            },
            _ => Value::from(cell),
        };
        values.insert(name.to_owned(), value);
    }
    serde_json::from_value(values.into()).map_err(|error| error.to_string())
}

/// Checks that every cell with a value has a column with a name. Spreadsheets omit empty cells at the end of a row, but
/// a row that has fewer cells because the file is truncated or uses another separator is rejected.
fn check_cells(
    record: &StringRecord,
    columns: &[Option<&Arg>],
    dialect: &Dialect<'_>,
    may_be_truncated: bool,
) -> Result<(), String> {
    let needed = columns.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let used =
        record.iter().zip(1..).filter(|(cell, _)| !cell.is_empty()).map(|(_, number)| number).last().unwrap_or(0);
    let is_unseparated = record.len() == 1 && record.iter().any(|cell| cell.contains([',', ';', '\t']));
    let is_short = record.len() < needed && (may_be_truncated || is_unseparated);
    if is_short || used > columns.len() {
        let cells = record.len().min(used.max(needed));
        let count = if cells == 1 { "1 cell" } else { &format!("{cells} cells") };
        return Err(format!(
            "the row has {count} for {} columns. Separate cells with a {separator}, and put a cell that contains a \
             {separator} in double quotes",
            columns.len(),
            separator = dialect.separator_name(),
        ));
    }
    let mut cells = record.iter().zip(columns).zip(1..);
    match cells.find(|((cell, column), _)| !cell.is_empty() && column.is_none()) {
        Some(((cell, _), number)) => Err(format!(
            "column {number} has the value \"{}\" but no name. Name the column in the header, or clear its cells",
            escape_controls(cell)
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_line_numbers_and_cells_map_to_options() {
        let text = "\u{feff}alias, xks-key-id,tag,no-admin-deletion,description\n\
                    a,k-1,team=x; stage=a=b ;,true,\"two\nlines\"\n\n,k-2,,,\n";
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(
            rows[0].answers,
            KeyOptions {
                alias: Some("a".to_owned()),
                xks_key_id: Some("k-1".to_owned()),
                tags: vec!["team=x".to_owned(), "stage=a=b".to_owned()],
                no_admin_deletion: true,
                description: Some("two\nlines".to_owned()),
                ..KeyOptions::default()
            }
        );
        assert_eq!(rows[1].answers, KeyOptions { xks_key_id: Some("k-2".to_owned()), ..KeyOptions::default() });
    }

    #[test]
    fn every_error_is_reported_with_its_line() {
        let errors = |text: &str| read(text.as_bytes()).unwrap_err();
        let header = errors("alias,Name,Alias\n");
        assert!(
            header[0].contains("line 1: unknown column \"Name\". The columns are origin, custom-key-store-id, "),
            "{header:?}"
        );
        assert!(header[1].contains("line 1: duplicate column \"Alias\""), "{header:?}");
        let rows = errors("alias,no-admin-deletion\na,maybe\nb;true\nc,true\nd,1\n");
        let cells = "Separate cells with a comma, and put a cell that contains a comma in double quotes";
        assert_eq!(
            rows,
            [
                "line 2: no-admin-deletion: \"maybe\" is not true or false".to_owned(),
                format!("line 3: the row has 1 cell for 2 columns. {cells}"),
                "line 5: no-admin-deletion: \"1\" is not true or false".to_owned(),
            ]
        );
        assert_eq!(errors("alias,tag\na,b,c\n"), [format!("line 2: the row has 3 cells for 2 columns. {cells}")]);
        // A truncated file, perhaps in the middle of this row.
        assert_eq!(errors("alias,tag\na,x=1\nb"), [format!("line 3: the row has 1 cell for 2 columns. {cells}")]);
        let unnamed = errors("alias,,\na,,b\n");
        assert!(unnamed[0].starts_with("line 2: column 3 has the value \"b\" but no name. "), "{unnamed:?}");
        for empty in ["alias\n", "alias;tag\n;\n;\n"] {
            assert_eq!(errors(empty), ["the CSV file has no rows. Add a row for each key below the header"]);
        }
        for (file, line) in [(&b"alias\n\xff\n"[..], 2), (b"sep=;\n\n\xff\n", 3)] {
            let not_utf_8 = format!("line {line}: the text is not UTF-8. Save it as \"CSV UTF-8\", then try again");
            assert_eq!(read(file), Err(vec![not_utf_8]));
        }
    }

    #[test]
    fn spreadsheet_dialects_parse_like_plain_csv() {
        let plain = "alias,xks-key-id,tag,no-admin-deletion\na,k-1,team=x;stage=y,true\nb,k-2,,\n";
        let expected: Vec<_> = read(plain.as_bytes()).unwrap().into_iter().map(|row| row.answers).collect();
        // Excel omits empty cells at the end of a row.
        let short = plain.replace("b,k-2,,", "b,k-2");
        assert_eq!(read(short.as_bytes()).unwrap().into_iter().map(|row| row.answers).collect::<Vec<_>>(), expected);
        for (separator, first_line) in [(";", ""), ("\t", ""), (";", "sep=;"), ("|", "sep=|"), (",", "sep=,")] {
            let mut lines = vec![
                "\"Alias \", XKS-Key-ID,tag,No-Admin-Deletion,,",
                "a,k-1,\"team=x;stage=y\",TRUE,,",
                ",,,,,",
                "",
                "b,k-2,,,",
                ",,,,,",
                ",,,,,",
            ];
            let ends = if first_line.is_empty() { [2, 5] } else { [3, 6] };
            if !first_line.is_empty() {
                lines.insert(0, first_line);
            }
            for end in ["\r\n", "\n", "\r"] {
                let in_dialect = |line: &&str| {
                    if line.starts_with("sep") { (*line).to_owned() } else { line.replace(',', separator) }
                };
                let text = format!("\u{feff}{}{end}", lines.iter().map(in_dialect).collect::<Vec<_>>().join(end));
                let rows = read(text.as_bytes()).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
                assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), ends, "{text:?}");
                assert_eq!(rows.into_iter().map(|row| row.answers).collect::<Vec<_>>(), expected, "{text:?}");
            }
        }
    }
}
