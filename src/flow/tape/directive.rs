//! Parses the lines that begin with `#:`, which VHS takes for comments.

use jiff::{SignedDuration, Timestamp};

use super::fault::parse_fault;
use super::key_names::parse_key;
use super::mouse::{parse_click, parse_wheel};
use super::parse::{MAX_COUNT, parse_count, parse_pattern, parse_size};
use super::tokens::{Token, Tokens};
use super::{Command, Header, StartTime, VariableSource};
use crate::bundled;
use crate::client::named_call::NamedOperation;
use crate::clock_step::{self, InvalidStep};
use crate::expectation::{Expectation, ParseError, Query, Request, is_variable_name};
use crate::flow::style_words;
use crate::lessons::Lesson;
use crate::text::nearest;
use crate::xks::faults::split_words;

/// What begins the lines of this program in a tape.
pub(super) const PREFIX: &str = "#:";

const DIRECTIVES: [&str; 15] = [
    "world",
    "lesson",
    "size",
    "clock",
    "mask",
    "step",
    "lesson-step",
    "key",
    "click",
    "wheel",
    "paste",
    "let",
    "call",
    "fault",
    "expect",
];

/// A problem in a line.
pub(super) struct Problem {
    /// The column in characters, starting at 1.
    pub column: usize,
    pub text: String,
}

impl Problem {
    fn at(tokens: &Tokens<'_>, text: impl Into<String>) -> Self {
        Self { column: tokens.column(), text: text.into() }
    }
}

/// Returns the lesson with a name or path. The error says why there is none.
pub(super) type LoadLesson<'a> = &'a dyn Fn(&str) -> Result<Lesson, String>;

/// Parses the line `line`, which begins with [`PREFIX`]. Settings are added to `header`, which is `None` after the first
/// command.
pub(super) fn parse_directive(
    line: &str,
    header: Option<&mut Header>,
    load_lesson: LoadLesson<'_>,
) -> Result<Option<Command>, Problem> {
    let offset = line.chars().count() - line.trim_start().chars().count() + PREFIX.len();
    let text = line.trim_start().strip_prefix(PREFIX).unwrap_or_default();
    let mut tokens = Tokens::new(text);
    parse(&mut tokens, header, load_lesson).map_err(|problem| Problem { column: problem.column + offset, ..problem })
}

