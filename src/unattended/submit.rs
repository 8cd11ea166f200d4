//! Carries a submission through without a person: what got no answer is looked up, a few times.

use std::time::Duration;

use crate::client::Client;
use crate::create_key::draft::KeyDraft;
use crate::create_key::known::Known;
use crate::create_key::submission::{Answer, Failure, Submission};
use crate::tui::effect::{self, Call, Reply};
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
            let answer = match runtime::perform(client, Call::Submission(sent)).await {
                Ok(Reply::Submission(answer)) => answer,
                // Nothing was sent.
                Ok(Reply::NoCredentials(why)) => failed(effect::Failure::from(&why), false),
                Ok(_) => return Err(std::io::Error::other("an answer to another question came")),
                Err(failure) => failed(failure, true),
            };
            call = submission.answer(answer, draft, known);
        }
        if !matches!(submission, Submission::Unknown { .. }) || looks == MOST_LOOKS {
            return Ok(());
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(looks)).await;
        looks += 1;
    }
}

fn failed(effect::Failure { code, message, request_id }: effect::Failure, outcome_unknown: bool) -> Answer {
    Answer::Failed(Failure { code, message, request_id, outcome_unknown })
}
