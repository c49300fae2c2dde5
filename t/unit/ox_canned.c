/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_STEPS 256
#define MAX_LINKS 32

typedef struct step_t {
    char *bytes;
    size_t len;
    int hang_up, stall_ms;
} step_t;

struct canned_t {
    pthread_t thread;
    pthread_mutex_t lock; /* guards steps, asked and their counts */
    int listener, port, stop[2];
    step_t steps[MAX_STEPS];
    int nsteps, next;
    char *asked[MAX_STEPS];
    int nasked;
};

static void add(canned_t *server, const char *bytes, size_t len, int hang_up, int stall_ms)
{
    step_t step = {malloc(len + 1), len, hang_up, stall_ms};
    memcpy(step.bytes, bytes, len);
    pthread_mutex_lock(&server->lock);
    if (server->nsteps == MAX_STEPS)
        abort();
    server->steps[server->nsteps++] = step;
    pthread_mutex_unlock(&server->lock);
}

void canned_raw(canned_t *server, const char *bytes, size_t len, int hang_up)
{
    add(server, bytes, len, hang_up, 0);
}

void canned_stall(canned_t *server, int ms)
{
    add(server, "", 0, 1, ms);
}

void canned_answer(canned_t *server, int status, const char *headers, const char *body)
{
    size_t room = strlen(headers) + strlen(body) + 200;
    char *text = malloc(room);
    int n = snprintf(text, room, "HTTP/1.1 %d Said\r\nContent-Length: %lu\r\n%s\r\n%s", status,
                     (unsigned long)strlen(body), headers, body);
    add(server, text, (size_t)n, 0, 0);
    free(text);
}

void canned_json(canned_t *server, const char *body)
{
    canned_answer(server, 200, "Content-Type: application/json; charset=UTF-8\r\n", body);
}

int canned_port(const canned_t *server)
{
    return server->port;
}

int canned_count(canned_t *server)
{
    pthread_mutex_lock(&server->lock);
    int n = server->nasked;
    pthread_mutex_unlock(&server->lock);
    return n;
}

const char *canned_asked(canned_t *server, int i)
{
    pthread_mutex_lock(&server->lock);
    const char *text = i < server->nasked ? server->asked[i] : "";
    pthread_mutex_unlock(&server->lock);
    return text;
}

/* Reads one request; NULL when the peer is gone. */
static char *read_request(int fd)
{
    size_t cap = 1 << 16, len = 0, want = 0;
    char *text = malloc(cap);
    for (;;) {
        ssize_t n = recv(fd, text + len, cap - len - 1, 0);
        if (n <= 0) {
            free(text);
            return NULL;
        }
        len += (size_t)n;
        text[len] = '\0';
        char *blank = strstr(text, "\r\n\r\n");
        if (blank && !want) {
            char *length = strcasestr(text, "\r\nContent-Length:");
            want = (size_t)(blank + 4 - text);
            if (length && length < blank)
                want += strtoul(length + 17, NULL, 10);
        }
        if (want && len >= want)
            return text;
        if (len + 1 == cap)
            text = realloc(text, cap *= 2);
    }
}

/* 1: keep the connection. */
static int serve(canned_t *server, int fd)
{
    static const char none[] = "HTTP/1.1 500 Nothing\r\nContent-Length: 0\r\n\r\n";
    char *text = read_request(fd);
    step_t step = {(char *)none, sizeof(none) - 1, 0, 0};

    if (!text)
        return 0;
    pthread_mutex_lock(&server->lock);
    if (server->nasked == MAX_STEPS)
        abort();
    server->asked[server->nasked++] = text;
    if (server->next < server->nsteps)
        step = server->steps[server->next++];
    pthread_mutex_unlock(&server->lock);
    if (step.stall_ms) {
        struct pollfd stop = {server->stop[0], POLLIN, 0};
        poll(&stop, 1, step.stall_ms);
    }
    for (size_t sent = 0; sent < step.len;) {
        ssize_t n = send(fd, step.bytes + sent, step.len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        sent += (size_t)n;
    }
    return !step.hang_up && step.len;
}

static void *run(void *baton)
{
    canned_t *server = baton;
    struct pollfd fds[2 + MAX_LINKS];
    int n = 2;
    fds[0] = (struct pollfd){server->stop[0], POLLIN, 0};
    fds[1] = (struct pollfd){server->listener, POLLIN, 0};
    while (poll(fds, (nfds_t)n, -1) > 0 && !fds[0].revents) {
        for (int i = n - 1; i >= 2; i--)
            if (fds[i].revents && !serve(server, fds[i].fd)) {
                close(fds[i].fd);
                fds[i] = fds[--n];
            }
        if (fds[1].revents && n < 2 + MAX_LINKS)
            fds[n++] = (struct pollfd){accept(server->listener, NULL, NULL), POLLIN, 0};
    }
    for (int i = 2; i < n; i++)
        close(fds[i].fd);
    return NULL;
}

canned_t *canned_start(void)
{
    canned_t *server = calloc(1, sizeof(*server));
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);

    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (pipe(server->stop) || bind(server->listener, (struct sockaddr *)&addr, len)
        || listen(server->listener, 16)
        || getsockname(server->listener, (struct sockaddr *)&addr, &len)
        || pthread_create(&server->thread, NULL, run, server))
        abort();
    server->port = ntohs(addr.sin_port);
    return server;
}

void canned_stop(canned_t *server)
{
    if (write(server->stop[1], "x", 1) != 1)
        abort();
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->stop[0]);
    close(server->stop[1]);
    for (int i = 0; i < server->nsteps; i++)
        free(server->steps[i].bytes);
    for (int i = 0; i < server->nasked; i++)
        free(server->asked[i]);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int bench_setup(void **state)
{
    bench_t *bench;
    apr_pool_t *pool;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    bench = apr_pcalloc(pool, sizeof(*bench));
    bench->pool = pool;
    bench->server = canned_start();
    eas_ox_conf_default(&bench->conf);
    bench->conf.url = apr_psprintf(pool, "http://127.0.0.1:%d/ajax/", bench->server->port);
    bench->conf.name = "ox1";
    bench->conf.require_active_sync = 0;
    bench->cred = (eas_credentials_t){.login = "anna@example.org", .password = "geh&im=\xc3\xbc",
                                      .device_id = "dev", .client_ip = "203.0.113.7",
                                      .user_agent = "Phone/1"};
    *state = bench;
    return 0;
}

int bench_teardown(void **state)
{
    bench_t *bench = *state;
    canned_t *server = bench->server;
    apr_pool_destroy(bench->pool);
    canned_stop(server);
    apr_terminate();
    return 0;
}

eas_backend_t *bench_backend(bench_t *bench)
{
    if (!bench->be)
        ASSERT_OK(eas_ox_create(&bench->be, &bench->conf, bench->pool));
    return bench->be;
}

eas_session_t *bench_session(bench_t *bench)
{
    eas_session_t *session;
    eas_backend_t *be = bench_backend(bench);
    canned_answer(bench->server, 200, "Content-Type: application/json\r\n"
                  "Set-Cookie: JSESSIONID=1.r1; Path=/; HttpOnly\r\n"
                  "Set-Cookie: open-xchange-secret-h=sec; Secure\r\n", LOGIN_OK);
    ASSERT_OK(be->session->login(&session, be, &bench->cred, bench->pool));
    return session;
}
