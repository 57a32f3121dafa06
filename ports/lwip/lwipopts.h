// SPDX-License-Identifier: MIT
/*
 * lwIP's configuration: IPv4 with ARP, ICMP, DHCP and DNS, and a few TCP connections to servers, through the raw API.
 * No operating system, no heap: all memory is static, 38 KB for lwIP beside what ports/lwip has itself.
 */
#ifndef PORTS_LWIP_LWIPOPTS_H
#define PORTS_LWIP_LWIPOPTS_H

#define NO_SYS                     1
#define SYS_LIGHTWEIGHT_PROT       0 /* nothing of lwIP is called from an interrupt */
#define LWIP_NETCONN               0
#define LWIP_SOCKET                0

/* ---- memory ---- */

#define MEM_ALIGNMENT              4
#define MEM_SIZE                   (16 * 1024) /* what is sent, and DHCP's state */
#define PBUF_POOL_SIZE             12          /* what was received and is being looked at: more than a window */
#define PBUF_POOL_BUFSIZE          1536        /* a whole frame in each */
#define MEMP_NUM_PBUF              16
#define MEMP_NUM_TCP_SEG           16

/* ---- protocols ---- */

#define LWIP_ARP                   1
#define LWIP_ICMP                  1
#define LWIP_RAW                   0
#define LWIP_IGMP                  0
#define LWIP_AUTOIP                0
#define IP_REASSEMBLY              0 /* neither DHCP nor DNS nor TCP needs fragments */
#define IP_FRAG                    0
#define LWIP_IPV6                  0

#define LWIP_UDP                   1
#define MEMP_NUM_UDP_PCB           6
#define LWIP_DHCP                  1
#define DHCP_DOES_ARP_CHECK        0 /* whether an address is free is for the server to know; it would take a second */
#define LWIP_DNS                   1
#define DNS_TABLE_SIZE             4

#define LWIP_TCP                   1
#define MEMP_NUM_TCP_PCB           8 /* the transfers' and as many that are just ending */
#define MEMP_NUM_TCP_PCB_LISTEN    1
#define TCP_MSS                    1460
#define TCP_WND                    (8 * TCP_MSS) /* a transfer's ring takes exactly this */
#define TCP_SND_BUF                (2 * TCP_MSS) /* a request */
#define TCP_SND_QUEUELEN           8
#define TCP_SYNMAXRTX              12 /* one each three seconds: TRANSFER_CONNECT_MS ends it before */
#define TCP_QUEUE_OOSEQ            0  /* early ones beyond the window end in an assertion of lwIP 2.1.3 */

/* ---- the rest ---- */

#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_LINK_CALLBACK   0
#define LWIP_HAVE_LOOPIF           0
#define LWIP_NETIF_LOOPBACK        0
#define LWIP_SINGLE_NETIF          1
#define LWIP_STATS                 0

/* Numbers that differ at each start. They are no secret from those who see the module's packets: network_random. */
#define LWIP_HOOK_TCP_ISN(local_address, local_port, remote_address, remote_port)                                      \
  ((void)(local_address), (void)(local_port), (void)(remote_address), (void)(remote_port), network_random())

#endif
