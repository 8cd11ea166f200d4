//! Tests of the check of VHS's grammar.

use super::grammar::{COMMANDS, SETTINGS};
use super::*;
use proptest::prelude::*;

const ACCEPTED: &[&str] = &[
    "",
    "# a comment",
    "#: key Home",
    "  # an indented comment",
    "Enter # a comment",
    "Enter\r\nTab\r\n",
    // Keys.
    "Backspace",
    "Delete",
    "Down",
    "Enter",
    "Escape",
    "Insert",
    "Left",
    "PageDown",
    "PageUp",
    "Right",
    "ScrollDown",
    "ScrollUp",
    "Space",
    "Tab",
    "Up",
    "Down 3",
    "Down 1.5",
    "Down@500ms",
    "Down@.5 3",
    "Down@ 1 s 3",
    "Down@1m 3",
    "Down 3 Enter Up@1s",
    "Down\n3",
    // Modifiers.
    "Ctrl+N",
    "Ctrl+n",
    "Ctrl+.",
    "Ctrl+Enter",
    "Ctrl+Space",
    "Ctrl+Backspace",
    "Ctrl+Left",
    "Ctrl+Right",
    "Ctrl+Up",
    "Ctrl+Down",
    "Ctrl+-",
    "Ctrl+@",
    "Ctrl+[",
    "Ctrl+]",
    "Ctrl+^",
    "Ctrl+\\",
    "Ctrl+\"1\"",
    "Ctrl+Alt",
    "Ctrl+Alt+X",
    "Ctrl+Shift+X",
    "Ctrl+Alt+Shift+X",
    "Ctrl+Shift+Alt+Left",
    "Ctrl+A+B",
    "Ctrl + A",
    "Alt+x",
    "Alt+X",
    "Alt+.",
    "Alt+Home",
    "Alt+Enter",
    "Alt+Tab",
    "Alt+[",
    "Alt+]",
    "Alt+\"1\"",
    "Shift+x",
    "Shift+Enter",
    "Shift+Tab",
    "Shift+[",
    "Shift+]",
    // Texts.
    "Type \"a # b\"",
    "Type 'a'",
    "Type `a`",
    "Type \"\"",
    "Type \"日本\"",
    "Type a-b_c.d/e%1 f",
    "Type \"a\" 'b' c",
    "Type \"a\"\n\"b\"",
    "Type \"a\" Enter",
    "Type@500ms \"a\"",
    "Type@1\"a\"",
    "Copy \"a\"",
    "Copy \"a\" b",
    "Paste",
    "Env NAME \"value\"",
    "Env \"NAME\" value",
    "Env Width \"1\"",
    "Env 1 \"1\"",
    "Require bash",
    "Require \"7z\"",
    "Hide",
    "Show",
    "Hide Show",
    // Files.
    "Screenshot a.png",
    "Screenshot \"01-a.png\"",
    "Screenshot ./a/b.png",
    "Output a.gif",
    "Output \"a.b/c.unknown\"",
    "Output a/",
    "Source a.tape",
    "Source \"a.tape\"",
    // Times.
    "Sleep 2",
    "Sleep 2s",
    "Sleep .5s",
    "Sleep 500ms",
    "Sleep 500 ms",
    "Sleep 1m",
    "Sleep 0",
    "Sleep 1.2.3",
    "Wait",
    "Wait /a/",
    "Wait /a\\/b # \\\\/ # c",
    "Wait+Line",
    "Wait+Screen",
    "Wait+Screen /a/",
    "Wait@5s",
    "Wait@5/a/",
    "Wait@1ms",
    "Wait@1m",
    "Wait+Line@1.5s /a/",
    "Wait + Screen @ 1 s /a/ Enter",
    // Settings.
    "Set BorderRadius 8",
    "Set CursorBlink true",
    "Set CursorBlink false",
    "Set FontFamily \"Fira Code\"",
    "Set FontSize 22",
    "Set Framerate 60",
    "Set Height 600",
    "Set LetterSpacing 1",
    "Set LineHeight 1.2",
    "Set LoopOffset 20",
    "Set LoopOffset 20.5%",
    "Set Margin 60",
    "Set MarginFill \"#6b50ff\"",
    "Set MarginFill \"wallpaper.png\"",
    "Set Padding 0",
    "Set PlaybackSpeed 0.5",
    "Set Shell bash",
    "Set Shell \"bash\"",
    "Set Theme Dracula",
    "Set Theme { \"name\": \"x\",\n\"black\": \"#000000\" }",
    "Set TypingSpeed 50ms",
    "Set TypingSpeed 0.1",
    "Set TypingSpeed 1s",
    "Set WaitPattern /a/",
    "Set WaitPattern \"a\"",
    "Set WaitTimeout 5",
    "Set WaitTimeout 500ms",
    "Set WaitTimeout 5m",
    "Set Width\n1200",
    "Set WindowBar \"\"",
    "Set WindowBar Colorful",
    "Set WindowBar ColorfulRight",
    "Set WindowBar \"Rings\"",
    "Set WindowBar RingsRight",
    "Set WindowBarSize 40",
];

