/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <zlib.h>
#include "eas_gzip.h"

/* zlib's own decoder, told to accept gzip only. */
static apr_size_t gunzip(char *out, apr_size_t cap, eas_span_t in)
{
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)in.data;
    z.avail_in = (unsigned)in.len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)cap;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
    return z.total_out;
}

static void a_decoder_gets_the_bytes_back(void **state)
{
    static const apr_size_t sizes[] = {0, 1, 300, 65536, 3000000};
    char *data = apr_palloc(*state, 3000000), *back = apr_palloc(*state, 3000001);
    unsigned seed = 3;
    for (apr_size_t i = 0; i < 3000000; i++) {
        seed = seed * 1103515245 + 12345;
        data[i] = (char)(seed >> 16); /* does not shrink: more output than one chunk */
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        eas_spool_t *out = eas_spool_create(0, ".", *state);
        eas_span_t z;
        OK(eas_gzip(out, (eas_span_t){data, sizes[i]}, *state));
        OK(eas_spool_finish(&z, out));
        assert_int_equal(gunzip(back, 3000001, z), sizes[i]);
        assert_memory_equal(back, data, sizes[i]);
    }
}

static void text_shrinks(void **state)
{
    char *data = apr_pcalloc(*state, 100000);
    eas_spool_t *out = eas_spool_create(0, NULL, *state);
    OK(eas_gzip(out, (eas_span_t){data, 100000}, *state));
    assert_true(eas_spool_size(out) < 1000);
}

static void the_spools_limit_is_kept(void **state)
{
    char *data = apr_palloc(*state, 100000);
    eas_spool_t *out = eas_spool_create(10, NULL, *state);
    memset(data, 'a', 100000);
    FAILS(EAS_E_TOO_LARGE, eas_gzip(out, (eas_span_t){data, 100000}, *state));
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(a_decoder_gets_the_bytes_back),
    POOL_TEST(text_shrinks),
    POOL_TEST(the_spools_limit_is_kept),
};
RUN(tests)
