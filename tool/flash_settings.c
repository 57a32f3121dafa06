// SPDX-License-Identifier: MIT
/* lifeboat flash settings: tells and changes what is in the nvs partition of a dump. */
#include <stdio.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/flash_dump.h"
#include "tool/options.h"
#include "tool/settings_report.h"
#include "tool/settings_value.h"

#define SET_WORDS 4
#define RM_WORDS  2

struct request {
  const char *path;
  const char *set[SET_WORDS]; /* NAMESPACE KEY TYPE VALUE; NULLs: nothing to set */
  const char *rm[RM_WORDS];   /* NAMESPACE KEY; likewise */
  struct settings_value value;
  const struct lb_chip *chip; /* NULL: the dump tells */
  bool json;
  bool csv;
};

/* ---- options ---- */

/* The words of an option that takes several: getopt has taken one, the others follow. A value may begin with '-'. */
static bool take_words(const char *option, int count, int argc, char **argv, const char **words)
{
  if (words[0] != NULL) {
    report_error("%s can be done once at a time", option);
    return false;
  }
  int first = optind - 1; /* unless it was written as --set=WORD */
  if (argv[first] != optarg || first + count > argc) {
    report_error("%s needs %s", option, count == SET_WORDS ? "NAMESPACE KEY TYPE VALUE" : "NAMESPACE KEY");
    return false;
  }
  for (int i = 0; i < count; i++) {
    words[i] = argv[first + i]; /* not a place in argv: getopt puts that in another order */
  }
  optind = first + count;
  return true;
}

static bool is_change(const struct request *request)
{
  return request->set[0] != NULL || request->rm[0] != NULL;
}

static bool check_options(const struct request *request)
{
  if (request->set[0] != NULL && request->rm[0] != NULL) {
    report_error("only one of --set and --rm can be done at once");
    return false;
  }
  if (request->json && request->csv) {
    report_error("--csv and --json are two forms of the same, choose one");
    return false;
  }
  if (request->csv && is_change(request)) {
    report_error("--csv only prints, it does not go with --set and --rm");
    return false;
  }
  return true;
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"json", no_argument, NULL, 'j'},       {"csv", no_argument, NULL, 'v'},
                                        {"set", required_argument, NULL, 's'},  {"rm", required_argument, NULL, 'r'},
                                        {"chip", required_argument, NULL, 'c'}, {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip)) ||
        (option == 's' && !take_words("--set", SET_WORDS, argc, argv, request->set)) ||
        (option == 'r' && !take_words("--rm", RM_WORDS, argc, argv, request->rm))) {
      return false;
    }
    request->json = request->json || option == 'j';
    request->csv = request->csv || option == 'v';
  }
  if (!check_options(request) || !options_words(argc, 1, 1, "one FILE")) {
    return false;
  }
  request->path = argv[optind];
  return request->set[0] == NULL || settings_value_parse(&request->value, request->set[2], request->set[3]);
}

/* ---- changing ---- */

static int set_once(struct lb_nvs *nvs, const struct request *request)
{
  const char *space = request->set[0];
  const char *key = request->set[1];
  const struct settings_value *value = &request->value;
  switch (value->type) {
  case LB_NVS_STRING:
    return lb_nvs_set_string(nvs, space, key, (const char *)value->data);
  case LB_NVS_BLOB:
    return lb_nvs_set_blob(nvs, space, key, value->data, value->length);
  default:
    return lb_nvs_set_integer(nvs, space, key, value->type, value->bits);
  }
}

static bool change(struct lb_nvs *nvs, const struct request *request)
{
  int result = LB_MORE;
  const char *const *words = request->set[0] != NULL ? request->set : request->rm;
  while (result == LB_MORE) {
    result = request->set[0] != NULL ? set_once(nvs, request) : lb_nvs_erase_key(nvs, words[0], words[1]);
  }
  if (result != LB_OK) {
    char name[128];
    (void)snprintf(name, sizeof(name), "%.60s.%.60s", words[0], words[1]);
    report_library_error(name, result);
  }
  return result == LB_OK;
}

static void tell_change(const struct request *request)
{
  if (request->set[0] != NULL) {
    printf("%s: %s.%s is %s now\n", request->path, request->set[0], request->set[1], request->set[3]);
  } else {
    printf("%s: %s.%s is removed\n", request->path, request->rm[0], request->rm[1]);
  }
}

/* ---- both ---- */

static int work(struct flash_dump *dump, const struct request *request, struct settings_source *source)
{
  bool writable = is_change(request);
  if (lb_table_find(&dump->device.table, LB_TYPE_DATA, LB_SUBTYPE_NVS, &source->partition) != LB_OK) {
    report_error("%s: the partition table has no nvs partition", request->path);
    return TOOL_EXIT_FAILED;
  }
  int err = lb_nvs_open(&source->nvs, &dump->driver, &source->partition, writable);
  if (err) {
    report_library_error(request->path, err);
    return TOOL_EXIT_FAILED;
  }
  if (writable && (!change(&source->nvs, request) || !flash_dump_sync(dump))) {
    return TOOL_EXIT_FAILED;
  }
  if (request->json) {
    return settings_print_json(source);
  }
  if (writable) {
    tell_change(request);
    return TOOL_EXIT_DONE;
  }
  return request->csv ? settings_print_csv(source) : settings_print(source);
}

int flash_settings_command(int argc, char **argv)
{
  struct request request = {0};
  struct settings_source source = {.path = NULL};
  struct flash_dump dump;
  int code = TOOL_EXIT_USAGE;
  if (parse_options(&request, argc, argv)) {
    bool writable = is_change(&request);
    source.path = request.path;
    code = TOOL_EXIT_FAILED;
    if (flash_dump_open_slots(&dump, request.path, request.chip,
                              writable ? SIM_FLASH_READ_WRITE : SIM_FLASH_READ_ONLY)) {
      code = work(&dump, &request, &source);
      flash_dump_close(&dump);
    }
  }
  settings_value_free(&request.value);
  return code;
}
