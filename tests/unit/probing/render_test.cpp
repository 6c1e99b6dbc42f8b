// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podshark::extcap::probing {
namespace {

using probe::Outcome;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t kSecond = 1'000'000'000;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

ProbeResult result(Outcome outcome, std::int64_t time_ns = 0) {
  ProbeResult r;
  r.time_ns = time_ns;
  r.id = "0badcafe";
  r.from = "host";
  r.aim.target = "web:80/tcp";
  r.aim.container.networks.push_back({"podman", "eth0", "", {"10.88.0.2/16"}, "10.88.0.1"});
  r.attempt.local = {ip("203.0.113.1"), 40000};
  r.attempt.remote = {ip("10.88.0.2"), 80};
  r.attempt.answer_after = std::chrono::microseconds(1200);
  r.conclusion = {outcome, "because", {"seen"}, "do this"};
  return r;
}

TEST(Render, a_result_is_one_line_and_its_reasons) {
  const std::vector<std::string> lines = render_text(result(Outcome::refused));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "web:80/tcp from host: refused: because (10.88.0.2:80, 1.2 ms)");
  EXPECT_EQ(lines[1], "  - seen");
  EXPECT_EQ(lines[2], "  try: do this");
}

TEST(Render, hostile_names_can_not_break_lines_or_json) {
  ProbeResult r = result(Outcome::ok);
  r.aim.target = "a\nb\"\x1b[2J";
  EXPECT_THAT(render_line(r), Not(HasSubstr("\n")));
  EXPECT_THAT(render_json(r), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render_json(r), HasSubstr("b\\\""));
}

TEST(Render, json_has_the_probes_own_end) {
  const std::string json = render_json(result(Outcome::ok));
  EXPECT_THAT(json,
              StartsWith("{\"podshark\":1,\"kind\":\"probe\",\"time\":\"1970-01-01T00:00:00.000000000Z\""));
  EXPECT_THAT(json, HasSubstr("\"local_address\":\"203.0.113.1\",\"local_port\":40000"));
  EXPECT_THAT(json, HasSubstr("\"outcome\":\"ok\""));
  EXPECT_THAT(json, Not(HasSubstr("\"listener\"")));
}

TEST(Render, who_rewrote_the_clients_address_is_told) {
  ProbeResult r = result(Outcome::ok);
  r.arrival = probe::Arrival{0, {ip("10.88.0.1"), 40000}, {ip("10.88.0.2"), 80}, ""};
  EXPECT_EQ(translation(r), "masqueraded as the gateway of its network: 10.88.0.1 instead of 203.0.113.1");
  r.arrival->from.address = ip("10.88.0.2");
  EXPECT_THAT(translation(r), StartsWith("passed on by a process in its namespace"));
  r.arrival->from.address = ip("203.0.113.1");
  EXPECT_EQ(translation(r), "");
}

TEST(Series, counts_failures_and_how_long_they_lasted) {
  Series s;
  s.add(result(Outcome::ok, 10 * kSecond));
  EXPECT_TRUE(s.changed());
  s.add(result(Outcome::refused, 11 * kSecond));
  EXPECT_TRUE(s.changed());
  s.add(result(Outcome::refused, 12 * kSecond));
  EXPECT_FALSE(s.changed());
  s.add(result(Outcome::ok, 14 * kSecond));
  EXPECT_EQ(s.recovered_after(), 3.0);
  s.add(result(Outcome::ok, 15 * kSecond));
  EXPECT_FALSE(s.recovered_after());
  EXPECT_EQ(s.text(), "5 sent, 3 ok, 2 failed, 1.2/1.2/1.2 ms min/avg/max, longest failure 3.0 s");
  EXPECT_THAT(s.json("host", "web:80/tcp"), HasSubstr("\"sent\":5,\"ok\":3,\"failed\":2"));
}

TEST(Series, a_failure_that_goes_on_is_counted_to_the_last_try) {
  Series s;
  s.add(result(Outcome::filtered, kSecond));
  s.add(result(Outcome::filtered, 8 * kSecond));
  EXPECT_EQ(s.text(), "2 sent, 0 ok, 2 failed, longest failure 7.0 s");
}

TEST(Matrix, has_a_row_per_source_and_a_column_per_port) {
  ProbeResult a = result(Outcome::ok);
  a.from = "db";
  ProbeResult b = result(Outcome::refused);
  b.from = "db";
  b.aim.target = "cache:6379/tcp";
  ProbeResult c = b;
  c.from = "web";
  const std::vector<std::string> lines = render_matrix({a, b, c});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "FROM  web:80/tcp  cache:6379/tcp");
  EXPECT_EQ(lines[1], "db        1.2 ms         refused");
  EXPECT_EQ(lines[2], "web            -         refused");
}

TEST(Arrivals, name_the_gateway_the_container_itself_and_neighbours) {
  model::Inventory inventory;
  model::Container web;
  web.name = "web";
  web.networks.push_back({"lan", "eth0", "", {"10.89.0.2/24"}, "10.89.0.1"});
  model::Container db = web;
  db.name = "db";
  db.pid = 5;
  db.networks.front().addresses = {"10.89.0.3/24"};
  inventory.containers = {db};
  EXPECT_EQ(who_is(ip("10.89.0.1"), web, inventory), "the gateway of network 'lan'");
  EXPECT_EQ(who_is(ip("10.89.0.3"), web, inventory), "container 'db'");
  EXPECT_EQ(who_is(ip("127.0.0.1"), web, inventory), "itself");
  EXPECT_EQ(who_is(ip("192.0.2.1"), web, inventory), "");
}

}  // namespace
}  // namespace podshark::extcap::probing
