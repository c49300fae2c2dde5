/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_MAILS_H
#define BENCH_MAILS_H
/**
 * The mails of the bench backend: folders whose size stands in their name ("default0/B10000"), and
 * in them mails that are computed, not stored. The same uid of the same folder is always the same
 * mail.
 *
 *     bench_folder_t *f = bench_folder("default0/B10000");
 *     bench_source(&out, f, 17);
 *
 * Sizes repeat over ten mails and have a mean of 52 KB; each mail has a plain body of 512 bytes
 * and, if it is larger than that, one attachment. One thread; memory lives until the process ends.
 */
#include <stddef.h>
#include <stdint.h>

enum { BENCH_FOLDERS = 30, BENCH_SEEN = 32, BENCH_DELETED = 2 };

/** Growing bytes. */
typedef struct bench_out_t {
    char *data;
    size_t len, cap;
} bench_out_t;

void bench_put(bench_out_t *out, const char *data, size_t len);
void bench_putf(bench_out_t *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef struct bench_folder_t {
    const char *id, *title;
    int type;             /* standard_folder_type of the API */
    uint32_t count;       /* mails at the beginning */
    uint32_t next;        /* the next uid */
    uint32_t total, unread;
    uint16_t *flags;      /* by uid */
    uint32_t cap;
} bench_folder_t;

/** All folders, BENCH_FOLDERS of them. */
bench_folder_t *bench_folders(void);
/** NULL when there is none. */
bench_folder_t *bench_folder(const char *id);
/** 1 when the mail is there. */
int bench_has(const bench_folder_t *folder, uint32_t uid);
/** A new mail arrives; its uid. */
uint32_t bench_add(bench_folder_t *folder);
void bench_set_flags(bench_folder_t *folder, uint32_t uid, unsigned set, unsigned clear);
/** 0 when it was not there. */
int bench_remove(bench_folder_t *folder, uint32_t uid);

/** A column of mail?action=all, as JSON; 0 when it is not known. */
int bench_column(bench_out_t *out, const bench_folder_t *folder, uint32_t uid, int column);
/** The RFC 5322 message. */
void bench_source(bench_out_t *out, const bench_folder_t *folder, uint32_t uid);
/** The mail object of mail?action=get. */
void bench_object(bench_out_t *out, const bench_folder_t *folder, uint32_t uid);

#endif
