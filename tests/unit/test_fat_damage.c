// SPDX-License-Identifier: MIT
/* Directory entries and tables as no program should write them: what is there is read, and everything ends. */
#include "lifeboat/bytes.h"
#include "ports/fat/fat_files.h"
#include "ports/fat/fat_parts.h"
#include "tests/unit/support/fat_image.h"
#include "tests/unit/support/unit.h"

#define CLUSTER 1024U

static struct fat_image image;
static struct fat_volume volume;
static uint8_t content[20 * CLUSTER];

/* An empty card of each FAT; clusters of two sectors, the same tables twice. */
static const char *const kinds[] = {"-F 12 -s 2 -n 'A CARD'", "-F 16 -s 2 -n 'A CARD'", "-F 32 -s 2 -n 'A CARD'"};
static const uint32_t kilobytes[] = {2048, 8192, 72000};

static void insert_card(size_t kind)
{
  fat_image_make(&image, kilobytes[kind], kinds[kind], 0);
  memset(content, 'c', sizeof content);
}

static void mount(void)
{
  assert_result(fat_mount(&volume, &image.device), LB_OK);
}

static uint8_t *root_bytes(void)
{
  return image.bytes + (size_t)(volume.root_cluster != 0 ? volume.data_sector : volume.root_sector) * BLOCK_SIZE;
}

/* ---- names ---- */

/* Entries are put behind one another. */
static uint8_t *put_at;

static uint8_t *put_short(const char *raw, uint8_t attributes)
{
  uint8_t *entry = put_at;

  memset(entry, 0, FAT_ENTRY_SIZE);
  memcpy(entry, raw, FAT_RAW_NAME);
  entry[FAT_ENTRY_ATTRIBUTES] = attributes;
  put_at += FAT_ENTRY_SIZE;
  return entry;
}

/* A part of a long name, all of its units the same or from `units`. */
static uint8_t *put_part(uint8_t order, uint8_t checksum, const uint16_t *units)
{
  static const uint8_t offsets[] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
  uint8_t *entry = put_at;

  memset(entry, 0, FAT_ENTRY_SIZE);
  entry[FAT_LONG_ORDER] = order;
  entry[FAT_ENTRY_ATTRIBUTES] = FAT_ATTRIBUTE_LONG;
  entry[FAT_LONG_CHECKSUM] = checksum;
  for (size_t i = 0; i < sizeof offsets; i++) {
    lb_store_le16(entry + offsets[i], units[i]);
  }
  put_at += FAT_ENTRY_SIZE;
  return entry;
}

static uint8_t checksum_of(const char *raw)
{
  return fat_checksum((const uint8_t *)raw);
}

/* Lists the root directory, each name followed by a bar. */
static const char *list_root(void)
{
  static char text[8192];
  struct fat_directory directory;
  struct fat_entry entry;
  int result = LB_OK;

  fat_forget(&volume);
  text[0] = '\0';
  assert_result(fat_find(&volume, "", &entry), LB_OK);
  assert_result(fat_directory_open(&volume, &directory, &entry), LB_OK);
  while ((result = fat_directory_next(&volume, &directory, &entry)) == LB_MORE) {
    const size_t length = strlen(text);
    snprintf(text + length, sizeof text - length, "%s|", entry.name);
  }
  assert_result(result, LB_OK);
  assert_result(fat_directory_next(&volume, &directory, &entry), LB_OK); /* the end stays the end */
  return text;
}

static const uint16_t long_x[13] = {'L', 'o', 'n', 'g', ' ', 'x', 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF};
static const uint16_t full[13] = {'1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd'};

static void begin_names(size_t kind)
{
  insert_card(kind);
  mount();
  put_at = root_bytes(); /* over the volume's name */
}

