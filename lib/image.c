// SPDX-License-Identifier: MIT
/*
 * The inspector is a state machine over the parts of an image: header, then for each segment its header and its data,
 * padding with the checksum, digest. Small parts are gathered in image->part and judged when they are whole; segment
 * data streams through. One function takes each part.
 */
#include "lifeboat/image.h"

#include <string.h>

#include "lib/description.h"
#include "lifeboat/bytes.h"
#include "lifeboat/device.h"
#include "lifeboat/error.h"

#define CHECKSUM_START       0xEFU
#define SEGMENT_LENGTH_LIMIT 0x1000000U /* 16 MB */
#define MAP_PAGE             0x10000U
#define CHECKSUM_ALIGNMENT   16U

enum state { HEADER, SEGMENT_HEADER, DESCRIPTION, SEGMENT_DATA, PADDING, DIGEST, COMPLETE };

static void expect(struct lb_image *image, enum state state, uint32_t need)
{
  image->state = (uint8_t)state;
  image->need = need;
  image->fill = 0;
}

static uint32_t room(const struct lb_image *image)
{
  return image->rules.capacity - image->position;
}

static int judge_revision(const struct lb_image *image)
{
  const struct lb_image_info *info = &image->info;
  uint32_t minimum = info->min_revision;
  if (minimum < info->min_revision_legacy * 100U) {
    minimum = info->min_revision_legacy * 100U;
  }
  if (image->rules.revision == LB_REVISION_ANY) {
    return LB_OK;
  }
  bool limited = info->max_revision != 0 && info->max_revision != 0xFFFF;
  if (image->rules.revision < minimum || (limited && image->rules.revision > info->max_revision)) {
    return LB_ERR_IMAGE_REVISION;
  }
  return LB_OK;
}

static bool may_load(const struct lb_image *image, uint32_t address, uint32_t length)
{
  const struct lb_chip *chip = image->rules.chip;
  return !chip || image->rules.loads_anywhere || lb_chip_loads(chip, address, length);
}

static int take_header(struct lb_image *image)
{
  const uint8_t *bytes = image->part;
  struct lb_image_info *info = &image->info;
  info->segment_count = bytes[1];
  info->spi_mode = bytes[2];
  info->flash_frequency = bytes[3] & 0x0FU;
  info->flash_size = bytes[3] >> 4;
  info->entry = lb_load_le32(bytes + 4);
  info->chip_id = lb_load_le16(bytes + 12);
  info->min_revision_legacy = bytes[14];
  info->min_revision = lb_load_le16(bytes + 15);
  info->max_revision = lb_load_le16(bytes + 17);
  if (!image->rules.chip) {
    image->rules.chip = lb_chip_by_id(info->chip_id); /* still NULL if nobody knows it */
  } else if (info->chip_id != image->rules.chip->id) {
    return LB_ERR_IMAGE_CHIP;
  }
  if (info->segment_count == 0 || info->segment_count > LB_IMAGE_SEGMENTS_MAX) {
    return LB_ERR_IMAGE_SEGMENTS;
  }
  if (bytes[23] != 1) {
    return LB_ERR_IMAGE_NO_HASH;
  }
  expect(image, SEGMENT_HEADER, LB_IMAGE_SEGMENT_HEADER_SIZE);
  int err = judge_revision(image);
  return err == LB_OK && !may_load(image, info->entry, 1) ? LB_ERR_IMAGE_LOAD : err;
}

static int judge_segment(const struct lb_image *image, const struct lb_image_segment *segment)
{
  const struct lb_chip *chip = image->rules.chip;
  if ((segment->length & 3U) != 0 || segment->length >= SEGMENT_LENGTH_LIMIT) {
    return LB_ERR_IMAGE_SEGMENT_LENGTH;
  }
  if (segment->length > room(image)) {
    return LB_ERR_IMAGE_TOO_LONG;
  }
  uint32_t flash_address = image->rules.address + segment->offset;
  if (chip && lb_chip_maps(chip, segment->load) && ((flash_address ^ segment->load) & (MAP_PAGE - 1U)) != 0) {
    return LB_ERR_IMAGE_SEGMENT_MAPPING;
  }
  return may_load(image, segment->load, segment->length) ? LB_OK : LB_ERR_IMAGE_LOAD;
}

