// SPDX-License-Identifier: MIT
#include "bench/peers.h"

#include "lifeboat/select.h"
#include "module/port_error.h"
#include "tool/report.h"

#define SECTOR  4096U
#define BLOCK   65536U
#define WAIT_US 50000U

static uint32_t smaller(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

/* As esp_flash_erase_region does it: 64 KB where they fit, else 4 KB. */
static int erase_length(const struct lb_flash *flash, uint32_t address, uint32_t length)
{
  const uint32_t end = address + (length + SECTOR - 1) / SECTOR * SECTOR;
  while (address < end) {
    const uint32_t size = address % BLOCK == 0 && end - address >= BLOCK ? BLOCK : SECTOR;
    if (flash->erase(flash->context, address, size) != 0) {
      return LB_ERR_FLASH_ERASE;
    }
    address += size;
  }
  return LB_OK;
}

static int program(const struct lb_flash *flash, uint32_t address, const uint8_t *bytes, uint32_t length)
{
  for (uint32_t done = 0; done < length; done += flash->page_size) {
    if (flash->program(flash->context, address + done, bytes + done, smaller(flash->page_size, length - done)) != 0) {
      return LB_ERR_FLASH_PROGRAM;
    }
  }
  return LB_OK;
}

/* Waits until `length` bytes have been read. */
static int receive(struct board *board, struct port_transfer *transfer, uint8_t *bytes, uint32_t length)
{
  uint32_t have = 0;
  while (have < length) {
    uint32_t got = 0;
    const int result = board->link.port.read(transfer, bytes + have, length - have, &got);
    have += got;
    if (result < 0 || (result == LB_OK && have < length)) {
      return result < 0 ? result : PORT_ERR_CLOSED;
    }
    if (got == 0) {
      link_wait(&board->link, WAIT_US);
    }
  }
  return LB_OK;
}

static int download(struct board *board, struct port_transfer *transfer, uint32_t length, bool erase_as_it_goes)
{
  const struct lb_flash *flash = board->port.flash;
  uint8_t bytes[SECTOR];
  int err = LB_OK;
  for (uint32_t at = 0; err == LB_OK && at < length; at += SECTOR) {
    const uint32_t piece = smaller(SECTOR, length - at);
    const uint32_t address = board->target.offset + at;
    err = receive(board, transfer, bytes, piece);
    if (err == LB_OK && erase_as_it_goes) {
      err = erase_length(flash, address, piece);
    }
    if (err == LB_OK) {
      err = program(flash, address, bytes, piece);
    }
  }
  return err;
}

/* esp_ota_end reads the image once and verifies it (esp_ota_set_boot_partition does so again: not counted here). */
static int verify_and_select(struct board *board)
{
  struct lb_select select;
  int result = lb_select_start(&select, &board->device, &board->target, NULL);
  if (result == LB_OK) {
    do {
      result = lb_select_step(&select);
    } while (result == LB_MORE);
  }
  return result;
}

static bool update(struct board *board, bool erase_as_it_goes)
{
  const struct port_network *network = &board->link.port;
  struct port_transfer *transfer = NULL;
  struct port_reply reply = {0};
  int err = network->open(network->context, &(struct port_request){.url = BOARD_URL}, &transfer);
  if (err == LB_OK) {
    err = network->reply(transfer, &reply);
    if (err == LB_OK && !erase_as_it_goes) {
      err = erase_length(board->port.flash, board->target.offset, (uint32_t)reply.length);
    }
    if (err == LB_OK) {
      err = download(board, transfer, (uint32_t)reply.length, erase_as_it_goes);
    }
    network->close(transfer);
  }
  if (err == LB_OK) {
    err = verify_and_select(board);
  }
  if (err) {
    report_problem("the update", module_error_info(err));
  }
  return err == LB_OK;
}

bool peers_real_module(struct board *board)
{
  return update(board, false);
}

bool peers_sequential(struct board *board)
{
  return update(board, true);
}
