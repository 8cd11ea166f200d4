//! Carries a submission through without a person: what got no answer is looked up, a few times.

use std::time::Duration;

use crate::client::Client;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::submission::Submission;
use crate::tui::runtime;

/// How often it is looked what became of a request that got no answer.
const MAX_LOOKUPS: u32 = 3;
/// How long before the first look; twice as long before each that follows.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// Begins a submission, or goes on where it stopped, until it is done, refused, or not to be known. `note` hears of each call
/// before it is sent; when it fails, the call isn't.
///
/// # Errors
/// What `note` failed with.
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
            let answer = runtime::submit_stage(client, sent).await;
            call = submission.on_response(answer, draft, account);
        }
        if !matches!(submission, Submission::Unknown { .. }) || lookups == MAX_LOOKUPS {
            return Ok(());
        }
        tokio::time::sleep(INITIAL_DELAY * 2_u32.pow(lookups)).await;
        lookups += 1;
    }
}
