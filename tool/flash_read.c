// SPDX-License-Identifier: MIT
/* lifeboat flash read: takes an image, or the bytes of a partition, out of a dump. */
#include <stdio.h>
#include <sys/stat.h>

#include "tool/commands.h"
#include "tool/file.h"
#include "tool/flash_dump.h"
#include "tool/options.h"
#include "tool/report.h"

struct request {
  const char *path;
  const char *name;
  const char *out;
  const struct lb_chip *chip; /* NULL: the dump tells */
  bool whole;
  bool force;
  bool json;
};

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"whole", no_argument, NULL, 'w'},
                                        {"force", no_argument, NULL, 'f'},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip))) {
      return false;
    }
    request->whole = request->whole || option == 'w';
    request->force = request->force || option == 'f';
    request->json = request->json || option == 'j';
  }
  if (!options_words(argc, 3, 3, "FILE SLOT OUT")) {
    return false;
  }
  request->path = argv[optind];
  request->name = argv[optind + 1];
  request->out = argv[optind + 2];
  return true;
}

/* Any partition by its label, else an app slot by its kind. */
static bool find_partition(const struct flash_dump *dump, const char *name, struct lb_partition *partition)
{
  return lb_table_find_label(&dump->device.table, name, partition) == LB_OK || flash_dump_slot(dump, name, partition);
}

/* How many bytes to take: those of the image, which has to be good, or all. */
static bool find_length(struct flash_dump *dump, const struct request *request, const struct lb_partition *partition,
                        uint32_t *length)
{
  char label[LB_LABEL_SIZE];
  if (request->whole) {
    *length = partition->size;
    return true;
  }
  flash_dump_label(partition, label);
  if (partition->type != LB_TYPE_APP) {
    report_error("%s is no application's partition - --whole takes its bytes", label);
    return false;
  }
  int err = lb_verify_partition(&dump->verify, &dump->device.device, partition);
  if (err) {
    report_error("%s holds no good image: %s - --whole takes its bytes as they are", label, lb_error_info(err)->cause);
    return false;
  }
  *length = dump->verify.image.info.length;
  return true;
}

static int report_read(const struct flash_dump *dump, const struct request *request,
                       const struct lb_partition *partition, uint32_t length)
{
  const char *version = request->whole ? "" : dump->verify.image.info.description.version;
  char label[LB_LABEL_SIZE];
  if (request->json) {
    cJSON *json = flash_dump_json(dump, "read", partition);
    cJSON_AddStringToObject(json, "out", request->out);
    cJSON_AddNumberToObject(json, "length", length);
    cJSON_AddBoolToObject(json, "whole", request->whole);
    cJSON_AddItemToObject(json, "version", request->whole ? cJSON_CreateNull() : cJSON_CreateString(version));
    return report_json_line(json) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  printf("%s: %s%s%s%u bytes of %s\n", request->out, version[0] != '\0' ? "version " : "", version,
         version[0] != '\0' ? ", " : "", length, flash_dump_label(partition, label));
  return TOOL_EXIT_DONE;
}

static int read_out(struct flash_dump *dump, const struct request *request)
{
  struct lb_partition partition;
  uint32_t length = 0;
  if (!find_partition(dump, request->name, &partition) || !find_length(dump, request, &partition, &length)) {
    return TOOL_EXIT_FAILED;
  }
  if (file_is_same(request->path, request->out)) {
    report_error("%s is the flash that is read", request->out);
    return TOOL_EXIT_FAILED;
  }
  if (!file_write(request->out, sim_flash_bytes(&dump->flash) + partition.offset, length, request->force)) {
    return TOOL_EXIT_FAILED;
  }
  return report_read(dump, request, &partition, length);
}

int flash_read_command(int argc, char **argv)
{
  struct request request = {0};
  struct flash_dump dump;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  if (!flash_dump_open_slots(&dump, request.path, request.chip, SIM_FLASH_READ_ONLY)) {
    return TOOL_EXIT_FAILED;
  }
  int code = read_out(&dump, &request);
  flash_dump_close(&dump);
  return code;
}
