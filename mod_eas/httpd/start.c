/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From configuration to something that serves. In the parent: everything that can be wrong is said
 * by check_config (so that configtest sees it), what all children share is made by post_config,
 * while still root. In the child: a site per virtual host. After a graceful restart the shared
 * parts are new ones; sealed tickets outlive that in the store.
 */
#include "httpd_priv.h"

#include <ap_mpm.h>
#include <http_core.h>
#include <unixd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include "eas_log.h"
#include "eas_ox.h"
#include "eas_store_dbm.h"

static httpd_shared_t shared; /* of this configuration; written before the fork */

/* A quarter of the threads may log in at once; with few threads these, but not more than half. */
enum { LOGINS_MIN = 4 };

/* A login that waits for another one of the same device waits as long as that may take. */
#define LOGIN_WAIT_MORE apr_time_from_sec(1)

int httpd_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    memset(&shared, 0, sizeof(shared));
    httpd_cache_register(pconf);
    return OK;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static int complain(server_rec *s, const char *what, const char *sentence)
{
    ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s, "eas: %s%s%s (server %s)", what,
                 *what ? ": " : "", sentence, s->server_hostname ? s->server_hostname : "main");
    return HTTP_INTERNAL_SERVER_ERROR;
}

static const char *host_of(const char *url, apr_pool_t *pool)
{
    apr_uri_t uri;
    return apr_uri_parse(pool, url, &uri) == APR_SUCCESS && uri.hostname ? uri.hostname : url;
}

static eas_err_t *make_backend(eas_backend_t **be, const eas_conf_t *conf, apr_pool_t *pool)
{
    eas_ox_conf_t ox;

    eas_ox_conf_default(&ox);
    ox.url = conf->backend;
    ox.name = conf->backend_name ? conf->backend_name : host_of(conf->backend, pool);
    ox.user_agent = conf->user_agent;
    ox.client_id = conf->client_id;
    ox.tls_ca_file = conf->backend_ca;
    ox.tls_verify = conf->backend_verify;
    ox.total_timeout = conf->backend_timeout;
    ox.login_timeout = conf->login_timeout;
    ox.max_handles = conf->backend_connections;
    ox.max_source = conf->max_mail;
    ox.send_client_ip = conf->send_client_ip;
    ox.require_active_sync = conf->require_capability;
    return eas_ox_create(be, &ox, pool);
}

static int check_host(server_rec *s, apr_pool_t *pool)
{
    const eas_conf_t *conf = httpd_conf(s);
    eas_backend_t *be;
    eas_err_t *err;

    if (!conf->backend)
        return conf->handles ? complain(s, "EASBackend", "is missing where SetHandler eas is used")
                             : OK;
    if (conf->backend_ca && access(conf->backend_ca, R_OK) != 0)
        return complain(s, "EASBackendCA", apr_psprintf(pool, "cannot read %s", conf->backend_ca));
    err = make_backend(&be, conf, pool);
    return err ? complain(s, apr_pstrcat(pool, "EASBackend ", conf->backend, NULL), err->message)
               : OK;
}

/* Root gives a new directory to the server's user; an existing one must be that user's. */
static const char *check_owner(const char *dir)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return NULL;
    if (geteuid() == 0 ? st.st_uid != ap_unixd_config.user_id : st.st_uid != geteuid())
        return "belongs to another user than the server's User";
    return NULL;
}

static int check_server(server_rec *s, apr_pool_t *pool)
{
    const eas_conf_t *conf = httpd_conf(s);
    eas_keyring_t *ring;
    const char *wrong;
    eas_err_t *err = eas_store_place_check(conf->state_dir, pool);

    if (!err)
        err = eas_store_dbm_check(conf->state_dir, pool);
    if (err)
        return complain(s, "EASStateDir", eas_err_chain(err, pool));
    if ((wrong = check_owner(conf->state_dir)))
        return complain(s, apr_pstrcat(pool, "EASStateDir ", conf->state_dir, NULL), wrong);
    if (conf->secret_file && (err = httpd_secret_read(&ring, conf->secret_file, pool)))
        return complain(s, "", eas_err_chain(err, pool));
    if ((wrong = httpd_cache_check(conf->cache, pool)))
        return complain(s, "", wrong);
    return OK;
}

int httpd_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    apr_pool_t *pool;
    int rv = OK, serves = 0;

    apr_pool_create(&pool, ptemp);
    for (server_rec *host = s; host && rv == OK; host = host->next) {
        serves |= httpd_serves(host);
        rv = check_host(host, pool);
    }
    if (rv == OK && serves)
        rv = check_server(s, pool);
    apr_pool_destroy(pool);
    return rv;
}

/* ---- parent ---------------------------------------------------------------------------------- */

static int failed(server_rec *s, apr_status_t rv, const char *what)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "eas: cannot make %s", what);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int failed_err(server_rec *s, const eas_err_t *err, apr_pool_t *pool)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "eas: %s", eas_err_chain(err, pool));
    return HTTP_INTERNAL_SERVER_ERROR;
}

