// SPDX-License-Identifier: MIT
/* What the peer answers: a table of behaviours, drawn for each request. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/network/peer.h"

#define HEADER_LINES 12U
#define LINE_SIZE    160U
#define GOOD_ONES    5U /* as many in ten answers are right */
#define CHUNK        1000U

/* An answer before it is made into bytes. */
struct draft {
  char status[64];
  char lines[HEADER_LINES][LINE_SIZE];
  unsigned count;
  const uint8_t *body;
  size_t body_length;
};

static uint32_t below(struct peer *peer, uint32_t bound)
{
  return bound > 1 ? unit_random_below(&peer->random, bound) : 0;
}

static void add_line(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_line(struct draft *draft, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  if (draft->count < HEADER_LINES) {
    vsnprintf(draft->lines[draft->count++], LINE_SIZE, format, arguments);
  }
  va_end(arguments);
}

/* The line that begins so; makes one if there is none. */
static char *line_of(struct draft *draft, const char *begin)
{
  for (unsigned i = 0; i < draft->count; i++) {
    if (strncmp(draft->lines[i], begin, strlen(begin)) == 0) {
      return draft->lines[i];
    }
  }
  add_line(draft, "%s", begin);
  return draft->lines[draft->count - 1];
}

static void remove_line(struct draft *draft, const char *begin)
{
  char *line = line_of(draft, begin);
  memmove(line, line + LINE_SIZE, (size_t)(draft->lines[draft->count] - line) - LINE_SIZE);
  draft->count--;
}

static void set_line(struct draft *draft, const char *name, const char *value)
{
  snprintf(line_of(draft, name), LINE_SIZE, "%s: %s", name, value);
}

/* ---- the right answer ---- */

static void tag_of(const struct peer *peer, char tag[32])
{
  snprintf(tag, 32, "\"fw-%u\"", (unsigned)peer->version);
}

static const struct peer_patch *patch_asked(const struct peer *peer)
{
  const char *number = strstr(peer->request, "GET /patch-");
  const uint32_t index = number ? (uint32_t)strtoul(number + 11, NULL, 10) : PEER_PATCHES;
  return index < PEER_PATCHES ? &peer->patches[index] : NULL;
}

static bool same_tag_asked(const struct peer *peer)
{
  char tag[32];
  char wanted[64];
  tag_of(peer, tag);
  snprintf(wanted, sizeof wanted, "\r\nIf-Range: %s\r\n", tag);
  return strstr(peer->request, wanted) != NULL;
}

/* A patch that is asked for, or the file. */
static void draft_file(struct peer *peer, struct draft *draft, bool whole)
{
  const struct peer_patch *patch = patch_asked(peer);
  const struct {
    const uint8_t *bytes;
    size_t length;
  } file[1] = {{patch ? patch->bytes.data : peer->files[peer->file].bytes,
                patch ? patch->bytes.length : peer->files[peer->file].length}};
  char tag[32];
  tag_of(peer, tag);
  const bool part = peer->first > 0 && !whole && peer->first < file->length;
  const size_t first = part ? (size_t)peer->first : 0;
  snprintf(draft->status, sizeof draft->status, "HTTP/1.1 %s", part ? "206 Partial Content" : "200 OK");
  add_line(draft, "Server: peer");
  add_line(draft, "ETag: %s", tag);
  add_line(draft, "Content-Length: %zu", file->length - first);
  add_line(draft, "Content-Type: application/octet-stream");
  if (part) {
    add_line(draft, "Content-Range: bytes %zu-%u/%u", first, (unsigned)file->length - 1U, (unsigned)file->length);
  }
  draft->body = file->bytes + first;
  draft->body_length = file->length - first;
}

static size_t put_digest(char *text, const uint8_t *digest)
{
  for (size_t i = 0; i < LB_SHA256_SIZE; i++) {
    snprintf(text + 2U * i, 3, "%02x", digest[i]);
  }
  return 2U * LB_SHA256_SIZE;
}

/*
 * The list beside the file: the right patch, if there is one, and in between some that lead nowhere: one of another
 * file, one of another length, one that is not there, one that is longer than the file.
 */
static void draft_list(struct peer *peer, struct draft *draft)
{
  static char text[2048];
  char base[2U * LB_SHA256_SIZE + 1U];
  const struct built_image *file = &peer->files[peer->file];
  size_t length = (size_t)snprintf(text, sizeof text, "lifeboat-patches 1\nimage %u ", (unsigned)file->length);
  length += put_digest(text + length, file->info.digest);
  length += (size_t)snprintf(text + length, sizeof text - length, " 3.3.%03u\n", (unsigned)peer->file);
  for (uint32_t i = 0; i < PEER_PATCHES; i++) {
    const struct peer_patch *patch = &peer->patches[i];
    const bool lies = below(peer, 6) == 0;
    if (patch->file == peer->file || lies) {
      put_digest(base, patch->base);
      length += (size_t)snprintf(text + length, sizeof text - length, "patch %u %s patch-%u\n",
                                 (unsigned)patch->bytes.length - (lies ? below(peer, 2) : 0), base, (unsigned)i);
    }
  }
  if (below(peer, 3) == 0) {
    length += (size_t)snprintf(text + length, sizeof text - length,
                               "patch %u - gone.patch\npatch 4000000 - long.patch\n", 1U + below(peer, 500));
  }
  snprintf(draft->status, sizeof draft->status, "HTTP/1.1 200 OK");
  add_line(draft, "ETag: \"list\"");
  add_line(draft, "Content-Length: %zu", length);
  draft->body = (const uint8_t *)text;
  draft->body_length = length;
}

/* What the depot says of its file; the changelog is longer than what the module reads of it. */
static void draft_version(struct draft *draft)
{
  static const char text[] = "3.2.009\nMended: the heater, the lamp behind the mirror, and what was wrong with the "
                             "clock in summer.\nNew: nothing.\n";
  snprintf(draft->status, sizeof draft->status, "HTTP/1.1 200 OK");
  add_line(draft, "ETag: \"version\"");
  add_line(draft, "Content-Length: %zu", sizeof text - 1);
  draft->body = (const uint8_t *)text;
  draft->body_length = sizeof text - 1;
}

static void draft_page(struct draft *draft, const char *status, const char *line, const char *page)
{
  *draft = (struct draft){.body = (const uint8_t *)page, .body_length = strlen(page)};
  snprintf(draft->status, sizeof draft->status, "HTTP/1.1 %s", status);
  add_line(draft, "Content-Length: %zu", strlen(page));
  if (line) {
    add_line(draft, "%s", line);
  }
}

/* ---- into bytes ---- */

static void put(struct peer *peer, const void *bytes, size_t length)
{
  if (length <= peer->answer_capacity - peer->answer_length) {
    memcpy(peer->answer + peer->answer_length, bytes, length);
    peer->answer_length += length;
  }
}

static void put_text(struct peer *peer, const char *text)
{
  put(peer, text, strlen(text));
}

static void put_chunks(struct peer *peer, const struct draft *draft)
{
  char size[32];
  for (size_t at = 0; at < draft->body_length; at += CHUNK) {
    const size_t piece = draft->body_length - at < CHUNK ? draft->body_length - at : CHUNK;
    snprintf(size, sizeof size, "%zx\r\n", piece);
    put_text(peer, size);
    put(peer, draft->body + at, piece);
    put_text(peer, "\r\n");
  }
  put_text(peer, "0\r\n\r\n");
}

/* Returns where the body begins. */
static size_t put_head(struct peer *peer, const struct draft *draft)
{
  put_text(peer, draft->status);
  put_text(peer, "\r\n");
  for (unsigned i = 0; i < draft->count; i++) {
    put_text(peer, draft->lines[i]);
    put_text(peer, "\r\n");
  }
  put_text(peer, "\r\n");
  return peer->answer_length;
}

/* ---- wrong answers ---- */

static void reorder(struct peer *peer, struct draft *draft)
{
  static const char *const strange[] = {"X-Long: 0123456789012345678901234567890123456789", "Content-Rang: bytes 1-2/3",
                                        "X-ETag: \"no\"", "Content-Lengths: 7", "Accept-Ranges: bytes"};
  for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
    add_line(draft, "%s", strange[i]);
  }
  for (unsigned i = draft->count; i > 1; i--) {
    char kept[LINE_SIZE];
    const unsigned other = below(peer, i);
    memcpy(kept, draft->lines[i - 1], LINE_SIZE);
    memcpy(draft->lines[i - 1], draft->lines[other], LINE_SIZE);
    memcpy(draft->lines[other], kept, LINE_SIZE);
  }
  for (unsigned i = 0; i < draft->count; i++) {
    for (char *at = draft->lines[i]; *at != ':' && *at != '\0'; at++) { /* names are spelt as one likes */
      *at = (char)((*at >= 'a' && *at <= 'z' && below(peer, 2)) ? *at - 'a' + 'A' : *at);
    }
  }
}

