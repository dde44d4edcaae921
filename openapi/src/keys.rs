//! The resource `keys`: who may use the API.

use std::fmt;

use poem_openapi::{Enum, Object, OpenApi, Tags, param::Path, payload::Json, types::Example};

use crate::{
    auth::{AdminKey, Credential, Role},
    json_body::JsonBody,
    port::Gateway,
    problem::{Code, Failure},
    time::Timestamp,
};

/// Longest name of a key, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// In the configuration; only there it can be changed.
    Configuration,
    /// In the store: it was made by the API.
    Store,
}

/// An API key, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "ApiKeyInfo", skip_serializing_if_is_none, example)]
pub struct KeyInfo {
    /// Its name, by which the audit log and the gateway's log tell who did something.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Where it stands.
    pub origin: KeyOrigin,
    /// When it was made. Absent for a key of the configuration.
    pub created_at: Option<Timestamp>,
    /// The name of the key by which it was made. Absent for a key of the configuration.
    pub created_by: Option<String>,
    /// When it was used last; after a crash of the gateway up to a minute may be missing. Absent before the first time.
    pub last_used_at: Option<Timestamp>,
    /// From when on it is nobody's. Absent when it does not expire.
    pub expires_at: Option<Timestamp>,
}

impl Example for KeyInfo {
    fn example() -> Self {
        Self {
            name: "grafana".to_owned(),
            role: Role::Viewer,
            origin: KeyOrigin::Store,
            created_at: Some(Timestamp::from_unix_ms(1_790_000_000_000)),
            created_by: Some("me".to_owned()),
            last_used_at: Some(Timestamp::from_unix_ms(1_790_000_300_000)),
            expires_at: None,
        }
    }
}

/// All API keys: those of the configuration in its order, then the others by name.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "ApiKeyList")]
pub struct KeyList {
    /// The keys.
    pub items: Vec<KeyInfo>,
}

/// An API key to make.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "NewApiKey", skip_serializing_if_is_none, deny_unknown_fields, example)]
pub struct NewKey {
    /// What it is called: 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit. No other key may
    /// have the name.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// From when on it is nobody's. Absent: it does not expire.
    pub expires_at: Option<Timestamp>,
}

impl Example for NewKey {
    fn example() -> Self {
        Self { name: "grafana".to_owned(), role: Role::Viewer, expires_at: None }
    }
}

impl NewKey {
    fn check(&self) -> Result<(), Failure> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins = self.name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && self.name.chars().all(fits) && self.name.len() <= NAME_CHARS_MAX {
            return Ok(());
        }
        let detail = format!(
            "field `name`: use 1 to {NAME_CHARS_MAX} letters, digits, \"-\", \"_\" and \".\", beginning with a letter or \
             digit"
        );
        Err(Failure::new(Code::InvalidBody, detail))
    }
}

/// A key that was made, as the gateway gives it.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key itself. Nothing keeps it.
    pub key: Credential,
    /// All else.
    pub info: KeyInfo,
}

/// An API key that was just made: the only time that the key itself is shown.
#[derive(Object)]
#[oai(rename = "CreatedApiKey", skip_serializing_if_is_none)]
struct ShownKey {
    /// The key itself. It is shown this once, and kept nowhere: copy it to where it is needed.
    key: String,
    /// Its name.
    name: String,
    /// What it allows.
    role: Role,
    /// From when on it is nobody's. Absent when it does not expire.
    expires_at: Option<Timestamp>,
}

impl fmt::Debug for ShownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownKey").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Tags)]
enum Tag {
    /// Who may use the API, and what they did.
    Access,
}

/// The operations on API keys.
pub(crate) struct KeysApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/keys")]
impl<G: Gateway> KeysApi<G> {
    /// List API keys
    ///
    /// Needs the role admin. Gives those of the configuration and those that were made by the API, and when each was used.
    #[oai(path = "/", method = "get", operation_id = "listKeys", tag = "Tag::Access")]
    async fn list(&self, _key: AdminKey<G>) -> Result<Json<KeyList>, Failure> {
        Ok(Json(KeyList { items: self.0.keys().await? }))
    }

    /// Create an API key
    ///
    /// Needs the role admin. The answer has the key itself, 256 random bits, which nothing keeps: it cannot be shown again.
    /// It begins with `postroom_`, so that searches for secrets find it where it should not be.
    #[oai(path = "/", method = "post", operation_id = "createKey", tag = "Tag::Access")]
    async fn create(&self, key: AdminKey<G>, request: JsonBody<NewKey>) -> Result<Json<ShownKey>, Failure> {
        let new = request.0;
        new.check()?;
        key.0.note.object(format!("keys/{}", new.name));
        let CreatedKey { key, info } = self.0.create_key(new, &key.0).await?;
        let KeyInfo { name, role, expires_at, .. } = info;
        Ok(Json(ShownKey { key: key.expose().to_owned(), name, role, expires_at }))
    }

    /// Revoke an API key
    ///
    /// Needs the role admin. From the answer on the key is nobody's. One of the configuration is refused with 409: it goes
    /// with its `[[api_key]]`.
    #[oai(path = "/:name", method = "delete", operation_id = "revokeKey", tag = "Tag::Access")]
    async fn revoke(
        &self,
        key: AdminKey<G>,
        /// The key's name.
        name: Path<String>,
    ) -> Result<Json<KeyInfo>, Failure> {
        self.0.revoke_key(&name, &key.0).await?.map(Json).ok_or_else(|| Failure::not_found("API key"))
    }
}

#[cfg(test)]
mod tests;
