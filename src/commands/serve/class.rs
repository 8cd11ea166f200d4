//! Serving one account for each student of a class: `xks-console serve --accounts N`.

use std::error::Error;
use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{environment, stop_signal, tls};
use crate::bundled::{BundledAws, OpenError};
use crate::cli::{Arguments, Serve};
use crate::commands::note;
use crate::environment::Environment;
use crate::server::class::{ClassProgress, ProgressServer, RequestCounts, Student};
use crate::server::profiles::{self, ServerInfo};
use crate::server::{ServeError, Server};
use crate::storage::atomic_file::replace;
use crate::xks::network::Network;

type BoxError = Box<dyn Error>;

/// The maximum number of accounts that are created at the same time.
const MAX_THREADS: usize = 8;
/// The largest progress document, in bytes.
const MAX_PROGRESS_BYTES: usize = 1024 * 1024;

/// Serves an account for each student until the program is stopped.
///
/// # Errors
/// An address, file, or certificate that can't be used, and errors of the databases.
pub fn serve(arguments: &Arguments, options: &Serve, data_dir: Option<&Path>) -> Result<ExitCode, BoxError> {
    let names = options.class.names();
    let address = options.listen.unwrap_or(Serve::DEFAULT_ADDRESS);
    check_ports(address, names.len())?;
    if !address.ip().is_loopback() && !options.beyond_loopback {
        return Err(ServeError::BeyondLoopback(address).into());
    }
    if let Some(dir) = data_dir.filter(|dir| BundledAws::exists(dir)) {
        return Err(format!(
            "{} contains an account, so it can't be the directory of a class. Choose another one with --data-dir.",
            dir.display()
        )
        .into());
    }
    raise_file_limit();
    let class_dir = options.class.class_dir.as_deref().or(data_dir).ok_or("Add --class-dir DIR.")?;
    let failed = |error: io::Error| format!("Couldn't use the directory {}: {error}.", class_dir.display());
    DirBuilder::new().recursive(true).mode(0o700).create(class_dir).map_err(failed)?;
    let class_dir = std::path::absolute(class_dir).map_err(failed)?;
    let accounts = open_accounts(arguments, &names, data_dir)?;
    let (tls, authority) = tls(options, data_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let progress = ProgressServer::open(address).await?;
        let (mut servers, mut students) = (Vec::new(), Vec::new());
        for (number, (name, aws)) in (1..).zip(names.into_iter().zip(accounts)) {
            // Port 0 is any free port.
            let port = if address.port() == 0 { 0 } else { progress.port() + number };
            let address = SocketAddr::new(address.ip(), port);
            let counts = Arc::<RequestCounts>::default();
            let mut server = Server::open(aws.clone(), address, tls.clone(), options.beyond_loopback)
                .await?
                .with_counts(Arc::clone(&counts));
            if let Some(rate) = options.proxy_rate.and_then(NonZeroU32::new) {
                server = server.with_proxy_rate(rate);
            }
            tokio::spawn(aws.run_workloads());
            students.push(Student { name, url: server.url(), aws, counts });
            servers.push(server);
        }
        let stop = stop_signal()?;
        write_files(&students, authority.as_deref(), &class_dir, data_dir)?;
        print_accounts(&students)?;
        note(format_args!(
            "Serving {} accounts. Progress: {}. Profiles and shell commands: {}. Press Ctrl-C to stop.",
            students.len(),
            progress.url(),
            class_dir.display()
        ));
        let (stop_servers, until_stopped) = watch::channel(());
        let mut running = JoinSet::new();
        for server in servers {
            let mut until_stopped = until_stopped.clone();
            running.spawn(server.run(async move {
                let _ = until_stopped.changed().await;
            }));
        }
        let page = tokio::spawn(progress.run(students.into()));
        stop.await;
        page.abort();
        drop(stop_servers);
        running.join_all().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Fails if there aren't enough ports after that of the progress page.
fn check_ports(address: SocketAddr, count: usize) -> Result<(), String> {
    let is_enough = usize::from(u16::MAX - address.port()) >= count;
    if address.port() == 0 || is_enough {
        return Ok(());
    }
    Err(format!("There are fewer than {count} ports after {}. Choose a lower port with --listen.", address.port()))
}

/// Raises the limit of open files as far as the system allows it. Each account needs about 15.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Without more files, opening an account fails with an error that says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Opens the accounts, or creates them, several at the same time.
fn open_accounts(
    arguments: &Arguments,
    names: &[String],
    data_dir: Option<&Path>,
) -> Result<Vec<BundledAws>, BoxError> {
    let network = || Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    network().check()?;
    let scenario = arguments.scenario.as_deref();
    let open = |name: &str| match data_dir.map(|dir| dir.join(name)) {
        None => {
            BundledAws::in_memory_with_network(scenario.unwrap_or("default"), Environment::system(), Some(network()))
        }
        Some(dir) => match BundledAws::open_with_network(&dir, scenario, network()) {
            // The scenario is for the accounts that don't exist yet.
            Err(OpenError::AccountExists(_)) => BundledAws::open_with_network(&dir, None, network()),
            opened => opened,
        },
    };
    let next = AtomicUsize::new(0);
    let opened: Mutex<Vec<(usize, Result<BundledAws, OpenError>)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, name)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|index| names.get(index).map(|name| (index, name)))
                {
                    let account = open(name);
                    if account.is_err() {
                        next.store(names.len(), Ordering::Relaxed);
                    }
                    opened.lock().unwrap_or_else(PoisonError::into_inner).push((index, account));
                }
            });
        }
    });
    let mut opened = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
    opened.sort_by_key(|(index, _)| *index);
    let with_name = |(index, account): (usize, Result<BundledAws, OpenError>)| {
        let name = names.get(index).map_or("", String::as_str);
        account.map_err(|error| format!("Couldn't open the account of {name}: {error}.").into())
    };
    opened.into_iter().map(with_name).collect()
}

