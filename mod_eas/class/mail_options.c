/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone's Options say about mail bodies (MS-ASCMD Options, MS-ASAIRS BodyPreference). */
#include <string.h>
#include "mail_priv.h"

enum { STATUS_PROTOCOL = 4, STATUS_BODYPART_TYPE = 164, PREVIEW_MAX = 255 };

static const apr_int64_t UINT_MAX_WIRE = 0xFFFFFFFFLL;

static eas_err_t *bad(int status, const char *what, apr_pool_t *pool)
{
    eas_err_t *err =
        eas_err_create(pool, EAS_E_BAD_REQUEST, "class.options", "body preferences: %s", what);
    err->status = status;
    return err;
}

/* The children of a preference, in the order that the schema demands. */
enum { C_TYPE, C_TRUNCATION, C_ALL_OR_NONE, C_PREVIEW, C_COUNT };

static const eas_tag_t pref_children[C_COUNT] = {
    [C_TYPE] = EAS_AIRSYNCBASE_TYPE,
    [C_TRUNCATION] = EAS_AIRSYNCBASE_TRUNCATIONSIZE,
    [C_ALL_OR_NONE] = EAS_AIRSYNCBASE_ALLORNONE,
    [C_PREVIEW] = EAS_AIRSYNCBASE_PREVIEW,
};

/* Sorts the children into slots; NULL, or what is wrong with them. */
static const char *collect(const eas_node_t *slot[C_COUNT], const eas_node_t *pref)
{
    int last = -1;

    memset(slot, 0, sizeof(*slot) * C_COUNT);
    for (const eas_node_t *n = eas_node_child(pref, 0); n; n = eas_node_next(n, 0)) {
        int i = 0;
        while (i < C_COUNT && pref_children[i] != n->tag)
            i++;
        if (i == C_COUNT)
            return "an unknown element";
        if (i <= last)
            return "elements repeated or out of order";
        slot[last = i] = n;
    }
    return slot[C_TYPE] ? NULL : "no Type";
}

static const char *read_pref(eas_bodypref_t *p, const eas_node_t *pref, int version)
{
    const eas_node_t *slot[C_COUNT];
    const char *wrong = collect(slot, pref);
    apr_int64_t v;

    memset(p, 0, sizeof(*p));
    if (wrong)
        return wrong;
    if (!eas_node_int(&v, slot[C_TYPE], 1, 4))
        return "Type is none of 1 to 4";
    p->type = (int)v;
    if (slot[C_TRUNCATION]) {
        if (!eas_node_int(&v, slot[C_TRUNCATION], 0, UINT_MAX_WIRE))
            return "TruncationSize is no number";
        p->has_truncation = 1;
        p->truncation = (apr_size_t)v;
    }
    p->all_or_none = eas_node_bool(slot[C_ALL_OR_NONE], 0);
    if (p->all_or_none < 0)
        return "AllOrNone is no boolean";
    if (slot[C_PREVIEW]) {
        if (version < MAIL_V140)
            return "Preview before 14.0";
        if (!eas_node_int(&v, slot[C_PREVIEW], 0, PREVIEW_MAX))
            return "Preview is not within 0 to 255";
        p->preview = (int)v;
    }
    return NULL;
}

static eas_err_t *read_body_prefs(eas_mail_opts_t *opts, const eas_node_t *options, int version,
                                  apr_pool_t *pool)
{
    const eas_node_t *n = eas_node_child(options, EAS_AIRSYNCBASE_BODYPREFERENCE);

    if (n && version < MAIL_V120)
        return bad(STATUS_PROTOCOL, "BodyPreference before 12.0", pool);
    for (; n; n = eas_node_next(n, EAS_AIRSYNCBASE_BODYPREFERENCE)) {
        eas_bodypref_t pref;
        const char *wrong = read_pref(&pref, n, version);
        if (wrong)
            return bad(STATUS_PROTOCOL, wrong, pool);
        for (int i = 0; i < opts->nprefs; i++)
            if (opts->prefs[i].type == pref.type)
                return bad(STATUS_PROTOCOL, "a Type twice", pool);
        opts->prefs[opts->nprefs++] = pref; /* four types, four places */
    }
    return NULL;
}

static eas_err_t *read_part_pref(eas_mail_opts_t *opts, const eas_node_t *options, int version,
                                 apr_pool_t *pool)
{
    const eas_node_t *n = eas_node_child(options, EAS_AIRSYNCBASE_BODYPARTPREFERENCE);
    const char *wrong;

    if (!n)
        return NULL;
    if (version < MAIL_V141)
        return bad(STATUS_PROTOCOL, "BodyPartPreference before 14.1", pool);
    if (eas_node_next(n, EAS_AIRSYNCBASE_BODYPARTPREFERENCE))
        return bad(STATUS_PROTOCOL, "BodyPartPreference twice", pool);
    wrong = read_pref(&opts->part, n, version);
    if (wrong)
        return bad(STATUS_PROTOCOL, wrong, pool);
    if (opts->part.type != 2)
        return bad(STATUS_BODYPART_TYPE, "BodyPartPreference of a Type other than 2", pool);
    opts->has_part = 1;
    return NULL;
}

/* A number of the AirSync page; repeated: the last one counts. */
static int read_number(int *value, const eas_node_t *options, eas_tag_t tag, int max)
{
    const eas_node_t *last = NULL;
    apr_int64_t v;

    for (const eas_node_t *n = eas_node_child(options, tag); n; n = eas_node_next(n, tag))
        last = n;
    if (!last)
        return 1;
    if (!eas_node_int(&v, last, 0, max))
        return 0;
    *value = (int)v;
    return 1;
}

eas_err_t *eas_mail_read_options(eas_mail_opts_t *opts, const eas_node_t *options, int version,
                                 apr_pool_t *pool)
{
    eas_err_t *err;

    *opts = (eas_mail_opts_t){
        .version = version, .mime_truncation = -1, .truncation = -1, .whole = opts->whole};
    if (!options)
        return NULL;
    if (!read_number(&opts->mime_support, options, EAS_AIRSYNC_MIMESUPPORT, 2))
        return bad(STATUS_PROTOCOL, "MIMESupport is none of 0 to 2", pool);
    if (!read_number(&opts->mime_truncation, options, EAS_AIRSYNC_MIMETRUNCATION, 8))
        return bad(STATUS_PROTOCOL, "MIMETruncation is none of 0 to 8", pool);
    if (!read_number(&opts->truncation, options, EAS_AIRSYNC_TRUNCATION, 9))
        return bad(STATUS_PROTOCOL, "Truncation is none of 0 to 9", pool);
    err = read_body_prefs(opts, options, version, pool);
    return err ? err : read_part_pref(opts, options, version, pool);
}
