/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

typedef struct box_t {
    fx_folder_t *f;
    fx_phone_t *ph;
} box_t;

static box_t inbox_of(fx_t *fx, int mails)
{
    box_t b = {.f = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX)};

    fx_deliver_many(fx, b.f, mails, 3600);
    fx_hierarchy(fx);
    b.ph = fx_phone(fx, "2");
    return b;
}

static int open_status(fx_t *fx, const char *cid, const char *key)
{
    eas_coll_t *coll;
    int status;
    eas_state_t *st = fx_open(fx, fx->pool);

    OK(eas_coll_open(&coll, &status, st, cid, key, fx->pool));
    assert_true((coll != NULL) == (status == 1));
    eas_state_close(st);
    return status;
}

static void key_0_gives_a_key_and_no_items(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});

    assert_int_equal(r.status, 1);
    assert_int_equal(r.adds, 0);
    assert_string_equal(strchr(b.ph->key, '}'), "}1");
    assert_int_equal(fx->calls.status, 0);
}

static void newest_and_previous_key_are_known_and_no_other(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    char first[80], second[80];

    fx_sync(fx, b.ph, &(fx_opts_t){0});
    apr_cpystrn(first, b.ph->key, sizeof(first));
    fx_sync(fx, b.ph, &(fx_opts_t){0});
    apr_cpystrn(second, b.ph->key, sizeof(second));
    assert_int_equal(open_status(fx, "2", second), 1);
    assert_int_equal(open_status(fx, "2", first), 1);
    fx_deliver(fx, b.f, 0);
    fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(open_status(fx, "2", first), 3);
    assert_int_equal(open_status(fx, "2", second), 1);
    assert_int_equal(open_status(fx, "2", "{00000000-0000-4000-8000-000000000000}3"), 3);
    assert_int_equal(open_status(fx, "2", "nonsense"), 3);
    assert_int_equal(open_status(fx, "77", b.ph->key), 8);
    assert_int_equal(open_status(fx, "77", "0"), 8);
}

static void a_start_left_behind_is_good_until_the_new_one_is_used(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    char old[80];

    fx_quiet(fx, b.ph, 5);
    apr_cpystrn(old, b.ph->key, sizeof(old));
    memcpy(b.ph->key, "0", 2);
    fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(open_status(fx, "2", old), 1); /* the key 0 may have been a late one */
    fx_quiet(fx, b.ph, 5);
    assert_int_equal(open_status(fx, "2", old), 3);
    fx_same(fx, b.ph);
}

static void the_same_key_when_nothing_changed_and_nothing_written(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 30);

    fx_quiet(fx, b.ph, 5);
    fx_reset(fx);
    for (int i = 0; i < 5; i++) {
        fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});
        assert_true(r.same_key);
        assert_int_equal(r.more, 0);
    }
    assert_int_equal(fx->calls.puts, 0);
    assert_int_equal(fx->calls.syncs, 0);
}

static void the_window_holds_and_more_is_said(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 25);
    fx_result_t r;

    fx_sync(fx, b.ph, &(fx_opts_t){0});
    r = fx_sync(fx, b.ph, &(fx_opts_t){.window = 10});
    assert_int_equal(r.adds, 10);
    assert_true(r.more);
    assert_true(fx_phone_has(b.ph, 25)); /* newest first */
    assert_false(fx_phone_has(b.ph, 15));
    r = fx_sync(fx, b.ph, &(fx_opts_t){.window = 10});
    assert_true(r.more);
    r = fx_sync(fx, b.ph, &(fx_opts_t){.window = 10});
    assert_int_equal(r.adds, 5);
    assert_false(r.more);
    fx_same(fx, b.ph);
}

static void deletes_and_changes_go_before_adds(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_result_t r;

    fx_quiet(fx, b.ph, 5);
    fx_deliver_many(fx, b.f, 5, 0);
    fx_delete(b.f, 1);
    fx_flag(b.f, 2, EAS_MF_SEEN);
    r = fx_sync(fx, b.ph, &(fx_opts_t){.window = 2});
    assert_int_equal(r.deletes, 1);
    assert_int_equal(r.changes, 1);
    assert_int_equal(r.adds, 0);
    assert_true(r.more);
}

