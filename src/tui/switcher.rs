//! *Profile and Region*: where to go on. What is known of the place one leaves is forgotten, so losing something is asked first.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Line;

use super::effect::{Call, Failure};
use super::theme;
use super::widgets::button_row;
use super::widgets::paper::Paper;
use super::widgets::picker::{Entry, Picker};
use crate::aws::arn::partition_of;
use crate::aws::regions;
use crate::client::endpoints::check_region;
use crate::client::profile::{ProfileSummary, SwitchTarget};
use crate::create_key::known::Loadable;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Profile,
    Region,
    Cancel,
    Go,
}

/// What the dialog wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// Close it; what is being opened is not wanted any more.
    Close,
    /// Ask for this.
    Ask(Call),
}

/// The dialog.
#[derive(Clone, Debug, PartialEq)]
pub struct Switcher {
    profiles: Loadable<Vec<ProfileSummary>>,
    profile: Picker,
    region: Picker,
    spot: Spot,
    /// Whether the Region is the person's own choice, and so no other profile's is taken.
    is_region_chosen: bool,
    here: SwitchTarget,
    /// What would be lost.
    loses: Option<&'static str>,
    /// Whether losing it is asked about, and whether the focus is on doing so.
    asks: Option<bool>,
    is_opening: bool,
    failure: Option<String>,
}

impl Switcher {
    /// The dialog as one opens it at `here`. Where there are profiles they are still to be told.
    pub fn new(here: SwitchTarget, loses: Option<&'static str>) -> Self {
        let has_profiles = here.profile.is_some();
        Self {
            profiles: if has_profiles { Loadable::Loading } else { Loadable::Idle },
            profile: Picker::new(Vec::new(), here.profile.as_deref().unwrap_or_default()),
            region: of_partition(&here.region),
            spot: if has_profiles { Spot::Profile } else { Spot::Region },
            is_region_chosen: false,
            here,
            loses,
            asks: None,
            is_opening: false,
            failure: None,
        }
    }

