//! The accessible mode: `--accessible`, with and without a command.

use std::error::Error;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use tokio::runtime::Runtime;

use super::aws::AwsConnection;
use super::create_key::{CreateKeyExit, single};
use super::{runtime, signals};
use crate::accessible::{Drafts, InputKind, Prompter, Session, SessionEnd};
use crate::cli::Arguments;
use crate::config;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::environment::{Clock, Random};
use crate::tui::terminal::signals::Signals;

/// Shows the page called `name`, if there is one, then the main menu.
pub(super) fn run(arguments: &Arguments, name: Option<&str>) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    let end = session(&aws, &runtime, io::stdout())?.run(name)?;
    Ok(match end {
        SessionEnd::Quit | SessionEnd::EndOfInput(None) => ExitCode::SUCCESS,
        SessionEnd::EndOfInput(Some(submission)) => match CreateKeyExit::for_submission(Some(&submission)).0 {
            CreateKeyExit::NotCreated => CreateKeyExit::Canceled.into(),
            exit => exit.into(),
        },
    })
}

/// Creates a key in the wizard, which is filled in with `draft`, and prints it. The dialog is on standard error, so that
/// standard output can be a pipe.
pub(super) fn create_key(
    arguments: &Arguments,
    draft: KeyDraft,
    key_store: Option<&str>,
) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    let mut session = session(&aws, &runtime, io::stderr())?;
    let result = session.create_key(draft, key_store)?;
    let account: &AccountState = session.account();
    let (out, notes) = (&mut io::stdout(), &mut io::stderr());
    Ok(single::print_result(&result.submission, &result.draft, account, out, notes)?.into())
}

fn session<'a>(
    aws: &AwsConnection,
    runtime: &'a Runtime,
    output: impl Write + 'static,
) -> Result<Session<'a>, Box<dyn Error>> {
    let directory = config::drafts_directory(|name| std::env::var_os(name));
    let drafts = match aws.draft_target()? {
        Some(target) => Drafts::new(directory, Clock::System, target, Random::system().hex::<8>()?),
        None => Drafts::none(),
    };
    exit_on_signal(runtime, &drafts)?;
    let input_kind = if io::stdin().is_terminal() { InputKind::Terminal } else { InputKind::Pipe };
    let prompter = Prompter::new(io::stdin().lock(), output, input_kind);
    Ok(Session::new(prompter, aws.client.clone(), runtime, Clock::System, drafts))
}

/// Ends the program on a signal, even while it reads a line. The draft is on disk at that time.
fn exit_on_signal(runtime: &Runtime, drafts: &Drafts) -> io::Result<()> {
    let is_saved = drafts.saved_flag();
    let signals = runtime.block_on(async { Signals::listen() })?;
    let message = move || {
        if is_saved.load(Ordering::SeqCst) { "Stopped. What you entered is saved as a draft." } else { "Stopped." }
    };
    runtime.spawn(signals::exit_on_signal(signals, message));
    Ok(())
}
