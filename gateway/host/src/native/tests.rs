#![expect(unsafe_code, reason = "loads the plugin of the tests into the process of the tests")]

use std::{
    ptr,
    sync::{Arc, Mutex, MutexGuard},
};

use postroom_abi::{
    POSTROOM_E_BUSY, POSTROOM_E_INTERNAL, POSTROOM_E_STALE, POSTROOM_E_UNAVAILABLE, POSTROOM_OK,
    POSTROOM_STATE_GET, postroom_state_op, postroom_str,
};
use postroom_core::secret::Secret;

use super::{Host, Instance, Services, ValidateError, load};
use crate::{
    action::ActionReport,
    config_fault,
    faults::Faults,
    outcome::Report,
    plugin_emit::EmitRequest,
    plugin_log::LogRecord,
    plugin_metrics::{Measurement, MetricKind},
    plugin_state::{StateOperation, StateReply, WAITING_MAX},
    testing::{self, Compiled},
};

/// What the plugin did, in order.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<String>>>);

struct Recorder {
    recorded: Recorded,
    secret: Secret,
}

impl Recorded {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }
}

impl Services for Recorder {
    fn completed(&self, token: u64, report: Report) {
        let Report { kind, retry_after_ms, code, message, record_json } = report;
        let line = format!("completed {token}: {kind} {retry_after_ms} {code:?} {message:?} {record_json}");
        self.recorded.lock().push(line);
    }

    fn released(&self, token: u64, report: Report) {
        self.recorded.lock().push(format!("released {token}: {}", report.message));
    }

    fn log_level(&self) -> u32 {
        3
    }

    fn log(&self, record: LogRecord) {
        self.recorded.lock().push(format!("log {}: {}", record.token, record.message));
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        (name == "token").then(|| self.secret.clone())
    }

    fn extended(&self, token: u64, want_ms: u32) {
        self.recorded.lock().push(format!("extended {token}: {want_ms}"));
    }

    fn has_metric(&self, _: MetricKind, _: &str) -> bool {
        true
    }

    fn measured(&self, measurement: Measurement) -> bool {
        self.recorded.lock().push(format!("{measurement:?}"));
        true
    }

    fn may_emit(&self) -> bool {
        true
    }

    fn emit(&self, request: u64, event: EmitRequest) {
        self.recorded.lock().push(format!("emit {request}: {}", event.kind));
    }

    fn action_ended(&self, token: u64, report: ActionReport) {
        let ActionReport { status, output_json, message } = report;
        self.recorded.lock().push(format!("action {token}: {status} {output_json} {message}"));
    }

    fn state(&self, request: u64, operation: StateOperation) {
        self.recorded.lock().push(format!("state {request}: {operation:?}"));
    }
}

/// An instance of the scripted plugin. Every test compiles its own, because the plugin keeps state in statics and a
/// library is loaded once per file.
struct Rig {
    instance: Instance,
    host: Host,
    recorded: Recorded,
    _library: Compiled,
}

impl Rig {
    fn new() -> Self {
        let compiled = testing::scripted("0", "0");
        let recorded = Recorded::default();
        let recorder = Recorder { recorded: recorded.clone(), secret: Secret::new("s3cret") };
        // SAFETY: the library is the one of the tests.
        let library = unsafe { load(&compiled.path) }.unwrap();
        let host = Host::new(Box::new(recorder));
        let instance = Instance::create(library, "{}", host);
        Self { instance: instance.ok().unwrap(), host, recorded, _library: compiled }
    }

    fn deliver(&self, token: u64, body: &'static str) -> i32 {
        self.instance.deliver(testing::offer(token, &testing::delivery(body)))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.recorded.lock())
    }
}

/// Delivers one event with token 1 and compares what the plugin did.
#[track_caller]
fn check(body: &'static str, expected: &[&str]) {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, body), POSTROOM_OK);
    assert_eq!(rig.take(), expected);
}

#[test]
fn the_plugin_gets_the_whole_event_and_the_host_its_outcome() {
    check(
        "show",
        &[
            r#"completed 1: 1 0 "done" "monitor_run monitor-1 failed acme key-1 team=payments 2 111" {"id":"7"}"#,
        ],
    );
}

