//! `xks-console completions`, `man`, and `version` as processes, and the completions that shells request.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xks-console");
const VARIABLE: &str = "XKS_CONSOLE_COMPLETE";

fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env("HOME", home).stdin(Stdio::null()).env_remove(VARIABLE);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
        command.env_remove(name);
    }
    command
}

fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    text(&command(PROGRAM, home).args(arguments).output().unwrap())
}

/// A home directory with an account and AWS profiles.
fn home_with_names() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let profiles =
        "[default]\n[profile work]\nregion = eu-west-1\nrole_arn = r\nsource_profile = default\n[profile wide]\n";
    std::fs::write(home.path().join(".aws/config"), profiles).unwrap();
    assert_eq!(run(home.path(), &["list-stores"]).0, 0);
    home
}

/// Requests completions of the last word, as the script of a shell does.
fn complete(shell: &str, home: &Path, words: &[&str]) -> Vec<String> {
    let mut request = command(PROGRAM, home);
    request.env(VARIABLE, shell).arg("--").arg("xks-console").args(words);
    request.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    let (code, out, notes) = text(&request.output().unwrap());
    assert_eq!((code, notes.as_str()), (0, ""), "{words:?}");
    out.lines().map(str::to_owned).collect()
}

#[test]
fn zsh_and_fish_get_values_with_descriptions() {
    let home = home_with_names();
    for (shell, separator) in [("zsh", ":"), ("fish", "\t")] {
        let values = |words: &[&str]| complete(shell, home.path(), words);
        let with = |value: &str, help: &str| format!("{value}{separator}{help}");
        assert_eq!(values(&["--aws", "--profile", "w"]), ["wide".to_owned(), with("work", "role eu-west-1")]);
        assert_eq!(values(&["list-keys", "--region", "eu-south-1"]), [with("eu-south-1", "Milan")]);
        let keys = values(&["show-key", "cust"]);
        assert!(keys.len() == 1 && keys[0].starts_with(&with("customer-db", "")), "{keys:?}");
        let stores = values(&["list-keys", "--store", "Frank"]);
        assert!(stores.len() == 1 && stores[0].starts_with(&with("Frankfurt HSM", "cks-")), "{stores:?}");
        assert_eq!(values(&["create-key", "--custom-key-store-id", "Frank"]), stores);
        assert!(values(&["open", "cks-"]).len() == 4 && values(&["show-key", "cks-"]).is_empty());
        assert!(values(&["open", "--aws", "cust"]).is_empty(), "another AWS isn't called");
        assert!(values(&["list-keys", "--status", "dis"])[0].starts_with("disabled"));
        assert!(values(&["list-k"])[0].starts_with(&with("list-keys", "List the KMS keys")));
    }
}

#[test]
fn completions_never_create_an_account() {
    let home = tempfile::tempdir().unwrap();
    for words in [&["open", ""][..], &["--data-dir", "new", "open", ""], &["list-keys", "--store", ""]] {
        complete("fish", home.path(), words);
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn bash_script_completes_words() {
    let home = home_with_names();
    let script = r#"
        set -eu
        PATH="$PROGRAM_DIR:$PATH"
        source <(xks-console completions bash)
        complete -p xks-console | grep -q _clap_complete_xks_console
        for word in "$@"; do
            COMP_WORDS=(xks-console ${word%|*} "${word##*|}") COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
            _clap_complete_xks_console xks-console "${word##*|}" "" 2> /dev/null
            printf '%s;' "${COMPREPLY[@]}"
            echo
        done"#;
    let lines =
        ["|vers", "show-key|cust", "list-keys --store|Frank", "--aws --profile|wo", "--data-dir|.lo", "open|alias/c"];
    let mut bash = command("bash", home.path());
    bash.env("PROGRAM_DIR", Path::new(PROGRAM).parent().unwrap()).args(["--norc", "-c", script, "bash"]).args(lines);
    let output = match bash.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        output => text(&output.unwrap()),
    };
    let expected =
        ["version;", "customer-db;", "Frankfurt\\ HSM;", "work;", ".local/;", "alias/ci-artifacts;alias/customer-db;"];
    assert_eq!(output.1.lines().collect::<Vec<_>>(), expected, "{output:?}");
}

#[test]
fn scripts_say_how_to_install_them() {
    let home = tempfile::tempdir().unwrap();
    for (shell, file) in [("bash", "~/.bashrc"), ("zsh", "~/.zshrc"), ("fish", "~/.config/fish/config.fish")] {
        let (code, script, _) = run(home.path(), &["completions", shell]);
        assert!(code == 0 && script.contains(&format!("add this line to {file}")), "{script}");
        assert!(script.contains(&format!("{VARIABLE}={shell}")) || script.contains(&format!("{VARIABLE}=\"{shell}\"")));
        assert!(!script.contains(PROGRAM) && !script.contains(env!("CARGO_MANIFEST_DIR")), "{script}");
    }
    assert_eq!(run(home.path(), &["completions", "tcsh"]).0, 2);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn manual_pages_are_printed_and_written() {
    let home = tempfile::tempdir().unwrap();
    let (code, page, _) = run(home.path(), &["man"]);
    assert!(code == 0 && page.contains(".SH KEYS"), "{page}");
    let (_, check, _) = run(home.path(), &["man", "proxy", "check"]);
    assert!(check.contains(".TH \"xks-console-proxy-check\" \"1\" "), "{check}");
    let (code, _, notes) = run(home.path(), &["man", "opne"]);
    assert!(code == 1 && notes.contains("no command \"opne\"") && notes.contains("list-keys"), "{notes}");
    assert_eq!(run(home.path(), &["man", "open", "--dir", "d"]).0, 2);
    let (code, out, notes) = run(home.path(), &["man", "--dir", "pages/man1"]);
    assert!(code == 0 && out.is_empty() && notes.contains("were written to pages/man1"), "{notes}");
    let written = std::fs::read_to_string(home.path().join("pages/man1/xks-console-proxy-check.1")).unwrap();
    assert_eq!(written, check);
    for page in [page, written] {
        assert_formats(&page, home.path());
    }
}

/// Formats a page with groff, if the machine has it.
fn assert_formats(page: &str, home: &Path) {
    std::fs::write(home.join("page.1"), page).unwrap();
    let mut groff = command("groff", home);
    let output = match groff.args(["-man", "-Tutf8", "-Kutf8", "-ww", "-z", "page.1"]).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        output => text(&output.unwrap()),
    };
    assert_eq!(output, (0, String::new(), String::new()));
}

#[test]
fn version_option_is_one_line_and_the_command_has_details() {
    let home = tempfile::tempdir().unwrap();
    let short = format!("xks-console {}\n", env!("CARGO_PKG_VERSION"));
    for option in ["--version", "-V"] {
        assert_eq!(run(home.path(), &[option]).1, short);
    }
    let (code, long, _) = run(home.path(), &["version"]);
    assert!(code == 0 && long.starts_with(&short), "{long}");
    for name in ["Commit:", "Commit date:", "Target:", "Features:", "rustls:", "aws-lc-rs:"] {
        assert!(long.lines().any(|line| line.starts_with(name) && line.len() > 13), "{name} {long}");
    }
    assert!(!long.contains(env!("CARGO_MANIFEST_DIR")), "{long}");
    let json: Value = serde_json::from_str(&run(home.path(), &["version", "--json"]).1).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert!(json["dependencies"]["rustls"].is_string() && json["features"].is_array(), "{json}");
}
