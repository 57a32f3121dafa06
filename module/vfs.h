// SPDX-License-Identifier: MIT
/* What vfs.c and vfs_copy.c share. */
#ifndef MODULE_VFS_H
#define MODULE_VFS_H

struct console;

/* Tells an error about a path: "Error: PATH: CAUSE - REMEDY (...)". Returns `error`. */
int vfs_refuse(struct console *console, int error, const char *path);

#endif
