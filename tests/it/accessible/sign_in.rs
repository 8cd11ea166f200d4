//! Signing in with an MFA code, in a terminal.

use crate::endpoint::ServedAws;
use crate::pty::Console;
use crate::sign_in::{current_mfa_code, wrong_mfa_code};

#[test]
fn mfa_code_is_asked_for_and_never_shown() {
    let aws = ServedAws::start();
    let [config, credentials] = aws.files();
    let script = format!(
        "AWS_CONFIG_FILE='{}' AWS_SHARED_CREDENTIALS_FILE='{}' \"$XKS\" --accessible --endpoint-url {} --profile BreakGlass",
        config.display(),
        credentials.display(),
        aws.url
    );
    let mut console = Console::shell(&script, aws.dir.path(), &[]);
    let device = aws.bundled.mfa_device().unwrap().serial;
    console.wait_for_wrapped(&format!("MFA code for {device}, profile BreakGlass:"));
    let wrong = wrong_mfa_code(&aws);
    console.send(&format!("{wrong}\n"));
    // The next code can be typed before the next question.
    console.wait_for_wrapped("with invalid MFA");
    let code = current_mfa_code(&aws);
    console.send(&format!("{code}\n"));
    console.wait_for("Choose an entry:");
    console.send("quit\n");
    let (exit_code, written) = console.wait_for_exit();
    assert_eq!(exit_code, 0, "{written}");
    assert!(!written.contains(&code) && !written.contains(&wrong), "{written}");
    assert!(!written.contains('\u{1b}'), "{written:?}");
    // Other answers are shown by the terminal.
    assert!(written.contains("Choose an entry: quit"), "{written}");
}
