//! Messages about drafts that can't be saved, read, or opened, and drafts of other accounts and Regions.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use xks_console::client::ReadOnly;
use xks_console::create_key::submission::{Submission, SubmissionRequest as Stage};
use xks_console::drafts::{DraftRequest, DraftResponse, DraftStore, DraftTarget};
use xks_console::in_process;
use xks_console::tui::app::App;
use xks_console::tui::effect::{Call, Effect, Msg};

use super::{FILL_IN_TO_TAGS, OPEN_WIZARD, account, console_with_transport, open_console, play, screen_text};
use crate::account::block_on;
use crate::faults::faulty_transport::{Fault, FaultTrigger, FaultyTransport};
use crate::snapshots::play_tape;

const GO_TO_REVIEW: &str = "#: key Ctrl+N 4\nWait+Screen /. Edit ./\n";

/// A path at which no directory can be created.
const UNWRITABLE_DIR: &str = "/dev/null/drafts";

#[test]
fn user_decides_whether_to_create_the_key_when_the_draft_cannot_be_saved() {
    let (bundled, clock) = account();
    let aws = in_process::client(&bundled, clock.clone());
    let before = block_on(aws.collect_keys()).unwrap().len();
    let mut player = open_console(&bundled, &clock, Path::new(UNWRITABLE_DIR), "a");
    play(&mut player, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}"));
    assert_eq!(screen_text(&player).matches("Couldn't save draft").count(), 1, "{}", screen_text(&player));
    // Leaving asks for confirmation because the draft would be lost.
    play(&mut player, "Escape 2\nWait+Screen /Discard the new KMS key/\nEscape\n");
    play(&mut player, &format!("{GO_TO_REVIEW}Ctrl+N\n"));
    play_tape(&mut player, "drafts", "Wait+Screen /without a draft/\nScreenshot unsaved.png\nEnter\n");
    play_tape(&mut player, "drafts", "Wait+Screen /was not created/\nScreenshot not-sent.png\n");
    assert_eq!(block_on(aws.collect_keys()).unwrap().len(), before);
    play(&mut player, "Enter\nWait+Screen /without a draft/\nTab\nEnter\nWait+Screen /Success/\n");
    assert_eq!(block_on(aws.collect_keys()).unwrap().len(), before + 1);
}

#[test]
fn drafts_that_cannot_be_resumed_explain_why() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut player = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut player, &format!("{OPEN_WIZARD}Type 'payments-2026'\n"));
    drop(player);
    let draft = fs::read_to_string(dir.path().join("a-1.json")).unwrap();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).unwrap();
    write("cut.json", draft[..300].to_owned());
    write("later.json", draft.replace("\"version\": 1", "\"version\": 2"));
    write("other-account.json", draft.replace("111122223333", "444455556666").replace("payments-2026", "theirs"));
    write("other-target.json", draft.replace("{\n        \"bundled\": \"/data\"\n      }", "\"aws\""));
    write("open.json", draft.replace("payments-2026", "at-work"));
    let mut other = DraftStore::new(Some(dir.path().to_owned()), clock.clone());
    other.handle(DraftRequest::Open("open".to_owned()));
    let mut player = open_console(&bundled, &clock, dir.path(), "b");
    let tape = "Wait+Screen /Draft of a KMS key: payments-2026   /\nType 'D'\nWait+Screen /444455556666/\nScreenshot all.png\n";
    play_tape(&mut player, "drafts", tape);
    // Enter does nothing on a draft that is open in another console.
    play(&mut player, "Down\nEnter\nWait+Screen /Drafts of KMS keys/\nUp\nEnter\nWait+Screen /External key ID/\n");
    for name in ["cut.json", "later.json", "other-account.json", "other-target.json", "open.json"] {
        assert!(dir.path().join(name).exists(), "{name}");
    }
}

#[test]
fn draft_opened_meanwhile_in_another_console_shows_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut first = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut first, &format!("{OPEN_WIZARD}Type 'payments-2026'\n"));
    drop(first);
    let mut player = open_console(&bundled, &clock, dir.path(), "b");
    play(&mut player, "Wait+Screen /Draft of a KMS key/\nType 'D'\nWait+Screen /Press Enter to resume/\n");
    let mut other = DraftStore::new(Some(dir.path().to_owned()), clock.clone());
    other.handle(DraftRequest::Open("a-1".to_owned()));
    play(&mut player, "Enter\nWait+Screen /open in another console/\n");
    assert!(!screen_text(&player).contains("Draft of a KMS key:"), "{}", screen_text(&player));
}

#[test]
fn draft_is_not_offered_in_another_region() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut player = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut player, &format!("{OPEN_WIZARD}Type 'payments-2026'\n"));
    drop(player);
    let client = in_process::client(&bundled, clock.clone()).with_region("eu-west-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let target = xks_console::tui::target::Target::Bundled;
    let mut player =
        xks_console::flow::player::Player::with_client((80, 24), bundled, client, target, clock.clone(), runtime);
    player.keep_drafts(
        DraftStore::new(Some(dir.path().to_owned()), clock),
        DraftTarget::Bundled("/data".to_owned()),
        "b",
    );
    play(
        &mut player,
        "Wait+Screen /No external key stores/\nType 'D'\nWait+Screen /Region us-west-2/\nEnter\nWait+Screen /Region us-west-2/\n",
    );
    assert!(!screen_text(&player).contains("Draft of a KMS key:"), "{}", screen_text(&player));
}

