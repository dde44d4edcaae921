/* postroom_plugin.h - the Postroom plugin ABI, version 1.1.   Licence: MIT OR Apache-2.0
 *
 * This header is the ONLY contract between the gateway (the host) and a plugin.  It is plain C99,
 * has no dependency, and is the source of truth: the Rust mirror is checked against it field by field.
 *
 * ------------------------------------------------------------------------------------------------
 * 1. WHAT A PLUGIN EXPORTS (default visibility; everything else should be hidden)
 *      const char postroom_manifest_v1[];   static JSON, read from the ELF file WITHOUT running code
 *      postroom_plugin_entry_v1()           returns the function table
 *    The file is named libpostroom_plugin_<name>.so.
 *    The "_v1" is the ABI MAJOR version.  A host that knows majors 1 and 2 looks for "_v2" first;
 *    one file may export both.
 *    Rationale: a manifest that is data can be shown, checked and refused before anything of the
 *    plugin has run; constructors of a shared library already are its code.
 *
 * 2. VERSIONING
 *    - Major: symbol name.  Incompatible.  A host supports major N-1 for at least 24 months.
 *    - Minor: fields are only APPENDED to structs that begin with struct_size; never reordered,
 *      resized or removed.  New status codes, outcome kinds and capability bits may appear.
 *    - struct_size: the PRODUCER of a struct stores sizeof() as it was compiled.  The CONSUMER may
 *      read a field only if  offsetof(field) + sizeof(field) <= struct_size ; a field that is not
 *      there has the value 0 / NULL.  Use POSTROOM_HAS().
 *    - Frozen for the life of major 1 (no struct_size): postroom_str, postroom_attr, postroom_sink,
 *      postroom_errbuf.
 *    - Capability bits say what the host offers; a plugin states what it cannot live without.  A host
 *      function whose capability bit is not set is NULL.  complete and get_extension need no bit and
 *      are never NULL.
 *    - Whole optional interfaces are reached by name: the host's with
 *      host->get_extension("postroom.http/1"), the plugin's with plugin->get_extension.
 *    - All integers have fixed width; no C enum, bool, long, bit-field, float or varargs crosses.
 *    Rationale: the version is the ABI's own.  Tied to the product's, every release would break
 *    every plugin.
 *
 * 3. MEMORY: NO ALLOCATION EVER CROSSES THE BOUNDARY, IN EITHER DIRECTION.
 *    - Inputs are borrowed (postroom_str).  Unless said otherwise they are valid until the call
 *      returns.
 *    - Outputs are written through a postroom_sink or postroom_errbuf owned by the caller; the callee
 *      copies into it during the call.  Nobody frees anything the other side allocated.
 *    - Exception in the caller's favour: the postroom_event given to deliver() and all it points to
 *      stay valid until complete() for its token RETURNS, or destroy() returns.  This also holds after
 *      cancel().  So an asynchronous plugin need not copy the body.  It must never write to it.
 *    - The host table and host->ctx stay readable for the life of the process, so that a call that
 *      comes too late can be refused instead of being undefined.
 *    - instance pointers are opaque to the host; host->ctx and tokens are opaque to the plugin.
 *    Rationale: the two sides may use different allocators, and one side may be no Rust or C at all.
 *
 * 4. THREADS
 *    - [control]  entry, describe, validate, create, drain, destroy: called one at a time.
 *    - [any]      deliver, cancel, health: called from any thread, concurrently with each other, on
 *                 the same instance, between the return of create() and the call of destroy().
 *    - deliver() without POSTROOM_PF_BLOCKING must return quickly (budget 50 ms) and complete later
 *      from any thread; or it may complete inline.  With POSTROOM_PF_BLOCKING it may take as long as
 *      the deadline; the host then calls it on its own threads, at most "concurrency" at once.
 *    - Every postroom_host function is thread safe and may be called from any thread, also from inside
 *      deliver(), and from threads the plugin made, until destroy() RETURNS.  A later call is answered
 *      POSTROOM_E_STALE, or does nothing where there is no status, and counts as a fault.
 *    - create() may start threads.  destroy() must stop and join every one of them.
 *    - The host never unloads a plugin (no dlclose).  It ends the process that holds it.
 *
 * 5. UNWINDING AND PROCESS STATE
 *    - No panic, C++ exception or longjmp may leave a plugin or host function.  SDKs catch them.
 *    - A plugin must not: fork, exec, exit, abort on bad input, change signal handlers or masks of
 *      threads it does not own, chdir, umask, setenv, setlocale, close fds it does not own, or use
 *      fd 0..3.  stdout and stderr are captured and logged line by line.
 *
 * 6. DELIVERY CONTRACT: at least once.  For one token, deliver() returning POSTROOM_OK obliges the
 *    plugin to call complete() exactly once.  Any other return value means "not accepted": the plugin
 *    must not complete that token.  event->id is stable over attempts: use it as idempotency key.
 * ---------------------------------------------------------------------------------------------- */
