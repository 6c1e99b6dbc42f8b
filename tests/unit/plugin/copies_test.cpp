// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/copies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace podshark::plugin {
namespace {

using Packet = std::vector<std::uint8_t>;

constexpr Copies::Place kInside{1, false};
constexpr Copies::Place kOtherInside{2, false};
constexpr Copies::Place kBridge{3, true};
constexpr Copies::Place kUplink{4, true};
constexpr std::int64_t kMilli = 1'000'000;

// 10.89.0.2 to 10.89.0.3; `identification` tells packets apart.
Packet v4(std::uint8_t identification = 1, const std::string& payload = "hello") {
  Packet out = {0x45, 0, 0, 0, 0, identification, 0x40, 0, 64, 17, 0xAA, 0xBB, 10, 89, 0, 2, 10, 89, 0, 3};
  out.insert(out.end(), payload.begin(), payload.end());
  out[2] = static_cast<std::uint8_t>(out.size() >> 8U);
  out[3] = static_cast<std::uint8_t>(out.size());
  return out;
}

Packet v6(const std::string& payload = "hello") {
  Packet out(40);
  out[0] = 0x60;
  out[5] = static_cast<std::uint8_t>(payload.size());
  out[6] = 17;
  out[7] = 64;
  out[8] = out[24] = 0xFD;
  out[23] = 2;
  out[39] = 3;
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

class PluginCopies : public ::testing::Test {
 protected:
  // Each packet a millisecond after the one before; gives the frame it is a copy of.
  std::uint32_t see(Copies::Place place, const Packet& packet) {
    time_ += kMilli;
    copies_.learn(++frame_, place, time_, packet.data(), packet.size());
    return copies_.original(frame_);
  }

  bool repeats_previous(Copies::Place place, const Packet& packet) {
    const std::uint32_t original = see(place, packet);
    return original == frame_ - 1;
  }

  Copies copies_;
  std::uint32_t frame_ = 0;
  std::int64_t time_ = 1'700'000'000'000'000'000;
};

TEST_F(PluginCopies, the_second_point_has_a_copy_in_either_direction) {
  for (const Packet& packet : {v4(1), v6("one")}) {
    EXPECT_EQ(see(kInside, packet), 0U);
    EXPECT_TRUE(repeats_previous(kBridge, packet));
  }
  for (const Packet& packet : {v4(2), v6("two")}) {
    EXPECT_EQ(see(kBridge, packet), 0U);
    EXPECT_TRUE(repeats_previous(kInside, packet));
  }
}

TEST_F(PluginCopies, two_machines_have_one_packet_twice_though_both_are_inside) {
  constexpr Copies::Place kOnOther{5, false, 1};
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kOtherInside, v4(7)), 0U);
  EXPECT_EQ(see(kOnOther, v4()), 1U);
  EXPECT_EQ(see(kOnOther, v4()), 0U) << "sent again";
}

// A ping whose source was translated on the way.
Packet echo(std::uint8_t source, std::uint8_t id, std::uint8_t sequence = 1) {
  Packet out = {0x45, 0, 0, 32, 0, sequence, 0x40, 0, 64, 1, 0, 0, 10, 89, 0, source, 192, 0, 2, 7};
  out.insert(out.end(), {8, 0, id, 0, 0, id, 0, sequence, 'p', 'i', 'n', 'g'});
  return out;
}

TEST_F(PluginCopies, of_two_machines_are_found_behind_a_translation_too) {
  constexpr Copies::Place kOnOther{5, false, 1};
  EXPECT_EQ(see(kInside, echo(2, 1)), 0U);
  EXPECT_EQ(see(kOnOther, echo(9, 4)), 0U) << "a file of one machine";
  copies_.clear();
  copies_.expect_several();
  EXPECT_EQ(see(kInside, echo(2, 1)), 0U);
  EXPECT_EQ(see(kOtherInside, echo(9, 4)), 0U) << "of the same machine";
  EXPECT_EQ(see(kOnOther, echo(9, 4, 2)), 0U) << "another ping";
  EXPECT_EQ(see(kInside, echo(2, 1, 3)), 0U);
  EXPECT_EQ(see(kOnOther, echo(9, 4, 3)), 6U);
  EXPECT_EQ(see(kOnOther, echo(8, 4, 3)), 0U) << "only one is it";
}

