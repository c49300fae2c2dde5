/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "eas_board.h"

enum { RING = 65536, SENDERS = 4, RECEIVERS = 3, BURST = 20000 };

/* What the processes of a test tell each other, beside the board. */
typedef struct shared_t {
    apr_uint32_t ready, got[RECEIVERS], lost[RECEIVERS], sums[RECEIVERS];
    eas_board_t *board;
} shared_t;

static void *map(apr_size_t size)
{
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(mem != MAP_FAILED);
    return mem;
}

static int setup(void **state)
{
    shared_t *sh = map(sizeof(*sh));
    void *mem = map(eas_board_size());

    memset(mem, 0xAA, eas_board_size());
    sh->board = eas_board_init(mem);
    *state = sh;
    return 0;
}

static int teardown(void **state)
{
    shared_t *sh = *state;
    munmap(sh->board, eas_board_size());
    munmap(sh, sizeof(*sh));
    return 0;
}

#define BOARD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void a_bump_moves_the_counters_of_its_keys_only(void **state)
{
    eas_board_t *board = ((shared_t *)*state)->board;
    apr_uint32_t keys[] = {eas_board_hash("ox/1/4"), eas_board_hash("anna@example.org")};
    apr_uint32_t other = eas_board_hash("ox/1/5"), before = eas_board_generation(board, other);
    apr_uint32_t a = eas_board_generation(board, keys[0]), b = eas_board_generation(board, keys[1]);

    eas_board_bump(board, keys, 2);
    assert_int_equal(eas_board_generation(board, keys[0]), a + 1);
    assert_int_equal(eas_board_generation(board, keys[1]), b + 1);
    assert_int_equal(eas_board_generation(board, other), before);
}

static void a_reader_gets_what_was_posted_since_it_began_in_order(void **state)
{
    eas_board_t *board = ((shared_t *)*state)->board;
    apr_uint32_t early = 1, keys[] = {7, 8, 9}, got[2];
    eas_board_reader_t rd;
    int lost;

    eas_board_bump(board, &early, 1);
    eas_board_reader_init(&rd, board);
    assert_int_equal(eas_board_drain(got, 2, &lost, &rd), 0);
    eas_board_bump(board, keys, 3);
    assert_int_equal(eas_board_wait(&rd, 0), 1);
    assert_int_equal(eas_board_drain(got, 2, &lost, &rd), 2);
    assert_int_equal(got[0], 7);
    assert_int_equal(got[1], 8);
    assert_int_equal(eas_board_drain(got, 2, &lost, &rd), 1);
    assert_int_equal(got[0], 9);
    assert_int_equal(lost, 0);
}

static void waiting_ends_at_its_time_when_nothing_happens(void **state)
{
    eas_board_reader_t rd;
    double start = seconds();

    eas_board_reader_init(&rd, ((shared_t *)*state)->board);
    assert_int_equal(eas_board_wait(&rd, apr_time_from_msec(100)), 0);
    assert_true(seconds() - start > 0.09);
    assert_true(seconds() - start < 5);
}

static void a_full_ring_loses_nothing_and_one_more_is_told_as_loss(void **state)
{
    eas_board_t *board = ((shared_t *)*state)->board;
    eas_board_reader_t exact, late;
    apr_uint32_t key, got[64];
    int lost, n, sum = 0;

    eas_board_reader_init(&late, board);
    key = 1;
    eas_board_bump(board, &key, 1);
    eas_board_reader_init(&exact, board);
    for (key = 0; key < RING; key++)
        eas_board_bump(board, &key, 1);
    while ((n = eas_board_drain(got, 64, &lost, &exact)) > 0) {
        assert_int_equal(lost, 0);
        assert_int_equal(got[0], sum);
        sum += n;
    }
    assert_int_equal(sum, RING);
    assert_int_equal(eas_board_drain(got, 64, &lost, &late), 0);
    assert_int_equal(lost, 1);
    key = 5;
    eas_board_bump(board, &key, 1);
    assert_int_equal(eas_board_drain(got, 64, &lost, &late), 1); /* and it goes on from there */
    assert_int_equal(lost, 0);
}

