//! The API keys of the fake.

use std::{net::IpAddr, time::Duration};

use poem_openapi::types::Example as _;

use super::{ADMIN_KEY, API_KEY, Fake, OPERATOR_KEY};
use crate::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential, Role},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    port::{Access, AccessRefusal, ActionError, ReadError},
    session::{NewSession, Session},
};

impl Fake {
    /// The changes that were kept so far.
    pub(crate) fn audited(&self) -> Vec<NewAuditEntry> {
        self.0.audit.lock().unwrap().clone()
    }

    fn is_revoked(&self, credential: &Credential) -> bool {
        self.0.revoked.lock().unwrap().iter().any(|revoked| revoked == credential.expose())
    }
}

/// The cookie of an operator's session.
pub(crate) const SESSION: &str = "cookie-of-olga";
/// A wrong key, from an address that many came from.
pub(crate) const GUESSED_KEY: &str = "key-of-a-guesser";
/// The key of somebody who asks too much.
pub(crate) const BUSY_KEY: &str = "key-of-a-busy-one";
/// A key that the fake says it has made.
pub(crate) const FRESH_KEY: &str = "postroom_fresh";

impl Access for Fake {
    async fn authenticate(&self, key: &Credential, _: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        let retry_after = Duration::from_millis(1_200);
        if self.is_revoked(key) {
            return Err(AccessRefusal::Unknown);
        }
        match key.expose() {
            API_KEY => Ok(Caller::new("me", Role::Viewer)),
            OPERATOR_KEY => Ok(Caller::new("olga", Role::Operator)),
            ADMIN_KEY => Ok(Caller::new("ada", Role::Admin)),
            GUESSED_KEY => Err(AccessRefusal::TooManyFailures { retry_after }),
            BUSY_KEY => Err(AccessRefusal::TooManyRequests { retry_after }),
            _ => Err(AccessRefusal::Unknown),
        }
    }

    async fn authenticate_session(&self, cookie: &Credential) -> Result<Caller, AccessRefusal> {
        match cookie.expose() {
            SESSION => Ok(Caller::new("olga", Role::Operator).by_session()),
            _ => Err(AccessRefusal::Unknown),
        }
    }

    async fn still_stands(&self, key: &Credential) -> bool {
        self.remember("look at a key".to_owned());
        !self.is_revoked(key) && [API_KEY, OPERATOR_KEY, ADMIN_KEY].contains(&key.expose())
    }

    async fn session_still_stands(&self, cookie: &Credential) -> bool {
        self.remember("look at a session".to_owned());
        !self.is_revoked(cookie) && cookie.expose() == SESSION
    }

    async fn begin_session(&self, key: &Credential, by: &Caller) -> Result<NewSession, ActionError> {
        self.remember(format!("begin a session with {} by {}", key.expose(), by.name));
        Ok(NewSession {
            cookie: Credential::new(SESSION),
            life_max: Duration::from_secs(7200),
            secure: by.role == Role::Admin,
            session: Session { name: by.name.clone(), role: by.role, ..Session::example() },
        })
    }

    async fn session(&self, cookie: &Credential) -> Option<Session> {
        (cookie.expose() == SESSION).then(|| Session { name: "olga".to_owned(), ..Session::example() })
    }

    async fn end_session(&self, cookie: &Credential) -> Option<Session> {
        self.remember("end a session".to_owned());
        self.session(cookie).await
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        Ok(vec![KeyInfo::example()])
    }

    async fn create_key(&self, new: NewKey, by: &Caller) -> Result<CreatedKey, ActionError> {
        self.remember(format!("create {new:?} by {}", by.name));
        let NewKey { name, role, expires_at } = new;
        let info = KeyInfo { name, role, expires_at, ..KeyInfo::example() };
        Ok(CreatedKey { key: Credential::new(FRESH_KEY), info })
    }

    async fn revoke_key(&self, name: &str, by: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        self.remember(format!("revoke {name} by {}", by.name));
        Ok(Some(KeyInfo::example()).filter(|key| key.name == name))
    }

    fn audit(&self, entry: NewAuditEntry) -> impl Future<Output = ()> + Send {
        self.0.audit.lock().unwrap().push(entry);
        std::future::ready(())
    }

    async fn audit_log(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, ReadError> {
        self.remember(format!("{filter:?} {page:?}"));
        self.page(&page, |number| AuditEntry { id: number.to_string(), ..AuditEntry::example() })
    }
}
