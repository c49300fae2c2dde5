/* SPDX-License-Identifier: Apache-2.0 */
#include "command_fixture.h"

#include "cmd_sync.h"

#define COL(key, cid, rest)                                                                        \
    "<Collection><SyncKey>" key "</SyncKey><CollectionId>" cid "</CollectionId>" rest              \
    "</Collection>"

static cx_t *inbox(fx_t *fx, int version, int mails)
{
    cx_t *cx = cx_create(fx, version);

    fx_deliver_many(fx, fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX), mails, 60);
    fx_folder(fx, "sent", NULL, "Sent", EAS_ROLE_SENT);
    fx_folder(fx, "drafts", NULL, "Drafts", EAS_ROLE_DRAFTS);
    fx_folder(fx, "a", NULL, "a", EAS_ROLE_NONE);
    cx_folders(cx);
    cx_start(cx, "2");
    return cx;
}

static void protocol_errors_are_status_4_alone_and_nothing_is_done(void **state)
{
    static const char *const bad[] = {
        "<Sync><Collections>" COL("{2}", "2",
                                  "<Commands><Fetch/></Commands>") "</Collections></Sync>",
        "<Sync><Collections><Collection><CollectionId>2</CollectionId></Collection></Collections></"
        "Sync>",
        "<Sync><Collections><Collection><SyncKey>{2}</SyncKey></Collection></Collections></Sync>",
        "<Sync><Collections><Collection><SyncKey>{2}</SyncKey><Supported/><CollectionId>2"
        "</CollectionId></Collection></Collections></Sync>",
        "<Sync><Collections>" COL("0", "2", "<GetChanges/>") "</Collections></Sync>",
        "<Sync><Collections>" COL("0", "2", "<GetChanges>1</GetChanges>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2", "<GetChanges>2</GetChanges>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2", "<WindowSize>x</WindowSize>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "<WindowSize>-1</WindowSize>") "</Collections></Sync>",
        "<Sync><Collections>" COL(
            "{2}", "2", "<Options><FilterType>8</FilterType></Options>") "</Collections></Sync>",
        "<Sync><Collections>" COL(
            "{2}", "2", "<Options><FilterType>9</FilterType></Options>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "<Options><Class>Email</Class></Options><Options>"
                                  "<Class>Email</Class></Options>") "</Collections></Sync>",
        "<Sync><Collections>" COL(
            "{2}", "2", "<Options><Class>Tasks</Class></Options>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "<Commands><Change><ServerId>2:1</ServerId></Change>"
                                  "</Commands>") "</Collections></Sync>",
        "<Sync><Collections>" COL(
            "{2}", "2",
            "<Commands><Add><ClientId>1</ClientId></Add></Commands>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "<Commands><Delete/></Commands>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "<Commands><SoftDelete><ServerId>2:1</ServerId></SoftDelete>"
                                  "</Commands>") "</Collections></Sync>",
        "<Sync><Collections>" COL("{2}", "2", "") COL("{2}", "2", "") "</Collections></Sync>",
        "<Sync><Collections/></Sync>",
        "<Sync/>",
        "<Sync><Partial/></Sync>",
        "<Sync><WindowSize>5</WindowSize></Sync>",
        "<Sync><Collections>" COL("{2}", "2",
                                  "") "</Collections><Wait>5</Wait>"
                                      "<HeartbeatInterval>300</HeartbeatInterval></Sync>",
        "<Sync><Collections>" COL("{2}", "2", "") "</Collections><Wait>soon</Wait></Sync>",
    };
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 3);

    cx_quiet(cx, "2");
    fx_reset(fx);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *answer = cx_run(cx, EAS_CMD_SYNC, bad[i]);
        if (strcmp(answer, "<Sync><Status>4</Status></Sync>") != 0)
            fail_msg("%s: %s", bad[i], answer);
    }
    /* also when another collection of the request is fine and has commands */
    assert_string_equal(cx_sync(cx, COL("{2}", "2",
                                        "<Commands><Delete><ServerId>2:1</ServerId></Delete>"
                                        "</Commands>") COL("0", "5", "<GetChanges/>")),
                        "<Sync><Status>4</Status></Sync>");
    assert_int_equal(fx->calls.status + fx->calls.remove + fx->calls.set_flags + fx->calls.puts, 0);
}

