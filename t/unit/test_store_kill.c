/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 between any two writes, and failing writes. Built with its own copies of the store's
 * sources that have failure points, whatever configure was told. */
#include "store_unit.h"
#include "eas_failpoint.h"

static void rules(fix_t *f, const char *text)
{
    const char *path = apr_pstrcat(f->pool, f->dir, "/rules", NULL);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    setenv("EAS_FAILPOINT_FILE", path, 1);
}

static void no_rules(void)
{
    unsetenv("EAS_FAILPOINT_FILE");
}

/* The commit under test: changes a row, adds two, deletes one; many enough to split buckets. */
static eas_err_t *big_commit(fix_t *f)
{
    eas_db_t *db;
    eas_err_t *err = f->store->v->open(&db, f->store, USER, DEVICE, f->pool);
    if (err)
        return err;
    for (int i = 0; i < 30; i++)
        f->store->v->put(db, apr_psprintf(f->pool, "k%d", i), "new", 3);
    f->store->v->put(db, "dead", NULL, 0);
    f->store->v->put(db, "head", "2", 1);
    err = f->store->v->sync(db);
    f->store->v->close(db);
    return err;
}

static void old_rows(fix_t *f)
{
    eas_db_t *db = open_db(f);
    for (int i = 0; i < 20; i++)
        f->store->v->put(db, apr_psprintf(f->pool, "k%d", i), "old", 3);
    f->store->v->put(db, "dead", "x", 1);
    f->store->v->put(db, "head", "1", 1);
    OK(f->store->v->sync(db));
    f->store->v->close(db);
}

enum { OLD, NEW, EMPTY };

/* Which of the three states is there; anything else fails the test. */
static int which(fix_t *f)
{
    eas_db_t *db = open_db(f);
    const char *head = row(f->store, db, "head", f->pool);
    int is = !head ? EMPTY : *head == '1' ? OLD : NEW;
    for (int i = 0; i < 30; i++) {
        const char *val = row(f->store, db, apr_psprintf(f->pool, "k%d", i), f->pool);
        const char *want = is == NEW ? "new" : is == OLD && i < 20 ? "old" : NULL;
        if (want)
            assert_string_equal(val, want);
        else
            assert_null(val);
    }
    assert_int_equal(row(f->store, db, "dead", f->pool) != NULL, is == OLD);
    f->store->v->close(db);
    return is;
}

/* In a child; true when it was killed, false when it came to the end. */
static int dies(fix_t *f, eas_err_t *(*what)(fix_t *))
{
    int st;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        eas_err_t *err = what(f);
        _exit(err ? 3 : 0);
    }
    assert_int_equal(waitpid(pid, &st, 0), pid);
    if (WIFSIGNALED(st)) {
        assert_int_equal(WTERMSIG(st), SIGKILL);
        return 1;
    }
    assert_int_equal(WEXITSTATUS(st), 0);
    return 0;
}

/* Kills at the nth pass of a point until the commit comes through; returns how often it died. */
static int kill_everywhere(fix_t *f, const char *point, int with_old)
{
    int n;
    for (n = 1; n < 200; n++) {
        eas_db_t *db = NULL;
        int died;
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        no_rules();
        if (with_old)
            old_rows(f);
        rules(f, apr_psprintf(f->pool, "%s:%d:die\n", point, n));
        died = dies(f, big_commit);
        no_rules();
        if (!died) {
            assert_int_equal(which(f), NEW);
            break;
        }
        /* once told, then empty */
        FAILS(EAS_E_STATE, f->store->v->open(&db, f->store, USER, DEVICE, f->pool));
        assert_null(db);
        assert_int_equal(which(f), EMPTY);
        old_rows(f); /* and of use again */
        assert_int_equal(which(f), OLD);
    }
    assert_true(count_files(f, ".bad-") <= 2);
    return n - 1;
}

