/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_log.h"

static char last[4096];
static eas_level_t last_level;
static void *last_where;

static void keep_line(void *where, eas_level_t level, const char *line)
{
    apr_cpystrn(last, line, sizeof(last));
    last_level = level;
    last_where = where;
}

static void a_line_comes_to_the_sink_with_its_level_and_handle(void **state)
{
    eas_log_sink(keep_line);
    eas_log(&last, EAS_LOG_WARN, "%d things", 3);
    assert_string_equal(last, "3 things");
    assert_int_equal(last_level, EAS_LOG_WARN);
    assert_ptr_equal(last_where, &last);
}

static void one_call_is_one_line(void **state)
{
    eas_log_sink(keep_line);
    eas_log(NULL, EAS_LOG_INFO, "%s", "a\nb\rc\x1b[2J");
    assert_string_equal(last, "a?b?c?[2J");
}

static void without_a_sink_nothing_is_written(void **state)
{
    eas_log_sink(keep_line);
    eas_log(NULL, EAS_LOG_INFO, "before");
    eas_log_sink(NULL);
    eas_log(NULL, EAS_LOG_INFO, "after");
    assert_string_equal(last, "before");
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(a_line_comes_to_the_sink_with_its_level_and_handle),
    POOL_TEST(one_call_is_one_line),
    POOL_TEST(without_a_sink_nothing_is_written),
};
RUN(tests)
