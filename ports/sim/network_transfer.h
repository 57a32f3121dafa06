// SPDX-License-Identifier: MIT
/* One transfer: what libcurl calls while it runs, and what has come so far. For network.c. */
#ifndef PORTS_SIM_NETWORK_TRANSFER_H
#define PORTS_SIM_NETWORK_TRANSFER_H

#include <curl/curl.h>

#include "module/port.h"

struct sim_network;

/* The buffer takes at least one of libcurl's writes; while the next one does not fit, the transfer is paused. */
#define TRANSFER_BUFFER_SIZE CURL_MAX_WRITE_SIZE

/* A server that does not close the connection after the announced length is not waited for longer than this. */
#define TRANSFER_LINGER_MS   500U

/* Not having looked for longer than this is our own silence, not the server's. */
#define TRANSFER_GAP_MS      1000U

/* A server that sends less than this in that time, though it is never silent for long, will never get there. */
#define TRANSFER_SLOW_BYTES  1024U
#define TRANSFER_SLOW_MS     (5U * PORT_NETWORK_TIMEOUT_MS)

/* What all transfers have in common; the network's. */
struct transfer_setup {
  CURLM *multi;
  struct curl_slist *hosts; /* for CURLOPT_CONNECT_TO */
  const char *ca_file;      /* NULL: the computer's authorities */
  const struct port_clock *clock;
};

enum transfer_state {
  TRANSFER_HEADERS,  /* the final answer's headers are not complete */
  TRANSFER_REDIRECT, /* complete, and they send us elsewhere */
  TRANSFER_BODY,     /* complete, the body is coming */
  TRANSFER_COMPLETE, /* all has come */
  TRANSFER_FAILED,
};

struct port_transfer {
  struct sim_network *network; /* whose it is; network.c sets it */
  const struct transfer_setup *setup;
  CURL *easy; /* NULL: not in use */
  char *url;
  struct curl_slist *headers; /* of the request */
  unsigned redirects;
  enum transfer_state state;
  int error;      /* while TRANSFER_FAILED */
  bool has_reply; /* the final answer's headers are known: */
  struct port_reply reply;
  uint64_t received;      /* bytes of the body */
  uint64_t attended_ms;   /* when we looked last */
  uint64_t silence_ms;    /* for how long nothing has come, as far as we looked */
  uint64_t slow_ms;       /* for how long less than TRANSFER_SLOW_BYTES have come, in the same way: */
  uint64_t slow_bytes;    /* these */
  bool paused;            /* libcurl waits for room in the buffer */
  uint32_t buffer_begin;  /* the bytes that were not read yet: */
  uint32_t buffer_length; /* this many from there */
  uint8_t buffer[TRANSFER_BUFFER_SIZE];
  char error_text[CURL_ERROR_SIZE];
};

/* Begins. PORT_ERR_URL; PORT_ERR_BUSY if libcurl has no memory for it; LB_ERR_ARGUMENT for a part without a strong
 * validator. */
int transfer_begin(struct port_transfer *transfer, const struct transfer_setup *setup,
                   const struct port_request *asked);

/* Ends it and frees what it has; safe if it never began. */
void transfer_end(struct port_transfer *transfer);

/* What libcurl said at the end of it. */
void transfer_done(struct port_transfer *transfer, CURLcode code);

/* Goes where a redirect leads, resumes after a pause, notices that nothing comes any more. */
void transfer_attend(struct port_transfer *transfer);

/* Gives it up with this error; what has come can still be read. */
void transfer_fail(struct port_transfer *transfer, int error);

/* Takes bytes out of the buffer. */
uint32_t transfer_take(struct port_transfer *transfer, void *buffer, uint32_t capacity);

/* A header of the last answer, the `index`-th of that name, of how many; NULL: there is none. */
const char *transfer_header(const struct port_transfer *transfer, const char *name, size_t index, size_t *count);

/* The headers are complete: fills transfer->reply. False: they contradict each other, so that this is no HTTP. */
bool transfer_read_reply(struct port_transfer *transfer, int status);

/* The PORT_ERR_... of what libcurl said. */
int transfer_error_of(const struct port_transfer *transfer, CURLcode code);

#endif
