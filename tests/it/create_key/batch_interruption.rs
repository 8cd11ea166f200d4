//! `create-key --batch` as a process that is killed in the middle of a batch.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::Clock;
use xks_console::in_process;
use xks_console::xks::network::Network;

use super::{STORE, create_external_keys, created_keys, csv_list};
use crate::account::block_on;
use crate::crash::server::Server;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Where the bundled AWS of the program runs.
#[derive(Clone, Copy)]
enum Backend {
    /// In the program itself.
    InProcess,
    /// In another process that serves it.
    Served,
}

/// A batch file and an AWS that has the external keys for it.
struct BatchTest {
    dir: tempfile::TempDir,
    backend: Backend,
    rows: usize,
    _server: Option<Server>,
}

impl BatchTest {
    fn new(backend: Backend, rows: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("keys.csv"), csv_list(rows)).unwrap();
        let server = matches!(backend, Backend::Served).then(|| Server::start(&dir.path().join("aws")));
        let batch = Self { dir, backend, rows, _server: server };
        block_on(create_external_keys(&batch.aws(), rows));
        batch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn aws(&self) -> Client {
        let bundled = BundledAws::open_with_network(&self.path("aws"), None, Network::default()).unwrap();
        in_process::client(&bundled, Clock::System)
    }

    fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
        command.args(["create-key", "--custom-key-store-id", STORE, "--batch"]).arg(self.path("keys.csv"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        match self.backend {
            Backend::InProcess => command.arg("--data-dir").arg(self.path("aws")),
            Backend::Served => command
                .arg("--aws")
                .env("AWS_CONFIG_FILE", self.path("aws/config"))
                .env("AWS_SHARED_CREDENTIALS_FILE", self.path("aws/credentials")),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn report(&self) -> String {
        std::fs::read_to_string(self.path("keys.csv.report.jsonl")).unwrap_or_default()
    }

    /// Waits until the report has `lines` lines or the program exits.
    fn run_until(&self, child: &mut Child, lines: usize) -> Option<ExitStatus> {
        let deadline = Instant::now() + TIMEOUT;
        while self.report().lines().count() < lines {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(status);
            }
            assert!(Instant::now() < deadline, "{}", self.report());
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// Repeatedly kills the program after a few lines of the report and restarts it, until it finishes.
    fn kill_repeatedly(&self) {
        let mut kills = 0;
        loop {
            let before = self.report().lines().count();
            let mut child = self.start();
            // Each kill comes at a different point: before CreateKey, before CreateAlias, or between two rows.
            if let Some(status) = self.run_until(&mut child, before + 5 + kills % 3) {
                assert!(status.success(), "{status} {}", self.report());
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        assert!(kills >= 5, "killed only {kills} times");
    }

    fn assert_all_created(&self) {
        let created = block_on(created_keys(&self.aws(), "batch-"));
        assert_eq!(created.len(), self.rows);
        assert!(created.iter().all(|(_, alias)| alias.as_ref().is_some_and(|alias| alias.starts_with("alias/list/"))));
    }
}

#[test]
fn batch_killed_repeatedly_creates_each_key_once() {
    let batch = BatchTest::new(Backend::InProcess, 40);
    batch.kill_repeatedly();
    batch.assert_all_created();
}

#[test]
fn batch_killed_with_requests_in_flight_creates_each_key_once() {
    let batch = BatchTest::new(Backend::Served, 16);
    batch.kill_repeatedly();
    batch.assert_all_created();
}

#[test]
fn ctrl_c_stops_the_batch_after_the_current_row() {
    let batch = BatchTest::new(Backend::InProcess, 40);
    let mut child = batch.start();
    assert_eq!(batch.run_until(&mut child, 5), None);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report = batch.report();
    assert!(report.lines().last().unwrap().contains("\"outcome\":\"made\""), "{report}");
    assert!(report.lines().count() < 3 * batch.rows);
    assert!(batch.start().wait().unwrap().success());
    batch.assert_all_created();
}
