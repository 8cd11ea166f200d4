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

/// The file in the data directory with the messages of a server in the background.
const LOG_FILE: &str = "server.log";
/// Printed instead of the settings after an error, so that `eval` in the shell fails.
const FAILING_COMMAND: &str = "false\n";

/// Starts the server in a separate process, waits until it is listening, and prints the settings for its clients. If a
/// server is already running, prints the settings for that server.
///
/// # Errors
/// The server can't be started, or a server is already running on an address other than the one in `options`.
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
    let log_start = log.seek(SeekFrom::End(0))?;
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
        // Another process may have started a server at the same time.
        if let Some(running) = instance::find(data_dir)? {
            return print_running(arguments, options, data_dir, &running);
        }
        let mut log_text = String::new();
        log.seek(SeekFrom::Start(log_start))?;
        log.read_to_string(&mut log_text)?;
        io::stderr().write_all(log_text.as_bytes())?;
        if log_text.is_empty() {
            note(format_args!("Couldn't start the server: it exited before it was ready ({status})."));
        }
        return Ok(ExitCode::FAILURE);
    }
    print(&exports)?;
    let url = instance::find(data_dir)?.map_or_else(String::new, |running| format!(" on {}", running.url));
    note(format_args!(
        "Listening{url} in the background (process {}). Data directory: {}. Log: {}.\n\
         xks-console: To stop the server: {}",
        child.id(),
        data_dir.display(),
        log_path.display(),
        stop_command(arguments)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Prints the settings for a server that is already running.
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
            "Couldn't listen on {listen}: a server is already running in the background on {url} (process {pid}). To \
             stop it: {stop}"
        )
        .into());
    }
    let bundled = super::super::open_bundled(arguments, Some(data_dir))?;
    let served = ServerInfo { url, region: BundledAws::REGION, ca_certificate: authority.as_deref() };
    let exports = environment(&served, &bundled)?.exports();
    if let Some(path) = &options.ready_file {
        let failed = |error| format!("Couldn't write the ready file {}: {error}", path.display());
        replace(&std::path::absolute(path).map_err(failed)?, exports.as_bytes()).map_err(failed)?;
    }
    print(&exports)?;
    note(format_args!(
        "A server is already running in the background on {url} (process {pid}). It keeps the options that it \
         was started with.\nxks-console: To stop the server: {stop}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Redirects standard output to `/dev/null`. This closes the pipe that the process that started the server reads from.
///
/// # Errors
/// `/dev/null` can't be opened.
pub fn release_stdout() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?)
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