#ifndef POSTROOM_PLUGIN_H
#define POSTROOM_PLUGIN_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define POSTROOM_ABI_MAJOR 1u
#define POSTROOM_ABI_MINOR 1u             /* 1.1: postroom_plugin.get_extension                      */
#if defined(_WIN32)
#  define POSTROOM_EXPORT __declspec(dllexport)
#  define POSTROOM_MANIFEST __declspec(dllexport)
#else
#  define POSTROOM_EXPORT __attribute__((visibility("default"), used))
#  define POSTROOM_MANIFEST __attribute__((used, aligned(8)))  /* visible by its declaration below */
#endif
/* Is field f present in the struct p points to?  (p->struct_size was set by whoever made it.) */
#define POSTROOM_HAS(p, T, f) ((p)->struct_size >= offsetof(T, f) + sizeof(((T *)0)->f))

/* ---------------------------------------------------------------- frozen small types ------------ */
typedef uint64_t postroom_token;          /* one delivery attempt; never 0; never reused             */
typedef int32_t postroom_status;

/* Bytes; UTF-8 where it is text.  ptr may be NULL if len is 0.  Not NUL-ended. */
typedef struct postroom_str {
    const uint8_t *ptr;
    size_t len;
} postroom_str;

typedef struct postroom_attr {
    postroom_str key;
    postroom_str value;
} postroom_attr;

/* Caller-owned growing buffer.  write() copies, may be called many times, and returns
   POSTROOM_E_TOO_LARGE when it is full. */
typedef struct postroom_sink {
    void *ctx;
    postroom_status (*write)(void *ctx, const uint8_t *data, size_t len);
} postroom_sink;

/* Caller-owned fixed buffer for one message to people.  The callee sets len <= cap and truncates on a
   character border. */
typedef struct postroom_errbuf {
    uint8_t *ptr;
    size_t cap;
    size_t len;
} postroom_errbuf;

/* ---------------------------------------------------------------- status codes ------------------ */
#define POSTROOM_OK              0
#define POSTROOM_E_INVALID      (-1)      /* bad argument, bad UTF-8, bad struct_size                */
#define POSTROOM_E_UNSUPPORTED  (-2)      /* function, capability or extension absent                */
#define POSTROOM_E_STALE        (-3)      /* token unknown, completed or expired; or instance gone   */
#define POSTROOM_E_NOT_FOUND    (-4)
#define POSTROOM_E_CONFLICT     (-5)      /* compare-and-swap lost                                   */
#define POSTROOM_E_TOO_LARGE    (-6)
#define POSTROOM_E_DENIED       (-7)      /* not granted in the manifest / by the operator           */
#define POSTROOM_E_UNAVAILABLE  (-8)      /* try later                                               */
#define POSTROOM_E_BUSY         (-9)      /* deliver(): back-pressure; offered again, costs no attempt */
#define POSTROOM_E_CONFIG       (-10)     /* validate(), create(): the operator must change the config */
#define POSTROOM_E_INTERNAL     (-11)     /* bug in callee                                           */
#define POSTROOM_E_PANIC        (-12)     /* caught panic or exception in callee                     */

