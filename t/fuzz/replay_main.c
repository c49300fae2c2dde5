/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over its corpus without a fuzzer, as TAP, so that every `make check` replays
 * it:
 *
 *     EAS_SRCDIR=/path/to/mod_eas t/fuzz/fuzz_wbxml            the files of t/fuzz/corpus/wbxml
 *     t/fuzz/fuzz_wbxml crash-0815                             # files given by name
 *
 * Each file is also cut at some places and changed in some bytes, the same ones in each run: a
 * parser that survives only what somebody thought of is not proven. A file that takes longer than
 * LIMIT seconds ends the program. In builds for libFuzzer (--enable-fuzzer) this file is empty. */
#ifdef HAVE_CONFIG_H
#include "eas_config.h"
#endif
#ifndef EAS_LIBFUZZER
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { MAX_FILES = 4096, MAX_SIZE = 16 * 1024 * 1024, LIMIT = 60, CUTS = 32, CHANGES = 64,
       SMALL = 64 * 1024 };

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Exactly sized heap memory, so that AddressSanitizer sees one byte too much. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
    uint32_t state = 2463534242u;
    for (int i = 0; i < CUTS && size; i++)
        run(data, next_random(&state) % size);
    for (int i = 0; i < CHANGES && size; i++) {
        size_t at = next_random(&state) % size;
        uint8_t was = data[at];
        data[at] = (uint8_t)next_random(&state);
        run(data, size);
        data[at] = was;
    }
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = file ? malloc(MAX_SIZE) : NULL;
    size_t size = data ? fread(data, 1, MAX_SIZE, file) : 0;
    int good = data && !ferror(file);

    if (file)
        fclose(file);
    alarm(LIMIT);
    if (good)
        run(data, size);
    if (good && size <= SMALL)
        run_variants(data, size);
    alarm(0);
    free(data);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(char **files, const char *directory)
{
    DIR *dir = opendir(directory);
    int count = 0;
    for (struct dirent *entry; dir && count < MAX_FILES && (entry = readdir(dir));) {
        size_t len = strlen(directory) + strlen(entry->d_name) + 2;
        if (entry->d_name[0] == '.')
            continue;
        files[count] = malloc(len);
        if (!files[count])
            abort();
        snprintf(files[count++], len, "%s/%s", directory, entry->d_name);
    }
    if (dir)
        closedir(dir);
    qsort(files, (size_t)count, sizeof(*files), by_name);
    return count;
}

int main(int argc, char **argv)
{
    static char *files[MAX_FILES];
    const char *root = getenv("EAS_SRCDIR"), *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    char directory[4096];
    int count = 0, bad = 0;

    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    snprintf(directory, sizeof(directory), "%s/t/fuzz/corpus/%s", root ? root : ".", name);
    if (argc > 1)
        for (; count < argc - 1 && count < MAX_FILES; count++)
            files[count] = argv[count + 1];
    else
        count = list(files, directory);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", count + 1);
    for (int i = 0; i < count; i++) {
        int good = replay(files[i]);
        slash = strrchr(files[i], '/');
        printf("%sok %d - %s\n", good ? "" : "not ", i + 1, slash ? slash + 1 : files[i]);
        bad += !good;
    }
    printf("%sok %d - there is a corpus\n", count ? "" : "not ", count + 1);
    return bad || !count;
}
#endif
