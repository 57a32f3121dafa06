// SPDX-License-Identifier: MIT
/*
 * The first code to run, in the part of a microcontroller's mask ROM: it loads the bootloader from flash 0x1000 and
 * goes there. The second hart stays here as the watchdog (watchdog.h).
 */
#include "boot/load.h"
#include "lifeboat/error.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/jump.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"
#include "ports/spi/spi_nor.h"

#define BOOTLOADER_ADDRESS 0x1000U
#define BOOTLOADER_ROOM    0x6000U /* up to the copy of the partition table */
#define PIECE              512U

_Static_assert(SPI_NOR_LONGEST_MS < WATCHDOG_BOOT_MS, "a chip that is stuck has to be told, not to look like a hang");

/* As lib/chip.c has it, but for what a bootloader may fill: memory below the firmware's. */
static const struct lb_chip chip = {.id = 0xFFF0, .name = "sifive_u", .ram = {0x80020000, 0x80080000}};

static struct mbedtls_hash sha256_state;
static struct lb_hash sha256;

static int verify(const struct lb_flash *flash, struct lb_image *image)
{
  const struct lb_image_rules rules = {
      .chip = &chip, .revision = LB_REVISION_ANY, .capacity = BOOTLOADER_ROOM, .address = BOOTLOADER_ADDRESS};
  uint8_t piece[PIECE];
  int err = lb_image_start(image, &rules, &sha256);
  for (uint32_t at = 0; !err && at < BOOTLOADER_ROOM; at += PIECE) {
    err = lb_flash_read(flash, BOOTLOADER_ADDRESS + at, piece, PIECE);
    if (!err) {
      err = lb_image_write(image, piece, PIECE, NULL);
      if (err == LB_OK) {
        return LB_OK;
      }
      err = err == LB_MORE ? LB_OK : err;
    }
  }
  return err ? err : lb_image_finish(image);
}

static _Noreturn void give_up(int err)
{
  uart_print("rom: no bootloader at 0x1000: ");
  uart_print(spi_nor_error_info(err)->cause);
  uart_print(" - write a bootloader by cable\n");
  reset_after_pause(reset_cause());
}

int main(void)
{
  static struct spi spi;
  static struct spi_nor nor;
  static struct lb_image image;
  uart_open();
  mbedtls_hash_sha256(&sha256, &sha256_state);
  spi_bus_open(&spi, QSPI0_BASE);
  int err = spi_nor_open(&nor, &spi, false);
  if (!err) {
    err = verify(&nor.driver, &image);
  }
  if (!err) {
    err = load_segments(&nor.driver, &sha256, BOOTLOADER_ADDRESS, &image.info);
  }
  if (!err) {
    jump(image.info.entry);
  }
  give_up(err);
}

/* ---- the second hart ---- */

/* Not in .bss, which the first hart clears while the second one works. */
__attribute__((section(".other_stack"))) uint8_t other_stack[2048];

void other_main(void); /* start.S calls it */

void other_main(void)
{
  watchdog_arm(WATCHDOG_BOOT_MS); /* as a reset arms it */
  watchdog_run();
}
