//! The program itself, ended in the middle of a list.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::Clock;
use xks_console::flow::player::in_process_client;
use xks_console::xks::network::Network;

use super::{STORE, external_keys, list, made};
use crate::account::wait;
use crate::crash::server::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where the program finds its AWS.
#[derive(Clone, Copy)]
enum At {
    /// In itself.
    Home,
    /// Served by another process.
    Served,
}

/// A list of keys, and the AWS that has external keys for them.
struct Bench {
    dir: tempfile::TempDir,
    at: At,
    rows: usize,
    _server: Option<Server>,
}

impl Bench {
    fn new(at: At, rows: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("keys.csv"), list(rows)).unwrap();
        let server = matches!(at, At::Served).then(|| Server::start(&dir.path().join("aws")));
        let bench = Self { dir, at, rows, _server: server };
        wait(external_keys(&bench.aws(), rows));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn aws(&self) -> Client {
        let bundled = BundledAws::open_with_network(&self.path("aws"), None, Network::default()).unwrap();
        in_process_client(&bundled, Clock::System)
    }

    fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
        command.args(["create-key", "--custom-key-store-id", STORE, "--batch"]).arg(self.path("keys.csv"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        match self.at {
            At::Home => command.arg("--data-dir").arg(self.path("aws")),
            At::Served => command
                .arg("--aws")
                .env("AWS_CONFIG_FILE", self.path("aws/config"))
                .env("AWS_SHARED_CREDENTIALS_FILE", self.path("aws/credentials")),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn report(&self) -> String {
        std::fs::read_to_string(self.path("keys.csv.report.jsonl")).unwrap_or_default()
    }

    /// Lets the program run until the report has so many lines, or it has ended.
    fn until(&self, child: &mut Child, lines: usize) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        while self.report().lines().count() < lines {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(status);
            }
            assert!(Instant::now() < deadline, "{}", self.report());
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// Kills the program, wherever it is, after each few lines, and starts it again, until it comes to its end.
    fn kill_again_and_again(&self) {
        let mut kills = 0;
        loop {
            let before = self.report().lines().count();
            let mut child = self.start();
            // Each kill comes at another place: before CreateKey, before CreateAlias, between two rows.
            if let Some(status) = self.until(&mut child, before + 5 + kills % 3) {
                assert!(status.success(), "{status} {}", self.report());
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        assert!(kills >= 5, "killed only {kills} times");
    }

    fn assert_all_made(&self) {
        let made = wait(made(&self.aws(), "batch-"));
        assert_eq!(made.len(), self.rows);
        assert!(made.iter().all(|(_, alias)| alias.as_ref().is_some_and(|alias| alias.starts_with("alias/list/"))));
    }
}

#[test]
fn batch_killed_repeatedly_creates_each_key_once() {
    let bench = Bench::new(At::Home, 40);
    bench.kill_again_and_again();
    bench.assert_all_made();
}

#[test]
fn batch_killed_with_requests_in_flight_creates_each_key_once() {
    let bench = Bench::new(At::Served, 16);
    bench.kill_again_and_again();
    bench.assert_all_made();
}

#[test]
fn ctrl_c_stops_the_batch_after_the_current_row() {
    let bench = Bench::new(At::Home, 40);
    let mut child = bench.start();
    assert_eq!(bench.until(&mut child, 5), None);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report = bench.report();
    assert!(report.lines().last().unwrap().contains("\"outcome\":\"made\""), "{report}");
    assert!(report.lines().count() < 3 * bench.rows);
    assert!(bench.start().wait().unwrap().success());
    bench.assert_all_made();
}
