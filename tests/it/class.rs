//! `xks-console serve --accounts`: the accounts of a class, and their progress.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::reset_command::{files, run};
use xks_console::bundled::BundledAws;

/// A class that is being served. Dropping it stops the server.
struct Class {
    home: TempDir,
    server: Child,
    /// The names and URLs.
    accounts: Vec<(String, String)>,
    /// The address of the page.
    address: String,
}

impl Drop for Class {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Class {
    fn start(home: TempDir, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        command.current_dir(home.path()).env("HOME", home.path());
        let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut message = String::new();
        BufReader::new(server.stderr.take().unwrap()).read_line(&mut message).unwrap();
        let address = message.split("Progress: http://").nth(1).unwrap_or_else(|| panic!("{message}"));
        let address = address.split(". ").next().unwrap().to_owned();
        // The accounts are printed before.
        let count: usize = message.split_whitespace().nth(2).unwrap().parse().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let accounts = (0..count).map(|_| {
            let line = lines.next().unwrap().unwrap();
            let (name, url) = line.split_once(' ').unwrap();
            (name.to_owned(), url.to_owned())
        });
        Self { accounts: accounts.collect(), home, server, address }
    }

    /// Stops the server, and returns its exit code.
    fn stop(&mut self) -> Option<i32> {
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        self.server.wait().unwrap().code()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs a shell script after the commands in the file of a student, and returns its exit code and all output.
    fn run_as(&self, dir: &str, student: usize, script: &str) -> (i32, String) {
        let (name, _) = &self.accounts[student];
        self.run(&format!(". {dir}/{name}.env; {script}"))
    }

    fn run(&self, script: &str) -> (i32, String) {
        let mut command = Command::new("sh");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.contains("XDG_")) {
            command.env_remove(name);
        }
        command.args(["-c", &format!("exec 2>&1; {script}")]).env("XKS", env!("CARGO_BIN_EXE_xks-console"));
        let output = command.current_dir(self.home.path()).env("HOME", self.home.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// Sends a request to the server of the page, and returns the whole response.
    fn get(&self, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    fn progress(&self) -> Vec<Value> {
        let (code, json) = self.run(&format!("$XKS serve --progress --listen {} --json", self.address));
        assert_eq!(code, 0, "{json}");
        serde_json::from_str::<Value>(&json).unwrap()["students"].as_array().unwrap().clone()
    }
}

const CREATE_KEY: &str = "$XKS create-key --yes --custom-key-store-id 'Frankfurt HSM' --xks-key-id payments-2026 \
                          --alias payments --endpoint-url \"$AWS_ENDPOINT_URL\"";
const LIST_KEYS: &str = "$XKS list-keys --csv --endpoint-url \"$AWS_ENDPOINT_URL\"";

#[test]
fn accounts_of_a_class_are_separate_and_their_progress_is_counted() {
    let mut class = Class::start(tempfile::tempdir().unwrap(), &["--accounts", "3", "--data-dir", "class"]);
    let names: Vec<&str> = class.accounts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["student-01", "student-02", "student-03"]);
    assert!(class.progress().iter().all(|student| student["requests"] == 0 && student["lastRequest"].is_null()));

    // The key of the first student exists only in the first account.
    let (code, output) = class.run_as("class", 0, CREATE_KEY);
    assert_eq!(code, 0, "{output}");
    assert!(class.run_as("class", 0, LIST_KEYS).1.contains("payments"));
    let (code, keys) = class.run_as("class", 1, LIST_KEYS);
    assert!(code == 0 && keys.contains("customer-db") && !keys.contains("payments"), "{keys}");

    // The credentials of one student are refused by the account of another.
    let other_url = &class.accounts[1].1;
    let (code, output) = class.run_as("class", 0, &format!("$XKS list-keys --endpoint-url {other_url}"));
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("UnrecognizedClientException"), "{output}");

    let progress = class.progress();
    let count = |student: usize, member: &str| progress[student][member].as_u64().unwrap();
    assert_eq!([count(0, "keysCreated"), count(1, "keysCreated"), count(2, "keysCreated")], [1, 0, 0]);
    assert_eq!((count(0, "errors"), count(2, "requests"), count(2, "errors")), (0, 0, 0), "{progress:?}");
    assert!(count(1, "errors") >= 1 && count(0, "requests") > 2, "{progress:?}");
    assert_eq!((count(0, "keyStoresConnected"), count(0, "keyStoresCreated")), (2, 0));
    assert!(progress[1]["lastRequest"].as_str() >= progress[0]["lastRequest"].as_str());

    let (code, text) = class.run(&format!("$XKS serve --progress --listen {}", class.address));
    assert_eq!(code, 0, "{text}");
    assert!(text.lines().nth(3).unwrap().starts_with("student-03  -  "), "{text}");

    assert_eq!(class.stop(), Some(0));
    let (code, text) = class.run(&format!("$XKS serve --progress --listen {}", class.address));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("Couldn't get the progress of a class") && text.contains("serve --accounts N"), "{text}");
}

#[test]
fn files_of_a_class_have_a_profile_for_each_student_and_keep_secrets_private() {
    let class = Class::start(
        tempfile::tempdir().unwrap(),
        &["--accounts", "2", "--account-prefix", "team", "--data-dir", "class", "--scenario", "empty"],
    );
    let profiles = "AWS_CONFIG_FILE=class/config AWS_SHARED_CREDENTIALS_FILE=class/credentials";
    for name in ["team-01", "team-02"] {
        let (code, output) = class.run(&format!("{profiles} AWS_PROFILE={name} $XKS list-stores --aws --json"));
        assert_eq!(code, 0, "{output}");
    }
    let class_files = files(&class.path("class"));
    let expected = ["config", "credentials", "team-01", "team-01.env", "team-02", "team-02.env"];
    assert_eq!(class_files, expected);
    for name in ["config", "credentials", "team-01.env"] {
        let mode = std::fs::metadata(class.path("class").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // No page contains a secret.
    let pages = class.get("/", "localhost") + &class.get("/progress.json", "localhost");
    assert!(pages.contains("<td>team-01</td>") && pages.contains("\"name\":\"team-02\""), "{pages}");
    let credentials = std::fs::read_to_string(class.path("class/credentials")).unwrap();
    let values: Vec<&str> =
        credentials.lines().filter_map(|line| line.split_once(" = ")).map(|(_, value)| value).collect();
    assert_eq!(values.len(), 4);
    assert!(values.iter().all(|value| !pages.contains(value)), "{pages}");
    assert!(class.get("/", "example.com").starts_with("HTTP/1.1 421 "));
    assert!(class.get("/../credentials", "localhost").starts_with("HTTP/1.1 404 "));
}

#[test]
fn accounts_of_a_class_are_kept_and_a_larger_class_gets_more_of_them() {
    let mut class = Class::start(tempfile::tempdir().unwrap(), &["--accounts", "1", "--data-dir", "class"]);
    let (code, output) = class.run_as("class", 0, CREATE_KEY);
    assert_eq!(code, 0, "{output}");
    class.stop();
    let home = std::mem::replace(&mut class.home, tempfile::tempdir().unwrap());
    drop(class);
    let arguments = ["--accounts", "2", "--data-dir", "class", "--scenario", "empty"];
    let class = Class::start(home, &arguments);
    assert!(class.run_as("class", 0, LIST_KEYS).1.contains("payments"));
    assert!(!class.run_as("class", 1, LIST_KEYS).1.contains("customer-db"));
    assert_eq!(class.progress()[0]["keysCreated"], 0);
}

#[test]
fn class_in_memory_leaves_only_its_files() {
    let mut class =
        Class::start(tempfile::tempdir().unwrap(), &["--ephemeral", "--accounts", "2", "--class-dir", "handout"]);
    let (code, output) = class.run_as("handout", 1, CREATE_KEY);
    assert_eq!(code, 0, "{output}");
    assert_eq!(class.progress()[1]["keysCreated"], 1);
    class.stop();
    assert_eq!(files(class.home.path()), ["handout"]);
    assert_eq!(files(&class.path("handout")), ["config", "credentials", "student-01.env", "student-02.env"]);
}

#[test]
fn wrong_class_options_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, code, part) in [
        (&["serve", "--accounts", "0"][..], 2, "1..=200"),
        (&["serve", "--accounts", "201"], 2, "1..=200"),
        (&["serve", "--accounts", "many"], 2, "invalid"),
        (&["serve", "--accounts", "2", "--account-prefix", "../x"], 2, "can't be the start of a name"),
        (&["serve", "--accounts", "2", "--detach"], 2, "cannot be used with"),
        (&["serve", "--accounts", "2", "--progress"], 2, "cannot be used with"),
        (&["serve", "--accounts", "2", "--", "true"], 2, "cannot be used with"),
        (&["serve", "--class-dir", "x"], 2, "--accounts"),
        (&["--ephemeral", "serve", "--accounts", "2"], 2, "needs --class-dir DIR"),
        (&["serve", "--accounts", "2", "--json"], 2, "--json can be used only with"),
        (&["serve", "--accounts", "2", "--listen", "127.0.0.1:65534"], 1, "fewer than 2 ports after 65534"),
        (&["serve", "--accounts", "2", "--listen", "0.0.0.0:0", "--data-dir", "d"], 1, "--beyond-loopback"),
    ] {
        let (found, _, message) = run(home.path(), arguments);
        assert_eq!(found, code, "{arguments:?} {message}");
        assert!(message.contains(part), "{arguments:?} {message}");
    }
    drop(BundledAws::open(&home.path().join("single"), Some("empty")).unwrap());
    let (code, _, message) = run(home.path(), &["serve", "--accounts", "2", "--data-dir", "single"]);
    assert_eq!(code, 1);
    assert!(message.contains("single contains an account, so it can't be the directory of a class"), "{message}");
}
