// SPDX-License-Identifier: MIT
/* The settings of an nvs partition, printed in three forms. */
#ifndef TOOL_SETTINGS_REPORT_H
#define TOOL_SETTINGS_REPORT_H

#include "lifeboat/nvs.h"
#include "lifeboat/partition.h"

struct settings_source {
  const char *path;
  struct lb_partition partition;
  struct lb_nvs nvs;
};

/*
 * A tool_exit each. A table for people, with '?' for what cannot be printed; JSON; CSV as ESP-IDF's nvs_partition_gen
 * reads it. What cannot be read, or not be said in that form, is told in an error line of its own.
 */
int settings_print(const struct settings_source *source);
int settings_print_json(const struct settings_source *source);
int settings_print_csv(const struct settings_source *source);

#endif
