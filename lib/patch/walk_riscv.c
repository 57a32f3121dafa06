// SPDX-License-Identifier: MIT
/*
 * RISC-V with 32 bits and compressed instructions: JAL, and AUIPC with the instruction behind it that adds the lower
 * twelve bits, hold distances. Code and constants may lie in one segment, so aligned words that are addresses of the
 * image count as such everywhere.
 */
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lifeboat/bytes.h"

enum { CLASS_DATA, CLASS_NARROW, CLASS_FIELD, CLASS_BRANCH, CLASS_OTHER };
enum { LOAD = 0x03, ADD = 0x13, AUIPC = 0x17, STORE = 0x23, BRANCH = 0x63, JALR = 0x67, JAL = 0x6F };

static bool riscv_is_code(const struct lb_patch_segment *segment)
{
  return segment->load >= 0x40000000U;
}

/* What is zeroed at the start lies in no segment, but in the RAM behind the one that is loaded there. */
static uint32_t room_behind(const struct lb_patch_segment *segment)
{
  if (segment->load >= 0x80000000U) {
    return 0x60000U; /* the emulated board, which has nothing but RAM */
  }
  return segment->load >= 0x3FC00000U && segment->load < 0x40000000U ? 0x20000U : 0;
}

/* Addresses of ESP32-C3, -C6 and their like, and those of the emulated board. */
static bool riscv_is_pointer(const struct lb_patch_image *image, uint32_t value)
{
  bool possible = (value >= 0x3C000000U && value < 0x50010000U) || (value >= 0x80000000U && value < 0x90000000U);
  return possible && lb_patch_belongs(image, value, room_behind);
}

/* ---- units ---- */

static bool has_low_part(uint32_t word)
{
  uint32_t operation = word & 0x7FU;
  return operation == LOAD || operation == STORE || operation == JALR || (operation == ADD && (word >> 12 & 7U) == 0);
}

static bool is_pair(const uint8_t *bytes)
{
  uint32_t first = lb_load_le32(bytes);
  uint32_t second = lb_load_le32(bytes + 4);
  return (first & 0x7FU) == AUIPC && has_low_part(second) && (second >> 15 & 31U) == (first >> 7 & 31U);
}

static void code_unit(const struct lb_patch_image *image, uint32_t offset, uint32_t room, const uint8_t *bytes,
                      struct lb_patch_unit *unit)
{
  uint32_t operation = bytes[0] & 0x7FU;
  unit->length = (bytes[0] & 3U) == 3U ? 4 : 2;
  unit->class = unit->length == 2                                             ? CLASS_NARROW
                : operation == LOAD || operation == STORE || operation == ADD ? CLASS_FIELD
                : operation == BRANCH                                         ? CLASS_BRANCH
                                                                              : CLASS_OTHER;
  if (unit->length == 4 && (offset & 3U) == 2U && room >= 6U && riscv_is_pointer(image, lb_load_le32(bytes + 2))) {
    unit->length = 2;
  } else if (operation == JAL) {
    unit->kind = LB_PATCH_CALL;
  } else if (room >= 8U && is_pair(bytes)) {
    unit->kind = LB_PATCH_LITERAL;
    unit->length = 8;
  }
}

static void riscv_unit(const struct lb_patch_image *image, const struct lb_patch_segment *segment, uint32_t offset,
                       const uint8_t *bytes, struct lb_patch_unit *unit)
{
  uint32_t room = segment->offset + segment->length - offset;
  bool code = riscv_is_code(segment);
  unit->kind = LB_PATCH_PLAIN;
  unit->class = CLASS_DATA;
  if (room < 4U || (offset & 1U)) {
    unit->length = (uint8_t)(room < 4U - (offset & 3U) ? room : 4U - (offset & 3U));
  } else if ((offset & 3U) == 0 && riscv_is_pointer(image, lb_load_le32(bytes))) {
    unit->kind = code ? LB_PATCH_CODE_POINTER : LB_PATCH_POINTER;
    unit->length = 4;
  } else if (code) {
    code_unit(image, offset, room, bytes, unit);
  } else {
    unit->length = (uint8_t)(4U - (offset & 3U));
  }
}

/* ---- addresses ---- */

static uint32_t low_part(uint32_t word)
{
  uint32_t value = (word & 0x7FU) == STORE ? (word >> 25) << 5 | (word >> 7 & 31U) : word >> 20;
  return value - ((value & 0x800U) << 1);
}

