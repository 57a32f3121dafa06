// SPDX-License-Identifier: MIT
/* What files.c and files_change.c share. */
#ifndef PORTS_SIM_FILES_PARTS_H
#define PORTS_SIM_FILES_PARTS_H

#include "ports/sim/files.h"

struct port_file {
  int fd;
};

/* Opens a path on a mount with the flags of open(), never for writing: a descriptor or a PORT_ERR_FILE_... */
int sim_files_open_path(const struct sim_files *files, const char *path, int flags);

/* Is it "/", where the mounts are? */
bool sim_files_is_root(const char *path);

#endif
