//! Flows as tapes, on the console with an account in memory.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use xks_console::journey::Journey;
use xks_console::tape::{self, Stage as _, Tape};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// The screen as text, then every run of cells that is not plain: meaning must not get lost in either.
fn snapshot(buffer: &Buffer) -> String {
    let mut out = tape::screen_text(buffer);
    out.push_str("\n---\n");
    for y in 0..buffer.area.height {
        let (mut x, mut line) = (0, String::new());
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let start = x;
            while x < buffer.area.width && buffer[(x, y)].style() == style {
                x += 1;
            }
            if style != ratatui::style::Style::reset() {
                let _ = write!(
                    line,
                    " {start}-{}:{}{:?}",
                    x - 1,
                    style.fg.map_or(String::new(), |c| c.to_string()),
                    style.add_modifier
                );
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "{y:>2}{line}");
        }
    }
    out
}

fn play(name: &str, text: &str, size: (u16, u16), mut on_screenshot: impl FnMut(&str, &Buffer)) -> Journey {
    let tape = Tape::parse(name, text).unwrap();
    let mut journey = Journey::start(size).unwrap();
    tape::play(&tape, &mut journey, &mut |name, buffer| {
        on_screenshot(name, buffer);
        Ok(())
    })
    .unwrap_or_else(|error| panic!("{size:?}: {error}"));
    journey
}

#[test]
fn method_1_from_start_to_success() {
    let text = include_str!("../../assets/tapes/method-1.tape");
    for (width, height) in SIZES {
        play("method-1.tape", text, (width, height), |name, buffer| {
            let stem = name.trim_end_matches(".png");
            insta::assert_snapshot!(format!("method-1-{stem}-{width}x{height}"), snapshot(buffer));
        });
    }
}

/// To the last step of the wizard with this external key, then Finish.
fn finish_with(external_key: &str, alias: &str) -> String {
    format!(
        "Wait+Screen /External key stores \\(4\\)/\nDown\nEnter\nWait+Screen /General configuration/\nEnter\n\
         Wait+Screen /Create key/\nType \"{external_key}\"\nTab\nSpace\nCtrl+N\nType \"{alias}\"\nCtrl+N\nCtrl+N\nCtrl+N\n\
         Ctrl+N\nCtrl+N\nWait+Screen /7 Review/\nCtrl+N\n"
    )
}

#[test]
fn each_refusal_shows_code_meaning_and_remedy_and_leads_back_with_the_draft() {
    for (external_key, code, meaning) in [
        ("no-such-key", "XksKeyNotFoundException", "knows no external key"),
        ("kid-7f3a91c2", "XksKeyNotFoundException", "knows no external key"),
        ("branch-aes128", "XksKeyInvalidConfigurationException", "not a 256-bit AES key"),
        ("disabled-2019", "XksKeyInvalidConfigurationException", "is not enabled"),
        ("backup-encrypt-only", "XksKeyInvalidConfigurationException", "may not both encrypt and decrypt"),
    ] {
        let tape = finish_with(external_key, "payments")
            + &format!(
                "Wait+Screen /{code}/\nWait+Screen /{meaning}/\nWait+Screen /What to do/\nScreenshot refused.png\nEnter\n\
                 Wait+Screen /External key ID/\nCtrl+U\nType \"payments-2026\"\nCtrl+N\nWait+Screen /payments/\nCtrl+N\n\
                 Ctrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Success/\n"
            );
        play(external_key, &tape, (80, 24), |_, buffer| {
            insta::assert_snapshot!(format!("refused-{external_key}"), snapshot(buffer));
        });
    }
}

#[test]
fn an_external_key_in_use_is_found_out_while_typing() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nDown\nEnter\nWait+Screen /General configuration/\nEnter\n\
                Wait+Screen /Create key/\nType \"customer-db\"\nTab\nWait+Screen /already in use/\n";
    play("in-use", tape, (80, 24), |_, _| {});
}

#[test]
fn a_disconnected_store_is_connected_and_the_wizard_opens_by_itself() {
    let tape = "Wait+Screen /Zurich DR/\nEnd\nType \"n\"\nWait+Screen /not connected/\nScreenshot offer.png\nEnter\n\
                Wait+Screen /Connecting/\nScreenshot connecting.png\nWait+Screen@30s /Configure key/\n";
    play("connect", tape, (80, 24), |name, buffer| {
        insta::assert_snapshot!(format!("connect-{}", name.trim_end_matches(".png")), snapshot(buffer));
    });
}

#[test]
fn a_failed_store_is_disconnected_first_and_its_failure_is_explained() {
    let tape = "Wait+Screen /Paris legacy/\nDown 2\nType \"n\"\nWait+Screen /INVALID_CREDENTIALS/\nEnter\n\
                Wait+Screen /Disconnecting/\nWait+Screen@30s /Connecting/\nWait+Screen@30s /INVALID_CREDENTIALS/\n\
                Wait+Screen /What to do/\nScreenshot failed.png\nEscape\nWait+Screen /External key stores/\n";
    play("failed", tape, (80, 24), |name, buffer| {
        insta::assert_snapshot!(format!("connect-{}", name.trim_end_matches(".png")), snapshot(buffer));
    });
}

