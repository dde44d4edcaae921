//! The part of the gateway that cannot exist which knows who may use the API.

use std::net::IpAddr;

use super::NoGateway;
use crate::{
    audit::{AuditEntry, AuditFilter, NewAuditEntry},
    auth::{Caller, Credential},
    keys::{CreatedKey, KeyInfo, NewKey},
    page::{Page, PageRequest},
    port::{Access, AccessRefusal, ActionError, ReadError},
    session::{NewSession, Session},
};

impl Access for NoGateway {
    async fn authenticate(&self, _: &Credential, _: Option<IpAddr>) -> Result<Caller, AccessRefusal> {
        match *self {}
    }

    async fn authenticate_session(&self, _: &Credential) -> Result<Caller, AccessRefusal> {
        match *self {}
    }

    async fn still_stands(&self, _: &Credential) -> bool {
        match *self {}
    }

    async fn session_still_stands(&self, _: &Credential) -> bool {
        match *self {}
    }

    async fn begin_session(&self, _: &Credential, _: &Caller) -> Result<NewSession, ActionError> {
        match *self {}
    }

    async fn session(&self, _: &Credential) -> Option<Session> {
        match *self {}
    }

    async fn end_session(&self, _: &Credential) -> Option<Session> {
        match *self {}
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ReadError> {
        match *self {}
    }

    async fn create_key(&self, _: NewKey, _: &Caller) -> Result<CreatedKey, ActionError> {
        match *self {}
    }

    async fn revoke_key(&self, _: &str, _: &Caller) -> Result<Option<KeyInfo>, ActionError> {
        match *self {}
    }

    async fn audit(&self, _: NewAuditEntry) {
        match *self {}
    }

    async fn audit_log(&self, _: AuditFilter, _: PageRequest) -> Result<Page<AuditEntry>, ReadError> {
        match *self {}
    }
}
