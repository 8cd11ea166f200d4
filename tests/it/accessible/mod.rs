//! The accessible mode: scripted sessions, whose whole dialogs are snapshots.

mod backward;
mod failures;
mod process;
mod sessions;
mod sign_in;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::rc::Rc;

use tempfile::TempDir;
use xks_console::accessible::{Drafts, InputKind, Prompter, Session, SessionEnd};
use xks_console::aws::kms::{DescribeKey, KeyMetadata};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::drafts::DraftTarget;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

use crate::account::block_on;

const START: &str = "2026-03-02T10:15:00Z";

/// The answers of Method 1 up to Review.
const METHOD_1: &str = "1\nFrankfurt HSM\n\npayments-2026\nyes\npayments\nWhat's paid\n.\nteam\npayments\n\n\
                        /KeyAdministrator\n1\n\nno\n/payments/\n7,9-10\n\n444455556666\n\n\n";

/// An account in memory, and a directory for drafts.
struct Account {
    bundled: BundledAws,
    clock: Clock,
    drafts: TempDir,
}

impl Account {
    fn new() -> Self {
        let environment = Environment::replayable(START.parse().unwrap(), 7);
        let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
        Self { bundled, clock: environment.clock, drafts: tempfile::tempdir().unwrap() }
    }

    fn client(&self) -> Client {
        in_process::client(&self.bundled, self.clock.clone())
    }

    /// Runs a session with these answers until the user quits or the answers end. Returns the end and the dialog.
    fn run(&self, answers: &str) -> (SessionEnd, String) {
        self.run_with(&self.client(), answers)
    }

    fn run_with(&self, client: &Client, answers: &str) -> (SessionEnd, String) {
        run(client, &self.clock, self.drafts.path(), Script::new(answers))
    }

    /// Returns the customer managed keys whose external key ID is `external_key`.
    fn keys_of(&self, external_key: &str) -> Vec<KeyMetadata> {
        let has_it =
            |key: &KeyMetadata| key.xks_key_configuration.as_ref().is_some_and(|external| external.id == external_key);
        self.keys().into_iter().filter(has_it).collect()
    }

    fn keys(&self) -> Vec<KeyMetadata> {
        let client = self.client();
        block_on(async {
            let mut keys = Vec::new();
            for key in client.collect_keys().await.unwrap() {
                keys.push(client.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata);
            }
            keys
        })
    }

    /// Returns the key ID of an alias.
    fn alias_target(&self, alias: &str) -> Option<String> {
        let aliases = block_on(self.client().collect_aliases()).unwrap();
        aliases.into_iter().find(|entry| entry.alias_name == alias).and_then(|entry| entry.target_key_id)
    }

    fn draft_count(&self) -> usize {
        let files = std::fs::read_dir(self.drafts.path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "json")).count()
    }
}

/// Answers, and actions that happen before an answer is read.
struct Script<'a> {
    lines: VecDeque<Line<'a>>,
}

enum Line<'a> {
    Answer(String),
    Do(Box<dyn FnOnce() + 'a>),
}

impl<'a> Script<'a> {
    fn new(answers: &str) -> Self {
        Self { lines: answers.lines().map(|line| Line::Answer(format!("{line}\n"))).collect() }
    }

    /// Does something when the answers so far are read, and continues with `answers`.
    fn then(mut self, action: impl FnOnce() + 'a, answers: &str) -> Self {
        self.lines.push_back(Line::Do(Box::new(action)));
        self.lines.extend(Script::new(answers).lines);
        self
    }
}

impl Read for Script<'_> {
    /// Reads one line at most, so that no action happens too early.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.lines.pop_front() {
                None => return Ok(0),
                Some(Line::Do(action)) => action(),
                Some(Line::Answer(line)) => {
                    let count = line.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&line.as_bytes()[..count]);
                    if count < line.len() {
                        self.lines.push_front(Line::Answer(line[count..].to_owned()));
                    }
                    return Ok(count);
                }
            }
        }
    }
}

/// Output that the test reads after the session.
#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run(client: &Client, clock: &Clock, drafts_dir: &Path, script: Script<'_>) -> (SessionEnd, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let target = DraftTarget::Bundled("/data".to_owned());
    let prefix = format!("test-{}", std::fs::read_dir(drafts_dir).unwrap().count());
    let drafts = Drafts::new(Some(drafts_dir.to_owned()), clock.clone(), target, prefix);
    let output = Output::default();
    let prompter = Prompter::new(BufReader::new(script), output.clone(), InputKind::Pipe);
    let mut session = Session::new(prompter, client.clone(), &runtime, clock.clone(), drafts);
    let end = session.run(None).unwrap();
    drop(session);
    let dialog = String::from_utf8(output.0.take()).unwrap();
    assert!(dialog.chars().all(is_plain), "{dialog:?}");
    (end, dialog)
}

/// Whether a screen reader gets the character as text: no control character except a line break, and no box drawing.
fn is_plain(character: char) -> bool {
    character == '\n' || !character.is_control() && !('\u{2500}'..='\u{259f}').contains(&character)
}
