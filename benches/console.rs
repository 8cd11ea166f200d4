//! Measures in-process frames and key presses, with a bare ratatui screen of the same size as the baseline, whole
//! tapes with a new account as the baseline, and Encrypt and Decrypt through one and both layers of encryption.
//!
//! Also measures CreateKey and the record of an event in accounts of several sizes on the disk, with a small durable write of SQLite as
//! the baseline.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::widgets::{Block, Paragraph};
use rusqlite::Connection;
use xks_console::aws::cloudtrail::LookupEvents;
use xks_console::aws::kms::{CreateKey, Decrypt, Encrypt};
use xks_console::aws::scalar::SecretBlob;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::Clock;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::in_process;
use xks_console::tui::effect::Msg;
use xks_console::tui::screen;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn wizard_session(size: (u16, u16)) -> Player {
    let text = "Wait+Screen /Frankfurt HSM/\nDown\nType \"n\"\nWait+Screen /Create key/\nType \"payments-2026\"";
    let tape = Tape::parse("bench", text).expect("the tape is valid");
    let mut player = Player::start(size).expect("an in-memory account");
    tape::play(&tape, &mut player, &mut |_, _| Ok(())).expect("the tape plays to its end");
    player
}

fn bench_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for size @ (width, height) in SIZES {
        let name = format!("{width}x{height}");
        let mut baseline = Terminal::new(TestBackend::new(width, height)).expect("an in-memory screen");
        group.bench_function(BenchmarkId::new("baseline", &name), |bencher| {
            bencher.iter(|| {
                let text = Paragraph::new("A line of text.\n".repeat(height.into())).block(Block::bordered());
                baseline.draw(|frame| frame.render_widget(text, frame.area())).expect("the frame is drawn");
            });
        });
        let player = wizard_session(size);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("an in-memory screen");
        group.bench_function(BenchmarkId::new("wizard", &name), |bencher| {
            bencher.iter(|| {
                terminal.draw(|frame| screen::draw(black_box(player.app()), frame)).expect("the frame is drawn");
            });
        });
    }
    group.finish();
}

fn bench_key_presses(criterion: &mut Criterion) {
    let player = wizard_session((80, 24));
    let mut app = player.app().clone();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("an in-memory screen");
    let keys = [KeyCode::Char('x'), KeyCode::Backspace].map(|code| KeyEvent::new(code, KeyModifiers::NONE));
    let mut next_key = keys.iter().cycle();
    criterion.bench_function("key to frame/80x24", |bencher| {
        bencher.iter(|| {
            if let Some(key) = next_key.next() {
                black_box(app.update(Msg::Key(*key)));
            }
            terminal.draw(|frame| screen::draw(&app, frame)).expect("the frame is drawn");
        });
    });
}

/// Measures a whole tape, with a new account as the baseline.
fn bench_tapes(criterion: &mut Criterion) {
    let text = include_str!("../assets/tapes/method-1.tape");
    let tape = Tape::parse("method-1.tape", text).expect("the tape is valid");
    let mut group = criterion.benchmark_group("tape");
    for size @ (width, height) in SIZES {
        let name = format!("{width}x{height}");
        group.bench_function(BenchmarkId::new("baseline", &name), |bencher| {
            bencher.iter(|| Player::start(size).expect("an in-memory account"));
        });
        group.bench_function(BenchmarkId::new("method-1", &name), |bencher| {
            bencher.iter(|| {
                let mut player = Player::start(size).expect("an in-memory account");
                tape::play(&tape, &mut player, &mut |_, _| Ok(())).expect("the tape plays to its end");
            });
        });
    }
    group.finish();
}

