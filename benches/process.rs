//! The whole program in a pseudo-terminal, beside the floor: this program itself as a bare ratatui screen.
//!
//! Prints cold start to the first useful screen, key to frame, idle wake-ups and bytes, resident memory, and the size
//! of the binary; then key to frame while all calls to AWS hang. The other end of the terminal only reads. Linux only, for
//! it reads `/proc`.
//!
//! `cargo bench --bench process -- hang` measures the last alone. `cargo test --bench process` runs a short form, which
//! measures nothing worth knowing and shows that all of it still works.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use xks_console::aws::kms::{CreateKey, ListAliases, ListKeys};
use xks_console::aws::sigv4::Credentials;
use xks_console::bundled::BundledAws;
use xks_console::environment::Environment;
use xks_console::server::Server;

/// Tells the program that is started to be the floor.
const BASELINE_ENV: &str = "XKS_CONSOLE_BENCH_FLOOR";
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

/// How much is measured.
struct BenchConfig {
    start_runs: usize,
    key_runs: usize,
    idle_time: Duration,
    /// Keys that are timed while calls hang. They take less than the 30 seconds after which an attempt is given up.
    key_runs_while_hanging: usize,
    /// KMS keys that are created, beside those of the scenario: fewer than the quota of 100,000 (KMS resource quotas).
    extra_key_count: usize,
}

const FULL: BenchConfig = BenchConfig {
    start_runs: 30,
    key_runs: 200,
    idle_time: Duration::from_secs(5),
    key_runs_while_hanging: 400,
    extra_key_count: 99_900,
};
const QUICK: BenchConfig = BenchConfig {
    start_runs: 2,
    key_runs: 4,
    idle_time: Duration::from_millis(100),
    key_runs_while_hanging: 4,
    extra_key_count: 1_200,
};

/// The extent that was asked for: `cargo bench` says so, `cargo test` doesn't.
fn config() -> &'static BenchConfig {
    if std::env::args().any(|argument| argument == "--bench") { &FULL } else { &QUICK }
}

fn main() {
    if std::env::var_os(BASELINE_ENV).is_some() {
        run_baseline().expect("the floor runs in a terminal");
        return;
    }
    if !std::env::args().any(|argument| argument == "hang") {
        bench_bundled();
        bench_many_keys();
    }
    bench_hanging_calls();
}

/// The program on the bundled AWS, beside the floor.
fn bench_bundled() {
    let data = tempfile::tempdir().expect("a directory for the account");
    let console = Program::new("xks-console", Backend::Bundled(data.path()));
    let floor = Program::new("floor", Backend::Baseline);
    let first = Instant::now();
    PtySession::start(&console, (80, 24)).wait_for_output(console.ready_text());
    println!("first start ever, 80x24: {:.1} ms (makes the account)", millis(first.elapsed()));
    for size in SIZES {
        let [floor_start, start] = [&floor, &console].map(|program| median(time_starts(program, size)));
        print_row("cold start to screen", size, floor_start, start);
        let [floor_key, key] = [&floor, &console].map(|program| median(time_keys(program, size)));
        print_row("key to frame", size, floor_key, key);
    }
    for program in [&floor, &console] {
        let mut running = PtySession::start(program, (80, 24));
        running.open_wizard(program, (80, 24));
        std::thread::sleep(Duration::from_secs(1));
        running.drain();
        let (switches, bytes) = (running.context_switches(), running.bytes_read);
        let idle = config().idle_time;
        std::thread::sleep(idle);
        running.drain();
        let (switches, bytes) = (running.context_switches() - switches, running.bytes_read - bytes);
        println!("idle {idle:?}, {}: {switches} context switches, {bytes} bytes", program.name);
        println!("resident memory, {}: {:.1} MB", program.name, running.resident_kilobytes() as f64 / 1024.0);
        let size = std::fs::metadata(&program.path).expect("the binary is there").len();
        println!("binary, {}: {:.1} MB", program.name, size as f64 / 1e6);
    }
}

/// A frame at 60 Hz.
const FRAME_BUDGET: Duration = Duration::from_millis(16);

