/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include <stdlib.h>
#include "ox_rows.h"

typedef struct result_t {
    const eas_mail_row_t *rows;
    apr_size_t count;
    eas_err_t *err;
} result_t;

/* Scans @a text in pieces of @a piece bytes, each in memory of exactly its size. */
static result_t scan(const char *text, size_t len, size_t piece, apr_size_t max, apr_pool_t *pool)
{
    result_t r = {NULL, 0, NULL};
    ox_rows_t *rows = ox_rows_create(max, pool);
    const char *rest;
    apr_size_t restlen;
    json_t *root = NULL;

    ox_rows_begin(rows);
    for (size_t at = 0; !r.err && at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        char *copy = malloc(n);
        memcpy(copy, text + at, n);
        r.err = ox_rows_data(rows, copy, n);
        free(copy);
    }
    if (!r.err)
        r.err = ox_rows_rest(rows, &rest, &restlen);
    if (!r.err) {
        ox_envelope_parse(&root, rest, restlen);
        r.err = root ? ox_envelope_check(root, "ox.test", pool)
                     : eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.test", "no envelope");
    }
    if (!r.err)
        r.err = ox_rows_finish(&r.rows, &r.count, rows, root, pool);
    json_decref(root);
    return r;
}

static result_t whole(const char *text, apr_pool_t *pool)
{
    return scan(text, strlen(text), 1 << 20, 1 << 20, pool);
}

static const char listing[] =
    " { \"data\" : [[\"12\",41,3,1497461068999],\n [4294967295 , 0 , null , -5 ],"
    "[\"7\",null,11,null],[\"8\",2,0,5000],[\"9\",261,0,9999999999999999]] ,"
    "\"timestamp\":1497461067180}";

static void rows_are_read_however_the_body_is_cut(void **state)
{
    bench_t *bench = *state;
    for (size_t piece = 1; piece <= sizeof(listing); piece++) {
        result_t r = scan(listing, sizeof(listing) - 1, piece, 1 << 20, bench->pool);
        ASSERT_OK(r.err);
        assert_int_equal(r.count, 4);
        assert_int_equal(r.rows[0].uid, 12);
        assert_int_equal(r.rows[0].received, 1497461068);
        assert_int_equal(r.rows[0].flags, EAS_MF_SEEN | EAS_MF_FLAGGED | EAS_MF_ANSWERED);
        assert_int_equal(r.rows[0].label, 3);
        assert_int_equal(r.rows[1].uid, 4294967295u);
        assert_int_equal(r.rows[1].received, 0);
        assert_int_equal(r.rows[2].flags, 0);
        assert_int_equal(r.rows[2].label, 0);
        assert_int_equal(r.rows[3].uid, 9);
        assert_int_equal(r.rows[3].flags, EAS_MF_ANSWERED | EAS_MF_DRAFT | EAS_MF_FORWARDED);
        assert_int_equal(r.rows[3].received, 4294967295u);
    }
}

static void an_empty_folder_has_no_rows(void **state)
{
    bench_t *bench = *state;
    result_t r = whole("{\"data\":[]}", bench->pool);
    ASSERT_OK(r.err);
    assert_int_equal(r.count, 0);
    r = whole("{\"data\": [ ] , \"timestamp\":0}", bench->pool);
    ASSERT_OK(r.err);
    assert_int_equal(r.count, 0);
}

static void error_envelopes_pass_through(void **state)
{
    bench_t *bench = *state;
    for (size_t piece = 1; piece < 80; piece += 7) {
        result_t r = scan(SESSION_GONE, sizeof(SESSION_GONE) - 1, piece, 1 << 20, bench->pool);
        ASSERT_KIND(r.err, EAS_E_SESSION);
    }
    ASSERT_KIND(whole("{\"data\":[[1,2,3,4]],\"error\":\"x\",\"code\":\"MSG-0086\","
                      "\"category\":4}", bench->pool).err, EAS_E_UNAVAILABLE);
    ASSERT_OK(whole("{\"data\":[[1,2,3,4]],\"error\":\"x\",\"code\":\"MSG-0086\","
                    "\"category\":13}", bench->pool).err);
}

