//! Drafts of KMS keys: kept as one types, offered again, and after an end at any moment still one key.

mod crash_recovery;
mod unavailable;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use xks_console::tui::target::Target;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use xks_console::bundled::BundledAws;
use xks_console::client::{Client, Transport, TransportError};
use xks_console::drafts::{DraftStore, DraftTarget};
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::{Player, in_process_client};
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};

use crate::account::block_on;
use crate::faults::faulty_transport;
use crate::faults::simulated_user::{self, Flow, SimulatedUser};
use crate::snapshots::play_tape;

const START: &str = "2026-03-02T10:15:00Z";

fn account() -> (BundledAws, Clock) {
    let world = Environment::replayable(START.parse().unwrap(), 7);
    (BundledAws::in_memory("default", world.clone()).unwrap(), world.clock)
}

/// A console on `bundled`, reached by way of `wrap`, that keeps its drafts in `place`.
fn console_with_transport(
    bundled: &BundledAws,
    clock: &Clock,
    drafts_dir: &Path,
    session: &str,
    wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>,
) -> Player {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let client = in_process_client(bundled, clock.clone()).map_transport(wrap);
    let mut journey = Player::with_client((80, 24), bundled.clone(), client, Target::Bundled, clock.clone(), runtime);
    let folder = DraftStore::new(Some(drafts_dir.to_owned()), clock.clone());
    journey.keep_drafts(folder, DraftTarget::Bundled("/data".to_owned()), session);
    journey
}

fn open_console(bundled: &BundledAws, clock: &Clock, drafts_dir: &Path, session: &str) -> Player {
    console_with_transport(bundled, clock, drafts_dir, session, |transport| transport)
}

fn play(journey: &mut Player, tape: &str) {
    let tape = Tape::parse("drafts", tape).unwrap();
    tape::play(&tape, journey, &mut |_, _| Ok(())).unwrap();
}

fn screen_text(journey: &Player) -> String {
    tape::screen_text(&journey.frame())
}

const OPEN_WIZARD: &str = "Wait+Screen /Frankfurt HSM/\nDown\nType 'n'\n";
const FILL_IN_TO_TAGS: &str = "Wait+Screen /External key ID/\nType 'payments-2026'\nTab\nSpace\nCtrl+N\n\
                     Wait+Screen /Add alias/\nType 'payments'\nTab\nType 'Paid by card'\nCtrl+N\nWait+Screen /Add tags/\n";

#[test]
fn draft_is_offered_when_a_wizard_starts() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut journey = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut journey, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}"));
    // Gone without a word.
    drop(journey);
    let mut journey = open_console(&bundled, &clock, dir.path(), "b");
    let tape = "Wait+Screen /Unfinished KMS key: payments/\nScreenshot notice.png\nDown\nType 'n'\n\
                Wait+Screen /Unfinished KMS keys/\nScreenshot offer.png\nEnter\nWait+Screen /Add tags/\n\
                Escape\nWait+Screen /Draft kept/\nScreenshot kept.png\n";
    play_tape(&mut journey, "drafts", tape);
    // Another one is begun, and both are there on another day.
    play(
        &mut journey,
        "Escape\nType 'n'\nWait+Screen /Create another/\nType 'n'\nWait+Screen /External key ID/\nType 'other-key'\n",
    );
    drop(journey);
    clock.advance(jiff::SignedDuration::from_hours(24));
    let mut journey = open_console(&bundled, &clock, dir.path(), "c");
    let tape = "Wait+Screen /and 1 more/\nType 'D'\nWait+Screen /other-key/\nScreenshot list.png\nType 'd'\n\
                Wait+Screen /Discard the draft/\nScreenshot discard.png\n";
    play_tape(&mut journey, "drafts", tape);
    play(&mut journey, "Enter\nWait+Screen /other-key/\nType 'd'\nTab\nEnter\nEscape\n");
    let last = screen_text(&journey);
    assert_eq!(last.contains("payments"), !last.contains("other-key"), "{last}");
    assert!(last.contains("Unfinished KMS key") && !last.contains("more"), "{last}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "a draft and its lock");
}

#[test]
fn resumed_draft_restores_the_focused_field_and_cursor() {
    for (typed, moves, then, whole) in [
        ("Type 'payments'", "Left 3\n", "Type '-EU-'", "payme-EU-nts"),
        ("Type 'a'\nTab\nType 'one'\nEnter\nType 'two'", "Up\nHome\n", "Type 'X'", "Xone"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (bundled, clock) = account();
        let mut journey = open_console(&bundled, &clock, dir.path(), "a");
        let to_alias = "Type 'payments-2026'\nTab\nSpace\nCtrl+N\nWait+Screen /Add alias/\n";
        play(&mut journey, &format!("{OPEN_WIZARD}{to_alias}{typed}\n{moves}"));
        drop(journey);
        let mut journey = open_console(&bundled, &clock, dir.path(), "b");
        play(
            &mut journey,
            &format!("Wait+Screen /Unfinished KMS key/\nType 'D'\nEnter\nWait+Screen /Add alias/\n{then}\n"),
        );
        assert!(screen_text(&journey).contains(whole), "{}", screen_text(&journey));
    }
}

#[test]
fn enter_resumes_the_first_draft_not_open_in_another_console() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut one = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut one, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}"));
    let mut other = open_console(&bundled, &clock, dir.path(), "b");
    play(
        &mut other,
        &format!("{OPEN_WIZARD}Wait+Screen /External key ID/\nType 'other-key'\nEscape\nWait+Screen /kept/\n"),
    );
    clock.advance(jiff::SignedDuration::from_secs(60));
    play(&mut one, "Enter\nType 'team'\n");
    play(&mut other, "Escape\nType 'n'\nWait+Screen /already open/\nWait+Screen /▸ other-key/\n");
    play(&mut other, "Enter\nWait+Screen /For a key that your external key manager has/\nWait+Screen /other-key/\n");
}

