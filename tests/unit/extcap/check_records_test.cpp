// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/check/records.h"

#include <gtest/gtest.h>

namespace podshark::extcap::check {
namespace {

using diagnose::finding;
using diagnose::Findings;
using diagnose::Severity;

TEST(CheckRecords, of_a_finding_about_several_containers_each_has_one) {
  const Findings findings{
      finding("fw.explicit-drop", Severity::error, "container web, container db", "dropped"),
      finding("lsm.denied", Severity::warning, "the host", "denied"),
      finding("net.internal", Severity::info, "container web", "internal")};
  const std::vector<annotate::Event> got = records("", findings, "id", 7);
  ASSERT_EQ(4U, got.size());
  EXPECT_EQ("web", got[0].container);
  EXPECT_EQ("container web: dropped", got[0].detail);
  EXPECT_EQ("db", got[1].container);
  EXPECT_EQ("fw.explicit-drop", got[1].what);
  EXPECT_EQ("", got[2].container);
  EXPECT_EQ("checked", got[3].what);
  EXPECT_EQ("check: 2 findings", got[3].detail);
}

}  // namespace
}  // namespace podshark::extcap::check
