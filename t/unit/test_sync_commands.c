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
    fx_quiet(fx, b.ph, 50);
    fx_reset(fx);
    return b;
}

static void flags_of_many_mails_are_one_call_and_no_echo(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 300);
    fx_result_t r;

    for (apr_uint32_t uid = 1; uid <= 20; uid++)
        fx_command(fx, b.ph, EAS_C_CHANGE, uid, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 21, EAS_MF_FLAGGED, 0);
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    for (int i = 0; i < 21; i++)
        assert_int_equal(r.cmd_status[i], 1);
    assert_int_equal(fx->calls.set_flags, 1);
    assert_int_equal(r.changes, 0);
    assert_false(r.same_key);
    assert_int_equal(fx->calls.rows, 0); /* our own change is no reason to list */
    fx_same(fx, b.ph);
    assert_true(fx_sync(fx, b.ph, &(fx_opts_t){0}).same_key);
}

static void deletes_are_one_call_and_no_echo(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 300);

    for (apr_uint32_t uid = 1; uid <= 20; uid++)
        fx_command(fx, b.ph, EAS_C_DELETE, uid, 0, 0);
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){.hard = 1});
    assert_int_equal(r.deletes, 0);
    assert_int_equal(fx->calls.remove, 1);
    assert_int_equal(fx->calls.hard, 1);
    assert_int_equal(fx->calls.rows, 0);
    assert_int_equal(b.f->n, 280);
    fx_same(fx, b.ph);
    assert_true(fx_sync(fx, b.ph, &(fx_opts_t){0}).same_key);
}

static void commands_always_get_a_new_key(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 3);

    fx_command(fx, b.ph, EAS_C_CHANGE, 77, EAS_MF_SEEN, 0); /* fails */
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){.no_changes = 1});
    assert_int_equal(r.cmd_status[0], 8);
    assert_false(r.same_key);
}

static void a_mail_that_is_gone(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 5);
    fx_result_t r;

    fx_delete(b.f, 1); /* the snapshot does not know yet */
    fx_delete(b.f, 2);
    fx_command(fx, b.ph, EAS_C_CHANGE, 1, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 2, 0, 0);
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 8);
    assert_int_equal(r.cmd_status[1], 1);
    assert_int_equal(r.deletes, 1); /* of the first */
    fx_same(fx, b.ph);
    fx_delete(b.f, 3);
    fx_delete(b.f, 4);
    fx_sync(fx, b.ph, &(fx_opts_t){.window = -1}); /* now it does, but the phone was not told */
    fx_command(fx, b.ph, EAS_C_CHANGE, 3, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 4, 0, 0);
    fx_reset(fx);
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 8);
    assert_int_equal(r.cmd_status[1], 1);
    assert_int_equal(r.deletes, 1);
    assert_int_equal(fx->calls.set_flags + fx->calls.remove, 0);
    fx_same(fx, b.ph);
}

static void a_delete_that_fails_comes_back_as_an_add(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 5);

    fx->refuse_delete = 1;
    fx_command(fx, b.ph, EAS_C_DELETE, 2, 0, 0);
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 9);
    assert_int_equal(r.adds, 1);
    fx_same(fx, b.ph);
}

static void a_readonly_folder_gives_everything_back(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 5);
    fx_result_t r;

    b.f->readonly = 1;
    fx_hierarchy(fx);
    fx_command(fx, b.ph, EAS_C_DELETE, 2, 0, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 3, EAS_MF_SEEN, 0);
    fx_reset(fx);
    r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 6);
    assert_int_equal(r.cmd_status[1], 6);
    assert_int_equal(fx->calls.set_flags + fx->calls.remove, 0);
    assert_int_equal(r.adds, 1);
    assert_int_equal(r.changes, 1);
    fx_same(fx, b.ph);
}

static void received_mail_is_not_added_by_phones(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 2);

    fx_command(fx, b.ph, EAS_C_ADD, 9, 0, 0);
    assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){0}).cmd_status[0], 6);
    assert_int_equal(b.f->n, 2);
}

