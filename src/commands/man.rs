//! `xks-console man`: manual pages, made of the definition of the command line and the table of key bindings.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::note;
use crate::build_info::BuildInfo;
use crate::cli::{self, Arguments};
use crate::tui::keymap::{BINDINGS, Context};

/// The sections of the help that a manual page makes of other data.
const REPLACED_SECTIONS: [&str; 1] = ["Keys"];
/// The maximum length of a heading in the help. A longer line that ends with a colon is a sentence.
const MAX_HEADING: usize = 30;

/// The parts of the console and their names in the section KEYS, in its order.
const CONTEXTS: [(Context, &str); 36] = [
    (Context::Everywhere, "Everywhere"),
    (Context::Navigation, "Navigation menu"),
    (Context::List, "Lists"),
    (Context::Table, "Tables"),
    (Context::SelectableTable, "Tables with rows to select"),
    (Context::Refreshable, "Pages with data from AWS"),
    (Context::Scrollable, "Long pages"),
    (Context::KeyRows, "Lists of keys"),
    (Context::KeyList, "Customer managed keys"),
    (Context::Key, "KMS key"),
    (Context::EncryptAndDecrypt, "KMS key, Encrypt and decrypt"),
    (Context::KeyStore, "External key stores"),
    (Context::Monitoring, "Monitoring"),
    (Context::ExternalKeys, "External key manager"),
    (Context::ProxyFaults, "Proxy faults"),
    (Context::Drafts, "Pages with drafts"),
    (Context::Event, "Event"),
    (Context::ApiCall, "API call"),
    (Context::XrayFlow, "X-ray, one request"),
    (Context::Wizard, "Create key wizard"),
    (Context::NonFinalStep, "Create key wizard, before the last step"),
    (Context::Review, "Review"),
    (Context::ReadOnlyReview, "Review in read-only mode"),
    (Context::RemovableRow, "Tags and accounts in the wizard"),
    (Context::Fields, "Fields"),
    (Context::TextInput, "Text fields"),
    (Context::Form, "Forms"),
    (Context::PolicyForm, "Forms that edit a key policy"),
    (Context::Dialog, "Dialogs"),
    (Context::Result, "Results"),
    (Context::Trial, "Results of trying a key"),
    (Context::ErrorMessage, "Error messages"),
    (Context::WebPage, "Pages that the AWS web console has"),
    (Context::Code, "Pages and dialogs with code"),
    (Context::TextView, "Full-screen text"),
    (Context::Lesson, "Lessons"),
];

/// Prints a page, or writes all of them to files.
pub(super) fn run(options: &cli::Man) -> Result<ExitCode, Box<dyn Error>> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    if let Some(dir) = &options.dir {
        fs::create_dir_all(dir)
            .map_err(|error| format!("Couldn't create the directory {}: {error}.", dir.display()))?;
        let count = write_pages(&program, dir)?;
        note(format_args!("{count} manual pages were written to {}. To read one: man -l FILE", dir.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let command = find(&program, &options.command)?;
    match io::stdout().write_all(page(command)?.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn find<'a>(program: &'a Command, names: &[String]) -> Result<&'a Command, String> {
    names.iter().try_fold(program, |command, name| {
        let visible: Vec<&Command> = subcommands(command).collect();
        visible.iter().find(|command| command.get_name() == name).copied().ok_or_else(|| {
            let known: Vec<&str> = visible.iter().map(|command| command.get_name()).collect();
            let place = command.get_bin_name().unwrap_or_else(|| command.get_name());
            if known.is_empty() {
                format!("`{place}` has no commands, so there is no manual page for \"{name}\". Leave it out.")
            } else {
                format!("`{place}` has no command \"{name}\". Its commands are {}.", known.join(", "))
            }
        })
    })
}

fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// Writes the page of a command and those of its subcommands. Returns their number.
fn write_pages(command: &Command, dir: &std::path::Path) -> Result<usize, Box<dyn Error>> {
    let path = dir.join(Man::new(command.clone()).get_filename());
    fs::write(&path, page(command)?).map_err(|error| format!("Couldn't write {}: {error}.", path.display()))?;
    subcommands(command).try_fold(1, |count, command| Ok(count + write_pages(command, dir)?))
}

/// Returns the manual page of a command.
fn page(command: &Command) -> io::Result<String> {
    let info = BuildInfo::current();
    let man = Man::new(command.clone());
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let date = info.commit_date().unwrap_or_default();
    // Roff::control leaves out an empty date, and the next argument would become the date.
    let title = format!(".TH \"{name}\" \"1\" \"{date}\" \"xks-console {}\" \"xks-console Manual\"\n", info.version);
    let mut body = Vec::new();
    man.render_name_section(&mut body)?;
    man.render_synopsis_section(&mut body)?;
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    if subcommands(command).next().is_some() {
        man.render_subcommands_section(&mut body)?;
    }
    let mut roff = Roff::new();
    let help = command.get_after_long_help().or_else(|| command.get_after_help());
    help_sections(&mut roff, &help.map(ToString::to_string).unwrap_or_default());
    if command.get_name() == "xks-console" {
        key_sections(&mut roff);
    }
    roff.to_writer(&mut body)?;
    // Each section starts with the same definitions for apostrophes, which are needed once.
    let preamble = Roff::new().render();
    let body = String::from_utf8_lossy(&body).replace(&preamble, "");
    // An empty line between two paragraphs of an option ends a paragraph properly only as a request.
    let body = body.lines().map(|line| if line.is_empty() { ".sp" } else { line });
    Ok(format!("{preamble}{title}{}\n", body.collect::<Vec<_>>().join("\n")))
}

/// Adds the text after the options: its headings become sections, its paragraphs are filled, and its lists are kept as
/// they are.
fn help_sections(roff: &mut Roff, help: &str) {
    let mut is_replaced = false;
    let mut has_section = false;
    for block in help.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let mut lines = block.lines().peekable();
        if let Some(heading) = lines.peek().and_then(|line| heading(line)) {
            lines.next();
            is_replaced = REPLACED_SECTIONS.contains(&heading);
            has_section = true;
            if !is_replaced {
                roff.control("SH", [heading.to_uppercase().as_str()]);
            }
        } else if !is_replaced {
            roff.control(if has_section { "PP" } else { "SH" }, if has_section { vec![] } else { vec!["NOTES"] });
            has_section = true;
        }
        if !is_replaced {
            help_lines(roff, lines);
        }
    }
}

/// Returns the heading in a line of the help, without its colon.
fn heading(line: &str) -> Option<&str> {
    line.strip_suffix(':').filter(|heading| heading.len() <= MAX_HEADING && !heading.starts_with(' '))
}

/// Adds lines of the help. Indented ones keep their line breaks.
fn help_lines<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    let mut is_list = false;
    for line in lines {
        if line.starts_with(' ') != is_list {
            is_list = !is_list;
            roff.control(if is_list { "nf" } else { "fi" }, []);
        }
        roff.text([roman(line)]);
    }
    if is_list {
        roff.control("fi", []);
    }
}