static eas_err_t *load_keys(server_rec *s, apr_pool_t *pool)
{
    const eas_conf_t *conf = httpd_conf(s);
    eas_keyring_t *ring = NULL;
    eas_err_t *err;

    if (conf->secret_file) {
        err = httpd_secret_read(&ring, conf->secret_file, pool);
    } else {
        err = httpd_secret_random(&ring, s, pool);
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "eas: no EASSecretFile: sessions are sealed with "
                     "a random key, all phones log in anew after a restart");
    }
    shared.keys = ring;
    return err;
}

static apr_status_t make_memory(void **mem, apr_size_t size, apr_pool_t *pool)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, size, NULL, pool);

    if (rv == APR_SUCCESS)
        *mem = apr_shm_baseaddr_get(shm);
    return rv;
}

static int serves_any(server_rec *s)
{
    for (; s; s = s->next)
        if (httpd_serves(s))
            return 1;
    return 0;
}

int httpd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const eas_conf_t *conf = httpd_conf(s);
    eas_err_t *err;
    apr_status_t rv;
    void *mem;
    int root = geteuid() == 0;

    httpd_log_init(s);
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !serves_any(s))
        return OK;
    if ((err = load_keys(s, pconf)))
        return failed_err(s, err, ptemp);
    err = eas_store_dbm_make(conf->state_dir, root ? ap_unixd_config.user_id : (uid_t)-1,
                             root ? ap_unixd_config.group_id : (gid_t)-1, ptemp);
    if (err)
        return failed_err(s, err, ptemp);
    if ((rv = make_memory(&mem, conf->shared_size, pconf)) != APR_SUCCESS)
        return failed(s, rv, "the memory of EASSharedMemory");
    shared.auth = eas_auth_shared_init(mem, conf->shared_size);
    if ((rv = make_memory(&mem, eas_board_size(), pconf)) != APR_SUCCESS)
        return failed(s, rv, "the change board in shared memory");
    shared.board = eas_board_init(mem);
    if ((rv = httpd_cache_create(&shared.cache, conf->cache, s, pconf, ptemp)) != APR_SUCCESS)
        return failed(s, rv, "the cache of EASCache");
    ap_add_version_component(pconf, "mod_eas/" EAS_VERSION);
    return OK;
}

/* ---- child ----------------------------------------------------------------------------------- */

static void fill_env(eas_env_t *env, const eas_conf_t *conf)
{
    env->cache = shared.cache;
    env->keys = shared.keys;
    env->ceiling = conf->ceiling;
    env->max_devices = conf->max_devices;
    env->max_collections = conf->max_folders;
    env->response_budget = conf->response_budget;
    env->time_budget = conf->time_budget;
    env->flag_peek = conf->flag_peek;
    env->flag_refresh = conf->flag_refresh;
    env->lease_wait = conf->lease_wait;
    env->trace_max = conf->trace_size;
}

static eas_err_t *make_site(httpd_site_t **out, eas_store_t *store, const eas_conf_t *conf,
                            apr_pool_t *pool)
{
    httpd_site_t *site = apr_pcalloc(pool, sizeof(*site));
    eas_resp_t options = {0};
    eas_auth_conf_t auth;
    int threads = 1, logins;
    eas_err_t *err;

    fill_env(&site->env, conf);
    site->env.store = store;
    if ((err = make_backend(&site->env.be, conf, pool)))
        return err;
    site->env.be = httpd_tap(site->env.be, &shared, pool);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    logins = threads / 4 > LOGINS_MIN ? threads / 4 : LOGINS_MIN;
    auth = (eas_auth_conf_t){
        .be = site->env.be,
        .store = store,
        .cache = shared.cache,
        .keys = shared.keys,
        .shared = shared.auth,
        .outage_tag = HTTPD_OUTAGE_TAG,
        .ticket_age = conf->ticket_age,
        .negative_ttl = conf->negative_ttl,
        .login_rate = conf->login_rate,
        .client_rate = conf->client_rate,
        .max_logins = logins > threads / 2 ? threads / 2 : logins,
        .login_wait = conf->login_timeout + LOGIN_WAIT_MORE,
    };
    site->auth = eas_auth_create(&auth, pool);
    site->offered = eas_commands_offered(&site->env, pool);
    eas_resp_options(&options, site->offered, conf->ceiling, 0, pool);
    site->options = options.headers;
    site->server_version = eas_server_version(conf->ceiling);
    *out = site;
    return NULL;
}

void httpd_child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_pool_t *pool;
    eas_store_t *store;
    eas_err_t *err;

    if (!shared.cache)
        return;
    httpd_cache_child_init(shared.cache, s, pchild);
    apr_pool_create(&pool, pchild);
    httpd_call_init(pool);
    if ((err = eas_store_dbm_create(&store, httpd_conf(s)->state_dir, pool))) {
        failed_err(s, err, pool);
        return;
    }
    for (server_rec *host = s; host; host = host->next) {
        eas_conf_t *conf = httpd_conf(host);
        if (conf->backend && (err = make_site(&conf->site, store, conf, pool)))
            failed_err(host, err, pool);
    }
}
