// SPDX-License-Identifier: MIT
#include "ports/sim/signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

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

/* The file behind the flash has been cut short, or its disk is full: nothing can be read or written there any more. */
static void lose_flash(int number)
{
  static const char words[] =
      "Error: the flash file was cut short or its disk is full - check the disk, then start again\n";
  (void)number;
  ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);
  (void)ignored;
  _exit(EXIT_FAILURE);
}

void signals_catch(void)
{
  struct sigaction loss = {.sa_handler = lose_flash};
  sigemptyset(&loss.sa_mask);
  sigaction(SIGBUS, &loss, NULL);
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

bool signals_pending(void)
{
  return interrupted != 0 || terminated != 0;
}
