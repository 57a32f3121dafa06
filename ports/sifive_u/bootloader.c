// SPDX-License-Identifier: MIT
/* The board's bootloader: boot/ decides; here its image is loaded into memory, with the handoff beside it. */
#include "boot/bootloader.h"

#include "boot/handoff.h"
#include "boot/load.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/jump.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"
#include "ports/spi/spi_nor.h"

_Static_assert(SPI_NOR_LONGEST_MS < WATCHDOG_BOOT_MS, "a chip that is stuck has to be told, not to look like a hang");

static struct spi spi;
static struct spi_nor nor;
static struct lb_flash flash; /* nor's driver, without what cannot be trusted */
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

/* ---- slots that cannot be trusted ---- */

#define CANDIDATES 17U /* factory and ota_0 to ota_15 */

/* What was verified and then loaded with other bytes: from now on reads in there fail, and the next candidate boots. */
static struct lb_partition distrusted[CANDIDATES];
static uint32_t distrusted_count;

static int read_trusted(void *context, uint32_t address, void *buffer, uint32_t length)
{
  for (uint32_t i = 0; i < distrusted_count; i++) {
    if (address >= distrusted[i].offset && address - distrusted[i].offset < distrusted[i].size) {
      return LB_ERR_FLASH_READ;
    }
  }
  return nor.driver.read(context, address, buffer, length);
}

static void distrust(const struct lb_partition *partition, int err)
{
  uart_print("boot: ");
  uart_print(partition->label);
  uart_print(": does not load: ");
  uart_print(lb_boot_cause(err));
  uart_print("\n");
  distrusted[distrusted_count++] = *partition;
}

/* ---- start ---- */

/* Bootloader, tables and factory are never written, whatever goes wrong above the driver. */
static int protect(void)
{
  struct lb_partition factory;
  int err = spi_nor_protect(&nor, 0, LB_TABLE_ADDRESS + LB_TABLE_SECTOR);
  if (!err && lb_table_read(&bootloader.table, &nor.driver, &md5) == LB_OK &&
      lb_table_find(&bootloader.table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK) {
    err = spi_nor_protect(&nor, factory.offset, factory.offset + factory.size);
  }
  return err;
}

static int open_flash(void)
{
  spi_bus_open(&spi, QSPI0_BASE);
  watchdog_feed();
  int err = spi_nor_open(&nor, &spi, false);
  if (err) {
    return err;
  }
  nor.feed = feed;
  flash = nor.driver;
  flash.read = read_trusted;
  return protect();
}

/* Goes to what boots, if it loads as it was verified. */
static void start(enum lb_reset reset)
{
  const struct lb_image_info *image = &bootloader.verify.image.info;
  const struct lb_partition partition = bootloader.decision.partition;
  bootloader.decision.reset = reset;
  int err = load_segments(&flash, &sha256, partition.offset, image);
  if (err) {
    distrust(&partition, err);
    return;
  }
  handoff_write(retained_handoff(), &bootloader.decision, image);
  reset_forget_cause(); /* only now: a loss of power meanwhile leaves nothing, a hang is the watchdog's to tell */
  watchdog_feed();
  jump(image->entry);
}

int main(void)
{
  const enum lb_reset reset = reset_cause();
  enum lb_reset judged = reset;
  uart_open();
  mbedtls_hash_sha256(&sha256, &sha256_state);
  mbedtls_hash_md5(&md5, &md5_state);
  if (open_flash()) {
    uart_print("boot: halted: the flash does not answer - check its wiring\n");
    reset_after_pause(reset); /* nothing has been counted yet */
  }
  count(reset);
  bootloader.device = (struct lb_device){
      .flash = &flash, .sha256 = &sha256, .md5 = &md5, .chip = lb_chip_by_name("sifive_u"), .revision = 0};
  bootloader.log = log_piece;
  while (distrusted_count < CANDIDATES) {
    bootloader.reset = judged;
    if (bootloader_run(&bootloader) != LB_OK) {
      break;
    }
    start(reset);
    judged = LB_RESET_COMMANDED; /* the reset has been judged, and counts once */
  }
  reset_after_pause(LB_RESET_COMMANDED);
}
