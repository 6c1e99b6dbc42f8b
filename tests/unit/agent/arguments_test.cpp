// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/arguments.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

namespace podshark::agent {
namespace {

struct Parsed {
  std::unique_ptr<CaptureArguments> arguments = std::make_unique<CaptureArguments>();
  std::string refused;  // "WORD WHY", empty when all is taken
};

Parsed parse(const std::vector<std::string>& words) {
  static std::vector<std::string> kept;  // the arguments point into it
  kept = words;
  std::vector<char*> argv;
  argv.reserve(kept.size());
  for (std::string& word : kept) argv.push_back(word.data());
  Parsed out;
  Complaint why;
  if (!parse_capture(static_cast<int>(argv.size()), argv.data(), out.arguments.get(), &why))
    out.refused = std::string(why.word) + " " + why.why;
  return out;
}

TEST(Arguments, a_process_alone_is_enough) {
  const Parsed p = parse({"4711"});
  ASSERT_EQ("", p.refused);
  EXPECT_EQ(1U, p.arguments->target_count);
  EXPECT_EQ(4711, p.arguments->targets[0]);
  EXPECT_EQ(262144U, p.arguments->snaplen);
  EXPECT_EQ(6U, p.arguments->lease_seconds);
  EXPECT_EQ(0U, p.arguments->ring_kib);
  EXPECT_TRUE(p.arguments->promiscuous);
  EXPECT_EQ(0U, p.arguments->link_count);
  EXPECT_EQ(0U, p.arguments->filter_count);
}

TEST(Arguments, all_of_them) {
  const Parsed p = parse({"-s", "128", "-r", "512", "-L", "0", "-P", "-i", "eth0,lo", "-i", "eth1", "-f",
                          "1:2800000001020304", "-f", "101:06000000ff000000150000010000aabb", "12", "self"});
  ASSERT_EQ("", p.refused);
  const CaptureArguments& a = *p.arguments;
  EXPECT_EQ(128U, a.snaplen);
  EXPECT_EQ(512U, a.ring_kib);
  EXPECT_EQ(0U, a.lease_seconds);
  EXPECT_FALSE(a.promiscuous);
  ASSERT_EQ(3U, a.link_count);
  EXPECT_EQ("lo", std::string(a.links[1].data, a.links[1].size));
  ASSERT_EQ(2U, a.filter_count);
  EXPECT_EQ(1U, a.filters[0].linktype);
  ASSERT_EQ(1U, a.filters[0].length);
  EXPECT_EQ(0x28U, a.filters[0].code[0].code);
  EXPECT_EQ(0x04030201U, a.filters[0].code[0].k);
  ASSERT_EQ(2U, a.filters[1].length);
  EXPECT_EQ(0x15U, a.filters[1].code[1].code);
  EXPECT_EQ(0U, a.filters[1].code[1].jt);
  EXPECT_EQ(1U, a.filters[1].code[1].jf);
  EXPECT_EQ(0xBBAA0000U, a.filters[1].code[1].k);
  EXPECT_EQ(kSelf, a.targets[1]);
}

TEST(Arguments, whatever_is_unusual_is_refused) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"-s"},
      {"-s", "0", "1"},
      {"-s", "262145", "1"},
      {"-s128", "1"},
      {"-s", "+1", "1"},
      {"-s", "1 ", "1"},
      {"-s", "", "1"},
      {"-r", "0", "1"},
      {"-r", "99999999999", "1"},
      {"-L", "-1", "1"},
      {"-L", "86401", "1"},
      {"-x", "1"},
      {"--", "1"},
      {"-", "1"},
      {"-i", "", "1"},
      {"-i", "eth0,", "1"},
      {"-i", ",eth0", "1"},
      {"-i", "averylonglinkname", "1"},
      {"-i", "a/b", "1"},
      {"-f", "1", "1"},
      {"-f", "1:", "1"},
      {"-f", ":0600000000000000", "1"},
      {"-f", "1:06000000000000", "1"},
      {"-f", "1:060000000000000G", "1"},
      {"-f", "1:060000000000000A", "1"},
      {"-f", "276:0600000000000000", "1"},
      {"-f", "1:0600000000000000", "-f", "1:0600000000000000", "1"},
      {"0"},
      {"-5"},
      {"4194305"},
      {"1", "-P"},
      {"web"},
      {"1", ""},
  };
  for (const auto& words : wrong) EXPECT_NE("", parse(words).refused) << testing::PrintToString(words);
}

TEST(Arguments, limits_are_refused_loudly) {
  std::vector<std::string> words(kMaxTargets, "1");
  EXPECT_EQ("", parse(words).refused);
  words.emplace_back("1");
  EXPECT_EQ("1 is one target too many", parse(words).refused);
  std::string links = "a";
  for (std::size_t i = 1; i < kMaxLinkNames; ++i) links += ",a";
  EXPECT_EQ("", parse({"-i", links, "1"}).refused);
  EXPECT_NE("", parse({"-i", links + ",a", "1"}).refused);
  const std::string instruction = "0600000000000000";
  std::string program = "1:";
  for (int i = 0; i < BPF_MAXINSNS; ++i) program += instruction;
  EXPECT_EQ("", parse({"-f", program, "1"}).refused);
  EXPECT_NE("", parse({"-f", program + instruction, "1"}).refused);
}

}  // namespace
}  // namespace podshark::agent
