/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_FAILPOINT_H
#define EAS_FAILPOINT_H
/**
 * Named places where a test can make the process die, wait or fail. Only with --enable-failpoints;
 * in a release build the macro is nothing. The file named by environment EAS_FAILPOINT_FILE holds
 * lines "name:nth:die", "name:nth:delay:ms", "name:nth:fail"; it is read at each point, nth counts
 * per process from when the line appeared (1 = next). "die" is SIGKILL to oneself; "diegroup" is
 * SIGKILL to the whole process group. nth 0 = every
 * time. */
#ifdef HAVE_CONFIG_H
#include "eas_config.h"
#endif
#ifdef EAS_FAILPOINTS
/** True when the named action is "fail". */
int eas_failpoint(const char *name);
#define EAS_FAILPOINT(name) eas_failpoint(name)
#else
#define EAS_FAILPOINT(name) 0
#endif
#endif
