/* SPDX-License-Identifier: Apache-2.0 */
/* What a Sync costs at the backend, and what it must not miss. */
#include "sync_fixture.h"

static fx_folder_t *inbox_of(fx_t *fx, fx_phone_t **ph, int mails)
{
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);

    fx_deliver_many(fx, inbox, mails, 3600);
    fx_hierarchy(fx);
    *ph = fx_phone(fx, "2");
    fx_quiet(fx, *ph, 100);
    fx_same(fx, *ph);
    fx_reset(fx);
    return inbox;
}

static fx_result_t sync_once(fx_t *fx, fx_phone_t *ph)
{
    fx_reset(fx);
    return fx_sync(fx, ph, &(fx_opts_t){.window = 512});
}

static void unchanged_costs_one_probe(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_result_t r;

    inbox_of(fx, &ph, 300);
    r = sync_once(fx, ph);
    assert_true(r.same_key);
    assert_int_equal(fx->calls.status, 1);
    assert_int_equal(fx->calls.rows, 0);
    assert_int_equal(fx->calls.puts, 0);
}

static void one_new_mail_costs_twenty_rows(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 300);

    fx_deliver(fx, inbox, 0);
    assert_int_equal(sync_once(fx, ph).adds, 1);
    assert_int_equal(fx->calls.status, 1);
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 20);
    fx_same(fx, ph);
}

static void some_new_mails_cost_twice_their_number(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 300);

    fx_deliver_many(fx, inbox, 50, 0);
    assert_int_equal(sync_once(fx, ph).adds, 50);
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 100);
}

static void very_many_new_mails_cost_one_listing(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 300);

    fx_deliver_many(fx, inbox, 600, 0);
    assert_int_equal(sync_once(fx, ph).pending, 600);
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 0);
}

static void a_recent_deletion_is_explained_by_the_newest_rows(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_delete(inbox, 995);
    assert_int_equal(sync_once(fx, ph).deletes, 1);
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 200);
    fx_same(fx, ph);
}

static void an_old_deletion_costs_a_second_listing(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_delete(inbox, 5);
    assert_int_equal(sync_once(fx, ph).deletes, 1);
    assert_int_equal(fx->calls.rows, 2);
    assert_int_equal(fx->calls.limits[0], 200);
    assert_int_equal(fx->calls.limits[1], 0);
    fx_same(fx, ph);
}

static void read_state_moves_with_unread(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_flag(inbox, 990, EAS_MF_SEEN);
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.rows, 1);
    fx_flag(inbox, 3, EAS_MF_SEEN);
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.rows, 2);
    fx_same(fx, ph);
}

static void other_flags_show_after_a_minute_or_a_quarter_of_an_hour(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_flag(inbox, 990, EAS_MF_FLAGGED);
    fx_flag(inbox, 3, EAS_MF_ANSWERED);
    assert_int_equal(sync_once(fx, ph).changes, 0);
    assert_int_equal(fx->calls.rows, 0);
    eas_clock_shift(apr_time_from_sec(61));
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.limits[0], 200);
    assert_int_equal(sync_once(fx, ph).changes, 0);
    assert_int_equal(fx->calls.rows, 0);
    eas_clock_shift(apr_time_from_sec(901));
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.limits[0], 0);
    fx_same(fx, ph);
}

static void a_reload_makes_it_peek_at_once(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_flag(inbox, 990, EAS_MF_FLAGGED);
    fx->cfg.cache = eas_mem_cache_create(fx->pool);
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.rows, 1);
}

static void an_estimate_does_not_use_up_a_comparison(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_flag(inbox, 990, EAS_MF_FLAGGED);
    eas_clock_shift(apr_time_from_sec(61));
    fx_reset(fx);
    assert_int_equal(fx_estimate(fx, ph, 0), 1);
    assert_int_equal(fx->calls.puts, 0);
    assert_int_equal(sync_once(fx, ph).changes, 1);
}

static void a_lost_answer_does_not_use_up_a_comparison(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_flag(inbox, 3, EAS_MF_FLAGGED);
    eas_clock_shift(apr_time_from_sec(901));
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){.lose = 1}).changes, 1);
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){.stop = 1}).status, 0);
    assert_int_equal(sync_once(fx, ph).changes, 1);
    fx_same(fx, ph);
    sync_once(fx, ph); /* and then it is done */
    assert_int_equal(fx->calls.rows, 0);
}

