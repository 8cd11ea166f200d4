//! The report of a suite in the JUnit format, which CI systems read.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Outcome, Report, TapeResult};

/// Returns the report as JUnit XML: a test suite with a test case for each tape and size.
///
/// # Errors
/// An I/O error, which can't happen in memory.
pub fn junit(report: &Report) -> std::io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = report.count(Outcome::is_failure) + report.unreferenced.len();
    let skipped = report.count(|outcome| matches!(outcome, Outcome::Skipped { .. }));
    let tests = report.results.len() + report.unreferenced.len();
    writer
        .create_element("testsuites")
        .with_attributes([("tests", tests.to_string().as_str()), ("failures", failures.to_string().as_str())])
        .write_inner_content(|writer| {
            writer
                .create_element("testsuite")
                .with_attributes([
                    ("name", "xks-console test"),
                    ("tests", tests.to_string().as_str()),
                    ("failures", failures.to_string().as_str()),
                    ("skipped", skipped.to_string().as_str()),
                    ("time", format!("{:.3}", report.duration.as_secs_f64()).as_str()),
                ])
                .write_inner_content(|writer| {
                    report.results.iter().try_for_each(|result| write_case(writer, result))?;
                    report.unreferenced.iter().try_for_each(|path| {
                        let path = path.display().to_string();
                        writer
                            .create_element("testcase")
                            .with_attributes([("classname", path.as_str()), ("name", "golden file")])
                            .write_inner_content(|writer| {
                                let failure = writer.create_element("failure");
                                let message = "no tape takes the screens of this golden file";
                                failure.with_attribute(("message", message)).write_empty().map(drop)
                            })
                            .map(drop)
                    })
                })
                .map(drop)
        })?;
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

fn write_case(writer: &mut Writer<Vec<u8>>, result: &TapeResult) -> std::io::Result<()> {
    let tape = result.tape.display().to_string();
    let name = format!("{}x{}", result.size.0, result.size.1);
    let time = format!("{:.3}", result.duration.as_secs_f64());
    let case = writer.create_element("testcase").with_attributes([
        ("classname", tape.as_str()),
        ("name", name.as_str()),
        ("time", time.as_str()),
    ]);
    match &result.outcome {
        Outcome::Passed => case.write_empty().map(drop),
        Outcome::Skipped { reason } => case
            .write_inner_content(|writer| {
                writer.create_element("skipped").with_attribute(("message", reason.as_str())).write_empty().map(drop)
            })
            .map(drop),
        outcome => case
            .write_inner_content(|writer| {
                let details = plain(&result.to_string());
                let failure = writer.create_element("failure").with_attribute(("message", headline(outcome).as_str()));
                failure.write_text_content(BytesText::new(&details)).map(drop)
            })
            .map(drop),
    }
}

/// Returns the first line of the message, which says where and why, or the word for the outcome.
fn headline(outcome: &Outcome) -> String {
    plain(outcome.message().and_then(|message| message.lines().next()).unwrap_or(outcome.word()))
}

/// Replaces characters that XML can't contain.
fn plain(text: &str) -> String {
    let is_allowed =
        |character: char| character == '\n' || !character.is_control() && !"\u{fffe}\u{ffff}".contains(character);
    text.chars().map(|character| if is_allowed(character) { character } else { char::REPLACEMENT_CHARACTER }).collect()
}
