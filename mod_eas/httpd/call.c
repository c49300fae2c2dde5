/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of ours: httpd's request_rec read into an eas_req_t with a pool of its own, so that a
 * command needs nothing of httpd. The pool ends with the request, after its last byte has left; it
 * is cleared and used again, because a fresh allocator costs several system calls.
 */
#include "httpd_priv.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <http_core.h>
#include <apr_allocator.h>
#include <apr_lib.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>

enum {
    STOCK = 64,             /* idle pools kept */
    POOL_KEEPS = 64 * 1024, /* bytes an idle pool may hold */
    LOG_NAME_MAX = 96
};

static struct {
    pthread_mutex_t lock; /* guards the rest */
    apr_pool_t *idle[STOCK];
    int count;
} stock = {.lock = PTHREAD_MUTEX_INITIALIZER};

static apr_status_t empty_stock(void *data)
{
    while (stock.count)
        apr_pool_destroy(stock.idle[--stock.count]);
    return APR_SUCCESS;
}

void httpd_call_init(apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, NULL, empty_stock, apr_pool_cleanup_null);
}

static apr_pool_t *take_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *pool = NULL;

    pthread_mutex_lock(&stock.lock);
    if (stock.count)
        pool = stock.idle[--stock.count];
    pthread_mutex_unlock(&stock.lock);
    if (pool || apr_allocator_create(&allocator) != APR_SUCCESS)
        return pool;
    apr_allocator_max_free_set(allocator, POOL_KEEPS);
    if (apr_pool_create_unmanaged_ex(&pool, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, "eas_call");
    return pool;
}

static apr_status_t give_pool(void *data)
{
    apr_pool_t *pool = data;

    apr_pool_clear(pool);
    pthread_mutex_lock(&stock.lock);
    if (stock.count < STOCK) {
        stock.idle[stock.count++] = pool;
        pool = NULL;
    }
    pthread_mutex_unlock(&stock.lock);
    if (pool)
        apr_pool_destroy(pool);
    return APR_SUCCESS;
}

/* One element of Accept-Encoding: is it gzip, and wanted? 1 yes, 0 refused, -1 another coding. */
static int gzip_item(const char *item, apr_size_t len)
{
    static const char *const names[] = {"gzip", "x-gzip", "*", NULL};
    apr_size_t n = strcspn(item, ";,");
    const char *q = memchr(item, ';', len);

    while (n && apr_isspace(item[n - 1]))
        n--;
    for (int i = 0;; i++) {
        if (!names[i])
            return -1;
        if (strlen(names[i]) == n && strncasecmp(item, names[i], n) == 0)
            break;
    }
    for (; q && q < item + len; q = memchr(q + 1, ';', (apr_size_t)(item + len - q - 1))) {
        const char *p = q + 1 + strspn(q + 1, " \t");
        if ((*p != 'q' && *p != 'Q') || p[1] != '=')
            continue;
        p += 2;
        return strspn(p, "0.") != strcspn(p, ", \t;"); /* something else than zeros */
    }
    return 1;
}

static int accepts_gzip(const char *header)
{
    int any = 0;

    while (header && *header) {
        apr_size_t len;
        int verdict;
        header += strspn(header, " \t,");
        len = strcspn(header, ",");
        if (!len)
            break;
        verdict = gzip_item(header, len);
        if (verdict >= 0 && *header != '*')
            return verdict; /* its name counts more than the asterisk */
        any |= verdict > 0;
        header += len;
    }
    return any;
}

static const char *copy(const request_rec *r, const char *name, apr_pool_t *pool)
{
    return apr_pstrdup(pool, apr_table_get(r->headers_in, name));
}

/* eas_req_t.gone. Looks at the socket only, never through the input filters; a stream of HTTP/2 has
 * no socket of its own. */
static int gone(void *log)
{
    request_rec *r = log;
    apr_socket_t *sock = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    struct pollfd p = {.events = POLLRDHUP};

    if (!sock || apr_os_sock_get(&p.fd, sock) != APR_SUCCESS)
        return 0;
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

eas_call_t *httpd_call(request_rec *r)
{
    eas_call_t *call = ap_get_module_config(r->request_config, &eas_module);
    const eas_conf_t *conf = httpd_conf(r->server);
    apr_pool_t *pool;
    eas_req_t *req;

    if (call || !conf->site || !(pool = take_pool()))
        return call;
    apr_pool_cleanup_register(r->pool, pool, give_pool, apr_pool_cleanup_null);
    call = apr_pcalloc(pool, sizeof(*call));
    call->r = r;
    call->site = conf->site;
    req = &call->req;
    req->pool = pool;
    req->log = r;
    req->query = apr_pstrdup(pool, r->args);
    req->h_version = copy(r, "MS-ASProtocolVersion", pool);
    req->h_policy_key = copy(r, "X-MS-PolicyKey", pool);
    req->h_multipart = copy(r, "MS-ASAcceptMultiPart", pool);
    req->content_type = copy(r, "Content-Type", pool);
    req->user_agent = copy(r, "User-Agent", pool);
    req->accept_language = copy(r, "Accept-Language", pool);
    req->accept_gzip = accepts_gzip(apr_table_get(r->headers_in, "Accept-Encoding"));
    req->client_ip = apr_pstrdup(pool, r->useragent_ip);
    req->gone = gone;
    call->bad = eas_req_parse(req, conf->ceiling, r->method_number == M_OPTIONS);
    ap_set_module_config(r->request_config, &eas_module, call);
    return call;
}

const char *httpd_call_device(const eas_call_t *call)
{
    const char *device = call->req.device_id, *parts[] = {device, NULL};
    unsigned char mac[EAS_HASH_LEN];

    if (!device || !*device)
        return "-";
    if (!httpd_conf(call->r->server)->hash_devices)
        return device;
    eas_hmac(mac, call->site->env.keys, "device id in logs", parts);
    return eas_base32(mac, 10, call->req.pool);
}

const char *httpd_log_name(const char *name, apr_pool_t *pool)
{
    apr_size_t len = strlen(name);
    char *out;

    if (len > LOG_NAME_MAX)
        len = eas_utf8_cut(name, len, LOG_NAME_MAX);
    out = apr_pstrmemdup(pool, name, len);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
            *p = *p == '\\' ? '/' : '?';
    return out;
}
