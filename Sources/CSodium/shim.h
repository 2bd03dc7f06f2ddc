#ifndef CSODIUM_SHIM_H
#define CSODIUM_SHIM_H

#include <sodium.h>

// 1.0.18 (SODIUM_LIBRARY_VERSION 10.3) is what Debian and Ubuntu ship and what every call here was tried against.
#if SODIUM_LIBRARY_VERSION_MAJOR < 10 || (SODIUM_LIBRARY_VERSION_MAJOR == 10 && SODIUM_LIBRARY_VERSION_MINOR < 3)
#error "libsodium 1.0.18 or newer is needed: apt-get install libsodium-dev, or: brew install libsodium"
#endif

#endif
