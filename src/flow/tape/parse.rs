//! Parses the text of a tape into commands.

use jiff::SignedDuration;
use regex_lite::Regex;

use super::{Command, Scope, Tape, TapeError, WAIT_TIMEOUT, key_names};
use crate::text::strip_byte_order_mark;

/// The maximum number of presses of one key, so that a typing error in a count doesn't hang a test.
const MAX_COUNT: usize = 1000;

/// The settings of VHS. Those for the look of a video are accepted and ignored.
const SETTINGS: [&str; 21] = [
    "BorderRadius",
    "CursorBlink",
    "FontFamily",
    "FontSize",
    "Framerate",
    "Height",
    "LetterSpacing",
    "LineHeight",
    "LoopOffset",
    "Margin",
    "MarginFill",
    "Padding",
    "PlaybackSpeed",
    "Shell",
    "Theme",
    "TypingSpeed",
    "WaitPattern",
    "WaitTimeout",
    "Width",
    "WindowBar",
    "WindowBarSize",
];

/// Parses a tape.
pub(super) fn parse_tape(name: &str, text: &str) -> Result<Tape, TapeError> {
    let mut parser = Parser {
        hidden_since: None,
        typing_speed: SignedDuration::ZERO,
        wait_timeout: WAIT_TIMEOUT,
        wait_pattern: None,
        clipboard: String::new(),
        commands: Vec::new(),
    };
    let failed = |line, problem| TapeError::Parse { tape: name.to_owned(), line, problem };
    for (index, line) in strip_byte_order_mark(text).lines().enumerate() {
        let number = index + 1;
        parser.parse_line(number, line).map_err(|problem| failed(number, problem))?;
    }
    if let Some(line) = parser.hidden_since {
        return Err(failed(line, "this Hide has no Show, so the rest of the tape would be skipped; add a Show".into()));
    }
    Ok(Tape { name: name.to_owned(), commands: parser.commands })
}

struct Parser {
    hidden_since: Option<usize>,
    typing_speed: SignedDuration,
    wait_timeout: SignedDuration,
    wait_pattern: Option<Regex>,
    clipboard: String,
    commands: Vec<(usize, Command)>,
}

impl Parser {
    /// Parses a line, which can contain several commands, as in VHS.
    fn parse_line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let mut tokens = Tokens(line);
        while let Some(token) = tokens.next()? {
            let Token::Word(word) = token else {
                return Err(format!("expected a command, not {token}; to type text, write Type before it"));
            };
            if let Some(command) = self.parse_command(number, word, &mut tokens)?
                && self.hidden_since.is_none()
            {
                self.commands.push((number, command));
            }
        }
        Ok(())
    }

    fn parse_command(&mut self, number: usize, word: &str, tokens: &mut Tokens<'_>) -> Result<Option<Command>, String> {
        let (name, at) = match word.split_once('@') {
            Some((name, at)) => (name, Some(parse_duration(at)?)),
            None => (word, None),
        };
        if at.is_some() && matches!(name, "Sleep" | "Screenshot" | "Set" | "Hide" | "Show" | "Copy" | "Paste") {
            return Err(format!("{name} doesn't support @time; remove it"));
        }
        Ok(Some(match name {
            "Set" => {
                self.parse_set(tokens)?;
                return Ok(None);
            }
            "Output" | "Require" => {
                tokens.value(name)?;
                return Ok(None);
            }
            "Env" => {
                tokens.value(name)?;
                tokens.value(name)?;
                return Ok(None);
            }
            "Hide" => {
                self.hidden_since = Some(number);
                return Ok(None);
            }
            "Show" => {
                self.hidden_since = None;
                return Ok(None);
            }
            "Copy" => {
                self.clipboard = tokens.quoted_text(name)?.to_owned();
                return Ok(None);
            }
            "Paste" => Command::Paste(self.clipboard.clone()),
            "Type" => {
                let keys = tokens.quoted_text(name)?.chars().map(key_names::key_for_char).collect();
                Command::Press { keys, pause: at.unwrap_or(self.typing_speed), settle_each: false }
            }
            "Sleep" => Command::Sleep(parse_duration(tokens.value(name)?)?),
            "Screenshot" => Command::Screenshot(parse_screenshot_name(tokens.value(name)?)?),
            "Wait" | "Wait+Line" => self.parse_wait(Scope::Line, at, tokens)?,
            "Wait+Screen" => self.parse_wait(Scope::Screen, at, tokens)?,
            "Source" => return Err("Source is not supported; write the other tape's commands here".into()),
            _ => match key_names::parse_key(name) {
                Some(key) => {
                    let keys = vec![key?; tokens.count()?];
                    Command::Press { keys, pause: at.unwrap_or(self.typing_speed), settle_each: true }
                }
                None => {
                    return Err(format!("`{name}` is not a tape command; use VHS commands, such as Enter"));
                }
            },
        }))
    }

    fn parse_set(&mut self, tokens: &mut Tokens<'_>) -> Result<(), String> {
        let name = tokens.value("Set")?;
        if !SETTINGS.contains(&name) {
            return Err(format!("`{name}` is not a setting; use one of {}", SETTINGS.join(", ")));
        }
        let value = tokens.rest();
        if value.is_empty() {
            return Err(format!("Set {name} needs a value"));
        }
        let mut tokens = Tokens(value);
        match name {
            "TypingSpeed" => self.typing_speed = parse_duration(tokens.value(name)?)?,
            "WaitTimeout" => self.wait_timeout = parse_duration(tokens.value(name)?)?,
            "WaitPattern" => {
                let pattern = tokens
                    .pattern()?
                    .ok_or_else(|| "Set WaitPattern needs a regular expression, such as /Success/".to_owned())?;
                self.wait_pattern = Some(pattern);
            }
            _ => {}
        }
        Ok(())
    }

    fn parse_wait(&self, scope: Scope, at: Option<SignedDuration>, tokens: &mut Tokens<'_>) -> Result<Command, String> {
        let pattern = tokens.pattern()?.or_else(|| self.wait_pattern.clone());
        let pattern = pattern.ok_or("Wait needs a regular expression; write one, such as Wait+Screen /Success/")?;
        Ok(Command::Wait { scope, timeout: at.unwrap_or(self.wait_timeout), pattern })
    }
}

