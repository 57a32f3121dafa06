// SPDX-License-Identifier: MIT
/* The firmware that the first one is updated to: it has a command that the first one lacks, `board info`. */
#include "module/console.h"
#include "module/print.h"
#include "ports/sifive_u/gem.h"
#include "ports/sifive_u/product.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/timer.h"

#define READ_ID      0x9FU
#define US_PER_MS    1000U
#define MS_PER_S     1000U
#define MISA_LETTERS 26U

/* Asks the chip itself, and not the driver. No other command of the flash is under way: those take their steps. */
static uint32_t read_jedec_id(void)
{
  struct spi spi;
  const uint8_t out[4] = {READ_ID, 0xFF, 0xFF, 0xFF};
  uint8_t in[4] = {0};

  spi_bus_open(&spi, QSPI0_BASE);
  spi.select(spi.context);
  spi.transfer(spi.context, out, in, sizeof out);
  spi.release(spi.context);
  return (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* The letters of the extensions that the processor says it has: "ACIMSU". */
static void read_isa(char letters[MISA_LETTERS + 1U])
{
  uint32_t misa = 0;
  uint32_t count = 0;

  __asm__ volatile("csrr %0, misa" : "=r"(misa));
  for (uint32_t i = 0; i < MISA_LETTERS; i++) {
    if ((misa >> i & 1U) != 0) {
      letters[count++] = (char)('A' + i);
    }
  }
  letters[count] = '\0';
}

static int board_info(struct console *console, int argc, char **argv)
{
  uint8_t mac[GEM_MAC_SIZE];
  char letters[MISA_LETTERS + 1U];
  const unsigned up_ms = (unsigned)(timer_now_us() / US_PER_MS);

  (void)argc;
  (void)argv;
  gem_mac(mac);
  read_isa(letters);
  console_print(console, "Processor:  RV32 with %s\n", letters);
  console_print(console, "Flash:      JEDEC id %06x\n", (unsigned)read_jedec_id());
  console_print(console, "Ethernet:   %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  console_print(console, "Frames:     %u received, %u sent\n", (unsigned)gem_counters()->received,
                (unsigned)gem_counters()->sent);
  console_print(console, "Up:         %u.%03u s, %u reset(s) since power-on\n", up_ms / MS_PER_S, up_ms % MS_PER_S,
                (unsigned)retained_read(RETAINED_RESETS));
  return 0;
}

static const struct command board_commands[] = {
    {.words = {"board", "info"}, .arguments = "", .summary = "Show what board this is", .start = board_info},
};

const struct product product = {.commands = board_commands, .command_count = 1};
