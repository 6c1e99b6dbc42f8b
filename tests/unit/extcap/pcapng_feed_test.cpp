// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/pcapng_feed.h"

#include <gmock/gmock.h>

#include "pcapng_bytes.h"

namespace podshark::extcap::remote {
namespace {

using test::PcapngBytes;
using testing::ElementsAre;
using testing::HasSubstr;

PcapngFeed::Bytes bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// What a stream says, one line a block.
struct Told {
  std::vector<std::string> lines;
  std::string copied;
  PcapngFeed feed{{
      .block =
          [this](PcapngFeed::Bytes b) { copied.append(reinterpret_cast<const char*>(b.data()), b.size()); },
      .section = [this] { lines.emplace_back("section"); },
      .interface =
          [this](const PcapngFeed::Interface& i) {
            lines.push_back(std::to_string(i.number) + " type " + std::to_string(i.linktype) + " snaplen " +
                            std::to_string(i.snaplen) + " " + std::string(i.name) + "|" +
                            std::string(i.description) + "|" + std::string(i.filter) + "|" +
                            std::string(i.metadata));
          },
      .packet =
          [this](const PcapngFeed::Packet& p) {
            std::string options;
            for (Options rest = p.options; const auto option = rest.next();)
              options += " option " + std::to_string(option->code);
            lines.push_back(std::to_string(p.interface) + " at " + std::to_string(p.time_ns) + " " +
                            std::string(p.data.begin(), p.data.end()) + " of " + std::to_string(p.length) +
                            " in " + std::to_string(p.block.size()) + options);
          },
      .names = [this](PcapngFeed::Bytes b) { lines.push_back("names in " + std::to_string(b.size())); },
      .statistics =
          [this](const wire::InterfaceCounters& c) {
            lines.push_back("statistics of " + std::to_string(c.interface_id) + " " +
                            std::to_string(c.start_ns) + " to " + std::to_string(c.end_ns) + ": " +
                            std::to_string(c.received) + ", " + std::to_string(c.dropped));
          },
  }};
};

// As the program writes it.
std::string ours() {
  wire::Bytes out;
  const auto text = [](std::string_view t) { return wire::Text{t.data(), t.size()}; };
  EXPECT_TRUE(wire::put_section_header(&out, text("Linux"), text("podshark")));
  const wire::InterfaceInfo info{
      1, 262144, text("podman:web/eth0"), text("container=web"), text("tcp"), text("{\"a\":1}"), 32473};
  EXPECT_TRUE(wire::put_interface(&out, &info));
  const std::array<std::uint8_t, 5> data{'h', 'e', 'l', 'l', 'o'};
  EXPECT_TRUE(wire::put_packet(&out, 0, 1'700'000'000'000'000'001, data.data(), 5, 60));
  const std::array<std::uint8_t, 4> address{10, 88, 0, 2};
  const wire::NameEntry name{address.data(), 4, text("web")};
  EXPECT_TRUE(wire::put_names(&out, &name, 1));
  EXPECT_TRUE(wire::put_annotated_packet(&out, 0, 7, data.data(), 4, 4, text("why"), text("{}"), 32473));
  const wire::InterfaceCounters counters{0, 5, 1'700'000'000'000'000'002, 9, 2};
  EXPECT_TRUE(wire::put_statistics(&out, &counters));
  std::string all(reinterpret_cast<const char*>(out.data), out.size);
  wire::free_bytes(&out);
  return all;
}

TEST(PcapngFeed, tells_what_the_program_wrote_however_it_is_cut) {
  const std::string known = ours();
  const std::string stream = known + PcapngBytes().block(0x0BAD, "late");  // a kind that nobody looks into
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    Told told;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(told.feed.feed(bytes(stream.substr(at, piece)))) << piece;
    }
    ASSERT_THAT(told.lines,
                ElementsAre("section", "0 type 1 snaplen 262144 podman:web/eth0|container=web|tcp|{\"a\":1}",
                            "0 at 1700000000000000001 hello of 60 in 40", "names in 28",
                            "0 at 7 hell of 4 in 60 option 1 option 2989",
                            "statistics of 0 5 to 1700000000000000002: 9, 2"))
        << piece;
    ASSERT_EQ(known, told.copied);
    ASSERT_TRUE(told.feed.whole());
  }
}

