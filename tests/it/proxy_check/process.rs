//! `xks-console proxy check` as a process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{TestProxy, faults, faulty_proxy::FaultyProxy, key_options};

/// A home directory that must stay empty.
struct EmptyHome(tempfile::TempDir);

impl EmptyHome {
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["proxy", "check", "--requests", "2"])
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that needs no input may have exited already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn combined_output(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_command_sets_exit_codes_prints_no_secrets_and_writes_no_files() {
    let (lab, home, dir) = (TestProxy::new(), EmptyHome(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
    let endpoint = format!("http://{}", lab.serve(None).await);
    let (_, _, fault) = faults::FAULTS.iter().find(|(name, ..)| *name == "reveals the expected signature").unwrap();
    let faulty = format!("http://{}", FaultyProxy::serve(&lab, *fault, false).await);
    let checked =
        tokio::task::spawn_blocking(move || assert_exit_codes_and_output(&lab, &home, dir.path(), &endpoint, &faulty));
    checked.await.unwrap();
}

fn assert_exit_codes_and_output(lab: &TestProxy, home: &EmptyHome, dir: &Path, endpoint: &str, faulty: &str) {
    let file = lab.write_configuration(dir);
    let secret = lab.credential.secret_access_key.expose();
    let secret_file = dir.join("secret");
    std::fs::write(&secret_file, format!("{secret}\n")).unwrap();
    let id = lab.credential.access_key_id.as_str();
    let with_file = [&["--endpoint", endpoint, "--configuration", &file][..], &key_options()].concat();
    let with_options =
        [&["--endpoint", endpoint, "--path", "/lab/kms/xks/v1", "--access-key", id][..], &key_options()].concat();
    let with_secret_file = [&with_options[..], &["--secret-file", secret_file.to_str().unwrap()]].concat();
    let with_faulty: Vec<&str> = with_file.iter().map(|word| if *word == endpoint { faulty } else { word }).collect();
    let verbose = [&with_file[..], &["--verbose"]].concat();
    let unreachable =
        with_file.iter().map(|word| if *word == endpoint { "http://127.0.0.1:1" } else { word }).collect::<Vec<_>>();
    let with_invalid_path: Vec<&str> =
        with_options.iter().map(|word| if word.starts_with("/lab") { "lab" } else { word }).collect();
    let secret_variable = [("XKS_PROXY_SECRET_ACCESS_KEY", secret)];
    for (arguments, environment, input, code, expected) in [
        (&with_file, &[][..], "", 0, "meets every requirement that was checked"),
        (&verbose, &[], "", 0, "signed over host, x-amz-date"),
        (&with_secret_file, &[], "", 0, "meets every requirement that was checked"),
        (&with_options, &secret_variable, "", 0, "meets every requirement that was checked"),
        (&with_options, &[], secret, 0, "meets every requirement that was checked"),
        (&with_options, &[], "", 1, "the secret access key is missing"),
        (&with_faulty, &[], "", 1, "✗ FAIL  MUST    The proxy doesn't reveal the correct signature"),
        (&unreachable, &[], "", 1, "couldn't reach the proxy at http://127.0.0.1:1: couldn't connect to 127.0.0.1:1"),
        (&vec!["--endpoint", endpoint], &[], "", 2, "--key"),
        (&vec!["--endpoint", "http://xks.example.com", "--key", "k"], &[], "", 2, "this machine"),
        (&[&with_file[..], &["--key", "a/b"]].concat(), &[], "", 2, "--key"),
        (&with_invalid_path, &secret_variable, "", 1, "invalid URI path"),
        (&[&with_file[..], &["--path", "/x"]].concat(), &[], "", 2, "cannot be used with"),
    ] {
        let output = home.run(arguments, environment, input);
        let output_text = combined_output(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{output_text}");
        assert!(output_text.contains(expected), "{arguments:?}\n{output_text}");
        assert!(!output_text.contains(secret) && !output_text.contains('\u{1b}'), "{arguments:?}\n{output_text}");
        let is_empty = std::fs::read_dir(home.0.path()).unwrap().next().is_none();
        assert!(is_empty, "{arguments:?} created files");
    }
}
