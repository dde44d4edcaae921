/* A plugin that tries what a plugin must not be able to do. The body of an event is the name of an attack, and what it
   works on: "open /etc/shadow". The message of the outcome says how it went: "ok", or the number of the error. */
#define _GNU_SOURCE
#include "postroom_plugin.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef NETWORK
#define NETWORK "\"none\""
#endif

const char postroom_manifest_v1[] POSTROOM_MANIFEST =
    "{\"manifest\":1,\"id\":\"hostile\",\"name\":\"Hostile\",\"version\":\"1.0.0\",\"abi\":\"1.0\",\"kinds\":[\"*\"],"
    "\"network\":" NETWORK ",\"filesystem\":[{\"path\":\"{config.root}\",\"access\":\"write\"},"
    "{\"path\":\"{config.file}\",\"access\":\"write\",\"file\":true},"
    "{\"path\":\"/etc\",\"access\":\"read\"}]}";

static const postroom_host *host;
static int constructed;

/* Constructors run as soon as the library is opened: what they find open is what the sandbox leaves open. */
__attribute__((constructor)) static void opened(void) {
    char *const arguments[] = { "/dev/null", NULL };
    execv("/dev/null", arguments); /* which is no program, so this comes back: with EACCES where nobody forbids it */
    constructed = errno;
}

static int result(long got) { return got < 0 ? errno : 0; }

static int open_path(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}
/* What an owner may do through a descriptor that is open for reading. */
enum on_open { MODE, OWNER, ATTRIBUTE, NO_ATTRIBUTE, FLAGS, LEASE };
static int through_descriptor(enum on_open what, const char *path) {
    int fd = open(path, O_RDONLY), answer = 0;
    long flags = 0;
    if (fd < 0) return errno;
    switch (what) {
    case MODE: answer = result(fchmod(fd, 0666)); break;
    case OWNER: answer = result(fchown(fd, geteuid(), getegid())); break;
    case ATTRIBUTE: answer = result(fsetxattr(fd, "user.x", "x", 1, 0)); break;
    case NO_ATTRIBUTE: answer = result(fremovexattr(fd, "user.x")); break;
    case FLAGS: answer = result(ioctl(fd, 0x40086602 /* FS_IOC_SETFLAGS */, &flags)); break;
    case LEASE: answer = result(fcntl(fd, F_SETLEASE, F_RDLCK)); break;
    }
    close(fd);
    return answer;
}
static int times(const char *path) {
    struct timespec both[2] = { { 1, 0 }, { 1, 0 } };
    return result(utimensat(AT_FDCWD, path, both, 0));
}
static int make(const char *path, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT, mode);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}
static int a_socket(int family, int type, int protocol) {
    int fd = socket(family, type, protocol);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}
static int connect_to(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), answer;
    if (fd < 0) return errno;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answer = result(connect(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    return answer;
}
static int bind_to(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), answer;
    if (fd < 0) return errno;
    answer = result(bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    return answer;
}
static int fast_open(int port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), answer;
    if (fd < 0) return errno;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answer = result(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address));
    close(fd);
    return answer;
}
static int datagram(const char *path) {
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int pair[2], answer;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair)) return errno;
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    answer = result(sendto(pair[0], "forged", 6, 0, (struct sockaddr *)&to, sizeof to));
    close(pair[0]);
    close(pair[1]);
    return answer;
}
static int stream_pair(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) return errno;
    close(pair[0]);
    close(pair[1]);
    return 0;
}
static int child(pid_t made) {
    if (made == 0) _exit(0);
    if (made < 0) return errno;
    waitpid(made, NULL, 0);
    return 0;
}
static int read_memory(pid_t of) {
    char buffer[8];
    struct iovec here = { buffer, sizeof buffer }, there = { (void *)0x10000, sizeof buffer };
    return result(process_vm_readv(of, &here, 1, &there, 1, 0));
}
static int map(int flags) {
    void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (made == MAP_FAILED) return errno;
    munmap(made, 4096);
    return 0;
}
static int own_signals(int fd, int command, long value) { return result(fcntl(fd, command, value)); }
static int lower(pid_t of) {
    struct rlimit limit = { 100, 100 };
    return result(syscall(SYS_prlimit64, of, RLIMIT_CPU, &limit, NULL));
}

