//! Runs a submission unattended. If a request gets no response, checks a few times whether it took effect.

use std::time::Duration;

use crate::client::Client;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::submission::Submission;
use crate::tui::runtime;

/// How many times to check whether a request without a response took effect.
const MAX_LOOKUPS: u32 = 3;
/// The delay before the first check. It doubles before each further check.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// Starts or resumes a submission, and runs it until it succeeds, fails, or its outcome can't be determined. Calls
/// `before_call` before each request. If `before_call` fails, the request isn't sent.
///
/// # Errors
/// Errors of `before_call`.
pub(super) async fn execute(
    client: &Client,
    submission: &mut Submission,
    draft: &KeyDraft,
    account: &AccountState,
    mut before_call: impl FnMut(&Submission) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut lookups = 0;
    loop {
        let mut call = submission.start(draft, account);
        while let Some(sent) = call {
            before_call(submission)?;
            let response = runtime::submit_stage(client, sent).await;
            call = submission.on_response(response, draft, account);
        }
        if !matches!(submission, Submission::Unknown { .. }) || lookups == MAX_LOOKUPS {
            return Ok(());
        }
        tokio::time::sleep(INITIAL_DELAY * 2_u32.pow(lookups)).await;
        lookups += 1;
    }
}
