// SPDX-License-Identifier: MIT
#include "ports/sifive_u/load.h"

#define CHECKSUM_SEED 0xEFU /* of the xor over all bytes of all segments (docs/SPEC.md, "Application image") */

int load_segments(const struct lb_flash *flash, uint32_t address, const struct lb_image_info *info)
{
  uint8_t checksum = CHECKSUM_SEED;
  for (uint32_t i = 0; i < info->segment_count; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    uint8_t *memory = (uint8_t *)(uintptr_t)segment->load;
    int err = lb_flash_read(flash, address + segment->offset, memory, segment->length);
    if (err) {
      return err;
    }
    for (uint32_t at = 0; at < segment->length; at++) {
      checksum ^= memory[at];
    }
  }
  return checksum == info->checksum ? LB_OK : LB_ERR_IMAGE_CHECKSUM;
}

_Noreturn void load_jump(uint32_t entry)
{
  __asm__ volatile("fence.i" ::: "memory");
  ((void (*)(void))(uintptr_t)entry)();
  __builtin_unreachable();
}
