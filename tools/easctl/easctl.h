/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EASCTL_H
#define EASCTL_H
/**
 * easctl: the administrator's and developer's tool of mod_eas. One table of sub-commands
 * (easctl.c), one file for each (ctl_<name>.c); options through apr_getopt_long.
 */
#include <apr_pools.h>

#include "eas_err.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/** Runs a sub-command; argv[0] is its name. Returns the exit status. */
typedef int (*ctl_fn)(int argc, const char *const *argv, apr_pool_t *pool);

int ctl_wbxml(int argc, const char *const *argv, apr_pool_t *pool);

/** Prints "easctl: ..." to stderr and returns CTL_FAILED. */
int ctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Prints the usage of a sub-command to stderr and returns CTL_USAGE. */
int ctl_usage(const char *name);

#endif
