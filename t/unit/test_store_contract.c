/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of eas_store.h, asked of every implementation. */
#include "store_unit.h"
#include <pthread.h>

static int count_row(void *baton, const char *key, const void *val, apr_size_t len)
{
    const char **seen = baton;
    apr_size_t n = strlen(*seen);
    char *buf = (char *)*seen;
    apr_snprintf(buf + n, 2000 - n, "%s=%.*s;", key, (int)len, (const char *)val);
    return 0;
}

static int stop_at_once(void *baton, const char *key, const void *val, apr_size_t len)
{
    ++*(int *)baton;
    return 1;
}

static int count_device(void *baton, const char *hash)
{
    ++*(int *)baton;
    return strlen(hash) != 32;
}

static void an_unknown_device_is_empty_and_leaves_no_trace(void **state)
{
    fix_t *f = *state;
    int calls = 0;
    eas_db_t *db = open_db(f);
    assert_null(row(f->store, db, "c/1", f->pool));
    OK(f->store->v->each(db, "", stop_at_once, &calls));
    OK(f->store->v->sync(db));
    f->store->v->close(db);
    OK(f->store->v->devices(f->store, USER, count_device, &calls, f->pool));
    assert_int_equal(calls, 0);
    OK(f->store->v->drop(f->store, USER, DEVICE, f->pool));
    if (f->dir[0])
        assert_int_equal(count_files(f, "/"), 0);
}

static void a_put_is_seen_at_once_by_its_handle_and_by_others_after_sync(void **state)
{
    fix_t *f = *state;
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "c/1", "one", 3);
    assert_string_equal(row(f->store, db, "c/1", f->pool), "one");
    assert_null(read_row(f, "c/1"));
    OK(f->store->v->sync(db));
    assert_string_equal(row(f->store, db, "c/1", f->pool), "one");
    assert_string_equal(read_row(f, "c/1"), "one");
    f->store->v->close(db);
}

static void what_is_not_synced_is_forgotten(void **state)
{
    fix_t *f = *state;
    commit(f, "c/1", "one");
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "c/1", "two", 3);
    f->store->v->put(db, "c/2", "new", 3);
    f->store->v->close(db);
    assert_string_equal(read_row(f, "c/1"), "one");
    assert_null(read_row(f, "c/2"));
}

static void the_last_put_of_a_key_wins(void **state)
{
    fix_t *f = *state;
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "k", "1", 1);
    f->store->v->put(db, "k", NULL, 0);
    assert_null(row(f->store, db, "k", f->pool));
    f->store->v->put(db, "k", "3", 1);
    f->store->v->put(db, "gone", "x", 1);
    f->store->v->put(db, "gone", NULL, 0);
    assert_string_equal(row(f->store, db, "k", f->pool), "3");
    OK(f->store->v->sync(db));
    f->store->v->close(db);
    assert_string_equal(read_row(f, "k"), "3");
    assert_null(read_row(f, "gone"));
}

static void a_deleted_row_is_gone_and_a_missing_one_can_be_deleted(void **state)
{
    fix_t *f = *state;
    commit(f, "never", NULL);
    commit(f, "c/1", "one");
    commit(f, "c/1", NULL);
    commit(f, "c/1", NULL);
    assert_null(read_row(f, "c/1"));
    commit(f, "c/1", "again");
    assert_string_equal(read_row(f, "c/1"), "again");
}

static void values_are_bytes_of_any_size_and_the_callers_are_copied(void **state)
{
    static const apr_size_t sizes[] = {0, 1, 1000, 48 * 1024, 3 * 1024 * 1024};
    fix_t *f = *state;
    char *big = apr_palloc(f->pool, 3 * 1024 * 1024);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        eas_db_t *db = open_db(f);
        const void *val;
        apr_size_t len;
        memset(big, (int)i, sizes[i]);
        f->store->v->put(db, "k", big, sizes[i]);
        memset(big, 'x', sizes[i]);
        OK(f->store->v->sync(db));
        f->store->v->close(db);
        db = open_db(f);
        OK(f->store->v->get(&val, &len, db, "k", f->pool));
        f->store->v->close(db); /* the value lives in the pool, not in the handle */
        memset(big, (int)i, sizes[i]);
        assert_non_null(val);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(val, big, len);
    }
}

