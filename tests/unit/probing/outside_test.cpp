// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "extcap/probe/outside.h"

namespace podshark::extcap::probing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

probe::Endpoint target(const char* address, std::uint16_t port) {
  return {*IpAddress::parse(address), port};
}

TEST(ParseSsh, takes_what_ssh_takes) {
  for (const char* text :
       {"ssh://host", "ssh://user@host.example:2222", "ssh://u@[fd00::1]:22", "ssh://host/"}) {
    const Result<std::string> got = parse_ssh(text);
    ASSERT_TRUE(got) << text;
    EXPECT_THAT(std::string(text), ::testing::StartsWith(*got));
  }
}

TEST(ParseSsh, refuses_options_and_what_a_shell_might_take) {
  for (const char* text : {"ssh://", "ssh:host", "ssh://-oProxyCommand=id", "ssh://u@-x", "ssh://@",
                           "ssh://a b", "ssh://a;b", "ssh://$(id)", "host"}) {
    const Result<std::string> got = parse_ssh(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(ErrorKind::usage, got.error().kind);
  }
  EXPECT_EQ(ErrorKind::usage, parse_ssh("ssh://host/web").error().kind);
}

TEST(FarCommand, holds_numbers_only_and_ends_by_itself) {
  const std::string text = far_command(target("203.0.113.1", 8080), probe::milliseconds(2500), "");
  EXPECT_THAT(text, HasSubstr("exec 3<>/dev/tcp/203.0.113.1/8080 || exit 1;"));
  EXPECT_THAT(text, HasSubstr("timeout 4 bash -c '"));
  EXPECT_THAT(text, Not(HasSubstr("!")));
  EXPECT_EQ(2, std::count(text.begin(), text.end(), '\''));
  EXPECT_THAT(far_command(target("fd00::1", 80), probe::milliseconds(500), "podshark 1"),
              HasSubstr("/dev/tcp/fd00::1/80 || exit 1; echo podshark-open; echo podshark 1 >&3;"));
}

TEST(FarError, is_read_from_the_words_of_bash) {
  EXPECT_EQ(ECONNREFUSED,
            far_error("bash: connect: Connection refused\nbash: line 1: /dev/tcp/1/2: Connection refused\n"));
  EXPECT_EQ(EHOSTUNREACH, far_error("bash: connect: No route to host\n"));
  EXPECT_EQ(0, far_error("bash: line 1: exec: something else\n"));
}

}  // namespace
}  // namespace podshark::extcap::probing
