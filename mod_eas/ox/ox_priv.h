/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OX_PRIV_H
#define OX_PRIV_H
/** What the files of this room share. Nothing outside mod_eas/ox includes it. */
#include <apr_reslist.h>
#include <jansson.h>
#include "eas_ox.h"

#define OX_JSON "application/json; charset=utf-8"
#define OX_FORM "application/x-www-form-urlencoded"

/* Limits of what the server may make us keep. */
#define OX_MAX_COOKIES 16
#define OX_MAX_COOKIE_NAME 256
#define OX_MAX_COOKIE_VALUE 2048
#define OX_MAX_SID 128
#define OX_BATCH 50            /* parts of one `multiple` (API 8.9) */
#define OX_MAX_FOLDERS 5000
#define OX_MAX_ROWS 2000000

/* Bits of eas_session_t.flags: what the session learned, kept in the ticket. */
#define OX_S_ENTITLED 0x01     /* capability active_sync was seen */
#define OX_S_NO_EXAMINE 0x02   /* mail?action=examine is not offered (before 7.10.2, MSG-0087) */

/* ASCII only: what the C library says depends on the locale. */
static inline int ox_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline int ox_is_alnum(char c)
{
    return ox_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

typedef struct ox_cookie_t {
    const char *name, *value;
} ox_cookie_t;

typedef struct ox_backend_t {
    eas_backend_t be;
    eas_ox_conf_t conf;
    apr_reslist_t *handles;
    void *headers[3];          /* struct curl_slist: GET, PUT, POST */
    volatile apr_uint32_t calls, connects, failures, logins;
} ox_backend_t;

struct eas_session_t {
    ox_backend_t *ox;
    apr_pool_t *pool;
    const eas_credentials_t *cred;
    const char *sid;           /* NULL before login */
    const char *user_agent;
    ox_cookie_t cookies[OX_MAX_COOKIES];
    int ncookies;
    const char *cookie_line;   /* cached header value, NULL = make it */
    eas_identity_t identity;
    unsigned flags;
    int changed;
};

/** Takes body bytes instead of the reply buffer. */
typedef struct ox_sink_t {
    /** A body begins (again, after a repeat): forget what came before. */
    void (*begin)(void *baton);
    eas_err_t *(*data)(void *baton, const char *data, apr_size_t len);
    /** The part that has to be read as an envelope; *text NULL when there is none. */
    eas_err_t *(*rest)(void *baton, const char **text, apr_size_t *len);
    int bytes_only;            /* skip JSON and HTML bodies: those are error answers */
    void *baton;
} ox_sink_t;

/** One call of the API. */
typedef struct ox_call_t {
    const char *tag;           /* static, for errors: "ox.login" */
    const char *module;        /* "mail", "user/me" */
    const char *query;         /* "action=..&..", values already encoded */
    const char *body;          /* NULL: GET */
    apr_size_t body_len;
    int form;                  /* body is a form (POST), else JSON (PUT) */
    apr_interval_time_t timeout; /* 0: conf.total_timeout */
    ox_sink_t *sink;           /* NULL: reply buffer */
} ox_call_t;

typedef struct ox_reply_t {
    int status;
    int sunk;                  /* body went to the sink */
    int retry_after;
    const char *body;          /* in the handle, until ox_http_done() */
    apr_size_t len;
    struct ox_handle_t *handle;
} ox_reply_t;

/* ox_http.c: transport. */
eas_err_t *ox_http_init(ox_backend_t *ox, apr_pool_t *pool);
/** One exchange. Set-Cookie goes into @a session. @a reply must be given to ox_http_done() on
 *  success. Errors: EAS_E_UNAVAILABLE, EAS_E_BUSY, EAS_E_TOO_LARGE or what the sink said. */
eas_err_t *ox_http_exchange(ox_reply_t *reply, eas_session_t *session, const ox_call_t *call,
                            apr_pool_t *pool);
void ox_http_done(ox_reply_t *reply, eas_session_t *session);

/* ox_cookie.c: the session's cookies; curl's engine is off. */
/** Value of a Set-Cookie header. Ignored unless name and value are tokens (RFC 6265 4.1.1). */
void ox_cookie_set(eas_session_t *session, const char *header, apr_size_t len);
/** True when name and value may be sent; also for those that come out of a ticket. */
int ox_cookie_valid(const char *name, const char *value);
/** "a=b; c=d" or NULL. */
const char *ox_cookie_line(eas_session_t *session);

/* ox_envelope.c: what an answer says. */
/** Parses an answer's text: JSON, or the JavaScript callback form (API 0.3). NULL *root: none. */
void ox_envelope_parse(json_t **root, const char *text, apr_size_t len);
/** NULL, or the error that this envelope tells. Category 13 is success (API 0.2). */
eas_err_t *ox_envelope_check(const json_t *root, const char *tag, apr_pool_t *pool);
/** Number in an answer that may also be a decimal string; @a dflt when absent or not in range. */
apr_int64_t ox_json_num(const json_t *value, apr_int64_t dflt);
/** String, or number turned into one; NULL when absent. In @a pool. */
const char *ox_json_text(const json_t *value, apr_pool_t *pool);
/** -1 absent, 0 false, 1 true; accepts booleans, numbers, "true"/"false", {"value":..}. */
int ox_json_bool(const json_t *value);

/* ox_errors.c: the one table. */
typedef struct ox_verdict_t {
    eas_kind_t kind;           /* 0: success */
    int retry_after;
} ox_verdict_t;
ox_verdict_t ox_errors_lookup(const char *code, const char *category, int number);
/** What a login answer's session codes mean; only for those that are not worth a new login. */
ox_verdict_t ox_errors_login(const char *code);
/** True when @a err or one of its causes came from OX with this code. */
int ox_errors_is(const eas_err_t *err, const char *code);

/* ox_call.c: calls with renewal of the session. */
/** Percent-encodes everything but unreserved characters (RFC 3986 2.3). */
const char *ox_escape(apr_pool_t *pool, const char *s);
/** Calls; renews the session once when it is gone. *root (may be asked with NULL) must be
 *  json_decref'ed; it is NULL on error and when a sink took bytes. */
eas_err_t *ox_call(json_t **root, eas_session_t *session, const ox_call_t *call, apr_pool_t *pool);
/** One try, without renewal. */
eas_err_t *ox_call_once(json_t **root, eas_session_t *session, const ox_call_t *call,
                        apr_pool_t *pool);
/** `multiple`: @a parts is a JSON array text of @a count <= OX_BATCH parts; *answers is an array of
 *  as many envelopes. A part that tells that the session is gone counts for the whole. */
eas_err_t *ox_call_multiple(json_t **answers, eas_session_t *session, const char *tag,
                            const char *parts, apr_size_t len, int count, apr_pool_t *pool);
/** "text" with JSON escapes and quotes. */
const char *ox_json_quote(apr_pool_t *pool, const char *text);

/* ox_session.c */
extern const eas_be_session_t ox_session_ops;
/** Logs in again with the request's credentials and moves the result into @a session. */
eas_err_t *ox_session_renew(eas_session_t *session, apr_pool_t *pool);

/* ox_folders.c, ox_mail.c */
/** The folders of rows of `folders` (columns as asked for in ox_folders.c), parents first. */
void ox_folders_tree(const eas_folder_t **folders, int *count, const json_t *rows,
                     apr_pool_t *pool);
extern const eas_be_folders_t ox_folders_ops;
extern const eas_be_mail_t ox_mail_ops;

/* ox_preview.c */
eas_err_t *ox_preview(eas_item_t **items, eas_session_t *session, const char *folder,
                      const apr_uint32_t *uids, int count, apr_size_t max_text, apr_pool_t *pool);
/** The item of a mail object of `get`, NULL when it is not faithful enough. */
eas_item_t *ox_preview_item(const json_t *mail, apr_pool_t *pool);
/** Our flags of an OX mask (API 3.4). */
apr_uint16_t ox_rows_flags(apr_uint32_t mask);

#endif
