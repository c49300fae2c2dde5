/* SPDX-License-Identifier: Apache-2.0 */
#include "command_fixture.h"

#include <stdio.h>
#include "eas_log.h"

char cx_log[65536];

void cx_log_clear(void)
{
    cx_log[0] = '\0';
}

static void sink(void *where, eas_level_t level, const char *line)
{
    size_t n = strlen(cx_log);
    snprintf(cx_log + n, sizeof(cx_log) - n, "%s\n", line);
}

cx_t *cx_create(fx_t *fx, int version)
{
    cx_t *cx = apr_pcalloc(fx->pool, sizeof(*cx));
    eas_keyring_t *ring;

    OK(eas_keyring_random(&ring, fx->pool));
    cx->fx = fx;
    cx->version = version;
    cx->env = (eas_env_t){.be = &fx->be,
                          .store = &fx->store,
                          .cache = fx->cache,
                          .keys = ring,
                          .ceiling = EAS_V161,
                          .max_devices = 3,
                          .max_collections = 3,
                          .response_budget = 1 << 20,
                          .time_budget = apr_time_from_sec(20),
                          .flag_peek = apr_time_from_sec(60),
                          .flag_refresh = apr_time_from_sec(900),
                          .lease_wait = apr_time_from_msec(50),
                          .trace_max = 65536};
    eas_log_sink(sink);
    cx_log_clear();
    return cx;
}

/* ---- text to WBXML ---- */

static const struct {
    const char *prefix, *page;
} pages[] = {{"airsync", "AirSync"},
             {"base", "AirSyncBase"},
             {"email", "Email"},
             {"search", "Search"},
             {"io", "ItemOperations"}};

static eas_tag_t tag_of(const char *name, apr_size_t len, const char *page, apr_pool_t *pool)
{
    char *text = apr_pstrmemdup(pool, name, len), *colon = strchr(text, ':');
    eas_tag_t tag;

    if (colon) {
        *colon = '\0';
        for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
            if (strcmp(pages[i].prefix, text) == 0)
                page = pages[i].page;
        text = colon + 1;
    }
    tag = eas_tag_lookup(page, text);
    if (!tag)
        fail_msg("no tag %s on page %s", text, page);
    return tag;
}

/* The key that the phone has of a collection. */
static char *key_of(cx_t *cx, const char *cid, apr_size_t len)
{
    for (int i = 0; i < cx->nkeys; i++)
        if (strncmp(cx->keys[i][0], cid, len) == 0 && !cx->keys[i][0][len])
            return cx->keys[i][1];
    assert_true(cx->nkeys < 8);
    apr_cpystrn(cx->keys[cx->nkeys][0], cid, len + 1);
    memcpy(cx->keys[cx->nkeys][1], "0", 2);
    return cx->keys[cx->nkeys++][1];
}

eas_span_t cx_document(cx_t *cx, eas_cmd_t cmd, const char *xml)
{
    apr_pool_t *pool = cx->fx->pool;
    const char *page = eas_tag_page_name(eas_cmd_root(cmd));
    eas_writer_t *w = eas_writer_create(pool);
    eas_tag_t open[64];
    eas_span_t out;
    int depth = 0;

    while (*xml) {
        const char *end;
        if (xml[0] == '<' && xml[1] == '/') {
            eas_w_close(w);
            depth--;
            xml = strchr(xml, '>') + 1;
        } else if (xml[0] == '<') {
            end = strchr(xml, '>');
            if (end[-1] == '/') {
                eas_w_empty(w, tag_of(xml + 1, (apr_size_t)(end - xml - 2), page, pool));
                xml = end + 1;
                continue;
            }
            open[depth] = tag_of(xml + 1, (apr_size_t)(end - xml - 1), page, pool);
            xml = end + 1;
            if (*xml == '<' && xml[1] != '/') {
                eas_w_open(w, open[depth++]);
                continue;
            }
            end = strchr(xml, '<'); /* text, or nothing */
            const char *text = apr_pstrmemdup(pool, xml, (apr_size_t)(end - xml));
            if (text[0] == '{' && text[strlen(text) - 1] == '}')
                text = key_of(cx, text + 1, strlen(text) - 2);
            eas_w_str(w, open[depth], text);
            xml = strchr(end, '>') + 1;
        } else {
            fail_msg("text at %s", xml);
        }
    }
    assert_int_equal(depth, 0);
    OK(eas_w_finish(&out, w));
    return out;
}

/* ---- WBXML to text ---- */

static void put(apr_array_header_t *out, const eas_node_t *n, apr_pool_t *pool)
{
    const char *name = eas_tag_name(n->tag);

    if (!n->first && !n->data) {
        APR_ARRAY_PUSH(out, const char *) = apr_psprintf(pool, "<%s/>", name);
        return;
    }
    APR_ARRAY_PUSH(out, const char *) = apr_psprintf(pool, "<%s>", name);
    if (n->data)
        APR_ARRAY_PUSH(out, const char *) = apr_pstrmemdup(pool, n->data, n->len);
    for (const eas_node_t *c = n->first; c; c = c->next)
        put(out, c, pool);
    APR_ARRAY_PUSH(out, const char *) = apr_psprintf(pool, "</%s>", name);
}

