// SPDX-License-Identifier: MIT
/* What `ota partitions list` and `ota status full` both say about the partition table. */
#ifndef MODULE_PARTITIONS_H
#define MODULE_PARTITIONS_H

struct console;

/* Prints where the table in use lies and what its MD5 is, and ends the line. */
void partitions_print_origin(struct console *console);

#endif
