// SPDX-License-Identifier: MIT
/* lifeboat image info: all about a firmware image. */
#include <stdio.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/image_extra.h"
#include "tool/image_file.h"
#include "tool/image_memory.h"
#include "tool/image_names.h"
#include "tool/options.h"
#include "tool/report.h"

#define HEX_DIGEST   (2 * LB_SHA256_SIZE + 1)
#define SECTOR       0x1000U
#define WP_PIN_NONE  0xEEU
#define NO_SEGMENT   UINT32_MAX
#define DRIVE_FORMAT "clk %u, q %u, d %u, cs0 %u, hd %u, wp %u"

static const char *chip_name(const struct lb_image_info *info)
{
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  return chip != NULL ? chip->name : "unknown";
}

/* Where a segment lies; load address 0 is what elf2image fills gaps with. */
static const char *segment_place(const struct lb_image_info *info, const struct lb_image_segment *segment)
{
  const struct lb_chip *chip = lb_chip_by_id(info->chip_id);
  if (segment->load == 0) {
    return "padding";
  }
  if (chip != NULL && lb_chip_maps_data(chip, segment->load)) {
    return "mapped data";
  }
  return chip != NULL && lb_chip_maps(chip, segment->load) ? "mapped code" : "RAM";
}

static void revision_text(uint16_t revision, char *text, size_t capacity)
{
  (void)snprintf(text, capacity, "v%u.%u", revision / 100U, revision % 100U);
}

/* Does a greatest revision limit anything? */
static bool is_limit(uint16_t revision)
{
  return revision != 0 && revision != 0xFFFF;
}

static uint32_t sector_count(const struct lb_image_info *info)
{
  return (info->length + SECTOR - 1) / SECTOR;
}

/* The segment that holds an address, or NO_SEGMENT. */
static uint32_t segment_at(const struct lb_image_info *info, uint32_t address)
{
  for (uint32_t i = 0; i < info->segments_known; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    if (segment->load != 0 && address >= segment->load && address - segment->load < segment->length) {
      return i;
    }
  }
  return NO_SEGMENT;
}

static bool is_whole(const struct image_file *file)
{
  int result = file->image.result;
  return result == LB_OK || result == LB_ERR_IMAGE_DIGEST;
}

/* ---- for people ---- */

static void print_bootloader(const struct image_extra *extra)
{
  if (extra->has_bootloader) {
    printf("Bootloader:        version %u\n", extra->bootloader_version);
    printf("Built:             %s\n", extra->bootloader_date);
    printf("ESP-IDF:           %s\n", extra->bootloader_idf);
  }
}

static void print_efuse(const struct image_extra *extra)
{
  char least[16];
  char most[16];
  revision_text(extra->min_efuse_revision, least, sizeof(least));
  revision_text(extra->max_efuse_revision, most, sizeof(most));
  printf("eFuse revisions:   from %s up to %s\n", least, is_limit(extra->max_efuse_revision) ? most : "any");
  if (extra->mmu_page_size > 0) {
    printf("MMU page:          %u KB\n", extra->mmu_page_size / 1024);
  }
}

static void print_description(const struct lb_image_description *description, const struct image_extra *extra)
{
  char digest[HEX_DIGEST];
  if (description->version[0] != '\0') {
    printf("Version:           %s\n", description->version);
  }
  if (!description->present) {
    puts("Description:       none");
    return;
  }
  report_hex(description->elf_sha256, LB_SHA256_SIZE, digest);
  printf("Project:           %s\n", description->project);
  printf("Built:             %s %s\n", description->date, description->time);
  printf("ESP-IDF:           %s\n", description->idf);
  printf("Secure version:    %u\n", description->secure_version);
  printf("ELF SHA-256:       %s\n", digest);
  if (extra->has_description) {
    print_efuse(extra);
  }
}

static void print_entry(const struct lb_image_info *info)
{
  uint32_t segment = segment_at(info, info->entry);
  printf("Entry:             0x%08x", info->entry);
  if (segment != NO_SEGMENT) {
    printf(", in segment %u", segment);
  }
  putchar('\n');
}

static void print_pins(const struct image_extra *extra)
{
  const uint8_t *drives = extra->drives;
  if (extra->has_header) {
    printf("WP pin:            0x%02x%s\n", extra->wp_pin, extra->wp_pin == WP_PIN_NONE ? " (disabled)" : "");
    printf("Pin drives:        " DRIVE_FORMAT "\n", drives[0], drives[1], drives[2], drives[3], drives[4], drives[5]);
  }
}

