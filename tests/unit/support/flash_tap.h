// SPDX-License-Identifier: MIT
/*
 * A flash driver that passes everything on to another one and writes down what was asked: the order of operations, the
 * bytes read. It fails the test if the library breaks the driver's contract (lifeboat/flash.h), and it can fail or lie.
 */
#ifndef TESTS_UNIT_SUPPORT_FLASH_TAP_H
#define TESTS_UNIT_SUPPORT_FLASH_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"

enum tap_kind { TAP_PROGRAM, TAP_ERASE };

struct tap_operation {
  enum tap_kind kind;
  uint32_t address;
  uint32_t length;
};

#define TAP_NEVER 0xFFFFFFFFU

struct flash_tap {
  struct lb_flash flash; /* give this one to the library */
  const struct lb_flash *inner;
  struct tap_operation *log; /* programs and erases, in order */
  uint32_t count;
  uint32_t room;
  uint32_t programs;
  uint32_t erases;
  uint64_t bytes_read;
  uint32_t reads;
  uint32_t read_end;        /* behind the last byte that was read since flash_tap_clear */
  uint32_t largest_read;    /* bytes in one call */
  uint32_t fail_read_at;    /* the read, program or erase of that number (from 0) fails; TAP_NEVER */
  uint32_t fail_program_at; /* likewise */
  uint32_t fail_erase_at;   /* likewise */
  uint32_t drop_program_at; /* that program leaves one bit set that it should clear, and says nothing */
  bool drop_all_programs;   /* every program does so */
  bool skip_erases;         /* no erase does anything, nor says so */
  /* Told of each program and erase before it happens (data is NULL for an erase); NULL: nobody. flash_tap_clear keeps
   * it. */
  void (*before)(void *context, const struct tap_operation *operation, const void *data);
  void *before_context;
};

/* Begins to tap; flash_tap_stop frees the log. */
void flash_tap_start(struct flash_tap *tap, const struct lb_flash *inner);
void flash_tap_stop(struct flash_tap *tap);

/* Forgets what was written down; failures that were asked for are counted from here. */
void flash_tap_clear(struct flash_tap *tap);

#endif
