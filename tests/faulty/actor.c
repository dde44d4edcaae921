/* A plugin with actions that end well, badly, twice, late or never. It delivers everything. */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTION(name) ",{\"name\":\"" name "\"}"
const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"faulty-actor\",\"name\":\"Actor\",\"version\":\"1.0.0\",\"abi\":\"1.1\",\"kinds\":[\"*\"],"
    "\"actions\":[{\"name\":\"echo\",\"title\":\"Echo\",\"description\":\"Gives back what it is given\",\"danger\":true,"
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},"
    "\"additionalProperties\":false},\"output_schema\":{\"type\":\"object\"}}"
    ACTION("tell") ACTION("refuse") ACTION("conflict") ACTION("missing") ACTION("later") ACTION("not-now") ACTION("fail") ACTION("hold")
    ACTION("block") ACTION("twice") ACTION("both") ACTION("large") ACTION("no-object") ACTION("no-text") ACTION("short")
    ACTION("abort") ACTION("count") "]}";

typedef struct { postroom_token token; postroom_action_done done; void *user; } run_of;

static const postroom_host *host;
static run_of held[8];
static int cancels, holding, kept, patient;

static postroom_str str(const char *text) {
    postroom_str s = { (const uint8_t *)text, strlen(text) };
    return s;
}
static int is(postroom_str text, const char *word) {
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}
static postroom_status end(run_of run, postroom_status status, postroom_str output, const char *message) {
    postroom_action_result result = { sizeof result, status, output, str(message) };
    return run.done(run.user, run.token, &result);
}
static void say(const char *what, postroom_status status) {
    char line[64];
    snprintf(line, sizeof line, "%s: %d", what, status);
    host->log(host->ctx, POSTROOM_LOG_INFO, 0, str("actor"), str(line), str(""));
}
static postroom_status append(void *ctx, const uint8_t *data, size_t len) {
    strncat(ctx, (const char *)data, len);
    return POSTROOM_OK;
}

static postroom_status run(void *instance, const postroom_action *action, postroom_action_done done, void *user) {
    run_of r = { action->token, done, user };
    char text[512] = { 0 };
    (void)instance;
    if (is(action->name, "echo")) {
        end(r, POSTROOM_OK, action->input_json, "");
    } else if (is(action->name, "tell")) { /* a secret */
        char secret[128] = { 0 };
        postroom_sink sink = { secret, append };
        host->secret(host->ctx, str("token"), &sink);
        snprintf(text, sizeof text, "{\"said\":\"it is %s\"}", secret);
        end(r, POSTROOM_OK, str(text), "");
    } else if (is(action->name, "refuse")) {
        end(r, POSTROOM_E_INVALID, str("{\"errors\":[{\"path\":\"/name\",\"message\":\"is no name\"}]}"), "");
    } else if (is(action->name, "conflict")) {
        end(r, POSTROOM_E_CONFLICT, str(""), "it is there already");
    } else if (is(action->name, "missing")) {
        end(r, POSTROOM_E_NOT_FOUND, str(""), "there is none of this name");
    } else if (is(action->name, "later")) {
        end(r, POSTROOM_E_UNAVAILABLE, str(""), "the remote side is away");
    } else if (is(action->name, "not-now")) {
        return POSTROOM_E_UNAVAILABLE;
    } else if (is(action->name, "fail")) {
        end(r, POSTROOM_E_INTERNAL, str(""), "it broke");
    } else if (is(action->name, "hold")) { /* ends when it is cancelled, unless it is told to be patient */
        patient = action->input_json.len > 2;
        held[__atomic_fetch_add(&holding, 1, __ATOMIC_SEQ_CST)] = r;
        __atomic_fetch_add(&kept, 1, __ATOMIC_SEQ_CST);
    } else if (is(action->name, "block")) {
        for (;;) pause();
    } else if (is(action->name, "twice")) {
        postroom_status first = end(r, POSTROOM_OK, str("{\"n\":1}"), "");
        r.token += first == POSTROOM_OK ? 0 : 1;
        say("second", end(r, POSTROOM_OK, str("{\"n\":2}"), ""));
        r.token += 1000;
        say("forged", end(r, POSTROOM_OK, str("{}"), ""));
    } else if (is(action->name, "both")) {
        end(r, POSTROOM_OK, str("{\"n\":1}"), "");
        return POSTROOM_E_INTERNAL;
    } else if (is(action->name, "large")) {
        size_t len = 4 * 1024 * 1024 + (action->input_json.len > 2 ? 0 : 1);
        char *output = malloc(len);
        postroom_str s = { (const uint8_t *)output, len };
        memset(output, 'a', len);
        memcpy(output, "{\"a\":\"", 6);
        memcpy(output + len - 2, "\"}", 2);
        say("large", end(r, POSTROOM_OK, s, ""));
        free(output);
    } else if (is(action->name, "no-object")) {
        end(r, POSTROOM_OK, str("[]"), "");
    } else if (is(action->name, "no-text")) {
        end(r, POSTROOM_OK, str("{\"a\":\"\xff\"}"), "");
    } else if (is(action->name, "short")) {
        postroom_action_result result = { 7, POSTROOM_OK, str("{}"), str("") }; /* ends inside the status */
        say("tiny", done(user, r.token, &result));
        say("null", done(user, r.token, NULL));
        result.struct_size = 24; /* up to the message */
        result.output_json = str("{\"whole\":true}");
        result.message = str("unread");
        done(user, r.token, &result);
    } else if (is(action->name, "abort")) {
        abort();
    } else if (is(action->name, "count")) {
        snprintf(text, sizeof text, "{\"cancels\":%d,\"kept\":%d,\"time\":%d}", cancels,
                 __atomic_load_n(&kept, __ATOMIC_SEQ_CST), action->deadline_unix_ms > host->now_unix_ms(host->ctx));
        end(r, POSTROOM_OK, str(text), "");
    } else {
        return POSTROOM_E_NOT_FOUND;
    }
    return POSTROOM_OK;
}
static void cancel(void *instance, postroom_token token) {
    (void)instance;
    cancels++;
    for (int n = 0; n < holding; n++) {
        if (held[n].token == token && !patient) say("cancelled", end(held[n], POSTROOM_OK, str("{}"), ""));
    }
}

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    *out = held;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance; (void)event;
    return host->complete(host->ctx, token, &outcome);
}
static void destroy(void *instance) { (void)instance; }

static const postroom_actions_v1 actions = { .struct_size = sizeof actions, .run = run, .cancel = cancel };
static const void *get_extension(postroom_str id) { return is(id, POSTROOM_ACTIONS_V1) ? &actions : NULL; }

static const postroom_plugin table = {
    .struct_size = sizeof table, .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .required_caps = POSTROOM_CAP_LOG | POSTROOM_CAP_SECRETS | POSTROOM_CAP_CLOCK,
    .create = create, .deliver = deliver, .destroy = destroy, .get_extension = get_extension,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
