/* A plugin that makes events of its own: a "page_opened" of each monitor run that failed, for routes to hand on.  The
   destination says emit = true.
     cc -std=c99 -shared -fPIC -fvisibility=hidden -O2 emit.c -I.. -o libpostroom_plugin_emit.so */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"emit\",\"name\":\"Emit\",\"version\":\"0.1.0\",\"abi\":\"1.1\","
    "\"kinds\":[\"monitor_run\"],\"emits\":[\"page_opened\"]}";

typedef struct { const postroom_host *host; const postroom_emit_v1 *emit; } plugin;
/* A delivery that waits for the answer. */
typedef struct { const postroom_host *host; postroom_token token; } waiting;

static postroom_status create(const postroom_host *host, postroom_str config, void **out, postroom_errbuf *err) {
    plugin *p = calloc(1, sizeof *p);
    (void)config; (void)err;
    if (!p) return POSTROOM_E_UNAVAILABLE;
    p->host = host;
    p->emit = host->get_extension(host->ctx, POSTROOM_STR(POSTROOM_EMIT_V1));
    *out = p;
    return POSTROOM_OK;
}

static void end(const postroom_host *host, postroom_token token, uint32_t kind, postroom_str message) {
    postroom_outcome outcome = postroom_outcome_of(kind);
    if (message.len) outcome.code = POSTROOM_STR("emit");
    outcome.message = message;
    host->complete(host->ctx, token, &outcome);
}

/* What a status means for the delivery.  A retry is safe: the gateway knows what was made in this delivery before. */
static void end_by(const postroom_host *host, postroom_token token, postroom_status status) {
    if (status == POSTROOM_E_UNAVAILABLE || status == POSTROOM_E_STALE)
        end(host, token, POSTROOM_OUT_RETRY, POSTROOM_STR("the gateway cannot take an event now"));
    else
        end(host, token, POSTROOM_OUT_PERMANENT, POSTROOM_STR("the gateway refuses the event"));
}

/* From any thread, perhaps before emit() has returned. */
static void made(void *user, const postroom_emit_result *result) {
    waiting *w = user;
    if (result->status != POSTROOM_OK) {
        end_by(w->host, w->token, result->status);
    } else {
        char record[128];
        postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
        int len = snprintf(record, sizeof record, "{\"made\":\"%.*s\"}", (int)result->event_id.len,
                           (const char *)result->event_id.ptr);
        outcome.record_json = (postroom_str){ (const uint8_t *)record, (size_t)len };
        w->host->complete(w->host->ctx, w->token, &outcome);
    }
    free(w);
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    const plugin *p = instance;
    if (event->verdict.len != 6 || memcmp(event->verdict.ptr, "failed", 6) != 0) {
        end(p->host, token, POSTROOM_OUT_SKIPPED, POSTROOM_STR("the run did not fail"));
        return POSTROOM_OK;
    }
    if (!p->emit) {
        end(p->host, token, POSTROOM_OUT_MISCONFIGURED, POSTROOM_STR("the destination lacks emit = true"));
        return POSTROOM_OK;
    }
    waiting *w = malloc(sizeof *w);
    if (!w) return POSTROOM_E_BUSY;
    *w = (waiting){ p->host, token };
    postroom_new_event page = {
        .struct_size = sizeof page, .token = token, .kind = POSTROOM_STR("page_opened"), .subject = event->subject,
        .verdict = event->verdict, .content_type = event->content_type, .body = event->body,
    };
    postroom_status status = p->emit->emit(p->host->ctx, &page, made, w);
    if (status != POSTROOM_OK) {                        /* then made() is not called */
        end_by(p->host, token, status);
        free(w);
    }
    return POSTROOM_OK;
}

static void destroy(void *instance) { free(instance); }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .create = create, .deliver = deliver, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