static void too_many_commands_are_status_4(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 3);
    const char *commands = "";

    for (int i = 0; i < 201; i++)
        commands = apr_psprintf(fx->pool, "%s<Delete><ServerId>2:%d</ServerId></Delete>", commands,
                                1000 + i);
    assert_string_equal(
        cx_sync(cx, apr_psprintf(fx->pool, COL("{2}", "2", "<Commands>%s</Commands>"), commands)),
        "<Sync><Status>4</Status></Sync>");
    assert_int_equal(fx->calls.remove, 0);
}

static void what_is_no_error(void **state)
{
    static const char *const good[] = {
        COL("{2}", "2", "<Supported/>"),
        COL("{2}", "2", "<GetChanges/>"),
        COL("{2}", "2", "<DeletesAsMoves/>"),
        COL("{2}", "2", "<Options><FilterType>1</FilterType><FilterType>2</FilterType></Options>"),
        COL("{2}", "2", "<Options><FilterType>7</FilterType></Options>"),
        COL("{2}", "2",
            "<Options><Class>Email</Class></Options><Options><Class>SMS</Class></Options>"),
        COL("{2}", "2", "<WindowSize>0</WindowSize>"),
        COL("{2}", "2", "<WindowSize>9999</WindowSize>"),
        COL("{2}", "2", "<Commands/>"),
    };
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);

    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *answer = cx_sync(cx, good[i]);
        if (*answer)
            cx_has(answer, "<Status>1</Status>");
    }
}

static void limits_tell_the_limit(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);

    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "")
                                                 "</Collections><Wait>60</Wait></Sync>"),
                        "<Sync><Status>14</Status><Limit>59</Limit></Sync>");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "")
                                                 "</Collections><Wait>0</Wait></Sync>"),
                        "<Sync><Status>14</Status><Limit>1</Limit></Sync>");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "")
                                                 "</Collections><HeartbeatInterval>59"
                                                 "</HeartbeatInterval></Sync>"),
                        "<Sync><Status>14</Status><Limit>60</Limit></Sync>");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "")
                                                 "</Collections><HeartbeatInterval>3541"
                                                 "</HeartbeatInterval></Sync>"),
                        "<Sync><Status>14</Status><Limit>3540</Limit></Sync>");
    assert_string_equal(cx_sync(cx, COL("0", "2", "") COL("0", "3", "") COL("0", "5", "")
                                    COL("0", "12", "")),
                        "<Sync><Status>15</Status><Limit>3</Limit></Sync>");
}

static void a_second_request_of_the_phone_is_told_to_retry(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);
    eas_state_t *st = fx_open(fx, fx->pool);

    assert_string_equal(cx_sync(cx, COL("{2}", "2", "")), "<Sync><Status>16</Status></Sync>");
    assert_string_equal(
        cx_run(cx, EAS_CMD_FOLDERSYNC, "<FolderSync><SyncKey>0</SyncKey></FolderSync>"),
        "HTTP 503");
    assert_true(cx->resp.retry_after > 0);
    eas_state_close(st);
}

static void an_empty_request_repeats_the_last_one(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);
    const char *more13 = "<Sync><Status>13</Status></Sync>";

    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), more13); /* after key 0 */
    cx_sync(cx, COL("{2}", "2", ""));                            /* brings a mail: a new key */
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), more13); /* did the phone get it? */
    assert_string_equal(cx_sync(cx, COL("{2}", "2", "")), "");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), "");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), "");
    fx_deliver(fx, fx_find_folder(fx, "in"), 0);
    cx_has(cx_run(cx, EAS_CMD_SYNC, NULL), "<Add><ServerId>2:2</ServerId>");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), more13);
    /* one with commands is not repeatable */
    cx_sync(cx, COL("{2}", "2", "<Commands><Delete><ServerId>2:1</ServerId></Delete></Commands>"));
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), more13);
    cx_sync(cx, COL("{2}", "2", ""));
    fx->cache = cx->env.cache = eas_mem_cache_create(fx->pool); /* forgotten */
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), more13);
    cx->version = EAS_V120; /* knows no empty request */
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, NULL), "HTTP 400");
}