static void test_short_names(void **state)
{
  (void)state;
  begin_names(0);
  put_short("OVMS3   BIN", 0x20);
  put_short("OVMS3   OLD", 0x20)[FAT_ENTRY_CASE] = FAT_CASE_BASE | FAT_CASE_EXTENSION;
  put_short("BASE    EXT", 0x20)[FAT_ENTRY_CASE] = FAT_CASE_BASE;
  put_short("BASE    XET", 0x20)[FAT_ENTRY_CASE] = FAT_CASE_EXTENSION;
  put_short("NOEXT      ", 0x20);
  put_short("A B     C D", 0x20);
  put_short("LABEL      ", FAT_ATTRIBUTE_VOLUME);
  put_short("\xE5"
            "ONE    TXT",
            0x20);
  put_short("\x05"
            "KANJI  TXT",
            0x20);
  put_short("\x84\x94\x81/\x01\x7F  \xE1  ", 0x20);
  put_short("HIDDEN  SYS", 0x27);
  put_short(".          ", 0x10);
  put_short("..         ", 0x10);
  put_short("FOLDER     ", 0x10);
  put_short("           ", 0x20);
  put_short("        TXT", 0x20);
#define NO "\xEF\xBF\xBD"
  assert_string_equal(list_root(), "OVMS3.BIN|ovms3.old|base.EXT|BASE.xet|NOEXT|A B.C D|" NO
                                   "KANJI.TXT|" NO NO NO NO NO NO "." NO "|HIDDEN.SYS|FOLDER|" NO "|.TXT|");
  memset(put_at, 0, FAT_ENTRY_SIZE);
  put_at += FAT_ENTRY_SIZE;
  put_short("BEHIND  END", 0x20);
  assert_int_equal(strstr(list_root(), "BEHIND") != NULL, 0);
  fat_image_remove(&image);
}

/* Parts of long names that belong to no entry, or not to the one behind them, are as if they were not there. */
static void test_orphans(void **state)
{
  static const char raw[] = "LONGX      ";
  const uint8_t sum = checksum_of(raw);

  (void)state;
  begin_names(0);
  put_part(0x41, sum, long_x);
  put_short(raw, 0x20); /* as it should be */
  assert_string_equal(list_root(), "Long x|");
  put_part(0x41, (uint8_t)(sum + 1), long_x);
  put_short("LONGX1     ", 0x20); /* another checksum */
  put_part(0x01, sum, long_x);
  put_short(raw, 0x20); /* without the mark of the last part */
  put_part(0x42, sum, long_x);
  put_short(raw, 0x20); /* the second part is missing */
  put_part(0x42, sum, long_x);
  put_part(0x02, sum, full);
  put_short(raw, 0x20); /* the same part twice */
  put_part(0x42, sum, long_x);
  put_part(0x01, (uint8_t)(sum + 1), full);
  put_short(raw, 0x20); /* parts of two names */
  put_part(0x41, sum, long_x);
  put_short("\xE5"
            "ONGX      ",
            0x20);
  put_short(raw, 0x20); /* a deleted entry between them */
  put_part(0x41, sum, long_x);
  put_short("LABEL      ", FAT_ATTRIBUTE_VOLUME);
  put_short(raw, 0x20);
  put_part(0x40, sum, long_x);
  put_short(raw, 0x20); /* no number */
  put_part(0x55, sum, long_x);
  put_short(raw, 0x20); /* more than 20 */
  put_part(0x42, sum, long_x);
  put_part(0x41, sum, long_x);
  put_short(raw, 0x20); /* begins anew: good again */
  assert_string_equal(list_root(), "Long x|LONGX1|LONGX|LONGX|LONGX|LONGX|LONGX|LONGX|LONGX|LONGX|Long x|");
  fat_image_remove(&image);
}

static const char *name_of(const uint16_t units[13])
{
  put_at = root_bytes();
  put_part(0x41, checksum_of("SHORT      "), units);
  put_short("SHORT      ", 0x20);
  memset(put_at, 0, FAT_ENTRY_SIZE);
  return list_root();
}

