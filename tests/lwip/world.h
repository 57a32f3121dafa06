// SPDX-License-Identifier: MIT
/* The module's network on the cable, what it downloads, and whether lwIP has got its memory back. */
#ifndef TESTS_LWIP_WORLD_H
#define TESTS_LWIP_WORLD_H

#include "module/port.h"
#include "tests/lwip/cable.h"
#include "tests/lwip/peer.h"
#include "tests/lwip/peer_tcp.h"

#define WORLD_BODY_SIZE (100U * 1024U + 123U)
#define WORLD_STEP_MS   10U

extern const struct port_network *world_network;
extern uint8_t world_body[WORLD_BODY_SIZE]; /* what servers have to give */

/* ---- for cmocka ---- */

int world_open(void **state);    /* the network, once: it has no end */
int world_setup(void **state);   /* of each test: all is well, and the module has its address */
int world_cleanup(void **state); /* ends the transfers, and wants all memory back */

void world_pass(uint32_t ms);

/* ---- downloads ---- */

struct download {
  struct port_transfer *transfer;
  bool has_reply;
  struct port_reply reply;
  int result;    /* LB_MORE, and at the end what it ended with */
  uint64_t took; /* milliseconds until then */
  uint64_t begun_ms;
  uint32_t piece; /* bytes to read at once */
  uint32_t length;
  uint8_t body[WORLD_BODY_SIZE + 2000U];
};

/* Opens one; must work. */
void download_open(struct download *download, const char *url);
void download_open_part(struct download *download, const char *url, uint64_t first, const char *validator);

/* Looks once for what has come. False: it has ended. */
bool download_look(struct download *download);

/* Until it ends; longer than an hour fails the test. */
void download_run(struct download *download);

void download_close(struct download *download);

/* Opens, runs, closes; the result. */
int download_all(struct download *download, const char *url);

/* Ended well, and brought world_body from `first` on. */
void assert_whole(const struct download *download, uint32_t first);

/* The one for tests that need no more. */
extern struct download world_download;

/* ---- answers ---- */

/* All of world_body; a Range is honoured. */
void answer_body(struct peer_connection *connection);

/* Headers with this length, and so many bytes of world_body. */
void answer_bytes(struct peer_connection *connection, uint32_t announced, uint32_t length);

/* A text as it stands. */
void answer_text(struct peer_connection *connection, const char *text);

#endif