static void partial_takes_the_rest_from_the_last_one(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);
    const char *answer;

    cx_start(cx, "5");
    cx_quiet(cx, "2");
    assert_string_equal(cx_sync(cx, COL("{2}", "2", "") COL("{5}", "5", "")), "");
    fx_deliver(fx, fx_find_folder(fx, "in"), 0);
    fx_deliver(fx, fx_find_folder(fx, "sent"), 0);
    answer =
        cx_run(cx, EAS_CMD_SYNC,
               "<Sync><Collections>" COL(
                   "{5}", "5", "<WindowSize>1</WindowSize>") "</Collections><Partial/></Sync>");
    cx_has(answer, "<Add><ServerId>2:2</ServerId>");
    cx_has(answer, "<Add><ServerId>5:1</ServerId>");
    assert_string_equal(cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{5}", "5", "")
                                                 "</Collections><Partial/></Sync>"),
                        "<Sync><Status>13</Status></Sync>");
}

static void keys_and_folders_that_are_not_known(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);

    assert_string_equal(cx_sync(cx, COL("{00000000-0000-4000-8000-000000000000}1", "2", "")),
                        "<Sync><Collections><Collection><SyncKey>0</SyncKey><CollectionId>2"
                        "</CollectionId><Status>3</Status></Collection></Collections></Sync>");
    cx_has(cx_sync(cx, COL("0", "99", "")), "<CollectionId>99</CollectionId><Status>8</Status>");
    cx_start(cx, "2");
    fx_find_folder(fx, "in")->gone = 1;
    cx_has(cx_sync(cx, COL("{2}", "2", "")),
           "{same}</SyncKey><CollectionId>2</CollectionId><Status>12");
}

static void the_answer_follows_the_version(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V120, 1);
    const char *with = "<Collection><Class>Email</Class><SyncKey>{2}</SyncKey><CollectionId>2"
                       "</CollectionId></Collection>";

    cx_has(cx_sync(cx, with),
           "<Sync><Collections><Collection><Class>Email</Class><SyncKey>{k}"
           "</SyncKey><CollectionId>2</CollectionId><Status>1</Status><Commands>");
    /* nothing new: below 12.1 the collection is answered all the same */
    assert_string_equal(
        cx_sync(cx, with),
        "<Sync><Collections><Collection><Class>Email</Class><SyncKey>{same}</SyncKey>"
        "<CollectionId>2</CollectionId><Status>1</Status></Collection></Collections>"
        "</Sync>");
    cx->version = EAS_V121;
    assert_string_equal(cx_sync(cx, with), "");
    cx->version = EAS_V141;
    cx_start(cx, "2");
    cx_lacks(cx_sync(cx, with), "<Class>Email</Class><SyncKey>");
}

static void more_available_stands_behind_status(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 5);
    const char *answer = cx_sync(cx, COL("{2}", "2", "<WindowSize>2</WindowSize>"));

    cx_has(answer, "<SyncKey>{k}</SyncKey><CollectionId>2</CollectionId><Status>1</Status>"
                   "<MoreAvailable/><Commands><Add>");
    assert_int_equal(cx_count(answer, "<Add>"), 2);
    answer = cx_sync(cx, COL("{2}", "2", "<WindowSize>3</WindowSize>"));
    cx_lacks(answer, "MoreAvailable");
    assert_int_equal(cx_count(answer, "<Add>"), 3);
}

static void the_global_window_is_shared(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 5);
    const char *answer;

    cx_start(cx, "5");
    fx_deliver_many(fx, fx_find_folder(fx, "sent"), 5, 0);
    answer = cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "") COL("{5}", "5", "")
                                      "</Collections><WindowSize>5</WindowSize></Sync>");
    assert_int_equal(cx_count(answer, "<Add>"), 5);
    cx_lacks(answer, "<CollectionId>5<"); /* not reached: no key, no MoreAvailable */
    answer = cx_run(cx, EAS_CMD_SYNC, "<Sync><Collections>" COL("{2}", "2", "") COL("{5}", "5", "")
                                      "</Collections><WindowSize>5</WindowSize></Sync>");
    assert_int_equal(cx_count(answer, "<Add><ServerId>5:"), 5);
}

