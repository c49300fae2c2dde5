/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "command_fixture.h"

#define COL(key, cid, rest)                                                                        \
    "<Collection><SyncKey>" key "</SyncKey><CollectionId>" cid "</CollectionId>" rest              \
    "</Collection>"

static cx_t *inbox(fx_t *fx, int version)
{
    cx_t *cx = cx_create(fx, version);

    fx_deliver_many(fx, fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX), 2, 60);
    return cx;
}

static const char *folders(cx_t *cx, const char *key)
{
    return cx_run(cx, EAS_CMD_FOLDERSYNC,
                  apr_psprintf(cx->fx->pool,
                               "<FolderSync><SyncKey>%s</SyncKey>"
                               "</FolderSync>",
                               key));
}

/* The connection of the phone: closed or not. */
static int connection_closed;

static int gone(void *log)
{
    return connection_closed;
}

static const char *raw(cx_t *cx, eas_cmd_t cmd, const char *body, apr_size_t len)
{
    eas_node_t *root;
    eas_req_t req = {.pool = cx->fx->pool, .cmd = cmd, .cmd_name = eas_cmd_name(cmd),
                     .version = cx->version, .device_id = cx->fx->device, .device_type = "t",
                     .gone = gone, .body = {body, len}};

    memset(&cx->resp, 0, sizeof(cx->resp));
    cx->resp.headers = apr_table_make(cx->fx->pool, 4);
    eas_command_run(&cx->resp, &req, &cx->env, cx->fx->session);
    if (cx->resp.http_status != 200)
        return apr_psprintf(cx->fx->pool, "HTTP %d", cx->resp.http_status);
    OK(eas_wbxml_read(&root, cx->resp.body.data, cx->resp.body.len, &eas_wbxml_limits,
                      cx->fx->pool));
    return cx_text(root, cx->fx->pool);
}

static void the_hierarchy_in_order(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);
    const char *answer = folders(cx, "0"), *key;

    cx_has(answer, "<FolderSync><Status>1</Status><SyncKey>{");
    cx_has(answer,
           "</SyncKey><Changes><Count>1</Count><Add><ServerId>2</ServerId><ParentId>0</ParentId>"
           "<DisplayName>Inbox</DisplayName><Type>2</Type></Add></Changes></FolderSync>");
    assert_non_null(apr_table_get(cx->resp.headers, "MS-ASProtocolCommands"));
    key = strstr(answer, "<SyncKey>") + 9;
    key = apr_pstrmemdup(fx->pool, key, (apr_size_t)(strchr(key, '<') - key));
    assert_string_equal(folders(cx, key),
                        apr_psprintf(fx->pool,
                                     "<FolderSync><Status>1</Status><SyncKey>%s</SyncKey>"
                                     "<Changes><Count>0</Count></Changes></FolderSync>",
                                     key));
    assert_null(apr_table_get(cx->resp.headers, "MS-ASProtocolCommands"));
    assert_string_equal(folders(cx, "{00000000-0000-4000-8000-000000000000}1"),
                        "<FolderSync><Status>9</Status></FolderSync>");
    assert_string_equal(folders(cx, ""), "<FolderSync><Status>10</Status></FolderSync>");
    assert_string_equal(cx_run(cx, EAS_CMD_FOLDERSYNC, "<FolderSync/>"),
                        "<FolderSync><Status>10</Status></FolderSync>");
}

static void errors_of_the_backend_in_foldersync(void **state)
{
    static const struct {
        eas_kind_t kind;
        const char *answer;
    } cases[] = {{EAS_E_UNAVAILABLE, "HTTP 503"},
                 {EAS_E_CREDENTIALS, "HTTP 401"},
                 {EAS_E_INTERNAL, "<FolderSync><Status>6</Status></FolderSync>"},
                 {EAS_E_PERMISSION, "<FolderSync><Status>6</Status></FolderSync>"}};
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fx->fail_in = 1;
        fx->fail_kind = cases[i].kind;
        cx_log_clear();
        assert_string_equal(folders(cx, "0"), cases[i].answer);
        assert_int_equal(cx_count(cx_log, "\n"), 1); /* said once, with its story */
        cx_has(cx_log, "cannot list the folders");
    }
}

static void a_device_too_many(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);

    cx->env.max_devices = 1;
    cx_folders(cx);
    fx->device = "second";
    assert_string_equal(folders(cx, "0"), "<FolderSync><Status>177</Status></FolderSync>");
    cx->version = EAS_V120;
    assert_string_equal(folders(cx, "0"), "HTTP 403");
}

