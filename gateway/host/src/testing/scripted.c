/* A plugin that does what the body of an event tells it, and what its config tells it. */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"scripted\",\"name\":\"Scripted\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"]}";

static const postroom_host *host;
static postroom_token held;
static int instance_memory, hang_in_destroy, hang_in_health, bad_health, deaf, obedient, cancels, tells_secret;

static int is(postroom_str text, const char *word) {
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}
static int has(postroom_str text, const char *word) {
    char copy[4096] = { 0 };
    memcpy(copy, text.ptr, text.len < sizeof copy ? text.len : sizeof copy - 1);
    return strstr(copy, word) != NULL;
}
static postroom_str str(const char *text) {
    postroom_str s = { (const uint8_t *)text, strlen(text) };
    return s;
}
static void say(postroom_token token, const char *what, int status) {
    char line[128];
    snprintf(line, sizeof line, "%s: %d", what, status);
    host->log(host->ctx, POSTROOM_LOG_INFO, token, str("scripted"), str(line), str("{\"a\":1}"));
}
static postroom_status complete(postroom_token token, uint32_t kind, const char *message) {
    postroom_outcome outcome = postroom_outcome_of(kind);
    outcome.code = str("done");
    outcome.message = str(message);
    outcome.record_json = str("{\"id\":\"7\"}");
    return host->complete(host->ctx, token, &outcome);
}
static postroom_status append(void *ctx, const uint8_t *data, size_t len) {
    strncat(ctx, (const char *)data, len);
    return POSTROOM_OK;
}

/* Asks for something about its state and waits; adds the answer to `answers`. */
static char answers[1024], large[256 * 1024 + 1];
static postroom_state_op state_op(uint32_t op, const char *key) {
    postroom_state_op o = { 0 };
    o.struct_size = sizeof o;
    o.op = op;
    o.key = str(key);
    o.expected_version = POSTROOM_VER_ANY;
    return o;
}
static void wait_for(const char *name, const postroom_state_op *op) {
    char found[256] = { 0 }, *end;
    uint64_t version = 99;
    postroom_sink sink = { found, append };
    postroom_status status = host->state_wait(host->ctx, op, 60000, &sink, &version);
    for (end = found; *end; end++) if (*end == '\n') *end = ',';
    end = answers + strlen(answers);
    snprintf(end, sizeof answers - (size_t)(end - answers), "%s%s %d v%llu%s%s", *answers ? "; " : "", name, status,
             (unsigned long long)version, *found ? " " : "", found);
}
static void wait_to(const char *name, uint32_t op, const char *key, const char *value, uint64_t expected) {
    postroom_state_op o = state_op(op, key);
    o.value = str(value);
    o.expected_version = expected;
    wait_for(name, &o);
}
static void wait_through(void) {
    wait_to("absent", POSTROOM_STATE_GET, "k/1", "", 0);
    wait_to("put", POSTROOM_STATE_PUT, "k/1", "one", POSTROOM_VER_ABSENT);
    wait_to("get", POSTROOM_STATE_GET, "k/1", "", 0);
    wait_to("put absent", POSTROOM_STATE_PUT, "k/1", "two", POSTROOM_VER_ABSENT);
    wait_to("put v1", POSTROOM_STATE_PUT, "k/1", "two", 1);
    wait_to("other", POSTROOM_STATE_PUT, "k/2", "other", POSTROOM_VER_ANY);
    wait_to("list", POSTROOM_STATE_LIST, "k/", "", 0);
    wait_to("delete v1", POSTROOM_STATE_DELETE, "k/1", "", 1);
    wait_to("delete", POSTROOM_STATE_DELETE, "k/1", "", 2);
    wait_to("gone", POSTROOM_STATE_GET, "k/1", "", 0);
}
static void wait_wrong(void) {
    postroom_state_op o;
    char key[258] = { 0 };
    memset(key, 'k', 257);
    wait_to("no key", POSTROOM_STATE_GET, "", "", 0);
    wait_to("long key", POSTROOM_STATE_GET, key, "", 0);
    wait_to("line feed", POSTROOM_STATE_GET, "a\nb", "", 0);
    wait_to("no utf-8", POSTROOM_STATE_GET, "\xff", "", 0);
    o = state_op(POSTROOM_STATE_PUT, "k");
    o.value.ptr = (const uint8_t *)large;
    o.value.len = sizeof large;
    wait_for("large value", &o);
    wait_to("unknown", 99, "k", "", 0);
    o = state_op(POSTROOM_STATE_GET, "k");
    o.struct_size = 23; /* ends inside the key */
    wait_for("short struct", &o);
    o = state_op(POSTROOM_STATE_PUT, "k");
    o.value.ptr = (const uint8_t *)large;
    o.value.len = sizeof large - 1;
    wait_for("largest value", &o);
}

