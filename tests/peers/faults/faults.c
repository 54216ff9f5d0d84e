/* Makes writing, syncing and the clock fail as a trigger file says, for a program that is started with LD_PRELOAD.

   PEER_FAULTS names a file of lines; without it, or while it is empty, nothing fails:
     write ENOSPC     writes to files whose name holds ".db" fail so (or EDQUOT, EIO); half of what was to be written is written before
     sync EIO         fsync and fdatasync of them fail so, behind having been done
     clock -3600      CLOCK_REALTIME is off by so many seconds */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* What stands behind `word` in the trigger file; nothing if the line is not there. */
static int trigger(const char *word, char *value, size_t size) {
    const char *name = getenv("PEER_FAULTS");
    char text[256];
    if (!name) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0) return 0;
    text[length] = 0;
    for (char *rest, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!strncmp(line, word, strlen(word)) && line[strlen(word)] == ' ') {
            snprintf(value, size, "%s", line + strlen(word) + 1);
            return 1;
        }
    return 0;
}

static int is_history(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, ".db") != NULL;
}

/* The error that is to come of `what` with this file; 0 for none. */
static int fault(int file, const char *what) {
    char value[32];
    int before = errno, found = 0;
    if (is_history(file) && trigger(what, value, sizeof value)) found = !strcmp(value, "ENOSPC") ? ENOSPC : !strcmp(value, "EDQUOT") ? EDQUOT : EIO;
    errno = before;
    return found;
}

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*write_call)(int, const void *, size_t);
typedef ssize_t (*pwrite_call)(int, const void *, size_t, off_t);
typedef int (*sync_call)(int);
typedef int (*clock_call)(clockid_t, struct timespec *);
typedef int (*timeofday_call)(struct timeval *, void *);

ssize_t write(int file, const void *data, size_t length) {
    REAL("write", write_call);
    int error = fault(file, "write");
    if (!error) return real(file, data, length);
    if (length > 1) real(file, data, length / 2);
    errno = error;
    return -1;
}

static ssize_t faulty_pwrite(pwrite_call real, int file, const void *data, size_t length, off_t at) {
    int error = fault(file, "write");
    if (!error) return real(file, data, length, at);
    if (length > 1) real(file, data, length / 2, at);
    errno = error;
    return -1;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t at) {
    REAL("pwrite", pwrite_call);
    return faulty_pwrite(real, file, data, length, at);
}

ssize_t pwrite64(int file, const void *data, size_t length, off_t at) {
    REAL("pwrite64", pwrite_call);
    return faulty_pwrite(real, file, data, length, at);
}

int fsync(int file) {
    REAL("fsync", sync_call);
    int done = real(file), error = fault(file, "sync");
    if (!error) return done;
    errno = error;
    return -1;
}

int fdatasync(int file) {
    REAL("fdatasync", sync_call);
    int done = real(file), error = fault(file, "sync");
    if (!error) return done;
    errno = error;
    return -1;
}

static long long offset_s(void) {
    char value[32];
    int before = errno;
    long long seconds = trigger("clock", value, sizeof value) ? atoll(value) : 0;
    errno = before;
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL("clock_gettime", clock_call);
    int done = real(clock, now);
    if (!done && clock == CLOCK_REALTIME) now->tv_sec += offset_s();
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL("gettimeofday", timeofday_call);
    int done = real(now, zone);
    if (!done) now->tv_sec += offset_s();
    return done;
}
