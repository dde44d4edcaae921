//! Settings of backups in git.

use postroom_sdk::{Report, SecretRef};
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use crate::vault::git::{Address, Naming};

/// Settings of `storage = "git"`. Replaces Postman's integrations with GitHub, GitLab and Bitbucket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GitConfig {
    /// Address of the repository that backups are pushed to, such as "https://github.com/acme/collections.git"; `root` then
    /// keeps a copy of it. Without it `root` is the repository itself, made when it is missing.
    pub(crate) url: Option<String>,
    /// Whether a repository that is made in `root` has no files beside it.
    pub(crate) bare: bool,
    /// The branch, made when it is missing. Without it the one that the repository shows by default.
    #[schemars(length(min = 1))]
    pub(crate) branch: Option<String>,
    /// The folder of the collections in the repository; empty: its top.
    pub(crate) directory: String,
    /// The file of a collection in that folder. Placeholders: {name}, {id}. A second collection of the same name gets its id
    /// after the name.
    #[schemars(length(min = 1))]
    pub(crate) file: String,
    /// What a commit says. Placeholders: {name}, {id}, {time}, {date}, {sha}, {format}, and {summary}, what changed.
    pub(crate) message: String,
    /// Who commits: "Name <mail>".
    pub(crate) author: String,
    /// Whether the JSON is laid out in lines, so that git shows what changed. The hash of a version is then that of the file.
    pub(crate) pretty: bool,
    /// The user name that goes with the token. GitHub and GitLab take any; Bitbucket wants "x-token-auth".
    pub(crate) username: String,
    /// An access token that may write to the repository.
    pub(crate) token: Option<SecretRef>,
}

impl Default for GitConfig {
    fn default() -> Self {
        Self {
            url: None,
            bare: false,
            branch: None,
            directory: "Postman Collections".to_owned(),
            file: "{name}.json".to_owned(),
            message: "Postman updated {name}".to_owned(),
            author: "Postroom <postroom@localhost>".to_owned(),
            pretty: false,
            username: "x-access-token".to_owned(),
            token: None,
        }
    }
}

impl GitConfig {
    /// Where it is; `None` for the repository in `root`.
    pub(crate) fn address(&self) -> Result<Option<Address>, String> {
        self.url.as_deref().map(Address::parse).transpose()
    }

    /// What commits and files are called.
    pub(crate) fn naming(&self) -> Result<Naming, (&'static str, String)> {
        Naming::new(&self.directory, &self.file, &self.message, &self.author)
    }

    /// The full name of the branch, if one is named.
    pub(crate) fn branch(&self) -> Result<Option<String>, String> {
        let Some(branch) = &self.branch else { return Ok(None) };
        let name = format!("refs/heads/{}", branch.strip_prefix("refs/heads/").unwrap_or(branch));
        match git2::Reference::is_valid_name(&name) && !branch.starts_with('-') {
            true => Ok(Some(name)),
            false => Err(format!("{branch:?} cannot be a branch: write a name such as \"main\"")),
        }
    }

    pub(crate) fn check(&self, report: &mut Report) {
        match self.address() {
            Err(why) => report.error("/git/url", why),
            Ok(Some(address)) if self.token.is_some() && in_the_clear(address.url()) => {
                let why = "without https everybody on the way can read the token: write https:// if you can";
                report.warning("/git/url", why);
            }
            Ok(None) if self.token.is_some() => {
                report.warning("/git/token", "not needed: without `git.url` nothing is sent anywhere");
            }
            Ok(_) => {}
        }
        if let Err((setting, why)) = self.naming() {
            report.error(format!("/git/{setting}"), why);
        }
        if let Err(why) = self.branch() {
            report.error("/git/branch", why);
        }
    }
}

fn in_the_clear(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !is_here
}

#[cfg(test)]
mod tests;
