/* Which calls fail. The numbers stand in a file that the test writes and this process has mapped. */
#define _GNU_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The fields of one kind of call, and behind them those of the whole disk. src/control.rs has the same order. */
enum { CALLS, FROM, COUNT, EFFECT, FIELDS };
enum { CLOCK_OFFSET_MS = CALL_KINDS * FIELDS, SYNC_DELAY_US_MAX, EVICT, SEED, NUMBERS };
enum { EFFECT_SHORT = -1, EFFECT_KILL = -2 }; /* others are numbers of errors */

static _Atomic int64_t *numbers;
static _Atomic uint64_t drawn;

void faults_open(const char *state) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/control", state);
    int fd = real_open(path, O_RDWR | O_CLOEXEC, 0);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, NUMBERS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        perror("the faulty disk has no control");
        abort();
    }
    close(fd);
    numbers = mapped;
}

struct verdict faults_ask(enum call call, size_t length) {
    _Atomic int64_t *field = numbers + call * FIELDS;
    int64_t number = atomic_fetch_add(&field[CALLS], 1) + 1;
    int64_t from = field[FROM];
    int64_t count = field[COUNT];
    if (from == 0 || number < from || (count >= 0 && number >= from + count)) {
        return (struct verdict){.error = 0, .length = length};
    }
    switch (field[EFFECT]) {
    case EFFECT_SHORT:
        /* As on a disk that fills up: the first write gets a part of its bytes in, the others none. */
        return number == from && length > 1 ? (struct verdict){.error = 0, .length = 1 + faults_random() % (length - 1)}
                                            : (struct verdict){.error = ENOSPC, .length = 0};
    case EFFECT_KILL:
        /* A write is cut in two: the caller does the first part and dies in the next call of this function. */
        if (call == CALL_WRITE && number == from && length > 1) {
            return (struct verdict){.error = 0, .length = 1 + faults_random() % (length - 1)};
        }
        kill(getpid(), SIGKILL);
        pause();
        abort();
    default:
        return (struct verdict){.error = (int)field[EFFECT], .length = 0};
    }
}

int64_t faults_clock_offset_ms(void) {
    return numbers == NULL ? 0 : numbers[CLOCK_OFFSET_MS];
}

void faults_delay_sync(void) {
    int64_t most = numbers[SYNC_DELAY_US_MAX];
    if (most > 0) {
        struct timespec delay = {.tv_sec = 0, .tv_nsec = (long)(faults_random() % (uint64_t)most) * 1000};
        nanosleep(&delay, NULL);
    }
}

bool faults_evict(void) {
    return numbers[EVICT] != 0;
}

/* SplitMix64 over a counter, so that threads need no lock. */
uint64_t faults_random(void) {
    uint64_t x = (uint64_t)numbers[SEED] + 0x9e3779b97f4a7c15u * (atomic_fetch_add(&drawn, 1) + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
