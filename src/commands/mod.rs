//! What each command of the program does.

pub mod create_key;
pub mod proxy;
pub mod screenshots;
pub mod serve;

use std::io::Write as _;
use std::path::Path;

use crate::bundled::Bundled;
use crate::cli::Arguments;
use crate::xks::network::Network;

/// Says something to people, on standard error. A reader that has gone doesn't matter.
pub fn note(words: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "xks-console: {words}");
}

/// Opens the bundled AWS in `data_dir`, and creates its account when there is none.
///
/// # Errors
/// A scenario or a `--proxy-ca` that can't be used; what the databases say.
pub fn open_bundled(arguments: &Arguments, data_dir: &Path) -> Result<Bundled, Box<dyn std::error::Error>> {
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    if arguments.proxy_ca.is_some() {
        network.check()?;
    }
    Ok(Bundled::open_on(data_dir, arguments.scenario.as_deref(), network)?)
}