static void test_characters(void **state)
{
  (void)state;
  begin_names(1);
  assert_string_equal(name_of(full), "123456789abcd|");
  assert_string_equal(name_of((uint16_t[13]){0x7F, 0x80, 0x7FF, 0x800, 0xFFFD}),
                      "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBD|");
  assert_string_equal(name_of((uint16_t[13]){0xD83D, 0xDE00, 'x', 0xDBFF, 0xDFFF}),
                      "\xF0\x9F\x98\x80x\xF4\x8F\xBF\xBF|");
  assert_string_equal(name_of((uint16_t[13]){0xD83D, 'x', 0xDE00, 0xD800}), NO "x" NO NO "|");
  assert_string_equal(name_of((uint16_t[13]){'a', '/', 'b'}), "SHORT|");
  assert_string_equal(name_of((uint16_t[13]){'a', 27, 'b'}), "SHORT|");
  assert_string_equal(name_of((uint16_t[13]){0}), "SHORT|");
  assert_string_equal(name_of((uint16_t[13]){'.'}), "SHORT|");
  assert_string_equal(name_of((uint16_t[13]){'.', '.'}), "SHORT|");
  assert_string_equal(name_of((uint16_t[13]){'.', '.', '.'}), "...|");
  fat_image_remove(&image);
}

/* 255 units are a name, each of three bytes in UTF-8, or half of a pair; 256 are none. */
static void test_longest_name(void **state)
{
  uint16_t units[13];
  struct fat_entry entry;

  (void)state;
  begin_names(0);
  const uint8_t sum = checksum_of("SHORT      ");
  for (uint32_t over = 0; over < 2; over++) {
    put_at = root_bytes();
    for (uint8_t part = 20; part > 0; part--) {
      for (uint32_t i = 0; i < 13; i++) {
        units[i] = part < 20 || i < 8 + over ? 0x65E5 : 0;
      }
      put_part(part | (part == 20 ? 0x40 : 0), sum, units);
    }
    put_short("SHORT      ", 0x20);
    memset(put_at, 0, FAT_ENTRY_SIZE);
    assert_int_equal(strlen(list_root()), over == 0 ? 3 * 255 + 1 : 6);
    assert_result(fat_find(&volume, "short", &entry), LB_OK);
    assert_int_equal(strlen(entry.name), over == 0 ? 3 * 255 : 5);
  }
  fat_image_remove(&image);
}

static void test_dates(void **state)
{
  static const struct {
    uint32_t year, month, day, hour, minute, second;
    int64_t expected;
  } cases[] = {
      {1980, 1, 1, 0, 0, 0, 315532800},    {1999, 12, 31, 23, 59, 58, 946684798},
      {2000, 2, 29, 12, 0, 0, 951825600},  {2000, 3, 1, 0, 0, 0, 951868800},
      {2024, 12, 31, 1, 2, 4, 1735606924}, {2100, 2, 28, 0, 0, 0, 4107456000},
      {2100, 3, 1, 0, 0, 0, 4107542400},   {2107, 12, 31, 23, 59, 58, 4354819198},
      {2100, 2, 29, 0, 0, 0, 0},           {2023, 2, 29, 0, 0, 0, 0},
      {2023, 4, 31, 0, 0, 0, 0},           {2023, 0, 1, 0, 0, 0, 0},
      {2023, 13, 1, 0, 0, 0, 0},           {2023, 1, 0, 0, 0, 0, 0},
      {2023, 1, 1, 24, 0, 0, 0},           {2023, 1, 1, 0, 60, 0, 0},
      {2023, 1, 1, 0, 0, 60, 0},
  };
  struct fat_entry entry;

  (void)state;
  begin_names(0);
  uint8_t *raw = put_short("DATED      ", 0x20);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lb_store_le16(raw + FAT_ENTRY_DATE, (uint16_t)((cases[i].year - 1980) << 9 | cases[i].month << 5 | cases[i].day));
    lb_store_le16(raw + FAT_ENTRY_TIME, (uint16_t)(cases[i].hour << 11 | cases[i].minute << 5 | cases[i].second / 2));
    fat_forget(&volume);
    assert_result(fat_find(&volume, "dated", &entry), LB_OK);
    if (entry.modified != cases[i].expected) {
      fail_here("case %u: %lld", (unsigned)i, (long long)entry.modified);
    }
  }
  fat_image_remove(&image);
}

/* ---- chains ---- */

