//! Scripted user flows: tapes drive a complete console with its own account, for tests, screenshots, and demos.
//!
//! ```
//! use xks_console::flow::player::Player;
//! use xks_console::flow::tape::{self, ConsoleDriver as _, Tape};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tape = Tape::parse("open.tape", "Wait+Screen /key stores/\nDown\nEnter\nWait+Screen /General configuration/")?;
//! let mut player = Player::start((80, 24))?;
//! tape::play(&tape, &mut player, &mut |_, _| Ok(()))?;
//! assert!(tape::screen_text(&player.frame()).contains("Frankfurt HSM"));
//! # Ok(())
//! # }
//! ```

pub mod animation;
pub mod cast;
mod faulty_transport;
pub mod golden;
mod ids;
pub mod pictures;
pub mod player;
pub mod pty;
pub mod recorder;
pub mod recording;
pub mod review;
pub mod screenshot;
pub mod stage;
pub mod style_words;
pub mod suite;
pub mod tape;
