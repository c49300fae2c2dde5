/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTPD_PRIV_H
#define HTTPD_PRIV_H
/**
 * The httpd room: between httpd and the rest of the house. One configuration per server (virtual
 * host); shared parts made in the parent by post_config; a site per virtual host made in each
 * child; a request of ours (eas_call_t) made when the first hook needs it.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <ap_socache.h>
#include <apr_global_mutex.h>
#include "eas_auth.h"
#include "eas_board.h"
#include "eas_command.h"
#include "eas_text.h"

APLOG_USE_MODULE(eas);

#define HTTPD_HANDLER "eas"

/* ---- configuration: config.c ----------------------------------------------------------------- */

/** EASTrace. */
typedef struct httpd_trace_t {
    int all;
    apr_array_header_t *users, *devices; /* const char *, compared without regard to case */
} httpd_trace_t;

/* The C type of each type of directive. */
#define HTTPD_T_STRING const char *
#define HTTPD_T_URL const char *
#define HTTPD_T_PATH const char *
#define HTTPD_T_TEMPLATE const char *
#define HTTPD_T_INTEGER int
#define HTTPD_T_FLAG int
#define HTTPD_T_VERSION int
#define HTTPD_T_SIZE apr_size_t
#define HTTPD_T_TIME apr_interval_time_t
#define HTTPD_T_RATE eas_auth_rate_t
#define HTTPD_T_TRACE const httpd_trace_t *

enum {
#define EAS_DIRECTIVE(type, field, name, scope, dflt, low, high, text) HTTPD_D_##field,
#include "eas_directives.def"
#undef EAS_DIRECTIVE
    HTTPD_D_COUNT
};

typedef struct httpd_site_t httpd_site_t;

/** The configuration of one server. */
typedef struct eas_conf_t {
#define EAS_DIRECTIVE(type, field, name, scope, dflt, low, high, text) HTTPD_T_##type field;
#include "eas_directives.def"
#undef EAS_DIRECTIVE
    unsigned char set[HTTPD_D_COUNT]; /* written in the file, not only the default */
    int handles;                      /* SetHandler eas stands in this server's part of the file */
    httpd_site_t *site;               /* in a child: what serves this virtual host */
} eas_conf_t;

/** What is known of a place (Location, Directory). */
typedef struct httpd_dir_t {
    int handles;  /* SetHandler: 1 eas, 0 another, -1 nothing said */
    int provider; /* AuthBasicProvider names ox: the same */
} httpd_dir_t;

extern const command_rec httpd_commands[];
void *httpd_dir_create(apr_pool_t *pool, char *path);
void *httpd_dir_merge(apr_pool_t *pool, void *base, void *add);
void *httpd_conf_create(apr_pool_t *pool, server_rec *s);
void *httpd_conf_merge(apr_pool_t *pool, void *base, void *add);
eas_conf_t *httpd_conf(server_rec *s);
/** A host that serves phones: it has a backend. */
int httpd_serves(server_rec *s);

/* ---- start: start.c, secret.c, cache.c, tap.c ------------------------------------------------ */

/** What all processes share. */
typedef struct httpd_shared_t {
    const eas_keyring_t *keys;
    eas_auth_shared_t *auth;
    eas_board_t *board;
    eas_cache_t *cache;
} httpd_shared_t;

/** One virtual host in one process. */
struct httpd_site_t {
    eas_env_t env;
    eas_auth_t *auth;
    const char *offered;        /* commands */
    apr_table_t *options;       /* headers of the answer to OPTIONS; read only */
    const char *server_version; /* MS-Server-ActiveSync */
};

int httpd_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);
int httpd_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
int httpd_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void httpd_child_init(apr_pool_t *pchild, server_rec *s);

/** Reads and checks the secret file; EAS_E_INVALID with a sentence. */
eas_err_t *httpd_secret_read(eas_keyring_t **ring, const char *path, apr_pool_t *pool);
/** A ring of a random key which stays the same as long as the parent process lives. */
eas_err_t *httpd_secret_random(eas_keyring_t **ring, server_rec *s, apr_pool_t *pool);

void httpd_cache_register(apr_pool_t *pconf);
/** Checks the provider's name: NULL or a sentence. */
const char *httpd_cache_check(const char *spec, apr_pool_t *pool);
apr_status_t httpd_cache_create(eas_cache_t **cache, const char *spec, server_rec *s,
                                apr_pool_t *pconf, apr_pool_t *ptemp);
void httpd_cache_child_init(eas_cache_t *cache, server_rec *s, apr_pool_t *pchild);

/** The same backend, with the breaker before each of its operations, and a word to the change board
 *  after those that change a mailbox. The backends of a process are of one implementation. */
eas_backend_t *httpd_tap(eas_backend_t *be, const httpd_shared_t *common, apr_pool_t *pool);

/* What errors of the backend say when it could not be reached or gave no answer of its API. */
#define HTTPD_OUTAGE_TAG "ox.http"

/* ---- requests: call.c, authn.c, handler.c, answer.c ------------------------------------------ */

/** A request of ours, in a pool of its own which ends with the request. */
typedef struct eas_call_t {
    request_rec *r;
    httpd_site_t *site;
    eas_req_t req;
    eas_err_t *bad; /* what eas_req_parse() said */
    char *given;    /* user and password as they came, NULL: none */
    const char *given_password;
    eas_credentials_t cred;
    int judged; /* verdict is there */
    eas_auth_verdict_t verdict;
} eas_call_t;

/** The call of a request, made and parsed at the first time. NULL: this host serves no phones. */
eas_call_t *httpd_call(request_rec *r);
/** The pools of calls are used again; @a pool is the process's. */
void httpd_call_init(apr_pool_t *pool);
/** Device id for people: as it is or hashed, or "-". */
const char *httpd_call_device(const eas_call_t *call);
/** User name for the log: nothing in it can forge a line or a field. */
const char *httpd_log_name(const char *name, apr_pool_t *pool);

void httpd_authn_register(apr_pool_t *pool);
int httpd_translate(request_rec *r);
int httpd_map_to_storage(request_rec *r);
int httpd_handler(request_rec *r);

/** Sends what @a resp says; an httpd status for the handler to return. */
int httpd_answer(eas_call_t *call, eas_resp_t *resp);

/* ---- log: logsink.c -------------------------------------------------------------------------- */

/** Sink of eas_log(): @a where is a request_rec or NULL (then the server given here). */
void httpd_log_init(server_rec *s);

#endif
