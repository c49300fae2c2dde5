/* SPDX-License-Identifier: Apache-2.0 */
/* What only records on disk can do; the rest is in test_store_contract.c and test_store_kill.c. */
#include "store_unit.h"

static eas_err_t *recall(fix_t *f, const void **val)
{
    apr_size_t len;
    return f->store->v->recall(val, &len, f->store, "ticket", "name", f->pool);
}

static const char *kept(fix_t *f, const char *val)
{
    static char path[1024];
    OK(f->store->v->keep(f->store, "ticket", "name", val, strlen(val), f->pool));
    /* sha256("name") ends its first 32 digits so */
    snprintf(path, sizeof(path), "%s", find_file(f, "d69edc3a189e"));
    assert_true(path[0]);
    return path;
}

static void poke(const char *path, long at, char byte)
{
    FILE *file = fopen(path, "r+");
    fseek(file, at, SEEK_SET);
    fputc(byte, file);
    fclose(file);
}

static void a_damaged_record_is_told_once_and_set_aside(void **state)
{
    fix_t *f = *state;
    const void *val;
    poke(kept(f, "value"), 7, 'X');
    FAILS(EAS_E_STATE, recall(f, &val));
    assert_null(val);
    OK(recall(f, &val));
    assert_null(val);
    assert_string_not_equal(find_file(f, ".bad"), "");
    kept(f, "again");
    OK(recall(f, &val));
    assert_memory_equal(val, "again", 5);
}

static void a_cut_record_is_damage(void **state)
{
    fix_t *f = *state;
    const void *val;
    assert_int_equal(truncate(kept(f, "value"), 3), 0);
    FAILS(EAS_E_STATE, recall(f, &val));
}

static void a_record_of_a_later_version_is_neither_read_nor_written_over(void **state)
{
    fix_t *f = *state;
    const void *val;
    poke(kept(f, "value"), 0, 2);
    FAILS(EAS_E_NEWER, recall(f, &val));
    FAILS(EAS_E_NEWER, f->store->v->keep(f->store, "ticket", "name", "x", 1, f->pool));
    FAILS(EAS_E_NEWER, f->store->v->keep(f->store, "ticket", "name", NULL, 0, f->pool));
    FAILS(EAS_E_NEWER, recall(f, &val));
}

static void one_records_file_does_not_pass_for_another(void **state)
{
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    const char *path = kept(f, "value");
    OK(f->store->v->keep(f->store, "ticket", "other", "x", 1, f->pool));
    const char *other = apr_pstrdup(f->pool, find_file(f, "4bd85dac641b"));
    assert_int_equal(rename(path, other), 0);
    FAILS(EAS_E_STATE, f->store->v->recall(&val, &len, f->store, "ticket", "other", f->pool));
}

static void names_of_areas_are_short_words(void **state)
{
    static const char *const bad[] = {"", "..", "a/b", "UPPER", "a b",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        FAILS(EAS_E_INTERNAL, f->store->v->keep(f->store, bad[i], "n", "x", 1, f->pool));
        FAILS(EAS_E_INTERNAL, f->store->v->recall(&val, &len, f->store, bad[i], "n", f->pool));
    }
}

static void a_megabyte_is_kept_and_one_more_byte_is_not(void **state)
{
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    char *big = apr_pcalloc(f->pool, 1024 * 1024 + 1);
    OK(f->store->v->keep(f->store, "ticket", "name", big, 1024 * 1024, f->pool));
    OK(f->store->v->recall(&val, &len, f->store, "ticket", "name", f->pool));
    assert_int_equal(len, 1024 * 1024);
    FAILS(EAS_E_TOO_LARGE,
          f->store->v->keep(f->store, "ticket", "name", big, 1024 * 1024 + 1, f->pool));
}

static const struct CMUnitTest tests[] = {
    DISK_TEST(a_damaged_record_is_told_once_and_set_aside),
    DISK_TEST(a_cut_record_is_damage),
    DISK_TEST(a_record_of_a_later_version_is_neither_read_nor_written_over),
    DISK_TEST(one_records_file_does_not_pass_for_another),
    DISK_TEST(names_of_areas_are_short_words),
    DISK_TEST(a_megabyte_is_kept_and_one_more_byte_is_not),
};
RUN(tests)
