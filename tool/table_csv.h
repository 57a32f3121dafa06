// SPDX-License-Identifier: MIT
/*
 * Partition tables as text, in the form and with the rules of ESP-IDF's gen_esp32part: one partition a line,
 *
 *   NAME,TYPE,SUBTYPE,OFFSET,SIZE,FLAGS
 *
 * White space around fields does not matter; blank lines and lines that begin with # are left out. Numbers are decimal
 * or 0x..., with K or M behind them for 1024 and 1048576. Types and subtypes are names or numbers; a blank subtype is
 * `undefined`, but an app needs one. A blank offset is the next free one, for an app a multiple of 0x10000, else of
 * 0x1000, the first behind the table at 0x9000. A negative size is the end address. Flags are `encrypted` and
 * `readonly`, with a colon between them.
 *
 * Offsets ascend; apps begin at a multiple of 0x10000 and have whole sectors, all else begins at a multiple of 0x1000;
 * names are unique; there is at most one otadata, and one tee_ota, of 0x2000 bytes; otadata and coredump are not
 * readonly, an nvs below 0x3000 bytes is; everything lies inside the flash; there are at most 94 partitions.
 *
 * Rows of type bootloader or partition_table may leave offset and size blank: primary ones lie at 0x1000 (ESP32) and
 * 0x8000, outside of the order.
 *
 * Stricter than gen_esp32part, which cuts or lets pass without a word: names of more than 16 bytes, empty names, sizes
 * of 0, a seventh field that is no comment. Not taken: numbers in other bases, $VARIABLES of the environment, UTF-16.
 */
#ifndef TOOL_TABLE_CSV_H
#define TOOL_TABLE_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "lifeboat/hash.h"
#include "lifeboat/partition.h"

/* What is wrong, and where: without capital and full stop. */
struct table_csv_problem {
  unsigned line; /* from 1 on; 0 if it is no single line */
  char text[280];
};

/* Makes a table with its MD5 for a flash of `flash_size` bytes. False and the first problem if it breaks a rule. */
bool table_csv_read(struct lb_table *table, const void *text, uint32_t length, uint32_t flash_size,
                    const struct lb_hash *md5, struct table_csv_problem *problem);

/*
 * Writes a table as gen_esp32part does. False and a problem, and nothing is written, if a label cannot be written as
 * CSV. Errors of the stream are the caller's to look for.
 */
bool table_csv_write(const struct lb_table *table, FILE *stream, struct table_csv_problem *problem);

#endif
