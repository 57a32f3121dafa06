// SPDX-License-Identifier: MIT
/* Changing the partition table of a dump: both copies, one of which is always whole. */
#ifndef TOOL_FLASH_TABLE_H
#define TOOL_FLASH_TABLE_H

#include "tool/flash_dump.h"

/*
 * Writes a table at LB_TABLE_ADDRESS and LB_TABLE_COPY_ADDRESS, first where the one in use is not, and the other only
 * once that is on the flash and has been read back. Places that hold it already are not touched. Then the dump is
 * decided anew.
 *
 * Refused, with an error line and nothing changed: if the slot that boots now would not boot with the new table; if
 * something else than a table lies at LB_TABLE_COPY_ADDRESS. False also if the flash failed.
 */
bool flash_table_replace(struct flash_dump *dump, const struct lb_table *table);

/*
 * Writes the copy if the table has an MD5 and the place is blank, or as a cut of this left it. LB_ERR_FLASH_...,
 * LB_ERR_READ_BACK.
 */
int flash_table_complete_copy(struct flash_dump *dump);

#endif