static void a_mail_with_an_old_date_hides_behind_no_deletion(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);

    fx_delete(inbox, 5);
    fx_deliver(fx, inbox, 30 * 86400); /* moved in: total and unread stay */
    fx_result_t r = sync_once(fx, ph);
    assert_int_equal(r.deletes, 1);
    assert_int_equal(r.adds, 1);
    fx_same(fx, ph);
}

static fx_folder_t *busy;
static eas_err_t *(*quiet_rows)(const eas_mail_row_t **, apr_size_t *, eas_session_t *,
                                const char *, apr_size_t, apr_pool_t *);

/* A mail arrives between the probe and its listing. */
static eas_err_t *rows_while_mail_arrives(const eas_mail_row_t **rows, apr_size_t *count,
                                          eas_session_t *session, const char *folder,
                                          apr_size_t limit, apr_pool_t *pool)
{
    if (busy)
        fx_deliver(session->fx, busy, 0);
    busy = NULL;
    return quiet_rows(rows, count, session, folder, limit, pool);
}

static void mail_arriving_during_the_listing_costs_nothing_more(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);
    eas_be_mail_t mail = *fx->be.mail;

    quiet_rows = mail.rows;
    mail.rows = rows_while_mail_arrives;
    fx->be.mail = &mail;
    busy = inbox;
    fx_deliver(fx, inbox, 0);
    assert_int_equal(sync_once(fx, ph).adds, 2);
    assert_int_equal(sync_once(fx, ph).adds, 0); /* the next probe shows the second one */
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 20);
    fx_same(fx, ph);
    busy = inbox; /* and the phone deletes such a one before the next probe */
    fx_deliver(fx, inbox, 0);
    assert_int_equal(sync_once(fx, ph).adds, 2);
    fx_command(fx, ph, EAS_C_DELETE, inbox->next - 1, 0, 0);
    fx_sync(fx, ph, &(fx_opts_t){.no_changes = 1});
    fx_sync(fx, ph, &(fx_opts_t){0});
    fx_same(fx, ph);
}

static void mails_of_1970_are_not_taken_for_deleted(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);

    for (int i = 0; i < 300; i++)
        fx_deliver(fx, inbox, apr_time_sec(eas_now()));
    fx_hierarchy(fx);
    ph = fx_phone(fx, "2");
    fx_quiet(fx, ph, 10);
    eas_clock_shift(apr_time_from_sec(61));
    assert_int_equal(sync_once(fx, ph).deletes, 0);
    assert_int_equal(fx->calls.limits[0], 200);
    fx_same(fx, ph);
}

static void a_narrower_filter_sends_mails_away_and_a_wider_one_brings_them_back(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_phone_t *ph = fx_phone(fx, "2");
    fx_result_t r;

    for (int i = 0; i < 40; i++)
        fx_deliver(fx, inbox, i * FX_DAY);
    fx_hierarchy(fx);
    fx_quiet(fx, ph, 5);
    assert_int_equal(ph->count, 40);
    ph->filter = 3;
    r = sync_once(fx, ph);
    assert_int_equal(r.softs, 32); /* today and seven days before it stay */
    assert_int_equal(r.deletes, 0);
    fx_same(fx, ph);
    fx_deliver(fx, inbox, 20 * FX_DAY); /* comes in outside */
    assert_int_equal(sync_once(fx, ph).adds, 0);
    fx_same(fx, ph);
    ph->filter = 5;
    r = sync_once(fx, ph);
    assert_int_equal(r.adds, ph->count - 8);
    fx_same(fx, ph);
    ph->filter = 0;
    sync_once(fx, ph);
    assert_int_equal(ph->count, 41);
    fx_same(fx, ph);
}

