// SPDX-License-Identifier: MIT
#include "tests/unit/support/patch_images.h"

#include "lifeboat/bytes.h"
#include "lifeboat/hash.h"
#include "ports/mbedtls/hash.h"
#include "tests/unit/support/unit.h"

#define MOST          200U
#define FUNCTION_ROOM 512U
#define NONE          UINT32_MAX

struct piece {
  uint8_t *bytes;
  uint32_t length;
  uint32_t load;
};

/* Where everything lies; found out by building twice. */
struct layout {
  const struct patch_image_spec *spec;
  uint32_t functions[MOST];
  uint32_t objects[MOST];
  struct piece data;
  struct piece ram;
  struct piece code;
};

static void put(struct piece *piece, const void *bytes, uint32_t length)
{
  memcpy(piece->bytes + piece->length, bytes, length);
  piece->length += length;
}

static void put_word(struct piece *piece, uint32_t word)
{
  uint8_t bytes[4];
  lb_store_le32(bytes, word);
  put(piece, bytes, 4);
}

static void align(struct piece *piece)
{
  static const uint8_t zeros[4];
  put(piece, zeros, (4U - piece->length % 4U) % 4U);
}

static uint32_t here(const struct piece *piece)
{
  return piece->load + piece->length;
}

static uint32_t existing(const struct layout *layout, uint32_t id)
{
  id %= layout->spec->functions;
  return id == layout->spec->left_out ? (id + 1U) % layout->spec->functions : id;
}

/* ---- Xtensa ---- */

static void xtensa_instruction(struct layout *layout, struct unit_random *random, uint32_t literals, uint32_t count)
{
  struct piece *code = &layout->code;
  uint32_t what = unit_random_below(random, 10);
  uint32_t which = unit_random_next(random);
  uint8_t bytes[3] = {0};
  if (what < 2U) {
    uint32_t target = literals + which % count * 4U;
    bytes[0] = (uint8_t)(0x01U | (which >> 8 & 15U) << 4);
    lb_store_le16(bytes + 1, (uint16_t)((target - ((here(code) + 3U) & ~3U)) >> 2));
  } else if (what < 4U) {
    uint32_t distance = (layout->functions[existing(layout, which)] - ((here(code) & ~3U) + 4U)) >> 2;
    uint32_t word = distance << 6 | 0x25U;
    bytes[0] = (uint8_t)word;
    lb_store_le16(bytes + 1, (uint16_t)(word >> 8));
  } else if (what < 6U) {
    bytes[0] = (uint8_t)(0x08U | (which & 0xF1U));
    bytes[1] = (uint8_t)(which >> 8);
    put(code, bytes, 2);
    return;
  } else if (what < 8U) {
    bytes[0] = (uint8_t)(0x02U | (which & 0x30U));
    bytes[1] = (uint8_t)(0x20U | (which >> 8 & 0x43U));
    bytes[2] = (uint8_t)(which >> 16 & 0x3FU);
  } else {
    bytes[0] = (uint8_t)(0x10U | (which & 0x30U));
    bytes[1] = (uint8_t)(which >> 8 & 0x3FU);
    bytes[2] = 0x80;
  }
  put(code, bytes, 3);
}

static void xtensa_function(struct layout *layout, struct unit_random *random, uint32_t id)
{
  static const uint8_t entry[3] = {0x36, 0x41, 0x00};
  struct piece *code = &layout->code;
  uint32_t literals = here(code);
  uint32_t count = 1U + unit_random_below(random, 6);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t which = unit_random_next(random);
    put_word(code, which & 0x300U ? layout->objects[existing(layout, which)] : which);
  }
  layout->functions[id] = here(code);
  put(code, entry, 3);
  for (uint32_t i = 20U + unit_random_below(random, 40); i > 0; i--) {
    xtensa_instruction(layout, random, literals, count);
  }
}

/* ---- RISC-V ---- */

static uint32_t jump(uint32_t distance)
{
  return 0xEFU | (distance >> 20 & 1U) << 31 | (distance >> 1 & 0x3FFU) << 21 | (distance >> 11 & 1U) << 20 |
         (distance >> 12 & 0xFFU) << 12;
}

static void riscv_instruction(struct layout *layout, struct unit_random *random)
{
  struct piece *code = &layout->code;
  uint32_t what = unit_random_below(random, 10);
  uint32_t which = unit_random_next(random);
  if (what < 2U) {
    put_word(code, jump(layout->functions[existing(layout, which)] - here(code)));
  } else if (what < 4U) {
    uint32_t distance = layout->objects[existing(layout, which)] - here(code);
    uint32_t low = distance & 0xFFFU;
    put_word(code, ((distance + 0x800U) & 0xFFFFF000U) | 10U << 7 | 0x17U);
    put_word(code, which & 0x10000U ? (low >> 5) << 25 | 10U << 15 | 2U << 12 | (low & 31U) << 7 | 0x23U
                                    : low << 20 | 10U << 15 | 10U << 7 | 0x13U);
  } else if (what < 6U) {
    uint8_t bytes[2] = {(uint8_t)((which & 0xFCU) | 1U), (uint8_t)(which >> 8)};
    put(code, bytes, 2);
  } else {
    static const uint32_t operations[4] = {0x2003U, 0x2023U, 0x0013U, 0x0063U};
    put_word(code, operations[what - 6U] | (which & 0x3FU) << 22 | (which >> 8 & 7U) << 15 | (which >> 12 & 7U) << 8);
  }
}