static void set_next(uint32_t cluster, uint32_t next)
{
  uint8_t *table = image.bytes + (size_t)volume.table_sector * BLOCK_SIZE;

  if (volume.table_bits == 32) {
    lb_store_le32(table + (size_t)4 * cluster, next);
  } else if (volume.table_bits == 16) {
    lb_store_le16(table + (size_t)2 * cluster, (uint16_t)next);
  } else {
    uint8_t *bytes = table + cluster + cluster / 2;
    const uint32_t both = lb_load_le16(bytes);
    lb_store_le16(bytes, (uint16_t)(cluster % 2 == 1 ? (both & 0xF) | next << 4 : (both & 0xF000) | (next & 0xFFF)));
  }
}

static int open_file(const char *path)
{
  struct fat_entry entry;
  struct fat_file file;

  fat_forget(&volume);
  assert_result(fat_find(&volume, path, &entry), LB_OK);
  return fat_file_open(&volume, &file, &entry);
}

/* Opens a file, and reads it to its end: as many bytes as it has, or fewer and an error. */
static int read_file(const char *path)
{
  struct fat_entry entry;
  struct fat_file file;
  uint8_t buffer[4096];
  uint32_t done = 0;
  uint32_t got = 0;
  int result = LB_OK;

  fat_forget(&volume);
  assert_result(fat_find(&volume, path, &entry), LB_OK);
  assert_result(fat_file_open(&volume, &file, &entry), LB_OK);
  do {
    result = fat_file_read(&file, buffer, sizeof buffer, &got);
    done += got;
    assert_in_range(done, 0, entry.size);
  } while (result == LB_OK && got > 0);
  assert_true(result != LB_OK || done == entry.size);
  return result;
}

/* The file has the clusters first to first + 19. */
static uint32_t put_file(void)
{
  struct fat_entry entry;

  fat_image_put(&image, "file", content, sizeof content);
  mount();
  assert_result(fat_find(&volume, "file", &entry), LB_OK);
  assert_result(read_file("file"), LB_OK);
  return entry.cluster;
}

/* A loop gives wrong bytes, as many as the file has; what leads nowhere is an error. Behind the last byte nobody asks.
 */
static void test_chains(void **state)
{
  (void)state;
  for (size_t kind = 0; kind < 3; kind++) {
    insert_card(kind);
    const uint32_t first = put_file();
    const uint32_t largest = volume.table_bits == 12 ? 0xFFF : volume.table_bits == 16 ? 0xFFFF : 0x0FFFFFFF;
    for (uint32_t at = 0; at < 20; at++) {
      for (uint32_t to = 0; to < 20; to++) { /* every step back and forward */
        set_next(first + at, first + to);
        assert_result(read_file("file"), at == 19 || to <= at + 1 ? LB_OK : PORT_ERR_FILE_IO);
      }
      const uint32_t wrong[] = {0, 1, volume.clusters + 2, largest - 9, largest - 8}; /* the last: a bad cluster */
      for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        set_next(first + at, wrong[i]);
        assert_result(open_file("file"), LB_OK);
        assert_result(read_file("file"), at == 19 ? LB_OK : PORT_ERR_FILE_IO);
      }
      set_next(first + at, largest - 7); /* an end */
      assert_result(read_file("file"), at == 19 ? LB_OK : PORT_ERR_FILE_IO);
      set_next(first + at, at == 19 ? largest : first + at + 1);
    }
    assert_result(read_file("file"), LB_OK);
    if (volume.table_bits == 32) { /* the upper bits are not ours */
      set_next(first, 0xF0000000 | (first + 1));
      assert_result(read_file("file"), LB_OK);
    }
    fat_image_remove(&image);
  }
}