TEST_F(PluginCopies, all_copies_name_the_first) {
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kBridge, v4()), 1U);
  EXPECT_EQ(see(kUplink, v4()), 1U);
  EXPECT_EQ(copies_.original(2), 1U);
  EXPECT_EQ(copies_.original(1), 0U);
  EXPECT_EQ(copies_.original(4), 0U);
}

TEST_F(PluginCopies, what_is_sent_again_is_no_copy_of_the_first_try) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(see(kInside, v6()), 0U);
    EXPECT_TRUE(repeats_previous(kBridge, v6()));
  }
}

TEST_F(PluginCopies, two_containers_are_not_two_points) {
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kOtherInside, v4()), 0U);
}

TEST_F(PluginCopies, routers_and_links_may_change_what_they_change) {
  Packet later = v4();
  later[8] = 63;
  later[10] = 0xAB;
  later.resize(46);  // padded to the shortest Ethernet frame
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kUplink, later), 1U);
  Packet other = v6();
  other[7] = 63;
  EXPECT_EQ(see(kInside, v6()), 0U);
  EXPECT_EQ(see(kUplink, other), 3U);
}

TEST_F(PluginCopies, other_addresses_or_payload_are_other_packets) {
  Packet translated = v4();
  translated[15] = 9;
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kUplink, translated), 0U);
  EXPECT_EQ(see(kBridge, v4(1, "hellO")), 0U);
  EXPECT_EQ(see(kBridge, v4(2)), 0U);
}

TEST_F(PluginCopies, loopback_is_another_one_in_every_namespace) {
  Packet v4_lo = v4();
  v4_lo[12] = v4_lo[16] = 127;
  Packet v6_lo = v6();
  v6_lo[8] = v6_lo[24] = 0;
  v6_lo[23] = v6_lo[39] = 1;
  for (const Packet& packet : {v4_lo, v6_lo}) {
    EXPECT_EQ(see(kInside, packet), 0U);
    EXPECT_EQ(see(kUplink, packet), 0U);
  }
}

TEST_F(PluginCopies, long_after_it_is_another_packet) {
  EXPECT_EQ(see(kInside, v4()), 0U);
  time_ += Copies::kLongestWay;
  EXPECT_EQ(see(kBridge, v4()), 0U);
  time_ -= 2 * Copies::kLongestWay;
  EXPECT_EQ(see(kInside, v4()), 0U);
}

TEST_F(PluginCopies, a_little_disorder_does_no_harm) {
  EXPECT_EQ(see(kInside, v4()), 0U);
  time_ -= 3 * kMilli;
  EXPECT_EQ(see(kBridge, v4()), 1U);
}

TEST_F(PluginCopies, many_packets_on_their_way_are_found_while_memory_stays_bounded) {
  std::vector<Packet> packets;
  for (int i = 0; i < 200'000; ++i) packets.push_back(v4(1, std::to_string(i)));
  std::uint32_t found = 0;
  for (const Packet& packet : packets) {
    copies_.learn(++frame_, kInside, time_, packet.data(), packet.size());
    copies_.learn(++frame_, kBridge, time_, packet.data(), packet.size());
    found += copies_.original(frame_) == frame_ - 1 ? 1U : 0U;
  }
  EXPECT_EQ(found, packets.size());
}

TEST_F(PluginCopies, scraps_and_unknown_protocols_are_compared_as_they_are) {
  for (const Packet& packet :
       {Packet{}, Packet{0x45}, Packet(19, 0x45), Packet(39, 0x60), Packet(300, 0xFF)}) {
    EXPECT_EQ(see(kInside, packet), 0U);
    EXPECT_NE(repeats_previous(kBridge, packet), packet.empty()) << packet.size();
  }
  Packet liar = v4();
  liar[2] = 0xFF;  // claims to be longer than it is
  EXPECT_EQ(see(kInside, liar), 0U);
  EXPECT_TRUE(repeats_previous(kBridge, liar));
}

TEST_F(PluginCopies, another_file_starts_from_nothing) {
  EXPECT_EQ(see(kInside, v4()), 0U);
  EXPECT_EQ(see(kBridge, v4()), 1U);
  copies_.clear();
  EXPECT_EQ(copies_.original(2), 0U);
  EXPECT_EQ(see(kBridge, v4()), 0U);
}

}  // namespace
}  // namespace podshark::plugin
