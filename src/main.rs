//! The `xks-console` program.
#![forbid(unsafe_code)]

/// Requests to the bundled AWS take 7 % less CPU time than with the system's allocator, and the memory is about the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    xks_console::commands::main()
}
