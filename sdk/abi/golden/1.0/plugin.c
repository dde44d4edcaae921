/* A plugin of ABI 1.0 that uses what the ABI has. It is compiled against the header beside it, never against a later one,
   and every later gateway must run it: its outcome tells what it met.
   cc -std=c99 -shared -fPIC -fvisibility=hidden plugin.c -o libpostroom_plugin_golden.so */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST \
    "{\"manifest\":1,\"id\":\"golden-1-0\",\"name\":\"Golden 1.0\",\"version\":\"1.0.0\",\"abi\":\"1.0\"," \
    "\"kinds\":[\"*\"],\"capabilities\":[\"log\",\"state\",\"secrets\",\"clock\"],\"concurrency\":4," \
    "\"network\":\"none\",\"config_schema\":{\"type\":\"object\"}}"

const char postroom_manifest_v1[] POSTROOM_MANIFEST = MANIFEST;

typedef struct { const postroom_host *host; postroom_token held; } golden;
typedef struct { golden *of; postroom_token token; char text[256]; } delivery;

static postroom_str str(const char *text) {
    postroom_str s;
    s.ptr = (const uint8_t *)text;
    s.len = strlen(text);
    return s;
}
static int is(postroom_str text, const char *word) {
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}
static void say(const golden *g, postroom_token token, const char *what) {
    if (g->host->log_level(g->host->ctx) < POSTROOM_LOG_INFO) return;
    g->host->log(g->host->ctx, POSTROOM_LOG_INFO, token, str("golden"), str(what), str("{\"abi\":\"1.0\"}"));
}
static postroom_status append(void *ctx, const uint8_t *data, size_t len) {
    strncat(ctx, (const char *)data, len < 64 ? len : 64);
    return POSTROOM_OK;
}
static void end(const golden *g, postroom_token token, const char *message) {
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    outcome.code = str("golden");
    outcome.message = str(message);
    outcome.record_json = str("{\"refs\":[{\"system\":\"golden\",\"id\":\"7\"}]}");
    g->host->complete(g->host->ctx, token, &outcome);
}

static postroom_status describe(postroom_sink *manifest_json) {
    return manifest_json->write(manifest_json->ctx, (const uint8_t *)MANIFEST, sizeof MANIFEST - 1);
}
static postroom_status validate(postroom_str config_json, postroom_sink *report_json) {
    static const char fault[] = "{\"errors\":[{\"path\":\"/refuse\",\"message\":\"is there\"}]}";
    char text[256] = { 0 };
    memcpy(text, config_json.ptr, config_json.len < sizeof text ? config_json.len : sizeof text - 1);
    if (!strstr(text, "refuse")) return POSTROOM_OK;
    report_json->write(report_json->ctx, (const uint8_t *)fault, sizeof fault - 1);
    return POSTROOM_E_CONFIG;
}
static postroom_status create(const postroom_host *host, postroom_str config_json, void **instance, postroom_errbuf *err) {
    static const char missing[] = "a function of 1.0 is missing";
    golden *g;
    (void)config_json;
    if (!POSTROOM_HAS(host, postroom_host, get_extension) || !host->complete || !host->log || !host->log_level ||
        !host->state || !host->state_wait || !host->now_unix_ms || !host->monotonic_ns || !host->secret ||
        !host->get_extension) {
        memcpy(err->ptr, missing, sizeof missing - 1);
        err->len = sizeof missing - 1;
        return POSTROOM_E_UNSUPPORTED;
    }
    g = calloc(1, sizeof *g);
    if (!g) return POSTROOM_E_UNAVAILABLE;
    g->host = host;
    *instance = g;
    say(g, 0, "created");
    return POSTROOM_OK;
}

static void kept(void *user, const postroom_state_result *result) {
    delivery *d = user;
    char text[64];
    snprintf(text, sizeof text, " state %d", result->status);
    strcat(d->text, text);
    end(d->of, d->token, d->text);
    free(d);
}
/* Ends a delivery with all that it met: its message is the same on every gateway, but for the status of the state. */
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    golden *g = instance;
    char secret[80] = { 0 };
    postroom_sink sink = { secret, append };
    postroom_state_op op = { 0 };
    delivery *d;
    if (is(event->body, "hold")) {
        g->held = token;
        return POSTROOM_OK;
    }
    if (is(event->body, "busy")) return POSTROOM_E_BUSY;
    d = calloc(1, sizeof *d);
    if (!d) return POSTROOM_E_UNAVAILABLE;
    d->of = g;
    d->token = token;
    snprintf(d->text, sizeof d->text, "1.%u table %u host %d event %d kind %.*s attempt %u body %u secret %d clock %d ext %d",
             POSTROOM_ABI_MINOR, (unsigned)sizeof(postroom_plugin), g->host->struct_size >= sizeof(postroom_host),
             event->struct_size >= sizeof(postroom_event), (int)event->kind.len, (const char *)event->kind.ptr,
             event->attempt, (unsigned)event->body.len, g->host->secret(g->host->ctx, str("token"), &sink),
             g->host->now_unix_ms(g->host->ctx) > 0 && g->host->monotonic_ns(g->host->ctx) > 0,
             g->host->get_extension(g->host->ctx, str("none/1")) != NULL);
    say(g, token, "delivering");
    op.struct_size = sizeof op;
    op.op = POSTROOM_STATE_PUT;
    op.key = str("golden");
    op.value = str("1.0");
    op.expected_version = POSTROOM_VER_ANY;
    if (g->host->state(g->host->ctx, &op, kept, d) == POSTROOM_OK) return POSTROOM_OK;
    free(d);
    return POSTROOM_E_INTERNAL;
}
static void cancel(void *instance, postroom_token token) {
    golden *g = instance;
    say(g, token, "cancelled");
    if (g->held == token) end(g, token, "held");
}
static postroom_status health(void *instance, postroom_sink *detail_json) {
    static const char detail[] = "{\"golden\":true}";
    (void)instance;
    return detail_json->write(detail_json->ctx, (const uint8_t *)detail, sizeof detail - 1);
}
static void drain(void *instance, uint64_t deadline_unix_ms) {
    (void)deadline_unix_ms;
    say(instance, 0, "drained");
}
static void destroy(void *instance) {
    say(instance, 0, "destroyed");
    free(instance);
}

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .required_caps = POSTROOM_CAP_LOG | POSTROOM_CAP_STATE | POSTROOM_CAP_SECRETS | POSTROOM_CAP_CLOCK,
    .describe = describe, .validate = validate, .create = create, .deliver = deliver, .cancel = cancel,
    .health = health, .drain = drain, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t host_minor, uint64_t host_caps,
                                                                postroom_errbuf *err) {
    (void)host_minor; (void)host_caps; (void)err;
    return &table;
}
