//! Recovery after a SIGKILL at each step and during each request: the draft keeps everything that was typed, and
//! exactly one key is created.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use xks_console::aws::kms::{DescribeKey, GetKeyPolicy, KeyMetadata, Tag};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;
use xks_console::server::Server;
use xks_console::server::profiles::{self, ServerInfo};

use crate::account::block_on;
use crate::endpoint;
use crate::faults::faulty_transport::Fault;
use crate::faults::tls::FaultInjector;
use crate::pty::Console;

const TIMEOUT: Duration = Duration::from_secs(30);
const NEXT_STEP: &str = "\x0e";

/// A served AWS behind a fault injector, and the home directory of the console's user.
struct Aws {
    client: Client,
    injector: Arc<FaultInjector>,
    url: String,
    home: tempfile::TempDir,
    keys_before: usize,
    _runtime: tokio::runtime::Runtime,
}

/// The text that a step shows once everything is loaded, the keys to press there, and the name of the next step in the
/// draft file.
type WizardStep = (&'static [&'static str], &'static str, &'static str);

const OPEN_FROM_KEY_STORE: &[&str] = &["Frankfurt HSM", "\x1b[B\r", "General configuration", "\r", "External key ID"];
const OPEN_FROM_KEYS: &[&str] =
    &["Frankfurt HSM", "\t\x1b[A\x1b[A\r", "Customer managed keys (6)", "n", "Advanced options"];

const STEPS_FROM_KEY_STORE: &[WizardStep] = &[(&["External key ID"], "payments-2026\t ", "AliasAndDescription")];
const STEPS_FROM_KEYS: &[WizardStep] = &[
    (&["Advanced options"], "\t\t\r\x1b[B\x1b[B\x1b[B \t ", "ChooseExternalKey"),
    (&["Create external key store", "Frankfurt HSM"], "/frank\r \tpayments-2026", "AliasAndDescription"),
];
const COMMON_STEPS: &[WizardStep] = &[
    (&["Add alias"], "payments\tPaid by card", "Tags"),
    (&["Add tags"], "\rteam\tpayments", "Administrators"),
    (&["administrative permissions", "60 principals"], " ", "Users"),
    (&["usage permissions", "60 principals"], "\x1b[B ", "KeyPolicy"),
    (&["Edit key policy", "111122223333:root"], "\r ", "Review"),
];

