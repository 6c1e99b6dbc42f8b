// SPDX-License-Identifier: GPL-2.0-or-later
// Files that change, the last minutes in memory, and what is told about loss and emptiness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "extcap/capture/empty_reason.h"
#include "extcap/capture/file_set.h"
#include "extcap/capture/history.h"
#include "extcap/capture/recorder.h"
#include "extcap/capture/session.h"

namespace podshark::extcap {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Rotation, rules_are_read) {
  RotationRule rule;
  EXPECT_FALSE(rule.active());
  for (const char* text : {"filesize:2000", "duration:60", "packets:7", "files:3"})
    EXPECT_TRUE(read_rotation(text, rule)) << text;
  EXPECT_TRUE(rule.active());
  EXPECT_EQ(rule.bytes, 2000000U);
  EXPECT_EQ(rule.duration.count(), 60);
  EXPECT_EQ(rule.packets, 7U);
  EXPECT_EQ(rule.files, 3U);
  for (const char* text : {"", "filesize", "filesize:", "filesize:0", "size:5", "files:-1", "packets:x"})
    EXPECT_FALSE(read_rotation(text, rule)) << text;
}

TEST(Rotation, number_and_time_go_before_the_extension) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  EXPECT_EQ(numbered_name("/a.b/web.pcapng", 2, 0), "/a.b/web_00002_19700101000000.pcapng");
  EXPECT_EQ(numbered_name("/a.b/web", 1, 0), "/a.b/web_00001_19700101000000");
  EXPECT_EQ(stamped_name("web.pcapng", 61 * kSecond, "exit"), "web_19700101-000101_exit.pcapng");
}

class Rotating : public testing::Test {
 protected:
  Rotating() {
    std::string pattern = testing::TempDir() + "podshark-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    RotationRule rule;
    EXPECT_TRUE(read_rotation("filesize:20", rule));
    FileSet files(dir_ + "/x", rule);
    auto first = files.next(kSecond);
    EXPECT_TRUE(first);
    recorder = std::make_unique<Recorder>(std::move(files), std::move(*first));
    for (int i = 0; i < 100; ++i) {
      model::Container c;
      c.id = std::to_string(i);
      c.name = "container-" + c.id;
      c.image = std::string(200, 'i');
      inventory.containers.push_back(c);
    }
    recorder->inventory(inventory, /* at_once= */ true);
    EXPECT_TRUE(recorder->flush());
  }
  ~Rotating() override { std::filesystem::remove_all(dir_); }

  void packet_of(std::size_t bytes) {
    const std::vector<std::uint8_t> data(bytes);
    const auto size = static_cast<std::uint32_t>(bytes);
    recorder->packet(1, {data.data(), size, size, 1, 0});
    recorder->release_all();
    EXPECT_TRUE(recorder->flush());
  }
  void turn() { EXPECT_TRUE(recorder->rotate(inventory, 0, repeat)); }
  [[nodiscard]] std::vector<std::uint64_t> sizes() const {
    std::map<std::string, std::uint64_t> files;
    for (const auto& file : std::filesystem::directory_iterator(dir_)) files[file.path()] = file.file_size();
    std::vector<std::uint64_t> out;
    for (const auto& [name, size] : files) out.push_back(size);
    return out;
  }

  std::unique_ptr<Recorder> recorder;
  model::Inventory inventory;
  std::function<void()> repeat = [] {};

 private:
  std::string dir_;
};