static void a_window_of_nothing_keeps_the_key_and_loses_nothing(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_result_t r;

    fx_sync(fx, b.ph, &(fx_opts_t){0});
    for (int i = 0; i < 3; i++) {
        r = fx_sync(fx, b.ph, &(fx_opts_t){.window = -1});
        assert_true(r.same_key);
        assert_int_equal(r.pending, 10);
        assert_true(r.more);
    }
    fx_quiet(fx, b.ph, 5);
    fx_same(fx, b.ph);
}

static void dying_anywhere_while_writing_costs_no_resync(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3000);

    fx_quiet(fx, b.ph, 20);
    for (int die = 0; die < 8; die++) {
        for (int window = -1; window < 2; window++) { /* with and without a new key */
            fx_deliver(fx, b.f, 0);
            fx_flag(b.f, 100, EAS_MF_SEEN);
            fx_delete(b.f, (apr_uint32_t)(200 + 10 * die + window));
            fx->die_after = die;
            fx_sync(fx, b.ph, &(fx_opts_t){.window = window});
            fx->die_after = -1;
            fx_sync(fx, b.ph, &(fx_opts_t){.window = window});
        }
    }
    fx_quiet(fx, b.ph, 20);
    fx_same(fx, b.ph);
    assert_int_equal(b.ph->resyncs, 0);
}

static eas_coll_t *open_coll(fx_t *fx, eas_state_t *st, const char *key)
{
    eas_coll_t *coll;
    int status;

    OK(eas_coll_open(&coll, &status, st, "2", key, fx->pool));
    assert_int_equal(status, 1);
    eas_coll_set_view(coll, 0, fx->visible);
    return coll;
}

static void options_stick_with_the_state_they_were_given_for(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    const char *first, *second, *third;
    const void *blob;
    apr_size_t len;
    eas_coll_t *coll;
    eas_state_t *st = fx_open(fx, fx->pool);

    coll = open_coll(fx, st, "0");
    assert_null(eas_coll_options(&len, coll));
    eas_coll_set_options(coll, "one", 3);
    OK(eas_coll_finish(&first, coll));
    coll = open_coll(fx, st, first);
    blob = eas_coll_options(&len, coll);
    assert_int_equal(len, 3);
    assert_memory_equal(blob, "one", 3);
    eas_coll_set_options(coll, "three", 5);
    OK(eas_coll_refresh(coll, fx->session));
    OK(eas_coll_finish(&second, coll));
    assert_string_equal(second, first); /* nothing for the phone, so no new key */
    coll = open_coll(fx, st, second);
    blob = eas_coll_options(&len, coll);
    assert_int_equal(len, 5);
    assert_memory_equal(blob, "three", 5);
    OK(eas_coll_finish(&third, coll));
    coll = open_coll(fx, st, third);
    eas_coll_set_options(coll, "", 0); /* given, but empty */
    OK(eas_coll_finish(&third, coll));
    coll = open_coll(fx, st, third);
    assert_non_null(eas_coll_options(&len, coll));
    assert_int_equal(len, 0);
    eas_state_close(st);
    assert_string_equal(b.ph->key, "0");
}

static void what_is_known_of_an_item(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    eas_change_t item;
    const char *key;
    int known;

    fx_mail(b.f, 2)->flags = EAS_MF_SEEN;
    fx_quiet(fx, b.ph, 5);
    eas_state_t *st = fx_open(fx, fx->pool);
    OK(eas_coll_newest_key(&key, st, "2", fx->pool));
    assert_string_equal(key, b.ph->key);
    OK(eas_coll_newest_key(&key, st, "5", fx->pool));
    assert_null(key);
    OK(eas_coll_known(&item, &known, st, "2", "2:2", fx->pool));
    assert_true(known);
    assert_int_equal(item.flags, EAS_MF_SEEN);
    assert_true(item.received == apr_time_from_sec((apr_time_t)fx_mail(b.f, 2)->received));
    OK(eas_coll_known(&item, &known, st, "2", "2:9", fx->pool));
    assert_false(known);
    OK(eas_coll_known(&item, &known, st, "2", "5:2", fx->pool));
    assert_false(known);
    OK(eas_coll_known(&item, &known, st, "5", "5:2", fx->pool));
    assert_false(known);
    eas_state_close(st);
}

