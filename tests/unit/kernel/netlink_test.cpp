// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/netlink.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace podshark::kernel {
namespace {

int error_in(std::int32_t value) {
  struct {
    nlmsghdr header;
    std::int32_t error;
  } message{{sizeof(message), NLMSG_ERROR, 0, 0, 0}, value};
  return error_of(message.header);
}

TEST(Netlink, an_error_is_an_errno_or_a_damaged_message) {
  EXPECT_EQ(EPERM, error_in(-EPERM));
  EXPECT_EQ(0, error_in(0));
  EXPECT_EQ(EBADMSG, error_in(1));
  EXPECT_EQ(EBADMSG, error_in(std::numeric_limits<std::int32_t>::min()));
}

}  // namespace
}  // namespace podshark::kernel
