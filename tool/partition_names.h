// SPDX-License-Identifier: MIT
/* The names that gen_esp32part gives to what a partition table and otadata say in numbers. */
#ifndef TOOL_PARTITION_NAMES_H
#define TOOL_PARTITION_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "lifeboat/partition.h"

#define PARTITION_NAME_SIZE 16U

/* "app", "data", ...; "0x40" for a type without a name. `text` has PARTITION_NAME_SIZE bytes. */
void partition_type_name(const struct lb_partition *partition, char *text);

/* "factory", "ota_0", "nvs", ...; "0x99" for one without a name. */
void partition_subtype_name(const struct lb_partition *partition, char *text);

/* The same as gen_esp32part writes them to CSV: a number without a name is decimal. */
void partition_type_csv(const struct lb_partition *partition, char *text);
void partition_subtype_csv(const struct lb_partition *partition, char *text);

/* The number of a type, or of a subtype of `type`, by its name, in which case does not matter. False: no such name. */
bool partition_type_by_name(const char *name, uint8_t *type);
bool partition_subtype_by_name(uint8_t type, const char *name, uint8_t *subtype);

/* "NEW", "PENDING_VERIFY", ... "UNDEFINED"; "unknown" for any other number. */
const char *otadata_state_name(uint32_t state);

#endif
