/* SPDX-License-Identifier: Apache-2.0 */
#include "store_unit.h"
#include "eas_failpoint.h"

static void files_lie_where_the_manual_says(void **state)
{
    fix_t *f = *state;
    /* sha256("ox/1/4") and sha256("appl123"), first 32 digits: sha256sum(1) */
    commit(f, "k", "v");
    assert_int_equal(count_files(f, "/v1/ox/13/"
                                    "13433467079e8999e1f404aa6a69900e/"
                                    "bb0d5fd8fc65e024d4b6e2d55d75a8de.db"), 1);
    OK(f->store->v->keep(f->store, "ticket", "name", "v", 1, f->pool));
    /* sha256("name") */
    assert_int_equal(count_files(f, "/v1/keep/ticket/82/82a3537ff0dbce7eec35d69edc3a189e"), 1);
}

static int open_to_others;

static int check_mode(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    if (st->st_mode & 077)
        open_to_others++;
    return 0;
}

static void nothing_is_open_to_group_or_others(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease;
    mode_t old = umask(0);
    commit(f, "k", "v");
    OK(f->store->v->keep(f->store, "ticket", "name", "v", 1, f->pool));
    OK(f->store->v->lease(&lease, f->store, "n", 0, f->pool));
    umask(old);
    open_to_others = 0;
    nftw(f->dir, check_mode, 16, FTW_PHYS);
    assert_int_equal(open_to_others, 0);
}

static void a_backends_name_cannot_leave_the_directory(void **state)
{
    fix_t *f = *state;
    eas_db_t *db;
    OK(f->store->v->open(&db, f->store, "..", "d", f->pool));
    f->store->v->put(db, "k", "v", 1);
    OK(f->store->v->sync(db));
    f->store->v->close(db);
    assert_int_equal(count_files(f, "/v1/_./"), 1);
}

static void the_check_refuses_an_open_directory(void **state)
{
    fix_t *f = *state;
    OK(eas_store_dbm_check(f->dir, f->pool));
    static const mode_t modes[] = {0710, 0701, 0750, 0777, 0740, 0702};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        chmod(f->dir, modes[i]);
        FAILS(EAS_E_INVALID, eas_store_dbm_check(f->dir, f->pool));
        FAILS(EAS_E_INVALID, eas_store_dbm_make(f->dir, (uid_t)-1, (gid_t)-1, f->pool));
    }
    chmod(f->dir, 0700);
    OK(eas_store_dbm_check(f->dir, f->pool));
}

static void the_check_refuses_what_is_no_directory(void **state)
{
    fix_t *f = *state;
    FAILS(EAS_E_INVALID, eas_store_dbm_check("relative/dir", f->pool));
    FAILS(EAS_E_INVALID, eas_store_dbm_check("/dev/null", f->pool));
    FAILS(EAS_E_INVALID,
          eas_store_dbm_check(apr_pstrcat(f->pool, f->dir, "/no/such", NULL), f->pool));
}

static void make_makes_what_the_check_wants(void **state)
{
    fix_t *f = *state;
    struct stat st;
    const char *dir = apr_pstrcat(f->pool, f->dir, "/state/", NULL);
    mode_t old = umask(0);
    OK(eas_store_dbm_check(dir, f->pool)); /* not there yet: fine */
    OK(eas_store_dbm_make(dir, (uid_t)-1, (gid_t)-1, f->pool));
    OK(eas_store_dbm_make(dir, (uid_t)-1, (gid_t)-1, f->pool));
    umask(old);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void places_that_are_emptied_are_refused(void **state)
{
    fix_t *f = *state;
    static const char *const bad[] = {"/tmp", "/tmp/", "/tmp/eas/state", "/var/tmp/x", "/dev/shm/x",
                                      "/tmp/../tmp/x", "/usr/../tmp"};
    static const char *const good[] = {"/var/lib/mod_eas", "/tmpfoo/x", "/var/lib/no/such/tmp",
                                       "/"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        OK(eas_store_place_check(good[i], f->pool));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
#ifdef EAS_FAILPOINTS
        OK(eas_store_place_check(bad[i], f->pool)); /* a build for tests */
#else
        FAILS(EAS_E_INVALID, eas_store_place_check(bad[i], f->pool));
#endif
    }
}

#ifndef EAS_FAILPOINTS
static void a_symbolic_link_does_not_hide_the_place(void **state)
{
    fix_t *f = *state;
    const char *link = apr_pstrcat(f->pool, f->dir, "/link", NULL);
    assert_int_equal(symlink("/tmp", link), 0);
    FAILS(EAS_E_INVALID, eas_store_place_check(link, f->pool));
    FAILS(EAS_E_INVALID,
          eas_store_place_check(apr_pstrcat(f->pool, link, "/not/yet", NULL), f->pool));
}
#endif

static const struct CMUnitTest tests[] = {
    DISK_TEST(files_lie_where_the_manual_says),
    DISK_TEST(nothing_is_open_to_group_or_others),
    DISK_TEST(a_backends_name_cannot_leave_the_directory),
    DISK_TEST(the_check_refuses_an_open_directory),
    DISK_TEST(the_check_refuses_what_is_no_directory),
    DISK_TEST(make_makes_what_the_check_wants),
    DISK_TEST(places_that_are_emptied_are_refused),
#ifndef EAS_FAILPOINTS
    DISK_TEST(a_symbolic_link_does_not_hide_the_place),
#endif
};
RUN(tests)