static void byte_budget_is_for_the_whole_answer(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 10);
    const char *answer;

    cx_start(cx, "5");
    fx_deliver_many(fx, fx_find_folder(fx, "sent"), 10, 0);
    cx->env.response_budget = 1;
    answer = cx_sync(cx, COL("{2}", "2", "") COL("{5}", "5", ""));
    assert_int_equal(cx_count(answer, "<Add>"), 2); /* at least one of each */
    assert_int_equal(cx_count(answer, "<MoreAvailable/>"), 2);
    cx->env.response_budget = cx->resp.body.len * 2;
    answer = cx_sync(cx, COL("{2}", "2", "") COL("{5}", "5", ""));
    assert_true(cx->resp.body.len < cx->env.response_budget * 2);
    assert_true(cx_count(answer, "<Add><ServerId>2") > cx_count(answer, "<Add><ServerId>5"));
    cx_quiet(cx, "2");
    cx_quiet(cx, "5");
}

static void commands_are_answered_only_when_they_fail(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 3);
    const char *answer;

    cx_quiet(cx, "2");
    assert_string_equal(
        cx_sync(cx, COL("{2}", "2", "<Commands><Change><ServerId>2:1</ServerId><ApplicationData>"
                        "<email:Read>1</email:Read></ApplicationData></Change><Delete><ServerId>2:2"
                        "</ServerId></Delete></Commands>")),
        "<Sync><Collections><Collection><SyncKey>{k}</SyncKey><CollectionId>2</CollectionId>"
        "<Status>1</Status></Collection></Collections></Sync>");
    assert_int_equal(fx_mail(fx_find_folder(fx, "in"), 1)->flags, EAS_MF_SEEN);
    assert_null(fx_mail(fx_find_folder(fx, "in"), 2));
    assert_int_equal(fx->calls.hard, 0);
    answer =
        cx_sync(cx, COL("{2}", "2",
                        "<DeletesAsMoves>0</DeletesAsMoves><Commands><Delete><ServerId>"
                        "2:3</ServerId></Delete><Add><ClientId>c1</ClientId><ApplicationData>"
                        "<email:Subject>x</email:Subject></ApplicationData></Add><Change><ServerId>"
                        "2:77</ServerId><ApplicationData><email:Read>1</email:Read>"
                        "</ApplicationData></Change><Fetch><ServerId>2:88</ServerId></Fetch>"
                        "</Commands>"));
    cx_has(answer,
           "<Responses><Change><ServerId>2:77</ServerId><Status>8</Status></Change><Add><ClientId>"
           "c1</ClientId><Status>6</Status></Add><Fetch><ServerId>2:88</ServerId><Status>8"
           "</Status></Fetch></Responses></Collection>");
    assert_int_equal(fx->calls.hard, 1);
}

static void a_fetch_brings_the_whole_item(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);
    const char *options =
        "<Options><base:BodyPreference><base:Type>1</base:Type><base:TruncationSize>4"
        "</base:TruncationSize></base:BodyPreference></Options>";
    const char *answer;

    answer = cx_sync(cx, apr_psprintf(fx->pool, COL("{2}", "2", "%s"), options));
    cx_has(answer, "<Truncated>1</Truncated><Data>text</Data>");
    answer = cx_sync(cx, COL("{2}", "2", "<GetChanges>0</GetChanges><Commands><Fetch><ServerId>2:1"
                             "</ServerId></Fetch></Commands>"));
    cx_has(answer, "<Fetch><ServerId>2:1</ServerId><Status>1</Status><ApplicationData>");
    cx_has(answer, "<Data>text of 1");
    cx_lacks(answer, "Truncated>");
}

static void options_stick_and_a_new_block_replaces_the_old_one(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 1);
    fx_folder_t *in = fx_find_folder(fx, "in");
    const char *answer;

    fx_deliver(fx, in, 30 * FX_DAY);
    cx_sync(cx, COL("{2}", "2", "<Options><FilterType>2</FilterType></Options>"));
    answer = cx_sync(cx, COL("{2}", "2", ""));
    assert_string_equal(answer, "");
    answer = cx_sync(cx, COL("{2}", "2", "<Options><base:BodyPreference><base:Type>1</base:Type>"
                             "</base:BodyPreference></Options>"));
    cx_has(answer, "<Add><ServerId>2:2</ServerId>"); /* no FilterType means all again */
    answer = cx_sync(cx, COL("{2}", "2", "<Options><FilterType>1</FilterType></Options>"));
    cx_has(answer, "<SoftDelete><ServerId>2:2</ServerId></SoftDelete>");
}