#[test]
fn a_key_whose_alias_is_refused_gets_another_alias_and_no_second_key() {
    // Somebody else takes the alias between the check and Finish.
    let text = finish_with("payments-2026", "payments").replace("Wait+Screen /7 Review/\nCtrl+N\n", "");
    let mut journey = play("before-finish", &text, (80, 24), |_, _| {});
    let client = journey.client().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let alias = xks_console::aws::kms::CreateAlias {
        alias_name: "alias/payments".to_owned(),
        target_key_id: runtime.block_on(client.collect_keys()).unwrap()[0].key_id.clone(),
    };
    runtime.block_on(client.call(&alias)).unwrap();
    let keys = runtime.block_on(client.collect_keys()).unwrap().len();
    let rest = Tape::parse(
        "finish",
        "Ctrl+N\nWait+Screen /AlreadyExistsException/\nWait+Screen /The KMS key was created/\nScreenshot half.png\n\
         Enter\nWait+Screen /Add alias/\nCtrl+U\nType \"payments-2\"\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\n\
         Wait+Screen /Success/\nWait+Screen /payments-2/\n",
    )
    .unwrap();
    tape::play(&rest, &mut journey, &mut |_, buffer| {
        insta::assert_snapshot!("half-way", snapshot(buffer));
        Ok(())
    })
    .unwrap();
    assert_eq!(runtime.block_on(client.collect_keys()).unwrap().len(), keys + 1);
}

#[test]
fn leaving_asks_only_if_something_would_be_lost() {
    let start = "Wait+Screen /Frankfurt HSM/\nDown\nType \"n\"\nWait+Screen /Create key/\n";
    play("untouched", &format!("{start}Escape\nWait+Screen /General configuration/\n"), (80, 24), |_, _| {});
    let typed = format!(
        "{start}Type \"x\"\nEscape\nWait+Screen /would be lost/\nEnter\nWait+Screen /External key ID/\nEscape\nTab\n\
         Enter\nWait+Screen /General configuration/\n"
    );
    play("typed", &typed, (80, 24), |_, _| {});
    let mut journey =
        play("quit", &format!("{start}Type \"x\"\nCtrl+C\nWait+Screen /Ctrl-C once more/\n"), (80, 24), |_, _| {});
    assert!(!journey.has_quit());
    tape::play(&Tape::parse("again", "Ctrl+C").unwrap(), &mut journey, &mut |_, _| Ok(())).unwrap();
    assert!(journey.has_quit());
}

#[test]
fn help_explains_the_field_and_the_keys() {
    let tape = "Wait+Screen /Frankfurt HSM/\nType \"?\"\nWait+Screen /Keys/\nScreenshot keys.png\nEscape\nDown\nType \"n\"\n\
                Wait+Screen /Create key/\nF1\nWait+Screen /AES_256/\nScreenshot field.png\nEscape\n";
    play("help", tape, (80, 24), |name, buffer| {
        insta::assert_snapshot!(format!("help-{}", name.trim_end_matches(".png")), snapshot(buffer));
    });
}

#[test]
fn the_whole_policy_can_be_read_where_it_is_generated() {
    let before = finish_with("payments-2026", "payments").replace("Ctrl+N\nWait+Screen /7 Review/\nCtrl+N\n", "");
    let tape = before
        + "Wait+Screen /Generated from your choices/\nPageDown 9\nWait+Screen /\\[ Next \\]/\nPageUp 9\nWait+Screen /Generated/\n";
    play("policy", &tape, (80, 24), |_, _| {});
}

#[test]
fn a_tape_whose_wait_never_comes_true_is_refused() {
    let tape = Tape::parse("hopeless.tape", "Wait+Screen /no such words/").unwrap();
    let mut journey = Journey::start((80, 24)).unwrap();
    let error = tape::play(&tape, &mut journey, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("hopeless.tape, line 1") && error.contains("never came true"), "{error}");
}

#[test]
fn no_size_makes_it_panic() {
    let text = include_str!("../../assets/tapes/method-1.tape");
    let tape = Tape::parse("method-1.tape", text).unwrap();
    let mut journey = Journey::start((120, 40)).unwrap();
    let mut screens = 0;
    // Each screen of the flow is drawn at sizes from one cell up, as a terminal being resized would.
    let mut sizes = (1..=12).chain([19, 20, 39, 40, 41, 59, 60, 75, 76, 99, 100, 200]).cycle();
    tape::play(&tape, &mut journey, &mut |_, _| {
        screens += 1;
        Ok(())
    })
    .unwrap();
    for height in 1..30 {
        journey.resize((sizes.next().unwrap(), height));
        let _ = journey.frame();
    }
    assert_eq!(screens, 12);
}
