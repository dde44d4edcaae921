//! Every bound of the gateway, with its unit in the name. A bound that an operator may set is the default here.

use std::time::Duration;

/// Largest body a source takes unless it says otherwise. Real backups reach 4 MB; Postman's own API stops at 100 MB.
pub const BODY_BYTES_MAX: u64 = 64 * MIB;
/// What the bodies of all requests may take in memory together; more is answered 503. Large enough for a few of the
/// largest at once, and far below what a machine has.
pub const BODIES_IN_MEMORY_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Bodies above this size are kept as a file of their own instead of a row.
pub const INLINE_BODY_BYTES_MAX: usize = 32 * 1024;
/// Tokens of a source that are valid at once: one, and its successor while it is being replaced.
pub const SOURCE_TOKENS_MAX: usize = 2;
/// How long a body may take to arrive.
pub const BODY_READ_MAX: Duration = Duration::from_secs(60);
/// Labels that one request may add.
pub const LABELS_MAX: usize = 16;
/// Longest label name or value, in bytes.
pub const LABEL_BYTES_MAX: usize = 256;
/// Longest text kept of a name, id or note out of a body, in bytes.
pub const FACT_BYTES_MAX: usize = 1024;
/// Events that may wait for the store's next commit; more are answered 503.
pub const INTAKE_QUEUE_MAX: usize = 8192;
/// Most events or outcomes in one commit.
pub const COMMIT_BATCH_MAX: usize = 1024;
/// Deliveries of one lane held in memory; the rest of the lane waits in the store.
pub const LANE_WINDOW_MAX: usize = 32;
/// Bytes of event bodies kept in memory between commit and first attempt.
pub const WARM_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest `Retry-After` of a target that is honoured.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Deliveries of one destination in flight at once, unless it says otherwise.
pub const CONCURRENCY: u32 = 8;
/// How long a plugin may take over one delivery.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(60);
/// How long a misconfigured destination waits before one delivery probes it again.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// A rate-limited destination waits at least this long: pauses cost no attempt, so without it a target or plugin could
/// keep the store busy for ever.
pub const RATE_LIMIT_PAUSE_MIN: Duration = Duration::from_secs(1);
/// How long a rate-limited destination waits when the target does not say.
pub const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(30);
/// Longest message kept of an attempt, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Largest record kept of an attempt, in bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

const MIB: u64 = 1024 * 1024;
