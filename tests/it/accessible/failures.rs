//! Sessions in which AWS refuses something or doesn't respond. None of them creates two keys.

use std::sync::Arc;

use insta::assert_snapshot;
use xks_console::accessible::{Drafts, InputKind, Prompter, Session, SessionEnd};
use xks_console::aws::kms::{CreateAlias, CreateKey, Origin};
use xks_console::client::Client;
use xks_console::create_key::submission::Submission;
use xks_console::drafts::DraftTarget;
use xks_console::environment::Clock;

use super::{Account, METHOD_1, Output, START, Script, run};
use crate::account::{block_on, key_store};
use crate::faults::faulty_transport::{Fault, FaultTrigger, FaultyTransport};

#[test]
fn refused_external_key_is_corrected_and_one_key_is_created() {
    let account = Account::new();
    let answers = METHOD_1.replacen("payments-2026", "disabled-2019", 1);
    let (end, dialog) = account.run(&format!("{answers}1\n1\n\npayments-2026\n\n1\n8\n"));
    assert_snapshot!(dialog.split_once("You have all permissions").unwrap().1);
    assert_eq!(end, SessionEnd::Quit);
    assert_eq!((account.keys_of("payments-2026").len(), account.keys_of("disabled-2019").len()), (1, 0));
}

#[test]
fn alias_that_is_taken_meanwhile_is_corrected_and_one_key_is_created() {
    let account = Account::new();
    let client = account.client();
    let take_alias = || {
        let key_id = account.alias_target("alias/customer-db").unwrap();
        let request = CreateAlias { alias_name: "alias/payments".to_owned(), target_key_id: key_id };
        block_on(client.call(&request)).unwrap();
    };
    let script = Script::new(METHOD_1).then(take_alias, "1\n1\n\nledger\n1\n8\n");
    let (end, dialog) = run(&client, &account.clock, account.drafts.path(), script);
    assert_snapshot!(dialog.split_once("You have all permissions").unwrap().1);
    assert_eq!(end, SessionEnd::Quit);
    let keys = account.keys_of("payments-2026");
    assert_eq!(keys.len(), 1);
    assert_eq!(account.alias_target("alias/ledger").as_ref(), Some(&keys[0].key_id));
}

#[test]
fn alias_that_is_still_missing_at_the_end_of_input_is_reported() {
    let account = Account::new();
    let client = account.client();
    let take_alias = || {
        let key_id = account.alias_target("alias/customer-db").unwrap();
        let request = CreateAlias { alias_name: "alias/payments".to_owned(), target_key_id: key_id };
        block_on(client.call(&request)).unwrap();
    };
    let script = Script::new(METHOD_1).then(take_alias, "1\n");
    let (end, _) = run(&client, &account.clock, account.drafts.path(), script);
    let SessionEnd::EndOfInput(Some(submission)) = end else { panic!("{end:?}") };
    assert!(matches!(*submission, Submission::KeyWithoutAlias { .. }));
    // The next session creates only the alias.
    let (_, dialog) = account.run("7\n1\n\n1\nledger\n1\n8\n");
    assert!(dialog.contains("The KMS key was created.\nKey ID: "), "{dialog}");
    assert!(dialog.contains("Success\n"), "{dialog}");
    let keys = account.keys_of("payments-2026");
    assert_eq!(keys.len(), 1);
    assert_eq!(account.alias_target("alias/ledger").as_ref(), Some(&keys[0].key_id));
}

fn with_fault(account: &Account, fault: Fault, trigger: FaultTrigger) -> (Client, Arc<FaultyTransport>) {
    let mut faulty = None;
    let client = account.client().map_transport(|transport| {
        let clock = || Clock::manual(START.parse().unwrap());
        let transport = Arc::new(FaultyTransport::new(transport, clock(), clock()).with_fault(fault, trigger));
        faulty = Some(Arc::clone(&transport));
        transport
    });
    (client, faulty.unwrap())
}

/// Returns the number of the first call to `operation` in a session with these answers.
fn call_number(answers: &str, operation: &str) -> usize {
    let account = Account::new();
    let (client, faulty) = with_fault(&account, Fault::Denied, FaultTrigger::Never);
    account.run_with(&client, answers);
    faulty.calls().iter().position(|call| call == operation).unwrap()
}

