//! Postman's API as far as collections go, as a server of the tests.

use std::{ops::Deref, sync::Arc, time::Instant};

use http::{HeaderName, HeaderValue};
use postroom_postman_double as double;
pub use postroom_postman_double::{Habits, Trouble};
use reqwest::Url;

use super::{Reply, Request, Rules};

/// Postman. A clone is the same.
#[derive(Debug, Clone)]
pub struct PostmanCollections {
    postman: Arc<double::Postman>,
    begun: Instant,
}

impl PostmanCollections {
    /// One without a collection.
    #[must_use]
    pub fn new(habits: Habits) -> Self {
        Self { postman: Arc::new(double::Postman::new(habits)), begun: Instant::now() }
    }
}

impl Deref for PostmanCollections {
    type Target = double::Postman;

    fn deref(&self) -> &double::Postman {
        &self.postman
    }
}

impl Rules for PostmanCollections {
    fn answer(&self, request: &Request) -> Reply {
        let url =
            Url::parse(&format!("http://postman{}", request.target)).expect("a target is part of a URL");
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let asked = double::Request {
            method: request.method.to_string(),
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            headers: request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: request.body.to_vec(),
        };
        let answer = self.postman.answer(&asked, self.begun.elapsed());
        let answer = answer.expect("this server answers: broken lines are tried without a socket");
        let mut reply = Reply::status(answer.status);
        reply.body = answer.body.into();
        reply.headers.extend(answer.headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).expect("a name of a header");
            (name, HeaderValue::try_from(value).expect("the value of a header"))
        }));
        reply
    }
}
