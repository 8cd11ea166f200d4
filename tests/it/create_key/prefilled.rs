//! The wizard, prefilled from command-line options.

use xks_console::aws::kms::Origin;
use xks_console::commands::create_key::CreateKeyExit;
use xks_console::create_key::key_options::KeyOptions;
use xks_console::drafts::{DraftStore, DraftTarget};
use xks_console::environment::Clock;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::app::App;
use xks_console::tui::target::Target;

use super::{START, STORE, account, answers, faulty_client};
use crate::faults::faulty_transport::{Fault, FaultTrigger};
use crate::snapshots::assert_screens_match;

const COMPLETE: &str = r#"{
    "custom-key-store-id": "Frankfurt HSM", "xks-key-id": "payments-2026", "alias": "payments", "description": "Paid by card",
    "tag": ["team=payments"], "administrator": ["arn:aws:iam::111122223333:user/Admin"], "no-admin-deletion": true,
    "user": ["arn:aws:iam::111122223333:user/Admin"], "other-account": ["444455556666"]
}"#;

/// Goes through all steps of a wizard in which only the acknowledgment is missing.
const TO_REVIEW: &str = "Wait+Screen /I understand/\nScreenshot '1.png'\nSpace\nCtrl+N\nWait+Screen /◉ Frankfurt/\n\
    Screenshot '2.png'\nCtrl+N\nScreenshot '3.png'\nCtrl+N\nScreenshot '4.png'\nCtrl+N\nScreenshot '5.png'\nCtrl+N\n\
    Screenshot '6.png'\nCtrl+N\nScreenshot '7.png'\nCtrl+N\nScreenshot '8.png'\n";

fn prefilled(player: Player, answers: &KeyOptions) -> Player {
    player.for_single_key(answers.to_draft(None).unwrap(), answers.custom_key_store_id.clone())
}

/// Plays a tape and returns the state of the console at each screenshot.
fn play(player: &mut Player, text: &str) -> Vec<(String, App)> {
    let (tape, mut shots) = (Tape::parse("filled", text).unwrap(), Vec::new());
    tape::play(&tape, player, &mut |name, player| {
        shots.push((name.to_owned(), player.app().clone()));
        Ok(())
    })
    .unwrap();
    shots
}

fn assert_step_snapshots(name: &str, shots: &[(String, App)]) {
    let cases: Vec<(&str, App)> = shots.iter().map(|(name, app)| (name.as_str(), app.clone())).collect();
    assert_screens_match(name, &cases);
}

#[test]
fn options_prefill_each_wizard_step_and_the_console_exits_after_creating_the_key() {
    let mut player = prefilled(Player::start((80, 24)).unwrap(), &answers(COMPLETE));
    let shots = play(&mut player, TO_REVIEW);
    assert_step_snapshots("create-key-filled", &shots);
    assert!(!player.has_quit());
    play(&mut player, "Ctrl+N\n");
    assert!(player.has_quit());
    let (exit, key) = CreateKeyExit::for_submission(player.app().submission());
    assert_eq!(exit, CreateKeyExit::Created);
    assert_eq!(key.unwrap().description, "Paid by card");
}

#[test]
fn each_wizard_step_shows_errors_in_option_values() {
    let wrong = answers(
        r#"{ "custom-key-store-id": "Zurich DR", "xks-key-id": "a b", "alias": "customer-db", "tag": ["aws:x=1", "y=1", "y=2"],
             "other-account": ["111122223333"] }"#,
    );
    let mut player = prefilled(Player::start((80, 24)).unwrap(), &wrong);
    let shots = play(
        &mut player,
        "Wait+Screen /I understand/\nScreenshot '1.png'\n#: key Alt+2\nScreenshot '2.png'\n#: key Alt+3\nScreenshot '3.png'\n#: key Alt+4\n\
         Screenshot '4.png'\n#: key Alt+6\nScreenshot '6.png'\n",
    );
    assert_step_snapshots("create-key-wrong", &shots);
    let unknown = answers(r#"{ "custom-key-store-id": "Oslo" }"#);
    play(&mut prefilled(Player::start((120, 40)).unwrap(), &unknown), "Wait+Screen /has the ID or name/\n");
}