/* Takes memory until there is no more, and says how many MiB there were. */
static int memory(void) {
    int count = 0;
    for (void *piece; count < 4096 && (piece = malloc(1 << 20)); count++) memset(piece, count, 1 << 20);
    return count;
}
/* Takes memory that no limit on data counts: pages that are written to and then made read-only. */
static int read_only_memory(long mib) {
    for (; mib > 0; mib--) {
        void *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) return errno;
        memset(piece, 1, 1 << 20);
        if (mprotect(piece, 1 << 20, PROT_READ)) return errno;
    }
    return 0;
}
/* Memory of the kernel, for tables of pages: 4 KiB for each 2 MiB that is looked at, none of it data. */
static int page_tables(long mib) {
    size_t step = 2u << 20, bytes = (size_t)mib * 256 * step;
    volatile char *made = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) return errno;
    madvise((void *)made, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += step) (void)made[at];
    return 0;
}
static int descriptors(void) {
    int count = 0;
    while (dup(0) >= 0) count++;
    return count;
}
static void *sleeper(void *nothing) {
    for (;;) pause();
    return nothing;
}
static void threads(void) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (;;)
        if (pthread_create(&thread, &small, sleeper, NULL)) usleep(1000);
}
static int starts_with(const char *text, const char *word) { return strncmp(text, word, strlen(word)) == 0; }

static int attack(const char *what) {
    const char *path = strchr(what, ' ') ? strchr(what, ' ') + 1 : "";
    char own[64];
    pid_t gateway = getppid();
    if (starts_with(what, "constructor")) return constructed;
    if (starts_with(what, "open ")) return open_path(path, O_RDONLY);
    if (starts_with(what, "gateway ")) {
        snprintf(own, sizeof own, "/proc/%d/%s", gateway, path);
        return open_path(own, O_RDONLY);
    }
    if (starts_with(what, "list ")) {
        DIR *folder = opendir(path);
        return folder ? closedir(folder) : errno;
    }
    if (starts_with(what, "write ")) return open_path(path, O_WRONLY | O_CREAT);
    if (starts_with(what, "chmod ")) return result(chmod(path, 0666));
    if (starts_with(what, "truncate ")) return result(truncate(path, 0));
    if (starts_with(what, "remove ")) return result(unlink(path));
    if (starts_with(what, "mode ")) return through_descriptor(MODE, path);
    if (starts_with(what, "owner ")) return through_descriptor(OWNER, path);
    if (starts_with(what, "attribute ")) return through_descriptor(ATTRIBUTE, path);
    if (starts_with(what, "no-attribute ")) return through_descriptor(NO_ATTRIBUTE, path);
    if (starts_with(what, "flags ")) return through_descriptor(FLAGS, path);
    if (starts_with(what, "lease ")) return through_descriptor(LEASE, path);
    if (starts_with(what, "times ")) return times(path);
    if (starts_with(what, "make ")) return make(path, 0755);
    if (starts_with(what, "make-setuid ")) return make(path, 04755);
    if (starts_with(what, "make-setgid ")) return make(path, 02755);
    if (starts_with(what, "node-setuid ")) return result(mknod(path, S_IFREG | 04755, 0));
    if (starts_with(what, "openat2 ")) {
        uint64_t how[3] = { O_WRONLY | O_CREAT, 04755, 0 };
        return result(syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how));
    }
    if (starts_with(what, "datagram ")) return datagram(path);
    if (!strcmp(what, "stream pair")) return stream_pair();
    if (starts_with(what, "read-only ")) return read_only_memory(atol(path));
    if (starts_with(what, "tables ")) return page_tables(atol(path));
    if (starts_with(what, "connect ")) return connect_to(atoi(path));
    if (starts_with(what, "fast open ")) return fast_open(atoi(what + 10));
    if (starts_with(what, "bind ")) return bind_to(atoi(path));
    if (!strcmp(what, "tcp")) return a_socket(AF_INET, SOCK_STREAM, 0);
    if (!strcmp(what, "udp")) return a_socket(AF_INET6, SOCK_DGRAM, 0);
    if (!strcmp(what, "mptcp")) return a_socket(AF_INET, SOCK_STREAM, 262);
    if (!strcmp(what, "sctp")) return a_socket(AF_INET, SOCK_SEQPACKET, 0);
    if (!strcmp(what, "unix")) return a_socket(AF_UNIX, SOCK_STREAM, 0);
    if (!strcmp(what, "netlink")) return a_socket(AF_NETLINK, SOCK_RAW, 0);
    if (!strcmp(what, "packet")) return a_socket(AF_PACKET, SOCK_RAW, 0);
    if (!strcmp(what, "kill")) return result(kill(gateway, 0));
    if (!strcmp(what, "kill all")) return result(kill(-1, 0));
    if (!strcmp(what, "signal by descriptor")) return own_signals(0, F_SETOWN, gateway);
    if (!strcmp(what, "ptrace")) return result(ptrace(PTRACE_SEIZE, gateway, NULL, NULL));
    if (!strcmp(what, "memory of the gateway")) return read_memory(gateway);
    if (!strcmp(what, "limits of the gateway")) return lower(gateway);
    if (!strcmp(what, "fork")) return child(fork());
    if (!strcmp(what, "clone3")) {
        uint64_t arguments[11] = { 0 };
        return result(syscall(SYS_clone3, arguments, 0));
    }
    if (!strcmp(what, "exec")) {
        char *const arguments[] = { "/bin/true", NULL };
        return result(execv("/bin/true", arguments));
    }
    if (!strcmp(what, "user namespace")) return result(unshare(CLONE_NEWUSER));
    if (!strcmp(what, "io_uring")) return result(syscall(SYS_io_uring_setup, 1, own));
    if (!strcmp(what, "dumpable")) return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    if (!strcmp(what, "memfd")) return result(memfd_create("x", 0));
    if (!strcmp(what, "shared memory")) return map(MAP_SHARED | MAP_ANONYMOUS);
    if (!strcmp(what, "growing memory")) return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN);
    if (!strcmp(what, "setuid")) return result(setuid(12345));
    if (!strcmp(what, "chroot")) return result(chroot("/"));
    return ENOSYS + 1000;
}

