//! The shared config and credentials files, read by the rules of the AWS CLI and passed to the parser of the AWS SDK.
//!
//! The CLI reads these files with Python's `configparser`, which accepts more than the SDK: indented settings, `:` for
//! `=`, text after `]`, and quoted names. [`canonicalize`] rewrites a file so that the SDK reads what the CLI reads. It
//! percent-encodes the names of profiles that the SDK would ignore ([`encode_name`], [`decode_name`]).
//!
//! Source: botocore's `configloader`; Python's `configparser` and `shlex`; *Configuration and credential file settings
//! in the AWS CLI*.

use std::fmt::{Display, Write as _};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::EnvConfigFileKind;
use aws_types::os_shim_internal::Env;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::text::strip_byte_order_mark;

/// The characters that the SDK doesn't accept in section names, and the percent sign.
const ENCODE_SET: AsciiSet =
    NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'/').remove(b'.').remove(b'@').remove(b':').remove(b'+');

/// The settings whose values are section names.
const SECTION_REFERENCE_SETTINGS: [&str; 3] = ["source_profile", "sso_session", "services"];

/// Why a file can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    /// A setting comes before the first section.
    #[error("line {0}: the setting isn't in a section. Add one before it, such as [default] or [profile NAME]")]
    MissingSection(usize),
    /// A line isn't a section, setting, or comment.
    #[error("line {0}: expected a section such as [profile NAME], a setting such as region = us-west-2, or a comment")]
    InvalidLine(usize),
}

/// Returns the name of a section, encoded for the SDK.
pub(super) fn encode_name(name: &str) -> String {
    utf8_percent_encode(name, &ENCODE_SET).to_string()
}

/// Returns the original of an encoded name.
pub(super) fn decode_name(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// Returns the path of a file: the value of `variable`, or `~/.aws/NAME`.
pub(super) fn file_path(env: &Env, variable: &str, name: &str) -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    match (env.get(variable).ok().filter(|path| !path.is_empty()), home) {
        (Some(path), home) => match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(PathBuf::from(path)),
        },
        (None, home) => home.map(|home| home.join(".aws").join(name)),
    }
}

/// Reads a file and rewrites it with [`canonicalize`].
///
/// Like the AWS CLI, it treats a file that doesn't exist, or that the user isn't allowed to open, as empty: containers
/// often run with the home directory of another user.
///
/// # Errors
/// The path of a file that can't be read, and the reason.
pub(super) fn read(path: &Path, kind: EnvConfigFileKind) -> Result<String, String> {
    let failed = |reason: &dyn Display| format!("{}: {reason}", path.display());
    match std::fs::read(path) {
        Err(error) if is_absent(error.kind()) => Ok(String::new()),
        Err(error) => Err(failed(&error)),
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| failed(&"the file isn't UTF-8 text"))?;
            canonicalize(&text, kind).map_err(|error| failed(&error))
        }
    }
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory)
}

/// Rewrites a file so that the SDK reads what the AWS CLI reads.
///
/// # Errors
/// [`ParseError`] if the AWS CLI couldn't read the file.
pub(super) fn canonicalize(text: &str, kind: EnvConfigFileKind) -> Result<String, ParseError> {
    let sections = parse(text)?;
    let mut out = String::new();
    for (index, section) in sections.iter().enumerate() {
        let Some(name) = SectionName::parse(&section.heading, kind) else { continue };
        // A section with another spelling of the same name replaces the first one.
        if sections[index + 1..].iter().any(|later| SectionName::parse(&later.heading, kind).as_ref() == Some(&name)) {
            continue;
        }
        let _ = writeln!(out, "[{}]", name.to_heading());
        for setting in &section.settings {
            setting.write(&mut out);
        }
    }
    Ok(out)
}

/// A section: its heading and settings.
#[derive(Debug, Default)]
struct Section {
    heading: String,
    settings: Vec<Setting>,
}

impl Section {
    /// Adds a setting, which replaces an earlier one with the same name.
    fn set(&mut self, name: String, value: &str) {
        self.settings.retain(|setting| setting.name != name);
        self.settings.push(Setting { name, lines: vec![value.to_owned()] });
    }
}

/// A setting and the lines of its value.
#[derive(Debug)]
struct Setting {
    name: String,
    lines: Vec<String>,
}