/* Counts up under the key "n", several times at once, each by a read and a write of what it has read plus one. */
static postroom_token counting;
static int to_start, to_end;
static void count(void);
static void count_written(void *user, const postroom_state_result *result) {
    (void)user;
    if (result->status == POSTROOM_E_CONFLICT) { count(); return; }
    if (result->status != POSTROOM_OK) abort();
    if (__atomic_sub_fetch(&to_end, 1, __ATOMIC_SEQ_CST) == 0) complete(counting, POSTROOM_OUT_DELIVERED, "counted");
    else if (__atomic_fetch_sub(&to_start, 1, __ATOMIC_SEQ_CST) > 0) count();
}
static void count_read(void *user, const postroom_state_result *result) {
    postroom_state_op op = state_op(POSTROOM_STATE_PUT, "n");
    char text[32] = { 0 };
    (void)user;
    if (result->status != POSTROOM_OK && result->status != POSTROOM_E_NOT_FOUND) abort();
    memcpy(text, result->value.ptr, result->value.len < sizeof text ? result->value.len : 0);
    snprintf(text, sizeof text, "%ld", strtol(text, NULL, 10) + 1);
    op.value = str(text);
    op.expected_version = result->version;
    if (host->state(host->ctx, &op, count_written, NULL) != POSTROOM_OK) abort();
}
static void count(void) {
    postroom_state_op op = state_op(POSTROOM_STATE_GET, "n");
    if (host->state(host->ctx, &op, count_read, NULL) != POSTROOM_OK) abort();
}

/* Ends the delivery of `user` with the status of the answer. */
static void answered(void *user, const postroom_state_result *result) {
    char text[32];
    postroom_token token = (postroom_token)(size_t)user;
    snprintf(text, sizeof text, "%d", result->status);
    say(token, "answered", result->status);
    complete(token, POSTROOM_OUT_DELIVERED, text);
}

/* Says its secret wherever a plugin can say something, in the record as JSON may write it. */
static void leak(postroom_token token) {
    char secret[256] = { 0 }, escaped[512] = { 0 }, record[1200], *end = escaped;
    postroom_sink sink = { secret, append };
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_MISCONFIGURED);
    host->secret(host->ctx, str("token"), &sink);
    for (const char *c = secret; *c; c++) {
        if (*c == '"' || *c == '/') *end++ = '\\';
        *end++ = *c;
    }
    snprintf(record, sizeof record, "{\"%s\":[\"to %s\"]}", escaped, escaped);
    host->log(host->ctx, POSTROOM_LOG_ERROR, token, str(secret), str(secret), str(record));
    printf("out %s\n", secret);
    fflush(stdout);
    fprintf(stderr, "err %s\n", secret);
    outcome.code = str(secret);
    outcome.message = str(secret);
    outcome.record_json = str(record);
    host->complete(host->ctx, token, &outcome);
}