const REFUSED: &[(&str, usize, usize, &str)] = &[
    // Commands.
    ("Enter\nHome", 2, 1, "no command `Home`; write the line `#: key Home`"),
    ("Type \"v\"\nHome", 2, 1, "`#: key Home`"),
    ("End", 1, 1, "`#: key End`"),
    ("\tF1", 1, 2, "`#: key F1`"),
    ("F13", 1, 1, "no command `F13`"),
    ("Entr 3", 1, 1, "did you mean Enter?"),
    ("enter", 1, 1, "did you mean Enter?"),
    ("Type \"a\"\nEntr", 2, 1, "did you mean Enter?"),
    ("Esc", 1, 1, "did you mean Escape?"),
    ("Control+N", 1, 1, "did you mean Ctrl?"),
    ("Shfit+Tab", 1, 1, "did you mean Shift?"),
    ("Width 1200", 1, 1, "write Set Width"),
    ("hello", 1, 1, "write Type \"hello\""),
    ("\"hello\"", 1, 1, "write Type \"hello\""),
    ("ls -l", 1, 1, "write Type \"ls\""),
    ("3", 1, 1, "VHS expects a command here, not `3`"),
    ("true", 1, 1, "VHS has no command `true`"),
    ("{}", 1, 1, "VHS expects a command here"),
    ("Type \"é\" Enter é", 1, 16, "VHS expects a command here, not `é`"),
    ("\u{feff}Enter", 1, 1, "byte order mark"),
    ("Enter\n# a\0b", 2, 4, "NUL"),
    ("# a\rHome", 1, 5, "`#: key Home`"),
    // Keys.
    ("Down 2s", 1, 7, "a count has no unit"),
    ("Down@", 1, 5, "@ needs a time"),
    ("Down@fast", 1, 6, "@ needs a time, such as 500ms, 2s, or 1m, not `fast`"),
    ("Down -1", 1, 6, "VHS expects a command here, not `-1`"),
    ("Down 3 3", 1, 8, "VHS expects a command here"),
    ("Down+Up", 1, 5, "VHS expects a command here"),
    // Modifiers.
    ("Ctrl", 1, 1, "Ctrl needs a + and a key"),
    ("Ctrl N", 1, 6, "Ctrl needs a + and a key, such as Ctrl+N, not `N`"),
    ("Ctrl+", 1, 5, "needs a key"),
    ("Ctrl+\nEnter", 1, 5, "needs a key"),
    ("Ctrl+PageDown", 1, 6, "`#: key Ctrl+PageDown`"),
    ("Ctrl+Tab", 1, 6, "`#: key Ctrl+Tab`"),
    ("Ctrl+Escape", 1, 6, "`#: key Ctrl+Escape`"),
    ("Ctrl+1", 1, 6, "`#: key Ctrl+1`"),
    ("Ctrl+/", 1, 6, "`#: key Ctrl+/`"),
    ("Ctrl+_", 1, 6, "`#: key Ctrl+_`"),
    ("Ctrl+s", 1, 6, "write a capital S"),
    ("Ctrl+m", 1, 6, "write a capital M"),
    ("Ctrl+\"é\"", 1, 6, "doesn't take `\"é\"` after Ctrl+"),
    ("Ctrl+AB", 1, 6, "doesn't take `AB` after Ctrl+"),
    ("Ctrl++", 1, 6, "doesn't take `+`"),
    ("Ctrl+A+Alt", 1, 8, "write Alt before the key"),
    ("Ctrl+Alt+Delete", 1, 10, "`#: key Ctrl+Alt+Delete`"),
    ("Ctrl+Ctrl+A", 1, 6, "doesn't take `Ctrl+A` after Ctrl+"),
    ("Ctrl+N 2", 1, 8, "can't repeat Ctrl+N"),
    ("Ctrl+N@1s", 1, 7, "takes no time"),
    ("Alt", 1, 1, "Alt needs a + and a key"),
    ("Alt+", 1, 4, "needs a key"),
    ("Alt+1", 1, 5, "`#: key Alt+1`"),
    ("Alt+s", 1, 5, "`#: key Alt+s`"),
    ("Alt+Left", 1, 5, "`#: key Alt+Left`"),
    ("Alt+Shift+x", 1, 5, "`#: key Alt+Shift+x`"),
    ("Alt+x+y", 1, 6, "only one key"),
    ("Shift+Up", 1, 7, "`#: key Shift+Up`"),
    ("Shift+Tab 2", 1, 11, "can't repeat Shift+Tab"),
    // Texts.
    ("Type", 1, 1, "Type needs text, such as Type \"text\""),
    ("Type\nEnter", 1, 1, "Type needs text"),
    ("Type # a", 1, 1, "Type needs text"),
    ("Type 123", 1, 6, "reads `123` as a number; write Type \"123\""),
    ("Type Enter", 1, 6, "reads `Enter` as a keyword"),
    ("Type /a", 1, 6, "as a regular expression; write Type \"/a\""),
    ("Type -l", 1, 6, "write Type \"-l\""),
    ("Type@fast \"a\"", 1, 6, "@ needs a time"),
    ("Type \"日本\" é", 1, 11, "ends before `é`"),
    ("Type hello, world", 1, 11, "ends before `,`"),
    ("Type \"hello", 1, 6, "no closing \""),
    ("Type \"hello\nEnter", 1, 6, "no closing \""),
    ("Enter \"hello", 1, 7, "no closing \""),
    ("Type 'hello\"", 1, 6, "no closing '"),
    ("Copy", 1, 1, "Copy needs text"),
    ("Copy@1s \"a\"", 1, 5, "Copy takes no time"),
    ("Paste \"a\"", 1, 7, "Paste takes no argument"),
    ("Hide@1s", 1, 5, "Hide takes no argument"),
    ("Env", 1, 1, "needs the name of a variable"),
    ("Env NAME", 1, 1, "Env NAME needs a value"),
    ("Env _NAME \"1\"", 1, 5, "not `_NAME`"),
    ("Env NAME=1", 1, 9, "takes no ="),
    ("Env NAME 1", 1, 10, "write Env NAME \"1\""),
    ("Env NAME true", 1, 10, "write Env NAME \"true\""),
    ("Require", 1, 1, "Require needs a string"),
    ("Require 7z", 1, 9, "write Require \"7z\""),
    // Files.
    ("Screenshot", 1, 1, "such as Screenshot \"name.png\""),
    ("Screenshot 01-a.png", 1, 12, "reads `01` as a number; write Screenshot \"01-a.png\""),
    ("Screenshot \"a.jpg\"", 1, 12, "ends in .png, not `a.jpg`"),
    ("Screenshot a.PNG", 1, 12, "ends in .png"),
    ("Screenshot a", 1, 12, "ends in .png"),
    ("Screenshot a.png/b", 1, 12, "ends in .png"),
    ("Screenshot a+b.png", 1, 12, "reads only `a` as the file name; write Screenshot \"a+b.png\""),
    ("Screenshot /tmp/a.png", 1, 12, "write Screenshot \"/tmp/a.png\""),
    ("Screenshot a.png b", 1, 18, "ends before `b`"),
    ("Output", 1, 1, "Output needs a file name"),
    ("Output a", 1, 8, "a folder that ends in /"),
    ("Output a.b/c", 1, 8, "a folder that ends in /"),
    ("Output 1.gif", 1, 8, "write Output \"1.gif\""),
    ("Output \"\"", 1, 8, "a file name with an extension"),
    ("Source", 1, 1, "Source needs a file name"),
    ("Source a.txt", 1, 8, "ends in .tape"),
    // Times.
    ("Sleep", 1, 1, "Sleep needs a time, such as 500ms, 2s, or 1m"),
    ("Sleep\nEnter", 1, 1, "Sleep needs a time"),
    ("Sleep soon", 1, 7, "not `soon`"),
    ("Sleep -1s", 1, 7, "not `-1s`"),
    ("Sleep \"2s\"", 1, 7, "needs a time"),
    ("Sleep 1h", 1, 8, "no unit of time `h`"),
    ("Wait+Scren", 1, 6, "write Wait+Screen"),
    ("Wait+", 1, 5, "write Wait+Line or Wait+Screen"),
    ("Wait+Page", 1, 6, "write Wait+Line or Wait+Screen"),
    ("Wait+Screen/a/", 1, 6, "a space between Wait+Screen and"),
    ("Wait/a/", 1, 1, "Wait /a/"),
    ("Wait@0s", 1, 6, "more than 0, not 0s"),
    ("Wait@0.0000000001 /a/", 1, 6, "more than 0"),
    ("Wait@1.2.3s", 1, 6, "needs a time"),
    ("Wait@ /a/", 1, 7, "@ needs a time"),
    ("Wait \"a\"", 1, 6, "between slashes, such as /a/"),
    ("Wait /a", 1, 6, "no closing /"),
    ("Wait /a\\/", 1, 6, "no closing /"),
    ("Wait+Screen /(/", 1, 13, "a ( has no closing )"),
    // Settings.
    ("Set", 1, 1, "Set needs a setting"),
    ("Set Colour red", 1, 5, "no setting `Colour`; the settings are BorderRadius,"),
    ("Set FontFamly \"x\"", 1, 5, "did you mean FontFamily?"),
    ("Set \"Width\" 1", 1, 5, "did you mean Width?"),
    ("Set Width", 1, 5, "Set Width needs a value"),
    ("Set Width\nEnter", 1, 5, "Set Width needs a value"),
    ("Set MarginFill #6b50ff", 1, 16, "write Set MarginFill \"#6b50ff\""),
    ("Set MarginFill \"#fff\"", 1, 16, "six hexadecimal digits"),
    ("Set MarginFill \"#gggggg\"", 1, 16, "six hexadecimal digits"),
    ("Set CursorBlink yes", 1, 17, "neither true nor false"),
    ("Set CursorBlink \"true\"", 1, 17, "without quotes"),
    ("Set WindowBar Ring", 1, 15, "did you mean Rings?"),
    ("Set WindowBar None", 1, 15, "write one of Colorful"),
    ("Set TypingSpeed 1m", 1, 18, "no unit `m`; write ms or s"),
    ("Set WaitTimeout soon", 1, 17, "needs a time"),
    ("Set WaitTimeout 1h", 1, 18, "no unit of time `h`"),
    ("Set WaitPattern /a**/", 1, 17, "follows another repetition"),
    ("Set WaitPattern \"a(\"", 1, 17, "a ( has no closing )"),
    ("Set Padding 5px", 1, 14, "this setting has no unit"),
    ("Set LoopOffset 20%%", 1, 19, "ends before `%`"),
    ("Set FontFamily é", 1, 16, "write Set FontFamily \"é\""),
    ("Set FontFamily Fira Code", 1, 21, "ends before `Code`"),
    ("Set Theme {\n\"a\": {}}", 2, 8, "VHS expects a command here"),
    ("Set Theme { \"a\": 1", 1, 11, "no closing }"),
];

