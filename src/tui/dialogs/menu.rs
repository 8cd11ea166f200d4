//! The *Key actions*, *Key store actions*, *External key manager*, *Proxy faults*, and *Copy table* menus, with reasons for unavailable
//! actions.

mod key_actions;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use self::key_actions::{KeyDetail, detail, single_key_entries, template_entries};
use super::external_keys;
use super::form_kind::{FormKind, KeyName, key_name};
use super::proxy_faults::{self, FaultPlace};
use crate::aws::kms::{ConnectionState, CustomKeyStore, CustomKeyStoreType, Decrypt, KeyManagerType, KeyState, Tag};
use crate::aws::lenient::UNREADABLE;
use crate::aws::xks_console::{ExternalKey, ExternalKeyName, Partition, ProxyFault};
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::draft::KeyDraft;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::method::Method;
use crate::tui::pages::Location;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;

/// The action of a menu entry.
#[derive(Clone, Debug, PartialEq)]
pub enum MenuAction {
    /// Opens the form of a task.
    OpenForm(Box<FormKind>),
    /// Connects a key store.
    Connect(String),
    /// Disconnects a key store.
    Disconnect(String),
    /// Opens the dialog that tries a key.
    TryKey(KeyName),
    /// Opens the wizard with a filled-in draft.
    CreateSimilar {
        /// The name of the key that the draft is like.
        source: String,
        /// The method of the wizard.
        method: Method,
        /// The draft.
        draft: Box<KeyDraft>,
    },
    /// Copies a text: its name and the text.
    Copy(&'static str, String),
    /// Sends a Decrypt request, and shows its flow.
    Replay(Box<Decrypt>),
    /// Opens a page.
    Open(Location),
    /// Copies the table of the page.
    CopyTable(TableFormat),
}

/// The format of a copied table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TableFormat {
    Csv,
    Json,
    Markdown,
}

#[derive(Clone, Debug, PartialEq)]
struct MenuEntry {
    label: &'static str,
    action: Result<MenuAction, &'static str>,
}

/// A menu of actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Menu {
    title: &'static str,
    key_id: Option<String>,
    entries: Vec<MenuEntry>,
    cursor: usize,
}

/// The result of a key press.
#[derive(Clone, Debug, PartialEq)]
pub enum MenuEvent {
    /// Nothing to do for the caller.
    Handled,
    /// Closes the menu.
    Close,
    /// Runs the action.
    Activate(MenuAction),
}

fn form_entry(label: &'static str, kind: FormKind, why_not: Option<&'static str>) -> MenuEntry {
    MenuEntry { label, action: why_not.map_or(Ok(MenuAction::OpenForm(Box::new(kind))), Err) }
}

/// Returns the reason why the form can't show all properties of a key store, if there is one.
fn not_editable_reason(store: &CustomKeyStore) -> Option<&'static str> {
    let proxy = store.xks_proxy_configuration.as_ref();
    if store.problem.is_some() {
        Some("Unreadable. Use a newer xks-console.")
    } else if store.custom_key_store_type != CustomKeyStoreType::ExternalKeyStore {
        Some("Unsupported key store type.")
    } else if proxy.is_some_and(|proxy| !proxy.connectivity.is_known()) {
        Some("Unsupported proxy connectivity.")
    } else {
        None
    }
}

impl Menu {
    /// Creates *Key actions* for one key, with its tags and its policy.
    pub fn for_key(
        key: &KeySummary,
        tags: &Loadable<Vec<Tag>>,
        policy: &Loadable<String>,
        account: &AccountState,
    ) -> Self {
        let (tags, policy) = (detail(tags).map(Vec::as_slice), detail(policy).map(String::as_str));
        let menu = Self::for_keys_with(&[key], Some((tags, policy)), account);
        Self { key_id: Some(key.key_id().to_owned()), ..menu }
    }

    /// Creates *Key actions* for several keys.
    pub fn for_keys(keys: &[&KeySummary], account: &AccountState) -> Self {
        Self::for_keys_with(keys, None, account)
    }

