//! What this process logs, kept for tests that look for secrets in it.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// The log of every test in this process, at the finest level of our own lines.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to keep the log, once.
    pub(crate) fn kept() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let log = LOG.get_or_init(|| {
            let log = Self::default();
            let lines = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new("info,tinvia=trace,sqlx=debug"))
                .with_ansi(false)
                .with_writer(log.clone());
            lines
                .try_init()
                .expect("nothing else in this process takes the log");
            log
        });
        log.clone()
    }

    /// What was logged until now.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
