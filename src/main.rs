//! The command: parses arguments, opens the bundled AWS and hands over to the console.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use futures_util::stream::{self, StreamExt as _};
use xks_console::bundled::Bundled;
use xks_console::changes;
use xks_console::cli::{Arguments, Command, Proxy, ProxyCheck, Serve};
use xks_console::client::log::LogFile;
use xks_console::client::{Client, profile};
use xks_console::config;
use xks_console::conformance::command::{self, SECRET_VARIABLE};
use xks_console::journey::client_of;
use xks_console::manage;
use xks_console::pictures;
use xks_console::serve::Server;
use xks_console::serve::profiles::{self, Served};
use xks_console::serve::tls::{self, Clients};
use xks_console::tui::app::{App, World as Which};
use xks_console::tui::preferences::Preferences;
use xks_console::tui::{runtime, terminal};
use xks_console::world::{Clock, World};
use xks_console::xks::network::Network;

/// How long credentials may take before it is told that they are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(error) = arguments.contradiction() {
        error.exit();
    }
    match run(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xks-console: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Some(Command::Screenshots { check }) => {
            let check = *check;
            let dir = Path::new("screenshots");
            let count = if check { pictures::check(dir)? } else { pictures::write(dir)? };
            println!("{count} pictures in {} {}", dir.display(), if check { "are up to date" } else { "made" });
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Proxy { command: Proxy::Check(how) }) => check(arguments, how),
        Some(Command::Proxy { command: Proxy::Bundled(command) }) => {
            let data_dir = arguments.data_dir(|name| std::env::var_os(name))?;
            let bundled = open(arguments, &data_dir)?;
            manage::run(&bundled, &data_dir, command, &mut std::io::stdout(), &mut std::io::stderr())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Serve(how)) => serve(arguments, how),
        None => console(arguments),
    }
}

fn check(arguments: &Arguments, how: &ProxyCheck) -> Result<ExitCode, Failure> {
    let secret = std::env::var(SECRET_VARIABLE).ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut out = std::io::stdout().lock();
    let checked = command::check(arguments, how, secret, World::system(), &mut out);
    Ok(if runtime.block_on(checked)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(arguments: &Arguments, how: &Serve) -> Result<ExitCode, Failure> {
    let data_dir = arguments.data_dir(|name| std::env::var_os(name))?;
    let bundled = open(arguments, &data_dir)?;
    let clients =
        how.client_ca.clone().zip(how.client_name.clone()).map(|(authority, name)| Clients { authority, name });
    let (tls, authority) = match (&how.tls_cert, &how.tls_key) {
        (Some(chain), Some(key)) => (Some(tls::from_files(chain, key, clients.as_ref())?), None),
        _ if how.tls_self_signed => {
            let (config, authority) = tls::self_signed(&data_dir, clients.as_ref())?;
            (Some(config), Some(authority))
        }
        _ if clients.is_some() => return Err("--client-ca needs TLS: add --tls-self-signed or --tls-cert".into()),
        _ => (None, None),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut server = Server::open(bundled.clone(), how.listen, tls, how.beyond_loopback).await?;
        if let Some(rate) = how.proxy_rate.and_then(NonZeroU32::new) {
            server = server.with_proxy_rate(rate);
        }
        let stop = stop()?;
        let url = server.url();
        let served = Served { url: &url, region: Bundled::REGION, authority: authority.as_deref() };
        profiles::write(&served, &bundled, &data_dir)?;
        let keys = bundled.access_keys()?;
        let mut out = std::io::stdout().lock();
        if let Some(key) = keys.first() {
            out.write_all(served.exports(key).as_bytes())?;
        }
        out.flush()?;
        drop(out);
        server.run(stop).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Comes true at the first SIGINT or SIGTERM.
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn open(arguments: &Arguments, data_dir: &Path) -> Result<Bundled, Failure> {
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    if arguments.proxy_ca.is_some() {
        network.check()?;
    }
    Ok(Bundled::open_on(data_dir, arguments.scenario.as_deref(), network)?)
}

fn console(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Err(refused) = terminal::require() {
        eprintln!("xks-console: {refused}");
        return Ok(ExitCode::from(terminal::NotATerminal::EXIT_CODE));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (client, which, data_dir) = match arguments.settings(|name| std::env::var_os(name)) {
        Some(settings) => {
            let (client, which) = runtime.block_on(elsewhere(settings))?;
            (client, which, None)
        }
        None => {
            let data_dir = arguments.data_dir(|name| std::env::var_os(name))?;
            let client = client_of(&open(arguments, &data_dir)?, Clock::System);
            let client = arguments.region.as_ref().map_or(client.clone(), |region| client.with_region(region));
            (client, Which::Bundled, Some(data_dir))
        }
    };
    let client = match &arguments.log {
        Some(path) => {
            let log = LogFile::open(path).map_err(|error| format!("the log {}: {error}", path.display()))?;
            client.observed_by(Arc::new(log))
        }
        None => client,
    };
    let (mut app, effects) = App::new(which, client.region());
    app.profile = client.profile().map(str::to_owned);
    let config = config::directory(|name| std::env::var_os(name));
    if let Some(config) = &config {
        app.prefer(config::load(config));
    }
    let remember = |preferences: &Preferences| match &config {
        Some(config) => config::save(config, preferences),
        None => Err(std::io::Error::other("neither XDG_CONFIG_HOME nor HOME is set to an absolute path")),
    };
    let changes = match data_dir.map(|data_dir| changes::watch(&data_dir)) {
        Some(Ok(changes)) => changes.left_stream(),
        Some(Err(error)) => {
            app.tell("Not live", &format!("What others change is seen only on refresh (r): {error}."));
            stream::pending().right_stream()
        }
        None => stream::pending().right_stream(),
    };
    let code = runtime.block_on(runtime::run(client, app, effects, changes, remember))?;
    // A thread that still reads the terminal must not keep the program from ending.
    runtime.shutdown_background();
    Ok(code)
}

/// A client of an AWS on the network, and which one that is.
async fn elsewhere(settings: profile::Settings) -> Result<(Client, Which), Failure> {
    let client = profile::open(settings, Clock::System).await?;
    let which = Which::of(&client);
    // What asks for a password asks now, not beneath the console, which tells what keeps them away.
    let _ = patiently(client.prepare()).await;
    Ok((client, which))
}

/// Tells that credentials are waited for when they take long.
async fn patiently<T>(credentials: impl Future<Output = T>) -> T {
    let mut credentials = pin!(credentials);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut credentials).await {
        return done;
    }
    eprintln!("xks-console: waiting for credentials; Ctrl-C ends it");
    credentials.await
}
