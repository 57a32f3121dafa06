// SPDX-License-Identifier: MIT
#include "ports/sim/board.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "module/port_error.h"

#define CHIP_REVISION 300U /* the module has an ESP32 of revision 3.0 */

static void refuse(const char *what, const struct lb_error_info *info)
{
  fprintf(stderr, "Error: %s: %s - %s (%s, %d)\n", what, info->cause, info->remedy, info->esp_name, info->esp_code);
}

/* The module's own remedies are for its console, which is not there yet. */
static void refuse_option(const char *option, const char *path, int error)
{
  const struct lb_error_info *info = module_error_info(error);
  fprintf(stderr, "Error: %s: %s - check what was given with --%s (%s, %d)\n", path, info->cause, option,
          info->esp_name, info->esp_code);
}

static bool mount(struct sim_board *board, const char *name, const char *folder)
{
  int err = folder ? sim_files_mount(&board->files, name, folder) : LB_OK;
  if (err) {
    refuse_option(name, folder, err);
  }
  return err == LB_OK;
}

static bool open_network(struct sim_board *board, const struct virtual_module_options *options)
{
  const struct sim_network_options network = {
      .link_up = options->link_up,
      .ssid = "virtual",
      .hosts = options->hosts,
      .host_count = options->host_count,
      .ca_file = options->ca_file,
      .clock = &board->clock,
  };
  int err = sim_network_open(&board->network, &network);
  if (err) {
    refuse_option("ca", options->ca_file ? options->ca_file : "network", err);
  }
  return err == LB_OK;
}

static bool open_flash(struct sim_board *board, const struct virtual_module_options *options)
{
  int err = sim_flash_open_file(&board->flash, options->flash, SIM_FLASH_READ_WRITE);
  if (err) {
    refuse(options->flash, sim_flash_error_info(err));
    return false;
  }
  if (options->flash_takes_time) {
    sim_flash_set_timing(&board->flash, &sim_timing_w25q128jv, &board->clock);
  }
  return true;
}

static void open_hashes(struct sim_board *board)
{
  mbedtls_hash_sha256(&board->sha256, &board->hash_contexts[0]);
  mbedtls_hash_sha256(&board->sha256_other, &board->hash_contexts[1]);
  mbedtls_hash_sha256(&board->sha256_patch, &board->hash_contexts[2]);
  mbedtls_hash_md5(&board->md5, &board->hash_contexts[3]);
}

/* Modules that lose their server together shall not come back together. */
static uint32_t make_seed(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec ^ ((uint32_t)getpid() << 16);
}

bool sim_board_open(struct sim_board *board, const struct virtual_module_options *options)
{
  sim_clock_start(&board->clock, options->clock);
  sim_files_open(&board->files);
  open_hashes(board);
  if (!open_flash(board, options) || !mount(board, "sd", options->sd) || !mount(board, "store", options->store) ||
      !open_network(board, options)) {
    return false;
  }
  board->port = (struct port){
      .flash = &board->flash.driver,
      .sha256 = &board->sha256,
      .sha256_other = &board->sha256_other,
      .sha256_patch = &board->sha256_patch,
      .md5 = &board->md5,
      .chip = lb_chip_by_name("esp32"),
      .revision = CHIP_REVISION,
      .clock = &board->clock.port,
      .files = &board->files.port,
      .network = sim_network_port(board->network),
      .seed = options->has_seed ? options->seed : make_seed(),
      .idle = &board->flash.idle,
  };
  return true;
}

void sim_board_close(struct sim_board *board)
{
  sim_network_close(board->network);
  sim_files_close(&board->files);
  sim_flash_close(&board->flash);
}
