/* A plugin that does with the services of the gateway what the event's body says. */
#include "postroom_plugin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"speaker\",\"name\":\"Speaker\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"],"
    "\"emits\":[\"page_opened\",\"page_closed\"],"
    "\"metrics\":[{\"name\":\"pages\",\"kind\":\"counter\"},{\"name\":\"open\",\"kind\":\"gauge\"},"
    "{\"name\":\"took\",\"kind\":\"histogram\"}]}";

static const postroom_host *host;
/* The kind of event that this instance answers every event with; empty for none. */
static char relay[80];

static postroom_str str(const char *text) {
    return (postroom_str){ (const uint8_t *)text, strlen(text) };
}

static void end(postroom_token token, uint32_t kind, const char *message) {
    postroom_outcome outcome = postroom_outcome_of(kind);
    outcome.message = str(message);
    host->complete(host->ctx, token, &outcome);
}

/* ---------------------------------------------------------------- emit -------------------------- */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int waiting;
    size_t len;
    char text[4096];
} answers;

static answers *new_answers(void) {
    answers *a = calloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, 0);
    pthread_cond_init(&a->changed, 0);
    return a;
}

static void add(answers *a, const char *word, int status, unsigned repeated) {
    if (a->len + 64 < sizeof a->text)
        a->len += (size_t)sprintf(a->text + a->len, "%s%d%s ", word, status, repeated ? "r" : "");
}

