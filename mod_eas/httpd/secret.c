/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>

#define TAG "EASSecretFile"
#define USERDATA "mod_eas random key"

enum { FILE_MAX_BYTES = 65536, RANDOM_BYTES = 32 };

static eas_err_t *refuse(apr_pool_t *pool, const char *path, const char *why)
{
    return eas_err_create(pool, EAS_E_INVALID, TAG, "%s %s", path, why);
}

static const char *check(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "is not a regular file";
    if (st->st_mode & 077)
        return "is open to group or others; use chmod 600";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "belongs to another user than root";
    if (st->st_size > FILE_MAX_BYTES)
        return "is too large";
    return NULL;
}

eas_err_t *httpd_secret_read(eas_keyring_t **ring, const char *path, apr_pool_t *pool)
{
    char text[FILE_MAX_BYTES];
    apr_size_t len = 0;
    ssize_t n;
    struct stat st;
    const char *wrong;
    eas_err_t *err;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return eas_err_apr(pool, errno, TAG, "cannot read %s", path);
    wrong = fstat(fd, &st) == 0 ? check(&st) : "cannot be looked at";
    while (!wrong && len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
        len += (apr_size_t)n;
    close(fd);
    if (wrong)
        return refuse(pool, path, wrong);
    err = eas_keyring_parse(ring, text, len, pool);
    eas_wipe(text, len);
    return err ? eas_err_wrap(pool, err, TAG, "%s", path) : NULL;
}

/* The bytes are kept with the process and not the ring: a reload unloads this module and with it
 * the code that a ring's end would run. */
eas_err_t *httpd_secret_random(eas_keyring_t **ring, server_rec *s, apr_pool_t *pool)
{
    apr_pool_t *process = s->process->pool;
    unsigned char bytes[RANDOM_BYTES];
    char *line;
    void *kept = NULL;

    apr_pool_userdata_get(&kept, USERDATA, process);
    if (!kept) {
        eas_random(bytes, sizeof(bytes));
        line = apr_pstrdup(process, "random ");
        for (int i = 0; i < RANDOM_BYTES; i++)
            line = apr_psprintf(process, "%s%02x", line, bytes[i]);
        eas_wipe(bytes, sizeof(bytes));
        apr_pool_userdata_setn(line, USERDATA, NULL, process);
        kept = line;
    }
    return eas_keyring_parse(ring, kept, strlen(kept), pool);
}