impl Aws {
    fn start(fault: Fault, operation: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bundled = BundledAws::in_memory("default", Environment::system()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let (injector, url, server) = runtime.block_on(async {
            let server = Server::open(bundled.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let injector = Arc::new(FaultInjector::new(server.address(), fault, operation));
            tokio::spawn(Arc::clone(&injector).run_without_tls(listener));
            (injector, url, server)
        });
        runtime.spawn(server.run(std::future::pending()));
        let server_info = ServerInfo { url: &url, region: BundledAws::REGION, ca_certificate: None };
        profiles::write(&server_info, &bundled, home.path()).unwrap();
        let client = in_process::client(&bundled, Clock::System);
        let keys_before = block_on(client.collect_keys()).unwrap().len();
        Self { client, injector, url, home, keys_before, _runtime: runtime }
    }

    fn console(&self) -> Console {
        endpoint::run_console(&["--endpoint-url", &self.url], self.home.path(), &[])
    }

    /// Starts a console and resumes the only draft.
    fn resume_draft(&self) -> Console {
        let mut console = self.console();
        console.wait_for("Draft of a KMS key");
        console.send("D");
        console.wait_for("Press Enter to resume");
        console.send("\r");
        console.wait_for("Ctrl-N ");
        console
    }

    fn draft_files(&self) -> Vec<PathBuf> {
        let dir = self.home.path().join("state/xks-console/drafts");
        let files = std::fs::read_dir(dir).into_iter().flatten().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
    }

    /// Waits until the draft file contains `text`.
    fn wait_for_draft(&self, console: &mut Console, text: &str) {
        wait_until(console, |_| {
            self.draft_files().iter().any(|path| std::fs::read_to_string(path).unwrap().contains(text))
        });
    }

    fn created_key_count(&self) -> usize {
        block_on(self.client.collect_keys()).unwrap().len() - self.keys_before
    }

    /// Returns the created key. Asserts that there is exactly one and that the alias refers to it.
    fn created_key(&self) -> KeyMetadata {
        assert_eq!(self.created_key_count(), 1);
        block_on(self.client.call(&DescribeKey::new("alias/payments".to_owned()))).unwrap().key_metadata
    }
}

fn wait_until(console: &mut Console, mut condition: impl FnMut(&str) -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition(&console.text()) {
        assert!(Instant::now() < deadline, "the condition was not met in time:\n{}", console.text());
        console.read(Duration::from_millis(10));
    }
}

fn open_wizard(console: &mut Console, navigation: &[&str]) {
    for step in navigation.chunks(2) {
        console.wait_for(step[0]);
        step.get(1).into_iter().for_each(|keys| console.send(keys));
    }
}

/// Creates a key with a console that is killed after each step, and returns the key.
fn kill_at_each_step(navigation: &[&str], first_steps: &[WizardStep]) -> (Aws, KeyMetadata) {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut console = aws.console();
    open_wizard(&mut console, navigation);
    for (seen, keys, next) in [first_steps, COMMON_STEPS].concat() {
        seen.iter().for_each(|words| console.wait_for(words));
        console.send(keys);
        console.send(NEXT_STEP);
        aws.wait_for_draft(&mut console, &format!("\"step\": \"{next}\""));
        console.kill();
        console = aws.resume_draft();
    }
    console.wait_for("▸ Summary");
    console.wait_for("Frankfurt HSM");
    console.send(NEXT_STEP);
    console.wait_for("Success");
    wait_until(&mut console, |_| aws.draft_files().is_empty());
    console.kill();
    let key = aws.created_key();
    (aws, key)
}

fn assert_key_is_complete(aws: &Aws, key: &KeyMetadata) {
    assert_eq!(key.description, "Paid by card");
    assert_eq!(key.xks_key_configuration.as_ref().unwrap().id, "payments-2026");
    let tag = Tag { tag_key: "team".to_owned(), tag_value: "payments".to_owned() };
    assert_eq!(block_on(aws.client.collect_tags(&key.key_id)).unwrap(), [tag]);
    let request = GetKeyPolicy { key_id: key.key_id.clone(), policy_name: None };
    let policy = block_on(aws.client.call(&request)).unwrap().policy;
    let is_edited = policy.starts_with(' ');
    assert!(is_edited && policy.contains("Allow access for Key Administrators"), "{policy}");
    assert!(policy.contains("Allow use of the key"), "{policy}");
}

#[test]
fn draft_of_method_1_survives_a_kill_at_each_step() {
    let (aws, key) = kill_at_each_step(OPEN_FROM_KEY_STORE, STEPS_FROM_KEY_STORE);
    assert_key_is_complete(&aws, &key);
}

#[test]
fn draft_of_method_2_survives_a_kill_at_each_step() {
    let (aws, key) = kill_at_each_step(OPEN_FROM_KEYS, STEPS_FROM_KEYS);
    assert_key_is_complete(&aws, &key);
}

#[test]
fn partially_typed_text_survives_a_kill() {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut console = aws.console();
    open_wizard(&mut console, OPEN_FROM_KEY_STORE);
    console.send("pay");
    aws.wait_for_draft(&mut console, "\"xks_key_id\": \"pay\"");
    console.kill();
    let mut console = aws.resume_draft();
    console.wait_for("▌pay");
    console.send("ments-2026");
    aws.wait_for_draft(&mut console, "\"xks_key_id\": \"payments-2026\"");
    console.kill();
}

#[test]
fn draft_open_in_one_console_is_not_offered_in_another() {
    let aws = Aws::start(Fault::Slow, "Nothing");
    let mut one = aws.console();
    open_wizard(&mut one, OPEN_FROM_KEY_STORE);
    one.send("payments-2026");
    aws.wait_for_draft(&mut one, "payments-2026");
    let mut other = aws.console();
    other.wait_for("Frankfurt HSM");
    other.wait_for("D Drafts");
    other.send("D");
    other.wait_for("This draft is already open");
    other.send("\r\x1b");
    wait_until(&mut other, |screen| !screen.contains("It is open"));
    one.kill();
    // A console that ends releases its draft. Other consoles check for drafts when they open a page.
    other.send("\x1b[B\r");
    other.wait_for("Draft of a KMS key: payments-2026");
    other.kill();
}

/// Kills the console while a request of Finish hangs, before or after AWS processes it.
fn kill_during_request(navigation: &[&str], first_steps: &[WizardStep], fault: Fault, operation: &'static str) {
    let aws = Aws::start(fault, operation);
    let mut console = aws.console();
    open_wizard(&mut console, navigation);
    for (seen, keys, _) in [first_steps, COMMON_STEPS].concat() {
        seen.iter().for_each(|words| console.wait_for(words));
        console.send(keys);
        console.send(NEXT_STEP);
    }
    console.wait_for("▸ Summary");
    console.wait_for("Frankfurt HSM");
    console.send(NEXT_STEP);
    let keys = usize::from(operation == "CreateAlias" || fault == Fault::HangsAfter);
    wait_until(&mut console, |_| aws.injector.has_fired() && aws.created_key_count() == keys);
    console.kill();
    let mut console = aws.resume_draft();
    console.wait_for("the request might have succeeded");
    console.wait_for("Interrupted");
    console.send("\r");
    console.wait_for("Success");
    wait_until(&mut console, |_| aws.draft_files().is_empty());
    console.kill();
    assert_key_is_complete(&aws, &aws.created_key());
}

#[test]
fn method_1_creates_one_key_when_killed_during_create_key() {
    kill_during_request(OPEN_FROM_KEY_STORE, STEPS_FROM_KEY_STORE, Fault::HangsBefore, "CreateKey");
    kill_during_request(OPEN_FROM_KEY_STORE, STEPS_FROM_KEY_STORE, Fault::HangsAfter, "CreateKey");
}

#[test]
fn method_2_creates_one_key_when_killed_during_create_key() {
    kill_during_request(OPEN_FROM_KEYS, STEPS_FROM_KEYS, Fault::HangsBefore, "CreateKey");
    kill_during_request(OPEN_FROM_KEYS, STEPS_FROM_KEYS, Fault::HangsAfter, "CreateKey");
}

#[test]
fn key_gets_its_alias_when_killed_during_create_alias() {
    kill_during_request(OPEN_FROM_KEY_STORE, STEPS_FROM_KEY_STORE, Fault::HangsBefore, "CreateAlias");
    kill_during_request(OPEN_FROM_KEYS, STEPS_FROM_KEYS, Fault::HangsAfter, "CreateAlias");
}
