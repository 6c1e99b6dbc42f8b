// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "podman/annotate/codec.h"

namespace podshark::annotate {
namespace {

using testing::HasSubstr;
using testing::Not;

model::Inventory secretive() {
  model::Inventory i;
  i.time_ns = 1795477303123456789;
  i.host = "SECRET-host";
  model::Container c;
  c.id = std::string(64, 'a');
  c.name = "web";
  c.image = "localhost/bb:1";
  c.pid = 4711;
  c.netns_path = "/run/netns/SECRET";
  c.mode = "ns:/run/SECRET";
  c.systemd_unit = "web.service";
  c.compose_project = "shop";
  c.networks = {{"lan", "eth0", "02:00:00:00:00:01", {"10.89.0.2/24"}, "10.89.0.1"}};
  c.labels = {{"SECRET-key", "SECRET-value"}};
  model::Container rootfs = c;
  rootfs.image = "/home/SECRET/rootfs";
  i.containers = {c, rootfs};
  i.problems = {{"podman", "open /home/SECRET: no", "look into SECRET"}};
  return i;
}

TEST(Redact, leaves_names_and_addresses_and_nothing_secret) {
  model::Inventory i = secretive();
  redact(i);
  const std::string json = encode_inventory(i);
  EXPECT_THAT(json, Not(HasSubstr("SECRET")));
  EXPECT_EQ(i.containers[0].name, "web");
  EXPECT_EQ(i.containers[0].image, "localhost/bb:1");
  EXPECT_EQ(i.containers[0].mode, "ns");
  EXPECT_EQ(i.containers[0].pid, 4711);
  EXPECT_EQ(i.containers[0].systemd_unit, "web.service");
  EXPECT_EQ(i.containers[0].networks, secretive().containers[0].networks);
  EXPECT_EQ(i.problems[0].source, "podman");  // that something is missing may be known
}

TEST(Redact, sentences_name_no_machine) {
  const auto out = redact_record(
      R"({"podshark":1,"kind":"gap","what":"host-lost","host":"SECRET","detail":"nothing of SECRET from here on"})");
  ASSERT_TRUE(out);
  EXPECT_THAT(out->json + out->info, Not(HasSubstr("SECRET")));
}

TEST(Redact, interfaces_name_no_machine) {
  EXPECT_EQ(redact_interface("podman@me@a:22:web/eth0", "id=1 host=me@a:22")->name, "podman:web/eth0");
  EXPECT_EQ(redact_interface("podman@me@a:22:web/eth0", "id=1 host=me@a:22")->description, "id=1");
  EXPECT_EQ(redact_interface("podman@me@a:22:web/eth0", "id=1 host=other")->name, "podman:web/eth0");
  EXPECT_EQ(redact_interface("podman@SECRET", "")->name, "podman");
  for (const char* name : {"podman:web/eth0", "eth0", "tap@SECRET:x", ""})
    EXPECT_FALSE(redact_interface(name, "host=a")) << name;
}

TEST(Redact, records_keep_their_parts) {
  const std::vector<std::string> parts = encode_inventory_parts(secretive());
  ASSERT_EQ(parts.size(), 1U);
  std::string json = parts[0];
  json.replace(json.find("\"parts\":1"), 9, "\"parts\":3");
  const auto out = redact_record(json);
  ASSERT_TRUE(out);
  EXPECT_THAT(out->json, Not(HasSubstr("SECRET")));
  EXPECT_THAT(out->info, HasSubstr("part 1 of 3"));
  const auto read = decode_inventory(out->json);
  ASSERT_TRUE(read) << read.error().line();
  EXPECT_EQ(read->parts, 3U);
  EXPECT_EQ(read->inventory.time_ns, secretive().time_ns);
}

TEST(Redact, sentences_with_paths_go_and_marks_stay) {
  const auto gap = redact_record(
      R"({"podshark":1,"kind":"gap","detail":"read /home/me: no","host":"h","fix":"rm /home/me"})");
  ASSERT_TRUE(gap);
  EXPECT_THAT(gap->json, Not(HasSubstr("home")));
  EXPECT_THAT(gap->json, Not(HasSubstr("host")));
  EXPECT_EQ(gap->info, "gap: (left out for sharing)");
  const auto mark = redact_record(R"({"podshark":1,"kind":"mark","detail":"GET /x"})");
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->info, "mark: GET /x");
}

TEST(Redact, what_stands_in_the_info_column_is_one_clean_line) {
  const auto shared = redact_record("{\"podshark\":1,\"kind\":\"mark\x7f\",\"detail\":\"a\\nb\"}");
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->info, "mark : a b");
}

TEST(Redact, what_is_not_understood_is_not_shared) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"podshark":1})", R"({"podshark":2,"kind":"gap"})",
        R"({"podshark":1,"kind":7})", R"({"podshark":"1","kind":"gap"})",
        R"({"podshark":1,"kind":"gap","detail":3})", R"({"podshark":1,"kind":"inventory","containers":3})"})
    EXPECT_FALSE(redact_record(text)) << text;
}

TEST(UpperPdu, gives_its_json_back) {
  EXPECT_EQ(upper_pdu_json(upper_pdu("info", "{\"a\":1}")), "{\"a\":1}");
  const std::string whole = upper_pdu("info", "");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(upper_pdu_json(whole.substr(0, size)), "");
}

TEST(Inventory, keeps_when_it_was_taken) {
  model::Inventory i = secretive();
  EXPECT_THAT(encode_inventory(i), Not(HasSubstr("\"taken\"")));
  i.taken_ns = 1700000000000000001;
  const auto read = decode_inventory(encode_inventory(i));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->inventory.taken_ns, i.taken_ns);
  EXPECT_EQ(read->inventory.time_ns, i.time_ns);
}

}  // namespace
}  // namespace podshark::annotate
