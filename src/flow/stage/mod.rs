//! Plays tapes for an audience, and records tapes, in a terminal.
//!
//! Both show a [`Player`] in the terminal: a console with an account in memory. [`play`] presses the keys of a tape at
//! the pace of a person, and the user can take over at any time. [`record`] writes what the user does as a tape.

mod clicks;
mod live;
mod projector;
mod record;

use std::io;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;

use self::live::{LiveConsole, UserEvent};
pub use self::projector::for_projector;
pub use self::record::{RecordError, record};
use super::player::{Player, PlayerError, PlayerSettings};
use super::recorder::Pace;
use super::tape::{
    AwsAccess, BoxError, ConsoleDriver, Fault, PlayObserver, Tape, TapeError, TapeLine, Unsupported, play_observed,
};
use crate::client::log::ApiCall;
use crate::lessons::progress::Progress;
use crate::tui::app::MIN_SCREEN_SIZE;
use crate::tui::theme_name::Appearance;

/// How a tape is played in a terminal.
#[derive(Clone, Copy, Debug)]
pub struct StageOptions {
    /// How many times as fast as a person, in thousandths.
    pub speed: NonZeroU32,
    /// What advances the tape.
    pub advance: Advance,
    /// Whether to hide IDs and draw in strong contrast.
    pub for_projector: bool,
    /// The theme and the symbols.
    pub appearance: Appearance,
}

/// What advances a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The time that a person takes.
    ByTime,
    /// The time, with a pause before each step.
    StepByStep,
    /// Each key press of the user plays one key of the tape.
    OnKeypress,
}

/// The reasons why a tape can't be played in a terminal.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The console can't be started.
    #[error(transparent)]
    Player(#[from] PlayerError),
    /// The terminal can't be used.
    #[error("couldn't use the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Plays `tape` in the terminal, until the user closes the console. Returns the error that ended the tape, if any.
///
/// # Errors
/// [`StageError`].
pub fn play(tape: &Tape, settings: PlayerSettings, options: StageOptions) -> Result<Option<TapeError>, StageError> {
    let player = Player::start_with(settings)?;
    let mut stage = Stage {
        live: LiveConsole::open(player, options.for_projector, options.appearance)?,
        pace: Pace::default().at_speed(options.speed),
        advance: options.advance,
        waited: SignedDuration::ZERO,
        has_stopped: false,
        error: None,
    };
    stage.live.caption.push_str(tape.title());
    let ended = play_observed(tape, &mut stage, &mut Captions).err();
    if ended.is_none() && !stage.has_stopped {
        "The tape has ended, and the console is yours. Ctrl-C closes it.".clone_into(&mut stage.live.caption);
        stage.live.keys.clear();
        stage.hand_over(None);
    }
    match stage.error {
        Some(error) => Err(error.into()),
        None => Ok(ended.filter(|_| !stage.has_stopped)),
    }
}

/// Returns why a terminal of this size is too small for the console, if so.
pub fn size_problem((width, height): (u16, u16)) -> Option<String> {
    let (min_width, min_height) = MIN_SCREEN_SIZE;
    (width < min_width || height < min_height).then(|| {
        format!("the console needs a terminal of at least {min_width}x{min_height}, and this one has {width}x{height}")
    })
}

/// A console in the terminal that waits as a person does.
struct Stage {
    live: LiveConsole,
    pace: Pace,
    advance: Advance,
    /// How long the tape has waited for AWS since the last key.
    waited: SignedDuration,
    /// Whether the user has stopped the tape. The rest of it is skipped.
    has_stopped: bool,
    error: Option<io::Error>,
}

impl Stage {
    /// Waits for `time`, or until the user presses a key that plays the tape on. Handles all other keys.
    fn wait(&mut self, time: Option<SignedDuration>) {
        let deadline = time.map(|time| Instant::now() + time.unsigned_abs());
        let mut is_paused = false;
        while !self.has_stopped {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) && !is_paused {
                return;
            }
            let hint = match (is_paused, deadline) {
                (true, _) => "Paused. Space continues",
                (false, None) if self.advance == Advance::OnKeypress => "Any key continues",
                (false, None) => "Space or Enter continues",
                (false, Some(_)) => "",
            };
            match self.next_event(hint, left.filter(|_| !is_paused)) {
                None | Some(UserEvent::Resized | UserEvent::Mouse(_)) => {}
                Some(UserEvent::Stop) => self.has_stopped = true,
                Some(UserEvent::Key(key)) => match key.code {
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => self.has_stopped = true,
                    KeyCode::Char(' ') | KeyCode::Enter | KeyCode::Right if deadline.is_none() => return,
                    KeyCode::Char(' ') => is_paused = !is_paused,
                    KeyCode::Right => return,
                    _ if self.advance == Advance::OnKeypress && deadline.is_none() => return,
                    _ => self.take_over(UserEvent::Key(key)),
                },
                Some(paste @ UserEvent::Paste(_)) => self.take_over(paste),
            }
        }
    }

    fn take_over(&mut self, first: UserEvent) {
        let caption = std::mem::replace(
            &mut self.live.caption,
            "You have taken over. Your keys go to the console; Esc gives back.".to_owned(),
        );
        self.live.keys.clear();
        self.hand_over(Some(first));
        self.live.caption = caption;
    }

    /// Passes `first` and the user's keys after it to the console until Esc gives back, or until the console is closed.
    /// Without `first`, there is nothing to give back to, and Esc is a key of the console.
    fn hand_over(&mut self, first: Option<UserEvent>) {
        let can_give_back = first.is_some();
        let mut event = first;
        let mut since = Instant::now();
        while !self.has_stopped {
            self.use_mouse(true);
            match event.take() {
                Some(UserEvent::Key(key)) if can_give_back && key.code == KeyCode::Esc => return self.use_mouse(false),
                Some(UserEvent::Key(key)) => self.live.player.press(key),
                Some(UserEvent::Mouse(event)) => drop(self.live.player.mouse(event)),
                Some(UserEvent::Paste(text)) => self.live.player.paste(&text),
                Some(UserEvent::Stop) => self.has_stopped = true,
                Some(UserEvent::Resized) | None => {}
            }
            self.live.player.settle();
            self.live.player.advance(SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO));
            since = Instant::now();
            self.live.player.settle();
            self.has_stopped |= self.live.player.has_quit();
            if !self.has_stopped {
                event = self.next_event("", Some(live::TICK));
            }
        }
    }

    fn use_mouse(&mut self, is_used: bool) {
        if let Err(error) = self.live.use_mouse(is_used) {
            (self.error, self.has_stopped) = (Some(error), true);
        }
    }

    fn next_event(&mut self, hint: &str, time: Option<Duration>) -> Option<UserEvent> {
        hint.clone_into(&mut self.live.hint);
        if let Err(error) = self.live.draw() {
            self.error = Some(error);
            return Some(UserEvent::Stop);
        }
        self.live.next_event(time)
    }

    fn wait_before_key(&mut self, key: KeyEvent) {
        match self.advance {
            Advance::OnKeypress => self.wait(None),
            Advance::ByTime | Advance::StepByStep => self.wait(Some(self.pace.after(key))),
        }
    }
}

