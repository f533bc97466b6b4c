//! The command `safeconduct`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this program's surface")]

mod command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // Before any thread: this program may have been started to become the sandbox's launcher, or the one that hashes passwords.
    sandbox::become_launcher_if_asked();
    sign_in::become_hasher_if_asked();
    command::run()
}