const char *cx_text(const eas_node_t *root, apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, 64, sizeof(const char *));

    put(out, root, pool);
    return apr_array_pstrcat(pool, out, 0);
}

/* Keeps the keys of an answer and writes signs in their place. */
static void take_keys(cx_t *cx, eas_node_t *root)
{
    eas_node_t *cols = eas_node_child(root, EAS_AIRSYNC_COLLECTIONS);

    for (eas_node_t *c = eas_node_child(cols, EAS_AIRSYNC_COLLECTION); c;
         c = eas_node_next(c, EAS_AIRSYNC_COLLECTION)) {
        eas_node_t *key = eas_node_child(c, EAS_AIRSYNC_SYNCKEY);
        const char *cid = eas_node_child_str(c, EAS_AIRSYNC_COLLECTIONID, cx->fx->pool);
        const char *text = eas_node_str(key, cx->fx->pool);
        assert_non_null(cid);
        assert_non_null(text);
        char *mine = key_of(cx, cid, strlen(cid));
        key->data = strcmp(text, "0") == 0 ? "0" : strcmp(text, mine) == 0 ? "{same}" : "{k}";
        key->len = strlen(key->data);
        apr_cpystrn(mine, text, 80);
    }
}

const char *cx_run(cx_t *cx, eas_cmd_t cmd, const char *xml)
{
    apr_pool_t *pool = cx->fx->pool;
    eas_node_t *root;
    eas_req_t req = {.pool = pool,
                     .cmd = cmd,
                     .cmd_name = eas_cmd_name(cmd),
                     .version = cx->version,
                     .device_id = cx->fx->device,
                     .device_type = "iPhone",
                     .user_agent = "test/1",
                     .trace = cx->trace,
                     .accept_multipart = cx->multipart,
                     .attachment_name = cx->attachment};

    if (xml)
        req.body = cx_document(cx, cmd, xml);
    memset(&cx->resp, 0, sizeof(cx->resp));
    cx->resp.headers = apr_table_make(pool, 4);
    eas_command_run(&cx->resp, &req, &cx->env, cx->fx->session);
    if (cx->resp.http_status != 200)
        return apr_psprintf(pool, "HTTP %d", cx->resp.http_status);
    if (!cx->resp.body.len)
        return "";
    if (strcmp(cx->resp.content_type, EAS_WBXML_TYPE) != 0)
        return apr_pstrmemdup(pool, cx->resp.body.data, cx->resp.body.len);
    OK(eas_wbxml_read(&root, cx->resp.body.data, cx->resp.body.len, &eas_wbxml_limits, pool));
    assert_int_equal(root->tag, eas_cmd_root(cmd));
    if (cmd == EAS_CMD_SYNC)
        take_keys(cx, root);
    return cx_text(root, pool);
}

const char *cx_sync(cx_t *cx, const char *collections)
{
    return cx_run(cx, EAS_CMD_SYNC,
                  apr_pstrcat(cx->fx->pool, "<Sync><Collections>", collections,
                              "</Collections></Sync>", NULL));
}

void cx_folders(cx_t *cx)
{
    cx_has(cx_run(cx, EAS_CMD_FOLDERSYNC, "<FolderSync><SyncKey>0</SyncKey></FolderSync>"),
           "<FolderSync><Status>1</Status>");
}

void cx_start(cx_t *cx, const char *cid)
{
    memcpy(key_of(cx, cid, strlen(cid)), "0", 2);
    cx_has(cx_sync(cx, apr_psprintf(cx->fx->pool, "<Collection><SyncKey>0</SyncKey><CollectionId>%s"
                                                  "</CollectionId></Collection>", cid)),
           "<Status>1</Status>");
}

void cx_quiet(cx_t *cx, const char *cid)
{
    const char *xml = apr_psprintf(cx->fx->pool,
                                   "<Collection><SyncKey>{%s}</SyncKey><CollectionId>%s"
                                   "</CollectionId></Collection>",
                                   cid, cid);
    for (int i = 0; i < 50; i++) {
        const char *answer = cx_sync(cx, xml);
        if (!*answer || strstr(answer, "{same}"))
            return;
        cx_has(answer, "<Status>1</Status>");
    }
    fail_msg("not quiet");
}

int cx_count(const char *answer, const char *part)
{
    int n = 0;

    for (; (answer = strstr(answer, part)); answer++)
        n++;
    return n;
}

void cx_has(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("no '%s' in: %s", part, answer);
}

void cx_lacks(const char *answer, const char *part)
{
    if (strstr(answer, part))
        fail_msg("'%s' in: %s", part, answer);
}
