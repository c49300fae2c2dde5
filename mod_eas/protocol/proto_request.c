/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query and headers into the fields of a request. What is wrong is reported in the order in which a
 * peer can make sense of it: a query that cannot be read and a version that is not known (HTTP 400,
 * whatever the version), an unknown command (501), device id and type, and at last a version above
 * the ceiling, which is answered by 138 in the version's own form.
 */
#include "eas_req.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "eas_text.h"
#include "proto_priv.h"

#define TAG "request"

enum {
    QUERY_MAX = 8192,
    CMD_NAME_MAX = 32,
    OPTION_SAVE_IN_SENT = 0x01,
    OPTION_ACCEPT_MULTIPART = 0x02
};

static eas_err_t *refuse(const eas_req_t *req, eas_kind_t kind, int status, const char *what)
{
    eas_err_t *err = eas_err_create(req->pool, kind, TAG, "%s", what);

    err->status = status;
    return err;
}

/* Nothing of the query may be relied upon: no command, so that the answer is plain HTTP. */
static eas_err_t *malformed(eas_req_t *req, const char *what)
{
    req->cmd = EAS_CMD_UNKNOWN;
    return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_INVALID_XML, what);
}

/* The phone's spelling of a command, for the log: short, and nothing but letters and digits. */
static const char *safe_name(eas_span_t name, apr_pool_t *pool)
{
    char *out = apr_pstrmemdup(pool, name.data, name.len < CMD_NAME_MAX ? name.len : CMD_NAME_MAX);

    for (char *p = out; *p; p++) {
        if (!apr_isalnum(*p))
            *p = '?';
    }
    return out;
}

/* NUL and other control characters have no place in any value. */
static int has_control(eas_span_t value)
{
    for (apr_size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c == 0x7F)
            return 1;
    }
    return 0;
}

/* An id is opaque; what would break a path, a list or a line of the log is not one. */
static int is_device_id(eas_span_t id)
{
    for (apr_size_t i = 0; i < id.len; i++) {
        if (id.data[i] <= 0x20 || id.data[i] >= 0x7F || strchr("/\\,\"'<>%", id.data[i]))
            return 0;
    }
    return id.len >= 1 && id.len <= EAS_DEVICE_ID_MAX;
}

static const char *lower(eas_span_t text, apr_pool_t *pool)
{
    char *out = apr_pstrmemdup(pool, text.data, text.len);

    for (char *p = out; *p; p++)
        *p = (char)apr_tolower(*p);
    return out;
}

/* Some phones put the 16 bytes of a GUID there: written as hex, which is as long as an id may be.
 */
static int binary_id_as_hex(eas_span_t *id, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    char *out;

    if (!id->len || id->len * 2 > EAS_DEVICE_ID_MAX)
        return 0;
    out = apr_palloc(pool, id->len * 2);
    for (apr_size_t i = 0; i < id->len; i++) {
        out[2 * i] = digits[(unsigned char)id->data[i] >> 4];
        out[2 * i + 1] = digits[id->data[i] & 0x0F];
    }
    *id = (eas_span_t){out, id->len * 2};
    return 1;
}

static eas_err_t *read_device(eas_req_t *req, const proto_query_t *q)
{
    eas_span_t id = q->value[PROTO_P_DEVICE_ID], type = q->value[PROTO_P_DEVICE_TYPE];

    if (!id.data || !id.len)
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_DEVICE_ID_MISSING_OR_INVALID,
                      "no device id");
    if (!is_device_id(id) && !(req->base64_query && binary_id_as_hex(&id, req->pool)))
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_DEVICE_ID_MISSING_OR_INVALID,
                      "device id longer than 32 or with characters that are not allowed");
    req->device_id = lower(id, req->pool);
    if (!type.data || !type.len)
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_DEVICE_TYPE_MISSING_OR_INVALID,
                      "no device type");
    if (type.len > 4 * EAS_DEVICE_TYPE_MAX || !eas_text_clean(type.data, type.len) ||
        has_control(type) || eas_utf8_chars(type.data, type.len) > EAS_DEVICE_TYPE_MAX)
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_DEVICE_TYPE_MISSING_OR_INVALID,
                      "device type longer than 32 or not text");
    req->device_type = apr_pstrmemdup(req->pool, type.data, type.len);
    return NULL;
}

/* Parameters of single commands: their place in the request and what is long enough for any of
 * them. */
static const struct {
    proto_param_t param;
    apr_size_t offset, max;
    const char *wrong;
} texts[] = {
    {PROTO_P_ATTACHMENT_NAME, offsetof(eas_req_t, attachment_name), 2048, "bad AttachmentName"},
    {PROTO_P_COLLECTION_ID, offsetof(eas_req_t, collection_id), 256, "bad CollectionId"},
    {PROTO_P_ITEM_ID, offsetof(eas_req_t, item_id), 256, "bad ItemId"},
    {PROTO_P_LONG_ID, offsetof(eas_req_t, long_id), 1024, "bad LongId"},
    {PROTO_P_OCCURRENCE, offsetof(eas_req_t, occurrence), 64, "bad Occurrence"},
};

static const char *read_texts(eas_req_t *req, const proto_query_t *q)
{
    eas_span_t value;

    for (apr_size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        value = q->value[texts[i].param];
        if (!value.data)
            continue;
        if (value.len > texts[i].max || has_control(value) ||
            !eas_text_clean(value.data, value.len))
            return texts[i].wrong;
        *(const char **)((char *)req + texts[i].offset) =
            apr_pstrmemdup(req->pool, value.data, value.len);
    }
    value = q->value[PROTO_P_USER];
    if (value.data) { /* informative, and Latin-1 from some: never a reason to refuse */
        apr_size_t n = value.len < 256 ? value.len : 256;
        req->user = eas_text_sanitize(NULL, value.data, n, req->pool);
    }
    value = q->value[PROTO_P_SAVE_IN_SENT];
    req->save_in_sent = (value.len == 1 && (*value.data == 'T' || *value.data == 't')) ||
                        (q->options & OPTION_SAVE_IN_SENT);
    return NULL;
}