static void flags_travel_alone(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 3);
    fx_folder_t *in = fx_find_folder(fx, "in");
    const char *answer;

    cx_quiet(cx, "2");
    fx_flag(in, 1, EAS_MF_SEEN);
    fx_reset(fx);
    answer = cx_sync(cx, COL("{2}", "2", ""));
    cx_has(answer, "<Commands><Change><ServerId>2:1</ServerId><ApplicationData><Read>1</Read>"
                   "</ApplicationData></Change></Commands>");
    assert_int_equal(fx->calls.source, 0);
    fx_flag(in, 2, EAS_MF_ANSWERED | EAS_MF_SEEN);
    answer = cx_sync(cx, COL("{2}", "2", ""));
    cx_has(answer, "<Subject>mail 2</Subject>"); /* more changed than that: the whole item */
}

static void an_unreadable_mail_becomes_a_stub_and_the_folder_goes_on(void **state)
{
    static const eas_kind_t kinds[] = {EAS_E_INTERNAL, EAS_E_INVALID, EAS_E_TOO_LARGE,
                                       EAS_E_PERMISSION};
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 10);
    fx_folder_t *in = fx_find_folder(fx, "in");
    const char *answer;

    for (int i = 0; i < 4; i++)
        fx_mail(in, 3 + (apr_uint32_t)i)->broken = kinds[i];
    fx_mail(in, 9)->broken = EAS_E_NOT_FOUND; /* gone meanwhile */
    answer = cx_sync(cx, COL("{2}", "2", ""));
    assert_int_equal(cx_count(answer, "<Add>"), 9);
    cx_lacks(answer, "<ServerId>2:9<");
    cx_has(cx_log, "stub");
    cx_lacks(cx_log, "text of");
    cx_quiet(cx, "2");
}

static void a_backend_going_away_brings_what_was_read(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 10);
    const char *answer;

    fx_mail(fx_find_folder(fx, "in"), 6)->broken = EAS_E_UNAVAILABLE;
    answer = cx_sync(cx, COL("{2}", "2", ""));
    assert_int_equal(cx_count(answer, "<Add>"), 4);
    cx_has(answer, "<MoreAvailable/>");
    assert_string_equal(cx_sync(cx, COL("{2}", "2", "")), "HTTP 503");
    fx_mail(fx_find_folder(fx, "in"), 6)->broken = 0;
    assert_int_equal(cx_count(cx_sync(cx, COL("{2}", "2", "")), "<Add>"), 6);
}

static void one_collection_failing_does_not_hide_the_others(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 2);
    const char *answer;

    cx_start(cx, "5");
    fx_new_validity(fx_find_folder(fx, "sent"));
    fx_deliver(fx, fx_find_folder(fx, "sent"), 0);
    cx_quiet(cx, "5");
    fx_new_validity(fx_find_folder(fx, "sent"));
    answer = cx_sync(cx, COL("{5}", "5", "") COL("{2}", "2", ""));
    cx_has(answer, "<SyncKey>0</SyncKey><CollectionId>5</CollectionId><Status>3</Status>");
    assert_int_equal(cx_count(answer, "<Add><ServerId>2:"), 2);
}

static void an_error_of_the_session_is_the_whole_answer(void **state)
{
    static const struct {
        eas_kind_t kind;
        const char *answer;
    } cases[] = {{EAS_E_UNAVAILABLE, "HTTP 503"},
                 {EAS_E_SESSION, "HTTP 503"},
                 {EAS_E_CREDENTIALS, "HTTP 401"}};
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 2);

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fx->fail_in = 1;
        fx->fail_kind = cases[i].kind;
        assert_string_equal(cx_sync(cx, COL("{2}", "2", "")), cases[i].answer);
        assert_int_equal(cx->resp.body.len, 0);
    }
    assert_int_equal(cx_count(cx_sync(cx, COL("{2}", "2", "")), "<Add>"), 2);
}

