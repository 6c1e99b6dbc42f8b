// SPDX-License-Identifier: GPL-2.0-or-later
// From foreign captures in memory to annotated ones, read again by a reader of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>

#include "extcap/annotate/annotate_file.h"
#include "extcap/annotate/annotator.h"
#include "extcap/annotate/capture_reader.h"
#include "podman/annotate/codec.h"
#include "podman/annotate/redact.h"
#include "tests/unit/extcap/pcap_bytes.h"
#include "tests/unit/extcap/pcapng_bytes.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap {
namespace {

using test::PcapBytes;
using test::PcapngBytes;
using test::PcapngFile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kTaken = 1'800'000'000'000'000'000;
constexpr std::uint32_t kSecondsOf2023 = 1'700'000'000;

model::Inventory inventory() {
  model::Inventory i;
  i.time_ns = kTaken;
  i.host = "secrethost";
  model::Container web;
  web.id = std::string(64, 'a');
  web.name = "web";
  web.image = "localhost/bb:1";
  web.state = "running";
  web.pid = 17;
  web.kind = model::NetworkKind::bridge;
  web.networks = {{"lan", "eth0", "02:00:00:00:00:01", {"10.89.0.2/24"}, ""}};
  web.labels = {{"token", "secretlabel"}};
  i.containers = {web};
  return i;
}

Target inside_web() {
  Target t;
  t.value = "podman:web";
  t.container = inventory().containers[0];
  return t;
}

struct Outcome {
  std::string bytes;
  AnnotateCounts counts;
  std::optional<Error> error;  // of the reader
};

struct Ways {
  const Target* inside = nullptr;
  bool redact = false;
  std::size_t piece = 1000000;  // bytes at a time
};

// `begun` false: the stream was no capture.
Outcome annotate_bytes(const std::string& in, Ways ways = {}) {
  std::size_t at = 0;
  CaptureReader reader([&](std::span<std::uint8_t> room) -> Result<std::size_t> {
    const std::size_t n = std::min({room.size(), in.size() - at, ways.piece});
    std::copy_n(in.data() + at, n, room.data());
    at += n;
    return n;
  });
  model::Inventory given = inventory();
  if (ways.redact) annotate::redact(given);
  Annotator annotator(given, ways.inside, ways.redact);
  Outcome out;
  if (const Status s = reader.begin(); !s) {
    out.error = s.error();
    return out;
  }
  while (true) {
    const Result<Block> block = reader.next();
    if (!block) out.error = block.error();
    if (!block || std::holds_alternative<EndOfFile>(*block)) break;
    annotator.take(*block);
  }
  annotator.finish();
  out.bytes.assign(reinterpret_cast<const char*>(annotator.out()->data), annotator.out()->size);
  out.counts = annotator.counts();
  return out;
}

PcapngFile annotated(const std::string& in, Ways ways = {}) {
  const Outcome out = annotate_bytes(in, ways);
  EXPECT_FALSE(out.error) << out.error->line();
  return PcapngFile(out.bytes);
}

std::string gzipped(const std::string& in) {
  z_stream z{};
  EXPECT_EQ(::deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&z, in.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  z.avail_in = static_cast<unsigned>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  EXPECT_EQ(::deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  (void)::deflateEnd(&z);
  return out;
}

// A bit of everything, in either byte order.
std::string everything(const PcapngBytes& b) {
  return b.section(b.option(3, "Linux 6") + b.option(4, "Dumpcap 4") + b.u32(0)) +
         b.interface(1, b.option(2, "eth0") + b.option(3, "first") + b.option(9, "\x09") +
                            b.option(8, b.u64(1000)) + b.option(11, std::string(1, '\0') + "tcp") +
                            b.u32(0)) +
         b.interface(101, b.option(2, "tun0") + b.option(9, "\x8A") + b.option(14, b.u64(5)) + b.u32(0)) +
         b.block(4,
                 b.u16(1) + b.u16(9) + PcapngBytes::padded(std::string("\x0A\0\0\x01gate\0", 9)) + b.u32(0)) +
         b.packet(0, std::uint64_t{kSecondsOf2023} * 1'000'000'000 + 7, "hello",
                  b.option(1, "a comment") + b.option(2, b.u32(1)) + b.u32(0), 99) +
         b.packet(1, 3 * 1024 + 512, "ip") +
         b.block(2, b.u16(1) + b.u16(4) + b.u32(0) + b.u32(1024) + b.u32(3) + b.u32(3) +
                        PcapngBytes::padded("old")) +
         b.block(3, b.u32(6) + PcapngBytes::padded("simple")) +
         b.block(10, b.u32(0x544c534b) + b.u32(4) + "keys") + b.block(0xBAD, b.u32(32473) + "data") +
         b.block(0x80000001, "lost") +
         b.block(5, b.u32(1) + b.u32(1) + b.u32(2) + b.option(4, b.u64(77)) +
                        b.option(2, b.u32(1) + b.u32(9)) + b.u32(0));
}

TEST(Annotate, pcap_of_every_kind) {
  for (const bool swapped : {false, true}) {
    for (const bool nano : {false, true}) {
      const PcapBytes p(swapped);
      const std::string in = p.header(nano ? test::kNanoMagic : test::kMicroMagic) +
                             p.record(kSecondsOf2023, 123456, "first") +
                             p.record(kSecondsOf2023, 123457, "2", 99);
      const PcapngFile f = annotated(in);
      EXPECT_THAT(f.order, ElementsAre(0x0A0D0D0A, 1, 6, 4, 1, 6, 6));
      ASSERT_EQ(f.interfaces.size(), 2U);
      EXPECT_EQ(f.name(0), "Podman events");
      EXPECT_EQ(f.interfaces[0].linktype, 252);
      EXPECT_EQ(f.interfaces[1].linktype, 1);
      EXPECT_EQ(f.interfaces[1].snaplen, 262144U);
      EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 9), std::string(1, nano ? '\x09' : '\x06'));
      const std::uint64_t units = nano ? 1'000'000'000 : 1'000'000;
      EXPECT_EQ(f.packets[1].ticks, kSecondsOf2023 * units + 123456);
      EXPECT_EQ(f.packets[1].data, "first");
      EXPECT_EQ(f.packets[2].data, "2");
      EXPECT_EQ(f.packets[2].length, 99U);
      // The inventory bears the first packet's time, and says when it was taken.
      EXPECT_EQ(f.packets[0].ticks, kSecondsOf2023 * 1'000'000'000ULL + (nano ? 123456 : 123456000));
      const auto read = annotate::decode_inventory(annotate::upper_pdu_json(f.packets[0].data));
      ASSERT_TRUE(read) << read.error().line();
      EXPECT_EQ(static_cast<std::uint64_t>(read->inventory.time_ns), f.packets[0].ticks);
      EXPECT_EQ(read->inventory.taken_ns, kTaken);
      EXPECT_TRUE(read->inventory.same_state(inventory()));
    }
  }
}

TEST(Annotate, a_frame_check_sequence_is_told) {
  const PcapBytes p;
  const PcapngFile f = annotated(p.header(test::kMicroMagic, 1U | 0x04000000U | (2U << 28U)));
  EXPECT_EQ(f.interfaces[1].linktype, 1);
  EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 13), "\x04");
}

