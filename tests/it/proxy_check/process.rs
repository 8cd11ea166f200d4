//! The program itself.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{Lab, all_keys, faults, faulty::Faulty};

/// A home that nothing must be written into.
struct Home(tempfile::TempDir);

impl Home {
    fn run(&self, words: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["proxy", "check", "--requests", "2"])
            .args(words)
            .env_clear()
            .env("HOME", self.0.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who needs no input may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_command_sets_exit_codes_prints_no_secrets_and_writes_no_files() {
    let (lab, home, dir) = (Lab::new(), Home(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
    let endpoint = format!("http://{}", lab.serve(None).await);
    let (_, _, fault) = faults::FAULTS.iter().find(|(name, ..)| *name == "tells the right signature").unwrap();
    let faulty = format!("http://{}", Faulty::serve(&lab, *fault, false).await);
    let checked = tokio::task::spawn_blocking(move || checks(&lab, &home, dir.path(), &endpoint, &faulty));
    checked.await.unwrap();
}

fn checks(lab: &Lab, home: &Home, dir: &Path, endpoint: &str, faulty: &str) {
    let file = lab.write(dir);
    let secret = lab.credential.secret_access_key.expose();
    let secret_file = dir.join("secret");
    std::fs::write(&secret_file, format!("{secret}\n")).unwrap();
    let id = lab.credential.access_key_id.as_str();
    let by_file = [&["--endpoint", endpoint, "--configuration", &file][..], &all_keys()].concat();
    let by_hand =
        [&["--endpoint", endpoint, "--path", "/lab/kms/xks/v1", "--access-key", id][..], &all_keys()].concat();
    let with_secret_file = [&by_hand[..], &["--secret-file", secret_file.to_str().unwrap()]].concat();
    let with_faulty: Vec<&str> = by_file.iter().map(|word| if *word == endpoint { faulty } else { word }).collect();
    let verbose = [&by_file[..], &["--verbose"]].concat();
    let nobody =
        by_file.iter().map(|word| if *word == endpoint { "http://127.0.0.1:1" } else { word }).collect::<Vec<_>>();
    let no_path: Vec<&str> = by_hand.iter().map(|word| if word.starts_with("/lab") { "lab" } else { word }).collect();
    let variable = [("XKS_PROXY_SECRET_ACCESS_KEY", secret)];
    for (words, environment, input, code, expected) in [
        (&by_file, &[][..], "", 0, "does all that"),
        (&verbose, &[], "", 0, "signed over host, x-amz-date"),
        (&with_secret_file, &[], "", 0, "does all that"),
        (&by_hand, &variable, "", 0, "does all that"),
        (&by_hand, &[], secret, 0, "does all that"),
        (&by_hand, &[], "", 1, "there is no secret access key"),
        (&with_faulty, &[], "", 1, "✗ FAIL  MUST    A refusal doesn't tell the signature"),
        (&nobody, &[], "", 1, "can't be reached: nothing takes connections at 127.0.0.1:1"),
        (&vec!["--endpoint", endpoint], &[], "", 2, "--key"),
        (&vec!["--endpoint", "http://xks.example.com", "--key", "k"], &[], "", 2, "this machine"),
        (&[&by_file[..], &["--key", "a/b"]].concat(), &[], "", 2, "--key"),
        (&no_path, &variable, "", 1, "is no URI path"),
        (&[&by_file[..], &["--path", "/x"]].concat(), &[], "", 2, "cannot be used with"),
    ] {
        let output = home.run(words, environment, input);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{said}");
        assert!(said.contains(expected), "{words:?}\n{said}");
        assert!(!said.contains(secret) && !said.contains('\u{1b}'), "{words:?}\n{said}");
        let is_empty = std::fs::read_dir(home.0.path()).unwrap().next().is_none();
        assert!(is_empty, "an account was made by {words:?}");
    }
}
