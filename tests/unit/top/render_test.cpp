// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "extcap/top/terminal.h"
#include "extcap/top/text_table.h"

namespace podshark::extcap::top {
namespace {

using testing::HasSubstr;
using testing::Not;

PeerRow peer(const char* address, const char* name, Side side, std::uint16_t port, Traffic traffic) {
  PeerRow p;
  p.key.ip = true;
  p.key.side = side;
  p.key.protocol = IPPROTO_TCP;
  p.key.port = port;
  p.key.peer = *IpAddress::parse(address);
  p.name = name;
  p.traffic = traffic;
  return p;
}

Report two() {
  Report r;
  r.seconds = 2;
  Entry web;
  web.name = "web";
  web.interface = "podman:web";
  web.container_id = "0123";
  web.members = {"web"};
  web.seconds = 2;
  web.now.traffic = {20, 3000, 200, 250000};
  web.now.retransmits = 3;
  web.since_start = web.now;
  web.since_start.retransmits = 40;
  web.protocols_known = true;
  web.connections = 12;
  web.peers = {peer("10.89.0.3", "db", Side::remote, 5432, {10, 2000, 200, 250000}),
               peer("203.0.113.2", "", Side::local, 80, {10, 1000, 0, 0})};
  web.peers[1].published_port = 8080;
  Entry pod;
  pod.name = "pod/shop";
  pod.interface = "podman:pod/shop";
  pod.pod = "shop";
  pod.members = {"front", "back"};
  pod.seconds = 1;
  pod.now.lo_bytes = 500;
  pod.now.lo_packets = 5;
  pod.since_start = pod.now;
  pod.others = {1, 60, 0, 0};
  r.entries = {web, pod};
  r.total = web.now;
  r.total += pod.now;
  r.total_since_start = web.since_start;
  return r;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& l : lines) out += l + "\n";
  return out;
}

TEST(RenderText, bytes_of_a_report) {
  EXPECT_EQ(joined(render_text(two(), {.width = 0, .height = 0, .totals = false, .header = "top"})),
            "top\n"
            "CONTAINER     RX B/s  TX B/s  LO B/s  PKT/s  LINKDROP  SOCKDROP  RETRANS  CONN\n"
            "web             1500    125k       0    110         0         0        3    12\n"
            "pod/shop (2)       0       0     500      5         0         -        -     -\n"
            "total           1500    125k     250    112         0         0        3    12\n"
            "\n"
            "CONTAINER  PEER          SERVICE           RX B/s  TX B/s  PKT/s\n"
            "web        db 10.89.0.3  to 5432/tcp         1000    125k    105\n"
            "web        203.0.113.2   on 80/tcp (8080)     500       0      5\n"
            "pod/shop   (others)                            60       0      1\n");
}

TEST(RenderText, rare_counts_show_the_sum_since_the_start) {
  EXPECT_THAT(joined(render_text(two(), {.width = 0, .height = 0, .totals = true, .header = ""})),
              HasSubstr("3/40"));
}

TEST(RenderText, fits_every_terminal) {
  Report r = two();
  for (int i = 0; i < 50; ++i) {
    r.entries.push_back(r.entries[0]);
    r.entries.back().name = "a-container-with-a-long-name-" + std::to_string(i);
  }
  r.problems = {std::string(500, 'x')};
  for (std::size_t width = 1; width < 130; ++width) {
    for (const std::size_t height :
         {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{24}, std::size_t{60}}) {
      const auto lines =
          render_text(r, {.width = width, .height = height, .totals = true, .header = "podshark top"});
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(columns_of(line), width) << line;
    }
  }
  const std::string all =
      joined(render_text(r, {.width = 100, .height = 30, .totals = true, .header = "top"}));
  EXPECT_THAT(all, HasSubstr("more\n"));
  EXPECT_THAT(all, HasSubstr("PEER"));
}

TEST(RenderText, a_narrow_terminal_keeps_what_matters) {
  const std::string narrow =
      joined(render_text(two(), {.width = 40, .height = 0, .totals = false, .header = ""}));
  EXPECT_THAT(narrow, HasSubstr("RX B/s"));
  EXPECT_THAT(narrow, HasSubstr("125k"));
  EXPECT_THAT(narrow, Not(HasSubstr("PKT/s")));
}

// What a container may be called by a forged conmon command line, or a problem may quote.
TEST(RenderText, hostile_names_move_no_cursor) {
  Report r = two();
  r.entries[0].name = "\x1b[2J\x1b]0;owned\x07we\nb\xff\u202e";
  r.entries[0].peers[0].name =
      "d\rb\x9b"
      "31m";
  r.problems = {"\x1b[31mred\n"};
  r.entries[0].unseen_packets = 5;
  const std::string out = joined(render_text(r, {.width = 200, .height = 0, .totals = false, .header = ""}));
  for (const char bad : {'\x1b', '\x07', '\r', '\xff'}) EXPECT_EQ(out.find(bad), std::string::npos);
  EXPECT_THAT(out, Not(HasSubstr("\u202e")));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 11);
}

TEST(RenderText, nothing_is_running) {
  EXPECT_THAT(joined(render_text(Report{}, {})), HasSubstr("no container"));
}

TEST(ShortNumber, at_most_five_characters) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(9999), "9999");
  EXPECT_EQ(short_number(10000), "10.0k");
  EXPECT_EQ(short_number(123456), "123k");
  EXPECT_EQ(short_number(999499), "999k");
  EXPECT_EQ(short_number(999600), "1.00M");
  EXPECT_EQ(short_number(1.5e9), "1.50G");
  for (double v = 1; v < 9e17; v *= 1.7) EXPECT_LE(short_number(v).size(), 5U) << v;
}

TEST(RenderJson, is_one_line_and_keeps_exact_counts) {
  Report r = two();
  r.time_ns = 1'700'000'000'000'000'000;
  const std::string json = render_json(r);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_THAT(json, testing::StartsWith(
                        "{\"podshark\":1,\"kind\":\"top\",\"time\":\"2023-11-14T22:13:20.000000000Z\","
                        "\"seconds\":2.000,\"containers\":[{\"name\":\"web\",\"interface\":\"podman:web\""));
  EXPECT_THAT(json, HasSubstr("\"tx_bytes\":250000"));
  EXPECT_THAT(json, HasSubstr("\"retransmits\":3,"));
  EXPECT_THAT(
      json,
      HasSubstr(
          "{\"address\":\"203.0.113.2\",\"name\":\"\",\"loopback\":false,\"protocol\":\"tcp\",\"port\":80,"
          "\"side\":\"local\",\"published_port\":8080,"));
  EXPECT_THAT(json, HasSubstr("\"members\":[\"front\",\"back\"]"));
  EXPECT_THAT(json, HasSubstr("\"retransmits\":null"));
  EXPECT_THAT(json, HasSubstr("\"connections\":null"));
  EXPECT_THAT(json, testing::EndsWith("\"problems\":[]}"));
}

TEST(RenderJson, hostile_names_stay_in_their_strings) {
  Report r = two();
  r.entries[0].name = "a\"},{\"\\\n\x01\xff";
  const std::string json = render_json(r);
  EXPECT_THAT(json, HasSubstr("\"name\":\"a\\\"},{\\\"\\\\  \xEF\xBF\xBD\""));
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(Screen, a_frame_replaces_what_was_there) {
  EXPECT_EQ(Screen::frame({"a", "b"}), "\x1b[H\x1b[7ma\x1b[K\x1b[27m\r\nb\x1b[K\x1b[J");
}

}  // namespace
}  // namespace podshark::extcap::top
