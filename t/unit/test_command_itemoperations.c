/* SPDX-License-Identifier: Apache-2.0 */
#include "command_fixture.h"

#define FETCH(rest) "<Fetch><Store>Mailbox</Store>" rest "</Fetch>"
#define ITEM(id)                                                                                   \
    "<airsync:CollectionId>2</airsync:CollectionId><airsync:ServerId>" id "</airsync:ServerId>"
#define COL(key, cid, rest)                                                                        \
    "<Collection><SyncKey>" key "</SyncKey><CollectionId>" cid "</CollectionId>" rest              \
    "</Collection>"

static const char with_attachment[] =
    "From: a@example.org\r\nSubject: pictures\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n"
    "--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; "
    "filename=a.txt\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--b--\r\n";

/* Mail 2 has an attachment of the bytes 0123456789; *ref is its FileReference. */
static cx_t *inbox(fx_t *fx, int version, const char **ref)
{
    cx_t *cx = cx_create(fx, version);
    fx_folder_t *in = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    const char *answer, *at;

    fx_deliver_many(fx, in, 3, 60);
    fx_mail(in, 2)->source = with_attachment;
    cx_folders(cx);
    cx_start(cx, "2");
    answer = cx_sync(cx, COL("{2}", "2", ""));
    at = strstr(answer, "<FileReference>");
    if (!at)
        fail_msg("no attachment in %s", answer);
    at += strlen("<FileReference>");
    *ref = apr_pstrmemdup(fx->pool, at, (apr_size_t)(strchr(at, '<') - at));
    return cx;
}

static const char *run(cx_t *cx, const char *operations)
{
    return cx_run(
        cx, EAS_CMD_ITEMOPERATIONS,
        apr_pstrcat(cx->fx->pool, "<ItemOperations>", operations, "</ItemOperations>", NULL));
}

static const char *run_ref(cx_t *cx, const char *ref, const char *options)
{
    return run(cx, apr_pstrcat(cx->fx->pool, "<Fetch><Store>Mailbox</Store><base:FileReference>",
                               ref, "</base:FileReference>", options, "</Fetch>", NULL));
}

static void a_mail(void **state)
{
    fx_t *fx = *state;
    const char *ref, *answer;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    answer = run(cx, FETCH(ITEM("2:1")));
    cx_has(answer,
           "<ItemOperations><Status>1</Status><Response><Fetch><Status>1</Status><CollectionId>2"
           "</CollectionId><ServerId>2:1</ServerId><Class>Email</Class><Properties>");
    cx_has(answer, "<Data>text of 1");
    answer = run(cx, FETCH(ITEM("2:1") "<Options><Schema><email:Subject/></Schema></Options>"));
    cx_has(answer, "<Properties><Subject>mail 1</Subject></Properties>");
}

static void items_that_are_not_there(void **state)
{
    fx_t *fx = *state;
    const char *ref;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    cx_has(run(cx, FETCH(ITEM("2:99"))),
           "<Fetch><Status>6</Status><CollectionId>2</CollectionId><ServerId>"
           "2:99</ServerId></Fetch>");
    cx_has(run(cx, FETCH(ITEM("5:1"))), "<Fetch><Status>6</Status>");
    cx_has(run(cx, FETCH("<airsync:CollectionId>77</airsync:CollectionId><airsync:ServerId>77:1"
                         "</airsync:ServerId>")),
           "<Fetch><Status>6</Status>");
    cx_has(run(cx, FETCH("<search:LongId>abc</search:LongId>")),
           "<Fetch><Status>6</Status><LongId>abc</LongId></Fetch>");
    cx_has(run(cx, "<Fetch><Store>Attic</Store>" ITEM("2:1") "</Fetch>"),
           "<Fetch><Status>9</Status>");
}

