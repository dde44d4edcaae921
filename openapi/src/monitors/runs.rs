//! Runs of a monitor: one by one, summed up, and as a file.

use futures_util::stream::BoxStream;
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, Enum, Object,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{Example, ToJSON as _, Type as _},
};

use crate::{events::Verdict, port::ReadError, time::Timestamp};

/// How runs are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Resolution {
    /// Not at all: each by itself.
    Run,
    /// Per hour.
    Hour,
    /// Per day.
    Day,
    /// Per week, which begins on Monday.
    Week,
    /// Per month.
    Month,
}

/// In which form runs are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case", rename = "RunsFormat")]
pub(super) enum Format {
    /// JSON.
    Json,
    /// One CSV file.
    Csv,
}

impl Resolution {
    /// The default, in the form the macro wants it.
    pub(super) fn run() -> Self {
        Self::Run
    }
}

impl Format {
    /// The default, in the form the macro wants it.
    pub(super) fn json() -> Self {
        Self::Json
    }
}

/// The default time zone, in the form the macro wants it.
pub(super) fn utc() -> String {
    "UTC".to_owned()
}

/// One run of a monitor. A number that was not sent is absent.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct MonitorRun {
    /// When it was accepted; Postman sends no time.
    pub at: Timestamp,
    /// The id of its event, which may be gone before the run is.
    pub event_id: String,
    /// What it says.
    pub verdict: Verdict,
    /// Requests made.
    pub requests: Option<u64>,
    /// Milliseconds that a request took on the average.
    pub latency_mean_ms: Option<f64>,
    /// Milliseconds over all requests.
    pub latency_total_ms: Option<u64>,
    /// Tests that passed.
    pub passed_tests: Option<u64>,
    /// Tests that failed.
    pub failed_tests: Option<u64>,
    /// Requests and scripts that could not run.
    pub errors: Option<u64>,
    /// Warnings.
    pub warnings: Option<u64>,
}

impl Example for MonitorRun {
    fn example() -> Self {
        Self {
            at: Timestamp::from_unix_ms(1_790_000_000_125),
            event_id: "0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c00".to_owned(),
            verdict: Verdict::Failed,
            requests: Some(4),
            latency_mean_ms: Some(180.5),
            latency_total_ms: Some(722),
            passed_tests: Some(11),
            failed_tests: Some(1),
            errors: Some(0),
            warnings: Some(0),
        }
    }
}

/// The runs of an hour, a day, a week or a month, summed up.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct RunBucket {
    /// When it begins.
    pub start: Timestamp,
    /// Runs in it.
    pub runs: u32,
    /// Runs that passed.
    pub passed: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Runs without a usable failure counter.
    pub unknown: u32,
    /// The share that passed of the runs that passed or failed, 0 to 1. Absent without such runs.
    pub availability: Option<f64>,
    /// Milliseconds that a request took on the average, over all requests.
    pub latency_mean_ms: Option<f64>,
    /// The median over the runs of what a request took on the average.
    pub latency_p50_ms: Option<f64>,
    /// The 95th percentile over the runs of what a request took on the average.
    pub latency_p95_ms: Option<f64>,
    /// Requests made.
    pub requests: u64,
    /// Tests that failed.
    pub failed_tests: u64,
    /// Requests and scripts that could not run.
    pub errors: u64,
}

impl Example for RunBucket {
    fn example() -> Self {
        Self {
            start: Timestamp::from_unix_ms(1_789_948_800_000),
            runs: 288,
            passed: 287,
            failed: 1,
            unknown: 0,
            availability: Some(0.996_528),
            latency_mean_ms: Some(172.25),
            latency_p50_ms: Some(168.0),
            latency_p95_ms: Some(240.5),
            requests: 1_152,
            failed_tests: 1,
            errors: 0,
        }
    }
}

/// Runs of a monitor, either each by itself or summed up.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct MonitorRuns {
    /// How they are summed up.
    pub resolution: Resolution,
    /// Each run, newest first. Only with the resolution `run`.
    pub items: Option<Vec<MonitorRun>>,
    /// Their sums, oldest first. Only with another resolution.
    pub buckets: Option<Vec<RunBucket>>,
    /// Pass it as `cursor` to get the next page. Absent on the last page, and of sums.
    pub next_cursor: Option<String>,
}

/// Which runs. Every part that is set must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunRange {
    /// Only those accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Only those accepted before this moment.
    pub until: Option<Timestamp>,
}

/// Which sums of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRequest {
    /// Over which runs.
    pub range: RunRange,
    /// Per what; never [`Resolution::Run`].
    pub resolution: Resolution,
    /// The time zone by its IANA name, as the caller wrote it.
    pub time_zone: String,
}

/// Sums of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSums {
    /// The monitor's name.
    pub name: Option<String>,
    /// The sums, oldest first.
    pub buckets: Vec<RunBucket>,
}

/// Runs, oldest first, as they are read. An error ends them.
pub type RunPieces = BoxStream<'static, Result<Vec<MonitorRun>, ReadError>>;

/// All runs of a range.
pub struct RunStream {
    /// The monitor's name.
    pub name: Option<String>,
    /// The runs.
    pub pieces: RunPieces,
}

impl std::fmt::Debug for RunStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunStream").field("name", &self.name).finish_non_exhaustive()
    }
}

const JSON: &str = "application/json";
const CSV: &str = "text/csv";

/// One of two forms, which the caller has chosen.
pub(super) struct RunsAnswer(Response);

impl RunsAnswer {
    pub(super) fn json(runs: &MonitorRuns) -> Self {
        Self(Response::builder().header(header::CONTENT_TYPE, JSON).body(runs.to_json_string()))
    }

    /// A file to be saved, named after the monitor.
    pub(super) fn csv(uid: &str, body: Body) -> Self {
        let name: String = uid.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
        let response = Response::builder()
            .header(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"runs-{name}.csv\""));
        Self(response.body(body))
    }
}

impl IntoResponse for RunsAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

/// JSON stands first: a generator that knows one media type of an answer takes that.
impl ApiResponse for RunsAnswer {
    fn meta() -> MetaResponses {
        let content = vec![
            MetaMediaType { content_type: JSON, schema: MonitorRuns::schema_ref() },
            MetaMediaType { content_type: CSV, schema: String::schema_ref() },
        ];
        let headers: Vec<MetaHeader> = Vec::new();
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Runs of a monitor, or their sums.",
                status: Some(200),
                status_range: None,
                content,
                headers,
            }],
        }
    }

    fn register(registry: &mut Registry) {
        MonitorRuns::register(registry);
    }
}
