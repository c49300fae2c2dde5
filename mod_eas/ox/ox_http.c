/* SPDX-License-Identifier: Apache-2.0 */
/* Transport: libcurl easy handles, pooled per process, each talking to this backend only.
 *
 * A handle keeps its connection and its receive buffer between calls; only what differs from call
 * to call is set again, because curl_easy_reset() costs more than a small call should. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_allocator.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <curl/curl.h>
#include "ox_priv.h"

#define TAG "ox.http"
#define KEEP_BUFFER (256 * 1024) /* a larger receive buffer is given back after the call */
#define RECEIVE_CHUNK (128 * 1024)
#define IDLE_HANDLE apr_time_from_sec(60)
#define MAX_ERROR_PAGE (64 * 1024)
#define MAX_HEADERS 200

typedef struct ox_handle_t {
    CURL *curl;
    char *buf;
    apr_size_t len, cap;
    /* of the running call */
    ox_backend_t *ox;
    eas_session_t *session;
    const ox_call_t *call;
    apr_pool_t *pool;
    eas_err_t *err;
    int status, headers, retry_after;
    enum { BODY_UNDECIDED = 0, BODY_BUFFER, BODY_SINK } where;
    int envelope_type;
} ox_handle_t;

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int has_prefix(const char *s, apr_size_t len, const char *prefix, apr_size_t *skip)
{
    apr_size_t n = strlen(prefix);
    if (len < n || strncasecmp(s, prefix, n) != 0)
        return 0;
    while (n < len && (s[n] == ' ' || s[n] == '\t'))
        n++;
    *skip = n;
    return 1;
}

static int number_of(const char *s, apr_size_t len, int max)
{
    int n = 0;
    if (!len || !ox_is_digit(*s))
        return -1;
    for (; len && ox_is_digit(*s) && n <= max; s++, len--)
        n = n * 10 + (*s - '0');
    return n > max ? max : n;
}

static size_t on_header(char *line, size_t size, size_t count, void *baton)
{
    ox_handle_t *h = baton;
    apr_size_t len = size * count, skip;

    while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (++h->headers > MAX_HEADERS) {
        h->err = eas_err_create(h->pool, EAS_E_UNAVAILABLE, TAG, "answer with too many headers");
        return 0;
    }
    if (len > 9 && strncmp(line, "HTTP/", 5) == 0) {
        const char *sp = memchr(line, ' ', len);
        int n = sp ? number_of(sp + 1, len - (apr_size_t)(sp + 1 - line), 999) : -1;
        h->status = n < 0 ? 0 : n;
        h->envelope_type = 1;
        h->retry_after = 0;
    } else if (has_prefix(line, len, "Set-Cookie:", &skip)) {
        ox_cookie_set(h->session, line + skip, len - skip);
    } else if (has_prefix(line, len, "Retry-After:", &skip)) {
        int n = number_of(line + skip, len - skip, 3600);
        h->retry_after = n < 0 ? 0 : n;
    } else if (has_prefix(line, len, "Content-Type:", &skip)) {
        static const char *const kinds[] = {"application/json", "text/javascript", "text/html",
                                            "application/javascript"};
        apr_size_t past;
        h->envelope_type = 0;
        for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
            h->envelope_type |= has_prefix(line + skip, len - skip, kinds[i], &past);
    }
    return size * count;
}

static eas_err_t *keep(ox_handle_t *h, const char *data, apr_size_t len)
{
    apr_size_t limit = h->status == 200 ? h->ox->conf.max_json : MAX_ERROR_PAGE;
    if (len > limit - h->len) {
        if (h->status != 200)
            return NULL; /* an error page: its beginning is enough */
        return eas_err_create(h->pool, EAS_E_TOO_LARGE, TAG, "answer of more than %" APR_SIZE_T_FMT
                              " bytes", limit);
    }
    if (h->len + len > h->cap) {
        apr_size_t cap = h->cap ? h->cap : 16384;
        while (cap < h->len + len)
            cap *= 2;
        char *buf = realloc(h->buf, cap);
        if (!buf)
            return eas_err_create(h->pool, EAS_E_INTERNAL, TAG, "out of memory");
        h->buf = buf;
        h->cap = cap;
    }
    memcpy(h->buf + h->len, data, len);
    h->len += len;
    return NULL;
}

static void decide(ox_handle_t *h)
{
    const ox_sink_t *sink = h->call->sink;
    h->where = sink && h->status == 200 && !(sink->bytes_only && h->envelope_type) ? BODY_SINK
                                                                                   : BODY_BUFFER;
    if (h->where == BODY_SINK)
        sink->begin(sink->baton);
}

