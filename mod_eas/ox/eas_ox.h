/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_OX_H
#define EAS_OX_H
/**
 * The backend for the Open-Xchange (OX) App Suite HTTP API, 7.10 and 8: include/eas_backend.h over
 * libcurl and jansson.
 *
 *     eas_ox_conf_t conf;
 *     eas_ox_conf_default(&conf);
 *     conf.url = "http://127.0.0.1:8009/ajax";
 *     conf.name = "ox1";
 *     eas_backend_t *be;
 *     eas_err_t *err = eas_ox_create(&be, &conf, child_pool);
 *     err = be->session->login(&session, be, &cred, pool);
 *
 * Memory: the backend lives in the pool given to eas_ox_create(), used only there and by that
 * thread; it keeps no pointer into @a conf. Results live in the pool of the call; JSON trees are
 * freed before a call returns.
 *
 * Threads: any thread may call; HTTP handles are pooled per process under a lock, each is used by
 * one call at a time. A session belongs to one request at a time: two threads of one user have an
 * eas_session_t each (resume() from the same ticket is fine).
 *
 * Processes: create it in child_init. Creating it before a fork is harmless as long as nobody has
 * made a call (no connection is opened before the first one), but the handle limit counts per
 * process either way.
 *
 * Errors beside those of the contract: the chain holds an error with tag "ox.http" when the server
 * could not be reached or gave no answer of the API (connect failure, timeout, cut answer, 429,
 * 5xx): EAS_E_UNAVAILABLE with retry_after, what a circuit breaker should count. EAS_E_BUSY: all
 * handles were in use for conf.wait_timeout. `detail` carries the OX code and error_id, e.g.
 * "MSG-0032 id 1234-7". Texts of the server are never taken over.
 */
#include <apr_time.h>
#include "eas_backend.h"

typedef struct eas_ox_conf_t {
    const char *url;        /**< base, e.g. "https://ox.example.org/appsuite/api" */
    const char *name;       /**< EASBackendName */
    const char *user_agent; /**< of all requests of a session: OX hashes it into cookies */
    const char *client_id;  /**< login's `client`; must differ from user_agent (LGI-0021) */
    const char *version;    /**< login's `version`, for the operator's statistics */
    const char *tls_ca_file;              /**< PEM file, NULL = the system's */
    int tls_verify;                       /**< 0 only for test installations */
    apr_interval_time_t connect_timeout;
    apr_interval_time_t total_timeout;    /**< whole call, body included */
    apr_interval_time_t login_timeout;    /**< whole login call, and logout */
    apr_interval_time_t wait_timeout;     /**< longest wait for a free handle */
    int max_handles;                      /**< concurrent calls per process */
    apr_size_t max_json;                  /**< bytes of one JSON answer */
    apr_size_t max_source;                /**< bytes of one mail */
    const char *spool_dir;                /**< temp files of big mails, NULL = APR's temp dir */
    int send_client_ip;     /**< login tells the phone's address; only where OX checks no IPs */
    int send_client_agent;  /**< login tells the phone's User-Agent; OX builds that hash it into the
                                 cookies instead of the header refuse later calls: off by default */
    int require_active_sync; /**< without capability active_sync: EAS_E_FORBIDDEN */
} eas_ox_conf_t;

void eas_ox_conf_default(eas_ox_conf_t *conf);

/** EAS_E_INVALID with a sentence for the administrator when the configuration cannot work. */
eas_err_t *eas_ox_create(eas_backend_t **be, const eas_ox_conf_t *conf, apr_pool_t *pool);

/** Counters since creation, of this process. */
typedef struct eas_ox_stats_t {
    apr_uint32_t calls;    /**< HTTP exchanges tried */
    apr_uint32_t connects; /**< connections opened */
    apr_uint32_t failures; /**< exchanges without a usable answer */
    apr_uint32_t logins;   /**< login calls, renewals included */
} eas_ox_stats_t;

void eas_ox_stats(eas_ox_stats_t *stats, const eas_backend_t *be);

#endif
