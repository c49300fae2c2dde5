/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the OX HTTP API that costs nearly nothing: computed mails, one thread, epoll. It
 * knows the calls that a syncing phone causes, accepts every login, and counts. For correctness
 * there is t/sandbox; this one is for figures.
 *
 *     bench_backend          prints "api PORT control PORT", ends when its standard input ends
 *
 * Control port, plain GET, answers JSON:
 *     /counters              {"calls":n,"unknown":n,"bytes":n}; calls are API requests
 *     /reset                 counters to zero
 *     /add?folder=F          a mail arrives
 *     /toggle?folder=F&id=N  changes read to unread and back
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench_mails.h"

enum { MAX_REQUEST = 1024 * 1024, MAX_EVENTS = 64, MAX_COLUMNS = 16, MAX_VALUE = 512 };

typedef struct conn_t {
    int fd, listening, control;
    bench_out_t in, out;
    size_t sent;
} conn_t;

typedef struct request_t {
    const char *method, *path, *query, *body;
    size_t body_len;
} request_t;

static struct {
    uint64_t calls, unknown, bytes;
} counters;

static int poller;

/* ---- small tools ----------------------------------------------------------------------------- */

static uint32_t number_of(const char *text)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    return text && *text && !*end && n < UINT32_MAX ? (uint32_t)n : 0;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* The value of a query parameter, decoded; NULL when it is not there or too long. */
static const char *parameter(const request_t *request, const char *name, char value[MAX_VALUE])
{
    size_t len = strlen(name), n = 0;
    for (const char *s = request->query; s && *s; s += *s == '&') {
        const char *end = s + strcspn(s, "&");
        if ((size_t)(end - s) > len && strncmp(s, name, len) == 0 && s[len] == '=') {
            for (s += len + 1; s < end; s++) {
                if (n == MAX_VALUE - 1)
                    return NULL;
                if (*s == '%' && end - s > 2 && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
                    value[n++] = (char)(hex(s[1]) << 4 | hex(s[2]));
                    s += 2;
                } else {
                    value[n++] = *s == '+' ? ' ' : *s;
                }
            }
            value[n] = '\0';
            return value;
        }
        s = end;
    }
    return NULL;
}

static int is(const char *text, const char *other)
{
    return text && strcmp(text, other) == 0;
}

/* ---- the API --------------------------------------------------------------------------------- */

static void fail(bench_out_t *out, const char *code, int category)
{
    bench_putf(out,
               "{\"error\":\"bench\",\"error_params\":[],\"categories\":\"ERROR\",\"category\":%d,"
               "\"code\":\"%s\",\"error_id\":\"bench-1\",\"error_desc\":\"bench\"}",
               category, code);
}

static void unknown(bench_out_t *out, const char *what)
{
    counters.unknown++;
    fprintf(stderr, "bench_backend: unknown call: %s\n", what ? what : "");
    fail(out, "SVL-0001", 1);
}

static void answer_login(bench_out_t *out)
{
    static unsigned session;
    bench_putf(out, "{\"session\":\"bench%08x\",\"user\":\"bench\",\"user_id\":3,\"context_id\":1,"
               "\"locale\":\"en_US\"}", ++session);
}

static void answer_folders(bench_out_t *out)
{
    const bench_folder_t *folders = bench_folders();
    bench_putf(out,
               "{\"data\":{\"private\":[[\"default0\",\"1\",\"E-Mail\",\"mail\",true,64,true,0,"
               "{\"value\":\"true\",\"protected\":\"false\"}]");
    for (int i = 0; i < BENCH_FOLDERS; i++)
        bench_putf(out, ",[\"%s\",\"default0\",\"%s\",\"mail\",false,403710016,true,%d,"
                   "{\"value\":\"true\",\"protected\":\"false\"}]", folders[i].id, folders[i].title,
                   folders[i].type);
    bench_putf(out, "]},\"timestamp\":1772452800000}");
}

static void answer_examine(bench_out_t *out, const bench_folder_t *folder)
{
    bench_putf(out, "{\"data\":{\"validity\":1700000000,\"total\":%u,\"unread\":%u,\"next\":%u}}",
               folder->total, folder->unread, folder->next);
}

static void answer_all(bench_out_t *out, const request_t *request, const bench_folder_t *folder)
{
    char value[MAX_VALUE], *save = NULL;
    int columns[MAX_COLUMNS], n = 0;
    uint32_t limit = number_of(parameter(request, "limit", value)), shown = 0;

    if (!parameter(request, "columns", value)) {
        unknown(out, request->query);
        return;
    }
    for (char *s = strtok_r(value, ",", &save); s && n < MAX_COLUMNS;
         s = strtok_r(NULL, ",", &save))
        columns[n++] = (int)number_of(s);
    bench_put(out, "{\"data\":[", 9);
    for (uint32_t uid = folder->next - 1; uid > 0 && (!limit || shown < limit); uid--) {
        if (!bench_has(folder, uid))
            continue;
        if (shown++)
            bench_put(out, ",", 1);
        bench_put(out, "[", 1);
        for (int i = 0; i < n; i++) {
            if (i)
                bench_put(out, ",", 1);
            if (!bench_column(out, folder, uid, columns[i])) {
                counters.unknown++;
                bench_put(out, "null", 4);
            }
        }
        bench_put(out, "]", 1);
    }
    bench_put(out, "]}", 2);
}

