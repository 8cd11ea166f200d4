//! Records what a console shows while a tape is played on it, at the pace of a person.

use std::num::NonZeroU32;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;

use super::recording::Recording;
use super::tape::{
    AwsAccess, BoxError, ConsoleDriver, Fault, PlayObserver, Tape, TapeError, TapeLine, Unsupported, play_observed,
};
use crate::client::log::ApiCall;
use crate::lessons::progress::Progress;

/// How long a person takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one typed character to the next.
    pub character: SignedDuration,
    /// From one named key to the next.
    pub key: SignedDuration,
    /// To look at a screen that a screenshot names, or at the beginning of a step.
    pub look: SignedDuration,
    /// The longest time that waiting for AWS takes in a recording.
    pub max_wait: SignedDuration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            character: SignedDuration::from_millis(70),
            key: SignedDuration::from_millis(450),
            look: SignedDuration::from_millis(1500),
            max_wait: SignedDuration::from_millis(1200),
        }
    }
}

impl Pace {
    /// Returns the pace of a person who is this many thousandths as fast.
    #[must_use]
    pub fn at_speed(self, thousandths: NonZeroU32) -> Self {
        let scale = |time: SignedDuration| {
            let scaled = time.as_millis() * 1000 / i128::from(thousandths.get());
            SignedDuration::from_millis(i64::try_from(scaled).unwrap_or(i64::MAX))
        };
        Self {
            character: scale(self.character),
            key: scale(self.key),
            look: scale(self.look),
            max_wait: scale(self.max_wait),
        }
    }

    /// Returns the time that passes after a key.
    pub fn after(&self, key: KeyEvent) -> SignedDuration {
        if matches!(key.code, KeyCode::Char(character) if character != ' ')
            && key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
        {
            self.character
        } else {
            self.key
        }
    }
}

/// A console whose frames are recorded.
#[derive(Debug)]
pub struct Recorder<'a, D> {
    console: &'a mut D,
    pace: Pace,
    recording: Recording,
    now: SignedDuration,
    waited: SignedDuration,
}

impl<'a, D: ConsoleDriver> Recorder<'a, D> {
    /// Starts to record `console`. `title` is the title of the recording.
    pub fn new(console: &'a mut D, title: &str, pace: Pace) -> Self {
        let size = console.frame().area.as_size();
        let recording = Recording::new(title, (size.width, size.height));
        Self { console, pace, recording, now: SignedDuration::ZERO, waited: SignedDuration::ZERO }
    }

    /// Returns the console.
    pub fn console(&self) -> &D {
        self.console
    }

    /// Returns what was recorded.
    pub fn finish(mut self) -> Recording {
        self.capture();
        self.recording.finish(self.now.saturating_add(self.pace.look));
        self.recording
    }

    /// Starts a step.
    pub fn mark(&mut self, title: &str) {
        self.capture();
        self.recording.marker(self.now, title);
    }

    /// Stays on the current screen, so that it can be read.
    pub fn look(&mut self) {
        self.capture();
        self.pass(self.pace.look);
    }

    fn capture(&mut self) {
        self.recording.frame(self.now, self.console.frame());
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now = self.now.saturating_add(time);
    }
}

impl<D: ConsoleDriver> ConsoleDriver for Recorder<'_, D> {
    fn press(&mut self, key: KeyEvent) {
        self.capture();
        self.console.press(key);
        self.waited = SignedDuration::ZERO;
        self.pass(self.pace.after(key));
        self.capture();
    }

    fn mouse(&mut self, event: MouseEvent) -> Result<(), Unsupported> {
        self.capture();
        self.console.mouse(event)?;
        self.waited = SignedDuration::ZERO;
        self.pass(self.pace.key);
        self.capture();
        Ok(())
    }

    fn paste(&mut self, text: &str) {
        self.capture();
        self.console.paste(text);
        self.waited = SignedDuration::ZERO;
        self.pass(self.pace.key);
        self.capture();
    }

    fn advance(&mut self, by: SignedDuration) {
        self.console.advance(by);
        let shown = by.min(self.pace.max_wait.saturating_sub(self.waited)).max(SignedDuration::ZERO);
        self.waited = self.waited.saturating_add(shown);
        self.pass(shown);
        self.capture();
    }

    fn jump(&mut self, by: SignedDuration) -> Result<(), Unsupported> {
        self.console.jump(by)
    }

    fn settle(&mut self) {
        self.console.settle();
    }

    fn frame(&self) -> Buffer {
        self.console.frame()
    }

    fn next_deadline(&self) -> Option<SignedDuration> {
        self.console.next_deadline()
    }

    fn api_calls(&self) -> &[ApiCall] {
        self.console.api_calls()
    }

    fn aws(&self) -> Option<AwsAccess<'_>> {
        self.console.aws()
    }

    fn lesson(&self) -> Option<&Progress> {
        self.console.lesson()
    }

    fn set_fault(&mut self, fault: Option<&Fault>) -> Result<(), Unsupported> {
        self.console.set_fault(fault)
    }
}

/// Plays `tape` on `console` and returns the recording, and the error that ended the tape, if any.
pub fn record_tape<D: ConsoleDriver>(tape: &Tape, console: &mut D, pace: Pace) -> (Recording, Option<TapeError>) {
    struct Observer;
    impl<D: ConsoleDriver> PlayObserver<Recorder<'_, D>> for Observer {
        fn screenshot(&mut self, _: &str, _: &TapeLine, recorder: &mut Recorder<'_, D>) -> Result<(), BoxError> {
            recorder.look();
            Ok(())
        }

        fn step(&mut self, title: &str, recorder: &mut Recorder<'_, D>) {
            recorder.mark(title);
        }
    }
    let mut recorder = Recorder::new(console, tape.title(), pace);
    let error = play_observed(tape, &mut recorder, &mut Observer).err();
    (recorder.finish(), error)
}