TEST_F(Rotating, what_a_file_begins_with_does_not_fill_it) {
  turn();
  ASSERT_EQ(sizes().size(), 1U);
  EXPECT_GT(sizes()[0], 20'000U);
  packet_of(15'000);
  turn();
  EXPECT_EQ(sizes().size(), 1U);
  packet_of(15'000);
  for (int i = 0; i < 3; ++i) turn();
  ASSERT_EQ(sizes().size(), 2U) << "one more, not one a turn";
  packet_of(25'000);
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_EQ(sizes().size(), 3U);
}

TEST_F(Rotating, of_open_translations_a_quarter_of_a_file_is_repeated) {
  packet_of(25'000);
  turn();
  const std::uint64_t without = sizes()[1];
  repeat = [this] {
    annotate::Event event;
    event.kind = "nat";
    event.what = "seen";
    event.time_ns = kSecond;
    event.detail = std::string(300, 'x');
    for (int i = 0; i < 1000; ++i) recorder->event_at_once(event);
  };
  packet_of(25'000);
  for (int i = 0; i < 3; ++i) turn();
  ASSERT_EQ(sizes().size(), 3U);
  EXPECT_GT(sizes()[2], without + 5'000);
  EXPECT_LT(sizes()[2], without + 7'000);
}

wire::Bytes block(std::uint64_t time) {
  wire::Bytes b;
  const std::uint8_t byte = 1;
  EXPECT_TRUE(wire::put_packet(&b, 1, time, &byte, 1, 1));
  return b;
}

TEST(History, keeps_what_is_young_enough) {
  History history(std::chrono::seconds(10), std::size_t{1} << 20U);
  wire::Bytes b;
  std::size_t one = 0;
  for (std::int64_t t = 0; t < 60; t += 2) {
    b = block(static_cast<std::uint64_t>(t));
    one = b.size;
    EXPECT_TRUE(history.take(&b, t * kSecond));
    EXPECT_EQ(b.size, 0U);
    wire::free_bytes(&b);
  }
  EXPECT_EQ(history.bytes(), 6 * one);
  EXPECT_FALSE(history.cut_short(60 * kSecond));
}

TEST(History, its_oldest_block_has_a_time) {
  History history(std::chrono::seconds(10), std::size_t{1} << 20U);
  EXPECT_FALSE(history.oldest_ns());
  for (const std::uint64_t time :
       {std::uint64_t{1'700'000'000'123'456'789}, std::uint64_t{1'800'000'000'000'000'000}}) {
    wire::Bytes b = block(time);
    EXPECT_TRUE(history.take(&b, kSecond));
    wire::free_bytes(&b);
  }
  EXPECT_EQ(history.oldest_ns(), 1'700'000'000'123'456'789);
}

TEST(History, memory_is_a_limit_too) {
  History history(std::chrono::seconds(3600), 5000);
  for (std::int64_t t = 0; t < 1000; ++t) {
    wire::Bytes b = block(1);
    EXPECT_TRUE(history.take(&b, 2 * t * kSecond));
    wire::free_bytes(&b);
  }
  EXPECT_LE(history.bytes(), 5000U);
  const std::int64_t now = 2000 * kSecond;
  const auto kept = history.cut_short(now);
  ASSERT_TRUE(kept);
  EXPECT_GT(kept->count(), 0);
  EXPECT_LT(kept->count(), 1000);
  EXPECT_FALSE(history.cut_short(now + 3600 * kSecond)) << "what had to go would be too old by now";
}

TEST(Loss, is_told_from_a_thousandth_on) {
  Summary s;
  EXPECT_EQ(loss_warning(s), "");
  s.packets = 99'901;
  s.dropped = 99;
  EXPECT_EQ(loss_warning(s), "");
  s.dropped = 110;
  EXPECT_THAT(loss_warning(s),
              HasSubstr("0.10 % of the packets were lost: 110 of 100011 (a larger --ring-size"));
  s.queue_dropped = 100;
  EXPECT_THAT(loss_warning(s),
              HasSubstr("100 of them because the reader was too slow (a larger --queue-size"));
  s.queue_dropped = 0;
  s.memory_dropped = 90;
  EXPECT_THAT(loss_warning(s), HasSubstr("90 of them because there was no memory for them (free some"));
}

TEST(Loss, saves_the_last_minutes_each_time_and_while_it_lasts_no_packet_twice) {
  LossTrigger trigger;
  Summary now;
  std::vector<int> saved;
  const auto seconds = [&](int from, int until, std::uint64_t dropped) {
    for (int second = from; second < until; ++second) {
      now.packets += 1'000'000;
      now.dropped += dropped;
      if (trigger.due(now, std::chrono::seconds(300))) saved.push_back(second);
    }
  };
  seconds(0, 10, 0);
  seconds(10, 11, 500'000);
  seconds(11, 5000, 10);
  seconds(5000, 5001, 2'000);  // far below a thousandth of all
  seconds(5001, 6000, 0);
  seconds(6000, 6700, 2'000);
  seconds(6700, 8000, 0);
  EXPECT_EQ(saved, (std::vector{10, 5000, 6000, 6300, 6600, 6900}));
}

EmptyFacts facts(std::vector<LinkTraffic> links, const std::string& filter = "") {
  EmptyFacts f;
  f.target = "container web";
  f.filter = filter;
  f.links = std::move(links);
  return f;
}

TEST(EmptyReason, each_likely_reason_has_its_sentence) {
  const LinkTraffic quiet{"eth0", true, false, true, 0};
  const LinkTraffic busy{"eth0", true, false, true, 5};
  const LinkTraffic lo{"lo", false, true, true, 7};
  EXPECT_THAT(empty_reason(facts({quiet})), HasSubstr("no packet has passed any link of container web"));
  EXPECT_THAT(empty_reason(facts({busy}, "port 1")), HasSubstr("the capture filter 'port 1' matched none"));
  EmptyFacts host = facts({busy});
  host.kind = model::NetworkKind::host;
  EXPECT_THAT(empty_reason(host), HasSubstr("none of them on a port"));
  EmptyFacts starting = facts({quiet});
  starting.preparing = "through podman exec (tcpdump)";
  EXPECT_THAT(empty_reason(starting), HasSubstr("is still being started"));
  EXPECT_THAT(empty_reason(facts({quiet, lo})), HasSubstr("7 packets have passed lo"));
  EXPECT_THAT(empty_reason(facts({{"eth0", true, false, false, 0}})),
              HasSubstr("eth0 of container web is down"));
  EmptyFacts other = facts({quiet});
  other.other_owner = "root";
  EXPECT_THAT(empty_reason(other), HasSubstr("root has a container of the same name"));
  other.any_source = false;
  EXPECT_THAT(empty_reason(other), HasSubstr("nothing that was chosen is running"));
}

}  // namespace
}  // namespace podshark::extcap
