/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <apr_portable.h>
#include <apr_strings.h>

#define TAG "spool"
#define FIRST_CAP 4096

struct eas_spool_t {
    apr_pool_t *pool;
    const char *dir;
    apr_size_t limit;
    char *mem;             /* heap: grows by realloc; once there is a file, its write buffer */
    apr_size_t len, cap;   /* of mem */
    int fd;                /* of file; -1: all in memory */
    apr_file_t *file;
    apr_size_t filed;      /* bytes in the file */
    void *map;
    apr_size_t maplen;
    int finished;
};

static apr_status_t cleanup(void *data)
{
    eas_spool_t *sp = data;
    if (sp->map)
        munmap(sp->map, sp->maplen);
    free(sp->mem);
    return APR_SUCCESS;
}

eas_spool_t *eas_spool_create(apr_size_t limit, const char *dir, apr_pool_t *pool)
{
    eas_spool_t *sp = apr_pcalloc(pool, sizeof(*sp));
    sp->pool = pool;
    sp->dir = dir;
    sp->limit = limit;
    sp->fd = -1;
    apr_pool_cleanup_register(pool, sp, cleanup, apr_pool_cleanup_null);
    return sp;
}

/* Through APR, so that a file bucket which is set aside takes the descriptor with it; without a
 * name at once, so that a crash leaves nothing behind. mktemp gives 0600 and close-on-exec. */
static eas_err_t *open_file(eas_spool_t *sp)
{
    apr_status_t rv;
    char *name;

    if (!sp->dir && (rv = apr_temp_dir_get(&sp->dir, sp->pool)) != APR_SUCCESS)
        return eas_err_apr(sp->pool, rv, TAG, "no directory for temporary files");
    name = apr_pstrcat(sp->pool, sp->dir, "/eas-spool-XXXXXX", NULL);
    rv = apr_file_mktemp(&sp->file, name,
                         APR_FOPEN_CREATE | APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                             APR_FOPEN_BINARY,
                         sp->pool);
    if (rv != APR_SUCCESS)
        return eas_err_apr(sp->pool, rv, TAG, "cannot make a temporary file in %s", sp->dir);
    unlink(name);
    apr_os_file_get(&sp->fd, sp->file);
    return NULL;
}

static eas_err_t *to_file(eas_spool_t *sp, const char *data, apr_size_t len)
{
    while (len) {
        ssize_t n = pwrite(sp->fd, data, len, (off_t)sp->filed);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return eas_err_apr(sp->pool, n < 0 ? errno : ENOSPC, TAG,
                               "cannot write a temporary file");
        data += n;
        len -= n;
        sp->filed += n;
    }
    return NULL;
}

static eas_err_t *flush(eas_spool_t *sp)
{
    eas_err_t *err = sp->fd < 0 ? open_file(sp) : NULL;
    if (!err)
        err = to_file(sp, sp->mem, sp->len);
    if (!err)
        sp->len = 0;
    return err;
}

static eas_err_t *grow(eas_spool_t *sp, apr_size_t need)
{
    apr_size_t cap = sp->cap ? sp->cap : FIRST_CAP;
    char *mem;

    while (cap < need)
        cap *= 2;
    if (cap > EAS_SPOOL_MEM)
        cap = EAS_SPOOL_MEM;
    if (cap == sp->cap)
        return NULL;
    mem = realloc(sp->mem, cap);
    if (!mem)
        return eas_err_create(sp->pool, EAS_E_UNAVAILABLE, TAG, "out of memory");
    sp->mem = mem;
    sp->cap = cap;
    return NULL;
}

eas_err_t *eas_spool_write(eas_spool_t *sp, const void *data, apr_size_t len)
{
    eas_err_t *err;

    if (sp->finished)
        return eas_err_create(sp->pool, EAS_E_INTERNAL, TAG, "written to after the end");
    if (sp->limit && len > sp->limit - eas_spool_size(sp))
        return eas_err_create(sp->pool, EAS_E_TOO_LARGE, TAG, "more than %" APR_SIZE_T_FMT " bytes",
                              sp->limit);
    if (len > EAS_SPOOL_MEM - sp->len) {
        if ((err = flush(sp)))
            return err;
        if (len >= EAS_SPOOL_MEM)
            return to_file(sp, data, len);
    }
    if (sp->len + len > sp->cap && (err = grow(sp, sp->len + len)))
        return err;
    if (len)
        memcpy(sp->mem + sp->len, data, len);
    sp->len += len;
    return NULL;
}

apr_size_t eas_spool_size(const eas_spool_t *sp)
{
    return sp->filed + sp->len;
}

eas_err_t *eas_spool_truncate(eas_spool_t *sp, apr_size_t size)
{
    if (sp->finished || size > eas_spool_size(sp))
        return eas_err_create(sp->pool, EAS_E_INTERNAL, TAG, "cannot be cut there");
    if (size >= sp->filed) {
        sp->len = size - sp->filed;
        return NULL;
    }
    sp->len = 0;
    sp->filed = size;
    if (ftruncate(sp->fd, (off_t)size) != 0)
        return eas_err_apr(sp->pool, errno, TAG, "cannot cut a temporary file");
    return NULL;
}

eas_err_t *eas_spool_finish(eas_span_t *out, eas_spool_t *sp)
{
    eas_err_t *err;

    if (sp->fd >= 0 && !sp->finished) {
        if (sp->len && (err = flush(sp)))
            return err;
        free(sp->mem);
        sp->mem = NULL;
        sp->cap = 0;
        if (sp->filed) {
            void *map = mmap(NULL, sp->filed, PROT_READ, MAP_PRIVATE, sp->fd, 0);
            if (map == MAP_FAILED)
                return eas_err_apr(sp->pool, errno, TAG, "cannot map a temporary file");
            sp->map = map;
            sp->maplen = sp->filed;
        }
    }
    sp->finished = 1;
    if (sp->map)
        *out = (eas_span_t){sp->map, sp->maplen};
    else
        *out = (eas_span_t){sp->len ? sp->mem : "", sp->len};
    return NULL;
}

apr_file_t *eas_spool_file(const eas_spool_t *sp)
{
    return sp->file;
}
