//! `xks-console play`: plays a tape in the terminal, or writes it as a recording or as images.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Arguments, Play};
use crate::flow::animation::animated_svg;
use crate::flow::cast::{CastVersion, cast};
use crate::flow::pictures::Pictures;
use crate::flow::player::{Player, PlayerSettings};
use crate::flow::recorder::{Pace, record_tape};
use crate::flow::recording::Recording;
use crate::flow::screenshot::ImageStyle;
use crate::flow::stage::{self, Advance, StageOptions};
use crate::flow::tape::Tape;
use crate::text::plural;
use crate::tui::terminal;
use crate::xks::network::Network;

/// Plays the tapes of the command line.
pub(super) fn run(arguments: &Arguments, options: &Play) -> Result<ExitCode, Box<dyn Error>> {
    let tapes = options.tapes.iter().map(|path| Tape::read(path)).collect::<Result<Vec<_>, _>>();
    let tapes = match tapes {
        Ok(tapes) => tapes,
        Err(error) => {
            super::note(error);
            return Ok(ExitCode::from(2));
        }
    };
    if let Some(directory) = &options.pictures {
        return write_pictures(arguments, &tapes, options, directory);
    }
    let [tape] = tapes.as_slice() else {
        super::note("play needs one tape; only --pictures accepts several");
        return Ok(ExitCode::from(2));
    };
    let size = options.size.unwrap_or_else(|| tape.sizes()[0]);
    let network = network(arguments);
    network.check()?;
    let settings = PlayerSettings { network: Some(network), ..PlayerSettings::for_tape(tape, size) };
    match (&options.cast, &options.svg) {
        (Some(path), _) => {
            let version = if options.cast_version == 2 { CastVersion::V2 } else { CastVersion::V3 };
            write_recording(tape, settings, options, path, |recording| cast(recording, version))
        }
        (None, Some(path)) => {
            let style = image_style(arguments);
            write_recording(tape, settings, options, path, |recording| animated_svg(recording, &style))
        }
        (None, None) => {
            if let Err(error) = terminal::require() {
                super::note(error);
                return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
            }
            let size = terminal_size(size);
            if let Some(problem) = stage::size_problem(size) {
                super::note(problem);
                return Ok(ExitCode::from(2));
            }
            let advance = if options.on_keypress {
                Advance::OnKeypress
            } else if options.step {
                Advance::StepByStep
            } else {
                Advance::ByTime
            };
            let appearance = super::settings(arguments)?.appearance();
            let stage_options =
                StageOptions { speed: options.speed.0, advance, for_projector: options.stage, appearance };
            // In a terminal, the tape is played at the size of the terminal.
            let ended = stage::play(tape, PlayerSettings { size, ..settings }, stage_options)?;
            match ended {
                Some(error) => {
                    super::note(error.message());
                    Ok(ExitCode::from(error.exit_code()))
                }
                None => Ok(ExitCode::SUCCESS),
            }
        }
    }
}

/// Returns the style of images. Only the option counts, so that images don't depend on the configuration of a user.
fn image_style(arguments: &Arguments) -> ImageStyle {
    arguments.display.theme.map(ImageStyle::new).unwrap_or_default()
}

/// Creates the network to proxies that the command line describes.
fn network(arguments: &Arguments) -> Network {
    Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone())
}

/// Returns the size of the terminal, or `otherwise` if it is unknown.
fn terminal_size(otherwise: (u16, u16)) -> (u16, u16) {
    crossterm::terminal::size().ok().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(otherwise)
}

fn write_recording(
    tape: &Tape,
    settings: PlayerSettings,
    options: &Play,
    path: &Path,
    render: impl Fn(&Recording) -> String,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut player = Player::start_with(settings)?;
    let (recording, error) = record_tape(tape, &mut player, Pace::default().at_speed(options.speed.0));
    if let Some(error) = error {
        super::note(&error);
        return Ok(ExitCode::from(error.exit_code()));
    }
    let recording = if options.stage { stage::for_projector(&recording) } else { recording };
    std::fs::write(path, render(&recording)).map_err(|error| format!("Couldn't write {}: {error}", path.display()))?;
    let seconds = recording.duration().as_secs_f64();
    writeln!(std::io::stdout(), "{}: {seconds:.1} s at {}x{}", path.display(), recording.size.0, recording.size.1)?;
    Ok(ExitCode::SUCCESS)
}

fn write_pictures(
    arguments: &Arguments,
    tapes: &[Tape],
    options: &Play,
    directory: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    network(arguments).check()?;
    let pictures = Pictures::take(tapes, &image_style(arguments), || network(arguments))?;
    let (one, many) = if options.check {
        pictures.check(directory)?;
        ("image is up to date in", "images are up to date in")
    } else {
        pictures.write(directory)?;
        ("image was written to", "images were written to")
    };
    writeln!(std::io::stdout(), "{} {}", plural(pictures.count(), one, many), directory.display())?;
    Ok(ExitCode::SUCCESS)
}
