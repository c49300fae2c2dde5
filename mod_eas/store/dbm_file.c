/* SPDX-License-Identifier: Apache-2.0 */
#include "store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_strings.h>
#include "eas_failpoint.h"
#include "eas_log.h"
#include "eas_time.h"

#define TAG "store"
#define DRIVER "gdbm"
#define BAD_KEPT 2
#define POLL_FIRST apr_time_from_msec(2)
#define POLL_MAX apr_time_from_msec(50)
#define DISK_RESERVE (1024 * 1024)

/* gdbm's error numbers (gdbm.h, an interface that does not change), as apr_dbm passes them on. */
#define GDBM_ERR(n) (APR_OS_START_USEERR + (n))
enum {
    ERR_MALLOC = GDBM_ERR(1),
    ERR_OPEN = GDBM_ERR(3),
    ERR_WRITE = GDBM_ERR(4),
    ERR_SEEK = GDBM_ERR(5),
    ERR_CANT_BE_READER = GDBM_ERR(9),
    ERR_CANT_BE_WRITER = GDBM_ERR(10),
    ERR_NOT_FOUND = GDBM_ERR(15)
};

int eas_dbm_is_not_found(apr_status_t rv)
{
    return rv == ERR_NOT_FOUND;
}

int eas_dbm_is_disk(apr_status_t rv)
{
    return rv == ERR_WRITE || rv == ERR_SEEK || rv == ERR_MALLOC;
}

void eas_dbm_file_init(eas_dbm_file_t *f, const char *user_dir, const char *device,
                       apr_pool_t *pool)
{
    char hash[EAS_STORE_HASH_LEN + 1];

    eas_store_hash(hash, device);
    f->dir = user_dir;
    f->path = apr_pstrcat(pool, user_dir, "/", hash, ".db", NULL);
    f->marker = apr_pstrcat(pool, user_dir, "/", hash, ".w", NULL);
    f->fresh = apr_pstrcat(pool, user_dir, "/", hash, ".wt", NULL);
}

/* Sleeps a little longer each time; 0 when the wait is over. */
typedef struct patience_t {
    apr_time_t deadline;
    apr_interval_time_t step;
} patience_t;

static patience_t patience(void)
{
    return (patience_t){eas_store_monotonic() + EAS_STORE_WAIT, POLL_FIRST};
}

static int again(patience_t *p)
{
    if (eas_store_monotonic() >= p->deadline)
        return 0;
    eas_store_sleep(p->step);
    p->step = p->step * 2 < POLL_MAX ? p->step * 2 : POLL_MAX;
    return 1;
}

static eas_err_t *busy(apr_pool_t *pool)
{
    return eas_err_create(pool, EAS_E_BUSY, TAG, "another process uses the state file");
}

/* --- setting aside --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keeps the newest few of "<hash>.db.bad-<seconds>". */
static void prune(const eas_dbm_file_t *f, apr_pool_t *pool)
{
    char *names[64];
    const char *prefix = apr_pstrcat(pool, strrchr(f->path, '/') + 1, ".bad-", NULL);
    DIR *d = opendir(f->dir);
    struct dirent *e;
    int n = 0;

    while (d && n < 64 && (e = readdir(d)))
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            names[n++] = apr_pstrdup(pool, e->d_name);
    if (d)
        closedir(d);
    qsort(names, n, sizeof(names[0]), by_name);
    for (int i = 0; i < n - BAD_KEPT; i++)
        unlink(apr_pstrcat(pool, f->dir, "/", names[i], NULL));
}

eas_err_t *eas_dbm_set_aside(const eas_dbm_file_t *f, const char *why, apr_pool_t *pool)
{
    const char *bad = apr_psprintf(pool, "%s.bad-%010ld", f->path, (long)apr_time_sec(eas_now()));

    if (rename(f->path, bad) != 0 && errno != ENOENT)
        return eas_err_apr(pool, errno, TAG, "cannot set a damaged state file aside");
    eas_log(NULL, EAS_LOG_ERROR, "store: the state file %s was damaged (%s) and is set aside; this "
            "device syncs anew", f->path, why);
    prune(f, pool);
    return eas_err_create(pool, EAS_E_STATE, TAG, "the state file was damaged (%s)", why);
}

/* --- the marker -------------------------------------------------------------------------------- *
 * It stands from before the first store of a commit until after the clean close, and its maker
 * holds a lock on it all that time. Found locked: a commit is under way. Found without a lock: its
 * maker died, and what gdbm left behind often opens but then fails every fetch. */

typedef enum marker_t { MARKER_NONE, MARKER_ACTIVE, MARKER_STALE, MARKER_ERROR } marker_t;

/* MARKER_STALE: *fd holds the lock, so that only one process sets aside. */
static marker_t look(int *fd, const eas_dbm_file_t *f)
{
    struct stat here, there;

    *fd = -1;
    if (access(f->marker, F_OK) != 0 && errno == ENOENT)
        return MARKER_NONE;
    *fd = open(f->marker, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? MARKER_NONE : MARKER_ERROR;
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        /* gone meanwhile: the commit ended well between open() and flock() */
        if (fstat(*fd, &here) == 0 && stat(f->marker, &there) == 0 && here.st_ino == there.st_ino)
            return MARKER_STALE;
        close(*fd);
        return MARKER_ACTIVE; /* look again */
    }
    close(*fd);
    return MARKER_ACTIVE;
}

