//! Carries a submission through without a person: what got no answer is looked up, a few times.

use std::time::Duration;

use crate::client::Client;
use crate::create_key::draft::KeyDraft;
use crate::create_key::known::Known;
use crate::create_key::submission::Submission;
use crate::tui::runtime;

/// How often it is looked what became of a request that got no answer.
const MOST_LOOKS: u32 = 3;
/// How long before the first look; twice as long before each that follows.
const PAUSE: Duration = Duration::from_secs(1);

/// Begins a submission, or goes on where it stopped, until it is done, refused, or not to be known. `note` hears of each call
/// before it is sent; when it fails, the call isn't.
///
/// # Errors
/// What `note` failed with.
pub(super) async fn carry_out(
    client: &Client,
    submission: &mut Submission,
    draft: &KeyDraft,
    known: &Known,
    mut note: impl FnMut(&Submission) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut looks = 0;
    loop {
        let mut call = submission.start(draft, known);
        while let Some(sent) = call {
            note(submission)?;
            let answer = runtime::submit(client, sent).await;
            call = submission.answer(answer, draft, known);
        }
        if !matches!(submission, Submission::Unknown { .. }) || looks == MOST_LOOKS {
            return Ok(());
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(looks)).await;
        looks += 1;
    }
}
