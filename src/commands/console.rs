//! `xks-console` without a command: opens the console.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use futures_util::future::{self, FutureExt as _};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::runtime::Runtime;

use super::aws::OpeningAws;
use super::{note, runtime};
use crate::bundled::BundledAws;
use crate::cli::Arguments;
use crate::config;
use crate::drafts::{DraftStore, DraftWriter};
use crate::environment::{Clock, Random};
use crate::lessons::engine::{LessonEngine, LessonTask};
use crate::storage::changes::Changes;
use crate::storage::watch;
use crate::tui::app::App;
use crate::tui::effect::{Effect, Msg};
use crate::tui::event_loop::{self, Connection};
use crate::tui::keymap::Keymap;
use crate::tui::preferences::SavedChange;
use crate::tui::terminal;

/// Opens the console on the AWS that the command line selects.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = terminal::require() {
        note(error);
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    let runtime = runtime()?;
    let aws = OpeningAws::begin(arguments, &runtime)?;
    let (mut app, effects) = aws.app();
    show(aws, &mut app, effects, runtime, None)
}

/// Runs `app` until the user closes it, with a lesson beside it if there is one. The AWS may still be opening.
pub(super) fn show(
    aws: OpeningAws,
    app: &mut App,
    effects: Vec<Effect>,
    runtime: Runtime,
    lesson: Option<LessonEngine>,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut draft_writer =
        DraftWriter::start(DraftStore::new(config::drafts_directory(|name| std::env::var_os(name)), Clock::System));
    let config = config::config_directory(|name| std::env::var_os(name));
    app.apply_preferences(aws.settings.preferences());
    let is_lesson = lesson.is_some();
    // What was used in the account of a lesson means nothing in others.
    if !is_lesson {
        app.set_used_external_key_ids(config.as_deref().map(config::used_external_key_ids).unwrap_or_default());
        app.set_recent_keys(config.as_deref().map(config::recent_keys).unwrap_or_default());
    }
    app.keymap = Keymap::new(aws.settings.keys());
    app.set_mouse(aws.settings.mouse.value);
    let appearance = aws.settings.appearance();
    let save = |change: &SavedChange| match &config {
        _ if is_lesson && matches!(change, SavedChange::UsedExternalKeyId { .. } | SavedChange::RecentKey { .. }) => {
            Ok(())
        }
        Some(config) => config::save(config, change),
        None => Err(std::io::Error::other("neither XDG_CONFIG_HOME nor HOME is set to an absolute path")),
    };
    let lesson = lesson.map(|engine| {
        let _context = runtime.enter();
        LessonTask::spawn(engine)
    });
    let background = (&mut draft_writer, lesson);
    let connecting = if aws.is_open {
        future::ready(Ok(runtime.block_on(connect(aws))?)).left_future()
    } else {
        connect(aws).right_future()
    };
    let code = runtime.block_on(event_loop::run(connecting, app, effects, appearance, background, save));
    // The last save may have failed after the console was closed.
    for response in draft_writer.shutdown() {
        app.update(Msg::Draft(response));
    }
    // A thread that is still reading from the terminal must not prevent the program from exiting.
    runtime.shutdown_background();
    code
}

/// Waits until the AWS is open, and begins what goes on in it while a console shows it.
async fn connect(
    aws: OpeningAws,
) -> Result<Connection<BoxStream<'static, Changes>, impl FnOnce(&mut App) -> Vec<Effect>>, Box<dyn Error>> {
    let aws = aws.open().await?;
    let changes = match aws.data_dir.clone().zip(aws.bundled.clone()) {
        Some((data_dir, bundled)) => {
            tokio::task::spawn_blocking(move || watch_changes(&data_dir, &bundled)).await?.map(Some)
        }
        None => Ok(None),
    };
    if let Some(bundled) = &aws.bundled {
        tokio::spawn(bundled.run_workloads());
    }
    let drafts = match aws.draft_target()? {
        Some(target) => Some((target, Random::system().hex::<8>()?)),
        None => None,
    };
    let client = aws.client.clone();
    let (changes, watched) = match changes {
        Ok(Some(changes)) => (changes.boxed(), Ok(true)),
        Ok(None) => (stream::pending().boxed(), Ok(false)),
        Err(error) => (stream::pending().boxed(), Err(error)),
    };
    let on_open = move |app: &mut App| {
        app.set_client(&aws.client);
        match watched {
            Ok(true) => app.follow_changes(),
            Ok(false) => {}
            Err(error) => app.show_error(
                "Automatic refresh is off",
                &format!("Couldn't watch the data directory: {error}. Press r to refresh."),
            ),
        }
        drafts.map(|(target, session)| app.enable_drafts(target, session)).unwrap_or_default()
    };
    Ok(Connection { client, changes, on_open })
}

/// Returns a stream of what this and other processes change in the account in `dir`.
fn watch_changes(dir: &Path, aws: &BundledAws) -> Result<impl Stream<Item = Changes> + use<>, String> {
    let notifications = Box::pin(watch::watch(dir).map_err(|error| error.to_string())?);
    let feed = aws.change_feed().map_err(|error| error.to_string())?;
    Ok(stream::unfold((notifications, feed), |(mut notifications, mut feed)| async move {
        notifications.next().await?;
        // Another thread waits for the database if it is in use.
        let take = tokio::task::spawn_blocking(move || (feed.take(), feed));
        let (changes, feed) = take.await.ok()?;
        Some((changes, (notifications, feed)))
    }))
}
