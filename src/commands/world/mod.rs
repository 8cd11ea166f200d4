//! `xks-console world`: writes an account to a file, and creates one from it.

mod passphrase;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use self::passphrase::PassphraseError;
use super::{EXIT_USAGE, note};
use crate::bundled::BundledAws;
use crate::bundled::snapshot::{self, SnapshotError};
use crate::cli::{Arguments, WorldCommand, WorldExport, WorldImport};
use crate::storage::atomic_file;

/// Exports or imports the account in the data directory.
pub(super) fn run(arguments: &Arguments, command: &WorldCommand) -> Result<ExitCode, Box<dyn Error>> {
    let data_dir = super::settings(arguments)?.data_dir()?;
    let result = match command {
        WorldCommand::Export(options) => match (&options.scenario, &options.snapshot) {
            (Some(file), _) => export_scenario(&data_dir, Path::new(file), options.force),
            (None, Some(file)) => export_snapshot(&data_dir, file, options),
            (None, None) => Err("Choose --scenario or --snapshot.".into()),
        },
        WorldCommand::Import(options) => import_snapshot(&data_dir, options),
    };
    match result {
        Err(error) if error.is::<PassphraseError>() => {
            note(error);
            Ok(ExitCode::from(EXIT_USAGE))
        }
        result => result.map(|()| ExitCode::SUCCESS),
    }
}

/// Fails if the file exists and must not be replaced.
fn check_overwrite(file: &Path, is_forced: bool) -> Result<(), String> {
    if is_forced || file.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(format!("{} already exists. Choose another file, or add --force to replace it.", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    atomic_file::replace(file, bytes).map_err(|error| format!("Couldn't write {}: {error}.", file.display()))
}

fn export_scenario(data_dir: &Path, file: &Path, is_forced: bool) -> Result<(), Box<dyn Error>> {
    let shown = file.display();
    if file.extension().is_none_or(|extension| extension != "toml") {
        return Err(format!("The name of a scenario must end in .toml, such as {shown}.toml.").into());
    }
    check_outside(data_dir, file)?;
    check_overwrite(file, is_forced)?;
    if !BundledAws::exists(data_dir) {
        return Err(SnapshotError::NoAccount(data_dir.to_owned()).into());
    }
    let export = BundledAws::open(data_dir, None)?.export_scenario()?;
    write(file, export.text.as_bytes())?;
    let left_out = export.left_out.join("\n  - ");
    note(format_args!("Wrote the scenario to {shown}. It doesn't include:\n  - {left_out}"));
    Ok(())
}

/// Refuses a file in the data directory, where it could replace one of the account.
fn check_outside(data_dir: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let (Ok(parent), Ok(data_dir)) = (parent.canonicalize(), data_dir.canonicalize())
        && parent.starts_with(&data_dir)
    {
        let shown = file.display();
        return Err(format!(
            "{shown} is in the data directory. Choose a file outside of it, so that it can't damage the account."
        )
        .into());
    }
    Ok(())
}

fn export_snapshot(data_dir: &Path, file: &Path, options: &WorldExport) -> Result<(), Box<dyn Error>> {
    check_outside(data_dir, file)?;
    check_overwrite(file, options.force)?;
    if !BundledAws::exists(data_dir) {
        return Err(SnapshotError::NoAccount(data_dir.to_owned()).into());
    }
    let passphrase = passphrase::new(&options.passphrase)?;
    write(file, &snapshot::export(data_dir, &passphrase)?)?;
    note(format_args!("The account was written to {}. Keep the passphrase: nobody can recover it.", file.display()));
    Ok(())
}

fn import_snapshot(data_dir: &Path, options: &WorldImport) -> Result<(), Box<dyn Error>> {
    if BundledAws::exists(data_dir) {
        return Err(SnapshotError::AccountExists { dir: data_dir.to_owned(), file: "an account" }.into());
    }
    let passphrase = passphrase::existing(&options.passphrase)?;
    snapshot::import(data_dir, &options.file, &passphrase)?;
    note(format_args!("Created the account from the snapshot in {}.", data_dir.display()));
    Ok(())
}
