/* The sink in C: takes every event at once and does nothing with it. */
#include "postroom_plugin.h"

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"bench-sink-c\",\"name\":\"Sink in C\",\"version\":\"0.1.0\",\"abi\":\"1.1\","
    "\"kinds\":[\"*\"],\"concurrency\":256,\"network\":\"none\"}";

static const postroom_host *host;

static postroom_status create(const postroom_host *h, postroom_str config, void **instance, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    *instance = &host;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance; (void)event;
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