/* ---------------------------------------------------------------- capabilities ------------------ */
#define POSTROOM_CAP_LOG      (1ull << 0) /* log_level, log                                          */
#define POSTROOM_CAP_METRICS  (1ull << 1) /* metric                                                  */
#define POSTROOM_CAP_STATE    (1ull << 2) /* state, state_wait                                       */
#define POSTROOM_CAP_SECRETS  (1ull << 3) /* secret                                                  */
#define POSTROOM_CAP_CLOCK    (1ull << 4) /* now_unix_ms, monotonic_ns                               */
#define POSTROOM_CAP_PROGRESS (1ull << 5) /* extend                                                  */

/* ---------------------------------------------------------------- plugin flags ------------------ */
#define POSTROOM_PF_BLOCKING  (1ull << 0) /* deliver() blocks; host uses a bounded thread pool       */
#define POSTROOM_PF_SERIAL    (1ull << 1) /* host keeps at most one delivery in flight per instance  */

/* ---------------------------------------------------------------- event ------------------------- */
typedef struct postroom_event {
    uint32_t struct_size;
    uint32_t attempt;                     /* 1 for the first offer                                   */
    uint64_t received_unix_ms;
    uint64_t deadline_unix_ms;            /* complete before this or be cancelled                    */
    postroom_str id;                      /* stable over attempts and restarts                       */
    postroom_str kind;                    /* "monitor_run", "collection_backup", "activity",
                                             "unrecognized"; more may appear                         */
    postroom_str subject;                 /* id of the monitor or collection, without owner prefix;
                                             may be empty                                            */
    postroom_str verdict;                 /* "passed", "failed" or "unknown"; empty where there is
                                             none to give                                            */
    postroom_str source;                  /* name of the receiving source, e.g. "acme"               */
    postroom_str content_type;            /* e.g. "application/json"; may be empty                   */
    postroom_str ordering_key;            /* may be empty; same key = in order, one at a time        */
    postroom_str trace_parent;            /* W3C traceparent, may be empty                           */
    const postroom_attr *attrs;           /* the event's labels                                      */
    size_t attr_count;
    postroom_str body;                    /* the request body as it was sent, read-only              */
} postroom_event;

/* ---------------------------------------------------------------- outcome ----------------------- */
#define POSTROOM_OUT_DELIVERED     1u     /* done, the remote side has it                            */
#define POSTROOM_OUT_SKIPPED       2u     /* left out on purpose; counted apart from delivered       */
#define POSTROOM_OUT_RETRY         3u     /* transient; host backs off (or retry_after_ms if set)    */
#define POSTROOM_OUT_RATE_LIMITED  4u     /* pause the instance for retry_after_ms; costs no attempt */
#define POSTROOM_OUT_PERMANENT     5u     /* never works for THIS event: dead letter                 */
#define POSTROOM_OUT_MISCONFIGURED 6u     /* never works until the operator acts: pause the instance */
/* A kind the host does not know is treated as POSTROOM_OUT_RETRY: nothing is lost by trying again.  */
typedef struct postroom_outcome {
    uint32_t struct_size;
    uint32_t kind;                        /* POSTROOM_OUT_*                                          */
    uint64_t retry_after_ms;              /* 0 = host decides                                        */
    postroom_str code;                    /* stable, for programs, [a-z0-9_.]{0,64}, e.g. "http_503" */
    postroom_str message;                 /* for people; <= 4 KiB kept; never put secrets here       */
    postroom_str record_json;             /* outcome record: object, <= 64 KiB, e.g.
                                             {"refs":[{"system":"jira","id":"OPS-7","url":"..."}]}   */
} postroom_outcome;

