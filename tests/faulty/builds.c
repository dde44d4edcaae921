/* One plugin in several builds, to go over from one to the next. Each delivery ends with the version, the process and how
   long the secret is. */
#include "postroom_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ID
#define ID "faulty-builds"
#endif

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"" ID "\",\"name\":\"Builds\",\"version\":\"" VERSION "\",\"abi\":\"1.0\","
    "\"kinds\":[\"*\"]}";

static const postroom_host *host;
static int instance;

static postroom_status count(void *bytes, const uint8_t *data, size_t len) {
    (void)data;
    *(size_t *)bytes += len;
    return POSTROOM_OK;
}
static postroom_status create(const postroom_host *given, postroom_str config, void **out, postroom_errbuf *error) {
    (void)config;
    host = given;
    *out = &instance;
#ifdef CRASH
    abort();
#endif
#ifdef HANG
    puts("this build never gets ready");
    fflush(stdout);
    for (;;) pause();
#endif
#ifdef REFUSE
    error->len = (size_t)snprintf((char *)error->ptr, error->cap, "this build wants another setting");
    return POSTROOM_E_CONFIG;
#endif
    (void)error;
    return POSTROOM_OK;
}
static postroom_status deliver(void *self, postroom_token token, const postroom_event *event) {
    char text[128];
    size_t secret = 0;
    postroom_sink sink = { &secret, count };
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)self;
    (void)event;
    host->secret(host->ctx, POSTROOM_STR("token"), &sink);
    outcome.code = POSTROOM_STR("built");
    outcome.message.len =
        (size_t)snprintf(text, sizeof text, "%s %d secret of %zu bytes", VERSION, (int)getpid(), secret);
    outcome.message.ptr = (const uint8_t *)text;
    host->complete(host->ctx, token, &outcome);
    return POSTROOM_OK;
}
static void cancel(void *self, postroom_token token) { (void)self; (void)token; }
static void destroy(void *self) { (void)self; }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .create = create, .deliver = deliver, .cancel = cancel, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *error) {
    (void)minor; (void)caps; (void)error;
    return &table;
}
