// SPDX-License-Identifier: MIT
#include "ports/lwip/ethernet_netif.h"

#include <stddef.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>

#define MTU             1500U
#define FRAME_SIZE      (MTU + SIZEOF_ETH_HDR)
#define SHORTEST_FRAME  60U /* without its check sequence */
#define FRAMES_PER_POLL 32U /* so that a flood of frames does not keep us here */

_Static_assert(PBUF_POOL_BUFSIZE >= FRAME_SIZE, "a frame lies in one piece");

/* lwIP has room for a pointer of ours, but not for one to what is constant; and there is only one interface. */
static const struct ethernet *controller;

/* A frame that does not fit is lost, as on any network; TCP sends it again. */
static err_t send_frame(struct netif *netif, struct pbuf *packet)
{
  static uint8_t frame[FRAME_SIZE]; /* for packets in several pieces */
  const void *bytes = packet->payload;
  (void)netif;
  if (packet->tot_len > FRAME_SIZE) {
    return ERR_BUF;
  }
  if (packet->len < packet->tot_len) {
    pbuf_copy_partial(packet, frame, packet->tot_len, 0);
    bytes = frame;
  }
  return controller->send(controller->context, bytes, packet->tot_len) ? ERR_OK : ERR_IF;
}

static err_t initialize(struct netif *netif)
{
  netif->name[0] = 'e';
  netif->name[1] = 'n';
  netif->mtu = MTU;
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
  netif->hwaddr_len = ETHERNET_MAC_SIZE;
  controller->mac(controller->context, netif->hwaddr);
  netif->output = etharp_output;
  netif->linkoutput = send_frame;
  return ERR_OK;
}

void ethernet_netif_add(struct netif *netif, const struct ethernet *ethernet)
{
  controller = ethernet;
  netif_add_noaddr(netif, NULL, initialize, ethernet_input);
  netif_set_default(netif);
}

/* lwIP reads ARP without looking at its length, and would find an older frame's bytes behind a frame that is cut. */
static uint32_t pad(uint8_t *frame, uint32_t length)
{
  if (length >= SHORTEST_FRAME) {
    return length;
  }
  memset(frame + length, 0, SHORTEST_FRAME - length);
  return SHORTEST_FRAME;
}

/* Received right into lwIP's memory. While that has none left, frames wait in the controller. */
static bool take_frame(struct netif *netif)
{
  struct pbuf *packet = pbuf_alloc(PBUF_RAW, FRAME_SIZE, PBUF_POOL);
  if (!packet) {
    return false;
  }
  const uint32_t length = controller->receive(controller->context, packet->payload, FRAME_SIZE);
  if (length == 0 || length > FRAME_SIZE) {
    pbuf_free(packet);
    return false;
  }
  pbuf_realloc(packet, (u16_t)pad(packet->payload, length));
  if (!netif_is_link_up(netif) || netif->input(packet, netif) != ERR_OK) {
    pbuf_free(packet);
  }
  return true;
}

void ethernet_netif_poll(struct netif *netif)
{
  for (uint32_t i = 0; i < FRAMES_PER_POLL && take_frame(netif); i++) {
  }
}
