/* SPDX-License-Identifier: Apache-2.0 */
/* The answer got lost: the phone comes back with the same key. */
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

static const fx_opts_t lose = {.lose = 1}, normal = {0};

static void changes_of_the_server_come_again(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);

    fx_deliver(fx, b.f, 0);
    fx_delete(b.f, 3);
    fx_flag(b.f, 4, EAS_MF_SEEN);
    for (int i = 0; i < 3; i++) {
        fx_result_t r = fx_sync(fx, b.ph, i < 2 ? &lose : &normal);
        assert_int_equal(r.adds, 1);
        assert_int_equal(r.deletes, 1);
        assert_int_equal(r.changes, 1);
        assert_int_equal(r.replayed, i > 0);
    }
    fx_same(fx, b.ph);
}

static void what_happened_meanwhile_comes_too(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);

    fx_deliver(fx, b.f, 0);
    fx_flag(b.f, 4, EAS_MF_SEEN);
    fx_sync(fx, b.ph, &lose);
    fx_delete(b.f, 11);           /* never reached the phone: no word of it */
    fx_flag(b.f, 4, EAS_MF_SEEN); /* and as it was */
    fx_deliver(fx, b.f, 0);
    fx_result_t r = fx_sync(fx, b.ph, &normal);
    assert_int_equal(r.adds, 1);
    assert_int_equal(r.deletes + r.changes, 0);
    fx_same(fx, b.ph);
}

static void repeated_commands_are_not_done_again(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 1000);
    fx_result_t r;

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_FLAGGED, 0);
    fx_command(fx, b.ph, EAS_C_DELETE, 6, 0, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 2000, EAS_MF_SEEN, 0);
    fx_sync(fx, b.ph, &lose);
    assert_int_equal(fx->calls.set_flags, 1);
    assert_int_equal(fx->calls.remove, 1);
    for (int i = 0; i < 3; i++) { /* the third repeat too */
        r = fx_sync(fx, b.ph, i < 2 ? &lose : &normal);
        assert_int_equal(r.cmd_status[0], 1);
        assert_int_equal(r.cmd_status[1], 1);
        assert_int_equal(r.cmd_status[2], 8);
        assert_int_equal(r.adds + r.changes + r.deletes, 0);
        assert_int_equal(fx->calls.set_flags, 1);
        assert_int_equal(fx->calls.remove, 1);
    }
    assert_int_equal(fx->calls.rows, 0);
    fx_same(fx, b.ph);
}

static void the_server_changing_it_back_wins_over_a_repeat(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_SEEN, 0);
    fx_sync(fx, b.ph, &lose);
    fx_flag(b.f, 5, EAS_MF_SEEN); /* somebody marks it unread again */
    fx_result_t r = fx_sync(fx, b.ph, &normal);
    assert_int_equal(fx_mail(b.f, 5)->flags, 0);
    assert_int_equal(r.changes, 1);
    fx_same(fx, b.ph);
}

static void without_the_commands_their_effect_comes_from_the_server(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 1000);

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_FLAGGED, 0); /* shows in no probe */
    fx_command(fx, b.ph, EAS_C_DELETE, 6, 0, 0);
    fx_sync(fx, b.ph, &lose);
    b.ph->npending = 0;
    fx_result_t r = fx_sync(fx, b.ph, &lose);
    assert_int_equal(r.changes, 1);
    assert_int_equal(r.deletes, 1);
    r = fx_sync(fx, b.ph, &normal); /* and again */
    assert_int_equal(r.changes, 1);
    assert_int_equal(r.deletes, 1);
    assert_int_equal(fx->calls.set_flags + fx->calls.remove, 2);
    assert_int_equal(fx->calls.rows, 0);
    fx_same(fx, b.ph);
}

static void other_commands_are_done_and_the_old_ones_are_not(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 1000);
    fx_command_t first, second;
    fx_result_t r;

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_FLAGGED, 0);
    fx_command(fx, b.ph, EAS_C_CHANGE, 6, EAS_MF_FLAGGED, 0);
    first = b.ph->pending[0];
    second = b.ph->pending[1];
    fx_sync(fx, b.ph, &lose);
    b.ph->npending = 0; /* the first again, a new one, the second not */
    b.ph->pending[b.ph->npending++] = first;
    fx_command(fx, b.ph, EAS_C_CHANGE, 7, EAS_MF_FLAGGED, 0);
    r = fx_sync(fx, b.ph, &lose);
    assert_int_equal(r.changes, 1); /* of the second */
    assert_int_equal(fx->calls.set_flags, 2);
    b.ph->pending[b.ph->npending++] = second; /* all three: all are recorded */
    r = fx_sync(fx, b.ph, &normal);
    assert_int_equal(fx->calls.set_flags, 2);
    assert_int_equal(r.changes, 0);
    assert_int_equal(fx_mail(b.f, 5)->flags & fx_mail(b.f, 6)->flags & fx_mail(b.f, 7)->flags,
                     EAS_MF_FLAGGED);
    fx_same(fx, b.ph);
}

