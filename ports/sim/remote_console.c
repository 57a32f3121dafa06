// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/remote_console.h"

#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RESULT_SIZE 4U

static uint64_t monotonic_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

/* ---- hanging up ---- */

/* The client is gone. What it has begun is not. */
static void hang_up(struct remote_console *remote)
{
  if (remote->fd >= 0) {
    close(remote->fd);
    remote->fd = -1;
  }
  remote->no_more = true;
  remote->requests.length = 0;
  remote->text_length = 0;
  frame_sender_clear(&remote->answers);
}

/* ---- answers ---- */

static void answer(struct remote_console *remote, enum frame_kind kind, const void *payload, size_t length)
{
  if (remote->fd >= 0 && !frame_put(&remote->answers, kind, payload, length)) {
    hang_up(remote); /* it has let megabytes pile up */
  }
}

static void end_text(struct remote_console *remote)
{
  if (remote->text_length > 0) {
    const size_t length = remote->text_length;
    remote->text_length = 0;
    answer(remote, FRAME_OUTPUT, remote->text, length);
  }
}

/* The console's output. */
static void write_text(void *context, const char *text, size_t length)
{
  struct remote_console *remote = context;
  for (size_t done = 0; done < length && remote->fd >= 0;) {
    const size_t room = sizeof remote->text - remote->text_length;
    const size_t piece = length - done < room ? length - done : room;
    memcpy(remote->text + remote->text_length, text + done, piece);
    remote->text_length += piece;
    done += piece;
    if (remote->text_length == sizeof remote->text) {
      end_text(remote);
    }
  }
}

static void end_request(struct remote_console *remote, int result)
{
  const uint32_t value = (uint32_t)(int32_t)result;
  const uint8_t bytes[RESULT_SIZE] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                                      (uint8_t)(value >> 24)};
  end_text(remote);
  answer(remote, FRAME_END, bytes, sizeof bytes);
}

static void say_farewell(struct remote_console *remote, enum frame_farewell reason)
{
  const char text = (char)reason;
  end_text(remote);
  answer(remote, FRAME_FAREWELL, &text, 1);
  remote->leaving = true;
  remote->no_more = true;
  remote->requests.length = 0;
}

/* ---- requests ---- */

/* What a command that has come to its end, at once or later, leaves to be said. */
static void end_command(struct remote_console *remote, int result)
{
  struct module *module = remote->console.module;
  if (module->exit_requested) {
    module->exit_requested = false; /* this console is left, not the module's own */
    say_farewell(remote, FAREWELL_EXIT);
  } else if (module->reset_requested) {
    remote->resets = true;
  } else {
    end_request(remote, result);
  }
}

static void execute(struct remote_console *remote, const char *line)
{
  const int result = console_execute(&remote->console, line);
  if (result != LB_MORE) {
    end_command(remote, result);
  }
}

struct offer {
  struct remote_console *remote;
  unsigned count;
};

static void offer_candidate(void *context, const char *word)
{
  struct offer *offer = context;
  const size_t length = strlen(word);
  if (offer->count < FRAME_CANDIDATES && length <= FRAME_PAYLOAD) {
    offer->count++;
    answer(offer->remote, FRAME_CANDIDATE, word, length);
  }
}

static void handle(struct remote_console *remote, const struct frame *frame)
{
  struct offer offer = {.remote = remote};
  switch (frame->kind) {
  case FRAME_EXECUTE:
    execute(remote, frame->payload);
    break;
  case FRAME_COMPLETE:
    console_complete(&remote->console, frame->payload, offer_candidate, &offer);
    end_request(remote, LB_OK);
    break;
  case FRAME_EXPLAIN:
    console_explain(&remote->console, frame->payload);
    end_request(remote, LB_OK);
    break;
  case FRAME_CANCEL: /* the command had ended before this came */
    break;
  default: /* nothing that a client says */
    say_farewell(remote, FAREWELL_WRONG);
    break;
  }
}

/* May the next request be answered, the command go on? Not while too much waits for the client. */
static bool may_go_on(const struct remote_console *remote)
{
  return frame_pending(&remote->answers) <= REMOTE_KEPT;
}

