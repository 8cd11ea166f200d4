//! Tests the guard in a pseudoterminal, in which this test program starts itself again.

use std::io::Read as _;
use std::ops::RangeInclusive;
use std::process::Command;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::signals::{Signal, Signals};
use super::*;

const EXIT_CAUSE_ENV: &str = "XKS_CONSOLE_TEST_END";

/// The program that runs inside the pseudoterminal.
#[test]
#[ignore = "the other tests run it in a pseudoterminal"]
fn inside() {
    let Ok(end) = std::env::var(EXIT_CAUSE_ENV) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(async {
        let mut signals = Signals::listen().unwrap();
        let mut guard = Terminal::enter().unwrap();
        assert!(Terminal::enter().is_err(), "a second guard must be refused");
        guard.set_mouse(true).unwrap();
        guard.draw(|frame| frame.render_widget("drawn", frame.area())).unwrap();
        match end.as_str() {
            "panic" => panic!("the message of the panic"),
            "panic in a thread" => {
                let _ = std::thread::spawn(|| panic!("the message of the panic")).join();
                let refused = guard.draw(|frame| frame.render_widget("after", frame.area())).is_err();
                i32::from(!refused)
            }
            "signal" => loop {
                match signals.next().await {
                    Signal::End { exit_code } => break exit_code.into(),
                    Signal::Suspend => guard.suspend().unwrap(),
                    Signal::Resize => {}
                    Signal::Resume => {
                        guard.resume().unwrap();
                        guard.draw(|frame| frame.render_widget("again", frame.area())).unwrap();
                    }
                }
            },
            _ => 0,
        }
    });
    std::process::exit(code);
}

struct PtySession {
    // Held open, because closing it would send SIGHUP.
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    output_chunks: std::sync::mpsc::Receiver<Vec<u8>>,
    output: String,
    modes: String,
}

impl PtySession {
    fn new(end: &str) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows: 10, cols: 40, pixel_width: 0, pixel_height: 0 }).unwrap();
        let modes = modes(&*pair.master);
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tui::terminal::tests::inside", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(EXIT_CAUSE_ENV, end);
        command.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, seen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { master: pair.master, child, output_chunks: seen, output: String::new(), modes }
    }

    /// Reads output until it contains `text`.
    fn wait_for_output(&mut self, text: &str) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !self.output.contains(text) {
            let left = give_up.saturating_duration_since(Instant::now());
            let bytes =
                self.output_chunks.recv_timeout(left).unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.output));
            self.output.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Sends `signal` repeatedly until the output contains `text`, because a signal that arrives too early has no
    /// effect.
    fn send_signal_until(&mut self, signal: &str, text: &str) {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !self.output.contains(text) {
            assert!(Instant::now() < give_up, "no {text:?} in {:?}", self.output);
            self.send_signal(signal);
            while let Ok(bytes) = self.output_chunks.recv_timeout(Duration::from_millis(200)) {
                self.output.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }

    fn send_signal(&self, signal: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until the program exits and checks how many times the terminal was set up and restored.
    fn wait_for_exit(mut self, times: RangeInclusive<usize>) -> (u32, String) {
        let give_up = Instant::now() + Duration::from_secs(30);
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.exit_code(),
                None if Instant::now() > give_up => {
                    let _ = self.child.kill();
                    panic!("still running after {:?}", self.output);
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        assert_eq!(modes(&*self.master), self.modes, "the terminal modes were not restored");
        drop(self.master);
        while let Ok(bytes) = self.output_chunks.recv_timeout(Duration::from_secs(5)) {
            self.output.push_str(&String::from_utf8_lossy(&bytes));
        }
        let mouse = [("\x1b[?1000h", "\x1b[?1000l"), ("\x1b[?1006h", "\x1b[?1006l")];
        let others = [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?2004h", "\x1b[?2004l"), ("\x1b[?25l", "\x1b[?25h")];
        for (on, off) in mouse.into_iter().chain(others) {
            let last = |part: &str| self.output.rfind(part);
            assert!(last(on) < last(off), "{on:?} without {off:?} after it: {:?}", self.output);
        }
        assert!(times.contains(&self.output.matches("\x1b[?1049l").count()), "{:?}", self.output);
        // Resuming turns the mouse on again. Nothing asks for reports of motion.
        assert!(times.contains(&self.output.matches("\x1b[?1000h").count()), "{:?}", self.output);
        assert!(!self.output.contains("\x1b[?1002h") && !self.output.contains("\x1b[?1003h"), "{:?}", self.output);
        (code, self.output)
    }
}

fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().unwrap();
    format!("{:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.local_flags)
}

#[test]
fn terminal_is_restored_on_quit() {
    let mut started = PtySession::new("quit");
    started.wait_for_output("drawn");
    let (code, output) = started.wait_for_exit(1..=1);
    assert_eq!(code, 0, "{output:?}");
}

#[test]
fn terminal_is_restored_before_the_panic_message() {
    let (code, output) = PtySession::new("panic").wait_for_exit(1..=1);
    assert_eq!(code, 101, "{output:?}");
    assert!(output.find("\x1b[?1049l") < output.find("the message of the panic"), "{output:?}");
}

#[test]
fn nothing_is_drawn_after_a_panic_in_another_thread() {
    let (code, output) = PtySession::new("panic in a thread").wait_for_exit(1..=1);
    assert_eq!(code, 0, "{output:?}");
    assert!(output.contains("the message of the panic") && !output.contains("after"), "{output:?}");
}

#[test]
fn terminal_is_restored_on_termination_signals() {
    for (signal, expected) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130)] {
        let mut started = PtySession::new("signal");
        started.wait_for_output("drawn");
        started.send_signal(signal);
        let (code, output) = started.wait_for_exit(1..=1);
        assert_eq!(code, expected, "{output:?}");
    }
}

#[test]
fn suspend_restores_the_terminal_and_resume_redraws_it() {
    let mut started = PtySession::new("signal");
    started.wait_for_output("drawn");
    started.send_signal("-TSTP");
    started.wait_for_output("\x1b[?1049l");
    started.send_signal_until("-CONT", "again");
    started.send_signal("-TERM");
    // The stop can take effect only now, if an early SIGCONT was handled before it.
    started.send_signal("-CONT");
    // The program may handle this SIGCONT before SIGTERM, and resume once more.
    let (code, output) = started.wait_for_exit(2..=4);
    assert_eq!(code, 143, "{output:?}");
}

#[test]
fn error_names_the_streams_that_are_not_a_terminal() {
    assert_eq!(describe_missing(true, true), None);
    let error = check(false, true).unwrap_err();
    assert!(error.to_string().contains("standard input is not a terminal"), "{error}");
    let error = check(false, false).unwrap_err();
    assert!(error.to_string().contains("standard input and output are not terminals. "), "{error}");
}
