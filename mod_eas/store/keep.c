/* SPDX-License-Identifier: Apache-2.0 */
#include "store_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "eas_failpoint.h"
#include "eas_log.h"

#define TAG "keep"
#define AREA_MAX 32
#define KEEP_MAX (1024 * 1024)

typedef struct place_t {
    const char *dir, *path;
} place_t;

static eas_err_t *locate(place_t *at, const char *dir, const char *area, const char *name,
                         apr_pool_t *pool)
{
    char hash[EAS_STORE_HASH_LEN + 1];
    apr_size_t n = strlen(area);

    for (apr_size_t i = 0; i < n; i++)
        if (!islower((unsigned char)area[i]) && area[i] != '-')
            n = 0;
    if (n == 0 || n > AREA_MAX)
        return eas_err_create(pool, EAS_E_INTERNAL, TAG, "not the name of an area");
    eas_store_hash(hash, name);
    at->dir = apr_psprintf(pool, "%s/v1/keep/%s/%.2s", dir, area, hash);
    at->path = apr_psprintf(pool, "%s/%s", at->dir, hash);
    return NULL;
}

/* A record that fsync and rename brought whole to the disk can only be hurt by the disk. */
static eas_err_t *damaged(const char *path, apr_pool_t *pool)
{
    rename(path, apr_pstrcat(pool, path, ".bad", NULL));
    eas_log(NULL, EAS_LOG_ERROR, "store: the record %s is damaged and was set aside", path);
    return eas_err_create(pool, EAS_E_STATE, TAG, "a record is damaged and was set aside");
}

eas_err_t *eas_keep_recall(const void **val, apr_size_t *len, const char *dir, const char *area,
                           const char *name, apr_pool_t *pool)
{
    place_t at;
    struct stat st;
    eas_err_t *err = locate(&at, dir, area, name, pool);
    apr_size_t have = 0;
    char *data;
    int fd;

    *val = NULL;
    *len = 0;
    if (err)
        return err;
    fd = open(at.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? NULL : eas_err_apr(pool, errno, TAG, "cannot open a record");
    if (fstat(fd, &st) != 0 || st.st_size > KEEP_MAX + EAS_ENVELOPE_LEN) {
        close(fd);
        return damaged(at.path, pool);
    }
    data = apr_palloc(pool, (apr_size_t)st.st_size + 1);
    while (have < (apr_size_t)st.st_size) {
        ssize_t n = read(fd, data + have, (apr_size_t)st.st_size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = eas_err_apr(pool, errno, TAG, "cannot read a record");
        if (n <= 0)
            break;
        have += n;
    }
    close(fd);
    if (err)
        return err;
    data[have] = '\0';
    switch (eas_envelope_open(val, len, name, data, have)) {
    case EAS_ENV_OK:
        return NULL;
    case EAS_ENV_NEWER:
        return eas_err_create(pool, EAS_E_NEWER, TAG, "a record of a later version");
    default:
        return damaged(at.path, pool);
    }
}

static int write_all(int fd, const void *data, apr_size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : ENOSPC;
            return 0;
        }
        p += n;
        len -= n;
    }
    return 1;
}

static eas_err_t *drop(const place_t *at, apr_pool_t *pool)
{
    if (unlink(at->path) != 0)
        return errno == ENOENT ? NULL : eas_err_apr(pool, errno, TAG, "cannot drop a record");
    return eas_store_sync_dir(at->dir, pool);
}

/* Never over a record that a later version wrote. */
static eas_err_t *refuse_newer(const place_t *at, apr_pool_t *pool)
{
    unsigned char version = 0;
    int fd = open(at->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    if (read(fd, &version, 1) != 1)
        version = 0;
    close(fd);
    return version > EAS_ENVELOPE_VERSION
               ? eas_err_create(pool, EAS_E_NEWER, TAG, "a record of a later version")
               : NULL;
}

eas_err_t *eas_keep_write(const char *dir, const char *area, const char *name, const void *val,
                          apr_size_t len, apr_pool_t *pool)
{
    static unsigned serial;
    unsigned char head[EAS_ENVELOPE_LEN];
    const char *temp;
    place_t at;
    eas_err_t *err = locate(&at, dir, area, name, pool);
    int fd, why = 0;

    if (err || (err = refuse_newer(&at, pool)))
        return err;
    if (!val)
        return drop(&at, pool);
    if (len > KEEP_MAX)
        return eas_err_create(pool, EAS_E_TOO_LARGE, TAG, "a record of more than 1 MB");
    if ((err = eas_store_mkdirs(at.dir, pool)))
        return err;
    temp = apr_psprintf(pool, "%s.%ld-%u.tmp", at.path, (long)getpid(),
                        __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED));
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return eas_err_apr(pool, errno, TAG, "cannot write a record");
    eas_envelope_make(head, name, val, len);
    if (!write_all(fd, head, sizeof(head)) || (EAS_FAILPOINT("keep.write") && (errno = ENOSPC)) ||
        !write_all(fd, val, len) || fsync(fd) != 0)
        why = errno;
    close(fd);
    if (!why && ((EAS_FAILPOINT("keep.rename") && (errno = EIO)) || rename(temp, at.path) != 0))
        why = errno;
    if (why) {
        unlink(temp);
        return eas_err_apr(pool, why, TAG, "cannot write a record");
    }
    return eas_store_sync_dir(at.dir, pool);
}
