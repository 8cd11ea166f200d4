//! Tapes that are played on the program in a pseudo-terminal.

use xks_console::flow::pty::PtyConsole;
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};

fn start() -> PtyConsole {
    PtyConsole::on_bundled(env!("CARGO_BIN_EXE_xks-console").into(), "default", (80, 24), Vec::new(), None).unwrap()
}

fn play(name: &str, text: &str, console: &mut PtyConsole) {
    let tape = Tape::parse(name, text).unwrap();
    tape::play(&tape, console, &mut |_, _| Ok(())).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn method_1_creates_a_key() {
    let mut console = start();
    let mut screenshots = Vec::new();
    let tape = Tape::parse("method-1.tape", include_str!("../../assets/tapes/method-1.tape")).unwrap();
    let played = tape::play(&tape, &mut console, &mut |name, _| {
        screenshots.push(name.to_owned());
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(screenshots, tape.screenshots().collect::<Vec<_>>());
    let expectations = r##"
#: let key kms:ListAliases .Aliases[.AliasName == "alias/payments"].TargetKeyId
#: expect kms:DescribeKey {"KeyId": "${key}"} .KeyMetadata.Description == "Card payments, under our own HSM"
#: expect kms:DescribeKey {"KeyId": "${key}"} .KeyMetadata.XksKeyConfiguration.Id == "payments-2026"
#: expect style "Cryptography" reversed
"##;
    play("expectations.tape", expectations, &mut console);
    assert!(!console.has_exited());
}

/// The part of a tape that opens the wizard.
const OPEN_WIZARD: &str = r"
Wait+Screen /External key stores \(4\)/
# The key policy needs the account ID.
Wait+Screen /111122223333/
Down
Enter
Wait+Screen /General configuration/
Enter
Wait+Screen /Configure key/
";

#[test]
fn escape_before_another_key_is_not_a_key_with_alt() {
    let mut console = start();
    let text = r##"
Wait+Screen /External key stores \(4\)/
#: key F1
Wait+Screen /Keyboard shortcuts/
Escape
Type "/"
Type "oslo"
#: expect no screen /Keyboard shortcuts/
Wait+Screen /oslo/
"##;
    play("escape.tape", text, &mut console);
}

#[test]
fn pastes_and_resizes_reach_the_console() {
    let mut console = start();
    play("wizard.tape", OPEN_WIZARD, &mut console);
    // Without bracketed paste, the line break would be Enter.
    console.paste("payments-2026\n");
    play("paste.tape", "Wait+Screen /payments-2026/\nTab\nWait+Screen /Press Space to select/", &mut console);
    console.resize((120, 40)).unwrap();
    play("resize.tape", "Wait+Screen /payments-2026/", &mut console);
    assert_eq!(console.frame().area.width, 120);
}

#[test]
fn console_that_exits_is_noticed() {
    let mut console = start();
    play("exit.tape", "Wait+Screen /External key stores/\nCtrl+C\nSleep 5s", &mut console);
    assert_eq!(console.exit_code(), Some(0));
}
