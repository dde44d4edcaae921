//! The texts of an alert, as the settings want them.

use crate::{
    facts::Facts,
    template::{Template, TemplateError, one_line},
};

/// Longest title, in characters. It is shown in lists and sent as a short message.
const SUMMARY_CHARS_MAX: usize = 256;
/// Longest text, in characters.
const DESCRIPTION_CHARS_MAX: usize = 4096;

/// What titles and texts are made of; without a template, the usual ones.
#[derive(Debug)]
pub(crate) struct Texts {
    summary: Option<Template>,
    description: Option<Template>,
}

impl Texts {
    pub(crate) fn new(summary: Option<&str>, description: Option<&str>) -> Result<Self, TemplateError> {
        let template = |text: Option<&str>| text.map(Template::parse).transpose();
        Ok(Self { summary: template(summary)?, description: template(description)? })
    }

    /// The incident's title; never blank, because ITOC360 takes none without.
    pub(crate) fn summary(&self, facts: &Facts) -> String {
        let usual = || one_line(&facts.summary(), SUMMARY_CHARS_MAX);
        let said = self.summary.as_ref().map(|template| template.render(facts, SUMMARY_CHARS_MAX));
        said.filter(|text| !text.is_empty()).unwrap_or_else(usual)
    }

    /// The incident's text.
    pub(crate) fn description(&self, facts: &Facts) -> String {
        match &self.description {
            Some(template) => template.render(facts, DESCRIPTION_CHARS_MAX),
            None => one_line(&facts.description(), DESCRIPTION_CHARS_MAX),
        }
    }
}
