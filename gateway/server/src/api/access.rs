//! Who may use the API, as the contract asks for it.

use std::net::IpAddr;

use postroom_openapi::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    port::{Access, AccessRefusal, ActionError, ReadError},
};

use super::{Api, audit, errors::unreadable, page_of, page_request, wire};

impl Access for Api {
    async fn authenticate(&self, key: &Credential, peer: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        self.0.keys.let_in(key.expose(), peer)
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
        let revoked = self.0.keys.revoke(name, by).await?;
        if let Some(info) = &revoked {
            by.note.before(audit::key(info));
        }
        Ok(revoked)
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
