// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/clock.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#define US_PER_MS     1000U
#define US_PER_SECOND 1000000U
#define NS_PER_US     1000U

static uint64_t monotonic_us(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * US_PER_SECOND + (uint64_t)now.tv_nsec / NS_PER_US;
}

uint64_t sim_clock_now_us(const struct sim_clock *clock)
{
  return clock->kind == SIM_CLOCK_REAL ? monotonic_us() - clock->start_us : clock->now_us;
}

static uint64_t now_ms(void *context)
{
  return sim_clock_now_us(context) / US_PER_MS;
}

static int64_t utc(void *context)
{
  const struct sim_clock *clock = context;
  return clock->kind == SIM_CLOCK_REAL ? (int64_t)time(NULL)
                                       : clock->start_utc + (int64_t)(clock->now_us / US_PER_SECOND);
}

void sim_clock_spend_us(struct sim_clock *clock, uint64_t us)
{
  if (clock->kind == SIM_CLOCK_VIRTUAL) {
    clock->now_us += us;
    return;
  }
  clock->debt_us += us;
  if (clock->debt_us < SIM_CLOCK_SLICE_US) {
    return;
  }
  const uint64_t begin = monotonic_us();
  const struct timespec span = {
      .tv_sec = (time_t)(clock->debt_us / US_PER_SECOND),
      .tv_nsec = (long)(clock->debt_us % US_PER_SECOND * NS_PER_US),
  };
  nanosleep(&span, NULL); /* a signal may end it early: what was not slept stays owed */
  const uint64_t slept = monotonic_us() - begin;
  clock->debt_us = slept < clock->debt_us ? clock->debt_us - slept : 0;
}

/* The number of sources where something happened; an interrupting signal is something, too. */
static int wait_really(struct sim_clock *clock, uint32_t ms)
{
  struct pollfd descriptors[SIM_CLOCK_WATCHED];
  const int timeout = ms > INT_MAX ? INT_MAX : (int)ms;
  int happened = 0;
  memcpy(descriptors, clock->watched, sizeof descriptors);
  if (clock->waiter.wait) {
    happened = clock->waiter.wait(clock->waiter.context, descriptors, clock->watched_count, timeout);
  } else {
    happened = poll(descriptors, clock->watched_count, timeout);
  }
  return happened < 0 ? 1 : happened;
}

/*
 * Real time is taken for a tenth of the virtual time that was asked for. When something came, its sender did not need
 * the haste: then only the time that really passed has passed.
 */
static void idle_virtually(struct sim_clock *clock, uint32_t ms)
{
  const uint64_t most_us = (uint64_t)ms * US_PER_MS;
  uint32_t wait_ms = (ms + SIM_CLOCK_HASTE - 1) / SIM_CLOCK_HASTE;
  wait_ms = wait_ms > SIM_CLOCK_WAIT_MS ? SIM_CLOCK_WAIT_MS : wait_ms;
  const uint64_t begin = monotonic_us();
  const int happened = wait_really(clock, clock->waiter.wait ? wait_ms : 0);
  uint64_t passed_us = monotonic_us() - begin;
  if (happened == 0) {
    passed_us = clock->waiter.wait ? passed_us * SIM_CLOCK_HASTE : most_us;
  }
  clock->now_us += passed_us < most_us ? passed_us : most_us;
}

static void idle(void *context, uint32_t ms)
{
  struct sim_clock *clock = context;
  const uint64_t begin = sim_clock_now_us(clock);
  if (clock->kind == SIM_CLOCK_VIRTUAL) {
    idle_virtually(clock, ms);
  } else {
    wait_really(clock, ms);
  }
  clock->checkpoint_us += sim_clock_now_us(clock) - begin; /* idle time is no time between checkpoints */
}

void sim_clock_start(struct sim_clock *clock, enum sim_clock_kind kind)
{
  memset(clock, 0, sizeof *clock);
  clock->port = (struct port_clock){.context = clock, .now_ms = now_ms, .utc = utc, .idle = idle};
  clock->kind = kind;
  clock->start_us = monotonic_us();
  clock->start_utc = (int64_t)time(NULL);
}

bool sim_clock_watch(struct sim_clock *clock, int fd)
{
  if (clock->watched_count == SIM_CLOCK_WATCHED) {
    return false;
  }
  clock->watched[clock->watched_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
  return true;
}

void sim_clock_unwatch(struct sim_clock *clock, int fd)
{
  for (unsigned i = 0; i < clock->watched_count; i++) {
    if (clock->watched[i].fd == fd) {
      clock->watched[i] = clock->watched[--clock->watched_count];
      return;
    }
  }
}

void sim_clock_wait_with(struct sim_clock *clock, const struct sim_clock_waiter *waiter)
{
  clock->waiter = waiter ? *waiter : (struct sim_clock_waiter){0};
}

void sim_clock_checkpoint(struct sim_clock *clock)
{
  const uint64_t now = sim_clock_now_us(clock);
  if (clock->has_checkpoint && now - clock->checkpoint_us > clock->longest_us) {
    clock->longest_us = now - clock->checkpoint_us;
  }
  clock->checkpoint_us = now;
  clock->has_checkpoint = true;
}

uint64_t sim_clock_longest_us(const struct sim_clock *clock)
{
  return clock->longest_us;
}

void sim_clock_forget_checkpoints(struct sim_clock *clock)
{
  clock->has_checkpoint = false;
  clock->longest_us = 0;
}