static void what_was_refused_unread_is_not_done(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 2);
    eas_ccmd_t cmd = {.op = EAS_C_CHANGE, .id = "2:1", .set = EAS_MF_SEEN, .status = 6};
    eas_coll_t *coll;
    int status;

    eas_state_t *st = fx_open(fx, fx->pool);
    OK(eas_coll_open(&coll, &status, st, "2", b.ph->key, fx->pool));
    eas_coll_set_view(coll, 0, fx->visible);
    OK(eas_coll_commands(coll, &cmd, 1, 0, fx->session));
    assert_int_equal(cmd.status, 6);
    assert_int_equal(fx->calls.set_flags, 0);
    eas_state_close(st);
}

static void several_changes_of_one_mail_end_as_the_phone_meant(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 5);

    fx_command(fx, b.ph, EAS_C_CHANGE, 3, EAS_MF_SEEN | EAS_MF_FLAGGED, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 3, 0, EAS_MF_SEEN);
    fx_command(fx, b.ph, EAS_C_CHANGE, 4, 0, EAS_MF_SEEN);
    fx_command(fx, b.ph, EAS_C_CHANGE, 4, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 5, 0, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 5, 0, 0);
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    for (int i = 0; i < 7; i++)
        assert_int_equal(r.cmd_status[i], 1);
    assert_int_equal(fx_mail(b.f, 3)->flags, EAS_MF_FLAGGED);
    assert_int_equal(fx_mail(b.f, 4)->flags, EAS_MF_SEEN);
    assert_null(fx_mail(b.f, 5));
    assert_int_equal(r.adds + r.changes + r.deletes, 0);
    fx_same(fx, b.ph);
}

static void a_backend_that_is_away_leaves_everything_as_it_was(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 5);
    char key[80];

    apr_cpystrn(key, b.ph->key, sizeof(key));
    fx_command(fx, b.ph, EAS_C_CHANGE, 3, EAS_MF_SEEN, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 4, 0, 0);
    for (int at = 1; at <= 3; at++) { /* flags, deletes, probe */
        fx->fail_in = at;
        assert_int_equal(fx_sync(fx, b.ph, &(fx_opts_t){0}).status, 0);
        assert_string_equal(b.ph->key, key);
    }
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 1);
    assert_int_equal(r.cmd_status[1], 1);
    fx_quiet(fx, b.ph, 5);
    fx_same(fx, b.ph);
}

static void a_mail_that_left_the_window_can_still_be_changed(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 1);

    fx_deliver(fx, b.f, 20 * FX_DAY);
    fx_quiet(fx, b.ph, 5);
    b.ph->filter = 3;
    fx_sync(fx, b.ph, &(fx_opts_t){.window = -1}); /* SoftDelete waits */
    fx_command(fx, b.ph, EAS_C_CHANGE, 2, EAS_MF_FLAGGED, 0);
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){0});
    assert_int_equal(r.cmd_status[0], 1);
    assert_int_equal(r.softs, 1);
    assert_int_equal(fx_mail(b.f, 2)->flags, EAS_MF_FLAGGED);
    fx_same(fx, b.ph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(flags_of_many_mails_are_one_call_and_no_echo),
        FX_TEST(deletes_are_one_call_and_no_echo),
        FX_TEST(commands_always_get_a_new_key),
        FX_TEST(a_mail_that_is_gone),
        FX_TEST(a_delete_that_fails_comes_back_as_an_add),
        FX_TEST(a_readonly_folder_gives_everything_back),
        FX_TEST(received_mail_is_not_added_by_phones),
        FX_TEST(what_was_refused_unread_is_not_done),
        FX_TEST(several_changes_of_one_mail_end_as_the_phone_meant),
        FX_TEST(a_backend_that_is_away_leaves_everything_as_it_was),
        FX_TEST(a_mail_that_left_the_window_can_still_be_changed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
