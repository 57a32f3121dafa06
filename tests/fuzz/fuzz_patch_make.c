// SPDX-License-Identifier: MIT
/*
 * Patches between any two files. The first byte: bit 0 is the profile, bit 1 puts an image's header before the new one
 * and bit 2 before the old one; the next two bytes are the length of the old one. A patch comes of it that makes the
 * new file, that states what it is, and that is not much longer.
 */
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tool/patch/make.h"

#define LONGEST 1500U
#define MORE    110U /* bytes that a patch may be longer, and one in a hundred */

/* An image of one segment of code that reaches to its end. */
static void put_header(uint8_t *bytes, uint32_t length, uint16_t chip)
{
  if (length >= 32) {
    memset(bytes, 0, 32);
    bytes[0] = 0xE9;
    bytes[1] = 1;
    lb_store_le16(bytes + 12, chip);
    lb_store_le32(bytes + 24, chip == 0 ? 0x400D0020U : 0x42000020U);
    lb_store_le32(bytes + 28, length - 32);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  const uint8_t mode = fuzz_take_byte(&input);
  const uint16_t chip = (mode & 8U) != 0 ? 5U : 0;
  const struct patch_make_options options = {.profile =
                                                 (mode & 1U) != 0 ? LB_PATCH_PROFILE_SMALL : LB_PATCH_PROFILE_DEFAULT};
  uint32_t old_length = fuzz_take_byte(&input) + 256U * fuzz_take_byte(&input);
  const uint32_t all = (uint32_t)(input.length < 2 * LONGEST ? input.length : 2 * LONGEST);
  old_length = all == 0 ? 0 : old_length % (all + 1U);
  const uint32_t new_length = all - old_length;
  uint8_t *old_bytes = fuzz_allocate(old_length + 1U);
  uint8_t *new_bytes = fuzz_allocate(new_length + 1U);
  struct patch_bytes patch = {0};
  struct patch_bytes made = {0};
  struct lb_patch_info info;

  fuzz_take_bytes(&input, old_bytes, old_length, 0);
  fuzz_take_bytes(&input, new_bytes, new_length, 0);
  if ((mode & 2U) != 0) {
    put_header(new_bytes, new_length, chip);
  }
  if ((mode & 4U) != 0) {
    put_header(old_bytes, old_length, chip);
  }
  FUZZ_REQUIRE(patch_make(old_length == 0 ? NULL : old_bytes, old_length, new_bytes, new_length, &options, &patch) ==
               LB_OK);
  FUZZ_REQUIRE(patch_inspect(patch.data, patch.length, &info) == LB_OK);
  FUZZ_REQUIRE(patch_crc_is_good(patch.data, patch.length, &info));
  FUZZ_REQUIRE(info.profile == options.profile && info.result_length == new_length);
  FUZZ_REQUIRE(info.base_length == 0 || info.base_length == old_length);
  FUZZ_REQUIRE(patch.length <= new_length + new_length / 100U + MORE);
  FUZZ_REQUIRE(patch_apply(old_bytes, old_length, patch.data, patch.length, &made) == LB_OK);
  FUZZ_REQUIRE(made.length == new_length && memcmp(made.data, new_bytes, new_length) == 0);
  free(made.data);
  free(patch.data);
  free(old_bytes);
  free(new_bytes);
  return 0;
}
