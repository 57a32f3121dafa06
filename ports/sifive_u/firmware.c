// SPDX-License-Identifier: MIT
/* The module's firmware on the board: module/ on the board's drivers, with its console on the UART. */
#include <stddef.h>

#include "boot/handoff.h"
#include "module/console.h"
#include "ports/serial/terminal.h"
#include "ports/sifive_u/firmware_port.h"
#include "ports/sifive_u/product.h"
#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/timer.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"

#define NAP_US 1000U /* what waits in the UART's and the network's buffers meanwhile is little */

/*
 * What `lifeboat image make` fills: version and project of this firmware, where ESP-IDF has its application
 * description.
 */
__attribute__((section(".app_description"), used)) static const uint8_t description[LB_IMAGE_DESCRIPTION_SIZE] = {0};

static struct lb_table table;
static struct lb_boot_decision decision;
static struct lb_verify verify;
static struct module module;
static struct console console;
static struct terminal terminal;

static void write_uart(void *context, const char *text, size_t length)
{
  (void)context;
  uart_write(text, length);
}

/* ---- start ---- */

static _Noreturn void give_up(const char *what, int err)
{
  uart_print("firmware: ");
  uart_print(what);
  uart_print(": ");
  uart_print(lb_error_info(err)->cause);
  uart_print("\n");
  reset_board(LB_RESET_CRASH);
}

/*
 * The image that is running, as far as the module wants to know it: the description is read from its slot again, for
 * the first sector has it; the bootloader has just verified all of it.
 */
static void read_own_image(const struct port *port, const struct handoff_image *image)
{
  const struct lb_device device = {
      .flash = port->flash, .sha256 = port->sha256, .md5 = port->md5, .chip = port->chip, .table = &table};
  int err = lb_verify_start(&verify, &device, &decision.partition);
  if (!err) {
    err = lb_verify_step(&verify);
  }
  if (err < LB_OK) {
    give_up("its own slot", err);
  }
  verify.image.info.length = image->length;
  __builtin_memcpy(verify.image.info.digest, image->digest, LB_SHA256_SIZE);
}

static void start(const struct port *port)
{
  struct handoff_image image;
  int err = handoff_read(retained_handoff(), &table, &decision, &image);
  if (err) {
    give_up("what the bootloader left", err);
  }
  read_own_image(port, &image);
  const struct module_uptime uptime = {
      .resets = retained_read(RETAINED_RESETS),
      .crashes = retained_read(RETAINED_CRASHES),
      .early_crashes = retained_read(RETAINED_EARLY_CRASHES),
      .boot_time_ms = port->clock->now_ms(port->clock->context),
      .cause = decision.reset,
  };
  module_start(&module, port, &table, &decision, &verify.image.info, &uptime);
  console_start(&console, &module, NULL, write_uart);
  terminal_start(&terminal, &console);
}

/* ---- work ---- */

static void read_keys(void)
{
  uint8_t key;
  while (uart_read(&key)) {
    terminal_key(&terminal, key);
  }
}

/* From then on a crash is no early one (`boot status`). */
static void note_survival(void)
{
  if (retained_read(RETAINED_SURVIVED) == 0 && module_run_time(&module) >= module_trial_time(&module)) {
    retained_write(RETAINED_SURVIVED, 1);
  }
}

/* `exit`: unlike a terminal of the virtual module this console does not end. */
static void answer_exit(void)
{
  static const char answer[] = "This console is the board's own, and stays: switch the board off instead\n";
  module.exit_requested = false;
  console.write(console.output_context, answer, sizeof answer - 1);
}

static _Noreturn void work(void)
{
  for (;;) {
    firmware_port_poll();
    read_keys();
    const bool busy = terminal_step(&terminal);
    const bool more = module_tick(&module);
    note_survival();
    if (module.exit_requested) {
      answer_exit();
    }
    if (module.reset_requested) {
      watchdog_arm(WATCHDOG_STOP_MS);
      console_reset(&console);
      module_stop(&module);
      reset_board(LB_RESET_COMMANDED);
    }
    if (!busy && !more) {
      timer_sleep_until(timer_now_us() + NAP_US);
    }
  }
}

int main(void)
{
  if (product.at_start) {
    product.at_start();
  }
  uart_open();
  watchdog_arm(WATCHDOG_FIRMWARE_MS);
  const struct port *port = firmware_port_open(&table);
  if (!port) {
    reset_board(LB_RESET_CRASH);
  }
  start(port);
  work();
}
