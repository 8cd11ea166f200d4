//! Parses the arguments of commands.

use super::grammar::{
    BOOLEANS, KEYS_AFTER_ALT_OR_SHIFT, KEYS_AFTER_CTRL, MODIFIERS_AFTER_CTRL, PathRule, SETTINGS, SettingValue,
    TIME_UNITS, WAIT_SCOPES, WINDOW_BARS, extension, is_string, quote, setting,
};
use super::lexer::{Kind, Token};
use super::messages::{check_pattern, example_of, is_positive_duration};
use super::{Parser, Problem};
use crate::flow::tape::key_names;
use crate::text::nearest;

impl<'a> Parser<'a> {
    /// `Key[@time] [count]`
    pub(super) fn key(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let last = self.at_time()?.unwrap_or(command);
        Ok(self.take_if(|token| token.kind == Kind::Number)?.unwrap_or(last))
    }

    /// `@time`, if it is here. Returns its last token.
    pub(super) fn at_time(&mut self) -> Result<Option<Token<'a>>, Problem<'a>> {
        match self.take_if(|token| token.is("@"))? {
            Some(at) => self.time(at).map(Some),
            None => Ok(None),
        }
    }

    /// `number[ms|s|m]`
    pub(super) fn time(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let Some(number) = self.take_if(|token| token.kind == Kind::Number)? else {
            return Err(self.missing(command, "a time, such as 500ms, 2s, or 1m"));
        };
        Ok(self.take_if(|token| token.kind == Kind::Word && TIME_UNITS.contains(&token.raw))?.unwrap_or(number))
    }

    /// `Ctrl[+Alt][+Shift]+key...`
    pub(super) fn ctrl(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let mut last = command;
        let mut has_key = false;
        while let Some(plus) = self.take_if(|token| token.is("+"))? {
            let Some(key) = self.peek_argument() else {
                return Err(Problem::new(plus, "Ctrl+ needs a key, such as Ctrl+N"));
            };
            let is_modifier = MODIFIERS_AFTER_CTRL.contains(&key.value);
            if is_modifier && has_key {
                return Err(Problem::new(key, format!("write {} before the key, such as Ctrl+{0}+N", key.value)));
            }
            let is_key = KEYS_AFTER_CTRL.contains(&key.raw) || is_string(&key) && key.value.len() == 1;
            if !is_modifier && !is_key {
                return Err(Problem::new(key, self.describe_unknown_key(command, key)));
            }
            last = self.take_if(|_| true)?.unwrap_or(plus);
            has_key |= !is_modifier;
        }
        if last.start == command.start {
            return Err(self.missing(command, "a + and a key, such as Ctrl+N"));
        }
        Ok(last)
    }

    /// `Alt+key` or `Shift+key`
    pub(super) fn alt_or_shift(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let example = if command.raw == "Alt" { "Alt+x" } else { "Shift+Tab" };
        let Some(plus) = self.take_if(|token| token.is("+"))? else {
            return Err(self.missing(command, &format!("a + and a key, such as {example}")));
        };
        let is_key = |token: &Token<'a>| is_string(token) || KEYS_AFTER_ALT_OR_SHIFT.contains(&token.raw);
        match self.peek_argument() {
            Some(key) if is_key(&key) => Ok(self.take_if(|_| true)?.unwrap_or(plus)),
            Some(key) => Err(Problem::new(key, self.describe_unknown_key(command, key))),
            None => Err(Problem::new(plus, format!("{}+ needs a key, such as {example}", command.raw))),
        }
    }

    pub(super) fn describe_unknown_key(&self, command: Token<'a>, key: Token<'a>) -> String {
        let modifier = command.raw;
        let allowed = if modifier == "Ctrl" {
            "a letter, Enter, Space, Backspace, an arrow key, or one of - @ [ ] ^ \\ and ."
        } else {
            "a letter, Enter, Tab, [, or ]"
        };
        let chord = self.written(command);
        let is_unit = TIME_UNITS.contains(&key.raw);
        let remedy = if modifier == "Ctrl" && is_unit {
            format!("; it reads {0} as a unit of time, so write a capital {1}", key.raw, key.raw.to_uppercase())
        } else if matches!(key_names::parse_key(chord), Some(Ok(_))) {
            format!("; write the line `#: key {chord}`")
        } else {
            String::new()
        };
        format!("VHS doesn't take `{}` after {modifier}+, only {allowed}{remedy}", self.written(key))
    }