fn parse_screenshot_name(name: &str) -> Result<String, String> {
    let stem = name.strip_suffix(".png").unwrap_or_default();
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if stem.is_empty() || stem.starts_with('.') || !stem.chars().all(plain) {
        return Err(format!("`{name}` is not a screenshot name; use letters, digits, - and _, followed by .png"));
    }
    Ok(name.to_owned())
}

/// Parses a duration, such as `500ms`, `1.5s`, or `2m`. A number without a unit is in seconds.
fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let error = || format!("`{text}` is not a duration; write one such as 500ms, 2s, or 1m, of at most one day");
    let (number, seconds) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60.0)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    let plain = !number.is_empty() && number.chars().all(|character| character.is_ascii_digit() || character == '.');
    let seconds = number.parse::<f64>().ok().filter(|_| plain).map(|number| number * seconds);
    match seconds {
        Some(seconds) if seconds <= 86_400.0 => SignedDuration::try_from_secs_f64(seconds).map_err(|_| error()),
        _ => Err(error()),
    }
}

/// A token of a line.
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Pattern(&'a str),
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Pattern(pattern) => write!(f, "/{pattern}/"),
        }
    }
}

/// The rest of a line.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<Option<Token<'a>>, String> {
        self.0 = self.0.trim_start();
        match self.0.chars().next() {
            None => Ok(None),
            Some('#') => {
                self.0 = "";
                Ok(None)
            }
            Some(quote @ ('"' | '\'' | '`')) => {
                let inside = &self.0[1..];
                let end = inside.find(quote).ok_or_else(|| format!("the text has no closing {quote}"))?;
                self.0 = &inside[end + 1..];
                Ok(Some(Token::Text(&inside[..end])))
            }
            Some('/') => {
                let inside = &self.0[1..];
                let mut escaped = false;
                let end = inside.find(|character| {
                    let closes = character == '/' && !escaped;
                    escaped = character == '\\' && !escaped;
                    closes
                });
                let end = end.ok_or("the regular expression has no closing /")?;
                self.0 = &inside[end + 1..];
                Ok(Some(Token::Pattern(&inside[..end])))
            }
            Some(_) => {
                let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
                let (word, rest) = self.0.split_at(end);
                self.0 = rest;
                Ok(Some(Token::Word(word)))
            }
        }
    }

    /// Returns the next token, which must be a word or quoted text.
    fn value(&mut self, command: &str) -> Result<&'a str, String> {
        match self.next()? {
            Some(Token::Word(value) | Token::Text(value)) => Ok(value),
            Some(other) => Err(format!("{command} needs a value, not {other}")),
            None => Err(format!("{command} needs a value")),
        }
    }

    /// Returns the next token, which must be quoted text.
    fn quoted_text(&mut self, command: &str) -> Result<&'a str, String> {
        match self.next()? {
            Some(Token::Text(text)) => Ok(text),
            Some(other) => Err(format!("{command} needs text in quotes, not {other}")),
            None => Err(format!("{command} needs text in quotes")),
        }
    }

    /// Returns the next token if it is a regular expression.
    fn pattern(&mut self) -> Result<Option<Regex>, String> {
        let here = self.0;
        let Some(Token::Pattern(pattern)) = self.next()? else {
            self.0 = here;
            return Ok(None);
        };
        let pattern = pattern.replace("\\/", "/");
        let regex = Regex::new(&pattern);
        regex.map(Some).map_err(|error| format!("/{pattern}/ is not a valid regular expression: {error}"))
    }

    /// Returns the next token as a number of key presses if it is a number, and otherwise 1.
    fn count(&mut self) -> Result<usize, String> {
        let here = self.0;
        let digits = |word: &str| word.chars().all(|character| character.is_ascii_digit());
        match self.next()? {
            Some(Token::Word(word)) if digits(word) => match word.parse() {
                Ok(count @ 1..=MAX_COUNT) => Ok(count),
                _ => Err(format!("can't press a key {word} times; enter 1 to {MAX_COUNT} times")),
            },
            _ => {
                self.0 = here;
                Ok(1)
            }
        }
    }

    /// Returns the rest of the line, which can contain any characters.
    fn rest(&mut self) -> &'a str {
        std::mem::take(&mut self.0).trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commands(text: &str) -> Vec<(usize, Command)> {
        parse_tape("t.tape", text).unwrap().commands
    }

    fn parse_error(text: &str) -> String {
        parse_tape("t.tape", text).unwrap_err().to_string()
    }

    #[test]
    fn byte_order_mark_is_ignored() {
        assert_eq!(commands("\u{feff}Enter\nEnter").len(), 2);
    }

    #[test]
    fn vhs_commands_are_parsed() {
        let tape = parse_tape(
            "t.tape",
            "# demo\nOutput demo.gif\nRequire xks-console\nSet Width 1200\nSet Theme { \"name\": \"x\" } # y\n\
             Hide\nType \"xks-console\" Enter\nSleep 2s\nScreenshot hidden.png\nShow\n\
             Type@10ms 'it`s' # a comment\nDown 3\nCtrl+N\nWait+Screen@20s /a\\/b # c/\nScreenshot one.png\nSleep .5",
        )
        .unwrap();
        assert_eq!(tape.screenshots().collect::<Vec<_>>(), ["one.png"]);
        let lines: Vec<usize> = tape.commands.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [11, 12, 13, 14, 15, 16]);
        assert!(matches!(&tape.commands[1].1, Command::Press { keys, .. } if keys.len() == 3));
        let Command::Wait { scope: Scope::Screen, timeout, pattern } = &tape.commands[3].1 else { panic!() };
        assert_eq!((timeout.as_secs(), pattern.as_str()), (20, "a/b # c"));
        assert!(matches!(tape.commands[5].1, Command::Sleep(half) if half.as_millis() == 500));
    }

    #[test]
    fn settings_apply_to_later_commands() {
        let commands = commands("Wait /x/\nSet WaitTimeout 1m\nSet WaitPattern /y/\nSet TypingSpeed 50ms\nWait\nEnter");
        let Command::Wait { timeout, .. } = &commands[0].1 else { panic!() };
        assert_eq!(*timeout, WAIT_TIMEOUT);
        let Command::Wait { scope: Scope::Line, timeout, pattern } = &commands[1].1 else { panic!() };
        assert_eq!((timeout.as_secs(), pattern.as_str()), (60, "y"));
        assert!(matches!(&commands[2].1, Command::Press { pause, .. } if pause.as_millis() == 50));
    }

    #[test]
    fn paste_uses_the_copied_text() {
        let commands = commands("Copy 'a b'\nPaste");
        assert!(matches!(&commands[0].1, Command::Paste(text) if text == "a b"));
    }

    #[test]
    fn errors_name_the_tape_the_line_and_the_fix() {
        assert_eq!(
            parse_error("Enter\nEntr"),
            "t.tape, line 2: `Entr` is not a tape command; use VHS commands, such as Enter"
        );
        for (text, part) in [
            ("Type hello", "in quotes, not `hello`"),
            ("Type \"hello", "no closing \""),
            ("Wait /a", "no closing /"),
            ("Wait /(/", "not a valid regular expression"),
            ("Wait", "needs a regular expression"),
            ("Sleep soon", "`soon` is not a duration"),
            ("Sleep -1s", "is not a duration"),
            ("Sleep 100000", "at most one day"),
            ("Sleep", "needs a value"),
            ("Down 0", "1 to 1000 times"),
            ("Screenshot ../x.png", "is not a screenshot name"),
            ("Screenshot x.gif", "is not a screenshot name"),
            ("Set Colour red", "is not a setting"),
            ("Set Width", "needs a value"),
            ("Hide", "no Show"),
            ("Source x.tape", "not supported"),
            ("Ctrl+", "is not a key"),
            ("\"hello\"", "expected a command"),
            ("Screenshot@1s x.png", "doesn't support @time"),
        ] {
            assert!(parse_error(text).contains(part), "{text}: {}", parse_error(text));
        }
    }

    proptest! {
        #[test]
        fn parser_never_panics(text in "[ -~\n\u{e9}#/\"]{0,60}") {
            let _ = parse_tape("t.tape", &text);
        }

        #[test]
        fn type_presses_one_key_per_character(text in "[^\"\r\n]{0,20}") {
            let commands = commands(&format!("Type \"{text}\""));
            let Command::Press { keys, .. } = &commands[0].1 else { panic!() };
            prop_assert_eq!(keys.len(), text.chars().count());
        }
    }
}
