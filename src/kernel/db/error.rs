//! What can go wrong with the database, by what a caller can do about it.

/// A failed statement or transaction.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached; trying again later may help.
    #[error("the database cannot be reached")]
    NotReachable(#[source] sqlx::Error),
    /// Locks, connections or disk space ran out; trying again later may help.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    /// A constraint refused the row. Expected conflicts use `ON CONFLICT DO NOTHING` and never come here.
    #[error("the database refused the row")]
    Conflict(#[source] sqlx::Error),
    /// A row that must exist does not, or does not decode: stored data contradict the code.
    #[error("stored data do not read: {0}")]
    Broken(String),
    /// The disk failed under a write. Nothing may be acknowledged after this.
    #[error("the disk failed under the database")]
    Disk(#[source] sqlx::Error),
    /// The task that held the transaction ended before its answer.
    #[error("the unit of work was interrupted")]
    Interrupted,
    /// Anything else.
    #[error("the database failed")]
    Other(#[source] sqlx::Error),
}

impl DbError {
    /// What the engine said, for the log: its code and the names of what it is about. Never its whole message: a
    /// violated constraint tells the refused row, values and all, and a value that does not parse is quoted.
    #[must_use]
    pub fn clue(&self) -> String {
        let cause = match self {
            Self::NotReachable(cause)
            | Self::Busy(cause)
            | Self::Conflict(cause)
            | Self::Disk(cause)
            | Self::Other(cause) => cause,
            Self::Broken(_) | Self::Interrupted => return String::new(),
        };
        match cause {
            sqlx::Error::Database(from_engine) => [
                from_engine.code().map(std::borrow::Cow::into_owned),
                from_engine.table().map(str::to_owned),
                from_engine.constraint().map(str::to_owned),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
            sqlx::Error::Io(error) => error.kind().to_string(),
            sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
            sqlx::Error::PoolClosed => "the pool is closed".to_owned(),
            _ => String::new(),
        }
    }
}

/// SQLite's primary result codes that matter here.
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_IOERR: u32 = 10;
const SQLITE_FULL: u32 = 13;

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy(error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::NotReachable(error),
            sqlx::Error::RowNotFound => Self::Broken("a row that must exist is missing".to_owned()),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::Decode(_) => Self::Broken(error.to_string()),
            sqlx::Error::Database(from_engine) => {
                let code = from_engine.code().unwrap_or_default().into_owned();
                classify(&code, from_engine.kind(), error)
            }
            _ => Self::Other(error),
        }
    }
}

fn classify(code: &str, kind: sqlx::error::ErrorKind, error: sqlx::Error) -> DbError {
    use sqlx::error::ErrorKind;
    if let Ok(extended) = code.parse::<u32>()
        && code.len() < 5
    {
        match extended & 0xff {
            SQLITE_BUSY | SQLITE_LOCKED | SQLITE_FULL => return DbError::Busy(error),
            SQLITE_IOERR => return DbError::Disk(error),
            _ => {}
        }
    }
    match (code, kind) {
        // Serialisation failure, deadlock, lock not available, statement timeout, too many connections, disk full.
        ("40001" | "40P01" | "55P03" | "57014" | "53300" | "53100", _) => DbError::Busy(error),
        // Shutdown, crash and start-up of the server.
        ("57P01" | "57P02" | "57P03", _) => DbError::NotReachable(error),
        ("58030", _) => DbError::Disk(error),
        (
            _,
            ErrorKind::UniqueViolation
            | ErrorKind::ForeignKeyViolation
            | ErrorKind::NotNullViolation
            | ErrorKind::CheckViolation,
        ) => DbError::Conflict(error),
        _ => DbError::Other(error),
    }
}
