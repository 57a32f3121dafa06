// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ports/sim/network_transfer.h"

#define SSID_SIZE 33U /* 32 bytes, as in IEEE 802.11 */

struct sim_network {
  struct port_network port;
  struct sim_clock *clock;
  struct transfer_setup setup;
  char *ca_file;
  bool is_up;
  char ssid[SSID_SIZE];
  struct port_transfer transfers[SIM_NETWORK_TRANSFERS];
};

/* ---- running ---- */

static void collect_results(struct sim_network *network)
{
  int waiting = 0;
  for (CURLMsg *message; (message = curl_multi_info_read(network->setup.multi, &waiting));) {
    struct port_transfer *transfer = NULL;
    if (message->msg == CURLMSG_DONE &&
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer) == CURLE_OK) {
      transfer_done(transfer, message->data.result);
    }
  }
}

/* Lets libcurl do what can be done without waiting. */
static void run(struct sim_network *network)
{
  int running = 0;
  curl_multi_perform(network->setup.multi, &running);
  collect_results(network);
  for (unsigned i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    if (network->transfers[i].easy) {
      transfer_attend(&network->transfers[i]);
    }
  }
}

/* The clock's way to wait: for our sockets and its own descriptors. */
static int wait_for_sockets(void *context, struct pollfd *descriptors, unsigned count, int timeout_ms)
{
  struct sim_network *network = context;
  struct curl_waitfd extra[SIM_CLOCK_WATCHED];
  int happened = 0;
  for (unsigned i = 0; i < count; i++) {
    extra[i] = (struct curl_waitfd){.fd = descriptors[i].fd, .events = CURL_WAIT_POLLIN};
  }
  if (curl_multi_poll(network->setup.multi, extra, count, timeout_ms, &happened)) {
    return -1;
  }
  return happened;
}

/* The clock only asks us while there is something to wait for. */
static void tell_clock(struct sim_network *network)
{
  const struct sim_clock_waiter waiter = {.wait = wait_for_sockets, .context = network};
  bool in_use = false;
  for (unsigned i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    in_use = in_use || network->transfers[i].easy;
  }
  sim_clock_wait_with(network->clock, in_use ? &waiter : NULL);
}

/* ---- the link ---- */

static bool is_up(void *context)
{
  return ((const struct sim_network *)context)->is_up;
}

static const char *ssid(void *context)
{
  return ((const struct sim_network *)context)->ssid;
}

static int set_link(void *context, bool up, const char *name)
{
  struct sim_network *network = context;
  const size_t length = strlen(name);
  if (length >= sizeof network->ssid) {
    return PORT_ERR_SSID;
  }
  if (up && length > 0) {
    memcpy(network->ssid, name, length + 1);
  }
  network->is_up = up;
  for (unsigned i = 0; i < SIM_NETWORK_TRANSFERS && !up; i++) {
    transfer_fail(&network->transfers[i], PORT_ERR_LINK_DOWN);
  }
  return LB_OK;
}

/* ---- transfers ---- */

static int network_open(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  struct sim_network *network = context;
  if (!network->is_up) {
    return PORT_ERR_LINK_DOWN;
  }
  for (unsigned i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    if (!network->transfers[i].easy) {
      const int err = transfer_begin(&network->transfers[i], &network->setup, request);
      network->transfers[i].network = network;
      *transfer = err ? NULL : &network->transfers[i];
      tell_clock(network);
      return err;
    }
  }
  return PORT_ERR_BUSY;
}

static int network_reply(struct port_transfer *transfer, struct port_reply *reply)
{
  if (!transfer->has_reply) {
    run(transfer->network);
  }
  /* once known, it stays known, even if the body failed meanwhile */
  if (!transfer->has_reply) {
    return transfer->state == TRANSFER_FAILED ? transfer->error : LB_MORE;
  }
  *reply = transfer->reply;
  return LB_OK;
}

static int network_read(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  if (transfer->buffer_length <= capacity) {
    run(transfer->network);
  }
  *got = transfer_take(transfer, buffer, capacity);
  if (transfer->buffer_length > 0) {
    return LB_MORE;
  }
  switch (transfer->state) {
  case TRANSFER_COMPLETE:
    return LB_OK;
  case TRANSFER_FAILED:
    return *got > 0 ? LB_MORE : transfer->error; /* the bytes first, the error with the next call */
  default:
    return LB_MORE;
  }
}

static void network_close(struct port_transfer *transfer)
{
  struct sim_network *network = transfer->network;
  transfer_end(transfer);
  tell_clock(network);
}

/* ---- all of it ---- */

static bool append(struct curl_slist **list, const char *text)
{
  struct curl_slist *longer = curl_slist_append(*list, text);
  *list = longer ? longer : *list;
  return longer != NULL;
}

/* "NAME=ADDR:PORT" is libcurl's "NAME::ADDR:PORT": any port of NAME is at ADDR:PORT. */
static int add_host(struct sim_network *network, const char *host)
{
  if (!sim_network_host_is_valid(host)) {
    return LB_ERR_ARGUMENT;
  }
  char *text = NULL;
  const size_t name = strcspn(host, "=");
  if (asprintf(&text, "%.*s::%s", (int)name, host, host + name + 1) < 0) {
    return PORT_ERR_FILE_IO;
  }
  const bool added = append(&network->setup.hosts, text);
  free(text);
  return added ? LB_OK : PORT_ERR_FILE_IO;
}

static int prepare(struct sim_network *network, const struct sim_network_options *options)
{
  int err = set_link(network, true, options->ssid ? options->ssid : "");
  network->is_up = options->link_up;
  for (unsigned i = 0; i < options->host_count && !err; i++) {
    err = add_host(network, options->hosts[i]);
  }
  if (err) {
    return err;
  }
  if (options->ca_file) {
    if (access(options->ca_file, R_OK)) {
      return PORT_ERR_FILE_NOT_FOUND;
    }
    network->ca_file = strdup(options->ca_file);
    network->setup.ca_file = network->ca_file;
    if (!network->ca_file) {
      return PORT_ERR_FILE_IO;
    }
  }
  network->setup.multi = curl_multi_init();
  return network->setup.multi ? LB_OK : PORT_ERR_FILE_IO;
}

int sim_network_open(struct sim_network **network, const struct sim_network_options *options)
{
  *network = NULL;
  if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
    return PORT_ERR_FILE_IO;
  }
  struct sim_network *opened = calloc(1, sizeof *opened);
  if (!opened) {
    curl_global_cleanup();
    return PORT_ERR_FILE_IO;
  }
  opened->clock = options->clock;
  opened->setup.clock = &options->clock->port;
  opened->port = (struct port_network){
      .context = opened,
      .is_up = is_up,
      .set_link = set_link,
      .ssid = ssid,
      .open = network_open,
      .reply = network_reply,
      .read = network_read,
      .close = network_close,
  };
  const int err = prepare(opened, options);
  if (err) {
    sim_network_close(opened);
    return err;
  }
  *network = opened;
  return LB_OK;
}

void sim_network_close(struct sim_network *network)
{
  if (!network) {
    return;
  }
  for (unsigned i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    transfer_end(&network->transfers[i]);
  }
  sim_clock_wait_with(network->clock, NULL);
  curl_multi_cleanup(network->setup.multi);
  curl_slist_free_all(network->setup.hosts);
  free(network->ca_file);
  free(network);
  curl_global_cleanup();
}

const struct port_network *sim_network_port(struct sim_network *network)
{
  return &network->port;
}