/* ---------------------------------------------------------------- durable state ----------------- */
#define POSTROOM_STATE_GET    1u
#define POSTROOM_STATE_PUT    2u
#define POSTROOM_STATE_DELETE 3u
#define POSTROOM_STATE_LIST   4u          /* key = prefix; value sink gets "key\n" lines, sorted     */
#define POSTROOM_VER_ANY      UINT64_MAX  /* no check                                                */
#define POSTROOM_VER_ABSENT   0ull        /* only if the key does not exist                          */
typedef struct postroom_state_op {
    uint32_t struct_size;
    uint32_t op;                          /* POSTROOM_STATE_*                                        */
    postroom_str key;                     /* 1..256 bytes UTF-8, no line feed; private to the destination */
    postroom_str value;                   /* PUT: <= 256 KiB                                         */
    uint64_t expected_version;            /* PUT, DELETE: compare-and-swap                           */
    uint64_t ttl_ms;                      /* PUT: 0 = keep                                           */
} postroom_state_op;
typedef struct postroom_state_result {
    uint32_t struct_size;
    postroom_status status;               /* OK, NOT_FOUND, CONFLICT, TOO_LARGE, UNAVAILABLE, STALE  */
    uint64_t version;                     /* current version of the key (0 = absent)                 */
    postroom_str value;                   /* borrowed until the callback returns                     */
} postroom_state_result;
/* Called exactly once if state() returned POSTROOM_OK, from any thread, perhaps before it returns; at the
   latest with STALE before destroy() is called.  Operations that nobody waited for in between happen in any
   order.  After UNAVAILABLE and STALE a write may still happen: read before you write again. */
typedef void (*postroom_state_cb)(void *user, const postroom_state_result *result);

/* ---------------------------------------------------------------- host services ----------------- */
#define POSTROOM_LOG_ERROR 1u
#define POSTROOM_LOG_WARN  2u
#define POSTROOM_LOG_INFO  3u
#define POSTROOM_LOG_DEBUG 4u
#define POSTROOM_LOG_TRACE 5u
#define POSTROOM_METRIC_COUNTER   1u      /* value_milli (thousandths, >= 0) is added                */
#define POSTROOM_METRIC_GAUGE     2u      /* set                                                     */
#define POSTROOM_METRIC_HISTOGRAM 3u      /* observed                                                */

typedef struct postroom_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint64_t capabilities;                /* POSTROOM_CAP_*                                          */
    void *ctx;                            /* first argument of every function below                  */

    /* Finish a delivery.  Copies *outcome.  OK: accepted, the event memory is gone on return.
       STALE: double, late or unknown: ignored (and counted).  Never blocks. */
    postroom_status (*complete)(void *ctx, postroom_token token, const postroom_outcome *outcome);
    /* Ask for more time ("still working"): want_ms from now.  Sets *new_deadline_unix_ms to what is given,
       which may be less, and what it was when there is no more to give (DENIED).  The operator sets how
       much an attempt may have in all.  Never blocks. */
    postroom_status (*extend)(void *ctx, postroom_token token, uint32_t want_ms,
                              uint64_t *new_deadline_unix_ms);
    /* Highest level worth formatting; 0 = none. */
    uint32_t (*log_level)(void *ctx);
    /* token may be 0.  fields_json: object or empty.  Never blocks; drops and counts if flooded. */
    void (*log)(void *ctx, uint32_t level, postroom_token token, postroom_str target,
                postroom_str message, postroom_str fields_json);
    /* name: [a-z0-9_]{1,64}, declared in the manifest with this kind; <= 8 labels, names as the metric's,
       values <= 128 bytes.  value_milli: thousandths.  DENIED: not declared.  UNAVAILABLE: flooded, this
       one is dropped and counted.  Never blocks. */
    postroom_status (*metric)(void *ctx, uint32_t kind, postroom_str name, int64_t value_milli,
                              const postroom_attr *labels, size_t label_count);
    /* Asynchronous; the answer goes to cb. */
    postroom_status (*state)(void *ctx, const postroom_state_op *op, postroom_state_cb cb, void *user);
    /* Blocking form; refused with DENIED on a thread the host called deliver() on, unless the
       plugin has POSTROOM_PF_BLOCKING.  value (may be NULL) receives the bytes. */
    postroom_status (*state_wait)(void *ctx, const postroom_state_op *op, uint32_t timeout_ms,
                                  postroom_sink *value, uint64_t *version);
    /* A test may stand in for both clocks. */
    uint64_t (*now_unix_ms)(void *ctx);
    uint64_t (*monotonic_ns)(void *ctx);
    /* Value of a secret the config refers to as {"$secret":"name"}.  Ask when needed: it may have
       been rotated.  Do not keep it, log it, or put it in an outcome.  DENIED: not in the config. */
    postroom_status (*secret)(void *ctx, postroom_str name, postroom_sink *value);
    /* e.g. "postroom.http/1"; NULL if absent. */
    const void *(*get_extension)(void *ctx, postroom_str id);
} postroom_host;