static void devices_and_users_are_apart(void **state)
{
    static const char *const who[][2] = {
        {"ox/1/4", "a"}, {"ox/1/4", "b"}, {"ox/1/5", "a"}, {"ox/2/4", "a"}, {"o:x/1/4", "a"},
        {"o_x/1/4", "a"}, {"keep/1/4", "a"}, {"lock/1/4", "a"}, {"../1/4", "a"}, {"/1/4", "a"},
        {"ox/1/4", "../../a"}, {"ox/1/4", ""}};
    fix_t *f = *state;
    eas_db_t *db;
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
        OK(f->store->v->open(&db, f->store, who[i][0], who[i][1], f->pool));
        assert_null(row(f->store, db, "k", f->pool));
        f->store->v->put(db, "k", &"0123456789ab"[i], 1);
        OK(f->store->v->sync(db));
        f->store->v->close(db);
    }
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
        OK(f->store->v->open(&db, f->store, who[i][0], who[i][1], f->pool));
        assert_int_equal(*row(f->store, db, "k", f->pool), "0123456789ab"[i]);
        f->store->v->close(db);
    }
}

static void each_lists_the_rows_of_a_prefix_with_queued_ones(void **state)
{
    fix_t *f = *state;
    const char *seen = apr_pcalloc(f->pool, 2000);
    int calls = 0;
    commit(f, "f/1", "x");
    commit(f, "c/1", "old");
    commit(f, "c/2", "dead");
    commit(f, "c/3", "stays");
    eas_db_t *db = open_db(f);
    f->store->v->put(db, "c/1", "new", 3);
    f->store->v->put(db, "c/2", NULL, 0);
    f->store->v->put(db, "c/4", "queued", 6);
    OK(f->store->v->each(db, "c/", count_row, &seen));
    assert_non_null(strstr(seen, "c/1=new;"));
    assert_non_null(strstr(seen, "c/3=stays;"));
    assert_non_null(strstr(seen, "c/4=queued;"));
    assert_int_equal(strlen(seen), strlen("c/1=new;c/3=stays;c/4=queued;"));
    OK(f->store->v->each(db, "", stop_at_once, &calls));
    assert_int_equal(calls, 1);
    f->store->v->close(db);
}

typedef struct reset_t {
    fix_t *f;
    eas_db_t *db;
} reset_t;

static int delete_row(void *baton, const char *key, const void *val, apr_size_t len)
{
    reset_t *r = baton;
    r->f->store->v->put(r->db, key, NULL, 0);
    return 0;
}

static void rows_may_be_deleted_while_they_are_listed(void **state)
{
    fix_t *f = *state;
    int calls = 0;
    for (int i = 0; i < 50; i++)
        commit(f, apr_psprintf(f->pool, "i/%d", i), "x");
    eas_db_t *db = open_db(f);
    OK(f->store->v->each(db, "i/", delete_row, &(reset_t){f, db}));
    OK(f->store->v->sync(db));
    OK(f->store->v->each(db, "", stop_at_once, &calls));
    assert_int_equal(calls, 0);
    f->store->v->close(db);
}

static void devices_lists_those_with_rows_and_drop_forgets_one(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    fix_t *f = *state;
    int n = 0;
    eas_db_t *db;
    for (int i = 0; i < 3; i++) {
        OK(f->store->v->open(&db, f->store, USER, names[i], f->pool));
        f->store->v->put(db, "k", "v", 1);
        OK(f->store->v->sync(db));
        f->store->v->close(db);
    }
    OK(f->store->v->devices(f->store, USER, count_device, &n, f->pool));
    assert_int_equal(n, 3);
    OK(f->store->v->drop(f->store, USER, "b", f->pool));
    n = 0;
    OK(f->store->v->devices(f->store, USER, count_device, &n, f->pool));
    assert_int_equal(n, 2);
    OK(f->store->v->open(&db, f->store, USER, "b", f->pool));
    assert_null(row(f->store, db, "k", f->pool));
    f->store->v->close(db);
    OK(f->store->v->devices(f->store, "ox/1/999", count_device, &n, f->pool));
    assert_int_equal(n, 2);
}