static void an_item_that_breaks_answers_becomes_a_suspect(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_result_t r;

    fx_sync(fx, b.ph, &(fx_opts_t){0});
    for (int i = 0; i < 8; i++)
        assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){.lose = 1}).adds, 10);
    for (int i = 0; i < 8; i++) {
        r = fx_sync(fx, b.ph, &(fx_opts_t){.lose = 1});
        assert_int_equal(r.adds, 1);
        assert_int_equal(r.suspects, 0);
        assert_true(r.more);
    }
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.adds, 1);
    assert_int_equal(r.suspects, 1);
    r = fx_sync(fx, b.ph, &(fx_opts_t){0}); /* the folder goes on */
    assert_int_equal(r.adds, 9);
    assert_int_equal(r.suspects, 0);
    fx_same(fx, b.ph);
}

static void an_outage_makes_no_suspect(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_result_t r;

    fx_sync(fx, b.ph, &(fx_opts_t){0});
    for (int i = 0; i < 20; i++)
        assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){.stop = 1}).status, 0);
    for (int i = 0; i < 20; i++) {
        fx->die_after = 0; /* the disk is full */
        assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){0}).status, 0);
    }
    fx->die_after = -1;
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.adds, 10);
    assert_int_equal(r.suspects, 0);
}

static void two_phones_do_not_share(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_phone_t *second = fx_phone(fx, "2");

    fx_quiet(fx, b.ph, 5);
    fx->device = "phone2";
    memcpy(fx->hkey, "0", 2);
    fx_hierarchy(fx);
    fx_quiet(fx, second, 5);
    fx->device = "phone1";
    fx_command(fx, b.ph, EAS_C_DELETE, 3, 0, 0);
    fx_quiet(fx, b.ph, 5);
    fx->device = "phone2";
    assert_int_equal(fx_sync(fx, second, &(fx_opts_t){0}).deletes, 1);
    fx_same(fx, second);
}

static void a_newer_head_is_left_alone(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);
    sync_side_t cur = {2, "\x02later", 6};
    const void *val;
    apr_size_t len;
    eas_coll_t *coll;
    int status;

    fx_quiet(fx, b.ph, 5);
    eas_state_t *st = fx_open(fx, fx->pool);
    sync_row_put(st, "c/2", &cur, NULL, fx->pool);
    OK(eas_state_commit(st));
    FAILS(EAS_E_NEWER, eas_coll_open(&coll, &status, st, "2", b.ph->key, fx->pool));
    FAILS(EAS_E_NEWER, eas_coll_open(&coll, &status, st, "2", "0", fx->pool));
    OK(fx->store.v->get(&val, &len, st->db, "c/2", fx->pool));
    assert_non_null(memmem(val, len, "later", 5));
    eas_state_close(st);
}

static void a_damaged_head_ends_in_a_new_start(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);

    fx_quiet(fx, b.ph, 5);
    eas_state_t *st = fx_open(fx, fx->pool);
    fx->store.v->put(st->db, "c/2", "\x01\x02", 2);
    OK(eas_state_commit(st));
    eas_state_close(st);
    assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){0}).status, 3);
    fx_quiet(fx, b.ph, 5);
    fx_same(fx, b.ph);
}

static void other_visible_flags_cost_one_write(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3000);

    fx_quiet(fx, b.ph, 20);
    fx->visible = EAS_MF_SEEN;
    fx_sync(fx, b.ph, &(fx_opts_t){0});
    fx_reset(fx);
    fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(fx->calls.puts, 0);
    fx_flag(b.f, 2990, EAS_MF_ANSWERED);
    eas_clock_shift(apr_time_from_sec(61));
    assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){0}).changes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(key_0_gives_a_key_and_no_items),
        FX_TEST(newest_and_previous_key_are_known_and_no_other),
        FX_TEST(a_start_left_behind_is_good_until_the_new_one_is_used),
        FX_TEST(the_same_key_when_nothing_changed_and_nothing_written),
        FX_TEST(the_window_holds_and_more_is_said),
        FX_TEST(deletes_and_changes_go_before_adds),
        FX_TEST(a_window_of_nothing_keeps_the_key_and_loses_nothing),
        FX_TEST(dying_anywhere_while_writing_costs_no_resync),
        FX_TEST(options_stick_with_the_state_they_were_given_for),
        FX_TEST(what_is_known_of_an_item),
        FX_TEST(an_item_that_breaks_answers_becomes_a_suspect),
        FX_TEST(an_outage_makes_no_suspect),
        FX_TEST(two_phones_do_not_share),
        FX_TEST(a_newer_head_is_left_alone),
        FX_TEST(a_damaged_head_ends_in_a_new_start),
        FX_TEST(other_visible_flags_cost_one_write),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
