//! The command: parses arguments, opens the bundled AWS and hands over to the console.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use futures_util::stream::{self, StreamExt as _};
use xks_console::cli::{Arguments, Command, CreateKey, Elsewhere, Proxy, ProxyCheck};
use xks_console::client::credentials::NoCredentials;
use xks_console::client::log::LogFile;
use xks_console::client::{Client, profile};
use xks_console::commands::create_key::{Exit, Stop, batch, files, log_in, one};
use xks_console::commands::screenshots;
use xks_console::commands::{self, note, open_bundled};
use xks_console::config::{self, Configuration};
use xks_console::conformance::command::{self, SECRET_VARIABLE};
use xks_console::create_key::answers::Answers;
use xks_console::create_key::draft::KeyDraft;
use xks_console::drafts::{self, Folder, Keeper};
use xks_console::environment::{Clock, Environment, Random};
use xks_console::flow::player::client_of;
use xks_console::storage::watch;
use xks_console::tui::app::{App, World as Which};
use xks_console::tui::effect::Effect;
use xks_console::tui::preferences::Preferences;
use xks_console::tui::wizard::Wizard;
use xks_console::tui::{runtime, terminal};

/// How long credentials may take before it is told that they are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a request to the bundled AWS allocates takes an eighth of its time less than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(error) = arguments.contradiction() {
        error.exit();
    }
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            note(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Some(Command::Screenshots { check }) => {
            let check = *check;
            let dir = Path::new("screenshots");
            let count = if check { screenshots::check(dir)? } else { screenshots::write(dir)? };
            let done = if check { "are up to date" } else { "made" };
            writeln!(std::io::stdout(), "{count} pictures in {} {done}", dir.display())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Proxy { command: Proxy::Check(how) }) => check(arguments, how),
        Some(Command::Proxy { command: Proxy::Bundled(command) }) => commands::proxy::start(arguments, command),
        Some(Command::Serve(options)) => commands::serve::run(arguments, options),
        Some(Command::CreateKey(how)) => create_key(arguments, how),
        None => console(arguments),
    }
}