static void mangle(struct peer *peer, struct draft *draft)
{
  static const char *const important[] = {"Content-Length", "ETag", "Content-Range"};
  char *line = below(peer, 4) ? line_of(draft, important[below(peer, 3)]) : draft->status;
  const size_t length = strlen(line);
  switch (below(peer, 4)) {
  case 0: /* cut off */
    line[below(peer, (uint32_t)length)] = '\0';
    break;
  case 1: /* a byte is another one */
    line[below(peer, (uint32_t)length)] = (char)(1 + below(peer, 255));
    break;
  case 2: /* its name is gone */
    memmove(line, line + length / 2, length - length / 2 + 1);
    break;
  default:
    add_line(draft, "%s, %s", line, line);
    break;
  }
}

static void strange_length(struct peer *peer, struct draft *draft)
{
  static const char *const strange[] = {"-1", "0x1000", "99999999999999999999", "", "12 34", "5000000000", "1e6", "0"};
  if (below(peer, 3) == 0) {
    add_line(draft, "Content-Length: %u", (unsigned)draft->body_length - 1U - below(peer, 1000));
  } else {
    set_line(draft, "Content-Length", strange[below(peer, sizeof strange / sizeof strange[0])]);
  }
}

static void set_number(struct draft *draft, const char *name, size_t number)
{
  char value[24];
  snprintf(value, sizeof value, "%zu", number);
  set_line(draft, name, value);
}

