use std::sync::atomic::{AtomicI64, Ordering};

use postroom_core::secret::Secret;
use postroom_openapi::{
    auth::Role,
    keys::{KeyOrigin, NewKey},
    port::ActionError,
    time,
};
use postroom_store::{Options, SqliteStore};
use tempfile::TempDir;

use super::{change::STORED_MAX, *};

const LIMITS: ApiLimits = ApiLimits { requests_per_second: 5, failures_per_minute: 3 };

/// Whose key it is, as a stranger is told.
fn owner(keys: &ApiKeys, key: &str) -> Option<Caller> {
    keys.let_in(key, None).ok()
}

/// Keys on a store in a folder of their own, by a clock that stands still unless it is moved.
struct Place {
    folder: TempDir,
    now: Arc<AtomicI64>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), now: Arc::new(AtomicI64::new(1_000)) }
    }

    async fn keys(&self, configured: &[config::ApiKey]) -> Arc<ApiKeys> {
        let (store, ..) = SqliteStore::open(Options::new(self.folder.path().join("postroom.db"))).unwrap();
        let now = Arc::clone(&self.now);
        let clock = Clock::new(move || Timestamp::from_unix_ms(now.load(Ordering::Relaxed)));
        Arc::new(ApiKeys::open(configured, LIMITS, Arc::new(store), clock).await.unwrap())
    }
}

fn configured(name: &str, key: &str, role: config::Role) -> config::ApiKey {
    config::ApiKey { name: name.to_owned(), role, key: Secret::new(key) }
}

fn ann_and_bob() -> [config::ApiKey; 2] {
    [
        configured("ann", "key-of-ann", config::Role::Admin),
        configured("bob", "key-of-bob", config::Role::Viewer),
    ]
}

fn ann() -> Caller {
    Caller::new("ann", Role::Admin)
}

fn new(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), role: Role::Operator, expires_at: None }
}

fn names(keys: &ApiKeys) -> Vec<String> {
    keys.list().into_iter().map(|key| key.name).collect()
}

#[tokio::test]
async fn a_key_opens_the_door_for_its_owner() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    for (key, name, role) in [("key-of-bob", "bob", Role::Viewer), ("key-of-ann", "ann", Role::Admin)] {
        let caller = owner(&keys, key).unwrap();
        assert_eq!((caller.name.as_str(), caller.role), (name, role));
    }
}

#[tokio::test]
async fn nobody_owns_a_wrong_key() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    for key in ["", "key-of-eve", "KEY-OF-ANN"] {
        assert!(owner(&keys, key).is_none());
    }
}

#[tokio::test]
async fn debug_output_shows_no_key() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    assert!(!format!("{keys:?}").contains("key-of"));
}

#[tokio::test]
async fn a_key_that_was_made_is_known_also_after_a_restart_until_it_is_revoked() {
    let place = Place::new();
    let keys = place.keys(&ann_and_bob()).await;
    let made = keys.create(new("ci"), &ann()).await.unwrap();
    keys.create(new("a"), &ann()).await.unwrap();
    assert_eq!(names(&keys), ["ann", "bob", "a", "ci"]);
    drop(keys);

    let keys = place.keys(&ann_and_bob()[..1]).await;
    let caller = owner(&keys, made.key.expose()).unwrap();
    assert_eq!((caller.name.as_str(), caller.role), ("ci", Role::Operator));
    let revoked = keys.revoke("ci", &ann()).await.unwrap().unwrap();
    assert_eq!((revoked.origin, revoked.created_by.as_deref()), (KeyOrigin::Store, Some("ann")));
    assert!(owner(&keys, made.key.expose()).is_none());
    assert!(keys.revoke("ci", &ann()).await.unwrap().is_none());
    drop(keys);
    assert_eq!(names(&*place.keys(&[]).await), ["a"]);
}

#[tokio::test]
async fn a_key_ends_when_it_expires() {
    let place = Place::new();
    let keys = place.keys(&[]).await;
    let until = |ms| NewKey { expires_at: Some(time::Timestamp::from_unix_ms(ms)), ..new("short") };
    let over = keys.create(until(1_000), &ann()).await.unwrap_err();
    assert!(matches!(over, ActionError::BadField { name: "expires_at", .. }), "{over:?}");
    let made = keys.create(until(2_000), &ann()).await.unwrap();
    place.now.store(1_999, Ordering::Relaxed);
    assert!(owner(&keys, made.key.expose()).is_some());
    place.now.store(2_000, Ordering::Relaxed);
    assert!(owner(&keys, made.key.expose()).is_none());
}

#[tokio::test]
async fn a_name_is_taken_once_and_the_configuration_keeps_its_keys() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    keys.create(new("ci"), &ann()).await.unwrap();
    for name in ["ci", "bob"] {
        let taken = keys.create(new(name), &ann()).await.unwrap_err();
        assert!(matches!(taken, ActionError::Conflict { .. }), "{taken:?}");
    }
    let refused = keys.revoke("bob", &ann()).await.unwrap_err();
    assert!(refused.to_string().contains("[[api_key]]"), "{refused}");
    assert!(owner(&keys, "key-of-bob").is_some());
}

