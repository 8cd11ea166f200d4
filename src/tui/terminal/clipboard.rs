//! Copies text to the clipboard of the user at the terminal.
//!
//! A local clipboard program confirms that it received the text. The escape sequence OSC 52 also works over SSH, but
//! terminals don't confirm it. tmux and screen forward the sequence only if it is wrapped, and tmux only if it is
//! configured to do so, so tmux gets the text from `tmux load-buffer -w`. Source: xterm's *Control Sequences*; tmux(1),
//! *set-clipboard* and *allow-passthrough*; screen(1), *String Escapes*.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::tui::effect::CopyResult;

/// The timeout of a clipboard program.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum length of the encoded text, in bytes, that common terminals accept.
const MAX_ENCODED_BYTES: usize = 100_000;
/// The maximum length of a chunk for screen, in bytes. screen accepts 768, including the wrapper.
const SCREEN_CHUNK_BYTES: usize = 700;

/// The parts of the environment that determine how to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipboardEnvironment {
    is_remote: bool,
    has_wayland: bool,
    has_x11: bool,
    multiplexer: Multiplexer,
}

/// A terminal multiplexer, which forwards only wrapped sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Multiplexer {
    #[default]
    None,
    Tmux,
    Screen,
}

impl ClipboardEnvironment {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            is_remote: has("SSH_CONNECTION") || has("SSH_CLIENT") || has("SSH_TTY"),
            has_wayland: has("WAYLAND_DISPLAY"),
            has_x11: has("DISPLAY"),
            multiplexer: match (has("TMUX"), has("STY")) {
                (true, _) => Multiplexer::Tmux,
                (_, true) => Multiplexer::Screen,
                _ => Multiplexer::None,
            },
        }
    }

    /// Returns the local clipboard programs, in the order to try them. None over SSH, where the clipboard of the remote
    /// machine isn't the user's.
    fn programs(self) -> Vec<&'static [&'static str]> {
        let mut programs: Vec<&[&str]> = Vec::new();
        if self.is_remote {
            return programs;
        }
        if cfg!(target_os = "macos") {
            programs.push(&["pbcopy"]);
        }
        if self.has_wayland {
            programs.push(&["wl-copy"]);
        }
        if self.has_x11 {
            programs.extend([&["xclip", "-selection", "clipboard"][..], &["xsel", "--clipboard", "--input"]]);
        }
        programs
    }

    /// Copies the text with a program. Returns `None` if no program accepted it.
    pub async fn copy(self, text: &str) -> Option<CopyResult> {
        let mut taken = None;
        for program in self.programs() {
            if pipe_to(program, text).await {
                taken = Some(CopyResult::Clipboard);
                break;
            }
        }
        // The user can be attached to tmux from another machine, so copy to its buffer, too.
        if self.multiplexer == Multiplexer::Tmux && pipe_to(&["tmux", "load-buffer", "-w", "-"], text).await {
            return Some(CopyResult::Tmux);
        }
        taken
    }

    /// Returns the OSC 52 sequence that copies the text.
    ///
    /// # Errors
    /// [`CopyResult::TooLong`] if the text is too long.
    pub(super) fn osc52_sequence(self, text: &str) -> Result<String, CopyResult> {
        let encoded = STANDARD.encode(text);
        if encoded.len() > MAX_ENCODED_BYTES {
            return Err(CopyResult::TooLong { bytes: text.len(), max_bytes: MAX_ENCODED_BYTES / 4 * 3 });
        }
        let sequence = format!("\x1b]52;c;{encoded}\x07");
        Ok(match self.multiplexer {
            Multiplexer::None => sequence,
            Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Multiplexer::Screen => {
                let pieces = sequence.as_bytes().chunks(SCREEN_CHUNK_BYTES).map(String::from_utf8_lossy);
                pieces.flat_map(|piece| ["\x1bP".into(), piece, "\x1b\\".into()]).collect()
            }
        })
    }
}

/// Pipes the text to a program. Returns whether the program exists and accepted it.
async fn pipe_to(program: &[&str], text: &str) -> bool {
    let give = async {
        let mut child = Command::new(program.first()?)
            .args(&program[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut input = child.stdin.take()?;
        input.write_all(text.as_bytes()).await.ok()?;
        drop(input);
        child.wait().await.ok()?.success().then_some(())
    };
    tokio::time::timeout(PROGRAM_TIMEOUT, give).await.is_ok_and(|taken| taken.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ClipboardEnvironment =
        ClipboardEnvironment { is_remote: false, has_wayland: false, has_x11: false, multiplexer: Multiplexer::None };

    #[test]
    fn sequence_is_wrapped_for_tmux_and_screen() {
        assert_eq!(PLAIN.osc52_sequence("key").unwrap(), "\x1b]52;c;a2V5\x07");
        let tmux = ClipboardEnvironment { multiplexer: Multiplexer::Tmux, ..PLAIN };
        assert_eq!(tmux.osc52_sequence("key").unwrap(), "\x1bPtmux;\x1b\x1b]52;c;a2V5\x07\x1b\\");
        let screen = ClipboardEnvironment { multiplexer: Multiplexer::Screen, ..PLAIN };
        assert_eq!(screen.osc52_sequence("key").unwrap(), "\x1bP\x1b]52;c;a2V5\x07\x1b\\");
        let long = screen.osc52_sequence(&"x".repeat(3000)).unwrap();
        let pieces: Vec<&str> = long.split_terminator("\x1b\\").collect();
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= 702));
        assert_eq!(pieces.concat().replace("\x1bP", ""), PLAIN.osc52_sequence(&"x".repeat(3000)).unwrap());
    }

    #[test]
    fn text_over_the_size_limit_is_not_sent() {
        assert!(PLAIN.osc52_sequence(&"x".repeat(75_000)).is_ok());
        let refused = PLAIN.osc52_sequence(&"x".repeat(75_001)).unwrap_err();
        assert_eq!(refused, CopyResult::TooLong { bytes: 75_001, max_bytes: 75_000 });
    }

    #[test]
    fn clipboard_programs_are_not_used_over_ssh() {
        let both = ClipboardEnvironment { has_wayland: true, has_x11: true, ..PLAIN };
        let names: Vec<&str> =
            both.programs().iter().map(|program| program[0]).filter(|name| *name != "pbcopy").collect();
        assert_eq!(names, ["wl-copy", "xclip", "xsel"]);
        assert!(ClipboardEnvironment { is_remote: true, ..both }.programs().is_empty());
    }
}
