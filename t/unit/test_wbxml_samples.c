/* SPDX-License-Identifier: Apache-2.0 */
/* The sample exchanges of t/data/wire: read, print, write again. */
#include "wbxml_unit.h"

#include <apr_file_io.h>
#include <apr_strings.h>

#include "../fuzz/wbxml_again.h"

#define WIRE EAS_SRCDIR "/t/data/wire"

static eas_span_t read_file(const char *name, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    const char *path = apr_psprintf(pool, WIRE "/%s", name);
    char *data;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool) != APR_SUCCESS)
        fail_msg("cannot open %s", path);
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    data = apr_pcalloc(pool, info.size + 1);
    assert_int_equal(apr_file_read_full(file, data, info.size, NULL), APR_SUCCESS);
    apr_file_close(file);
    return (eas_span_t){data, info.size};
}

/* Calls @a check for every .wbxml file; returns how many there were. */
static int for_each_sample(void (*check)(const char *name, eas_span_t doc, apr_pool_t *pool),
                           apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    int count = 0;

    assert_int_equal(apr_dir_open(&dir, WIRE, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        size_t len = strlen(info.name);
        if (len < 6 || strcmp(info.name + len - 6, ".wbxml") != 0)
            continue;
        check(info.name, read_file(info.name, pool), pool);
        count++;
    }
    apr_dir_close(dir);
    return count;
}

static void compare_with_xml(const char *name, eas_span_t doc, apr_pool_t *pool)
{
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    const char *base = apr_pstrndup(pool, name, strlen(name) - 6);
    const char *want = read_file(apr_pstrcat(pool, base, ".xml", NULL), pool).data;
    const char *got = eas_node_xml(must_read(doc.data, doc.len, pool), 0, 1 << 20, pool);

    assert_memory_equal(want, declaration, sizeof(declaration) - 1);
    want += sizeof(declaration) - 1;
    if (strcmp(want, got) != 0)
        fail_msg("%s: differs from its XML:\n%s", name, got);
}

static void write_again(const char *name, eas_span_t doc, apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);

    wbxml_write_again(w, must_read(doc.data, doc.len, pool));
    eas_span_t again = must_finish(w);
    if (again.len != doc.len || memcmp(again.data, doc.data, doc.len) != 0)
        fail_msg("%s: written again it is not the same", name);
}

static void every_sample_reads_like_its_xml(void **state)
{
    assert_true(for_each_sample(compare_with_xml, *state) >= 90);
}

static void every_sample_written_again_is_the_same(void **state)
{
    assert_true(for_each_sample(write_again, *state) >= 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(every_sample_reads_like_its_xml),
        UNIT_TEST(every_sample_written_again_is_the_same),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
