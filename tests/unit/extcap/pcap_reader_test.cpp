// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/pcap_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/extcap/pcap_bytes.h"

namespace podshark::extcap {
namespace {

using test::kMicroMagic;
using test::kNanoMagic;
using test::PcapBytes;
using testing::ElementsAre;
using testing::HasSubstr;

struct Seen {
  std::string data;
  std::uint32_t length;
  std::uint64_t time_ns;
  bool operator==(const Seen&) const = default;
};

class PcapReaderTest : public testing::Test {
 protected:
  // As a pipe gives it: at most `piece` bytes at a time, read after each.
  Status feed(const std::string& stream, std::size_t piece) {
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      const std::string part = stream.substr(at, piece);
      EXPECT_GE(reader.room().size(), part.size());
      std::memcpy(reader.room().data(), part.data(), part.size());
      reader.filled(part.size());
      if (Status s = take(); !s) return s;
    }
    return ok();
  }
  Status take() {
    return reader.read([this](const wire::Packet& p) {
      seen.push_back({std::string(reinterpret_cast<const char*>(p.data), p.captured), p.length, p.time_ns});
      return seen.size() < most;
    });
  }
  const PcapBytes bytes;
  PcapReader reader;
  std::vector<Seen> seen;
  std::size_t most = SIZE_MAX;
};

TEST_F(PcapReaderTest, pieces_of_any_size_make_the_same_packets) {
  const std::string stream = bytes.header(kNanoMagic) + bytes.record(1, 999999999, "first", 1500) +
                             bytes.record(2, 0, "") + bytes.record(2, 1, std::string(5000, 'x'));
  for (const std::size_t piece : {1U, 7U, 40U, 100000U}) {
    reader = PcapReader();
    seen.clear();
    ASSERT_TRUE(feed(stream, piece));
    EXPECT_THAT(seen, ElementsAre(Seen{"first", 1500, 1999999999}, Seen{"", 0, 2000000000},
                                  Seen{std::string(5000, 'x'), 5000, 2000000001}));
    EXPECT_EQ(reader.linktype(), 1);
    EXPECT_EQ(reader.snaplen(), 262144U);
    EXPECT_FALSE(reader.pending());
  }
}

TEST_F(PcapReaderTest, microseconds_become_nanoseconds) {
  ASSERT_TRUE(feed(bytes.header(kMicroMagic, 276) + bytes.record(3, 500000, "x"), 1000));
  EXPECT_THAT(seen, ElementsAre(Seen{"x", 1, 3500000000}));
  EXPECT_EQ(reader.linktype(), 276);
}

TEST_F(PcapReaderTest, the_other_byte_order_is_read_too) {
  ASSERT_TRUE(feed(PcapBytes(true).header(kNanoMagic, 113) + PcapBytes(true).record(1, 2, "abc", 60), 5));
  EXPECT_THAT(seen, ElementsAre(Seen{"abc", 60, 1000000002}));
  EXPECT_EQ(reader.linktype(), 113);
}

TEST_F(PcapReaderTest, nothing_begins_before_the_whole_header) {
  ASSERT_TRUE(feed(bytes.header(kNanoMagic).substr(0, 23), 23));
  EXPECT_FALSE(*reader.begun());
  ASSERT_TRUE(feed(bytes.header(kNanoMagic).substr(23), 1));
  EXPECT_TRUE(*reader.begun());
  EXPECT_THAT(seen, ElementsAre());
}

TEST_F(PcapReaderTest, what_is_not_taken_waits) {
  most = 1;
  ASSERT_TRUE(feed(bytes.header(kNanoMagic) + bytes.record(1, 0, "a") + bytes.record(2, 0, "b") +
                       bytes.record(3, 0, "c").substr(0, 16),
                   1000));
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_TRUE(reader.pending());
  most = SIZE_MAX;
  ASSERT_TRUE(take());
  EXPECT_THAT(seen, ElementsAre(Seen{"a", 1, 1000000000}, Seen{"b", 1, 2000000000}));
  EXPECT_FALSE(reader.pending());
  ASSERT_TRUE(feed("c", 1));
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(PcapReaderTest, the_longest_packet_fits_however_it_arrives) {
  const std::string long_one(262144, 'l');
  ASSERT_TRUE(
      feed(bytes.header(kNanoMagic) + bytes.record(1, 0, long_one) + bytes.record(2, 0, long_one), 65536));
  EXPECT_THAT(seen, ElementsAre(Seen{long_one, 262144, 1000000000}, Seen{long_one, 262144, 2000000000}));
}

TEST_F(PcapReaderTest, other_streams_are_named) {
  const Status text = feed("sh: tcpdump: not found\nand more", 1000);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().what, HasSubstr("'sh: tcpdump: not found"));
  reader = PcapReader();
  const Status pcapng = feed(std::string("\x0a\x0d\x0d\x0a", 4) + std::string(100, '\0'), 1000);
  ASSERT_FALSE(pcapng);
  EXPECT_THAT(pcapng.error().what, HasSubstr("pcapng"));
}

TEST_F(PcapReaderTest, an_impossible_length_is_an_error_after_the_good_packets) {
  const Status s = feed(bytes.header(kNanoMagic) + bytes.record(1, 0, "a") + std::string(16, '\xff'), 1000);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().what, HasSubstr("4294967295 bytes"));
  EXPECT_THAT(seen, ElementsAre(Seen{"a", 1, 1000000000}));
}

// libpcap takes the first length of such a record for the second, and so another end of it than we.
TEST_F(PcapReaderTest, lengths_of_old_versions_lead_nowhere) {
  std::string stream =
      bytes.header(kNanoMagic) + bytes.record(1, 0, "abcdefgh", 2) + bytes.record(2, 0, "ijkl", 1);
  for (const char minor : {'\0', '\2', '\3'}) {
    stream[6] = minor;
    reader = PcapReader();
    const Status s = feed(stream, 1000);
    ASSERT_FALSE(s);
    EXPECT_THAT(s.error().what, HasSubstr("old version"));
  }
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace podshark::extcap