/// Writes the profiles of all students, and for each of them the shell commands that set up AWS tools.
fn write_files(
    students: &[Student],
    authority: Option<&Path>,
    class_dir: &Path,
    data_dir: Option<&Path>,
) -> Result<(), BoxError> {
    let mut class_profiles = Vec::new();
    for Student { name, url, aws, .. } in students {
        let target = ServerInfo { url, region: BundledAws::REGION, ca_certificate: authority };
        let path = class_dir.join(format!("{name}.env"));
        let exports = environment(&target, aws)?.exports();
        replace(&path, exports.as_bytes()).map_err(|error| format!("Couldn't write {}: {error}.", path.display()))?;
        if let Some(data_dir) = data_dir {
            // With the profiles of the other users and the roles.
            profiles::write(&target, aws, &data_dir.join(name))?;
        }
        class_profiles.push((name.as_str(), target, aws.console_credentials()));
    }
    Ok(profiles::write_class(&class_profiles, class_dir)?)
}

/// Prints the name and the URL of each account.
fn print_accounts(students: &[Student]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Student { name, url, .. } in students {
        writeln!(out, "{name} {url}")?;
    }
    out.flush()
}

/// Prints the progress of the class that another process serves.
///
/// # Errors
/// No class is served on the port.
pub fn print_progress(arguments: &Arguments, options: &Serve) -> Result<ExitCode, BoxError> {
    let address = ProgressServer::loopback(options.listen.unwrap_or(Serve::DEFAULT_ADDRESS));
    let failed = |reason: String| {
        format!(
            "Couldn't get the progress of a class from {address}: {reason}. Start one with `serve --accounts N`, or add \
             --listen with the address of its progress page."
        )
    };
    let url = format!("http://{address}{}", ProgressServer::JSON_PATH);
    let body = super::super::runtime()?.block_on(async {
        // A proxy for HTTP can't reach this machine.
        let client = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(10)).build()?;
        let mut response = client.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_PROGRESS_BYTES {
                break;
            }
        }
        Ok::<_, reqwest::Error>(body)
    });
    let body = body.map_err(|error| failed(error.without_url().to_string()))?;
    let progress: ClassProgress =
        serde_json::from_slice(&body).map_err(|_| failed("the response isn't that of a class".to_owned()))?;
    let text = if arguments.json { serde_json::to_string_pretty(&progress)? + "\n" } else { progress.to_text() };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
