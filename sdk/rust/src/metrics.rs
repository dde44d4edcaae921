//! What a plugin measures, for the gateway's `/metrics`.

use postroom_abi as abi;

use crate::host::Host;

/// Longest level of detail that crosses the boundary: thousandths.
const PER_UNIT: f64 = 1000.0;

impl Host {
    /// Adds to a counter that is declared in `metrics` of [`postroom_plugin`](crate::postroom_plugin). `by` is not negative
    /// and counts in thousandths; at most eight labels.
    ///
    /// The gateway shows `pages` as `postroom_plugin_counter_pages_total`, with the destination and the plugin as labels.
    /// What it does not take is told in the log.
    ///
    /// ```
    /// use postroom_sdk::Host;
    ///
    /// fn paged(host: &Host, team: &str, seconds: f64) {
    ///     host.count("pages", 1.0, &[("team", team)]);
    ///     host.observe("page_seconds", seconds, &[]);
    ///     host.gauge("pages_open", 3.0, &[]);
    /// }
    /// ```
    pub fn count(&self, name: &str, by: f64, labels: &[(&str, &str)]) {
        self.measure(abi::POSTROOM_METRIC_COUNTER, name, by, labels);
    }

    /// Sets a gauge; as [`Host::count`].
    pub fn gauge(&self, name: &str, value: f64, labels: &[(&str, &str)]) {
        self.measure(abi::POSTROOM_METRIC_GAUGE, name, value, labels);
    }

    /// Adds a value to a histogram; as [`Host::count`].
    pub fn observe(&self, name: &str, value: f64, labels: &[(&str, &str)]) {
        self.measure(abi::POSTROOM_METRIC_HISTOGRAM, name, value, labels);
    }

    fn measure(&self, kind: u32, name: &str, value: f64, labels: &[(&str, &str)]) {
        let status = self.table().metric(kind, name, milli(value), labels);
        let why = match status {
            // One that is dropped because there are too many is counted by the gateway.
            abi::POSTROOM_OK | abi::POSTROOM_E_UNAVAILABLE | abi::POSTROOM_E_STALE => return,
            abi::POSTROOM_E_DENIED => "the plugin has not declared it with this kind",
            abi::POSTROOM_E_TOO_LARGE => "it has more than 8 labels, or one that is too long",
            abi::POSTROOM_E_UNSUPPORTED => "this gateway takes none",
            _ => "its value, or a label, cannot be used",
        };
        self.log().warn(format_args!("metric {name} not taken: {why}"));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what no 64 bits hold becomes the largest that they do")]
fn milli(value: f64) -> i64 {
    (value * PER_UNIT).round() as i64
}
