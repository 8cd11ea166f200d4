//! SIGKILL at each step and within each request: all that was typed is there again, and in the end there is one key.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use xks_console::aws::kms::{DescribeKey, GetKeyPolicy, KeyMetadata, Tag};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::in_process_client;
use xks_console::server::Server;
use xks_console::server::profiles::{self, ServerInfo};

use crate::account::wait;
use crate::endpoint;
use crate::faults::faulty::Fault;
use crate::faults::tls::Front;
use crate::process::Console;

const PATIENCE: Duration = Duration::from_secs(30);
const NEXT: &str = "\x0e";

/// A served AWS behind a front, and the home of whoever has a console on it.
struct Aws {
    client: Client,
    front: Arc<Front>,
    url: String,
    home: tempfile::TempDir,
    keys_before: usize,
    _runtime: tokio::runtime::Runtime,
}

/// What is to be seen at a step once all is loaded, what is typed there, and the next step as the file names it.
type Stop = (&'static [&'static str], &'static str, &'static str);

const TO_STORE: &[&str] = &["Frankfurt HSM", "\x1b[B\r", "General configuration", "\r", "External key ID"];
const TO_KEYS: &[&str] = &["Frankfurt HSM", "\t\x1b[A\x1b[A\r", "Customer managed keys (6)", "n", "Advanced options"];

const IN_STORE: &[Stop] = &[(&["External key ID"], "payments-2026\t ", "AliasAndDescription")];
const BY_KEYS: &[Stop] = &[
    (&["Advanced options"], "\t\t\r\x1b[B\x1b[B\x1b[B \t ", "ChooseExternalKey"),
    (&["Create external key store", "Frankfurt HSM"], "/frank\r \tpayments-2026", "AliasAndDescription"),
];
const THE_REST: &[Stop] = &[
    (&["Add alias"], "payments\tPaid by card", "Tags"),
    (&["Add tags"], "\rteam\tpayments", "Administrators"),
    (&["administrative permissions", "60 in all"], " ", "Users"),
    (&["usage permissions", "60 in all"], "\x1b[B ", "KeyPolicy"),
    (&["Edit key policy"], "\r ", "Review"),
];