static uint32_t riscv_target(const uint8_t *bytes, uint8_t kind, uint32_t address)
{
  uint32_t word = lb_load_le32(bytes);
  if (kind == LB_PATCH_CALL) {
    uint32_t distance =
        (word >> 31) << 20 | (word >> 12 & 0xFFU) << 12 | (word >> 20 & 1U) << 11 | (word >> 21 & 0x3FFU) << 1;
    return address + distance - ((distance & 0x100000U) << 1);
  }
  if (kind == LB_PATCH_LITERAL) {
    return address + (word & 0xFFFFF000U) + low_part(lb_load_le32(bytes + 4));
  }
  return word;
}

static bool riscv_retarget(uint8_t *result, const uint8_t *bytes, uint8_t kind, uint32_t address, uint32_t target)
{
  uint32_t word = lb_load_le32(bytes);
  uint32_t distance = target - address;
  memcpy(result, bytes, LB_PATCH_UNIT);
  if (kind == LB_PATCH_CALL) {
    word = (word & 0xFFFU) | (distance >> 20 & 1U) << 31 | (distance >> 1 & 0x3FFU) << 21 |
           (distance >> 11 & 1U) << 20 | (distance >> 12 & 0xFFU) << 12;
    lb_store_le32(result, word);
    return (distance & 1U) == 0 && distance + 0x100000U < 0x200000U;
  }
  if (kind == LB_PATCH_LITERAL) {
    uint32_t second = lb_load_le32(bytes + 4);
    if ((second & 0x7FU) == STORE) {
      second = (second & 0x01FFF07FU) | (distance >> 5 & 0x7FU) << 25 | (distance & 31U) << 7;
    } else {
      second = (second & 0x000FFFFFU) | distance << 20;
    }
    lb_store_le32(result, (word & 0xFFFU) | ((distance + 0x800U) & 0xFFFFF000U));
    lb_store_le32(result + 4, second);
    return true;
  }
  lb_store_le32(result, target);
  return true;
}

static bool riscv_same(uint8_t kind, const uint8_t *bytes, const uint8_t *made)
{
  uint32_t changes = lb_load_le32(bytes) ^ lb_load_le32(made);
  if (kind == LB_PATCH_CALL) {
    return (changes & 0xFFFU) == 0;
  }
  if (kind == LB_PATCH_LITERAL) {
    return (changes & 0xFFFU) == 0 && is_pair(made);
  }
  return changes >> 22 == 0;
}

static bool riscv_is_function(const uint8_t *bytes, uint32_t address)
{
  (void)bytes;
  return (address & 1U) == 0;
}

/* ---- offsets: loads, stores, ADDI ---- */

static void riscv_field(const uint8_t *bytes, uint8_t length, struct lb_patch_field *field)
{
  uint32_t word = lb_load_le32(bytes);
  field->present = length == 4 && has_low_part(word) && (word & 0x7FU) != JALR;
  field->scale = 1;
  field->value = field->present ? (int32_t)(low_part(word) + 0x800U) - 0x800 : 0;
}

static bool riscv_put_field(uint8_t *result, const uint8_t *bytes, uint8_t length, int32_t value)
{
  uint32_t word = lb_load_le32(bytes);
  uint32_t field = (uint32_t)value;
  (void)length;
  memcpy(result, bytes, LB_PATCH_UNIT);
  if ((word & 0x7FU) == STORE) {
    word = (word & 0x01FFF07FU) | (field >> 5 & 0x7FU) << 25 | (field & 31U) << 7;
  } else {
    word = (word & 0x000FFFFFU) | field << 20;
  }
  lb_store_le32(result, word);
  return value >= -2048 && value < 2048;
}

static uint8_t riscv_literal_length(uint8_t first)
{
  return (first & 3U) == 3U ? 4 : 2;
}

const struct lb_patch_walker lb_patch_walker_riscv = {
    .lookbehind = 64,
    .class_byte = 0x7F,
    .loads_literals = false,
    .is_pointer = riscv_is_pointer,
    .is_code = riscv_is_code,
    .unit = riscv_unit,
    .target = riscv_target,
    .retarget = riscv_retarget,
    .same = riscv_same,
    .is_function = riscv_is_function,
    .field = riscv_field,
    .put_field = riscv_put_field,
    .literal_length = riscv_literal_length,
};