/* A sleeper in another process hears the bump. */
static void a_bump_wakes_another_process(void **state)
{
    shared_t *sh = *state;
    apr_uint32_t key = 77, got;
    int status;
    double start = seconds();
    pid_t pid = fork();

    if (pid == 0) {
        eas_board_reader_t rd;
        int lost, n;
        eas_board_reader_init(&rd, sh->board);
        __atomic_store_n(&sh->ready, 1, __ATOMIC_RELEASE);
        eas_board_wait(&rd, apr_time_from_sec(20));
        n = eas_board_drain(&got, 1, &lost, &rd);
        _exit(n == 1 && got == 77 && !lost ? 0 : 1);
    }
    while (!__atomic_load_n(&sh->ready, __ATOMIC_ACQUIRE))
        usleep(1000);
    usleep(50000); /* it sleeps by now */
    eas_board_bump(sh->board, &key, 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(seconds() - start < 10);
}

static void receive(shared_t *sh, int me)
{
    apr_uint32_t got[256];
    eas_board_reader_t rd;
    double until = seconds() + 20;
    int n, lost;

    eas_board_reader_init(&rd, sh->board);
    __atomic_fetch_add(&sh->ready, 1, __ATOMIC_ACQ_REL);
    while (sh->got[me] < BURST && seconds() < until) {
        eas_board_wait(&rd, apr_time_from_sec(1));
        n = eas_board_drain(got, 256, &lost, &rd);
        sh->lost[me] += (apr_uint32_t)lost;
        sh->got[me] += (apr_uint32_t)n;
        for (int i = 0; i < n; i++)
            sh->sums[me] += got[i];
    }
    _exit(0);
}

static void send_burst(shared_t *sh, int me)
{
    for (apr_uint32_t i = 0; i < BURST / SENDERS; i++) {
        apr_uint32_t key = (apr_uint32_t)me * (BURST / SENDERS) + i;
        eas_board_bump(sh->board, &key, 1);
    }
    _exit(0);
}

static void a_burst_of_20000_from_4_processes_reaches_3_others_completely(void **state)
{
    shared_t *sh = *state;
    apr_uint32_t sum = 0, counted = 0;
    pid_t pids[SENDERS + RECEIVERS];
    int status, n = 0;
    double start, sent;

    for (int i = 0; i < RECEIVERS; i++)
        if (!(pids[n++] = fork()))
            receive(sh, i);
    while (__atomic_load_n(&sh->ready, __ATOMIC_ACQUIRE) != RECEIVERS)
        usleep(1000);
    start = seconds();
    for (int i = 0; i < SENDERS; i++)
        if (!(pids[n++] = fork()))
            send_burst(sh, i);
    for (int i = n; i-- > RECEIVERS;)
        waitpid(pids[i], &status, 0);
    sent = seconds() - start;
    for (int i = 0; i < RECEIVERS; i++)
        waitpid(pids[i], &status, 0);
    for (apr_uint32_t i = 0; i < BURST; i++) {
        sum += i;
        counted += eas_board_generation(sh->board, i);
    }
    print_message("# burst: %.2f us a message\n", sent * 1e6 / BURST);
    assert_int_equal(counted, BURST);
    for (int i = 0; i < RECEIVERS; i++) {
        assert_int_equal(sh->got[i], BURST);
        assert_int_equal(sh->sums[i], sum);
        assert_int_equal(sh->lost[i], 0);
    }
}

static void a_sender_pays_less_than_five_microseconds(void **state)
{
    eas_board_t *board = ((shared_t *)*state)->board;
    apr_uint32_t key = eas_board_hash("ox/1/4");
    double best = 1;

    for (int round = 0; round < 5; round++) {
        double start = seconds();
        for (int i = 0; i < BURST; i++)
            eas_board_bump(board, &key, 1);
        double each = (seconds() - start) / BURST;
        best = each < best ? each : best;
    }
    print_message("# alone: %.3f us a message\n", best * 1e6);
    assert_true(best < 5e-6);
}

/* Bytes of the ring as a writer leaves them that took a place and was killed before it wrote
 * there. */
static void a_writer_that_died_holds_nobody_up(void **state)
{
    shared_t *sh = *state;
    apr_uint32_t got[4], key = 42;
    apr_uint64_t *head = (apr_uint64_t *)sh->board;
    eas_board_reader_t rd;
    int lost;

    eas_board_reader_init(&rd, sh->board);
    __atomic_fetch_add(head, 1, __ATOMIC_ACQ_REL);
    eas_board_bump(sh->board, &key, 1);
    for (int i = 0; i < 2; i++) { /* he may only be slow */
        assert_int_equal(eas_board_drain(got, 4, &lost, &rd), 0);
        assert_int_equal(lost, 0);
    }
    usleep(150000);
    assert_int_equal(eas_board_drain(got, 4, &lost, &rd), 1);
    assert_int_equal(lost, 1);
    assert_int_equal(got[0], 42);
}

static void keys_spread_over_the_counters(void **state)
{
    static unsigned char seen[RING];
    char key[32];
    int distinct = 0;

    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < 10000; i++) {
        apr_snprintf(key, sizeof(key), "ox/1/%d", i);
        apr_uint32_t at = eas_board_hash(key) % RING;
        distinct += !seen[at];
        seen[at] = 1;
    }
    assert_true(distinct > 9000); /* chance gives 9,270 */
}

static const struct CMUnitTest tests[] = {
    BOARD_TEST(a_bump_moves_the_counters_of_its_keys_only),
    BOARD_TEST(a_reader_gets_what_was_posted_since_it_began_in_order),
    BOARD_TEST(waiting_ends_at_its_time_when_nothing_happens),
    BOARD_TEST(a_full_ring_loses_nothing_and_one_more_is_told_as_loss),
    BOARD_TEST(a_bump_wakes_another_process),
    BOARD_TEST(a_burst_of_20000_from_4_processes_reaches_3_others_completely),
    BOARD_TEST(a_sender_pays_less_than_five_microseconds),
    BOARD_TEST(a_writer_that_died_holds_nobody_up),
    cmocka_unit_test(keys_spread_over_the_counters),
};
RUN(tests)
