// SPDX-License-Identifier: MIT
/*
 * Xtensa, as ESP32, ESP32-S2 and ESP32-S3 have it: instructions of two or three bytes. Nothing is disassembled from an
 * entry point; units fall into step by local rules, since code and literals lie among each other: an aligned word that
 * is an address of the image is one, a function begins at a word boundary with ENTRY, and what cannot be an instruction
 * is none.
 */
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lifeboat/bytes.h"

static int32_t sign_extend(uint32_t value, uint32_t bits)
{
  uint32_t sign = 1U << (bits - 1U);
  return (int32_t)((value & ((sign << 1) - 1U)) ^ sign) - (int32_t)sign;
}

static bool xtensa_is_code(const struct lb_patch_segment *segment)
{
  return segment->load >= 0x40000000U && segment->load < 0x44000000U && segment->load != 0x400C0000U;
}

/* What is zeroed at the start lies in no segment, but in the data RAM behind the one that is loaded there. */
static uint32_t room_behind(const struct lb_patch_segment *segment)
{
  return segment->load >= 0x3FC00000U && segment->load < 0x40000000U ? 0x20000U : 0;
}

static bool xtensa_is_pointer(const struct lb_patch_image *image, uint32_t value)
{
  return value >= 0x3C000000U && value < 0x50010000U && lb_patch_belongs(image, value, room_behind);
}

/* ---- units ---- */

enum { CLASS_DATA, CLASS_NARROW, CLASS_MEMORY, CLASS_OTHER, CLASS_ARITHMETIC, CLASS_BYTE };

static void data_unit(const struct lb_patch_image *image, uint32_t offset, uint32_t room, const uint8_t *bytes,
                      struct lb_patch_unit *unit)
{
  if (xtensa_is_pointer(image, lb_load_le32(bytes))) {
    unit->kind = LB_PATCH_POINTER;
    unit->length = 4;
    return;
  }
  unit->length = (uint8_t)(4U - (offset & 3U));
  if ((offset & 3U) == 0) {
    /* tables of exceptions hold addresses that are not aligned */
    for (uint8_t i = 1; i < 4; i++) {
      if (i + 4U < room && xtensa_is_pointer(image, lb_load_le32(bytes + i))) {
        unit->length = i;
        return;
      }
    }
  }
}

/* Can these three bytes, the first of them 0, be an instruction? */
static bool is_possible(const uint8_t *bytes)
{
  uint8_t last = bytes[2];
  return bytes[0] != 0 || last == 0 || last == 0x10 || last == 0x20 || last == 0x30 || last == 0x40 || last == 0x80 ||
         last == 0xC0;
}

static void code_unit(const struct lb_patch_image *image, uint32_t offset, const uint8_t *bytes,
                      struct lb_patch_unit *unit)
{
  if ((offset & 3U) == 0 && xtensa_is_pointer(image, lb_load_le32(bytes))) {
    unit->kind = LB_PATCH_CODE_POINTER;
    unit->length = 4;
    return;
  }
  uint8_t operation = bytes[0] & 15U;
  unit->length = operation >= 8U ? 2 : 3;
  unit->kind = operation == 5U ? LB_PATCH_CALL : operation == 1U ? LB_PATCH_LITERAL : LB_PATCH_PLAIN;
  uint32_t word = 4U - (offset & 3U); /* distance of the next aligned word */
  if (word < unit->length && ((bytes[word] == 0x36 && (bytes[word + 1U] & 15U) == 1U) ||
                              xtensa_is_pointer(image, lb_load_le32(bytes + word)))) {
    unit->kind = LB_PATCH_PLAIN;
    unit->length = (uint8_t)word;
  } else if (unit->length == 3 && !is_possible(bytes)) {
    unit->kind = LB_PATCH_PLAIN;
    unit->length = 1;
  }
  unit->class = unit->length == 2   ? CLASS_NARROW
                : unit->length == 1 ? CLASS_BYTE
                : operation == 2U   ? CLASS_MEMORY
                : operation == 0    ? CLASS_ARITHMETIC
                                    : CLASS_OTHER;
}

static void xtensa_unit(const struct lb_patch_image *image, const struct lb_patch_segment *segment, uint32_t offset,
                        const uint8_t *bytes, struct lb_patch_unit *unit)
{
  uint32_t room = segment->offset + segment->length - offset;
  unit->kind = LB_PATCH_PLAIN;
  unit->class = CLASS_DATA;
  if (room < 4U) {
    uint32_t length = 4U - (offset & 3U);
    unit->length = (uint8_t)(room < length ? room : length);
  } else if (xtensa_is_code(segment)) {
    code_unit(image, offset, bytes, unit);
  } else {
    data_unit(image, offset, room, bytes, unit);
  }
}

/* ---- addresses ---- */