fn check(arguments: &Arguments, how: &ProxyCheck) -> Result<ExitCode, Failure> {
    let secret = std::env::var(SECRET_VARIABLE).ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut out = std::io::stdout().lock();
    let checked = command::check(arguments, how, secret, Environment::system(), &mut out);
    Ok(if runtime.block_on(checked)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn console(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Err(refused) = terminal::require() {
        note(refused);
        return Ok(ExitCode::from(terminal::NotATerminal::EXIT_CODE));
    }
    let runtime = tokio()?;
    let aws = Aws::open(arguments, &runtime)?;
    let (mut app, effects) = aws.app();
    let code = show(aws, &mut app, effects, &runtime)?;
    // A thread that still reads the terminal must not keep the program from ending.
    runtime.shutdown_background();
    Ok(code)
}

fn create_key(arguments: &Arguments, how: &CreateKey) -> Result<ExitCode, Failure> {
    let is_silent = how.yes || how.batch.is_some();
    if !is_silent && let Err(refused) = terminal::require_any() {
        return not_right(&format!("{refused}. `create-key --yes` makes the key without one"));
    }
    let answers = match files::all_answers(&how.answers, how.answers_file.as_ref(), is_silent) {
        Ok(answers) => answers,
        Err(error) => return not_right(&error),
    };
    // The rows of a list have policies of their own.
    let policy = match files::policy(answers.policy.as_ref().filter(|_| how.batch.is_none())) {
        Ok(policy) => policy,
        Err(error) => return not_right(&error),
    };
    if is_silent {
        return without_screen(arguments, how.batch.as_deref(), &answers, policy);
    }
    match answers.draft(policy) {
        Ok(draft) => ask_for_key(arguments, draft, answers.custom_key_store_id, tokio()?),
        Err(errors) => not_right(&errors.join("\nxks-console: ")),
    }
}

/// Makes the key that is asked for, or those of a list.
fn without_screen(
    arguments: &Arguments,
    list: Option<&Path>,
    answers: &Answers,
    policy: Option<String>,
) -> Result<ExitCode, Failure> {
    let (runtime, stop) = (tokio()?, Stop::default());
    let aws = Aws::open(arguments, &runtime)?;
    if let Some(none) = aws.waits_for_code
        && let Err(refused) = runtime.block_on(log_in::log_in(&aws.client, none))
    {
        note(&refused);
        return Ok(Exit::from(&refused).into());
    }
    let (out, notes) = (&mut std::io::stdout(), &mut std::io::stderr());
    Ok(runtime.block_on(stop.guard(async {
        match list {
            Some(list) => batch::run(&aws.client, list, answers, &stop, out, notes).await,
            None => one::run(&aws.client, answers, policy, &stop, out, notes).await,
        }
    }))?)
}

fn not_right(words: &str) -> Result<ExitCode, Failure> {
    note(words);
    Ok(ExitCode::from(Exit::NotRight))
}

/// Opens the wizard on `draft`, and prints the key that comes of it.
fn ask_for_key(
    arguments: &Arguments,
    draft: KeyDraft,
    wanted: Option<String>,
    runtime: tokio::runtime::Runtime,
) -> Result<ExitCode, Failure> {
    let aws = Aws::open(arguments, &runtime)?;
    let (mut app, effects) = aws.app();
    app.create_one_key(draft, wanted);
    let ended = show(aws, &mut app, effects, &runtime)?;
    runtime.shutdown_background();
    let (out, notes) = (&mut std::io::stdout(), &mut std::io::stderr());
    let exit = match &app.wizard {
        Some(wizard) => one::print(&wizard.submission, &wizard.draft, &app.known, out, notes)?,
        None => Exit::Left,
    };
    if exit == Exit::Left && app.drafts.are_kept() && app.wizard.as_ref().is_some_and(Wizard::would_lose) {
        note("no key was made. What was typed is kept as a draft: D in the console goes on with it.");
    }
    Ok(if ended == ExitCode::SUCCESS { exit.into() } else { ended })
}

fn tokio() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The AWS that was asked for.
struct Aws {
    client: Client,
    which: Which,
    /// Where the bundled one is kept.
    data_dir: Option<PathBuf>,
    /// There are no credentials before somebody gives the code of an MFA device. The console asks for it by itself.
    waits_for_code: Option<NoCredentials>,
}

impl Aws {
    fn open(arguments: &Arguments, runtime: &tokio::runtime::Runtime) -> Result<Self, Failure> {
        let asked = arguments.elsewhere();
        let config = config::directory(|name| std::env::var_os(name));
        let configuration = config.as_deref().map(Configuration::read).transpose()?.unwrap_or_default();
        let aws = match asked.settings(|name| std::env::var_os(name)) {
            Some(settings) => {
                let (client, which, waits_for_code) = runtime.block_on(elsewhere(settings))?;
                Self { client: asked.guard.over(client, &configuration), which, data_dir: None, waits_for_code }
            }
            None => {
                let data_dir = arguments.data_dir(|name| std::env::var_os(name))?;
                let client = client_of(&open_bundled(arguments, &data_dir)?, Clock::System);
                let client = asked.region.as_ref().map_or(client.clone(), |region| client.with_region(region));
                let client = asked.guard.over(client, &configuration);
                Self { client, which: Which::Bundled, data_dir: Some(data_dir), waits_for_code: None }
            }
        };
        aws.logged(asked)
    }

    /// The console on it.
    fn app(&self) -> (App, Vec<Effect>) {
        let (mut app, effects) = App::new(self.which.clone(), self.client.region());
        app.answered_by(&self.client);
        (app, effects)
    }

    /// For which AWS drafts are.
    fn place_of_drafts(&self) -> std::io::Result<drafts::World> {
        Ok(match (&self.which, &self.data_dir) {
            (Which::Endpoint(host), _) => drafts::World::Endpoint(host.clone()),
            (_, Some(data_dir)) => drafts::World::Bundled(data_dir.canonicalize()?.display().to_string()),
            (_, None) => drafts::World::Aws,
        })
    }

    fn logged(self, asked: &Elsewhere) -> Result<Self, Failure> {
        let Some(path) = &asked.log else { return Ok(self) };
        let log = LogFile::open(path).map_err(|error| format!("the log {}: {error}", path.display()))?;
        Ok(Self { client: self.client.observed_by(Arc::new(log)), ..self })
    }
}

/// Shows the console until it is left.
fn show(
    aws: Aws,
    app: &mut App,
    mut effects: Vec<Effect>,
    runtime: &tokio::runtime::Runtime,
) -> Result<ExitCode, Failure> {
    let mut keeper = Keeper::start(Folder::new(config::drafts(|name| std::env::var_os(name)), Clock::System));
    effects.extend(app.keep_drafts(aws.place_of_drafts()?, Random::system().hex::<8>()?));
    let config = config::directory(|name| std::env::var_os(name));
    if let Some(config) = &config {
        app.prefer(config::load(config));
    }
    let remember = |preferences: &Preferences| match &config {
        Some(config) => config::save(config, preferences),
        None => Err(std::io::Error::other("neither XDG_CONFIG_HOME nor HOME is set to an absolute path")),
    };
    let changes = match aws.data_dir.map(|data_dir| watch::watch(&data_dir)) {
        Some(Ok(changes)) => changes.left_stream(),
        Some(Err(error)) => {
            app.tell("Not live", &format!("What others change is seen only on refresh (r): {error}."));
            stream::pending().right_stream()
        }
        None => stream::pending().right_stream(),
    };
    let code = runtime.block_on(runtime::run(aws.client, app, effects, changes, &mut keeper, remember));
    keeper.end();
    Ok(code?)
}

/// A client of an AWS on the network, which one that is, and whether the code of an MFA device is asked for.
async fn elsewhere(settings: profile::Settings) -> Result<(Client, Which, Option<NoCredentials>), Failure> {
    let client = profile::open(settings, Clock::System).await?;
    let which = Which::of(&client);
    // What asks for a password asks now, not beneath the console, which tells what keeps them away.
    let none = patiently(client.prepare()).await.err();
    Ok((client, which, none.filter(|none| none.mfa_serial.is_some())))
}

/// Tells that credentials are waited for when they take long.
async fn patiently<T>(credentials: impl Future<Output = T>) -> T {
    let mut credentials = pin!(credentials);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut credentials).await {
        return done;
    }
    note("waiting for credentials; Ctrl-C ends it");
    credentials.await
}
