// SPDX-License-Identifier: MIT
#include "tool/image_build.h"

#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/image.h"
#include "ports/mbedtls/hash.h"
#include "tool/image_file.h"
#include "tool/report.h"

#define SEGMENT_HEADER  LB_IMAGE_SEGMENT_HEADER_SIZE
#define ALIGNMENT       16U   /* of the checksum's end */
#define CHECKSUM_START  0xEFU /* of the xor */
#define LAST_PAGE_LEAST 0x24U /* ESP-IDF's older bootloaders do not map a segment's last page if it holds less */
#define PADDING_LEAST   16U   /* bytes worth a padding segment */

struct builder {
  uint8_t *data;
  uint32_t capacity;
  uint32_t length;
  uint32_t segments;
  uint32_t last_segment; /* where the header of the last segment is */
  const struct image_parts *parts;
  const struct lb_chip *chip;
  uint32_t ram_part;  /* the next part that is loaded into RAM, */
  uint32_t ram_taken; /* and how much of it is already in the image */
};

/* Appends a segment; `data` NULL stands for zeros. */
static bool add_segment(struct builder *builder, uint32_t load, const uint8_t *data, uint32_t length)
{
  if (builder->segments == LB_IMAGE_SEGMENTS_MAX) {
    report_error("the image needs more than %u segments; merge sections in the linker script", LB_IMAGE_SEGMENTS_MAX);
    return false;
  }
  if (SEGMENT_HEADER + (uint64_t)length > builder->capacity - builder->length) {
    report_error("the image becomes longer than %u bytes", IMAGE_FILE_MAX);
    return false;
  }
  uint8_t *header = builder->data + builder->length;
  lb_store_le32(header, load);
  lb_store_le32(header + 4, length);
  if (data != NULL) {
    memcpy(header + SEGMENT_HEADER, data, length);
  }
  builder->last_segment = builder->length;
  builder->length += SEGMENT_HEADER + length;
  builder->segments++;
  return true;
}

/* Appends zeros to the last segment. */
static bool grow_last_segment(struct builder *builder, uint32_t growth)
{
  if (growth > builder->capacity - builder->length) {
    report_error("the image becomes longer than %u bytes", IMAGE_FILE_MAX);
    return false;
  }
  uint8_t *length = builder->data + builder->last_segment + 4;
  lb_store_le32(length, lb_load_le32(length) + growth);
  builder->length += growth;
  return true;
}

static bool is_ram(const struct builder *builder, uint32_t index)
{
  return !lb_chip_maps(builder->chip, builder->parts->parts[index].load);
}

/* The next part for RAM that is not yet wholly in the image, or NULL. */
static const struct image_part *next_ram_part(struct builder *builder)
{
  while (builder->ram_part < builder->parts->count && !is_ram(builder, builder->ram_part)) {
    builder->ram_part++;
  }
  return builder->ram_part < builder->parts->count ? &builder->parts->parts[builder->ram_part] : NULL;
}

/* Appends at most `most` bytes of the next part for RAM. */
static bool add_ram(struct builder *builder, const struct image_part *part, uint32_t most)
{
  uint32_t taken = builder->ram_taken;
  uint32_t length = part->length - taken < most ? part->length - taken : most;
  if (!add_segment(builder, part->load + taken, part->data + taken, length)) {
    return false;
  }
  builder->ram_taken += length;
  if (builder->ram_taken == part->length) {
    builder->ram_part++;
    builder->ram_taken = 0;
  }
  return true;
}

/* Bytes that have to come, header included, before a segment for `load` may begin: 0, or enough for a segment. */
static uint32_t gap_before(const struct builder *builder, uint32_t load)
{
  uint32_t gap = (load - (builder->length + SEGMENT_HEADER)) % IMAGE_MAP_PAGE;
  return gap == 0 || gap >= SEGMENT_HEADER + 4 ? gap : gap + IMAGE_MAP_PAGE;
}

static bool add_mapped(struct builder *builder, const struct image_part *part)
{
  uint32_t gap = 0;
  while ((gap = gap_before(builder, part->load)) > 0) {
    const struct image_part *ram = next_ram_part(builder);
    bool good =
        ram != NULL ? add_ram(builder, ram, gap - SEGMENT_HEADER) : add_segment(builder, 0, NULL, gap - SEGMENT_HEADER);
    if (!good) {
      return false;
    }
  }
  if (!add_segment(builder, part->load, part->data, part->length)) {
    return false;
  }
  uint32_t in_last_page = builder->length % IMAGE_MAP_PAGE;
  bool is_short = in_last_page > 0 && in_last_page < LAST_PAGE_LEAST;
  return !is_short || grow_last_segment(builder, LAST_PAGE_LEAST - in_last_page);
}