static void killed_at_any_write_the_device_is_told_once_and_starts_empty(void **state)
{
    fix_t *f = *state;
    assert_int_equal(kill_everywhere(f, "store.marker", 1), 1);
    /* 31 puts and a delete, then the parts of the inventory that changed */
    assert_true(kill_everywhere(f, "store.put", 1) >= 33);
    assert_int_equal(kill_everywhere(f, "store.close", 1), 1);
    assert_int_equal(kill_everywhere(f, "store.unmark", 1), 1);
}

static void so_it_is_for_a_device_that_had_no_file(void **state)
{
    fix_t *f = *state;
    assert_int_equal(kill_everywhere(f, "store.marker", 0), 1);
    assert_true(kill_everywhere(f, "store.put", 0) >= 33);
    assert_int_equal(kill_everywhere(f, "store.close", 0), 1);
    assert_int_equal(kill_everywhere(f, "store.unmark", 0), 1);
}

/* A kill at any moment, not only at named points. */
static void killed_at_a_random_moment_it_is_old_new_or_told(void **state)
{
    fix_t *f = *state;
    int seen[3] = {0};
    for (int i = 0; i < 60; i++) {
        int st;
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        old_rows(f);
        pid_t pid = fork();
        if (pid == 0)
            _exit(big_commit(f) ? 3 : 0);
        usleep((useconds_t)(i * 50));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &st, 0), pid);
        eas_db_t *db;
        eas_err_t *err = f->store->v->open(&db, f->store, USER, DEVICE, f->pool);
        if (err)
            assert_int_equal(err->kind, EAS_E_STATE);
        else
            f->store->v->close(db);
        int is = which(f);
        assert_int_equal(is == EMPTY, err != NULL);
        seen[is]++;
    }
    assert_true(seen[OLD] > 0);
}

static void a_commit_that_fails_half_way_says_so_and_the_device_starts_empty(void **state)
{
    static const char *const points[] = {"store.put:5:fail\n", "store.close:1:fail\n",
                                         "store.unmark:1:fail\n"};
    fix_t *f = *state;
    for (int i = 0; i < 3; i++) {
        eas_db_t *db;
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        old_rows(f);
        rules(f, points[i]);
        FAILS(EAS_E_UNAVAILABLE, big_commit(f));
        no_rules();
        FAILS(EAS_E_STATE, f->store->v->open(&db, f->store, USER, DEVICE, f->pool));
        assert_int_equal(which(f), EMPTY);
    }
}

static void a_commit_that_fails_before_the_first_write_hurts_nothing(void **state)
{
    fix_t *f = *state;
    old_rows(f);
    rules(f, "store.marker:1:fail\n");
    FAILS(EAS_E_UNAVAILABLE, big_commit(f));
    no_rules();
    assert_int_equal(which(f), OLD);
    assert_string_equal(find_file(f, ".w"), "");
}

static void the_same_handle_does_not_write_into_a_half_written_file(void **state)
{
    fix_t *f = *state;
    old_rows(f);
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "k1", "a", 1);
    f->store->v->put(db, "k2", "a", 1);
    rules(f, "store.put:2:fail\n");
    FAILS(EAS_E_UNAVAILABLE, f->store->v->sync(db));
    no_rules();
    FAILS(EAS_E_STATE, f->store->v->sync(db));
    f->store->v->close(db);
    assert_int_equal(which(f), EMPTY);
}

/* A reader without the lease while another process commits. */
static void a_reader_waits_for_a_commit_and_does_not_set_it_aside(void **state)
{
    static const char *const points[] = {"store.marker:1:delay:150\n", "store.put:3:delay:150\n",
                                         "store.unmark:1:delay:150\n"};
    fix_t *f = *state;
    for (int i = 0; i < 3; i++) {
        int st;
        OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
        old_rows(f);
        rules(f, points[i]);
        pid_t pid = fork();
        if (pid == 0)
            _exit(big_commit(f) ? 3 : 0);
        no_rules();
        while (!*find_file(f, ".w"))
            usleep(1000);
        assert_int_equal(which(f), NEW);
        assert_int_equal(waitpid(pid, &st, 0), pid);
        assert_int_equal(st, 0);
        assert_int_equal(count_files(f, ".bad-"), 0);
    }
}

