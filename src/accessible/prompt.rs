//! Questions and answers, one line at a time.

use std::io::{self, BufRead, Read as _, Write};

use zeroize::Zeroizing;

use super::echo;
use crate::text::{escape_controls, escape_controls_in_lines};

/// The maximum length of a line, in bytes. A key policy in one line is much shorter.
const MAX_LINE_BYTES: u64 = 256 * 1024;
/// The words that are commands at every question. A backslash before them makes them an answer.
const COMMANDS: [&str; 6] = ["<", "back", "?", "help", "review", "quit"];
/// The answer that removes an optional value.
pub const CLEAR: &str = "clear";
/// The line that ends an answer of several lines.
const END_OF_TEXT: &str = ".";

/// Why a question wasn't answered.
#[derive(Debug)]
pub enum NoAnswer {
    /// The user goes back.
    Back,
    /// The user goes to Review.
    Review,
    /// The user leaves.
    Quit,
    /// The input has ended.
    EndOfInput,
    /// The input or the output failed.
    Failed(io::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// An answer, or the reason why there is none.
pub type Reply<T> = Result<T, NoAnswer>;

/// The answer to a question for several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The first line is empty.
    Empty,
    /// The first line is [`CLEAR`].
    Clear,
    /// The text.
    Text(String),
}

/// Where the answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A terminal, which shows what the user types.
    Terminal,
    /// A pipe or a file. The answers are repeated in the output, so that it reads as a dialog.
    Pipe,
}

/// Asks questions on `output`, and reads the answers from `input`.
///
/// The output is plain text: control characters in it are escaped, so it never contains an escape sequence.
pub struct Prompter<'a> {
    input: Box<dyn BufRead + 'a>,
    output: Box<dyn Write + 'a>,
    input_kind: InputKind,
}

impl<'a> Prompter<'a> {
    /// Creates a prompter.
    pub fn new(input: impl BufRead + 'a, output: impl Write + 'a, input_kind: InputKind) -> Self {
        Self { input: Box::new(input), output: Box::new(output), input_kind }
    }