TEST(Annotate, both_byte_orders_of_pcapng_give_the_same) {
  const Outcome little = annotate_bytes(everything(PcapngBytes(false)));
  const Outcome big = annotate_bytes(everything(PcapngBytes(true)));
  EXPECT_FALSE(little.error || big.error);
  EXPECT_EQ(little.bytes, big.bytes);
  EXPECT_EQ(little.counts.packets, 4U);
  EXPECT_EQ(little.counts.left_out, 1U);
}

TEST(Annotate, all_of_a_pcapng_is_kept) {
  const PcapngBytes b;
  const PcapngFile f = annotated(everything(b));
  EXPECT_THAT(f.order, ElementsAre(0x0A0D0D0A, 1, 6, 4, 1, 1, 4, 6, 6, 6, 6, 10, 0xBAD, 5));
  EXPECT_THAT(f.section, testing::Contains(testing::Pair(3, "Linux 6")));
  EXPECT_THAT(PcapngFile::value(f.section, 4), HasSubstr(", packets by Dumpcap 4"));
  EXPECT_EQ(f.name(1), "eth0");
  EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 8), b.u64(1000));
  EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 11), std::string("\0tcp", 4));
  EXPECT_EQ(PcapngFile::value(f.interfaces[2].options, 9), "\x8A");
  EXPECT_EQ(PcapngFile::value(f.interfaces[2].options, 14), b.u64(5));
  const auto& p = f.packets;
  EXPECT_EQ(p[1].interface, 1U);
  EXPECT_EQ(p[1].ticks, kSecondsOf2023 * 1'000'000'000ULL + 7);
  EXPECT_EQ(p[1].length, 99U);
  EXPECT_THAT(p[1].options, ElementsAre(testing::Pair(1, "a comment"), testing::Pair(2, b.u32(1))));
  EXPECT_EQ(p[2].interface, 2U);
  EXPECT_EQ(p[2].ticks, 3U * 1024 + 512);
  EXPECT_EQ(p[3].data, "old");
  EXPECT_THAT(p[3].options, ElementsAre(testing::Pair(4, b.u64(4))));  // what the old block counted as lost
  EXPECT_EQ(p[4].data, "simple");
  EXPECT_EQ(p[4].interface, 1U);
  EXPECT_EQ(p[4].ticks, p[1].ticks);  // a simple packet has no time
  EXPECT_EQ(f.others.back().body.substr(0, 4), b.u32(2));
}

