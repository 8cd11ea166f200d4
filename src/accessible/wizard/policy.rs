//! The step *Edit key policy*.

use super::super::Reply;
use super::super::prompt::Lines;
use super::{Step, Wizard};
use crate::create_key::field::Field;
use crate::tui::effect::{Call, Response};

/// A choice in the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Keep,
    Print,
    ReadFile,
    Paste,
    Restore,
}

impl Wizard<'_, '_> {
    /// Asks what to do with the key policy, until the user keeps a valid one.
    pub(super) fn ask_policy(&mut self) -> Reply<()> {
        self.introduce(Field::KeyPolicy)?;
        loop {
            let is_edited = self.state.draft.edited_policy.is_some();
            let mut choices = vec![
                (Choice::Keep, if is_edited { "Keep your key policy" } else { "Keep the generated key policy" }),
                (Choice::Print, "Print the key policy"),
                (Choice::ReadFile, "Use the key policy in a file"),
                (Choice::Paste, "Paste a key policy"),
            ];
            if is_edited {
                choices.push((Choice::Restore, "Restore the generated key policy"));
            }
            let labels: Vec<String> = choices.iter().map(|(_, label)| (*label).to_owned()).collect();
            self.say_numbered(&labels)?;
            let index = self.ask_choice("Key policy", &labels, Some(0), Field::KeyPolicy.prompt_help())?;
            match choices.get(index).map_or(Choice::Keep, |(choice, _)| *choice) {
                Choice::Keep if self.say_policy_errors()? => {}
                Choice::Keep => return Ok(()),
                Choice::Print => {
                    let policy = self.state.draft.policy_json(&self.session.account);
                    self.say_text(&policy)?;
                }
                Choice::ReadFile => self.read_policy()?,
                Choice::Paste => self.paste_policy()?,
                Choice::Restore => self.state.draft.edited_policy = None,
            }
        }
    }

    /// Says the errors of the key policy. Returns whether there are any.
    fn say_policy_errors(&mut self) -> Reply<bool> {
        let errors = self.errors(Step::KeyPolicy);
        for error in &errors {
            self.say_error(error)?;
        }
        Ok(!errors.is_empty())
    }

    fn read_policy(&mut self) -> Reply<()> {
        let path = self.ask("Path of the file, or Enter for none", Field::KeyPolicy)?;
        if path.is_empty() {
            return Ok(());
        }
        match self.session.call(&Call::ReadFile(path))? {
            Ok(Response::FileRead(text)) => self.use_policy(text.expose().to_owned()),
            Ok(_) => Ok(()),
            Err(failure) => Ok(self.say(&format!("Couldn't read the file {}", failure.message))?),
        }
    }

    fn paste_policy(&mut self) -> Reply<()> {
        let question = "Paste the JSON, then enter a line with only a period. Or press Enter for none.";
        match self.session.prompter.ask_lines(question, Field::KeyPolicy.prompt_help())? {
            Lines::Text(text) => self.use_policy(text),
            Lines::Empty | Lines::Clear => Ok(()),
        }
    }

    fn use_policy(&mut self, text: String) -> Reply<()> {
        self.state.draft.edited_policy = Some(text);
        if !self.say_policy_errors()? {
            self.say("The key policy is valid.")?;
        }
        Ok(())
    }
}