/* ---------------------------------------------------------------- extension postroom.emit/1 ----- */
/* A plugin makes an event of its own, which routes can match like any other:
     const postroom_emit_v1 *emit = host->get_extension(host->ctx, POSTROOM_STR(POSTROOM_EMIT_V1));
   The kinds it may have are declared in the manifest ("emits"), and the operator grants it with
   emit = true at the destination: without that there is no extension (NULL).  The event's source is
   "destination:" and the destination's name.  It never goes back to the destination that made it, and a
   chain of emits ends after 4 of them. */
#define POSTROOM_EMIT_V1         "postroom.emit/1"
#define POSTROOM_EMIT_BODY_MAX   1048576u
#define POSTROOM_EMIT_LABELS_MAX 16u      /* names and values: 1..256 bytes, 0..256 bytes            */
typedef struct postroom_new_event {
    uint32_t struct_size;
    uint32_t flags;                       /* 0                                                       */
    postroom_token token;                 /* the delivery it is made in; 0 = none                    */
    postroom_str kind;                    /* [a-z0-9_]{1,64}, as declared                            */
    postroom_str subject;                 /* <= 1 KiB, may be empty                                  */
    postroom_str ordering_key;            /* <= 1 KiB; empty: by the subject, then by the destination */
    postroom_str verdict;                 /* "passed", "failed", "unknown" or empty                  */
    postroom_str content_type;            /* <= 256 bytes, may be empty                              */
    /* <= 128 bytes.  The same key with the same body makes no second event.  Empty: within a delivery
       the gateway makes one of the delivered event and what is emitted, so that a delivery that comes
       again may emit again; outside of one each emit is an event. */
    postroom_str idempotency_key;
    const postroom_attr *labels;
    size_t label_count;
    postroom_str body;                    /* <= 1 MiB                                                */
} postroom_new_event;
typedef struct postroom_emit_result {
    uint32_t struct_size;
    postroom_status status;               /* OK: it is on disk.  DENIED: its kind is not declared, too many
                                             emits stand behind it, or the delivery has made too many (100).
                                             UNAVAILABLE: try later; it may have been made.  STALE       */
    uint32_t repeated;                    /* 1: it was made before, and this is that event           */
    uint32_t flags;                       /* 0                                                       */
    postroom_str event_id;                /* borrowed until the callback returns                     */
} postroom_emit_result;
/* Called exactly once if emit() returned POSTROOM_OK, as postroom_state_cb is. */
typedef void (*postroom_emit_cb)(void *user, const postroom_emit_result *result);
typedef struct postroom_emit_v1 {
    uint32_t struct_size;
    uint32_t flags;                       /* 0                                                       */
    /* Copies *event.  ctx is the host's.  Asynchronous; the answer goes to cb.  Whoever wants the event
       to be there when a delivery has ended waits for the answer before complete().  Events that nobody
       waited for in between are made in any order. */
    postroom_status (*emit)(void *ctx, const postroom_new_event *event, postroom_emit_cb cb, void *user);
} postroom_emit_v1;

