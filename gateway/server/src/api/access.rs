//! Who may use the API, as the contract asks for it.

use std::{net::IpAddr, time::Duration};

use postroom_openapi::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    port::{Access, AccessRefusal, ActionError, ReadError},
    session::{NewSession, Session},
};

use super::{
    Api, audit,
    errors::unreadable,
    page_of, page_request,
    sessions::{LIFE_MAX, Left},
    wire,
};

impl Access for Api {
    async fn authenticate(&self, key: &Credential, peer: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        self.0.keys.let_in(key.expose(), peer)
    }

    async fn authenticate_session(&self, cookie: &Credential) -> Result<Caller, AccessRefusal> {
        let left = self.0.sessions.used(cookie.expose()).ok_or(AccessRefusal::Unknown)?;
        let let_in = self.0.keys.let_session_in(&left.key_sha256);
        if let Err(AccessRefusal::Unknown) = let_in {
            // Its key is nobody's any more.
            self.0.sessions.end(cookie.expose());
        }
        let_in
    }

    async fn still_stands(&self, key: &Credential) -> bool {
        self.0.keys.stands(key.expose())
    }

    async fn session_still_stands(&self, cookie: &Credential) -> bool {
        let key = self.0.sessions.key_of(cookie.expose());
        key.is_some_and(|sha256| self.0.keys.owner_of_session(&sha256).is_some())
    }

    async fn begin_session(&self, key: &Credential, by: &Caller) -> Result<NewSession, ActionError> {
        let cookie = self.0.sessions.begin(key.expose()).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes, no session begins");
            ActionError::Unavailable { reason: "the system gives no random bytes".to_owned() }
        })?;
        let left = self.0.sessions.used(&cookie);
        Ok(NewSession {
            cookie: Credential::new(cookie),
            life_max: LIFE_MAX,
            secure: self.0.sessions.secure(),
            session: self.session_of(by, left),
        })
    }

    async fn session(&self, cookie: &Credential) -> Option<Session> {
        let left = self.0.sessions.used(cookie.expose())?;
        let caller = self.0.keys.owner_of_session(&left.key_sha256)?;
        Some(self.session_of(&caller, Some(left)))
    }

    async fn end_session(&self, cookie: &Credential) -> Option<Session> {
        let session = self.session(cookie).await;
        // Streams that it reads find that out when they look the next time. Anybody may end a session as often as they like, so
        // it does not have everybody's streams look.
        self.0.sessions.end(cookie.expose());
        session
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        Ok(self.0.keys.list())
    }

    async fn create_key(&self, new: NewKey, by: &Caller) -> Result<CreatedKey, ActionError> {
        let created = self.0.keys.create(new, by).await?;
        by.note.after(audit::key(&created.info));
        Ok(created)
    }

    async fn revoke_key(&self, name: &str, by: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        // At once, and before anything waits for the store.
        if let Some(info) = self.0.keys.shut_out(name) {
            self.0.stream.keys_changed();
            by.note.before(audit::key(&info));
        }
        self.0.keys.revoke(name, by).await
    }

    fn audit(&self, entry: NewAuditEntry) -> impl Future<Output = ()> + Send {
        self.0.audit.keep(entry)
    }

    async fn audit_log(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>, ReadError> {
        let AuditFilter { who, operation, since, until } = filter;
        let (since, until) = (since.map(wire::instant), until.map(wire::instant));
        let filter = postroom_store::AuditFilter { who, operation, since, until };
        let found = self.0.store.audit_log(filter, page_request(page)?).await.map_err(unreadable)?;
        Ok(page_of(found, audit::shown))
    }
}

impl Api {
    fn session_of(&self, caller: &Caller, left: Option<Left>) -> Session {
        let now = self.0.clock.now();
        let moment = |time: Duration| wire::moment(now.plus(time));
        Session {
            name: caller.name.clone(),
            role: caller.role,
            expires_at: left.map(|left| moment(left.life)),
            idle_expires_at: left.map(|left| moment(left.idle.min(left.life))),
        }
    }
}