static size_t on_body(char *data, size_t size, size_t count, void *baton)
{
    ox_handle_t *h = baton;
    apr_size_t len = size * count;
    if (h->where == BODY_UNDECIDED)
        decide(h);
    h->err = h->where == BODY_SINK ? h->call->sink->data(h->call->sink->baton, data, len)
                                   : keep(h, data, len);
    return h->err ? 0 : len;
}

static apr_status_t handle_destroy(void *resource, void *params, apr_pool_t *pool)
{
    ox_handle_t *h = resource;
    curl_easy_cleanup(h->curl);
    free(h->buf);
    free(h);
    return APR_SUCCESS;
}

static apr_status_t handle_create(void **resource, void *params, apr_pool_t *pool)
{
    ox_backend_t *ox = params;
    const eas_ox_conf_t *conf = &ox->conf;
    ox_handle_t *h = calloc(1, sizeof(*h));
    CURL *curl = h ? curl_easy_init() : NULL;

    if (!curl) {
        free(h);
        return APR_ENOMEM;
    }
    h->ox = ox;
    h->curl = curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_CHUNK);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, conf->tls_verify ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, conf->tls_verify ? 2L : 0L);
    if (conf->tls_ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, conf->tls_ca_file);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)apr_time_as_msec(conf->connect_timeout));
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, h);
    *resource = h;
    return APR_SUCCESS;
}

static apr_status_t headers_free(void *data)
{
    ox_backend_t *ox = data;
    for (int i = 0; i < 3; i++)
        curl_slist_free_all(ox->headers[i]);
    return APR_SUCCESS;
}

eas_err_t *ox_http_init(ox_backend_t *ox, apr_pool_t *pool)
{
    static const char *const types[] = {NULL, "Content-Type: " OX_JSON, "Content-Type: " OX_FORM};
    apr_allocator_t *allocator;
    apr_pool_t *own;
    apr_status_t rv;

    pthread_once(&global_once, global_init);
    apr_pool_cleanup_register(pool, ox, headers_free, apr_pool_cleanup_null);
    for (int i = 0; i < 3; i++) {
        struct curl_slist *list;
        list = curl_slist_append(NULL, "Accept: application/json, text/javascript");
        list = curl_slist_append(list, "Expect:");
        if (types[i])
            list = curl_slist_append(list, types[i]);
        ox->headers[i] = list;
    }
    /* The list allocates whenever it grows, from whichever thread, under its own lock only: so from
     * a pool and an allocator that nobody else uses. */
    rv = apr_allocator_create(&allocator);
    if (rv == APR_SUCCESS)
        rv = apr_pool_create_ex(&own, pool, NULL, allocator);
    if (rv == APR_SUCCESS) {
        apr_allocator_owner_set(allocator, own);
        rv = apr_reslist_create(&ox->handles, 0, ox->conf.max_handles, ox->conf.max_handles,
                                IDLE_HANDLE, handle_create, handle_destroy, ox, own);
    }
    if (rv != APR_SUCCESS)
        return eas_err_apr(pool, rv, TAG, "cannot create the pool of HTTP handles");
    apr_reslist_timeout_set(ox->handles, ox->conf.wait_timeout);
    return NULL;
}

static void prepare(ox_handle_t *h, eas_session_t *session, const ox_call_t *call,
                    apr_pool_t *pool)
{
    CURL *curl = h->curl;
    apr_interval_time_t timeout = call->timeout ? call->timeout : h->ox->conf.total_timeout;
    const char *url = apr_pstrcat(pool, h->ox->conf.url, "/", call->module,
                                  call->query || session->sid ? "?" : "",
                                  call->query ? call->query : "",
                                  session->sid ? (call->query ? "&session=" : "session=") : "",
                                  session->sid ? session->sid : "", NULL);

    h->session = session;
    h->call = call;
    h->pool = pool;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, session->user_agent);
    curl_easy_setopt(curl, CURLOPT_COOKIE, ox_cookie_line(session));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(timeout));
    if (call->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->form ? NULL : "PUT");
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, h->ox->headers[call->form ? 2 : 1]);
    } else {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, h->ox->headers[0]);
    }
}

static CURLcode perform(ox_handle_t *h)
{
    h->len = 0;
    h->err = NULL;
    h->status = h->headers = h->retry_after = 0;
    h->where = BODY_UNDECIDED;
    h->envelope_type = 1;
    return curl_easy_perform(h->curl);
}

/* An idle connection that the server closed while our request was on its way (API 11.4). curl
 * itself repeats when nothing at all came back; what is left are resets it sees as errors. All our
 * calls are idempotent or, like login, harmless to repeat. */