static void five_thousand_rows_live_together(void **state)
{
    fix_t *f = *state;
    apr_pool_t *sub;
    eas_db_t *db = open_db(f);
    apr_pool_create(&sub, f->pool);
    for (int i = 0; i < 5000; i++) {
        const char *key = apr_psprintf(sub, "i/m12345678/%d", i);
        f->store->v->put(db, key, key, strlen(key));
        if (i % 1000 == 999)
            OK(f->store->v->sync(db));
    }
    for (int i = 0; i < 5000; i += 2)
        f->store->v->put(db, apr_psprintf(sub, "i/m12345678/%d", i), NULL, 0);
    OK(f->store->v->sync(db));
    f->store->v->close(db);
    db = open_db(f);
    for (int i = 0; i < 5000; i++) {
        const char *key = apr_psprintf(sub, "i/m12345678/%d", i);
        const char *val = row(f->store, db, key, sub);
        if (i % 2)
            assert_string_equal(val, key);
        else
            assert_null(val);
    }
    f->store->v->close(db);
}

static void a_record_is_kept_replaced_and_dropped(void **state)
{
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    OK(f->store->v->recall(&val, &len, f->store, "ticket", "a/../b", f->pool));
    assert_null(val);
    OK(f->store->v->keep(f->store, "ticket", "a/../b", "one", 3, f->pool));
    OK(f->store->v->keep(f->store, "device", "a/../b", "other", 5, f->pool));
    OK(f->store->v->recall(&val, &len, f->store, "ticket", "a/../b", f->pool));
    assert_int_equal(len, 3);
    assert_memory_equal(val, "one", 3);
    OK(f->store->v->keep(f->store, "ticket", "a/../b", "", 0, f->pool));
    OK(f->store->v->recall(&val, &len, f->store, "ticket", "a/../b", f->pool));
    assert_non_null(val);
    assert_int_equal(len, 0);
    OK(f->store->v->keep(f->store, "ticket", "a/../b", NULL, 0, f->pool));
    OK(f->store->v->keep(f->store, "ticket", "a/../b", NULL, 0, f->pool));
    OK(f->store->v->recall(&val, &len, f->store, "ticket", "a/../b", f->pool));
    assert_null(val);
    OK(f->store->v->recall(&val, &len, f->store, "device", "a/../b", f->pool));
    assert_int_equal(len, 5);
}

static void a_lease_excludes_and_ends_with_release_or_pool(void **state)
{
    fix_t *f = *state;
    eas_lease_t *a, *b;
    apr_pool_t *sub;
    OK(f->store->v->lease(&a, f->store, "dev", 0, f->pool));
    FAILS(EAS_E_BUSY, f->store->v->lease(&b, f->store, "dev", 0, f->pool));
    assert_null(b);
    OK(f->store->v->lease(&b, f->store, "other", 0, f->pool));
    f->store->v->release(a);
    apr_pool_create(&sub, f->pool);
    OK(f->store->v->lease(&a, f->store, "dev", 0, sub));
    FAILS(EAS_E_BUSY, f->store->v->lease(&b, f->store, "dev", 0, f->pool));
    apr_pool_destroy(sub);
    OK(f->store->v->lease(&a, f->store, "dev", 0, f->pool));
    f->store->v->release(a);
    f->store->v->release(NULL);
}

static void a_lease_waits_no_longer_than_asked(void **state)
{
    fix_t *f = *state;
    eas_lease_t *a, *b;
    OK(f->store->v->lease(&a, f->store, "dev", 0, f->pool));
    apr_time_t t = apr_time_now();
    FAILS(EAS_E_BUSY, f->store->v->lease(&b, f->store, "dev", apr_time_from_msec(120), f->pool));
    t = apr_time_now() - t;
    assert_true(t >= apr_time_from_msec(120) && t < apr_time_from_sec(5));
}

