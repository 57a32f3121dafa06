// SPDX-License-Identifier: MIT
/* The names that gen_esp32part gives to what a partition table and otadata say in numbers. */
#ifndef TOOL_PARTITION_NAMES_H
#define TOOL_PARTITION_NAMES_H

#include <stddef.h>

#include "lifeboat/partition.h"

#define PARTITION_NAME_SIZE 16U

/* "app", "data", ...; "0x40" for a type without a name. `text` has PARTITION_NAME_SIZE bytes. */
void partition_type_name(const struct lb_partition *partition, char *text);

/* "factory", "ota_0", "nvs", ...; "0x99" for one without a name. */
void partition_subtype_name(const struct lb_partition *partition, char *text);

/* "NEW", "PENDING_VERIFY", ... "UNDEFINED"; "unknown" for any other number. */
const char *otadata_state_name(uint32_t state);

#endif
