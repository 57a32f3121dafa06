// SPDX-License-Identifier: MIT
/* lifeboat image verify: are these images good? One line an image. */
#include <stdio.h>

#include "tool/commands.h"
#include "tool/image_file.h"
#include "tool/options.h"
#include "tool/report.h"

static void print_good(const struct image_file *file)
{
  const struct lb_image_info *info = &file->image.info;
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  const char *version = info->description.version;
  printf("%s: good, version %s, chip %s, %u bytes\n", file->path, version[0] != '\0' ? version : "unknown",
         chip != NULL ? chip->name : "unknown", info->length);
}

int image_verify_command(int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'}, {0}};
  const struct lb_chip *chip = NULL;
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || !options_chip(optarg, &chip)) {
      return TOOL_EXIT_USAGE;
    }
  }
  if (!options_words(argc, 1, argc, "at least one IMAGE")) {
    return TOOL_EXIT_USAGE;
  }
  int result = TOOL_EXIT_DONE;
  for (int i = optind; i < argc; i++) {
    struct image_file file;
    if (image_file_inspect(&file, argv[i], chip)) {
      print_good(&file);
    } else {
      report_problem(file.path, file.problem);
      result = TOOL_EXIT_FAILED;
    }
  }
  return result;
}