TEST(PcapngFeed, knows_when_a_stream_ends_within_a_block) {
  const std::string stream = ours();
  Told told;
  EXPECT_FALSE(told.feed.whole());
  ASSERT_TRUE(told.feed.feed(bytes(stream.substr(0, stream.size() - 1))));
  EXPECT_FALSE(told.feed.whole());
  ASSERT_TRUE(told.feed.feed(bytes(stream.substr(stream.size() - 1))));
  EXPECT_TRUE(told.feed.whole());
}

std::string refused(const std::string& stream) {
  Told whole;
  const Status at_once = whole.feed.feed(bytes(stream));
  Told cut;
  Status in_bits = ok();
  for (std::size_t at = 0; at < stream.size() && in_bits; ++at)
    in_bits = cut.feed.feed(bytes(stream.substr(at, 1)));
  EXPECT_FALSE(at_once);
  EXPECT_FALSE(in_bits);
  if (at_once || in_bits) return {};
  EXPECT_EQ(ErrorKind::damaged, at_once.error().kind);
  EXPECT_EQ(at_once.error().what, in_bits.error().what);
  EXPECT_EQ(whole.lines, cut.lines);
  EXPECT_EQ(whole.copied, cut.copied);
  EXPECT_FALSE(whole.feed.feed(bytes(ours()))) << "nothing comes behind it";
  return at_once.error().what;
}

TEST(PcapngFeed, refuses_what_is_not_ours_and_says_where) {
  const PcapngBytes b;
  const std::string start = b.section();
  const std::string nano = b.option(9, "\x09");
  const std::string link = start + b.interface(1, nano);
  EXPECT_THAT(refused("bash: podshark: command not found\n"), HasSubstr("at byte 0 is no section header"));
  EXPECT_THAT(refused(b.interface(1, nano)), HasSubstr("no section header"));
  EXPECT_THAT(refused(PcapngBytes(/* swapped= */ true).section()), HasSubstr("wrong length"));
  EXPECT_THAT(refused(start + start), HasSubstr("at byte 28 is a second section"));
  EXPECT_THAT(refused(start + b.interface(1)), HasSubstr("does not count nanoseconds"));
  EXPECT_THAT(refused(start + b.interface(1, b.option(9, "\x06"))), HasSubstr("does not count nanoseconds"));
  EXPECT_THAT(refused(start + b.interface(1, nano + b.option(14, b.u64(3600)))),
              HasSubstr("time of its own"));
  EXPECT_THAT(refused(start + b.interface(1, b.u16(9) + b.u16(400))), HasSubstr("malformed options"));
  EXPECT_THAT(refused(link + b.packet(1, 0, "x")), HasSubstr("interface that is not there"));
  EXPECT_THAT(refused(link + b.block(6, b.u32(0) + b.u64(0) + b.u32(~0U) + b.u32(8) + "12345678")),
              HasSubstr("longer than its block"));
  EXPECT_THAT(refused(link + b.packet(0, 0, "x", b.u16(1) + b.u16(9))), HasSubstr("malformed options"));
  EXPECT_THAT(refused(link + b.block(5, b.u32(7) + b.u64(0))), HasSubstr("not there"));
  EXPECT_THAT(refused(link + b.block(4, b.option(1, "abc"))), HasSubstr("malformed names"));
  EXPECT_THAT(refused(link + b.u32(6) + b.u32(262148)), HasSubstr("at byte 56 is a block of a wrong length"));
  EXPECT_THAT(refused(link + b.u32(6) + b.u32(14)), HasSubstr("wrong length"));
  EXPECT_THAT(refused(link + b.u32(99) + b.u32(16) + b.u32(0) + b.u32(12)), HasSubstr("two lengths differ"));
}

}  // namespace
}  // namespace podshark::extcap::remote
