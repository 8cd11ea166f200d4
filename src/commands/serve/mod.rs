//! Serving the bundled AWS on a port: `xks-console serve`, in the foreground, for one command, or in the background.

mod background;
mod child_command;
mod class;
mod instance;
mod ready_file;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use self::instance::{InstanceLock, RunningServer};
use self::ready_file::ReadyFile;
use super::note;
use crate::access_log::AccessLog;
use crate::aws::cli_command::shell_quote;
use crate::bundled::BundledAws;
use crate::cli::{Arguments, Serve};
use crate::server::client_environment::ClientEnvironment;
use crate::server::profiles::{self, ServerInfo};
use crate::server::tls::{self, ClientAuth};
use crate::server::{ServeError, Server};

type BoxError = Box<dyn Error>;

/// The exit code if the server for a command couldn't be started, as in `env` and `timeout`.
const EXIT_NOT_STARTED: u8 = 125;

/// Runs the server in the foreground, starts one in the background, or stops it, depending on `options`.
///
/// # Errors
/// An address, file, or certificate that can't be used, and errors of the databases.
pub fn run(arguments: &Arguments, options: &Serve) -> Result<ExitCode, BoxError> {
    if options.class.progress {
        return class::print_progress(arguments, options);
    }
    if arguments.ephemeral && options.class.accounts.is_some() {
        return class::serve(arguments, options, None);
    }
    if arguments.ephemeral {
        return explain_exit(serve(arguments, options, None), options);
    }
    let data_dir = std::path::absolute(super::settings(arguments)?.data_dir()?)?;
    if options.background.stop {
        return instance::stop(&data_dir);
    }
    if options.background.detach && !options.background.detached {
        return background::start(arguments, options, &data_dir);
    }
    if options.class.accounts.is_some() {
        return class::serve(arguments, options, Some(&data_dir));
    }
    explain_exit(serve(arguments, options, Some(&data_dir)), options)
}

/// Returns the exit code of a server that couldn't be started for a command, or else `result`.
fn explain_exit(result: Result<ExitCode, BoxError>, options: &Serve) -> Result<ExitCode, BoxError> {
    match result {
        Err(failure) if !options.command.is_empty() => {
            note(failure);
            Ok(ExitCode::from(EXIT_NOT_STARTED))
        }
        result => result,
    }
}

/// Serves the account in `data_dir`, or one in memory.
fn serve(arguments: &Arguments, options: &Serve, data_dir: Option<&Path>) -> Result<ExitCode, BoxError> {
    if options.background.detached {
        // The server needs its own session to keep running when the terminal closes.
        rustix::process::setsid()?;
    }
    let mut ready = options.ready_file.as_deref().map(ReadyFile::prepare).transpose()?;
    let access_log = options.access_log.as_deref().map(open_access_log).transpose()?;
    let bundled = super::open_bundled(arguments, data_dir)?;
    if let Some(credentials) = options.access_key.credentials() {
        bundled.set_console_credentials(credentials)?;
    }
    let instance_dir = data_dir.filter(|_| options.background.detached);
    let mut instance = instance_dir.map(InstanceLock::acquire).transpose()?;
    let (tls, authority) = tls(options, data_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut server =
            listen(options, &bundled, tls).await.map_err(|error| explain_listen_error(error, arguments, data_dir))?;
        if let Some(rate) = options.proxy_rate.and_then(NonZeroU32::new) {
            server = server.with_proxy_rate(rate);
        }
        if let Some(log) = access_log {
            server = server.with_access_log(log);
        }
        tokio::spawn(bundled.run_workloads());
        let url = server.url();
        let target = ServerInfo { url: &url, region: BundledAws::REGION, ca_certificate: authority.as_deref() };
        let mut environment = environment(&target, &bundled)?;
        if !options.command.is_empty() {
            let port = server.address().port();
            let write_profiles = |dir| child_command::TemporaryProfiles::write(&target, &bundled, dir, port);
            let profiles = data_dir.map(write_profiles).transpose()?;
            if let Some(profiles) = &profiles {
                environment.add_profiles(profiles.directory());
            }
            if let Some(ready) = &mut ready {
                ready.write(&environment.exports())?;
            }
            return Ok(child_command::run(server, &options.command, &environment).await?);
        }
        let stop = stop_signal()?;
        if let Some(data_dir) = data_dir {
            write_profiles(&target, &bundled, data_dir, options.background.detached)?;
        }
        if let Some(instance) = &mut instance {
            instance.publish(&RunningServer::current_process(&url, authority.as_deref()))?;
        }
        let exports = environment.exports();
        let mut out = io::stdout().lock();
        out.write_all(exports.as_bytes())?;
        out.flush()?;
        drop(out);
        print_listening(&url, data_dir, options.background.detached);
        if let Some(ready) = &mut ready {
            ready.write(&exports)?;
        }
        if options.background.detached {
            background::release_stdout()?;
        }
        server
            .run(async move {
                stop.await;
                drop(ready);
            })
            .await;
        drop(instance);
        Ok(ExitCode::SUCCESS)
    })
}

