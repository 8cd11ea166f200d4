//! The *Profile and Region* dialog. Switching discards the state of the console, so it asks before it discards a draft.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Line;

use crate::aws::arn::partition_of;
use crate::aws::regions;
use crate::client::endpoints::check_region;
use crate::client::profile::{ProfileSummary, SwitchTarget};
use crate::create_key::account_state::Loadable;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::theme;
use crate::tui::widgets::button_row;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::picker::{Entry, Picker};
use crate::tui::widgets::scroll_view::ScrollView;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SwitcherFocus {
    Profile,
    Region,
    Cancel,
    Switch,
}

/// A request of the dialog to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum SwitcherEvent {
    /// Nothing.
    Nothing,
    /// Closes the dialog, and cancels a switch in progress.
    Close,
    /// Sends this request.
    Request(Call),
}

/// The dialog that switches the profile and Region.
#[derive(Clone, Debug, PartialEq)]
pub struct Switcher {
    profiles: Loadable<Vec<ProfileSummary>>,
    profile: Picker,
    region: Picker,
    focus: SwitcherFocus,
    /// Whether the user chose the Region, so that it no longer follows the profile.
    is_region_chosen: bool,
    current: SwitchTarget,
    /// The warning to confirm before switching, if something would be lost.
    discard_warning: Option<&'static str>,
    /// Whether the confirmation is shown, and if so, whether the focus is on its confirm button.
    discard_confirmation: Option<bool>,
    is_opening: bool,
    failure: Option<String>,
}

impl Switcher {
    /// Creates the dialog with `here` as the current profile and Region. The profiles are loaded afterwards.
    pub fn new(here: SwitchTarget, discard_warning: Option<&'static str>) -> Self {
        let has_profiles = here.profile.is_some();
        Self {
            profiles: if has_profiles { Loadable::Loading } else { Loadable::Idle },
            profile: Picker::new(Vec::new(), here.profile.as_deref().unwrap_or_default()),
            region: region_picker(&here.region),
            focus: if has_profiles { SwitcherFocus::Profile } else { SwitcherFocus::Region },
            is_region_chosen: false,
            current: here,
            discard_warning,
            discard_confirmation: None,
            is_opening: false,
            failure: None,
        }
    }