impl Setting {
    fn write(&self, out: &mut String) {
        let [first, rest @ ..] = &self.lines[..] else { return };
        let is_nested = first.is_empty();
        let rest: Vec<&String> = rest.iter().filter(|line| !is_nested || line.contains('=')).collect();
        // The CLI ignores an empty value; the SDK would use it, for example as a token or Region.
        if is_nested && rest.is_empty() {
            return;
        }
        let names_section = SECTION_REFERENCE_SETTINGS.contains(&self.name.as_str());
        let first = if names_section { encode_name(first) } else { first.clone() };
        let _ = writeln!(out, "{} = {first}", self.name);
        for line in rest {
            let _ = writeln!(out, "  {line}");
        }
    }
}

/// The kind and name in a section heading.
#[derive(Debug, PartialEq, Eq)]
struct SectionName {
    prefix: &'static str,
    name: String,
}

impl SectionName {
    /// Parses a heading.
    ///
    /// A heading in the config file has a prefix before its name; one in the credentials file is the name of a profile.
    fn parse(heading: &str, kind: EnvConfigFileKind) -> Option<Self> {
        const PREFIXES: [&str; 3] = ["profile", "sso-session", "services"];
        if matches!(kind, EnvConfigFileKind::Credentials) {
            return Some(Self { prefix: "", name: heading.to_owned() });
        }
        if heading == "default" {
            return Some(Self { prefix: "profile", name: heading.to_owned() });
        }
        let prefix = PREFIXES.into_iter().find(|prefix| heading.starts_with(prefix))?;
        match &shell_words(heading)?[..] {
            [_, name] if !name.is_empty() => Some(Self { prefix, name: name.clone() }),
            _ => None,
        }
    }

    fn to_heading(&self) -> String {
        let name = encode_name(&self.name);
        if self.prefix.is_empty() || name == "default" { name } else { format!("{} {name}", self.prefix) }
    }
}