TEST(Annotate, sections_become_one) {
  const PcapngBytes little;
  const PcapngBytes big(true);
  const PcapngFile f = annotated(
      little.section() + little.interface(1, little.option(2, "a") + little.u32(0)) +
      little.packet(0, 1, "one") + big.section() + big.interface(113, big.option(2, "b") + big.u32(0)) +
      big.interface(276, big.option(2, "c") + big.u32(0)) + big.packet(1, 2, "two"));
  ASSERT_EQ(f.interfaces.size(), 4U);
  EXPECT_EQ(f.name(3), "c");
  EXPECT_EQ(f.packets[1].interface, 1U);
  EXPECT_EQ(f.packets[2].interface, 3U);
  EXPECT_EQ(f.packets[2].data, "two");
}

TEST(Annotate, inside_a_container) {
  const Target web = inside_web();
  const PcapBytes p;
  const PcapngFile plain = annotated(p.header(test::kMicroMagic), {.inside = &web});
  EXPECT_EQ(plain.name(1), "podman:web/eth0");
  EXPECT_EQ(
      PcapngFile::value(plain.interfaces[1].options, 3),
      "container=web id=aaaaaaaaaaaa image=localhost/bb:1 network=lan mode=bridge point=inside rootless=no");
  EXPECT_THAT(PcapngFile::value(plain.interfaces[1].options, 2989), HasSubstr("\"02:00:00:00:00:01\""));
  const PcapngFile named = annotated(everything(PcapngBytes()), {.inside = &web});
  EXPECT_EQ(named.name(2), "podman:web/tun0");
  EXPECT_EQ(std::count_if(named.interfaces[1].options.begin(), named.interfaces[1].options.end(),
                          [](const auto& o) { return o.first == 2 || o.first == 3; }),
            2);
}

// A file of ours is annotated again: with itself as the foreign one.
TEST(Annotate, a_file_of_ours_keeps_its_events_interface) {
  const Target web = inside_web();
  const Outcome once = annotate_bytes(everything(PcapngBytes()), {.inside = &web});
  const PcapngFile f = annotated(once.bytes, {.inside = &web});
  EXPECT_EQ(std::count_if(f.interfaces.begin(), f.interfaces.end(),
                          [](const auto& i) { return i.linktype == 252; }),
            1);
  EXPECT_EQ(f.name(1), "podman:web/eth0");
  EXPECT_EQ(f.packets[0].interface, 0U);
  EXPECT_EQ(f.packets[1].interface, 0U);
  EXPECT_EQ(f.packets[2].interface, 1U);
  EXPECT_EQ(f.section, PcapngFile(once.bytes).section);
}

TEST(Annotate, records_of_a_coarser_clock_are_restamped) {
  const PcapngBytes b;
  const std::string pdu = annotate::upper_pdu("mark: x", R"({"podshark":1,"kind":"mark","detail":"x"})");
  const PcapngFile f = annotated(b.section() + b.interface(252, b.option(2, "Podman events") + b.u32(0)) +
                                 b.packet(0, 5'000'000, pdu));
  ASSERT_EQ(f.packets.size(), 2U);
  EXPECT_EQ(f.packets[1].ticks, 5'000'000'000U);
}

TEST(Annotate, redacted_records_tell_nothing) {
  const std::string first = annotate_bytes(everything(PcapngBytes())).bytes;
  ASSERT_THAT(first, HasSubstr("secrethost"));
  ASSERT_THAT(first, HasSubstr("secretlabel"));
  const PcapngBytes b;
  const std::string strange = annotate::upper_pdu("inventory", R"({"podshark":9,"host":"secrethost"})");
  const Outcome again = annotate_bytes(first + b.packet(0, 1, strange), {.redact = true});
  EXPECT_FALSE(again.error);
  const PcapngFile f(again.bytes);
  EXPECT_EQ(f.packets.size(), 6U);       // the given inventory, the file's own, four packets
  EXPECT_EQ(again.counts.left_out, 5U);  // two blocks of names, keys, a custom block, the strange record
  const auto own = annotate::decode_inventory(annotate::upper_pdu_json(f.packets[1].data));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->inventory.host, "");
  EXPECT_EQ(own->inventory.containers[0].name, "web");
  EXPECT_TRUE(own->inventory.containers[0].labels.empty());
  EXPECT_THAT(again.bytes, Not(HasSubstr("secret")));
}