static int stale(const ox_handle_t *h, CURLcode rc)
{
    long connects = 1;
    if (h->headers || (rc != CURLE_SEND_ERROR && rc != CURLE_RECV_ERROR && rc != CURLE_GOT_NOTHING))
        return 0;
    curl_easy_getinfo(h->curl, CURLINFO_NUM_CONNECTS, &connects);
    return connects == 0;
}

static eas_err_t *transport_error(const ox_handle_t *h, CURLcode rc, apr_pool_t *pool)
{
    eas_err_t *err;
    if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT || rc == CURLE_OUT_OF_MEMORY)
        return eas_err_create(pool, EAS_E_INTERNAL, TAG, "%s", curl_easy_strerror(rc));
    err = eas_err_create(pool, EAS_E_UNAVAILABLE, TAG, "no answer: %s", curl_easy_strerror(rc));
    err->retry_after = 30;
    return err;
}

/* What an HTTP status tells when the body is no envelope. 403 pages are session errors (API 0.2,
 * 1.1); 401 comes from something in between and says nothing about the user's password. */
static eas_err_t *status_error(const ox_handle_t *h, apr_pool_t *pool)
{
    eas_kind_t kind = EAS_E_UNAVAILABLE;
    int retry_after = h->retry_after;
    eas_err_t *err;

    if (h->status == 413)
        kind = EAS_E_TOO_LARGE;
    else if (h->status == 403)
        kind = EAS_E_SESSION;
    else if (!retry_after)
        retry_after = h->status == 429 ? 60 : 30;
    err = eas_err_create(pool, kind, TAG, h->status >= 300 && h->status < 400
                         ? "HTTP %d, redirects are not followed" : "HTTP %d", h->status);
    err->retry_after = retry_after;
    return err;
}

static int looks_like_json(const ox_handle_t *h)
{
    for (apr_size_t i = 0; i < h->len; i++)
        if (!strchr(" \t\r\n", h->buf[i]))
            return h->buf[i] == '{' || h->buf[i] == '[';
    return 0;
}

static void give_back(ox_handle_t *h)
{
    ox_backend_t *ox = h->ox;
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, NULL); /* never keep a pointer to a password */
    if (h->cap > KEEP_BUFFER) {
        free(h->buf);
        h->buf = NULL;
        h->cap = 0;
    }
    h->len = 0;
    h->session = NULL;
    h->call = NULL;
    h->pool = NULL;
    apr_reslist_release(ox->handles, h);
}

eas_err_t *ox_http_exchange(ox_reply_t *reply, eas_session_t *session, const ox_call_t *call,
                            apr_pool_t *pool)
{
    ox_backend_t *ox = session->ox;
    void *resource;
    ox_handle_t *h;
    eas_err_t *err = NULL;
    long connects = 0;

    apr_status_t rv = apr_reslist_acquire(ox->handles, &resource);
    if (APR_STATUS_IS_TIMEUP(rv)) {
        err = eas_err_create(pool, EAS_E_BUSY, "ox.busy", "all %d HTTP handles are in use",
                             ox->conf.max_handles);
        err->retry_after = 10;
        return err;
    }
    if (rv != APR_SUCCESS)
        return eas_err_apr(pool, rv, "ox.busy", "no HTTP handle");
    h = resource;
    prepare(h, session, call, pool);
    apr_atomic_inc32(&ox->calls);
    CURLcode rc = perform(h);
    if (rc != CURLE_OK && stale(h, rc)) {
        curl_easy_setopt(h->curl, CURLOPT_FRESH_CONNECT, 1L);
        rc = perform(h);
        curl_easy_setopt(h->curl, CURLOPT_FRESH_CONNECT, 0L);
    }
    curl_easy_getinfo(h->curl, CURLINFO_NUM_CONNECTS, &connects);
    if (connects)
        apr_atomic_add32(&ox->connects, (apr_uint32_t)connects);
    if (rc == CURLE_OK && h->where == BODY_UNDECIDED)
        decide(h);
    if (rc != CURLE_OK) {
        err = h->err ? h->err : transport_error(h, rc, pool);
    } else if (h->status != 200 && !looks_like_json(h)) {
        err = status_error(h, pool);
    }
    if (err) {
        if (err->kind == EAS_E_UNAVAILABLE)
            apr_atomic_inc32(&ox->failures);
        give_back(h);
        return err;
    }
    reply->status = h->status;
    reply->sunk = h->where == BODY_SINK;
    reply->retry_after = h->retry_after;
    reply->body = h->len ? h->buf : "";
    reply->len = h->len;
    reply->handle = h;
    return NULL;
}

void ox_http_done(ox_reply_t *reply, eas_session_t *session)
{
    give_back(reply->handle);
    reply->handle = NULL;
    reply->body = NULL;
}
