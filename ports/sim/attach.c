// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ports/sim/console_frame.h"
#include "ports/sim/console_socket.h"
#include "ports/sim/input.h"
#include "ports/sim/signals.h"

#define GREETING_MS   10000U
#define COMPLETION_MS 5000U /* an erase takes a second or two, and the module does nothing else meanwhile */
#define RESULT_SIZE   4U
#define WAIT_MS       1000 /* a signal that comes just before a wait is noticed after this */

#define STRANGER      "whoever listens there is no module of this version - give the path of a module's socket"

/* What the connection is: everything but open is its end. */
enum link {
  LINK_OPEN,
  LINK_LEFT, /* after `exit` */
  LINK_LOST, /* for another reason */
  LINK_HALTED,
  LINK_TERMINATED /* by a signal to us, or by a second Ctrl-C */
};

struct attachment {
  const char *path;
  int fd;
  struct input *input;
  enum link link;
  const char *cause; /* of LINK_LOST and LINK_HALTED */
  bool executing;    /* a line is under way: SIGINT cancels it */
  bool cancelled;    /* by SIGINT */
  unsigned late;     /* requests that were given up: their answers are still to come, and are of no interest */
  struct frame_receiver answers;
  /* who gets candidates */
  void (*candidate)(void *context, const char *word);
  void *candidate_context;
  int result; /* of the request that was answered last */
};

static uint64_t monotonic_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

/* ---- the end of the connection ---- */

static void lose(struct attachment *attachment, const char *cause)
{
  attachment->cause = cause;
  attachment->link = LINK_LOST;
}

static void hear_farewell(struct attachment *attachment, const struct frame *frame)
{
  switch ((enum frame_farewell)frame->payload[0]) {
  case FAREWELL_EXIT:
    attachment->link = LINK_LEFT;
    return;
  case FAREWELL_OFF:
    lose(attachment, "the module was switched off - start it again and attach again");
    return;
  case FAREWELL_HALTED:
    lose(attachment, "the module has halted: nothing on its flash boots - see its boot log");
    attachment->link = LINK_HALTED;
    return;
  case FAREWELL_FULL:
    lose(attachment, "the module has as many consoles as it takes - leave one of them");
    return;
  case FAREWELL_WRONG:
    break;
  }
  lose(attachment, "the module does not understand this program - use the same version of both");
}

/* ---- frames ---- */

static void request(struct attachment *attachment, enum frame_kind kind, const char *text)
{
  struct frame_sender sender = {0};
  const size_t length = strnlen(text, FRAME_PAYLOAD); /* a longer line is refused by the console as it is */
  if (!frame_put(&sender, kind, text, length)) {
    lose(attachment, "there is no memory - close other programs");
  } else if (frame_flush(&sender, attachment->fd) && frame_pending(&sender) > 0) {
    lose(attachment, "the module takes no more requests - see what it does");
  }
  /* If it has hung up, what it has said is still to be read: the wait for the answer comes to the end of that. */
  frame_sender_clear(&sender);
}

static int32_t result_of(const struct frame *frame)
{
  uint32_t value = 0;
  for (unsigned i = 0; i < RESULT_SIZE; i++) {
    value |= (uint32_t)(uint8_t)frame->payload[i] << (8U * i);
  }
  return (int32_t)value;
}

/* One frame of the module. True: it ends the request that is waited for. */
static bool take_frame(struct attachment *attachment, const struct frame *frame)
{
  const bool wanted = attachment->late == 0;
  switch (frame->kind) {
  case FRAME_OUTPUT:
    if (wanted) {
      (void)fwrite(frame->payload, 1, frame->length, stdout);
    }
    return false;
  case FRAME_CANDIDATE:
    if (wanted && attachment->candidate) {
      attachment->candidate(attachment->candidate_context, frame->payload);
    }
    return false;
  case FRAME_END:
    if (frame->length != RESULT_SIZE) {
      lose(attachment, STRANGER);
      return false;
    }
    attachment->result = result_of(frame);
    attachment->late -= wanted ? 0 : 1;
    return wanted;
  case FRAME_FAREWELL:
    hear_farewell(attachment, frame);
    return false;
  default:
    lose(attachment, STRANGER);
    return false;
  }
}

