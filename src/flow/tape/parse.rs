//! Parses the text of a tape into commands.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;

use super::directive::{self, LoadLesson, Problem};
use super::pattern::Pattern;
use super::tokens::{Token, Tokens};
use super::{
    Command, Header, PlacedCommand, Scope, Tape, TapeError, TapeLine, VariableSource, WAIT_TIMEOUT, key_names, vhs,
};
use crate::expectation::names_in;
use crate::text::strip_byte_order_mark;
use crate::tui::app::MIN_SCREEN_SIZE;

/// The maximum number of presses of one key, so that a typing error in a count doesn't hang a test.
pub(super) const MAX_COUNT: usize = 1000;

/// Returns the name that errors show and the text of a sourced tape, by the path that is written in the tape. The error
/// says why there is none.
type Load<'a> = &'a dyn Fn(&str) -> Result<(String, String), String>;

/// Parses a tape.
pub(super) fn parse_tape(
    name: &str,
    text: &str,
    load: Load<'_>,
    load_lesson: LoadLesson<'_>,
) -> Result<Tape, TapeError> {
    let mut parser = Parser::default();
    parser.parse_file(name, text, Some(load), load_lesson)?;
    Ok(Tape { name: name.to_owned(), header: parser.header, commands: parser.commands })
}

struct Parser {
    typing_speed: SignedDuration,
    wait_timeout: SignedDuration,
    wait_pattern: Option<Pattern>,
    clipboard: String,
    variables: BTreeSet<String>,
    screenshots: BTreeSet<String>,
    header: Header,
    commands: Vec<PlacedCommand>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            typing_speed: SignedDuration::ZERO,
            wait_timeout: WAIT_TIMEOUT,
            wait_pattern: None,
            clipboard: String::new(),
            variables: BTreeSet::new(),
            screenshots: BTreeSet::new(),
            header: Header::default(),
            commands: Vec::new(),
        }
    }
}

/// What a line holds.
enum Item {
    Command(Box<Command>),
    Source(String),
    Hide,
    Show,
    Setting,
}

