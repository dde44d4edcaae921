/* A plugin that is broken in the way that it is told: by the body of an event, or by "mode" of its config, which says
   where first: "create abort", "destroy spin". CONSTRUCTOR, when it is set at compile time, is what it does when it is
   opened. */
#define _GNU_SOURCE
#include "postroom_plugin.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FLAGS
#define FLAGS 0
#endif

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"faulty-broken\",\"name\":\"Broken\",\"version\":\"1.0.0\",\"abi\":\"1.0\","
    "\"kinds\":[\"*\"],\"capabilities\":[\"log\",\"state\"],\"network\":\"none\"}";

/* Where the gateway's socket is: the first descriptor behind the standard three. */
#define SOCKET 3
#define MEBIBYTE (1024u * 1024u)

static const postroom_host *host;
static char mode[64];

static postroom_str str(const char *text) {
    postroom_str s = { (const uint8_t *)text, strlen(text) };
    return s;
}
static int is(const char *text, const char *word) { return strcmp(text, word) == 0; }

static volatile char deepest;
static int overflow(int depth) {
    volatile char frame[4096];
    frame[0] = (char)depth;
    deepest = frame[0];
    return overflow(depth + 1) + frame[0];
}

/* Breaks as told. Comes back where that is no way to break. */
static void fail(const char *how) {
    if (is(how, "abort")) abort();
    if (is(how, "segfault")) *(volatile int *)8 = 1;
    if (is(how, "illegal")) __builtin_trap();
    if (is(how, "overflow")) overflow(0);
    if (is(how, "exit")) exit(0);
    if (is(how, "stop")) raise(SIGSTOP);
    if (is(how, "spin")) for (;;) deepest++;
}
static void fail_at(const char *place) {
    size_t length = strlen(place);
    if (strncmp(mode, place, length) == 0 && mode[length] == ' ') fail(mode + length + 1);
}

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void opened(void) { fail(CONSTRUCTOR); }
#endif

static postroom_status complete(postroom_token token, const char *message) {
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    outcome.message = str(message);
    return host->complete(host->ctx, token, &outcome);
}

/* Calls the host for as long as the process lives, whoever has destroyed what meanwhile. */
static void *caller(void *token) {
    for (;;) {
        complete((postroom_token)(size_t)token, "late");
        host->log(host->ctx, POSTROOM_LOG_TRACE, 0, str("broken"), str("late"), str(""));
        usleep(1000);
    }
    return NULL;
}

/* Writes a frame of its own to the gateway: length, type, payload. */
static void frame(uint8_t type, const void *payload, uint32_t length, uint32_t claimed) {
    uint8_t head[5] = { (uint8_t)claimed, (uint8_t)(claimed >> 8), (uint8_t)(claimed >> 16), (uint8_t)(claimed >> 24), type };
    if (write(SOCKET, head, sizeof head) != sizeof head || write(SOCKET, payload, length) != (ssize_t)length) abort();
}
static void garbage(void) {
    char bytes[4096];
    memset(bytes, 0xa5, sizeof bytes);
    if (write(SOCKET, bytes, sizeof bytes) < 0) abort();
}
/* Types as in gateway/host/src/wire/to_gateway.rs: 5 is a completion, which begins with the token, 1 the first answer. */
static void write_frame(const char *which, postroom_token token) {
    uint8_t completion[32] = { 0 };
    postroom_token forged = is(which, "frame of another") ? token + 1000 : token;
    memcpy(completion, &forged, sizeof forged);
    completion[8] = POSTROOM_OUT_DELIVERED;
    if (is(which, "frame garbage")) garbage();
    if (is(which, "frame unknown")) frame(200, "", 0, 1);
    if (is(which, "frame short")) frame(5, completion, 4, 5);
    if (is(which, "frame huge")) frame(5, completion, 4, 0x7fffffff);
    if (is(which, "frame empty")) frame(0, "", 0, 0);
    if (is(which, "frame ready")) frame(1, "\1\0\0\0", 4, 5);
    if (is(which, "frame of another") || is(which, "frame of its own")) frame(5, completion, sizeof completion, 33);
}

