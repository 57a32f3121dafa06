// SPDX-License-Identifier: MIT
/* The board's bootloader: boot/ decides; here its image is loaded into memory, with the handoff beside it. */
#include "boot/bootloader.h"

#include "boot/handoff.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/load.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"
#include "ports/spi/spi_nor.h"

static struct spi spi;
static struct spi_nor nor;
static struct mbedtls_hash sha256_state;
static struct mbedtls_hash md5_state;
static struct lb_hash sha256;
static struct lb_hash md5;
static struct bootloader bootloader;

static void feed(void *context)
{
  (void)context;
  watchdog_feed();
}

static void log_piece(void *context, const char *text)
{
  (void)context;
  uart_print(text);
}

static _Noreturn void halt(const char *why)
{
  watchdog_arm(0);
  uart_print(why);
  for (;;) {
    __asm__ volatile("wfi");
  }
}

static void increment(uint32_t counter)
{
  retained_write(counter, retained_read(counter) + 1U);
}

/* A crash or a hang before the firmware has said that its trial time has run is an early one. */
static void count(enum lb_reset reset)
{
  if (reset != LB_RESET_POWER_ON) {
    increment(RETAINED_RESETS);
  }
  if (reset == LB_RESET_CRASH || reset == LB_RESET_WATCHDOG) {
    increment(RETAINED_CRASHES);
    if (retained_read(RETAINED_SURVIVED) == 0) {
      increment(RETAINED_EARLY_CRASHES);
    }
    uart_print(reset == LB_RESET_CRASH ? "boot: after a crash\n" : "boot: after a reset by the watchdog\n");
  }
  retained_write(RETAINED_SURVIVED, 0);
}

/* If what was verified a moment ago does not load, the next attempt reads it again, and counts. */
static _Noreturn void start(void)
{
  const struct lb_image_info *image = &bootloader.verify.image.info;
  handoff_write(retained_handoff(), &bootloader.decision, image);
  int err = load_segments(&nor.driver, bootloader.decision.partition.offset, image);
  if (err) {
    uart_print("boot: does not load: ");
    uart_print(lb_boot_cause(err));
    uart_print("\n");
    reset_board(LB_RESET_CRASH);
  }
  watchdog_feed();
  load_jump(image->entry);
}

int main(void)
{
  const enum lb_reset reset = reset_cause();
  uart_open();
  count(reset);
  spi_bus_open(&spi, QSPI0_BASE);
  if (spi_nor_open(&nor, &spi, false)) {
    halt("boot: halted: the flash does not answer - check its wiring\n");
  }
  nor.feed = feed;
  mbedtls_hash_sha256(&sha256, &sha256_state);
  mbedtls_hash_md5(&md5, &md5_state);
  bootloader.device = (struct lb_device){
      .flash = &nor.driver, .sha256 = &sha256, .md5 = &md5, .chip = lb_chip_by_name("sifive_u"), .revision = 0};
  bootloader.log = log_piece;
  bootloader.reset = reset;
  if (bootloader_run(&bootloader) != LB_OK) {
    halt("");
  }
  bootloader.decision.reset = reset;
  reset_forget_cause(); /* only now: a loss of power meanwhile leaves nothing, a hang is the watchdog's to tell */
  start();
}
