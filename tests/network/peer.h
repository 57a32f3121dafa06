// SPDX-License-Identifier: MIT
/*
 * A server on the loopback that is as bad as servers and networks get, in the same thread as its client: it does a
 * little each time it is asked to, and what it does follows from its seed and the number of the connection alone.
 */
#ifndef TESTS_NETWORK_PEER_H
#define TESTS_NETWORK_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ports/sim/clock.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"
#include "tool/patch/make.h"

enum peer_behaviour {
  PEER_GOOD,
  PEER_DRIBBLE,      /* right, but in small packets */
  PEER_REORDER,      /* right, but its header's lines are in another order, and spelt as nobody else would */
  PEER_REDIRECT,     /* right, but elsewhere */
  PEER_DROP,         /* hangs up on the way */
  PEER_DROP_HEADERS, /* hangs up in the header */
  PEER_RESET,        /* the connection breaks on the way */
  PEER_REFUSE,       /* breaks before anything is said */
  PEER_STALL,        /* falls silent on the way */
  PEER_TRICKLE,      /* a byte now and then from there on */
  PEER_BUSY,         /* 500, 503 or 429 */
  PEER_NOT_FOUND,
  PEER_CIRCLE, /* redirects in a circle */
  PEER_PORTAL, /* a captive portal's page */
  PEER_PORTAL_REDIRECT,
  PEER_MANGLE,         /* a line of the header is destroyed */
  PEER_LENGTH_SHORT,   /* announces less than it sends */
  PEER_LENGTH_LONG,    /* more */
  PEER_LENGTH_STRANGE, /* no number, a huge one, or several */
  PEER_NO_LENGTH,
  PEER_CHUNKED,
  PEER_REPEAT,  /* some bytes come twice */
  PEER_CORRUPT, /* a bit is wrong */
  PEER_WEAK,    /* only a weak validator */
  PEER_NO_TAG,
  PEER_CHANGE,     /* another file from now on */
  PEER_LIE,        /* the same under the same ETag */
  PEER_WHOLE,      /* 200 though a part was asked for */
  PEER_BLIND,      /* 206 of another file, under its ETag, though If-Range was about the one before */
  PEER_OTHER_PART, /* 206 with another Content-Range than it should have */
  PEER_NO_PART,    /* 416 */
  PEER_MULTIPART,
  PEER_BEHAVIOURS
};

const char *peer_behaviour_name(enum peer_behaviour behaviour);

#define PEER_FILES 6U

/* A patch that lies beside the file, for one of the images that a module may have. */
struct peer_patch {
  uint32_t file; /* that it makes */
  uint8_t base[LB_SHA256_SIZE];
  struct patch_bytes bytes;
};

#define PEER_PATCHES 3U

/* How a connection ends when all that is to be sent has been. */
enum peer_end { PEER_END_CLOSE, PEER_END_RESET, PEER_END_SILENT, PEER_END_TRICKLE };

struct peer {
  const struct built_image *files;  /* PEER_FILES of them */
  const struct peer_patch *patches; /* PEER_PATCHES of them */
  const struct sim_clock *clock;
  uint16_t port;
  uint64_t played[PEER_BEHAVIOURS]; /* how often, over all sessions */

  /* the present session */
  struct unit_random random;
  uint32_t patience; /* connections after which only right answers come */
  uint32_t connections;
  uint32_t file;    /* that it has now */
  uint32_t version; /* of its ETag */
  bool has_patches; /* there is a list beside the file */
  bool lied;        /* two files have had the same ETag */
  bool damaged;     /* some bytes came that were not the file's, and nobody could know */
  bool all_strong;  /* each answer with a file has had a strong ETag so far */
  uint64_t first;   /* of the last request: 0 without Range */
  bool whole;       /* it is for a file, and its answer is 200 */
  uint64_t looks;   /* requests for the version file, over all sessions */
  uint64_t lists;   /* and for the list of patches */

  /* the present connection */
  int listener;
  int connection; /* -1: none */
  char request[2048];
  size_t request_length;
  bool answering;
  uint8_t *answer; /* what is to be sent */
  size_t answer_capacity;
  size_t answer_length;
  size_t sent;
  size_t packet;
  enum peer_end end;
  size_t trickled;  /* for PEER_END_TRICKLE: bytes behind answer_length that were sent */
  uint64_t next_us; /* of the clock, when the next one is */
};

/* Listens. False if the system does not let it. */
bool peer_open(struct peer *peer, const struct built_image *files, const struct sim_clock *clock);
void peer_close(struct peer *peer);

/* Forgets everything for the session of that seed. */
void peer_begin(struct peer *peer, uint64_t seed);

/* Does what can be done at once. False: nothing. */
bool peer_step(struct peer *peer);

/* ---- answers.c ---- */

/* Makes the answer to peer->request. */
void peer_make_answer(struct peer *peer);

#endif