    /// Returns the title.
    pub fn title(&self) -> &'static str {
        match self.current.profile {
            _ if self.discard_confirmation.is_some() => "Discard the new KMS key?",
            Some(_) => "Profile and Region",
            None => "Region",
        }
    }

    /// Handles the loaded profiles.
    pub fn on_profiles_loaded(&mut self, profiles: Result<Vec<ProfileSummary>, CallFailure>) {
        match profiles {
            Ok(profiles) => {
                let note = |choice: &ProfileSummary| {
                    let words = [choice.region.as_deref().unwrap_or_default(), choice.kind];
                    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ")
                };
                let entries: Vec<Entry> = profiles.iter().map(|choice| (choice.name.clone(), note(choice))).collect();
                self.profile = Picker::new(entries, self.current.profile.as_deref().unwrap_or_default());
                self.profiles = Loadable::Ready(profiles);
            }
            Err(failure) => self.profiles = Loadable::Failed(failure.message),
        }
    }

    /// Whether the switch is in progress.
    pub fn is_opening(&self) -> bool {
        self.is_opening
    }

    /// Handles a failed switch.
    pub fn on_open_failed(&mut self, failure: CallFailure) {
        self.is_opening = false;
        self.failure = Some(failure.message);
    }

    fn focus_order(&self) -> &'static [SwitcherFocus] {
        match self.current.profile {
            Some(_) => &[SwitcherFocus::Profile, SwitcherFocus::Region, SwitcherFocus::Cancel, SwitcherFocus::Switch],
            None => &[SwitcherFocus::Region, SwitcherFocus::Cancel, SwitcherFocus::Switch],
        }
    }

    fn move_focus(&mut self, by: isize) {
        let focus_order = self.focus_order();
        let place = focus_order.iter().position(|target| *target == self.focus).unwrap_or(0);
        self.focus = focus_order[(place + focus_order.len()).saturating_add_signed(by) % focus_order.len()];
    }

    /// Whether the user can choose the profile and Region.
    pub fn has_form(&self) -> bool {
        !self.is_opening && self.discard_confirmation.is_none()
    }

    /// Whether key presses are text input.
    pub fn is_typing(&self) -> bool {
        self.has_form() && matches!(self.focus, SwitcherFocus::Profile | SwitcherFocus::Region)
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> SwitcherEvent {
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        if key.code == KeyCode::Esc && self.discard_confirmation.take().is_none() {
            return SwitcherEvent::Close;
        }
        if self.is_opening {
            return SwitcherEvent::Nothing;
        }
        if let Some(is_confirm_focused) = self.discard_confirmation {
            match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
                    self.discard_confirmation = Some(!is_confirm_focused);
                }
                _ if enters && is_confirm_focused => return self.open(),
                _ if enters => self.discard_confirmation = None,
                _ => {}
            }
            return SwitcherEvent::Nothing;
        }
        match (key.code, self.focus) {
            (KeyCode::Char('n'), _) if key.modifiers == KeyModifiers::CONTROL => return self.submit(),
            (KeyCode::Tab, _) => self.move_focus(1),
            (KeyCode::BackTab, _) => self.move_focus(-1),
            (KeyCode::Enter, SwitcherFocus::Profile | SwitcherFocus::Region) => {
                self.move_focus(if self.focus == SwitcherFocus::Region { 2 } else { 1 });
            }
            (_, SwitcherFocus::Profile) if self.profile.handle_key(key) => self.sync_region_with_profile(),
            (_, SwitcherFocus::Region) => self.is_region_chosen |= self.region.handle_key(key),
            (KeyCode::Left | KeyCode::Up, _) => self.move_focus(-1),
            (KeyCode::Right | KeyCode::Down, _) => self.move_focus(1),
            (_, SwitcherFocus::Cancel) if enters => return SwitcherEvent::Close,
            (_, SwitcherFocus::Switch) if enters => return self.submit(),
            _ => {}
        }
        SwitcherEvent::Nothing
    }

    /// Moves the focus to what was clicked, and returns the key that presses it, if it is a button.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        if self.is_opening {
            return None;
        }
        if self.discard_confirmation.is_some() {
            let Click::Button(button) = *click else { return None };
            self.discard_confirmation = Some(button == 1);
            return Some(KeyCode::Enter.into());
        }
        match *click {
            Click::Button(button) => {
                self.focus = if button == 0 { SwitcherFocus::Cancel } else { SwitcherFocus::Switch };
                Some(KeyCode::Enter.into())
            }
            Click::Focus(place) | Click::Choose(place, _) | Click::Text { control: place, .. } => {
                self.focus = *self.focus_order().get(place)?;
                match self.focus {
                    SwitcherFocus::Profile if self.profile.on_click(click) => self.sync_region_with_profile(),
                    SwitcherFocus::Region => self.is_region_chosen |= self.region.on_click(click),
                    SwitcherFocus::Profile | SwitcherFocus::Cancel | SwitcherFocus::Switch => {}
                }
                None
            }
            _ => None,
        }
    }

    /// Inserts pasted text.
    pub fn handle_paste(&mut self, pasted: &str) {
        match self.focus {
            SwitcherFocus::Profile => {
                self.profile.handle_paste(pasted);
                self.sync_region_with_profile();
            }
            SwitcherFocus::Region => {
                self.region.handle_paste(pasted);
                self.is_region_chosen = true;
            }
            SwitcherFocus::Cancel | SwitcherFocus::Switch => {}
        }
    }

    /// Selects the Region of the profile, as the AWS CLI does, unless the user chose a Region.
    fn sync_region_with_profile(&mut self) {
        if self.is_region_chosen {
            return;
        }
        let profiles = self.profiles.ready().map_or(&[][..], Vec::as_slice);
        let chosen = profiles.iter().find(|choice| choice.name == self.profile.value());
        let region = chosen.and_then(|choice| choice.region.as_ref()).unwrap_or(&self.current.region);
        self.region = region_picker(region);
    }

    /// Returns the target to switch to.
    fn selection(&self) -> SwitchTarget {
        let picked = self.profile.value();
        // An unchanged profile is omitted, because credentials from the environment can take precedence over it.
        let is_other = self.current.profile.as_deref().is_some_and(|here| here != picked);
        SwitchTarget { profile: is_other.then(|| picked.to_owned()), region: self.region.value().to_owned() }
    }

    fn submit(&mut self) -> SwitcherEvent {
        let place = self.selection();
        self.failure = check_region(&place.region).err().map(|unfit| unfit.to_string());
        if self.failure.is_some() {
            self.focus = SwitcherFocus::Region;
            return SwitcherEvent::Nothing;
        }
        if place.profile.is_none() && place.region == self.current.region {
            return SwitcherEvent::Close;
        }
        if self.discard_warning.is_some() {
            self.discard_confirmation = Some(false);
            return SwitcherEvent::Nothing;
        }
        self.open()
    }

    fn open(&mut self) -> SwitcherEvent {
        (self.discard_confirmation, self.is_opening) = (None, true);
        SwitcherEvent::Request(Call::OpenClient(self.selection()))
    }

    /// Writes the dialog.
    pub fn write(&self, view: &mut ScrollView) {
        if let (Some(is_confirm_focused), Some(warning)) = (self.discard_confirmation, self.discard_warning) {
            view.paragraph(warning, 0, theme::TEXT);
            view.blank_line();
            button_row(view, &[Some("Stay"), Some("Discard and switch")], usize::from(is_confirm_focused));
            return;
        }
        if self.current.profile.is_some() {
            view.control(0, |view| self.profile.write(view, "Profile", self.focus == SwitcherFocus::Profile));
            match &self.profiles {
                Loadable::Loading => drop(view.paragraph("… Loading profiles", 2, theme::SECONDARY)),
                Loadable::Failed(reason) => drop(view.error(&format!("✗ {reason}"), 2, theme::ERROR)),
                Loadable::Idle | Loadable::Ready(_) => {}
            }
            view.blank_line();
        }
        let place = self.focus_order().iter().position(|target| *target == SwitcherFocus::Region).unwrap_or(0);
        view.control(place, |view| self.region.write(view, "Region", self.focus == SwitcherFocus::Region));
        view.blank_line();
        if let Some(failure) = &self.failure {
            view.error(&format!("✗ {failure}"), 2, theme::ERROR);
            view.blank_line();
        }
        if self.is_opening {
            view.push_line(Line::styled("  … Switching. Press Esc to cancel.", theme::WARNING));
            return;
        }
        let focused = [SwitcherFocus::Cancel, SwitcherFocus::Switch]
            .iter()
            .position(|target| *target == self.focus)
            .unwrap_or(usize::MAX);
        view.focused(focused != usize::MAX, |view| {
            button_row(view, &[Some("Cancel"), Some("Switch")], focused);
        });
    }
}

/// Returns a picker with the Regions in the partition of `region`.
fn region_picker(region: &str) -> Picker {
    let regions = regions::in_partition(partition_of(region));
    Picker::new(regions.iter().map(|(code, place)| ((*code).to_owned(), (*place).to_owned())).collect(), region)
}
