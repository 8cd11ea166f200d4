//! The review in the terminal.

use std::io;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::{Review, ReviewEvent, draw};
use crate::tui::terminal::signals::{Signal, Signals};
use crate::tui::terminal::{Terminal, TerminalEvent, TerminalInput};

/// Shows the review in the terminal until it ends. Returns [`ReviewEvent::Cancel`] if a signal ended it, or if the
/// terminal was closed.
///
/// # Errors
/// If the terminal can't be set up, read, or written.
pub fn show(review: &mut Review) -> io::Result<ReviewEvent> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(review))
}

async fn run(review: &mut Review) -> io::Result<ReviewEvent> {
    let mut signals = Signals::listen()?;
    let mut terminal = Terminal::enter()?;
    let mut input = TerminalInput::open()?;
    let mut is_suspended = false;
    let mut size = Size::default();
    loop {
        if !is_suspended {
            size = terminal.draw(|frame| draw(review, frame))?;
        }
        tokio::select! {
            event = input.next() => match event {
                Some(TerminalEvent::Input(Event::Key(key))) if is_control(key, 'z') => {
                    is_suspended = true;
                    terminal.suspend()?;
                }
                Some(TerminalEvent::Input(Event::Key(key))) if is_control(key, 'l') => terminal.force_redraw()?,
                // A screen that isn't shown can't be accepted or rejected.
                Some(TerminalEvent::Input(Event::Key(key))) if draw::fits(size) || is_control(key, 'c') => {
                    match review.handle_key(key) {
                        ReviewEvent::Handled => {}
                        end => return Ok(end),
                    }
                }
                Some(TerminalEvent::Color(report)) => terminal.set_color(report),
                Some(TerminalEvent::Input(_)) => {}
                None => return Ok(ReviewEvent::Cancel),
            },
            signal = signals.next() => match signal {
                Signal::End { .. } => return Ok(ReviewEvent::Cancel),
                Signal::Suspend => {
                    is_suspended = true;
                    terminal.suspend()?;
                }
                Signal::Resume => {
                    terminal.resume()?;
                    is_suspended = false;
                }
                Signal::Resize => {}
            },
        }
    }
}

fn is_control(key: KeyEvent, character: char) -> bool {
    key.code == KeyCode::Char(character) && key.modifiers == KeyModifiers::CONTROL
}