#[test]
fn every_form_of_the_grammar_is_accepted() {
    for text in ACCEPTED {
        assert_eq!(check(text), [], "{text}");
    }
    let together: Vec<&str> = ACCEPTED.iter().copied().filter(|text| !text.contains('\n')).collect();
    assert_eq!(check(&together.join("\n")), []);
}

#[test]
fn every_command_and_setting_is_in_the_accepted_lines() {
    let has = |start: &str| ACCEPTED.iter().any(|text| text.starts_with(start));
    assert!(COMMANDS.iter().all(|(name, _)| has(name)));
    assert!(SETTINGS.iter().all(|(name, _)| has(&format!("Set {name}"))));
}

#[test]
fn errors_name_the_place_and_the_fix() {
    for (text, line, column, part) in REFUSED {
        let errors = check(text);
        let [error] = &errors[..] else { panic!("{text}: {errors:?}") };
        assert_eq!((error.line, error.column), (*line, *column), "{text}: {error}");
        assert!(error.problem.contains(part), "{text}: {error}");
    }
}

#[test]
fn tapes_of_the_program_are_accepted() {
    for text in
        [include_str!("../../../../assets/tapes/method-1.tape"), include_str!("../../../../assets/tapes/method-2.tape")]
    {
        assert_eq!(check(text), []);
    }
}

proptest! {
    #[test]
    fn checker_never_panics(text in "[ -~\n\r\0\u{e9}#/\"\\\\@+]{0,80}") {
        check(&text);
    }

    #[test]
    fn checker_never_panics_on_likely_tapes(
        words in prop::collection::vec(prop::sample::select(vec![
            "Type", "Ctrl", "Alt", "Wait", "Set", "Screen", "Env", "Sleep", "Theme", "+", "@", " ", "\n", "1", "s",
            "\"", "'a'", "/a/", "/(?", "{", "}", "#", "\\", "é", ".png", "Screenshot", "WaitPattern", "MarginFill",
        ]), 0..20),
    ) {
        for error in check(&words.concat()) {
            prop_assert!(error.line >= 1 && error.column >= 1 && !error.problem.is_empty());
        }
    }

    #[test]
    fn pattern_check_never_panics(pattern in "[a-zA-Z0-9(){}\\[\\]\\\\*+?|^$.,:<>é-]{0,30}") {
        let _ = regexp::check(&pattern);
    }
}