/* A chain that is cut while the file is open. */
static void test_cut_while_open(void **state)
{
  struct fat_entry entry;
  struct fat_file file;
  uint8_t buffer[4096];
  uint32_t got = 0;

  (void)state;
  insert_card(1);
  const uint32_t first = put_file();
  assert_result(fat_find(&volume, "file", &entry), LB_OK);
  assert_result(fat_file_open(&volume, &file, &entry), LB_OK);
  assert_result(fat_file_read(&file, buffer, 4000, &got), LB_OK);
  assert_int_equal(got, 4000);
  set_next(first + 5, 0xFFFF);
  fat_forget(&volume);
  assert_result(fat_file_read(&file, buffer, 4096, &got), PORT_ERR_FILE_IO);
  assert_int_equal(got, 0);
  set_next(first + 5, first + 6);
  fat_forget(&volume);
  assert_result(fat_file_read(&file, buffer, 4096, &got), LB_OK); /* goes on where it was */
  assert_int_equal(got, 4096);
  assert_int_equal(file.position, 8096);
  fat_image_remove(&image);
}

static void test_wrong_entries(void **state)
{
  (void)state;
  for (size_t kind = 0; kind < 3; kind++) {
    insert_card(kind);
    const uint32_t first = put_file();
    struct fat_entry found;
    assert_result(fat_find(&volume, "file", &found), LB_OK);
    uint8_t *entry = root_bytes() + (size_t)found.last * FAT_ENTRY_SIZE;
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, sizeof content + 1); /* more bytes than clusters */
    assert_result(open_file("file"), LB_OK);
    assert_result(read_file("file"), PORT_ERR_FILE_IO);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, volume.clusters * CLUSTER); /* as many as the volume has */
    assert_result(open_file("file"), LB_OK);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, volume.clusters * CLUSTER + 1);
    assert_result(open_file("file"), PORT_ERR_FILE_IO);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, 0xFFFFFFFF);
    assert_result(open_file("file"), PORT_ERR_FILE_IO);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, 1); /* fewer */
    assert_result(read_file("file"), LB_OK);
    lb_store_le16(entry + FAT_ENTRY_CLUSTER, 0);
    assert_result(open_file("file"), PORT_ERR_FILE_IO);
    lb_store_le16(entry + FAT_ENTRY_CLUSTER, 1);
    assert_result(open_file("file"), PORT_ERR_FILE_IO);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, 0); /* then it does not matter where it begins */
    assert_result(open_file("file"), LB_OK);
    lb_store_le16(entry + FAT_ENTRY_CLUSTER, (uint16_t)first);
    lb_store_le32(entry + FAT_ENTRY_SIZE_FIELD, 1);
    lb_store_le16(entry + FAT_ENTRY_CLUSTER_HIGH, 0x1234); /* of FAT32 only */
    assert_result(open_file("file"), kind == 2 ? PORT_ERR_FILE_IO : LB_OK);
    fat_image_remove(&image);
  }
}

/* ---- directories ---- */

static int list(const char *path)
{
  struct fat_directory directory;
  struct fat_entry entry;

  fat_forget(&volume);
  int result = fat_find(&volume, path, &entry);
  result = result ? result : fat_directory_open(&volume, &directory, &entry);
  while (result == LB_OK && (result = fat_directory_next(&volume, &directory, &entry)) == LB_MORE) {
    result = LB_OK;
  }
  return result;
}