static void what_the_backend_says_of_one_item(void **state)
{
    static const struct {
        eas_kind_t kind;
        const char *status;
    } cases[] = {{EAS_E_PERMISSION, "<Status>16</Status>"},
                 {EAS_E_TOO_LARGE, "<Status>11</Status>"},
                 {EAS_E_INVALID, "<Status>14</Status>"},
                 {EAS_E_INTERNAL, "<Status>3</Status>"},
                 {EAS_E_NOT_FOUND, "<Status>6</Status>"}};
    fx_t *fx = *state;
    const char *ref, *answer;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fx_mail(fx_find_folder(fx, "in"), 1)->broken = cases[i].kind;
        answer = run(cx, FETCH(ITEM("2:1")) FETCH(ITEM("2:3")));
        cx_has(answer, apr_psprintf(fx->pool, "<Response><Fetch>%s", cases[i].status));
        cx_has(answer, "<ServerId>2:3</ServerId><Class>Email</Class>");
    }
    fx->fail_in = 1;
    assert_string_equal(run(cx, FETCH(ITEM("2:3"))), "HTTP 503");
}

static void broken_requests_are_status_2_alone(void **state)
{
    static const char *const bad[] = {
        "",
        "<Response/>",
        "<Fetch>" ITEM("2:1") "</Fetch>",
        FETCH(
            "<base:FileReference>a</base:FileReference><base:FileReference>b</base:FileReference>"),
        FETCH("<base:FileReference>a</base:FileReference><Options><airsync:MIMESupport>2"
              "</airsync:MIMESupport></Options>"),
        FETCH("<base:FileReference>a</base:FileReference><Options><Range></Range></Options>"),
        FETCH("<base:FileReference>a</base:FileReference><Options><Range>5-2</Range></Options>"),
        FETCH("<base:FileReference>a</base:FileReference><Options><Range>-2</Range></Options>"),
    };
    fx_t *fx = *state;
    const char *ref;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *answer = run(cx, bad[i]);
        if (strcmp(answer, "<ItemOperations><Status>2</Status></ItemOperations>") != 0)
            fail_msg("%s: %s", bad[i], answer);
    }
    const char *many = "";
    for (int i = 0; i < 101; i++)
        many = apr_pstrcat(fx->pool, many, FETCH(ITEM("2:1")), NULL);
    assert_string_equal(run(cx, many), "<ItemOperations><Status>103</Status></ItemOperations>");
}

static void attachments_whole_and_in_ranges(void **state)
{
    fx_t *fx = *state;
    const char *ref, *answer;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    answer = run_ref(cx, ref, "");
    cx_has(answer, "<Fetch><Status>1</Status><FileReference>");
    cx_has(answer,
           "<Properties><ContentType>text/plain</ContentType><Data>MDEyMzQ1Njc4OQ==</Data>");
    cx_lacks(answer, "<Range>");
    answer = run_ref(cx, ref, "<Options><Range>2-4</Range></Options>");
    cx_has(answer, "<Range>2-4</Range><Total>10</Total>");
    cx_has(answer, "<Data>MjM0</Data>");
    cx_has(run_ref(cx, ref, "<Options><Range>8-99</Range></Options>"), "<Range>8-9</Range>");
    cx_has(run_ref(cx, ref, "<Options><Range>0-18446744073709551615</Range></Options>"),
           "<Range>0-9</Range>");
    cx_has(run_ref(cx, ref, "<Options><Range>10-12</Range></Options>"),
           "<Fetch><Status>8</Status>");
    fx_delete(fx_find_folder(fx, "in"), 2);
    cx_has(run_ref(cx, ref, ""), "<Fetch><Status>15</Status>");
}

static void references_are_good_for_their_user_and_nobody_else(void **state)
{
    fx_t *fx = *state;
    const char *ref;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    for (apr_size_t i = 0; i < strlen(ref); i += 3) {
        char *other = apr_pstrdup(fx->pool, ref);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        cx_has(run_ref(cx, other, ""), "<Fetch><Status>15</Status>");
    }
    cx_has(run_ref(cx, "nonsense", ""), "<Fetch><Status>15</Status>");
    cx_has(run_ref(cx, "", ""), "<Fetch><Status>15</Status>");
    fx->who.user_id = "8";
    cx_folders(cx); /* has an Inbox with such a mail too */
    fx_reset(fx);
    cx_has(run_ref(cx, ref, ""), "<Fetch><Status>15</Status>");
    assert_int_equal(fx->calls.source, 0);
    fx->who.user_id = "7";
    cx_has(run_ref(cx, ref, ""), "<Fetch><Status>1</Status>");
}

