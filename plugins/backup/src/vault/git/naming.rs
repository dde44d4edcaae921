//! What files and commits are called.

use git2::{Signature, Time};

use super::{
    message,
    template::{Template, TemplateError},
};
use crate::{
    name::{hex, safe},
    vault::Version,
};

const NAME_BYTES_MAX: usize = 90;

/// The names of files and commits.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    directory: String,
    file: Template,
    pub(super) message: Template,
    author: (String, String),
}

impl Naming {
    /// Reads the settings; an error names the one that is wrong.
    pub(crate) fn new(
        directory: &str,
        file: &str,
        message: &str,
        author: &str,
    ) -> Result<Self, (&'static str, String)> {
        let in_setting = |setting| move |error: TemplateError| (setting, error.to_string());
        let directory = directory.trim_matches('/');
        if !directory.is_empty() && !is_path(directory) {
            return Err(("directory", "no folder of a repository: write a path below its top".to_owned()));
        }
        let template = Template::parse(file, &["name", "id"]).map_err(in_setting("file"))?;
        if !is_path(file) {
            return Err(("file", "no file below the folder: write for example \"{name}.json\"".to_owned()));
        }
        if !template.has("name") && !template.has("id") {
            let why = "it has neither {name} nor {id}: all collections would be one file";
            return Err(("file", why.to_owned()));
        }
        let message = Template::parse(message, &message::PLACEHOLDERS).map_err(in_setting("message"))?;
        let author = author
            .strip_suffix('>')
            .and_then(|author| author.split_once('<'))
            .map(|(name, mail)| (name.trim().to_owned(), mail.trim().to_owned()))
            .filter(|(name, mail)| Signature::new(name, mail, &Time::new(0, 0)).is_ok() && !mail.is_empty())
            .ok_or_else(|| ("author", "no author: write \"Name <mail>\"".to_owned()))?;
        Ok(Self { directory: directory.to_owned(), file: template, message, author })
    }

    /// The file of a version's collection, and others in case that one is somebody else's. The last has the whole of what
    /// tells collections apart.
    pub(super) fn files(&self, key: &str, version: &Version) -> [String; 3] {
        let file = self.file.fill(|placeholder| match placeholder {
            "name" => match safe(version.name.as_deref().unwrap_or_default(), NAME_BYTES_MAX) {
                name if name.is_empty() => "unnamed".to_owned(),
                name => name,
            },
            _ => key.to_owned(),
        });
        let (stem, extension) = match file.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => {
                (stem, format!(".{extension}"))
            }
            _ => (file.as_str(), String::new()),
        };
        let hash = &hex(&<sha2::Sha256 as sha2::Digest>::digest(key))[..16];
        let files =
            [file.clone(), format!("{stem}-{key}{extension}"), format!("{stem}-{key}-{hash}{extension}")];
        files.map(|file| if self.directory.is_empty() { file } else { format!("{}/{file}", self.directory) })
    }

    pub(super) fn signature(&self, unix_ms: u64) -> Result<Signature<'static>, git2::Error> {
        let seconds = i64::try_from(unix_ms / 1000).unwrap_or_default();
        Signature::new(&self.author.0, &self.author.1, &Time::new(seconds, 0))
    }
}

/// Whether it is a path in a repository, as git takes one.
pub(super) fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && !part.to_ascii_lowercase().starts_with(".git")
            && !part.to_ascii_lowercase().starts_with("git~")
            && part.trim() == part
    };
    path.split('/').all(is_part) && !path.contains(['\\', '\0']) && !path.contains(char::is_control)
}
