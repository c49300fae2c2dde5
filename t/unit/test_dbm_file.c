/* SPDX-License-Identifier: Apache-2.0 */
/* Files that something has damaged: right rows or EAS_E_STATE, never other rows, never a crash. */
#include "store_unit.h"
#include <sys/resource.h>
#include "eas_time.h"

#define ROWS 60

static const char *value_of(int i, apr_pool_t *pool)
{
    char *v = apr_palloc(pool, 701);
    memset(v, 'a' + i % 26, 700);
    v[700] = '\0';
    return v;
}

static const char *fill(fix_t *f)
{
    static char path[1024];
    eas_db_t *db = open_db(f);
    for (int i = 0; i < ROWS; i++)
        f->store->v->put(db, apr_psprintf(f->pool, "c/%d", i), value_of(i, f->pool), 700);
    OK(f->store->v->sync(db));
    f->store->v->close(db);
    snprintf(path, sizeof(path), "%s", find_file(f, ".db"));
    return path;
}

/* Reads everything, and lists; true when damage was told. */
static int told(fix_t *f)
{
    eas_db_t *db;
    const void *val;
    apr_size_t len;
    eas_err_t *err = f->store->v->open(&db, f->store, USER, DEVICE, f->pool);
    if (err)
        return err->kind == EAS_E_STATE;
    for (int i = 0; i < ROWS && !err; i++) {
        err = f->store->v->get(&val, &len, db, apr_psprintf(f->pool, "c/%d", i), f->pool);
        if (!err) {
            assert_non_null(val); /* a row that is there never looks absent */
            assert_int_equal(len, 700);
            assert_memory_equal(val, value_of(i, f->pool), 700);
        }
    }
    f->store->v->close(db);
    if (err)
        assert_int_equal(err->kind, EAS_E_STATE);
    return err != NULL;
}

static void is_empty_and_usable(fix_t *f)
{
    assert_null(read_row(f, "c/1"));
    commit(f, "c/1", "again");
    assert_string_equal(read_row(f, "c/1"), "again");
}

static void a_damaged_block_anywhere_is_noticed(void **state)
{
    fix_t *f = *state;
    struct stat st;
    int noticed = 0, blocks;
    const char *path = fill(f);
    assert_int_equal(stat(path, &st), 0);
    blocks = (int)(st.st_size / 4096);
    for (int b = 0; b < blocks; b++) {
        char junk[4096];
        memset(junk, 0x5a + b, sizeof(junk));
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        path = fill(f);
        int fd = open(path, O_WRONLY);
        assert_int_equal(pwrite(fd, junk, sizeof(junk), b * 4096L), sizeof(junk));
        close(fd);
        if (told(f)) {
            noticed++;
            is_empty_and_usable(f);
        }
    }
    assert_true(noticed >= blocks - 2); /* a block may be free space */
}

static void a_flipped_bit_in_a_value_is_noticed(void **state)
{
    fix_t *f = *state;
    const char *path = fill(f);
    struct stat st;
    stat(path, &st);
    char *data = malloc(st.st_size);
    int fd = open(path, O_RDWR);
    assert_int_equal(read(fd, data, st.st_size), st.st_size);
    char *at = memmem(data, st.st_size, "zzzzzzzzzz", 10);
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "y", 1, at + 5 - data), 1);
    close(fd);
    free(data);
    assert_true(told(f));
    is_empty_and_usable(f);
}

static void a_file_cut_at_any_block_is_noticed(void **state)
{
    fix_t *f = *state;
    struct stat st;
    stat(fill(f), &st);
    for (off_t size = 0; size < st.st_size; size += 4096) {
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        assert_int_equal(truncate(fill(f), size), 0);
        assert_true(told(f));
        is_empty_and_usable(f);
    }
}

static void what_is_no_database_is_set_aside_by_a_writer_too(void **state)
{
    fix_t *f = *state;
    FILE *file = fopen(fill(f), "w");
    fputs("this was a state file once, and is longer than a header would be", file);
    fclose(file);
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "k", "v", 1);
    FAILS(EAS_E_STATE, f->store->v->sync(db));
    f->store->v->close(db);
    assert_string_equal(find_file(f, ".w"), "");
    is_empty_and_usable(f);
}

static char logged[8][512];
static int lines;

static void keep_line(void *where, eas_level_t level, const char *line)
{
    if (lines < 8)
        snprintf(logged[lines++], sizeof(logged[0]), "%s", line);
}

