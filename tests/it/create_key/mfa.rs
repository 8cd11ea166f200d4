//! `create-key` without a screen, with a profile that requires an MFA code.

use std::process::{Command, Stdio};

use crate::account::block_on;
use crate::endpoint::ServedAws;
use crate::pty::Console;
use crate::sign_in::{current_mfa_code, wrong_mfa_code};

/// Returns the `sh` command that creates a key with that profile.
fn command(aws: &ServedAws) -> String {
    let [config, credentials] = aws.files();
    format!(
        "AWS_CONFIG_FILE='{}' AWS_SHARED_CREDENTIALS_FILE='{}' \"$XKS\" create-key --endpoint-url {} --profile BreakGlass \
         --alias reports --origin AWS_KMS --yes",
        config.display(),
        credentials.display(),
        aws.url
    )
}

/// Runs the command in a terminal, with its three streams redirected so that only the terminal can show a prompt.
fn run_in_terminal(aws: &ServedAws) -> Console {
    let dir = aws.dir.path();
    let script = format!("{} < /dev/null > out 2> err; echo $? > code", command(aws));
    Console::shell(&format!("cd '{}'; {script}", dir.display()), dir, &[])
}

fn read_output(aws: &ServedAws, name: &str) -> String {
    std::fs::read_to_string(aws.dir.path().join(name)).unwrap()
}

fn is_created(aws: &ServedAws) -> bool {
    block_on(aws.other_client().collect_aliases()).unwrap().iter().any(|alias| alias.alias_name == "alias/reports")
}

#[test]
fn mfa_code_is_read_from_the_terminal_and_requested_again_after_a_wrong_code() {
    let aws = ServedAws::start();
    let mut console = run_in_terminal(&aws);
    let device = aws.bundled.mfa_device().unwrap().serial;
    console.wait_for_wrapped(&format!("Enter the MFA code for {device}, profile BreakGlass:"));
    console.send("12x\n");
    console.wait_for_wrapped("must have at least 6 characters");
    console.send(&format!("{}\n", wrong_mfa_code(&aws)));
    console.wait_for_wrapped("with invalid MFA");
    let code = current_mfa_code(&aws);
    console.send(&format!("{} {}\n", &code[..3], &code[3..]));
    console.wait_for_exit();
    assert_eq!((read_output(&aws, "code").as_str(), read_output(&aws, "err").as_str()), ("0\n", ""));
    let key: serde_json::Value = serde_json::from_str(&read_output(&aws, "out")).unwrap();
    assert_eq!(key["KeyMetadata"]["Origin"], "AWS_KMS");
    assert!(is_created(&aws));
}

#[test]
fn three_wrong_mfa_codes_or_end_of_input_fail() {
    for (answers, words) in [(3, "with invalid MFA"), (0, "MFA device")] {
        let aws = ServedAws::start();
        let mut console = run_in_terminal(&aws);
        for _ in 0..answers {
            console.wait_for_wrapped("profile BreakGlass:");
            console.send(&format!("{}\n", wrong_mfa_code(&aws)));
        }
        if answers == 0 {
            console.wait_for_wrapped("profile BreakGlass:");
            console.send("\x04");
        }
        console.wait_for_exit();
        assert_eq!((read_output(&aws, "code").as_str(), read_output(&aws, "out").as_str()), ("1\n", ""));
        let stderr = read_output(&aws, "err");
        assert!(
            stderr.contains("couldn't get credentials from the profile BreakGlass") && stderr.contains(words),
            "{stderr}"
        );
        assert!(!is_created(&aws));
    }
}

#[test]
fn without_a_terminal_the_error_explains_how_to_sign_in() {
    let aws = ServedAws::start();
    // A new session has no terminal.
    let output = Command::new("setsid")
        .args(["-w", "sh", "-c", &command(&aws)])
        .env("XKS", env!("CARGO_BIN_EXE_xks-console"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
    assert!(stderr.contains("aws configure export-credentials --profile BreakGlass"), "{stderr}");
    assert!(!is_created(&aws));
}
