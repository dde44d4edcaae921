/* A plugin with an action, which people start by `postroom destination NAME action count`.
     cc -std=c99 -shared -fPIC -fvisibility=hidden -O2 actions.c -I.. -o libpostroom_plugin_actions.so */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"actions\",\"name\":\"Actions\",\"version\":\"0.1.0\",\"abi\":\"1.1\",\"kinds\":[\"*\"],"
    "\"actions\":[{\"name\":\"count\",\"title\":\"Count\",\"description\":\"Tells how many events were delivered\","
    "\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false},"
    "\"output_schema\":{\"type\":\"object\",\"properties\":{\"events\":{\"type\":\"integer\"}}}}]}";

typedef struct { const postroom_host *host; unsigned long events; } plugin;

static postroom_status create(const postroom_host *host, postroom_str config, void **out, postroom_errbuf *err) {
    plugin *p = calloc(1, sizeof *p);
    (void)config; (void)err;
    if (!p) return POSTROOM_E_UNAVAILABLE;
    p->host = host;
    *out = p;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    plugin *p = instance;
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)event;
    __atomic_add_fetch(&p->events, 1, __ATOMIC_RELAXED);
    p->host->complete(p->host->ctx, token, &outcome);
    return POSTROOM_OK;
}
static void destroy(void *instance) { free(instance); }

/* On a thread of the host's own: it may take its time, here or on a thread of the plugin. */
static postroom_status run(void *instance, const postroom_action *action, postroom_action_done done, void *user) {
    plugin *p = instance;
    char output[64];
    postroom_action_result result = { sizeof result, POSTROOM_OK, { 0 }, { 0 } };
    if (action->name.len != 5 || memcmp(action->name.ptr, "count", 5) != 0) return POSTROOM_E_NOT_FOUND;
    int len = snprintf(output, sizeof output, "{\"events\":%lu}", __atomic_load_n(&p->events, __ATOMIC_RELAXED));
    result.output_json = (postroom_str){ (const uint8_t *)output, (size_t)len };
    done(user, action->token, &result);
    return POSTROOM_OK;
}
static const postroom_actions_v1 actions = { .struct_size = sizeof(postroom_actions_v1), .run = run };

static const void *get_extension(postroom_str id) {
    const char *name = POSTROOM_ACTIONS_V1;
    return id.len == strlen(name) && memcmp(id.ptr, name, id.len) == 0 ? &actions : NULL;
}

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .create = create, .deliver = deliver, .destroy = destroy, .get_extension = get_extension,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor; (void)caps; (void)err;
    return &table;
}
