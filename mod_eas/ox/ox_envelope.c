/* SPDX-License-Identifier: Apache-2.0 */
/* The response envelope (API reference 0.2) and small readers of loosely typed JSON values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "ox_priv.h"

/* jansson of a build without a depth limit of its own would recurse on hostile input; its default
 * (2,048) is enough for us. NULs in mail subjects must not cost the whole answer. */
#define DECODE_FLAGS JSON_ALLOW_NUL

static const char *find(const char *text, apr_size_t len, const char *what)
{
    return memmem(text, len, what, strlen(what));
}

static const char *find_last(const char *text, apr_size_t len, const char *what)
{
    const char *found = NULL, *hit;
    while ((hit = find(text, len, what)) != NULL) {
        found = hit;
        len -= (apr_size_t)(hit + 1 - text);
        text = hit + 1;
    }
    return found;
}

void ox_envelope_parse(json_t **root, const char *text, apr_size_t len)
{
    *root = NULL;
    while (len && strchr(" \t\r\n", *text)) {
        text++;
        len--;
    }
    if (!len)
        return;
    if (*text != '{' && *text != '[') {
        /* ...(parent["callback_new"]||...)({...})...: from the first "({" to the last "})". */
        const char *from = find(text, len, "({");
        const char *to = find_last(text, len, "})");
        if (!from || !to || to < from)
            return;
        len = (apr_size_t)(to - from);
        text = from + 1;
    }
    *root = json_loadb(text, len, DECODE_FLAGS, NULL);
}

/* Codes and ids of the server go into the log: letters, digits, '-', '_' and few of them. */
static const char *word(const json_t *value, apr_size_t max, apr_pool_t *pool)
{
    const char *s = json_string_value(value);
    if (!s || !*s || strlen(s) > max)
        return NULL;
    for (const char *p = s; *p; p++)
        if (!ox_is_alnum(*p) && *p != '-' && *p != '_')
            return NULL;
    return apr_pstrdup(pool, s);
}

eas_err_t *ox_envelope_check(const json_t *root, const char *tag, apr_pool_t *pool)
{
    const json_t *error, *cats;
    if (!json_is_object(root))
        return NULL;
    error = json_object_get(root, "error");
    if (!json_is_string(error) && !json_is_string(json_object_get(root, "code")))
        return NULL;
    cats = json_object_get(root, "categories");
    if (json_is_array(cats))
        cats = json_array_get(cats, 0);
    const char *code = word(json_object_get(root, "code"), 32, pool);
    const char *id = word(json_object_get(root, "error_id"), 64, pool);
    int number = (int)ox_json_num(json_object_get(root, "category"), 0);
    ox_verdict_t verdict = ox_errors_lookup(code, json_string_value(cats), number);
    if (!verdict.kind)
        return NULL;
    eas_err_t *err = eas_err_create(pool, verdict.kind, tag, "the server answered an error");
    err->retry_after = verdict.retry_after;
    err->detail = apr_pstrcat(pool, code ? code : "no code", id ? " id " : NULL, id, NULL);
    return err;
}

apr_int64_t ox_json_num(const json_t *value, apr_int64_t dflt)
{
    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_string(value)) {
        const char *s = json_string_value(value);
        char *end;
        if (!ox_is_digit(*s) && *s != '-')
            return dflt;
        errno = 0;
        apr_int64_t n = apr_strtoi64(s, &end, 10);
        return errno || *end || end == s ? dflt : n;
    }
    return dflt;
}

const char *ox_json_text(const json_t *value, apr_pool_t *pool)
{
    if (json_is_string(value))
        return apr_pstrmemdup(pool, json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(value));
    return NULL;
}

int ox_json_bool(const json_t *value)
{
    if (json_is_object(value))
        value = json_object_get(value, "value");
    if (json_is_boolean(value))
        return json_is_true(value);
    if (json_is_integer(value))
        return json_integer_value(value) != 0;
    if (json_is_string(value)) {
        if (strcmp(json_string_value(value), "true") == 0)
            return 1;
        if (strcmp(json_string_value(value), "false") == 0)
            return 0;
    }
    return -1;
}
