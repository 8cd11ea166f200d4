//! Tests of the list of external keys.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

use super::*;
use crate::aws::kms::{XksProxyConfiguration, XksProxyConnectivity};
use crate::aws::xks_console::ExternalKey;
use crate::create_key::method::{Method, Step};
use crate::create_key::testing;
use crate::tui::widgets::canvas::Canvas;

const URI_PATH: &str = "/frankfurt/kms/xks/v1";

fn account_state() -> AccountState {
    let mut account = testing::account_state();
    account.index_aliases();
    if let Loadable::Ready(stores) = &mut account.key_stores {
        stores[0].xks_proxy_configuration = Some(XksProxyConfiguration {
            connectivity: XksProxyConnectivity::PublicEndpoint,
            access_key_id: None,
            uri_endpoint: "https://xks-proxy.bundled.internal".to_owned(),
            uri_path: URI_PATH.to_owned(),
            vpc_endpoint_service_name: None,
            vpc_endpoint_service_owner: None,
        });
    }
    account
}

fn partitions() -> Vec<Partition> {
    let key = |id: &str, enabled: bool| ExternalKey {
        id: id.to_owned(),
        spec: "AES_256".to_owned(),
        usage: vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()],
        enabled,
        ..ExternalKey::default()
    };
    let keys =
        vec![key("customer-db", true), key("disabled-2019", false), key("ledger", true), key("payments-2026", true)];
    vec![Partition { uri_path: URI_PATH.to_owned(), keys, ..Partition::default() }]
}

/// Returns a wizard in its field *External key ID*, with the external keys of `partitions`.
fn wizard(account: &AccountState, partitions: Result<Vec<Partition>, String>) -> Wizard {
    let mut wizard = Wizard::new(Method::FromKeyStore { custom_key_store_id: "cks-1".to_owned() }, account);
    assert_eq!(wizard.external_key_request(), Some(Call::ExternalKeys));
    wizard.on_external_keys_loaded(partitions);
    wizard
}

fn press(wizard: &mut Wizard, account: &AccountState, codes: &[KeyCode]) -> Vec<WizardEvent> {
    codes.iter().flat_map(|code| wizard.handle_key((*code).into(), account)).collect()
}

fn enter(wizard: &mut Wizard, account: &AccountState, typed: &str) {
    let codes: Vec<KeyCode> = typed.chars().map(KeyCode::Char).collect();
    press(wizard, account, &codes);
}

fn error(wizard: &Wizard, account: &AccountState) -> Option<String> {
    wizard.visible_error(Field::ExternalKeyId, &wizard.step_errors(Step::ConfigureKey, account))
}

/// Draws the field, and returns its lines and the parts that react to clicks.
fn draw(wizard: &Wizard, account: &AccountState) -> (Vec<String>, Vec<(Rect, Click)>) {
    let mut view = ScrollView::new(80);
    wizard.write_external_key_field(&mut view, 24, account, &[]);
    let lines = view.lines().iter().map(ToString::to_string).collect();
    let mut clicks = Vec::new();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal
        .draw(|frame| {
            let mut canvas = Canvas::new(frame);
            view.draw(&mut canvas, Rect::new(0, 0, 80, 24));
            clicks = canvas.into_clicks().iter().cloned().collect();
        })
        .unwrap();
    (lines, clicks)
}

fn has(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

#[test]
fn down_opens_the_list_and_enter_chooses_what_is_at_the_cursor() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    assert!(has(&draw(&wizard, &account).0, "▾ 2 available"));
    press(&mut wizard, &account, &[KeyCode::Down, KeyCode::Down]);
    let lines = draw(&wizard, &account).0;
    assert!(has(&lines, "  ▌ payments-2026    ✓ Enabled    ENCRYPT, DECRYPT  AES_256   -"), "{lines:#?}");
    assert!(has(&lines, "    customer-db      ✓ Enabled    In use by the KMS key customer-db"), "{lines:#?}");
    assert!(has(&lines, "    disabled-2019    ⊘ Disabled   Enable it in the external key manager first"), "{lines:#?}");
    press(&mut wizard, &account, &[KeyCode::Enter]);
    assert_eq!(wizard.draft.xks_key_id, "payments-2026");
    assert_eq!(wizard.focused_field(), Some(Field::ExternalKeyId));
    press(&mut wizard, &account, &[KeyCode::Down]);
    assert_eq!(wizard.focused_field(), Some(Field::Acknowledgement));
}