impl Aws {
    fn start(fault: Fault, operation: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bundled = BundledAws::in_memory("default", Environment::system()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let (front, url, server) = runtime.block_on(async {
            let server = Server::open(bundled.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let front = Arc::new(Front::new(server.address(), fault, operation));
            tokio::spawn(Arc::clone(&front).run_plainly(listener));
            (front, url, server)
        });
        runtime.spawn(server.run(std::future::pending()));
        let served = ServerInfo { url: &url, region: BundledAws::REGION, ca_certificate: None };
        profiles::write(&served, &bundled, home.path()).unwrap();
        let client = in_process_client(&bundled, Clock::System);
        let keys_before = wait(client.collect_keys()).unwrap().len();
        Self { client, front, url, home, keys_before, _runtime: runtime }
    }

    fn console(&self) -> Console {
        endpoint::run(&["--endpoint-url", &self.url], self.home.path(), &[])
    }

    /// A console that goes on with the only draft.
    fn resumed(&self) -> Console {
        let mut console = self.console();
        console.wait("Unfinished KMS key");
        console.send("D");
        console.wait("Enter goes on");
        console.send("\r");
        console.wait("Ctrl-N ");
        console
    }

    fn drafts(&self) -> Vec<PathBuf> {
        let place = self.home.path().join("state/xks-console/drafts");
        let files = std::fs::read_dir(place).into_iter().flatten().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
    }

    /// Waits until the draft on the disk says `words`.
    fn on_disk(&self, console: &mut Console, words: &str) {
        until(console, |_| self.drafts().iter().any(|path| std::fs::read_to_string(path).unwrap().contains(words)));
    }

    fn made(&self) -> usize {
        wait(self.client.collect_keys()).unwrap().len() - self.keys_before
    }

    /// The one key that the alias names.
    fn key(&self) -> KeyMetadata {
        assert_eq!(self.made(), 1);
        wait(self.client.call(&DescribeKey::new("alias/payments".to_owned()))).unwrap().key_metadata
    }
}

fn until(console: &mut Console, mut is_so: impl FnMut(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so(&console.text()) {
        assert!(Instant::now() < deadline, "it never comes true:\n{}", console.text());
        console.read(Duration::from_millis(10));
    }
}

fn open(console: &mut Console, way: &[&str]) {
    for step in way.chunks(2) {
        console.wait(step[0]);
        step.get(1).into_iter().for_each(|keys| console.send(keys));
    }
}

/// Goes a way with a console that is killed after each step; gives the key.
fn killed_at_each_step(way: &[&str], first: &[Stop]) -> (Aws, KeyMetadata) {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut console = aws.console();
    open(&mut console, way);
    for (seen, keys, next) in [first, THE_REST].concat() {
        seen.iter().for_each(|words| console.wait(words));
        console.send(keys);
        console.send(NEXT);
        aws.on_disk(&mut console, &format!("\"step\": \"{next}\""));
        console.kill();
        console = aws.resumed();
    }
    console.wait("▸[ Edit ]");
    console.wait("Frankfurt HSM");
    console.send(NEXT);
    console.wait("Success");
    until(&mut console, |_| aws.drafts().is_empty());
    console.kill();
    let key = aws.key();
    (aws, key)
}

fn assert_all_is_there(aws: &Aws, key: &KeyMetadata) {
    assert_eq!(key.description, "Paid by card");
    assert_eq!(key.xks_key_configuration.as_ref().unwrap().id, "payments-2026");
    let tag = Tag { tag_key: "team".to_owned(), tag_value: "payments".to_owned() };
    assert_eq!(wait(aws.client.collect_tags(&key.key_id)).unwrap(), [tag]);
    let question = GetKeyPolicy { key_id: key.key_id.clone(), policy_name: None };
    let policy = wait(aws.client.call(&question)).unwrap().policy;
    let is_edited = policy.starts_with(' ');
    assert!(is_edited && policy.contains("Allow access for Key Administrators"), "{policy}");
    assert!(policy.contains("Allow use of the key"), "{policy}");
}

#[test]
fn draft_of_method_1_survives_a_kill_at_each_step() {
    let (aws, key) = killed_at_each_step(TO_STORE, IN_STORE);
    assert_all_is_there(&aws, &key);
}

#[test]
fn draft_of_method_2_survives_a_kill_at_each_step() {
    let (aws, key) = killed_at_each_step(TO_KEYS, BY_KEYS);
    assert_all_is_there(&aws, &key);
}

#[test]
fn partially_typed_text_survives_a_kill() {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut console = aws.console();
    open(&mut console, TO_STORE);
    console.send("pay");
    aws.on_disk(&mut console, "\"xks_key_id\": \"pay\"");
    console.kill();
    let mut console = aws.resumed();
    console.wait("▌pay");
    console.send("ments-2026");
    aws.on_disk(&mut console, "\"xks_key_id\": \"payments-2026\"");
    console.kill();
}

#[test]
fn draft_open_in_one_console_is_not_offered_in_another() {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut one = aws.console();
    open(&mut one, TO_STORE);
    one.send("payments-2026");
    aws.on_disk(&mut one, "payments-2026");
    let mut other = aws.console();
    other.wait("Frankfurt HSM");
    other.wait("D Drafts");
    other.send("D");
    other.wait("It is open already");
    other.send("\r\x1b");
    until(&mut other, |screen| !screen.contains("It is open"));
    one.kill();
    // Its end lets go of the draft; whoever comes to a page looks again.
    other.send("\x1b[B\r");
    other.wait("Unfinished KMS key: payments-2026");
    other.kill();
}

/// Kills the console while a request of Finish hangs, before or after it was carried out.
fn killed_within(way: &[&str], first: &[Stop], fault: Fault, operation: &'static str) {
    let aws = Aws::start(fault, operation);
    let mut console = aws.console();
    open(&mut console, way);
    for (seen, keys, _) in [first, THE_REST].concat() {
        seen.iter().for_each(|words| console.wait(words));
        console.send(keys);
        console.send(NEXT);
    }
    console.wait("▸[ Edit ]");
    console.wait("Frankfurt HSM");
    console.send(NEXT);
    let keys = usize::from(operation == "CreateAlias" || fault == Fault::HangsAfter);
    until(&mut console, |_| aws.front.has_struck() && aws.made() == keys);
    console.kill();
    let mut console = aws.resumed();
    console.wait("Whether it was done is not known");
    console.wait("Interrupted");
    console.send("\r");
    console.wait("Success");
    until(&mut console, |_| aws.drafts().is_empty());
    console.kill();
    assert_all_is_there(&aws, &aws.key());
}

#[test]
fn method_1_creates_one_key_when_killed_during_create_key() {
    killed_within(TO_STORE, IN_STORE, Fault::HangsBefore, "CreateKey");
    killed_within(TO_STORE, IN_STORE, Fault::HangsAfter, "CreateKey");
}

#[test]
fn method_2_creates_one_key_when_killed_during_create_key() {
    killed_within(TO_KEYS, BY_KEYS, Fault::HangsBefore, "CreateKey");
    killed_within(TO_KEYS, BY_KEYS, Fault::HangsAfter, "CreateKey");
}

#[test]
fn key_gets_its_alias_when_killed_during_create_alias() {
    killed_within(TO_STORE, IN_STORE, Fault::HangsBefore, "CreateAlias");
    killed_within(TO_KEYS, BY_KEYS, Fault::HangsAfter, "CreateAlias");
}