/* All frames that are there, up to the one that ends a request: then true. */
static bool take_frames(struct attachment *attachment)
{
  struct frame frame;
  while (attachment->link == LINK_OPEN) {
    const enum frame_state state = frame_peek(&attachment->answers, &frame);
    if (state == FRAME_WRONG) {
      lose(attachment, STRANGER);
    }
    if (state != FRAME_WHOLE) {
      return false;
    }
    frame_drop(&attachment->answers);
    if (take_frame(attachment, &frame)) {
      return true;
    }
  }
  return false;
}

/* Takes what has come. Frames that came before the end of the connection still count. */
static void receive(struct attachment *attachment)
{
  struct frame frame;
  if (frame_receive(&attachment->answers, attachment->fd) == FRAME_CLOSED &&
      frame_peek(&attachment->answers, &frame) != FRAME_WHOLE) {
    lose(attachment, "the module has hung up - see whether it still runs, and attach again");
  }
}

/* ---- waiting for the module ---- */

static void heed_signals(struct attachment *attachment)
{
  if (signals_terminated()) {
    attachment->link = LINK_TERMINATED;
  } else if (attachment->executing && signals_take_interrupt()) {
    if (attachment->cancelled) {
      attachment->link = LINK_TERMINATED;
    } else {
      attachment->cancelled = true;
      request(attachment, FRAME_CANCEL, "");
    }
  }
}

/* Until the request is answered (true), for at most `patience_ms`; 0: as long as it takes. */
static bool await(struct attachment *attachment, uint64_t patience_ms)
{
  const uint64_t begin = monotonic_ms();
  while (!take_frames(attachment)) {
    heed_signals(attachment);
    if (attachment->link != LINK_OPEN) {
      return false;
    }
    if (patience_ms > 0 && monotonic_ms() - begin >= patience_ms) {
      return false;
    }
    struct pollfd descriptor = {.fd = attachment->fd, .events = POLLIN};
    (void)fflush(stdout);
    if (poll(&descriptor, 1, WAIT_MS) > 0) {
      receive(attachment);
    }
  }
  (void)fflush(stdout);
  return true;
}

/* For a person who waits with a half-typed line: an answer that does not come soon is given up. */
static void ask(struct attachment *attachment, enum frame_kind kind, const char *line)
{
  request(attachment, kind, line);
  if (!await(attachment, COMPLETION_MS) && attachment->link == LINK_OPEN) {
    attachment->late++;
  }
}

/* ---- the input's host ---- */

static enum input_event wait_for_input(void *context)
{
  struct attachment *attachment = context;
  while (attachment->link == LINK_OPEN) {
    struct pollfd descriptors[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = attachment->fd, .events = POLLIN}};
    if (signals_terminated()) {
      return INPUT_END;
    }
    if (signals_take_interrupt()) {
      return INPUT_INTERRUPTED;
    }
    if (poll(descriptors, 2, 0) <= 0) {
      (void)poll(descriptors, 2, WAIT_MS); /* then the signals first: one may have come together with the input's end */
    } else if (descriptors[1].revents) {
      receive(attachment);
      (void)take_frames(attachment);
    } else {
      return INPUT_READY;
    }
  }
  return INPUT_END;
}

static void complete(void *context, const char *line, void (*candidate)(void *context, const char *word),
                     void *candidate_context)
{
  struct attachment *attachment = context;
  attachment->candidate = candidate;
  attachment->candidate_context = candidate_context;
  ask(attachment, FRAME_COMPLETE, line);
  attachment->candidate = NULL;
}

