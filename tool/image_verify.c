// SPDX-License-Identifier: MIT
/* lifeboat image verify: are these images good? One line an image. */
#include <stdio.h>

#include "tool/commands.h"
#include "tool/image_file.h"
#include "tool/options.h"
#include "tool/report.h"

#define JSON_PATH_SIZE 4096U

static void print_good(const struct image_file *file)
{
  const struct lb_image_info *info = &file->image.info;
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  const char *version = info->description.version;
  printf("%s: good, version %s, chip %s, %u bytes\n", file->path, version[0] != '\0' ? version : "unknown",
         chip != NULL ? chip->name : "unknown", info->length);
}

static bool print_json(const struct image_file *file, bool good)
{
  const struct lb_image_info *info = &file->image.info;
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  char path[JSON_PATH_SIZE];
  cJSON *json = cJSON_CreateObject();
  report_printable(file->path, path, sizeof path);
  cJSON_AddStringToObject(json, "file", path);
  cJSON_AddBoolToObject(json, "good", good);
  cJSON_AddItemToObject(json, "error", report_json_problem(good ? NULL : file->problem));
  if (good) {
    cJSON_AddStringToObject(json, "version", info->description.version);
    cJSON_AddStringToObject(json, "chip", chip != NULL ? chip->name : "unknown");
    cJSON_AddNumberToObject(json, "length", info->length);
  }
  return report_json_line(json);
}

int image_verify_command(int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {0}};
  const struct lb_chip *chip = NULL;
  bool json = false;
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &chip))) {
      return TOOL_EXIT_USAGE;
    }
    json = json || option == 'j';
  }
  if (!options_words(argc, 1, argc, "at least one IMAGE")) {
    return TOOL_EXIT_USAGE;
  }
  int result = TOOL_EXIT_DONE;
  for (int i = optind; i < argc; i++) {
    struct image_file file;
    bool good = image_file_inspect(&file, argv[i], chip);
    result = good ? result : TOOL_EXIT_FAILED;
    if (json) {
      result = print_json(&file, good) ? result : TOOL_EXIT_FAILED;
    } else if (good) {
      print_good(&file);
    } else {
      report_problem(file.path, file.problem);
    }
  }
  return result;
}
