//! The tokens of JSON, shell commands, HCL, and differences, for colors.
//!
//! Every text has tokens, also one that isn't valid, because text is highlighted while it's typed.

mod difference;
mod hcl;
mod json;
mod scanner;
mod shell;
#[cfg(test)]
mod tests;

use std::ops::Range;

use scanner::Scanner;

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Commands for a POSIX shell.
    Shell,
    /// JSON.
    Json,
    /// The configuration language of Terraform.
    Hcl,
    /// The lines that differ between two texts, with `+` and `-` at their start.
    Difference,
    /// English sentences.
    Words,
}

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The name of a member or an argument.
    Key,
    /// A string.
    String,
    /// A number.
    Number,
    /// A word with a meaning in the language, or the name of a command.
    Keyword,
    /// A bracket, comma, equals sign, or another sign.
    Punctuation,
    /// An option of a command, such as `--region`.
    Option,
    /// A variable or a reference.
    Variable,
    /// A comment.
    Comment,
    /// A line that was added.
    Added,
    /// A line that was removed.
    Removed,
    /// Everything else, including spaces.
    Text,
}

/// Returns the tokens of each line of `text`, with their byte ranges in `text`.
///
/// There is one entry for each part of `text.split('\n')`. The ranges of a line are adjacent, not empty, and cover the
/// line. Each of them starts and ends between characters.
pub fn highlight(language: Language, text: &str) -> Vec<Vec<(Token, Range<usize>)>> {
    let mut scanner = Scanner::new(text);
    match language {
        Language::Shell => shell::scan(&mut scanner),
        Language::Json => json::scan(&mut scanner),
        Language::Hcl => hcl::scan(&mut scanner),
        Language::Difference => difference::scan(&mut scanner),
        Language::Words => scanner.take_while(Token::Text, |_| true),
    }
    scanner.into_lines()
}
