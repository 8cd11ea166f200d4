//! The dialogs that change KMS keys and key stores: their forms, requests, and results.

pub mod cli_commands;
mod clock;
pub mod connect;
mod cryptography;
mod events;
pub mod external_keys;
mod form_dialog;
mod form_kind;
mod keys;
pub mod login;
pub mod menu;
pub mod palette;
mod permissions;
mod policy_changes;
mod preferences;
pub mod proxy_faults;
pub mod stores;
pub mod switcher;
mod tasks;
mod try_key;

pub use self::events::{DialogEvent, InputError};
pub use self::form_dialog::FormDialog;
pub use self::form_kind::{FormKind, KeyName, key_name};
pub use self::menu::Menu;
pub use self::try_key::TryKeyDialog;
