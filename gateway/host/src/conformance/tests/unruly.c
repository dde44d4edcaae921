/* A plugin that keeps every rule but the one that ON_CREATE or ON_DELIVER breaks. */
#include "postroom_plugin.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ON_CREATE
#define ON_CREATE
#endif
#ifndef ON_DELIVER
#define ON_DELIVER
#endif
/* More members of the manifest. */
#ifndef MORE
#define MORE ""
#endif

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"unruly\",\"name\":\"Unruly\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"]" MORE "}";

static const postroom_host *host;
static int instance_memory;
static void start_outliving_thread(void);

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)config; (void)err;
    host = h;
    ON_CREATE;
    *out = &instance_memory;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    postroom_str body = event->body, kind = event->kind;
    postroom_outcome done = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance; (void)body; (void)kind;
    ON_DELIVER;
    host->complete(host->ctx, token, &done);
    return POSTROOM_OK;
}

/* Goes on for ever, and calls the host as if somebody listened. */
static void *outlive(void *unused) {
    for (;;) {
        usleep(500);
        if (host->log_level) host->log_level(host->ctx);
    }
    return unused;
}

static void start_outliving_thread(void) {
    pthread_t thread;
    pthread_create(&thread, 0, outlive, 0);
}

static postroom_status health(void *instance, postroom_sink *detail) {
    (void)instance; (void)detail;
#ifdef ON_HEALTH
    ON_HEALTH;
#endif
    return POSTROOM_OK;
}

#ifdef DESCRIPTION
static postroom_status describe(postroom_sink *manifest) {
    return manifest->write(manifest->ctx, (const uint8_t *)DESCRIPTION, sizeof DESCRIPTION - 1);
}
#endif

#ifdef WITH_ACTIONS
static postroom_status run(void *instance, const postroom_action *action, postroom_action_done done, void *user) {
    (void)instance; (void)action; (void)done; (void)user;
    return POSTROOM_E_NOT_FOUND;
}

static const postroom_actions_v1 actions = { .struct_size = sizeof(postroom_actions_v1), .run = run };

static const void *get_extension(postroom_str id) {
    const char *name = POSTROOM_ACTIONS_V1;
    return id.len == strlen(name) && memcmp(id.ptr, name, id.len) == 0 ? &actions : NULL;
}
#endif

static void destroy(void *instance) { (void)instance; }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
#ifdef DESCRIPTION
    .describe = describe,
#endif
#ifdef WITH_ACTIONS
    .get_extension = get_extension,
#endif
    .health = health,
    .create = create, .deliver = deliver, .destroy = destroy,
};

POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
