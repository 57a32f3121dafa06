// SPDX-License-Identifier: MIT
#define _POSIX_C_SOURCE 200809L /* gmtime_r */
#include "tool/image_describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lifeboat/bytes.h"
#include "lifeboat/image.h"
#include "tool/report.h"

/* Where in its page the description is mapped: behind the image's header and the segment's. */
#define PLACE_IN_PAGE (LB_IMAGE_HEADER_SIZE + LB_IMAGE_SEGMENT_HEADER_SIZE)

enum offset { OFFSET_SECURE = 4, OFFSET_VERSION = 16, OFFSET_PROJECT = 48, OFFSET_TIME = 80, OFFSET_DATE = 96 };
enum { OFFSET_IDF = 112, OFFSET_ELF_SHA256 = 144 };

/* Writes a NUL-padded text into `size` bytes; NULL leaves them. */
static bool put_text(uint8_t *field, size_t size, const char *option, const char *text)
{
  if (text == NULL) {
    return true;
  }
  size_t length = strlen(text);
  if (length >= size) {
    report_error("%s: at most %zu characters fit, these are %zu", option, size - 1, length);
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    if (text[i] < ' ' || text[i] > '~') {
      report_error("%s: only printable ASCII characters are possible", option);
      return false;
    }
  }
  memset(field, 0, size);
  memcpy(field, text, length);
  return true;
}

static bool update(uint8_t *description, const struct image_description_fields *fields)
{
  if (fields->secure_version != NULL) {
    lb_store_le32(description + OFFSET_SECURE, *fields->secure_version);
  }
  if (fields->elf_sha256 != NULL) {
    memcpy(description + OFFSET_ELF_SHA256, fields->elf_sha256, LB_SHA256_SIZE);
  }
  return put_text(description + OFFSET_VERSION, 32, "--version", fields->version) &&
         put_text(description + OFFSET_PROJECT, 32, "--project", fields->project) &&
         put_text(description + OFFSET_TIME, 16, "--time", fields->time) &&
         put_text(description + OFFSET_DATE, 16, "--date", fields->date) &&
         put_text(description + OFFSET_IDF, 32, "--idf", fields->idf);
}

/* Now, or SOURCE_DATE_EPOCH for builds that have to give the same bytes again. */
static bool build_moment(struct tm *moment)
{
  const char *epoch = getenv("SOURCE_DATE_EPOCH");
  time_t now = time(NULL);
  if (epoch != NULL) {
    char *end = NULL;
    errno = 0;
    now = (time_t)strtoll(epoch, &end, 10);
    if (errno != 0 || end == epoch || *end != '\0') {
      report_error("SOURCE_DATE_EPOCH: %s is no number of seconds", epoch);
      return false;
    }
  }
  if (gmtime_r(&now, moment) == NULL) {
    report_error("SOURCE_DATE_EPOCH: no such date");
    return false;
  }
  return true;
}

/* The date as a C compiler's __DATE__ has it: "Apr  7 2018". */
static bool make_description(uint8_t *description)
{
  struct tm moment;
  char date[16];
  char clock[16];
  if (!build_moment(&moment)) {
    return false;
  }
  if (strftime(date, sizeof(date), "%b %e %Y", &moment) == 0 ||
      strftime(clock, sizeof(clock), "%H:%M:%S", &moment) == 0) {
    report_error("SOURCE_DATE_EPOCH: the year is too long for an image");
    return false;
  }
  struct image_description_fields defaults = {.version = "1", .project = "ovms3", .date = date, .time = clock};
  memset(description, 0, LB_IMAGE_DESCRIPTION_SIZE);
  lb_store_le32(description, LB_IMAGE_DESCRIPTION_MAGIC);
  return update(description, &defaults);
}

/* ---- its place ---- */

/* Where the chip has its description if the image is loaded as a whole; 0: it maps its flash. */
static uint32_t place_in_ram(const struct lb_chip *chip)
{
  return chip->ram.start;
}