    /// `string...`
    pub(super) fn strings(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let mut last = self.string(command, "text")?;
        while let Some(next) = self.take_if(is_string)? {
            last = next;
        }
        Ok(last)
    }

    pub(super) fn string(&mut self, command: Token<'a>, what: &str) -> Result<Token<'a>, Problem<'a>> {
        if let Some(string) = self.take_if(is_string)? {
            return Ok(string);
        }
        let Some(found) = self.peek_argument().filter(|found| found.line == command.line) else {
            let name = command.raw;
            return Err(Problem::new(command, format!("{name} needs {what}, such as {name} {}", example_of(name))));
        };
        let read_as = match found.kind {
            Kind::Number => "a number",
            Kind::Pattern => "a regular expression",
            Kind::Json => "a JSON object",
            Kind::Word => "a keyword",
            _ => "a symbol",
        };
        if found.is("@") {
            return Err(Problem::new(found, format!("{} takes no time after @; remove it", command.raw)));
        }
        let quoted = quote(self.written(found));
        let raw = found.raw.lines().next().unwrap_or_default();
        let name = command.raw;
        Err(Problem::new(
            found,
            format!("{name} needs {what}, but VHS reads `{raw}` as {read_as}; write {name} {quoted}"),
        ))
    }

    pub(super) fn path(&mut self, command: Token<'a>, rule: PathRule) -> Result<Token<'a>, Problem<'a>> {
        let path = self.string(command, "a file name")?;
        let extension = extension(path.value);
        let (is_accepted, needed) = match rule {
            PathRule::Extension(needed) => (extension == needed, format!("a file name that ends in {needed}")),
            PathRule::ExtensionOrFolder => (
                !extension.is_empty() || path.value.ends_with('/'),
                "a file name with an extension, such as .gif, or a folder that ends in /".to_owned(),
            ),
        };
        if is_accepted {
            return Ok(path);
        }
        let (name, written) = (command.raw, self.written(path));
        Err(Problem::new(
            path,
            if path.kind == Kind::Word && written != path.raw {
                format!("VHS reads only `{}` as the file name; write {name} {}", path.raw, quote(written))
            } else {
                format!("{name} needs {needed}, not `{}`", path.value)
            },
        ))
    }

