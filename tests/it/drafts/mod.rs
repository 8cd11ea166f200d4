//! Drafts of KMS keys: saved while the user types, offered again later, and never leading to a second key, whenever the
//! console ends.

mod crash_recovery;
mod unavailable;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use xks_console::bundled::BundledAws;
use xks_console::client::{Client, Transport, TransportError};
use xks_console::drafts::{DraftStore, DraftTarget};
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};
use xks_console::in_process;

use crate::account::block_on;
use crate::faults::faulty_transport;
use crate::faults::simulated_user::{self, Flow, SimulatedUser};
use crate::snapshots::play_tape;
use xks_console::tui::target::Target;

const START: &str = "2026-03-02T10:15:00Z";

fn account() -> (BundledAws, Clock) {
    let environment = Environment::replayable(START.parse().unwrap(), 7);
    (BundledAws::in_memory("default", environment.clone()).unwrap(), environment.clock)
}

/// Returns a console on `bundled`, through the transport that `wrap` returns, that keeps its drafts in `drafts_dir`.
fn console_with_transport(
    bundled: &BundledAws,
    clock: &Clock,
    drafts_dir: &Path,
    session: &str,
    wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>,
) -> Player {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let client = in_process::client(bundled, clock.clone()).map_transport(wrap);
    let mut player = Player::with_client((80, 24), bundled.clone(), client, Target::Bundled, clock.clone(), runtime);
    let drafts = DraftStore::new(Some(drafts_dir.to_owned()), clock.clone());
    player.keep_drafts(drafts, DraftTarget::Bundled("/data".to_owned()), session);
    player
}

fn open_console(bundled: &BundledAws, clock: &Clock, drafts_dir: &Path, session: &str) -> Player {
    console_with_transport(bundled, clock, drafts_dir, session, |transport| transport)
}

fn play(player: &mut Player, tape: &str) {
    let tape = Tape::parse("drafts", tape).unwrap();
    tape::play(&tape, player, &mut |_, _| Ok(())).unwrap();
}

fn screen_text(player: &Player) -> String {
    tape::screen_text(&player.frame())
}

const OPEN_WIZARD: &str = "Wait+Screen /Frankfurt HSM/\nDown\nType 'n'\n";
const FILL_IN_TO_TAGS: &str = "Wait+Screen /External key ID/\nType 'payments-2026'\nTab\nSpace\nCtrl+N\n\
                     Wait+Screen /Add alias/\nType 'payments'\nTab\nType 'Paid by card'\nCtrl+N\nWait+Screen /Add tags/\n";

#[test]
fn draft_is_offered_when_a_wizard_starts() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut player = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut player, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}"));
    // The console ends without leaving the wizard.
    drop(player);
    let mut player = open_console(&bundled, &clock, dir.path(), "b");
    let tape = "Wait+Screen /Draft of a KMS key: payments/\nScreenshot notice.png\nDown\nType 'n'\n\
                Wait+Screen /Drafts of KMS keys/\nScreenshot offer.png\nEnter\nWait+Screen /Add tags/\n\
                Escape\nWait+Screen /Draft saved/\nScreenshot kept.png\n";
    play_tape(&mut player, "drafts", tape);
    // A second draft is started, and both still exist a day later.
    play(
        &mut player,
        "Escape\nType 'n'\nWait+Screen /Create another/\nType 'n'\nWait+Screen /External key ID/\nType 'other-key'\n",
    );
    drop(player);
    clock.advance(jiff::SignedDuration::from_hours(24));
    let mut player = open_console(&bundled, &clock, dir.path(), "c");
    let tape = "Wait+Screen /and 1 more/\nType 'D'\nWait+Screen /other-key/\nScreenshot list.png\nType 'd'\n\
                Wait+Screen /Discard the draft/\nScreenshot discard.png\n";
    play_tape(&mut player, "drafts", tape);
    play(&mut player, "Enter\nWait+Screen /other-key/\nType 'd'\nTab\nEnter\nEscape\n");
    let last = screen_text(&player);
    assert_eq!(last.contains("payments"), !last.contains("other-key"), "{last}");
    assert!(last.contains("Draft of a KMS key") && !last.contains("more"), "{last}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "a draft and its lock");
}

