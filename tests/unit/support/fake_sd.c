// SPDX-License-Identifier: MIT
#include "tests/unit/support/fake_sd.h"

#include "tests/unit/support/unit.h"

#define BLOCK 512U

/* Both CRCs bit by bit, as the specification draws their shift registers. */
static uint32_t crc_of(const uint8_t *bytes, uint32_t length, unsigned width, uint32_t polynomial)
{
  uint32_t crc = 0;
  for (uint32_t i = 0; i < length * 8U; i++) {
    uint32_t bit = (uint32_t)bytes[i / 8U] >> (7U - i % 8U) & 1U;
    uint32_t top = crc >> (width - 1U) & 1U;
    crc = (crc << 1 & ((1U << width) - 1U)) ^ (bit != top ? polynomial : 0);
  }
  return crc;
}

static void say(struct fake_sd *card, uint8_t byte)
{
  assert_true(card->out_end < sizeof card->out);
  card->out[card->out_end] = byte;
  card->out_end++;
}

static void say_busy(struct fake_sd *card)
{
  for (uint32_t i = 0; i < card->faults.busy_bytes; i++) {
    say(card, 0);
  }
}

static bool happens(uint32_t *count)
{
  if (*count == 0) {
    return false;
  }
  *count -= *count == FAKE_SD_FOR_EVER ? 0 : 1;
  return true;
}

static void say_block(struct fake_sd *card, const uint8_t *bytes, uint32_t length)
{
  if (card->faults.gives_no_data) {
    return;
  }
  say(card, 0xFF); /* it takes a moment */
  say(card, card->faults.gives_error_token ? 0x09 : 0xFE);
  if (card->faults.gives_error_token) {
    return;
  }
  uint32_t first = card->out_end;
  for (uint32_t i = 0; i < length; i++) {
    say(card, bytes[i]);
  }
  uint32_t crc = crc_of(bytes, length, 16, 0x1021);
  say(card, (uint8_t)(crc >> 8));
  say(card, (uint8_t)crc);
  if (happens(&card->faults.damaged_blocks)) {
    card->out[first + length / 2U] ^= 0x10;
  }
}

static void say_sector(struct fake_sd *card)
{
  if (card->address >= card->sectors * BLOCK) {
    say(card, 0x09); /* out of range */
    card->is_reading = false;
    return;
  }
  say_block(card, card->bytes + card->address, BLOCK);
  card->address += BLOCK;
}

static uint8_t r1_of(const struct fake_sd *card)
{
  return card->state == FAKE_SD_READY ? 0 : 1;
}

static void illegal(struct fake_sd *card)
{
  say(card, (uint8_t)(r1_of(card) | 4U));
}

static void go_idle(struct fake_sd *card)
{
  if (happens(&card->faults.deaf_resets)) {
    return;
  }
  assert_true(card->clocks >= 10);
  card->state = FAKE_SD_IDLE;
  card->has_crc = false;
  card->is_reading = false;
  card->is_writing = false;
  card->block_length = card->kind == FAKE_SDHC ? BLOCK : 1024;
  say(card, 1);
}

static void send_if_cond(struct fake_sd *card, uint32_t argument)
{
  if (card->kind == FAKE_SD_VERSION_1 || card->kind == FAKE_MMC) {
    illegal(card);
    return;
  }
  say(card, r1_of(card));
  say(card, 0);
  say(card, 0);
  say(card, card->faults.refuses_voltage ? 0 : (uint8_t)(argument >> 8 & 0xFU));
  say(card, (uint8_t)argument);
}

static void send_op_cond(struct fake_sd *card, uint32_t argument)
{
  if (card->kind == FAKE_MMC) {
    illegal(card);
    return;
  }
  /* An SDHC card starts only for a host that knows it. */
  bool knows = card->kind != FAKE_SDHC || (argument & 0x40000000U) != 0;
  if (!happens(&card->faults.start_polls) && knows) {
    card->state = FAKE_SD_READY;
  }
  say(card, r1_of(card));
}

static void read_ocr(struct fake_sd *card)
{
  say(card, (uint8_t)(r1_of(card) | (card->faults.has_idle_bit_in_r3 ? 1U : 0)));
  say(card, (uint8_t)(0x80 | (card->kind == FAKE_SDHC ? 0x40 : 0)));
  say(card, 0xFF);
  say(card, 0x80);
  say(card, 0);
}

