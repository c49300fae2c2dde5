/* SPDX-License-Identifier: Apache-2.0 */
/* The backend object: configuration checked once, groups of operations put together. */
#include <string.h>
#include <strings.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include "ox_priv.h"

void eas_ox_conf_default(eas_ox_conf_t *conf)
{
    *conf = (eas_ox_conf_t){
        .name = "ox",
        .user_agent = "Open-Xchange USM HTTP Client (mod_eas/0.1)",
        .client_id = "mod_eas",
        .version = "0.1",
        .tls_verify = 1,
        .connect_timeout = apr_time_from_sec(3),
        .total_timeout = apr_time_from_sec(60),
        .login_timeout = apr_time_from_sec(5),
        .wait_timeout = apr_time_from_sec(5),
        .max_handles = 64,
        .max_json = 64 * 1024 * 1024,
        .max_source = 64 * 1024 * 1024,
        .require_active_sync = 1,
    };
}

static eas_err_t *bad(apr_pool_t *pool, const char *what)
{
    return eas_err_create(pool, EAS_E_INVALID, "ox.conf", "%s", what);
}

/* "http(s)://host[:port][/path]", nothing else: the rest of the URL is ours. */
static const char *check_url(const char *url)
{
    const char *host;
    if (!url)
        return "the URL of the backend is missing";
    if (strncasecmp(url, "http://", 7) == 0)
        host = url + 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        host = url + 8;
    else
        return "the URL of the backend must begin with http:// or https://";
    if (!*host || *host == '/' || *host == ':')
        return "the URL of the backend names no host";
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || strchr("?#@\\\"<>", *p))
            return "the URL of the backend must hold scheme, host, port and path only";
    return NULL;
}

static int is_header_value(const char *s, apr_size_t max)
{
    if (!s || !*s || strlen(s) > max)
        return 0;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
            return 0;
    return 1;
}

static eas_err_t *check(const eas_ox_conf_t *conf, apr_pool_t *pool)
{
    const char *complaint = check_url(conf->url);
    if (complaint)
        return bad(pool, complaint);
    if (!conf->name || !*conf->name || strlen(conf->name) > 64)
        return bad(pool, "the backend's name must have 1 to 64 characters");
    if (!is_header_value(conf->user_agent, 255))
        return bad(pool, "the User-Agent must be 1 to 255 printable ASCII characters");
    if (!is_header_value(conf->client_id, 128) || !conf->version)
        return bad(pool, "the client id must be 1 to 128 printable ASCII characters");
    if (strcmp(conf->client_id, conf->user_agent) == 0)
        return bad(pool, "client id and User-Agent must differ (OX refuses logins: LGI-0021)");
    if (conf->connect_timeout <= 0 || conf->total_timeout <= 0 || conf->login_timeout <= 0
        || conf->wait_timeout <= 0)
        return bad(pool, "timeouts must be greater than zero");
    if (conf->max_handles < 1 || conf->max_handles > 4096)
        return bad(pool, "the number of HTTP handles must be 1 to 4096");
    if (conf->max_json < 65536 || conf->max_source < 65536)
        return bad(pool, "limits of answers and mails must be at least 65536 bytes");
    return NULL;
}

eas_err_t *eas_ox_create(eas_backend_t **be, const eas_ox_conf_t *conf, apr_pool_t *pool)
{
    eas_err_t *err = check(conf, pool);
    if (err)
        return err;
    ox_backend_t *ox = apr_pcalloc(pool, sizeof(*ox));
    char *url = apr_pstrdup(pool, conf->url);
    for (apr_size_t n = strlen(url); n && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
    ox->conf = *conf;
    ox->conf.url = url;
    ox->conf.name = apr_pstrdup(pool, conf->name);
    ox->conf.user_agent = apr_pstrdup(pool, conf->user_agent);
    ox->conf.client_id = apr_pstrdup(pool, conf->client_id);
    ox->conf.version = apr_pstrdup(pool, conf->version);
    ox->conf.tls_ca_file = apr_pstrdup(pool, conf->tls_ca_file);
    ox->conf.spool_dir = apr_pstrdup(pool, conf->spool_dir);
    ox->be = (eas_backend_t){
        .name = ox->conf.name,
        .session = &ox_session_ops,
        .folders = &ox_folders_ops,
        .mail = &ox_mail_ops,
        .ctx = ox,
    };
    err = ox_http_init(ox, pool);
    if (err)
        return err;
    *be = &ox->be;
    return NULL;
}

void eas_ox_stats(eas_ox_stats_t *stats, const eas_backend_t *be)
{
    ox_backend_t *ox = be->ctx;
    stats->calls = apr_atomic_read32(&ox->calls);
    stats->connects = apr_atomic_read32(&ox->connects);
    stats->failures = apr_atomic_read32(&ox->failures);
    stats->logins = apr_atomic_read32(&ox->logins);
}
