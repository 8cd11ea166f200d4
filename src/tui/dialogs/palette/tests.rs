use super::*;

fn entry(title: &str, key: char) -> PaletteEntry {
    PaletteEntry {
        group: "Action",
        title: title.to_owned(),
        detail: String::new(),
        key: key.to_string(),
        command: PaletteCommand::Press(KeyCode::Char(key).into()),
    }
}

fn palette() -> Palette {
    let entries = vec![entry("Create key", 'n'), entry("Refresh", 'r'), entry("Quit", 'q')];
    Palette::new(PaletteKind::Commands, entries).with_lookup()
}

#[test]
fn typing_filters_and_enter_runs_the_best_match() {
    let mut palette = palette();
    for letter in "ref".chars() {
        assert_eq!(palette.handle_key(KeyCode::Char(letter).into()), PaletteEvent::Handled);
    }
    let run = palette.handle_key(KeyCode::Enter.into());
    assert_eq!(run, PaletteEvent::Run(PaletteCommand::Press(KeyCode::Char('r').into())));
}

#[test]
fn enter_without_a_match_finds_the_text_in_aws_and_escape_closes() {
    let mut palette = palette();
    palette.handle_paste("nothing like this");
    let find = PaletteCommand::Find("nothing like this".to_owned());
    assert_eq!(palette.handle_key(KeyCode::Enter.into()), PaletteEvent::Run(find));
    assert_eq!(palette.handle_key(KeyCode::Esc.into()), PaletteEvent::Close);
    let mut shortcuts = Palette::new(PaletteKind::Shortcuts, vec![entry("Refresh", 'r')]);
    shortcuts.handle_paste("nothing like this");
    assert_eq!(shortcuts.handle_key(KeyCode::Enter.into()), PaletteEvent::Handled);
}

#[test]
fn name_that_is_not_in_the_list_can_be_found_in_aws() {
    let run = |typed: &str, keys: &[KeyCode]| {
        let mut palette = palette();
        palette.handle_paste(typed);
        for key in keys {
            palette.handle_key((*key).into());
        }
        palette.handle_key(KeyCode::Enter.into())
    };
    let find = |name: &str| PaletteEvent::Run(PaletteCommand::Find(name.to_owned()));
    let arn = "arn:aws:kms:us-west-2:111122223333:alias/quit";
    assert_eq!(run(arn, &[]), find(arn));
    assert_eq!(run("open alias/payments ", &[]), find("alias/payments"));
    // What the list has comes first.
    let refresh = PaletteEvent::Run(PaletteCommand::Press(KeyCode::Char('r').into()));
    assert_eq!(run("open refresh", &[]), refresh);
    assert_eq!(run("open refresh", &[KeyCode::Down]), find("refresh"));
    assert_eq!(run("refresh", &[KeyCode::Down]), refresh);
}

#[test]
fn row_at_the_cursor_is_visible_however_many_groups_are_above() {
    let groups = ["Actions", "Pages", "KMS keys"];
    let entries =
        (0..30).map(|index| PaletteEntry { group: groups[index / 10], ..entry(&format!("entry {index}."), 'x') });
    let mut palette = Palette::new(PaletteKind::Commands, entries.collect());
    for index in 0..30 {
        for height in [8, 12, 20] {
            let mut view = ScrollView::new(60);
            palette.write(&mut view, height);
            let lines: Vec<String> = view.lines().iter().map(ToString::to_string).collect();
            let row = format!("▌ entry {index}.");
            assert!(lines.iter().any(|line| line.starts_with(&row)), "{row} in {height} lines: {lines:#?}");
            assert_eq!(lines.len(), height);
        }
        palette.handle_key(KeyCode::Down.into());
    }
}

#[test]
fn palette_keeps_its_height_while_the_user_types() {
    let mut palette = palette();
    let lines = |palette: &Palette| {
        let mut view = ScrollView::new(60);
        palette.write(&mut view, 12);
        view.len()
    };
    assert_eq!(lines(&palette), 12);
    palette.handle_paste("zzz");
    assert_eq!(lines(&palette), 12);
}
