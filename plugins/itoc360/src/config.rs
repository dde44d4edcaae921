//! The settings.

use std::{collections::BTreeMap, time::Duration};

use postroom_sdk::{DurationText, Report, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    address,
    alertmanager::{OWN_LABELS, is_label_name},
    severity::SeverityMap,
    signal::Takes,
    template::Template,
};

/// Most labels that the settings may add to each alert.
const LABELS_MAX: usize = 32;

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of ITOC360; another one only for an installation of your own.
    #[serde(default = "default_base_url")]
    #[schemars(url)]
    pub(crate) base_url: String,
    /// Token of the source in ITOC360, or the whole webhook URL that its page shows.
    pub(crate) token: SecretRef,
    /// "postman" for a source of the provider Postman Monitors, "alertmanager" for a source of a provider that takes
    /// Alertmanager's body, such as Prometheus.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// What opens and resolves incidents in ITOC360: the runs of monitors, or the incidents that the gateway makes of them.
    #[serde(default)]
    pub(crate) from: Origin,
    /// Whether ITOC360 is told of everything, or only when a monitor begins to fail and when it passes again.
    #[serde(default)]
    pub(crate) send: Extent,
    /// Which severity an alert has: of runs with errors, of runs with failed tests alone, and of silent monitors. The
    /// gateway's incidents bring their own.
    #[serde(default)]
    pub(crate) severity: SeverityMap,
    /// The incident's title, a text with placeholders such as {monitor}.
    #[serde(default)]
    pub(crate) summary: Option<String>,
    /// The incident's text, likewise.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Labels of every alert, by name.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub(crate) labels: BTreeMap<String, String>,
    /// How long ITOC360 may take to answer.
    #[serde(default = "default_timeout", with = "DurationText")]
    pub(crate) timeout: Duration,
}

/// Which body the source in ITOC360 expects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Postman's, unchanged.
    #[default]
    Postman,
    /// Alertmanager's, version 4.
    Alertmanager,
}

/// What opens and resolves incidents in ITOC360.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// The runs of monitors.
    #[default]
    Runs,
    /// The incidents that the gateway makes of runs.
    Incidents,
}

/// How much ITOC360 is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extent {
    /// Everything.
    #[default]
    EveryRun,
    /// What changes something.
    Changes,
}

impl Config {
    /// Checks what the types cannot express.
    pub(crate) fn check(&self, report: &mut Report) {
        if let Err(error) = address::endpoint(&self.base_url) {
            report.error("/base_url", error.to_string());
        }
        if self.timeout.is_zero() {
            report.error("/timeout", "no time at all: write it like \"10s\"");
        }
        for (path, text) in [("/summary", &self.summary), ("/description", &self.description)] {
            if let Some(Err(error)) = text.as_deref().map(Template::parse) {
                report.error(path, error.to_string());
            }
        }
        self.check_labels(report);
        if self.mode == Mode::Postman {
            self.check_mode_postman(report);
        }
    }

    fn check_labels(&self, report: &mut Report) {
        for name in self.labels.keys() {
            let path = format!("/labels/{}", name.replace('~', "~0").replace('/', "~1"));
            if !is_label_name(name) {
                report.error(path, "not the name of a label: use letters, digits and '_', no digit in front");
            } else if OWN_LABELS.contains(&name.as_str()) {
                report.error(path, "the gateway sets this label itself: choose another name");
            }
        }
        if self.labels.len() > LABELS_MAX {
            report.error("/labels", format!("more than {LABELS_MAX} labels: leave some out"));
        }
    }

    /// ITOC360 gets Postman's own body there, and makes of it what it makes.
    fn check_mode_postman(&self, report: &mut Report) {
        if self.from == Origin::Incidents {
            let message = "mode postman sends runs as Postman made them: set `mode = \"alertmanager\"`, for a source \
                of a provider that takes Alertmanager's body";
            report.error("/from", message);
        }
        let unused = [
            ("/summary", self.summary.is_some()),
            ("/description", self.description.is_some()),
            ("/labels", !self.labels.is_empty()),
        ];
        for (path, _) in unused.into_iter().filter(|(_, set)| *set) {
            report.warning(path, "without effect: mode postman sends Postman's body unchanged");
        }
    }

    pub(crate) fn takes(&self) -> Takes {
        Takes { mode: self.mode, from: self.from, severity: self.severity }
    }
}

fn default_base_url() -> String {
    "https://api.itoc360.app".to_owned()
}

const fn default_timeout() -> Duration {
    Duration::from_secs(10)
}
