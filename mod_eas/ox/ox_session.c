/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: login, what a ticket keeps of one, renewal (API reference 1). */
#include <string.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_crypto.h"
#include "ox_priv.h"

#define TICKET_VERSION 1
#define MAX_AGENT 255

static eas_session_t *make(ox_backend_t *ox, const eas_credentials_t *cred, apr_pool_t *pool)
{
    eas_session_t *session = apr_pcalloc(pool, sizeof(*session));
    session->ox = ox;
    session->pool = pool;
    session->cred = cred;
    session->user_agent = ox->conf.user_agent;
    session->identity.backend = ox->conf.name;
    return session;
}

/* The session id stands in URLs, ids of context and user in hashes and file names. */
static int is_id(const char *s, apr_size_t max)
{
    if (!s || !*s || strlen(s) > max)
        return 0;
    for (; *s; s++)
        if (!ox_is_alnum(*s) && *s != '-' && *s != '_' && *s != '.')
            return 0;
    return 1;
}

static void field(eas_buf_t *form, const char *name, const char *value, apr_pool_t *pool)
{
    const char *coded = ox_escape(pool, value);
    if (form->len)
        eas_buf_bytes(form, "&", 1);
    eas_buf_bytes(form, name, strlen(name));
    eas_buf_bytes(form, "=", 1);
    eas_buf_bytes(form, coded, strlen(coded));
    eas_wipe((char *)coded, strlen(coded));
}

static eas_err_t *take_identity(eas_session_t *session, const json_t *object, apr_pool_t *pool)
{
    const char *context = ox_json_text(json_object_get(object, "context_id"), session->pool);
    const char *user = ox_json_text(json_object_get(object, "user_id"), session->pool);
    if (!is_id(context, 64) || !is_id(user, 64))
        return eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.login",
                              "answer without context and user");
    session->identity.context_id = context;
    session->identity.user_id = user;
    return NULL;
}

/* Servers before 7.10 tell the ids only on request (API 8.1). */
static eas_err_t *ask_identity(eas_session_t *session, apr_pool_t *pool)
{
    ox_call_t call = {.tag = "ox.me", .module = "user/me",
                      .timeout = session->ox->conf.login_timeout};
    json_t *root;
    eas_err_t *err = ox_call_once(&root, session, &call, pool);
    if (!err)
        err = take_identity(session, json_object_get(root, "data"), pool);
    json_decref(root);
    return err;
}

static eas_err_t *ask_login(json_t **root, eas_session_t *session, apr_pool_t *pool)
{
    const eas_ox_conf_t *conf = &session->ox->conf;
    const eas_credentials_t *cred = session->cred;
    eas_buf_t form;
    eas_err_t *err;

    eas_buf_init(&form, 4096, pool);
    field(&form, "name", cred->login, pool);
    field(&form, "password", cred->password, pool);
    field(&form, "client", conf->client_id, pool);
    field(&form, "version", conf->version, pool);
    if (conf->send_client_ip && cred->client_ip && *cred->client_ip)
        field(&form, "clientIP", cred->client_ip, pool);
    if (conf->send_client_agent && cred->user_agent && *cred->user_agent)
        field(&form, "clientUserAgent",
              apr_pstrndup(pool, cred->user_agent, MAX_AGENT), pool);
    ox_call_t call = {
        .tag = "ox.login", .module = "login",
        .query = apr_pstrcat(pool, "action=login&authId=", eas_uuid(pool), NULL),
        .body = form.data, .body_len = form.len, .form = 1, .timeout = conf->login_timeout,
    };
    apr_atomic_inc32(&session->ox->logins);
    err = ox_call_once(root, session, &call, pool);
    eas_wipe(form.data, form.len);
    return err;
}

/* A failed login is one of four things; what else a code may mean is not said by this contract. */
static void narrow(eas_err_t *err)
{
    if (err->kind == EAS_E_SESSION) {
        ox_verdict_t verdict = {EAS_E_FORBIDDEN, 0}; /* a 403 page: login denied (API 0.2) */
        if (err->detail)
            verdict = ox_errors_login(err->detail);
        err->kind = verdict.kind;
        err->retry_after = verdict.retry_after;
    } else if (err->kind == EAS_E_PERMISSION) {
        err->kind = EAS_E_FORBIDDEN;
    } else if (err->kind != EAS_E_CREDENTIALS && err->kind != EAS_E_FORBIDDEN
               && err->kind != EAS_E_BUSY) {
        err->kind = EAS_E_UNAVAILABLE;
    }
}

/* SES-0008 and SES-0010 are collisions of random ids: another attempt has new ones. */
static eas_err_t *log_in(eas_session_t *session, apr_pool_t *pool)
{
    json_t *root;
    eas_err_t *err = ask_login(&root, session, pool);
    if (err && (ox_errors_is(err, "SES-0008") || ox_errors_is(err, "SES-0010")))
        err = ask_login(&root, session, pool);
    if (err) {
        narrow(err);
        return err;
    }
    const char *sid = ox_json_text(json_object_get(root, "session"), session->pool);
    if (is_id(sid, OX_MAX_SID)) {
        session->sid = sid;
        err = take_identity(session, root, pool);
        if (err)
            err = ask_identity(session, pool);
    } else {
        err = eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.login", "answer without a session id");
    }
    json_decref(root);
    return err;
}

static void session_logout(eas_session_t *session, apr_pool_t *scratch_pool)
{
    ox_call_t call = {.tag = "ox.logout", .module = "login", .query = "action=logout",
                      .timeout = session->ox->conf.login_timeout};
    ox_reply_t reply;
    if (session->sid && !ox_http_exchange(&reply, session, &call, scratch_pool))
        ox_http_done(&reply, session);
}

