/* SPDX-License-Identifier: Apache-2.0 */
/* Built with its own copy of failpoint.c that has failure points, whatever configure was told. */
#include "util_unit.h"
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "eas_failpoint.h"

#define FILE_NAME "failpoint-test.rules"

static void rules(const char *text)
{
    FILE *f = fopen(FILE_NAME, "w");
    fputs(text, f);
    fclose(f);
    setenv("EAS_FAILPOINT_FILE", FILE_NAME, 1);
}

static int remove_rules(void **state)
{
    unlink(FILE_NAME);
    unsetenv("EAS_FAILPOINT_FILE");
    return 0;
}

static void without_rules_nothing_happens(void **state)
{
    unsetenv("EAS_FAILPOINT_FILE");
    assert_int_equal(EAS_FAILPOINT("a"), 0);
    setenv("EAS_FAILPOINT_FILE", "no-such-file", 1);
    assert_int_equal(EAS_FAILPOINT("a"), 0);
}

static void only_the_nth_time_fails(void **state)
{
    rules("a:2:fail\nab:1:fail\n");
    assert_int_equal(EAS_FAILPOINT("a"), 0);
    assert_int_equal(EAS_FAILPOINT("other"), 0);
    assert_int_equal(EAS_FAILPOINT("a"), 1);
    assert_int_equal(EAS_FAILPOINT("a"), 0);
    assert_int_equal(EAS_FAILPOINT("ab"), 1);
}

static void counting_starts_anew_when_a_line_comes_back(void **state)
{
    rules("a:1:fail\n");
    assert_int_equal(EAS_FAILPOINT("a"), 1);
    rules("b:0:fail\n");
    assert_int_equal(EAS_FAILPOINT("b"), 1);
    assert_int_equal(EAS_FAILPOINT("b"), 1);
    rules("a:1:fail\n");
    assert_int_equal(EAS_FAILPOINT("a"), 1);
}

static void die_is_a_kill(void **state)
{
    int st;
    rules("a:1:die\n");
    pid_t pid = fork();
    if (pid == 0) {
        int rv = EAS_FAILPOINT("a");
        _exit(rv);
    }
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

static void delay_waits(void **state)
{
    apr_time_t t = apr_time_now();
    rules("a:1:delay:60\n");
    assert_int_equal(EAS_FAILPOINT("a"), 0);
    assert_true(apr_time_now() - t >= apr_time_from_msec(60));
}

#define FP_TEST(f) cmocka_unit_test_setup_teardown(f, NULL, remove_rules)
static const struct CMUnitTest tests[] = {
    FP_TEST(without_rules_nothing_happens), FP_TEST(only_the_nth_time_fails),
    FP_TEST(counting_starts_anew_when_a_line_comes_back), FP_TEST(die_is_a_kill),
    FP_TEST(delay_waits),
};
RUN(tests)
