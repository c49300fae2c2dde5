/* SPDX-License-Identifier: Apache-2.0 */
/* Seconds since the epoch are from date(1): date -u -d 2026-03-09T08:15:00 +%s */
#include "util_unit.h"
#include "eas_time.h"

#define SEC(n) ((apr_time_t)(n) * APR_USEC_PER_SEC)

static const struct {
    const char *dashed, *compact;
    apr_time_t t;
} known[] = {
    {"1970-01-01T00:00:00.000Z", "19700101T000000Z", SEC(0)},
    {"2026-03-09T08:15:00.000Z", "20260309T081500Z", SEC(1773044100)},
    {"2000-02-29T23:59:59.000Z", "20000229T235959Z", SEC(951868799)},
    {"2024-12-31T12:00:00.000Z", "20241231T120000Z", SEC(1735646400)},
    {"1969-12-31T23:59:59.000Z", "19691231T235959Z", SEC(-1)},
    {"2100-03-01T00:00:00.000Z", "21000301T000000Z", SEC(4107542400)},
};

static void both_forms_are_written_and_read(void **state)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        apr_time_t t;
        assert_string_equal(eas_time_dashed(known[i].t, *state), known[i].dashed);
        assert_string_equal(eas_time_compact(known[i].t, *state), known[i].compact);
        assert_true(eas_time_parse(&t, known[i].dashed));
        assert_true(t == known[i].t);
        assert_true(eas_time_parse(&t, known[i].compact));
        assert_true(t == known[i].t);
    }
}

static void milliseconds_stay(void **state)
{
    apr_time_t t;
    assert_true(eas_time_parse(&t, "1970-01-01T00:00:01.250Z"));
    assert_true(t == 1250000);
    assert_string_equal(eas_time_dashed(t, *state), "1970-01-01T00:00:01.250Z");
    assert_true(eas_time_parse(&t, "1970-01-01T00:00:01.5Z"));
    assert_true(t == 1500000);
    assert_true(eas_time_parse(&t, "1970-01-01T00:00:01Z"));
    assert_true(t == 1000000);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "Z", "2026-03-09", "2026-03-09T08:15:00.000", "2026-03-09 08:15:00.000Z",
        "2026-02-29T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z",
        "2026-04-31T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z",
        "2026-01-01T00:00:60.000Z", "0000-01-01T00:00:00.000Z", "2026-03-09T08:15:00.Z",
        "2026-03-09T08:15:00.0000000Z", "2026-03-09T08:15:00.000ZZ", "20260309T081500",
        "20260309T0815Z", "20260309T081500.000Z", "2026-03-09T08:15:00.000+01:00",
        " 20260309T081500Z", "-026-03-09T08:15:00.000Z",
    };
    apr_time_t t;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (eas_time_parse(&t, bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(eas_time_parse(&t, NULL));
}

static void every_day_of_four_centuries_survives(void **state)
{
    apr_pool_t *sub;
    apr_pool_create(&sub, *state);
    for (apr_time_t day = -70 * 365; day < 330 * 365; day++) {
        apr_time_t t;
        assert_true(eas_time_parse(&t, eas_time_compact(SEC(day * 86400), sub)));
        assert_true(t == SEC(day * 86400));
        apr_pool_clear(sub);
    }
}

static void the_clock_can_be_shifted(void **state)
{
    apr_time_t before = eas_now();
    eas_clock_shift(SEC(3600));
    assert_true(eas_now() - before >= SEC(3600));
    assert_true(eas_now() - before < SEC(3660));
    eas_clock_shift(0);
    assert_true(eas_now() - before < SEC(60));
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(both_forms_are_written_and_read), POOL_TEST(milliseconds_stay),
    POOL_TEST(what_is_no_time_is_refused),      POOL_TEST(every_day_of_four_centuries_survives),
    POOL_TEST(the_clock_can_be_shifted),
};
RUN(tests)
