use super::*;
use crate::tui::widgets::scroll_view::ScrollView;

fn form() -> Form {
    let row = |name, input| FormField { name, label: name, hint: String::new(), input };
    Form::new(
        vec![row("a", FormInput::line("")), row("b", FormInput::secret()), row("c", FormInput::Checkbox(false))],
        "Go",
        false,
    )
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn edited(form: &Form, key: KeyEvent) -> Option<SecretInput> {
    form.secret_input().filter(|input| input.is_edited_by(key))
}

#[test]
fn focus_wraps_around_and_skips_hidden_fields() {
    let mut form = form();
    form.hidden = vec!["b"];
    form.handle_key(key(KeyCode::Tab));
    form.handle_key(key(KeyCode::Char(' ')));
    assert!(form.is_checked("c"));
    form.handle_key(key(KeyCode::Tab));
    assert_eq!(form.handle_key(key(KeyCode::Enter)), FormEvent::Cancel);
    form.handle_key(key(KeyCode::Tab));
    assert_eq!(form.handle_key(key(KeyCode::Enter)), FormEvent::Submit);
    form.handle_key(key(KeyCode::Tab));
    form.handle_key(key(KeyCode::Char('x')));
    assert_eq!(form.text("a"), "x");
}

#[test]
fn keys_that_edit_a_secret_are_distinguished_from_keys_that_leave_it() {
    let mut form = form();
    assert_eq!(edited(&form, key(KeyCode::Char('x'))), None);
    form.handle_key(key(KeyCode::Tab));
    let empty = SecretInput { kind: SecretKind::Line, has_text: false };
    assert_eq!(form.secret_input(), Some(empty));
    for code in [KeyCode::Char(' '), KeyCode::Backspace, KeyCode::Delete, KeyCode::Left, KeyCode::Home, KeyCode::End] {
        assert_eq!(edited(&form, key(code)), Some(empty), "{code:?}");
    }
    for code in [KeyCode::Tab, KeyCode::BackTab, KeyCode::Enter, KeyCode::Esc, KeyCode::Up, KeyCode::PageDown] {
        assert_eq!(edited(&form, key(code)), None, "{code:?}");
    }
    let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    assert_eq!(edited(&form, control('u')), Some(empty));
    assert_eq!(edited(&form, control('n')), None);
}

#[test]
fn multiline_text_without_history_is_a_secret() {
    let row = |name, input| FormField { name, label: name, hint: String::new(), input };
    let mut form =
        Form::new(vec![row("a", FormInput::text_without_history(3)), row("b", FormInput::text("", 3))], "Go", false);
    form.handle_key(key(KeyCode::Enter));
    let input = SecretInput { kind: SecretKind::Text, has_text: true };
    assert_eq!(edited(&form, key(KeyCode::Enter)), Some(input));
    assert_eq!(edited(&form, key(KeyCode::Tab)), None);
    form.handle_key(key(KeyCode::Tab));
    assert_eq!(form.secret_input(), None);
}

#[test]
fn secrets_are_masked_and_absent_from_debug_output() {
    let mut form = form();
    form.handle_key(key(KeyCode::Tab));
    form.paste(" hunter2hunter2\n");
    assert_eq!(form.secret("b"), "hunter2hunter2");
    let mut view = ScrollView::new(60);
    form.write(&mut view, &[], |_| {});
    assert!(!format!("{form:?} {view:?}").contains("hunter2"));
    form.shows_secrets = true;
    let mut view = ScrollView::new(60);
    form.write(&mut view, &[], |_| {});
    assert!(format!("{view:?}").contains("hunter2"));
}
