//! Checks regular expressions in the syntax of Go's package `regexp`, which VHS uses.

use std::collections::HashSet;

/// The maximum count of a repetition, and the maximum product of the counts of nested repetitions.
const MAX_REPEAT: u32 = 1000;

/// The characters after a backslash that stand for a class of characters.
const PERL_CLASSES: &str = "dDsSwW";

/// The names of the classes of characters that are written as `[:name:]`.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Returns what is wrong with `pattern`, if Go doesn't accept it.
///
/// The names of Unicode classes, such as `\p{Greek}`, and the size of the compiled expression aren't checked.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let mut parser = Parser { rest: pattern, group: Group::default(), outer_groups: Vec::new(), names: HashSet::new() };
    let mut follows_repeat = false;
    while let Some(character) = parser.rest.chars().next() {
        follows_repeat = parser.item(character, follows_repeat)?;
    }
    if parser.outer_groups.is_empty() { Ok(()) } else { Err("a ( has no closing )".into()) }
}

struct Parser<'a> {
    rest: &'a str,
    /// The innermost open group, or the whole expression.
    group: Group,
    /// The groups around it.
    outer_groups: Vec<Group>,
    names: HashSet<&'a str>,
}

/// An open group.
#[derive(Default)]
struct Group {
    /// The largest product of nested repetition counts in the group so far.
    product: u32,
    /// The product of the last item, which a repetition would multiply. `None` if there is nothing to repeat.
    last: Option<u32>,
}

