//! The table `postman`: how versions go back into Postman.

use postroom_sdk::{Report, SecretRef};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::restore;

/// How Postman's API is reached, to restore.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Postman {
    /// A key of Postman's API, such as "PMAK-…", of somebody who may edit the workspace.
    pub(crate) api_key: SecretRef,
    /// Where Postman's API is.
    #[serde(default = "base_url")]
    #[schemars(extend("format" = "uri"))]
    pub(crate) base_url: String,
    /// The id of the workspace that new collections go to, if the action names no other. Without it Postman takes the oldest
    /// personal workspace of the key's user.
    pub(crate) workspace: Option<String>,
    /// The number of the owner, 12345 in the collection id "12345-c3ec8bf7-…", if all collections have the same one. Without
    /// it Postman is asked.
    pub(crate) owner: Option<String>,
}

fn base_url() -> String {
    "https://api.getpostman.com".to_owned()
}

impl Postman {
    pub(super) fn check(&self, report: &mut Report) {
        match Url::parse(&self.base_url) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
                report.error("/postman/base_url", "not an http or https address");
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                report.error("/postman/base_url", "has a user or password in it: the key is in `api_key`");
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                report.error("/postman/base_url", "has something behind a `?` or `#`: leave it out");
            }
            Ok(url) if url.scheme() == "http" => {
                report.warning(
                    "/postman/base_url",
                    "without https, the key and the collections can be read on the way",
                );
            }
            Ok(_) => {}
            Err(_) => {
                report.error(
                    "/postman/base_url",
                    "not an address: write it like \"https://api.getpostman.com\"",
                );
            }
        }
        if self.workspace.as_deref().is_some_and(|workspace| !restore::is_plain_id(workspace)) {
            let why = "not the id of a workspace: it is in the address of the workspace and in its details, 36 characters";
            report.error("/postman/workspace", why);
        }
        let is_number = |owner: &str| !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit());
        if self.owner.as_deref().is_some_and(|owner| !is_number(owner)) {
            report.error(
                "/postman/owner",
                "not a number: write what stands before the first `-` of a collection's id",
            );
        }
    }
}
