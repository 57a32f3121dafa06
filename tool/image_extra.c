// SPDX-License-Identifier: MIT
#include "tool/image_extra.h"

#include <stdio.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/mbedtls/hash.h"
#include "tool/image_memory.h"
#include "tool/report.h"

#define BOOTLOADER_SIZE  80U /* of its description */
#define BOOTLOADER_MAGIC 0x50U

enum header_offset { OFFSET_WP_PIN = 8, OFFSET_DRIVES = 9 };
enum description_offset { OFFSET_MIN_EFUSE = 176, OFFSET_MAX_EFUSE = 178, OFFSET_MMU_PAGE = 180 };
enum bootloader_offset { OFFSET_VERSION = 4, OFFSET_IDF = 8, OFFSET_DATE = 40 };

static bool read_at(FILE *stream, uint32_t offset, uint8_t *bytes, size_t length)
{
  return fseek(stream, (long)offset, SEEK_SET) == 0 && fread(bytes, 1, length, stream) == length;
}

/* A field of the image as a text: it may lack its NUL. */
static void copy_text(const uint8_t *field, size_t length, char *text)
{
  char raw[64] = {0};
  memcpy(raw, field, length < sizeof(raw) - 1 ? length : sizeof(raw) - 1);
  report_printable(raw, text, length + 1);
}

static void read_header(struct image_extra *extra, FILE *stream)
{
  uint8_t bytes[LB_IMAGE_HEADER_SIZE];
  extra->has_header = read_at(stream, 0, bytes, sizeof(bytes));
  if (!extra->has_header) {
    return;
  }
  extra->wp_pin = bytes[OFFSET_WP_PIN];
  for (size_t i = 0; i < IMAGE_EXTRA_DRIVES; i++) {
    uint8_t pair = bytes[OFFSET_DRIVES + i / 2];
    extra->drives[i] = i % 2 == 0 ? pair & 0x0FU : pair >> 4;
  }
}

static void read_description(struct image_extra *extra, const struct image_file *file, FILE *stream)
{
  uint8_t bytes[LB_IMAGE_DESCRIPTION_SIZE];
  extra->has_description =
      file->image.info.description.present && read_at(stream, LB_IMAGE_DESCRIPTION_OFFSET, bytes, sizeof(bytes));
  if (!extra->has_description) {
    return;
  }
  uint8_t page = bytes[OFFSET_MMU_PAGE];
  extra->min_efuse_revision = lb_load_le16(bytes + OFFSET_MIN_EFUSE);
  extra->max_efuse_revision = lb_load_le16(bytes + OFFSET_MAX_EFUSE);
  extra->mmu_page_size = page > 0 && page < 32 ? 1U << page : 0;
}

/* A bootloader has its description where its data for RAM begin. */
static void read_bootloader(struct image_extra *extra, const struct image_file *file, FILE *stream)
{
  const struct lb_image_info *info = &file->image.info;
  for (uint32_t i = 0; i < info->segments_known && !info->description.present; i++) {
    uint8_t bytes[BOOTLOADER_SIZE];
    char memory[IMAGE_MEMORY_SIZE];
    image_memory_names(info->chip_id, info->segments[i].load, memory);
    if (strstr(memory, "DRAM") == NULL || info->segments[i].length < sizeof(bytes)) {
      continue;
    }
    extra->has_bootloader =
        read_at(stream, info->segments[i].offset, bytes, sizeof(bytes)) && bytes[0] == BOOTLOADER_MAGIC;
    if (extra->has_bootloader) {
      extra->bootloader_version = lb_load_le32(bytes + OFFSET_VERSION);
      copy_text(bytes + OFFSET_IDF, sizeof(extra->bootloader_idf) - 1, extra->bootloader_idf);
      copy_text(bytes + OFFSET_DATE, sizeof(extra->bootloader_date) - 1, extra->bootloader_date);
    }
    return;
  }
}

static void read_digest(struct image_extra *extra, const struct image_file *file, FILE *stream)
{
  uint32_t length = file->image.info.length;
  struct mbedtls_hash context;
  struct lb_hash sha256;
  mbedtls_hash_sha256(&sha256, &context);
  if (length <= LB_SHA256_SIZE || length > file->size || fseek(stream, 0, SEEK_SET) != 0 ||
      sha256.start(sha256.context) != 0) {
    return;
  }
  uint32_t rest = length - LB_SHA256_SIZE;
  bool good = true;
  while (good && rest > 0) {
    uint8_t bytes[4096];
    uint32_t piece = rest < sizeof(bytes) ? rest : (uint32_t)sizeof(bytes);
    good = fread(bytes, 1, piece, stream) == piece && sha256.update(sha256.context, bytes, piece) == 0;
    rest -= piece;
  }
  extra->has_digest = sha256.finish(sha256.context, extra->digest) == 0 && good;
}

void image_extra_read(struct image_extra *extra, const struct image_file *file)
{
  *extra = (struct image_extra){0};
  FILE *stream = fopen(file->path, "rb");
  if (stream == NULL) {
    return;
  }
  read_header(extra, stream);
  read_description(extra, file, stream);
  read_bootloader(extra, file, stream);
  read_digest(extra, file, stream);
  (void)fclose(stream);
}
