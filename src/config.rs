//! Settings: `config.default.toml` is their manual, a file and the environment override it, unknown keys are refused.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use figment::{
    Figment,
    providers::{Env, Format as _, Toml},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::kernel::db::DbOptions;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// Variables of our prefix that speak to tests and to the demo, not to the service.
const NOT_SETTINGS: &[&str] = &["SAMPLES", "TEST_", "DEMO_", "CONFIG", "BENCH_"];

/// Every setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where files live.
    pub data_dir: PathBuf,
    database_url: SecretString,
    public_url: String,
    key_file: PathBuf,
    limits: OnOff,
    /// Proxies whose word on the client's address counts.
    pub trusted_proxies: usize,
    /// Threads that answer HTTP; 0 is one per core.
    pub threads: usize,
    /// What to log.
    pub log: String,
    /// How to log it.
    pub log_format: LogFormat,
    /// Connections.
    pub database: Database,
    /// The cost of a password hash.
    pub passwords: Passwords,
    /// The cache under the redirect.
    pub links: Links,
    /// The click log.
    pub clicks: Waiting,
    /// The inbox of deliveries.
    pub inbound: Waiting,
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Connections to the database.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Connections at most.
    pub connections_max: u32,
    /// How long to wait for one, in milliseconds.
    pub acquire_timeout_ms: u64,
}

/// The cost of a password hash (Argon2id).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl From<Passwords> for crate::accounts::PasswordCost {
    fn from(passwords: Passwords) -> Self {
        let Passwords {
            memory_kib,
            passes,
            lanes,
        } = passwords;
        Self {
            memory_kib,
            passes,
            lanes,
        }
    }
}

/// The cache under the redirect.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Entries at most.
    pub cached_max: usize,
}

/// A bounded buffer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Rows that may wait.
    pub waiting_max: usize,
}

/// Settings that do not read, with the file or variable they came from.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A value is missing, unknown or of the wrong type.
    #[error("{0}")]
    Unreadable(Box<figment::Error>),
    /// A value reads but makes no sense.
    #[error("{setting}: {why}")]
    Senseless {
        /// The setting's name.
        setting: &'static str,
        /// What it must be.
        why: &'static str,
    },
}

impl Config {
    /// Reads the defaults, then `file`, then the environment.
    pub fn load(file: Option<&std::path::Path>) -> Result<Self, ConfigFault> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("TINVIA_")
            .filter(|key| {
                !NOT_SETTINGS
                    .iter()
                    .any(|other| key.as_str().to_ascii_uppercase().starts_with(other))
            })
            .split("__");
        let config: Self = figment
            .merge(environment)
            .extract()
            .map_err(|error| ConfigFault::Unreadable(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigFault> {
        let senseless = |setting, why| Err(ConfigFault::Senseless { setting, why });
        if !self.public_url.is_empty() && !is_origin(&self.public_url) {
            return senseless("public_url", "must be http(s)://host[:port] without a path");
        }
        if self.passwords.memory_kib < 8 || self.passwords.passes == 0 || self.passwords.lanes == 0
        {
            return senseless(
                "passwords",
                "memory_kib must be 8 or more, passes and lanes 1 or more",
            );
        }
        if self.database.connections_max == 0 {
            return senseless("database.connections_max", "must be 1 or more");
        }
        if self.clicks.waiting_max == 0 || self.inbound.waiting_max == 0 {
            return senseless("waiting_max", "must be 1 or more");
        }
        Ok(())
    }

    /// Whether request quotas apply.
    #[must_use]
    pub fn limits_on(&self) -> bool {
        self.limits == OnOff::On
    }

    /// The key file.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        if self.key_file.as_os_str().is_empty() {
            self.data_dir.join("tinvia.keys")
        } else {
            self.key_file.clone()
        }
    }

    /// How to reach the database.
    #[must_use]
    pub fn database(&self) -> DbOptions {
        let given = self.database_url.expose_secret();
        let file = || format!("sqlite://{}", self.data_dir.join("tinvia.db").display());
        DbOptions {
            url: if given.is_empty() {
                file()
            } else {
                given.to_owned()
            },
            connections_max: self.database.connections_max,
            acquire_timeout: Duration::from_millis(self.database.acquire_timeout_ms),
        }
    }

    /// How the outside reaches us, once the listening address is known.
    #[must_use]
    pub fn public_url(&self, listening: SocketAddr) -> String {
        if self.public_url.is_empty() {
            format!("http://{listening}")
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// The same settings on another database and port, for tests that run many servers in one process.
    #[must_use]
    pub fn at(mut self, database_url: &str, listen: SocketAddr) -> Self {
        self.database_url = SecretString::from(database_url);
        self.listen = listen;
        self
    }

    /// The same settings without request quotas.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.limits = OnOff::Off;
        self
    }
}

fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.username().is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_read() {
        let config = Config::load(None).unwrap();
        assert_eq!(config.key_file(), PathBuf::from("./data/tinvia.keys"));
    }

    #[test]
    fn a_misspelt_setting_is_refused_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tinvia.toml");
        std::fs::write(&file, "lissten = \"127.0.0.1:1\"\n").unwrap();
        let fault = Config::load(Some(&file)).unwrap_err().to_string();
        assert!(
            fault.contains("lissten") && fault.contains("tinvia.toml"),
            "{fault}"
        );
    }
}
