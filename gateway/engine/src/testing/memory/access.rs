//! Who may use the API is no matter of the engine's.

use futures_util::future::BoxFuture;
use postroom_store::{
    Access, AuditEntry, AuditFilter, AuditRecord, KeyUse, Page, PageRequest, StoreError, StoredKey,
};

use super::{Memory, store::never_asked};

impl Access for Memory {
    fn api_keys(&self) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>> {
        never_asked()
    }

    fn add_api_key(&self, _: StoredKey) -> BoxFuture<'_, Result<bool, StoreError>> {
        never_asked()
    }

    fn remove_api_key(&self, _: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        never_asked()
    }

    fn key_uses(&self) -> BoxFuture<'_, Result<Vec<KeyUse>, StoreError>> {
        never_asked()
    }

    fn keep_key_uses(&self, _: Vec<KeyUse>) -> BoxFuture<'_, Result<(), StoreError>> {
        never_asked()
    }

    fn add_audit(&self, _: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>> {
        never_asked()
    }

    fn audit_log(
        &self,
        _: AuditFilter,
        _: PageRequest,
    ) -> BoxFuture<'_, Result<Page<AuditRecord>, StoreError>> {
        never_asked()
    }
}
