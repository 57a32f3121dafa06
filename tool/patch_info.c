// SPDX-License-Identifier: MIT
/* lifeboat patch info: what a patch makes of what, and whether it is whole. */
#include <stdio.h>

#include "tool/commands.h"
#include "tool/options.h"
#include "tool/patch_command.h"
#include "tool/report.h"

static bool print_info(const struct patch_file *patch, bool json)
{
  if (json) {
    cJSON *object = patch_json(patch->path, patch->bytes.length, &patch->info);
    cJSON_AddBoolToObject(object, "crc_good", patch->crc_is_good);
    cJSON_AddItemToObject(object, "error",
                          report_json_problem(patch->crc_is_good ? NULL : lb_error_info(LB_ERR_PATCH_CRC)));
    return report_json(object);
  }
  printf("%s: a patch, format 1\n", patch->path);
  patch_print_lengths(&patch->info, patch->bytes.length);
  patch_print_digests(&patch->info);
  printf("CRC:      %s\n", patch->crc_is_good ? "good" : "wrong");
  return true;
}

int patch_info_command(int argc, char **argv)
{
  struct patch_file patch;
  bool json = false;
  if (!options_only_json(argc, argv, 1, "one PATCH", &json)) {
    return TOOL_EXIT_USAGE;
  }
  if (!patch_file_read(&patch, argv[optind])) {
    return TOOL_EXIT_FAILED;
  }
  bool good = print_info(&patch, json) && patch.crc_is_good;
  if (!patch.crc_is_good) {
    report_library_error(patch.path, LB_ERR_PATCH_CRC);
  }
  file_free(&patch.bytes);
  return good ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}
