//! Somebody changed something.

use super::{
    fields::{Fields, top_level},
    id::without_owner,
};

/// Somebody changed something. Postman publishes no list of actions or models: treat both as open.
///
/// ```
/// use postroom_sdk::Activity;
///
/// fn who(activity: &Activity) -> &str {
///     activity.user_name.as_deref().unwrap_or("somebody")
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// What was done, such as `update`.
    pub action: Option<String>,
    /// To what sort of thing, such as `request`.
    pub model: Option<String>,
    /// Name of that thing.
    pub model_name: Option<String>,
    /// Id of that thing as it was sent.
    pub model_uid: Option<String>,
    /// Name of the collection it belongs to.
    pub collection_name: Option<String>,
    /// Id of the collection as it was sent.
    pub collection_uid: Option<String>,
    /// Who did it.
    pub user_name: Option<String>,
    /// Number of who did it.
    pub user_id: Option<String>,
    /// The whole as a sentence.
    pub message: Option<String>,
}

const TOP: &[&str] = &[
    "action",
    "model",
    "model_name",
    "model_uid",
    "collection_name",
    "collection_uid",
    "user_name",
    "user_id",
    "message",
];

impl Activity {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        top_level(body, TOP, |top, _| Self::of(top))
    }

    fn of(top: &Fields<'_>) -> Self {
        let name = |field| top.text(field).map(|name| name.trim().to_owned());
        Self {
            action: top.text("action"),
            model: top.text("model"),
            model_name: name("model_name"),
            model_uid: top.text("model_uid"),
            collection_name: name("collection_name"),
            collection_uid: top.text("collection_uid"),
            user_name: name("user_name"),
            user_id: top.text("user_id").or_else(|| top.count(&["user_id"]).map(|id| id.to_string())),
            message: name("message"),
        }
    }

    /// Id of the collection without owner prefix.
    #[must_use]
    pub fn collection_id(&self) -> Option<&str> {
        self.collection_uid.as_deref().map(without_owner)
    }
}
