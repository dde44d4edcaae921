//! The resource `session`: an API key for a browser, as a cookie.

use std::{fmt, time::Duration};

use poem::{
    Request,
    http::{HeaderMap, HeaderValue, header},
};
use poem_openapi::{
    Object, OpenApi, Tags,
    payload::{Json, Response},
    types::Example,
};

use crate::{
    audit::AuditVia,
    auth::{ApiKey, Credential, KeyOnly, Role, SESSION_COOKIE, session_cookie},
    port::Gateway,
    problem::{Code, Failure},
    time::Timestamp,
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Session {
    /// The name of the API key.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When the session ends at the latest. Absent when no session asks but the key itself.
    pub expires_at: Option<Timestamp>,
    /// When the session ends if nothing is asked with it until then. Absent likewise.
    pub idle_expires_at: Option<Timestamp>,
}

impl Example for Session {
    fn example() -> Self {
        Self {
            name: "me".to_owned(),
            role: Role::Operator,
            expires_at: Some(Timestamp::from_unix_ms(1_790_043_200_000)),
            idle_expires_at: Some(Timestamp::from_unix_ms(1_790_007_200_000)),
        }
    }
}

/// A session that has begun, as the gateway gives it.
pub struct NewSession {
    /// What the browser is to send from now on.
    pub cookie: Credential,
    /// How long it lasts at most.
    pub life_max: Duration,
    /// Whether the world reaches the gateway by https only.
    pub secure: bool,
    /// Whose it is.
    pub session: Session,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("session", &self.session).finish_non_exhaustive()
    }
}

impl NewSession {
    /// The `Set-Cookie` header. `by_tls` says that this request came by https.
    fn set_cookie(&self, by_tls: bool) -> String {
        let (cookie, seconds) = (self.cookie.expose(), self.life_max.as_secs());
        let secure = if self.secure || by_tls { "; Secure" } else { "" };
        format!("{SESSION_COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }
}

/// Whether a proxy says so. Anybody may say it, and does no more than make their own cookie stricter.
fn by_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

#[derive(Tags)]
enum Tag {
    /// Who may use the API, and what they did.
    Access,
}

/// The operations on the session of a browser.
pub(crate) struct SessionApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/session")]
impl<G: Gateway> SessionApi<G> {
    /// Begin a session
    ///
    /// Gives a browser a cookie that stands for the API key: `HttpOnly`, `SameSite=Strict`, and `Secure` behind https. It
    /// allows what the key allows, ends with the key, and ends by itself. A program sends the key and needs no session. A
    /// cookie that is sent along is not looked at; it is replaced.
    #[oai(path = "/", method = "post", operation_id = "createSession", tag = "Tag::Access")]
    async fn create(&self, key: KeyOnly<G>, request: &Request) -> Result<Response<Json<Session>>, Failure> {
        let KeyOnly { caller, key, .. } = key;
        let new = self.0.begin_session(&key, &caller).await?;
        let cookie = HeaderValue::try_from(new.set_cookie(by_tls(request.headers())));
        let cookie = cookie.map_err(|_| Failure::internal())?;
        Ok(Response::new(Json(new.session)).header(header::SET_COOKIE, cookie))
    }

    /// Get the session
    ///
    /// Says who asks, by a session or by an API key, and how long a session lasts.
    #[oai(path = "/", method = "get", operation_id = "getSession", tag = "Tag::Access")]
    async fn get(&self, key: ApiKey<G>, request: &Request) -> Result<Json<Session>, Failure> {
        let by_session = key.0.via == AuditVia::Session;
        let session = match session_cookie(request.headers()).filter(|_| by_session) {
            Some(cookie) => self.0.session(&cookie).await,
            None => None,
        };
        let (name, role) = (key.0.name, key.0.role);
        Ok(Json(session.unwrap_or(Session { name, role, expires_at: None, idle_expires_at: None })))
    }

    /// End the session
    ///
    /// From the answer on the cookie is nobody's, and the browser forgets it. Without a session there is nothing to end,
    /// which is a conflict: an API key ends when it is revoked.
    #[oai(path = "/", method = "delete", operation_id = "endSession", tag = "Tag::Access")]
    async fn end(&self, _key: ApiKey<G>, request: &Request) -> Result<Response<Json<Session>>, Failure> {
        let ended = match session_cookie(request.headers()) {
            Some(cookie) => self.0.end_session(&cookie).await,
            None => None,
        };
        let ended = ended.ok_or_else(|| {
            Failure::new(Code::Conflict, "there is no session to end; an API key ends when it is revoked")
        })?;
        Ok(Response::new(Json(ended)).header(header::SET_COOKIE, forget_cookie()))
    }
}

/// Has a browser forget its cookie.
pub(crate) fn forget_cookie() -> HeaderValue {
    HeaderValue::from_static("postroom_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

#[cfg(test)]
mod tests;