static postroom_status validate(postroom_str config, postroom_sink *report) {
    const char *json = "{\"errors\":[{\"path\":\"/url\",\"message\":\"is no URL\"}]}";
    if (has(config, "crash-validate")) abort();
    if (!has(config, "refuse-validate")) return POSTROOM_OK;
    report->write(report->ctx, (const uint8_t *)json, strlen(json));
    return POSTROOM_E_CONFIG;
}

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    host = h;
    if (has(config, "crash-create")) abort();
    while (has(config, "hang-create")) pause();
    hang_in_destroy = has(config, "hang-destroy");
    hang_in_health = has(config, "hang-health");
    bad_health = has(config, "bad-health");
    obedient = has(config, "obedient");
    deaf = has(config, "deaf");
    if (has(config, "state-create")) {
        postroom_state_op op = state_op(POSTROOM_STATE_PUT, "born");
        op.value = str("yes");
        if (host->state_wait(host->ctx, &op, 60000, NULL, NULL) != POSTROOM_OK) return POSTROOM_E_INTERNAL;
    }
    if (has(config, "leak-create")) {
        char secret[256] = { 0 };
        postroom_sink sink = { secret, append };
        host->secret(host->ctx, str("token"), &sink);
        err->len = (size_t)snprintf((char *)err->ptr, err->cap, "no entry with %s", secret);
        return has(config, "refuse") ? POSTROOM_E_CONFIG : POSTROOM_E_INTERNAL;
    }
    if (has(config, "lie-create")) { err->len = 1000000; return POSTROOM_E_INTERNAL; }
    if (has(config, "refuse-create")) {
        err->len = 14;
        memcpy(err->ptr, "root not there", err->len);
        return POSTROOM_E_CONFIG;
    }
    *out = &instance_memory;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_str body = event->body;
    char text[1024] = { 0 };
    if (instance != &instance_memory) return POSTROOM_E_INVALID;
    if (is(body, "twice")) {
        complete(token, POSTROOM_OUT_DELIVERED, "first");
        say(token, "second", complete(token, POSTROOM_OUT_PERMANENT, "second"));
    } else if (is(body, "forged")) {
        say(token, "forged", complete(token + 1000, POSTROOM_OUT_PERMANENT, "forged"));
        complete(token, POSTROOM_OUT_DELIVERED, "own");
    } else if (is(body, "short")) {
        postroom_outcome outcome;
        memset(&outcome, 0xff, sizeof outcome);
        outcome.struct_size = 28; /* ends inside the code */
        outcome.kind = POSTROOM_OUT_RATE_LIMITED;
        outcome.retry_after_ms = 1500;
        host->complete(host->ctx, token, &outcome);
    } else if (is(body, "tiny")) {
        postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_PERMANENT);
        outcome.struct_size = 7; /* ends inside the kind */
        say(token, "tiny", host->complete(host->ctx, token, &outcome));
        say(token, "null", host->complete(host->ctx, token, NULL));
        complete(token, POSTROOM_OUT_DELIVERED, "whole");
    } else if (is(body, "not utf-8")) {
        complete(token, 99, "a\xff" "b");
    } else if (is(body, "hold") || is(body, "hold secret")) {
        held = token;
        tells_secret = is(body, "hold secret");
    } else if (is(body, "never")) {
    } else if (is(body, "free")) {
        say(held, "freed", complete(held, POSTROOM_OUT_DELIVERED, "held"));
        complete(token, POSTROOM_OUT_DELIVERED, "free");
    } else if (is(body, "cancels")) {
        snprintf(text, sizeof text, "%d", cancels);
        complete(token, POSTROOM_OUT_DELIVERED, text);
    } else if (is(body, "leak")) {
        leak(token);
    } else if (is(body, "both")) {
        complete(token, POSTROOM_OUT_DELIVERED, "taken");
        return POSTROOM_E_INTERNAL;
    } else if (is(body, "busy")) {
        return POSTROOM_E_BUSY;
    } else if (is(body, "broken")) {
        return POSTROOM_E_INTERNAL;
    } else if (is(body, "secret")) {
        postroom_sink sink = { text, append };
        say(token, "unknown secret", host->secret(host->ctx, str("other"), &sink));
        say(token, "secret", host->secret(host->ctx, str("token"), &sink));
        complete(token, POSTROOM_OUT_DELIVERED, strcmp(text, "s3cret") == 0 ? "right" : "wrong");
    } else if (is(body, "show")) {
        snprintf(text, sizeof text, "%.*s %.*s %.*s %.*s %.*s %.*s=%.*s %u %d%d%d", (int)event->kind.len, event->kind.ptr,
                 (int)event->subject.len, event->subject.ptr, (int)event->verdict.len, event->verdict.ptr,
                 (int)event->source.len, event->source.ptr, (int)event->ordering_key.len, event->ordering_key.ptr,
                 (int)event->attrs->key.len, event->attrs->key.ptr, (int)event->attrs->value.len, event->attrs->value.ptr,
                 event->attempt, host->metric != NULL, host->get_extension(host->ctx, str("x/1")) == NULL,
                 host->now_unix_ms(host->ctx) >= event->received_unix_ms && host->monotonic_ns(host->ctx) > 0);
        complete(token, POSTROOM_OUT_DELIVERED, text);
    } else if (is(body, "print")) {
        printf("printed\nin two lines\n");
        fflush(stdout);
        fprintf(stderr, "complained\n");
        complete(token, POSTROOM_OUT_DELIVERED, "printed");
    } else if (is(body, "abort")) {
        abort();
    } else if (is(body, "exit")) {
        _exit(0);
    } else if (is(body, "hang")) {
        for (;;) pause();
    } else if (is(body, "garbage")) {
        if (write(3, "\xff\xff\xff\xff garbage", 12) < 0) abort();
    } else if (body.len >= 4 && memcmp(body.ptr, "sum ", 4) == 0) {
        unsigned long long sum = 0;
        for (size_t i = 0; i < body.len; i++) sum += body.ptr[i];
        snprintf(text, sizeof text, "%zu bytes, sum %llu", body.len, sum);
        complete(token, POSTROOM_OUT_DELIVERED, text);
    } else if (is(body, "descriptors")) {
        int next = dup(0);
        close(next);
        snprintf(text, sizeof text, "%d", next);
        complete(token, POSTROOM_OUT_DELIVERED, text);
    } else if (is(body, "write")) {
        *(volatile uint8_t *)body.ptr = 'W';
        complete(token, POSTROOM_OUT_DELIVERED, "written");
    } else if (is(body, "no descriptors")) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_NOFILE, &none);
        complete(token, POSTROOM_OUT_DELIVERED, "none from now on");
    } else if (is(body, "wait")) {
        wait_through();
        complete(token, POSTROOM_OUT_DELIVERED, answers);
    } else if (is(body, "wait wrong")) {
        wait_wrong();
        complete(token, POSTROOM_OUT_DELIVERED, answers);
    } else if (is(body, "wait once")) {
        wait_to("once", POSTROOM_STATE_GET, "k", "", 0);
        complete(token, POSTROOM_OUT_DELIVERED, answers);
    } else if (body.len > 6 && memcmp(body.ptr, "count ", 6) == 0) {
        int at_once = 0;
        memcpy(text, body.ptr, body.len < sizeof text ? body.len : 0);
        if (sscanf(text, "count %d %d", &to_end, &at_once) != 2) return POSTROOM_E_INTERNAL;
        counting = token;
        to_start = to_end - at_once;
        while (at_once-- > 0) count();
    } else if (is(body, "ask")) {
        postroom_state_op op = state_op(POSTROOM_STATE_GET, "k");
        postroom_status status = host->state(host->ctx, &op, answered, (void *)(size_t)token);
        if (status != POSTROOM_OK) say(token, "not asked", status);
    } else if (is(body, "pid")) {
        snprintf(text, sizeof text, "%d %s", getpid(), getenv("PATH") ? "PATH" : "no PATH");
        complete(token, POSTROOM_OUT_DELIVERED, text);
    } else {
        snprintf(text, sizeof text, "%zu bytes", body.len);
        complete(token, POSTROOM_OUT_DELIVERED, text);
    }
    return POSTROOM_OK;
}