static void print_header(const struct lb_image_info *info, const struct image_extra *extra)
{
  char least[16];
  char most[16];
  revision_text(info->min_revision, least, sizeof(least));
  revision_text(info->max_revision, most, sizeof(most));
  printf("Chip:              %s (id %u)\n", chip_name(info), info->chip_id);
  printf("Chip revisions:    from %s (legacy field: %u) up to %s\n", least, info->min_revision_legacy,
         is_limit(info->max_revision) ? most : "any");
  printf("Flash:             %s, %s, %s\n", image_mode_name(info->spi_mode),
         image_frequency_name(info->chip_id, info->flash_frequency), image_size_name(info->flash_size));
  print_pins(extra);
  print_entry(info);
  printf("Segments:          %u\n", info->segment_count);
}

static void print_segments(const struct lb_image_info *info)
{
  if (info->segments_known > 0) {
    puts("   #  address     length    offset    lies in      memory");
  }
  for (uint32_t i = 0; i < info->segments_known; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    char memory[IMAGE_MEMORY_SIZE];
    image_memory_names(info->chip_id, segment->load, memory);
    printf("  %2u  0x%08x  0x%06x  0x%06x  %-11s  %s\n", i, segment->load, segment->length, segment->offset,
           segment_place(info, segment), memory);
  }
}

static void print_checks(const struct image_file *file, const struct image_extra *extra)
{
  const struct lb_image_info *info = &file->image.info;
  char digest[HEX_DIGEST];
  if (file->image.result == LB_ERR_IMAGE_CHECKSUM) {
    printf("Checksum:          0x%02x, wrong: the segments have 0x%02x\n", info->checksum, file->image.checksum);
  }
  if (!is_whole(file)) {
    return;
  }
  report_hex(info->digest, LB_SHA256_SIZE, digest);
  printf("Checksum:          0x%02x\n", info->checksum);
  printf("SHA-256:           %s\n", digest);
  if (file->image.result != LB_OK && extra->has_digest) {
    report_hex(extra->digest, LB_SHA256_SIZE, digest);
    printf("                   wrong: the image has %s\n", digest);
  }
}

static void print_info(const struct image_file *file)
{
  const struct lb_image_info *info = &file->image.info;
  struct image_extra extra;
  image_extra_read(&extra, file);
  printf("File:              %s (%llu bytes)\n", file->path, (unsigned long long)file->size);
  print_bootloader(&extra);
  print_description(&info->description, &extra);
  print_header(info, &extra);
  print_segments(info);
  if (info->length > 0) {
    printf("Length:            %u, %u flash sectors of 4 KB\n", info->length, sector_count(info));
  }
  print_checks(file, &extra);
  printf("Image:             %s\n", file->problem == NULL ? "good" : "bad");
}

/* ---- for programs ---- */

static cJSON *segments_json(const struct lb_image_info *info)
{
  cJSON *list = cJSON_CreateArray();
  for (uint32_t i = 0; i < info->segments_known; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "address", segment->load);
    cJSON_AddNumberToObject(json, "length", segment->length);
    cJSON_AddNumberToObject(json, "offset", segment->offset);
    char memory[IMAGE_MEMORY_SIZE];
    image_memory_names(info->chip_id, segment->load, memory);
    cJSON_AddStringToObject(json, "place", segment_place(info, segment));
    cJSON_AddStringToObject(json, "memory", memory);
    cJSON_AddItemToArray(list, json);
  }
  return list;
}

static cJSON *description_json(const struct lb_image_description *description)
{
  char digest[HEX_DIGEST];
  if (!description->present) {
    return cJSON_CreateNull();
  }
  cJSON *json = cJSON_CreateObject();
  report_hex(description->elf_sha256, LB_SHA256_SIZE, digest);
  cJSON_AddStringToObject(json, "project", description->project);
  cJSON_AddStringToObject(json, "date", description->date);
  cJSON_AddStringToObject(json, "time", description->time);
  cJSON_AddStringToObject(json, "idf", description->idf);
  cJSON_AddNumberToObject(json, "secure_version", description->secure_version);
  cJSON_AddStringToObject(json, "elf_sha256", digest);
  return json;
}

