//! `xks-console serve` as a process: for one command, in the background, and its output for scripts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::pty::Console;

/// A temporary home directory. Dropping it stops the background server.
struct TestHome(TempDir);

impl Drop for TestHome {
    fn drop(&mut self) {
        let _ = self.serve(&["--stop"]).output();
    }
}

impl TestHome {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn serve(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
        command.arg("serve").args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars()
            .filter(|(name, _)| ["AWS_", "XDG_", "XKS_CONSOLE_"].iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(name);
        }
        command.env("HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        parse_output(&self.serve(arguments).output().unwrap())
    }

    fn data_dir(&self) -> PathBuf {
        self.path(".local/share/xks-console")
    }
}

fn parse_output(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn send_signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Returns the value of a variable in shell export lines.
fn export_value<'a>(exports: &'a str, name: &str) -> &'a str {
    let prefix = format!("export {name}=");
    exports.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("missing {name} in {exports}"))
}

fn connect(url: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(url.strip_prefix("http://").unwrap())
}

fn ping(url: &str) -> String {
    let mut stream = connect(url).unwrap();
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn command_gets_only_the_aws_environment_of_the_served_aws() {
    let home = TestHome::new();
    let mut command = home.serve(&["--", "env"]);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_S3"] {
        command.env(name, "misleading");
    }
    command.env("AWS_ACCESS_KEY_ID", "theirs").env("AWS_CONFIG_FILE", "theirs").env("UNTOUCHED", "yes");
    let (code, out, notes) = parse_output(&command.output().unwrap());
    assert_eq!((code, notes.as_str()), (0, ""));
    assert!(!out.contains("misleading") && !out.contains("theirs") && out.contains("UNTOUCHED=yes"), "{out}");
    for name in
        ["AWS_ENDPOINT_URL=http://127.0.0.1:", "AWS_SECRET_ACCESS_KEY=", "AWS_REGION=us-west-2", "AWS_CONFIG_FILE=/"]
    {
        assert!(out.lines().any(|line| line.starts_with(name)), "missing {name} in {out}");
    }
    let files: Vec<_> = std::fs::read_dir(home.data_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name.to_string_lossy().starts_with("served-")), "{files:?}");
}

#[test]
fn command_calls_the_served_aws_and_the_access_log_has_no_secrets() {
    let home = TestHome::new();
    let create = "\"$0\" create-key --yes --origin AWS_KMS --alias reports --endpoint-url \"$AWS_ENDPOINT_URL\" \
                  && echo \"$AWS_SECRET_ACCESS_KEY\"";
    let (code, out, notes) =
        home.run(&["--access-log", "access.log", "--", "sh", "-c", create, env!("CARGO_BIN_EXE_xks-console")]);
    assert_eq!(code, 0, "{notes}");
    let secret = out.lines().last().unwrap();
    let log = std::fs::read_to_string(home.path("access.log")).unwrap();
    let line = log.lines().find(|line| line.contains(" kms:CreateKey ")).expect("CreateKey is in the log");
    let fields: Vec<&str> = line.split(' ').collect();
    assert_eq!(fields[1..6], ["POST", "kms:CreateKey", "arn:aws:iam::111122223333:user/Admin", "200", "-"], "{line}");
    assert!(fields[0].parse::<jiff::Timestamp>().is_ok() && fields[6].parse::<f64>().is_ok(), "{line}");
    assert_eq!((fields.len(), fields[7].len()), (8, 36), "{line}");
    assert!(!log.contains(secret) && !log.contains("reports"), "{log}");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(home.path("access.log")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn serve_exits_with_the_status_of_its_command() {
    let home = TestHome::new();
    std::fs::write(home.path("no-program"), "text").unwrap();
    for (command, code) in [
        (&["sh", "-c", "exit 7"][..], 7),
        (&["sh", "-c", "kill -9 $$"], 128 + 9),
        (&["sh", "-c", "kill -15 $$"], 128 + 15),
        (&["./no-such-program"], 127),
        (&["./no-program"], 126),
    ] {
        let arguments = [&["--"], command].concat();
        assert_eq!(home.run(&arguments).0, code, "{command:?}");
    }
    let (code, out, notes) = home.run(&["--listen", "0.0.0.0:0", "--", "echo", "started"]);
    assert!(code == 125 && out.is_empty() && notes.contains("--beyond-loopback"), "{code} {out} {notes}");
}

#[test]
fn signals_are_forwarded_to_the_command_which_inherits_stdin_and_stdout() {
    let home = TestHome::new();
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP")] {
        let script = format!("read word; trap 'kill $!; exit 42' {name}; sleep 1000 >&- & echo got $word; wait");
        let mut command = home.serve(&["--", "bash", "-c", &script]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"words\n").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "got words\n");
        // Without a terminal, only `serve` can forward the signal to the command.
        send_signal(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(42), "{name}");
    }
}

