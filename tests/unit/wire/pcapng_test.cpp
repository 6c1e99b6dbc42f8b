// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/wire/pcapng.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace podshark::wire {
namespace {

struct Buffer : Bytes {
  ~Buffer() { free_bytes(this); }
  [[nodiscard]] std::uint32_t word(std::size_t at) const {
    std::uint32_t v = 0;
    std::memcpy(&v, data + at, sizeof(v));
    return v;
  }
  [[nodiscard]] std::string text(std::size_t at, std::size_t n) const {
    return {reinterpret_cast<const char*>(data) + at, n};
  }
  /// Every block is a multiple of 4, no longer than dumpcap takes, and repeats its length at its end.
  void expect_valid_blocks() const {
    std::size_t at = 0;
    while (at < size) {
      const std::uint32_t length = word(at + 4);
      ASSERT_GE(length, 12U);
      ASSERT_LE(length, kMaxBlock);
      ASSERT_EQ(length % 4, 0U);
      ASSERT_LE(at + length, size);
      ASSERT_EQ(word(at + length - 4), length);
      at += length;
    }
    ASSERT_EQ(at, size);
  }
};

Text text(const std::string& s) {
  return {s.data(), s.size()};
}

TEST(Pcapng, section_header_has_magic_and_unknown_length) {
  Buffer b;
  ASSERT_TRUE(put_section_header(&b, text("Linux"), text("podshark")));
  b.expect_valid_blocks();
  EXPECT_EQ(b.word(0), 0x0A0D0D0AU);
  EXPECT_EQ(b.word(8), 0x1A2B3C4DU);
  EXPECT_EQ(b.word(16), 0xFFFFFFFFU);
  EXPECT_EQ(b.word(20), 0xFFFFFFFFU);
}

TEST(Pcapng, interface_carries_name_resolution_filter_and_metadata) {
  Buffer b;
  const std::string name = "podman:web/eth0";
  const std::string filter = "tcp port 80";
  const std::string metadata = "{\"podshark\":1}";
  InterfaceInfo info{};
  info.linktype = 1;
  info.snaplen = 262144;
  info.name = text(name);
  info.filter = text(filter);
  info.metadata = text(metadata);
  info.enterprise = 32473;
  ASSERT_TRUE(put_interface(&b, &info));
  b.expect_valid_blocks();
  const std::string all = b.text(0, b.size);
  EXPECT_NE(all.find(std::string("\x02\x00\x0f\x00podman:web/eth0\x00", 20)), std::string::npos);
  EXPECT_NE(all.find(std::string("\x09\x00\x01\x00\x09\x00\x00\x00", 8)), std::string::npos);
  EXPECT_NE(all.find(std::string("\x0b\x00\x0c\x00\x00tcp port 80", 16)), std::string::npos);
  EXPECT_NE(all.find(std::string("\xad\x0b\x12\x00\xd9\x7e\x00\x00", 8) + metadata), std::string::npos);
}

TEST(Pcapng, options_longer_than_their_field_are_cut_and_metadata_left_out) {
  Buffer b;
  const std::string huge(100000, 'x');
  InterfaceInfo info{};
  info.linktype = 1;
  info.name = text(huge);
  info.metadata = text(huge);
  ASSERT_TRUE(put_interface(&b, &info));
  b.expect_valid_blocks();
  EXPECT_LT(b.size, 70000U);
}

TEST(Pcapng, packets_of_every_length_are_padded) {
  Buffer b;
  const std::vector<std::uint8_t> bytes(64, 0xAB);
  for (std::uint32_t n = 0; n < 64; ++n)
    ASSERT_TRUE(put_packet(&b, 3, 0x1234567890ABCDEFU, bytes.data(), n, n + 100));
  b.expect_valid_blocks();
  const std::size_t last = b.size - (32 + 64);
  EXPECT_EQ(b.word(last), 6U);
  EXPECT_EQ(b.word(last + 8), 3U);
  EXPECT_EQ(b.word(last + 12), 0x12345678U);
  EXPECT_EQ(b.word(last + 16), 0x90ABCDEFU);
  EXPECT_EQ(b.word(last + 20), 63U);
  EXPECT_EQ(b.word(last + 24), 163U);
}

TEST(Pcapng, a_packet_too_long_for_dumpcap_is_cut_and_keeps_its_length) {
  Buffer b;
  const std::vector<std::uint8_t> bytes(500000, 1);
  ASSERT_TRUE(put_packet(&b, 1, 0, bytes.data(), 500000, 500000));
  b.expect_valid_blocks();
  EXPECT_EQ(b.word(20), kMaxBlock - 32);
  EXPECT_EQ(b.word(24), 500000U);
}

TEST(Pcapng, names_end_with_zero_and_an_end_record) {
  Buffer b;
  const std::uint8_t v4[] = {10, 88, 0, 2};
  const std::uint8_t v6[16] = {0xfd};
  const std::string name = "web";
  const NameEntry entries[] = {{v4, 4, text(name)}, {v6, 16, text(name)}};
  ASSERT_TRUE(put_names(&b, entries, 2));
  b.expect_valid_blocks();
  EXPECT_EQ(b.word(8), 1U | (8U << 16U));
  EXPECT_EQ(b.text(16, 4), std::string("web\0", 4));
  EXPECT_EQ(b.word(b.size - 8), 0U);
}

TEST(Pcapng, statistics_hold_received_and_dropped) {
  Buffer b;
  const InterfaceCounters counters{2, 5, 9, 1000, 17};
  ASSERT_TRUE(put_statistics(&b, &counters));
  b.expect_valid_blocks();
  EXPECT_EQ(b.word(0), 5U);
  EXPECT_EQ(b.word(8), 2U);
  const std::string all = b.text(0, b.size);
  EXPECT_NE(all.find(std::string("\x05\x00\x08\x00\x11\x00\x00\x00", 8)), std::string::npos);
}

TEST(Pcapng, an_annotated_packet_has_its_comment_and_our_option) {
  Buffer out;
  const std::uint8_t data[] = {1, 2, 3, 4, 5};
  const std::string comment = "why", json = "{}";
  ASSERT_TRUE(put_annotated_packet(&out, 7, 0x100000002, data, 5, 9, text(comment), text(json), 32473));
  out.expect_valid_blocks();
  EXPECT_EQ(out.word(8), 7U);
  EXPECT_EQ(out.word(12), 1U);
  EXPECT_EQ(out.word(16), 2U);
  EXPECT_EQ(out.word(20), 5U);
  EXPECT_EQ(out.word(24), 9U);
  EXPECT_EQ(out.word(36), 1U | 3U << 16U);  // opt_comment, 3 bytes
  EXPECT_EQ(out.text(40, 3), "why");
  EXPECT_EQ(out.word(44), 2989U | 6U << 16U);
  EXPECT_EQ(out.word(48), 32473U);
  EXPECT_EQ(out.text(52, 2), "{}");
  EXPECT_EQ(out.word(56), 0U);
}

TEST(Pcapng, an_annotated_packet_that_is_too_long_is_cut_and_keeps_its_options) {
  Buffer out;
  const std::vector<std::uint8_t> data(kMaxBlock);
  const std::string comment(1000, 'c'), json(2000, 'j');
  ASSERT_TRUE(
      put_annotated_packet(&out, 1, 1, data.data(), kMaxBlock, kMaxBlock, text(comment), text(json), 1));
  out.expect_valid_blocks();
  EXPECT_LT(out.word(20), kMaxBlock - 3000);
  EXPECT_EQ(out.word(24), kMaxBlock);
}

}  // namespace
}  // namespace podshark::wire
