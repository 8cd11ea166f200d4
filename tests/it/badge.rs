//! The top row: the target AWS, the caller, and whether the console is read-only.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::snapshots::{SIZES, assert_screen_matches, draw, play_tape, snapshot};
use xks_console::client::ReadOnly;
use xks_console::flow::player::Player;
use xks_console::tui::app::App;
use xks_console::tui::target::Target;

const PRINCIPALS: [&str; 3] = [
    "arn:aws:iam::111122223333:user/Admin",
    "arn:aws:sts::111122223333:assumed-role/KeyAdministrator/session",
    "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/alice@example.com",
];

fn targets() -> [Target; 4] {
    let vpc = "vpce-0a1b2c3d4e5f60718-abcdefgh.kms.us-west-2.vpce.amazonaws.com";
    [Target::Bundled, Target::Aws, Target::Endpoint("127.0.0.1:4599".into()), Target::Endpoint(vpc.into())]
}

fn app(target: Target, principal: &str, is_read_only: bool) -> App {
    let (mut app, _) = App::new(target, "us-west-2");
    app.account.account_id = "111122223333".to_owned();
    app.account.caller_arn = principal.to_owned();
    app.account.is_read_only = is_read_only;
    app
}

/// Returns the text and the styles of the top row.
fn top_row(app: &App, width: u16) -> String {
    let page = draw(app, (width, 24));
    let mut row = Buffer::empty(Rect { width, height: 1, ..Rect::default() });
    row.content.clone_from_slice(&page.content[..width.into()]);
    snapshot(&row).replace("\n---\n", "\n")
}

#[test]
fn top_row_shows_target_principal_and_read_only_at_every_size() {
    for (width, height) in SIZES {
        let mut rows = String::new();
        for principal in PRINCIPALS {
            for target in targets() {
                for is_read_only in [false, true] {
                    rows += &top_row(&app(target.clone(), principal, is_read_only), width);
                }
            }
        }
        let mut with_alias = app(Target::Aws, PRINCIPALS[0], true);
        with_alias.account_alias = Some("example-corporation".to_owned());
        rows += &top_row(&with_alias, width);
        rows += &top_row(&App::new(Target::Aws, "ap-southeast-2").0, width);
        insta::assert_snapshot!(format!("badges-{width}x{height}"), rows);
    }
}

#[test]
fn aws_is_distinguishable_without_colors() {
    let plain = |target| {
        let row = top_row(&app(target, PRINCIPALS[0], false), 60);
        row.lines().next().unwrap().to_owned()
    };
    let (bundled, aws) = (plain(Target::Bundled), plain(Target::Aws));
    assert!(aws.contains("▲ AWS ╱╱╱") && !bundled.contains(['▲', '╱']), "{bundled}\n{aws}");
    assert!(bundled.contains("bundled AWS"), "{bundled}");
}

#[test]
fn read_only_console_on_aws_says_so() {
    let mut player = Player::start((80, 24)).unwrap();
    player.use_client(&player.client().clone().with_read_only(ReadOnly::ALL));
    play_tape(&mut player, "read-only", "Wait+Screen /External key stores \\(4\\)/\n");
    let mut app = player.app().clone();
    app.target = Target::Aws;
    assert_screen_matches("read-only-on-aws", &app);
}