static postroom_status create(const postroom_host *h, postroom_str config, void **out, postroom_errbuf *err) {
    (void)err;
    host = h;
    if (memmem(config.ptr, config.len, "threads-in-create", 17)) threads();
    *out = &host;
    return POSTROOM_OK;
}
static postroom_status deliver(void *instance, postroom_token token, const postroom_event *event) {
    char what[4096] = { 0 }, text[64];
    postroom_outcome outcome = postroom_outcome_of(POSTROOM_OUT_DELIVERED);
    (void)instance;
    memcpy(what, event->body.ptr, event->body.len < sizeof what ? event->body.len : sizeof what - 1);
    if (!strcmp(what, "take memory")) snprintf(text, sizeof text, "%d", memory());
    else if (!strcmp(what, "take descriptors")) snprintf(text, sizeof text, "%d", descriptors());
    else if (!strcmp(what, "take threads")) { threads(); return POSTROOM_OK; }
    else if (!strcmp(what, "deaf")) {
        outcome.message = POSTROOM_STR("deaf");
        host->complete(host->ctx, token, &outcome);
        for (int fd = 3; fd < 16; fd++) shutdown(fd, SHUT_RD);
        for (;;) pause();
    }
    else {
        int answer = attack(what);
        if (answer) snprintf(text, sizeof text, "%s", strerrorname_np(answer) ? strerrorname_np(answer) : "unknown");
        else snprintf(text, sizeof text, "ok");
    }
    outcome.message = (postroom_str){ (const uint8_t *)text, strlen(text) };
    return host->complete(host->ctx, token, &outcome);
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