    fn for_keys_with(
        keys: &[&KeySummary],
        details: Option<(KeyDetail<'_, [Tag]>, KeyDetail<'_, str>)>,
        account: &AccountState,
    ) -> Self {
        let names: Vec<_> = keys.iter().map(|key| key_name(key, account)).collect();
        let all = |state: KeyState| keys.iter().all(|key| key.key_state == state);
        let is_pending = keys.iter().any(|key| key.key_state == KeyState::PendingDeletion);
        let is_aws = keys.iter().any(|key| key.key_manager == KeyManagerType::Aws);
        let is_nameless = keys.iter().any(|key| key.key_id() == UNREADABLE);
        let nameless = is_nameless.then_some("Unreadable key ID.");
        let aws_managed_reason = nameless.or(is_aws.then_some("AWS manages this key."));
        // If this version doesn't know the key state, AWS KMS decides what the key can do.
        let may_be_pending =
            |key: &&KeySummary| key.key_state == KeyState::PendingDeletion || !key.key_state.is_known();
        let pending = aws_managed_reason.or(is_pending.then_some("A key is pending deletion."));
        let mut entries = vec![
            form_entry(
                "Enable",
                FormKind::Enable(names.clone()),
                pending.or(all(KeyState::Enabled).then_some("Already enabled.")),
            ),
            form_entry(
                "Disable",
                FormKind::Disable(names.clone()),
                pending.or(all(KeyState::Disabled).then_some("Already disabled.")),
            ),
            form_entry("Schedule key deletion", FormKind::ScheduleDeletion(names.clone()), pending),
            form_entry(
                "Cancel key deletion",
                FormKind::CancelDeletion(names.clone()),
                nameless.or((!keys.iter().all(may_be_pending)).then_some("Not pending deletion.")),
            ),
        ];
        if let ([key], Some(details)) = (keys, details) {
            entries.extend(single_key_entries(key, details, account, aws_managed_reason, pending));
            entries.extend(template_entries(key, details, account, nameless));
        }
        Self::new("Key actions", entries)
    }

    /// Creates *Key store actions* for a key store that contains `keys` KMS keys.
    pub fn for_store(store: &CustomKeyStore, keys: usize) -> Self {
        let (id, name) = (&store.custom_key_store_id, &store.custom_key_store_name);
        let state = store.connection_state;
        // If this version doesn't know the connection state, AWS KMS decides what the key store can do.
        let may_be_disconnected = state == ConnectionState::Disconnected || !state.is_known();
        let nameless = (id == UNREADABLE).then_some("Unreadable key store ID.");
        let connect = match state {
            _ if nameless.is_some() => Err(nameless.unwrap_or_default()),
            ConnectionState::Connected => Err("Already connected."),
            ConnectionState::Disconnecting => Err("Disconnecting."),
            _ => Ok(MenuAction::Connect(id.clone())),
        };
        let disconnect = match state {
            _ if nameless.is_some() => Err(nameless.unwrap_or_default()),
            ConnectionState::Disconnected => Err("Already disconnected."),
            ConnectionState::Disconnecting => Err("Disconnecting."),
            _ => Ok(MenuAction::Disconnect(id.clone())),
        };
        let delete = FormKind::DeleteKeyStore { id: id.clone(), name: name.clone(), keys };
        let entries = vec![
            form_entry(
                "Edit",
                FormKind::EditKeyStore(Box::new(store.clone())),
                nameless.or(not_editable_reason(store)),
            ),
            MenuEntry { label: "Connect", action: connect },
            MenuEntry { label: "Disconnect", action: disconnect },
            form_entry(
                "Delete",
                delete,
                nameless.or((!may_be_disconnected).then_some("Disconnect the key store first.")),
            ),
        ];
        Self::new("Key store actions", entries)
    }

    /// Creates the menu of the external key manager. `here` is the selected external key, and `used_by` its KMS key.
    pub fn for_external_key(
        partitions: &[Partition],
        here: Option<(&Partition, &ExternalKey)>,
        used_by: Option<String>,
    ) -> Self {
        use external_keys::ExternalKeyForm as External;
        let names: Vec<String> = partitions.iter().map(|partition| partition.name.clone()).collect();
        let at = here.and_then(|(partition, _)| names.iter().position(|name| *name == partition.name)).unwrap_or(0);
        let no_partition = names.is_empty().then_some("Create a partition first.");
        let external = |label, action, why_not| form_entry(label, FormKind::ExternalKey(action), why_not);
        let mut entries = vec![external("Create external key", External::Create(names, at), no_partition)];
        if let Some((partition, key)) = here {
            let name = || ExternalKeyName { partition: partition.name.clone(), id: key.id.clone() };
            entries.extend([
                external("Enable", External::Enable(name()), key.enabled.then_some("Already enabled.")),
                external(
                    "Disable",
                    External::Disable(name(), used_by.clone()),
                    (!key.enabled).then_some("Already disabled."),
                ),
                external("Rotate", External::Rotate(name()), None),
                external("Delete", External::Delete(name(), used_by), None),
            ]);
        }
        entries.push(external("Create partition", External::CreatePartition, None));
        if let Some((partition, _)) = here {
            let (name, ids) = (partition.name.clone(), partition.access_key_ids.clone());
            let last = (ids.len() < 2).then_some("The only credential.");
            entries.extend([
                external("Rotate proxy credential", External::RotateCredential(name.clone()), None),
                external("Revoke proxy credential", External::RevokeCredential(name, ids), last),
            ]);
        }
        Self::new("External key manager", entries)
    }