fn parse(
    tokens: &mut Tokens<'_>,
    header: Option<&mut Header>,
    load_lesson: LoadLesson<'_>,
) -> Result<Option<Command>, Problem> {
    let Ok(Some(Token::Word(word))) = tokens.next() else {
        return Err(Problem::at(tokens, format!("write one of {} after {PREFIX}", DIRECTIVES.join(", "))));
    };
    let command = match word {
        "clock" => return parse_clock(tokens, header),
        "world" | "lesson" | "size" | "mask" => {
            let is_late = header.is_none() && word != "mask";
            let Some(header) = header.filter(|_| !is_late) else {
                return Err(Problem::at(tokens, format!("{word} must come before the first command of the tape")));
            };
            let added = parse_setting(word, tokens, header, load_lesson);
            return added.map(|()| None).map_err(|text| Problem::at(tokens, text));
        }
        "step" => tokens.quoted_text("step").map(|text| Command::Step(text.to_owned())),
        "lesson-step" => parse_lesson_step(tokens),
        "key" => parse_key_line(tokens),
        "click" => parse_click(tokens),
        "wheel" => parse_wheel(tokens),
        "paste" => return parse_paste(tokens).map(Some),
        "let" => return parse_let(tokens).map(Some),
        "call" => return parse_state(tokens, Request::parse).map(|request| Some(Command::Call(request))),
        "fault" => return parse_fault_line(tokens).map(Some),
        "expect" => return parse_expect(tokens).map(Some),
        other => {
            let hint = nearest(other, DIRECTIVES).map_or_else(
                || format!("use one of {}", DIRECTIVES.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            Err(format!("`{other}` is not known after {PREFIX}; {hint}"))
        }
    };
    let command = command.and_then(|command| tokens.end().map(|()| command));
    command.map(Some).map_err(|text| Problem::at(tokens, text))
}

fn parse_setting(
    word: &str,
    tokens: &mut Tokens<'_>,
    header: &mut Header,
    load_lesson: LoadLesson<'_>,
) -> Result<(), String> {
    const ONE_ACCOUNT: &str =
        "a lesson has an account of its own; remove the line with the world or the one with the lesson";
    match word {
        "lesson" => {
            let lesson = load_lesson(tokens.value("lesson")?)?;
            if header.lesson.is_some() {
                return Err("the tape has a lesson already; remove one of the two lines".to_owned());
            }
            if header.world.is_some() {
                return Err(ONE_ACCOUNT.to_owned());
            }
            header.lesson = Some(lesson);
        }
        "world" => {
            let name = tokens.value("world")?;
            let known = bundled::scenario_names();
            if !known.contains(&name) {
                let hint = nearest(name, known.iter().copied())
                    .map_or_else(|| format!("use one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
                return Err(format!("there is no world \"{name}\"; {hint}"));
            }
            if header.world.is_some() {
                return Err("the tape has a world already; remove one of the two lines".to_owned());
            }
            if header.lesson.is_some() {
                return Err(ONE_ACCOUNT.to_owned());
            }
            header.world = Some(name.to_owned());
        }
        "size" => {
            let mut next = Some(tokens.value("size")?);
            while let Some(text) = next {
                let size = parse_size(text)?;
                if header.sizes.contains(&size) {
                    return Err(format!("the tape has the size {text} already; remove one of them"));
                }
                header.sizes.push(size);
                next = match tokens.next()? {
                    Some(Token::Word(word)) => Some(word),
                    Some(other) => return Err(format!("{other} is not a screen size; write one such as 80x24")),
                    None => None,
                };
            }
            return Ok(());
        }
        _ => {
            let pattern = tokens.pattern()?.ok_or("mask needs a regular expression, such as /cks-[0-9a-f]{17}/")?;
            let pattern = pattern.replace("\\/", "/");
            let regex = regex_lite::Regex::new(&pattern);
            header
                .masks
                .push(regex.map_err(|error| format!("/{pattern}/ is not a valid regular expression: {error}"))?);
        }
    }
    tokens.end()
}

fn parse_clock(tokens: &mut Tokens<'_>, header: Option<&mut Header>) -> Result<Option<Command>, Problem> {
    let parsed = (|| {
        let value = tokens.value("clock")?;
        if value.starts_with(['+', '-']) {
            let step = clock_step::parse(value).map_err(|reason| invalid_clock_step(value, reason))?;
            return Ok(Some(Command::AdvanceClock(step)));
        }
        let start = match value {
            "now" => StartTime::Now,
            _ => StartTime::At(value.parse::<Timestamp>().map_err(|_| {
                format!("`{value}` is not a time; write one such as 2026-03-02T10:15:00Z, now, or +8d")
            })?),
        };
        let header = header.ok_or("the time of the start must come before the first command of the tape")?;
        if header.clock.replace(start).is_some() {
            return Err("the tape has the time of its start already; remove one of the two lines".to_owned());
        }
        Ok(None)
    })();
    let parsed = parsed.and_then(|command| tokens.end().map(|()| command));
    parsed.map_err(|text: String| Problem::at(tokens, text))
}

fn invalid_clock_step(text: &str, reason: InvalidStep) -> String {
    match reason {
        InvalidStep::Malformed => {
            format!("`{text}` is not a step of the clock; write one such as +8d, +1w, +2h, +30m, or +45s")
        }
        InvalidStep::Backward => format!("`{text}` moves the clock back; it only moves forward, by a step such as +8d"),
        InvalidStep::TooLong => format!("`{text}` is more than 10 years; write a shorter step, such as +8d"),
    }
}

fn parse_lesson_step(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    match tokens.number(MAX_COUNT)? {
        None | Some(0) => Err("write the number of a step of the lesson, such as 2".to_owned()),
        Some(number) => Ok(Command::LessonStep(number)),
    }
}

fn parse_key_line(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    let word = tokens.value("key")?;
    let key = parse_key(word)
        .unwrap_or_else(|| Err(format!("`{word}` is not a key; write one such as Home, F2, or Alt+3")))?;
    Ok(Command::Press { key, count: parse_count(tokens)?, pause: SignedDuration::ZERO })
}

/// Parses a text of several lines. Unlike in the commands of VHS, it has escapes.
fn parse_paste(tokens: &mut Tokens<'_>) -> Result<Command, Problem> {
    let rest = tokens.rest();
    let start = tokens.column();
    let at = |byte: usize, text: String| Problem { column: start + rest[..byte].chars().count(), text };
    if !rest.starts_with('"') {
        return Err(at(0, "paste needs text in double quotes, such as \"one\\ntwo\"".to_owned()));
    }
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((byte, character)) = characters.next() {
        match character {
            '"' => {
                let mut after = Tokens::new(&rest[byte + 1..]);
                let end = after.end();
                end.map_err(|problem| at(byte + 1, problem))?;
                return Ok(Command::Paste(text));
            }
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, character @ ('\\' | '"'))) => text.push(character),
                _ => return Err(at(byte, "this is not an escape; use \\n, \\t, \\\\, or \\\"".to_owned())),
            },
            _ => text.push(character),
        }
    }
    Err(at(0, "the text has no closing \"".to_owned()))
}

fn parse_let(tokens: &mut Tokens<'_>) -> Result<Command, Problem> {
    let name = tokens.value("let").map_err(|text| Problem::at(tokens, text))?.to_owned();
    if !is_variable_name(&name) {
        let text = format!("`{name}` is not the name of a variable; use letters, digits, and _");
        return Err(Problem::at(tokens, text));
    }
    let rest = tokens.rest();
    let start = tokens.column();
    let at = |column: usize, text: String| Problem { column: start + column - 1, text };
    let value = if rest.starts_with(['"', '\'', '`']) {
        let mut inside = Tokens::new(rest);
        let text = inside.quoted_text("let").and_then(|text| inside.end().map(|()| text));
        VariableSource::Text(text.map_err(|problem| at(inside.column(), problem))?.to_owned())
    } else if let Some(variable) = rest.strip_prefix('$') {
        if !is_variable_name(variable) {
            return Err(at(1, format!("`{rest}` is not an environment variable; write one such as $XKS_PROXY_SECRET")));
        }
        VariableSource::Environment(variable.to_owned())
    } else {
        let query = Query::parse(rest).map_err(|error| at(error.column, error.problem))?;
        VariableSource::Query(query)
    };
    Ok(Command::Let { name, value })
}

/// Parses the rest of the line with `parse`.
fn parse_state<T>(tokens: &mut Tokens<'_>, parse: fn(&str) -> Result<T, ParseError>) -> Result<T, Problem> {
    let rest = tokens.rest();
    parse(rest).map_err(|error| Problem { column: tokens.column() + error.column - 1, text: error.problem })
}

fn parse_fault_line(tokens: &mut Tokens<'_>) -> Result<Command, Problem> {
    let rest = tokens.rest();
    let start = tokens.column();
    let words = split_words(rest);
    let fault = parse_fault(&words).map_err(|(index, text)| {
        // Words are slices of the rest, so their addresses give their place.
        let before = words.get(index).map_or(rest.len(), |word| word.as_ptr() as usize - rest.as_ptr() as usize);
        Problem { column: start + rest[..before].chars().count(), text }
    })?;
    Ok(Command::Fault(fault))
}

fn parse_expect(tokens: &mut Tokens<'_>) -> Result<Command, Problem> {
    const KINDS: [&str; 4] = ["screen", "no", "style", "calls"];
    let rest = tokens.rest();
    let start = tokens.column() - 1;
    let mut inside = Tokens::new(rest);
    let problem = |inside: &Tokens<'_>, text: String| Problem { column: start + inside.column(), text };
    let command = match inside.next() {
        Ok(Some(Token::Word("screen"))) => parse_expected_screen(&mut inside, true),
        Ok(Some(Token::Word("no"))) => match inside.next() {
            Ok(Some(Token::Word("screen"))) => parse_expected_screen(&mut inside, false),
            _ => Err("write `no screen /regex/`".to_owned()),
        },
        Ok(Some(Token::Word("style"))) => parse_expected_style(&mut inside),
        Ok(Some(Token::Word("calls"))) => parse_expected_calls(&mut inside),
        Ok(Some(Token::Word(word))) if word.contains(':') => {
            let parsed = Expectation::parse(rest).map(Command::ExpectState);
            return parsed.map_err(|error| Problem { column: start + error.column, text: error.problem });
        }
        Ok(Some(Token::Word(word))) => {
            let hint = nearest(word, KINDS).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            Err(format!(
                "`{word}` can't be expected; write screen, no screen, style, calls, or an operation such as \
                 kms:DescribeKey.{hint}"
            ))
        }
        _ => Err("write what is expected: screen, no screen, style, calls, or an operation".to_owned()),
    };
    let command = command.and_then(|command| inside.end().map(|()| command));
    command.map_err(|text| problem(&inside, text))
}

fn parse_expected_screen(tokens: &mut Tokens<'_>, is_expected: bool) -> Result<Command, String> {
    let pattern = parse_pattern(tokens)?.ok_or("screen needs a regular expression, such as /Success/")?;
    Ok(Command::ExpectScreen { pattern, is_expected })
}

fn parse_expected_style(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    let text = tokens.quoted_text("style")?.to_owned();
    let style = style_words::parse(tokens.rest())?;
    Ok(Command::ExpectStyle { text, style })
}

fn parse_expected_calls(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    let operation = NamedOperation::find(tokens.value("calls")?).map_err(|error| error.to_string())?;
    let count = tokens.number(MAX_COUNT)?.ok_or("calls needs a number, such as calls kms:CreateKey 1")?;
    Ok(Command::ExpectCalls { operation, count })
}
