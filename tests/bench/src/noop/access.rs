//! It knows nobody.

use std::net::IpAddr;

use postroom_openapi::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    port::{Access, AccessRefusal, ActionError, ReadError},
    session::{NewSession, Session},
};

use super::{Noop, empty};

impl Access for Noop {
    async fn authenticate(&self, _: &Credential, _: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        Err(AccessRefusal::Unknown)
    }

    async fn authenticate_session(&self, _: &Credential) -> Result<Caller, AccessRefusal> {
        Err(AccessRefusal::Unknown)
    }

    async fn still_stands(&self, _: &Credential) -> bool {
        false
    }

    async fn session_still_stands(&self, _: &Credential) -> bool {
        false
    }

    async fn begin_session(&self, _: &Credential, _: &Caller) -> Result<NewSession, ActionError> {
        Err(ActionError::Unavailable { reason: "nothing is kept".to_owned() })
    }

    async fn session(&self, _: &Credential) -> Option<Session> {
        None
    }

    async fn end_session(&self, _: &Credential) -> Option<Session> {
        None
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        Ok(Vec::new())
    }

    async fn create_key(&self, _: NewKey, _: &Caller) -> Result<CreatedKey, ActionError> {
        Err(ActionError::Unavailable { reason: "nothing is kept".to_owned() })
    }

    async fn revoke_key(&self, _: &str, _: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        Ok(None)
    }

    async fn audit(&self, _: NewAuditEntry) {}

    async fn audit_log(&self, _: AuditFilter, _: PageRequest) -> Result<Page<AuditEntry>, ReadError> {
        Ok(empty())
    }
}