static void test_directories(void **state)
{
  struct fat_entry entry;

  (void)state;
  for (size_t kind = 0; kind < 3; kind++) {
    insert_card(kind);
    fat_image_run(&image, "mmd -i $IMAGE ::sub ::sub/deeper ::other");
    mount();
    assert_result(fat_find(&volume, "sub", &entry), LB_OK);
    const uint32_t sub = entry.cluster;
    uint8_t *raw = root_bytes() + (size_t)entry.last * FAT_ENTRY_SIZE;
    uint8_t *content_of = image.bytes + (size_t)fat_cluster_sector(&volume, sub) * BLOCK_SIZE;
    memset(content_of + 96, 0xE5, CLUSTER - 96); /* so that it has no end but that of its chain */
    assert_result(list("sub"), LB_OK);
    set_next(sub, sub); /* a loop */
    assert_result(list("sub"), PORT_ERR_FILE_IO);
    assert_result(list("sub/none"), PORT_ERR_FILE_IO);
    assert_result(list("sub/deeper"), LB_OK);
    set_next(sub, 0);
    assert_result(list("sub"), PORT_ERR_FILE_IO);
    set_next(sub, 0x0FFFFFFF);
    lb_store_le16(content_of + 64 + FAT_ENTRY_CLUSTER, (uint16_t)sub);   /* "deeper" is "sub" again */
    assert_result(list("sub/deeper/deeper/../other"), PORT_ERR_FILE_IO); /* ".." is the root, too far down */
    assert_result(list("sub/deeper/deeper/deeper"), LB_OK);
    lb_store_le16(content_of + 32 + FAT_ENTRY_CLUSTER_HIGH, 0xFFFF);
    lb_store_le16(content_of + 32 + FAT_ENTRY_CLUSTER, 0xFFFF); /* ".." leads out of the volume */
    assert_result(list("sub/deeper/.."), PORT_ERR_FILE_IO);
    assert_result(list("sub/../other"), LB_OK); /* where the root is is known */
    memcpy(content_of + 32, "XX", 2);
    assert_result(list("sub/deeper/.."), PORT_ERR_FILE_IO);
    lb_store_le16(raw + FAT_ENTRY_CLUSTER, 0); /* "sub" is the root again */
    assert_result(list("sub"), PORT_ERR_FILE_IO);
    assert_result(list("sub/other"), PORT_ERR_FILE_IO);
    fat_image_remove(&image);
  }
}

/* A root directory that is a loop, listed sorted; and one that is as large as it can be. */
static void test_largest_directory(void **state)
{
  struct fat_files files;
  struct fat_directory directory;
  struct fat_entry entry;
  uint32_t count = 0;
  int result = LB_OK;

  (void)state;
  insert_card(2);
  mount();
  memset(root_bytes(), 0xE5, CLUSTER);
  set_next(2, 2);
  fat_files_open(&files, &image.device, NULL, NULL);
  assert_result(files.port.list(&files, "/sd", NULL, NULL), PORT_ERR_FILE_IO);
  assert_in_range(image.reads, 2 * FAT_DIRECTORY_ENTRIES / 32, 2 * FAT_DIRECTORY_ENTRIES / 32 + 100);
  for (uint32_t i = 0; i < FAT_DIRECTORY_ENTRIES; i++) { /* 65536 entries in 2048 clusters */
    const uint32_t cluster = i / 32 == 0 ? 2 : 99 + i / 32;
    uint8_t *raw = image.bytes + (size_t)fat_cluster_sector(&volume, cluster) * BLOCK_SIZE + i % 32 * FAT_ENTRY_SIZE;
    char name[12];
    snprintf(name, sizeof name, "%08u   ", (unsigned)i);
    memset(raw, 0, FAT_ENTRY_SIZE);
    memcpy(raw, name, FAT_RAW_NAME);
    set_next(cluster, i / 32 == 2047 ? 0x0FFFFFFF : 100 + i / 32);
  }
  mount();
  assert_result(fat_find(&volume, "", &entry), LB_OK);
  assert_result(fat_directory_open(&volume, &directory, &entry), LB_OK);
  while ((result = fat_directory_next(&volume, &directory, &entry)) == LB_MORE) {
    count++;
  }
  assert_result(result, LB_OK);
  assert_int_equal(count, FAT_DIRECTORY_ENTRIES);
  assert_result(fat_find(&volume, "00065535", &entry), LB_OK);
  set_next(99 + 2047, 5000); /* one cluster more */
  fat_forget(&volume);
  assert_result(fat_find(&volume, "none", &entry), PORT_ERR_FILE_IO);
  fat_image_remove(&image);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_short_names),    cmocka_unit_test(test_orphans),
      cmocka_unit_test(test_characters),     cmocka_unit_test(test_longest_name),
      cmocka_unit_test(test_dates),          cmocka_unit_test(test_chains),
      cmocka_unit_test(test_cut_while_open), cmocka_unit_test(test_wrong_entries),
      cmocka_unit_test(test_directories),    cmocka_unit_test(test_largest_directory),
  };

  return cmocka_run_group_tests_name("fat_damage", tests, NULL, NULL);
}
