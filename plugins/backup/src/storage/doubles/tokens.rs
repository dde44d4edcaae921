//! Bearer tokens, as the token address of a service gives them.

use std::{collections::BTreeMap, sync::Mutex};

use serde_json::json;

use super::server::{Call, Reply, json};

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    valid: Mutex<String>,
    count: Mutex<u32>,
}

impl Tokens {
    /// Gives a new token to the one form that is expected; it makes the earlier ones void.
    pub(crate) fn give(&self, call: &Call, expected: &[(&str, &str)]) -> Reply {
        assert_eq!(call.method, "POST");
        assert_eq!(call.header("content-type"), "application/x-www-form-urlencoded");
        assert!(call.query.is_empty(), "secrets do not belong into an address: {:?}", call.query.keys());
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if call.form() != expected {
            return json(
                400,
                &json!({ "error": "invalid_grant", "error_description": "refresh token is invalid" }),
            );
        }
        let mut count = self.count.lock().unwrap();
        *count += 1;
        let token = format!("token-{count}");
        self.valid.lock().unwrap().clone_from(&token);
        json(200, &json!({ "access_token": token, "token_type": "bearer", "expires_in": 14_400 }))
    }

    pub(crate) fn is_valid(&self, call: &Call) -> bool {
        let valid = self.valid.lock().unwrap();
        !valid.is_empty() && call.header("authorization") == format!("Bearer {valid}")
    }

    /// Makes the token void before its time, as services do.
    pub(crate) fn end(&self) {
        self.valid.lock().unwrap().clear();
    }

    pub(crate) fn given(&self) -> u32 {
        *self.count.lock().unwrap()
    }
}