static void add_header_json(cJSON *json, const struct lb_image_info *info)
{
  cJSON_AddStringToObject(json, "version", info->description.version);
  cJSON_AddItemToObject(json, "description", description_json(&info->description));
  cJSON_AddStringToObject(json, "chip", chip_name(info));
  cJSON_AddNumberToObject(json, "chip_id", info->chip_id);
  cJSON_AddNumberToObject(json, "min_revision", info->min_revision);
  cJSON_AddNumberToObject(json, "min_revision_legacy", info->min_revision_legacy);
  cJSON_AddNumberToObject(json, "max_revision", info->max_revision);
  cJSON_AddStringToObject(json, "flash_mode", image_mode_name(info->spi_mode));
  cJSON_AddStringToObject(json, "flash_frequency", image_frequency_name(info->chip_id, info->flash_frequency));
  cJSON_AddStringToObject(json, "flash_size", image_size_name(info->flash_size));
  cJSON_AddNumberToObject(json, "entry", info->entry);
  cJSON_AddNumberToObject(json, "segment_count", info->segment_count);
  cJSON_AddItemToObject(json, "segments", segments_json(info));
}

/* Keys that came later; they stand behind the others. */
static void add_extra_json(cJSON *json, const struct image_file *file)
{
  static const char *const drives[IMAGE_EXTRA_DRIVES] = {"clk", "q", "d", "cs0", "hd", "wp"};
  struct image_extra extra;
  image_extra_read(&extra, file);
  if (extra.has_header) {
    cJSON_AddNumberToObject(json, "wp_pin", extra.wp_pin);
    cJSON *object = cJSON_AddObjectToObject(json, "pin_drives");
    for (size_t i = 0; i < IMAGE_EXTRA_DRIVES; i++) {
      cJSON_AddNumberToObject(object, drives[i], extra.drives[i]);
    }
  }
  if (extra.has_description) {
    cJSON_AddNumberToObject(json, "min_efuse_revision", extra.min_efuse_revision);
    cJSON_AddNumberToObject(json, "max_efuse_revision", extra.max_efuse_revision);
    cJSON_AddNumberToObject(json, "mmu_page_size", extra.mmu_page_size);
  }
  if (extra.has_bootloader) {
    cJSON *object = cJSON_AddObjectToObject(json, "bootloader");
    cJSON_AddNumberToObject(object, "version", extra.bootloader_version);
    cJSON_AddStringToObject(object, "date", extra.bootloader_date);
    cJSON_AddStringToObject(object, "idf", extra.bootloader_idf);
  }
  if (file->image.info.length > 0) {
    cJSON_AddNumberToObject(json, "sectors", sector_count(&file->image.info));
  }
  if (extra.has_digest) {
    char digest[HEX_DIGEST];
    report_hex(extra.digest, LB_SHA256_SIZE, digest);
    cJSON_AddStringToObject(json, "sha256_computed", digest);
  }
}

static cJSON *info_json(const struct image_file *file)
{
  const struct lb_image_info *info = &file->image.info;
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", file->path);
  cJSON_AddNumberToObject(json, "file_size", (double)file->size);
  cJSON_AddBoolToObject(json, "good", file->problem == NULL);
  cJSON_AddItemToObject(json, "error", report_json_problem(file->problem));
  if (image_file_has_info(file)) {
    add_header_json(json, info);
    cJSON_AddNumberToObject(json, "length", info->length);
  }
  if (is_whole(file) && image_file_has_info(file)) {
    char digest[HEX_DIGEST];
    report_hex(info->digest, LB_SHA256_SIZE, digest);
    cJSON_AddNumberToObject(json, "checksum", info->checksum);
    cJSON_AddStringToObject(json, "sha256", digest);
  }
  if (image_file_has_info(file)) {
    add_extra_json(json, file);
  }
  return json;
}

int image_info_command(int argc, char **argv)
{
  bool json = false;
  if (!options_only_json(argc, argv, 1, "one IMAGE", &json)) {
    return TOOL_EXIT_USAGE;
  }
  struct image_file file;
  bool good = image_file_inspect(&file, argv[optind], NULL);
  if (json) {
    return report_json(info_json(&file)) && good ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  if (image_file_has_info(&file)) {
    print_info(&file);
  }
  if (!good) {
    report_problem(file.path, file.problem);
  }
  return good ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}
