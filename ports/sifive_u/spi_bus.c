// SPDX-License-Identifier: MIT
#include "ports/sifive_u/spi_bus.h"

#include <stddef.h>

#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/timer.h"

/* FU540-C000 manual, chapter 19. */
#define SPI_SCKDIV   0x00U
#define SPI_CSID     0x10U
#define SPI_CSMODE   0x18U
#define SPI_FMT      0x40U
#define SPI_TXDATA   0x48U
#define SPI_RXDATA   0x4CU
#define SPI_FCTRL    0x60U
#define CSMODE_HOLD  2U
#define CSMODE_AUTO  0U         /* lets go of the device; so would 3 (off), but QEMU takes all but 0 for hold */
#define FMT_8_BITS   (8U << 16) /* one wire each way, most significant bit first */
#define RXDATA_EMPTY (1U << 31)
#define FIFO_DEPTH   8U
#define CLOCK_HZ     500000000U /* tlclk, half of the core's; sck is it divided by 2 * (sckdiv + 1) */
#define DIVISOR_MASK 0xFFFU

static uint32_t base_of(const void *context)
{
  return (uint32_t)(uintptr_t)context;
}

static void select_device(void *context)
{
  register_write(base_of(context) + SPI_CSMODE, CSMODE_HOLD);
}

static void release_device(void *context)
{
  register_write(base_of(context) + SPI_CSMODE, CSMODE_AUTO);
}

/* As many bytes at once as the FIFOs hold: those sent come back as many received, so none can be lost. */
static void transfer(void *context, const uint8_t *out, uint8_t *in, uint32_t length)
{
  const uint32_t base = base_of(context);
  for (uint32_t done = 0; done < length;) {
    const uint32_t count = length - done < FIFO_DEPTH ? length - done : FIFO_DEPTH;
    for (uint32_t i = 0; i < count; i++) {
      register_write(base + SPI_TXDATA, out ? out[done + i] : 0xFFU);
    }
    for (uint32_t i = 0; i < count; i++) {
      uint32_t data;
      while ((data = register_read(base + SPI_RXDATA)) & RXDATA_EMPTY) {
      }
      if (in) {
        in[done + i] = (uint8_t)data;
      }
    }
    done += count;
  }
}

static void set_clock(void *context, uint32_t hertz)
{
  const uint32_t divisor = (CLOCK_HZ + 2U * hertz - 1U) / (2U * hertz);
  const uint32_t value = divisor > 0 ? divisor - 1U : 0;
  register_write(base_of(context) + SPI_SCKDIV, value < DIVISOR_MASK ? value : DIVISOR_MASK);
}

static uint64_t now_us(void *context)
{
  (void)context;
  return timer_now_us();
}

void spi_bus_open(struct spi *spi, uint32_t base)
{
  register_write(base + SPI_FCTRL, 0); /* registers, not memory mapping */
  register_write(base + SPI_FMT, FMT_8_BITS);
  register_write(base + SPI_CSID, 0);
  register_write(base + SPI_CSMODE, CSMODE_AUTO);
  while (!(register_read(base + SPI_RXDATA) & RXDATA_EMPTY)) { /* what a reset left there */
  }
  *spi = (struct spi){
      .context = (void *)(uintptr_t)base,
      .select = select_device,
      .release = release_device,
      .transfer = transfer,
      .set_clock = set_clock,
      .now_us = now_us,
  };
}