/// Opens the port. Falls back to any free port if the default is in use and clients don't rely on it.
async fn listen(
    options: &Serve,
    bundled: &BundledAws,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<Server, ServeError> {
    let address = options.listen.unwrap_or(Serve::DEFAULT_ADDRESS);
    let opened = Server::open(bundled.clone(), address, tls.clone(), options.beyond_loopback).await;
    match opened {
        Err(ServeError::Listen { source, .. })
            if source.kind() == io::ErrorKind::AddrInUse
                && options.listen.is_none()
                && (options.background.detach || !options.command.is_empty()) =>
        {
            let any_port = SocketAddr::new(address.ip(), 0);
            Server::open(bundled.clone(), any_port, tls, options.beyond_loopback).await
        }
        opened => opened,
    }
}

/// Adds the server in the background to the error if it uses the address.
fn explain_listen_error(error: ServeError, arguments: &Arguments, data_dir: Option<&Path>) -> BoxError {
    if let ServeError::Listen { address, .. } = &error
        && let Some(data_dir) = data_dir
        && let Ok(Some(RunningServer { pid, url, .. })) = instance::find(data_dir)
        && url.ends_with(&format!(":{}", address.port()))
    {
        let stop = stop_command(arguments);
        return format!(
            "Couldn't listen on {address}: a server is already running in the background on {url} (process {pid}). To \
             stop it: {stop}"
        )
        .into();
    }
    error.into()
}

fn tls(
    options: &Serve,
    data_dir: Option<&Path>,
) -> Result<(Option<Arc<rustls::ServerConfig>>, Option<PathBuf>), BoxError> {
    let clients = options
        .client_ca
        .clone()
        .zip(options.client_name.clone())
        .map(|(authority, name)| ClientAuth { ca_certificates: authority, client_name: name });
    Ok(match (&options.tls_cert, &options.tls_key, data_dir) {
        (Some(chain), Some(key), _) => (Some(tls::from_files(chain, key, clients.as_ref())?), None),
        (_, _, Some(data_dir)) if options.tls_self_signed => {
            let (config, authority) = tls::self_signed(data_dir, clients.as_ref())?;
            (Some(config), Some(authority))
        }
        _ => (None, None),
    })
}

/// Writes the profiles to the data directory, unless they are those of the server in the background.
fn write_profiles(
    served: &ServerInfo,
    bundled: &BundledAws,
    data_dir: &Path,
    is_detached: bool,
) -> Result<(), BoxError> {
    if !is_detached && let Some(running) = instance::find(data_dir)? {
        note(format_args!(
            "The profiles in {} weren't changed: they are for the server in the background on {}.",
            data_dir.display(),
            running.url
        ));
        return Ok(());
    }
    profiles::write(served, bundled, data_dir).map(drop)
}

/// Returns the environment for clients that use the credentials of the console's user.
fn environment(served: &ServerInfo, bundled: &BundledAws) -> Result<ClientEnvironment, BoxError> {
    let keys = bundled.access_keys()?;
    let key = keys.first().ok_or("The account has no access keys. Use another data directory with --data-dir.")?;
    let names = std::env::vars_os().map(|(name, _)| name);
    Ok(ClientEnvironment::new(served, key, names, |name| std::env::var_os(name)))
}

fn open_access_log(path: &Path) -> Result<AccessLog, BoxError> {
    AccessLog::open(path).map_err(|error| format!("Couldn't open the access log {}: {error}", path.display()).into())
}

/// Returns the command that stops the server of this data directory.
fn stop_command(arguments: &Arguments) -> String {
    match &arguments.data_dir {
        Some(data_dir) => format!("xks-console serve --stop --data-dir {}", shell_quote(&data_dir.to_string_lossy())),
        None => "xks-console serve --stop".to_owned(),
    }
}

fn print_listening(url: &str, data_dir: Option<&Path>, is_detached: bool) {
    let hint = if is_detached { "" } else { " Press Ctrl-C to stop." };
    let account = data_dir.map_or_else(
        || "The account is in memory.".to_owned(),
        |data_dir| format!("Data directory: {}.", data_dir.display()),
    );
    // The terminal may be closed already.
    let _ = writeln!(io::stderr(), "xks-console: Listening on {url}. {account}{hint}");
}

/// Returns a future that completes at the first SIGINT or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
