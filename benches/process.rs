//! Measures the whole program in a pseudo-terminal. The baseline is this benchmark running as a bare ratatui screen.
//!
//! Prints the time from a cold start to the first useful screen, the time from a key press to the next frame, idle
//! wake-ups and bytes written, and resident memory; then how lists of many keys load, and what a change by another process
//! costs; then the time from a key press to the next frame while all calls to AWS hang. The other end of the terminal only
//! reads. Runs only on Linux, because it reads
//! `/proc`.
//!
//! `cargo bench --bench process -- hang` runs only the last measurement. `cargo test --bench process` does a short run
//! that checks that the benchmark works. Its figures mean nothing.

mod report;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use report::{Figure, report};
use xks_console::aws::kms::{CreateKey, DescribeKey, ListAliases, ListKeys, UpdateKeyDescription};
use xks_console::aws::sigv4::Credentials;
use xks_console::bundled::BundledAws;
use xks_console::environment::Environment;
use xks_console::server::Server;

/// Environment variable that makes this program run as the baseline.
const BASELINE_ENV: &str = "XKS_CONSOLE_BENCH_BASELINE";
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

/// How many measurements to take.
struct BenchConfig {
    start_runs: usize,
    key_runs: usize,
    idle_time: Duration,
    /// Key presses timed while calls hang. In total they take less than the 30-second timeout of an attempt.
    key_runs_while_hanging: usize,
    /// The numbers of KMS keys to measure, in addition to those of the scenario, in ascending order. They stay below the quota of
    /// 100,000 (KMS resource quotas).
    extra_key_counts: &'static [usize],
    /// Changes by another process while the list is shown.
    change_runs: usize,
}

const FULL: BenchConfig = BenchConfig {
    start_runs: 30,
    key_runs: 200,
    idle_time: Duration::from_secs(5),
    key_runs_while_hanging: 400,
    extra_key_counts: &[900, 9_900, 99_900],
    change_runs: 20,
};
const QUICK: BenchConfig = BenchConfig {
    start_runs: 2,
    key_runs: 4,
    idle_time: Duration::from_millis(100),
    key_runs_while_hanging: 4,
    extra_key_counts: &[1_200],
    change_runs: 2,
};

/// Returns the full configuration for `cargo bench`, which passes `--bench`, and the quick one for `cargo test`.
fn config() -> &'static BenchConfig {
    if std::env::args().any(|argument| argument == "--bench") { &FULL } else { &QUICK }
}

fn main() {
    if std::env::var_os(BASELINE_ENV).is_some() {
        run_baseline().expect("the baseline runs in a terminal");
        return;
    }
    if !std::env::args().any(|argument| argument == "hang") {
        bench_bundled();
        bench_many_keys();
    }
    bench_hanging_calls();
}

/// Measures the program on the bundled AWS against the baseline.
fn bench_bundled() {
    let data = tempfile::tempdir().expect("a directory for the account");
    let console = Program::new(Backend::Bundled(data.path()));
    let baseline = Program::new(Backend::Baseline);
    let first = Instant::now();
    PtySession::start(&console, (80, 24)).wait_for_output(console.ready_text());
    report_alone("first start ever, 80x24 (creates the account)", "ms", millis(first.elapsed()), "");
    for size in SIZES {
        let [baseline_start, start] = [&baseline, &console].map(|program| median(time_starts(program, size)));
        report_times("cold start to screen", size, baseline_start, start, "≤ 2");
        let [baseline_key, key] = [&baseline, &console].map(|program| median(time_keys(program, size)));
        report_times("key to frame", size, baseline_key, key, "≤ 1.5");
    }
    let idle = config().idle_time;
    let figures = [&baseline, &console].map(|program| {
        let mut running = PtySession::start(program, (80, 24));
        running.open_wizard(program, (80, 24));
        std::thread::sleep(Duration::from_secs(1));
        running.drain();
        let (switches, bytes) = (running.context_switches(), running.bytes_read);
        std::thread::sleep(idle);
        running.drain();
        let (switches, bytes) = (running.context_switches() - switches, running.bytes_read - bytes);
        [switches as f64, bytes as f64, running.resident_kilobytes() as f64 / 1024.0]
    });
    let [switches, bytes, memory] = [0, 1, 2].map(|index| (figures[0][index], figures[1][index]));
    report_pair(&format!("context switches while idle for {idle:?}"), "", switches, "0");
    report_pair(&format!("output while idle for {idle:?}"), "bytes", bytes, "0");
    report_pair("resident memory after start", "MB", memory, "≤ 13 MB");
}