static void other_orders_of_keys_are_understood(void **state)
{
    bench_t *bench = *state;
    const char *text = "{\"timestamp\":5,\"data\":[[\"3\",32,1,7000],[4,2,0,0],[\"5\",0,0,1]]}";
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        result_t r = scan(text, strlen(text), piece, 1 << 20, bench->pool);
        ASSERT_OK(r.err);
        assert_int_equal(r.count, 2);
        assert_int_equal(r.rows[0].received, 7);
        assert_int_equal(r.rows[0].flags, EAS_MF_SEEN);
        assert_int_equal(r.rows[1].uid, 5);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "{", "{\"data\":[", "{\"data\":[[1,2,3,4]", "{\"data\":[[1,2,3,4]]", "{\"data\":{}}",
        "{\"data\":[[1,2,3]]}", "{\"data\":[[1,2,3,4,5]]}", "{\"data\":[[1,2,3,4],]}",
        "{\"data\":[,[1,2,3,4]]}", "{\"data\":[[1,2,3,4][5,6,7,8]]}", "{\"data\":[[0,2,3,4]]}",
        "{\"data\":[[\"4294967296\",2,3,4]]}", "{\"data\":[[\"1\\u0031\",2,3,4]]}",
        "{\"data\":[[\"1,2,3,4]]}", "{\"data\":[[\"\",2,3,4]]}", "{\"data\":[[-1,2,3,4]]}",
        "{\"data\":[[1.5,2,3,4]]}", "{\"data\":[[1,2e3,3,4]]}", "{\"data\":[[1,2,3,4.0]]}",
        "{\"data\":[[01,2,3,4]]}", "{\"data\":[[1,true,3,4]]}", "{\"data\":[[1,nulL,3,4]]}",
        "{\"data\":[[1,\"2\",3,4]]}", "{\"data\":[[1,2,3,[4]]]}", "{\"data\":[1,2,3,4]}",
        "{\"data\":[[1,4294967296,3,4]]}", "{\"data\":[[1,2,3,1234567890123456789]]}",
        "{\"data\":[[1,2,3,4]]}}", "{\"data\":[[1,2,3,4]]x}", "[[1,2,3,4]]", "null",
        "{\"data\":[[1,2,3,-]]}", "{\"data\":[[null,2,3,4]]}",
    };
    bench_t *bench = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        for (size_t piece = 1; piece < 50; piece += 3) {
            result_t r = scan(bad[i], strlen(bad[i]), piece, 1 << 20, bench->pool);
            ASSERT_KIND(r.err, EAS_E_UNAVAILABLE);
            assert_null(r.rows);
        }
}

static void every_cut_of_a_listing_is_refused(void **state)
{
    bench_t *bench = *state;
    for (size_t n = 0; n < sizeof(listing) - 1; n++)
        assert_non_null(scan(listing, n, 16, 1 << 20, bench->pool).err);
}

static void bytes_at_the_limit_and_one_more(void **state)
{
    bench_t *bench = *state;
    size_t n = sizeof(listing) - 1;
    ASSERT_OK(scan(listing, n, 13, n, bench->pool).err);
    ASSERT_KIND(scan(listing, n, 13, n - 1, bench->pool).err, EAS_E_TOO_LARGE);
}

static void rows_at_the_limit_and_one_more(void **state)
{
    bench_t *bench = *state;
    static const char head[] = "{\"data\":[[1,0,0,0]", row[] = ",[1,0,0,0]", tail[] = "]}";
    for (int more = 0; more < 2; more++) {
        size_t rows = OX_MAX_ROWS - 1 + (size_t)more;
        size_t len = sizeof(head) - 1 + rows * (sizeof(row) - 1) + sizeof(tail) - 1;
        char *text = malloc(len), *p = text;
        memcpy(p, head, sizeof(head) - 1);
        p += sizeof(head) - 1;
        for (size_t i = 0; i < rows; i++, p += sizeof(row) - 1)
            memcpy(p, row, sizeof(row) - 1);
        memcpy(p, tail, sizeof(tail) - 1);
        result_t r = scan(text, len, 1 << 17, len, bench->pool);
        free(text);
        if (more) {
            ASSERT_KIND(r.err, EAS_E_TOO_LARGE);
        } else {
            ASSERT_OK(r.err);
            assert_int_equal(r.count, OX_MAX_ROWS);
        }
    }
}

static void endless_spaces_and_tails_are_bounded(void **state)
{
    bench_t *bench = *state;
    size_t len = 1 << 20;
    char *text = malloc(len);
    memset(text, ' ', len);
    memcpy(text, "{\"data\":[[1,", 12);
    ASSERT_KIND(scan(text, len, 1000, 1 << 21, bench->pool).err, EAS_E_UNAVAILABLE);
    memcpy(text, "{\"data\":[]   ", 12);
    ASSERT_KIND(scan(text, len, 1000, 1 << 21, bench->pool).err, EAS_E_TOO_LARGE);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(rows_are_read_however_the_body_is_cut),
        BENCH_TEST(an_empty_folder_has_no_rows),
        BENCH_TEST(error_envelopes_pass_through),
        BENCH_TEST(other_orders_of_keys_are_understood),
        BENCH_TEST(anything_else_is_refused),
        BENCH_TEST(every_cut_of_a_listing_is_refused),
        BENCH_TEST(bytes_at_the_limit_and_one_more),
        BENCH_TEST(rows_at_the_limit_and_one_more),
        BENCH_TEST(endless_spaces_and_tails_are_bounded),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