/// Splits text into words like a POSIX shell, with quotes and backslashes, or returns `None` if a quote isn't closed.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// Parses sections and settings like Python's `RawConfigParser`, except that duplicates are merged rather than
/// rejected.
fn parse(text: &str) -> Result<Vec<Section>, ParseError> {
    let text = strip_byte_order_mark(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut sections: Vec<Section> = Vec::new();
    let mut current = None;
    // The indentation of the current setting or heading, and whether it is a setting.
    let (mut indent, mut in_setting) = (0, false);
    for (number, line) in text.split('\n').enumerate().map(|(index, line)| (index + 1, line)) {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let line_indent = line.chars().take_while(|character| character.is_whitespace()).count();
        if in_setting && line_indent > indent {
            if let Some(setting) = current.and_then(|at: usize| sections[at].settings.last_mut()) {
                setting.lines.push(content.to_owned());
            }
            continue;
        }
        indent = line_indent;
        in_setting = false;
        if let Some(heading) = parse_heading(content) {
            let known = sections.iter().position(|section| section.heading == heading);
            current = known.or_else(|| {
                sections.push(Section { heading: heading.to_owned(), settings: Vec::new() });
                Some(sections.len() - 1)
            });
            continue;
        }
        let is_heading = content.starts_with('[');
        let Some(at) = current.filter(|_| !is_heading) else {
            return Err(if is_heading { ParseError::InvalidLine(number) } else { ParseError::MissingSection(number) });
        };
        let setting = content.split_once(['=', ':']).map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = setting.filter(|(name, _)| !name.is_empty()) else {
            return Err(ParseError::InvalidLine(number));
        };
        sections[at].set(name.to_lowercase(), value);
        in_setting = true;
    }
    Ok(sections)
}

/// Returns the name in a heading, or `None` if the line isn't a heading.
///
/// The name ends at the last `]`, or at the first `]` before a comment.
fn parse_heading(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    let commented = inside.match_indices(']').find(|(at, _)| inside[at + 1..].trim_start().starts_with(['#', ';']));
    let end = commented.map(|(at, _)| at).or_else(|| inside.rfind(']'))?;
    let name = inside[..end].trim();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(text: &str) -> String {
        canonicalize(text, EnvConfigFileKind::Config).unwrap()
    }

    fn credentials(text: &str) -> String {
        canonicalize(text, EnvConfigFileKind::Credentials).unwrap()
    }

    #[test]
    fn settings_may_be_indented_under_their_section() {
        let text = "[profile lab]\n    region = us-west-2\n    output = json\n";
        assert_eq!(config(text), "[profile lab]\nregion = us-west-2\noutput = json\n");
    }

    #[test]
    fn deeper_indented_lines_continue_the_setting() {
        let text = "[services lab]\nkms =\n  endpoint_url = http://localhost:1\n\n  # not this\n  a\nregion: x\n   y";
        assert_eq!(config(text), "[services lab]\nkms = \n  endpoint_url = http://localhost:1\nregion = x\n  y\n");
    }

    #[test]
    fn quoted_names_are_percent_encoded_for_the_sdk() {
        let text =
            "[profile 'a b']\nsso_session = x\n[sso-session 'x']\nsso_region=r\n[profile \"q]\"]\nSource_Profile=a b";
        assert_eq!(
            config(text),
            "[profile a%20b]\nsso_session = x\n[sso-session x]\nsso_region = r\n[profile q%5D]\nsource_profile = a%20b\n"
        );
    }

    #[test]
    fn text_after_the_closing_bracket_is_ignored() {
        assert_eq!(config("[profile a] # see [b]\nx=1\n[default] text\ny=2"), "[profile a]\nx = 1\n[default]\ny = 2\n");
    }

    #[test]
    fn byte_order_mark_line_endings_and_empty_values_are_normalized() {
        let text = "\u{feff}[default]\r\naws_session_token =\r\nregion = r\r[x y]\n";
        assert_eq!(credentials(text), "[default]\nregion = r\n[x%20y]\n");
    }

    #[test]
    fn unknown_section_kinds_are_ignored() {
        assert_eq!(config("[preview]\ncloudfront = true\n[lab]\nx=1\n[profile a b]\n[profile 'a]\ny=2"), "");
    }

    #[test]
    fn repeated_section_merges_unless_spelled_differently() {
        assert_eq!(config("[default]\na=1\n[profile default]\nb=2"), "[default]\nb = 2\n");
        assert_eq!(config("[default]\na=1\nb=1\n[default]\nb=2"), "[default]\na = 1\nb = 2\n");
    }

    #[test]
    fn parse_error_names_the_line() {
        let error = |text| canonicalize(text, EnvConfigFileKind::Config).unwrap_err();
        assert_eq!(error("# c\nregion = x"), ParseError::MissingSection(2));
        assert_eq!(error("[default]\nregion"), ParseError::InvalidLine(2));
        assert_eq!(error("[default\n"), ParseError::InvalidLine(1));
        assert_eq!(error("[default]\n= x"), ParseError::InvalidLine(2));
    }

    #[test]
    fn words_are_split_like_a_posix_shell() {
        let split = |text| shell_words(text).unwrap_or_default();
        assert_eq!(split(r#"profile 'a "b"' "c\"d" e\ f"#), ["profile", "a \"b\"", "c\"d", "e f"]);
        assert_eq!(split("profile ''"), ["profile", ""]);
        assert_eq!(shell_words("profile 'a"), None);
        assert_eq!(shell_words("profile \\"), None);
    }

    proptest! {
        #[test]
        fn encoded_names_round_trip(name in ".*") {
            let encoded = encode_name(&name);
            prop_assert!(encoded.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c)));
            prop_assert_eq!(decode_name(&encoded), name);
        }

        #[test]
        fn canonicalize_is_idempotent(text in "([ \t]{0,2}[a=:#\\[\\]'\" ]{0,6}\n){0,8}") {
            if let Ok(once) = canonicalize(&text, EnvConfigFileKind::Credentials) {
                let again = once.replace('%', "");
                prop_assert_eq!(canonicalize(&again, EnvConfigFileKind::Credentials).map(|twice| twice.replace('%', "")), Ok(again));
            }
        }
    }

    #[test]
    fn files_that_cannot_be_opened_count_as_empty_and_other_errors_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(&file, "[default]\nregion = eu-west-1\n").unwrap();
        let read = |path: &Path| super::read(path, EnvConfigFileKind::Config);
        assert!(read(&file).unwrap().contains("eu-west-1"));
        assert_eq!(read(&dir.path().join("missing")).unwrap(), "");
        assert_eq!(read(&file.join("config")).unwrap(), "");
        assert!(is_absent(ErrorKind::PermissionDenied));
        assert!(read(dir.path()).unwrap_err().starts_with(&dir.path().display().to_string()));
    }
}
