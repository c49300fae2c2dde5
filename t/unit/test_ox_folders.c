/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#define UNKNOWN_ACTION "{\"error\":\"x\",\"code\":\"SVL-0001\",\"category\":8}"

typedef struct listing_t {
    const eas_folder_t *folders;
    int count;
    eas_err_t *err;
} listing_t;

/* The tree as made of these rows of the one call. */
static listing_t list_private(bench_t *bench, const char *rows)
{
    eas_session_t *session = bench_session(bench);
    listing_t l = {0};
    canned_json(bench->server, apr_psprintf(bench->pool, "{\"data\":{\"private\":[%s]}}", rows));
    l.err = bench->be->folders->list(&l.folders, &l.count, session, EAS_CLASS_MAIL, bench->pool);
    return l;
}

/* "title<parent:role" of all, in order. */
static const char *shape(bench_t *bench, listing_t l)
{
    const char *text = "";
    ASSERT_OK(l.err);
    for (int i = 0; i < l.count; i++)
        text = apr_psprintf(bench->pool, "%s%s%s<%s:%d%s", text, i ? " " : "", l.folders[i].id + 9,
                            l.folders[i].parent ? l.folders[i].parent + 9 : "-", l.folders[i].role,
                            l.folders[i].readonly ? "r" : "");
    return text;
}

static void one_call_gives_the_tree_parents_first(void **state)
{
    bench_t *bench = *state;
    listing_t l = list_private(bench,
        "[\"default0/INBOX/B/C\",\"default0/INBOX/B\",\"C\",\"mail\",false,403710016,true,0,null],"
        "[\"default0/INBOX/B\",\"default0/INBOX\",\"B\",\"mail\",true,403710016,true,0,null],"
        "[\"default0\",\"1\",\"E-Mail\",\"mail\",true,4,true,0,null],"
        "[\"default0/INBOX\",\"default0\",\"Posteingang\",\"mail\",true,403710016,true,7,null],"
        "[\"default0/Sent\",\"default0\",\"Sent\",\"mail\",false,403710016,true,10,null],"
        "[\"default0/Trash\",\"default0\",\"Trash\",\"mail\",false,403710016,true,12,null],"
        "[\"default0/Drafts\",\"default0\",\"Drafts\",\"mail\",false,403710016,true,9,null],"
        "[\"default0/Spam\",\"default0\",\"Spam\",\"mail\",false,403710016,true,11,null]");
    assert_string_equal(shape(bench, l),
                        "INBOX<-:1 INBOX/B<INBOX:0 INBOX/B/C<INBOX/B:0 Sent<-:4 Trash<-:3 "
                        "Drafts<-:2 Spam<-:5");
    assert_string_equal(l.folders[0].title, "Posteingang");
    assert_int_equal(l.folders[0].klass, EAS_CLASS_MAIL);
    ASSERT_ASKED(bench, 1, "/ajax/folders?action=allVisible&content_type=mail"
                 "&columns=1%2C20%2C300");
    assert_int_equal(canned_count(bench->server), 2);
}

static void folders_that_take_no_part_are_left_out(void **state)
{
    bench_t *bench = *state;
    listing_t l = list_private(bench,
        "[\"default0/INBOX\",\"default0\",\"I\",\"mail\",true,403710016,false,7,null],"
        "[\"default0/Unsub\",\"default0\",\"U\",\"mail\",true,403710016,false,0,null],"
        "[\"default0/Unsub/Kid\",\"default0/Unsub\",\"K\",\"mail\",false,403710016,true,0,null],"
        "[\"default0/NoSync\",\"default0\",\"N\",\"mail\",false,403710016,true,0,"
        "{\"value\":\"false\",\"protected\":\"false\"}],"
        "[\"default0/NoRead\",\"default0\",\"R\",\"mail\",false,4,true,0,null],"
        "[\"default0/NoWrite\",\"default0\",\"W\",\"mail\",false,257,true,0,{\"value\":\"true\"}],"
        "[\"default0/Acl\",\"default0\",\"A\",\"mail\",false,\"lr\",true,0,null],"
        "[\"default1/INBOX\",\"default1\",\"Other\",\"mail\",false,403710016,true,7,null],"
        "[\"default0/Cal\",\"default0\",\"Cal\",\"calendar\",false,403710016,true,0,null],"
        "[\"31\",\"1\",\"Private\",\"mail\",false,403710016,true,0,null],"
        "[null,\"default0\",\"X\",\"mail\",false,403710016,true,0,null],[],17");
    assert_string_equal(shape(bench, l), "INBOX<-:1 Unsub/Kid<-:0 NoWrite<-:0r Acl<-:0r");
}

static void each_role_is_given_once(void **state)
{
    bench_t *bench = *state;
    listing_t l = list_private(bench,
        "[\"default0/inbox\",\"default0\",\"\",\"mail\",false,null,true,0,null],"
        "[\"default0/A\",\"default0\",null,\"mail\",false,null,true,12,null],"
        "[\"default0/B\",\"default0\",\"b\\u0001c\",\"mail\",false,null,true,\"12\",null],"
        "[\"default0/A\",\"default0\",\"again\",\"mail\",false,null,true,0,null]");
    assert_string_equal(shape(bench, l), "inbox<-:1 A<-:3 B<-:0");
    assert_string_equal(l.folders[0].title, "inbox");
    assert_string_equal(l.folders[2].title, "bc");
}

