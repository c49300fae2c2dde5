/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UTIL_UNIT_H
#define UTIL_UNIT_H
/** What the unit tests of util and store share: cmocka, a pool per test (*state), byte compare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include "eas_err.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

static inline int pool_setup(void **state)
{
    apr_pool_t *pool;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    *state = pool;
    return 0;
}

static inline int pool_teardown(void **state)
{
    apr_pool_destroy(*state); /* no apr_terminate(): apr_dbm keeps its drivers in a static table */
    return 0;
}

#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, pool_setup, pool_teardown)

#define RUN(tests)                                                                                 \
    int main(void)                                                                                 \
    {                                                                                              \
        cmocka_set_message_output(CM_OUTPUT_TAP);                                                  \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

/** No error, else the test fails with the whole chain. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        const eas_err_t *ok_err_ = (call);                                                         \
        if (ok_err_)                                                                               \
            fail_msg("%s: %s", #call, ok_err_->message);                                           \
    } while (0)

/** Fails with this kind. */
#define FAILS(kind_, call)                                                                         \
    do {                                                                                           \
        const eas_err_t *fails_err_ = (call);                                                      \
        assert_non_null(fails_err_);                                                               \
        assert_int_equal(fails_err_->kind, kind_);                                                 \
    } while (0)

/** Bytes to lower-case hex. */
static inline const char *hex(const void *data, apr_size_t len, apr_pool_t *pool)
{
    const unsigned char *p = data;
    char *out = apr_palloc(pool, 2 * len + 1);
    for (apr_size_t i = 0; i < len; i++)
        apr_snprintf(out + 2 * i, 3, "%02x", p[i]);
    out[2 * len] = '\0';
    return out;
}

#endif