TEST(Annotate, redacted_interfaces_and_packets_name_no_machine) {
  for (const bool swapped : {false, true}) {
    const PcapngBytes b(swapped);
    const auto said = [&](const std::string& kind, const std::string& more) {
      return b.option(2989, b.u32(annotate::kEnterpriseNumber) + R"({"podshark":1,"kind":")" + kind +
                                R"(","host":"me@secret:22")" + more + "}");
    };
    const std::string foreign = b.option(2989, b.u32(1) + "foreign");
    const std::string in =
        b.section() +
        b.interface(1, b.option(2, "podman@me@secret:22:web/eth0") +
                           b.option(3, "container=web host=me@secret:22 clock=+0.1") + b.option(9, "\x09") +
                           said("interface", R"(,"link":"eth0")") + foreign + b.u32(0)) +
        b.interface(1, b.option(2, "podman-root@secret:db/eth0") + b.option(3, "container=db") + b.u32(0)) +
        b.packet(0, 7, "hello", b.option(1, "a comment") + said("drop", R"(,"reason":"X")") + b.u32(0));
    const Outcome out = annotate_bytes(in, {.redact = true});
    EXPECT_FALSE(out.error);
    EXPECT_THAT(out.bytes, Not(HasSubstr("secret")));
    const PcapngFile f(out.bytes);
    EXPECT_EQ(f.name(1), "podman:web/eth0");
    EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 3), "container=web clock=+0.1");
    EXPECT_EQ(PcapngFile::value(f.interfaces[1].options, 9), "\x09");
    EXPECT_THAT(out.bytes, HasSubstr(R"("link":"eth0")"));
    EXPECT_THAT(out.bytes, HasSubstr("foreign"));
    EXPECT_EQ(f.name(2), "podman-root:db/eth0");
    EXPECT_EQ(PcapngFile::value(f.packets[1].options, 1), "a comment");
    EXPECT_THAT(PcapngFile::value(f.packets[1].options, 2989), HasSubstr(R"("reason":"X")"));
    EXPECT_THAT(annotate_bytes(in).bytes, HasSubstr("podman@me@secret:22:web/eth0"));
  }
}

TEST(Annotate, cut_off_anywhere_the_output_is_valid) {
  const Target web = inside_web();
  const PcapBytes pcap(true);
  const std::string inputs[] = {
      everything(PcapngBytes(false)), everything(PcapngBytes(true)),
      pcap.header(test::kNanoMagic) + pcap.record(5, 6, "packet") + pcap.record(7, 8, "x")};
  for (const std::string& in : inputs) {
    for (std::size_t size = 0; size < in.size(); ++size) {
      const Outcome out = annotate_bytes(in.substr(0, size), {.inside = &web, .redact = false, .piece = 7});
      if (out.bytes.empty()) {  // not even the header: refused before an output is touched
        ASSERT_TRUE(out.error) << size;
        EXPECT_EQ(out.error->kind, ErrorKind::usage);
        EXPECT_LT(size, 64U);
        continue;
      }
      if (out.error) {
        EXPECT_EQ(out.error->kind, ErrorKind::damaged);
        EXPECT_THAT(out.error->line(), HasSubstr("ends in the middle of"));
        EXPECT_THAT(out.error->line(), HasSubstr(" at byte "));
      }
      EXPECT_NO_THROW(PcapngFile{out.bytes}) << size;
    }
    EXPECT_FALSE(annotate_bytes(in).error);
  }
}

