/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of the query string, taken apart; nothing here judges a value (digest 1.3, 1.4). */
#include "proto_priv.h"

#include <string.h>
#include <strings.h>

static const char *const names[PROTO_P_COUNT] = {
    [PROTO_P_CMD] = "Cmd",
    [PROTO_P_USER] = "User",
    [PROTO_P_DEVICE_ID] = "DeviceId",
    [PROTO_P_DEVICE_TYPE] = "DeviceType",
    [PROTO_P_ATTACHMENT_NAME] = "AttachmentName",
    [PROTO_P_COLLECTION_ID] = "CollectionId",
    [PROTO_P_ITEM_ID] = "ItemId",
    [PROTO_P_LONG_ID] = "LongId",
    [PROTO_P_OCCURRENCE] = "Occurrence",
    [PROTO_P_SAVE_IN_SENT] = "SaveInSent",
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *proto_unescape(apr_size_t *len, const char *text, apr_size_t textlen, int plus,
                     apr_pool_t *pool)
{
    char *out = apr_palloc(pool, textlen + 1), *q = out;

    for (const char *p = text, *end = text + textlen; p < end; p++) {
        if (*p == '%') {
            int high = end - p > 2 ? hex(p[1]) : -1, low = high < 0 ? -1 : hex(p[2]);
            if (low < 0)
                return NULL;
            *q++ = (char)(high << 4 | low);
            p += 2;
        } else {
            *q++ = plus && *p == '+' ? ' ' : *p;
        }
    }
    *q = '\0';
    *len = q - out;
    return out;
}

/* When a parameter stands there twice, the first one counts. */
int proto_query_plain(proto_query_t *q, const char *text, apr_pool_t *pool)
{
    while (*text) {
        apr_size_t len = strcspn(text, "&"), namelen;
        const char *equals = memchr(text, '=', len);
        const char *name, *value = equals ? equals + 1 : text + len;
        eas_span_t span;

        name = proto_unescape(&namelen, text, equals ? (apr_size_t)(equals - text) : len, 1, pool);
        span.data = proto_unescape(&span.len, value, text + len - value, 1, pool);
        if (!name || !span.data)
            return 0;
        for (int i = 0; i < PROTO_P_COUNT; i++) {
            if (strlen(names[i]) == namelen && strcasecmp(names[i], name) == 0 && !q->value[i].data)
                q->value[i] = span;
        }
        text += len;
        text += *text == '&';
    }
    return 1;
}

/* Takes @a n bytes off the front, or nothing and 0. */
static int take(eas_span_t *out, eas_span_t *rest, apr_size_t n)
{
    if (rest->len < n)
        return 0;
    *out = (eas_span_t){rest->data, n};
    rest->data += n;
    rest->len -= n;
    return 1;
}

static int take_byte(unsigned *out, eas_span_t *rest)
{
    eas_span_t byte;

    if (!take(&byte, rest, 1))
        return 0;
    *out = (unsigned char)byte.data[0];
    return 1;
}

/* A byte of length, then that many bytes. */
static int take_string(eas_span_t *out, eas_span_t *rest)
{
    unsigned n;

    return take_byte(&n, rest) && take(out, rest, n);
}

/* Tags of the parameters; the others are obsolete or of later versions and skipped. */
static const struct {
    unsigned tag;
    proto_param_t param;
} tags[] = {
    {0, PROTO_P_ATTACHMENT_NAME}, {1, PROTO_P_COLLECTION_ID}, {3, PROTO_P_ITEM_ID},
    {4, PROTO_P_LONG_ID},         {6, PROTO_P_OCCURRENCE},    {8, PROTO_P_USER},
};
enum { TAG_OPTIONS = 7 };

const char *proto_query_binary(proto_query_t *q, const unsigned char *data, apr_size_t len)
{
    eas_span_t rest = {(const char *)data, len}, field;
    unsigned version, code, low, high, tag;

    if (!take_byte(&version, &rest) || !take_byte(&code, &rest) || !take_byte(&low, &rest) ||
        !take_byte(&high, &rest))
        return "cut off in its head";
    q->version = (int)version;
    q->code = (int)code;
    q->locale = (apr_uint16_t)(high << 8 | low);
    if (!take_string(&q->value[PROTO_P_DEVICE_ID], &rest))
        return "cut off in the device id";
    if (!take_string(&field, &rest))
        return "cut off in the policy key";
    if (field.len != 0 && field.len != 4)
        return "policy key of a length other than 0 and 4";
    q->has_policy_key = field.len == 4;
    for (apr_size_t i = field.len; i > 0; i--)
        q->policy_key = q->policy_key << 8 | (unsigned char)field.data[i - 1];
    if (!take_string(&q->value[PROTO_P_DEVICE_TYPE], &rest))
        return "cut off in the device type";
    while (rest.len) {
        if (!take_byte(&tag, &rest) || !take_string(&field, &rest))
            return "cut off in a parameter";
        if (tag == TAG_OPTIONS) {
            if (field.len != 1)
                return "options of a length other than 1";
            q->options = (unsigned char)field.data[0];
        }
        for (apr_size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
            if (tags[i].tag == tag && !q->value[tags[i].param].data)
                q->value[tags[i].param] = field;
        }
    }
    return NULL;
}
