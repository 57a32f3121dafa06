// SPDX-License-Identifier: MIT
#include "tests/unit/support/flash_tap.h"

#include "tests/unit/support/unit.h"

static void note(struct flash_tap *tap, enum tap_kind kind, uint32_t address, uint32_t length, const void *data)
{
  if (tap->count == tap->room) {
    tap->room = tap->room ? 2 * tap->room : 256;
    tap->log = realloc(tap->log, tap->room * sizeof(*tap->log));
    assert_non_null(tap->log);
  }
  tap->log[tap->count++] = (struct tap_operation){kind, address, length};
  if (tap->before) {
    tap->before(tap->before_context, &tap->log[tap->count - 1], data);
  }
}

static int tap_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct flash_tap *tap = context;

  assert_true(length <= tap->flash.size && address <= tap->flash.size - length);
  tap->bytes_read += length;
  tap->largest_read = length > tap->largest_read ? length : tap->largest_read;
  tap->read_end = address + length > tap->read_end ? address + length : tap->read_end;
  if (tap->reads++ == tap->fail_read_at) {
    return 1;
  }
  return tap->inner->read(tap->inner->context, address, buffer, length);
}

/* Programs all but one of the bits that this call would clear. */
static int program_dropping(struct flash_tap *tap, uint32_t address, const uint8_t *data, uint32_t length)
{
  uint8_t *lacking = unit_copy(data, length);
  uint8_t old;
  int result;

  for (uint32_t i = 0; i < length; i++) {
    assert_int_equal(tap->inner->read(tap->inner->context, address + i, &old, 1), 0);
    if ((uint8_t)(old & ~data[i])) {
      uint8_t clears = (uint8_t)(old & ~data[i]);

      lacking[i] = (uint8_t)(data[i] | (clears & -clears));
      break;
    }
  }
  result = tap->inner->program(tap->inner->context, address, lacking, length);
  free(lacking);
  return result;
}

static int tap_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct flash_tap *tap = context;
  uint32_t number = tap->programs++;

  assert_true(length > 0 && length <= tap->flash.page_size && address < tap->flash.size);
  assert_int_equal(address / tap->flash.page_size, (address + length - 1) / tap->flash.page_size);
  note(tap, TAP_PROGRAM, address, length, data);
  if (number == tap->fail_program_at) {
    return 1;
  }
  if (number == tap->drop_program_at || tap->drop_all_programs) {
    return program_dropping(tap, address, data, length);
  }
  return tap->inner->program(tap->inner->context, address, data, length);
}

static int tap_erase(void *context, uint32_t address, uint32_t length)
{
  struct flash_tap *tap = context;
  uint32_t number = tap->erases++;
  bool known = false;

  for (uint32_t i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    known = known || (length && tap->flash.erase_sizes[i] == length);
  }
  assert_true(known && address % length == 0 && address < tap->flash.size);
  note(tap, TAP_ERASE, address, length, NULL);
  if (number == tap->fail_erase_at) {
    return 1;
  }
  if (tap->skip_erases) {
    return 0;
  }
  return tap->inner->erase(tap->inner->context, address, length);
}

void flash_tap_start(struct flash_tap *tap, const struct lb_flash *inner)
{
  *tap = (struct flash_tap){.flash = *inner, .inner = inner};
  tap->flash.context = tap;
  tap->flash.read = tap_read;
  tap->flash.program = tap_program;
  tap->flash.erase = tap_erase;
  flash_tap_clear(tap);
}

void flash_tap_stop(struct flash_tap *tap)
{
  free(tap->log);
  tap->log = NULL;
}

void flash_tap_clear(struct flash_tap *tap)
{
  tap->count = tap->programs = tap->erases = tap->reads = 0;
  tap->bytes_read = 0;
  tap->read_end = tap->largest_read = 0;
  tap->fail_read_at = tap->fail_program_at = tap->fail_erase_at = TAP_NEVER;
  tap->drop_program_at = TAP_NEVER;
  tap->drop_all_programs = tap->skip_erases = false;
}