#[test]
fn background_server_is_ready_after_detach_and_gone_after_stop() {
    let home = TestHome::new();
    let (code, exports, notes) =
        home.run(&["--detach", "--listen", "127.0.0.1:0", "--access-log", "-", "--ready-file", "ready"]);
    assert_eq!(code, 0, "{notes}");
    let url = export_value(&exports, "AWS_ENDPOINT_URL").to_owned();
    assert!(notes.contains(&url) && notes.contains("xks-console serve --stop"), "{notes}");
    assert!(ping(&url).ends_with("pong\n"));
    assert_eq!(std::fs::read_to_string(home.path("ready")).unwrap(), exports);
    let profiles = std::fs::read_to_string(home.data_dir().join("config")).unwrap();
    assert!(profiles.contains(&url), "{profiles}");

    let (code, again, notes) = home.run(&["--detach", "--ready-file", "again"]);
    assert_eq!((code, &again), (0, &exports), "{notes}");
    assert!(notes.contains("already running"), "{notes}");
    assert_eq!(std::fs::read_to_string(home.path("again")).unwrap(), exports);
    let (code, out, notes) = home.run(&["--listen", url.strip_prefix("http://").unwrap()]);
    assert!(code == 1 && out.is_empty() && notes.contains("xks-console serve --stop"), "{code} {out} {notes}");
    let (code, out, notes) = home.run(&["--detach", "--listen", "127.0.0.1:9"]);
    assert!(code == 1 && out == "false\n" && notes.contains("Couldn't listen on 127.0.0.1:9"), "{code} {out} {notes}");
    // Serving a command at the same time doesn't change the profiles of the background server.
    let (code, other, _) = home.run(&["--", "sh", "-c", "echo $AWS_ENDPOINT_URL"]);
    assert!(code == 0 && other.trim() != url, "{other}");
    assert_eq!(std::fs::read_to_string(home.data_dir().join("config")).unwrap(), profiles);
    assert!(ping(&url).ends_with("pong\n"));

    let (code, out, notes) = home.run(&["--stop"]);
    assert!(code == 0 && out.is_empty() && notes.contains(&url), "{code} {out} {notes}");
    assert!(connect(&url).is_err() && !home.path("ready").exists());
    let log = std::fs::read_to_string(home.data_dir().join("server.log")).unwrap();
    assert!(log.contains("Listening on ") && log.contains(" GET /ping - 200 - "), "{log}");
    let (code, out, notes) = home.run(&["--stop"]);
    assert!(code == 3 && out.is_empty() && notes.contains("No server is running"), "{code} {out} {notes}");
}

#[test]
fn concurrent_detach_commands_share_one_server() {
    let home = TestHome::new();
    let start = || home.serve(&["--detach"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let outputs = [start(), start(), start()].map(|child| parse_output(&child.wait_with_output().unwrap()));
    for (code, exports, notes) in &outputs {
        assert_eq!((*code, exports), (0, &outputs[0].1), "{notes}");
    }
}

#[test]
fn killed_server_is_not_stopped_again_and_a_new_one_starts() {
    let home = TestHome::new();
    let (_, exports, _) = home.run(&["--detach"]);
    let lock = std::fs::read_to_string(home.data_dir().join("server.lock")).unwrap();
    let pid = serde_json::from_str::<serde_json::Value>(&lock).unwrap()["pid"].as_i64().unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    let url = export_value(&exports, "AWS_ENDPOINT_URL");
    while connect(url).is_ok() {}
    assert_eq!(home.run(&["--stop"]).0, 3);
    let (code, exports, notes) = home.run(&["--detach"]);
    assert_eq!(code, 0, "{notes}");
    assert!(ping(export_value(&exports, "AWS_ENDPOINT_URL")).ends_with("pong\n"));
}

#[test]
fn failed_background_start_reports_the_error_and_fails_in_eval() {
    let home = TestHome::new();
    let (code, out, notes) = home.run(&["--detach", "--tls-cert", "none.pem", "--tls-key", "none.pem"]);
    assert!(code == 1 && out == "false\n" && notes.contains("none.pem"), "{code} {out} {notes}");
}

#[test]
fn server_announces_its_address_and_writes_and_removes_the_ready_file() {
    let home = TestHome::new();
    std::fs::write(home.path("ready"), "left by a crash").unwrap();
    let mut command = home.serve(&["--listen", "127.0.0.1:0", "--ready-file", "ready", "--access-log", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = notes.next().unwrap();
    let mut exports = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !exports.contains("\nunset ") {
        assert_ne!(out.read_line(&mut exports).unwrap(), 0, "{exports}");
    }
    let url = export_value(&exports, "AWS_ENDPOINT_URL");
    let data_dir = home.data_dir().display().to_string();
    assert!(listening.contains(url) && listening.contains(&data_dir) && listening.contains("Ctrl-C"), "{listening}");
    assert!(ping(url).ends_with("pong\n"));
    assert!(notes.next().unwrap().contains(" GET /ping - 200 - "));
    // The ready file is written before the server responds to the first request.
    assert_eq!(std::fs::read_to_string(home.path("ready")).unwrap(), exports);
    send_signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!home.path("ready").exists());
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let home = TestHome::new();
    let script = "trap : INT; \"$XKS\" serve --data-dir d -- bash -c 'trap \"echo interrupted\" INT; echo waiting; read word; \
                  read word; echo \"read $word\"'; echo \"ended with $?\"";
    let mut terminal = Console::shell(&format!("cd {} && {script}", home.path(".").display()), &home.path("."), &[]);
    terminal.wait_for("waiting");
    terminal.send("\x03");
    terminal.wait_for("interrupted");
    terminal.send("first\nsecond\n");
    terminal.wait_for("ended with 0");
    assert_eq!(terminal.text().matches("interrupted").count(), 1, "{}", terminal.text());
}
