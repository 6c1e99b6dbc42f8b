// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "extcap/remote/clock_watch.h"
#include "extcap/remote/merge_book.h"
#include "extcap/remote/merge_host.h"
#include "podman/core/clock.h"
#include "podman/core/process.h"

namespace podshark::extcap::remote {
namespace {

using testing::ElementsAre;

TEST(InterfaceOn, names_the_host) {
  EXPECT_EQ("podman@me@server:2222:web/eth0", interface_name_on("podman:web/eth0", "me@server:2222"));
  EXPECT_EQ("podman-root@server:db/eth0", interface_name_on("podman-root:db/eth0", "server"));
  EXPECT_EQ("podman@a_b_c:pod/shop/eth0", interface_name_on("podman:pod/shop/eth0", "a b=c"));
  EXPECT_EQ("podman:web/eth0", interface_name_on("podman:web/eth0", ""));
  EXPECT_EQ("eth0", interface_name_on("eth0", "server"));
}

TEST(InterfaceOn, tells_what_is_subtracted_from_its_times) {
  EXPECT_EQ("container=web host=server clock=+0.250010312",
            interface_description_on("container=web", "server", annotate::InterfaceClock{250'010'312, 5}));
  EXPECT_EQ("host=server clock=-1.000000007",
            interface_description_on("", "server", annotate::InterfaceClock{-1'000'000'007, 5}));
  EXPECT_EQ("container=web host=server", interface_description_on("container=web", "server", std::nullopt));
  EXPECT_EQ("container=web", interface_description_on("container=web", "", std::nullopt));
}

model::Container container(const char* id, const char* host) {
  model::Container c;
  c.id = id;
  c.host = host;
  return c;
}

TEST(MergedInventory, has_each_container_once) {
  model::Inventory a;
  model::Inventory b;
  a.containers = {container("1", "a"), container("2", "a")};
  b.containers = {container("2", "b"), container("3", "b"), container("", "b"), container("", "b")};
  a.problems = {{"podman", "what", "hint"}};
  const model::Inventory all = merged_inventory({&a, &b}, "here");
  EXPECT_EQ("here", all.host);
  std::vector<std::string> told;
  for (const auto& c : all.containers) told.push_back(c.id + "@" + c.host);
  EXPECT_THAT(told, ElementsAre("1@a", "2@a", "3@b", "@b", "@b"));
  EXPECT_EQ(1U, all.problems.size());
}

annotate::Event nat(const char* host, const char* id, const char* what) {
  annotate::Event event;
  event.kind = "nat";
  event.host = host;
  event.id = id;
  event.what = what;
  event.detail = std::string(what) + ": tcp";
  return event;
}

TEST(OpenTranslations, are_told_again_until_they_end) {
  OpenTranslations open;
  open.take(nat("a", "1", "started"));
  open.take(nat("b", "1", "started"));
  open.take(nat("a", "2", "seen"));
  open.take(nat("a", "1", "ended"));
  std::vector<std::string> told;
  open.repeat(7, [&](const annotate::Event& e) {
    EXPECT_EQ(7, e.time_ns);
    told.push_back(e.host + e.id + " " + e.what + ", " + e.detail);
  });
  EXPECT_THAT(told, ElementsAre("a2 seen, seen: tcp", "b1 seen, seen: tcp"));
}

TEST(LossBook, counts_the_newest_of_each_machine) {
  annotate::Event stats;
  stats.kind = "stats";
  stats.links.resize(2);
  stats.links[0].dropped = 3;
  stats.links[1].dropped = 4;
  stats.links[1].errors = 1;
  LossBook book;
  book.take(0, stats);
  book.take(0, stats);
  book.take(1, stats);
  Summary sum;
  book.add_to(sum);
  EXPECT_EQ(14U, sum.dropped);
  EXPECT_EQ(2U, sum.link_errors);
}

TEST(ReadClock, takes_what_bash_and_date_print) {
  EXPECT_EQ(1'700'000'000'123'456'000, read_clock("1700000000.123456"));
  EXPECT_EQ(1'700'000'000'123'456'789, read_clock("1700000000123456789"));
  for (const char* wrong : {"1700000000", "", "1700000000N", "%N", "1700000000.12345", "1700000000,123456",
                            "-5", "-5.123456", "9000000000000000000", "9000000000.123456", "1.1234567"})
    EXPECT_FALSE(read_clock(wrong)) << wrong;
}

// The clock's script asked twice, with a beat of the line before; in a PATH of these programs.
std::string answers(const std::string& programs) {
  const auto done = podshark::run({"sh", "-c",
                                   "T=$(mktemp -d); for p in " + programs +
                                       "; do ln -s \"$(command -v $p)\" $T; done; "
                                       "{ printf .; printf '1\\n'; sleep 1; printf '2\\n'; sleep 1; } | "
                                       "PATH=$T /bin/sh -c \"$CLOCK\"; rm -r $T"},
                                  std::chrono::seconds(20), 65536, {"CLOCK=" + clock_script()});
  return done ? done->out : done.error().what;
}

void expect_answers(const std::string& programs) {
  const std::string text = answers(programs);
  EXPECT_THAT(text, testing::MatchesRegex("\npodshark-begins\nready\n\\.?1 [0-9.]+\n2 [0-9.]+\n"));
  const std::size_t at = text.rfind(' ');
  ASSERT_NE(std::string::npos, at);
  const auto time = read_clock(std::string_view(text).substr(at + 1, text.size() - at - 2));
  ASSERT_TRUE(time) << text;
  EXPECT_LT(std::abs(*time - now_ns()), 10'000'000'000);
}

TEST(ClockScript, answers_each_line_with_the_time) {
  expect_answers("bash");
}

TEST(ClockScript, does_so_without_bash) {
  expect_answers("timeout dd date");
}

}  // namespace
}  // namespace podshark::extcap::remote
