// SPDX-License-Identifier: MIT
#include "lifeboat/patch.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

enum {
  AT_VERSION = 3,
  AT_PROFILE = 4,
  AT_TAIL = 5,
  AT_CRC = 6,
  AT_BASE = 10,
  AT_RESULT = 14,
  AT_BASE_DIGEST = 18,
  AT_RESULT_DIGEST = 34
};

#define VERSION      1U
#define LONGEST      0x1000000U /* no image has more bytes */
#define TAIL_LONGEST 16U
#define TAIL_BITS    0x1FU
#define SEALED       0x80U
#define RESERVED     0x60U

static const uint8_t magic[AT_VERSION] = {'L', 'B', 'P'};

static bool is_possible(const struct lb_patch_info *info)
{
  uint32_t computed = info->tail ? info->tail + LB_SHA256_SIZE : 0;
  return lb_patch_memory(info->profile) != 0 && info->walker < LB_PATCH_WALKERS && info->tail <= TAIL_LONGEST &&
         info->base_length <= LONGEST && info->base_length >= (info->base_sealed ? LB_SHA256_SIZE : 0) &&
         info->result_length <= LONGEST && info->result_length >= computed;
}

uint32_t lb_patch_crc(uint32_t crc, uint32_t offset, const void *bytes, uint32_t length)
{
  const uint8_t *next = bytes;
  uint32_t before = offset < AT_CRC ? AT_CRC - offset : 0;
  uint32_t behind = offset < AT_BASE ? AT_BASE - offset : 0;
  crc = lb_crc32(crc, next, length < before ? length : before);
  return length > behind ? lb_crc32(crc, next + behind, length - behind) : crc;
}

int lb_patch_read_header(struct lb_patch_info *info, const uint8_t *header)
{
  if (memcmp(header, magic, sizeof(magic)) != 0) {
    return LB_ERR_PATCH_MAGIC;
  }
  if (header[AT_VERSION] != VERSION) {
    return LB_ERR_PATCH_VERSION;
  }
  info->profile = header[AT_PROFILE] & 15U;
  info->walker = header[AT_PROFILE] >> 4;
  info->tail = header[AT_TAIL] & TAIL_BITS;
  info->base_sealed = (header[AT_TAIL] & SEALED) != 0;
  info->crc = lb_load_le32(header + AT_CRC);
  info->base_length = lb_load_le32(header + AT_BASE);
  info->result_length = lb_load_le32(header + AT_RESULT);
  memcpy(info->base_digest, header + AT_BASE_DIGEST, sizeof(info->base_digest));
  memcpy(info->result_digest, header + AT_RESULT_DIGEST, sizeof(info->result_digest));
  return (header[AT_TAIL] & RESERVED) == 0 && is_possible(info) ? LB_OK : LB_ERR_PATCH_HEADER;
}

void lb_patch_store_header(const struct lb_patch_info *info, uint8_t *header)
{
  memcpy(header, magic, sizeof(magic));
  header[AT_VERSION] = VERSION;
  header[AT_PROFILE] = (uint8_t)(info->profile | info->walker << 4);
  header[AT_TAIL] = (uint8_t)(info->tail | (info->base_sealed ? SEALED : 0));
  lb_store_le32(header + AT_CRC, info->crc);
  lb_store_le32(header + AT_BASE, info->base_length);
  lb_store_le32(header + AT_RESULT, info->result_length);
  memcpy(header + AT_BASE_DIGEST, info->base_digest, sizeof(info->base_digest));
  memcpy(header + AT_RESULT_DIGEST, info->result_digest, sizeof(info->result_digest));
}