static void other_part(struct peer *peer, struct draft *draft)
{
  char range[64];
  const unsigned total = (unsigned)peer->files[peer->file].length;
  const unsigned first = (unsigned)peer->first;
  snprintf(draft->status, sizeof draft->status, "HTTP/1.1 206 Partial Content");
  switch (below(peer, 5)) {
  case 0:
    snprintf(range, sizeof range, "bytes %u-%u/%u", first - 1U, total - 2U, total);
    draft->body -= draft->body_length < total ? 1 : 0;
    break;
  case 1:
    snprintf(range, sizeof range, "bytes %u-%u/%u", first, total - 1U, total + 1U);
    break;
  case 2:
    snprintf(range, sizeof range, "items %u-%u/%u", first, total - 1U, total);
    break;
  case 3:
    snprintf(range, sizeof range, "bytes 0-%u/%u", total - 1U, total);
    draft->body = peer->files[peer->file].bytes;
    draft->body_length = total;
    set_number(draft, "Content-Length", total);
    break;
  default:
    snprintf(range, sizeof range, "bytes %u-%u/*", first, total - 1U);
    break;
  }
  set_line(draft, "Content-Range", range);
}

static void change_file(struct peer *peer, bool same_tag)
{
  const uint32_t before = peer->file;
  peer->file = (before + (same_tag ? 2U : 1U + below(peer, PEER_FILES - 1U))) % PEER_FILES;
  peer->version += same_tag ? 0 : 1;
  peer->lied = peer->lied || same_tag;
}