#[test]
fn a_second_completion_is_stale_and_the_first_counts() {
    check("twice", &[r#"completed 1: 1 0 "done" "first" {"id":"7"}"#, "log 1: second: -3"]);
}

#[test]
fn a_forged_token_is_stale() {
    check("forged", &["log 1: forged: -3", r#"completed 1: 1 0 "done" "own" {"id":"7"}"#]);
}

#[test]
fn an_outcome_is_read_only_as_far_as_its_size_says() {
    check("short", &[r#"completed 1: 4 1500 "" "" "#]);
}

#[test]
fn an_outcome_without_its_kind_or_without_itself_is_invalid_and_ends_nothing() {
    check("tiny", &["log 1: tiny: -1", "log 1: null: -1", r#"completed 1: 1 0 "done" "whole" {"id":"7"}"#]);
}

#[test]
fn text_that_is_not_utf_8_is_mended() {
    check("not utf-8", &["completed 1: 99 0 \"done\" \"a\u{fffd}b\" {\"id\":\"7\"}"]);
}

#[test]
fn only_named_secrets_are_given() {
    check(
        "secret",
        &["log 1: unknown secret: -7", "log 1: secret: 0", r#"completed 1: 1 0 "done" "right" {"id":"7"}"#],
    );
}

#[test]
fn a_delivery_may_be_completed_later() {
    let rig = Rig::new();
    assert_eq!((rig.deliver(1, "hold"), rig.take().len()), (POSTROOM_OK, 0));
    rig.deliver(2, "free");
    assert_eq!(rig.take()[0], r#"completed 1: 1 0 "done" "held" {"id":"7"}"#);
}

#[test]
fn a_completion_after_a_cancel_is_stale_and_frees_the_place() {
    let rig = Rig::new();
    rig.deliver(1, "hold");
    rig.instance.cancel(1);
    assert_eq!(rig.take(), ["released 1: late", "log 1: cancelled: -3"]);
    rig.instance.cancel(1);
    rig.instance.cancel(99);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_refused_delivery_is_not_completed() {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, "busy"), POSTROOM_E_BUSY);
    assert_eq!(rig.deliver(2, "broken"), POSTROOM_E_INTERNAL);
    assert_eq!(rig.take(), [""; 0]);
    rig.instance.wait_idle(std::time::Duration::MAX);
}

#[test]
fn completing_and_then_refusing_counts_as_completed() {
    check("both", &[r#"completed 1: 1 0 "done" "taken" {"id":"7"}"#]);
}

#[test]
fn destroy_breaks_off_what_is_in_flight_and_refuses_everything_after() {
    let rig = Rig::new();
    rig.deliver(1, "hold");
    rig.deliver(2, "never");
    rig.instance.destroy();
    let late = r#"completed 1: 1 0 "done" "late" {"id":"7"}"#;
    assert_eq!(rig.take(), [late, "log 1: cancelled: 0", "log 0: destroyed: 0"]);
    rig.instance.destroy();
    assert_eq!(rig.deliver(3, "ok"), POSTROOM_E_STALE);
    rig.instance.cancel(2);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_refused_config_names_its_faults() {
    // SAFETY: the library is the one of the tests.
    let library = unsafe { load(&testing::PLUGIN.path) }.unwrap();
    assert!(library.validate("{}").is_ok());
    let Err(ValidateError::Refused(faults)) = library.validate(r#"{"mode":"refuse-validate"}"#) else {
        panic!("accepted");
    };
    assert_eq!(config_fault::list(&faults), "/url: is no URL");
}

#[test]
fn an_instance_that_cannot_be_made_says_why() {
    let create = |config| {
        // SAFETY: the library is the one of the tests.
        let library = unsafe { load(&testing::PLUGIN.path) }.unwrap();
        let recorder = Recorder { recorded: Recorded::default(), secret: Secret::new("") };
        Instance::create(library, config, Host::new(Box::new(recorder))).err().map(|error| error.to_string())
    };
    assert_eq!(create("refuse-create").unwrap(), "the plugin refuses its config: root not there");
    // A message longer than its buffer is a lie, and none of it is believed.
    assert_eq!(
        create("lie-create").unwrap(),
        "the plugin could not be started, status -11 (internal error): "
    );
}

#[track_caller]
fn check_load(source: &str, expected: &str) {
    let compiled = testing::compile(source, &["-shared", "-fPIC"]);
    // SAFETY: the library is the one of the test.
    let error = unsafe { load(&compiled.path) }.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn faulty_tables_are_refused() {
    let table = |table: &str| {
        format!(
            "#include \"postroom_plugin.h\"\nstatic const postroom_plugin table = {{ {table} }};\n\
             POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
             {{ (void)m; (void)c; (void)e; return &table; }}"
        )
    };
    check_load(&table(".struct_size = 8, .abi_major = 1"), "has 8 bytes");
    check_load(&table(".struct_size = 100000, .abi_major = 1"), "has 100000 bytes");
    check_load(&table(".struct_size = sizeof table, .abi_major = 2"), "ABI major 2");
    check_load(&table(".struct_size = sizeof table, .abi_major = 1"), "lacks create");
    check_load(
        &table(".struct_size = sizeof table, .abi_major = 1, .required_caps = 1ull << 40 | POSTROOM_CAP_LOG"),
        "needs capabilities 0x10000000000",
    );
    check_load("int answer(void) { return 42; }", "cannot load the library");
    let reason = "e->len = 7; e->ptr[0] = 'n'; e->ptr[1] = 'o'; for (int i = 2; i < 7; i++) e->ptr[i] = '!'; return 0;";
    check_load(&table("").replace("return &table;", &format!("(void)table; {reason}")), "no table: no!!!!!");
}

#[test]
fn a_table_with_fields_of_the_future_is_welcome() {
    let source = "#include \"postroom_plugin.h\"\n\
        static postroom_status create(const postroom_host *h, postroom_str c, void **i, postroom_errbuf *e) { return 0; }\n\
        static postroom_status deliver(void *i, postroom_token t, const postroom_event *e) { return 0; }\n\
        static void destroy(void *i) {}\n\
        static const struct { postroom_plugin now; void *later[2]; } table = { .now = { .struct_size = sizeof table,\n\
        .abi_major = 1, .abi_minor = 9, .create = create, .deliver = deliver, .destroy = destroy } };\n\
        POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
        { return &table.now; }";
    let compiled = testing::compile(source, &["-shared", "-fPIC"]);
    // SAFETY: the library is the one of the test.
    assert!(unsafe { load(&compiled.path) }.is_ok());
}

/// A plugin whose table says that it has `bytes` bytes and whose extension is `actions`.
fn extended(bytes: &str, actions: &str) -> String {
    format!(
        "#include \"postroom_plugin.h\"\n\
         static postroom_status create(const postroom_host *h, postroom_str c, void **i, postroom_errbuf *e) {{ return 0; }}\n\
         static postroom_status deliver(void *i, postroom_token t, const postroom_event *e) {{ return 0; }}\n\
         static void destroy(void *i) {{}}\n\
         static postroom_status run(void *i, const postroom_action *a, postroom_action_done d, void *u) {{ return 0; }}\n\
         static const postroom_actions_v1 actions = {{ {actions} }};\n\
         static const void *get_extension(postroom_str id) {{ (void)run; return &actions; }}\n\
         static const postroom_plugin table = {{ .struct_size = {bytes}, .abi_major = 1, .create = create,\n\
         .deliver = deliver, .destroy = destroy, .get_extension = get_extension }};\n\
         POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t m, uint64_t c, postroom_errbuf *e)\n\
         {{ return &table; }}"
    )
}

#[test]
fn actions_are_found_only_where_the_table_has_them_as_a_whole() {
    let run = ".struct_size = sizeof actions, .run = run";
    for (bytes, actions, found) in [
        ("sizeof table", run, true),
        ("sizeof table", ".struct_size = offsetof(postroom_actions_v1, cancel), .run = run", true),
        ("offsetof(postroom_plugin, get_extension)", run, false),
        ("sizeof table - 1", run, false),
    ] {
        let compiled = testing::compile(&extended(bytes, actions), &["-shared", "-fPIC"]);
        // SAFETY: the library is the one of the test.
        let library = unsafe { load(&compiled.path) }.unwrap();
        assert_eq!(library.actions.is_some(), found, "{bytes}, {actions}");
    }
    check_load(&extended("sizeof table", ".struct_size = sizeof actions"), "lacks run of postroom.actions/1");
    check_load(&extended("sizeof table", ".struct_size = 8, .run = run"), "lacks run of postroom.actions/1");
}

const ASKED: &str = r#"state 1: Get { key: "k" }"#;

#[test]
fn an_answer_is_handed_on_once() {
    let rig = Rig::new();
    assert_eq!(rig.deliver(1, "ask"), POSTROOM_OK);
    assert_eq!(rig.take(), [ASKED]);
    rig.host.answer_state(2, StateReply::NotFound);
    assert_eq!(rig.take(), [""; 0], "nobody asked for that");
    rig.host.answer_state(1, StateReply::NotFound);
    rig.host.answer_state(1, StateReply::NotFound);
    let answered = ["log 1: answered: -4", r#"completed 1: 1 0 "done" "-4" {"id":"7"}"#];
    assert_eq!(rig.take(), answered);
}

#[test]
fn what_was_asked_is_stale_when_the_instance_ends_and_a_late_answer_is_dropped() {
    let rig = Rig::new();
    rig.deliver(1, "ask");
    rig.take();
    rig.instance.destroy();
    let ended = ["log 1: answered: -3", r#"completed 1: 1 0 "done" "-3" {"id":"7"}"#, "log 0: destroyed: 0"];
    assert_eq!(rig.take(), ended, "before the plugin frees what its callback needs");
    rig.host.answer_state(1, StateReply::NotFound);
    assert_eq!(rig.take(), [""; 0]);
}

#[test]
fn a_plugin_cannot_have_more_operations_waiting_than_the_host_bears() {
    let rig = Rig::new();
    for _ in 0..WAITING_MAX {
        rig.deliver(1, "ask");
    }
    rig.take();
    rig.deliver(1, "ask");
    assert_eq!(rig.take(), ["log 1: not asked: -8"]);
    rig.host.answer_state(1, StateReply::NotFound);
    rig.take();
    rig.deliver(2, "ask");
    assert_eq!(rig.take().len(), 1, "there is room again");
}

#[test]
fn operations_that_were_given_up_count_until_they_are_answered() {
    let rig = Rig::new();
    let op = postroom_state_op {
        struct_size: size_of::<postroom_state_op>().try_into().unwrap(),
        op: POSTROOM_STATE_GET,
        key: postroom_str::of(b"k"),
        value: postroom_str::EMPTY,
        expected_version: 0,
        ttl_ms: 0,
    };
    let wait = rig.host.table.state_wait.unwrap();
    // SAFETY: the table's context and an operation that lives.
    let ask = || unsafe { wait(rig.host.table.ctx, &raw const op, 0, ptr::null_mut(), ptr::null_mut()) };
    // Nobody answers, as when a disk stands still for a few seconds.
    for _ in 0..2 * WAITING_MAX {
        assert_eq!(ask(), POSTROOM_E_UNAVAILABLE);
    }
    assert_eq!(rig.take().len(), WAITING_MAX, "the gateway ends a process that asks for more");
    rig.host.answer_state(1, StateReply::NotFound);
    ask();
    assert_eq!(rig.take().len(), 1, "there is room again");
}

#[test]
fn rules_that_are_broken_without_harm_are_counted() {
    let rig = Rig::new();
    rig.deliver(1, "hold");
    rig.instance.cancel(1);
    assert_eq!(rig.host.faults(), Faults::default(), "a late word on what was cancelled is no fault");
    for (token, body) in [(2, "twice"), (3, "forged"), (4, "both")] {
        rig.deliver(token, body);
    }
    assert_eq!(rig.host.faults(), Faults { stale: 3, ..Faults::default() });
    rig.instance.destroy();
    let table = rig.host.table;
    // SAFETY: the host's function with the host's context, which outlive the instance.
    let status = unsafe { table.complete.unwrap()(table.ctx, 1, std::ptr::null()) };
    assert_eq!(status, POSTROOM_E_STALE);
    assert_eq!(rig.host.faults(), Faults { stale: 3, late: 1, ..Faults::default() });
}
