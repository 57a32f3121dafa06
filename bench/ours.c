// SPDX-License-Identifier: MIT
#include "bench/ours.h"

#include <stdlib.h>
#include <string.h>

#include "module/console.h"
#include "tool/report.h"

#define COMMAND     "ota flash http " BOARD_URL
#define SUCCESS     "OTA flash was successful\n"
#define WAIT_MS     50U
#define OUTPUT_SIZE 16384U

struct session {
  struct module module;
  struct console console;
  char output[OUTPUT_SIZE];
  size_t length;
};

static void keep(void *context, const char *text, size_t length)
{
  struct session *session = context;
  const size_t room = OUTPUT_SIZE - 1 - session->length;
  const size_t kept = length < room ? length : room;
  memcpy(session->output + session->length, text, kept);
  session->length += kept;
}

static bool play(struct session *session, struct board *board)
{
  const struct module_uptime uptime = {.cause = LB_RESET_POWER_ON};
  const struct port_clock *clock = board->port.clock;
  const struct bootloader *bootloader = &board->bootloader;
  module_start(&session->module, &board->port, &bootloader->table, &bootloader->decision,
               &bootloader->verify.image.info, &uptime);
  console_start(&session->console, &session->module, session, keep);
  int result = console_execute(&session->console, COMMAND);
  while (result == LB_MORE) {
    result = console_poll(&session->console);
    if (result == LB_MORE && console_is_waiting(&session->console)) {
      clock->idle(clock->context, WAIT_MS);
    }
  }
  board->flash.idle.poll = NULL; /* the module is gone after this */
  if (result != LB_OK || strstr(session->output, SUCCESS) == NULL) {
    report_error("the module's update failed; its console says:\n%s", session->output);
    return false;
  }
  return true;
}

bool ours_standing_still(struct board *board)
{
  struct session *session = calloc(1, sizeof(*session));
  if (session == NULL) {
    report_error("not enough memory for a module");
    return false;
  }
  const bool good = play(session, board);
  free(session);
  return good;
}

bool ours_read_ahead(struct board *board)
{
  board->port.idle = &board->flash.idle;
  return ours_standing_still(board);
}