/* READ_SINGLE_BLOCK, READ_MULTIPLE_BLOCK, WRITE_BLOCK. */
static void access(struct fake_sd *card, unsigned command, uint32_t argument)
{
  assert_int_equal(card->block_length, BLOCK);
  uint64_t address = card->kind == FAKE_SDHC ? (uint64_t)argument * BLOCK : argument;
  if (address % BLOCK != 0 || address >= (uint64_t)card->sectors * BLOCK) {
    say(card, 0x20); /* address error */
    return;
  }
  card->address = (uint32_t)address;
  say(card, 0);
  if (command == 24) {
    card->is_writing = true;
    card->block_bytes = 0;
  } else {
    card->is_reading = command == 18;
    card->is_stoppable = card->is_reading;
    say_sector(card);
  }
}

static void stop_transmission(struct fake_sd *card)
{
  assert_true(card->is_stoppable);
  card->is_stoppable = false;
  card->is_reading = false;
  card->out_at = 0;
  card->out_end = 0;
  if (!card->faults.refuses_stop) {
    say(card, 0x3F); /* the rest of a block: it only looks like a response */
    say(card, 0xFF);
    say(card, 0);
    say_busy(card);
    card->is_stopping = true;
  }
}

static void execute_application(struct fake_sd *card, unsigned command, uint32_t argument)
{
  if (command == 41) {
    send_op_cond(card, argument);
  } else {
    illegal(card);
  }
}

/* What a card knows only after it has started. */
static void execute_ready(struct fake_sd *card, unsigned command, uint32_t argument)
{
  if (card->state != FAKE_SD_READY) {
    illegal(card);
  } else if (command == 9) {
    say(card, 0);
    say_block(card, card->csd, sizeof card->csd);
  } else if (command == 13) {
    say(card, 0);
    say(card, card->faults.status);
  } else if (command == 16) {
    card->block_length = argument;
    say(card, 0);
  } else if (command == 17 || command == 18 || command == 24) {
    access(card, command, argument);
  } else {
    illegal(card);
  }
}

static void execute(struct fake_sd *card, unsigned command, uint32_t argument)
{
  bool is_application = card->is_application;

  card->is_application = false;
  card->commands[command]++;
  if (is_application) {
    execute_application(card, command, argument);
    return;
  }
  switch (command) {
  case 0:
    go_idle(card);
    break;
  case 8:
    send_if_cond(card, argument);
    break;
  case 12:
    stop_transmission(card);
    break;
  case 55:
    card->is_application = true;
    say(card, r1_of(card));
    break;
  case 58:
    read_ocr(card);
    break;
  case 59:
    card->has_crc = !card->faults.refuses_crc && argument == 1;
    say(card, (uint8_t)(r1_of(card) | (card->faults.refuses_crc ? 4U : 0)));
    break;
  default:
    execute_ready(card, command, argument);
  }
}

/* Other commands come too fast to a card that was put in meanwhile, and there is no help for that. */
static bool is_of_start(unsigned command)
{
  return command == 0 || command == 8 || command == 41 || command == 55 || command == 58;
}

static void take_frame(struct fake_sd *card)
{
  const uint8_t *frame = card->frame;
  unsigned command = frame[0] & 0x3FU;
  uint32_t argument = (uint32_t)frame[1] << 24 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 8 | frame[4];

  card->frame_bytes = 0;
  if (card->faults.answers_illegal) {
    say(card, 0xFF);
    say(card, 4);
    return;
  }
  if (card->state == FAKE_SD_NATIVE && command != 0) {
    return; /* it does not listen to this bus yet */
  }
  if (card->state != FAKE_SD_READY && is_of_start(command)) {
    assert_in_range(card->hertz, 1, 400000);
  }
  assert_true(command == 12 || card->out_at == card->out_end);
  say(card, 0xFF); /* NCR */
  if (happens(&card->faults.damaged_commands)) {
    say(card, (uint8_t)(r1_of(card) | 8U));
    return;
  }
  assert_int_equal(frame[5], crc_of(frame, 5, 7, 0x09) << 1 | 1U);
  execute(card, command, argument);
}

/* A data block: the token, 512 bytes and their CRC. */
static void take_data(struct fake_sd *card, uint8_t byte)
{
  if (!card->is_receiving) {
    card->is_receiving = byte == 0xFE;
    return;
  }
  card->block[card->block_bytes] = byte;
  card->block_bytes++;
  if (card->block_bytes < sizeof card->block) {
    return;
  }
  card->is_receiving = false;
  card->is_writing = false;
  assert_true(card->has_crc);
  assert_int_equal(crc_of(card->block, BLOCK, 16, 0x1021), (uint32_t)card->block[512] << 8 | card->block[513]);
  say(card, (uint8_t)(0xE0U | card->faults.data_response));
  if (card->faults.data_response == 0x05) {
    memcpy(card->bytes + card->address, card->block, BLOCK);
  }
  say_busy(card);
  card->is_stuck = card->faults.stays_busy;
}

