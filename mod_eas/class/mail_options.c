/* SPDX-License-Identifier: Apache-2.0 */
/* The mail part of Options (MS-ASCMD 2.2.3.125, MS-ASAIRS 2.2.2.10 and 2.2.2.12;
 * digest 5.1.1, 5.1.3). */
#include <string.h>
#include "mail_priv.h"

enum { PROTOCOL_ERROR = 4, PART_TYPE_NOT_SUPPORTED = 164 };

static eas_err_t *bad(apr_pool_t *pool, int status, const char *what)
{
    eas_err_t *err = eas_err_create(pool, EAS_E_BAD_REQUEST, "class.mail", "options: %s", what);
    err->status = status;
    return err;
}

/* Children of a preference, in the order in which they must come. */
static const eas_tag_t pref_order[] = {EAS_AIRSYNCBASE_TYPE, EAS_AIRSYNCBASE_TRUNCATIONSIZE,
                                       EAS_AIRSYNCBASE_ALLORNONE, EAS_AIRSYNCBASE_PREVIEW};

static eas_err_t *read_pref(eas_bodypref_t *p, const eas_node_t *node, int version,
                            apr_pool_t *pool)
{
    unsigned at = 0;
    apr_int64_t v = 0;

    memset(p, 0, sizeof(*p));
    for (const eas_node_t *n = node->first; n; n = n->next) {
        while (at < 4 && pref_order[at] != n->tag)
            at++;
        if (at == 4)
            return bad(pool, PROTOCOL_ERROR, "children of a body preference");
        switch (at++) {
        case 0:
            if (!eas_node_int(&v, n, 1, 4))
                return bad(pool, PROTOCOL_ERROR, "Type of a body preference");
            p->type = (int)v;
            break;
        case 1:
            if (!eas_node_int(&v, n, 0, 0xFFFFFFFFLL))
                return bad(pool, PROTOCOL_ERROR, "TruncationSize");
            p->has_truncation = 1;
            p->truncation = (apr_size_t)v;
            break;
        case 2:
            if ((p->all_or_none = eas_node_bool(n, 0)) < 0)
                return bad(pool, PROTOCOL_ERROR, "AllOrNone");
            break;
        default:
            if (version < MAIL_V140 || !eas_node_int(&v, n, 0, 255))
                return bad(pool, PROTOCOL_ERROR, "Preview");
            p->preview = (int)v;
            break;
        }
    }
    return p->type ? NULL : bad(pool, PROTOCOL_ERROR, "a body preference without Type");
}

static eas_err_t *add_pref(eas_mail_opts_t *o, const eas_node_t *n, apr_pool_t *pool)
{
    eas_bodypref_t p;
    eas_err_t *err = read_pref(&p, n, o->version, pool);

    for (int i = 0; !err && i < o->nprefs; i++)
        if (o->prefs[i].type == p.type)
            err = bad(pool, PROTOCOL_ERROR, "two body preferences of one Type");
    if (!err)
        o->prefs[o->nprefs++] = p; /* four types, so never more than EAS_BODYPREF_MAX */
    return err;
}

static eas_err_t *read_number(int *out, const eas_node_t *n, int hi, const char *what,
                              apr_pool_t *pool)
{
    apr_int64_t v;
    if (!eas_node_int(&v, n, 0, hi))
        return bad(pool, PROTOCOL_ERROR, what);
    *out = (int)v;
    return NULL;
}

eas_err_t *eas_mail_read_options(eas_mail_opts_t *o, const eas_node_t *options, int version,
                                 apr_pool_t *pool)
{
    eas_err_t *err = NULL;

    memset(o, 0, sizeof(*o));
    o->version = version;
    o->mime_truncation = o->truncation = -1;
    for (const eas_node_t *n = options ? options->first : NULL; n && !err; n = n->next) {
        switch (n->tag) {
        case EAS_AIRSYNC_MIMESUPPORT:
            err = read_number(&o->mime_support, n, 2, "MIMESupport", pool);
            break;
        case EAS_AIRSYNC_MIMETRUNCATION:
            err = read_number(&o->mime_truncation, n, 8, "MIMETruncation", pool);
            break;
        case EAS_AIRSYNC_TRUNCATION:
            err = read_number(&o->truncation, n, 9, "Truncation", pool);
            break;
        case EAS_AIRSYNCBASE_BODYPREFERENCE:
            err = version < MAIL_V120 ? bad(pool, PROTOCOL_ERROR, "BodyPreference before 12.0")
                                      : add_pref(o, n, pool);
            break;
        case EAS_AIRSYNCBASE_BODYPARTPREFERENCE:
            if (version < MAIL_V141 || o->has_part)
                return bad(pool, PROTOCOL_ERROR, "BodyPartPreference");
            err = read_pref(&o->part, n, version, pool);
            if (!err && o->part.type != 2)
                err = bad(pool, PART_TYPE_NOT_SUPPORTED, "Type of BodyPartPreference");
            o->has_part = 1;
            break;
        default:
            break; /* other elements belong to the command */
        }
    }
    return err;
}