/* Changes the right answer into the one that the behaviour wants. */
static void bend(struct peer *peer, struct draft *draft, enum peer_behaviour behaviour)
{
  static const char *const busy[] = {"500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"};
  static char portal[4096];
  memset(portal, ' ', sizeof portal - 1);
  memcpy(portal, "<html><head><title>Welcome</title></head>", 41);
  switch (behaviour) {
  case PEER_REORDER:
    reorder(peer, draft);
    break;
  case PEER_REDIRECT:
    draft_page(draft, "302 Found", "Location: /moved.bin", "moved");
    break;
  case PEER_BUSY:
    draft_page(draft, busy[below(peer, 3)], NULL, "later");
    break;
  case PEER_NOT_FOUND:
    draft_page(draft, "404 Not Found", NULL, "gone");
    break;
  case PEER_CIRCLE:
    draft_page(draft, "301 Moved", "Location: /circle", "");
    break;
  case PEER_PORTAL:
    draft_page(draft, "200 OK", "Content-Type: text/html", portal);
    break;
  case PEER_PORTAL_REDIRECT:
    draft_page(draft, "302 Found", "Location: /portal", "log in");
    break;
  case PEER_MANGLE:
    mangle(peer, draft);
    break;
  case PEER_LENGTH_SHORT:
    set_number(draft, "Content-Length", draft->body_length - 1U - below(peer, (uint32_t)draft->body_length / 2U));
    break;
  case PEER_LENGTH_LONG:
    set_number(draft, "Content-Length", draft->body_length + 1U + below(peer, 5000));
    break;
  case PEER_LENGTH_STRANGE:
    strange_length(peer, draft);
    break;
  case PEER_NO_LENGTH:
    remove_line(draft, "Content-Length");
    break;
  case PEER_CHUNKED:
    set_line(draft, "Transfer-Encoding", "chunked");
    if (below(peer, 2) == 0) { /* else there are both, and that is refused */
      remove_line(draft, "Content-Length");
    }
    break;
  case PEER_WEAK:
    set_line(draft, "ETag", "W/\"fw\"");
    break;
  case PEER_NO_TAG:
    remove_line(draft, "ETag");
    break;
  case PEER_OTHER_PART:
    other_part(peer, draft);
    break;
  case PEER_NO_PART:
    draft_page(draft, "416 Range Not Satisfiable", "Content-Range: bytes */1", "");
    break;
  case PEER_MULTIPART:
    draft_page(draft, "206 Partial Content", "Content-Type: multipart/byteranges; boundary=x", "--x\r\n--x--\r\n");
    break;
  default:
    break;
  }
}

/* ---- which, and how far ---- */

static bool is_for_parts(enum peer_behaviour behaviour)
{
  return behaviour >= PEER_WHOLE;
}

static bool damages(enum peer_behaviour behaviour)
{
  switch (behaviour) {
  case PEER_MANGLE:
  case PEER_LENGTH_SHORT:
  case PEER_LENGTH_LONG:
  case PEER_LENGTH_STRANGE:
  case PEER_REPEAT:
  case PEER_CORRUPT:
  case PEER_LIE:
    return true;
  default:
    return false;
  }
}

static enum peer_behaviour draw(struct peer *peer)
{
  if (strstr(peer->request, "GET /circle ")) {
    return PEER_CIRCLE;
  }
  if (strstr(peer->request, "GET /portal ")) {
    return PEER_PORTAL;
  }
  if (strstr(peer->request, "GET /moved.bin ") || peer->connections > peer->patience) {
    return PEER_GOOD;
  }
  if (peer->first > 0 && below(peer, 4) == 0) {
    return PEER_WHOLE + (enum peer_behaviour)below(peer, PEER_BEHAVIOURS - PEER_WHOLE);
  }
  if (below(peer, 10) < GOOD_ONES) {
    return below(peer, 2) ? PEER_DROP : PEER_GOOD;
  }
  const enum peer_behaviour drawn = (enum peer_behaviour)below(peer, PEER_BEHAVIOURS);
  return drawn == PEER_REFUSE || (is_for_parts(drawn) && peer->first == 0) ? PEER_DROP : drawn;
}

/* What goes wrong on the way, behind `begin`, where the body begins. */
static void damage(struct peer *peer, enum peer_behaviour behaviour, size_t begin)
{
  const size_t body = peer->answer_length - begin;
  const size_t somewhere = begin + (body > 0 ? below(peer, (uint32_t)body) : 0);
  peer->end = PEER_END_CLOSE;
  peer->packet = behaviour == PEER_DRIBBLE ? 1U + below(peer, 3000) : 65536U;
  switch (behaviour) {
  case PEER_DROP_HEADERS:
    peer->answer_length = below(peer, (uint32_t)begin);
    break;
  case PEER_DROP:
  case PEER_RESET:
  case PEER_STALL:
  case PEER_TRICKLE:
    peer->answer_length = somewhere;
    peer->end = behaviour == PEER_DROP    ? PEER_END_CLOSE
                : behaviour == PEER_RESET ? PEER_END_RESET
                : behaviour == PEER_STALL ? PEER_END_SILENT
                                          : PEER_END_TRICKLE;
    break;
  case PEER_REPEAT: {
    const size_t piece = (peer->answer_length - somewhere) / 2U;
    memmove(peer->answer + somewhere + piece, peer->answer + somewhere, peer->answer_length - somewhere - piece);
    break;
  }
  case PEER_CORRUPT:
    peer->answer[somewhere] ^= (uint8_t)(1U << below(peer, 8));
    break;
  default:
    if (peer->connections <= peer->patience && below(peer, 3) == 0) { /* links are lost under all kinds of answers */
      peer->answer_length = somewhere;
    }
    break;
  }
  peer->next_us = 0;
  peer->trickled = 0;
}

