// SPDX-License-Identifier: MIT
#include "ports/sim/signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t terminated;

static void note(int number)
{
  if (number == SIGINT) {
    interrupted = 1;
  } else {
    terminated = 1;
  }
}

void signals_catch(void)
{
  struct sigaction action = {.sa_handler = note};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  signal(SIGPIPE, SIG_IGN); /* a server that hangs up is an error of the transfer */
}

bool signals_take_interrupt(void)
{
  bool was = interrupted != 0;
  interrupted = 0;
  return was;
}

bool signals_terminated(void)
{
  return terminated != 0;
}