typedef struct adder_t {
    eas_store_t *store;
    int rounds;
    const char *failed;
} adder_t;

/* Read, add one, write: lost updates show. */
static void *add_under_lease(void *data)
{
    adder_t *a = data;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < a->rounds && !a->failed; i++) {
        eas_lease_t *lease;
        eas_db_t *db;
        const void *val;
        apr_size_t len;
        int n;
        eas_err_t *err = a->store->v->lease(&lease, a->store, "n", apr_time_from_sec(30), pool);
        if (!err)
            err = a->store->v->open(&db, a->store, USER, DEVICE, pool);
        if (!err)
            err = a->store->v->get(&val, &len, db, "n", pool);
        if (err) {
            a->failed = strdup(eas_err_chain(err, pool));
            break;
        }
        n = val ? *(const int *)val + 1 : 1;
        a->store->v->put(db, "n", &n, sizeof(n));
        if ((err = a->store->v->sync(db)))
            a->failed = strdup(eas_err_chain(err, pool));
        a->store->v->close(db);
        a->store->v->release(lease);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void threads_under_a_lease_lose_no_update(void **state)
{
    fix_t *f = *state;
    pthread_t t[8];
    adder_t a[8];
    const void *val;
    apr_size_t len;
    for (int i = 0; i < 8; i++) {
        a[i] = (adder_t){f->store, 25, NULL};
        pthread_create(&t[i], NULL, add_under_lease, &a[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], NULL);
        if (a[i].failed)
            fail_msg("%s", a[i].failed);
    }
    eas_db_t *db = open_db(f);
    OK(f->store->v->get(&val, &len, db, "n", f->pool));
    assert_int_equal(*(const int *)val, 200);
    f->store->v->close(db);
}

typedef struct promise_t {
    const char *name;
    CMUnitTestFunction fn;
} promise_t;

#define PROMISE(f) {#f, f}
static const promise_t promises[] = {
    PROMISE(an_unknown_device_is_empty_and_leaves_no_trace),
    PROMISE(a_put_is_seen_at_once_by_its_handle_and_by_others_after_sync),
    PROMISE(what_is_not_synced_is_forgotten),
    PROMISE(the_last_put_of_a_key_wins),
    PROMISE(a_deleted_row_is_gone_and_a_missing_one_can_be_deleted),
    PROMISE(values_are_bytes_of_any_size_and_the_callers_are_copied),
    PROMISE(devices_and_users_are_apart),
    PROMISE(each_lists_the_rows_of_a_prefix_with_queued_ones),
    PROMISE(rows_may_be_deleted_while_they_are_listed),
    PROMISE(devices_lists_those_with_rows_and_drop_forgets_one),
    PROMISE(five_thousand_rows_live_together),
    PROMISE(a_record_is_kept_replaced_and_dropped),
    PROMISE(a_lease_excludes_and_ends_with_release_or_pool),
    PROMISE(a_lease_waits_no_longer_than_asked),
    PROMISE(threads_under_a_lease_lose_no_update),
};
#define PROMISES (sizeof(promises) / sizeof(promises[0]))

static int fix_memory(void **state)
{
    *state = fix_create(0);
    return 0;
}

int main(void)
{
    static const struct {
        const char *name;
        CMFixtureFunction setup;
    } stores[] = {{"memory", fix_memory}, {"dbm", fix_disk}};
    struct CMUnitTest tests[2 * PROMISES];
    char names[2 * PROMISES][160];
    size_t n = 0;

    for (size_t s = 0; s < 2; s++)
        for (size_t p = 0; p < PROMISES; p++, n++) {
            snprintf(names[n], sizeof(names[n]), "%s: %s", stores[s].name, promises[p].name);
            tests[n] =
                (struct CMUnitTest){names[n], promises[p].fn, stores[s].setup, fix_destroy, NULL};
        }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
