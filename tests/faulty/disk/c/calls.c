/* Stands in for the functions of the C library that change files, and for the wall clock. */
#define _GNU_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define STANDS_IN __attribute__((visibility("default")))
/* On 64-bit systems `name64` is another name of the same function. */
#define ALSO_64(result, name, parameters, arguments) \
    STANDS_IN result name##64 parameters {           \
        return name arguments;                       \
    }

static bool active;

__attribute__((constructor)) static void begin(void) {
    const char *root = getenv("FAULTY_DISK_ROOT");
    const char *state = getenv("FAULTY_DISK_STATE");
    if (root != NULL && state != NULL) {
        faults_open(state);
        platter_open(root, state);
        active = true;
    }
}

int real_open(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

ssize_t real_pread(int fd, void *bytes, size_t length, off_t offset) {
    return syscall(SYS_pread64, fd, bytes, length, offset);
}

ssize_t real_pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

int real_ftruncate(int fd, off_t length) {
    return (int)syscall(SYS_ftruncate, fd, length);
}

static int refuse(int error) {
    errno = error;
    return -1;
}

/* Where the next write without an offset goes. */
static off_t position(int fd) {
    struct stat found;
    bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &found) == 0;
    return appends ? found.st_size : lseek(fd, 0, SEEK_CUR);
}

/* Writes to a file of the disk, at the position of `fd` if `offset` is negative. */
static ssize_t write_to(struct file *file, int fd, const void *bytes, size_t length, off_t offset) {
    if (length == 0) {
        return 0;
    }
    struct verdict verdict = faults_ask(CALL_WRITE, length);
    if (verdict.error != 0) {
        return refuse(verdict.error);
    }
    platter_lock();
    /* Before the write: the process may be killed right after it. */
    platter_written(file, offset < 0 ? position(fd) : offset, verdict.length);
    ssize_t written = offset < 0 ? syscall(SYS_write, fd, bytes, verdict.length)
                                 : real_pwrite(fd, bytes, verdict.length, offset);
    int error = errno;
    platter_unlock();
    errno = error;
    return written;
}

STANDS_IN ssize_t write(int fd, const void *bytes, size_t length) {
    struct file *file = platter_file(fd);
    return file == NULL ? syscall(SYS_write, fd, bytes, length) : write_to(file, fd, bytes, length, -1);
}

STANDS_IN ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    struct file *file = platter_file(fd);
    return file == NULL ? real_pwrite(fd, bytes, length, offset) : write_to(file, fd, bytes, length, offset);
}
ALSO_64(ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t offset), (fd, bytes, length, offset))

/* A write of many pieces may be short: the first piece is one. */
static ssize_t write_first(struct file *file, int fd, const struct iovec *pieces, int count, off_t offset) {
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0) {
            return write_to(file, fd, pieces[i].iov_base, pieces[i].iov_len, offset);
        }
    }
    return 0;
}

STANDS_IN ssize_t writev(int fd, const struct iovec *pieces, int count) {
    struct file *file = platter_file(fd);
    return file == NULL ? syscall(SYS_writev, fd, pieces, count) : write_first(file, fd, pieces, count, -1);
}

STANDS_IN ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    struct file *file = platter_file(fd);
    return file == NULL ? syscall(SYS_pwritev, fd, pieces, count, offset, 0)
                        : write_first(file, fd, pieces, count, offset);
}
ALSO_64(ssize_t, pwritev, (int fd, const struct iovec *pieces, int count, off_t offset), (fd, pieces, count, offset))

/* Would write behind our back: the caller copies by hand instead. */
STANDS_IN ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t length, unsigned flags) {
    return platter_file(out) == NULL ? syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags)
                                     : refuse(ENOSYS);
}

STANDS_IN ssize_t sendfile(int out, int in, off_t *at, size_t length) {
    return platter_file(out) == NULL ? syscall(SYS_sendfile, out, in, at, length) : refuse(ENOSYS);
}
ALSO_64(ssize_t, sendfile, (int out, int in, off_t *at, size_t length), (out, in, at, length))

