//! Where a repository is that is somewhere else.

use std::fmt;

use url::Url;

/// The address of a repository, as https has it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads the setting; an error says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let https = "write its address as https://host/path";
        if text.starts_with('/') || text.starts_with("file:") || text.starts_with('.') {
            return Err(
                "a repository on this machine: leave `git.url` out, and set `root` to its folder".to_owned()
            );
        }
        let url = Url::parse(text).map_err(|error| format!("no address ({error}): {https}"))?;
        match url.scheme() {
            "https" | "http" => {}
            "ssh" | "git+ssh" | "ssh+git" => {
                return Err(format!("ssh is not spoken here: {https}, with `git.token`"));
            }
            other => return Err(format!("{other}:// is not spoken here: {https}")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user or password in it: use `git.username` and `git.token`".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("it has a `?` or `#`: {https}"));
        }
        Ok(Self(url))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