#[test]
fn lost_responses_are_checked_again_and_never_lead_to_two_keys() {
    let answers = format!("{METHOD_1}1\n");
    for operation in ["CreateKey", "CreateAlias", "DescribeKey"] {
        let number = call_number(&answers, operation);
        for fault in [Fault::ResetAfter, Fault::ResetBefore, Fault::HangsAfter, Fault::Truncated] {
            let account = Account::new();
            let (client, _) = with_fault(&account, fault, FaultTrigger::AtCall(number));
            // The extra answers are for Check again, or for the main menu.
            let (_, dialog) = account.run_with(&client, &format!("{answers}1\n<\nquit\nyes\n"));
            let case = format!("{operation}, {fault:?}: {dialog}");
            assert!(dialog.contains("Success\n"), "{case}");
            let keys = account.keys_of("payments-2026");
            assert_eq!(keys.len(), 1, "{case}");
            assert_eq!(account.alias_target("alias/payments").as_ref(), Some(&keys[0].key_id), "{case}");
        }
    }
}

#[test]
fn unknown_outcome_survives_the_session() {
    let answers = format!("{METHOD_1}1\n");
    let number = call_number(&answers, "CreateKey");
    let account = Account::new();
    let (client, _) = with_fault(&account, Fault::ResetAfter, FaultTrigger::AtCall(number));
    let (end, dialog) = account.run_with(&client, &answers);
    let SessionEnd::EndOfInput(Some(submission)) = end else { panic!("{end:?}") };
    assert!(matches!(*submission, Submission::Unknown { .. }));
    assert!(dialog.contains("Choose Check again. The console first checks what was created"), "{dialog}");
    let (_, dialog) = account.run("7\n1\n\ncheck\n8\n");
    assert_snapshot!(dialog);
    assert_eq!(account.keys_of("payments-2026").len(), 1);
}

#[test]
fn denied_request_names_the_missing_permission() {
    let account = Account::new();
    let (client, _) = with_fault(&account, Fault::Denied, FaultTrigger::EachCall("CreateKey".to_owned()));
    let (_, dialog) = account.run_with(&client, &format!("{METHOD_1}1\n11\n\n8\n"));
    assert!(dialog.contains("Error: AccessDeniedException. Error injected by the test\n"), "{dialog}");
    assert!(dialog.contains("You don't have these permissions:\nkms:CreateKey on *."), "{dialog}");
    assert!(dialog.contains("To continue, choose Retry.\n"), "{dialog}");
    assert_eq!(account.keys_of("payments-2026").len(), 0);
}

#[test]
fn draft_that_cannot_be_saved_is_reported_before_the_key_is_created() {
    let account = Account::new();
    let file = account.drafts.path().join("file");
    // A file where the directory should be.
    std::fs::write(&file, "").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let output = Output::default();
    let answers = format!("{METHOD_1}1\nno\nretry\nyes\n8\n");
    let prompter = Prompter::new(answers.as_bytes(), output.clone(), InputKind::Pipe);
    let target = DraftTarget::Aws;
    let drafts = Drafts::new(Some(file.join("drafts")), account.clock.clone(), target, "t".to_owned());
    let mut session = Session::new(prompter, account.client(), &runtime, account.clock.clone(), drafts);
    session.run(None).unwrap();
    drop(session);
    let dialog = String::from_utf8(output.0.take()).unwrap();
    assert_eq!(dialog.matches("Couldn't save your entries").count(), 1, "{dialog}");
    assert!(dialog.contains("CreateKey was not sent."), "{dialog}");
    assert!(dialog.contains("Error: DraftNotSaved."), "{dialog}");
    assert!(dialog.contains("Success\n"), "{dialog}");
    assert_eq!(account.keys_of("payments-2026").len(), 1);
}

#[test]
fn text_from_aws_is_escaped() {
    let account = Account::new();
    let client = account.client();
    block_on(async {
        let request = CreateKey {
            origin: Some(Origin::ExternalKeyStore),
            custom_key_store_id: Some(key_store(&client, "Frankfurt HSM").await.custom_key_store_id),
            xks_key_id: Some("hr-records".to_owned()),
            description: Some("red\u{1b}[31m and\u{7} \u{202e}back\nStatus: Disabled".to_owned()),
            ..Default::default()
        };
        let key_id = client.call(&request).await.unwrap().key_metadata.key_id;
        let alias = CreateAlias { alias_name: "alias/hostile".to_owned(), target_key_id: key_id };
        client.call(&alias).await.unwrap();
    });
    let (_, dialog) = account.run("6\nhostile\n8\n");
    let description = "Description in 2 lines:\nred\\u{1b}[31m and\\u{7} \\u{202e}back\nStatus: Disabled\n";
    assert!(dialog.contains(description), "{dialog}");
}