static void answer_get(bench_out_t *out, const bench_folder_t *folder, uint32_t uid)
{
    if (!folder || !bench_has(folder, uid)) {
        fail(out, "MSG-0032", 1);
        return;
    }
    bench_put(out, "{\"data\":", 8);
    bench_object(out, folder, uid);
    bench_put(out, "}", 1);
}

static void answer_update(bench_out_t *out, bench_folder_t *folder, uint32_t uid,
                          const json_t *body)
{
    if (!folder || !bench_has(folder, uid)) {
        fail(out, "MSG-0032", 1);
        return;
    }
    bench_set_flags(folder, uid, (unsigned)json_integer_value(json_object_get(body, "set_flags")),
                    (unsigned)json_integer_value(json_object_get(body, "clear_flags")));
    bench_putf(out, "{\"data\":{\"folder_id\":\"%s\",\"id\":\"%u\"}}", folder->id, uid);
}

static void answer_delete(bench_out_t *out, const json_t *items)
{
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        bench_folder_t *folder = bench_folder(json_string_value(json_object_get(item, "folder")));
        if (folder)
            bench_remove(folder, number_of(json_string_value(json_object_get(item, "id"))));
    }
    bench_putf(out, "{\"data\":[]}");
}

static void answer_part(bench_out_t *out, const json_t *part)
{
    const char *module = json_string_value(json_object_get(part, "module"));
    const char *action = json_string_value(json_object_get(part, "action"));
    bench_folder_t *folder = bench_folder(json_string_value(json_object_get(part, "folder")));
    uint32_t uid = number_of(json_string_value(json_object_get(part, "id")));

    if (!is(module, "mail"))
        unknown(out, module);
    else if (is(action, "get"))
        answer_get(out, folder, uid);
    else if (is(action, "update"))
        answer_update(out, folder, uid, json_object_get(part, "data"));
    else if (is(action, "delete"))
        answer_delete(out, json_object_get(part, "data"));
    else if (is(action, "examine") && folder)
        answer_examine(out, folder);
    else
        unknown(out, action);
}

static void answer_multiple(bench_out_t *out, const json_t *parts)
{
    size_t i;
    json_t *part;
    bench_put(out, "[", 1);
    json_array_foreach (parts, i, part) {
        if (i)
            bench_put(out, ",", 1);
        answer_part(out, part);
    }
    bench_put(out, "]", 1);
}

static void answer_mail(bench_out_t *out, const char **type, const request_t *request,
                        const char *action, const json_t *body)
{
    char name[MAX_VALUE], id[MAX_VALUE], src[MAX_VALUE];
    bench_folder_t *folder = bench_folder(parameter(request, "folder", name));
    uint32_t uid = number_of(parameter(request, "id", id));

    if (is(action, "delete"))
        answer_delete(out, body);
    else if (!folder)
        fail(out, "IMAP-1002", 1);
    else if (is(action, "examine"))
        answer_examine(out, folder);
    else if (is(action, "all"))
        answer_all(out, request, folder);
    else if (is(action, "get") && parameter(request, "src", src) && bench_has(folder, uid)) {
        *type = "application/octet-stream";
        bench_source(out, folder, uid);
    } else if (is(action, "get"))
        answer_get(out, folder, uid);
    else if (is(action, "update"))
        answer_update(out, folder, uid, body);
    else
        unknown(out, request->query);
}

static void answer_api(bench_out_t *out, const char **type, const request_t *request)
{
    char action[MAX_VALUE] = "";
    json_t *body = request->body_len && *request->method == 'P'
                       ? json_loadb(request->body, request->body_len, 0, NULL) : NULL;

    counters.calls++;
    parameter(request, "action", action);
    if (is(request->path, "/ajax/login"))
        is(action, "login") ? answer_login(out) : (void)bench_putf(out, "{}");
    else if (is(request->path, "/ajax/folders") && is(action, "allVisible"))
        answer_folders(out);
    else if (is(request->path, "/ajax/mail"))
        answer_mail(out, type, request, action, body);
    else if (is(request->path, "/ajax/multiple"))
        answer_multiple(out, body);
    else if (is(request->path, "/ajax/capabilities"))
        bench_putf(out, "{\"data\":{\"id\":\"active_sync\"}}");
    else if (is(request->path, "/ajax/user/me"))
        bench_putf(out, "{\"data\":{\"context_id\":1,\"user_id\":3}}");
    else
        unknown(out, request->path);
    json_decref(body);
}