/* An outcome with a text and a record of 100 MiB each. */
static void end_large(postroom_token token) {
    size_t length = 100 * MEBIBYTE;
    char *large = malloc(length);
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    if (!large) return;
    memset(large, 'x', length);
    outcome.code = outcome.message = outcome.record_json = (postroom_str){ (const uint8_t *)large, length };
    host->log(host->ctx, POSTROOM_LOG_INFO, token, outcome.code, outcome.message, outcome.record_json);
    host->complete(host->ctx, token, &outcome);
    free(large);
}
static void flood_log(void) {
    for (int i = 0; i < 300000; i++)
        host->log(host->ctx, POSTROOM_LOG_ERROR, 0, str("broken"), str("a line of a flood, which is of no use to anybody"), str(""));
}
static void flood_output(void) {
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 8192; i++) {
        fwrite(line, 1, sizeof line, stdout);
        fwrite(line, 1, sizeof line, stderr);
    }
    fflush(stdout);
}

static postroom_status validate(postroom_str config, postroom_sink *report) {
    char text[256] = { 0 }, *found;
    (void)report;
    memcpy(text, config.ptr, config.len < sizeof text ? config.len : sizeof text - 1);
    found = strstr(text, "\"mode\":\"");
    if (found) sscanf(found + 8, "%63[^\"]", mode);
    fail_at("validate");
    return POSTROOM_OK;
}
static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config;
    host = h;
    fail_at("create");
    if (is(mode, "create lie")) {
        memcpy(err->ptr, "a lie", 5);
        err->len = err->cap + 100000;
        return POSTROOM_E_INTERNAL;
    }
    *out = &host;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    char what[64] = { 0 };
    (void)instance;
    memcpy(what, event->body.ptr, event->body.len < sizeof what ? event->body.len : sizeof what - 1);
    fail(what);
    if (strncmp(what, "frame ", 6) == 0) {
        write_frame(what, token);
        return POSTROOM_OK;
    }
    if (is(what, "keep")) return POSTROOM_OK;
    if (is(what, "large")) { end_large(token); return POSTROOM_OK; }
    if (is(what, "flood log")) flood_log();
    if (is(what, "flood output")) flood_output();
    if (is(what, "threads")) {
        pthread_t thread;
        for (int i = 0; i < 8; i++) if (pthread_create(&thread, NULL, caller, (void *)(size_t)token)) abort();
        return POSTROOM_OK;
    }
    if (is(what, "write")) *(volatile uint8_t *)event->body.ptr = 'W';
    if (is(what, "close")) for (int fd = 0; fd < 1024; fd++) close(fd);
    if (is(what, "wait")) {
        postroom_state_op op = { .struct_size = sizeof op, .op = POSTROOM_STATE_GET, .key = str("k") };
        uint64_t version;
        snprintf(what, sizeof what, "%d", host->state_wait(host->ctx, &op, 60000, NULL, &version));
    }
    complete(token, what);
    if (is(what, "twice")) complete(token, "second");
    if (is(what, "refuse")) return POSTROOM_E_INTERNAL;
    return POSTROOM_OK;
}
static void cancel(void *instance, postroom_token token) {
    (void)instance; (void)token;
    fail_at("cancel");
}
static postroom_status health(void *instance, postroom_sink *detail) {
    (void)instance; (void)detail;
    fail_at("health");
    return POSTROOM_OK;
}
static void drain(void *instance, uint64_t deadline) {
    (void)instance; (void)deadline;
    fail_at("drain");
}
static void destroy(void *instance) {
    (void)instance;
    fail_at("destroy");
}

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .flags = FLAGS, .validate = validate, .create = create, .deliver = deliver, .cancel = cancel, .health = health,
    .drain = drain, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