/* ---------------------------------------------------------------- plugin table ------------------ */
typedef struct postroom_plugin {
    uint32_t struct_size;
    uint16_t abi_major;                   /* as compiled                                             */
    uint16_t abi_minor;
    uint64_t flags;                       /* POSTROOM_PF_*                                           */
    uint64_t required_caps;               /* POSTROOM_CAP_*: host refuses to create() without them   */

    /* [control, optional] Full manifest incl. "config_schema" (JSON Schema 2020-12), when it is
       computed by code.  Must agree with postroom_manifest_v1 on id, version and abi. */
    postroom_status (*describe)(postroom_sink *manifest_json);
    /* [control, optional] Checks the schema cannot express.  Pure: no I/O, no threads.  Writes
       {"errors":[{"path":"/url","message":"..."}],"warnings":[...]} and returns OK or CONFIG.
       path is a JSON Pointer into the config; "" is the whole. */
    postroom_status (*validate)(postroom_str config_json, postroom_sink *report_json);
    /* [control] config_json has been validated.  On any status but OK nothing was made, destroy()
       will not be called, and err says why. */
    postroom_status (*create)(const postroom_host *host, postroom_str config_json, void **instance,
                              postroom_errbuf *err);
    /* [any] See 6. */
    postroom_status (*deliver)(void *instance, postroom_token token, const postroom_event *event);
    /* [any, optional] The host no longer wants this one; complete() will say STALE, still call it:
       the event's memory is held until then, and a DELIVERED is taken down where someone cancelled
       the delivery. */
    void (*cancel)(void *instance, postroom_token token);
    /* [any, optional] OK, UNAVAILABLE or CONFIG; detail_json: object or nothing.  Budget 1 s. */
    postroom_status (*health)(void *instance, postroom_sink *detail_json);
    /* [control, optional] No more deliver() will come; flush what you batch.  Tokens may still be
       completed until the deadline. */
    void (*drain)(void *instance, uint64_t deadline_unix_ms);
    /* [control] Stop threads, release all.  After the return no host function may be called. */
    void (*destroy)(void *instance);
    /* Since 1.1.  [control, optional] A whole optional interface of the plugin by name, such as
       POSTROOM_ACTIONS_V1: a table that lives for ever; NULL if absent. */
    const void *(*get_extension)(postroom_str id);
} postroom_plugin;

/* [control] Must be cheap and free of side effects.  Returns a table that lives for ever, or NULL with
   a reason in err if this host_minor / host_caps cannot be served. */
typedef const postroom_plugin *(*postroom_entry_fn)(uint32_t host_minor, uint64_t host_caps,
                                                    postroom_errbuf *err);
POSTROOM_EXPORT extern const postroom_plugin *postroom_plugin_entry_v1(uint32_t host_minor,
                                                                       uint64_t host_caps,
                                                                       postroom_errbuf *err);

/* ---------------------------------------------------------------- postroom.actions/1 (plugin) --- */
/* Named operations that people start: list, verify, restore.  What actions there are, and what they take
   and give, stands in the manifest under "actions", so that it can be shown without running any code.
   The host runs only those, and at most 4 at once.
   It calls run() on a thread of its own, so run() may block; or it returns and the action goes on.
   After POSTROOM_OK done() must be called exactly once, from any thread, perhaps before run() returns,
   and at the latest before destroy() returns.  After any other status it must not be called. */