    /// `Env name string`
    pub(super) fn env(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let example = "such as Env NAME \"value\"";
        // VHS takes any token as the name, but not one that is only a part of the name, such as the _ of _NAME.
        let text = self.text;
        let is_name = |token: &Token<'a>| {
            let continues = text[token.end()..].starts_with(|next: char| next.is_alphanumeric());
            token.kind != Kind::Illegal || token.raw.is_ascii() && !continues
        };
        let Some(name) = self.take_if(is_name)? else {
            let missing = self.missing(command, "the name of a variable");
            return Err(Problem { text: format!("{}, {example}", missing.text), ..missing });
        };
        match self.peek_argument() {
            Some(value) if value.is("=") => {
                Err(Problem::new(value, format!("Env takes no =; write a space instead, {example}")))
            }
            Some(value) if value.line == command.line => {
                self.string(command, "the value as a string").map_err(|problem| {
                    match problem.text.rsplit_once("write Env ") {
                        Some((before, quoted)) => {
                            let text = format!("{before}write Env {} {quoted}", name.raw);
                            Problem { text, ..problem }
                        }
                        None => problem,
                    }
                })
            }
            _ => match self.take_if(is_string)? {
                Some(value) => Ok(value),
                None => Err(Problem::new(command, format!("Env {} needs a value, {example}", name.raw))),
            },
        }
    }

    /// `Wait[+Line|+Screen][@time] [/regex/]`
    pub(super) fn wait(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let mut last = command;
        if let Some(plus) = self.take_if(|token| token.is("+"))? {
            let Some(scope) = self.peek_argument() else {
                return Err(Problem::new(plus, "write Wait+Line or Wait+Screen"));
            };
            if !is_string(&scope) || !WAIT_SCOPES.contains(&scope.value) {
                let written = self.written(scope);
                let starts_with = WAIT_SCOPES.into_iter().find(|name| written.starts_with(&format!("{name}/")));
                let text = match (starts_with, nearest(scope.value, WAIT_SCOPES)) {
                    (Some(name), _) => format!("write a space between Wait+{name} and the regular expression"),
                    (None, Some(name)) => format!("`{written}` is not a part of the screen; write Wait+{name}"),
                    (None, None) => format!("`{written}` is not a part of the screen; write Wait+Line or Wait+Screen"),
                };
                return Err(Problem::new(scope, text));
            }
            last = self.take_if(|_| true)?.unwrap_or(plus);
        }
        if let Some(at) = self.take_if(|token| token.is("@"))? {
            let number = self.tokens.peek().copied().unwrap_or(at);
            last = self.time(at)?;
            let unit = if last.start == number.start { "s" } else { last.raw };
            if !is_positive_duration(number.raw, unit) {
                let text = format!("Wait needs a time of more than 0, not {}{unit}", number.raw);
                return Err(Problem::new(number, text));
            }
        }
        let Some(pattern) = self.take_if(|token| token.kind == Kind::Pattern)? else { return Ok(last) };
        check_pattern(pattern)
    }

    /// `Set setting value`
    pub(super) fn set(&mut self, command: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let Some(name) = self.peek_argument().filter(|name| name.line == command.line) else {
            return Err(Problem::new(command, "Set needs a setting and its value, such as Set Width 1200"));
        };
        let value = Some(name.raw).filter(|_| name.kind == Kind::Word).and_then(setting);
        let Some(rule) = value else {
            let remedy = match nearest(name.value, SETTINGS.map(|(known, _)| known)) {
                Some(known) => format!("did you mean {known}?"),
                None => format!("the settings are {}", SETTINGS.map(|(known, _)| known).join(", ")),
            };
            return Err(Problem::new(name, format!("VHS has no setting `{}`; {remedy}", self.written(name))));
        };
        self.take_if(|_| true)?;
        if rule == SettingValue::Time {
            return self.time(name);
        }
        // VHS splits a character that isn't ASCII into its bytes.
        let is_whole = |token: &Token<'a>| token.kind != Kind::Illegal || token.raw.is_ascii();
        if let Some(value) = self.peek_argument().filter(|value| !is_whole(value)) {
            let (written, quoted) = (self.written(value), quote(self.written(value)));
            let text = format!("`{written}` needs quotes; write Set {} {quoted}", name.raw);
            return Err(Problem::new(value, text));
        }
        let Some(value) = self.take_if(|_| true)? else {
            let is_comment = |token: &&Token<'a>| token.kind == Kind::Comment && token.line == name.line;
            return Err(match self.tokens.peek().filter(is_comment).copied() {
                Some(comment) => {
                    let quoted = quote(self.written(comment));
                    let text = format!("VHS reads this as a comment; write Set {} {quoted}", name.raw);
                    Problem::new(comment, text)
                }
                None => Problem::new(name, format!("Set {} needs a value", name.raw)),
            });
        };
        self.setting_value(rule, value)
    }

    pub(super) fn setting_value(&mut self, rule: SettingValue, value: Token<'a>) -> Result<Token<'a>, Problem<'a>> {
        let written = value.value;
        let is_hexadecimal = |text: &str| text.chars().all(|digit| digit.is_ascii_hexdigit());
        let problem = match rule {
            SettingValue::Pattern => return check_pattern(value),
            SettingValue::Percentage => return Ok(self.take_if(|token| token.is("%"))?.unwrap_or(value)),
            SettingValue::TypingSpeed => {
                let is_unit = |token: &Token<'a>| token.kind == Kind::Word && ["ms", "s"].contains(&token.raw);
                return Ok(self.take_if(is_unit)?.unwrap_or(value));
            }
            SettingValue::Boolean if value.kind != Kind::Word || !BOOLEANS.contains(&value.raw) => {
                format!("`{written}` is neither true nor false; write one of them without quotes")
            }
            SettingValue::WindowBar if !written.is_empty() && !WINDOW_BARS.contains(&written) => {
                let bars = WINDOW_BARS.join(", ");
                match nearest(written, WINDOW_BARS) {
                    Some(bar) => format!("`{written}` is not a window bar; did you mean {bar}?"),
                    None => format!("`{written}` is not a window bar; write one of {bars}"),
                }
            }
            SettingValue::Color => match written.strip_prefix('#') {
                Some(digits) if digits.len() != 6 || !is_hexadecimal(digits) => {
                    format!("`{written}` is not a color; write # and six hexadecimal digits, such as \"#6b50ff\"")
                }
                _ => return Ok(value),
            },
            _ => return Ok(value),
        };
        Err(Problem::new(value, problem))
    }
}
