// SPDX-License-Identifier: MIT
/*
 * How often each call reads the card: the board's watchdog is not fed while one runs, so none may read more than its
 * directories once and a few sectors besides, however large a file is and however many names there are.
 */
#include "lifeboat/bytes.h"
#include "ports/fat/fat_files.h"
#include "ports/fat/fat_parts.h"
#include "tests/unit/support/fat_image.h"
#include "tests/unit/support/unit.h"

#define FILE_KILOBYTES  (4U * 1024U * 1024U) /* FAT's largest file has one byte less */
#define CLUSTER         4096U
#define FIRST           100U /* cluster of the large file, and of what the root directory goes on in */
#define STRIDE          4096U
#define ENTRIES         65536U
#define FEW             10U /* for mounting, and for the table's sectors that a small directory has */
#define MOST_OF_READING 4U  /* two clusters at most, and their entries of the table */

static struct fat_image image;
static struct fat_files files;

/* Cards with a chain that this test writes itself; the table of FAT32 begins behind 32 reserved sectors. */
static void insert_card(uint32_t kilobytes, const char *options)
{
  fat_image_make(&image, kilobytes, options, 0);
  fat_files_open(&files, &image.device, NULL, NULL);
}

static void set_next(uint32_t cluster, uint32_t next)
{
  uint8_t *entry = image.bytes + (size_t)32 * BLOCK_SIZE + (size_t)4 * cluster;

  assert_in_range(cluster, 2, files.volume.clusters + 1);
  lb_store_le32(entry, next);
}

static uint8_t *cluster_bytes(uint32_t cluster)
{
  return image.bytes + (size_t)fat_cluster_sector(&files.volume, cluster) * BLOCK_SIZE;
}

/* Mounts the card, which is not what is counted. */
static void mount(void)
{
  struct port_file_info info;

  assert_result(files.port.stat(&files, "/sd", &info), LB_OK);
  assert_int_equal(files.volume.table_bits, 32);
  assert_int_equal(files.volume.table_sector, 32);
  image.reads = 0;
}

static void assert_reads(const char *call, uint32_t most)
{
  if (image.reads > most) {
    fail_here("%s: %u reads instead of %u at most", call, (unsigned)image.reads, (unsigned)most);
  }
  image.reads = 0;
}

/* ---- a file of 4 GB ---- */

static void put_large_file(void)
{
  struct fat_entry entry;
  const uint32_t clusters = FILE_KILOBYTES / (CLUSTER / 1024);

  fat_image_put(&image, "large.bin", "x", 1);
  mount();
  assert_result(fat_find(&files.volume, "large.bin", &entry), LB_OK);
  uint8_t *raw = cluster_bytes(files.volume.root_cluster) + (size_t)entry.last * FAT_ENTRY_SIZE;
  lb_store_le32(raw + FAT_ENTRY_SIZE_FIELD, UINT32_MAX);
  lb_store_le16(raw + FAT_ENTRY_CLUSTER, FIRST);
  for (uint32_t i = 0; i < clusters; i++) { /* neighbours on the card are far apart in the file, as bad as can be */
    const uint32_t next = (i + 1) % (clusters / STRIDE) * STRIDE + (i + 1) / (clusters / STRIDE);
    const uint32_t here = i % (clusters / STRIDE) * STRIDE + i / (clusters / STRIDE);
    set_next(FIRST + here, i + 1 < clusters ? FIRST + next : 0x0FFFFFFF);
  }
  fat_forget(&files.volume);
  image.reads = 0;
}

static void test_large_file(void **state)
{
  static uint8_t buffer[4096];
  struct port_file_info info;
  struct port_file *file = NULL;
  uint32_t got = 0;

  (void)state;
  insert_card(FILE_KILOBYTES + 65536, "-F 32 -s 8 -R 32");
  put_large_file();
  assert_result(files.port.stat(&files, "/sd/large.bin", &info), LB_OK);
  assert_true(info.size == UINT32_MAX);
  assert_reads("stat", FEW);
  assert_result(files.port.open(&files, "/sd/large.bin", &file, &info), LB_OK);
  assert_reads("open", FEW);
  for (uint32_t i = 0; i < 20000; i++) { /* no read costs more than the first: none goes through the chain again */
    assert_result(files.port.read(file, buffer, i % 2 == 0 ? 4096 : 4095, &got), LB_OK);
    assert_int_equal(got, i % 2 == 0 ? 4096 : 4095);
    assert_reads("read", MOST_OF_READING + 2); /* a sector that is not read whole at each end */
  }
  files.port.close(file);
  fat_image_remove(&image);
}

/* ---- many names ---- */

/* A root directory as large as can be: all entries of it are names, in no order. */
static void put_names(void)
{
  const uint32_t in_cluster = files.volume.sectors_in_cluster * FAT_SECTOR_ENTRIES;

  for (uint32_t i = 0; i < ENTRIES; i++) {
    const uint32_t number = i / in_cluster;
    const uint32_t cluster = number == 0 ? files.volume.root_cluster : FIRST + number;
    uint8_t *raw = cluster_bytes(cluster) + (size_t)(i % in_cluster) * FAT_ENTRY_SIZE;
    char name[16];
    snprintf(name, sizeof name, "%08u   ", (unsigned)(i * 40503U % ENTRIES));
    memset(raw, 0, FAT_ENTRY_SIZE);
    memcpy(raw, name, FAT_RAW_NAME);
    set_next(cluster, i + in_cluster >= ENTRIES ? 0x0FFFFFFF : FIRST + number + 1);
  }
  fat_forget(&files.volume);
  image.reads = 0;
}

struct listing {
  bool is_told[ENTRIES];
  uint32_t count;
  unsigned long last;
  uint32_t groups; /* that are sorted */
};

static void note(void *context, const char *name, const struct port_file_info *info)
{
  struct listing *listing = context;
  const unsigned long number = strtoul(name, NULL, 10);

  assert_false(info->is_directory);
  assert_in_range(number, 0, ENTRIES - 1);
  assert_false(listing->is_told[number]); /* none twice */
  listing->is_told[number] = true;
  listing->groups += listing->count == 0 || number < listing->last;
  listing->last = number;
  listing->count++;
}

static void test_many_names(void **state)
{
  static struct listing listing;
  struct port_file_info info;
  struct port_file *file = NULL;
  char path[32];

  (void)state;
  insert_card(72000, "-F 32 -s 2 -R 32");
  mount();
  put_names();
  const uint32_t once = ENTRIES / FAT_SECTOR_ENTRIES + ENTRIES / FAT_SECTOR_ENTRIES / 2 * 4 / BLOCK_SIZE + FEW;
  assert_result(files.port.list(&files, "/sd", note, &listing), LB_OK);
  assert_int_equal(listing.count, ENTRIES);
  assert_int_equal(listing.groups, ENTRIES / FAT_FILES_LIST_NAMES);
  assert_reads("list", once);
  snprintf(path, sizeof path, "/sd/%08u", (unsigned)((ENTRIES - 1) * 40503U % ENTRIES)); /* the last one */
  assert_result(files.port.stat(&files, path, &info), LB_OK);
  assert_reads("stat", once);
  assert_result(files.port.open(&files, path, &file, &info), LB_OK);
  assert_reads("open", once);
  files.port.close(file);
  assert_result(files.port.open(&files, "/sd/none", &file, &info), PORT_ERR_FILE_NOT_FOUND);
  assert_reads("open of no file", once);
  fat_image_remove(&image);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_large_file),
      cmocka_unit_test(test_many_names),
  };

  return cmocka_run_group_tests_name("fat_reads", tests, NULL, NULL);
}
