//! Figures of the whole program that need no benchmark: what it requires of a system, and how long it takes to build.

use std::error::Error;
use std::fs;
use std::process::Command;
use std::time::Instant;

use super::figure::Figure;
use crate::workspace::{cargo, root, run};

/// Returns the figures of the program in a profile's directory of `target`.
pub fn figures(profile: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
    let path = root().join("target").join(profile).join("xks-console");
    let size = fs::metadata(&path).map_err(|error| format!("couldn't read {}: {error}", path.display()))?.len();
    #[allow(clippy::cast_precision_loss, reason = "a size is below 2 to the power of 53")]
    let size = Figure::new("size of the program", "MB", size as f64 / 1e6, "≤ 18");
    let symbols = Command::new("objdump").arg("--dynamic-syms").arg(&path).output();
    let symbols = symbols.map_err(|error| format!("couldn't run objdump of binutils: {error}"))?;
    let glibc = newest_glibc(&String::from_utf8_lossy(&symbols.stdout));
    Ok([size]
        .into_iter()
        .chain(glibc.map(|version| Figure::new("glibc that it needs", "version", version, "")))
        .collect())
}

/// Returns the newest version of glibc whose symbols are in the output of `objdump`, such as 2.34.
fn newest_glibc(symbols: &str) -> Option<f64> {
    let versions = symbols.split("GLIBC_2.").skip(1).filter_map(|rest| {
        let minor = rest.split(|character: char| !character.is_ascii_digit()).next()?;
        minor.parse::<u16>().ok()
    });
    versions.max().map(|minor| 2.0 + f64::from(minor) / 100.0)
}

/// Builds the program from nothing in the release profile, and returns how long it took.
pub fn clean_build() -> Result<Figure, Box<dyn Error>> {
    let directory = root().join("target/xtask/clean-build");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let mut command = cargo(["build", "--release", "--locked", "--package", "xks-console", "--target-dir"]);
    command.arg(&directory);
    let start = Instant::now();
    run(command)?;
    let seconds = start.elapsed().as_secs_f64();
    fs::remove_dir_all(&directory)?;
    Ok(Figure::new("clean release build", "s", seconds, "≤ 200 on 2 cores"))
}

/// Builds the tests, and returns how long they take then.
pub fn test_suite() -> Result<Figure, Box<dyn Error>> {
    let test = ["test", "--quiet", "--workspace", "--locked"];
    run(cargo(test.into_iter().chain(["--no-run"])))?;
    let start = Instant::now();
    run(cargo(test))?;
    Ok(Figure::new("test suite after a build", "s", start.elapsed().as_secs_f64(), "≤ 60"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_glibc_is_the_highest_minor_version() {
        let symbols = "0 DF *UND* 0 (GLIBC_2.2.5) malloc\n0 DF *UND* 0 (GLIBC_2.34) main\n0 DF *UND* 0 (GLIBC_2.9) x\n";
        assert_eq!(newest_glibc(symbols), Some(2.34));
        assert_eq!(newest_glibc("no symbols"), None);
    }
}
