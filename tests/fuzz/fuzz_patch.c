// SPDX-License-Identifier: MIT
/*
 * A hostile patch. The first byte: bits 0-1 choose the base (ESP32, RISC-V, an unknown chip, none), bit 2 takes the
 * header as it is, else magic, version, base and length of the result are put right; bits 3-5 how it comes and goes:
 * in pieces, taken in pieces. The CRC is always put right, since nobody would find one.
 *
 * Whatever it is: base and result are read where they are and nowhere else, the result is no longer than was said, the
 * work is bounded by its length; errors are those of patches, and last; and it makes the same bytes once more, in other
 * pieces and with the digest put right, which then is all that was wrong.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/patch.h"
#include "ports/mbedtls/hash.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/patch_base.h"

#define RESULT_MAX  6000U
#define READS_ABYTE 8U   /* of base and result together, for each byte of the result */
#define READS_MORE  400U /* for the segments of the base, and what is read ahead */
#define BYTES_AREAD 512U /* a window at the most */
#define IDLE        64U  /* calls without any progress */

enum mode { BASE_BITS = 3, AS_IT_IS = 4, IN_PIECES = 8, TAKES_LITTLE = 16, REFUSES = 32 };

enum { AT_VERSION = 3, AT_PROFILE = 4, AT_TAIL = 5, AT_CRC = 6, AT_BASE = 10, AT_RESULT = 14, AT_DIGEST = 18 };

struct run {
  const struct patch_base *base;
  uint8_t *result;
  uint32_t length;
  uint32_t reads;
  uint64_t bytes;
  uint32_t calls;
  uint32_t mode;
};

/* ---- callbacks ---- */

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  struct run *run = context;
  const uint32_t size = run->base->old_image.length;

  FUZZ_REQUIRE(length > 0 && offset < size && length <= size - offset);
  memcpy(buffer, run->base->old_image.bytes + offset, length);
  run->reads++;
  run->bytes += length;
  run->calls++;
  return LB_OK;
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  struct run *run = context;

  FUZZ_REQUIRE(length > 0 && offset < run->length && length <= run->length - offset);
  memcpy(buffer, run->result + offset, length);
  run->reads++;
  run->bytes += length;
  run->calls++;
  return LB_OK;
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  struct run *run = context;

  FUZZ_REQUIRE(length > 0 && length <= RESULT_MAX - run->length);
  run->calls++;
  *used = (run->mode & REFUSES) != 0 && run->calls % 3U == 0 ? 0
          : (run->mode & TAKES_LITTLE) != 0 && length > 7U   ? 7U
                                                             : length;
  memcpy(run->result + run->length, data, *used);
  run->length += *used;
  return LB_OK;
}

/* ---- one run ---- */

static int give(struct run *run, struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  uint32_t idle = 0;

  for (uint32_t at = 0; at < length;) {
    const uint32_t before = run->calls;
    uint32_t piece = (run->mode & IN_PIECES) != 0 ? 1U + at % 37U : length - at;
    uint32_t used = 0;
    piece = piece < length - at ? piece : length - at;
    int result = lb_patch_write(patch, bytes + at, piece, &used);
    FUZZ_REQUIRE(used <= piece);
    if (result != LB_OK) {
      FUZZ_REQUIRE(lb_patch_write(patch, bytes + at, piece, &used) == result && lb_patch_finish(patch) == result);
      return result;
    }
    at += used;
    idle = used > 0 || run->calls != before ? 0 : idle + 1U;
    FUZZ_REQUIRE(idle < IDLE);
  }
  for (;;) {
    const uint32_t before = run->calls;
    int result = lb_patch_finish(patch);
    idle = run->calls != before ? 0 : idle + 1U;
    FUZZ_REQUIRE(idle < IDLE);
    if (result != LB_MORE) {
      return result;
    }
  }
}