#[test]
fn resumed_draft_restores_the_focused_field_and_cursor() {
    for (typed, moves, more, expected) in [
        ("Type 'payments'", "Left 3\n", "Type '-EU-'", "payme-EU-nts"),
        ("Type 'a'\nTab\nType 'one'\nEnter\nType 'two'", "Up\n#: key Home\n", "Type 'X'", "Xone"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (bundled, clock) = account();
        let mut player = open_console(&bundled, &clock, dir.path(), "a");
        let to_alias = "Type 'payments-2026'\nTab\nSpace\nCtrl+N\nWait+Screen /Add alias/\n";
        play(&mut player, &format!("{OPEN_WIZARD}{to_alias}{typed}\n{moves}"));
        drop(player);
        let mut player = open_console(&bundled, &clock, dir.path(), "b");
        play(
            &mut player,
            &format!("Wait+Screen /Draft of a KMS key/\nType 'D'\nEnter\nWait+Screen /Add alias/\n{more}\n"),
        );
        assert!(screen_text(&player).contains(expected), "{}", screen_text(&player));
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
        &format!("{OPEN_WIZARD}Wait+Screen /External key ID/\nType 'other-key'\nEscape\nWait+Screen /Draft saved/\n"),
    );
    clock.advance(jiff::SignedDuration::from_secs(60));
    play(&mut one, "Enter\nType 'team'\n");
    play(&mut other, "Escape\nType 'n'\nWait+Screen /already open/\nWait+Screen /▌ other-key/\n");
    play(&mut other, "Enter\nWait+Screen /▸ External key ID/\nWait+Screen /other-key/\n");
}

/// A transport that simulates the end of the console at a call: it copies the drafts on disk, and no later call
/// succeeds.
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
                let response = self.transport.send(request).await;
                if call < self.at_call {
                    return response;
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
    let created: Vec<_> = metadata
        .map(|request| block_on(aws.call(&request)).unwrap().key_metadata)
        .filter(|key| key.description == simulated_user::DESCRIPTION)
        .collect();
    let aliases = block_on(aws.collect_aliases()).unwrap();
    let alias = aliases.into_iter().find(|alias| alias.alias_name == "alias/payments");
    let has_alias =
        created.first().is_some_and(|key| alias.is_some_and(|alias| alias.target_key_id == Some(key.key_id.clone())));
    (created.len(), has_alias)
}

/// Returns the numbers of the calls of a flow from CreateKey on. Counts repeated calls to the same operation once.
fn calls_from_create_key(flow: Flow) -> Vec<usize> {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut player = console_with_transport(&bundled, &clock, dir.path(), "a", |transport| {
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
    player.resize((100, 30));
    assert!(SimulatedUser::run_flow(&mut player, flow).succeeded);
    let all = calls.lock().unwrap();
    let first = all.iter().position(|call| call == "CreateKey").unwrap();
    (first..all.len()).filter(|at_call| all[*at_call] != all[*at_call - 1]).collect()
}

/// Ends the console before or after call `at_call` is processed and resumes in another one. Returns whether there was a
/// draft.
fn terminate_at_call(flow: Flow, at_call: usize, delivers_call: bool) -> bool {
    let case = format!("{flow:?}, ended at call {at_call}, processed: {delivers_call}");
    let dir = tempfile::tempdir().unwrap();
    let (drafts, copy) = (dir.path().join("drafts"), dir.path().join("copy"));
    let (bundled, clock) = account();
    let wrap = |transport| {
        let (drafts, copy) = (drafts.clone(), copy.clone());
        Arc::new(TerminatingTransport { transport, at_call, delivers_call, drafts, copy, calls: Arc::default() })
            as Arc<dyn Transport>
    };
    let mut player = console_with_transport(&bundled, &clock, &drafts, "a", wrap);
    player.resize((100, 30));
    SimulatedUser::run_flow(&mut player, flow);
    drop(player);
    let mut player = open_console(&bundled, &clock, &copy, "b");
    player.resize((100, 30));
    player.settle();
    if !screen_text(&player).contains("Draft of a KMS key") {
        // The console ended before anything was typed, or after it had reported success.
        let (created, has_alias) = created_keys(&in_process::client(&bundled, clock.clone()));
        assert!(created == usize::from(has_alias), "{case}: {created}");
        return false;
    }
    play(&mut player, "Type 'D'\nWait+Screen /Drafts of KMS keys/\nEnter\n");
    let user = SimulatedUser::resume_flow(&mut player);
    assert!(user.succeeded, "{case}: {}", user.last_screen);
    assert_eq!(created_keys(&in_process::client(&bundled, clock)), (1, true), "{case}");
    assert!(!screen_text(&player).contains("Draft of a KMS key"), "{case}: {}", screen_text(&player));
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