static void riscv_function(struct layout *layout, struct unit_random *random, uint32_t id)
{
  struct piece *code = &layout->code;
  if (id % 7U == 0) {
    put_word(code, layout->functions[existing(layout, id * 3U)]); /* a constant among code */
  }
  layout->functions[id] = here(code);
  for (uint32_t i = 20U + unit_random_below(random, 30); i > 0; i--) {
    riscv_instruction(layout, random);
  }
}

/* ---- everything ---- */

static bool is_riscv(const struct patch_image_spec *spec)
{
  return spec->chip == PATCH_CHIP_BOARD || spec->chip == PATCH_CHIP_ESP32_C3;
}

static void put_object(struct layout *layout, struct unit_random *random, uint32_t id)
{
  struct piece *data = id % 4U == 3U ? &layout->ram : &layout->data;
  layout->objects[id] = here(data);
  for (uint32_t i = 2U + unit_random_below(random, 6); i > 0; i--) {
    uint32_t which = unit_random_next(random);
    uint32_t other = existing(layout, which >> 8);
    put_word(data, (which & 3U) == 0   ? layout->functions[other]
                   : (which & 3U) == 1 ? layout->objects[other]
                                       : (which & 0x1F1F1F1FU) + 0x61616161U);
  }
}

static void lay_out(struct layout *layout)
{
  const struct patch_image_spec *spec = layout->spec;
  layout->data.length = 0;
  layout->ram.length = 0;
  layout->code.length = 0;
  for (uint32_t id = 0; id < spec->functions; id++) {
    struct unit_random random = {spec->seed * 1000003ULL + id + (id == spec->rewritten ? 77777U : 0)};
    if (id == spec->left_out) {
      continue;
    }
    put_object(layout, &random, id);
    align(&layout->code);
    if (is_riscv(spec)) {
      riscv_function(layout, &random, id);
    } else {
      xtensa_function(layout, &random, id);
    }
  }
  align(&layout->code);
}

static uint32_t put_segment(uint8_t *bytes, const struct piece *piece, uint8_t *checksum)
{
  lb_store_le32(bytes, piece->load);
  lb_store_le32(bytes + 4, piece->length);
  memcpy(bytes + 8, piece->bytes, piece->length);
  for (uint32_t i = 0; i < piece->length; i++) {
    *checksum ^= piece->bytes[i];
  }
  return 8U + piece->length;
}

static void seal(uint8_t *bytes, uint32_t length)
{
  struct mbedtls_hash memory;
  struct lb_hash hash;
  mbedtls_hash_sha256(&hash, &memory);
  assert_int_equal(hash.start(hash.context), 0);
  assert_int_equal(hash.update(hash.context, bytes, length), 0);
  assert_int_equal(hash.finish(hash.context, bytes + length), 0);
}

static void assemble(struct patch_image *image, const struct layout *layout)
{
  uint8_t checksum = 0xEF;
  uint8_t *bytes = unit_allocate(layout->data.length + layout->ram.length + layout->code.length + 128U);
  uint32_t length = 24;
  memset(bytes, 0, 24);
  bytes[0] = 0xE9;
  bytes[1] = 3;
  lb_store_le16(bytes + 12, layout->spec->chip);
  bytes[23] = !layout->spec->unsealed;
  length += put_segment(bytes + length, &layout->data, &checksum);
  length += put_segment(bytes + length, &layout->ram, &checksum);
  length += put_segment(bytes + length, &layout->code, &checksum);
  do {
    bytes[length++] = 0;
  } while (length % 16U);
  bytes[length - 1U] = checksum;
  if (!layout->spec->unsealed) {
    seal(bytes, length);
    length += LB_SHA256_SIZE;
  }
  image->bytes = unit_copy(bytes, length);
  image->length = length;
  free(bytes);
}

void patch_image_build(struct patch_image *image, const struct patch_image_spec *spec)
{
  static const struct {
    uint16_t chip;
    uint32_t data, ram, code;
  } places[] = {
      {PATCH_CHIP_ESP32, 0x3F400020, 0x3FFB0000, 0x400D0020},
      {PATCH_CHIP_ESP32_C3, 0x3C000020, 0x3FC80000, 0x42000020},
      {PATCH_CHIP_BOARD, 0x80000000, 0x80010000, 0x80020000},
      {PATCH_CHIP_UNKNOWN, 0x3F400020, 0x3FFB0000, 0x400D0020},
  };
  struct layout layout = {.spec = spec};
  size_t room = (size_t)spec->functions * FUNCTION_ROOM;
  assert_true(spec->functions > 0 && spec->functions <= MOST);
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    if (places[i].chip == spec->chip) {
      layout.data.load = places[i].data;
      layout.ram.load = places[i].ram;
      layout.code.load = places[i].code;
    }
  }
  layout.data.bytes = unit_allocate(room);
  layout.ram.bytes = unit_allocate(room);
  layout.code.bytes = unit_allocate(room);
  lay_out(&layout);
  lay_out(&layout);
  assemble(image, &layout);
  free(layout.data.bytes);
  free(layout.ram.bytes);
  free(layout.code.bytes);
}

void patch_image_pair(struct patch_image *base, struct patch_image *result, uint16_t chip, uint32_t functions)
{
  struct patch_image_spec spec = {.chip = chip, .functions = functions, .seed = 6, .rewritten = NONE};
  spec.left_out = functions / 3U;
  patch_image_build(base, &spec);
  spec.left_out = functions / 2U;
  spec.rewritten = functions / 4U;
  patch_image_build(result, &spec);
}
