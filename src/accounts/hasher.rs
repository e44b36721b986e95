//! Argon2id behind a turnstile.
//!
//! A hash takes 64 MiB and a tenth of a second of one core. So at most two run at once, off the async workers; at most
//! 32 callers wait for their turn, in order, and the next is told to come back. The permits travel into the hashing
//! thread as well: a caller that hangs up frees its place in the queue, but a hash that runs counts until it is done.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::{error::AccountsError, model::Password, rules};
use crate::kernel::{ambient::Ambient, digest::same};

/// Hashes that run at once.
const RUNNING_MAX: usize = 2;

/// Callers that wait for their turn.
const WAITING_MAX: usize = 32;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 64 MiB, three passes, one lane: above OWASP's floor, near RFC 9106's second choice.
    fn default() -> Self {
        Self {
            memory_kib: 65_536,
            passes: 3,
            lanes: 1,
        }
    }
}

impl PasswordCost {
    /// The least that the algorithm allows, for tests that are not about passwords.
    #[must_use]
    pub fn cheapest() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The password is right; `outdated` when it was hashed at another cost than today's.
    Right { outdated: bool },
    /// It is not, or there was nothing to compare with.
    Wrong,
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub(super) struct Hasher {
    params: Params,
    ambient: Ambient,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    dummy: String,
    hashes: AtomicU64,
}

/// A turn at hashing, held until the hash is done.
#[derive(Debug)]
pub(super) struct Turn {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl Hasher {
    pub(super) fn new(cost: PasswordCost, ambient: Ambient) -> Result<Self, AccountsError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT_BYTES));
        let params = params.map_err(|_| AccountsError::Unreadable)?;
        // Random bytes in place of a hash: no password has them, and checking against them costs the same.
        let dummy = phc(&params, &ambient.bytes(), &ambient.bytes::<OUTPUT_BYTES>())?;
        Ok(Self {
            params,
            ambient,
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            admitted: Arc::new(Semaphore::new(RUNNING_MAX + WAITING_MAX)),
            dummy,
            hashes: AtomicU64::new(0),
        })
    }

    /// Waits for a turn, or is told at once that the queue is full.
    pub(super) async fn turn(&self) -> Result<Arc<Turn>, AccountsError> {
        let admitted = self.admitted.clone().try_acquire_owned();
        let admitted = admitted.map_err(|_| AccountsError::Busy)?;
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| AccountsError::Busy)?;
        Ok(Arc::new(Turn {
            _running: running,
            _admitted: admitted,
        }))
    }

    /// A fresh hash of `password`, as a PHC string.
    pub(super) async fn hash(
        &self,
        turn: &Arc<Turn>,
        password: &Password,
    ) -> Result<String, AccountsError> {
        let salt: [u8; SALT_BYTES] = self.ambient.bytes();
        let output = self
            .run(turn, password, self.params.clone(), salt.to_vec())
            .await?;
        phc(&self.params, &salt, output.as_slice())
    }

    /// Compares `password` with a stored hash, at the cost that the hash names. Without one, with a dummy of today's.
    pub(super) async fn verify(
        &self,
        turn: &Arc<Turn>,
        password: &Password,
        stored: Option<&str>,
    ) -> Result<Verdict, AccountsError> {
        let text = stored.unwrap_or(&self.dummy);
        let phc = PasswordHash::new(text).map_err(|_| AccountsError::Unreadable)?;
        let params = Params::try_from(&phc).map_err(|_| AccountsError::Unreadable)?;
        let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
            return Err(AccountsError::Unreadable);
        };
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let outdated = cost(&params) != cost(&self.params);
        let output = self.run(turn, password, params, salt.to_vec()).await?;
        let right = same(&output, expected.as_bytes()) && stored.is_some();
        Ok(if right {
            Verdict::Right { outdated }
        } else {
            Verdict::Wrong
        })
    }

    /// Hashes run since the start, for the test that an unknown address costs as many.
    pub(super) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::SeqCst)
    }

    async fn run(
        &self,
        turn: &Arc<Turn>,
        password: &Password,
        params: Params,
        salt: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, AccountsError> {
        self.hashes.fetch_add(1, Ordering::SeqCst);
        let turn = Arc::clone(turn);
        let plain = Zeroizing::new(rules::hashed_form(password.expose()));
        let hashing = tokio::task::spawn_blocking(move || {
            let length = params.output_len().unwrap_or(OUTPUT_BYTES);
            let mut output = Zeroizing::new(vec![0; length]);
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let done = argon2.hash_password_into(plain.as_bytes(), &salt, &mut output);
            drop(turn);
            done.map(|()| output)
        });
        match hashing.await {
            Ok(Ok(output)) => Ok(output),
            // Memory ran out, or the task was killed: nobody gets in by that.
            Ok(Err(_)) | Err(_) => Err(AccountsError::Busy),
        }
    }
}