static void take(struct fake_sd *card, uint8_t byte)
{
  if (card->is_writing && card->out_at == card->out_end) {
    take_data(card, byte);
  } else if (card->frame_bytes > 0 || (byte & 0xC0U) == 0x40U) {
    card->frame[card->frame_bytes] = byte;
    card->frame_bytes++;
    if (card->frame_bytes == sizeof card->frame) {
      take_frame(card);
    }
  } else {
    assert_int_equal(byte, 0xFF);
  }
}

static uint8_t next_byte(struct fake_sd *card)
{
  if (card->out_at == card->out_end) {
    card->out_at = 0;
    card->out_end = 0;
    card->is_stopping = false;
    if (card->is_reading) {
      say_sector(card);
    }
  }
  if (card->out_at < card->out_end) {
    card->out_at++;
    return card->out[card->out_at - 1];
  }
  return card->is_stuck ? 0 : 0xFF;
}

static uint8_t transfer_byte(struct fake_sd *card, uint8_t out)
{
  card->now_us += 1 + 8000000U / (card->hertz + 1U);
  card->bytes_on_bus++;
  if (card->faults.gone_after != 0 && card->bytes_on_bus > card->faults.gone_after) {
    card->faults.is_absent = true;
  }
  if (card->faults.is_absent) {
    return card->faults.idle_line;
  }
  if (!card->is_selected) {
    assert_int_equal(out, 0xFF);
    card->clocks++;
    return 0xFF;
  }
  uint8_t in = next_byte(card);
  take(card, out);
  return in;
}

static void on_transfer(void *context, const uint8_t *out, uint8_t *in, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    uint8_t byte = transfer_byte(context, out ? out[i] : 0xFF);
    if (in) {
      in[i] = byte;
    }
  }
}

static void on_select(void *context)
{
  struct fake_sd *card = context;

  assert_false(card->is_selected);
  card->is_selected = true;
}

/* What it was about to say is lost. */
static void on_release(void *context)
{
  struct fake_sd *card = context;

  /* Whoever leaves earlier takes the rest of the last block for the response. */
  assert_true(!card->is_stopping || card->faults.is_absent);
  card->is_selected = false;
  card->is_stopping = false;
  card->out_at = 0;
  card->out_end = 0;
  card->frame_bytes = 0;
}

static void on_set_clock(void *context, uint32_t hertz)
{
  ((struct fake_sd *)context)->hertz = hertz;
}

static uint64_t on_now_us(void *context)
{
  struct fake_sd *card = context;

  card->now_us++;
  return card->now_us;
}

/* Sets the field from bit `high` to bit `low` of the CSD. */
static void set_field(struct fake_sd *card, unsigned high, unsigned low, uint32_t value)
{
  for (unsigned bit = low; bit <= high; bit++) {
    unsigned mask = 1U << bit % 8U;
    uint8_t *byte = &card->csd[15U - bit / 8U];
    *byte = (uint8_t)((*byte & ~mask) | ((value >> (bit - low) & 1U) != 0 ? mask : 0));
  }
}

static void make_csd(struct fake_sd *card)
{
  memset(card->csd, 0, sizeof card->csd);
  if (card->kind == FAKE_SDHC) {
    set_field(card, 127, 126, 1);
    set_field(card, 83, 80, 9);
    set_field(card, 69, 48, card->sectors / 1024U - 1U);
  } else {
    set_field(card, 83, 80, 9);
    set_field(card, 73, 62, card->sectors / 4U - 1U);
  }
}

void fake_sd_make(struct fake_sd *card, enum fake_sd_kind kind, uint32_t sectors)
{
  memset(card, 0, sizeof *card);
  card->spi = (struct spi){card, on_select, on_release, on_transfer, on_set_clock, on_now_us};
  card->kind = kind;
  card->sectors = sectors;
  card->bytes = unit_allocate((size_t)sectors * BLOCK);
  for (size_t i = 0; i < (size_t)sectors * BLOCK; i++) {
    card->bytes[i] = (uint8_t)(i / BLOCK * 31U + i * 7U);
  }
  card->faults = (struct fake_sd_faults){.idle_line = 0xFF, .data_response = 0x05, .start_polls = 3, .busy_bytes = 5};
  make_csd(card);
}

void fake_sd_free(struct fake_sd *card)
{
  free(card->bytes);
  card->bytes = NULL;
}

void fake_sd_power_cycle(struct fake_sd *card)
{
  card->state = FAKE_SD_NATIVE;
  card->clocks = 0;
  card->faults.is_absent = false;
  card->faults.gone_after = 0;
  card->is_stuck = false;
  card->is_stopping = false;
  card->is_reading = false;
  card->is_stoppable = false;
  card->is_writing = false;
  card->is_receiving = false;
  on_release(card);
}