static void cancel(void *instance, postroom_token token) {
    (void)instance;
    cancels++;
    if (obedient) complete(token, POSTROOM_OUT_DELIVERED, "let go");
    if (token == held && tells_secret) {
        char text[256] = "";
        postroom_sink sink = { text, append };
        say(token, "secret", host->secret(host->ctx, str("token"), &sink));
        complete(token, POSTROOM_OUT_DELIVERED, strcmp(text, "s3cret") == 0 ? "right" : "wrong");
        return;
    }
    if (token == held && !deaf) say(token, "cancelled", complete(token, POSTROOM_OUT_DELIVERED, "late"));
}
static postroom_status health(void *instance, postroom_sink *detail) {
    const char *json = "{\"message\":\"no disk\"}";
    (void)instance;
    while (hang_in_health) pause();
    if (!bad_health) return POSTROOM_OK;
    detail->write(detail->ctx, (const uint8_t *)json, strlen(json));
    return POSTROOM_E_UNAVAILABLE;
}
static void destroy(void *instance) {
    (void)instance;
    while (hang_in_destroy) pause();
    say(0, "destroyed", 0);
}

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .flags = FLAGS, .required_caps = REQUIRED_CAPS,
    .validate = validate, .create = create, .deliver = deliver, .cancel = cancel, .health = health, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