/// Key to frame while each call to AWS hangs, beside the same where AWS answers at once.
fn bench_hanging_calls() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let aws = BundledAws::in_memory("default", Environment::system()).expect("an account");
    let key = aws.access_keys().expect("the access keys").remove(0).credentials;
    let server = Server::open(aws, "127.0.0.1:0".parse().expect("an address"), None, false);
    let server = runtime.block_on(server).expect("a port");
    let answering = server.url();
    runtime.spawn(server.run(std::future::pending()));
    // Connections come as far as the queue of the operating system; nobody ever takes one.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = (format!("http://{}", silent.local_addr().expect("its address")), silent);
    for size in SIZES {
        let [floor, hang] = [&answering, &silent.0].map(|url| {
            let mut times = time_alias_keys(&Program::new("xks-console", Backend::Endpoint(url, &key)), size);
            times.sort_unstable();
            times
        });
        for (what, part) in [("p50", 50), ("p99", 99), ("max", 100)] {
            let at = |times: &[Duration]| times[(times.len() * part / 100).min(times.len() - 1)];
            print_row(&format!("key to frame while calls hang, {what}"), size, at(&floor), at(&hang));
        }
        let p99 = hang[hang.len() * 99 / 100];
        println!("p99 is {} {FRAME_BUDGET:?}", if p99 < FRAME_BUDGET { "under" } else { "NOT under" });
    }
}

/// Types and takes back a letter in the field *Alias*, again and again.
fn time_alias_keys(program: &Program, size: (u16, u16)) -> Vec<Duration> {
    let mut running = PtySession::start(program, size);
    let mut screen = running.new_screen(size);
    running.wait_for_screen(&mut screen, program.ready_text());
    for (keys, words) in
        [("\t\x1b[A\x1b[A\r", "Customer managed keys"), ("n", "Key usage"), ("\x0e", "Add alias"), ("alias", "alias")]
    {
        running.send(keys);
        running.wait_for_screen(&mut screen, words);
    }
    let mut once = |turn| {
        running.read_for(&mut screen, Duration::from_millis(50));
        let start = Instant::now();
        running.send(if turn % 2 == 0 { "x" } else { "\x7f" });
        while screen.screen().contents().contains("aliasx") != (turn % 2 == 0) {
            running.read(Duration::from_secs(20)).expect("a frame follows the key");
            screen.process(std::mem::take(&mut running.unread_output).as_bytes());
        }
        start.elapsed()
    };
    (0..config().key_runs_while_hanging).map(&mut once).collect()
}

/// An account with about as many keys as AWS allows: the first page, the whole list, and keys pressed on it.
fn bench_many_keys() {
    let data = tempfile::tempdir().expect("a directory for the account");
    let start = Instant::now();
    let many = create_many_keys(data.path());
    println!("created {} keys in {:.0} s", config().extra_key_count, start.elapsed().as_secs_f64());
    let console = Program::new("xks-console", Backend::Bundled(data.path()));
    let start = Instant::now();
    let mut running = PtySession::start(&console, (80, 24));
    running.wait_for_output(console.ready_text());
    println!("{many} keys: start to the stores {:.1} ms", millis(start.elapsed()));
    running.drain();
    let start = Instant::now();
    running.send("\t\x1b[A\x1b[A\r");
    let mut screen = running.new_screen((80, 24));
    running.wait_for_screen(&mut screen, "Customer managed keys (");
    println!("{many} keys: first keys on the screen {:.1} ms after they are asked for", millis(start.elapsed()));
    running.wait_for_screen(&mut screen, &format!("({many})"));
    println!("{many} keys: whole list after {:.1} s", start.elapsed().as_secs_f64());
    std::thread::sleep(Duration::from_secs(2));
    println!("{many} keys: resident memory {:.1} MB", running.resident_kilobytes() as f64 / 1024.0);
    for (what, keys) in [("arrow key", &["\x1b[B", "\x1b[A"][..]), ("sort", &["s"][..])] {
        let times = (0..20).map(|turn| running.time_key(keys[turn % keys.len()])).collect();
        println!("{many} keys: {what} to frame {:.2} ms", millis(median(times)));
    }
    running.send("/");
    std::thread::sleep(Duration::from_millis(200));
    let times = (0..20).map(|turn| running.time_key(if turn % 2 == 0 { "7" } else { "\x7f" })).collect();
    println!("{many} keys: filter key to frame {:.2} ms", millis(median(times)));
}

