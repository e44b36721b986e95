//! What a redirect needs, in memory: codes and slugs to targets, programs to their current version.
//!
//! **Dead means dead.** A takedown, a suspension or new terms are announced in their transaction; right after the commit
//! and before its caller is answered, [`Directory::forget`] drops what it touches. A reader that missed before the
//! commit may still hold the old row, so every read notes the generation first and keeps what it read only if no
//! announcement came in between. Noting, keeping and dropping share one short lock; hits take none.
//!
//! **Other nodes** hear by reading the outbox. A node on PostgreSQL that has not managed to do so for
//! [`DEAF_AFTER`] no longer trusts its memory and asks the database each time.
//!
//! **Bounds.** Links, slugs and unknown names have a maximum each; a full map is emptied and fills again from the reads
//! that follow. A code that fails its check symbol is refused without a read, so only 1 of 23 made-up codes costs one.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::TimeDelta;
use papaya::{HashMap, HashSet};

use super::{
    code::Code,
    landing::Landing,
    model::LinkStatus,
    slug::Slug,
    store::{self, Face},
};
use crate::{
    catalogue,
    kernel::{
        ambient::Ambient,
        clock::Instant,
        context::Context,
        db::{Db, DbError, Engine},
        host::WebUrl,
        ids::{AccountId, LinkId, ProgramId},
    },
};

/// Topic of a new link with a slug, which is the subject: somebody may have asked for the slug before. A fresh code is
/// random, so nobody has asked for it and nothing is announced.
pub const TOPIC_LINK: &str = "link";
/// Topic of an act on links; the subject is the act and then up to some hundred codes, parted by blanks. An act on more
/// makes several announcements.
pub const TOPIC_LINKS: &str = "links";
/// Topic of a program with new terms; announced by the catalogue, the subject is the program.
const TOPIC_PROGRAM: &str = "program";

/// What the worker says each time it has read the outbox.
const TOPIC_OUTBOX: &str = "outbox";

/// How long a node may go without reading the outbox before it asks the database for every redirect.
const DEAF_AFTER: TimeDelta = TimeDelta::seconds(5);

/// How much the directory may hold.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryOptions {
    /// Links, and as many slugs.
    pub links_max: usize,
    /// Names known to belong to no link.
    pub unknown_max: usize,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self {
            links_max: 1_000_000,
            unknown_max: 100_000,
        }
    }
}

/// A link as a redirect sees it.
#[derive(Debug)]
pub struct Target {
    /// The link.
    pub link_id: LinkId,
    /// Whose link it is.
    pub owner: AccountId,
    /// The program it promotes.
    pub program_id: ProgramId,
    /// Only `active` redirects.
    pub status: LinkStatus,
    /// Where it goes.
    pub landing: Landing,
}

/// What stands behind an address.
#[derive(Debug, Clone)]
pub struct Found {
    /// The link.
    pub target: Arc<Target>,
    /// The version of its program's terms that stands now.
    pub terms_version: i64,
}

/// The text of an address, understood.
#[derive(Debug, Clone)]
enum Name {
    Code(Code),
    Slug(Slug),
}

/// The memory under the redirect. Shared by all workers.
pub struct Directory {
    db: Db,
    ambient: Ambient,
    options: DirectoryOptions,
    links: HashMap<u64, Arc<Target>>,
    slugs: HashMap<Slug, u64>,
    unknown: HashSet<String>,
    versions: HashMap<ProgramId, i64>,
    generation: AtomicU64,
    keeping: Mutex<()>,
    heard_at: AtomicI64,
}

impl Directory {
    /// An empty directory that listens to the announcements of `ctx.db` from now on.
    #[must_use]
    pub fn start(ctx: &Context, options: DirectoryOptions) -> Arc<Self> {
        let directory = Arc::new(Self {
            db: ctx.db.clone(),
            ambient: ctx.ambient.clone(),
            options,
            links: HashMap::new(),
            slugs: HashMap::new(),
            unknown: HashSet::new(),
            versions: HashMap::new(),
            generation: AtomicU64::new(0),
            keeping: Mutex::new(()),
            heard_at: AtomicI64::new(ctx.ambient.now().timestamp_micros()),
        });
        // A weak hold: the database outlives nothing, and must not keep the directory alive.
        let listening = Arc::downgrade(&directory);
        ctx.db.listen(Arc::new(move |topic, subject| {
            if let Some(directory) = listening.upgrade() {
                directory.forget(topic, subject);
            }
        }));
        directory
    }

    /// The link behind `address`, a code in any spelling or a slug, with its program's terms as of now.
    pub async fn find(&self, address: &str, now: Instant) -> Result<Option<Found>, DbError> {
        let Some(name) = Name::read(address) else {
            return Ok(None);
        };
        let trusts_memory = !is_deaf(self.db.engine(), self.heard_at.load(Ordering::Relaxed), now);
        let target = match trusts_memory.then(|| self.remembered(&name)).flatten() {
            Some(Remembered::Link(target)) => target,
            Some(Remembered::Unknown) => return Ok(None),
            None => match self.read(&name).await? {
                Some(target) => target,
                None => return Ok(None),
            },
        };
        let remembered = if trusts_memory {
            self.versions.pin().get(&target.program_id).copied()
        } else {
            None
        };
        let terms_version = match remembered {
            Some(version) => version,
            None => self.read_version(target.program_id).await?,
        };
        Ok(Some(Found {
            target,
            terms_version,
        }))
    }