    /// Writes a line. Line breaks in it are escaped, so that text from AWS can't imitate other lines.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.output, "{}", escape_controls(line))?;
        self.output.flush()
    }

    /// Writes lines.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn say_lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.say(line))
    }

    /// Writes a numbered list.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn say_numbered(&mut self, items: &[String]) -> io::Result<()> {
        items.iter().enumerate().try_for_each(|(index, item)| self.say(&format!("{}. {item}", index + 1)))
    }

    /// Writes text of several lines.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn say_text(&mut self, text: &str) -> io::Result<()> {
        // Tabs indent the lines of many JSON files.
        writeln!(self.output, "{}", escape_controls_in_lines(&text.replace('\t', "    ")))?;
        self.output.flush()
    }

    /// Writes the start of a line that a later [`say`](Self::say) ends.
    ///
    /// # Errors
    /// The output can't be written.
    pub fn begin(&mut self, text: &str) -> io::Result<()> {
        write!(self.output, "{}", escape_controls(text))?;
        self.output.flush()
    }

    /// Asks until there is an answer, which is trimmed and can be empty. `help` answers a question mark.
    ///
    /// # Errors
    /// The user entered a command instead, or there is no more input.
    pub fn ask(&mut self, question: &str, help: &str) -> Reply<String> {
        loop {
            self.begin(&format!("{question}: "))?;
            let line = self.read_line()?;
            let answer = line.trim();
            if answer.chars().any(char::is_control) {
                self.say(
                    "The answer contains control characters, which keys such as the arrow keys type. Enter it again.",
                )?;
                continue;
            }
            match parse_command(answer) {
                Some(Command::Help) => self.say_text(help)?,
                Some(Command::Leave(no_answer)) => return Err(no_answer),
                None => return Ok(without_backslash(answer).to_owned()),
            }
        }
    }

    /// Asks for text of several lines, which a line with only a period ends. The question says so.
    ///
    /// # Errors
    /// The same as for [`ask`](Self::ask).
    pub fn ask_lines(&mut self, question: &str, help: &str) -> Reply<Lines> {
        self.say_text(question)?;
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.read_line()?;
            let is_plain = line.chars().all(|character| character == '\t' || !character.is_control());
            if !is_plain {
                self.say("The line contains control characters, so it was ignored. Enter it again.")?;
                continue;
            }
            match parse_command(line.trim()) {
                Some(Command::Help) => self.say_text(help)?,
                Some(Command::Leave(no_answer)) => return Err(no_answer),
                None if *line == END_OF_TEXT => return Ok(Lines::Text(lines.join("\n"))),
                None if line.is_empty() && lines.is_empty() => return Ok(Lines::Empty),
                None if is_clear(line.trim()) && lines.is_empty() => return Ok(Lines::Clear),
                None => lines.push(without_backslash(literal(&line)).to_owned()),
            }
        }
    }

    /// Asks for yes or no. Without a default, Enter is no answer.
    ///
    /// # Errors
    /// The same as for [`ask`](Self::ask).
    pub fn ask_yes_no(&mut self, question: &str, default: Option<bool>, help: &str) -> Reply<bool> {
        let default_words = match default {
            Some(true) => ", or Enter for yes",
            Some(false) => ", or Enter for no",
            None => "",
        };
        loop {
            let answer = self.ask(&format!("{question} Yes or no{default_words}"), help)?;
            match (answer.to_lowercase().as_str(), default) {
                ("y" | "yes", _) => return Ok(true),
                ("n" | "no", _) => return Ok(false),
                ("", Some(default)) => return Ok(default),
                _ => self.say("Answer yes or no.")?,
            }
        }
    }

    /// Asks for one of `choices`, by its number or the start of its name, and returns its index.
    ///
    /// # Errors
    /// The same as for [`ask`](Self::ask).
    pub fn ask_choice(
        &mut self,
        question: &str,
        choices: &[String],
        default: Option<usize>,
        help: &str,
    ) -> Reply<usize> {
        let default_words = default.and_then(|index| choices.get(index));
        let question = match default_words {
            Some(name) => format!("{question}, or Enter for {}, {name}", default.unwrap_or(0) + 1),
            None => question.to_owned(),
        };
        loop {
            let answer = self.ask(&question, help)?;
            if let Some(index) = default.filter(|_| answer.is_empty()).or_else(|| find_choice(&answer, choices)) {
                return Ok(index);
            }
            self.say(&format!("Enter a number from 1 to {}.", choices.len()))?;
        }
    }

    /// Hides what the user types on the terminal until the result is dropped.
    pub(super) fn hide_input(&self) -> Option<echo::HiddenInput> {
        (self.input_kind == InputKind::Terminal).then(echo::hide)
    }

    /// Asks for a secret, which isn't repeated in the output. [`hide_input`](Self::hide_input) hides it on the terminal.
    ///
    /// # Errors
    /// There is no more input.
    pub(super) fn ask_secret(&mut self, question: &str) -> Reply<Zeroizing<String>> {
        self.begin(&format!("{question}: "))?;
        let line = self.read_raw_line()?;
        // The line break that the user typed isn't shown, either.
        self.say("")?;
        Ok(line)
    }

    fn read_line(&mut self) -> Reply<Zeroizing<String>> {
        let line = self.read_raw_line()?;
        if self.input_kind == InputKind::Pipe {
            self.say(&line)?;
        }
        Ok(line)
    }

    /// Reads a line without its line break. Bytes that aren't UTF-8 become replacement characters.
    fn read_raw_line(&mut self) -> Reply<Zeroizing<String>> {
        let mut bytes = Zeroizing::new(Vec::new());
        let count = (&mut self.input).take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)?;
        if count == 0 {
            self.say("")?;
            return Err(NoAnswer::EndOfInput);
        }
        let line = String::from_utf8_lossy(&bytes);
        let line = line.strip_suffix('\n').unwrap_or(&line);
        Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
    }
}

enum Command {
    Help,
    Leave(NoAnswer),
}

fn parse_command(answer: &str) -> Option<Command> {
    match answer.to_lowercase().as_str() {
        "<" | "back" => Some(Command::Leave(NoAnswer::Back)),
        "review" => Some(Command::Leave(NoAnswer::Review)),
        "quit" => Some(Command::Leave(NoAnswer::Quit)),
        "?" | "help" => Some(Command::Help),
        _ => None,
    }
}

/// Whether the answer removes an optional value.
pub fn is_clear(answer: &str) -> bool {
    answer.eq_ignore_ascii_case(CLEAR)
}

/// Returns the text of an answer that can also be [`CLEAR`]: without the backslash before this word.
pub fn literal(answer: &str) -> &str {
    answer.strip_prefix('\\').filter(|rest| is_clear(rest)).unwrap_or(answer)
}

/// Removes the backslash from an answer that would otherwise be a command.
fn without_backslash(answer: &str) -> &str {
    let escaped = answer.strip_prefix('\\').filter(|rest| {
        let word = rest.trim_start_matches('\\').to_lowercase();
        COMMANDS.contains(&word.as_str()) || word == END_OF_TEXT
    });
    escaped.unwrap_or(answer)
}

