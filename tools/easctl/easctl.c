/* SPDX-License-Identifier: Apache-2.0 */
#include "easctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <apr_general.h>

static const struct {
    const char *name, *usage, *summary;
    ctl_fn run;
} commands[] = {
    {"wbxml", "decode [--mask] [--libwbxml] [FILE]",
     "print a WBXML document as XML; without FILE from standard input", ctl_wbxml},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

int ctl_fail(const char *fmt, ...)
{
    va_list ap;

    fputs("easctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return CTL_FAILED;
}

static int find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return i;
    }
    return -1;
}

int ctl_usage(const char *name)
{
    int i = find(name);

    fprintf(stderr, "usage: easctl %s %s\n", name, i < 0 ? "" : commands[i].usage);
    return CTL_USAGE;
}

static void print_all(FILE *out)
{
    fputs("usage: easctl COMMAND ...\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %s %s\n      %s\n", commands[i].name, commands[i].usage,
                commands[i].summary);
}

static int run(int argc, const char *const *argv)
{
    apr_pool_t *pool;
    int i, status;

    if (argc < 2) {
        print_all(stderr);
        return CTL_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        print_all(stdout);
        return CTL_OK;
    }
    i = find(argv[1]);
    if (i < 0) {
        ctl_fail("no command %s", argv[1]);
        print_all(stderr);
        return CTL_USAGE;
    }
    apr_pool_create(&pool, NULL);
    status = commands[i].run(argc - 1, argv + 1, pool);
    apr_pool_destroy(pool);
    return status;
}

int main(int argc, const char *const *argv, const char *const *env)
{
    int status;

    if (apr_app_initialize(&argc, &argv, &env) != APR_SUCCESS)
        return CTL_FAILED;
    status = run(argc, argv);
    if (fflush(stdout) != 0)
        status = ctl_fail("cannot write the output");
    apr_terminate();
    return status;
}
