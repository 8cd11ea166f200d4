//! The console: state, messages, effects, and drawing.
//!
//! [`app::App::update`] is the only function that changes the state, and it does no I/O. [`screen::draw`] only reads
//! the state. The [`event_loop`] performs effects and sends messages back, and the [`runtime`] performs the calls to
//! AWS.

pub mod app;
pub mod dialogs;
pub mod drafts;
pub mod effect;
pub mod error_report;
pub mod event_loop;
pub mod flash;
pub mod header;
pub mod key_press;
pub mod keymap;
pub mod lesson;
pub mod monitoring;
pub mod pages;
pub mod path_input;
pub mod preferences;
pub mod runtime;
pub mod screen;
pub mod target;
pub mod terminal;
pub mod text_view;
pub mod theme;
pub mod theme_name;
pub mod web_address;
pub mod widgets;
pub mod wizard;