const OUTPUT_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

fn phc(params: &Params, salt: &[u8; SALT_BYTES], output: &[u8]) -> Result<String, AccountsError> {
    let unreadable = |_| AccountsError::Unreadable;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|_| AccountsError::Unreadable)?,
        salt: Some(Salt::new(salt).map_err(unreadable)?),
        hash: Some(Output::new(output).map_err(unreadable)?),
    }
    .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(PasswordCost::cheapest(), Ambient::system()).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn verify(hasher: &Hasher, text: &str, stored: Option<&str>) -> Verdict {
        let turn = hasher.turn().await.unwrap();
        hasher.verify(&turn, &password(text), stored).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_whole_password_is_right() {
        let hasher = hasher();
        let long = "x".repeat(rules::PASSWORD_BYTES_MAX - 1);
        let stored = hasher
            .hash(
                &hasher.turn().await.unwrap(),
                &password(&format!("{long}y")),
            )
            .await
            .unwrap();
        assert_eq!(
            verify(&hasher, &format!("{long}y"), Some(&stored)).await,
            Verdict::Right { outdated: false }
        );
        assert_eq!(
            verify(&hasher, &format!("{long}z"), Some(&stored)).await,
            Verdict::Wrong
        );
        assert_eq!(verify(&hasher, &long, Some(&stored)).await, Verdict::Wrong);
        assert_eq!(
            verify(&hasher, &format!(" {long}y"), Some(&stored)).await,
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn both_spellings_of_an_accent_are_one_password() {
        let hasher = hasher();
        let stored = hasher
            .hash(
                &hasher.turn().await.unwrap(),
                &password("tu\u{0301}i xách của Mai"),
            )
            .await
            .unwrap();
        assert_eq!(
            verify(&hasher, "túi xách của Mai", Some(&stored)).await,
            Verdict::Right { outdated: false }
        );
        assert_eq!(
            verify(&hasher, "tui xach cua Mai", Some(&stored)).await,
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_made_at_another_cost_is_right_and_outdated() {
        let (cheap, dear) = (hasher(), {
            let cost = PasswordCost {
                passes: 2,
                ..PasswordCost::cheapest()
            };
            Hasher::new(cost, Ambient::system()).unwrap()
        });
        let stored = cheap
            .hash(&cheap.turn().await.unwrap(), &password("a quiet harbour"))
            .await
            .unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{stored}"
        );
        assert_eq!(
            verify(&dear, "a quiet harbour", Some(&stored)).await,
            Verdict::Right { outdated: true }
        );
    }

    #[tokio::test]
    async fn an_unknown_address_costs_one_hash_of_the_present_cost() {
        let hasher = hasher();
        assert_eq!(
            verify(&hasher, "a quiet harbour", None).await,
            Verdict::Wrong
        );
        assert_eq!(hasher.hashes(), 1);
        let dummy = PasswordHash::new(&hasher.dummy).unwrap();
        let params = Params::try_from(&dummy).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (8, 1, 1)
        );
    }

    #[tokio::test]
    async fn the_default_cost_is_64_mib_in_three_passes() {
        let hasher = Hasher::new(PasswordCost::default(), Ambient::system()).unwrap();
        assert!(hasher.dummy.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
    }

    #[tokio::test]
    async fn two_run_32_wait_and_the_next_is_sent_away() {
        let hasher = Arc::new(hasher());
        let running = [hasher.turn().await.unwrap(), hasher.turn().await.unwrap()];
        let mut waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.turn().await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(hasher.turn().await, Err(AccountsError::Busy)));
        // One who hangs up frees a place.
        let gone = waiting.pop().unwrap();
        gone.abort();
        assert!(gone.await.is_err());
        let late = {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.turn().await.map(drop) })
        };
        tokio::task::yield_now().await;
        drop(running);
        for turn in waiting {
            turn.await.unwrap().unwrap();
        }
        late.await.unwrap().unwrap();
        assert!(hasher.turn().await.is_ok());
    }
}