/* The file's answer as it should be, and what a bent one means for what the session may promise. */
static void begin_file(struct peer *peer, struct draft *draft, enum peer_behaviour behaviour)
{
  const bool changes = behaviour == PEER_CHANGE || behaviour == PEER_LIE || behaviour == PEER_BLIND;
  if (changes) {
    change_file(peer, behaviour == PEER_LIE);
  }
  draft_file(peer, draft, behaviour == PEER_WHOLE || (behaviour != PEER_BLIND && !same_tag_asked(peer)));
  peer->all_strong = peer->all_strong && behaviour != PEER_WEAK && behaviour != PEER_NO_TAG && behaviour != PEER_MANGLE;
  peer->damaged = peer->damaged || damages(behaviour);
  peer->lied = peer->lied || behaviour == PEER_MANGLE; /* its ETag may have become another file's */
}

void peer_make_answer(struct peer *peer)
{
  struct draft draft = {.count = 0};
  const char *range = strstr(peer->request, "\r\nRange: bytes=");
  peer->first = range ? strtoull(range + 15, NULL, 10) : 0;
  const enum peer_behaviour behaviour = draw(peer);
  peer->played[behaviour]++;
  const bool of_version = strstr(peer->request, ".ver ") != NULL;
  const bool of_list = strstr(peer->request, ".patches ") != NULL;
  const bool is_gone = strstr(peer->request, "/gone.patch ") != NULL || strstr(peer->request, "/long.patch ") != NULL;
  if (of_version) {
    draft_version(&draft);
    peer->looks++;
  } else if (of_list && peer->has_patches) {
    draft_list(peer, &draft);
    peer->lists++;
  } else if (of_list || is_gone) {
    draft_page(&draft, "404 Not Found", NULL, "no such file");
  } else {
    begin_file(peer, &draft, behaviour);
  }
  bend(peer, &draft, behaviour);
  peer->whole = !of_version && !of_list && !is_gone && strstr(draft.status, " 200 ") != NULL;
  peer->answer_length = 0;
  const size_t begin = put_head(peer, &draft);
  if (behaviour == PEER_CHUNKED) {
    put_chunks(peer, &draft);
  } else {
    put(peer, draft.body, draft.body_length);
  }
  damage(peer, behaviour, begin);
}

const char *peer_behaviour_name(enum peer_behaviour behaviour)
{
  static const char *const names[PEER_BEHAVIOURS] = {
      [PEER_GOOD] = "right answers",
      [PEER_DRIBBLE] = "small packets",
      [PEER_REORDER] = "headers in another order",
      [PEER_REDIRECT] = "redirects",
      [PEER_DROP] = "hung up",
      [PEER_DROP_HEADERS] = "hung up in the headers",
      [PEER_RESET] = "resets",
      [PEER_REFUSE] = "refused connections",
      [PEER_STALL] = "silent",
      [PEER_TRICKLE] = "trickling",
      [PEER_BUSY] = "5xx and 429",
      [PEER_NOT_FOUND] = "404",
      [PEER_CIRCLE] = "redirects in a circle",
      [PEER_PORTAL] = "captive portals",
      [PEER_PORTAL_REDIRECT] = "redirects to one",
      [PEER_MANGLE] = "mangled headers",
      [PEER_LENGTH_SHORT] = "lengths too short",
      [PEER_LENGTH_LONG] = "lengths too long",
      [PEER_LENGTH_STRANGE] = "strange lengths",
      [PEER_NO_LENGTH] = "no length",
      [PEER_CHUNKED] = "chunks",
      [PEER_REPEAT] = "repeated bytes",
      [PEER_CORRUPT] = "wrong bits",
      [PEER_WEAK] = "weak validators",
      [PEER_NO_TAG] = "no validator",
      [PEER_CHANGE] = "another file",
      [PEER_LIE] = "another file under the same ETag",
      [PEER_WHOLE] = "200 to a range",
      [PEER_BLIND] = "parts of another file",
      [PEER_OTHER_PART] = "other parts",
      [PEER_NO_PART] = "416",
      [PEER_MULTIPART] = "multipart",
  };
  return names[behaviour];
}
