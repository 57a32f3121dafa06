// SPDX-License-Identifier: MIT
/* Registers and descriptors have the names of Cadence's manual (GEM, "Programmer's Interface"). */
#include "ports/sifive_u/gem.h"

#include <string.h>

#include "ports/sifive_u/registers.h"

#define RECEIVE_BUFFERS   32U
#define TRANSMIT_BUFFERS  8U
#define BUFFER_SIZE       1536U
#define BUFFER_UNIT       64U /* dma_config counts in these */

/* ---- registers ---- */

#define NETWORK_CONTROL   (GEM_BASE + 0x000U)
#define ENABLE_RECEIVE    (1U << 2)
#define ENABLE_TRANSMIT   (1U << 3)
#define CLEAR_STATISTICS  (1U << 5)
#define TX_START          (1U << 9)

#define NETWORK_CONFIG    (GEM_BASE + 0x004U)
#define SPEED_100         (1U << 0)
#define FULL_DUPLEX       (1U << 1)
#define RECEIVE_1536      (1U << 8)
#define GIGABIT           (1U << 10)
#define FCS_REMOVE        (1U << 17)
#define MDC_DIVISOR_64    (4U << 18)

#define DMA_CONFIG        (GEM_BASE + 0x010U)
#define BURST_16          (16U << 0)
#define RX_MEMORY_ALL     (3U << 8)
#define TX_MEMORY_ALL     (1U << 10)
#define RX_BUFFER_SIZE(n) ((uint32_t)(n) << 16)

#define TRANSMIT_STATUS   (GEM_BASE + 0x014U)
#define TX_RETRY_LIMIT    (1U << 2)
#define TX_AMBA_ERROR     (1U << 4)
#define TX_UNDER_RUN      (1U << 6)
#define TX_RESP_NOT_OK    (1U << 8)
#define TX_ERRORS         (TX_RETRY_LIMIT | TX_AMBA_ERROR | TX_UNDER_RUN | TX_RESP_NOT_OK)

#define RECEIVE_Q_PTR     (GEM_BASE + 0x018U)
#define TRANSMIT_Q_PTR    (GEM_BASE + 0x01CU)

#define RECEIVE_STATUS    (GEM_BASE + 0x020U)
#define BUFFER_NOT_AVAIL  (1U << 0)
#define RECEIVE_OVERRUN   (1U << 2)
#define RX_RESP_NOT_OK    (1U << 3)
#define RX_ERRORS         (BUFFER_NOT_AVAIL | RECEIVE_OVERRUN | RX_RESP_NOT_OK)

#define INT_DISABLE       (GEM_BASE + 0x02CU)
#define HASH_BOTTOM       (GEM_BASE + 0x080U)
#define HASH_TOP          (GEM_BASE + 0x084U)
#define SPEC_ADD1_BOTTOM  (GEM_BASE + 0x088U)
#define SPEC_ADD1_TOP     (GEM_BASE + 0x08CU)

#define ALL_BITS          0xFFFFFFFFU

/* ---- descriptors ---- */

struct descriptor {
  uint32_t word0;
  uint32_t word1;
};

#define RX_USED   (1U << 0) /* word 0: the frame is ours until this is taken away */
#define RX_WRAP   (1U << 1)
#define RX_LENGTH 0x1FFFU /* word 1 */
#define RX_START  (1U << 14)
#define RX_END    (1U << 15)

#define TX_LENGTH 0x3FFFU /* word 1 */
#define TX_LAST   (1U << 15)
#define TX_WRAP   (1U << 30)
#define TX_USED   (1U << 31) /* the buffer is ours */

static volatile struct descriptor receive_descriptors[RECEIVE_BUFFERS] __attribute__((aligned(8)));
static volatile struct descriptor transmit_descriptors[TRANSMIT_BUFFERS] __attribute__((aligned(8)));
static uint8_t receive_buffers[RECEIVE_BUFFERS][BUFFER_SIZE] __attribute__((aligned(8)));
static uint8_t transmit_buffers[TRANSMIT_BUFFERS][BUFFER_SIZE] __attribute__((aligned(8)));

static uint32_t next_receive;
static uint32_t next_transmit;
static struct gem_counters counters;

/* What was written before is seen by the controller before what is written after; and the same for reading. */
static void order(void)
{
  __asm__ volatile("fence iorw, iorw" ::: "memory");
}

static uint32_t address_of(const volatile void *place)
{
  return (uint32_t)(uintptr_t)place;
}

/* ---- starting ---- */

static void start_receiving(void)
{
  for (uint32_t i = 0; i < RECEIVE_BUFFERS; i++) {
    receive_descriptors[i].word1 = 0;
    receive_descriptors[i].word0 = address_of(receive_buffers[i]) | (i == RECEIVE_BUFFERS - 1U ? RX_WRAP : 0);
  }
  next_receive = 0;
  order();
  register_write(RECEIVE_Q_PTR, address_of(receive_descriptors));
}

