/* SPDX-License-Identifier: Apache-2.0 */
#include "store_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <apr_strings.h>
#include "eas_crypto.h"
#include "eas_failpoint.h"
#include "eas_store_dbm.h"

#define TAG "store"
#define BACKEND_MAX 64

void eas_store_hash(char out[EAS_STORE_HASH_LEN + 1], const char *text)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EAS_HASH_LEN];

    eas_sha256(sum, text, strlen(text));
    for (int i = 0; i < EAS_STORE_HASH_LEN / 2; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[EAS_STORE_HASH_LEN] = '\0';
}

/* The backend's name as a directory name, for the admin's eyes: the hash below it is of the whole
 * identity, so two names that become one here still have files of their own. */
static const char *backend_of(const char *user, apr_pool_t *pool)
{
    apr_size_t n = strcspn(user, "/");
    char *name;

    if (n > BACKEND_MAX)
        n = BACKEND_MAX;
    name = n ? apr_pstrmemdup(pool, user, n) : apr_pstrdup(pool, "_");
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && (*p != '.' || p == name))
            *p = '_';
    /* names of our own beside it */
    return strcmp(name, "keep") == 0 || strcmp(name, "lock") == 0
               ? apr_pstrcat(pool, name, "_", NULL)
               : name;
}

const char *eas_store_user_dir(const char *dir, const char *user, apr_pool_t *pool)
{
    char hash[EAS_STORE_HASH_LEN + 1];
    eas_store_hash(hash, user);
    return apr_psprintf(pool, "%s/v1/%s/%.2s/%s", dir, backend_of(user, pool), hash, hash);
}

eas_err_t *eas_store_mkdirs(const char *path, apr_pool_t *pool)
{
    char *copy, *slash;
    eas_err_t *err;

    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return NULL;
    copy = apr_pstrdup(pool, path);
    slash = strrchr(copy, '/');
    if (errno != ENOENT || !slash || slash == copy)
        return eas_err_apr(pool, errno, TAG, "cannot make the directory %s", path);
    *slash = '\0';
    if ((err = eas_store_mkdirs(copy, pool)))
        return err;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return eas_err_apr(pool, errno, TAG, "cannot make the directory %s", path);
    return NULL;
}

eas_err_t *eas_store_sync_dir(const char *path, apr_pool_t *pool)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = fd < 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return why ? eas_err_apr(pool, why, TAG, "cannot sync the directory %s", path) : NULL;
}

void eas_store_sleep(apr_interval_time_t t)
{
    struct timespec ts = {(time_t)(t / APR_USEC_PER_SEC), (long)(t % APR_USEC_PER_SEC) * 1000};
    nanosleep(&ts, NULL);
}

/* Waits are measured on a clock that nobody sets. */
apr_time_t eas_store_monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (apr_time_t)ts.tv_sec * APR_USEC_PER_SEC + ts.tv_nsec / 1000;
}

static eas_err_t *refuse(apr_pool_t *pool, const char *dir, const char *why)
{
    return eas_err_create(pool, EAS_E_INVALID, TAG, "the state directory %s %s", dir, why);
}

static const char *parent_of(const char *dir, apr_pool_t *pool)
{
    apr_size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    while (n > 1 && dir[n - 1] != '/')
        n--;
    return apr_pstrmemdup(pool, dir, n);
}

eas_err_t *eas_store_dbm_check(const char *dir, apr_pool_t *pool)
{
    struct stat st;

    if (dir[0] != '/')
        return refuse(pool, dir, "must be given as an absolute path");
    if (stat(dir, &st) != 0) {
        if (errno != ENOENT)
            return eas_err_apr(pool, errno, TAG, "cannot look at the state directory %s", dir);
        if (stat(parent_of(dir, pool), &st) != 0 || !S_ISDIR(st.st_mode))
            return refuse(pool, dir, "cannot be made: the directory above it is missing");
        return NULL;
    }
    if (!S_ISDIR(st.st_mode))
        return refuse(pool, dir, "is not a directory");
    if (st.st_mode & 077)
        return refuse(pool, dir, "is open to group or others; use chmod 700");
    return NULL;
}

eas_err_t *eas_store_place_check(const char *dir, apr_pool_t *pool)
{
#ifndef EAS_FAILPOINTS
    static const char *const emptied[] = {"/tmp", "/var/tmp", "/dev/shm"};
    char real[PATH_MAX];
    const char *at = dir;

    /* the deepest part that exists, with symbolic links followed */
    while (!realpath(at, real)) {
        if (strcmp(at, "/") == 0 || strcmp(at, ".") == 0 || !*at)
            return NULL;
        at = parent_of(at, pool);
    }
    for (apr_size_t i = 0; i < sizeof(emptied) / sizeof(emptied[0]); i++) {
        apr_size_t n = strlen(emptied[i]);
        if (strncmp(real, emptied[i], n) == 0 && (real[n] == '\0' || real[n] == '/'))
            return refuse(pool, dir, "lies where files are removed by age or at boot; "
                                     "use a place such as /var/lib/mod_eas");
    }
#endif
    return NULL;
}

eas_err_t *eas_store_dbm_make(const char *dir, uid_t uid, gid_t gid, apr_pool_t *pool)
{
    eas_err_t *err = eas_store_dbm_check(dir, pool);

    if (err)
        return err;
    if (mkdir(dir, 0700) == 0) {
        if ((uid != (uid_t)-1 || gid != (gid_t)-1) && chown(dir, uid, gid) != 0)
            return eas_err_apr(pool, errno, TAG, "cannot give the state directory %s to the user "
                               "of the server", dir);
    } else if (errno != EEXIST) {
        return eas_err_apr(pool, errno, TAG, "cannot make the state directory %s", dir);
    }
    return eas_store_dbm_check(dir, pool);
}