/// Creates the keys by the API, as anybody would; gives how many customer managed keys there are then,
/// with those of the scenario.
fn create_many_keys(dir: &Path) -> usize {
    let bundled = BundledAws::open(dir, None).expect("an account");
    let client = xks_console::flow::player::in_process_client(&bundled, xks_console::environment::Clock::System);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..config().extra_key_count {
        runtime.block_on(client.call(&CreateKey::default())).expect("a key");
    }
    let aliases = runtime.block_on(client.call(&ListAliases::default())).expect("aliases").aliases;
    let is_of_aws = |name: &str| name.starts_with("alias/aws/");
    let of_aws = aliases.iter().filter(|one| is_of_aws(&one.alias_name) && one.target_key_id.is_some()).count();
    let (mut count, mut marker) = (0, None);
    loop {
        let page =
            runtime.block_on(client.call(&ListKeys { limit: Some(1000), marker, ..Default::default() })).expect("keys");
        count += page.keys.len();
        marker = page.next_marker;
        if marker.is_none() {
            return count - of_aws;
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print_row(what: &str, (width, height): (u16, u16), floor: Duration, console: Duration) {
    let ratio = console.as_secs_f64() / floor.as_secs_f64();
    println!(
        "{what}, {width}x{height}: floor {:.2} ms, console {:.2} ms, ratio {ratio:.2}",
        millis(floor),
        millis(console)
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn time_starts(program: &Program, size: (u16, u16)) -> Vec<Duration> {
    let once = |_| {
        let start = Instant::now();
        let mut running = PtySession::start(program, size);
        running.wait_for_output(program.ready_text());
        start.elapsed()
    };
    (0..config().start_runs).map(once).collect()
}

fn time_keys(program: &Program, size: (u16, u16)) -> Vec<Duration> {
    let mut running = PtySession::start(program, size);
    running.open_wizard(program, size);
    std::thread::sleep(Duration::from_millis(500));
    // Letters come and go, so that the field stays short.
    let once = |turn| running.time_key(if turn % 2 == 0 { "x" } else { "\x7f" });
    (0..config().key_runs).map(once).collect()
}

struct Program<'a> {
    name: &'static str,
    path: String,
    backend: Backend<'a>,
}

/// What a program is opened on.
enum Backend<'a> {
    /// It is the floor.
    Baseline,
    /// The bundled AWS in this directory.
    Bundled(&'a Path),
    /// An AWS at this URL, with these credentials.
    Endpoint(&'a str, &'a Credentials),
}

impl<'a> Program<'a> {
    fn new(name: &'static str, on: Backend<'a>) -> Self {
        let path = match on {
            Backend::Baseline => {
                std::env::current_exe().expect("the path of this program").to_string_lossy().into_owned()
            }
            _ => env!("CARGO_BIN_EXE_xks-console").to_owned(),
        };
        Self { name, path, backend: on }
    }

    fn ready_text(&self) -> &'static str {
        // In one piece also when only what differs from the frame before is written.
        match self.backend {
            Backend::Baseline => "Field:",
            Backend::Bundled(_) => "Frankfurt",
            Backend::Endpoint(..) => "External key stores",
        }
    }
}

struct PtySession {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    output: mpsc::Receiver<Vec<u8>>,
    unread_output: String,
    bytes_read: usize,
    _pty: Box<dyn portable_pty::MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl PtySession {
    fn start(program: &Program, (cols, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(&program.path);
        // Drafts and preferences of whoever measures are not touched.
        let home = tempfile::tempdir().expect("a home");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("XDG_")) {
            command.env_remove(name);
        }
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        match program.backend {
            Backend::Baseline => command.env(BASELINE_ENV, "1"),
            Backend::Bundled(data) => {
                command.arg("--data-dir");
                command.arg(data);
            }
            Backend::Endpoint(url, key) => {
                command.args(["--endpoint-url", url, "--region", "us-west-2"]);
                command.env("AWS_ACCESS_KEY_ID", &key.access_key_id);
                command.env("AWS_SECRET_ACCESS_KEY", key.secret_access_key.expose());
            }
        }
        let child = pty.slave.spawn_command(command).expect("the program starts");
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let writer = pty.master.take_writer().expect("a writer");
        Self { child, writer, output, unread_output: String::new(), bytes_read: 0, _pty: pty.master, _home: home }
    }

    fn read(&mut self, time: Duration) -> Option<()> {
        let bytes = self.output.recv_timeout(time).ok()?;
        self.bytes_read += bytes.len();
        self.unread_output.push_str(&String::from_utf8_lossy(&bytes));
        Some(())
    }

    /// Shows what is written within `time`.
    fn read_for(&mut self, screen: &mut vt100::Parser, time: Duration) {
        let end = Instant::now() + time;
        while self.read(end.saturating_duration_since(Instant::now())).is_some() {}
        screen.process(std::mem::take(&mut self.unread_output).as_bytes());
    }

    fn drain(&mut self) {
        while self.read(Duration::ZERO).is_some() {}
        self.unread_output.clear();
    }

    fn wait_for_output(&mut self, words: &str) {
        while !self.unread_output.contains(words) {
            self.read(Duration::from_secs(20))
                .unwrap_or_else(|| panic!("‘{words}’ never came: {:?}", self.unread_output));
        }
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// To the first field of the wizard.
    fn open_wizard(&mut self, program: &Program, (columns, rows): (u16, u16)) {
        self.wait_for_output(program.ready_text());
        if matches!(program.backend, Backend::Baseline) {
            return;
        }
        let mut screen = self.new_screen((columns, rows));
        self.send("\x1b[B");
        std::thread::sleep(Duration::from_millis(200));
        self.send("n");
        self.wait_for_screen(&mut screen, "External key ID");
    }

    fn new_screen(&self, (columns, rows): (u16, u16)) -> vt100::Parser {
        let cells = |count| std::num::NonZeroU16::new(count).expect("a size");
        vt100::Parser::new(cells(rows), cells(columns), 0)
    }

    /// Reads until the screen shows `words`.
    fn wait_for_screen(&mut self, screen: &mut vt100::Parser, words: &str) {
        while !screen.screen().contents().contains(words) {
            self.read(Duration::from_secs(120)).unwrap_or_else(|| panic!("{}", screen.screen().contents()));
            screen.process(std::mem::take(&mut self.unread_output).as_bytes());
        }
    }

    /// From a key to the frame after it.
    fn time_key(&mut self, key: &str) -> Duration {
        self.drain();
        let start = Instant::now();
        self.send(key);
        self.read(Duration::from_secs(20)).expect("a frame follows the key");
        let time = start.elapsed();
        std::thread::sleep(Duration::from_millis(50));
        time
    }

    fn proc_status(&self, task: &str) -> String {
        let process = self.child.process_id().expect("it runs");
        std::fs::read_to_string(format!("/proc/{process}/{task}status")).expect("Linux tells")
    }

    fn context_switches(&self) -> u64 {
        let process = self.child.process_id().expect("it runs");
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("Linux tells");
        let names = tasks.map(|task| task.expect("a thread").file_name().to_string_lossy().into_owned());
        names.map(|name| sum_fields(&self.proc_status(&format!("task/{name}/")), "ctxt_switches")).sum()
    }

    fn resident_kilobytes(&self) -> u64 {
        sum_fields(&self.proc_status(""), "VmRSS")
    }
}

impl Drop for PtySession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum of the numbers in the lines that name `what`.
fn sum_fields(status: &str, what: &str) -> u64 {
    let lines = status.lines().filter(|line| line.contains(what));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

/// A screen of text with a field, drawn anew at each key: what no console can be faster than.
fn run_baseline() -> std::io::Result<()> {
    use crossterm::event::{Event, KeyCode};
    use ratatui::text::Line;
    use ratatui::widgets::{Block, Paragraph};

    let mut terminal = ratatui::try_init()?;
    let mut typed = String::new();
    loop {
        terminal.draw(|frame| {
            let rows = usize::from(frame.area().height);
            let mut lines = vec![Line::raw("a bare screen"), Line::raw(format!("Field: {typed}"))];
            lines.resize_with(rows, || Line::raw("A line of text that fills most of a narrow screen, as pages do."));
            frame.render_widget(Paragraph::new(lines).block(Block::bordered()), frame.area());
        })?;
        if let Event::Key(key) = crossterm::event::read()? {
            match key.code {
                KeyCode::Char(letter) => typed.push(letter),
                KeyCode::Backspace => drop(typed.pop()),
                _ => {}
            }
        }
    }
}
