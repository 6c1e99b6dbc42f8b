// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/inventory_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podman/annotate/codec.h"
#include "tests/unit/temp_tree.h"

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

struct Beside : testing::Test {
  test::TempTree tree;
  const std::string capture = tree.write("web.pcap", "");
  [[nodiscard]] std::string path() const { return tree.path() + "/web.podman.json"; }
  void expect_refused(const std::string& why) const {
    const auto found = inventory_of(capture);
    ASSERT_FALSE(found);
    EXPECT_EQ(ErrorKind::permission, found.error().kind);
    EXPECT_THAT(found.error().what, testing::HasSubstr(why));
  }
};

TEST_F(Beside, may_be_missing) {
  const auto found = inventory_of(capture);
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_F(Beside, is_read) {
  tree.write("web.podman.json", encode_inventory({}));
  const auto found = inventory_of(capture);
  ASSERT_TRUE(found) << found.error().line();
  EXPECT_TRUE(*found);
}

TEST_F(Beside, a_link_is_not_followed) {
  std::filesystem::create_symlink(tree.write("other", encode_inventory({})), path());
  expect_refused("is no file");
}

TEST_F(Beside, a_fifo_is_not_waited_for) {
  ASSERT_EQ(0, ::mkfifo(path().c_str(), 0600));
  expect_refused("is no file");
}

TEST_F(Beside, a_strangers_is_not_read) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a file another user's";
  tree.write("web.podman.json", encode_inventory({}));
  ASSERT_EQ(0, ::chown(path().c_str(), 12345, 12345));
  expect_refused("another user's");
  ASSERT_EQ(0, ::chown(capture.c_str(), 12345, 12345));
  EXPECT_TRUE(inventory_of(capture)) << "who made the capture may tell of it";
}

}  // namespace
}  // namespace podshark::annotate