/* And a commit waits for a reader that has the file open. */
static void a_commit_waits_for_a_reader(void **state)
{
    fix_t *f = *state;
    int st, fds[2];
    char c;
    old_rows(f);
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        eas_db_t *db;
        const void *val;
        apr_size_t len;
        int bad = f->store->v->open(&db, f->store, USER, DEVICE, f->pool) != NULL ||
                  f->store->v->get(&val, &len, db, "head", f->pool) != NULL;
        bad |= write(fds[1], "x", 1) != 1;
        usleep(150000);
        bad |= f->store->v->get(&val, &len, db, "k1", f->pool) != NULL || !val ||
               memcmp(val, "old", 3) != 0;
        f->store->v->close(db);
        _exit(bad);
    }
    assert_int_equal(read(fds[0], &c, 1), 1);
    OK(big_commit(f));
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_int_equal(st, 0);
    assert_int_equal(which(f), NEW);
    close(fds[0]);
    close(fds[1]);
}

static eas_err_t *keep_new(fix_t *f)
{
    return f->store->v->keep(f->store, "ticket", "name", "new", 3, f->pool);
}

static void a_kept_record_is_the_old_or_the_new_one(void **state)
{
    static const char *const points[] = {"keep.write:1:die\n", "keep.rename:1:die\n"};
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    for (int with_old = 0; with_old < 2; with_old++)
        for (int i = 0; i < 2; i++) {
            OK(f->store->v->keep(f->store, "ticket", "name", with_old ? "old" : NULL, 3, f->pool));
            rules(f, points[i]);
            assert_true(dies(f, keep_new));
            no_rules();
            OK(f->store->v->recall(&val, &len, f->store, "ticket", "name", f->pool));
            assert_int_equal(val != NULL, with_old);
            if (with_old)
                assert_memory_equal(val, "old", 3);
            OK(keep_new(f));
            OK(f->store->v->recall(&val, &len, f->store, "ticket", "name", f->pool));
            assert_memory_equal(val, "new", 3);
        }
}

static void a_record_that_cannot_be_written_leaves_the_old_one(void **state)
{
    static const char *const points[] = {"keep.write:1:fail\n", "keep.rename:1:fail\n"};
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    OK(f->store->v->keep(f->store, "ticket", "name", "old", 3, f->pool));
    for (int i = 0; i < 2; i++) {
        rules(f, points[i]);
        FAILS(EAS_E_UNAVAILABLE, keep_new(f));
        no_rules();
        OK(f->store->v->recall(&val, &len, f->store, "ticket", "name", f->pool));
        assert_memory_equal(val, "old", 3);
        assert_int_equal(count_files(f, ".tmp"), 0);
    }
}

static const struct CMUnitTest tests[] = {
    DISK_TEST(killed_at_any_write_the_device_is_told_once_and_starts_empty),
    DISK_TEST(so_it_is_for_a_device_that_had_no_file),
    DISK_TEST(killed_at_a_random_moment_it_is_old_new_or_told),
    DISK_TEST(a_commit_that_fails_half_way_says_so_and_the_device_starts_empty),
    DISK_TEST(a_commit_that_fails_before_the_first_write_hurts_nothing),
    DISK_TEST(the_same_handle_does_not_write_into_a_half_written_file),
    DISK_TEST(a_reader_waits_for_a_commit_and_does_not_set_it_aside),
    DISK_TEST(a_commit_waits_for_a_reader),
    DISK_TEST(a_kept_record_is_the_old_or_the_new_one),
    DISK_TEST(a_record_that_cannot_be_written_leaves_the_old_one),
};
RUN(tests)
