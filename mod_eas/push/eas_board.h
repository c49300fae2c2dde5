/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_BOARD_H
#define EAS_BOARD_H
/**
 * The change board: who saw something change tells it to all processes.
 *
 * One piece of memory that every process maps. The truth is an array of 65,536 counters, chosen by
 * a key's hash: a waiter remembers its counter, asks the backend, and when the counter has moved
 * since, asks again. The ring of the last 65,536 hashes is a hint which counters to look at, and
 * one futex wakes who sleeps. Two keys that fall on one counter cost a superfluous look, nothing
 * else. No locks: a process that dies leaves none behind.
 *
 *     mem = apr_shm_baseaddr_get(shm); eas_board_init(mem);          // before the fork
 *     apr_uint32_t hash = eas_board_hash("ox/1/4");
 *     eas_board_bump(board, &hash, 1);                               // any thread of any process
 *
 *     eas_board_reader_t rd; eas_board_reader_init(&rd, board);      // one thread
 *     while (!stop) {
 *         eas_board_wait(&rd, timeout);
 *         n = eas_board_drain(hashes, 64, &lost, &rd);               // lost: compare all counters
 *     }
 *
 * Source: measurements of ways to wake other processes, docs/internals/push.md.
 */
#include <apr_pools.h>
#include <apr_time.h>

typedef struct eas_board_t eas_board_t;

/** Bytes of memory for a board. */
apr_size_t eas_board_size(void);
/** Makes a board of zeroed or used memory. */
eas_board_t *eas_board_init(void *mem);

/** The hash of a key: identity, address, device, whatever events carry. */
apr_uint32_t eas_board_hash(const char *key);
/** The counter of a key. Read it before asking the backend. */
apr_uint32_t eas_board_generation(const eas_board_t *board, apr_uint32_t hash);
/** Something of these keys has changed: counts, posts, wakes once. */
void eas_board_bump(eas_board_t *board, const apr_uint32_t *hashes, int count);

/** A place in the ring; belongs to one thread. */
typedef struct eas_board_reader_t {
    eas_board_t *board;
    apr_uint64_t next;
    apr_uint64_t stuck; /**< since when the next slot is not written yet, ms; 0: it is not so */
} eas_board_reader_t;

/** Begins at the present end. */
void eas_board_reader_init(eas_board_reader_t *reader, eas_board_t *board);
/** Sleeps until there is something to drain: 1; 0 after @a timeout, or before it for no reason. */
int eas_board_wait(eas_board_reader_t *reader, apr_interval_time_t timeout);
/** At most @a max of the posted hashes, oldest first; returns their number. *lost is set to 1 when
 *  some cannot be told any more (the reader was too slow, or a writer died on the way): compare all
 *  counters then. */
int eas_board_drain(apr_uint32_t *hashes, int max, int *lost, eas_board_reader_t *reader);

#endif
