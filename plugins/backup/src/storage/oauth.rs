//! Bearer tokens: fetched, kept until they run out, fetched again.

use std::fmt;

use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use postroom_sdk::{Secret, tokio::sync::Mutex};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    StorageError,
    google::{self, ServiceAccount},
    transport::Http,
};

/// A token is not used in the last two minutes that it is said to live.
const MARGIN_MS: u64 = 120_000;

/// How a token is got.
pub(super) enum Grant {
    /// It is given; when it has run out, somebody has to give another.
    Fixed(Secret),
    /// For claims that a service account of Google signs.
    Account(Box<ServiceAccount>),
    /// From the service's token address, with the parameters of the form: the grant type, the client, the secrets.
    Form { url: &'static str, parameters: Vec<(&'static str, Secret)> },
}

pub(super) struct Tokens {
    grant: Grant,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: Secret,
    until_unix_ms: u64,
    /// What stands in the place of the refresh token that was given, if the service has changed it.
    refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
    refresh_token: Option<String>,
}

impl Tokens {
    pub(super) fn new(grant: Grant) -> Self {
        Self { grant, kept: Mutex::new(None) }
    }

    /// A token that is valid now, as far as is known.
    pub(super) async fn token(&self, http: &Http) -> Result<Secret, StorageError> {
        let mut kept = self.kept.lock().await;
        if let Grant::Fixed(token) = &self.grant {
            return Ok(token.clone());
        }
        if let Some(kept) = kept.as_ref().filter(|kept| http.now_unix_ms() < kept.until_unix_ms) {
            return Ok(kept.token.clone());
        }
        self.fetch(http, &mut kept).await
    }

    /// Another token in the place of `refused`; `None` when there is no way to get one.
    pub(super) async fn renew(&self, http: &Http, refused: &Secret) -> Result<Option<Secret>, StorageError> {
        let mut kept = self.kept.lock().await;
        if matches!(self.grant, Grant::Fixed(_)) {
            return Ok(None);
        }
        // Another request may have been faster.
        if let Some(kept) = kept.as_ref().filter(|kept| kept.token != *refused) {
            return Ok(Some(kept.token.clone()));
        }
        self.fetch(http, &mut kept).await.map(Some)
    }

    async fn fetch(&self, http: &Http, kept: &mut Option<Kept>) -> Result<Secret, StorageError> {
        let changed = kept.as_ref().and_then(|kept| kept.refresh_token.clone());
        let (url, form) = match &self.grant {
            Grant::Fixed(token) => return Ok(token.clone()),
            Grant::Form { url, parameters } => (*url, form(parameters, changed.as_ref())),
            Grant::Account(account) => {
                let parameters = account.form(http.now_unix_ms()).map_err(|why| http.strange(why))?;
                (google::TOKEN, form(&parameters, None))
            }
        };
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|_| http.strange("the token's address is none"))?;
        let answer = http.judge(http.exchange(request).await?, changed.as_slice())?;
        let answer: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| http.strange("the answer to the request for a token has none"))?;
        let lives_ms = answer.expires_in.unwrap_or(3600).saturating_mul(1000);
        let token = Secret::new(answer.access_token);
        *kept = Some(Kept {
            token: token.clone(),
            until_unix_ms: http.now_unix_ms().saturating_add(lives_ms.saturating_sub(MARGIN_MS)),
            refresh_token: answer.refresh_token.map(Secret::new).or(changed),
        });
        Ok(token)
    }
}

/// The form of a request; a refresh token that the service has changed stands in the place of the first.
fn form(parameters: &[(&str, Secret)], changed: Option<&Secret>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        let value = changed.filter(|_| *name == "refresh_token").unwrap_or(value);
        form.append_pair(name, value.expose());
    }
    form.finish()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}
