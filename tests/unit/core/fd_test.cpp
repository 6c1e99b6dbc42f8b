// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace podshark {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, default_owns_nothing) {
  const UniqueFd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, destructor_closes_and_keeps_errno) {
  const int raw = open_null();
  ASSERT_GE(raw, 0);
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(is_open(raw));
    errno = EILSEQ;
  }
  EXPECT_EQ(errno, EILSEQ);
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFd, move_assignment_closes_the_old_one) {
  const int first = open_null();
  const int second = open_null();
  UniqueFd a(first);
  UniqueFd b(second);
  a = std::move(b);
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(a.get(), second);
  EXPECT_FALSE(b);  // NOLINT(bugprone-use-after-move): a moved-from UniqueFd is defined to be empty
}

TEST(UniqueFd, self_move_keeps_the_descriptor) {
  const int raw = open_null();
  UniqueFd fd(raw);
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), raw);
  EXPECT_TRUE(is_open(raw));
}

TEST(UniqueFd, release_gives_up_ownership) {
  const int raw = open_null();
  {
    UniqueFd fd(raw);
    EXPECT_EQ(fd.release(), raw);
  }
  EXPECT_TRUE(is_open(raw));
  ::close(raw);
}

}  // namespace
}  // namespace podshark
