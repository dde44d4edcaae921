/* A plugin that does not take the event at once: it is busy twice, and then delivers. With {"leave":true} it goes on being
   busy, until its process ends by itself. */
#define _POSIX_C_SOURCE 200809L
#include "postroom_plugin.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"faulty-hesitant\",\"name\":\"Hesitant\",\"version\":\"0.1.0\",\"abi\":\"1.0\","
    "\"kinds\":[\"*\"]}";

static const postroom_host *host;
static int instance_memory, offered, leaves;

static void *leave(void *unused) {
    const struct timespec a_moment = { 0, 50000000 };
    (void)unused;
    nanosleep(&a_moment, 0);
    abort();
}

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    static const char wish[] = "{\"leave\":true}";
    (void)err;
    host = h;
    leaves = config.len == sizeof wish - 1 && !memcmp(config.ptr, wish, config.len);
    if (leaves) {
        pthread_t thread;
        pthread_create(&thread, 0, leave, 0);
    }
    *out = &instance_memory;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance;
    (void)event;
    if (leaves || offered++ < 2) return POSTROOM_E_BUSY;
    host->complete(host->ctx, token, &done);
    return POSTROOM_OK;
}

static void destroy(void *instance) { (void)instance; }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR,
    .abi_minor = POSTROOM_ABI_MINOR, .flags = POSTROOM_PF_SERIAL,
    .create = create, .deliver = deliver, .destroy = destroy,
};

POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps,
                                                                postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