static void answered(void *user, const postroom_emit_result *result) {
    answers *a = user;
    pthread_mutex_lock(&a->lock);
    add(a, "", result->status, result->repeated);
    a->waiting--;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void refused(answers *a, postroom_status status) {
    pthread_mutex_lock(&a->lock);
    add(a, "refused", status, 0);
    pthread_mutex_unlock(&a->lock);
}

static postroom_status emit(answers *a, const postroom_new_event *event) {
    const postroom_emit_v1 *table = host->get_extension(host->ctx, POSTROOM_STR("postroom.emit/1"));
    if (!table) return POSTROOM_E_UNSUPPORTED;
    pthread_mutex_lock(&a->lock);
    a->waiting++;
    pthread_mutex_unlock(&a->lock);
    postroom_status status = table->emit(host->ctx, event, answered, a);
    if (status != POSTROOM_OK) {
        pthread_mutex_lock(&a->lock);
        a->waiting--;
        pthread_mutex_unlock(&a->lock);
    }
    return status;
}

static void wait_for(answers *a) {
    pthread_mutex_lock(&a->lock);
    while (a->waiting > 0) pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

static postroom_new_event new_event(postroom_token token, const char *kind, const char *body) {
    postroom_new_event event = { 0 };
    event.struct_size = sizeof event;
    event.token = token;
    event.kind = str(kind);
    event.subject = POSTROOM_STR("night run");
    event.body = str(body);
    return event;
}

/* "emit KIND COUNT": so many different events.  "same KIND COUNT": so many that are the same.
   "keyed KIND COUNT": so many with a key.  "loose KIND COUNT": so many outside of the delivery. */
static void emit_some(answers *a, postroom_token token, const char *how, const char *kind, int count) {
    for (int i = 0; i < count; i++) {
        char body[32] = "the same";
        if (!strcmp(how, "emit")) sprintf(body, "page %d", i);
        postroom_new_event event = new_event(strcmp(how, "loose") ? token : 0, kind, body);
        if (!strcmp(how, "keyed")) event.idempotency_key = POSTROOM_STR("my key");
        postroom_status status = emit(a, &event);
        if (status != POSTROOM_OK) refused(a, status);
    }
    wait_for(a);
}

static void wrong_events(answers *a, postroom_token token) {
    static char large[POSTROOM_EMIT_BODY_MAX + 1];
    memset(large, 'x', sizeof large);
    postroom_attr labels[POSTROOM_EMIT_LABELS_MAX + 1];
    for (size_t i = 0; i <= POSTROOM_EMIT_LABELS_MAX; i++) labels[i] = (postroom_attr){ str("l"), str("v") };
    postroom_new_event event = new_event(token, "page_opened", "");
    event.body = (postroom_str){ (const uint8_t *)large, sizeof large };
    add(a, "large ", emit(a, &event), 0);
    event = new_event(token, "page_opened", "");
    event.labels = labels, event.label_count = POSTROOM_EMIT_LABELS_MAX + 1;
    add(a, "labels ", emit(a, &event), 0);
    event.labels = &(postroom_attr){ str(""), str("v") }, event.label_count = 1;
    add(a, "label ", emit(a, &event), 0);
    event = new_event(token, "page_opened", "");
    event.verdict = POSTROOM_STR("maybe");
    add(a, "verdict ", emit(a, &event), 0);
    event = new_event(token, "monitor_run", "");
    add(a, "reserved ", emit(a, &event), 0);
    event = new_event(token + 1000, "page_opened", "");
    add(a, "foreign ", emit(a, &event), 0);
    event = new_event(token, "page_opened", "");
    event.struct_size = 8;
    add(a, "short ", emit(a, &event), 0);
    event = new_event(token, "page_opened", "");
    event.subject = POSTROOM_STR("two\nlines");
    add(a, "lines ", emit(a, &event), 0);
}

/* ---------------------------------------------------------------- metrics ----------------------- */
static void measure(answers *a) {
    postroom_attr team = { str("team"), str("s3cret-token") };
    add(a, "pages ", host->metric(host->ctx, POSTROOM_METRIC_COUNTER, POSTROOM_STR("pages"), 1500, &team, 1), 0);
    add(a, "open ", host->metric(host->ctx, POSTROOM_METRIC_GAUGE, POSTROOM_STR("open"), -2000, 0, 0), 0);
    add(a, "took ", host->metric(host->ctx, POSTROOM_METRIC_HISTOGRAM, POSTROOM_STR("took"), 250, 0, 0), 0);
    add(a, "unknown ", host->metric(host->ctx, POSTROOM_METRIC_GAUGE, POSTROOM_STR("other"), 1, 0, 0), 0);
    add(a, "other kind ", host->metric(host->ctx, POSTROOM_METRIC_GAUGE, POSTROOM_STR("pages"), 1, 0, 0), 0);
    add(a, "no kind ", host->metric(host->ctx, 9, POSTROOM_STR("pages"), 1, 0, 0), 0);
    add(a, "negative ", host->metric(host->ctx, POSTROOM_METRIC_COUNTER, POSTROOM_STR("pages"), -1, 0, 0), 0);
    postroom_attr reserved = { str("destination"), str("x") };
    add(a, "reserved ", host->metric(host->ctx, POSTROOM_METRIC_GAUGE, POSTROOM_STR("open"), 1, &reserved, 1), 0);
    postroom_attr many[9];
    for (int i = 0; i < 9; i++) many[i] = team;
    add(a, "many ", host->metric(host->ctx, POSTROOM_METRIC_GAUGE, POSTROOM_STR("open"), 1, many, 9), 0);
}

/* ---------------------------------------------------------------- secrets ----------------------- */
static postroom_status keep(void *ctx, const uint8_t *data, size_t len) {
    char *text = ctx;
    strncat(text, (const char *)data, len);
    return POSTROOM_OK;
}

/* ---------------------------------------------------------------- the rest ---------------------- */
static postroom_status create(const postroom_host *h, postroom_str config, void **instance, postroom_errbuf *err) {
    (void)err;
    host = h;
    /* {"relay":"KIND"}: answers every event with one of this kind */
    char text[256] = { 0 };
    memcpy(text, config.ptr, config.len < 255 ? config.len : 255);
    const char *found = strstr(text, "\"relay\":\"");
    if (found) sscanf(found, "\"relay\":\"%79[a-z_]", relay);
    *instance = &host;
    return POSTROOM_OK;
}

static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    (void)instance;
    char body[128] = { 0 };
    memcpy(body, event->body.ptr, event->body.len < 127 ? event->body.len : 127);
    char how[16] = "", kind[80] = "";
    int number = 0;
    sscanf(body, "%15s %79s %d", how, kind, &number);
    answers *a = new_answers();
    if (relay[0]) {
        postroom_new_event relayed = new_event(token, relay, "relayed");
        postroom_status status = emit(a, &relayed);
        if (status != POSTROOM_OK) refused(a, status);
        wait_for(a);
    } else if (!strcmp(how, "measure")) {
        measure(a);
    } else if (!strcmp(how, "wrong")) {
        wrong_events(a, token);
    } else if (!strcmp(how, "secret")) {
        char secret[128] = "";
        postroom_sink sink = { secret, keep };
        postroom_status status = host->secret(host->ctx, POSTROOM_STR("token"), &sink);
        sprintf(a->text, "%d %zu %s", status, strlen(secret), secret);
    } else if (!strcmp(how, "extend")) {             /* "extend MS SLEEP_MS" */
        uint64_t deadline = 0;
        postroom_status status = host->extend(host->ctx, token, (uint32_t)atoi(kind), &deadline);
        uint64_t now = host->now_unix_ms(host->ctx);
        sprintf(a->text, "%d %s", status, deadline > now ? "later" : "now");
        usleep((useconds_t)number * 1000);
    } else if (!strcmp(how, "late")) {
        end(token, POSTROOM_OUT_DELIVERED, "done");
        postroom_new_event late = new_event(token, "page_opened", "");
        char line[32];
        sprintf(line, "late: %d", emit(a, &late));
        host->log(host->ctx, POSTROOM_LOG_INFO, 0, POSTROOM_STR("speaker"), str(line), str(""));
        return POSTROOM_OK;
    } else if (!strcmp(how, "crash")) {              /* "crash KIND COUNT": emits, and dies before it has said so */
        emit_some(a, token, "emit", kind, number);
        if (event->attempt == 1 && !strchr(a->text, 'r')) abort();
    } else if (!strcmp(how, "hold")) {               /* "hold KIND COUNT": the same, and does not come back */
        emit_some(a, token, "emit", kind, number);
        while (!strchr(a->text, 'r')) sleep(1);
    } else {
        emit_some(a, token, how, kind, number);
    }
    end(token, POSTROOM_OUT_DELIVERED, a->text);
    free(a);
    return POSTROOM_OK;
}

static void destroy(void *instance) { (void)instance; }

static const postroom_plugin table = {
    .struct_size = sizeof(postroom_plugin), .abi_major = POSTROOM_ABI_MAJOR, .abi_minor = POSTROOM_ABI_MINOR,
    .flags = POSTROOM_PF_BLOCKING,
    .required_caps = POSTROOM_CAP_METRICS | POSTROOM_CAP_PROGRESS | POSTROOM_CAP_SECRETS,
    .create = create, .deliver = deliver, .destroy = destroy,
};
POSTROOM_EXPORT const postroom_plugin *postroom_plugin_entry_v1(uint32_t minor, uint64_t caps, postroom_errbuf *err) {
    (void)minor, (void)caps, (void)err;
    return &table;
}
