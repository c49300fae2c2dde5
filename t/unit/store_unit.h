/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_UNIT_H
#define STORE_UNIT_H
/** What the tests of the store share: a fresh directory below the build directory and a store in
 * it. */
#include "util_unit.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "eas_log.h"
#include "eas_store_dbm.h"
#include "eas_store_memory.h"

#define USER "ox/1/4"
#define DEVICE "appl123"

typedef struct fix_t {
    apr_pool_t *pool;
    eas_store_t *store;
    char dir[512]; /* "": this store has none */
} fix_t;

static inline int fix_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline fix_t *fix_create(int on_disk)
{
    fix_t *f = calloc(1, sizeof(*f));
    apr_initialize();
    apr_pool_create(&f->pool, NULL);
    if (on_disk) {
        char cwd[400];
        assert_non_null(getcwd(cwd, sizeof(cwd)));
        snprintf(f->dir, sizeof(f->dir), "%s/store-test-XXXXXX", cwd);
        assert_non_null(mkdtemp(f->dir));
        OK(eas_store_dbm_create(&f->store, f->dir, f->pool));
    } else {
        OK(eas_store_memory_create(&f->store, f->pool));
    }
    return f;
}

static inline int fix_destroy(void **state)
{
    fix_t *f = *state;
    apr_pool_destroy(f->pool);
    if (f->dir[0])
        nftw(f->dir, fix_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline int fix_disk(void **state)
{
    *state = fix_create(1);
    return 0;
}

#define DISK_TEST(f) cmocka_unit_test_setup_teardown(f, fix_disk, fix_destroy)

static inline eas_db_t *open_db(fix_t *f)
{
    eas_db_t *db;
    OK(f->store->v->open(&db, f->store, USER, DEVICE, f->pool));
    return db;
}

static inline const char *row(eas_store_t *store, eas_db_t *db, const char *key, apr_pool_t *pool)
{
    const void *val;
    apr_size_t len;
    OK(store->v->get(&val, &len, db, key, pool));
    return val ? apr_pstrmemdup(pool, val, len) : NULL;
}

/** Writes one row in a commit of its own. */
static inline void commit(fix_t *f, const char *key, const char *val)
{
    eas_db_t *db = open_db(f);
    f->store->v->put(db, key, val, val ? strlen(val) : 0);
    OK(f->store->v->sync(db));
    f->store->v->close(db);
}

/** Reads one row through a handle of its own. */
static inline const char *read_row(fix_t *f, const char *key)
{
    eas_db_t *db = open_db(f);
    const char *val = row(f->store, db, key, f->pool);
    f->store->v->close(db);
    return val;
}

static char found_path[1024];
static const char *found_suffix;

static inline int fix_find(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t n = strlen(path), s = strlen(found_suffix);
    if (type == FTW_F && n >= s && strcmp(path + n - s, found_suffix) == 0)
        snprintf(found_path, sizeof(found_path), "%s", path);
    return 0;
}

/** A file below the directory whose name ends so, or "". */
static inline const char *find_file(const fix_t *f, const char *suffix)
{
    found_path[0] = '\0';
    found_suffix = suffix;
    nftw(f->dir, fix_find, 16, FTW_PHYS);
    return found_path;
}

static int counted;
static const char *count_part;

static inline int fix_count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    counted += type == FTW_F && strstr(path, count_part) != NULL;
    return 0;
}

/** How many files below the directory have @a part in their path. */
static inline int count_files(const fix_t *f, const char *part)
{
    counted = 0;
    count_part = part;
    nftw(f->dir, fix_count, 16, FTW_PHYS);
    return counted;
}

#endif
