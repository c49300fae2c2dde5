/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <errno.h>

static void wrapping_keeps_kind_status_and_retry_after(void **state)
{
    eas_err_t *low = eas_err_create(*state, EAS_E_UNAVAILABLE, "ox.call", "HTTP %d", 502);
    low->status = 110;
    low->retry_after = 7;
    eas_err_t *up = eas_err_wrap(*state, low, "sync", "cannot probe collection %s", "m5");
    assert_int_equal(up->kind, EAS_E_UNAVAILABLE);
    assert_int_equal(up->status, 110);
    assert_int_equal(up->retry_after, 7);
    assert_ptr_equal(up->cause, low);
}

static void the_chain_reads_from_the_outside_in(void **state)
{
    eas_err_t *low = eas_err_create(*state, EAS_E_UNAVAILABLE, "ox.call", "HTTP 502");
    low->detail = "MSG-0074 id 12-3";
    eas_err_t *up = eas_err_wrap(*state, low, "sync", "cannot probe");
    assert_string_equal(eas_err_chain(up, *state),
                        "sync: cannot probe: ox.call: HTTP 502 [MSG-0074 id 12-3]");
}

static void nobody_forges_a_log_line_through_a_message(void **state)
{
    eas_err_t *err = eas_err_create(*state, EAS_E_INTERNAL, "x", "%s", "a\r\n[error] forged\x7f");
    assert_string_equal(eas_err_chain(err, *state), "x: a??[error] forged?");
}

static void a_chain_has_an_end(void **state)
{
    char *big = apr_palloc(*state, 100001);
    memset(big, 'a', 100000);
    big[100000] = '\0';
    assert_true(strlen(eas_err_chain(eas_err_create(*state, EAS_E_INTERNAL, "x", "%s", big),
                                     *state)) < 4096);
    eas_err_t *err = eas_err_create(*state, EAS_E_INTERNAL, "x", "m");
    for (int i = 0; i < 1000; i++)
        err = eas_err_wrap(*state, err, "x", "m");
    assert_true(strlen(eas_err_chain(err, *state)) < 200);
}

static void a_full_disk_is_away_and_a_bad_argument_is_a_bug(void **state)
{
    eas_err_t *err = eas_err_apr(*state, ENOSPC, "store", "cannot write %s", "f");
    assert_int_equal(err->kind, EAS_E_UNAVAILABLE);
    assert_string_equal(err->message, "cannot write f: No space left on device");
    assert_int_equal(eas_err_apr(*state, EACCES, "s", "x")->kind, EAS_E_UNAVAILABLE);
    assert_int_equal(eas_err_apr(*state, APR_TIMEUP, "s", "x")->kind, EAS_E_UNAVAILABLE);
    assert_int_equal(eas_err_apr(*state, EINVAL, "s", "x")->kind, EAS_E_INTERNAL);
    assert_int_equal(eas_err_apr(*state, APR_ENOMEM, "s", "x")->kind, EAS_E_INTERNAL);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(wrapping_keeps_kind_status_and_retry_after),
    POOL_TEST(the_chain_reads_from_the_outside_in),
    POOL_TEST(nobody_forges_a_log_line_through_a_message),
    POOL_TEST(a_chain_has_an_end),
    POOL_TEST(a_full_disk_is_away_and_a_bad_argument_is_a_bug),
};
RUN(tests)