#[test]
fn wizard_left_through_the_navigation_is_offered_as_a_draft() {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut player = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut player, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}#: key F2\nWait+Screen /API calls/\nTab\nUp 6\nEnter\n"));
    play(&mut player, "Wait+Screen /Customer managed keys \\(6/\nWait+Screen /Draft of a KMS key: payments/\n");
    play(&mut player, "Type 'n'\nWait+Screen /Create another/\nEnter\nWait+Screen /Add tags/\nEscape\n");
    assert!(screen_text(&player).contains("Draft saved"), "{}", screen_text(&player));
}

/// Chooses Finish on Review and returns the console and the ticket of the draft save that it waits for.
fn press_finish() -> (App, u64) {
    let dir = tempfile::tempdir().unwrap();
    let (bundled, clock) = account();
    let mut player = open_console(&bundled, &clock, dir.path(), "a");
    play(&mut player, &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}{GO_TO_REVIEW}"));
    let mut app = player.app().clone();
    let finish = app.update(Msg::Key(KeyEvent::new(KeyCode::Char('n'), KeyModifiers::CONTROL)));
    let saves = finish.iter().find_map(|effect| match effect {
        Effect::Draft(DraftRequest::Save { saved, ticket: Some(ticket), .. }) => Some((saved, ticket)),
        _ => None,
    });
    let Some((saved, ticket)) = saves else { panic!("{finish:?}") };
    assert!(!finish.iter().any(|effect| matches!(effect, Effect::Call(..))), "{finish:?}");
    assert!(matches!(&saved.submission, Submission::Sending { sent, .. } if sent.request.policy.is_some()));
    (app, *ticket)
}

fn draft_saved(ticket: u64) -> Msg {
    Msg::Draft(DraftResponse::Saved { ticket: Some(ticket), result: Ok(()) })
}

#[test]
fn create_key_is_sent_only_after_the_draft_is_saved() {
    let (mut app, ticket) = press_finish();
    assert_eq!(app.update(draft_saved(ticket - 1)), [], "an earlier save does not count");
    let sent = app.update(draft_saved(ticket));
    assert!(matches!(&sent[..], [Effect::Call(_, Call::Submission(Stage::CreateKey(_)))]), "{sent:?}");
    assert_eq!(app.update(draft_saved(ticket)), [], "the request is not sent twice");
}

#[test]
fn finish_cancelled_before_the_draft_is_saved_sends_nothing() {
    let (mut app, ticket) = press_finish();
    app.update(Msg::Key(KeyCode::Esc.into()));
    let submission = &app.wizard.as_ref().unwrap().submission;
    assert!(matches!(submission, Submission::Failed { failure } if !failure.outcome_unknown), "{submission:?}");
    assert!(!app.update(draft_saved(ticket)).iter().any(|effect| matches!(effect, Effect::Call(..))));
}

#[test]
fn creating_without_a_draft_discards_the_outdated_draft_first() {
    let (mut app, ticket) = press_finish();
    app.update(Msg::Draft(DraftResponse::Saved { ticket: Some(ticket), result: Err("the disk is full".to_owned()) }));
    app.update(Msg::Key(KeyCode::Tab.into()));
    let effects = app.update(Msg::Key(KeyCode::Enter.into()));
    let position = |predicate: &dyn Fn(&Effect) -> bool| effects.iter().position(predicate).unwrap();
    let discard = position(&|effect| *effect == Effect::Draft(DraftRequest::Discard("a-1".to_owned())));
    let sent = position(&|effect| matches!(effect, Effect::Call(_, Call::Submission(Stage::CreateKey(_)))));
    assert!(discard < sent);
}

#[test]
fn read_only_console_checks_an_unknown_outcome_before_it_shows_commands() {
    for (fault, words, first) in [
        (Fault::ResetBefore, "was not created", "KEY_ID=$(aws kms create-key "),
        (Fault::ResetAfter, "Couldn't create the alias", "aws kms create-alias "),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (bundled, clock) = account();
        let mut player = console_with_transport(&bundled, &clock, dir.path(), "a", |transport| {
            let trigger = FaultTrigger::EachCall("CreateKey".to_owned());
            Arc::new(FaultyTransport::new(transport, clock.clone(), clock.clone()).with_fault(fault, trigger))
        });
        play(
            &mut player,
            &format!("{OPEN_WIZARD}{FILL_IN_TO_TAGS}{GO_TO_REVIEW}Ctrl+N\nWait+Screen /might have succeeded/\n"),
        );
        drop(player);
        let mut player = open_console(&bundled, &clock, dir.path(), "b");
        let client = player.client().clone().with_read_only(ReadOnly::ALL);
        player.use_client(&client);
        player.resize((120, 150));
        play(&mut player, "Wait+Screen /Draft of a KMS key/\nType 'D'\nWait+Screen /Press Enter to resume/\nEnter\n");
        play(&mut player, "Wait+Screen /it can check whether/\n");
        assert!(!screen_text(&player).contains("aws kms"), "{}", screen_text(&player));
        play(&mut player, &format!("Ctrl+N\nWait+Screen /{words}/\nCtrl+N\nWait+Screen /clipboard/\n"));
        let copied = player.copied().last().unwrap();
        assert!(copied.starts_with(first), "{copied}");
        play(&mut player, "#: click \"Commands\" 2\n");
        assert!(screen_text(&player).contains(first), "{}", screen_text(&player));
    }
}
