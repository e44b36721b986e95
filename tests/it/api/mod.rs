//! Slice by slice, through HTTP.

mod accounts;
mod accounts_keys;
mod accounts_log;
mod accounts_sessions;
