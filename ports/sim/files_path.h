// SPDX-License-Identifier: MIT
/* Opening a path below a folder that it cannot leave; for files.c. */
#ifndef PORTS_SIM_FILES_PATH_H
#define PORTS_SIM_FILES_PATH_H

#include <stdbool.h>

/*
 * Opens `path`, relative to the folder `root`, with the flags of open(), never for writing. Returns the descriptor or
 * a PORT_ERR_FILE_... (they are negative, too). Links are followed as long as they stay below `root`; without openat2
 * none are.
 */
int files_path_open(int root, const char *path, int flags, bool without_openat2);

/* The PORT_ERR_FILE_... of an errno. */
int files_path_error(int number);

#endif
