// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/agent_file.h"

#include <gmock/gmock.h>
#include <sys/utsname.h>

namespace podshark::extcap::remote {
namespace {

TEST(AgentFile, is_there_for_the_machine_that_it_was_built_on) {
  utsname here{};
  ASSERT_EQ(0, ::uname(&here));
  const auto bytes = agent_file(here.machine, PODSHARK_AGENTS);
  ASSERT_TRUE(bytes) << bytes.error().line();
  EXPECT_EQ("\x1f\x8b", bytes->substr(0, 2));
}

TEST(AgentFile, of_other_machines_is_missed_in_one_line) {
  for (const char* machine : {"vax", "", "../../etc/passwd", "x86_64.gz", "a/b", "averylongmachinename"}) {
    const auto bytes = agent_file(machine, PODSHARK_AGENTS);
    ASSERT_FALSE(bytes) << machine;
    EXPECT_EQ(ErrorKind::not_found, bytes.error().kind);
  }
  EXPECT_FALSE(agent_file("x86_64", ""));
}

}  // namespace
}  // namespace podshark::extcap::remote
