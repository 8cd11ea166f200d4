//! The commands for tapes: `test`, `play`, `record`, and `tape`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{ArgGroup, Subcommand, value_parser};

use super::AwsOptions;
use crate::flow::tape::parse_size;

/// The text after the options of `test`.
pub(super) const TEST_HELP: &str = "\
Examples:
  xks-console test flows                       Play all tapes in the directory flows
  xks-console test flows --accept              Write the golden files of these tapes
  xks-console test flows --review              Show what changed, and ask for each screen
  xks-console test flows --report report.html --junit report.xml --trace traces
                                               Write what a CI system shows
  xks-console test flows --connect-to xks.example.com=127.0.0.1:8443 --proxy-ca ca.pem
                                               Play tapes against a proxy on this machine
  xks-console test flows --endpoint-url http://127.0.0.1:4599 --region us-west-2
                                               Play tapes on the account at an endpoint

Exit codes:
  0    all screens are the expected ones
  1    a screen differs, is missing, or is left over, or an expectation isn't met
  2    a tape is invalid, can't be played, or doesn't exist, or all tapes were skipped
  3    the pattern of a Wait never matched";

/// The text after the options of `play`.
pub(super) const PLAY_HELP: &str = "\
Keys while a tape plays:
  Space            pause or continue
  Right            play the next key at once
  any other key    take over: the keys go to the console until you press Esc, which gives back
  Ctrl-C           stop

Examples:
  xks-console play demo.tape                    Play a tape at the pace of a person
  xks-console play demo.tape --on-keypress      Play one key of the tape for each key that you press
  xks-console play demo.tape --cast demo.cast   Write a recording for asciinema
  xks-console play demo.tape --svg demo.svg     Write an animated image
  xks-console play demo.tape --pictures images  Write an image of each screenshot";

/// The options of `test`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(group = ArgGroup::new("decision").args(["accept", "review"]))]
pub struct Test {
    /// Tapes, or directories that are searched for tapes
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Write the screens to the golden files instead of comparing them
    ///
    /// Golden files in the directories that no tape takes are removed.
    #[arg(long, conflicts_with = "elsewhere")]
    pub accept: bool,
    /// Show each screen that changed, and ask whether to accept it
    #[arg(long, conflicts_with = "elsewhere")]
    pub review: bool,
    /// Write a report with pictures to this HTML file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write a report in the JUnit format to this XML file
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a recording and a trace of each failed tape to this directory
    ///
    /// Without this option, they are written to a new directory for temporary files.
    #[arg(long, value_name = "DIR")]
    pub trace: Option<PathBuf>,
    /// Play the tapes at this size in columns and rows instead of their own; can be repeated
    #[arg(long = "size", value_name = "COLUMNSxROWS", value_parser = parse_size)]
    pub sizes: Vec<(u16, u16)>,
    /// Play the tapes on this program in a pseudo-terminal, with a real clock
    ///
    /// This also tests how the program reads keys and draws on a terminal. It takes as long as the program does. IDs,
    /// dates, and times are not compared.
    #[arg(long, conflicts_with_all = ["accept", "review", "elsewhere"])]
    pub pty: bool,
    /// The AWS to use instead of an account in memory.
    #[command(flatten)]
    pub aws_options: AwsOptions,
}

impl Test {
    /// Whether the options allow accepting the screens of a run.
    pub fn can_accept(&self) -> bool {
        !self.pty && !self.aws_options.is_remote()
    }

    /// Whether the options need a new account, in memory or on disk.
    pub(super) fn is_in_memory_only(&self) -> bool {
        self.accept || self.review || self.pty
    }
}

/// The options of `play`.
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(group = ArgGroup::new("output").args(["cast", "svg", "pictures"]))]
#[command(group = ArgGroup::new("advance").args(["step", "on_keypress"]).conflicts_with("output"))]
pub struct Play {
    /// The tape; several only with --pictures
    #[arg(value_name = "FILE", required = true)]
    pub tapes: Vec<PathBuf>,
    /// Play N times as fast, such as 2 or 0.5
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_speed, conflicts_with = "pictures")]
    pub speed: Speed,
    /// Pause before each step of the tape
    #[arg(long)]
    pub step: bool,
    /// Play one key of the tape for each key that you press
    #[arg(long)]
    pub on_keypress: bool,
    /// Hide account IDs and other IDs, and draw in strong contrast, for a projector
    #[arg(long, conflicts_with = "pictures")]
    pub stage: bool,
    /// Write a recording for asciinema to this file instead of playing
    #[arg(long, value_name = "FILE")]
    pub cast: Option<PathBuf>,
    /// The version of the recording's format
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "3",
        value_parser = value_parser!(u8).range(2..=3),
        requires = "cast",
        conflicts_with_all = ["svg", "pictures"]
    )]
    pub cast_version: u8,
    /// Write an animated image to this file instead of playing
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write an SVG image of each screenshot at each size of the tapes to this directory instead of playing
    ///
    /// Images that the tapes no longer take are removed: files that are named TAPE-SCREENSHOT-COLUMNSxROWS after one of
    /// the tapes. Other files are kept.
    #[arg(long, value_name = "DIR")]
    pub pictures: Option<PathBuf>,
    /// Don't write images; fail if one is missing, out of date, or no longer taken
    #[arg(long, requires = "pictures", conflicts_with_all = ["cast", "svg"])]
    pub check: bool,
    /// Record at this size in columns and rows instead of the first of the tape
    ///
    /// In a terminal, a tape is played at the size of the terminal.
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = parse_size, conflicts_with = "pictures", requires = "output")]
    pub size: Option<(u16, u16)>,
}

/// How many times as fast a tape is played, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(pub NonZeroU32);

fn parse_speed(text: &str) -> Result<Speed, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.1..=100.0).contains(speed));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let thousandths = speed.and_then(|speed| NonZeroU32::new((speed * 1000.0).round() as u32));
    thousandths.map(Speed).ok_or_else(|| "write a number from 0.1 to 100, such as 2".to_owned())
}

/// The options of `record`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Record {
    /// The tape to write
    #[arg(value_name = "FILE")]
    pub tape: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// The `tape` commands.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TapeCommand {
    /// Write a new tape to start from
    New {
        /// The name, or the path without `.tape`
        #[arg(value_name = "NAME")]
        name: PathBuf,
    },
    /// Check tapes without playing them
    Check {
        /// The tapes
        #[arg(value_name = "FILE", required = true)]
        tapes: Vec<PathBuf>,
        /// Only check whether VHS accepts the tapes, and show all places where it doesn't
        #[arg(long)]
        vhs: bool,
    },
}