/// Returns the index of the choice with this number, this name, or the only name that starts like this.
pub fn find_choice(answer: &str, choices: &[String]) -> Option<usize> {
    if let Ok(number) = answer.parse::<usize>() {
        return number.checked_sub(1).filter(|index| *index < choices.len());
    }
    let answer = answer.to_lowercase();
    let names: Vec<String> = choices.iter().map(|name| name.to_lowercase()).collect();
    if let Some(index) = names.iter().position(|name| *name == answer) {
        return Some(index);
    }
    let mut matching = (0..names.len()).filter(|index| !answer.is_empty() && names[*index].starts_with(&answer));
    matching.next().filter(|_| matching.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `ask` with this input, and returns its result and the output.
    fn with_input<T>(input: &str, ask: impl FnOnce(&mut Prompter<'_>) -> T) -> (T, String) {
        let mut output = Vec::new();
        let result = ask(&mut Prompter::new(input.as_bytes(), &mut output, InputKind::Pipe));
        (result, String::from_utf8(output).unwrap())
    }

    #[test]
    fn question_mark_explains_and_asks_again() {
        let (answer, output) = with_input("?\n  payments \n", |prompter| prompter.ask("Alias", "A friendly name."));
        assert_eq!(answer.unwrap(), "payments");
        assert_eq!(output, "Alias: ?\nA friendly name.\nAlias:   payments \n");
    }

    #[test]
    fn commands_are_answers_after_a_backslash() {
        for (line, answer) in [("\\back", "back"), ("\\<", "<"), ("\\QUIT", "QUIT"), ("\\\\?", "\\?"), ("\\x", "\\x")] {
            let (reply, _) = with_input(&format!("{line}\n"), |prompter| prompter.ask("Value", ""));
            assert_eq!(reply.unwrap(), answer);
        }
        for (line, expected) in [("<", "Back"), ("Back", "Back"), ("review", "Review"), ("quit", "Quit")] {
            let (reply, _) = with_input(&format!("{line}\n"), |prompter| prompter.ask("Value", ""));
            assert_eq!(format!("{:?}", reply.unwrap_err()), expected);
        }
        let (reply, _) = with_input("", |prompter| prompter.ask("Value", ""));
        assert!(matches!(reply, Err(NoAnswer::EndOfInput)));
    }

    #[test]
    fn lines_end_with_a_period_and_can_be_left_at_any_line() {
        let (text, _) = with_input("one\n\n\\.\n\\quit\n  two\r\n.\nrest\n", |prompter| prompter.ask_lines("Text", ""));
        assert_eq!(text.unwrap(), Lines::Text("one\n\n.\nquit\n  two".to_owned()));
        let (none, _) = with_input("\nrest\n", |prompter| prompter.ask_lines("Text", ""));
        assert_eq!(none.unwrap(), Lines::Empty);
        let (cleared, _) = with_input("Clear\n", |prompter| prompter.ask_lines("Text", ""));
        assert_eq!(cleared.unwrap(), Lines::Clear);
        let (word, _) = with_input("\\clear\n.\n", |prompter| prompter.ask_lines("Text", ""));
        assert_eq!(word.unwrap(), Lines::Text("clear".to_owned()));
        let (left, _) = with_input("one\n<\n.\n", |prompter| prompter.ask_lines("Text", ""));
        assert!(matches!(left, Err(NoAnswer::Back)));
    }

    #[test]
    fn choices_are_made_by_number_or_by_an_unambiguous_start() {
        let choices = ["Frankfurt HSM", "Oslo", "Osaka"].map(str::to_owned);
        for (input, expected) in [("2\n", 1), ("frank\n", 0), ("\n", 2), ("0\n4\nos\nosl\n", 1), ("OSAKA\n", 2)] {
            let (choice, _) = with_input(input, |prompter| prompter.ask_choice("Number", &choices, Some(2), ""));
            assert_eq!(choice.unwrap(), expected, "{input:?}");
        }
    }

    #[test]
    fn control_characters_neither_get_in_nor_out() {
        let (answer, output) = with_input("\u{1b}[A\nok\n", |prompter| {
            prompter.say("alias \u{1b}[31mred\u{7}\nnext").unwrap();
            prompter.say_text("one\r\n\ttwo\u{202e}").unwrap();
            prompter.ask("Alias\r", "")
        });
        assert_eq!(answer.unwrap(), "ok");
        assert!(
            output.starts_with(
                "alias \\u{1b}[31mred\\u{7}\\u{a}next\none\\u{d}\n    two\\u{202e}\nAlias\\u{d}: \\u{1b}[A\n"
            ),
            "{output}"
        );
        assert!(output.bytes().all(|byte| byte == b'\n' || byte >= 0x20), "{output:?}");
    }

    #[test]
    fn secret_is_not_repeated() {
        let (secret, output) = with_input("123456\n", |prompter| prompter.ask_secret("MFA code"));
        assert_eq!((secret.unwrap().as_str(), output.as_str()), ("123456", "MFA code: \n"));
    }
}