/* Whatever was not sent yet is lost. */
static void start_transmitting(void)
{
  register_write(NETWORK_CONTROL, ENABLE_RECEIVE);
  for (uint32_t i = 0; i < TRANSMIT_BUFFERS; i++) {
    transmit_descriptors[i].word0 = address_of(transmit_buffers[i]);
    transmit_descriptors[i].word1 = TX_USED | (i == TRANSMIT_BUFFERS - 1U ? TX_WRAP : 0);
  }
  next_transmit = 0;
  register_write(TRANSMIT_STATUS, ALL_BITS);
  register_write(TRANSMIT_Q_PTR, address_of(transmit_descriptors));
  order();
  register_write(NETWORK_CONTROL, ENABLE_RECEIVE | ENABLE_TRANSMIT);
}

void gem_open(void)
{
  register_write(NETWORK_CONTROL, CLEAR_STATISTICS);
  register_write(INT_DISABLE, ALL_BITS);
  register_write(RECEIVE_STATUS, ALL_BITS);
  register_write(NETWORK_CONFIG, SPEED_100 | FULL_DUPLEX | RECEIVE_1536 | GIGABIT | FCS_REMOVE | MDC_DIVISOR_64);
  register_write(DMA_CONFIG, BURST_16 | RX_MEMORY_ALL | TX_MEMORY_ALL | RX_BUFFER_SIZE(BUFFER_SIZE / BUFFER_UNIT));
  register_write(HASH_BOTTOM, 0);
  register_write(HASH_TOP, 0);
  /* writing the upper half switches the filter for this address on */
  const uint32_t bottom = register_read(SPEC_ADD1_BOTTOM);
  const uint32_t top = register_read(SPEC_ADD1_TOP);
  register_write(SPEC_ADD1_BOTTOM, bottom);
  register_write(SPEC_ADD1_TOP, top);
  counters = (struct gem_counters){0};
  start_receiving();
  start_transmitting();
}

void gem_mac(uint8_t mac[GEM_MAC_SIZE])
{
  const uint32_t bottom = register_read(SPEC_ADD1_BOTTOM);
  const uint32_t top = register_read(SPEC_ADD1_TOP);
  for (uint32_t i = 0; i < GEM_MAC_SIZE; i++) {
    mac[i] = (uint8_t)(i < 4 ? bottom >> (8 * i) : top >> (8 * (i - 4)));
  }
}

/* ---- sending ---- */

bool gem_send(const void *frame, uint32_t length)
{
  if (register_read(TRANSMIT_STATUS) & TX_ERRORS) {
    counters.send_errors++;
    start_transmitting();
  }
  volatile struct descriptor *descriptor = &transmit_descriptors[next_transmit];
  if (length > GEM_FRAME_MAX || !(descriptor->word1 & TX_USED)) {
    return false;
  }
  order();
  memcpy(transmit_buffers[next_transmit], frame, length);
  const bool is_last = next_transmit == TRANSMIT_BUFFERS - 1U;
  order();
  descriptor->word1 = (length & TX_LENGTH) | TX_LAST | (is_last ? TX_WRAP : 0);
  order();
  next_transmit = is_last ? 0 : next_transmit + 1U;
  register_write(NETWORK_CONTROL, ENABLE_RECEIVE | ENABLE_TRANSMIT | TX_START);
  counters.sent++;
  return true;
}

/* ---- receiving ---- */

/*
 * The controller stops when it finds no free buffer. Writing its control register, after buffers have become free, has
 * it look again.
 */
static void recover(void)
{
  const uint32_t status = register_read(RECEIVE_STATUS);
  if (status & RX_ERRORS) {
    counters.overruns++;
    register_write(RECEIVE_STATUS, status & RX_ERRORS);
    register_write(NETWORK_CONTROL, ENABLE_RECEIVE | ENABLE_TRANSMIT);
  }
}

static void give_back(volatile struct descriptor *descriptor)
{
  order();
  descriptor->word0 &= ~RX_USED;
  order();
  next_receive = (next_receive + 1U) % RECEIVE_BUFFERS;
  recover();
}

uint32_t gem_receive(void *buffer, uint32_t capacity)
{
  /* at most one round, so that a flood of frames that are not wanted does not keep us here */
  for (uint32_t i = 0; i < RECEIVE_BUFFERS; i++) {
    volatile struct descriptor *descriptor = &receive_descriptors[next_receive];
    if (!(descriptor->word0 & RX_USED)) {
      return 0;
    }
    order();
    const uint32_t state = descriptor->word1;
    const uint32_t length = state & RX_LENGTH;
    const bool is_whole = (state & RX_START) && (state & RX_END) && length <= BUFFER_SIZE;
    if (is_whole && length > 0 && length <= capacity) {
      memcpy(buffer, receive_buffers[next_receive], length);
      give_back(descriptor);
      counters.received++;
      return length;
    }
    give_back(descriptor);
    counters.bad_frames++;
  }
  return 0;
}

const struct gem_counters *gem_counters(void)
{
  return &counters;
}
