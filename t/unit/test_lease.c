/* SPDX-License-Identifier: Apache-2.0 */
/* Leases between processes, and the order of the queue; what one process sees is in
 * test_store_contract.c. */
#include "store_unit.h"
#include <pthread.h>

static eas_err_t *take(fix_t *f, eas_lease_t **lease, const char *name, int ms)
{
    return f->store->v->lease(lease, f->store, name, apr_time_from_msec(ms), f->pool);
}

/* A child that holds the lease until a byte comes (or it is killed). */
static pid_t holder(fix_t *f, const char *name, int *tell)
{
    int ready[2], end[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        eas_lease_t *lease;
        close(end[1]);
        int bad = take(f, &lease, name, 0) != NULL || write(ready[1], "x", 1) != 1;
        bad |= read(end[0], &c, 1) < 0;
        if (!bad)
            f->store->v->release(lease);
        _exit(bad);
    }
    close(ready[1]);
    close(end[0]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    *tell = end[1];
    return pid;
}

static void another_process_keeps_it_until_it_lets_go(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease;
    int tell, st;
    pid_t pid = holder(f, "dev", &tell);
    FAILS(EAS_E_BUSY, take(f, &lease, "dev", 0));
    FAILS(EAS_E_BUSY, take(f, &lease, "dev", 70));
    OK(take(f, &lease, "other", 0));
    assert_int_equal(write(tell, "x", 1), 1);
    OK(take(f, &lease, "dev", 5000));
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_int_equal(st, 0);
    close(tell);
}

static void a_dead_process_holds_nothing(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease;
    int tell, st;
    pid_t pid = holder(f, "dev", &tell);
    FAILS(EAS_E_BUSY, take(f, &lease, "dev", 0));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &st, 0), pid);
    OK(take(f, &lease, "dev", 0));
    close(tell);
}

static void a_child_does_not_inherit_a_lease_and_cannot_end_it(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease, *mine, *more;
    int st;
    OK(take(f, &lease, "dev", 0));
    pid_t pid = fork();
    if (pid == 0) {
        int bad = take(f, &mine, "dev", 0) == NULL;
        bad |= take(f, &mine, "free", 0) != NULL;
        f->store->v->release(lease); /* a copy of the parent's: no effect */
        bad |= take(f, &mine, "dev", 0) == NULL;
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_int_equal(st, 0);
    pid = holder(f, "free", &st); /* the parent's lease outlived the child */
    FAILS(EAS_E_BUSY, take(f, &more, "dev", 0));
    close(st);
    waitpid(pid, &st, 0);
    f->store->v->release(lease);
    OK(take(f, &more, "dev", 0));
}

static int add_one(fix_t *f, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        eas_lease_t *lease;
        eas_db_t *db;
        const void *val;
        apr_size_t len;
        if (take(f, &lease, "n", 60000) ||
            f->store->v->open(&db, f->store, USER, DEVICE, f->pool) ||
            f->store->v->get(&val, &len, db, "n", f->pool))
            return 1;
        int n = val ? *(const int *)val + 1 : 1;
        f->store->v->put(db, "n", &n, sizeof(n));
        if (f->store->v->sync(db))
            return 1;
        f->store->v->close(db);
        f->store->v->release(lease);
    }
    return 0;
}

static void processes_under_a_lease_lose_no_update(void **state)
{
    fix_t *f = *state;
    const void *val;
    apr_size_t len;
    pid_t pids[4];
    int st;
    for (int i = 0; i < 4; i++)
        if ((pids[i] = fork()) == 0)
            _exit(add_one(f, 10));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(waitpid(pids[i], &st, 0), pids[i]);
        assert_int_equal(st, 0);
    }
    eas_db_t *db = open_db(f);
    OK(f->store->v->get(&val, &len, db, "n", f->pool));
    assert_int_equal(*(const int *)val, 40);
    f->store->v->close(db);
}

typedef struct queue_t {
    eas_store_t *store;
    int me, *order, *at;
} queue_t;

static void *stand_in_line(void *data)
{
    queue_t *q = data;
    apr_pool_t *pool;
    eas_lease_t *lease;
    apr_pool_create(&pool, NULL);
    if (!q->store->v->lease(&lease, q->store, "dev", apr_time_from_sec(20), pool)) {
        q->order[(*q->at)++] = q->me; /* guarded by the lease itself */
        q->store->v->release(lease);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void threads_are_served_in_the_order_they_came(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease;
    pthread_t t[6];
    queue_t q[6];
    int order[6] = {-1, -1, -1, -1, -1, -1}, at = 0;
    OK(take(f, &lease, "dev", 0));
    for (int i = 0; i < 6; i++) {
        q[i] = (queue_t){f->store, i, order, &at};
        pthread_create(&t[i], NULL, stand_in_line, &q[i]);
        usleep(20000);
    }
    f->store->v->release(lease);
    for (int i = 0; i < 6; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(order[i], i);
}

static void one_that_gives_up_does_not_break_the_queue(void **state)
{
    fix_t *f = *state;
    eas_lease_t *lease, *none;
    pthread_t t[2];
    int order[2], at = 0;
    queue_t q[2] = {{f->store, 0, order, &at}, {f->store, 1, order, &at}};
    OK(take(f, &lease, "dev", 0));
    pthread_create(&t[0], NULL, stand_in_line, &q[0]);
    usleep(20000);
    FAILS(EAS_E_BUSY, take(f, &none, "dev", 30));
    pthread_create(&t[1], NULL, stand_in_line, &q[1]);
    usleep(20000);
    f->store->v->release(lease);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    assert_int_equal(at, 2);
    OK(take(f, &lease, "dev", 0));
}

static void lock_files_stay_few(void **state)
{
    fix_t *f = *state;
    for (int i = 0; i < 300; i++) {
        eas_lease_t *lease;
        OK(take(f, &lease, apr_psprintf(f->pool, "dev%d", i), 0));
    }
    assert_true(count_files(f, "/v1/lock/") <= 16);
}

static const struct CMUnitTest tests[] = {
    DISK_TEST(another_process_keeps_it_until_it_lets_go),
    DISK_TEST(a_dead_process_holds_nothing),
    DISK_TEST(a_child_does_not_inherit_a_lease_and_cannot_end_it),
    DISK_TEST(processes_under_a_lease_lose_no_update),
    DISK_TEST(threads_are_served_in_the_order_they_came),
    DISK_TEST(one_that_gives_up_does_not_break_the_queue),
    DISK_TEST(lock_files_stay_few),
};
RUN(tests)