/* The query wins; a header that is no number still says that the phone can provision. */
static void read_policy_key(eas_req_t *req, const proto_query_t *q)
{
    apr_uint64_t key = 0;

    req->has_policy_key = q->has_policy_key || req->h_policy_key;
    req->policy_key = q->policy_key;
    if (q->has_policy_key || !req->h_policy_key)
        return;
    for (const char *p = req->h_policy_key; *p; p++) {
        key = key * 10 + (unsigned)(*p - '0');
        if (!apr_isdigit(*p) || key > 0xFFFFFFFFU)
            return;
    }
    req->policy_key = (apr_uint32_t)key;
}

/* Is the whole of it base64? A plain query has a '=' or '&' with something behind. */
static int looks_like_base64(const char *text, apr_size_t len)
{
    while (len && text[len - 1] == '=')
        len--;
    for (apr_size_t i = 0; i < len; i++) {
        if (!apr_isalnum(text[i]) && !strchr("+/-_", text[i]))
            return 0;
        if (!text[i])
            return 0;
    }
    return len > 0;
}

/* Takes the query apart, whichever form it has; NULL or what is wrong. */
static const char *split(proto_query_t *q, eas_req_t *req)
{
    apr_size_t len;
    char *text;
    unsigned char *blob;

    if (!req->query || !*req->query)
        return "no query";
    if (strlen(req->query) > QUERY_MAX)
        return "query too long";
    text = proto_unescape(&len, req->query, strlen(req->query), 0, req->pool);
    if (!text)
        return "broken %-escape in the query";
    req->base64_query = looks_like_base64(text, len);
    if (!req->base64_query)
        return proto_query_plain(q, req->query, req->pool) ? NULL : "broken %-escape in the query";
    if (!eas_base64_decode(&blob, &len, text, req->pool))
        return "neither Cmd= nor base64";
    return proto_query_binary(q, blob, len);
}

/* The base64 form begins with 12.1. */
static int read_version(const eas_req_t *req, const proto_query_t *q)
{
    if (req->base64_query)
        return q->version >= EAS_V121 && eas_version_text(q->version) ? q->version : 0;
    if (!req->h_version)
        return q->value[PROTO_P_CMD].data ? EAS_V25 : 0;
    return eas_version_parse(req->h_version);
}

static void read_command(eas_req_t *req, const proto_query_t *q)
{
    eas_span_t name = q->value[PROTO_P_CMD];

    if (req->base64_query) {
        req->cmd = eas_cmd_name((eas_cmd_t)q->code) ? (eas_cmd_t)q->code : EAS_CMD_UNKNOWN;
        req->cmd_name = req->cmd == EAS_CMD_UNKNOWN ? apr_psprintf(req->pool, "code%d", q->code)
                                                    : eas_cmd_name(req->cmd);
    } else if (name.data) {
        req->cmd_name = safe_name(name, req->pool);
        if (strlen(name.data) == name.len)
            req->cmd = eas_cmd_lookup(name.data);
    }
}

static void clear_fields(eas_req_t *req)
{
    req->cmd = EAS_CMD_UNKNOWN;
    req->cmd_name = "";
    req->version = 0;
    req->base64_query = 0;
    req->user = NULL;
    req->device_id = req->device_type = "";
    req->has_policy_key = 0;
    req->policy_key = 0;
    req->locale = 0;
    req->attachment_name = req->collection_id = req->item_id = req->long_id = req->occurrence =
        NULL;
    req->save_in_sent = req->accept_multipart = 0;
}

static eas_err_t *parse(eas_req_t *req, int ceiling)
{
    proto_query_t q = {.code = -1};
    const char *wrong = split(&q, req);
    eas_err_t *err;

    if (!wrong)
        wrong = read_texts(req, &q);
    if (wrong)
        return malformed(req, wrong);
    read_command(req, &q);
    read_policy_key(req, &q);
    req->version = read_version(req, &q);
    req->locale = q.locale;
    req->accept_multipart = (req->h_multipart && strcasecmp(req->h_multipart, "T") == 0) ||
                            (q.options & OPTION_ACCEPT_MULTIPART);
    if (!req->base64_query && !q.value[PROTO_P_CMD].data)
        return malformed(req, "no Cmd in the query");
    if (!req->version)
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_VERSION_NOT_SUPPORTED,
                      "protocol version is not known");
    if (req->cmd == EAS_CMD_UNKNOWN)
        return refuse(req, EAS_E_UNSUPPORTED, EAS_STATUS_COMMAND_NOT_SUPPORTED, "unknown command");
    if ((err = read_device(req, &q)))
        return err;
    if (req->version > ceiling)
        return refuse(req, EAS_E_BAD_REQUEST, EAS_STATUS_VERSION_NOT_SUPPORTED,
                      "protocol version is above the ceiling");
    return NULL;
}

eas_err_t *eas_req_parse(eas_req_t *req, int ceiling, int options)
{
    eas_err_t *err;

    clear_fields(req);
    err = parse(req, ceiling);
    if (options) { /* phones ask with any query or none: it only names the device, if it does */
        req->cmd = EAS_CMD_UNKNOWN;
        return NULL;
    }
    return err;
}
