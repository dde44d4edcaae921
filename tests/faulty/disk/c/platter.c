/*
 * What would survive a power cut.
 *
 * The files themselves are the page cache: what the process reads. Beside each, named by its inode number, lie
 *
 *   now/N      a hard link to it, so that the number is not used again when the file is removed
 *   image/N    its bytes as they are on the platter
 *   map/N      for each page of 4 KiB, whether platter and cache agree
 *   names/N/   of a folder: the names in it as they are on the platter, hard links to images; a folder in it is a
 *              symbolic link to its inode number
 *
 * A sync brings dirty pages, or names, to the platter. A sync that fails leaves its pages lost: the kernel takes them for
 * written, no later sync writes them, and only a new write makes them dirty again.
 */
#define _GNU_SOURCE
#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGES_MAX = 65536, FILES_MAX = 65536 };
enum page { AGREES = 0, DIRTY = 1, LOST = 2 };

struct file {
    ino_t inode; /* 0: a free place of the table */
    uint8_t *map;
};

static char root[PATH_MAX];
static size_t root_length;
static char state[PATH_MAX];
static dev_t device;
/* Open addressing by inode number; files stay in it. Read without the lock: `inode` is set last. */
static struct file files[FILES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void must(bool done, const char *what) {
    if (!done) {
        fprintf(stderr, "the faulty disk cannot %s: %s\n", what, strerror(errno));
        abort();
    }
}

static const char *place(char *path, const char *folder, ino_t inode) {
    must(snprintf(path, PATH_MAX, "%s/%s/%ju", state, folder, (uintmax_t)inode) < PATH_MAX, "name a file");
    return path;
}

void platter_open(const char *root_path, const char *state_path) {
    struct stat found;
    must(stat(root_path, &found) == 0, "find its root");
    device = found.st_dev;
    must(strlen(root_path) < PATH_MAX && strlen(state_path) < PATH_MAX / 2, "name its folders");
    strcpy(root, root_path);
    root_length = strlen(root);
    strcpy(state, state_path);
}

void platter_lock(void) {
    pthread_mutex_lock(&lock);
}

void platter_unlock(void) {
    pthread_mutex_unlock(&lock);
}

static bool is_below_root(const char *path) {
    return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
}

bool platter_holds_path(const char *path) {
    char whole[2 * PATH_MAX];
    if (root_length == 0 || path[0] == '/') {
        return root_length != 0 && is_below_root(path);
    }
    char here[PATH_MAX];
    if (getcwd(here, sizeof here) == NULL) {
        return false;
    }
    snprintf(whole, sizeof whole, "%s/%s", here, path);
    return is_below_root(whole);
}

static bool is_open_below_root(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return false;
    }
    path[length] = '\0';
    return is_below_root(path);
}

/* Where a file is in the table, or would be. */
static struct file *slot(ino_t inode) {
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct file *file = &files[(inode + i) % FILES_MAX];
        ino_t there = __atomic_load_n(&file->inode, __ATOMIC_ACQUIRE);
        if (there == inode || there == 0) {
            return file;
        }
    }
    errno = ENFILE;
    must(false, "follow so many files");
    return NULL;
}

