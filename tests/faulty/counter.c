/* Counts its deliveries in the gateway's store, and ends each with the count as its message. Every count is a read and
   a compare-and-swap, tried again when another delivery was faster, so deliveries at the same time all count.
   With "by_subject" in the config it counts each subject under a key of its own, with "hundredfold" each delivery counts a
   hundred times. */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"faulty-counter\",\"name\":\"Counter\",\"version\":\"1.0.0\",\"abi\":\"1.0\","
    "\"kinds\":[\"*\"],\"capabilities\":[\"state\"],\"concurrency\":64}";

typedef struct { const postroom_host *host; int by_subject, hundredfold; } counter;
typedef struct { const postroom_host *host; postroom_token token; char key[257]; char text[32]; int left; } delivery;

static void ask(delivery *d);

static void end(delivery *d, uint32_t kind, const char *message) {
    postroom_outcome outcome = postroom_outcome_of(kind);
    outcome.code = POSTROOM_STR("counted");
    outcome.message.ptr = (const uint8_t *)message;
    outcome.message.len = strlen(message);
    d->host->complete(d->host->ctx, d->token, &outcome);
    free(d);
}
static void refused(delivery *d, const char *what, postroom_status status) {
    char message[64];
    snprintf(message, sizeof message, "%s: status %d", what, status);
    end(d, POSTROOM_OUT_PERMANENT, message);
}
static postroom_state_op op_of(delivery *d, uint32_t op) {
    postroom_state_op o = { 0 };
    o.struct_size = sizeof o;
    o.op = op;
    o.key.ptr = (const uint8_t *)d->key;
    o.key.len = strlen(d->key);
    return o;
}
static void written(void *user, const postroom_state_result *result) {
    delivery *d = user;
    if (result->status == POSTROOM_E_CONFLICT) ask(d);
    else if (result->status != POSTROOM_OK) refused(d, "put", result->status);
    else if (--d->left > 0) ask(d);
    else end(d, POSTROOM_OUT_DELIVERED, d->text);
}
static void read_back(void *user, const postroom_state_result *result) {
    delivery *d = user;
    char text[32] = { 0 };
    if (result->status == POSTROOM_OK && result->value.len < sizeof text) {
        memcpy(text, result->value.ptr, result->value.len);
    } else if (result->status != POSTROOM_E_NOT_FOUND) {
        refused(d, "get", result->status);
        return;
    }
    snprintf(d->text, sizeof d->text, "%ld", strtol(text, NULL, 10) + 1);
    postroom_state_op op = op_of(d, POSTROOM_STATE_PUT);
    op.value.ptr = (const uint8_t *)d->text;
    op.value.len = strlen(d->text);
    op.expected_version = result->version; /* 0: only if there is none yet */
    postroom_status status = d->host->state(d->host->ctx, &op, written, d);
    if (status != POSTROOM_OK) refused(d, "put", status);
}
static void ask(delivery *d) {
    postroom_state_op op = op_of(d, POSTROOM_STATE_GET);
    postroom_status status = d->host->state(d->host->ctx, &op, read_back, d);
    if (status != POSTROOM_OK) refused(d, "get", status);
}

static postroom_status create(const postroom_host *host, postroom_str config, void **out, postroom_errbuf *err) {
    char text[256] = { 0 };
    counter *c = calloc(1, sizeof *c);
    (void)err;
    if (!c) return POSTROOM_E_UNAVAILABLE;
    memcpy(text, config.ptr, config.len < sizeof text ? config.len : sizeof text - 1);
    c->host = host;
    c->by_subject = strstr(text, "by_subject") != NULL;
    c->hundredfold = strstr(text, "hundredfold") != NULL;
    *out = c;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    counter *c = instance;
    delivery *d = calloc(1, sizeof *d);
    if (!d) return POSTROOM_E_UNAVAILABLE;
    d->host = c->host;
    d->token = token;
    d->left = c->hundredfold ? 100 : 1;
    strcpy(d->key, "count");
    if (c->by_subject && event->subject.len > 0 && event->subject.len < sizeof d->key) {
        memcpy(d->key, event->subject.ptr, event->subject.len);
        d->key[event->subject.len] = 0;
    }
    ask(d);
    return POSTROOM_OK;
}
static void destroy(void *instance) { free(instance); }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .required_caps = POSTROOM_CAP_STATE, .create = create, .deliver = deliver, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