TEST(Annotate, whatever_a_byte_becomes_the_output_is_valid) {
  const PcapBytes pcap;
  const std::string inputs[] = {
      everything(PcapngBytes(false)), everything(PcapngBytes(true)),
      pcap.header(test::kMicroMagic) + pcap.record(5, 6, "packet") + pcap.record(7, 8, "x")};
  std::size_t errors = 0;
  for (const std::string& in : inputs) {
    for (std::size_t at = 0; at < in.size(); ++at) {
      for (const int value : {0, 0x7F, 0xFF}) {
        std::string wrong = in;
        wrong[at] = static_cast<char>(value);
        const Outcome out = annotate_bytes(wrong);
        if (out.error) ++errors;
        if (out.bytes.empty()) continue;
        EXPECT_NO_THROW(PcapngFile{out.bytes}) << at << " is " << value;
      }
    }
  }
  EXPECT_GT(errors, 100U);
}

TEST(Annotate, options_without_a_proper_end_get_one) {
  const PcapngBytes b;
  const std::string start = b.section() + b.interface(1);
  for (const std::string& end : {std::string(), b.u32(0), b.u32(0) + "more"}) {
    const PcapngFile f = annotated(start + b.packet(0, 1, "x", b.option(1, "comment") + end));
    EXPECT_THAT(f.packets[1].options, ElementsAre(testing::Pair(1, "comment")));
  }
}

TEST(Annotate, damage_is_told_with_its_place) {
  const PcapngBytes b;
  const std::string start = b.section() + b.interface(1);
  const auto why = [&](const std::string& more) {
    const Outcome out = annotate_bytes(start + more + b.packet(0, 1, "never"));
    EXPECT_NO_THROW(PcapngFile{out.bytes});
    EXPECT_EQ(out.counts.packets, 0U);
    return out.error ? out.error->line() : "nothing";
  };
  const std::string place = "is damaged at byte " + std::to_string(start.size()) + ": ";
  EXPECT_EQ(why(b.packet(1, 1, "x")), place + "a packet of an interface that is not there");
  EXPECT_EQ(why(b.u32(6) + b.u32(16U << 20U | 4U)), place + "a block of 16777220 bytes");
  EXPECT_EQ(why(b.u32(6) + b.u32(31)), place + "a block of 31 bytes");
  EXPECT_EQ(why(b.packet(0, 1, "x", b.u16(1) + b.u16(50000))), place + "malformed options of a packet");
  EXPECT_EQ(why(b.packet(0, 1, "x", b.option(2, "three"))), place + "malformed options of a packet");
  EXPECT_EQ(why(b.packet(0, 1, std::string(262145, 'x'))), place + "a packet that is too long");
  EXPECT_EQ(why(b.interface(1, b.option(9, "\x14"))), place + "an interface that counts time too finely");
  const PcapBytes p;
  const Outcome pcap = annotate_bytes(p.header(test::kMicroMagic) + p.record(1, 1, std::string(262145, 'x')));
  ASSERT_TRUE(pcap.error);
  EXPECT_EQ(pcap.error->line(), "is damaged at byte 24: a packet of 262145 bytes");
}

TEST(Annotate, other_files_are_no_captures) {
  for (const std::string& in : {std::string(100, 'x'), std::string("\x0A\x0D\x0D\x0A") + std::string(96, 'x'),
                                PcapBytes().header(0xa1b2cd34), std::string("abc")}) {
    const Outcome out = annotate_bytes(in);
    ASSERT_TRUE(out.error);
    EXPECT_THAT(out.error->line(), HasSubstr("is no capture file"));
    EXPECT_EQ(out.error->kind, ErrorKind::usage);
  }
}

