/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the API: transport, envelope, and one renewal of a session that is gone. */
#include <string.h>
#include <apr_strings.h>
#include "ox_priv.h"

const char *ox_escape(apr_pool_t *pool, const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, strlen(s) * 3 + 1), *p = out;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (ox_is_alnum(*s) || c == '-' || c == '.' || c == '_' || c == '~') {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return out;
}

const char *ox_json_quote(apr_pool_t *pool, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *out = apr_palloc(pool, strlen(text) * 6 + 3), *p = out;
    *p++ = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 0x20) {
            memcpy(p, "\\u00", 4);
            p[4] = hex[c >> 4];
            p[5] = hex[c & 15];
            p += 6;
        } else {
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    *p = '\0';
    return out;
}

static eas_err_t *malformed(const ox_call_t *call, int status, apr_pool_t *pool)
{
    eas_err_t *err = eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.http",
                                    "HTTP %d with an answer that is not of the API", status);
    err->retry_after = 30;
    return err;
}

eas_err_t *ox_call_once(json_t **root_out, eas_session_t *session, const ox_call_t *call,
                        apr_pool_t *pool)
{
    ox_reply_t reply;
    json_t *root = NULL;
    const char *text;
    apr_size_t len;

    if (root_out)
        *root_out = NULL;
    eas_err_t *err = ox_http_exchange(&reply, session, call, pool);
    if (err)
        return eas_err_wrap(pool, err, call->tag, "call failed");
    text = reply.body;
    len = reply.len;
    if (reply.sunk)
        err = call->sink->rest(call->sink->baton, &text, &len);
    if (!err && text) {
        ox_envelope_parse(&root, text, len);
        if (!root)
            err = malformed(call, reply.status, pool);
        else
            err = ox_envelope_check(root, call->tag, pool);
        if (!err && reply.status != 200)
            err = malformed(call, reply.status, pool);
        /* A body of the wrong kind where bytes were asked for. */
        if (!err && !reply.sunk && call->sink && call->sink->bytes_only)
            err = malformed(call, reply.status, pool);
    }
    ox_http_done(&reply, session);
    if (err && err->kind == EAS_E_UNAVAILABLE && reply.retry_after)
        err->retry_after = reply.retry_after;
    if (!err && root_out) {
        *root_out = root;
        root = NULL;
    }
    json_decref(root);
    return err;
}

/* A call with renewal; @a multiple_count > 0: an array is answered, its parts are looked at. */
static eas_err_t *call_renewing(json_t **root, eas_session_t *session, const ox_call_t *call,
                                int multiple_count, apr_pool_t *pool)
{
    for (int renewed = 0;; renewed = 1) {
        json_t *answer;
        eas_err_t *err = ox_call_once(&answer, session, call, pool);
        if (!err && multiple_count) {
            if (!json_is_array(answer) || json_array_size(answer) != (size_t)multiple_count)
                err = malformed(call, 200, pool);
            for (int i = 0; !err && i < multiple_count; i++) {
                eas_err_t *part = ox_envelope_check(json_array_get(answer, (size_t)i), call->tag,
                                                    pool);
                if (part && part->kind == EAS_E_SESSION)
                    err = part;
            }
        }
        if (!err) {
            if (root)
                *root = answer;
            else
                json_decref(answer);
            return NULL;
        }
        json_decref(answer);
        if (root)
            *root = NULL;
        if (err->kind != EAS_E_SESSION)
            return err;
        if (renewed)
            return eas_err_wrap(pool, err, call->tag, "the renewed session was refused too");
        err = ox_session_renew(session, pool);
        if (err)
            return eas_err_wrap(pool, err, call->tag, "cannot renew the session");
    }
}

eas_err_t *ox_call(json_t **root, eas_session_t *session, const ox_call_t *call, apr_pool_t *pool)
{
    return call_renewing(root, session, call, 0, pool);
}

eas_err_t *ox_call_multiple(json_t **answers, eas_session_t *session, const char *tag,
                            const char *parts, apr_size_t len, int count, apr_pool_t *pool)
{
    ox_call_t call = {.tag = tag, .module = "multiple", .query = "continue=true",
                      .body = parts, .body_len = len};
    return call_renewing(answers, session, &call, count, pool);
}
