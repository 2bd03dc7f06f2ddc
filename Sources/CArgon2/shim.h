#ifndef CARGON2_SHIM_H
#define CARGON2_SHIM_H

#include <argon2.h>

_Static_assert(ARGON2_VERSION_NUMBER == 0x13, "key backups use version 1.3 of Argon2");

#endif
