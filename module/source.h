// SPDX-License-Identifier: MIT
/* Where an image comes from: a server, a file, or another slot. All are read without blocking, in pieces. */
#ifndef MODULE_SOURCE_H
#define MODULE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/verify.h"
#include "module/port.h"

#define SOURCE_NAME_SIZE 512U /* bytes of a URL or path with its NUL */

enum source_kind { SOURCE_HTTP, SOURCE_FILE, SOURCE_SLOT };

enum source_answer {
  SOURCE_WHOLE,  /* all of it comes */
  SOURCE_PART,   /* what was asked for comes: from `first` on */
  SOURCE_NO_PART /* a part was asked for, and this is none of that: nothing of it can be used */
};

struct source {
  enum source_kind kind;
  char name[SOURCE_NAME_SIZE]; /* as the user gave it */
  struct lb_partition slot;    /* of SOURCE_SLOT, given by the user of this struct like the two above */
  const char *url; /* of SOURCE_HTTP: what is fetched, where that is not `name`; NULL. It stays the user's */
  const struct port *port;
  uint64_t first;                 /* of SOURCE_HTTP, given by the user, too: the byte to begin with */
  const char *validator;          /* and where that is not 0, what it has to be a part of: a strong ETag */
  struct port_transfer *transfer; /* of SOURCE_HTTP */
  struct port_file *file;         /* of SOURCE_FILE */
  int http_status;                /* of the answer, 0 before it */
  struct port_reply reply;        /* of SOURCE_HTTP, once source_describe said LB_OK */
  enum source_answer answer;      /* then, too */
  const struct lb_device *device; /* of SOURCE_SLOT: the slot is verified before its size is known */
  struct lb_verify verify;
  uint32_t position;
  uint64_t size; /* of the whole, announced, once source_describe said LB_OK and it is not SOURCE_NO_PART */
};

/* Opens it. A file is there or not at once; a server answers later. PORT_ERR_... */
int source_open(struct source *source);

/* LB_MORE until the size is known, then LB_OK. PORT_ERR_..., MODULE_ERR_STATUS, MODULE_ERR_NO_LENGTH, LB_ERR_... */
int source_describe(struct source *source);

/* Up to `capacity` bytes. LB_MORE: `*got` bytes, perhaps 0, and more will come; LB_OK: the last ones. PORT_ERR_... */
int source_read(struct source *source, void *buffer, uint32_t capacity, uint32_t *got);

/*
 * Is that a strong ETag with its quotes, of printable characters, that fits into PORT_VALIDATOR_SIZE? Only such a one
 * is sent back to a server, whoever it came from.
 */
bool source_is_strong_tag(const char *text);

/* Closes it, if it is open. */
void source_close(struct source *source);

#endif
