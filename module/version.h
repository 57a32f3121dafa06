// SPDX-License-Identifier: MIT
/*
 * Versions of firmware: what is one, and which of two is newer.
 *
 *   3.3.003                    a release
 *   3.3.003-rc1, 3.3.003-beta2 comes before the release it prepares
 *   3.3.003-601-g95901879      601 commits behind the release (git describe): comes after it
 *   ...-dirty, .../ota_0/main  built from changed sources, and where it runs: not compared
 *
 * The real module compares as text, so that 3.3.006-rc1 counts as newer than 3.3.006 and a web page as newer than
 * anything.
 */
#ifndef MODULE_VERSION_H
#define MODULE_VERSION_H

#include <stdbool.h>

#define VERSION_LENGTH_MAX 63U

enum version_order {
  VERSION_OLDER = -1,
  VERSION_SAME = 0,
  VERSION_NEWER = 1,
  VERSION_UNRELATED = 2 /* one of them is no version */
};

/*
 * Is it a version? It begins with a digit, has only letters, digits, . _ + - (and / with what follows it), and at most
 * VERSION_LENGTH_MAX characters.
 */
bool version_is_valid(const char *text);

/* What `a` is, seen from `b`: VERSION_NEWER if a comes after b. */
enum version_order version_compare(const char *a, const char *b);

#endif