impl Parser {
    /// Parses a tape, or a tape that it sources: then `load` is `None`, because tapes are sourced one level deep, as in
    /// VHS.
    fn parse_file(
        &mut self,
        name: &str,
        text: &str,
        load: Option<Load<'_>>,
        load_lesson: LoadLesson<'_>,
    ) -> Result<(), TapeError> {
        let tape: Arc<str> = name.into();
        let failed = |line, problem: Problem| TapeError::Parse {
            tape: name.to_owned(),
            line,
            column: problem.column,
            problem: problem.text,
        };
        let text = strip_byte_order_mark(text);
        let mut vhs_errors = vhs::check(text).into_iter().peekable();
        let mut hidden_since = None;
        let first_command = self.commands.len();
        // As VHS ignores the Output of a sourced tape, its settings are ignored here.
        let mut ignored = Header::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if let Some(error) = vhs_errors.next_if(|error| error.line <= number) {
                return Err(failed(error.line, Problem { column: error.column, text: error.problem }));
            }
            let place = || TapeLine { tape: Arc::clone(&tape), line: number, text: line.trim().into() };
            if line.trim_start().starts_with(directive::PREFIX) {
                let header = if load.is_some() { &mut self.header } else { &mut ignored };
                let header = (self.commands.len() == first_command).then_some(header);
                if let Some(command) =
                    directive::parse_directive(line, header, load_lesson).map_err(|problem| failed(number, problem))?
                {
                    self.add(place(), command).map_err(|text| failed(number, Problem { column: 1, text }))?;
                }
                continue;
            }
            let mut tokens = Tokens::new(line);
            while let Some(item) = self.parse_item(&mut tokens).map_err(|text| {
                let column = tokens.column();
                failed(number, Problem { column, text })
            })? {
                let problem = |text| failed(number, Problem { column: 1, text });
                match item {
                    Item::Hide => hidden_since = Some(number),
                    Item::Show => hidden_since = None,
                    _ if hidden_since.is_some() => {}
                    Item::Setting => {}
                    Item::Command(command) => self.add(place(), *command).map_err(problem)?,
                    Item::Source(source) => {
                        let Some(load) = load else {
                            return Err(problem("a tape that is sourced can't source another one".to_owned()));
                        };
                        let (name, text) =
                            load(&source).map_err(|reason| problem(format!("couldn't read {source}: {reason}")))?;
                        self.parse_file(&name, &text, None, load_lesson)?;
                    }
                }
            }
        }
        match hidden_since {
            Some(line) => Err(failed(
                line,
                Problem {
                    column: 1,
                    text: "this Hide has no Show, so the rest of the tape would be skipped; add a Show".to_owned(),
                },
            )),
            None => Ok(()),
        }
    }

    /// Adds a command, and checks that its variables have been set before and that its screenshot is new.
    fn add(&mut self, place: TapeLine, command: Command) -> Result<(), String> {
        if let Some(name) = variable_names(&command).into_iter().find(|name| !self.variables.contains(name)) {
            return Err(format!(
                "the variable `{name}` has no value here; set it before this line, such as with `#: let {name} \"value\"`"
            ));
        }
        match &command {
            Command::LessonStep(number) => {
                let lesson = self
                    .header
                    .lesson
                    .as_ref()
                    .ok_or("the tape plays no lesson; add a line such as `#: lesson first-key`")?;
                if *number > lesson.steps.len() {
                    return Err(format!("the lesson \"{}\" has {} steps", lesson.name, lesson.steps.len()));
                }
            }
            Command::Let { name, .. } => {
                self.variables.insert(name.clone());
            }
            Command::Screenshot(name) if !self.screenshots.insert(name.clone()) => {
                return Err(format!("there is another screenshot {name}; give this one another name"));
            }
            _ => {}
        }
        self.commands.push(PlacedCommand { place, command });
        Ok(())
    }

    /// Parses the next item of a line, which can contain several commands, as in VHS.
    fn parse_item(&mut self, tokens: &mut Tokens<'_>) -> Result<Option<Item>, String> {
        let Some(token) = tokens.next()? else { return Ok(None) };
        let Token::Word(word) = token else {
            return Err(format!("expected a command, not {token}; to type text, write Type before it"));
        };
        let (name, at) = match word.split_once('@') {
            Some((name, at)) => (name, Some(parse_duration(at)?)),
            None => (word, None),
        };
        let pause = at.unwrap_or(self.typing_speed);
        Ok(Some(Item::Command(Box::new(match name {
            "Set" => {
                self.parse_set(tokens)?;
                return Ok(Some(Item::Setting));
            }
            "Output" | "Require" => {
                tokens.value(name)?;
                return Ok(Some(Item::Setting));
            }
            "Env" => {
                tokens.value(name)?;
                tokens.value(name)?;
                return Ok(Some(Item::Setting));
            }
            "Copy" => {
                tokens.quoted_text(name)?.clone_into(&mut self.clipboard);
                return Ok(Some(Item::Setting));
            }
            "Hide" => return Ok(Some(Item::Hide)),
            "Show" => return Ok(Some(Item::Show)),
            "Source" => return Ok(Some(Item::Source(tokens.value(name)?.to_owned()))),
            "Paste" => Command::Paste(self.clipboard.clone()),
            "Type" => Command::Type { text: tokens.quoted_text(name)?.to_owned(), pause },
            "Sleep" => Command::Sleep(parse_duration(tokens.value(name)?)?),
            "Screenshot" => Command::Screenshot(parse_screenshot_name(tokens.value(name)?)?),
            "Wait" | "Wait+Line" => self.parse_wait(Scope::Line, at, tokens)?,
            "Wait+Screen" => self.parse_wait(Scope::Screen, at, tokens)?,
            "ScrollUp" | "ScrollDown" => {
                return Err(format!(
                    "{name} isn't supported, because the console has no scrollback; use PageUp or PageDown"
                ));
            }
            _ => match key_names::parse_key(name) {
                Some(key) => Command::Press { key: key?, count: parse_count(tokens)?, pause },
                None => return Err(format!("`{name}` is not a tape command; use VHS commands, such as Enter")),
            },
        }))))
    }

    fn parse_set(&mut self, tokens: &mut Tokens<'_>) -> Result<(), String> {
        match tokens.value("Set")? {
            "TypingSpeed" => self.typing_speed = parse_duration(tokens.value("TypingSpeed")?)?,
            "WaitTimeout" => self.wait_timeout = parse_duration(tokens.value("WaitTimeout")?)?,
            "WaitPattern" => {
                let pattern = parse_pattern(tokens)?;
                let pattern = pattern.ok_or("Set WaitPattern needs a regular expression, such as /Success/")?;
                self.wait_pattern = Some(pattern);
            }
            // The settings for the look of a video.
            name => {
                if tokens.rest().is_empty() {
                    return Err(format!("Set {name} needs a value"));
                }
            }
        }
        Ok(())
    }

    fn parse_wait(&self, scope: Scope, at: Option<SignedDuration>, tokens: &mut Tokens<'_>) -> Result<Command, String> {
        let pattern = parse_pattern(tokens)?.or_else(|| self.wait_pattern.clone());
        let pattern = pattern.ok_or("Wait needs a regular expression; write one, such as Wait+Screen /Success/")?;
        Ok(Command::Wait { scope, timeout: at.unwrap_or(self.wait_timeout), pattern })
    }
}