// Interfaces without end before the first packet must not fill memory.
TEST(Annotate, what_comes_before_the_first_packet_is_not_held_for_ever) {
  const PcapngBytes b;
  std::string in = b.section();
  const std::string secrets =
      b.block(10, b.u32(1) + b.u32(1U << 20U) + std::string(std::size_t{1} << 20U, 'k'));
  in += b.interface(1);
  for (int i = 0; i < 20; ++i) in += secrets;
  const PcapngFile f = annotated(in + b.packet(0, 1'000'000, "late"));
  ASSERT_EQ(f.packets.size(), 2U);
  EXPECT_EQ(f.packets[0].ticks, 1'000'000'000U);
  EXPECT_EQ(f.packets[1].data, "late");
}

TEST(Annotate, without_packets_the_inventory_has_its_own_time) {
  const PcapngFile f = annotated(PcapBytes().header(test::kMicroMagic));
  ASSERT_EQ(f.packets.size(), 1U);
  EXPECT_EQ(f.packets[0].ticks, static_cast<std::uint64_t>(kTaken));
}

TEST(TickClock, counts_as_interfaces_do) {
  TickClock c;
  EXPECT_EQ(c.nanoseconds(1'000'001), 1'000'001'000U);
  ASSERT_TRUE(c.set_resolution(0));
  EXPECT_EQ(c.nanoseconds(3), 3'000'000'000U);
  ASSERT_TRUE(c.set_resolution(19));
  EXPECT_EQ(c.nanoseconds(~std::uint64_t{0}), 1'844'674'407U);
  ASSERT_TRUE(c.set_resolution(0x80 | 10));
  EXPECT_EQ(c.nanoseconds(1536), 1'500'000'000U);
  c.offset_s = -1;
  EXPECT_EQ(c.nanoseconds(1536), 500'000'000U);
  c.offset_s = INT64_MIN;
  EXPECT_EQ(c.nanoseconds(1536), 0U);
  c.offset_s = INT64_MAX;
  EXPECT_EQ(c.nanoseconds(~std::uint64_t{0}), static_cast<std::uint64_t>(INT64_MAX));
  EXPECT_FALSE(c.set_resolution(20));
  EXPECT_FALSE(c.set_resolution(0x80 | 64));
}

// ---- files ----------------------------------------------------------------------------------------------

struct Files : testing::Test {
  test::TempTree tree;

  Result<Annotated> run(const std::string& content, const std::string& output) {
    const model::Inventory what = inventory();
    return annotate_file({.input = tree.write("in", content),
                          .output = output == "in" ? tree.path() + "/in" : tree.path() + "/" + output,
                          .inventory = what,
                          .inside = nullptr,
                          .redact = false});
  }
  std::string content(const std::string& name) {
    std::ifstream file(tree.path() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

std::string large_pcap() {
  const PcapBytes p;
  std::string in = p.header(test::kMicroMagic);
  for (unsigned i = 0; i < 3000; ++i) in += p.record(i, i, std::string(i % 1500, static_cast<char>(i)));
  return in;
}

TEST_F(Files, gzip_gives_the_same_also_in_members) {
  const std::string in = large_pcap();
  ASSERT_TRUE(run(in, "plain"));
  const std::string plain = content("plain");
  EXPECT_EQ(PcapngFile(plain).packets.size(), 3001U);
  ASSERT_TRUE(run(gzipped(in), "packed"));
  EXPECT_EQ(content("packed"), plain);
  ASSERT_TRUE(run(gzipped(in.substr(0, 1000)) + gzipped("") + gzipped(in.substr(1000)) + "tail", "members"));
  EXPECT_EQ(content("members"), plain);
}

TEST_F(Files, a_gzip_that_is_cut_off_gives_what_was_in_it) {
  const PcapBytes p;
  const std::string packed =
      gzipped(p.header(test::kMicroMagic) + p.record(1, 2, "first") + p.record(3, 4, "more"));
  bool some = false;
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const Result<Annotated> done = run(packed.substr(0, size), "out");
    if (!done) continue;
    // The last bytes are a checksum: everything may have come before.
    ASSERT_TRUE(done->ended) << size;
    EXPECT_EQ(done->ended->kind, ErrorKind::damaged);
    EXPECT_THAT(done->ended->line(), HasSubstr("the gzip stream ends in the middle"));
    EXPECT_EQ(PcapngFile(content("out")).packets.size(), done->counts.packets + 1);
    some = some || done->counts.packets > 0;
  }
  EXPECT_TRUE(some);
  std::string wrong = gzipped(large_pcap());
  wrong[wrong.size() / 2] ^= 0x55;
  const Result<Annotated> done = run(wrong, "out");
  ASSERT_TRUE(done);
  ASSERT_TRUE(done->ended);
  EXPECT_EQ(done->ended->kind, ErrorKind::damaged);
}

TEST_F(Files, input_and_output_must_differ_and_a_refused_input_touches_nothing) {
  const Result<Annotated> same = run(large_pcap(), "in");
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().kind, ErrorKind::usage);
  EXPECT_EQ(content("in"), large_pcap());
  tree.write("kept", "kept");
  EXPECT_FALSE(run("no capture", "kept"));
  EXPECT_EQ(content("kept"), "kept");
}

TEST_F(Files, a_full_disk_is_told) {
  const model::Inventory what = inventory();
  const Result<Annotated> done = annotate_file({.input = tree.write("in", large_pcap()),
                                                .output = "/dev/full",
                                                .inventory = what,
                                                .inside = nullptr,
                                                .redact = false});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::output);
}

}  // namespace
}  // namespace podshark::extcap