static void bodies_that_are_none(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);

    assert_string_equal(raw(cx, EAS_CMD_FOLDERSYNC, NULL, 0),
                        "<FolderSync><Status>101</Status></FolderSync>");
    assert_string_equal(raw(cx, EAS_CMD_FOLDERSYNC, "\x03\x01\x6a\x00\xff", 5),
                        "<FolderSync><Status>102</Status></FolderSync>");
    assert_string_equal(raw(cx, EAS_CMD_SYNC, "<xml/>", 6), "<Sync><Status>102</Status></Sync>");
    /* the document of another command */
    eas_span_t other = cx_document(cx, EAS_CMD_SYNC, "<Sync/>");
    assert_string_equal(raw(cx, EAS_CMD_FOLDERSYNC, other.data, other.len),
                        "<FolderSync><Status>103</Status></FolderSync>");
    cx->version = EAS_V121;
    assert_string_equal(raw(cx, EAS_CMD_FOLDERSYNC, NULL, 0), "HTTP 400");
    assert_string_equal(raw(cx, EAS_CMD_FOLDERSYNC, "\x03\x01\x6a\x00\xff", 5), "HTTP 400");
}

static void commands_that_are_not_offered(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);
    const char *offered = eas_commands_offered(&cx->env, fx->pool);

    assert_true(offered[EAS_CMD_SYNC] && offered[EAS_CMD_FOLDERSYNC] &&
                offered[EAS_CMD_ITEMOPERATIONS]);
    assert_false(offered[EAS_CMD_PING] || offered[EAS_CMD_SENDMAIL]);
    cx->version = EAS_V121;
    assert_string_equal(raw(cx, EAS_CMD_PING, NULL, 0), "HTTP 501");
    cx->version = EAS_V25; /* ItemOperations came with 12.0 */
    assert_string_equal(raw(cx, EAS_CMD_ITEMOPERATIONS, NULL, 0), "HTTP 501");
    cx->version = EAS_V141; /* GetAttachment went with 14.0 */
    raw(cx, EAS_CMD_GETATTACHMENT, NULL, 0);
    assert_int_equal(fx->calls.source, 0);
    fx->be.mail = NULL; /* a backend without mail */
    offered = eas_commands_offered(&cx->env, fx->pool);
    assert_false(offered[EAS_CMD_SYNC]);
    assert_true(offered[EAS_CMD_FOLDERSYNC]);
}

static void the_trace_masks_and_is_cut(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141);

    fx_mail(fx_find_folder(fx, "in"), 1)->source =
        "From: a@example.org\r\nSubject: dinner\r\n\r\nthe secret word is rosebud\n\r\n";
    cx_folders(cx);
    cx_start(cx, "2");
    cx_log_clear();
    cx_sync(cx, COL("{2}", "2", ""));
    assert_string_equal(cx_log, ""); /* only when asked for */
    cx_start(cx, "2");
    cx->trace = 1;
    cx_log_clear();
    cx_has(cx_sync(cx, COL("{2}", "2", "")), "rosebud");
    cx_has(cx_log, "trace: request Sync, version 14.1");
    cx_has(cx_log, "CollectionId");
    cx_has(cx_log, "trace: answer to Sync, HTTP 200");
    cx_has(cx_log, "ServerId");
    cx_lacks(cx_log, "rosebud");
    cx->env.trace_max = 200;
    cx_start(cx, "2");
    cx_log_clear();
    cx_sync(cx, COL("{2}", "2", ""));
    assert_true(strlen(cx_log) < 1500);
}

/* A request that waits for the lease of another one. */
typedef struct waiter_t {
    cx_t *cx;
    eas_span_t body;
    const char *answer;
} waiter_t;

static void *ask(void *data)
{
    waiter_t *w = data;
    w->answer = raw(w->cx, EAS_CMD_FOLDERSYNC, w->body.data, w->body.len);
    return NULL;
}

static const char *ask_while_busy(cx_t *cx)
{
    waiter_t w = {cx, cx_document(cx, EAS_CMD_FOLDERSYNC,
                                  "<FolderSync><SyncKey>0</SyncKey></FolderSync>"), NULL};
    apr_pool_t *pool;
    eas_state_t *st;
    pthread_t thread;

    cx->env.lease_wait = apr_time_from_sec(10);
    apr_pool_create(&pool, NULL);
    OK(eas_state_open(&st, &cx->fx->cfg, &cx->fx->who, cx->fx->device, pool));
    assert_int_equal(pthread_create(&thread, NULL, ask, &w), 0);
    apr_sleep(apr_time_from_msec(200));
    eas_state_close(st);
    pthread_join(thread, NULL);
    apr_pool_destroy(pool);
    return w.answer;
}

static void a_phone_that_went_away_while_it_waited_is_not_served(void **state)
{
    cx_t *cx = inbox(*state, EAS_V141);

    connection_closed = 1;
    assert_string_equal(ask_while_busy(cx), "HTTP 503");
    assert_int_equal(cx->fx->calls.puts, 0); /* and its state is where it was */
    connection_closed = 0;
    cx_has(ask_while_busy(cx), "<Status>1</Status>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(the_hierarchy_in_order),
        FX_TEST(errors_of_the_backend_in_foldersync),
        FX_TEST(a_device_too_many),
        FX_TEST(bodies_that_are_none),
        FX_TEST(commands_that_are_not_offered),
        FX_TEST(the_trace_masks_and_is_cut),
        FX_TEST(a_phone_that_went_away_while_it_waited_is_not_served),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
