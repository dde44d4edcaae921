/*
 * A disk that fails, fills up and loses power, for one process that is started with this library in LD_PRELOAD.
 *
 *   calls.c    stands in for the C library's functions that change files
 *   faults.c   decides which of these calls fail, by numbers that a test writes into a file
 *   platter.c  keeps beside each file what of it would survive a power cut
 *
 * Only files below the folder FAULTY_DISK_ROOT are concerned. What the library keeps lies in FAULTY_DISK_STATE, on the
 * same file system. Calls reach the kernel directly, so nothing here depends on the C library that is stood in for.
 */
#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kinds of calls that may fail. src/control.rs has the same list. */
enum call { CALL_WRITE, CALL_SYNC, CALL_SYNC_FOLDER, CALL_RESIZE, CALL_CREATE, CALL_RENAME, CALL_KINDS };

/* What is to become of a call. */
struct verdict {
    int error;     /* 0: it goes through */
    size_t length; /* of a write: the bytes that go through first, if it is to be short */
};

/* faults.c */
void faults_open(const char *state);
struct verdict faults_ask(enum call call, size_t length);
int64_t faults_clock_offset_ms(void);
void faults_delay_sync(void);
bool faults_evict(void);
uint64_t faults_random(void);

/* platter.c */
struct file;
void platter_open(const char *root, const char *state);
bool platter_holds_path(const char *path);
struct file *platter_file(int fd);
bool platter_holds_folder(int fd);
void platter_lock(void);
void platter_unlock(void);
void platter_written(struct file *file, off_t offset, size_t length);
void platter_resized(struct file *file, off_t from, off_t to);
void platter_sync(struct file *file, int fd, bool succeeds);
void platter_sync_folder(int fd);

/* The calls themselves, past the functions of the same name. */
int real_open(const char *path, int flags, mode_t mode);
ssize_t real_pread(int fd, void *bytes, size_t length, off_t offset);
ssize_t real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int real_ftruncate(int fd, off_t length);

#endif
