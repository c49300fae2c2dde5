/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admins write what they know: AuthType Basic, AuthBasicProvider ox, Require valid-user. A provider
 * can only say yes or no, its "general error" becomes a 500; so a check_authn hook that runs before
 * mod_auth_basic decides, answers 403 and 503 by itself, and leaves yes and no to mod_auth_basic
 * and the provider, which repeats the verdict. 401 therefore means a wrong password and nothing
 * else.
 */
#include "httpd_priv.h"

#include <string.h>
#include <strings.h>
#include <ap_provider.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "eas_log.h"

#define PROVIDER "ox"

enum { USER_MAX = 256, PASSWORD_MAX = 1024 };

/* ---- credentials ----------------------------------------------------------------------------- */

/* Latin-1 is what Outlook sends: bytes that are no UTF-8 are taken for it. */
static const char *to_utf8(const char *text, apr_size_t len, apr_pool_t *pool)
{
    return eas_utf8_valid(text, len) ? apr_pstrmemdup(pool, text, len)
                                     : eas_charset_to_utf8(NULL, "iso-8859-1", text, len, pool);
}

static const char *expand(const char *template, const char *user, const char *domain,
                          apr_pool_t *pool)
{
    const char *out = "", *p;

    while ((p = strchr(template, '%'))) {
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, template, (apr_size_t)(p - template)),
                          p[1] == 'u'   ? user
                          : p[1] == 'd' ? domain
                                        : "%",
                          NULL);
        template = p + 2;
    }
    return apr_pstrcat(pool, out, template, NULL);
}

/* The login name for Open-Xchange, NULL when there is no user in it. */
static const char *login_name(const eas_conf_t *conf, const char *user, apr_pool_t *pool)
{
    const char *back = strchr(user, '\\'), *name = back ? back + 1 : user;

    if (!*name)
        return NULL;
    if (strchr(name, '@'))
        return name;
    if (back && back > user)
        return expand(conf->login_template, name,
                      apr_pstrmemdup(pool, user, (apr_size_t)(back - user)), pool);
    if (!strstr(conf->login_template, "%d"))
        return expand(conf->login_template, name, "", pool);
    return conf->default_context ? apr_pstrcat(pool, name, "@", conf->default_context, NULL) : name;
}

/* 1 when there is a user and a password to look at. */
static int set_credentials(eas_call_t *call, const char *user, const char *password)
{
    apr_pool_t *pool = call->req.pool;

    if (!*user || !*password || strlen(user) > USER_MAX || strlen(password) > PASSWORD_MAX)
        return 0;
    user = to_utf8(user, strlen(user), pool);
    for (const char *p = user; *p; p++)
        if (apr_iscntrl(*p))
            return 0;
    call->cred = (eas_credentials_t){
        .login = login_name(httpd_conf(call->r->server), user, pool),
        .password = to_utf8(password, strlen(password), pool),
        .device_id = call->req.device_id,
        .client_ip = call->req.client_ip,
        .user_agent = call->req.user_agent,
    };
    call->req.login = user;
    return call->cred.login != NULL;
}

static int read_header(eas_call_t *call)
{
    const char *header = apr_table_get(call->r->headers_in, "Authorization");
    unsigned char *bytes;
    apr_size_t len;
    char *colon;

    if (!header || strncasecmp(header, "Basic ", 6) != 0)
        return 0;
    header += 6 + strspn(header + 6, " \t");
    if (!eas_base64_decode(&bytes, &len, header, call->req.pool))
        return 0;
    call->given = apr_pstrmemdup(call->req.pool, (char *)bytes, len);
    eas_wipe(bytes, len);
    colon = strchr(call->given, ':');
    if (!colon || strlen(call->given) != len)
        return 0;
    *colon = '\0';
    call->given_password = colon + 1;
    return set_credentials(call, call->given, call->given_password);
}

/* ---- verdict --------------------------------------------------------------------------------- */

