//! Sessions without failures.

use insta::assert_snapshot;
use xks_console::accessible::SessionEnd;
use xks_console::client::ReadOnly;
use xks_console::create_key::submission::Submission;

use super::{Account, METHOD_1};

#[test]
fn method_1_creates_a_key() {
    let account = Account::new();
    let (end, dialog) = account.run(&format!("{METHOD_1}1\n8\n"));
    assert_snapshot!(dialog);
    assert_eq!(end, SessionEnd::Quit);
    let keys = account.keys_of("payments-2026");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].description, "What's paid");
    assert_eq!(account.alias_target("alias/payments").as_ref(), Some(&keys[0].key_id));
    assert_eq!(account.draft_count(), 0);
}

#[test]
fn method_2_connects_the_key_store_and_creates_a_key() {
    let account = Account::new();
    let answers = "2\nasym\n?\n1\n\n4\nyes\nZurich DR\nyes\ndr-vault\nbackups\n\n\n\
                   arn:aws:iam::444455556666:role/PartnerDecrypt\n\n\n2\n1\n/x\n/\nnext\n\n\n\n1\n8\n";
    let (end, dialog) = account.run(answers);
    assert_snapshot!(dialog);
    assert_eq!(end, SessionEnd::Quit);
    assert_eq!(account.keys_of("dr-vault").len(), 1);
}

#[test]
fn method_2_creates_a_key_in_aws_kms() {
    let account = Account::new();
    let before = account.keys().len();
    let (_, dialog) = account.run("2\n\n\n\nreports\n\n\nreview\n1\n8\n");
    assert!(dialog.contains("Step 4 of 7: Define key administrative permissions - optional"), "{dialog}");
    assert!(dialog.contains("Creating the KMS key… done.\nCreating the alias… done.\n"), "{dialog}");
    assert_eq!(account.keys().len(), before + 1);
    assert!(account.alias_target("alias/reports").is_some());
}

#[test]
fn lists_and_keys_are_shown_in_lines() {
    let account = Account::new();
    let (end, dialog) = account.run("3\n4\n6\ncustomer-db\n6\nnobody\n5\nParis\nno\n7\nquit\n");
    assert_snapshot!(dialog);
    assert_eq!(end, SessionEnd::Quit);
}

#[test]
fn help_is_available_at_every_question_of_the_wizard() {
    let account = Account::new();
    let answers: String = METHOD_1.lines().skip(2).map(|line| format!("?\n{line}\n")).collect();
    let (_, dialog) = account.run(&format!("1\nFrankfurt HSM\n{answers}1\n8\n"));
    assert!(dialog.contains("Success\n"), "{dialog}");
    for words in ["must be connected to its external key store proxy", "encrypted twice", "A friendly name", "Sids"] {
        assert!(dialog.contains(words), "{words}: {dialog}");
    }
}

#[test]
fn invalid_answers_are_explained_and_going_back_never_validates() {
    let account = Account::new();
    let answers = "1\nDublin HSM\n\nnot valid\n<\n\neu-invoices\n<\n\n\nno\nyes\nreview\ncustomer-db\nmy alias\n<\n\n\n\n\
                   invoices\nline 1\nline 2\n.\naws:x\nteam\n\nteam\nremove 7\nremove 1\nowner\nme\n\n99\n\
                   arn:aws:iam::111122223333:group/x\nreview\nquit\n\n8\n";
    let (end, dialog) = account.run(answers);
    assert_snapshot!(dialog);
    assert_eq!(end, SessionEnd::Quit);
    assert_eq!(account.draft_count(), 1);
}

#[test]
fn end_of_input_keeps_the_draft_and_the_next_session_resumes_it() {
    let account = Account::new();
    let to_tags: Vec<&str> = METHOD_1.lines().take(9).collect();
    let (end, dialog) = account.run(&to_tags.join("\n"));
    assert!(matches!(end, SessionEnd::EndOfInput(Some(submission)) if *submission == Submission::NotSent));
    assert!(dialog.ends_with("What you entered is saved as a draft, which you can resume from the main menu.\n"));
    assert_eq!(account.draft_count(), 1);
    let (end, dialog) = account.run("7\n1\n\nreview\nreview\n1\n8\n");
    assert_snapshot!(dialog);
    assert_eq!(end, SessionEnd::Quit);
    assert_eq!(account.keys_of("payments-2026").len(), 1);
    assert_eq!(account.draft_count(), 0);
}

#[test]
fn draft_is_discarded_on_request() {
    let account = Account::new();
    let to_alias: Vec<&str> = METHOD_1.lines().take(6).collect();
    let (_, dialog) = account.run(&format!("{}\nquit\nno\n7\n8\n", to_alias.join("\n")));
    assert!(dialog.contains("The draft is discarded.\nYou left the wizard.\n"), "{dialog}");
    assert!(dialog.contains("You have no drafts to resume here.\n"), "{dialog}");
    account.run(&to_alias.join("\n"));
    let (_, dialog) = account.run("7\npayments\ndiscard\n8\n");
    assert!(dialog.contains("You have 1 draft: payments. Choose 7 to resume.\n"), "{dialog}");
    assert_eq!(account.draft_count(), 0);
}

#[test]
fn read_only_session_reads_out_commands_instead_of_creating() {
    let account = Account::new();
    let client = account.client().with_read_only(ReadOnly::ALL);
    let (_, dialog) = account.run_with(&client, &format!("5\nzurich\n{METHOD_1}quit\nno\n8\n"));
    assert_snapshot!(dialog);
    assert_eq!(account.keys_of("payments-2026").len(), 0);
}

#[test]
fn review_reads_out_what_changed_in_the_key_policy() {
    let account = Account::new();
    let (_, generated) = account.run(&format!("{METHOD_1}3\n"));
    let start = generated.rfind("{\n  \"Id\"").unwrap();
    let policy = &generated[start..start + generated[start..].find("\n}\n").unwrap() + 2];
    let edited = policy.replace("consolepolicy-3", "consolepolicy-4").replace("        \"kms:TagResource\",\n", "");
    let answers = METHOD_1.strip_suffix('\n').unwrap();
    let (_, dialog) = account.run(&format!("{answers}4\n{edited}\n.\n\n"));
    let review = dialog.split("Policy document: Edited by you\n").nth(1).unwrap();
    let expected = "1 line added, 2 removed compared with the generated policy.\n\
                    Removed line 2: \"Id\": \"key-consolepolicy-3\",\nAdded line 2: \"Id\": \"key-consolepolicy-4\",\n\
                    Removed line ";
    assert!(review.starts_with(expected), "{review}");
    assert!(review.contains(": \"kms:TagResource\",\n"), "{review}");
}
