//! Sessions of browsers. They are in memory alone, so a restart ends them; each stands for an API key and is nothing without it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::keys::hash;

/// The longest life of a session.
pub(super) const LIFE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// A session with which nothing is asked for so long ends.
const IDLE_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// Beyond so many of one key, the one of them that was not used for longest ends.
const OF_ONE_KEY_MAX: usize = 64;
/// In all: as many as all keys that can be made may have.
const SESSIONS_MAX: usize = 256 * OF_ONE_KEY_MAX;
const RANDOM_BYTES: usize = 32;

/// The sessions that have begun.
pub(crate) struct Sessions {
    /// By the hash of the cookie, which itself is nowhere.
    by_cookie: Mutex<HashMap<[u8; 32], Session>>,
    /// Whether the world reaches the gateway by https.
    secure: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    key_sha256: [u8; 32],
    begun: Instant,
    used: Instant,
}

impl Session {
    fn lasts(&self, now: Instant) -> bool {
        now < self.begun + LIFE_MAX && now < self.used + IDLE_MAX
    }
}

/// How long a session still lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// Of which key it is.
    pub(super) key_sha256: [u8; 32],
    pub(super) life: Duration,
    pub(super) idle: Duration,
}

impl Sessions {
    pub(crate) fn new(public_url: Option<&str>) -> Self {
        let sessions = Self { by_cookie: Mutex::default(), secure: AtomicBool::default() };
        sessions.put(public_url);
        sessions
    }

    /// Goes by another URL from now on.
    pub(crate) fn put(&self, public_url: Option<&str>) {
        let secure = public_url.is_some_and(|url| url.starts_with("https://"));
        self.secure.store(secure, Ordering::Relaxed);
    }

    pub(super) fn secure(&self) -> bool {
        self.secure.load(Ordering::Relaxed)
    }

    /// Begins a session for a key, and gives its cookie.
    pub(super) fn begin(&self, key: &str) -> Result<String, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let mut cookie = String::with_capacity(2 * RANDOM_BYTES);
        for byte in random {
            write!(cookie, "{byte:02x}").expect("writing to a String cannot fail");
        }
        let (now, key_sha256) = (Instant::now(), hash(key));
        let mut sessions = self.sessions();
        make_room(&mut sessions, OF_ONE_KEY_MAX, now, |session| session.key_sha256 == key_sha256);
        make_room(&mut sessions, SESSIONS_MAX, now, |_| true);
        sessions.insert(hash(&cookie), Session { key_sha256, begun: now, used: now });
        Ok(cookie)
    }

    /// Uses a session; `None` when there is none with this cookie.
    pub(super) fn used(&self, cookie: &str) -> Option<Left> {
        let (now, cookie) = (Instant::now(), hash(cookie));
        let mut sessions = self.sessions();
        let session = sessions.get_mut(&cookie)?;
        if !session.lasts(now) {
            sessions.remove(&cookie);
            return None;
        }
        session.used = now;
        Some(Left { key_sha256: session.key_sha256, life: session.begun + LIFE_MAX - now, idle: IDLE_MAX })
    }

    /// Of which key the session with this cookie is, without using it.
    pub(super) fn key_of(&self, cookie: &str) -> Option<[u8; 32]> {
        let now = Instant::now();
        let sessions = self.sessions();
        sessions.get(&hash(cookie)).filter(|session| session.lasts(now)).map(|session| session.key_sha256)
    }

    /// Ends a session, if there is one with this cookie.
    pub(super) fn end(&self, cookie: &str) {
        self.sessions().remove(&hash(cookie));
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.by_cookie.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more among those that count, of which there may be `max`.
fn make_room(
    sessions: &mut HashMap<[u8; 32], Session>,
    max: usize,
    now: Instant,
    counts: impl Fn(&Session) -> bool,
) {
    let is_full = |sessions: &HashMap<_, _>| {
        sessions.len() >= max && sessions.values().filter(|session| counts(session)).count() >= max
    };
    if !is_full(sessions) {
        return;
    }
    sessions.retain(|_, session| session.lasts(now));
    if is_full(sessions) {
        let of_these = sessions.iter().filter(|(_, session)| counts(session));
        let oldest = of_these.min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash);
        oldest.map(|oldest| sessions.remove(&oldest));
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("open", &self.sessions().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
