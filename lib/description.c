// SPDX-License-Identifier: MIT
#include "lib/description.h"

#include <string.h>

#include "lifeboat/bytes.h"

/* "########OVMS_PRE########" VERSION "########OVMSPOST########" */
#define MARK_SIZE   24U
#define MARK_HASHES 8U
static const uint8_t mark_before[MARK_SIZE + 1] = "########OVMS_PRE########";

static bool printable(uint8_t byte)
{
  return byte >= 0x20 && byte < 0x7F;
}

/* Copies up to `size` bytes up to the first NUL; `text` has room for one more. */
static void copy_text(char *text, const uint8_t *bytes, uint32_t size)
{
  uint32_t i = 0;
  for (; i < size && bytes[i] != 0; i++) {
    text[i] = printable(bytes[i]) ? (char)bytes[i] : '?';
  }
  text[i] = '\0';
}

void lb_description_parse(struct lb_image_description *description, const uint8_t *bytes)
{
  if (lb_load_le32(bytes) != LB_IMAGE_DESCRIPTION_MAGIC) {
    return;
  }
  description->present = true;
  description->secure_version = lb_load_le32(bytes + 4);
  copy_text(description->version, bytes + 16, sizeof description->version - 1);
  copy_text(description->project, bytes + 48, sizeof description->project - 1);
  copy_text(description->time, bytes + 80, sizeof description->time - 1);
  copy_text(description->date, bytes + 96, sizeof description->date - 1);
  copy_text(description->idf, bytes + 112, sizeof description->idf - 1);
  memcpy(description->elf_sha256, bytes + 144, LB_SHA256_SIZE);
}

/* How much of the mark still matches after a byte that does not continue it: its own run of # may go on or begin. */
static uint8_t restart(uint8_t matched, uint8_t byte)
{
  if (byte != '#') {
    return 0;
  }
  return matched == MARK_HASHES ? MARK_HASHES : 1;
}

/* Gathers the version between the mark and the next #. What turns out to be no version gives the search back. */
static void gather_version(struct lb_image *image, uint8_t byte)
{
  char *version = image->info.description.version;
  bool fits = image->mark_length < sizeof image->info.description.version - 1;
  bool begins = image->mark_length > 0 || (byte >= '0' && byte <= '9');
  if (byte == '#' && image->mark_length > 0) {
    image->mark_match = 0;
  } else if (byte != '#' && printable(byte) && begins && fits) {
    version[image->mark_length++] = (char)byte;
  } else {
    memset(version, 0, sizeof image->info.description.version);
    image->mark_length = 0;
    image->mark_match = byte == '#' ? MARK_HASHES : 0; /* the eight before this one may begin the next mark */
  }
}

void lb_description_scan(struct lb_image *image, const uint8_t *data, uint32_t length)
{
  bool known = image->mark_length > 0 && image->mark_match == 0;
  if (image->info.description.present || image->info.segments_known != 1 || known) {
    return;
  }
  for (uint32_t i = 0; i < length; i++) {
    if (image->mark_match == MARK_SIZE) {
      gather_version(image, data[i]);
      if (image->mark_length > 0 && image->mark_match == 0) {
        return;
      }
    } else if (data[i] == mark_before[image->mark_match]) {
      image->mark_match++;
    } else {
      image->mark_match = restart(image->mark_match, data[i]);
    }
  }
}

void lb_description_end(struct lb_image *image)
{
  if (image->mark_length > 0 && image->mark_match != 0) {
    memset(image->info.description.version, 0, sizeof image->info.description.version);
    image->mark_length = 0;
  }
}
