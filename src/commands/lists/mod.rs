//! `xks-console list-keys`, `show-key`, and `list-stores`: the lists of the console as text, JSON, Markdown, and CSV.

mod key_stores;
mod keys;
mod load;
mod show_key;

use std::error::Error;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::aws::AwsConnection;
use super::create_key::sign_in::sign_in;
use super::runtime;
use crate::cli::{Arguments, ListFormat, ListKeys, ListStores, ShowKey};
use crate::client::Client;
use crate::listing::table::TextTable;

/// Prints the keys.
pub(super) fn list_keys(arguments: &Arguments, options: &ListKeys) -> Result<ExitCode, Box<dyn Error>> {
    let (client, runtime) = connect(arguments)?;
    let (out, notes) = (&mut io::BufWriter::new(io::stdout()), &mut io::stderr());
    let mut output = Output::new(out, notes, options.format, arguments.json);
    finish(runtime.block_on(keys::run(&client, options, &mut output)))
}

/// Prints the external key stores.
pub(super) fn list_stores(arguments: &Arguments, options: &ListStores) -> Result<ExitCode, Box<dyn Error>> {
    let (client, runtime) = connect(arguments)?;
    let (out, notes) = (&mut io::BufWriter::new(io::stdout()), &mut io::stderr());
    let mut output = Output::new(out, notes, options.format, arguments.json);
    finish(runtime.block_on(key_stores::run(&client, options, &mut output)))
}

/// Prints a key.
pub(super) fn show_key(arguments: &Arguments, options: &ShowKey) -> Result<ExitCode, Box<dyn Error>> {
    let (client, runtime) = connect(arguments)?;
    let (out, notes) = (&mut io::BufWriter::new(io::stdout()), &mut io::stderr());
    let mut output = Output::new(out, notes, ListFormat::default(), arguments.json);
    finish(runtime.block_on(show_key::run(&client, &options.name, &mut output)))
}

/// Connects to the AWS that the command line selects, and signs in if the profile needs an MFA code.
fn connect(arguments: &Arguments) -> Result<(Client, Runtime), Box<dyn Error>> {
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    if let Some(missing) = aws.pending_mfa {
        runtime.block_on(sign_in(&aws.client, missing))?;
    }
    Ok((aws.client, runtime))
}

/// Returns the exit code: success if everything was printed.
fn finish(result: Result<bool, Box<dyn Error>>) -> Result<ExitCode, Box<dyn Error>> {
    let is_broken_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    match result {
        Ok(is_complete) => Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        // The reader, such as `head`, may close the pipe before the end of a list.
        Err(error) if error.downcast_ref().is_some_and(is_broken_pipe) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

/// The formats of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// An aligned table, for a terminal of this width, or in full.
    Text(Option<usize>),
    Markdown,
    Csv,
    Json,
}

/// Where a command writes, and how.
struct Output<'a, O, N> {
    out: &'a mut O,
    notes: &'a mut N,
    format: Format,
}

impl<'a, O: Write, N: Write> Output<'a, O, N> {
    fn new(out: &'a mut O, notes: &'a mut N, format: ListFormat, is_json: bool) -> Self {
        let format = match () {
            () if is_json => Format::Json,
            () if format.markdown => Format::Markdown,
            () if format.csv => Format::Csv,
            () => Format::Text(terminal_width()),
        };
        Self { out, notes, format }
    }

    /// Whether the output has every column, rather than the most important ones.
    fn has_all_columns(&self) -> bool {
        matches!(self.format, Format::Markdown | Format::Csv)
    }

    fn write_json(&mut self, document: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", serde_json::to_string_pretty(document)?)?;
        self.out.flush()
    }

    /// Writes a list: `json` as JSON, and `table` in the other formats. If the list is empty, says so with `empty`.
    fn write_list(&mut self, json: &Value, table: &TextTable, empty: &str) -> io::Result<()> {
        match self.format {
            Format::Json => self.write_json(json)?,
            Format::Markdown => table.write_markdown(self.out)?,
            Format::Csv => table.write_csv(self.out)?,
            Format::Text(_) if table.rows.is_empty() => self.note(empty)?,
            Format::Text(width) => {
                let hidden = table.write_aligned(self.out, width)?;
                self.out.flush()?;
                if !hidden.is_empty() {
                    self.note(format_args!(
                        "The terminal is too narrow for these columns: {}. Use a wider terminal, --json, or --csv.",
                        hidden.join(", ")
                    ))?;
                }
            }
        }
        self.out.flush()
    }

    /// Writes a message for people.
    fn note(&mut self, message: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.notes, "xks-console: {message}")
    }
}

/// Returns the width of the terminal that standard output is, if it is one.
pub(super) fn terminal_width() -> Option<usize> {
    let out = io::stdout();
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten();
    size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0)
}
