// SPDX-License-Identifier: MIT
/* What was found on a flash, for programs. */
#include "tool/flash_examine.h"
#include "tool/partition_names.h"
#include "tool/table_report.h"
#include "tool/trial_text.h"

static const struct lb_error_info *problem_of(int code)
{
  return code == LB_OK ? NULL : lb_error_info(code);
}

static void add_label(cJSON *json, const char *key, const struct lb_partition *partition)
{
  cJSON_AddItemToObject(json, key, partition_label_json(partition));
}

static cJSON *record_json(const struct flash_examination *examination, int number)
{
  const struct lb_otadata_record *record = &examination->otadata.records[number];
  char slot[LB_LABEL_SIZE];
  cJSON *json = cJSON_CreateObject();
  flash_record_slot(examination, record, slot);
  cJSON_AddNumberToObject(json, "sequence", record->sequence);
  cJSON_AddNumberToObject(json, "state", record->state);
  cJSON_AddStringToObject(json, "state_name", otadata_state_name(record->state));
  cJSON_AddNumberToObject(json, "crc", record->crc);
  cJSON_AddBoolToObject(json, "usable", record->usable);
  cJSON_AddBoolToObject(json, "active", number == examination->otadata.active);
  cJSON_AddItemToObject(json, "trial", trial_json(&examination->otadata, number));
  cJSON_AddItemToObject(json, "slot", slot[0] != '\0' ? cJSON_CreateString(slot) : cJSON_CreateNull());
  return json;
}

static cJSON *otadata_json(const struct flash_examination *examination)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "error", report_json_problem(problem_of(examination->otadata_result)));
  cJSON *list = cJSON_AddArrayToObject(json, "records");
  for (int i = 0; examination->otadata_result == LB_OK && i < (int)LB_OTADATA_RECORDS; i++) {
    cJSON_AddItemToArray(list, record_json(examination, i));
  }
  return json;
}

static cJSON *waiting_json(const struct flash_waiting *waiting)
{
  if (!waiting->is_there) {
    return cJSON_CreateNull();
  }
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "source", waiting->source);
  cJSON_AddNumberToObject(json, "size", waiting->size);
  cJSON_AddNumberToObject(json, "received", waiting->position);
  cJSON_AddBoolToObject(json, "whole", waiting->whole);
  return json;
}

static cJSON *slot_json(const struct flash_slot *slot)
{
  const struct lb_image_description *description = &slot->image.description;
  cJSON *json = cJSON_CreateObject();
  add_label(json, "label", &slot->partition);
  cJSON_AddNumberToObject(json, "offset", slot->partition.offset);
  cJSON_AddNumberToObject(json, "size", slot->partition.size);
  cJSON_AddBoolToObject(json, "empty", slot->is_empty);
  cJSON_AddBoolToObject(json, "good", slot->result == LB_OK);
  cJSON_AddItemToObject(json, "error", report_json_problem(problem_of(slot->result)));
  if (slot->image.segment_count > 0) {
    cJSON_AddStringToObject(json, "version", description->version);
    cJSON_AddStringToObject(json, "project", description->project);
    cJSON_AddStringToObject(json, "date", description->date);
    cJSON_AddStringToObject(json, "time", description->time);
    cJSON_AddStringToObject(json, "idf", description->idf);
    cJSON_AddNumberToObject(json, "length", slot->image.length);
  }
  cJSON_AddItemToObject(json, "patch", waiting_json(&slot->waiting));
  return json;
}

static cJSON *boot_json(const struct flash_examination *examination)
{
  static const char *const reasons[] = {[LB_BOOT_SELECTED] = "selected",
                                        [LB_BOOT_DEFAULT] = "default",
                                        [LB_BOOT_FALLBACK_FACTORY] = "fallback_factory",
                                        [LB_BOOT_FALLBACK_OTHER] = "fallback_other"};
  const struct lb_boot_decision *boot = &examination->boot;
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "error", report_json_problem(problem_of(examination->boot_result)));
  if (examination->boot_result == LB_OK) {
    add_label(json, "partition", &boot->partition);
    cJSON_AddStringToObject(json, "reason", reasons[boot->reason]);
    cJSON_AddBoolToObject(json, "on_trial", flash_boots_on_trial(examination));
  }
  if (examination->table_result == LB_OK) {
    add_label(json, "selected", &boot->selected);
    cJSON_AddItemToObject(json, "selected_error", report_json_problem(problem_of(boot->selected_error)));
  }
  return json;
}

cJSON *flash_examination_json(const struct flash_examination *examination)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", examination->path);
  cJSON_AddNumberToObject(json, "size", examination->size);
  cJSON_AddStringToObject(json, "chip", examination->chip->name);
  cJSON_AddItemToObject(json, "table", table_json(&examination->table, examination->table_result));
  cJSON_AddItemToObject(json, "otadata", otadata_json(examination));
  cJSON *slots = cJSON_AddArrayToObject(json, "slots");
  for (uint32_t i = 0; i < examination->slot_count; i++) {
    cJSON_AddItemToArray(slots, slot_json(&examination->slots[i]));
  }
  cJSON_AddItemToObject(json, "boot", boot_json(examination));
  return json;
}
