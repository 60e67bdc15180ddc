//! The `wayguard` binary: hands the process's arguments to the library and its answer to the shell.

fn main() -> std::process::ExitCode {
    wayguard::main(std::env::args_os()).into()
}
