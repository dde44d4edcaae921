//! A service account of Google: it signs a claim, and gets a token for it.
//!
//! OpenDAL can do that too, but fetches a token for each request, and signs with a library whose signatures take a time
//! that depends on the key.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use postroom_sdk::Secret;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::json;

/// Where a claim becomes a token.
pub(super) const TOKEN: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
/// Google takes a claim for an hour at most.
const CLAIM_SECONDS: u64 = 3600;

pub(super) struct ServiceAccount {
    email: String,
    key: RsaKeyPair,
}

/// The file as it is downloaded.
#[derive(Deserialize)]
struct File {
    client_email: String,
    private_key: String,
}

impl ServiceAccount {
    /// Reads the file; the error says what is wrong with it, and nothing of what is in it.
    pub(super) fn read(file: &Secret) -> Result<Self, &'static str> {
        let file: File = serde_json::from_str(file.expose()).map_err(
            |_| "it is not the JSON file of a service account, with `client_email` and `private_key`",
        )?;
        let lines = file.private_key.lines().map(str::trim);
        let base64: String = lines.filter(|line| !line.is_empty() && !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(base64).map_err(|_| "its `private_key` is no PEM")?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| "its `private_key` is no RSA key in PKCS#8")?;
        Ok(Self { email: file.client_email, key })
    }

    /// The form that is exchanged for a token.
    pub(super) fn form(&self, now_unix_ms: u64) -> Result<Vec<(&'static str, Secret)>, &'static str> {
        let now = now_unix_ms / 1000;
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": TOKEN, "iat": now, "exp": now + CLAIM_SECONDS,
        });
        let head = json!({ "alg": "RS256", "typ": "JWT" });
        let [head, claims] = [head, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{head}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the key does not sign")?;
        let assertion = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        Ok(vec![
            ("grant_type", Secret::new("urn:ietf:params:oauth:grant-type:jwt-bearer")),
            ("assertion", Secret::new(assertion)),
        ])
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}
