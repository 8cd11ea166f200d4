//! `cargo xtask pictures`: the pictures in the repository and in the book.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::rasterizer;
use crate::workspace::{cargo, root, run as run_command};

/// The tapes whose screenshots are pictures, and the directories of the pictures.
const SCREENSHOTS: [(&[&str], &str); 2] = [
    (&["assets/tapes/method-1.tape", "assets/tapes/method-2.tape"], "screenshots"),
    (&["assets/tapes/book.tape"], "docs/src/pictures"),
];
/// The tape that is an animated picture, and the picture.
const ANIMATION: (&str, &str) = ("assets/tapes/first-key.tape", "screenshots/first-key.svg");
/// The picture that is also there as PNG, without its extension, for places that don't show SVG.
const PNG: &str = "screenshots/method-1-03-configure-key-120x40";

/// Writes the pictures, or checks that they are up to date.
pub fn run(check: bool) -> Result<(), Box<dyn Error>> {
    for (tapes, directory) in SCREENSHOTS {
        let mut arguments = [tapes, &["--pictures", directory]].concat();
        if check {
            arguments.push("--check");
        }
        play(&arguments)?;
    }
    let (tape, animation) = ANIMATION;
    if check {
        let played = root().join("target").join("xtask").join("animation.svg");
        fs::create_dir_all(played.parent().unwrap_or(&played))?;
        play(&[tape, "--svg", &played.to_string_lossy()])?;
        write_or_check(animation, &read(&played)?, check)?;
    } else {
        play(&[tape, "--svg", animation])?;
    }
    let svg = String::from_utf8(read(&root().join(format!("{PNG}.svg")))?)?;
    write_or_check(&format!("{PNG}.png"), &rasterizer::png(&svg)?, check)
}

/// Runs `xks-console play` in the directory of the repository.
fn play(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let program = ["run", "--quiet", "--locked", "--package", "xks-console", "--", "play"];
    run_command(cargo(program.iter().chain(arguments).copied()))
}

/// Writes a picture, or checks that it is up to date.
fn write_or_check(picture: &str, content: &[u8], check: bool) -> Result<(), Box<dyn Error>> {
    let path = root().join(picture);
    if !check {
        return fs::write(&path, content).map_err(|error| format!("couldn't write {picture}: {error}").into());
    }
    if fs::read(&path).ok().as_deref() == Some(content) {
        return Ok(());
    }
    Err(format!("{picture} is missing or out of date. Run `cargo xtask pictures`, then review the changes").into())
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    fs::read(path).map_err(|error| format!("couldn't read {}: {error}", path.display()).into())
}
