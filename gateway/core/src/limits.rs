//! Every bound of the gateway, with its unit in the name. A bound that an operator may set is the default here.

use std::time::Duration;

/// Largest body a source takes unless it says otherwise. Real backups reach 4 MB; Postman's own API stops at 100 MB.
pub const BODY_BYTES_MAX: u64 = 64 * MIB;
/// What the bodies of all requests may take in memory together, pieces of large ones included; more is answered 503. Far
/// below what a machine has.
pub const BODIES_IN_MEMORY_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Most of one body that is in memory while it arrives; a larger one goes to the disk in pieces of this size.
pub const BODY_PIECE_BYTES: usize = 256 * 1024;
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
/// Longest `when` of a route, in bytes.
pub const WHEN_BYTES_MAX: usize = 1024;
/// Events that may wait for the store's next commit; more are answered 503.
pub const INTAKE_QUEUE_MAX: usize = 8192;
/// Most events or outcomes in one commit.
pub const COMMIT_BATCH_MAX: usize = 1024;
/// Longest `Idempotency-Key`, in bytes. A UUID has 36; a relay that sends whole sentences is told so.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;
/// Deliveries of one lane held in memory; the rest of the lane waits in the store.
pub const LANE_WINDOW_MAX: usize = 32;
/// Deliveries of one destination held in memory; the rest waits in the store. Enough to keep the fastest plugin busy
/// while the store is read, and about eight megabytes.
pub const TICKETS_MAX: usize = 16_384;
/// Deliveries of all destinations held in memory: more than four share it. Without that, memory would grow with the
/// configuration: twenty targets that are away would take 165 MB.
pub const TICKETS_TOGETHER_MAX: usize = 4 * TICKETS_MAX;
/// The least that one of many destinations has of it. Above 64 destinations these are more than all together may have,
/// by half a megabyte each.
pub const TICKETS_MIN: usize = 1024;
/// Deliveries that one read of a destination brings; a quarter of its share, if that is less.
pub const READ_TICKETS_MAX: usize = 1024;
/// Bytes of event bodies kept in memory between commit and first attempt.
pub const WARM_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Deliveries next in line whose events are read together with those of one that starts.
pub const READ_AHEAD_MAX: usize = 256;
/// Longest `Retry-After` of a target that is honoured.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Deliveries of one destination in flight at once, unless it says otherwise.
pub const CONCURRENCY: u32 = 8;
/// Attempts of one destination that have ended and whose outcomes are not on disk yet; while there are so many, nothing
/// more starts there. Each may go twice after a crash. A fast plugin ends some hundred while the store commits.
pub const UNRECORDED_MAX: u32 = 1024;
/// What those outcomes may take in memory, in bytes, before nothing more starts there. What is in flight then ends all
/// the same and adds up to 68 KiB each, so the bound is this and the concurrency times that: 4.5 MiB with the usual
/// eight. Messages and records that fill their bounds would take 70 MB otherwise. An ordinary one has some hundred bytes,
/// so this is felt by plugins with very long ones only.
pub const UNRECORDED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a plugin may take over one delivery.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(60);
/// Different deliveries that must fail one after another, with no success in between, for the breaker of a destination
/// to open. Counted by delivery, so that one that fails for ever does not open it alone.
pub const BREAKER_FAILURES: usize = 5;
/// The first wait for a probe after a breaker has opened; it doubles with every probe that fails.
pub const BREAKER_WAIT: Duration = Duration::from_secs(5);
/// The longest wait between two probes.
pub const BREAKER_WAIT_MAX: Duration = Duration::from_secs(60);
/// Deliveries a second that a replay makes, unless it says otherwise.
pub const REPLAY_PER_SECOND: u32 = 50;
/// Windows of one schedule.
pub const SCHEDULE_WINDOWS_MAX: usize = 64;
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

/// How many plugins may stand behind an event. Routes can lead what a plugin makes back to a plugin, and so on.
pub const HOPS_MAX: u8 = 4;
/// Longest body of an event that a plugin makes, in bytes.
pub const EMIT_BYTES_MAX: usize = 1024 * 1024;
/// Events that a plugin may make in one attempt of a delivery.
pub const EMITS_PER_DELIVERY_MAX: u32 = 100;
/// Events a second that a plugin may make outside of deliveries: nothing else ends such a chain.
pub const EMITS_PER_SECOND: u32 = 5;
/// Longest `Content-Type` of an event that a plugin makes, in bytes.
pub const CONTENT_TYPE_BYTES_MAX: usize = 256;
/// Attempts that a plugin asks more time for take at most so many times the `timeout`, unless the destination says
/// otherwise.
pub const EXTEND_FACTOR: u32 = 10;

const MIB: u64 = 1024 * 1024;
