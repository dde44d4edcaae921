//! The resource `dead-letters`: what was given up, by destination and reason.

use poem_openapi::{Object, OpenApi, Tags, payload::Json, types::Example};

use crate::{
    auth::ApiKey,
    deliveries::{DeliveryFilter, DeliveryState},
    port::Gateway,
    problem::Failure,
    time::Timestamp,
};

/// Dead letters of one destination that were given up for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct DeadLetterGroup {
    /// The destination.
    pub destination: String,
    /// The code of the last attempt, such as `http_503`. Absent when the plugin gave none.
    pub code: Option<String>,
    /// What the last attempt of the newest of them said, in the plugin's words.
    pub message: Option<String>,
    /// How many they are.
    pub count: u64,
    /// When the first of them was given up.
    pub first_at: Timestamp,
    /// When the last of them was given up.
    pub last_at: Timestamp,
    /// The delivery that is the newest of them.
    pub newest_delivery_id: String,
    /// Lists them with `listDeliveries`, and makes them go again as the `filter` of `createReplay`; with them those of the
    /// same destination and time that were given up for another reason.
    pub filter: DeliveryFilter,
}

impl Example for DeadLetterGroup {
    fn example() -> Self {
        let at = |seconds: i64| Timestamp::from_unix_ms(1_790_000_000_125 + seconds * 1000);
        Self {
            destination: "itoc360".to_owned(),
            code: Some("http_400".to_owned()),
            message: Some("the target answered 400".to_owned()),
            count: 3,
            first_at: at(0),
            last_at: at(600),
            newest_delivery_id: "1042".to_owned(),
            filter: DeliveryFilter {
                state: Some(DeliveryState::Dead),
                destination: Some("itoc360".to_owned()),
                created_after: Some(at(-60)),
                created_before: Some(at(541)),
                ..DeliveryFilter::default()
            },
        }
    }
}

/// Dead letters that were not done again, in groups.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct DeadLetterList {
    /// The groups, the one with the newest dead letter first.
    pub items: Vec<DeadLetterGroup>,
    /// Whether there are more dead letters than were looked at: only the newest are.
    pub is_more: bool,
}

#[derive(Tags)]
enum Tag {
    /// Events on their way to destinations.
    Deliveries,
}

/// The operation on dead letters.
pub(crate) struct DeadLettersApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1")]
impl<G: Gateway> DeadLettersApi<G> {
    /// List dead letters in groups
    ///
    /// Gives the deliveries that were given up and not done again, by destination and by the code of their last attempt. The
    /// 10 000 newest are looked at; `listDeliveries` with the state `dead` gives each of them.
    #[oai(path = "/dead-letters", method = "get", operation_id = "listDeadLetters", tag = "Tag::Deliveries")]
    async fn list(&self, _key: ApiKey<G>) -> Result<Json<DeadLetterList>, Failure> {
        Ok(Json(self.0.dead_letters().await?))
    }
}

#[cfg(test)]
mod tests;
