/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_portable.h>
#include "eas_spool.h"

/* Pseudo-random bytes, so that a block in the wrong place shows. */
static char *noise(apr_size_t len, apr_pool_t *pool)
{
    char *p = apr_palloc(pool, len);
    unsigned seed = 7;
    for (apr_size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        p[i] = (char)(seed >> 16);
    }
    return p;
}

static void bytes_come_back_whatever_the_size_and_pieces(void **state)
{
    static const apr_size_t sizes[] = {0, 1, 4096, 4097, EAS_SPOOL_MEM - 1, EAS_SPOOL_MEM,
                                       EAS_SPOOL_MEM + 1, 2 * EAS_SPOOL_MEM, 3000000};
    static const apr_size_t pieces[] = {1000, 7777, EAS_SPOOL_MEM, 5000000};
    const char *data = noise(3000000, *state);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
            eas_spool_t *sp = eas_spool_create(0, ".", *state);
            eas_span_t span;
            for (apr_size_t at = 0; at < sizes[s]; at += pieces[p]) {
                apr_size_t n = sizes[s] - at < pieces[p] ? sizes[s] - at : pieces[p];
                OK(eas_spool_write(sp, data + at, n));
            }
            assert_int_equal(eas_spool_size(sp), sizes[s]);
            OK(eas_spool_finish(&span, sp));
            assert_int_equal(span.len, sizes[s]);
            assert_memory_equal(span.data, data, sizes[s]);
            assert_int_equal(eas_spool_file(sp) != NULL, sizes[s] > EAS_SPOOL_MEM);
        }
}

static void the_limit_is_exact(void **state)
{
    eas_spool_t *sp = eas_spool_create(10, NULL, *state);
    OK(eas_spool_write(sp, "123456789", 9));
    OK(eas_spool_write(sp, "0", 1));
    FAILS(EAS_E_TOO_LARGE, eas_spool_write(sp, "x", 1));
    OK(eas_spool_write(sp, "", 0));
    assert_int_equal(eas_spool_size(sp), 10);
}

static void it_can_be_cut_back_and_written_on(void **state)
{
    const char *data = noise(1000000, *state);
    static const apr_size_t cuts[] = {999999, 700000, EAS_SPOOL_MEM, 100, 0};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        eas_spool_t *sp = eas_spool_create(0, ".", *state);
        eas_span_t span;
        OK(eas_spool_write(sp, data, 600000));
        OK(eas_spool_write(sp, data + 600000, 400000));
        FAILS(EAS_E_INTERNAL, eas_spool_truncate(sp, 1000001));
        OK(eas_spool_truncate(sp, cuts[i]));
        assert_int_equal(eas_spool_size(sp), cuts[i]);
        OK(eas_spool_write(sp, "tail", 4));
        OK(eas_spool_finish(&span, sp));
        assert_int_equal(span.len, cuts[i] + 4);
        assert_memory_equal(span.data, data, cuts[i]);
        assert_memory_equal(span.data + cuts[i], "tail", 4);
    }
}

static void the_file_has_no_name_and_is_for_nobody_else(void **state)
{
    eas_spool_t *sp = eas_spool_create(0, ".", *state);
    struct stat st;
    apr_os_file_t fd;
    struct dirent *e;
    OK(eas_spool_write(sp, noise(400000, *state), 400000));
    DIR *d = opendir(".");
    while ((e = readdir(d)))
        assert_int_not_equal(strncmp(e->d_name, "eas-spool", 9), 0);
    closedir(d);
    apr_os_file_get(&fd, eas_spool_file(sp));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void the_pool_ends_file_and_mapping(void **state)
{
    apr_pool_t *sub;
    apr_os_file_t fd;
    eas_span_t span;
    apr_pool_create(&sub, *state);
    eas_spool_t *sp = eas_spool_create(0, ".", sub);
    OK(eas_spool_write(sp, noise(400000, *state), 400000));
    OK(eas_spool_finish(&span, sp));
    apr_os_file_get(&fd, eas_spool_file(sp));
    apr_pool_destroy(sub);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void after_the_end_nothing_is_written(void **state)
{
    eas_spool_t *sp = eas_spool_create(0, NULL, *state);
    eas_span_t span;
    OK(eas_spool_write(sp, "ab", 2));
    OK(eas_spool_finish(&span, sp));
    FAILS(EAS_E_INTERNAL, eas_spool_write(sp, "c", 1));
    OK(eas_spool_finish(&span, sp));
    assert_int_equal(span.len, 2);
}

static void a_missing_directory_is_an_error(void **state)
{
    eas_spool_t *sp = eas_spool_create(0, "./no-such-directory", *state);
    assert_non_null(eas_spool_write(sp, noise(400000, *state), 400000));
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(bytes_come_back_whatever_the_size_and_pieces),
    POOL_TEST(the_limit_is_exact),
    POOL_TEST(it_can_be_cut_back_and_written_on),
    POOL_TEST(the_file_has_no_name_and_is_for_nobody_else),
    POOL_TEST(the_pool_ends_file_and_mapping),
    POOL_TEST(after_the_end_nothing_is_written),
    POOL_TEST(a_missing_directory_is_an_error),
};
RUN(tests)