/// Returns the names of the variables that a command contains.
fn variable_names(command: &Command) -> Vec<String> {
    match command {
        Command::Type { text, .. }
        | Command::Paste(text)
        | Command::ExpectStyle { text, .. }
        | Command::Let { value: VariableSource::Text(text), .. } => names_in(text),
        Command::Wait { pattern, .. } | Command::ExpectScreen { pattern, .. } => names_in(pattern.as_str()),
        Command::Let { value: VariableSource::Query(query), .. } => query.variable_names(),
        Command::Call(request) => request.variable_names(),
        Command::ExpectState(expectation) => expectation.variable_names(),
        _ => Vec::new(),
    }
}

/// Parses the regular expression that comes next, if there is one.
pub(super) fn parse_pattern(tokens: &mut Tokens<'_>) -> Result<Option<Pattern>, String> {
    tokens.pattern()?.map(Pattern::parse).transpose()
}

/// Parses the number of presses of a key, which is 1 if it is left out.
pub(super) fn parse_count(tokens: &mut Tokens<'_>) -> Result<usize, String> {
    match tokens.number(MAX_COUNT)? {
        Some(0) => Err("can't press a key 0 times; remove the line".to_owned()),
        count => Ok(count.unwrap_or(1)),
    }
}

/// Parses a screen size, such as `80x24`, in columns and rows.
///
/// # Errors
/// A message if it isn't one, or if the screen would be smaller than 60x20, which the console needs, or larger than 500x200.
pub fn parse_size(text: &str) -> Result<(u16, u16), String> {
    let size = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    size.filter(|(width, height)| {
        (MIN_SCREEN_SIZE.0..=500).contains(width) && (MIN_SCREEN_SIZE.1..=200).contains(height)
    })
    .ok_or_else(|| format!("`{text}` is not a screen size; write one such as 80x24, from 60x20 to 500x200"))
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

#[cfg(test)]
mod tests {
    use super::super::{DEFAULT_SIZE, Fault, StartTime};
    use super::*;
    use crate::lessons;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Tape, TapeError> {
        parse_tape(
            "t.tape",
            text,
            &|name| match name {
                "part.tape" => Ok((name.to_owned(), "#: size 60x20\n#: key Home\nType \"${who}\"".to_owned())),
                "nested.tape" => Ok((name.to_owned(), "Source \"part.tape\"".to_owned())),
                _ => Err("there is no such file".to_owned()),
            },
            &|name| lessons::built_in(name).map_err(|error| error.to_string()),
        )
    }

    fn commands(text: &str) -> Vec<Command> {
        parse(text).unwrap_or_else(|error| panic!("{error}")).commands.into_iter().map(|step| step.command).collect()
    }

    fn parse_error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn byte_order_mark_is_ignored() {
        assert_eq!(commands("\u{feff}Enter\nEnter").len(), 2);
    }

    #[test]
    fn vhs_commands_are_parsed() {
        let tape = parse(
            "# demo\nOutput demo.gif\nRequire xks-console\nSet Width 1200\nSet Theme { \"name\": \"x\" } # y\n\
             Hide\nType \"xks-console\" Enter\nSleep 2s\nScreenshot hidden.png\nShow\n\
             Type@10ms 'it`s' # a comment\nDown 3\nCtrl+N\nWait+Screen@20s /a\\/b # c/\nScreenshot one.png\nSleep .5",
        )
        .unwrap();
        assert_eq!(tape.screenshots().collect::<Vec<_>>(), ["one.png"]);
        let lines: Vec<usize> = tape.commands.iter().map(|step| step.place.line).collect();
        assert_eq!(lines, [11, 12, 13, 14, 15, 16]);
        assert_eq!(tape.commands[0].place.to_string(), "t.tape:11");
        assert!(matches!(tape.commands[1].command, Command::Press { count: 3, .. }));
        let Command::Wait { scope: Scope::Screen, timeout, pattern } = &tape.commands[3].command else { panic!() };
        assert_eq!((timeout.as_secs(), pattern.as_str()), (20, "a/b # c"));
        assert!(matches!(tape.commands[5].command, Command::Sleep(half) if half.as_millis() == 500));
    }

    #[test]
    fn settings_apply_to_later_commands() {
        let commands = commands("Wait /x/\nSet WaitTimeout 1m\nSet WaitPattern /y/\nSet TypingSpeed 50ms\nWait\nEnter");
        let Command::Wait { timeout, .. } = commands[0] else { panic!() };
        assert_eq!(timeout, WAIT_TIMEOUT);
        let Command::Wait { scope: Scope::Line, timeout, pattern } = &commands[1] else { panic!() };
        assert_eq!((timeout.as_secs(), pattern.as_str()), (60, "y"));
        assert!(matches!(commands[2], Command::Press { pause, .. } if pause.as_millis() == 50));
    }

    #[test]
    fn paste_uses_the_copied_text() {
        assert!(matches!(&commands("Copy 'a b'\nPaste")[0], Command::Paste(text) if text == "a b"));
    }

    #[test]
    fn pasted_text_has_escapes_and_variables() {
        let commands = commands("#: let a \"b\"\n#: paste \"one # ${a}\\n\\ttwo \\\"2\\\" \\\\n\" # a comment");
        assert!(matches!(&commands[1], Command::Paste(text) if text == "one # ${a}\n\ttwo \"2\" \\n"), "{commands:?}");
    }

    #[test]
    fn lines_of_this_program_are_parsed() {
        let tape = parse(
            "#: world empty\n#: size 80x24 120x40\n#: clock 2026-03-02T10:15:00Z\n#: mask /cks-[0-9a-f]{17}/\n\
             #: step \"One\"\n#: key F2 3\n#: clock +1d2h\n#: let a \"b\"\n#: let b $HOME\n\
             #: let c kms:ListKeys .Keys[0].KeyId\n#: call kms:DisableKey {\"KeyId\": \"${c}\"}\n\
             #: fault kms:CreateKey ThrottlingException 2 times\n#: fault xks:Encrypt timeout partition paris\n#: fault off\n\
             #: expect screen /x ${a}/\n#: expect no screen /y/\n#: expect style \"Failed\" red bold\n\
             #: expect calls kms:CreateKey 1\n#: expect kms:DescribeKey {\"KeyId\": \"a\"} .KeyMetadata.Enabled == true",
        )
        .unwrap();
        let header = tape.header();
        assert_eq!(header.world.as_deref(), Some("empty"));
        assert_eq!(tape.sizes(), [(80, 24), (120, 40)]);
        assert_eq!(header.clock, Some(StartTime::At("2026-03-02T10:15:00Z".parse().unwrap())));
        assert_eq!(header.masks.len(), 1);
        let commands: Vec<&Command> = tape.commands.iter().map(|step| &step.command).collect();
        assert!(matches!(commands[0], Command::Step(title) if title == "One"));
        assert!(matches!(commands[1], Command::Press { count: 3, .. }));
        assert!(matches!(commands[2], Command::AdvanceClock(step) if step.as_hours() == 26));
        assert!(matches!(commands[8], Command::Fault(Some(Fault::Proxy(_)))));
        assert!(matches!(commands[9], Command::Fault(None)));
        assert!(matches!(commands[11], Command::ExpectScreen { is_expected: false, .. }));
        assert!(matches!(commands[14], Command::ExpectState(_)));
        assert_eq!(commands.len(), 15);
    }

    #[test]
    fn sourced_tape_is_played_in_place_with_its_own_lines() {
        let tape = parse("#: let who \"ada\"\nSource \"part.tape\"\nEnter").unwrap();
        let places: Vec<String> = tape.commands.iter().map(|step| step.place.to_string()).collect();
        assert_eq!(tape.sizes(), [DEFAULT_SIZE]);
        assert_eq!(places, ["t.tape:1", "part.tape:2", "part.tape:3", "t.tape:3"]);
    }

    #[test]
    fn errors_have_a_place_and_a_remedy() {
        for (text, at, part) in [
            ("Enter\nEntr", "2:1", "Enter"),
            ("Type hello", "1:6", "in quotes, not `hello`"),
            ("Sleep 100000", "1:7", "at most one day"),
            ("Down 0", "1:6", "0 times"),
            ("Down 5000", "1:6", "at most 1000"),
            ("Screenshot \"../x.png\"", "1:12", "is not a screenshot name"),
            ("Screenshot x.png\nScreenshot x.png", "2:1", "another name"),
            ("Wait", "1:5", "needs a regular expression"),
            ("Hide", "1:1", "no Show"),
            ("Source \"none.tape\"", "1:1", "there is no such file"),
            ("#: wrld default", "1:4", "did you mean world?"),
            ("#: world defalt", "1:10", "did you mean default?"),
            ("Enter\n#: world default", "2:4", "before the first command"),
            ("#: lesson first-kay", "1:11", "did you mean first-key?"),
            ("#: lesson first-key\n#: lesson first-key", "2:11", "a lesson already"),
            ("#: lesson first-key\n#: world default", "2:10", "an account of its own"),
            ("#: world default\n#: lesson first-key", "2:11", "an account of its own"),
            ("#: lesson-step 1", "1:1", "plays no lesson"),
            ("#: lesson first-key\n#: lesson-step 99", "2:1", "steps"),
            ("#: lesson-step 0", "1:16", "the number of a step"),
            ("#: size 80", "1:9", "is not a screen size"),
            ("#: size 80x24 80x24", "1:15", "already"),
            ("#: clock now\n#: clock now", "2:10", "already"),
            ("#: fault kms:CreateKey ThrotlingException", "1:24", "did you mean ThrottlingException?"),
            ("#: fault xks:Encrypt timeout partition", "1:30", "the name of a partition"),
            ("#: fault xks:Encrypt timeout partiton a", "1:30", "did you mean partition."),
            ("#: clock tomorrow", "1:10", "is not a time"),
            ("#: clock +8x", "1:10", "is not a step of the clock"),
            ("#: clock -8d", "1:10", "only moves forward"),
            ("#: clock +3654d", "1:10", "more than 10 years"),
            ("#: mask x", "1:9", "needs a regular expression"),
            ("#: step One", "1:9", "text in quotes"),
            ("#: key Hme", "1:8", "is not a key"),
            ("#: paste x", "1:10", "in double quotes"),
            ("#: paste \"é\\x\"", "1:12", "not an escape"),
            ("#: paste \"x", "1:10", "no closing"),
            ("#: paste \"x\" y", "1:13", "remove `y`"),
            ("#: paste \"${who}\"", "1:1", "`who` has no value"),
            ("#: let 1 \"x\"", "1:8", "not the name of a variable"),
            ("Type \"${who}\"", "1:1", "`who` has no value"),
            ("#: fault kms:CreatKey lost", "1:10", "did you mean kms:CreateKey?"),
            ("#: fault kms:CreateKey broken", "1:24", "is not a failure"),
            ("#: fault xks:Encrypt timeot", "1:22", "did you mean timeout?"),
            ("#: fault xks:Encrypt timeout 0 times", "1:30", "not a number of requests"),
            ("#: expect scren /x/", "1:11", "Did you mean screen?"),
            ("#: expect screen x", "1:18", "needs a regular expression"),
            ("#: expect style \"Failed\" rad", "1:26", "did you mean red?"),
            ("#: expect calls kms:CreateKey", "1:30", "needs a number"),
            ("#: expect kms:DescribKey .a exists", "1:11", "did you mean kms:DescribeKey?"),
            ("#: expect kms:ListKeys .Keys", "1:29", "write ==, !="),
            ("  #: expect kms:ListKeys .Keys = 2", "1:32", "write ==, !="),
        ] {
            let error = parse_error(text);
            assert!(error.starts_with(&format!("t.tape:{at}: ")) && error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn sourced_tape_cannot_source_another_one() {
        let error = parse_error("Source \"nested.tape\"");
        assert!(error.starts_with("nested.tape:1:1: ") && error.contains("can't source another"), "{error}");
    }

    proptest! {
        #[test]
        fn parser_never_panics(text in "(#: )?[ -~\n\u{e9}#/\"]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn type_keeps_its_text(text in "[^\"\r\n$\\x00]{0,20}") {
            let commands = commands(&format!("Type \"{text}\""));
            let Command::Type { text: typed, .. } = &commands[0] else { panic!() };
            prop_assert_eq!(typed, &text);
        }
    }
}