/* Where loading is judged, one of the segments has to have the entry point, and all are known now. */
static int judge_entry(struct lb_image *image, const struct lb_image_segment *segment)
{
  const struct lb_chip *chip = image->rules.chip;
  image->has_entry = image->has_entry || image->info.entry - segment->load < segment->length;
  bool is_last = image->info.segments_known == image->info.segment_count;
  bool is_judged = chip && chip->ram.end != 0 && !image->rules.loads_anywhere;
  return is_last && is_judged && !image->has_entry ? LB_ERR_IMAGE_LOAD : LB_OK;
}

/* Bytes from `end`, where the segments end, to the digest; the last of them is the checksum. */
static uint32_t padding_at(uint32_t end)
{
  return CHECKSUM_ALIGNMENT - (end & (CHECKSUM_ALIGNMENT - 1U));
}

static void segment_done(struct lb_image *image)
{
  if (image->info.segments_known == 1) {
    lb_description_end(image);
  }
  if (image->info.segments_known < image->info.segment_count) {
    expect(image, SEGMENT_HEADER, LB_IMAGE_SEGMENT_HEADER_SIZE);
  } else {
    expect(image, PADDING, padding_at(image->position));
  }
}

/* With the last segment's header the length is known, and whether padding, checksum and digest fit behind the data. */
static int announce_length(struct lb_image *image, uint32_t data_length)
{
  if (image->info.segments_known < image->info.segment_count) {
    return LB_OK;
  }
  uint32_t tail = padding_at(image->position + data_length) + LB_SHA256_SIZE;
  if (room(image) - data_length < tail) { /* data_length fits: judge_segment has seen to that */
    return LB_ERR_IMAGE_TOO_LONG;
  }
  image->info.length = image->position + data_length + tail;
  return LB_OK;
}

static int take_segment_header(struct lb_image *image)
{
  struct lb_image_segment *segment = &image->info.segments[image->info.segments_known];
  segment->load = lb_load_le32(image->part);
  segment->length = lb_load_le32(image->part + 4);
  segment->offset = image->position;
  image->info.segments_known++;
  int err = judge_segment(image, segment);
  if (err == LB_OK) {
    err = judge_entry(image, segment);
  }
  if (err == LB_OK) {
    err = announce_length(image, segment->length);
  }
  if (err) {
    return err;
  }
  if (segment->length == 0) {
    segment_done(image);
  } else if (image->info.segments_known == 1 && segment->length >= LB_IMAGE_DESCRIPTION_SIZE) {
    expect(image, DESCRIPTION, LB_IMAGE_DESCRIPTION_SIZE);
  } else {
    expect(image, SEGMENT_DATA, segment->length);
  }
  return LB_OK;
}

static void add_to_checksum(struct lb_image *image, const uint8_t *data, uint32_t length)
{
  uint8_t checksum = image->checksum;
  for (uint32_t i = 0; i < length; i++) {
    checksum ^= data[i];
  }
  image->checksum = checksum;
}

/* The first 256 bytes of segment 0 are its data, whether they are a description or not. */
static void take_description(struct lb_image *image)
{
  uint32_t rest = image->info.segments[0].length - LB_IMAGE_DESCRIPTION_SIZE;
  lb_description_parse(&image->info.description, image->part);
  lb_description_scan(image, image->part, LB_IMAGE_DESCRIPTION_SIZE);
  add_to_checksum(image, image->part, LB_IMAGE_DESCRIPTION_SIZE);
  if (rest == 0) {
    segment_done(image);
  } else {
    expect(image, SEGMENT_DATA, rest);
  }
}

