/* A host of ABI 1.0: what a gateway of then does with a plugin of now, in one process and one go.
   cc -std=gnu11 host.c -o host -ldl -pthread;  host PLUGIN.so CONFIG_JSON
   Its structs end where readable memory ends, so a plugin that reads a field of a later minor without asking first is
   ended by the kernel. Prints a line for each step. Exit code 0: the delivery ended; 3: the plugin refused, and said why. */
#define _GNU_SOURCE
#include "postroom_plugin.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int completions;

/* Memory of this size, behind which there is none. */
static void *at_the_end(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE)) abort();
    return pages + page - size;
}
static postroom_str str(const char *text) {
    return (postroom_str){ (const uint8_t *)text, strlen(text) };
}

static postroom_status complete(void *ctx, postroom_token token, const postroom_outcome *outcome) {
    (void)ctx;
    if (token != 1) return POSTROOM_E_STALE;
    pthread_mutex_lock(&lock);
    if (completions++ == 0) {
        printf("outcome %u %.*s: %.*s\n", outcome->kind, (int)outcome->code.len, (const char *)outcome->code.ptr,
               (int)outcome->message.len, (const char *)outcome->message.ptr);
    }
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return POSTROOM_OK;
}
static uint32_t log_level(void *ctx) {
    (void)ctx;
    return POSTROOM_LOG_ERROR;
}
static void log_line(void *ctx, uint32_t level, postroom_token token, postroom_str target, postroom_str message,
                     postroom_str fields) {
    (void)ctx; (void)level; (void)token; (void)target; (void)message; (void)fields;
}
static postroom_status state(void *ctx, const postroom_state_op *op, postroom_state_cb cb, void *user) {
    postroom_state_result *result = at_the_end(sizeof *result);
    (void)ctx; (void)op;
    memset(result, 0, sizeof *result);
    result->struct_size = sizeof *result;
    result->status = POSTROOM_E_NOT_FOUND;
    cb(user, result);
    return POSTROOM_OK;
}
static postroom_status state_wait(void *ctx, const postroom_state_op *op, uint32_t timeout_ms, postroom_sink *value,
                                  uint64_t *version) {
    (void)ctx; (void)op; (void)timeout_ms; (void)value; (void)version;
    return POSTROOM_E_DENIED;
}
static uint64_t now_unix_ms(void *ctx) {
    (void)ctx;
    return (uint64_t)time(NULL) * 1000;
}
static uint64_t monotonic_ns(void *ctx) {
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static postroom_status secret(void *ctx, postroom_str name, postroom_sink *value) {
    (void)ctx; (void)name; (void)value;
    return POSTROOM_E_DENIED;
}
static const void *get_extension(void *ctx, postroom_str id) {
    (void)ctx; (void)id;
    return NULL;
}
static postroom_status print(void *ctx, const uint8_t *data, size_t len) {
    (void)ctx;
    return fwrite(data, 1, len, stdout) == len ? POSTROOM_OK : POSTROOM_E_TOO_LARGE;
}

int main(int count, char **arguments) {
    const uint64_t caps = POSTROOM_CAP_LOG | POSTROOM_CAP_STATE | POSTROOM_CAP_SECRETS | POSTROOM_CAP_CLOCK;
    uint8_t reason[4096];
    postroom_errbuf err = { reason, sizeof reason, 0 };
    void *library = count == 3 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) return printf("no library: %s\n", count == 3 ? dlerror() : "give a library and a config"), 2;
    postroom_entry_fn entry = (postroom_entry_fn)dlsym(library, "postroom_plugin_entry_v1");
    if (!entry) return printf("no entry\n"), 2;
    const postroom_plugin *table = entry(POSTROOM_ABI_MINOR, caps, &err);
    if (!table) return printf("refused: %.*s\n", (int)err.len, (const char *)reason), 3;
    if (table->abi_major != POSTROOM_ABI_MAJOR || table->struct_size < sizeof *table) return printf("bad table\n"), 2;
    if (table->required_caps & ~caps) {
        return printf("refused: it needs capabilities %#llx\n", (unsigned long long)(table->required_caps & ~caps)), 3;
    }
    printf("table of minor %u\n", table->abi_minor);

    postroom_host *host = at_the_end(sizeof *host);
    *host = (postroom_host){
        .struct_size = sizeof *host, .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
        .capabilities = caps, .complete = complete, .log_level = log_level, .log = log_line, .state = state,
        .state_wait = state_wait, .now_unix_ms = now_unix_ms, .monotonic_ns = monotonic_ns, .secret = secret,
        .get_extension = get_extension,
    };
    postroom_sink report = { NULL, print };
    postroom_status status = table->validate ? table->validate(str(arguments[2]), &report) : POSTROOM_OK;
    printf("%svalidated: %d\n", table->validate ? "\n" : "", status);
    if (status != POSTROOM_OK) return 3;
    void *instance = NULL;
    err.len = 0;
    status = table->create(host, str(arguments[2]), &instance, &err);
    if (status != POSTROOM_OK) return printf("refused: %d %.*s\n", status, (int)err.len, (const char *)reason), 3;
    printf("created\n");

    postroom_event *event = at_the_end(sizeof *event);
    memset(event, 0, sizeof *event);
    event->struct_size = sizeof *event;
    event->attempt = 1;
    event->received_unix_ms = now_unix_ms(NULL);
    event->deadline_unix_ms = event->received_unix_ms + 60000;
    event->id = str("01890000-0000-7000-8000-000000000001");
    event->kind = str("monitor_run");
    event->source = str("golden");
    event->body = str("{}");
    status = table->deliver(instance, 1, event);
    if (status != POSTROOM_OK) return printf("not accepted: %d\n", status), 2;
    pthread_mutex_lock(&lock);
    while (completions == 0) pthread_cond_wait(&ended, &lock);
    pthread_mutex_unlock(&lock);
    if (table->health) {
        printf("health ");
        printf(" %d\n", table->health(instance, &report));
    }
    if (table->drain) table->drain(instance, event->deadline_unix_ms);
    table->destroy(instance);
    printf("destroyed, completions: %d\n", completions);
    return 0;
}