    /// Creates the menu of the proxy faults. `here` is the selected fault.
    pub fn for_proxy_faults(places: Vec<FaultPlace>, faults: usize, here: Option<&ProxyFault>) -> Self {
        use proxy_faults::ProxyFaultForm as Form;
        let entry = |label, action, why_not| form_entry(label, FormKind::ProxyFault(action), why_not);
        let mut entries = vec![entry("Add fault", Form::Add(places), None)];
        if let Some(fault) = here {
            entries.push(entry("Remove", Form::Remove(fault.id, fault.fault.clone()), None));
        }
        entries.push(entry("Remove all", Form::RemoveAll(faults), (faults == 0).then_some("There are no faults.")));
        Self::new("Proxy faults", entries)
    }

    /// Creates the menu of a flow of X-ray, from its labels and its actions, or the reasons why they aren't available.
    pub fn for_flow(actions: Vec<(&'static str, Result<MenuAction, &'static str>)>) -> Self {
        Self::new("Request", actions.into_iter().map(|(label, action)| MenuEntry { label, action }).collect())
    }

    /// Creates the menu *Copy table*.
    pub fn for_table() -> Self {
        let formats = [
            ("Copy as CSV", TableFormat::Csv),
            ("Copy as JSON", TableFormat::Json),
            ("Copy as Markdown", TableFormat::Markdown),
        ];
        let entry = |(label, format)| MenuEntry { label, action: Ok(MenuAction::CopyTable(format)) };
        Self::new("Copy table", formats.map(entry).into())
    }

    fn new(title: &'static str, entries: Vec<MenuEntry>) -> Self {
        let cursor = entries.iter().position(|entry| entry.action.is_ok()).unwrap_or(0);
        Self { title, key_id: None, entries, cursor }
    }

    /// Returns the title.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Returns the labels and the actions of the entries that are available.
    pub fn available(&self) -> impl Iterator<Item = (&'static str, &MenuAction)> {
        self.entries.iter().filter_map(|entry| Some((entry.label, entry.action.as_ref().ok()?)))
    }

    /// Returns the ID of the key, if the menu has the actions of a single key.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Replaces the entries by those of `menu`, and keeps the cursor.
    pub fn update(&mut self, menu: Self) {
        let label = self.entries.get(self.cursor).map(|entry| entry.label);
        let cursor = menu.entries.iter().position(|entry| Some(entry.label) == label).unwrap_or(menu.cursor);
        *self = Self { cursor, ..menu };
    }

    /// Moves the cursor to the next entry that starts with a letter.
    fn move_cursor_to_letter(&mut self, letter: char) {
        let starts =
            |label: &str| label.chars().next().is_some_and(|first| first.to_lowercase().eq(letter.to_lowercase()));
        let order = (self.cursor + 1..self.entries.len()).chain(0..=self.cursor);
        let found = order.into_iter().find(|place| self.entries.get(*place).is_some_and(|entry| starts(entry.label)));
        self.cursor = found.unwrap_or(self.cursor);
    }

    /// Whether the entry at the cursor is available.
    pub fn can_activate(&self) -> bool {
        self.entries.get(self.cursor).is_some_and(|entry| entry.action.is_ok())
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> MenuEvent {
        let last = self.entries.len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::BackTab => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Tab => self.cursor = (self.cursor + 1).min(last),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = last,
            KeyCode::Esc | KeyCode::Char('q' | 'm') => return MenuEvent::Close,
            KeyCode::Enter | KeyCode::Char(' ') => {
                if let Some(MenuEntry { action: Ok(action), .. }) = self.entries.get(self.cursor) {
                    return MenuEvent::Activate(action.clone());
                }
            }
            KeyCode::Char(letter) if key.modifiers.is_empty() => self.move_cursor_to_letter(letter),
            _ => {}
        }
        MenuEvent::Handled
    }

    /// Moves the cursor to a clicked entry, and returns the key that activates it.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        let Click::Row(row) = *click else { return None };
        self.cursor = row.min(self.entries.len().saturating_sub(1));
        Some(KeyCode::Enter.into())
    }

    /// Moves the cursor by this number of entries.
    pub fn move_cursor_by(&mut self, entries: isize) {
        self.cursor = self.cursor.saturating_add_signed(entries).min(self.entries.len().saturating_sub(1));
    }

    /// Writes the entries. Returns the menu title.
    pub fn write(&self, view: &mut ScrollView) -> &'static str {
        for (place, entry) in self.entries.iter().enumerate() {
            let here = place == self.cursor;
            let style = match (here, &entry.action) {
                (true, _) => theme::SELECTED,
                (false, Err(_)) => theme::SECONDARY,
                (false, Ok(_)) => theme::TEXT,
            };
            let why = entry.action.as_ref().err().map_or(String::new(), |why| format!("   {why}"));
            let mark = Span::styled(if here { "▌ " } else { "  " }, theme::ACCENT);
            view.clickable(Click::Row(place), |view| {
                view.push_line(Line::from(vec![
                    mark,
                    Span::styled(entry.label, style),
                    Span::styled(why, theme::SECONDARY),
                ]));
            });
            if here {
                view.focus_last_line();
            }
        }
        self.title
    }
}
