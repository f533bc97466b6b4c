//! The command `safeconduct`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this program's surface")]

mod command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    command::run()
}
