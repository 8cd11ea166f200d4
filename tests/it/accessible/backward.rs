//! `<` goes to the previous step, whatever was answered before.

use proptest::prelude::*;

use super::Account;

const ANSWERS: [&str; 40] = [
    "",
    "",
    "",
    "",
    "1",
    "2",
    "3",
    "4",
    "9",
    "0",
    "1-3",
    "yes",
    "no",
    "?",
    "<",
    "review",
    "clear",
    "payments",
    "payments-2026",
    "customer-db",
    "not valid",
    "aws/x",
    "aws:x",
    "team",
    "change 1",
    "remove 1",
    "remove 9",
    "arn:aws:iam::111122223333:role/team/App",
    "arn:aws:iam::111122223333:group/x",
    "444455556666",
    "111122223333",
    "next",
    "previous",
    "/payments",
    "/",
    ".",
    "{}",
    "\\<",
    "Frankfurt",
    "\u{1b}[A",
];

/// Returns the number of the last step that the dialog announces.
fn last_step(dialog: &str) -> Option<usize> {
    let line = dialog.lines().rfind(|line| line.starts_with("Step "))?;
    line.split(' ').nth(1)?.parse().ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn less_than_sign_always_goes_to_the_previous_step(
        method in 1u8..3,
        answers in prop::collection::vec(prop::sample::select(&ANSWERS[..]), 0..60),
    ) {
        let account = Account::new();
        let start = if method == 1 { "1\nFrankfurt HSM\n" } else { "2\n" };
        let answers = format!("{start}{}\n", answers.join("\n"));
        let (_, before) = account.run(&answers);
        // The question that the next answer is for.
        let question = before.lines().rev().find(|line| line.ends_with(": ")).unwrap_or_default().to_owned();
        let is_menu = before.rfind("\nMain menu\n") > before.rfind("\nStep ");
        prop_assume!(!is_menu && !question.starts_with("Keep the draft?"));
        let step = last_step(&before).unwrap();
        let account = Account::new();
        let (_, after) = account.run(&format!("{answers}<\n"));
        prop_assert_eq!(last_step(&after).unwrap(), step.saturating_sub(1).max(1), "{}", after);
        // The steps of the dialog before are unchanged, and there is one more.
        let count = |dialog: &str| dialog.matches("\nStep ").count();
        prop_assert_eq!(count(&after), count(&before) + 1, "{}", after);
    }
}