static bool is_description(const struct image_part *part, const struct lb_chip *chip)
{
  bool is_place = place_in_ram(chip) != 0 ? part->load == place_in_ram(chip) : lb_chip_maps_data(chip, part->load);
  return is_place && part->length >= LB_IMAGE_DESCRIPTION_SIZE &&
         lb_load_le32(part->data) == LB_IMAGE_DESCRIPTION_MAGIC;
}

/* Does it keep room for a description at its beginning: zeros, or zeros behind the magic? */
static bool is_room(const struct image_part *part, const struct lb_chip *chip)
{
  bool is_zero = place_in_ram(chip) != 0 && part->load == place_in_ram(chip) &&
                 part->length >= LB_IMAGE_DESCRIPTION_SIZE &&
                 (lb_load_le32(part->data) == 0 || lb_load_le32(part->data) == LB_IMAGE_DESCRIPTION_MAGIC);
  for (uint32_t i = 4; is_zero && i < LB_IMAGE_DESCRIPTION_SIZE; i++) {
    is_zero = part->data[i] == 0;
  }
  return is_zero;
}

static bool is_free(const struct image_parts *parts, uint32_t start, uint32_t length)
{
  for (uint32_t i = 0; i < parts->count; i++) {
    const struct image_part *part = &parts->parts[i];
    if (part->load < start + length && part->load + part->length > start) {
      return false;
    }
  }
  return true;
}

/* Adds a part with a new description, as the last one. */
static bool add_description(struct image_parts *parts, uint32_t place)
{
  uint8_t description[LB_IMAGE_DESCRIPTION_SIZE];
  return make_description(description) &&
         image_parts_add(parts, "application description", place, description, sizeof(description));
}

static bool add_mapped(struct image_parts *parts, const struct lb_chip *chip)
{
  uint32_t page = chip->data.start;
  while (page < chip->data.end && !is_free(parts, page, IMAGE_MAP_PAGE)) {
    page += IMAGE_MAP_PAGE;
  }
  if (page >= chip->data.end) {
    report_error("chip %s has no free page of mapped data for the application description", chip->name);
    return false;
  }
  return add_description(parts, page + PLACE_IN_PAGE);
}

static bool add_in_ram(struct image_parts *parts, const struct lb_chip *chip)
{
  uint32_t place = place_in_ram(chip);
  if (!is_free(parts, place, LB_IMAGE_DESCRIPTION_SIZE)) {
    report_error("the application description has no room: leave the %u bytes at 0x%08x free, or zero",
                 LB_IMAGE_DESCRIPTION_SIZE, place);
    return false;
  }
  return add_description(parts, place);
}

static uint32_t find_description(const struct image_parts *parts, const struct lb_chip *chip)
{
  uint32_t index = 0;
  while (index < parts->count && !is_description(&parts->parts[index], chip)) {
    index++;
  }
  return index;
}

bool image_describe(struct image_parts *parts, const struct lb_chip *chip,
                    const struct image_description_fields *fields)
{
  bool is_in_ram = place_in_ram(chip) != 0;
  if (parts->count > 0 && is_room(&parts->parts[0], chip) && !make_description(parts->parts[0].data)) {
    return false;
  }
  uint32_t index = find_description(parts, chip);
  if (index == parts->count) {
    if (!(is_in_ram ? add_in_ram(parts, chip) : add_mapped(parts, chip))) {
      return false;
    }
    index = find_description(parts, chip);
  }
  struct image_part *part = &parts->parts[index];
  if (!is_in_ram && part->load % IMAGE_MAP_PAGE != PLACE_IN_PAGE) {
    report_error("the application description is at 0x%08x; it has to be 0x%x bytes behind the start of a 64 KB page",
                 part->load, PLACE_IN_PAGE);
    return false;
  }
  if (!update(part->data, fields)) {
    return false;
  }
  image_parts_move_first(parts, index);
  return true;
}