/// Adds the section KEYS.
fn key_sections(roff: &mut Roff) {
    roff.control("SH", ["KEYS"]);
    roff.text([roman("The keys of the console. Press F1 or ? to see those of the current page.")]);
    for (context, name) in CONTEXTS {
        let mut bindings = BINDINGS.iter().filter(|binding| binding.context == context).peekable();
        if bindings.peek().is_some() {
            roff.control("SS", [name]);
        }
        for binding in bindings {
            roff.control("TP", []);
            let label: Inline = bold(binding.label);
            roff.text([label]);
            roff.text([roman(binding.help)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(names: &[&str]) -> String {
        let mut program = Arguments::command().disable_help_subcommand(true);
        program.build();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        page(find(&program, &names).unwrap()).unwrap()
    }

    #[test]
    fn page_of_the_program_has_the_help_and_every_key() {
        let page = text(&[]);
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "KEYS", "\"THE BUNDLED AWS\"", "\"EXIT CODES\""] {
            assert_eq!(page.matches(&format!(".SH {section}\n")).count(), 1, "{section}: {page}");
        }
        assert!(!page.contains("EXTRA"), "{page}");
        let keys = &page[page.find(".SH KEYS").unwrap()..];
        assert_eq!(keys.matches(".TP").count(), BINDINGS.len(), "{keys}");
        for binding in BINDINGS {
            assert!(CONTEXTS.iter().any(|(context, _)| *context == binding.context), "{binding:?}");
        }
    }

    #[test]
    fn every_command_has_a_page_with_its_sections() {
        assert!(text(&["proxy", "check"]).contains(".SH \"EXIT CODES\""));
        assert!(text(&["serve"]).contains("COMMAND can use these profiles directly."));
        assert!(text(&["completions"]).contains(".SH NOTES"));
        assert!(!text(&["open"]).contains("KEYS"));
        let dir = tempfile::tempdir().unwrap();
        let mut program = Arguments::command().disable_help_subcommand(true);
        program.build();
        let count = write_pages(&program, dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), count);
        assert!(dir.path().join("xks-console-proxy-check.1").exists());
    }

    #[test]
    fn unknown_command_is_reported_with_the_known_ones() {
        let program = Arguments::command();
        let error = |names: [&str; 2]| find(&program, &names.map(str::to_owned)).unwrap_err();
        assert!(error(["proxy", "chek"]).contains("create-partition"), "{}", error(["proxy", "chek"]));
        assert!(error(["open", "x"]).contains("no commands"));
    }
}
