// SPDX-License-Identifier: MIT
#include "ports/sifive_u/firmware_port.h"

#include <stddef.h>

#include "lifeboat/partition.h"
#include "ports/fat/fat_files.h"
#include "ports/lwip/network.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/gem.h"
#include "ports/sifive_u/product.h"
#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/spi_bus.h"
#include "ports/sifive_u/timer.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"
#include "ports/spi/sd_card.h"
#include "ports/spi/spi_nor.h"

#define TABLE_END (LB_TABLE_ADDRESS + LB_TABLE_SECTOR) /* bootloader, copy of the table, table: never written */

_Static_assert(SPI_NOR_LONGEST_MS < WATCHDOG_FIRMWARE_MS,
               "a chip that is stuck has to be told, not to look like a hang");

static struct spi flash_bus;
static struct spi card_bus;
static struct spi_nor nor;
static struct sd_card card;
static struct fat_files files;
static struct mbedtls_hash hash_states[4];
static struct lb_hash sha256;
static struct lb_hash sha256_other;
static struct lb_hash sha256_patch;
static struct lb_hash md5;
static struct port port;

void firmware_port_poll(void)
{
  watchdog_feed();
  network_poll();
}

static int start_card(void *context)
{
  return sd_card_start(context);
}

static bool refuse(const char *what, const char *cause)
{
  uart_print("firmware: ");
  uart_print(what);
  uart_print(": ");
  uart_print(cause);
  uart_print("\n");
  return false;
}

/* The mission's first promise, kept by the driver: whatever goes wrong above it, factory is not written. */
static bool protect(const struct lb_table *table)
{
  struct lb_partition factory;
  int err = spi_nor_protect(&nor, 0, TABLE_END);
  if (!err && lb_table_find(table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK) {
    err = spi_nor_protect(&nor, factory.offset, factory.offset + factory.size);
  }
  return err == LB_OK || refuse("flash protection", spi_nor_error_info(err)->cause);
}

static bool open_flash(struct lb_table *table)
{
  spi_bus_open(&flash_bus, QSPI0_BASE);
  int err = spi_nor_open(&nor, &flash_bus, false);
  if (err) {
    return refuse("flash", spi_nor_error_info(err)->cause);
  }
  err = lb_table_read(table, &nor.driver, &md5);
  if (err) {
    return refuse("partition table", lb_error_info(err)->cause);
  }
  return protect(table);
}

/* Nothing here is random; the address differs from board to board, the time from start to start. */
static uint32_t make_seed(void)
{
  uint8_t mac[GEM_MAC_SIZE];
  uint32_t seed = (uint32_t)timer_now_us();
  gem_mac(mac);
  for (unsigned i = 0; i < GEM_MAC_SIZE; i++) {
    seed = seed * 31U + mac[i];
  }
  return seed;
}

/* ---- network ---- */

static void read_mac(void *context, uint8_t mac[ETHERNET_MAC_SIZE])
{
  (void)context;
  gem_mac(mac);
}

static bool send_frame(void *context, const void *frame, uint32_t length)
{
  (void)context;
  return gem_send(frame, length);
}

static uint32_t receive_frame(void *context, void *buffer, uint32_t capacity)
{
  (void)context;
  return gem_receive(buffer, capacity);
}

static const struct ethernet ethernet = {.mac = read_mac, .send = send_frame, .receive = receive_frame};

static const struct port_network *open_network(uint32_t seed)
{
  const struct network_options options = {.ethernet = &ethernet, .clock = &timer_clock, .seed = seed, .link_up = true};
  return network_open(&options);
}

const struct port *firmware_port_open(struct lb_table *table)
{
  mbedtls_hash_sha256(&sha256, &hash_states[0]);
  mbedtls_hash_sha256(&sha256_other, &hash_states[1]);
  mbedtls_hash_sha256(&sha256_patch, &hash_states[2]);
  mbedtls_hash_md5(&md5, &hash_states[3]);
  if (!open_flash(table)) {
    return NULL;
  }
  spi_bus_open(&card_bus, QSPI2_BASE);
  sd_card_open(&card, &card_bus); /* without a card, too: it may come later */
  fat_files_open(&files, &card.device, start_card, &card);
  gem_open();
  const uint32_t seed = make_seed();
  port = (struct port){
      .flash = &nor.driver,
      .sha256 = &sha256,
      .sha256_other = &sha256_other,
      .sha256_patch = &sha256_patch,
      .md5 = &md5,
      .chip = lb_chip_by_name("sifive_u"),
      .clock = &timer_clock,
      .files = &files.port,
      .network = open_network(seed),
      .seed = seed,
      .idle = &nor.idle,
      .commands = product.commands,
      .command_count = product.command_count,
  };
  return &port;
}