static void damage_is_logged_once_and_two_bad_files_are_kept(void **state)
{
    fix_t *f = *state;
    eas_log_sink(keep_line);
    lines = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(truncate(fill(f), 100), 0);
        assert_true(told(f));
        assert_false(read_row(f, "c/1") != NULL);
        eas_clock_shift(apr_time_from_sec(i + 1));
        assert_int_equal(count_files(f, ".bad-"), i < 2 ? i + 1 : 2);
    }
    eas_clock_shift(0);
    eas_log_sink(NULL);
    assert_int_equal(lines, 4);
    assert_non_null(strstr(logged[0], ".db was damaged"));
}

static void a_marker_of_a_dead_process_is_told_once(void **state)
{
    fix_t *f = *state;
    eas_db_t *db;
    char *marker = apr_pstrdup(f->pool, fill(f));
    apr_cpystrn(strrchr(marker, '.'), ".w", 3);
    close(open(marker, O_CREAT | O_WRONLY, 0600));
    FAILS(EAS_E_STATE, f->store->v->open(&db, f->store, USER, DEVICE, f->pool));
    is_empty_and_usable(f);
}

static void a_marker_that_comes_after_open_is_seen_by_the_first_read(void **state)
{
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    char *marker = apr_pstrdup(f->pool, fill(f));
    eas_db_t *db = open_db(f);
    apr_cpystrn(strrchr(marker, '.'), ".w", 3);
    close(open(marker, O_CREAT | O_WRONLY, 0600));
    FAILS(EAS_E_STATE, f->store->v->get(&val, &len, db, "c/1", f->pool));
    f->store->v->close(db);
    is_empty_and_usable(f);
}

/* A limit on file size stands for the full disk: writes fail the same way. */
static void limit_files(rlim_t size)
{
    struct rlimit rl;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &rl);
    rl.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &rl);
}

static void a_disk_full_at_the_first_commit_leaves_nothing(void **state)
{
    fix_t *f = *state;
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "c/1", "new", 3);
    limit_files(5000);
    eas_err_t *err = f->store->v->sync(db);
    limit_files(RLIM_INFINITY);
    FAILS(EAS_E_UNAVAILABLE, err);
    assert_int_equal(count_files(f, "/v1/ox/"), 0);
    OK(f->store->v->sync(db)); /* there is room again: the same handle can go on */
    f->store->v->close(db);
    assert_string_equal(read_row(f, "c/1"), "new");
}

static void a_disk_full_in_a_commit_is_unavailable_and_then_told(void **state)
{
    fix_t *f = *state;
    struct stat st;
    stat(fill(f), &st);
    eas_db_t *db = open_db(f), *again;
    char *big = apr_pcalloc(f->pool, 200000);
    f->store->v->put(db, "c/1", big, 200000);
    limit_files((rlim_t)st.st_size);
    eas_err_t *err = f->store->v->sync(db);
    limit_files(RLIM_INFINITY);
    FAILS(EAS_E_UNAVAILABLE, err);
    f->store->v->close(db);
    FAILS(EAS_E_STATE, f->store->v->open(&again, f->store, USER, DEVICE, f->pool));
    is_empty_and_usable(f);
}

static void rows_over_the_limits_are_refused_and_nothing_is_written(void **state)
{
    fix_t *f = *state;
    char key[514];
    memset(key, 'k', sizeof(key));
    for (int i = 0; i < 3; i++) {
        eas_db_t *db = open_db(f);
        f->store->v->put(db, "good", "v", 1);
        key[513] = '\0';
        f->store->v->put(db, i == 0 ? "" : i == 1 ? "\1f" : key, "v", 1);
        FAILS(EAS_E_INTERNAL, f->store->v->sync(db));
        f->store->v->close(db);
    }
    assert_null(read_row(f, "good"));
    key[512] = '\0';
    commit(f, key, "v");
    assert_string_equal(read_row(f, key), "v");
}

static const struct CMUnitTest tests[] = {
    DISK_TEST(a_damaged_block_anywhere_is_noticed),
    DISK_TEST(a_flipped_bit_in_a_value_is_noticed),
    DISK_TEST(a_file_cut_at_any_block_is_noticed),
    DISK_TEST(what_is_no_database_is_set_aside_by_a_writer_too),
    DISK_TEST(damage_is_logged_once_and_two_bad_files_are_kept),
    DISK_TEST(a_marker_of_a_dead_process_is_told_once),
    DISK_TEST(a_marker_that_comes_after_open_is_seen_by_the_first_read),
    DISK_TEST(a_disk_full_at_the_first_commit_leaves_nothing),
    DISK_TEST(a_disk_full_in_a_commit_is_unavailable_and_then_told),
    DISK_TEST(rows_over_the_limits_are_refused_and_nothing_is_written),
};
RUN(tests)