impl ConsoleDriver for Stage {
    fn press(&mut self, key: KeyEvent) {
        self.wait_before_key(key);
        if !self.has_stopped {
            self.live.show_press(key);
            self.waited = SignedDuration::ZERO;
            self.live.player.press(key);
        }
    }

    fn mouse(&mut self, event: MouseEvent) -> Result<(), Unsupported> {
        self.wait(Some(self.pace.key));
        if self.has_stopped {
            return Ok(());
        }
        self.live.show_key(live::mouse_label(event));
        self.waited = SignedDuration::ZERO;
        self.live.player.mouse(event)
    }

    fn paste(&mut self, text: &str) {
        self.wait(Some(self.pace.key));
        if !self.has_stopped {
            self.live.show_key("Paste");
            self.live.player.paste(text);
        }
    }

    fn advance(&mut self, by: SignedDuration) {
        let shown = by.min(self.pace.max_wait.saturating_sub(self.waited)).max(SignedDuration::ZERO);
        self.waited = self.waited.saturating_add(shown);
        self.wait(Some(shown));
        if !self.has_stopped {
            self.live.player.advance(by);
        }
    }

    fn jump(&mut self, by: SignedDuration) -> Result<(), Unsupported> {
        self.live.player.jump(by)
    }

    fn settle(&mut self) {
        if !self.has_stopped {
            self.live.player.settle();
        }
    }

    fn frame(&self) -> Buffer {
        self.live.player.frame()
    }

    fn next_deadline(&self) -> Option<SignedDuration> {
        self.live.player.next_deadline().filter(|_| !self.has_stopped)
    }

    fn api_calls(&self) -> &[ApiCall] {
        self.live.player.api_calls()
    }

    fn aws(&self) -> Option<AwsAccess<'_>> {
        self.live.player.aws()
    }

    fn lesson(&self) -> Option<&Progress> {
        self.live.player.lesson()
    }

    fn set_fault(&mut self, fault: Option<&Fault>) -> Result<(), Unsupported> {
        self.live.player.set_fault(fault)
    }
}

/// Shows the steps of the tape as captions.
struct Captions;

impl PlayObserver<Stage> for Captions {
    fn screenshot(&mut self, _: &str, _: &TapeLine, stage: &mut Stage) -> Result<(), BoxError> {
        if stage.advance == Advance::ByTime {
            stage.wait(Some(stage.pace.look));
        }
        Ok(())
    }

    fn step(&mut self, title: &str, stage: &mut Stage) {
        title.clone_into(&mut stage.live.caption);
        let time = (stage.advance == Advance::ByTime).then_some(stage.pace.look);
        if stage.advance != Advance::OnKeypress {
            stage.wait(time);
        }
    }
}
