//! Serving in the background: `xks-console serve --detach`.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use zeroize::Zeroizing;

use super::instance::{self, RunningServer};
use super::{environment, stop_command};
use crate::bundled::BundledAws;
use crate::cli::{Arguments, Serve};
use crate::commands::note;
use crate::server::profiles::ServerInfo;
use crate::storage::atomic_file::replace;

/// What a server in the background says, in the data directory.
const LOG_FILE: &str = "server.log";
/// What a shell is given in place of settings: `eval` of it fails.
const FAILING_COMMAND: &str = "false\n";

/// Starts the server as a process of its own, waits until it listens, and prints the settings of its clients. When one runs
/// already, prints those of that one.
///
/// # Errors
/// When it can't be started.
pub fn start(arguments: &Arguments, options: &Serve, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let started = match instance::find(data_dir)? {
        Some(running) => print_running(arguments, options, data_dir, &running),
        None => spawn(arguments, options, data_dir),
    };
    if !matches!(started, Ok(ExitCode::SUCCESS)) {
        print(FAILING_COMMAND)?;
    }
    started
}

fn spawn(arguments: &Arguments, options: &Serve, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let failed = |error: io::Error| format!("Couldn't use the data directory {}: {error}", data_dir.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(failed)?;
    let log_path = data_dir.join(LOG_FILE);
    let mut log =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&log_path).map_err(failed)?;
    let before = log.seek(SeekFrom::End(0))?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.try_clone()?)
        .spawn()?;
    let mut exports = Zeroizing::new(String::with_capacity(8192));
    if let Some(out) = &mut child.stdout {
        out.read_to_string(&mut exports)?;
    }
    if exports.is_empty() {
        let status = child.wait()?;
        // Another process may have been faster.
        if let Some(running) = instance::find(data_dir)? {
            return print_running(arguments, options, data_dir, &running);
        }
        let mut log_text = String::new();
        log.seek(SeekFrom::Start(before))?;
        log.read_to_string(&mut log_text)?;
        io::stderr().write_all(log_text.as_bytes())?;
        if log_text.is_empty() {
            note(format_args!("The server ended before it listened ({status})."));
        }
        return Ok(ExitCode::FAILURE);
    }
    print(&exports)?;
    let url = instance::find(data_dir)?.map_or_else(String::new, |running| format!(" on {}", running.url));
    note(format_args!(
        "Listening{url} in the background (process {}), data directory {}, log {}.\n\
         xks-console: To stop it: {}",
        child.id(),
        data_dir.display(),
        log_path.display(),
        stop_command(arguments)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Prints the settings for a server that runs already.
fn print_running(
    arguments: &Arguments,
    options: &Serve,
    data_dir: &Path,
    running: &RunningServer,
) -> Result<ExitCode, Box<dyn Error>> {
    let RunningServer { pid, url, authority } = running;
    let stop = stop_command(arguments);
    if let Some(listen) = options.listen
        && listen.port() != 0
        && !url.ends_with(&format!(":{}", listen.port()))
    {
        return Err(format!(
            "A server is already running in the background on {url} (process {pid}), so it can't listen on {listen}. \
             To stop it: {stop}"
        )
        .into());
    }
    let bundled = super::super::open_bundled(arguments, data_dir)?;
    let served = ServerInfo { url, region: BundledAws::REGION, ca_certificate: authority.as_deref() };
    let exports = environment(&served, &bundled)?.exports();
    if let Some(path) = &options.ready_file {
        let failed = |error| format!("Couldn't write the ready file {}: {error}", path.display());
        replace(&std::path::absolute(path).map_err(failed)?, exports.as_bytes()).map_err(failed)?;
    }
    print(&exports)?;
    note(format_args!(
        "A server is already running in the background on {url} (process {pid}). It keeps the options it \
         was started with.\nxks-console: To stop it: {stop}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Ends what is written to standard output, which whoever started the server waits for.
///
/// # Errors
/// When there is no `/dev/null`.
pub fn release_stdout() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?)
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
