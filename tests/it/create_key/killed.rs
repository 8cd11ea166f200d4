//! The program itself, ended in the middle of a list.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use xks_console::bundled::Bundled;
use xks_console::client::Client;
use xks_console::journey::client_of;
use xks_console::world::Clock;
use xks_console::xks::network::Network;

use super::{STORE, external_keys, list, made};
use crate::account::wait;

const ROWS: usize = 40;
const PATIENCE: Duration = Duration::from_secs(60);

fn start(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .args(["create-key", "--custom-key-store-id", STORE, "--batch"])
        .arg(dir.join("keys.csv"))
        .arg("--data-dir")
        .arg(dir.join("aws"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn aws(dir: &Path) -> Client {
    let bundled = Bundled::open_on(&dir.join("aws"), None, Network::default()).unwrap();
    client_of(&bundled, Clock::System)
}

fn lines(dir: &Path) -> usize {
    std::fs::read_to_string(dir.join("keys.csv.report.jsonl")).unwrap_or_default().lines().count()
}

/// Lets the program run until the report has so many lines, or it has ended.
fn until(child: &mut Child, dir: &Path, count: usize) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while lines(dir) < count {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        assert!(Instant::now() < deadline, "{} lines only", lines(dir));
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("keys.csv"), list(ROWS)).unwrap();
    wait(external_keys(&aws(dir.path()), ROWS));
    dir
}

fn assert_all_made(dir: &Path) {
    let made = wait(made(&aws(dir), "batch-"));
    assert_eq!(made.len(), ROWS);
    assert!(made.iter().all(|(_, alias)| alias.as_ref().is_some_and(|alias| alias.starts_with("alias/list/"))));
}

#[test]
fn killed_again_and_again_it_makes_each_key_once() {
    let dir = prepared();
    let mut kills = 0;
    loop {
        let mut child = start(dir.path());
        let before = lines(dir.path());
        if let Some(status) = until(&mut child, dir.path(), before + 7) {
            assert!(status.success(), "{status}");
            break;
        }
        // SIGKILL, wherever it is by now.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 5, "killed only {kills} times");
    assert_all_made(dir.path());
}

#[test]
fn ctrl_c_ends_it_after_the_row_under_way() {
    let dir = prepared();
    let mut child = start(dir.path());
    assert_eq!(until(&mut child, dir.path(), 5), None);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report = std::fs::read_to_string(dir.path().join("keys.csv.report.jsonl")).unwrap();
    assert!(report.lines().last().unwrap().contains("\"outcome\":\"made\""), "{report}");
    assert!(report.lines().count() < 3 * ROWS);
    assert!(start(dir.path()).wait().unwrap().success());
    assert_all_made(dir.path());
}