static void tell(eas_call_t *call)
{
    const eas_auth_verdict_t *v = &call->verdict;
    apr_pool_t *pool = call->req.pool;
    const char *user = httpd_log_name(call->req.login, pool), *device = httpd_call_device(call);

    switch (v->result) {
    case EAS_AUTH_GRANTED:
        if (v->err)
            eas_log(call->r, EAS_LOG_WARN, "session of user \"%s\" device \"%s\" not kept: %s",
                    user, device, eas_err_chain(v->err, pool));
        break;
    case EAS_AUTH_DENIED: /* the form is promised to log readers such as fail2ban: docs/admin.md */
        eas_log(call->r, EAS_LOG_WARN, "auth failure%s: user \"%s\" from %s device \"%s\"",
                v->asked ? "" : " repeated", user, call->req.client_ip, device);
        break;
    case EAS_AUTH_FORBIDDEN:
        eas_log(call->r, EAS_LOG_WARN, "user refused: user \"%s\" from %s device \"%s\": %s", user,
                call->req.client_ip, device, eas_err_chain(v->err, pool));
        break;
    case EAS_AUTH_UNAVAILABLE:
        eas_log(call->r, EAS_LOG_WARN,
                "no login at the backend: user \"%s\" from %s device \"%s\": %s", user,
                call->req.client_ip, device, eas_err_chain(v->err, pool));
        break;
    }
}

static void judge(eas_call_t *call)
{
    eas_auth_check(&call->verdict, call->site->auth, &call->cred, call->req.pool);
    call->judged = 1;
    tell(call);
}

/* httpd's status of the verdict; DECLINED: leave it to mod_auth_basic. */
static int status_of(eas_call_t *call)
{
    request_rec *r = call->r;

    switch (call->verdict.result) {
    case EAS_AUTH_FORBIDDEN:
    case EAS_AUTH_UNAVAILABLE:
        r->user = apr_pstrdup(r->pool, call->req.login); /* for the access log */
        break;
    default:
        return DECLINED;
    }
    if (call->verdict.result == EAS_AUTH_FORBIDDEN)
        return HTTP_FORBIDDEN;
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, call->verdict.retry_after));
    return HTTP_SERVICE_UNAVAILABLE;
}

static int check_authn(request_rec *r)
{
    const httpd_dir_t *dir = ap_get_module_config(r->per_dir_config, &eas_module);
    const char *type = ap_auth_type(r);
    eas_call_t *call;

    if (dir->provider <= 0 || !type || strcasecmp(type, "Basic") != 0)
        return DECLINED;
    if (!(call = httpd_call(r))) {
        eas_log(r, EAS_LOG_WARN, "AuthBasicProvider ox in a host without a working EASBackend");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    if (!call->judged) {
        if (!read_header(call))
            return DECLINED;
        judge(call);
    }
    return status_of(call);
}

/* Credentials that come another way than by the header (AuthnProviderAlias, mod_auth_form) are
 * looked at here. */
static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    eas_call_t *call = httpd_call(r);

    if (!call)
        return AUTH_GENERAL_ERROR;
    if (!call->judged || !call->given || strcmp(user, call->given) != 0 ||
        strcmp(password, call->given_password) != 0) {
        call->given = apr_pstrdup(call->req.pool, user);
        call->given_password = apr_pstrdup(call->req.pool, password);
        call->judged = 0;
        if (!set_credentials(call, user, password))
            return AUTH_DENIED;
        judge(call);
    }
    switch (call->verdict.result) {
    case EAS_AUTH_GRANTED:
        return AUTH_GRANTED;
    case EAS_AUTH_UNAVAILABLE:
        return AUTH_GENERAL_ERROR;
    default:
        return AUTH_DENIED;
    }
}

void httpd_authn_register(apr_pool_t *pool)
{
    static const char *const before[] = {"mod_auth_basic.c", NULL};
    static const authn_provider provider = {check_password, NULL};

    ap_hook_check_authn(check_authn, NULL, before, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, PROVIDER, AUTHN_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}
