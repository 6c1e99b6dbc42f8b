// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/doctor/file_facts.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace podshark::extcap::doctor {
namespace {

// What `setcap cap_sys_admin,cap_sys_ptrace,cap_net_raw=p` (or =ep) writes.
std::string attribute(std::uint32_t magic, std::uint32_t low, std::uint32_t high) {
  std::string bytes;
  for (const std::uint32_t word : {magic, low, 0U, high, 0U}) {
    for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>((word >> (8 * i)) & 0xff);
  }
  return bytes;
}

constexpr std::uint32_t kLow = (1U << CAP_SYS_ADMIN) | (1U << CAP_SYS_PTRACE) | (1U << CAP_NET_RAW);

TEST(FileCapabilities, permitted_only_is_told_from_effective) {
  const auto p = parse_file_caps(attribute(VFS_CAP_REVISION_2, kLow, 0));
  ASSERT_TRUE(p.has_value());
  EXPECT_EQ(p->permitted, kLow);
  EXPECT_FALSE(p->effective);
  const auto ep = parse_file_caps(attribute(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, kLow, 1));
  ASSERT_TRUE(ep.has_value());
  EXPECT_EQ(ep->permitted, kLow | (std::uint64_t{1} << 32));
  EXPECT_TRUE(ep->effective);
}

TEST(FileCapabilities, a_namespaced_one_is_read_too) {
  EXPECT_TRUE(parse_file_caps(attribute(VFS_CAP_REVISION_3, kLow, 0) + std::string(4, '\0')).has_value());
}

TEST(FileCapabilities, malformed_ones_are_refused) {
  EXPECT_FALSE(parse_file_caps("").has_value());
  EXPECT_FALSE(parse_file_caps(attribute(VFS_CAP_REVISION_2, kLow, 0).substr(0, 15)).has_value());
  EXPECT_FALSE(parse_file_caps(attribute(0x09000000, kLow, 0)).has_value());
}

TEST(LookAt, follows_links_and_tells_the_same_file) {
  const std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("doctor-" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  const std::string file = dir / "a";
  const std::string link = dir / "b";
  std::ofstream(file) << "x";
  ASSERT_EQ(::chmod(file.c_str(), 0751), 0);
  std::filesystem::create_symlink(file, link);
  const FileFacts a = look_at(file);
  const FileFacts b = look_at(link);
  const FileFacts none = look_at(dir / "c");
  std::filesystem::remove_all(dir);
  EXPECT_TRUE(a.same_file(b));
  EXPECT_FALSE(a.same_file(none));
  EXPECT_FALSE(none.same_file(none));
  EXPECT_TRUE(b.executable);
  EXPECT_EQ(mode_text(b).substr(0, 5), "0751 ");
}

}  // namespace
}  // namespace podshark::extcap::doctor
