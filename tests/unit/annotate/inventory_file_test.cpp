// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/inventory_file.h"

#include <gtest/gtest.h>

namespace podshark::annotate {
namespace {

TEST(InventoryBeside, takes_the_place_of_the_extension) {
  EXPECT_EQ(inventory_beside("web.pcap"), "web.podman.json");
  EXPECT_EQ(inventory_beside("/a.b/web.pcap.gz"), "/a.b/web.podman.json");
  EXPECT_EQ(inventory_beside("/a.b/web"), "/a.b/web.podman.json");
  EXPECT_EQ(inventory_beside("/a.b/.web"), "/a.b/.web.podman.json");
  EXPECT_EQ(inventory_beside("web.gz"), "web.podman.json");
  EXPECT_EQ(inventory_beside(".gz"), ".gz.podman.json");
}

}  // namespace
}  // namespace podshark::annotate
