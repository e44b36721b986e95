//! What the directory keeps, and what it forgets.

use std::sync::Arc;

use chrono::TimeDelta;

use super::*;
use crate::kernel::{
    clock::{Clock as _, ManualClock},
    db::DbOptions,
    random::SystemRandom,
    secret::KeyRing,
};

struct Node {
    directory: Arc<Directory>,
    ambient: Ambient,
    db: Db,
    _folder: tempfile::TempDir,
}

async fn node(options: DirectoryOptions) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let now = clock.now();
    let ambient = Ambient::new(Arc::new(clock), Arc::new(SystemRandom));
    let db = Db::connect(&DbOptions {
        url: format!("sqlite://{}", folder.path().join("a.db").display()),
        connections_max: 2,
        acquire_timeout: std::time::Duration::from_secs(5),
    })
    .await
    .unwrap();
    let context = Context {
        db: db.clone(),
        ambient: ambient.clone(),
        keys: Arc::new(KeyRing::of([1; 32], now)),
        public_url: "http://localhost".into(),
        limits_on: false,
    };
    Node {
        directory: Directory::start(&context, options),
        ambient,
        db,
        _folder: folder,
    }
}

fn face(ambient: &Ambient, slug: Option<&str>) -> (Face, Arc<Target>) {
    let face = Face {
        link_id: ambient.id(),
        code: Code::fresh(ambient),
        slug: slug.and_then(Slug::read),
        account_id: ambient.id(),
        program_id: ambient.id(),
        url: "https://shop.example.com/p".to_owned(),
        status: LinkStatus::Active,
    };
    let target = Arc::new(target_of(&face).unwrap());
    (face, target)
}

fn is_held(directory: &Directory, name: &str) -> bool {
    matches!(
        directory.remembered(&Name::read(name).unwrap()),
        Some(Remembered::Link(_))
    )
}

#[tokio::test]
async fn what_is_announced_is_forgotten() {
    let Node {
        directory,
        ambient,
        db,
        ..
    } = node(DirectoryOptions::default()).await;
    let seen = directory.generation.load(Ordering::SeqCst);
    let (by_code, target) = face(&ambient, Some("mai-summer"));
    directory.keep(seen, &by_code, &target);
    let (other, target) = face(&ambient, None);
    directory.keep(seen, &other, &target);
    let (stays, target) = face(&ambient, None);
    directory.keep(seen, &stays, &target);
    assert!(is_held(&directory, "MAI-summer"));

    db.hear(
        TOPIC_LINKS,
        &format!("tkd_any {} {}", by_code.code, other.code),
    );
    assert!(!is_held(&directory, &by_code.code.to_string()));
    assert!(!is_held(&directory, "mai-summer"));
    assert!(!is_held(&directory, &other.code.to_string()));
    assert!(is_held(&directory, &stays.code.to_string()));
}

#[tokio::test]
async fn a_row_read_before_an_announcement_is_not_kept_after_it() {
    let Node {
        directory, ambient, ..
    } = node(DirectoryOptions::default()).await;
    let (link, target) = face(&ambient, None);
    let seen = directory.generation.load(Ordering::SeqCst);
    directory.forget(TOPIC_LINKS, &format!("tkd_any {}", link.code));
    directory.keep(seen, &link, &target);
    assert!(!is_held(&directory, &link.code.to_string()));

    let seen = directory.generation.load(Ordering::SeqCst);
    directory.forget(TOPIC_LINK, "some-slug");
    directory.keep_unknown(seen, &Name::read("some-slug").unwrap());
    assert!(
        directory
            .remembered(&Name::read("some-slug").unwrap())
            .is_none()
    );
}

#[tokio::test]
async fn a_new_slug_is_no_longer_unknown() {
    let Node { directory, .. } = node(DirectoryOptions::default()).await;
    let name = Name::read("some-slug").unwrap();
    directory.keep_unknown(0, &name);
    assert!(matches!(
        directory.remembered(&name),
        Some(Remembered::Unknown)
    ));
    directory.forget(TOPIC_LINK, "some-slug");
    assert!(directory.remembered(&name).is_none());
}

#[tokio::test]
async fn it_never_holds_more_than_it_may() {
    let options = DirectoryOptions {
        links_max: 10,
        unknown_max: 3,
    };
    let Node {
        directory, ambient, ..
    } = node(options).await;
    for number in 0..100 {
        let (link, target) = face(&ambient, Some(&format!("slug-{number}")));
        directory.keep(0, &link, &target);
        directory.keep_unknown(0, &Name::read(&format!("none-{number}")).unwrap());
        assert!(directory.len() <= 10 && directory.slugs.len() <= 10);
        assert!(directory.unknown.len() <= 3);
        assert!(is_held(&directory, &link.code.to_string()));
    }
}

#[test]
fn a_node_that_hears_nothing_does_not_trust_itself() {
    let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let heard = at.timestamp_micros();
    let later = |seconds| at + TimeDelta::seconds(seconds);
    assert!(!is_deaf(Engine::Postgres, heard, later(5)));
    assert!(is_deaf(Engine::Postgres, heard, later(6)));
    assert!(!is_deaf(Engine::Sqlite, heard, later(6000)));
}