#[test]
fn key_with_kms_origin_does_not_need_describe_custom_key_stores() {
    let (bundled, _) = account();
    let denied = FaultTrigger::EachCall("DescribeCustomKeyStores".to_owned());
    let (client, _) = faulty_client(&bundled, |faulty| faulty.with_fault(Fault::Denied, denied));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let player = Player::with_client((100, 30), bundled, client, Target::Aws, clock, runtime);
    let mut player = prefilled(player, &answers(r#"{ "origin": "AWS_KMS", "alias": "reports" }"#));
    play(
        &mut player,
        "Wait+Screen /Key material origin: KMS/\nCtrl+N\nWait+Screen /Add alias/\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\n\
         Wait+Screen /● 7 Review/\n",
    );
    assert!(player.app().flashes.is_empty(), "{:?}", player.app().flashes);
    play(&mut player, "Ctrl+N\n");
    assert!(player.has_quit());
    let (exit, key) = CreateKeyExit::for_submission(player.app().submission());
    assert_eq!((exit, key.map(|key| key.origin)), (CreateKeyExit::Created, Some(Origin::AwsKms)));
}

#[test]
fn leaving_the_wizard_exits_and_reports_what_was_created() {
    let (bundled, _) = account();
    let (client, _) = faulty_client(&bundled, |faulty| {
        faulty.with_fault(Fault::Denied, FaultTrigger::EachCall("CreateAlias".to_owned()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let player = Player::with_client((100, 30), bundled, client, Target::Aws, clock, runtime);
    let leave = "Escape\nWait+Screen /Discard/\nTab\nEnter\n";
    let mut player = prefilled(player, &answers(COMPLETE));
    play(&mut player, &format!("{TO_REVIEW}Ctrl+N\nWait+Screen /The KMS key was created/\n{leave}"));
    assert!(player.has_quit());
    assert_eq!(CreateKeyExit::for_submission(player.app().submission()).0, CreateKeyExit::AliasNotCreated);

    let only_store = answers(&format!(r#"{{ "custom-key-store-id": "{STORE}" }}"#));
    let mut player = prefilled(Player::start((80, 24)).unwrap(), &only_store);
    // With only a key store chosen, there is no draft to discard.
    play(&mut player, "Wait+Screen /I understand/\nEscape\n");
    assert!(player.has_quit());
    assert_eq!(CreateKeyExit::for_submission(player.app().submission()), (CreateKeyExit::Canceled, None));
}

#[test]
fn draft_is_saved_once_and_unknown_outcome_is_kept_after_visiting_other_pages() {
    let unknown = "Ctrl+N\nWait+Screen /the request might have succeeded/\n";
    let other_page = "#: key F2\nWait+Screen /API calls/\nTab\nUp 3\nEnter\nWait+Screen /External key stores \\(/\n";
    for (tape, exit) in [
        ("Wait+Screen /I understand/\nEscape\n".to_owned(), CreateKeyExit::Canceled),
        (format!("{TO_REVIEW}{unknown}Escape\n"), CreateKeyExit::Unknown),
        (format!("{TO_REVIEW}{unknown}{other_page}Ctrl+C\n"), CreateKeyExit::Unknown),
        (
            format!("{TO_REVIEW}{unknown}{other_page}Down\nType \"n\"\nWait+Screen /might have succeeded/\nCtrl+C\n"),
            CreateKeyExit::Unknown,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (bundled, _) = account();
        let trigger = FaultTrigger::EachCall("CreateKey".to_owned());
        let (client, _) = faulty_client(&bundled, |faulty| faulty.with_fault(Fault::ResetBefore, trigger));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let clock = Clock::manual(START.parse().unwrap());
        let player = Player::with_client((100, 30), bundled, client, Target::Aws, clock.clone(), runtime);
        let mut player = prefilled(player, &answers(COMPLETE));
        player.keep_drafts(DraftStore::new(Some(dir.path().to_owned()), clock), DraftTarget::Aws, "a");
        play(&mut player, &tape);
        assert!(player.has_quit(), "{tape}");
        assert_eq!(CreateKeyExit::for_submission(player.app().submission()).0, exit, "{tape}");
        let names = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.ends_with(".json")).count(), 1, "{tape}");
    }
}