static void a_repeat_that_needs_no_new_key_does_not_forget(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_command_t cmd;

    fx_command(fx, b.ph, EAS_C_DELETE, 5, 0, 0);
    cmd = b.ph->pending[0];
    fx_sync(fx, b.ph, &lose);
    b.ph->npending = 0;
    b.ph->filter = 5; /* something to write, but nothing to say */
    fx_result_t r = fx_sync(fx, b.ph, &(fx_opts_t){.no_changes = 1});
    assert_true(r.same_key);
    b.ph->pending[b.ph->npending++] = cmd;
    fx_sync(fx, b.ph, &normal);
    assert_int_equal(fx->calls.remove, 1);
    fx_same(fx, b.ph);
}

static void dying_before_the_head_does_not_make_commands_run_twice(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_SEEN, 0);
    fx->die_after = 2; /* chunk and replay record, but no head */
    fx_sync(fx, b.ph, &normal);
    fx->die_after = -1;
    fx_result_t r = fx_sync(fx, b.ph, &normal);
    assert_int_equal(r.cmd_status[0], 1);
    assert_int_equal(fx->calls.set_flags, 1);
    fx_same(fx, b.ph);
}

static void the_same_command_under_a_new_key_is_a_new_one(void **state)
{
    fx_t *fx = *state;
    box_t b = inbox_of(fx, 10);
    fx_command_t cmd;

    fx_command(fx, b.ph, EAS_C_CHANGE, 5, EAS_MF_SEEN, 0);
    cmd = b.ph->pending[0];
    fx_sync(fx, b.ph, &normal);
    fx_flag(b.f, 5, EAS_MF_SEEN);
    fx_sync(fx, b.ph, &normal);
    b.ph->pending[b.ph->npending++] = cmd;
    fx_sync(fx, b.ph, &normal);
    assert_int_equal(fx->calls.set_flags, 2);
    assert_int_equal(fx_mail(b.f, 5)->flags, EAS_MF_SEEN);
}

static void records_are_of_one_key(void **state)
{
    fx_t *fx = *state;
    eas_ccmd_t cmd = {.op = EAS_C_CHANGE, .id = "2:5", .digest = {1, 2, 3}, .set = 1, .clear = 2,
                      .status = 8};
    eas_ccmd_t *cmds;
    int n;
    eas_state_t *st = fx_open(fx, fx->pool);

    replay_save(st, "2", "abcdefab", 4, &cmd, 1, fx->pool);
    OK(replay_load(&cmds, &n, st, "2", "abcdefab", 4, fx->pool));
    assert_int_equal(n, 1);
    assert_string_equal(cmds[0].id, "2:5");
    assert_int_equal(cmds[0].op, EAS_C_CHANGE);
    assert_int_equal(cmds[0].set, 1);
    assert_int_equal(cmds[0].clear, 2);
    assert_int_equal(cmds[0].status, 8);
    assert_memory_equal(cmds[0].digest, cmd.digest, sizeof(cmd.digest));
    OK(replay_load(&cmds, &n, st, "2", "abcdefab", 5, fx->pool));
    assert_int_equal(n, 0);
    OK(replay_load(&cmds, &n, st, "2", "abcdefac", 4, fx->pool));
    assert_int_equal(n, 0);
    OK(replay_load(&cmds, &n, st, "5", "abcdefab", 4, fx->pool));
    assert_int_equal(n, 0);
    fx->store.v->put(st->db, "r/2", "\x02", 1);
    FAILS(EAS_E_NEWER, replay_load(&cmds, &n, st, "2", "abcdefab", 4, fx->pool));
    fx->store.v->put(st->db, "r/2", "\x01\x08" "abcdefab\x04\xff\x01", 13);
    FAILS(EAS_E_STATE, replay_load(&cmds, &n, st, "2", "abcdefab", 4, fx->pool));
    eas_state_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(changes_of_the_server_come_again),
        FX_TEST(what_happened_meanwhile_comes_too),
        FX_TEST(repeated_commands_are_not_done_again),
        FX_TEST(the_server_changing_it_back_wins_over_a_repeat),
        FX_TEST(without_the_commands_their_effect_comes_from_the_server),
        FX_TEST(other_commands_are_done_and_the_old_ones_are_not),
        FX_TEST(a_repeat_that_needs_no_new_key_does_not_forget),
        FX_TEST(dying_before_the_head_does_not_make_commands_run_twice),
        FX_TEST(the_same_command_under_a_new_key_is_a_new_one),
        FX_TEST(records_are_of_one_key),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