static void a_filtered_window_is_listed_only_as_far_as_it_goes(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_phone_t *ph = fx_phone(fx, "2");

    fx_deliver_many(fx, inbox, 3000, 60 * FX_DAY);
    fx_deliver_many(fx, inbox, 100, 3600);
    fx_hierarchy(fx);
    ph->filter = 3;
    fx_sync(fx, ph, &(fx_opts_t){0});
    assert_int_equal(sync_once(fx, ph).pending, 100);
    assert_int_equal(fx->calls.rows, 1);
    assert_int_equal(fx->calls.limits[0], 1000);
    fx_quiet(fx, ph, 5);
    fx_same(fx, ph);
    fx_delete(inbox, 7); /* outside: nothing for the phone, and nothing again */
    assert_true(sync_once(fx, ph).same_key);
    sync_once(fx, ph);
    assert_int_equal(fx->calls.rows, 0);
    assert_int_equal(fx->calls.puts, 0);
}

static void mails_age_out_of_the_window(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_phone_t *ph = fx_phone(fx, "2");

    fx_deliver_many(fx, inbox, 10, 0);
    fx_hierarchy(fx);
    ph->filter = 2;
    fx_quiet(fx, ph, 5);
    eas_clock_shift(apr_time_from_sec(4 * FX_DAY));
    fx_deliver(fx, inbox, 0);
    fx_result_t r = sync_once(fx, ph);
    assert_int_equal(r.softs, 10);
    assert_int_equal(r.adds, 1);
    fx_same(fx, ph);
}

static void other_ids_mean_a_new_start(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 10);

    fx_new_validity(inbox);
    fx_result_t r = sync_once(fx, ph);
    assert_int_equal(r.error, EAS_E_GONE);
    assert_int_equal(fx->calls.puts, 0);
    assert_int_equal(sync_once(fx, ph).status, 1);
    fx_quiet(fx, ph, 5);
    fx_same(fx, ph);
}

static void with_modseq_flags_show_at_once(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;

    fx->with_modseq = 1;
    fx_folder_t *inbox = inbox_of(fx, &ph, 1000);
    fx_flag(inbox, 990, EAS_MF_FLAGGED);
    assert_int_equal(sync_once(fx, ph).changes, 1);
    assert_int_equal(fx->calls.limits[0], 200);
    eas_clock_shift(apr_time_from_sec(901)); /* what the newest rows do not show comes then */
    fx_flag(inbox, 3, EAS_MF_FLAGGED);
    sync_once(fx, ph);
    sync_once(fx, ph);
    fx_same(fx, ph);
    eas_clock_shift(apr_time_from_sec(2000)); /* not moved since: no listing at all */
    sync_once(fx, ph);
    assert_int_equal(fx->calls.rows, 0);
}

static void a_folder_that_is_away_is_said_so(void **state)
{
    fx_t *fx = *state;
    fx_phone_t *ph;
    fx_folder_t *inbox = inbox_of(fx, &ph, 10);

    inbox->gone = 1;
    assert_int_equal(sync_once(fx, ph).error, EAS_E_FOLDER_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(unchanged_costs_one_probe),
        FX_TEST(one_new_mail_costs_twenty_rows),
        FX_TEST(some_new_mails_cost_twice_their_number),
        FX_TEST(very_many_new_mails_cost_one_listing),
        FX_TEST(a_recent_deletion_is_explained_by_the_newest_rows),
        FX_TEST(an_old_deletion_costs_a_second_listing),
        FX_TEST(read_state_moves_with_unread),
        FX_TEST(other_flags_show_after_a_minute_or_a_quarter_of_an_hour),
        FX_TEST(a_reload_makes_it_peek_at_once),
        FX_TEST(an_estimate_does_not_use_up_a_comparison),
        FX_TEST(a_lost_answer_does_not_use_up_a_comparison),
        FX_TEST(a_mail_with_an_old_date_hides_behind_no_deletion),
        FX_TEST(mail_arriving_during_the_listing_costs_nothing_more),
        FX_TEST(mails_of_1970_are_not_taken_for_deleted),
        FX_TEST(a_narrower_filter_sends_mails_away_and_a_wider_one_brings_them_back),
        FX_TEST(a_filtered_window_is_listed_only_as_far_as_it_goes),
        FX_TEST(mails_age_out_of_the_window),
        FX_TEST(other_ids_mean_a_new_start),
        FX_TEST(with_modseq_flags_show_at_once),
        FX_TEST(a_folder_that_is_away_is_said_so),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