/// The duration of one frame at 60 Hz.
const FRAME_BUDGET: Duration = Duration::from_millis(16);

/// Measures the time from a key press to the next frame while every call to AWS hangs, against an AWS that responds at
/// once.
fn bench_hanging_calls() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let aws = BundledAws::in_memory("default", Environment::system()).expect("an account");
    let key = aws.access_keys().expect("the access keys").remove(0).credentials;
    let server = Server::open(aws, "127.0.0.1:0".parse().expect("an address"), None, false);
    let server = runtime.block_on(server).expect("a port");
    let responding = server.url();
    runtime.spawn(server.run(std::future::pending()));
    // Connections wait in the operating system's queue and are never accepted.
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hanging = (format!("http://{}", hanging.local_addr().expect("its address")), hanging);
    for size in SIZES {
        let [baseline, hang] = [&responding, &hanging.0].map(|url| {
            let mut times = time_alias_keys(&Program::new(Backend::Endpoint(url, &key)), size);
            times.sort_unstable();
            times
        });
        for (percentile, percent) in [("p50", 50), ("p99", 99), ("max", 100)] {
            let at = |times: &[Duration]| times[(times.len() * percent / 100).min(times.len() - 1)];
            report_times(&format!("key to frame while calls hang, {percentile}"), size, at(&baseline), at(&hang), "1");
        }
        let p99 = hang[hang.len() * 99 / 100];
        println!("p99 is {} {FRAME_BUDGET:?}", if p99 < FRAME_BUDGET { "under" } else { "NOT under" });
    }
}

/// Repeatedly types and deletes a letter in the *Alias* field, and returns the time to each frame.
fn time_alias_keys(program: &Program, size: (u16, u16)) -> Vec<Duration> {
    let mut running = PtySession::start(program, size);
    let mut screen = running.new_screen(size);
    running.wait_for_screen(&mut screen, program.ready_text());
    for (keys, text) in
        [("\t\x1b[A\x1b[A\r", "Customer managed keys"), ("n", "Key usage"), ("\x0e", "Add alias"), ("alias", "alias")]
    {
        running.send(keys);
        running.wait_for_screen(&mut screen, text);
    }
    let mut once = |turn| {
        running.read_for(&mut screen, Duration::from_millis(50));
        let start = Instant::now();
        running.send(if turn % 2 == 0 { "x" } else { "\x7f" });
        while screen.screen().contents().contains("aliasx") != (turn % 2 == 0) {
            running.read(Duration::from_secs(20)).expect("a frame follows the key press");
            screen.process(std::mem::take(&mut running.unread_output).as_bytes());
        }
        start.elapsed()
    };
    (0..config().key_runs_while_hanging).map(&mut once).collect()
}

/// Measures accounts with more and more keys, up to about as many as AWS allows.
fn bench_many_keys() {
    let data = tempfile::tempdir().expect("a directory for the account");
    let mut created = 0;
    for count in config().extra_key_counts {
        let start = Instant::now();
        let key_count = create_keys(data.path(), count - created);
        println!("created {} keys in {:.0} s", count - created, start.elapsed().as_secs_f64());
        created = *count;
        bench_key_list(data.path(), key_count);
    }
}

