/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_board.h"

#include <linux/futex.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOTS = 65536,
    STUCK_MS = 100 /* a writer that leaves its slot empty for so long has died */
};

/* A slot of the ring is position + 1 (32 bits) and hash: one word, so that it is written whole. */
struct eas_board_t {
    apr_uint64_t head; /* positions given out */
    apr_uint32_t bell; /* futex: counts batches */
    apr_uint32_t sleepers;
    apr_uint32_t generations[SLOTS];
    apr_uint64_t ring[SLOTS];
};

apr_size_t eas_board_size(void)
{
    return sizeof(eas_board_t);
}

eas_board_t *eas_board_init(void *mem)
{
    memset(mem, 0, sizeof(eas_board_t));
    return mem;
}

apr_uint32_t eas_board_hash(const char *key)
{
    apr_uint32_t h = 2166136261u; /* FNV-1a, its last bits stirred: they choose the counter */

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    h ^= h >> 16;
    h *= 0x45d9f3bu;
    return h ^ h >> 16;
}

apr_uint32_t eas_board_generation(const eas_board_t *board, apr_uint32_t hash)
{
    return __atomic_load_n(&board->generations[hash % SLOTS], __ATOMIC_ACQUIRE);
}

static void post(eas_board_t *board, apr_uint32_t hash)
{
    apr_uint64_t at = __atomic_fetch_add(&board->head, 1, __ATOMIC_ACQ_REL);
    apr_uint64_t word = (at + 1) << 32 | hash;
    __atomic_store_n(&board->ring[at % SLOTS], word, __ATOMIC_RELEASE);
}

void eas_board_bump(eas_board_t *board, const apr_uint32_t *hashes, int count)
{
    for (int i = 0; i < count; i++)
        __atomic_fetch_add(&board->generations[hashes[i] % SLOTS], 1, __ATOMIC_ACQ_REL);
    for (int i = 0; i < count; i++)
        post(board, hashes[i]);
    __atomic_fetch_add(&board->bell, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&board->sleepers, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &board->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void eas_board_reader_init(eas_board_reader_t *reader, eas_board_t *board)
{
    reader->board = board;
    reader->next = __atomic_load_n(&board->head, __ATOMIC_ACQUIRE);
    reader->stuck = 0;
}

static apr_uint64_t monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (apr_uint64_t)ts.tv_sec * 1000 + (apr_uint64_t)ts.tv_nsec / 1000000;
}

static int pending(const eas_board_reader_t *reader)
{
    return __atomic_load_n(&reader->board->head, __ATOMIC_ACQUIRE) != reader->next;
}

int eas_board_wait(eas_board_reader_t *reader, apr_interval_time_t timeout)
{
    eas_board_t *board = reader->board;
    struct timespec ts;
    apr_uint32_t bell;

    if (reader->stuck && timeout > apr_time_from_msec(STUCK_MS))
        timeout = apr_time_from_msec(STUCK_MS);
    ts.tv_sec = (time_t)(timeout / APR_USEC_PER_SEC);
    ts.tv_nsec = (long)(timeout % APR_USEC_PER_SEC) * 1000;
    __atomic_fetch_add(&board->sleepers, 1, __ATOMIC_SEQ_CST);
    bell = __atomic_load_n(&board->bell, __ATOMIC_SEQ_CST);
    /* what was posted before this look is seen by it, what is posted after it rings the bell */
    if (!pending(reader) || reader->stuck)
        syscall(SYS_futex, &board->bell, FUTEX_WAIT, bell, &ts, NULL, 0);
    __atomic_fetch_sub(&board->sleepers, 1, __ATOMIC_SEQ_CST);
    return pending(reader);
}

int eas_board_drain(apr_uint32_t *hashes, int max, int *lost, eas_board_reader_t *reader)
{
    eas_board_t *board = reader->board;
    apr_uint64_t head = __atomic_load_n(&board->head, __ATOMIC_ACQUIRE);
    int n = 0;

    *lost = 0;
    if (head - reader->next > SLOTS) {
        *lost = 1;
        reader->next = head;
    }
    while (n < max && reader->next != head) {
        apr_uint64_t word = __atomic_load_n(&board->ring[reader->next % SLOTS], __ATOMIC_ACQUIRE);
        apr_uint32_t wanted = (apr_uint32_t)(reader->next + 1), found = (apr_uint32_t)(word >> 32);
        if (found == wanted) {
            hashes[n++] = (apr_uint32_t)word;
        } else if ((apr_int32_t)(found - wanted) > 0) { /* overtaken while we looked */
            *lost = 1;
            reader->next = head;
            break;
        } else if (!reader->stuck) { /* not written yet: the writer will ring */
            reader->stuck = monotonic_ms();
            return n;
        } else if (monotonic_ms() - reader->stuck < STUCK_MS) {
            return n;
        } else {
            *lost = 1;
        }
        reader->stuck = 0;
        reader->next++;
    }
    return n;
}
