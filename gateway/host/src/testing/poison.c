/* A plugin that one event ends. First attempts gather until TOGETHER of them are inside, then the process ends, whichever of
   them is to blame; after that the event "poison" ends it by itself. The others end a moment later, on threads of their own,
   and say how many were inside together. */
#include "postroom_plugin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"poisoned\",\"name\":\"Poisoned\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"],"
    "\"concurrency\":64}";

static const postroom_host *host;
static int inside, instance_memory;
typedef struct { postroom_token token; int together; } stay;

static void *end_later(void *given) {
    stay *s = given;
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    char text[16];
    usleep(2000);
    int together = __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    if (together < s->together) together = s->together;
    outcome.message.len = (size_t)snprintf(text, sizeof text, "%d", together);
    outcome.message.ptr = (const uint8_t *)text;
    host->complete(host->ctx, s->token, &outcome);
    free(s);
    return NULL;
}

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    *out = &instance_memory;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    pthread_t thread;
    (void)instance;
    if (event->attempt == 1) {
        if (now == TOGETHER) abort();
        return POSTROOM_OK;
    }
    if (event->body.len == 6 && memcmp(event->body.ptr, "poison", 6) == 0) abort();
    stay *s = malloc(sizeof *s);
    *s = (stay){ token, now };
    if (pthread_create(&thread, NULL, end_later, s) != 0) abort();
    pthread_detach(thread);
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
