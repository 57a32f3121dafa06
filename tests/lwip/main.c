// SPDX-License-Identifier: MIT
#include "tests/lwip/suites.h"

#include "tests/lwip/world.h"

int main(void)
{
  int failed = 0;

  world_open(NULL);
  failed += run_link_tests();
  failed += run_name_tests();
  failed += run_transfer_tests();
  failed += run_server_tests();
  failed += run_limit_tests();
  failed += run_garbage_tests();
  cable_clear();
  peer_start();
  return failed == 0 ? 0 : 1;
}