static int take_padding(struct lb_image *image)
{
  image->info.checksum = image->part[image->need - 1];
  if (image->info.checksum != image->checksum) {
    return LB_ERR_IMAGE_CHECKSUM;
  }
  expect(image, DIGEST, LB_SHA256_SIZE);
  return LB_OK;
}

static int take_digest(struct lb_image *image)
{
  uint8_t computed[LB_SHA256_SIZE];
  if (image->sha256->finish(image->sha256->context, computed) != 0) {
    return LB_ERR_HASH;
  }
  memcpy(image->info.digest, image->part, LB_SHA256_SIZE);
  image->state = COMPLETE;
  return memcmp(computed, image->part, LB_SHA256_SIZE) == 0 ? LB_OK : LB_ERR_IMAGE_DIGEST;
}

static int take_part(struct lb_image *image)
{
  switch ((enum state)image->state) {
  case HEADER:
    return take_header(image);
  case SEGMENT_HEADER:
    return take_segment_header(image);
  case DESCRIPTION:
    take_description(image);
    return LB_OK;
  case SEGMENT_DATA:
    segment_done(image);
    return LB_OK;
  case PADDING:
    return take_padding(image);
  case DIGEST:
    return take_digest(image);
  case COMPLETE:
    break;
  }
  return LB_ERR_STATE;
}

/* Takes as many bytes as belong to the present part and judges it once it is whole. */
static int take(struct lb_image *image, const uint8_t *data, uint32_t length, uint32_t *taken)
{
  uint32_t wanted = image->need - image->fill;
  uint32_t piece = length < wanted ? length : wanted;
  if (room(image) == 0) {
    return LB_ERR_IMAGE_TOO_LONG;
  }
  if (piece > room(image)) { /* what fits is judged all the same, so that it does not matter how the bytes come */
    piece = room(image);
  }
  if (image->state != DIGEST && image->sha256->update(image->sha256->context, data, piece) != 0) {
    return LB_ERR_HASH;
  }
  if (image->state == SEGMENT_DATA) {
    add_to_checksum(image, data, piece);
    lb_description_scan(image, data, piece);
  } else {
    memcpy(image->part + image->fill, data, piece);
  }
  if (image->position == 0 && data[0] != LB_IMAGE_MAGIC) {
    return LB_ERR_IMAGE_MAGIC;
  }
  image->fill += piece;
  image->position += piece;
  *taken = piece;
  return image->fill < image->need ? LB_OK : take_part(image);
}

int lb_image_start(struct lb_image *image, const struct lb_image_rules *rules, const struct lb_hash *sha256)
{
  memset(image, 0, sizeof *image);
  image->rules = *rules;
  image->sha256 = sha256;
  image->checksum = CHECKSUM_START;
  expect(image, HEADER, LB_IMAGE_HEADER_SIZE);
  image->result = sha256->start(sha256->context) == 0 ? LB_MORE : LB_ERR_HASH;
  return image->result == LB_MORE ? LB_OK : LB_ERR_HASH;
}

int lb_image_write(struct lb_image *image, const void *data, uint32_t length, uint32_t *used)
{
  const uint8_t *bytes = data;
  uint32_t done = 0;
  while (image->result == LB_MORE && done < length) {
    uint32_t taken = 0;
    int err = take(image, bytes + done, length - done, &taken);
    done += taken;
    if (err) {
      image->result = err;
    } else if (image->state == COMPLETE) {
      image->result = LB_OK;
    }
  }
  if (used) {
    *used = done;
  }
  return image->result;
}

int lb_image_finish(struct lb_image *image)
{
  if (image->result == LB_MORE) {
    image->result = LB_ERR_IMAGE_TRUNCATED;
  }
  return image->result;
}

int lb_image_judge_application(const struct lb_image *image)
{
  if (image->result < 0) {
    return image->result;
  }
  const struct lb_chip *chip = image->rules.chip;
  bool maps = chip && chip->data.end != 0;
  if (maps && image->info.segments_known > 0 && !lb_chip_maps_data(chip, image->info.segments[0].load)) {
    return LB_ERR_IMAGE_BOOTLOADER;
  }
  return LB_OK;
}
