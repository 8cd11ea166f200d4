//! `cargo xtask bench`: runs all benchmarks several times, and prints their figures as one table.

mod figure;
mod program;
mod table;

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use self::figure::{Figure, criterion_figures};
use self::table::Table;
use crate::workspace::{cargo, describe, root};

/// How to run the benchmarks.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Check in less than a minute that the benchmarks work, in the development profile; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Run each benchmark this often
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "quick", value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Also measure a clean release build, which takes minutes
    #[arg(long, conflicts_with = "quick")]
    clean_build: bool,
    /// Also measure the test suite, which takes minutes
    #[arg(long, conflicts_with = "quick")]
    test_suite: bool,
}

/// The benchmarks of the program that print their figures.
const REPORTING: [&str; 2] = ["process", "serve"];
/// The benchmark in the process, whose figures Criterion writes to files.
const IN_PROCESS: &str = "console";

/// Runs the benchmarks, and prints a table in Markdown.
pub fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let mut table = Table::default();
    if options.quick {
        // With the features and profile of `cargo test --workspace`, so that nothing is built again.
        let mut arguments = vec!["test", "--quiet", "--locked", "--workspace"];
        for name in [IN_PROCESS].iter().chain(&REPORTING) {
            arguments.extend(["--bench", name]);
        }
        table.extend(figures_of(cargo(arguments))?);
        table.extend(program::figures("debug")?);
    } else {
        let criterion = root().join("target/xtask/criterion");
        for _ in 0..options.runs {
            for name in REPORTING {
                table.extend(figures_of(cargo(["bench", "--quiet", "--locked", "--bench", name]))?);
            }
            let _ = std::fs::remove_dir_all(&criterion);
            let mut in_process = cargo(["bench", "--quiet", "--locked", "--bench", IN_PROCESS]);
            in_process.env("CRITERION_HOME", &criterion);
            table.extend(figures_of(in_process)?);
            table.extend(criterion_figures(&criterion)?);
            if options.clean_build {
                table.extend([program::clean_build()?]);
            }
            if options.test_suite {
                table.extend([program::test_suite()?]);
            }
        }
        table.extend(program::figures("release")?);
    }
    println!("\n{table}");
    Ok(())
}

/// Runs a benchmark, passes on its output, and returns the figures in it.
fn figures_of(mut command: Command) -> Result<Vec<Figure>, Box<dyn Error>> {
    let line = describe(&command);
    command.env("XKS_CONSOLE_BENCH_JSON", "1").stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("couldn't run `{line}`: {error}"))?;
    let mut figures = Vec::new();
    for text in BufReader::new(child.stdout.take().ok_or("no output")?).lines() {
        let text = text?;
        match Figure::from_json(&text) {
            Some(figure) => figures.push(figure),
            None => println!("{text}"),
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(figures) } else { Err(format!("`{line}` failed: {status}").into()) }
}
