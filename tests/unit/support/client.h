// SPDX-License-Identifier: MIT
/*
 * Who updates a module over a link: it resumes if it can, begins anew if it cannot, asks for the bytes from where the
 * session stands, and counts them.
 */
#ifndef TESTS_UNIT_SUPPORT_CLIENT_H
#define TESTS_UNIT_SUPPORT_CLIENT_H

#include "tests/unit/support/fixture.h"

struct client {
  struct lb_update update;
  bool resumed;         /* the last session went on with an earlier one */
  uint32_t begun_at;    /* the byte it asked for first */
  uint32_t transferred; /* bytes that the last session took from the link */
};

/*
 * A whole update: the first error, or LB_OK. Fails the test if a call does more than one erase and one page, if reading
 * what is there already changes anything, or if it goes on for ever. Takes only `limit` bytes of the image from the
 * link; with less than all of them it stops there and returns LB_MORE.
 */
int client_update(struct fixture *fixture, struct client *client, const struct lb_update_config *config,
                  const uint8_t *bytes, uint32_t length, uint32_t limit);

/* fixture_config with a size, a source, and a validator. */
struct lb_update_config client_config(struct fixture *fixture, const char *running, const char *target, uint32_t size);

/* Resumes without going on: what lb_update_resume and its steps say at last. */
int client_resume(struct fixture *fixture, struct client *client, const struct lb_update_config *config);

#define CLIENT_SOURCE    "http://depot.example/ovms3.bin"
#define CLIENT_VALIDATOR "\"5f3a-1\""

#endif
