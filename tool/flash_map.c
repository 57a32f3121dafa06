// SPDX-License-Identifier: MIT
/* lifeboat flash map: a picture of what lies where on a flash, and in what state it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ports/sim/flash.h"
#include "tool/commands.h"
#include "tool/file.h"
#include "tool/flash_map.h"
#include "tool/options.h"

#define WIDTH_LEAST 60U
#define WIDTH_MOST  300U

struct request {
  const char *path;
  const char *svg;            /* NULL: draw on stdout */
  const struct lb_chip *chip; /* NULL: the dump tells */
  uint32_t width;             /* 0: the terminal's */
};

static bool write_svg(const struct flash_map *map, const char *path)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  if (stream == NULL) {
    report_system_error("draw", path, errno);
    return false;
  }
  flash_map_svg(map, stream);
  bool good = ferror(stream) == 0;
  if (fclose(stream) != 0 || !good) {
    report_error("not enough memory for the picture");
    good = false;
  }
  good = good && file_write(path, text, (uint32_t)length, true);
  free(text);
  return good;
}

static bool draw(const struct request *request, const struct flash_map *map)
{
  struct terminal_style style = terminal_style();
  if (request->svg != NULL && file_is_same(request->path, request->svg)) {
    report_error("%s is the flash that is drawn - name another file for the picture", request->svg);
    return false;
  }
  if (request->svg != NULL) {
    return write_svg(map, request->svg);
  }
  style.width = request->width > 0 ? request->width : style.width;
  style.width = style.width < WIDTH_LEAST ? WIDTH_LEAST : style.width > WIDTH_MOST ? WIDTH_MOST : style.width;
  flash_map_text(map, &style);
  return true;
}

static int map_flash(const struct request *request, struct flash_examination *examination, struct flash_map *map)
{
  struct sim_flash flash;
  int err = sim_flash_open_file(&flash, request->path, SIM_FLASH_READ_ONLY);
  if (err) {
    report_problem(request->path, sim_flash_error_info(err));
    return TOOL_EXIT_FAILED;
  }
  flash_examine(examination, request->path, &flash.driver, request->chip);
  flash_map_gather(map, examination, sim_flash_bytes(&flash));
  bool good = draw(request, map);
  sim_flash_close(&flash);
  if (!good) {
    return TOOL_EXIT_FAILED;
  }
  if (examination->boot_result != LB_OK) {
    report_library_error(request->path, examination->boot_result);
    return TOOL_EXIT_NO_BOOT;
  }
  return TOOL_EXIT_DONE;
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'},
                                        {"svg", required_argument, NULL, 's'},
                                        {"width", required_argument, NULL, 'w'},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    bool wrong = option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip)) ||
                 (option == 'w' && !options_number("--width", optarg, WIDTH_LEAST, WIDTH_MOST, &request->width));
    if (wrong) {
      return false;
    }
    request->svg = option == 's' ? optarg : request->svg;
  }
  if (!options_words(argc, 1, 1, "one FILE")) {
    return false;
  }
  request->path = argv[optind];
  return true;
}

int flash_map_command(int argc, char **argv)
{
  struct request request = {0};
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  struct flash_examination *examination = malloc(sizeof(*examination));
  struct flash_map *map = malloc(sizeof(*map));
  int result = TOOL_EXIT_FAILED;
  if (examination != NULL && map != NULL) {
    result = map_flash(&request, examination, map);
  } else {
    report_error("not enough memory");
  }
  free(examination);
  free(map);
  return result;
}