static int resize(int fd, off_t length, long (*change)(int, off_t)) {
    struct file *file = platter_file(fd);
    struct stat before;
    if (file == NULL) {
        return (int)change(fd, length);
    }
    struct verdict verdict = faults_ask(CALL_RESIZE, 0);
    if (verdict.error != 0) {
        return refuse(verdict.error);
    }
    platter_lock();
    int changed = fstat(fd, &before);
    if (changed == 0) {
        platter_resized(file, before.st_size, length);
        changed = (int)change(fd, length);
    }
    int error = errno;
    platter_unlock();
    errno = error;
    return changed;
}

static long cut_or_stretch(int fd, off_t length) {
    return real_ftruncate(fd, length);
}

static long stretch(int fd, off_t length) {
    struct stat found;
    if (fstat(fd, &found) != 0) {
        return -1;
    }
    return found.st_size < length ? real_ftruncate(fd, length) : 0;
}

STANDS_IN int ftruncate(int fd, off_t length) {
    return resize(fd, length, cut_or_stretch);
}
ALSO_64(int, ftruncate, (int fd, off_t length), (fd, length))

/* Only what callers of ours do: make sure that a file has room up to an offset. */
STANDS_IN int posix_fallocate(int fd, off_t offset, off_t length) {
    if (platter_file(fd) == NULL) {
        return syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
    }
    return resize(fd, offset + length, stretch) == 0 ? 0 : errno;
}
ALSO_64(int, posix_fallocate, (int fd, off_t offset, off_t length), (fd, offset, length))

STANDS_IN int fallocate(int fd, int mode, off_t offset, off_t length) {
    if (platter_file(fd) == NULL) {
        return (int)syscall(SYS_fallocate, fd, mode, offset, length);
    }
    return mode == 0 ? resize(fd, offset + length, stretch) : refuse(EOPNOTSUPP);
}
ALSO_64(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))

static int sync_to(int fd, long number) {
    struct file *file = platter_file(fd);
    if (file != NULL) {
        struct verdict verdict = faults_ask(CALL_SYNC, 0);
        faults_delay_sync();
        platter_lock();
        platter_sync(file, fd, verdict.error == 0);
        platter_unlock();
        return verdict.error == 0 ? 0 : refuse(verdict.error);
    }
    if (platter_holds_folder(fd)) {
        struct verdict verdict = faults_ask(CALL_SYNC_FOLDER, 0);
        if (verdict.error != 0) {
            return refuse(verdict.error);
        }
        platter_lock();
        platter_sync_folder(fd);
        platter_unlock();
        return 0;
    }
    return (int)syscall(number, fd);
}

STANDS_IN int fsync(int fd) {
    return sync_to(fd, SYS_fsync);
}

STANDS_IN int fdatasync(int fd) {
    return sync_to(fd, SYS_fdatasync);
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    /* Of an existing file nothing is created, but whether it exists is only known afterwards. */
    if (active && (flags & O_CREAT) != 0 && platter_holds_path(path) && faccessat(folder, path, F_OK, 0) != 0) {
        struct verdict verdict = faults_ask(CALL_CREATE, 0);
        if (verdict.error != 0) {
            return refuse(verdict.error);
        }
    }
    return (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
}

static mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (mode_t)va_arg(rest, int) : 0;
}

#define OPENS(name, parameters, folder)          \
    STANDS_IN int name parameters {              \
        va_list rest;                            \
        va_start(rest, flags);                   \
        mode_t mode = mode_of(flags, rest);      \
        va_end(rest);                            \
        return open_at(folder, path, flags, mode); \
    }
OPENS(open, (const char *path, int flags, ...), AT_FDCWD)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD)
OPENS(openat, (int folder, const char *path, int flags, ...), folder)
OPENS(openat64, (int folder, const char *path, int flags, ...), folder)

STANDS_IN int rename(const char *from, const char *to) {
    if (active && platter_holds_path(to)) {
        struct verdict verdict = faults_ask(CALL_RENAME, 0);
        if (verdict.error != 0) {
            return refuse(verdict.error);
        }
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

STANDS_IN int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = (int)syscall(SYS_clock_gettime, clock, time);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t offset = faults_clock_offset_ms();
        int64_t nanoseconds = time->tv_nsec + (offset % 1000) * 1000000;
        time->tv_sec += offset / 1000 + (nanoseconds < 0 ? -1 : nanoseconds / 1000000000);
        time->tv_nsec = nanoseconds < 0 ? nanoseconds + 1000000000 : nanoseconds % 1000000000;
    }
    return done;
}
