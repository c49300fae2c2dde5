/* SPDX-License-Identifier: Apache-2.0 */
#include "command_fixture.h"

#define EST(key, cid, rest)                                                                        \
    "<GetItemEstimate><Collections><Collection><airsync:SyncKey>" key "</airsync:SyncKey>"         \
    "<CollectionId>" cid "</CollectionId>" rest "</Collection></Collections></GetItemEstimate>"
#define COL(key, cid, rest)                                                                        \
    "<Collection><SyncKey>" key "</SyncKey><CollectionId>" cid "</CollectionId>" rest              \
    "</Collection>"

static cx_t *inbox(fx_t *fx, int version, int mails)
{
    cx_t *cx = cx_create(fx, version);

    fx_deliver_many(fx, fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX), mails, 60);
    fx_folder(fx, "drafts", NULL, "Drafts", EAS_ROLE_DRAFTS);
    cx_folders(cx);
    cx_start(cx, "2");
    return cx;
}

static const char *estimate(cx_t *cx, const char *xml)
{
    return cx_run(cx, EAS_CMD_GETITEMESTIMATE, xml);
}

static void says_what_sync_will_send(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 7);
    fx_folder_t *in = fx_find_folder(fx, "in");
    const char *answer;

    fx_deliver(fx, in, 40 * FX_DAY);
    assert_string_equal(
        estimate(cx, EST("{2}", "2", "")),
        "<GetItemEstimate><Response><Status>1</Status><Collection><CollectionId>2"
        "</CollectionId><Estimate>8</Estimate></Collection></Response></GetItemEstimate>");
    cx_has(estimate(cx, EST("{2}", "2",
                            "<airsync:Options><airsync:FilterType>2</airsync:FilterType>"
                            "</airsync:Options>")),
           "<Estimate>7</Estimate>");
    assert_int_equal(cx_count(cx_sync(cx, COL("{2}", "2", "")), "<Add>"),
                     8); /* nothing was used up */
    fx_flag(in, 1, EAS_MF_SEEN);
    fx_delete(in, 2);
    fx_deliver(fx, in, 0);
    fx_flag(in, 3, EAS_MF_FLAGGED);
    eas_clock_shift(apr_time_from_sec(61));
    fx_reset(fx);
    cx_has(estimate(cx, EST("{2}", "2", "")), "<Estimate>4</Estimate>");
    assert_int_equal(fx->calls.puts, 0);
    answer = cx_sync(cx, COL("{2}", "2", ""));
    assert_int_equal(cx_count(answer, "<Add>") + cx_count(answer, "<Change>") +
                     cx_count(answer, "<Delete>"), 4);
    cx_has(estimate(cx, EST("{2}", "2", "")), "<Estimate>0</Estimate>");
}

static void drafts_know_no_filter_from_16_0(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V161, 1);
    const char *filter = "<Options><FilterType>1</FilterType></Options>";

    fx_deliver(fx, fx_find_folder(fx, "drafts"), 10 * FX_DAY);
    cx_sync(cx, apr_psprintf(fx->pool, COL("0", "3", "%s"), filter));
    cx_has(estimate(cx, EST("{3}", "3",
                            "<airsync:Options><airsync:FilterType>1</airsync:FilterType>"
                            "</airsync:Options>")),
           "<Estimate>1</Estimate>");
    assert_int_equal(cx_count(cx_sync(cx, COL("{3}", "3", "")), "<Add>"), 1);
}

static void class_is_repeated_below_14_0(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V120, 2);

    cx_has(estimate(cx,
                    "<GetItemEstimate><Collections><Collection><Class>Email</Class><CollectionId>2"
                    "</CollectionId><airsync:FilterType>0</airsync:FilterType><airsync:SyncKey>{2}"
                    "</airsync:SyncKey></Collection></Collections></GetItemEstimate>"),
           "<Collection><Class>Email</Class><CollectionId>2</CollectionId><Estimate>2</Estimate>");
}

static void statuses(void **state)
{
    fx_t *fx = *state;
    cx_t *cx = inbox(fx, EAS_V141, 2);

    cx_has(estimate(cx, EST("0", "2", "")), "<Response><Status>3</Status></Response>");
    cx_has(estimate(cx, EST("{2}", "99", "")), "<Response><Status>2</Status></Response>");
    cx_has(estimate(cx, EST("{00000000-0000-4000-8000-000000000000}1", "2", "")),
           "<Response><Status>4</Status></Response>");
    cx_has(estimate(cx, "<GetItemEstimate><Collections><Collection><CollectionId>2</CollectionId>"
                        "</Collection></Collections></GetItemEstimate>"),
           "<Response><Status>103</Status></Response>");
    cx_has(estimate(cx, EST("{2}", "2", "<airsync:FilterType>9</airsync:FilterType>")),
           "<Response><Status>103</Status></Response>");
    assert_string_equal(estimate(cx, EST("{2}", "2", "<airsync:FilterType>8</airsync:FilterType>")),
                        "<GetItemEstimate><Status>110</Status></GetItemEstimate>");
    assert_string_equal(estimate(cx, "<GetItemEstimate><Collections/></GetItemEstimate>"),
                        "<GetItemEstimate><Status>103</Status></GetItemEstimate>");
    fx->fail_in = 1;
    assert_string_equal(estimate(cx, EST("{2}", "2", "")), "HTTP 503");
    cx_quiet(cx, "2");
    fx_new_validity(fx_find_folder(fx, "in"));
    cx_has(estimate(cx, EST("{2}", "2", "")), "<Status>4</Status>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(says_what_sync_will_send),
        FX_TEST(drafts_know_no_filter_from_16_0),
        FX_TEST(class_is_repeated_below_14_0),
        FX_TEST(statuses),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