    /// Links held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether no link is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Drops what an announcement touches. Called by the database's listener; never blocks on more than a map write.
    pub fn forget(&self, topic: &str, subject: &str) {
        match topic {
            TOPIC_LINK => self.forget_name(subject),
            TOPIC_LINKS => self.forget_codes(subject),
            TOPIC_OUTBOX => {
                self.heard_at
                    .fetch_max(self.ambient.now().timestamp_micros(), Ordering::SeqCst);
            }
            TOPIC_PROGRAM => {
                if let Ok(program_id) = subject.parse::<ProgramId>() {
                    let _keeping = self.next_generation();
                    self.versions.pin().remove(&program_id);
                }
            }
            _ => {}
        }
    }

    /// Drops the links of an act, and nothing else. A slug leads to its code and finds nothing there.
    fn forget_codes(&self, subject: &str) {
        let _keeping = self.next_generation();
        let links = self.links.pin();
        for code in subject.split(' ').skip(1).filter_map(Code::read) {
            links.remove(&code.value());
        }
    }

    fn forget_name(&self, subject: &str) {
        let Some(name) = Name::read(subject) else {
            return;
        };
        let _keeping = self.next_generation();
        self.unknown.pin().remove(&name.text());
        if let Name::Code(code) = name {
            self.links.pin().remove(&code.value());
        }
    }

    fn next_generation(&self) -> MutexGuard<'_, ()> {
        let keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        keeping
    }

    /// The lock under which something read in generation `seen` may be kept; `None` when it may be stale already.
    fn still(&self, seen: u64) -> Option<MutexGuard<'_, ()>> {
        let keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        (self.generation.load(Ordering::SeqCst) == seen).then_some(keeping)
    }

    fn remembered(&self, name: &Name) -> Option<Remembered> {
        let value = match name {
            Name::Code(code) => Some(code.value()),
            Name::Slug(slug) => self.slugs.pin().get(slug).copied(),
        };
        let target = value.and_then(|value| self.links.pin().get(&value).cloned());
        if let Some(target) = target {
            return Some(Remembered::Link(target));
        }
        self.unknown
            .pin()
            .contains(&name.text())
            .then_some(Remembered::Unknown)
    }

    async fn read(&self, name: &Name) -> Result<Option<Arc<Target>>, DbError> {
        let seen = self.generation.load(Ordering::SeqCst);
        let link = match name {
            Name::Code(code) => store::face_by_code(&self.db, *code).await?,
            Name::Slug(slug) => store::face_by_slug(&self.db, slug).await?,
        };
        let Some(link) = link else {
            self.keep_unknown(seen, name);
            return Ok(None);
        };
        let target = Arc::new(target_of(&link)?);
        self.keep(seen, &link, &target);
        Ok(Some(target))
    }

    fn keep(&self, seen: u64, link: &Face, target: &Arc<Target>) {
        let Some(_keeping) = self.still(seen) else {
            return;
        };
        let links = self.links.pin();
        if links.len() >= self.options.links_max {
            links.clear();
            self.slugs.pin().clear();
        }
        links.insert(link.code.value(), Arc::clone(target));
        if let Some(slug) = &link.slug {
            self.slugs.pin().insert(slug.clone(), link.code.value());
        }
    }

    fn keep_unknown(&self, seen: u64, name: &Name) {
        let Some(_keeping) = self.still(seen) else {
            return;
        };
        let unknown = self.unknown.pin();
        if unknown.len() >= self.options.unknown_max {
            unknown.clear();
        }
        unknown.insert(name.text());
    }

    async fn read_version(&self, program_id: ProgramId) -> Result<i64, DbError> {
        let seen = self.generation.load(Ordering::SeqCst);
        let program = catalogue::program_by_id(&self.db, program_id).await?;
        let program = program
            .ok_or_else(|| DbError::Broken(format!("a link of no program: {program_id}")))?;
        if let Some(_keeping) = self.still(seen) {
            let versions = self.versions.pin();
            if versions.len() >= self.options.links_max {
                versions.clear();
            }
            versions.insert(program_id, program.version);
        }
        Ok(program.version)
    }
}

/// SQLite has one node, which hears itself; others are deaf when the outbox has not been read for too long.
fn is_deaf(engine: Engine, heard_at: i64, now: Instant) -> bool {
    let silence = TimeDelta::microseconds(now.timestamp_micros().saturating_sub(heard_at));
    engine == Engine::Postgres && silence > DEAF_AFTER
}

enum Remembered {
    Link(Arc<Target>),
    Unknown,
}

fn target_of(link: &Face) -> Result<Target, DbError> {
    let broken = |_| DbError::Broken(format!("the target of {} does not read", link.link_id));
    let url = WebUrl::parse(&link.url).map_err(broken)?;
    Ok(Target {
        link_id: link.link_id,
        owner: link.account_id,
        program_id: link.program_id,
        status: link.status,
        landing: Landing::of(&url),
    })
}

impl Name {
    fn read(address: &str) -> Option<Self> {
        match Code::read(address) {
            Some(code) => Some(Self::Code(code)),
            None => Slug::read(address).map(Self::Slug),
        }
    }

    /// One spelling for one name; codes are upper case and slugs are not, so the two never meet.
    fn text(&self) -> String {
        match self {
            Self::Code(code) => code.to_string(),
            Self::Slug(slug) => slug.to_string(),
        }
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("links", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