/* Like settle, but does not wait: *active says that somebody commits. */
static eas_err_t *check_marker(int *active, const eas_dbm_file_t *f, apr_pool_t *pool)
{
    eas_err_t *err;
    int fd;
    marker_t m = look(&fd, f);

    *active = m == MARKER_ACTIVE;
    if (m == MARKER_ERROR)
        return eas_err_apr(pool, errno, TAG, "cannot open a state file's marker");
    if (m != MARKER_STALE)
        return NULL;
    err = eas_dbm_set_aside(f, "a process died while writing it", pool);
    if (err->kind == EAS_E_STATE)
        unlink(f->marker);
    close(fd);
    return err;
}

eas_err_t *eas_dbm_settle(const eas_dbm_file_t *f, apr_pool_t *pool)
{
    patience_t p = patience();
    int active;

    for (;;) {
        eas_err_t *err = check_marker(&active, f, pool);
        if (err || !active)
            return err;
        if (!again(&p))
            return busy(pool);
    }
}

/* The lock must be there before the name is. */
static eas_err_t *set_marker(int *fd, const eas_dbm_file_t *f, apr_pool_t *pool)
{
    *fd = open(f->fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) == 0 && rename(f->fresh, f->marker) == 0)
        return NULL;
    eas_err_t *err = errno == EWOULDBLOCK
                         ? busy(pool)
                         : eas_err_apr(pool, errno, TAG, "cannot mark a state file");
    if (*fd >= 0)
        close(*fd);
    return err;
}

void eas_dbm_written(const eas_dbm_file_t *f, int marker_fd, int clean)
{
    if (clean)
        unlink(f->marker);
    close(marker_fd);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* What failed to open: away for the moment, or damaged. */
static eas_err_t *open_failed(const eas_dbm_file_t *f, apr_status_t rv, int why, apr_pool_t *pool)
{
    if (rv == ERR_OPEN)
        return eas_err_apr(pool, why ? why : EIO, TAG, "cannot open a state file");
    if (eas_dbm_is_disk(rv) || rv < APR_OS_START_USEERR)
        return eas_err_create(pool, EAS_E_UNAVAILABLE, TAG,
                              "cannot open a state file: dbm error %d",
                              rv < APR_OS_START_USEERR ? rv : rv - APR_OS_START_USEERR);
    return eas_dbm_set_aside(f, "it does not open", pool);
}

eas_err_t *eas_dbm_read(apr_dbm_t **dbm, const eas_dbm_file_t *f, apr_pool_t *dbm_pool,
                        apr_pool_t *pool)
{
    patience_t p = patience();

    for (;;) {
        int active = 0, why, absent;
        eas_err_t *err;
        *dbm = NULL;
        absent = access(f->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
        apr_status_t rv = APR_SUCCESS;
        errno = 0;
        if (!absent)
            rv = apr_dbm_open_ex(dbm, DRIVER, f->path, APR_DBM_READONLY, 0, dbm_pool);
        why = errno;
        if (rv == APR_SUCCESS) {
            /* gdbm's lock is ours now, no commit can begin: so the marker is looked at here */
            err = check_marker(&active, f, pool);
            if (!err && !active)
                return NULL;
            if (*dbm)
                apr_dbm_close(*dbm);
            *dbm = NULL;
            if (err)
                return err;
        } else if (rv != ERR_CANT_BE_READER && !(rv == ERR_OPEN && why == ENOENT)) {
            *dbm = NULL;
            return open_failed(f, rv, why, pool);
        }
        if (!again(&p))
            return busy(pool);
    }
}

/* A full disk is noticed before the file is touched: else that device would have to sync anew. */
static eas_err_t *check_space(const eas_dbm_file_t *f, apr_size_t bytes, apr_pool_t *pool)
{
    struct statvfs fs;

    if (statvfs(f->dir, &fs) == 0 &&
        (apr_uint64_t)fs.f_bavail * fs.f_frsize < (apr_uint64_t)bytes * 2 + DISK_RESERVE)
        return eas_err_create(pool, EAS_E_UNAVAILABLE, TAG, "no space left for the state");
    return NULL;
}

eas_err_t *eas_dbm_write(apr_dbm_t **dbm, int *marker_fd, int *fresh, const eas_dbm_file_t *f,
                         apr_size_t bytes, apr_pool_t *dbm_pool, apr_pool_t *pool)
{
    patience_t p = patience();
    eas_err_t *err;
    apr_status_t rv;
    int why;

    *dbm = NULL;
    /* settle: after a commit that failed half way the same handle may try again */
    if ((err = eas_store_mkdirs(f->dir, pool)) || (err = eas_dbm_settle(f, pool)) ||
        (err = check_space(f, bytes, pool)) || (err = set_marker(marker_fd, f, pool)))
        return err;
    if (EAS_FAILPOINT("store.marker")) {
        eas_dbm_written(f, *marker_fd, 1);
        return eas_err_create(pool, EAS_E_UNAVAILABLE, TAG, "failure point store.marker");
    }
    *fresh = access(f->path, F_OK) != 0;
    do {
        errno = 0;
        rv = apr_dbm_open_ex(dbm, DRIVER, f->path, APR_DBM_RWCREATE,
                             APR_FPROT_UREAD | APR_FPROT_UWRITE, dbm_pool);
        why = errno;
    } while ((rv == ERR_CANT_BE_WRITER || rv == ERR_CANT_BE_READER) && again(&p));
    if (rv == APR_SUCCESS)
        return NULL;
    *dbm = NULL;
    if (rv == ERR_CANT_BE_WRITER || rv == ERR_CANT_BE_READER)
        err = busy(pool);
    else if (*fresh)
        err = eas_err_apr(pool, why ? why : EIO, TAG, "cannot make a state file");
    else
        err = open_failed(f, rv, why, pool);
    if (*fresh)
        unlink(f->path); /* half a header */
    eas_dbm_written(f, *marker_fd, 1);
    return err;
}
