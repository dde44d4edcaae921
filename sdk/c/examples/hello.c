/* A complete plugin in C: accepts every event and records how many it has seen.
   cc -std=c99 -shared -fPIC -fvisibility=hidden -I .. hello.c -o libpostroom_plugin_hello.so */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"hello\",\"name\":\"Hello\",\"version\":\"0.1.0\",\"abi\":\"1.1\","
    "\"kinds\":[\"*\"],\"capabilities\":[\"log\"],\"concurrency\":8,\"network\":\"none\"}";

/* seen needs no lock: PF_SERIAL keeps at most one delivery in flight. */
typedef struct { const postroom_host *host; unsigned long seen; } hello;

static postroom_status create(const postroom_host *host, postroom_str config, void **out,
                              postroom_errbuf *err) {
    (void)config; (void)err;
    hello *h = calloc(1, sizeof *h);
    if (!h) return POSTROOM_E_UNAVAILABLE;
    h->host = host;
    *out = h;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    hello *h = instance;
    char record[64];
    int len = snprintf(record, sizeof record, "{\"seen\":%lu,\"bytes\":%zu}", ++h->seen, event->body.len);
    h->host->log(h->host->ctx, POSTROOM_LOG_INFO, token, POSTROOM_STR("hello"), event->kind,
                 POSTROOM_STR(""));
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    done.record_json = (postroom_str){ (const uint8_t *)record, (size_t)len };
    h->host->complete(h->host->ctx, token, &done);      /* completing inside deliver() is allowed */
    return POSTROOM_OK;
}

static void destroy(void *instance) { free(instance); }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR,
    .abi_minor = POSTROOM_ABI_MINOR, .flags = POSTROOM_PF_SERIAL, .required_caps = POSTROOM_CAP_LOG,
    .create = create, .deliver = deliver, .destroy = destroy,
};

POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps,
                                                                postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
