//! The dialog that edits a console key policy: administrators, key deletion, users, and other accounts.

use super::events::InputError;
use crate::aws::kms::PutKeyPolicy;
use crate::aws::limits;
use crate::aws::policy::ConsolePolicy;
use crate::create_key::account_state::AccountState;
use crate::tui::effect::Change;
use crate::tui::widgets::form::{Form, FormField, FormInput};

const ADMINISTRATORS: &str = "administrators";
const MAY_DELETE: &str = "may-delete";
const USERS: &str = "users";
const ACCOUNTS: &str = "accounts";

/// Returns the form for a key policy with the console's statements.
pub fn form(current: &ConsolePolicy) -> Form {
    let row = |name, label, hint: &str, input| FormField { name, label, hint: hint.to_owned(), input };
    let principals = "One ARN or name of an IAM user or role per line.";
    Form::new(
        vec![
            row(
                ADMINISTRATORS,
                "Key administrators",
                principals,
                FormInput::text(&current.administrators.join("\n"), 6),
            ),
            row(
                MAY_DELETE,
                "Allow key administrators to delete this key",
                "",
                FormInput::Checkbox(current.administrators_may_delete),
            ),
            row(USERS, "Key users", principals, FormInput::text(&current.users.join("\n"), 6)),
            row(
                ACCOUNTS,
                "Other AWS accounts",
                "One 12-digit account ID per line.",
                FormInput::text(&current.other_accounts.join("\n"), 3),
            ),
        ],
        "Save changes",
        false,
    )
}

fn non_empty_lines(form: &Form, name: &str) -> Vec<String> {
    let text = form.text(name);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Returns the ARN for an ARN or the name of an IAM user or role.
///
/// # Errors
/// The name doesn't exist, isn't loaded yet, or is ambiguous.
fn resolve_principal(line: &str, account: &AccountState) -> Result<String, String> {
    if line.starts_with("arn:") {
        return Ok(line.to_owned());
    }
    let matches: Vec<_> = account.principals.list().iter().filter(|principal| principal.name == line).collect();
    match matches[..] {
        [one] => Ok(one.arn.clone()),
        [] if !account.principals.is_complete() => {
            Err(format!("\"{line}\" isn't among the IAM users and roles loaded so far. Enter the ARN."))
        }
        [] => Err(format!("The IAM user or role \"{line}\" doesn't exist in this account.")),
        _ => Err(format!("\"{line}\" is the name of both a user and a role. Enter the ARN.")),
    }
}

fn resolve_principals(form: &Form, name: &'static str, account: &AccountState) -> Result<Vec<String>, InputError> {
    let mut all: Vec<String> = Vec::new();
    for line in non_empty_lines(form, name) {
        let arn = resolve_principal(&line, account).map_err(|wrong| (name, wrong))?;
        if all.contains(&arn) {
            return Err((name, format!("Duplicate entry {arn}. Remove one of them.")));
        }
        all.push(arn);
    }
    Ok(all)
}

fn policy_from_form(form: &Form, current: &ConsolePolicy, account: &AccountState) -> Result<ConsolePolicy, InputError> {
    let other_accounts = non_empty_lines(form, ACCOUNTS);
    for account in &other_accounts {
        limits::account_id(account).map_err(|violation| (ACCOUNTS, format!("{account}: {}", violation.reason)))?;
        if *account == current.account {
            return Err((ACCOUNTS, "This is the account of the KMS key.".to_owned()));
        }
    }
    Ok(ConsolePolicy {
        administrators: resolve_principals(form, ADMINISTRATORS, account)?,
        administrators_may_delete: form.is_checked(MAY_DELETE),
        users: resolve_principals(form, USERS, account)?,
        other_accounts,
        ..current.clone()
    })
}

/// Returns the errors of the form.
pub fn validate(form: &Form, text: &str, current: &ConsolePolicy, account: &AccountState) -> Vec<InputError> {
    match policy_from_form(form, current, account) {
        Err(problem) => vec![problem],
        Ok(policy) => {
            let new_policy = policy.apply_to(text).unwrap_or_default();
            let wrong = limits::policy_text(&new_policy).err();
            wrong.map(|violation| (ADMINISTRATORS, violation.reason)).into_iter().collect()
        }
    }
}

/// Returns the key policy that the form describes, if it has no errors. `text` is the current one.
pub fn new_policy(form: &Form, text: &str, current: &ConsolePolicy, account: &AccountState) -> Option<String> {
    policy_from_form(form, current, account).ok()?.apply_to(text)
}

/// Returns the change that saves the key policy.
pub fn changes(key_id: &str, form: &Form, text: &str, current: &ConsolePolicy, account: &AccountState) -> Vec<Change> {
    let put = |policy| Change::PutPolicy(PutKeyPolicy::new(key_id.to_owned(), policy));
    new_policy(form, text, current, account).map(put).into_iter().collect()
}
