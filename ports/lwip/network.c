// SPDX-License-Identifier: MIT
#include "ports/lwip/network.h"

#include <string.h>

#include "ports/lwip/ethernet_netif.h"
#include "ports/lwip/transfer.h"
#include <lwip/dhcp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>

#define SSID_SIZE 33U /* 32 bytes, as in IEEE 802.11 */

static struct {
  const struct port_clock *clock;
  struct netif netif;
  bool is_on; /* the module wants the link */
  uint32_t random;
  struct port_transfer transfers[NETWORK_TRANSFERS];
} network;

/* ---- what lwIP asks of the board ---- */

u32_t sys_now(void)
{
  return (u32_t)network.clock->now_ms(network.clock->context);
}

/* A counter through a good mixing function (MurmurHash3's finalizer): each comes once, and gives the next ones away. */
u32_t network_random(void)
{
  network.random += 0x9E3779B9U;
  uint32_t mixed = network.random;
  mixed = (mixed ^ (mixed >> 16)) * 0x85EBCA6BU;
  mixed = (mixed ^ (mixed >> 13)) * 0xC2B2AE35U;
  return mixed ^ (mixed >> 16);
}

/* ---- the link ---- */

static bool has_address(void)
{
  return network.is_on && !ip4_addr_isany(netif_ip4_addr(&network.netif));
}

bool network_address(uint8_t address[4])
{
  const ip4_addr_t *own = netif_ip4_addr(&network.netif);
  memcpy(address, &own->addr, 4); /* it is in network byte order */
  return has_address();
}

static bool is_up(void *context)
{
  (void)context;
  return has_address();
}

static const char *ssid(void *context)
{
  (void)context;
  return "ethernet";
}

static void take_down(void)
{
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    transfer_end(&network.transfers[i], PORT_ERR_LINK_DOWN);
  }
  dhcp_release_and_stop(&network.netif);
  netif_set_link_down(&network.netif);
  netif_set_down(&network.netif);
  network.is_on = false;
}

static int take_up(void)
{
  netif_set_up(&network.netif);
  netif_set_link_up(&network.netif);
  network.is_on = true;
  if (dhcp_start(&network.netif) != ERR_OK) {
    take_down(); /* no memory: whoever tries again begins anew */
    return PORT_ERR_LINK_DOWN;
  }
  return LB_OK;
}

/* There is only one cable, whatever the network's name. */
static int set_link(void *context, bool up, const char *name)
{
  (void)context;
  if (strlen(name) >= SSID_SIZE) {
    return PORT_ERR_SSID;
  }
  if (up && !network.is_on) {
    return take_up();
  }
  if (!up && network.is_on) {
    take_down();
  }
  return LB_OK;
}

/* ---- transfers ---- */

void network_poll(void)
{
  ethernet_netif_poll(&network.netif);
  sys_check_timeouts();
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    transfer_attend(&network.transfers[i], has_address());
  }
}

static int open_transfer(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  (void)context;
  *transfer = NULL;
  if (!network.is_on) {
    return PORT_ERR_LINK_DOWN;
  }
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    if (network.transfers[i].state == TRANSFER_UNUSED) {
      const int err = transfer_begin(&network.transfers[i], network.clock, request);
      *transfer = err ? NULL : &network.transfers[i];
      return err;
    }
  }
  return PORT_ERR_BUSY;
}

static int reply(struct port_transfer *transfer, struct port_reply *answer)
{
  network_poll();
  /* once known, it stays known, even if the body failed meanwhile */
  if (transfer->response.has_reply) {
    *answer = transfer->response.reply;
    return LB_OK;
  }
  return transfer->state == TRANSFER_ENDED ? transfer->error : LB_MORE;
}

static int read_body(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  network_poll();
  transfer_take(transfer, buffer, capacity, got);
  transfer_attend(transfer, has_address()); /* those may have been the last */
  if (transfer->state != TRANSFER_ENDED) {
    return LB_MORE;
  }
  if (transfer->response.stage == HTTP_COMPLETE) {
    return LB_OK; /* whatever ended the connection behind the last byte: all has come */
  }
  /* the bytes first, the error with the next call */
  const bool has_more = transfer->ring.length > 0 && transfer->response.stage == HTTP_BODY;
  return *got > 0 || has_more ? LB_MORE : transfer->error;
}

/* ---- all of it ---- */

const struct port_network *network_open(const struct network_options *options)
{
  static const struct port_network port = {
      .is_up = is_up,
      .set_link = set_link,
      .ssid = ssid,
      .open = open_transfer,
      .reply = reply,
      .read = read_body,
      .close = transfer_close,
  };
  network.clock = options->clock;
  network.random = options->seed;
  lwip_init();
  ethernet_netif_add(&network.netif, options->ethernet);
  if (options->link_up) {
    take_up();
  }
  return &port;
}