/* `{"data":{"id":"active_sync",..}}` when granted, `{"data":{}}` or none when not (API 1.10). */
static eas_err_t *check_entitled(eas_session_t *session, apr_pool_t *pool)
{
    ox_call_t call = {.tag = "ox.capability", .module = "capabilities",
                      .query = "action=get&id=active_sync",
                      .timeout = session->ox->conf.login_timeout};
    json_t *root;
    eas_err_t *err = ox_call_once(&root, session, &call, pool);
    if (!err && !json_is_string(json_object_get(json_object_get(root, "data"), "id")))
        err = eas_err_create(pool, EAS_E_FORBIDDEN, "ox.capability",
                             "the user has no capability active_sync");
    else if (!err)
        session->flags |= OX_S_ENTITLED;
    json_decref(root);
    return err;
}

static eas_err_t *session_login(eas_session_t **out, eas_backend_t *be,
                                const eas_credentials_t *cred, apr_pool_t *pool)
{
    ox_backend_t *ox = be->ctx;
    eas_session_t *session = make(ox, cred, pool);
    eas_err_t *err = log_in(session, pool);
    if (!err && ox->conf.require_active_sync)
        err = check_entitled(session, pool);
    if (err) {
        session_logout(session, pool);
        if (err->kind == EAS_E_SESSION) /* refused right after it was made: not a matter of users */
            err->kind = EAS_E_UNAVAILABLE;
        return err;
    }
    session->changed = 0;
    *out = session;
    return NULL;
}

eas_err_t *ox_session_renew(eas_session_t *session, apr_pool_t *pool)
{
    eas_session_t *fresh = make(session->ox, session->cred, session->pool);
    eas_err_t *err = log_in(fresh, pool);
    if (err) {
        session_logout(fresh, pool);
        return err;
    }
    if (session->identity.user_id
        && (strcmp(session->identity.user_id, fresh->identity.user_id) != 0
            || strcmp(session->identity.context_id, fresh->identity.context_id) != 0)) {
        session_logout(fresh, pool);
        return eas_err_create(pool, EAS_E_SESSION, "ox.login",
                              "the login now belongs to another user");
    }
    session->sid = fresh->sid;
    session->user_agent = fresh->user_agent;
    memcpy(session->cookies, fresh->cookies, sizeof(session->cookies));
    session->ncookies = fresh->ncookies;
    session->cookie_line = NULL;
    session->changed = 1;
    return NULL;
}

static eas_err_t *session_dump(const void **blob, apr_size_t *len, eas_session_t *session,
                               apr_pool_t *pool)
{
    eas_buf_t b;
    eas_buf_init(&b, 512, pool);
    eas_buf_u8(&b, TICKET_VERSION);
    eas_buf_str(&b, session->sid);
    eas_buf_str(&b, session->user_agent);
    eas_buf_str(&b, session->identity.context_id);
    eas_buf_str(&b, session->identity.user_id);
    eas_buf_var(&b, session->flags);
    eas_buf_var(&b, (apr_uint64_t)session->ncookies);
    for (int i = 0; i < session->ncookies; i++) {
        eas_buf_str(&b, session->cookies[i].name);
        eas_buf_str(&b, session->cookies[i].value);
    }
    *blob = b.data;
    *len = b.len;
    return NULL;
}

static int is_agent(const char *s)
{
    if (!s || !*s || strlen(s) > MAX_AGENT)
        return 0;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
            return 0;
    return 1;
}

static eas_err_t *session_resume(eas_session_t **out, eas_backend_t *be, const void *blob,
                                 apr_size_t len, const eas_credentials_t *cred, apr_pool_t *pool)
{
    eas_session_t *session = make(be->ctx, cred, pool);
    eas_rd_t r;
    unsigned version;
    apr_uint64_t n;
    int good;

    eas_rd_init(&r, blob, len);
    version = eas_rd_u8(&r);
    session->sid = eas_rd_str(&r, pool);
    session->user_agent = eas_rd_str(&r, pool);
    session->identity.context_id = eas_rd_str(&r, pool);
    session->identity.user_id = eas_rd_str(&r, pool);
    session->flags = (unsigned)eas_rd_var(&r);
    n = eas_rd_var(&r);
    good = version == TICKET_VERSION && n <= OX_MAX_COOKIES && !r.bad;
    for (apr_uint64_t i = 0; good && i < n; i++) {
        ox_cookie_t *cookie = &session->cookies[session->ncookies++];
        cookie->name = eas_rd_str(&r, pool);
        cookie->value = eas_rd_str(&r, pool);
        good = !r.bad && ox_cookie_valid(cookie->name, cookie->value);
    }
    if (!good || !eas_rd_done(&r) || !is_id(session->sid, OX_MAX_SID)
        || !is_agent(session->user_agent) || !is_id(session->identity.context_id, 64)
        || !is_id(session->identity.user_id, 64))
        return eas_err_create(pool, EAS_E_SESSION, "ox.resume", "the kept session is not readable");
    *out = session;
    return NULL;
}

static int session_changed(const eas_session_t *session)
{
    return session->changed;
}

static const eas_identity_t *session_identity(const eas_session_t *session)
{
    return &session->identity;
}

const eas_be_session_t ox_session_ops = {
    .login = session_login,
    .resume = session_resume,
    .dump = session_dump,
    .changed = session_changed,
    .identity = session_identity,
    .logout = session_logout,
};
