//! The resource `config`: what the gateway runs with, and what is wrong with what it might.

use poem_openapi::{Enum, Object, OpenApi, Tags, payload::Json, types::Example};

use crate::{
    auth::{AdminKey, ApiKey},
    json_body::JsonBody,
    port::Gateway,
    problem::Failure,
};

/// Largest request of a check, in bytes.
const DRAFT_BYTES_MAX: usize = 1024 * 1024;

/// Where the value of a setting comes from. What is said later wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SettingOrigin {
    /// Nobody has said anything.
    Default,
    /// The file; `line` says where.
    File,
    /// The environment; `variable` says which.
    Environment,
    /// A flag of the command.
    Flag,
}

/// One setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Setting {
    /// Which one, such as `server.listen` or `source.acme.body_limit`.
    pub path: String,
    /// Its value in the notation of TOML; `"***"` for a secret. How a secret is referred to is shown.
    pub value: String,
    /// Where it comes from.
    pub origin: SettingOrigin,
    /// The line of the file that it stands in.
    pub line: Option<u64>,
    /// The environment variable that it comes from.
    pub variable: Option<String>,
    /// Whether the file has another value by now, which comes into force with the next start of the gateway.
    pub needs_restart: bool,
}

impl Example for Setting {
    fn example() -> Self {
        Self {
            path: "server.listen".to_owned(),
            value: "\"0.0.0.0:8080\"".to_owned(),
            origin: SettingOrigin::File,
            line: Some(2),
            variable: None,
            needs_restart: false,
        }
    }
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ConfigurationInForce {
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub generation: u64,
    /// Tells configurations apart that mean different things. Nothing of a secret is in it.
    pub fingerprint: String,
    /// The file it was read from.
    pub file: String,
    /// Its settings: the gateway's own, also those that nobody has set, and what the file says of everything else.
    pub settings: Vec<Setting>,
}

/// A configuration to check.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ConfigurationDraft {
    /// The whole file, in TOML. Relative paths in it start from the folder of the file in force.
    pub toml: String,
}

impl Example for ConfigurationDraft {
    fn example() -> Self {
        Self { toml: "[[source]]\nname = \"acme\"\ntokens = [{ env = \"ACME_TOKEN\" }]\n".to_owned() }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ConfigurationCheck {
    /// Whether nothing is wrong.
    pub valid: bool,
    /// Everything that is wrong, in the order of the file.
    pub faults: Vec<ConfigurationFault>,
}

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct ConfigurationFault {
    /// The setting, such as `destination[1].config.root`, or the environment variable.
    pub path: String,
    /// The line that it stands in, 1 for the first. Absent for what does not stand in the file.
    pub line: Option<u64>,
    /// The column, in characters, 1 for the first.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Example for ConfigurationFault {
    fn example() -> Self {
        Self {
            path: "source[0].tokns".to_owned(),
            line: Some(3),
            column: Some(1),
            message: "unknown key".to_owned(),
            hint: Some("did you mean `tokens`?".to_owned()),
        }
    }
}

#[derive(Tags)]
enum Tag {
    /// What the gateway runs with.
    Configuration,
}

/// The operations on the configuration that change nothing.
pub(crate) struct ConfigApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/config")]
impl<G: Gateway> ConfigApi<G> {
    /// Get the configuration in force
    ///
    /// Gives the settings that the gateway runs with, and where each comes from. Secrets are hidden.
    #[oai(path = "/", method = "get", operation_id = "getConfiguration", tag = "Tag::Configuration")]
    async fn get(&self, _key: ApiKey<G>) -> Result<Json<ConfigurationInForce>, Failure> {
        Ok(Json(self.0.config().await?))
    }

    /// Check a configuration
    ///
    /// Needs the role admin, because a configuration can refer to files and to variables of the gateway. Reads it and
    /// looks for its plugins, as at a reload, and says everything that is wrong. Nothing is applied or stored, and no plugin
    /// is started: what only a plugin itself objects to shows at the reload.
    #[oai(
        path = "/validate",
        method = "post",
        operation_id = "validateConfiguration",
        tag = "Tag::Configuration"
    )]
    async fn validate(
        &self,
        _key: AdminKey<G>,
        draft: JsonBody<ConfigurationDraft, DRAFT_BYTES_MAX>,
    ) -> Result<Json<ConfigurationCheck>, Failure> {
        Ok(Json(self.0.check_config(draft.0.toml).await?))
    }
}

#[cfg(test)]
mod tests;
