// SPDX-License-Identifier: MIT
/*
 * Folders of the computer as the module's /sd and /store.
 *
 * What the module names stays below the folder: neither ".." nor a link leads out of it. Only ordinary files and
 * directories are opened; a pipe or device is PORT_ERR_FILE_IO at once.
 */
#ifndef PORTS_SIM_FILES_H
#define PORTS_SIM_FILES_H

#include <stdbool.h>

#include "module/port.h"

#define SIM_FILES_MOUNTS 2U

struct sim_files {
  struct port_files port; /* for the module: valid until sim_files_close, as long as the struct does not move */

  /* the rest belongs to files*.c */
  struct sim_files_mount {
    const char *name; /* "sd"; the caller's, static */
    int fd;           /* the folder */
  } mounts[SIM_FILES_MOUNTS];
  unsigned mount_count;
  bool without_openat2; /* walk through the folders ourselves, as on kernels before 5.6; no links then at all */
};

/* Begins with nothing mounted. */
void sim_files_open(struct sim_files *files);

/*
 * Mounts `folder` as /NAME. PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_DIRECTORY, PORT_ERR_FILE_PERMISSION,
 * PORT_ERR_FILE_IO; LB_ERR_STATE if SIM_FILES_MOUNTS folders are mounted.
 */
int sim_files_mount(struct sim_files *files, const char *name, const char *folder);

/* Unmounts all. Files that are open stay usable until they are closed. */
void sim_files_close(struct sim_files *files);

#endif