/* The memory is of exactly the size that the profile has, and so are the bytes of the patch. */
static int apply(struct run *run, const uint8_t *bytes, uint32_t length)
{
  struct lb_hash sha256;
  struct mbedtls_hash state;
  const struct lb_patch_config config = {
      .context = run,
      .read_base = run->base->old_image.length != 0 ? read_base : NULL,
      .read_result = read_result,
      .write_result = write_result,
      .sha256 = &sha256,
      .base_limit = run->base->old_image.length,
      .result_limit = RESULT_MAX,
  };
  const uint8_t profile = length > AT_PROFILE ? bytes[AT_PROFILE] & 15U : 0;
  uint32_t memory = lb_patch_memory(profile);
  memory = memory != 0 ? memory : lb_patch_memory(LB_PATCH_PROFILE_SMALL);
  struct lb_patch *patch = fuzz_allocate(memory);

  mbedtls_hash_sha256(&sha256, &state);
  memset(patch, 0xA5, memory);
  run->result = fuzz_allocate(RESULT_MAX);
  FUZZ_REQUIRE(lb_patch_start(patch, memory, &config) == LB_OK);
  int result = give(run, patch, bytes, length);
  const struct lb_patch_info *info = lb_patch_info(patch);
  FUZZ_REQUIRE(result == LB_OK || lb_error_is_of_patch(result));
  FUZZ_REQUIRE(run->length == 0 || (info && run->length <= info->result_length));
  FUZZ_REQUIRE(result != LB_OK || run->length == info->result_length);
  FUZZ_REQUIRE(run->reads <= READS_ABYTE * (info ? info->result_length : 0) + READS_MORE);
  FUZZ_REQUIRE(run->bytes <= (uint64_t)run->reads * BYTES_AREAD + run->base->old_image.length + LB_PATCH_STEP);
  free(patch);
  return result;
}

/* ---- the patch ---- */

static void mend_crc(uint8_t *bytes, uint32_t length)
{
  if (length >= AT_BASE) {
    lb_store_le32(bytes + AT_CRC, lb_patch_crc(0, 0, bytes, length));
  }
}

static void mend(uint8_t *bytes, uint32_t length, const struct patch_base *base)
{
  if (length < LB_PATCH_HEADER_SIZE) {
    return;
  }
  memcpy(bytes, "LBP\1", 4);
  const uint32_t walker = (uint32_t)bytes[AT_PROFILE] / 16U % LB_PATCH_WALKERS;
  const uint32_t profile = 1U + (bytes[AT_PROFILE] + 1U) % 2U; /* what is right stays */
  bytes[AT_PROFILE] = (uint8_t)(walker << 4 | profile);
  bytes[AT_TAIL] = (uint8_t)(bytes[AT_TAIL] % 32U % 17U + (base->sealed ? 0x80U : 0U));
  lb_store_le32(bytes + AT_BASE, base->old_image.length);
  lb_store_le32(bytes + AT_RESULT, lb_load_le32(bytes + AT_RESULT) % (RESULT_MAX + 1U));
  memcpy(bytes + AT_DIGEST, base->digest, LB_PATCH_BASE_DIGEST);
}

static void hash(const uint8_t *bytes, uint32_t length, uint8_t *digest)
{
  struct lb_hash sha256;
  struct mbedtls_hash state;

  mbedtls_hash_sha256(&sha256, &state);
  FUZZ_REQUIRE(sha256.start(sha256.context) == 0 && sha256.update(sha256.context, bytes, length) == 0 &&
               sha256.finish(sha256.context, digest) == 0);
}

/* All but its digest was right: with that, and in other pieces, it is right. What is sealed ends with its digest. */
static void apply_again(struct run *run, uint8_t *bytes, uint32_t length)
{
  struct run again = {.base = run->base, .mode = run->mode ^ (IN_PIECES | TAKES_LITTLE | REFUSES)};
  struct lb_patch_info info;
  uint8_t digest[LB_SHA256_SIZE];

  FUZZ_REQUIRE(lb_patch_read_header(&info, bytes) == LB_OK);
  const uint32_t hashed = info.result_length - (info.tail != 0 ? LB_SHA256_SIZE : 0);
  FUZZ_REQUIRE(run->length == hashed || run->length == info.result_length);
  hash(run->result, hashed, digest);
  memcpy(bytes + AT_DIGEST + LB_PATCH_BASE_DIGEST, digest, sizeof digest);
  mend_crc(bytes, length);
  const int result = apply(&again, bytes, length);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_PATCH_CORRUPT); /* bytes may be left */
  FUZZ_REQUIRE(again.length == info.result_length && memcmp(again.result, run->result, run->length) == 0);
  FUZZ_REQUIRE(info.tail == 0 || memcmp(again.result + hashed, digest, sizeof digest) == 0);
  free(again.result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  const uint32_t mode = fuzz_take_byte(&input);
  struct run run = {.base = patch_base_get(mode & BASE_BITS), .mode = mode};
  const uint32_t length = (uint32_t)input.length;
  uint8_t *bytes = fuzz_allocate(length);

  fuzz_take_bytes(&input, bytes, length, 0);
  if ((mode & AS_IT_IS) == 0) {
    mend(bytes, length, run.base);
  }
  mend_crc(bytes, length);
  int result = apply(&run, bytes, length);
  if (result == LB_OK || result == LB_ERR_PATCH_DIGEST) {
    apply_again(&run, bytes, length);
  }
  free(run.result);
  free(bytes);
  return 0;
}