#[tokio::test]
async fn another_configuration_changes_its_own_keys_only() {
    let place = Place::new();
    let keys = place.keys(&ann_and_bob()).await;
    let made = keys.create(new("ci"), &ann()).await.unwrap();
    place.now.store(5_000, Ordering::Relaxed);
    assert!(owner(&keys, "key-of-bob").is_some());
    keys.put(&[configured("bob", "another-key-of-bob", config::Role::Operator)], LIMITS);
    assert_eq!(names(&keys), ["bob", "ci"]);
    assert_eq!(keys.list()[0].last_used_at, Some(time::Timestamp::from_unix_ms(5_000)), "of that name");
    assert!(owner(&keys, "key-of-ann").is_none() && owner(&keys, "key-of-bob").is_none());
    assert!(owner(&keys, "another-key-of-bob").is_some() && owner(&keys, made.key.expose()).is_some());
}

#[tokio::test]
async fn the_last_use_outlives_a_restart() {
    let place = Place::new();
    let keys = place.keys(&ann_and_bob()).await;
    place.now.store(7_000, Ordering::Relaxed);
    assert!(owner(&keys, "key-of-ann").is_some());
    keys.keep_uses_now().await;
    drop(keys);
    let used: Vec<_> = place.keys(&ann_and_bob()).await.list().iter().map(|key| key.last_used_at).collect();
    assert_eq!(used, [Some(time::Timestamp::from_unix_ms(7_000)), None]);
}

#[tokio::test]
async fn there_is_a_bound_on_keys() {
    let keys = Place::new().keys(&[]).await;
    for number in 0..STORED_MAX {
        keys.create(new(&format!("key-{number}")), &ann()).await.unwrap();
    }
    let refused = keys.create(new("one-more"), &ann()).await.unwrap_err();
    assert!(matches!(refused, ActionError::Conflict { .. }), "{refused:?}");
}

fn somewhere() -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, 1]))
}

fn is_slowed_down(refused: &Result<Caller, AccessRefusal>) -> bool {
    matches!(refused, Err(AccessRefusal::TooManyFailures { .. }))
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_and_nobody_else() {
    let long = configured("long", "a-key-that-nobody-guesses", config::Role::Viewer);
    let keys = Place::new().keys(&[long, configured("short", "guess-me", config::Role::Viewer)]).await;
    for _ in 0..LIMITS.failures_per_minute {
        assert_eq!(keys.let_in("wrong", somewhere()).unwrap_err(), AccessRefusal::Unknown);
    }
    assert!(is_slowed_down(&keys.let_in("wrong", somewhere())));
    assert!(keys.let_in("a-key-that-nobody-guesses", somewhere()).is_ok(), "behind the same address");
    assert!(is_slowed_down(&keys.let_in("guess-me", somewhere())), "this is how it would be guessed");
    assert!(keys.let_in("guess-me", None).is_ok());
}

#[tokio::test]
async fn a_good_key_counts_as_no_failure() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    for _ in 0..LIMITS.requests_per_second {
        assert!(keys.let_in("key-of-ann", somewhere()).is_ok());
    }
    assert_eq!(keys.let_in("wrong", somewhere()).unwrap_err(), AccessRefusal::Unknown);
}

#[tokio::test]
async fn a_key_that_asks_too_much_waits_and_the_others_do_not() {
    let place = Place::new();
    let keys = place.keys(&ann_and_bob()).await;
    for _ in 0..LIMITS.requests_per_second {
        assert!(keys.let_in("key-of-ann", None).is_ok());
    }
    let refused = keys.let_in("key-of-ann", None).unwrap_err();
    assert_eq!(refused, AccessRefusal::TooManyRequests { retry_after: Duration::from_millis(200) });
    assert!(keys.let_in("key-of-bob", None).is_ok());
    // Another configuration with the same limit forgets nothing; another limit begins anew.
    keys.put(&ann_and_bob(), LIMITS);
    assert!(keys.let_in("key-of-ann", None).is_err());
    keys.put(&ann_and_bob(), ApiLimits { requests_per_second: 7, ..LIMITS });
    let passed = (0..9).filter(|_| keys.let_in("key-of-ann", None).is_ok()).count();
    assert_eq!(passed, 7);
}

#[tokio::test]
async fn whoever_looks_at_a_key_does_not_use_it() {
    let keys = Place::new().keys(&ann_and_bob()).await;
    for _ in 0..=LIMITS.requests_per_second.max(LIMITS.failures_per_minute) {
        assert!(keys.stands("key-of-ann") && !keys.stands("wrong"));
    }
    assert_eq!(keys.list()[0].last_used_at, None);
    assert!(keys.let_in("key-of-ann", somewhere()).is_ok());
    assert_eq!(keys.let_in("wrong", somewhere()).unwrap_err(), AccessRefusal::Unknown);
}