#[test]
fn list_of_a_chosen_id_shows_all_until_the_text_changes() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    wizard.draft.xks_key_id = "ledger".to_owned();
    press(&mut wizard, &account, &[KeyCode::Down, KeyCode::Down, KeyCode::Enter]);
    assert_eq!(wizard.draft.xks_key_id, "payments-2026");
    press(&mut wizard, &account, &[KeyCode::Backspace, KeyCode::Down]);
    assert_eq!(wizard.listed_external_keys(&account).len(), 1);
}

#[test]
fn typing_filters_the_list_and_escape_closes_it_first() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    press(&mut wizard, &account, &[KeyCode::Down]);
    enter(&mut wizard, &account, "d2");
    let listed: Vec<String> = wizard.listed_external_keys(&account).into_iter().map(|key| key.option.id).collect();
    assert_eq!(listed, ["disabled-2019"]);
    press(&mut wizard, &account, &[KeyCode::Enter]);
    assert_eq!(wizard.draft.xks_key_id, "d2", "a disabled external key must not be chosen");
    assert!(has(&draw(&wizard, &account).0, "You can't use this external key."));
    assert_eq!(press(&mut wizard, &account, &[KeyCode::Esc]), []);
    assert!(!wizard.is_external_key_list_open());
    let left = press(&mut wizard, &account, &[KeyCode::Esc]);
    assert_eq!(left, [WizardEvent::Leave { has_unsaved_changes: true }]);
    press(&mut wizard, &account, &[KeyCode::Down]);
    assert_eq!(wizard.focused_field(), Some(Field::Acknowledgement), "Esc closed the list, so Down moves on");
}

#[test]
fn up_from_the_first_row_closes_the_list_and_tab_moves_on() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    press(&mut wizard, &account, &[KeyCode::Down, KeyCode::Up]);
    assert!(!wizard.is_external_key_list_open());
    press(&mut wizard, &account, &[KeyCode::Down, KeyCode::Tab]);
    assert_eq!(wizard.focused_field(), Some(Field::Acknowledgement));
    press(&mut wizard, &account, &[KeyCode::BackTab]);
    assert!(!wizard.is_external_key_list_open());
}

#[test]
fn without_external_keys_the_field_is_a_text_field() {
    let account = account_state();
    let mut wizard = wizard(&account, Err("NotAvailable".to_owned()));
    assert_eq!(wizard.external_key_request(), None, "the request must not be repeated");
    let lines = draw(&wizard, &account).0;
    assert!(!has(&lines, "▾") && !has(&lines, "NotAvailable") && !has(&lines, "Press Down"), "{lines:#?}");
    enter(&mut wizard, &account, "ledger");
    press(&mut wizard, &account, &[KeyCode::Down]);
    assert_eq!(wizard.focused_field(), Some(Field::Acknowledgement));
}

#[test]
fn ids_used_before_are_offered_where_external_keys_cannot_be_listed() {
    let account = account_state();
    let mut wizard = wizard(&account, Err("NotAvailable".to_owned()));
    let mut used = RememberedIds::default();
    used.add("cks-1", "old-key");
    used.add("cks-1", "customer-db");
    used.add("cks-2", "elsewhere");
    wizard.set_used_external_key_ids(used);
    assert!(has(&draw(&wizard, &account).0, "▾ 1 used before"));
    press(&mut wizard, &account, &[KeyCode::Down]);
    let lines = draw(&wizard, &account).0;
    assert!(has(&lines, "  ▌ old-key          Used before") && !has(&lines, "Key spec"), "{lines:#?}");
    press(&mut wizard, &account, &[KeyCode::Enter]);
    assert_eq!(wizard.draft.xks_key_id, "old-key");
}

#[test]
fn rows_can_be_clicked() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    press(&mut wizard, &account, &[KeyCode::Down]);
    let field = wizard.focus_index;
    let clicks = draw(&wizard, &account).1;
    let row = |option| clicks.iter().find(|(_, click)| *click == Click::Choose(field, option)).map(|(area, _)| area.y);
    assert_eq!((row(0), row(1), row(3)), (Some(3), Some(4), Some(6)));
    assert!(clicks.iter().any(|(_, click)| *click == Click::Key(KeyCode::Esc.into())));
    // A click on an option moves the cursor there and presses Space.
    wizard.option_index = 1;
    press(&mut wizard, &account, &[KeyCode::Char(' ')]);
    assert_eq!(wizard.draft.xks_key_id, "payments-2026");
}

#[test]
fn external_key_in_use_is_reported_while_typing() {
    let account = account_state();
    let mut wizard = wizard(&account, Ok(partitions()));
    enter(&mut wizard, &account, "customer-d");
    assert_eq!(error(&wizard, &account), None);
    enter(&mut wizard, &account, "b");
    let message = error(&wizard, &account).unwrap();
    assert!(message.contains("with the KMS key customer-db (1111aaaa) in this key store"), "{message}");
}
