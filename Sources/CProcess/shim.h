#ifndef CPROCESS_SHIM_H
#define CPROCESS_SHIM_H

// Swift cannot call prctl, which takes a variable number of arguments.
#ifdef __linux__
#include <sys/prctl.h>

/// PR_SET_DUMPABLE: no core dump of this process, and no other process of the same user reads its memory.
static inline int process_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
#else
static inline int process_forbid_dumps(void) { return 0; }
#endif

#endif
