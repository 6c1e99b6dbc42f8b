// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/one_sided.h"

#include <gtest/gtest.h>

namespace podshark::plugin {
namespace {

TEST(OneSided, joins_a_record_with_the_packet_of_its_time) {
  OneSided told;
  told.visit(5, 1000);
  told.visit(6, 1001);
  told.visit(8, 1003);
  told.learn(9, 1001);
  EXPECT_EQ(9U, told.record(6));
  EXPECT_EQ(6U, told.packet(9));
  for (const std::uint32_t frame : {5U, 8U, 9U}) EXPECT_EQ(0U, told.record(frame));
}

TEST(OneSided, a_time_that_no_packet_has_joins_nothing) {
  OneSided told;
  told.learn(1, 1000);
  told.visit(5, 1000);
  for (const std::int64_t time : {0, 999, 1001}) told.learn(9, time);
  EXPECT_EQ(0U, told.record(5));
  EXPECT_EQ(0U, told.packet(9));
}

TEST(OneSided, old_packets_are_forgotten) {
  OneSided told;
  told.visit(5, 1000);
  told.visit(6, 1001 + OneSided::kLongestWait);
  told.learn(9, 1000);
  EXPECT_EQ(0U, told.packet(9));
}

TEST(OneSided, another_file_knows_nothing) {
  OneSided told;
  told.visit(5, 1000);
  told.learn(9, 1000);
  told.clear();
  told.learn(9, 1000);
  EXPECT_EQ(0U, told.record(5));
  EXPECT_EQ(0U, told.packet(9));
}

}  // namespace
}  // namespace podshark::plugin
