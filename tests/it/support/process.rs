//! The real program as a process of its own, to be killed.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::engines::Fresh;

/// A running `tinvia serve`; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// How long it took from its start to its first word.
    pub(crate) started_in: Duration,
}

/// The program with the settings of tests on this database, but for passwords, which cost what they cost by default.
pub(crate) fn program_at_full_cost(fresh: &Fresh) -> Command {
    let mut command = program(fresh);
    command
        .env_remove("TINVIA_PASSWORDS__MEMORY_KIB")
        .env_remove("TINVIA_PASSWORDS__PASSES");
    command
}

/// The program with the settings of tests on this database.
pub(crate) fn program(fresh: &Fresh) -> Command {
    program_at(fresh.folder.path(), &fresh.url)
}

/// The program with the settings of tests, its keys in `folder`, its rows at `url`.
pub(crate) fn program_at(folder: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinvia"));
    command
        .env("TINVIA_DATA_DIR", folder)
        .env("TINVIA_DATABASE_URL", url)
        .env("TINVIA_LISTEN", "127.0.0.1:0")
        .env("TINVIA_LIMITS", "off")
        .env("TINVIA_PASSWORDS__MEMORY_KIB", "8")
        .env("TINVIA_PASSWORDS__PASSES", "1")
        .env("TINVIA_LOG", "warn");
    command
}

impl Process {
    pub(crate) fn start(fresh: &Fresh) -> Self {
        Self::run(program(fresh))
    }

    /// Serves with what `program` was given.
    pub(crate) fn run(mut program: Command) -> Self {
        let begun = Instant::now();
        let mut child = program.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().rsplit("http://").next().unwrap();
        let address = address
            .parse()
            .unwrap_or_else(|_| panic!("the program said {line:?}"));
        Self {
            child,
            address,
            started_in: begun.elapsed(),
        }
    }

    /// Memory that it holds now, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it has held, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The peak begins anew at what it holds now.
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    fn status(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line));
        let value = value.and_then(|text| text.trim().strip_suffix(" kB"));
        value.unwrap().parse().unwrap()
    }

    /// SIGKILL, and nothing else.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already; that is what most of these tests are about.
        let _dead = self.child.kill();
        let _dead = self.child.wait();
    }
}
