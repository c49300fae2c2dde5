/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_err.h"

#include <errno.h>
#include <stdarg.h>
#include <apr_errno.h>
#include <apr_strings.h>

/* A chain is one log line; httpd cuts lines at 8 KB and nobody reads more than this. */
#define CHAIN_MAX 2048
#define CHAIN_DEPTH 16

static eas_err_t *build(apr_pool_t *pool, eas_kind_t kind, const char *tag, const char *fmt,
                        va_list ap)
{
    eas_err_t *err = apr_pcalloc(pool, sizeof(*err));
    err->kind = kind;
    err->tag = tag;
    err->message = apr_pvsprintf(pool, fmt, ap);
    return err;
}

eas_err_t *eas_err_create(apr_pool_t *pool, eas_kind_t kind, const char *tag, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    eas_err_t *err = build(pool, kind, tag, fmt, ap);
    va_end(ap);
    return err;
}

eas_err_t *eas_err_wrap(apr_pool_t *pool, eas_err_t *cause, const char *tag, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    eas_err_t *err = build(pool, cause ? cause->kind : EAS_E_INTERNAL, tag, fmt, ap);
    va_end(ap);
    if (cause) {
        err->status = cause->status;
        err->retry_after = cause->retry_after;
        err->cause = cause;
    }
    return err;
}

/* What passes by itself or by an administrator's hand is "away for the moment"; the rest is a
 * bug. */
static eas_kind_t kind_of(apr_status_t rv)
{
    switch (rv) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return EAS_E_UNAVAILABLE;
    default:
        return APR_STATUS_IS_TIMEUP(rv) ? EAS_E_UNAVAILABLE : EAS_E_INTERNAL;
    }
}

eas_err_t *eas_err_apr(apr_pool_t *pool, apr_status_t rv, const char *tag, const char *fmt, ...)
{
    char why[160];
    va_list ap;
    va_start(ap, fmt);
    eas_err_t *err = build(pool, kind_of(rv), tag, fmt, ap);
    va_end(ap);
    apr_strerror(rv, why, sizeof(why));
    err->message = apr_psprintf(pool, "%s: %s", err->message, why);
    return err;
}

/* Appends @a s; control characters become '?', so that nobody forges a log line. */
static apr_size_t append(char *buf, apr_size_t at, const char *s)
{
    for (; s && *s && at < CHAIN_MAX - 1; s++) {
        unsigned char c = (unsigned char)*s;
        buf[at++] = c < 0x20 || c == 0x7f ? '?' : *s;
    }
    return at;
}

const char *eas_err_chain(const eas_err_t *err, apr_pool_t *pool)
{
    char buf[CHAIN_MAX];
    apr_size_t at = 0;
    int depth = 0;

    for (; err && depth < CHAIN_DEPTH; err = err->cause, depth++) {
        if (depth)
            at = append(buf, at, ": ");
        if (err->tag) {
            at = append(buf, at, err->tag);
            at = append(buf, at, ": ");
        }
        at = append(buf, at, err->message);
        if (err->detail) {
            at = append(buf, at, " [");
            at = append(buf, at, err->detail);
            at = append(buf, at, "]");
        }
    }
    return apr_pstrmemdup(pool, buf, at);
}
