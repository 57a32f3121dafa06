// SPDX-License-Identifier: MIT
#include "tool/flash_dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifeboat/select.h"
#include "tool/commands.h"
#include "tool/options.h"
#include "tool/partition_names.h"
#include "tool/table_report.h"

/* ---- the order in which changes reach the disk ---- */

/* Does it lie in an app slot, where the order of changes does not matter until something else changes? */
static bool is_in_app(const struct flash_dump *dump, uint32_t address)
{
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(&dump->device.table, i, &partition) == LB_OK; i++) {
    if (partition.type == LB_TYPE_APP && address >= partition.offset && address - partition.offset < partition.size) {
      return true;
    }
  }
  return false;
}

static int ordered_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct flash_dump *dump = context;
  return dump->flash.driver.read(dump->flash.driver.context, address, buffer, length);
}

static int ordered_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct flash_dump *dump = context;
  const struct lb_flash *inner = &dump->flash.driver;
  if (is_in_app(dump, address)) {
    return inner->program(inner->context, address, data, length);
  }
  bool good = sim_flash_sync(&dump->flash) && inner->program(inner->context, address, data, length) == 0;
  return good && sim_flash_sync(&dump->flash) ? 0 : -1;
}

static int ordered_erase(void *context, uint32_t address, uint32_t length)
{
  struct flash_dump *dump = context;
  const struct lb_flash *inner = &dump->flash.driver;
  if (is_in_app(dump, address)) {
    return inner->erase(inner->context, address, length);
  }
  bool good = sim_flash_sync(&dump->flash) && inner->erase(inner->context, address, length) == 0;
  return good && sim_flash_sync(&dump->flash) ? 0 : -1;
}

bool flash_dump_sync(struct flash_dump *dump)
{
  if (!sim_flash_sync(&dump->flash)) {
    report_system_error("write", dump->path, errno);
    return false;
  }
  return true;
}

/* ---- opening ---- */

void flash_dump_decide(struct flash_dump *dump)
{
  struct lb_device *device = &dump->device.device;
  dump->table_result = flash_device_read_table(&dump->device);
  dump->boot_result = lb_boot_preview(device, &dump->device.table, &dump->verify, NULL, &dump->boot);
  memcpy(dump->project, dump->verify.image.info.description.project, sizeof(dump->project));
  if (dump->boot_result != LB_OK) {
    dump->project[0] = '\0';
  }
}

bool flash_dump_open(struct flash_dump *dump, const char *path, const struct lb_chip *chip,
                     enum sim_flash_access access)
{
  memset(dump, 0, sizeof(*dump));
  dump->path = path;
  int err = sim_flash_open_file(&dump->flash, path, access);
  if (err) {
    report_problem(path, sim_flash_error_info(err));
    return false;
  }
  dump->driver = dump->flash.driver;
  dump->driver.context = dump;
  dump->driver.read = ordered_read;
  dump->driver.program = ordered_program;
  dump->driver.erase = ordered_erase;
  flash_device_start(&dump->device, &dump->driver, chip);
  flash_dump_decide(dump);
  return true;
}

bool flash_dump_open_slots(struct flash_dump *dump, const char *path, const struct lb_chip *chip,
                           enum sim_flash_access access)
{
  if (!flash_dump_open(dump, path, chip, access)) {
    return false;
  }
  if (dump->table_result != LB_OK) {
    report_library_error(path, dump->table_result);
    flash_dump_close(dump);
    return false;
  }
  return true;
}

void flash_dump_close(struct flash_dump *dump)
{
  sim_flash_close(&dump->flash);
}

/* ---- slots ---- */

const char *flash_dump_label(const struct lb_partition *slot, char *text)
{
  report_printable(slot->label, text, LB_LABEL_SIZE);
  return text;
}