static void take_request(struct remote_console *remote)
{
  struct frame frame;
  const enum frame_state state = frame_peek(&remote->requests, &frame);
  if (state == FRAME_WRONG) {
    say_farewell(remote, FAREWELL_WRONG);
    return;
  }
  if (state == FRAME_PARTIAL) {
    remote->leaving = remote->leaving || (remote->no_more && !remote_console_has_job(remote) && !remote->resets);
    return;
  }
  if (!remote_console_has_job(remote)) {
    if (!remote->resets && may_go_on(remote)) {
      frame_drop(&remote->requests);
      handle(remote, &frame);
    }
  } else if (frame.kind == FRAME_CANCEL) {
    frame_drop(&remote->requests);
    remote_console_cancel(remote);
  }
}

static void receive_requests(struct remote_console *remote)
{
  if (!remote->no_more && frame_receive(&remote->requests, remote->fd) == FRAME_CLOSED) {
    remote->no_more = true;
  }
}

/* ---- rounds ---- */

void remote_console_open(struct remote_console *remote, int fd, struct module *module)
{
  memset(remote, 0, sizeof *remote);
  remote->in_use = true;
  remote->fd = fd;
  remote->moving_ms = monotonic_ms();
  console_start(&remote->console, module, remote, write_text);
  answer(remote, FRAME_GREETING, FRAME_GREETING_TEXT, strlen(FRAME_GREETING_TEXT));
}

static void poll_command(struct remote_console *remote)
{
  if (remote_console_has_job(remote) && may_go_on(remote)) {
    const int result = console_poll(&remote->console);
    if (result != LB_MORE) {
      end_command(remote, result);
    }
  }
}

static void send_answers(struct remote_console *remote)
{
  end_text(remote);
  const size_t before = frame_pending(&remote->answers);
  if (remote->fd >= 0 && !frame_flush(&remote->answers, remote->fd)) {
    hang_up(remote);
  }
  const size_t after = frame_pending(&remote->answers);
  const bool waits = after > (remote->leaving ? 0 : REMOTE_KEPT);
  if (!waits || after < before) {
    remote->moving_ms = monotonic_ms();
  } else if (monotonic_ms() - remote->moving_ms >= REMOTE_STALL_MS) {
    hang_up(remote);
  }
}

void remote_console_work(struct remote_console *remote)
{
  if (remote->fd >= 0) {
    receive_requests(remote);
    take_request(remote);
  }
  poll_command(remote);
  send_answers(remote);
  if (remote->leaving && frame_pending(&remote->answers) == 0) {
    hang_up(remote);
  }
  remote->in_use = remote->fd >= 0 || remote_console_has_job(remote) || remote->resets;
}

bool remote_console_is_busy(const struct remote_console *remote)
{
  struct frame frame;
  if (!may_go_on(remote)) {
    return false;
  }
  if (remote_console_has_job(remote)) {
    return !console_is_waiting(&remote->console);
  }
  /* Without further requests, the next round is the one that hangs up. */
  return remote->fd >= 0 && !remote->leaving &&
         (remote->no_more || frame_peek(&remote->requests, &frame) != FRAME_PARTIAL);
}

bool remote_console_has_job(const struct remote_console *remote)
{
  return remote->console.job.step != NULL;
}

short remote_console_events(const struct remote_console *remote)
{
  const bool reads = remote->fd >= 0 && !remote->no_more && frame_has_room(&remote->requests);
  const bool writes = remote->fd >= 0 && frame_pending(&remote->answers) > 0;
  return (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

void remote_console_cancel(struct remote_console *remote)
{
  if (remote_console_has_job(remote)) {
    console_cancel(&remote->console);
    end_request(remote, MODULE_ERR_CANCELLED);
  }
}

void remote_console_reset(struct remote_console *remote)
{
  if (remote_console_has_job(remote)) {
    console_reset(&remote->console);
    end_request(remote, MODULE_ERR_RESET);
  }
}

void remote_console_restart(struct remote_console *remote, struct module *module)
{
  console_start(&remote->console, module, remote, write_text);
  if (remote->resets) {
    remote->resets = false;
    end_request(remote, LB_OK);
  }
}

void remote_console_close(struct remote_console *remote, enum frame_farewell reason)
{
  if (remote->fd >= 0 && !remote->leaving) {
    say_farewell(remote, reason);
  }
  if (remote->fd >= 0) {
    (void)frame_flush(&remote->answers, remote->fd); /* what it does not take now, it does not get */
  }
  hang_up(remote);
  remote->in_use = false;
}
