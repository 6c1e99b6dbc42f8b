// SPDX-License-Identifier: GPL-2.0-or-later
// The table of commands and what each says of itself.
#include "extcap/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>

namespace podshark::extcap {
namespace {

TEST(Commands, those_that_run_on_another_machine_say_so_in_their_help) {
  const std::array<std::string, 1> help{"--help"};
  for (const Command& command : commands()) {
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(command.run(help, out, err), 0) << command.name << err.str();
    const bool told = out.str().find(" --host [USER@]HOST[:PORT]\n") != std::string::npos;
    EXPECT_EQ(told, command.there) << command.name << out.str();
  }
}

}  // namespace
}  // namespace podshark::extcap