static void hint_slots(const struct flash_dump *dump)
{
  char names[LB_TABLE_ROWS_MAX * (LB_LABEL_SIZE + 1) + 1] = "";
  size_t length = 0;
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(&dump->device.table, i, &partition) == LB_OK; i++) {
    if (partition.type == LB_TYPE_APP) {
      char label[LB_LABEL_SIZE];
      length += (size_t)snprintf(names + length, sizeof(names) - length, " %s", flash_dump_label(&partition, label));
    }
  }
  if (length > 0) {
    report_hint("%s has the slots%s", dump->path, names);
  } else {
    report_hint("%s has no partition for an application", dump->path);
  }
}

bool flash_dump_slot(const struct flash_dump *dump, const char *name, struct lb_partition *slot)
{
  const struct lb_table *table = &dump->device.table;
  if (lb_table_find_label(table, name, slot) == LB_OK && slot->type == LB_TYPE_APP) {
    return true;
  }
  for (uint32_t i = 0; lb_table_get(table, i, slot) == LB_OK; i++) {
    char subtype[PARTITION_NAME_SIZE];
    partition_subtype_name(slot, subtype);
    if (slot->type == LB_TYPE_APP && strcmp(subtype, name) == 0) {
      return true;
    }
  }
  report_error("OTA partition not found");
  hint_slots(dump);
  return false;
}

bool flash_dump_boots(const struct flash_dump *dump, const struct lb_partition *slot)
{
  return dump->boot_result == LB_OK && lb_partition_same(&dump->boot.partition, slot);
}

int flash_dump_select(struct flash_dump *dump, const struct lb_partition *slot, struct lb_image_info *image)
{
  struct lb_select select;
  int result = lb_select_start(&select, &dump->device.device, slot, NULL);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_select_step(&select);
  }
  if (image != NULL) {
    *image = select.verify.image.info;
  }
  return result;
}

int flash_dump_command(int argc, char **argv,
                       int (*run)(struct flash_dump *dump, const struct lb_partition *slot, bool json))
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {0}};
  const struct lb_chip *chip = NULL;
  struct flash_dump dump;
  struct lb_partition slot;
  bool json = false;
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &chip))) {
      return TOOL_EXIT_USAGE;
    }
    json = json || option == 'j';
  }
  if (!options_words(argc, 2, 2, "FILE SLOT")) {
    return TOOL_EXIT_USAGE;
  }
  if (!flash_dump_open_slots(&dump, argv[optind], chip, SIM_FLASH_READ_WRITE)) {
    return TOOL_EXIT_FAILED;
  }
  int code = flash_dump_slot(&dump, argv[optind + 1], &slot) ? run(&dump, &slot, json) : TOOL_EXIT_FAILED;
  flash_dump_close(&dump);
  return code;
}

/* ---- telling ---- */

void flash_dump_print_boot(const struct flash_dump *dump)
{
  if (dump->boot_result == LB_OK) {
    char label[LB_LABEL_SIZE];
    printf("  Next boot will be from '%s'\n", flash_dump_label(&dump->boot.partition, label));
  } else {
    printf("  Nothing boots: %s\n", lb_error_info(dump->boot_result)->cause);
  }
}

static cJSON *slot_json(const struct lb_partition *slot)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "label", partition_label_json(slot));
  cJSON_AddNumberToObject(json, "offset", slot->offset);
  cJSON_AddNumberToObject(json, "size", slot->size);
  return json;
}

cJSON *flash_dump_json(const struct flash_dump *dump, const char *command, const struct lb_partition *slot)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "event", "done");
  cJSON_AddStringToObject(json, "command", command);
  cJSON_AddStringToObject(json, "file", dump->path);
  cJSON_AddItemToObject(json, "slot", slot != NULL ? slot_json(slot) : cJSON_CreateNull());
  cJSON_AddItemToObject(json, "boots",
                        dump->boot_result == LB_OK ? partition_label_json(&dump->boot.partition) : cJSON_CreateNull());
  return json;
}
