/* A plugin that keeps every rule but the one that ON_CREATE or ON_DELIVER breaks. */
#include "postroom_plugin.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ON_CREATE
#define ON_CREATE
#endif
#ifndef ON_DELIVER
#define ON_DELIVER
#endif

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"unruly\",\"name\":\"Unruly\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"]}";

static const postroom_host *host;
static int instance_memory;

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    ON_CREATE;
    *out = &instance_memory;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_str body = event->body;
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance; (void)body;
    ON_DELIVER;
    host->complete(host->ctx, token, &done);
    return POSTROOM_OK;
}

static void destroy(void *instance) { (void)instance; }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .create = create, .deliver = deliver, .destroy = destroy,
};

POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