static void rings_and_orphans_end_at_the_top(void **state)
{
    bench_t *bench = *state;
    listing_t l = list_private(bench,
        "[\"default0/A\",\"default0/B\",\"A\",\"mail\",false,null,true,0,null],"
        "[\"default0/B\",\"default0/C\",\"B\",\"mail\",false,null,true,0,null],"
        "[\"default0/C\",\"default0/A\",\"C\",\"mail\",false,null,true,0,null],"
        "[\"default0/Self\",\"default0/Self\",\"S\",\"mail\",false,null,true,0,null],"
        "[\"default0/Lost\",\"default0/Nowhere\",\"L\",\"mail\",false,null,true,0,null]");
    assert_string_equal(shape(bench, l), "C<-:0 B<C:0 A<B:0 Self<-:0 Lost<-:0");
}

static void very_deep_trees_keep_every_folder_after_its_parent(void **state)
{
    bench_t *bench = *state;
    const char *rows = "";
    const int n = 200;
    for (int i = n; i > 0; i--)
        rows = apr_psprintf(bench->pool, "%s%s[\"default0/%d\",\"default0/%d\",\"t\",\"mail\",true,"
                            "null,true,0,null]", rows, i == n ? "" : ",", i, i - 1);
    listing_t l = list_private(bench, rows);
    ASSERT_OK(l.err);
    assert_int_equal(l.count, n);
    for (int i = 0; i < n; i++) {
        int known = l.folders[i].parent == NULL;
        for (int j = 0; j < i && !known; j++)
            known = strcmp(l.folders[j].id, l.folders[i].parent) == 0;
        assert_true(known);
    }
}

static void folders_at_the_limit_and_beyond(void **state)
{
    bench_t *bench = *state;
    apr_size_t room = (OX_MAX_FOLDERS + 10) * 80;
    char *rows = apr_palloc(bench->pool, room), *p = rows;
    for (int i = 0; i < OX_MAX_FOLDERS + 5; i++)
        p += apr_snprintf(p, room - (apr_size_t)(p - rows), "%s[\"default0/%d\",\"default0\",\"t\","
                          "\"mail\",false,null,true,0,null]", i ? "," : "", i);
    listing_t l = list_private(bench, rows);
    ASSERT_OK(l.err);
    assert_int_equal(l.count, OX_MAX_FOLDERS);
}

static void where_the_one_call_is_not_known_levels_are_listed(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    listing_t l = {0};
    canned_json(bench->server, UNKNOWN_ACTION);
    canned_json(bench->server, "[{\"data\":["
        "[\"default0/INBOX\",\"default0\",\"I\",\"mail\",true,403710016,true,7,null],"
        "[\"default0/Shut\",\"default0\",\"S\",\"mail\",true,403710016,true,0,null]]}]");
    canned_json(bench->server, "[{\"data\":["
        "[\"default0/INBOX/K\",\"default0/INBOX\",\"K\",\"mail\",false,403710016,true,0,null]]},"
        "{\"error\":\"x\",\"code\":\"MSG-0073\",\"category\":3}]");
    l.err = bench->be->folders->list(&l.folders, &l.count, session, EAS_CLASS_MAIL, bench->pool);
    assert_string_equal(shape(bench, l), "INBOX<-:1 Shut<-:0 INBOX/K<INBOX:0");
    ASSERT_ASKED(bench, 2, "\"parent\":\"default0\"");
    ASSERT_ASKED(bench, 3, "\"parent\":\"default0/INBOX\"");
}

static void a_user_without_mail_has_no_folders(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    listing_t l = {0};
    canned_json(bench->server, "{\"error\":\"x\",\"code\":\"SVL-0016\",\"category\":3}");
    l.err = bench->be->folders->list(&l.folders, &l.count, session, EAS_CLASS_MAIL, bench->pool);
    ASSERT_OK(l.err);
    assert_int_equal(l.count, 0);
}

static void a_server_that_is_down_is_no_empty_tree(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    listing_t l = {0};
    canned_answer(bench->server, 503, "", "");
    l.err = bench->be->folders->list(&l.folders, &l.count, session, EAS_CLASS_MAIL, bench->pool);
    ASSERT_KIND(l.err, EAS_E_UNAVAILABLE);
    canned_json(bench->server, "{\"data\":{\"private\":[]}}");
    canned_json(bench->server, "[{\"error\":\"x\",\"code\":\"MSG-0109\",\"category\":5}]");
    l.err = bench->be->folders->list(&l.folders, &l.count, session, EAS_CLASS_MAIL, bench->pool);
    ASSERT_KIND(l.err, EAS_E_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(one_call_gives_the_tree_parents_first),
        BENCH_TEST(folders_that_take_no_part_are_left_out),
        BENCH_TEST(each_role_is_given_once),
        BENCH_TEST(rings_and_orphans_end_at_the_top),
        BENCH_TEST(very_deep_trees_keep_every_folder_after_its_parent),
        BENCH_TEST(folders_at_the_limit_and_beyond),
        BENCH_TEST(where_the_one_call_is_not_known_levels_are_listed),
        BENCH_TEST(a_user_without_mail_has_no_folders),
        BENCH_TEST(a_server_that_is_down_is_no_empty_tree),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