static apr_uint32_t number(const cx_t *cx, int i)
{
    const unsigned char *p = (const unsigned char *)cx->resp.body.data + 4 * i;
    return p[0] | (apr_uint32_t)p[1] << 8 | (apr_uint32_t)p[2] << 16 | (apr_uint32_t)p[3] << 24;
}

static void multipart_parts_lie_where_the_head_says(void **state)
{
    fx_t *fx = *state;
    const char *ref, *xml;
    eas_node_t *root;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    cx->multipart = 1;
    run_ref(cx, ref, "</Fetch>" FETCH(ITEM("2:99")) "<Fetch><Store>Mailbox</Store>" ITEM("2:1"));
    assert_string_equal(cx->resp.content_type, EAS_MULTIPART_TYPE);
    assert_true(cx->resp.no_gzip);
    assert_int_equal(number(cx, 0), 3);
    assert_int_equal(number(cx, 1), 4 + 3 * 8);
    OK(eas_wbxml_read(&root, cx->resp.body.data + number(cx, 1), number(cx, 2), &eas_wbxml_limits,
                      fx->pool));
    xml = cx_text(root, fx->pool);
    cx_has(xml, "<ContentType>text/plain</ContentType><Part>1</Part>");
    cx_has(xml, "<Part>2</Part>");
    cx_has(xml, "<Status>6</Status>");
    cx_lacks(xml, "<Data>");
    assert_int_equal(number(cx, 4), 10);
    assert_memory_equal(cx->resp.body.data + number(cx, 3), "0123456789", 10);
    assert_memory_equal(cx->resp.body.data + number(cx, 5), "text of 1", 9);
    assert_int_equal(number(cx, 5) + number(cx, 6), cx->resp.body.len);
}

static void operations_that_are_not_offered_are_answered_each(void **state)
{
    fx_t *fx = *state;
    const char *ref, *answer;
    cx_t *cx = inbox(fx, EAS_V141, &ref);

    answer = run(cx, FETCH(ITEM("2:1")) "<EmptyFolderContents><airsync:CollectionId>4"
                     "</airsync:CollectionId></EmptyFolderContents>");
    cx_has(answer, "<Response><EmptyFolderContents><Status>3</Status><CollectionId>4</CollectionId>"
                   "</EmptyFolderContents><Fetch><Status>1</Status>");
}

static void get_attachment_for_old_phones(void **state)
{
    fx_t *fx = *state;
    const char *ref;
    cx_t *cx = inbox(fx, EAS_V120, &ref);

    cx->attachment = ref;
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "0123456789");
    assert_string_equal(cx->resp.content_type, "text/plain");
    cx->attachment = "nonsense";
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "HTTP 500");
    cx->attachment = NULL;
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "HTTP 500");
    cx->attachment = ref;
    fx->who.user_id = "8";
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "HTTP 500");
    fx->who.user_id = "7";
    fx->fail_in = 1;
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "HTTP 503");
    fx_delete(fx_find_folder(fx, "in"), 2);
    assert_string_equal(cx_run(cx, EAS_CMD_GETATTACHMENT, NULL), "HTTP 500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(a_mail),
        FX_TEST(items_that_are_not_there),
        FX_TEST(what_the_backend_says_of_one_item),
        FX_TEST(broken_requests_are_status_2_alone),
        FX_TEST(attachments_whole_and_in_ranges),
        FX_TEST(references_are_good_for_their_user_and_nobody_else),
        FX_TEST(multipart_parts_lie_where_the_head_says),
        FX_TEST(operations_that_are_not_offered_are_answered_each),
        FX_TEST(get_attachment_for_old_phones),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