static uint32_t xtensa_target(const uint8_t *bytes, uint8_t kind, uint32_t address)
{
  if (kind == LB_PATCH_CALL) {
    uint32_t word = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    return (address & ~3U) + 4U + (uint32_t)sign_extend(word >> 6, 18) * 4U;
  }
  if (kind == LB_PATCH_LITERAL) {
    return ((address + 3U) & ~3U) + (((uint32_t)lb_load_le16(bytes + 1) | 0xFFFF0000U) << 2);
  }
  return lb_load_le32(bytes);
}

static bool xtensa_retarget(uint8_t *result, const uint8_t *bytes, uint8_t kind, uint32_t address, uint32_t target)
{
  memcpy(result, bytes, LB_PATCH_UNIT);
  if (kind == LB_PATCH_CALL) {
    uint32_t distance = target - ((address & ~3U) + 4U);
    uint32_t words = distance >> 2;
    if ((distance & 3U) || (distance + 0x80000U) >= 0x100000U) {
      return false;
    }
    result[0] = (uint8_t)((bytes[0] & 0x3FU) | (words & 3U) << 6);
    result[1] = (uint8_t)(words >> 2);
    result[2] = (uint8_t)(words >> 10);
    return true;
  }
  if (kind == LB_PATCH_LITERAL) {
    uint32_t distance = target - ((address + 3U) & ~3U);
    if ((distance & 3U) || distance < 0xFFFC0000U) {
      return false;
    }
    lb_store_le16(result + 1, (uint16_t)(distance >> 2));
    return true;
  }
  lb_store_le32(result, target);
  return true;
}

static bool xtensa_same(uint8_t kind, const uint8_t *bytes, const uint8_t *made)
{
  if (kind == LB_PATCH_CALL || kind == LB_PATCH_LITERAL) {
    uint8_t mask = kind == LB_PATCH_CALL ? 0x3F : 0xFF;
    return ((bytes[0] ^ made[0]) & mask) == 0;
  }
  return lb_load_le32(bytes) >> 22 == lb_load_le32(made) >> 22;
}

/* Functions begin with ENTRY, whose first register is a1. */
static bool xtensa_is_function(const uint8_t *bytes, uint32_t address)
{
  return (address & 3U) == 0 && bytes[0] == 0x36 && (bytes[1] & 15U) == 1U;
}

/* ---- offsets into structures: loads, stores, ADDI, MOVI ---- */

static void xtensa_field(const uint8_t *bytes, uint8_t length, struct lb_patch_field *field)
{
  /* how an instruction of the group LSAI scales its offset, by the four bits that tell which one it is; 0: none */
  static const uint8_t scales[16] = {1, 2, 4, 0, 1, 2, 4, 0, 0, 2, 1, 0, 1, 0, 0, 0};
  uint8_t operation = bytes[0] & 15U;
  uint8_t which = bytes[1] >> 4;
  field->present = false;
  field->scale = 1;
  field->value = 0;
  if (length == 3 && operation == 2U && scales[which]) {
    field->present = true;
    field->scale = scales[which];
    field->value = which == 10U ? (bytes[1] & 15) << 8 | bytes[2] : bytes[2] * scales[which];
  } else if (length == 2 && (operation == 8U || operation == 9U)) {
    field->present = true;
    field->scale = 4;
    field->value = which * 4;
  }
}

static bool xtensa_put_field(uint8_t *result, const uint8_t *bytes, uint8_t length, int32_t value)
{
  struct lb_patch_field field;
  xtensa_field(bytes, length, &field);
  memcpy(result, bytes, LB_PATCH_UNIT);
  if (value < 0 || value % field.scale != 0) {
    return false;
  }
  uint32_t scaled = (uint32_t)value / field.scale;
  if (length == 2) {
    result[1] = (uint8_t)((bytes[1] & 15U) | (scaled & 15U) << 4);
    return scaled < 16U;
  }
  result[2] = (uint8_t)scaled;
  if (bytes[1] >> 4 == 10) {
    result[1] = (uint8_t)((bytes[1] & 0xF0U) | (scaled >> 8 & 15U));
    return scaled < 4096U;
  }
  return scaled < 256U;
}

static uint8_t xtensa_literal_length(uint8_t first)
{
  return (first & 15U) >= 8U ? 2 : 3;
}

const struct lb_patch_walker lb_patch_walker_xtensa = {
    .lookbehind = 64,
    .class_byte = 15,
    .loads_literals = true,
    .is_pointer = xtensa_is_pointer,
    .is_code = xtensa_is_code,
    .unit = xtensa_unit,
    .target = xtensa_target,
    .retarget = xtensa_retarget,
    .same = xtensa_same,
    .is_function = xtensa_is_function,
    .field = xtensa_field,
    .put_field = xtensa_put_field,
    .literal_length = xtensa_literal_length,
};