#define POSTROOM_ACTIONS_V1 "postroom.actions/1"
typedef struct postroom_action {
    uint32_t struct_size;
    uint32_t reserved;                    /* 0                                                       */
    postroom_token token;                 /* names this run to done() and cancel(); of no delivery   */
    uint64_t deadline_unix_ms;            /* be done before this or be cancelled                     */
    postroom_str name;                    /* as in the manifest                                      */
    postroom_str input_json;              /* object, checked against "input_schema"; <= 1 MiB        */
} postroom_action;
typedef struct postroom_action_result {
    uint32_t struct_size;
    postroom_status status;               /* OK: done.  INVALID: the input is refused.  NOT_FOUND,
                                             CONFLICT, DENIED: not as things stand.  UNAVAILABLE: try
                                             later.  CONFIG: the operator must act.  Others: a fault  */
    postroom_str output_json;             /* OK: object, <= 4 MiB, never with secrets in it.  INVALID:
                                             {"errors":[{"path":"/name","message":"..."}]} or empty;
                                             path is a JSON Pointer into the input                   */
    postroom_str message;                 /* other than OK: for people; <= 4 KiB kept                */
} postroom_action_result;
/* Copies *result.  OK: taken.  STALE: double, late or unknown, ignored (and counted).  TOO_LARGE: the run
   has failed with that.  Never blocks. */
typedef postroom_status (*postroom_action_done)(void *user, postroom_token token,
                                                const postroom_action_result *result);
typedef struct postroom_actions_v1 {
    uint32_t struct_size;
    uint32_t reserved;                    /* 0                                                       */
    /* [any] Starts an action.  *action is borrowed for the call; done and user until done() returns. */
    postroom_status (*run)(void *instance, const postroom_action *action, postroom_action_done done,
                           void *user);
    /* [any, optional] Nobody waits for this run any more.  done() is still owed; it will say STALE. */
    void (*cancel)(void *instance, postroom_token token);
} postroom_actions_v1;

/* Manifest:  const char postroom_manifest_v1[] POSTROOM_MANIFEST = "{...}";
   UTF-8 JSON object, NUL-ended, <= 256 KiB.  Required keys:
     manifest  1
     id        ^[a-z0-9]+([.-][a-z0-9]+)*$; also the name used in configuration
     name      for people          version   SemVer of the plugin          abi   "1.1"
     kinds     list of globs over event kinds, e.g. ["monitor_run"] or ["*"]
   Optional: description, license, homepage, capabilities (list), concurrency (1..1024), config_schema
   (JSON Schema 2020-12; a property that holds a secret says "writeOnly": true), network ("none" or
   list of "host:port"), filesystem (list of {"path","access","file"}: path absolute, or "{config.root}" for
   what the setting root names; access "read" or "write"; file true for one file, which is made empty when
   it is missing and to be written to, where otherwise a folder is made), limits ({"memory_mb","threads"}),
   emits (list of event kinds), metrics (list of {"name","kind","help","buckets"}; kind "counter", "gauge"
   or "histogram"),
   actions (list of {"name","title","description","input_schema","output_schema","danger"}; name
   ^[a-z0-9]+([_-][a-z0-9]+)*$; danger: whether it destroys or overwrites something).
   Unknown keys are kept.  The manifest asks; the operator grants.
   Declared here because a const array has internal linkage in C++ otherwise, and because a compiler
   told to hide symbols wants the visibility on the first declaration. */
#if defined(_WIN32)
extern const char postroom_manifest_v1[];
#else
extern const char postroom_manifest_v1[] __attribute__((visibility("default")));
#endif

#ifdef __cplusplus
}
#else
/* ---------------------------------------------------------------- conveniences (C only) --------- */
#define POSTROOM_STR(lit) ((postroom_str){ (const uint8_t *)(lit), sizeof(lit) - 1 })
static inline postroom_outcome postroom_outcome_of(uint32_t kind) {
    postroom_outcome o = { 0 };
    o.struct_size = (uint32_t)sizeof o;
    o.kind = kind;
    return o;
}
#endif
#endif