static void answer_control(bench_out_t *out, const request_t *request)
{
    char name[MAX_VALUE], id[MAX_VALUE];
    bench_folder_t *folder = bench_folder(parameter(request, "folder", name));
    uint32_t uid = number_of(parameter(request, "id", id));

    if (is(request->path, "/counters")) {
        bench_putf(out, "{\"calls\":%llu,\"unknown\":%llu,\"bytes\":%llu}",
                   (unsigned long long)counters.calls, (unsigned long long)counters.unknown,
                   (unsigned long long)counters.bytes);
    } else if (is(request->path, "/reset")) {
        memset(&counters, 0, sizeof(counters));
        bench_putf(out, "{}");
    } else if (is(request->path, "/add") && folder) {
        bench_putf(out, "{\"id\":%u}", bench_add(folder));
    } else if (is(request->path, "/toggle") && folder && bench_has(folder, uid)) {
        int seen = folder->flags[uid] & BENCH_SEEN;
        bench_set_flags(folder, uid, seen ? 0 : BENCH_SEEN, seen ? BENCH_SEEN : 0);
        bench_putf(out, "{}");
    } else {
        bench_putf(out, "{\"error\":\"no such control call\"}");
    }
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static void respond(conn_t *c, const request_t *request)
{
    static bench_out_t body;
    const char *type = "application/json; charset=UTF-8";
    body.len = 0;
    if (c->control)
        answer_control(&body, request);
    else
        answer_api(&body, &type, request);
    bench_putf(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", type,
               body.len);
    if (!c->control && is(request->path, "/ajax/login"))
        bench_putf(&c->out, "Set-Cookie: JSESSIONID=1234567890.bench1; Path=/; HttpOnly\r\n"
                   "Set-Cookie: open-xchange-secret-Abc123=0123456789abcdef; Path=/; HttpOnly\r\n");
    bench_put(&c->out, "\r\n", 2);
    bench_put(&c->out, body.data, body.len);
    if (!c->control)
        counters.bytes += body.len;
}

static size_t content_length(const char *head)
{
    for (const char *s = strstr(head, "\r\n"); s; s = strstr(s + 2, "\r\n"))
        if (strncasecmp(s + 2, "Content-Length:", 15) == 0) {
            const char *digits = s + 17 + strspn(s + 17, " ");
            return (size_t)strtoul(digits, NULL, 10);
        }
    return 0;
}

/* Takes one whole request from the input; 0 when there is none yet, -1 when it is none of ours. */
static int take(conn_t *c)
{
    request_t request;
    bench_put(&c->in, "", 1);
    c->in.len--;
    char *head = c->in.data, *end = strstr(head, "\r\n\r\n");
    if (!end)
        return c->in.len > MAX_REQUEST ? -1 : 0;
    size_t head_len = (size_t)(end - head) + 4, body_len = content_length(head);
    if (body_len > MAX_REQUEST)
        return -1;
    if (c->in.len < head_len + body_len)
        return 0;
    char *path = strchr(head, ' '), *space = path ? strchr(path + 1, ' ') : NULL;
    if (!space)
        return -1;
    *path++ = *space = '\0';
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    request = (request_t){head, path, query, head + head_len, body_len};
    respond(c, &request);
    c->in.len -= head_len + body_len;
    memmove(head, head + head_len + body_len, c->in.len);
    return 1;
}

static void watch(conn_t *c, int operation, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event))
        abort();
}

static void drop(conn_t *c)
{
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

static int flush(conn_t *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return 0;
        }
        if (n < 0)
            return -1;
        c->sent += (size_t)n;
    }
    if (c->out.len)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    c->sent = c->out.len = 0;
    return 0;
}

static void serve(conn_t *c)
{
    char data[65536];
    ssize_t n;
    int taken = 1;
    while ((n = recv(c->fd, data, sizeof(data), 0)) > 0)
        bench_put(&c->in, data, (size_t)n);
    while (c->in.len && (taken = take(c)) > 0)
        ;
    if (taken < 0 || n == 0 || (n < 0 && errno != EAGAIN) || flush(c))
        drop(c);
}

static void welcome(const conn_t *listener)
{
    int one = 1, fd = accept(listener->fd, NULL, NULL);
    if (fd < 0)
        return;
    conn_t *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->fd = fd;
    c->control = listener->control;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static unsigned listen_on(conn_t *c, int control)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *c = (conn_t){.fd = socket(AF_INET, SOCK_STREAM, 0), .listening = 1, .control = control};
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, len) || listen(c->fd, 64)
        || getsockname(c->fd, (struct sockaddr *)&address, &len)) {
        perror("bench_backend");
        exit(1);
    }
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
    return ntohs(address.sin_port);
}

int main(void)
{
    static conn_t api, control, input = {.fd = 0};
    struct epoll_event events[MAX_EVENTS];

    poller = epoll_create1(EPOLL_CLOEXEC);
    bench_folders();
    unsigned api_port = listen_on(&api, 0), control_port = listen_on(&control, 1);
    printf("api %u control %u\n", api_port, control_port);
    fflush(stdout);
    watch(&input, EPOLL_CTL_ADD, EPOLLIN | EPOLLHUP);
    for (;;) {
        int n = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            conn_t *c = events[i].data.ptr;
            if (c == &input)
                return 0;
            if (c->listening)
                welcome(c);
            else
                serve(c);
        }
    }
}