/* Begins to follow a file, or goes on from where an earlier process was. Called with the lock held. */
static struct file *follow(ino_t inode, const char *any_path) {
    struct file *file = slot(inode);
    if (file->inode == inode) {
        return file;
    }
    char path[PATH_MAX];
    place(path, "now", inode);
    must(linkat(AT_FDCWD, any_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST || errno == ENOENT,
         "hold on to a file");
    int image = real_open(place(path, "image", inode), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(image >= 0, "make an image");
    close(image);
    int map = real_open(place(path, "map", inode), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(map >= 0 && real_ftruncate(map, PAGES_MAX) == 0, "make a map");
    file->map = mmap(NULL, PAGES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    must(file->map != MAP_FAILED, "map a map");
    close(map);
    __atomic_store_n(&file->inode, inode, __ATOMIC_RELEASE);
    return file;
}

struct file *platter_file(int fd) {
    struct stat found;
    if (root_length == 0 || fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_dev != device) {
        return NULL;
    }
    struct file *file = slot(found.st_ino);
    if (file->inode == found.st_ino) {
        return file;
    }
    if (!is_open_below_root(fd)) {
        return NULL;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    platter_lock();
    file = follow(found.st_ino, path);
    platter_unlock();
    return file;
}

bool platter_holds_folder(int fd) {
    struct stat found;
    return root_length != 0 && fstat(fd, &found) == 0 && S_ISDIR(found.st_mode) && is_open_below_root(fd);
}

void platter_written(struct file *file, off_t offset, size_t length) {
    size_t first = (size_t)offset / PAGE_BYTES;
    size_t last = ((size_t)offset + length - 1) / PAGE_BYTES;
    errno = EFBIG;
    must(last < PAGES_MAX, "follow so large a file");
    memset(file->map + first, DIRTY, last - first + 1);
}

void platter_resized(struct file *file, off_t from, off_t to) {
    /* What is cut off comes back as zeros if the file grows again before it is synced. */
    if (to < from) {
        platter_written(file, to, (size_t)(from - to));
    }
}

void platter_sync(struct file *file, int fd, bool succeeds) {
    char path[PATH_MAX];
    int image = real_open(place(path, "image", file->inode), O_RDWR | O_CLOEXEC, 0);
    /* The caller's descriptor may be for writing only. */
    int now = real_open(place(path, "now", file->inode), O_RDWR | O_CLOEXEC, 0);
    struct stat size, image_size;
    must(image >= 0 && now >= 0 && fstat(fd, &size) == 0 && fstat(image, &image_size) == 0, "open an image");
    for (uint8_t *page = file->map; (page = memchr(page, DIRTY, PAGES_MAX - (page - file->map))) != NULL;) {
        uint8_t bytes[PAGE_BYTES];
        off_t offset = (page - file->map) * (off_t)PAGE_BYTES;
        if (succeeds || faults_random() % 4 == 0) {
            ssize_t read = real_pread(now, bytes, PAGE_BYTES, offset);
            must(read >= 0 && real_pwrite(image, bytes, (size_t)read, offset) == read, "write an image");
            *page = AGREES;
        } else if (faults_evict() && offset < size.st_size) {
            /* The cache had no room for the page any more: whoever reads it now gets what is on the platter. */
            memset(bytes, 0, PAGE_BYTES);
            size_t length = size.st_size - offset < PAGE_BYTES ? (size_t)(size.st_size - offset) : PAGE_BYTES;
            must(real_pread(image, bytes, length, offset) >= 0 &&
                     real_pwrite(now, bytes, length, offset) == (ssize_t)length,
                 "evict a page");
            *page = LOST;
        } else {
            *page = LOST;
        }
    }
    if (succeeds) {
        must(real_ftruncate(image, size.st_size) == 0, "resize an image");
    }
    close(image);
    close(now);
}

static void sync_name(int folder, int platter, const char *name) {
    struct stat found, there;
    if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        return; /* removed meanwhile: another sync will tell */
    }
    bool is_there = fstatat(platter, name, &there, AT_SYMLINK_NOFOLLOW) == 0;
    char path[PATH_MAX];
    if (S_ISDIR(found.st_mode)) {
        snprintf(path, sizeof path, "%ju", (uintmax_t)found.st_ino);
        unlinkat(platter, name, 0);
        must(symlinkat(path, platter, name) == 0, "keep the name of a folder");
        return;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, name);
    follow(found.st_ino, path);
    struct stat image;
    must(stat(place(path, "image", found.st_ino), &image) == 0, "find an image");
    if (is_there && there.st_ino == image.st_ino) {
        return;
    }
    unlinkat(platter, ".new", 0);
    must(linkat(AT_FDCWD, path, platter, ".new", 0) == 0 &&
             renameat(platter, ".new", platter, name) == 0,
         "keep a name");
}

void platter_sync_folder(int fd) {
    struct stat found;
    char path[PATH_MAX];
    must(fstat(fd, &found) == 0, "find a folder");
    must(mkdir(place(path, "names", found.st_ino), 0700) == 0 || errno == EEXIST, "keep the names of a folder");
    int platter = real_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = folder < 0 ? NULL : fdopendir(folder);
    must(platter >= 0 && names != NULL, "list a folder");
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            sync_name(folder, platter, entry->d_name);
        }
    }
    DIR *kept = fdopendir(fcntl(platter, F_DUPFD_CLOEXEC, 0));
    must(kept != NULL, "list the names of a folder");
    for (struct dirent *entry; (entry = readdir(kept)) != NULL;) {
        struct stat gone;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            fstatat(folder, entry->d_name, &gone, AT_SYMLINK_NOFOLLOW) != 0) {
            unlinkat(platter, entry->d_name, 0);
        }
    }
    closedir(kept);
    closedir(names);
    close(platter);
}