fn bench_cryptography(criterion: &mut Criterion) {
    let player = Player::start((80, 24)).expect("an in-memory account");
    let client = player.client().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (name, key_id) in [("one layer", "alias/app-logs"), ("both layers", "alias/customer-db")] {
        let request =
            Encrypt { key_id: key_id.to_owned(), plaintext: SecretBlob::new(vec![7; 32]), ..Default::default() };
        criterion.bench_function(&format!("encrypt/{name}"), |bencher| {
            bencher.iter(|| runtime.block_on(client.call(&request)).expect("Encrypt succeeds"));
        });
        let blob = runtime.block_on(client.call(&request)).expect("Encrypt succeeds").ciphertext_blob;
        let request = Decrypt { ciphertext_blob: blob, ..Default::default() };
        criterion.bench_function(&format!("decrypt/{name}"), |bencher| {
            bencher.iter(|| runtime.block_on(client.call(&request)).expect("Decrypt succeeds"));
        });
    }
}

/// Returns the sizes of the accounts. `cargo test` doesn't pass `--bench`, and only checks that the benchmark works.
fn account_sizes() -> &'static [u32] {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    if is_measured { &[1_000, 10_000, 100_000] } else { &[100] }
}

/// Adds copies of a KMS key and of an event to the account in `dir`, until there are `count` of each. Every second key is in
/// another Region, because there can't be more than 100,000 in one. Source: *KMS resource quotas*.
fn fill_account(dir: &Path, count: u32) -> rusqlite::Result<()> {
    let account = Connection::open(dir.join("account.sqlite"))?;
    account.execute(
        "WITH RECURSIVE numbers (number) AS (
             SELECT count(*) + 1 FROM keys UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO keys SELECT iif(number % 2, world, world || '-2'),
             lower(hex(randomblob(4))) || format('-0000-4000-8000-%012x', number), document, policy, material_id, material,
             NULL, NULL, NULL
         FROM numbers, (SELECT * FROM keys WHERE key_store IS NULL LIMIT 1)",
        [count],
    )?;
    account.execute(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO events SELECT id + number * count, world, first, last, count, lines
         FROM numbers, (SELECT * FROM events ORDER BY id DESC LIMIT 1)",
        [count],
    )?;
    Ok(())
}

/// Creates an account of this size in `dir`, and returns its client.
fn create_account(dir: &Path, size: u32) -> Client {
    let open = || {
        let bundled = BundledAws::open(dir, None).expect("an account");
        in_process::client(&bundled, Clock::System)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(open().call(&CreateKey::default())).expect("a key and its event");
    fill_account(dir, size).expect("many keys and events");
    open()
}

/// Creates a database that writes to the disk before it returns, as the store does, with this number of rows.
fn create_baseline(path: &Path, rows: u32) -> rusqlite::Result<Connection> {
    let database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")?;
    database.execute(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO rows SELECT number, 'a small row' FROM numbers",
        [rows],
    )?;
    Ok(database)
}

fn bench_growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let data = tempfile::tempdir().expect("a directory for the accounts");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for &size in account_sizes() {
        let baseline = create_baseline(&data.path().join(format!("{size}.sqlite")), size).expect("a database");
        group.bench_function(BenchmarkId::new("baseline", size), |bencher| {
            bencher.iter(|| baseline.execute("INSERT INTO rows (text) VALUES ('a small row')", []).expect("a row"));
        });
        let client = create_account(&data.path().join(size.to_string()), size);
        group.bench_function(BenchmarkId::new("create key", size), |bencher| {
            bencher.iter(|| runtime.block_on(client.call(&CreateKey::default())).expect("a key"));
        });
        // The event is written first, and the events that are too old are deleted.
        let newest = LookupEvents { max_results: Some(1), ..LookupEvents::default() };
        group.bench_function(BenchmarkId::new("record and find an event", size), |bencher| {
            bencher.iter(|| runtime.block_on(client.call(&newest)).expect("an event"));
        });
    }
    group.finish();
}

criterion_group!(benches, bench_frames, bench_key_presses, bench_tapes, bench_cryptography, bench_growth);
criterion_main!(benches);