static bool add_parts(struct builder *builder)
{
  for (uint32_t i = 0; i < builder->parts->count; i++) {
    if (!is_ram(builder, i) && !add_mapped(builder, &builder->parts->parts[i])) {
      return false;
    }
  }
  const struct image_part *part = NULL;
  while ((part = next_ram_part(builder)) != NULL) {
    if (!add_ram(builder, part, part->length)) {
      return false;
    }
  }
  return true;
}

/* How long the image is once the segments are followed by checksum and digest. */
static uint32_t final_length(uint32_t length)
{
  return length + ALIGNMENT - length % ALIGNMENT + LB_SHA256_SIZE;
}

/*
 * Makes the image end at exactly `size` bytes: by a padding segment, which no loader copies into RAM, or by zeros
 * behind the last segment where there is no room for one, or no such thing.
 */
static bool pad_to(struct builder *builder, uint32_t size)
{
  uint32_t length = final_length(builder->length);
  if (size % ALIGNMENT != 0 || size < length) {
    uint32_t possible = size < length ? length : size - size % ALIGNMENT;
    report_error("--size: %u bytes are not possible; %s is %u", size,
                 size < length ? "the least for this image" : "the next lower multiple of 16", possible);
    return false;
  }
  if (size == length) {
    return true;
  }
  /* Segments then end 16 bytes before the checksum's end; both ends are multiples of 4. */
  uint32_t growth = size - LB_SHA256_SIZE - ALIGNMENT - builder->length;
  bool takes_padding = builder->chip->ram.end == 0; /* else it would be loaded, outside the RAM for that */
  if (takes_padding && growth >= SEGMENT_HEADER + PADDING_LEAST && builder->segments < LB_IMAGE_SEGMENTS_MAX) {
    return add_segment(builder, 0, NULL, growth - SEGMENT_HEADER);
  }
  return grow_last_segment(builder, growth);
}

static void write_header(struct builder *builder, const struct image_header *header)
{
  uint8_t *data = builder->data;
  data[0] = LB_IMAGE_MAGIC;
  data[1] = (uint8_t)builder->segments;
  data[2] = header->spi_mode;
  data[3] = (uint8_t)(header->flash_size << 4 | header->flash_frequency);
  lb_store_le32(data + 4, header->entry);
  data[8] = 0xEE; /* no write-protect pin */
  lb_store_le16(data + 12, header->chip->id);
  data[14] = (uint8_t)(header->min_revision / 100);
  lb_store_le16(data + 15, header->min_revision);
  lb_store_le16(data + 17, 0xFFFF); /* no upper limit */
  data[23] = 1;                     /* a digest follows */
}

static uint8_t segments_checksum(const struct builder *builder)
{
  uint8_t checksum = CHECKSUM_START;
  uint32_t position = LB_IMAGE_HEADER_SIZE;
  for (uint32_t i = 0; i < builder->segments; i++) {
    uint32_t length = lb_load_le32(builder->data + position + 4);
    position += SEGMENT_HEADER;
    for (uint32_t j = 0; j < length; j++) {
      checksum ^= builder->data[position + j];
    }
    position += length;
  }
  return checksum;
}

static bool write_tail(struct builder *builder)
{
  uint32_t length = final_length(builder->length);
  uint32_t end = length - LB_SHA256_SIZE;
  struct mbedtls_hash context;
  struct lb_hash sha256;
  builder->data[end - 1] = segments_checksum(builder);
  mbedtls_hash_sha256(&sha256, &context);
  if (sha256.start(sha256.context) != 0 || sha256.update(sha256.context, builder->data, end) != 0 ||
      sha256.finish(sha256.context, builder->data + end) != 0) {
    report_library_error("image", LB_ERR_HASH);
    return false;
  }
  builder->length = length;
  return true;
}

bool image_build(const struct image_header *header, const struct image_parts *parts, uint32_t size,
                 struct image_bytes *image)
{
  struct builder builder = {.parts = parts, .chip = header->chip, .length = LB_IMAGE_HEADER_SIZE};
  builder.capacity = IMAGE_FILE_MAX - ALIGNMENT - LB_SHA256_SIZE;
  builder.data = calloc(1, IMAGE_FILE_MAX);
  *image = (struct image_bytes){0};
  if (builder.data == NULL) {
    report_error("not enough memory for the image");
    return false;
  }
  bool good = add_parts(&builder) && (size == 0 || pad_to(&builder, size));
  if (good) {
    write_header(&builder, header);
    good = write_tail(&builder);
  }
  if (!good) {
    free(builder.data);
    return false;
  }
  *image = (struct image_bytes){builder.data, builder.length};
  return true;
}