impl Parser<'_> {
    /// Parses an item that starts with `character`. Returns whether it is a repetition.
    fn item(&mut self, character: char, follows_repeat: bool) -> Result<bool, String> {
        match character {
            '(' if self.rest.starts_with("(?") => self.special_group()?,
            '(' => {
                self.skip(1);
                self.open_group();
            }
            ')' => {
                self.skip(1);
                let outer = self.outer_groups.pop().ok_or("a ) has no opening (")?;
                let inner = std::mem::replace(&mut self.group, outer);
                self.add_operand(inner.product);
            }
            '|' => {
                self.skip(1);
                self.group.last = None;
            }
            '*' | '+' | '?' => {
                self.skip(1);
                self.repeat(&character.to_string(), 1, follows_repeat)?;
                return Ok(true);
            }
            '{' => match parse_counts(self.rest) {
                Some((counts, rest)) => {
                    let written = &self.rest[..self.rest.len() - rest.len()];
                    self.rest = rest;
                    let factor = counts.factor().ok_or_else(|| {
                        format!("{written} is not a valid repetition; its counts are 0 to {MAX_REPEAT}, in order")
                    })?;
                    self.repeat(written, factor, follows_repeat)?;
                    return Ok(true);
                }
                None => self.literal(character),
            },
            '[' => self.class()?,
            '\\' => self.backslash()?,
            _ => self.literal(character),
        }
        Ok(false)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn literal(&mut self, character: char) {
        self.skip(character.len_utf8());
        self.add_operand(1);
    }

    fn open_group(&mut self) {
        self.outer_groups.push(std::mem::take(&mut self.group));
    }

    fn add_operand(&mut self, product: u32) {
        let product = product.max(1);
        self.group.last = Some(product);
        self.group.product = self.group.product.max(product);
    }

    /// Repeats the last item. `factor` is the highest count, or 0 if the item never occurs.
    fn repeat(&mut self, operator: &str, factor: u32, follows_repeat: bool) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
        }
        if follows_repeat {
            return Err(format!("{operator} follows another repetition; put the first one in parentheses"));
        }
        let product = self.group.last.ok_or_else(|| format!("{operator} has nothing to repeat before it"))?;
        let product = product.saturating_mul(factor);
        if factor > 1 && product > MAX_REPEAT {
            return Err(format!("{operator} makes the nested repetitions more than {MAX_REPEAT}"));
        }
        self.add_operand(product);
        Ok(())
    }

    /// Parses what starts with `(?`: a named group, or flags.
    fn special_group(&mut self) -> Result<(), String> {
        let rest = self.rest;
        if rest.starts_with("(?<=") || rest.starts_with("(?<!") {
            return Err("Go has no lookbehind".into());
        }
        if let Some(tail) = rest.strip_prefix("(?P<").or_else(|| rest.strip_prefix("(?<")) {
            let (name, tail) = tail.split_once('>').ok_or("the name of a group has no closing >")?;
            if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
                return Err(format!("`{name}` is not a name for a group; use letters, digits, and _"));
            }
            if !self.names.insert(name) {
                return Err(format!("two groups have the name {name}"));
            }
            self.rest = tail;
            self.open_group();
            return Ok(());
        }
        let flags = &rest[2..];
        let end = flags.find([':', ')']).unwrap_or(flags.len());
        let (on, off) = flags[..end].split_once('-').map_or((&flags[..end], None), |(on, off)| (on, Some(off)));
        let are_flags = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
        if end == flags.len() || !are_flags(on) || off.is_some_and(|off| off.is_empty() || !are_flags(off)) {
            let written: String = rest.chars().take(3).collect();
            return Err(format!("Go has no {written}; after (? it takes the flags i, m, s, and U, and names"));
        }
        self.skip(2 + end + 1);
        if flags[end..].starts_with(':') {
            self.open_group();
        }
        Ok(())
    }

    fn backslash(&mut self) -> Result<(), String> {
        let rest = self.rest;
        match rest[1..].chars().next() {
            Some('A' | 'b' | 'B' | 'z') => self.skip(2),
            Some('Q') => {
                let (literal, tail) = rest[2..].split_once("\\E").unwrap_or((&rest[2..], ""));
                self.rest = tail;
                if literal.is_empty() {
                    return Ok(());
                }
            }
            _ if !self.class_escape()? => {
                self.escape()?;
            }
            _ => {}
        }
        self.add_operand(1);
        Ok(())
    }

    /// Parses a class of characters such as `\d` or `\pL`, if one is here.
    fn class_escape(&mut self) -> Result<bool, String> {
        let mut characters = self.rest.chars().skip(1);
        match characters.next() {
            Some(class) if PERL_CLASSES.contains(class) => self.skip(2),
            Some('p' | 'P') if self.rest[2..].starts_with('{') => {
                let end = self.rest.find('}').ok_or("the name of a Unicode class has no closing }")?;
                let name = self.rest[3..end].trim_start_matches('^');
                if !name.starts_with(|character: char| character.is_ascii_alphabetic()) {
                    return Err(format!("`{name}` is not the name of a Unicode class"));
                }
                self.skip(end + 1);
            }
            Some('p' | 'P') => match characters.next() {
                Some(name) if "CLMNPSZclmnpsz".contains(name) => self.skip(3),
                _ => return Err("\\p needs the name of a Unicode class, such as \\pL or \\p{Greek}".into()),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Parses the escape of one character and returns the character.
    fn escape(&mut self) -> Result<char, String> {
        let tail = &self.rest[1..];
        let first = tail.chars().next().ok_or("it ends with a backslash")?;
        let unknown = || format!("Go has no \\{first} here");
        let octal = |tail: &str| tail.chars().take(3).take_while(|digit| digit.is_digit(8)).count();
        let number = |digits: &str, radix| {
            let code = u32::from_str_radix(digits, radix).ok().filter(|code| *code <= 0x10_ffff);
            // Go also accepts the code points of surrogates, which stand for no character.
            code.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).ok_or_else(unknown)
        };
        let (length, character) = match first {
            '0'..='7' if first == '0' || octal(tail) > 1 => (octal(tail), number(&tail[..octal(tail)], 8)?),
            'x' => {
                let braced = tail[1..].strip_prefix('{').map(|tail| tail.split_once('}').map(|(digits, _)| digits));
                let (digits, length) = match braced {
                    Some(digits) => (digits, digits.map_or(0, |digits| digits.len() + 3)),
                    None => (tail.get(1..3), 3),
                };
                let is_plain = |digits: &&str| digits.chars().all(|digit| digit.is_ascii_hexdigit());
                (length, number(digits.filter(is_plain).ok_or_else(unknown)?, 16)?)
            }
            'a' => (1, '\u{7}'),
            'f' => (1, '\u{c}'),
            'n' => (1, '\n'),
            'r' => (1, '\r'),
            't' => (1, '\t'),
            'v' => (1, '\u{b}'),
            _ if first.is_ascii() && !first.is_ascii_alphanumeric() => (1, first),
            _ => return Err(unknown()),
        };
        self.skip(1 + length);
        Ok(character)
    }

    /// Parses a class of characters in brackets.
    fn class(&mut self) -> Result<(), String> {
        self.skip(1);
        self.rest = self.rest.strip_prefix('^').unwrap_or(self.rest);
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if let Some((name, tail)) = self.rest.strip_prefix("[:").and_then(|tail| tail.split_once(":]")) {
                if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(format!("[:{name}:] is not a class of characters"));
                }
                self.rest = tail;
                continue;
            }
            if self.rest.starts_with('\\') && self.class_escape()? {
                continue;
            }
            let start = self.rest;
            let low = self.class_character()?;
            if self.rest.len() > 1 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.skip(1);
                if self.class_character()? < low {
                    let range = &start[..start.len() - self.rest.len()];
                    return Err(format!("the range {range} is in the wrong order"));
                }
            }
        }
        self.skip(1);
        self.add_operand(1);
        Ok(())
    }

    fn class_character(&mut self) -> Result<char, String> {
        let character = self.rest.chars().next().ok_or("a [ has no closing ]")?;
        if character == '\\' {
            return self.escape();
        }
        self.skip(character.len_utf8());
        Ok(character)
    }
}

