//! The development tools of xks-console: `cargo xtask --help` lists them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![warn(clippy::pedantic)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bench;
mod pictures;
mod rasterizer;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// The development tools of xks-console
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Play the tapes in assets/tapes, and write the pictures of the repository and the book
    Pictures {
        /// Don't write pictures; fail if one is missing, out of date, or no longer taken
        #[arg(long)]
        check: bool,
    },
    /// Run all benchmarks, and print their figures as a table in Markdown
    ///
    /// A figure is compared with that of a peer in the same run. Cells with three values are the minimum, median, and
    /// maximum of the runs. Nothing fails because it is slow.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Task::parse() {
        Task::Pictures { check } => pictures::run(check),
        Task::Bench(options) => bench::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