/// The way to an AWS that the console sees no more of after a call: it has ended then. What it had on the disk is copied.
struct TerminatingTransport {
    transport: Arc<dyn Transport>,
    at_call: usize,
    delivers_call: bool,
    drafts: PathBuf,
    copy: PathBuf,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Transport for TerminatingTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(faulty_transport::operation_name(&request));
            calls.len() - 1
        };
        Box::pin(async move {
            if call == self.at_call {
                std::fs::create_dir_all(&self.copy).unwrap();
                for file in std::fs::read_dir(&self.drafts).into_iter().flatten() {
                    let file = file.unwrap();
                    std::fs::copy(file.path(), self.copy.join(file.file_name())).unwrap();
                }
            }
            if call < self.at_call || call == self.at_call && self.delivers_call {
                let answer = self.transport.send(request).await;
                if call < self.at_call {
                    return answer;
                }
            }
            let reason = "the console has ended".to_owned();
            Err(TransportError { host: "kms".to_owned(), reason, may_have_arrived: true })
        })
    }

    fn is_bundled(&self) -> bool {
        self.transport.is_bundled()
    }
}

fn created_keys(aws: &Client) -> (usize, bool) {
    let keys = block_on(aws.collect_keys()).unwrap();
    let metadata = keys.into_iter().map(|key| xks_console::aws::kms::DescribeKey::new(key.key_id));
    let made: Vec<_> = metadata
        .map(|request| block_on(aws.call(&request)).unwrap().key_metadata)
        .filter(|key| key.description == simulated_user::DESCRIPTION)
        .collect();
    let aliases = block_on(aws.collect_aliases()).unwrap();
    let alias = aliases.into_iter().find(|alias| alias.alias_name == "alias/payments");
    let is_named =
        made.first().is_some_and(|key| alias.is_some_and(|alias| alias.target_key_id == Some(key.key_id.clone())));
    (made.len(), is_named)
}

/// The calls that a flow ends with, by number, from CreateKey on; of the same call many times in a row only the first.
fn calls_from_create_key(flow: Flow) -> Vec<usize> {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut journey = console_with_transport(&bundled, &clock, dir.path(), "a", |transport| {
        let (drafts, copy) = (dir.path().to_owned(), dir.path().to_owned());
        Arc::new(TerminatingTransport {
            transport,
            at_call: usize::MAX,
            delivers_call: true,
            drafts,
            copy,
            calls: Arc::clone(&calls),
        })
    });
    journey.resize((100, 30));
    assert!(SimulatedUser::run_flow(&mut journey, flow).succeeded);
    let all = calls.lock().unwrap();
    let first = all.iter().position(|call| call == "CreateKey").unwrap();
    (first..all.len()).filter(|at_call| all[*at_call] != all[*at_call - 1]).collect()
}

/// Ends the console before or after call `at` was carried out, and goes on in another; whether there was a draft.
fn terminate_at_call(flow: Flow, at_call: usize, delivers_call: bool) -> bool {
    let case = format!("{flow:?}, ended at call {at_call}, carried out: {delivers_call}");
    let dir = tempfile::tempdir().unwrap();
    let (drafts, copy) = (dir.path().join("drafts"), dir.path().join("copy"));
    let (bundled, clock) = account();
    let wrapped = |transport| {
        let (drafts, copy) = (drafts.clone(), copy.clone());
        Arc::new(TerminatingTransport { transport, at_call, delivers_call, drafts, copy, calls: Arc::default() })
            as Arc<dyn Transport>
    };
    let mut journey = console_with_transport(&bundled, &clock, &drafts, "a", wrapped);
    journey.resize((100, 30));
    SimulatedUser::run_flow(&mut journey, flow);
    drop(journey);
    let mut journey = open_console(&bundled, &clock, &copy, "b");
    journey.resize((100, 30));
    journey.settle();
    if !screen_text(&journey).contains("Unfinished KMS key") {
        // It ended before anything was typed, or when all was done and told.
        let (made, is_named) = created_keys(&in_process_client(&bundled, clock.clone()));
        assert!(made == usize::from(is_named), "{case}: {made}");
        return false;
    }
    play(&mut journey, "Type 'D'\nWait+Screen /Unfinished KMS keys/\nEnter\n");
    let person = SimulatedUser::resume_flow(&mut journey);
    assert!(person.succeeded, "{case}: {}", person.last_screen);
    assert_eq!(created_keys(&in_process_client(&bundled, clock)), (1, true), "{case}");
    assert!(!screen_text(&journey).contains("Unfinished"), "{case}: {}", screen_text(&journey));
    assert_eq!(std::fs::read_dir(&copy).unwrap().count(), 0, "{case}");
    true
}

fn terminate_at_each_call(flow: Flow) {
    for delivers_call in [false, true] {
        let drafts = calls_from_create_key(flow)
            .into_iter()
            .filter(|at_call| terminate_at_call(flow, *at_call, delivers_call))
            .count();
        assert_eq!(drafts, 3, "{flow:?}: CreateKey, CreateAlias, DescribeKey");
    }
}

#[test]
fn termination_at_any_call_of_method_1_leaves_one_key() {
    terminate_at_each_call(Flow::Method1);
}

#[test]
fn termination_at_any_call_of_method_2_leaves_one_key() {
    terminate_at_each_call(Flow::Method2);
    terminate_at_each_call(Flow::Method2InKms);
}