static void a_repeat_after_a_lost_answer(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 2);
    char key[80];

    cx_quiet(cx, "2");
    apr_cpystrn(key, cx->keys[0][1], sizeof(key));
    const char *xml = COL("{2}", "2",
                          "<Commands><Delete><ServerId>2:1</ServerId></Delete><Add><ClientId>a"
                          "</ClientId><ApplicationData/></Add></Commands>");
    fx_deliver(fx, fx_find_folder(fx, "in"), 0);
    const char *first = cx_sync(cx, xml);
    apr_cpystrn(cx->keys[0][1], key, 80);
    assert_string_equal(cx_sync(cx, xml), first);
    assert_int_equal(fx->calls.remove, 1);
}

static void records_of_options_and_requests_are_read_for_ever(void **state)
{
    static const char opts_v1[] =
        "\x01\x03\x02\x01\x01\x80\x04\x00\x00\x02\x00\x00\x01\x05\x00\x02\x09\x00";
    static const char request_v1[] = "\x01\x0a\xac\x02\x01\x01\x32\x05{ab}7\x01\x00\x64";
    fx_t *fx = *state;
    sync_request_t request;
    sync_opts_t opts;
    const void *blob;
    apr_size_t len;

    assert_true(sync_opts_load(&opts, opts_v1, sizeof(opts_v1) - 1));
    assert_int_equal(opts.filter, 3);
    assert_int_equal(opts.mail.nprefs, 2);
    assert_int_equal(opts.mail.prefs[0].type, 1);
    assert_int_equal(opts.mail.prefs[0].truncation, 512);
    assert_int_equal(opts.mail.prefs[1].type, 2);
    assert_int_equal(opts.mail.prefs[1].all_or_none, 1);
    assert_int_equal(opts.mail.prefs[1].preview, 5);
    assert_int_equal(opts.mail.mime_support, 2);
    assert_int_equal(opts.mail.mime_truncation, 8);
    assert_int_equal(opts.mail.truncation, -1);
    sync_opts_dump(&blob, &len, &opts, fx->pool);
    assert_int_equal(len, sizeof(opts_v1) - 1);
    assert_memory_equal(blob, opts_v1, len);
    for (apr_size_t n = 0; n < len; n++)
        assert_false(sync_opts_load(&opts, opts_v1, n));
    assert_true(sync_request_load(&request, request_v1, sizeof(request_v1) - 1, fx->pool));
    assert_int_equal(request.n, 1);
    assert_int_equal(request.window, 10);
    assert_int_equal(request.wait, 300);
    assert_string_equal(request.want[0].cid, "2");
    assert_string_equal(request.want[0].key, "{ab}7");
    assert_string_equal(request.want[0].klass, "Email");
    assert_int_equal(request.want[0].get_changes, -1);
    assert_int_equal(request.want[0].window, 100);
    sync_request_dump(&blob, &len, &request, fx->pool);
    assert_int_equal(len, sizeof(request_v1) - 1);
    assert_memory_equal(blob, request_v1, len);
    for (apr_size_t n = 0; n < len; n++)
        assert_false(sync_request_load(&request, request_v1, n, fx->pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(protocol_errors_are_status_4_alone_and_nothing_is_done),
        FX_TEST(too_many_commands_are_status_4),
        FX_TEST(what_is_no_error),
        FX_TEST(limits_tell_the_limit),
        FX_TEST(a_second_request_of_the_phone_is_told_to_retry),
        FX_TEST(an_empty_request_repeats_the_last_one),
        FX_TEST(partial_takes_the_rest_from_the_last_one),
        FX_TEST(keys_and_folders_that_are_not_known),
        FX_TEST(the_answer_follows_the_version),
        FX_TEST(more_available_stands_behind_status),
        FX_TEST(the_global_window_is_shared),
        FX_TEST(byte_budget_is_for_the_whole_answer),
        FX_TEST(commands_are_answered_only_when_they_fail),
        FX_TEST(a_fetch_brings_the_whole_item),
        FX_TEST(options_stick_and_a_new_block_replaces_the_old_one),
        FX_TEST(flags_travel_alone),
        FX_TEST(an_unreadable_mail_becomes_a_stub_and_the_folder_goes_on),
        FX_TEST(a_backend_going_away_brings_what_was_read),
        FX_TEST(one_collection_failing_does_not_hide_the_others),
        FX_TEST(an_error_of_the_session_is_the_whole_answer),
        FX_TEST(a_repeat_after_a_lost_answer),
        FX_TEST(records_of_options_and_requests_are_read_for_ever),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
