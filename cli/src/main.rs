//! The `wayguard` binary: hands the process's arguments to the library and its answer to the shell.

/// Many small allocations on many threads, freed by others: what the system's allocator is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    wayguard::main(std::env::args_os()).into()
}
