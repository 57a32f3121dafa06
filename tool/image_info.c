// SPDX-License-Identifier: MIT
/* lifeboat image info: all about a firmware image. */
#include <stdio.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/image_file.h"
#include "tool/image_names.h"
#include "tool/options.h"
#include "tool/report.h"

#define HEX_DIGEST (2 * LB_SHA256_SIZE + 1)

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

/* ---- for people ---- */

static void print_description(const struct lb_image_description *description)
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
}

static void print_header(const struct lb_image_info *info)
{
  char least[16];
  char most[16];
  revision_text(info->min_revision, least, sizeof(least));
  revision_text(info->max_revision, most, sizeof(most));
  bool limited = info->max_revision != 0 && info->max_revision != 0xFFFF;
  printf("Chip:              %s (id %u)\n", chip_name(info), info->chip_id);
  printf("Chip revisions:    from %s (legacy field: %u) up to %s\n", least, info->min_revision_legacy,
         limited ? most : "any");
  printf("Flash:             %s, %s, %s\n", image_mode_name(info->spi_mode),
         image_frequency_name(info->chip_id, info->flash_frequency), image_size_name(info->flash_size));
  printf("Entry:             0x%08x\n", info->entry);
  printf("Segments:          %u\n", info->segment_count);
}

static void print_segments(const struct lb_image_info *info)
{
  if (info->segments_known > 0) {
    puts("   #  address     length    offset    lies in");
  }
  for (uint32_t i = 0; i < info->segments_known; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    printf("  %2u  0x%08x  0x%06x  0x%06x  %s\n", i, segment->load, segment->length, segment->offset,
           segment_place(info, segment));
  }
}

static void print_info(const struct image_file *file)
{
  const struct lb_image_info *info = &file->image.info;
  printf("File:              %s (%llu bytes)\n", file->path, (unsigned long long)file->size);
  print_description(&info->description);
  print_header(info);
  print_segments(info);
  if (info->length > 0) {
    printf("Length:            %u\n", info->length);
  }
  if (file->image.result == LB_OK) {
    char digest[HEX_DIGEST];
    report_hex(info->digest, LB_SHA256_SIZE, digest);
    printf("Checksum:          0x%02x\n", info->checksum);
    printf("SHA-256:           %s\n", digest);
  }
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
    cJSON_AddStringToObject(json, "place", segment_place(info, segment));
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
  if (file->image.result == LB_OK && image_file_has_info(file)) {
    char digest[HEX_DIGEST];
    report_hex(info->digest, LB_SHA256_SIZE, digest);
    cJSON_AddNumberToObject(json, "checksum", info->checksum);
    cJSON_AddStringToObject(json, "sha256", digest);
  }
  return json;
}

int image_info_command(int argc, char **argv)
{
  static const struct option table[] = {{"json", no_argument, NULL, 'j'}, {0}};
  bool json = false;
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return TOOL_EXIT_USAGE;
    }
    json = true;
  }
  if (!options_words(argc, 1, 1, "one IMAGE")) {
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