/// Measures the first page of the list of keys, the whole list, key presses on it, and changes by another process.
fn bench_key_list(dir: &Path, key_count: usize) {
    let console = Program::new(Backend::Bundled(dir));
    let start = Instant::now();
    let mut running = PtySession::start(&console, (80, 24));
    running.wait_for_output(console.ready_text());
    let of_keys = |name| format!("{key_count} keys, {name}");
    report_alone(&of_keys("start to the key stores"), "ms", millis(start.elapsed()), "");
    running.drain();
    let start = Instant::now();
    running.send("\t\x1b[A\x1b[A\r");
    let mut screen = running.new_screen((80, 24));
    running.wait_for_screen(&mut screen, "Customer managed keys (");
    report_alone(&of_keys("first keys on the screen"), "ms", millis(start.elapsed()), "");
    let complete = format!("({key_count})");
    let mut times = Vec::new();
    while !screen.screen().contents().contains(&complete) {
        times.push(running.time_cursor_key(&mut screen, ["\x1b[B", "\x1b[A"][times.len() % 2]));
    }
    report_alone(&of_keys("whole list"), "s", start.elapsed().as_secs_f64(), "≤ 2.5 for 100,000");
    report_alone(&of_keys("CPU time of the whole list"), "s", running.cpu_time().as_secs_f64(), "");
    if !times.is_empty() {
        report_alone(&of_keys("arrow key to frame while the list loads"), "ms", millis(median(times)), "≤ 2");
    }
    std::thread::sleep(Duration::from_secs(2));
    report_alone(&of_keys("resident memory"), "MB", running.resident_kilobytes() as f64 / 1024.0, "≤ 60");
    report_alone(&of_keys("peak memory"), "MB", running.peak_kilobytes() as f64 / 1024.0, "≤ 60");
    report_alone(&of_keys("CPU time of a change by another process"), "ms", millis(running.time_change(dir)), "≤ 10");
    for (what, keys) in [("arrow key to frame", &["\x1b[B", "\x1b[A"][..]), ("sort to frame", &["s"][..])] {
        let times = (0..20).map(|turn| running.time_key(keys[turn % keys.len()])).collect();
        report_alone(&of_keys(what), "ms", millis(median(times)), if what.starts_with("arrow") { "≤ 2" } else { "" });
    }
    running.send("/");
    std::thread::sleep(Duration::from_millis(200));
    let times = (0..20).map(|turn| running.time_key(if turn % 2 == 0 { "7" } else { "\x7f" })).collect();
    report_alone(&of_keys("filter key to frame"), "ms", millis(median(times)), "≤ 20");
}