static void explain(void *context, const char *line)
{
  ask(context, FRAME_EXPLAIN, line);
}

/* ---- lines ---- */

/* Has a line executed. True: the module has answered, with attachment->result. */
static bool execute(struct attachment *attachment, const char *line)
{
  attachment->executing = true;
  attachment->cancelled = false;
  request(attachment, FRAME_EXECUTE, line);
  bool answered = await(attachment, 0);
  attachment->executing = false;
  return answered;
}

static enum attach_end talk(struct attachment *attachment, bool keep_going)
{
  enum attach_end so_far = ATTACH_DONE;
  const bool person = input_is_terminal(attachment->input);
  const char *line;
  while (attachment->link == LINK_OPEN && !signals_terminated() && (line = input_line(attachment->input)) != NULL) {
    bool answered = execute(attachment, line);
    if (attachment->cancelled && !person) {
      return ATTACH_INTERRUPTED; /* even if the line was done before it could be cancelled */
    }
    if (answered && attachment->result != LB_OK && !person) {
      so_far = ATTACH_FAILED;
      if (!keep_going) {
        return so_far;
      }
    }
  }
  return input_was_interrupted(attachment->input) ? ATTACH_INTERRUPTED : so_far;
}

/* The first frame says who listens. */
static bool is_greeted(struct attachment *attachment)
{
  struct frame frame;
  const uint64_t begin = monotonic_ms();
  enum frame_state state;
  while ((state = frame_peek(&attachment->answers, &frame)) == FRAME_PARTIAL) {
    struct pollfd descriptor = {.fd = attachment->fd, .events = POLLIN};
    if (signals_terminated() || signals_take_interrupt()) {
      attachment->link = LINK_TERMINATED;
    } else if (monotonic_ms() - begin >= GREETING_MS) {
      lose(attachment, "the module does not answer - try again, or see what it does");
    } else if (poll(&descriptor, 1, WAIT_MS) > 0) {
      receive(attachment);
    }
    if (attachment->link != LINK_OPEN) {
      return false;
    }
  }
  if (state == FRAME_WHOLE && frame.kind == FRAME_FAREWELL) {
    hear_farewell(attachment, &frame);
    return false;
  }
  if (state == FRAME_WRONG || frame.kind != FRAME_GREETING || strcmp(frame.payload, FRAME_GREETING_TEXT) != 0) {
    lose(attachment, STRANGER);
    return false;
  }
  frame_drop(&attachment->answers);
  return true;
}

static enum attach_end end_of(const struct attachment *attachment, enum attach_end so_far)
{
  switch (attachment->link) {
  case LINK_LOST:
    return ATTACH_FAILED;
  case LINK_HALTED:
    return ATTACH_HALTED;
  case LINK_TERMINATED:
    return ATTACH_INTERRUPTED;
  case LINK_OPEN:
  case LINK_LEFT:
    break;
  }
  return so_far;
}

enum attach_end attach_run(const struct attach_options *options)
{
  struct attachment attachment = {.path = options->path, .fd = -1, .link = LINK_OPEN};
  const struct input_host host = {
      .context = &attachment, .wait = wait_for_input, .complete = complete, .explain = explain};
  signals_catch();
  attachment.fd = console_socket_connect(options->path);
  if (attachment.fd < 0) {
    return ATTACH_FAILED;
  }
  enum attach_end end = ATTACH_DONE;
  if (is_greeted(&attachment)) {
    attachment.input = input_open(&host);
    if (attachment.input) {
      end = talk(&attachment, options->keep_going);
    } else {
      lose(&attachment, "the terminal cannot be used - close other programs");
    }
  }
  end = end_of(&attachment, end);
  input_close(attachment.input);
  close(attachment.fd);
  (void)fflush(stdout);
  if (attachment.cause) {
    fprintf(stderr, "Error: %s: %s\n", attachment.path, attachment.cause);
  }
  return end;
}
