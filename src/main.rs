//! The `tinvia` program.

fn main() -> std::process::ExitCode {
    tinvia::cli::run()
}