/// Creates keys through the API and returns the number of customer managed keys in the account, including those of the
/// scenario.
fn create_keys(dir: &Path, new: usize) -> usize {
    let bundled = BundledAws::open(dir, None).expect("an account");
    let client = xks_console::in_process::client(&bundled, xks_console::environment::Clock::System);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..new {
        runtime.block_on(client.call(&CreateKey::default())).expect("a key");
    }
    let aliases = runtime.block_on(client.call(&ListAliases::default())).expect("aliases").aliases;
    let is_aws_managed = |name: &str| name.starts_with("alias/aws/");
    let aws_managed_count =
        aliases.iter().filter(|one| is_aws_managed(&one.alias_name) && one.target_key_id.is_some()).count();
    let (mut count, mut marker) = (0, None);
    loop {
        let page =
            runtime.block_on(client.call(&ListKeys { limit: Some(1000), marker, ..Default::default() })).expect("keys");
        count += page.keys.len();
        marker = page.next_marker;
        if marker.is_none() {
            return count - aws_managed_count;
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Reports a time of the console and of the baseline.
fn report_times(what: &str, (width, height): (u16, u16), baseline: Duration, console: Duration, target: &str) {
    report_pair(&format!("{what}, {width}x{height}"), "ms", (millis(baseline), millis(console)), target);
}

/// Reports a figure of the baseline and of the console.
fn report_pair(name: &str, unit: &str, (baseline, ours): (f64, f64), target: &str) {
    report(&Figure { name, unit, ours, peer: Some(("baseline", baseline)), target });
}

/// Reports a figure that only the console has.
fn report_alone(name: &str, unit: &str, ours: f64, target: &str) {
    report(&Figure { name, unit, ours, peer: None, target });
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
    // Alternately typing and deleting a letter keeps the field short.
    let once = |turn| running.time_key(if turn % 2 == 0 { "x" } else { "\x7f" });
    (0..config().key_runs).map(once).collect()
}

struct Program<'a> {
    path: String,
    backend: Backend<'a>,
}

/// What a program runs on.
enum Backend<'a> {
    /// Nothing: the program is the baseline.
    Baseline,
    /// The bundled AWS in this directory.
    Bundled(&'a Path),
    /// The AWS at this URL, with these credentials.
    Endpoint(&'a str, &'a Credentials),
}

impl<'a> Program<'a> {
    fn new(backend: Backend<'a>) -> Self {
        let path = match backend {
            Backend::Baseline => {
                std::env::current_exe().expect("the path of this program").to_string_lossy().into_owned()
            }
            _ => env!("CARGO_BIN_EXE_xks-console").to_owned(),
        };
        Self { path, backend }
    }

    fn ready_text(&self) -> &'static str {
        // Text that arrives in one piece even when only the difference from the previous frame is written.
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
        // A temporary home keeps the user's drafts and preferences untouched.
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

    /// Draws on `screen` what the program writes within `time`.
    fn read_for(&mut self, screen: &mut vt100::Parser, time: Duration) {
        let end = Instant::now() + time;
        while self.read(end.saturating_duration_since(Instant::now())).is_some() {}
        screen.process(std::mem::take(&mut self.unread_output).as_bytes());
    }

    fn drain(&mut self) {
        while self.read(Duration::ZERO).is_some() {}
        self.unread_output.clear();
    }

    fn wait_for_output(&mut self, text: &str) {
        while !self.unread_output.contains(text) {
            self.read(Duration::from_secs(20))
                .unwrap_or_else(|| panic!("\"{text}\" did not appear: {:?}", self.unread_output));
        }
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the terminal accepts keys");
    }

    /// Opens the wizard at its first field.
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

    /// Reads until the screen shows `text`.
    fn wait_for_screen(&mut self, screen: &mut vt100::Parser, text: &str) {
        while !screen.screen().contents().contains(text) {
            self.read(Duration::from_secs(120)).unwrap_or_else(|| panic!("{}", screen.screen().contents()));
            screen.process(std::mem::take(&mut self.unread_output).as_bytes());
        }
    }

    /// Returns the time from a key press to the next frame.
    fn time_key(&mut self, key: &str) -> Duration {
        self.drain();
        let start = Instant::now();
        self.send(key);
        self.read(Duration::from_secs(20)).expect("a frame follows the key press");
        let time = start.elapsed();
        std::thread::sleep(Duration::from_millis(50));
        time
    }

    /// Returns the time from an arrow key press to the frame in which the cursor of the table has moved.
    fn time_cursor_key(&mut self, screen: &mut vt100::Parser, key: &str) -> Duration {
        let cursor_line =
            |screen: &vt100::Parser| screen.screen().contents().lines().position(|line| line.contains('▌'));
        self.read_for(screen, Duration::from_millis(20));
        let before = cursor_line(screen);
        let start = Instant::now();
        self.send(key);
        while cursor_line(screen) == before {
            self.read(Duration::from_secs(20)).expect("a frame follows the key press");
            screen.process(std::mem::take(&mut self.unread_output).as_bytes());
        }
        start.elapsed()
    }

    /// Has another process change a key of the account in `dir` several times, and returns the CPU time that this program needs
    /// for one change.
    fn time_change(&self, dir: &Path) -> Duration {
        let other = BundledAws::open(dir, None).expect("an account");
        let client = xks_console::in_process::client(&other, xks_console::environment::Clock::System);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let key = DescribeKey::new("alias/customer-db".to_owned());
        let key_id = runtime.block_on(client.call(&key)).expect("a key").key_metadata.key_id;
        let before = self.cpu_time();
        let runs = config().change_runs;
        for number in 0..runs {
            let (key_id, description) = (key_id.clone(), format!("Change {number}"));
            runtime.block_on(client.call(&UpdateKeyDescription { key_id, description })).expect("a change");
            std::thread::sleep(Duration::from_millis(500));
        }
        (self.cpu_time() - before) / u32::try_from(runs).unwrap_or(u32::MAX)
    }

    /// Returns the CPU time that the threads of the program have used.
    fn cpu_time(&self) -> Duration {
        let process = self.child.process_id().expect("the program runs");
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("Linux has /proc");
        let nanoseconds = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    fn proc_status(&self, task: &str) -> String {
        let process = self.child.process_id().expect("the program runs");
        std::fs::read_to_string(format!("/proc/{process}/{task}status")).expect("Linux has /proc")
    }

    fn context_switches(&self) -> u64 {
        let process = self.child.process_id().expect("the program runs");
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("Linux has /proc");
        let names = tasks.map(|task| task.expect("a thread").file_name().to_string_lossy().into_owned());
        names.map(|name| sum_fields(&self.proc_status(&format!("task/{name}/")), "ctxt_switches")).sum()
    }

    fn resident_kilobytes(&self) -> u64 {
        sum_fields(&self.proc_status(""), "VmRSS")
    }

    fn peak_kilobytes(&self) -> u64 {
        sum_fields(&self.proc_status(""), "VmHWM")
    }
}

impl Drop for PtySession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the sum of the numbers in the lines that contain `name`.
fn sum_fields(status: &str, name: &str) -> u64 {
    let lines = status.lines().filter(|line| line.contains(name));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

/// Runs the baseline: a screen of text with one field, redrawn at each key press. No console can be faster.
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