/// The counts of a repetition such as `{2,3}`. `None` stands for a number that is too large.
struct Counts {
    min: Option<u32>,
    max: Max,
}

/// The end of a repetition.
enum Max {
    Unlimited,
    Count(Option<u32>),
}

impl Counts {
    /// Returns the number by which the counts of nested repetitions are multiplied, if the counts are valid.
    fn factor(&self) -> Option<u32> {
        let min = self.min.filter(|min| *min <= MAX_REPEAT)?;
        match self.max {
            Max::Unlimited => Some(min.max(1)),
            Max::Count(max) => max.filter(|max| *max <= MAX_REPEAT && min <= *max),
        }
    }
}

/// Parses the counts at the start of `text`. Returns `None` if the brace stands for itself.
fn parse_counts(text: &str) -> Option<(Counts, &str)> {
    let (min, rest) = parse_count(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Max::Count(min), rest),
        Some(rest) if rest.starts_with('}') => (Max::Unlimited, rest),
        Some(rest) => {
            let (max, rest) = parse_count(rest)?;
            (Max::Count(max), rest)
        }
    };
    Some((Counts { min, max }, rest.strip_prefix('}')?))
}

fn parse_count(text: &str) -> Option<(Option<u32>, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let is_valid = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    is_valid.then(|| (digits.parse().ok(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_of_go_is_accepted() {
        for pattern in [
            "",
            "a|b||",
            "(a|(?:b))+?",
            "(?P<n>a)(?<m>b)(?i)c(?i-s:d)(?)",
            "a{2}{,3}{x{01}",
            "(a{30}){33}(a{40}){0}",
            "a{0,}b{2,}c{1000}",
            "[]a-z^-][^]\\]-]",
            "[[:alpha:][:^digit:]\\d\\pL&&]",
            "\\A\\b\\B\\z\\d\\W\\pL\\P{Greek}\\p{^Lu}",
            "\\07\\12\\x41\\x{10FFFF}\\n\\/\\_\\<",
            "\\Qa(\\Eb\\Q*",
            "a*(?i)*",
            "日本+",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn other_syntax_is_refused() {
        for (pattern, part) in [
            ("(", "no closing )"),
            ("a)", "no opening ("),
            ("*", "nothing to repeat"),
            ("a|+", "nothing to repeat"),
            ("(?i)?", "nothing to repeat"),
            ("a**", "follows another repetition"),
            ("a{2}{3}", "follows another repetition"),
            ("a{1001}", "not a valid repetition"),
            ("a{2,1}", "not a valid repetition"),
            ("a{99999999999}", "not a valid repetition"),
            ("(a{30}){34}", "more than 1000"),
            ("(?=a)", "Go has no (?="),
            ("(?<=a)", "no lookbehind"),
            ("(?x)a", "Go has no (?x"),
            ("(?i-)", "Go has no (?i"),
            ("(?P<n>a)(?P<n>b)", "the name n"),
            ("(?P<n", "no closing >"),
            ("[a", "no closing ]"),
            ("[]", "no closing ]"),
            ("[z-a]", "z-a is in the wrong order"),
            ("[[:x:]]", "[:x:] is not a class"),
            ("[a-\\d]", "Go has no \\d here"),
            ("\\", "ends with a backslash"),
            ("\\1", "Go has no \\1 here"),
            ("\\Z", "Go has no \\Z here"),
            ("\\u0041", "Go has no \\u here"),
            ("\\é", "Go has no \\é here"),
            ("\\x4", "Go has no \\x here"),
            ("\\x{110000}", "Go has no \\x here"),
            ("\\x{}", "Go has no \\x here"),
            ("\\p", "needs the name of a Unicode class"),
            ("\\p{Greek", "no closing }"),
        ] {
            let problem = check(pattern).unwrap_err();
            assert!(problem.contains(part), "{pattern}: {problem}");
        }
    }
}
