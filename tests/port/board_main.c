// SPDX-License-Identifier: MIT
/*
 * The suite on the emulated board: a firmware that does nothing else. It runs from factory, destroys ota_1, and prints
 * on the UART. A port to other hardware needs a file like this one, and nothing more.
 */
#include <stddef.h>

#include "boot/handoff.h"
#include "lifeboat/partition.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/timer.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"
#include "ports/spi/spi_nor.h"
#include "tests/port/suite.h"

#define SCRATCH_SIZE 0x80000U /* of ota_1 */
#define PROTECTED    0x9000U  /* bootloader and partition table, from the flash's beginning */
#define PROGRAM_MS   20U      /* on average; is25wp256: 0.8 ms at most, and QEMU is held up on a busy machine */
#define ERASE_MS     2000U    /* and 1 s a block */

__attribute__((section(".app_description"), used)) static const uint8_t description[LB_IMAGE_DESCRIPTION_SIZE] = {0};

static struct spi spi;
static struct spi_nor nor;
static struct mbedtls_hash md5_state;
static struct lb_hash md5;
static struct lb_table table;

static void feed(void *context)
{
  (void)context;
  watchdog_feed();
}

static void print(void *context, const char *text)
{
  (void)context;
  watchdog_feed();
  uart_print(text);
}

static void reset(void *context)
{
  (void)context;
  reset_board(LB_RESET_COMMANDED);
}

static void crash(void *context)
{
  (void)context;
  __asm__ volatile("unimp");
}

static void hang(void *context)
{
  (void)context;
  for (;;) {
    __asm__ volatile("");
  }
}

static _Noreturn void stop(const char *text)
{
  uart_print(text);
  watchdog_arm(0);
  for (;;) {
    __asm__ volatile("wfi");
  }
}

/* What the bootloader told; the first stage and the bootloader have already taken the cause from the reset registers.
 */
static enum lb_reset cause(void)
{
  struct lb_boot_decision decision;
  struct handoff_image image;
  if (handoff_read(retained_handoff(), &table, &decision, &image)) {
    stop("suite: the bootloader left no handoff\n");
  }
  return decision.reset;
}

static void open_flash(struct lb_partition *factory, struct lb_partition *scratch)
{
  mbedtls_hash_md5(&md5, &md5_state);
  spi_bus_open(&spi, QSPI0_BASE);
  if (spi_nor_open(&nor, &spi, false) || lb_table_read(&table, &nor.driver, &md5) ||
      lb_table_find(&table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, factory) || lb_table_ota_slot(&table, 1, scratch) ||
      spi_nor_protect(&nor, 0, PROTECTED) || spi_nor_protect(&nor, factory->offset, factory->offset + factory->size)) {
    stop("suite: there is no flash with factory and ota_1\n");
  }
  nor.feed = feed;
}

int main(void)
{
  struct lb_partition factory;
  struct lb_partition scratch;
  uart_open();
  watchdog_arm(WATCHDOG_FIRMWARE_MS);
  open_flash(&factory, &scratch);
  struct port_suite suite = {
      .flash = &nor.driver,
      .idle = &nor.idle,
      .scratch = scratch.offset,
      .scratch_size = SCRATCH_SIZE,
      .guarded = {{.start = 0, .size = PROTECTED}, {.start = factory.offset, .size = factory.size}},
      .program_average_ms = PROGRAM_MS,
      .erase_ms = ERASE_MS,
      .clock = &timer_clock,
      .idle_sleeps = true,
      .cause = cause(),
      .reset = reset,
      .crash = crash,
      .hang = hang,
      .print = print,
  };
  port_suite_run(&suite);
  stop("suite: end\n");
}
