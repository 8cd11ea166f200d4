//! The tables of VHS's grammar.

use super::lexer::{Kind, Token};

/// What a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    Nothing,
    /// `Key[@time] [count]`
    Key,
    Ctrl,
    /// `Alt+key` or `Shift+key`
    AltOrShift,
    /// `Type[@time] string...`
    Type,
    /// `Copy string...`
    Strings,
    String,
    Path(PathRule),
    /// `Env name string`
    Env,
    Time,
    /// `Wait[+Line|+Screen][@time] [/regex/]`
    Wait,
    Setting,
}

/// What a file name ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathRule {
    Extension(&'static str),
    /// Any extension, or the `/` of a folder.
    ExtensionOrFolder,
}

pub(super) const COMMANDS: [(&str, Arguments); 31] = [
    ("Alt", Arguments::AltOrShift),
    ("Backspace", Arguments::Key),
    ("Copy", Arguments::Strings),
    ("Ctrl", Arguments::Ctrl),
    ("Delete", Arguments::Key),
    ("Down", Arguments::Key),
    ("Enter", Arguments::Key),
    ("Env", Arguments::Env),
    ("Escape", Arguments::Key),
    ("Hide", Arguments::Nothing),
    ("Insert", Arguments::Key),
    ("Left", Arguments::Key),
    ("Output", Arguments::Path(PathRule::ExtensionOrFolder)),
    ("PageDown", Arguments::Key),
    ("PageUp", Arguments::Key),
    ("Paste", Arguments::Nothing),
    ("Require", Arguments::String),
    ("Right", Arguments::Key),
    ("Screenshot", Arguments::Path(PathRule::Extension(".png"))),
    ("ScrollDown", Arguments::Key),
    ("ScrollUp", Arguments::Key),
    ("Set", Arguments::Setting),
    ("Shift", Arguments::AltOrShift),
    ("Show", Arguments::Nothing),
    ("Sleep", Arguments::Time),
    ("Source", Arguments::Path(PathRule::Extension(".tape"))),
    ("Space", Arguments::Key),
    ("Tab", Arguments::Key),
    ("Type", Arguments::Type),
    ("Up", Arguments::Key),
    ("Wait", Arguments::Wait),
];

/// What the parser checks of the value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SettingValue {
    Any,
    Boolean,
    Color,
    Pattern,
    /// Any value, which a `%` can follow.
    Percentage,
    Time,
    /// Any value, which a unit other than `m` can follow.
    TypingSpeed,
    WindowBar,
}

pub(super) const SETTINGS: [(&str, SettingValue); 21] = [
    ("BorderRadius", SettingValue::Any),
    ("CursorBlink", SettingValue::Boolean),
    ("FontFamily", SettingValue::Any),
    ("FontSize", SettingValue::Any),
    ("Framerate", SettingValue::Any),
    ("Height", SettingValue::Any),
    ("LetterSpacing", SettingValue::Any),
    ("LineHeight", SettingValue::Any),
    ("LoopOffset", SettingValue::Percentage),
    ("Margin", SettingValue::Any),
    ("MarginFill", SettingValue::Color),
    ("Padding", SettingValue::Any),
    ("PlaybackSpeed", SettingValue::Any),
    ("Shell", SettingValue::Any),
    ("Theme", SettingValue::Any),
    ("TypingSpeed", SettingValue::TypingSpeed),
    ("WaitPattern", SettingValue::Pattern),
    ("WaitTimeout", SettingValue::Time),
    ("Width", SettingValue::Any),
    ("WindowBar", SettingValue::WindowBar),
    ("WindowBarSize", SettingValue::Any),
];

pub(super) const TIME_UNITS: [&str; 3] = ["ms", "s", "m"];
pub(super) const OTHER_UNITS: [&str; 2] = ["em", "px"];
pub(super) const BOOLEANS: [&str; 2] = ["true", "false"];
pub(super) const WINDOW_BARS: [&str; 4] = ["Colorful", "ColorfulRight", "Rings", "RingsRight"];
pub(super) const WAIT_SCOPES: [&str; 2] = ["Line", "Screen"];

/// The modifiers that can follow `Ctrl+`.
pub(super) const MODIFIERS_AFTER_CTRL: [&str; 2] = ["Alt", "Shift"];

/// The keys that can follow `Ctrl+`, apart from a string of one byte.
pub(super) const KEYS_AFTER_CTRL: [&str; 13] =
    ["Enter", "Space", "Backspace", "Left", "Right", "Up", "Down", "-", "@", "[", "]", "^", "\\"];

/// The keys that can follow `Alt+` and `Shift+`, apart from a string.
pub(super) const KEYS_AFTER_ALT_OR_SHIFT: [&str; 4] = ["Enter", "Tab", "[", "]"];

/// Other names of commands that are too different for [`nearest`].
pub(super) const SYNONYMS: [(&str, &str); 11] = [
    ("BS", "Backspace"),
    ("Control", "Ctrl"),
    ("Del", "Delete"),
    ("Esc", "Escape"),
    ("Ins", "Insert"),
    ("Meta", "Alt"),
    ("Option", "Alt"),
    ("PgDn", "PageDown"),
    ("PgUp", "PageUp"),
    ("Return", "Enter"),
    ("Write", "Type"),
];

pub(super) fn arguments_of(word: &str) -> Option<Arguments> {
    COMMANDS.iter().find(|(name, _)| *name == word).map(|(_, arguments)| *arguments)
}

pub(super) fn setting(word: &str) -> Option<SettingValue> {
    SETTINGS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

pub(super) fn is_keyword(word: &str) -> bool {
    // `End` is a token of VHS, but no command.
    word == "End"
        || arguments_of(word).is_some()
        || setting(word).is_some()
        || [&TIME_UNITS[..], &OTHER_UNITS, &BOOLEANS].iter().any(|words| words.contains(&word))
}

/// Returns whether `token` is a string, with or without quotes.
pub(super) fn is_string(token: &Token<'_>) -> bool {
    token.kind == Kind::Text || token.kind == Kind::Word && !is_keyword(token.raw)
}

/// Returns the extension of `path` with its dot, or an empty string.
pub(super) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rfind('.').map_or("", |dot| &name[dot..])
}

/// Returns `text` in quotes that don't occur in it.
pub(super) fn quote(text: &str) -> String {
    let quote = ['"', '\'', '`'].into_iter().find(|quote| !text.contains(*quote)).unwrap_or('"');
    format!("{quote}{text}{quote}")
}
