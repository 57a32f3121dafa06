// SPDX-License-Identifier: MIT
#include "tool/flash_examine.h"

#include <string.h>

#include "lifeboat/stage.h"
#include "tool/flash_device.h"

/* A stage that cannot be read is none that anybody could go on with. */
static void examine_stage(struct flash_waiting *waiting, const struct lb_flash *flash, const struct lb_partition *slot)
{
  struct lb_stage stage;
  char source[sizeof(waiting->source)];
  int result = lb_stage_open(&stage, flash, slot);
  if (result == LB_OK) {
    result = lb_stage_source(&stage, source, sizeof(source), NULL);
  }
  if (result == LB_OK) {
    do {
      result = lb_stage_measure(&stage);
    } while (result == LB_MORE);
  }
  if (result == LB_OK) {
    waiting->is_there = true;
    waiting->whole = stage.whole;
    waiting->offset = stage.start - slot->offset;
    waiting->size = stage.size;
    waiting->position = stage.position;
    report_printable(source, waiting->source, sizeof(waiting->source));
  }
}

static void examine_slot(struct flash_slot *slot, const struct lb_device *device, struct lb_verify *verify)
{
  uint32_t sector = lb_flash_sector(device->flash);
  bool blank = false;
  slot->result = lb_verify_partition(verify, device, &slot->partition);
  slot->image = verify->image.info;
  int err = lb_flash_is_blank(device->flash, slot->partition.offset, sector, &blank);
  slot->is_empty = err == LB_OK && blank;
  slot->waiting = (struct flash_waiting){.is_there = false};
  if (lb_partition_is_ota(&slot->partition)) {
    examine_stage(&slot->waiting, device->flash, &slot->partition);
  }
}

static void examine_slots(struct flash_examination *examination, const struct lb_device *device,
                          struct lb_verify *verify)
{
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(&examination->table, i, &partition) == LB_OK; i++) {
    if (partition.type == LB_TYPE_APP) {
      struct flash_slot *slot = &examination->slots[examination->slot_count++];
      slot->partition = partition;
      examine_slot(slot, device, verify);
    }
  }
}

void flash_examine(struct flash_examination *examination, const char *path, const struct lb_flash *flash,
                   const struct lb_chip *chip)
{
  struct flash_device whole;
  struct lb_verify verify;
  flash_device_start(&whole, flash, chip);
  *examination = (struct flash_examination){.path = path, .size = flash->size, .chip = whole.device.chip};
  struct lb_device device = whole.device;
  examination->table_result = lb_table_read(&examination->table, flash, device.md5);
  device.table = &examination->table;
  if (examination->table_result != LB_OK) {
    examination->otadata_result = LB_ERR_NO_OTADATA;
    examination->boot_result = examination->table_result;
    return;
  }
  examination->otadata_result = lb_otadata_read(&examination->otadata, &device);
  examine_slots(examination, &device, &verify);
  examination->boot_result = lb_boot_preview(&device, &examination->table, &verify, NULL, &examination->boot);
}

const struct flash_slot *flash_booting_slot(const struct flash_examination *examination)
{
  for (uint32_t i = 0; examination->boot_result == LB_OK && i < examination->slot_count; i++) {
    if (lb_partition_same(&examination->slots[i].partition, &examination->boot.partition)) {
      return &examination->slots[i];
    }
  }
  return NULL;
}

bool flash_boots_on_trial(const struct flash_examination *examination)
{
  const struct lb_otadata *otadata = &examination->otadata;
  return examination->boot_result == LB_OK && examination->otadata_result == LB_OK &&
         examination->boot.reason == LB_BOOT_SELECTED && lb_otadata_on_trial(otadata, otadata->active);
}

void flash_record_slot(const struct flash_examination *examination, const struct lb_otadata_record *record,
                       char label[LB_LABEL_SIZE])
{
  struct lb_partition slot;
  uint32_t count = lb_table_ota_count(&examination->table);
  label[0] = '\0';
  if (count > 0 && record->sequence != 0 && record->sequence != LB_OTADATA_BLANK &&
      lb_table_ota_slot(&examination->table, (record->sequence - 1) % count, &slot) == LB_OK) {
    report_printable(slot.label, label, LB_LABEL_SIZE);
  }
}
