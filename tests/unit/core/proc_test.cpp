// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/proc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/temp_tree.h"

namespace podshark {
namespace {

using test::TempTree;

constexpr const char* kTail = " 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 11 12\n";

TEST(ReadStat, this_process) {
  const Result<ProcStat> stat = read_stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ppid, ::getppid());
  EXPECT_GT(stat->start_time, 0U);
  EXPECT_EQ(stat->state, 'R');
}

TEST(ReadStat, comm_may_hold_spaces_and_parentheses) {
  const TempTree tree;
  tree.write("812/stat", std::string("812 (a) R 1 (b c) S 77") + kTail);
  const Result<ProcStat> stat = read_stat(812, tree.path());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) R 1 (b c");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->ppid, 77);
  EXPECT_EQ(stat->start_time, 98765U);
}

TEST(ReadStat, malformed_and_missing_are_errors) {
  const TempTree tree;
  for (const char* text :
       {"", "812", "812 (x", ")812(", "812 (x) S", "812 (x) SS 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 9"}) {
    tree.write("812/stat", text);
    EXPECT_FALSE(read_stat(812, tree.path())) << text;
  }
  tree.write("812/stat", std::string(5000, 'x'));
  EXPECT_FALSE(read_stat(812, tree.path()));
  EXPECT_FALSE(read_stat(813, tree.path()));
}

TEST(ReadFile, the_limit_is_an_error_never_a_cut) {
  const TempTree tree;
  const std::string file = tree.write("f", std::string(40'000, 'x'));
  EXPECT_FALSE(read_file(file, 39'999));
  const Result<std::string> whole = read_file(file, 40'000);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 40'000U);
}

TEST(ReadCmdline, splits_at_nul_and_keeps_empty_arguments) {
  const TempTree tree;
  tree.write("5/cmdline", std::string("conmon\0-n\0\0-c\0x\0", 16));
  EXPECT_EQ(read_cmdline(5, tree.path()), (std::vector<std::string>{"conmon", "-n", "", "-c", "x"}));
  tree.write("6/cmdline", "");
  EXPECT_TRUE(read_cmdline(6, tree.path()).empty());
  EXPECT_TRUE(read_cmdline(7, tree.path()).empty());
}

TEST(ListPids, only_directories_with_decimal_names) {
  const TempTree tree;
  for (const char* name : {"1/stat", "4711/stat", "self/stat", "12x/stat", "99999999999/stat", "net/dev"}) {
    tree.write(name, "");
  }
  EXPECT_THAT(list_pids(tree.path()), testing::UnorderedElementsAre(1, 4711));
  EXPECT_TRUE(list_pids(tree.path() + "/none").empty());
}

TEST(NamespaceInode, equals_what_stat_says_and_is_0_for_the_dead) {
  struct stat st {};
  ASSERT_EQ(::stat("/proc/self/ns/net", &st), 0);
  EXPECT_EQ(namespace_inode(::getpid(), "net"), st.st_ino);
  const TempTree tree;
  EXPECT_EQ(namespace_inode(1, "net", tree.path()), 0U);
}

}  // namespace
}  // namespace podshark