    /// The title.
    pub fn title(&self) -> &'static str {
        match self.here.profile {
            _ if self.asks.is_some() => "Discard the new KMS key?",
            Some(_) => "Profile and Region",
            None => "Region",
        }
    }

    /// The profiles were told.
    pub fn told(&mut self, profiles: Result<Vec<ProfileSummary>, Failure>) {
        match profiles {
            Ok(profiles) => {
                let note = |choice: &ProfileSummary| {
                    let words = [choice.region.as_deref().unwrap_or_default(), choice.kind];
                    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ")
                };
                let entries: Vec<Entry> = profiles.iter().map(|choice| (choice.name.clone(), note(choice))).collect();
                self.profile = Picker::new(entries, self.here.profile.as_deref().unwrap_or_default());
                self.profiles = Loadable::Ready(profiles);
            }
            Err(failure) => self.profiles = Loadable::Failed(failure.message),
        }
    }

    /// Whether a place is being opened.
    pub fn is_opening(&self) -> bool {
        self.is_opening
    }

    /// What was to be opened can't be.
    pub fn refused(&mut self, failure: Failure) {
        self.is_opening = false;
        self.failure = Some(failure.message);
    }

    fn spots(&self) -> &'static [Spot] {
        match self.here.profile {
            Some(_) => &[Spot::Profile, Spot::Region, Spot::Cancel, Spot::Go],
            None => &[Spot::Region, Spot::Cancel, Spot::Go],
        }
    }

    fn step(&mut self, by: isize) {
        let spots = self.spots();
        let place = spots.iter().position(|spot| *spot == self.spot).unwrap_or(0);
        self.spot = spots[(place + spots.len()).saturating_add_signed(by) % spots.len()];
    }

    /// Whether profile and Region can be chosen now.
    pub fn has_form(&self) -> bool {
        !self.is_opening && self.asks.is_none()
    }

    /// Whether letters are text now.
    pub fn is_typing(&self) -> bool {
        self.has_form() && matches!(self.spot, Spot::Profile | Spot::Region)
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Wish {
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        if key.code == KeyCode::Esc && self.asks.take().is_none() {
            return Wish::Close;
        }
        if self.is_opening {
            return Wish::Nothing;
        }
        if let Some(on_do) = self.asks {
            match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => self.asks = Some(!on_do),
                _ if enters && on_do => return self.open(),
                _ if enters => self.asks = None,
                _ => {}
            }
            return Wish::Nothing;
        }
        match (key.code, self.spot) {
            (KeyCode::Char('n'), _) if key.modifiers == KeyModifiers::CONTROL => return self.submit(),
            (KeyCode::Tab, _) => self.step(1),
            (KeyCode::BackTab, _) => self.step(-1),
            (KeyCode::Enter, Spot::Profile | Spot::Region) => self.step(if self.spot == Spot::Region { 2 } else { 1 }),
            (_, Spot::Profile) if self.profile.press(key) => self.follow(),
            (_, Spot::Region) => self.is_region_chosen |= self.region.press(key),
            (KeyCode::Left | KeyCode::Up, _) => self.step(-1),
            (KeyCode::Right | KeyCode::Down, _) => self.step(1),
            (_, Spot::Cancel) if enters => return Wish::Close,
            (_, Spot::Go) if enters => return self.submit(),
            _ => {}
        }
        Wish::Nothing
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) {
        match self.spot {
            Spot::Profile => {
                self.profile.paste(pasted);
                self.follow();
            }
            Spot::Region => {
                self.region.paste(pasted);
                self.is_region_chosen = true;
            }
            Spot::Cancel | Spot::Go => {}
        }
    }

    /// The Region of the profile, as the AWS CLI would take it, until the person has chosen one.
    fn follow(&mut self) {
        if self.is_region_chosen {
            return;
        }
        let profiles = self.profiles.ready().map_or(&[][..], Vec::as_slice);
        let chosen = profiles.iter().find(|choice| choice.name == self.profile.value());
        let region = chosen.and_then(|choice| choice.region.as_ref()).unwrap_or(&self.here.region);
        self.region = of_partition(region);
    }

    /// Where to go on.
    fn place(&self) -> SwitchTarget {
        let picked = self.profile.value();
        // The profile that is there may be no choice of the person: credentials of the environment come before it.
        let is_other = self.here.profile.as_deref().is_some_and(|here| here != picked);
        SwitchTarget { profile: is_other.then(|| picked.to_owned()), region: self.region.value().to_owned() }
    }

    fn submit(&mut self) -> Wish {
        let place = self.place();
        self.failure = check_region(&place.region).err().map(|unfit| unfit.to_string());
        if self.failure.is_some() {
            self.spot = Spot::Region;
            return Wish::Nothing;
        }
        if place.profile.is_none() && place.region == self.here.region {
            return Wish::Close;
        }
        if self.loses.is_some() {
            self.asks = Some(false);
            return Wish::Nothing;
        }
        self.open()
    }

    fn open(&mut self) -> Wish {
        (self.asks, self.is_opening) = (None, true);
        Wish::Ask(Call::Open(self.place()))
    }

    /// Writes the dialog.
    pub fn write(&self, paper: &mut Paper) {
        if let (Some(on_do), Some(loses)) = (self.asks, self.loses) {
            paper.prose(loses, 0, theme::TEXT);
            paper.gap();
            button_row(paper, &[Some("Stay"), Some("Discard and switch")], usize::from(on_do));
            return;
        }
        if self.here.profile.is_some() {
            self.profile.write(paper, "Profile", self.spot == Spot::Profile);
            match &self.profiles {
                Loadable::Loading => drop(paper.prose("… Reading the profiles", 2, theme::QUIET)),
                Loadable::Failed(reason) => drop(paper.error(&format!("✗ {reason}"), 2, theme::BAD)),
                Loadable::Idle | Loadable::Ready(_) => {}
            }
            paper.gap();
        }
        self.region.write(paper, "Region", self.spot == Spot::Region);
        paper.gap();
        if let Some(failure) = &self.failure {
            paper.error(&format!("✗ {failure}"), 2, theme::BAD);
            paper.gap();
        }
        if self.is_opening {
            paper.line(Line::styled("  … Opening; Esc stays here", theme::WARNING));
            return;
        }
        let focused = [Spot::Cancel, Spot::Go].iter().position(|spot| *spot == self.spot).unwrap_or(usize::MAX);
        paper.focused(focused != usize::MAX, |paper| {
            button_row(paper, &[Some("Cancel"), Some("Switch")], focused);
        });
    }
}

/// The Regions to choose from beside `region`.
fn of_partition(region: &str) -> Picker {
    let regions = regions::in_partition(partition_of(region));
    Picker::new(regions.iter().map(|(code, place)| ((*code).to_owned(), (*place).to_owned())).collect(), region)
}
