//! How requests are sent.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

/// How the driver sends requests and waits for responses, and on how many cores it and the server can run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Driver {
    pub name: &'static str,
    pub client: Client,
    core_count: usize,
}

/// How the driver sends requests and waits for responses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Each connection has a thread, which sleeps until the kernel wakes it.
    Blocking,
    /// Each connection has a thread, which polls without sleeping.
    BusyPolling,
    /// One thread drives all connections.
    EventLoop,
    /// One request at a time, [`PACE`](crate::workload::PACE) after another.
    Paced,
}

const ALL_CORES: usize = CpuSet::MAX_CPU;
pub const BUSY_POLLING: Driver =
    Driver { name: ", busy-polling driver", client: Client::BusyPolling, core_count: ALL_CORES };
pub const BLOCKING: Driver = Driver { name: ", blocking driver", client: Client::Blocking, core_count: ALL_CORES };
pub const ONE_CORE: Driver =
    Driver { name: ", client and server on one core", client: Client::Blocking, core_count: 1 };
pub const EVENT_LOOP: Driver = Driver { name: ", event loop driver", client: Client::EventLoop, core_count: ALL_CORES };
pub const PACED: Driver = Driver { name: ", 100 requests per second", client: Client::Paced, core_count: ALL_CORES };

impl Driver {
    /// Restricts all threads of a process, and the threads they start later, to the driver's cores.
    pub fn pin(self, process: u32) {
        let mut set = CpuSet::new();
        (0..self.core_count).for_each(|core| set.set(core));
        for thread in std::fs::read_dir(format!("/proc/{process}/task")).expect("/proc") {
            let id = thread.expect("a thread").file_name().to_string_lossy().parse().expect("a number");
            // The thread may have ended in the meantime.
            let _ = sched_setaffinity(Pid::from_raw(id), &set);
        }
    }
}
