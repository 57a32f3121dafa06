// SPDX-License-Identifier: MIT
/* The fields of an image as names and texts, so that two images can be compared field by field. */
#include <stdio.h>

#include "lifeboat/bytes.h"
#include "tool/image_compare.h"
#include "tool/image_names.h"
#include "tool/report.h"

#define OFFSET_PINS  8U
#define OFFSET_EFUSE (LB_IMAGE_DESCRIPTION_OFFSET + 176U)

/* Room for the value of the next field. */
static char *next_value(struct image_fields *fields, const char *group, const char *name)
{
  struct image_field *field = &fields->fields[fields->count++];
  field->group = group;
  field->name = name;
  return field->value;
}

#define ADD(fields, group, name, ...) ((void)snprintf(next_value(fields, group, name), IMAGE_VALUE_SIZE, __VA_ARGS__))

static void add_header(struct image_fields *fields, const struct image_side *side)
{
  static const char group[] = "header";
  const struct lb_image_info *info = &side->file.image.info;
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  ADD(fields, group, "segment_count", "%u", info->segment_count);
  ADD(fields, group, "flash_mode", "%s (%u)", image_mode_name(info->spi_mode), info->spi_mode);
  ADD(fields, group, "flash_frequency", "%s (%u)", image_frequency_name(info->chip_id, info->flash_frequency),
      info->flash_frequency);
  ADD(fields, group, "flash_size", "%s (%u)", image_size_name(info->flash_size), info->flash_size);
  ADD(fields, group, "entry", "0x%08x", info->entry);
  ADD(fields, group, "chip", "%s (%u)", chip != NULL ? chip->name : "unknown", info->chip_id);
  ADD(fields, group, "min_revision_legacy", "%u", info->min_revision_legacy);
  ADD(fields, group, "min_revision", "%u", info->min_revision);
  ADD(fields, group, "max_revision", "%u", info->max_revision);
  if (side->length >= LB_IMAGE_HEADER_SIZE) {
    const uint8_t *pins = side->bytes.data + OFFSET_PINS;
    ADD(fields, group, "wp_pin", "0x%02x", pins[0]);
    ADD(fields, group, "pin_drives", "%02x%02x%02x", pins[1], pins[2], pins[3]);
  } else {
    ADD(fields, group, "wp_pin", "%s", "");
    ADD(fields, group, "pin_drives", "%s", "");
  }
}

static void add_description(struct image_fields *fields, const struct image_side *side)
{
  static const char group[] = "description";
  const struct lb_image_description *description = &side->file.image.info.description;
  char digest[2 * LB_SHA256_SIZE + 1] = "";
  uint32_t efuse = 0;
  uint32_t page = 0;
  if (description->present) {
    report_hex(description->elf_sha256, LB_SHA256_SIZE, digest);
    efuse = lb_load_le32(side->bytes.data + OFFSET_EFUSE);
    page = side->bytes.data[OFFSET_EFUSE + 4];
  }
  ADD(fields, group, "version", "%s", description->version);
  ADD(fields, group, "project", "%s", description->project);
  ADD(fields, group, "date", "%s", description->date);
  ADD(fields, group, "time", "%s", description->time);
  ADD(fields, group, "idf", "%s", description->idf);
  ADD(fields, group, "secure_version", "%u", description->secure_version);
  ADD(fields, group, "elf_sha256", "%s", digest);
  ADD(fields, group, "min_efuse_revision", "%u", efuse & 0xFFFFU);
  ADD(fields, group, "max_efuse_revision", "%u", efuse >> 16);
  ADD(fields, group, "mmu_page_size", "%u", page > 0 && page < 32 ? 1U << page : 0);
}

static void add_end(struct image_fields *fields, const struct image_side *side)
{
  static const char group[] = "end";
  const struct lb_image_info *info = &side->file.image.info;
  int result = side->file.image.result;
  bool has_digest = result == LB_OK || result == LB_ERR_IMAGE_DIGEST;
  bool has_checksum = has_digest || result == LB_ERR_IMAGE_CHECKSUM;
  char digest[2 * LB_SHA256_SIZE + 1] = "";
  char checksum[8] = "";
  if (has_digest) {
    report_hex(info->digest, LB_SHA256_SIZE, digest);
  }
  if (has_checksum) {
    (void)snprintf(checksum, sizeof(checksum), "0x%02x", info->checksum);
  }
  ADD(fields, group, "length", "%u", side->length);
  ADD(fields, group, "checksum", "%s", checksum);
  ADD(fields, group, "sha256", "%s", digest);
}

void image_fields_list(struct image_fields *fields, const struct image_side *side)
{
  fields->count = 0;
  add_header(fields, side);
  add_description(fields, side);
  add_end(fields, side);
}
