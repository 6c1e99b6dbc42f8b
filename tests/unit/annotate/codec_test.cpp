// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"

#include <gtest/gtest.h>

#include <set>

#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

using model::Container;
using model::Inventory;

Container full_container() {
  Container c;
  c.id = std::string(64, 'a');
  c.name = "web";
  c.image = "docker.io/library/nginx:1.27";
  c.image_id = std::string(64, 'b');
  c.state = "running";
  c.started_at = 1795477303;
  c.created_at = 1795477300;
  c.pid = 4711;
  c.pid_start = 987654321;
  c.conmon_pid = 4700;
  c.netns = 4026532851;
  c.netns_path = "/run/netns/netns-1";
  c.owner = 1001;
  c.rootless = true;
  c.limited = true;
  c.infra = true;
  c.pod_id = std::string(64, 'c');
  c.mode = "bridge";
  c.kind = model::NetworkKind::bridge;
  c.shares_with = std::string(64, 'd');
  c.systemd_unit = "web.service";
  c.compose_project = "shop";
  c.compose_service = "web";
  c.kubernetes = {"store", "shop", "web"};
  c.networks = {{"na", "eth0", "aa:bb:cc:dd:ee:ff", {"10.88.0.2/16", "fd00::2/64"}, "10.88.0.1"}, {}};
  c.ports = {{"127.0.0.1", 8080, 80, 3, "udp"}, {"", 65535, 65535, 1, "tcp"}};
  c.labels = {{"a", "b"}, {"", "empty key"}, {"empty value", ""}};
  c.error = "netavark: no";
  c.asks_ports = true;
  c.asks_address = "10.88.0.9";
  return c;
}

Inventory full_inventory() {
  Inventory i;
  i.time_ns = 1795477303123456789;
  i.host = "host";
  i.containers = {full_container(), Container{}};
  i.pods = {{"p1", "shop", "Running", "infra", {"a", "b"}}};
  i.networks = {
      {"n1", "na", "bridge", "podman1", {"10.89.0.0/24", "fd77::/64"}, true, true, "strict", {"10.89.0.1"}}};
  i.networks.front().no_default_route = i.networks.front().unmanaged = true;
  i.problems = {{"podman", "podman ps did not answer", "look"}};
  return i;
}

Inventory many_containers(std::size_t count) {
  Inventory i = full_inventory();
  i.containers.clear();
  for (std::size_t n = 0; n < count; ++n) {
    Container c = full_container();
    c.id = "id" + std::to_string(n);
    i.containers.push_back(c);
  }
  return i;
}

TEST(Inventory, round_trip_keeps_everything) {
  const Inventory before = full_inventory();
  const Result<InventoryPart> after = decode_inventory(encode_inventory(before));
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_TRUE(after->inventory.same_state(before));
  EXPECT_EQ(after->inventory.problems, before.problems);
  EXPECT_EQ(after->inventory.time_ns, before.time_ns);
  EXPECT_EQ(after->inventory.host, before.host);
  EXPECT_EQ(after->part, 1U);
  EXPECT_EQ(after->parts, 1U);
}

TEST(Inventory, empty_round_trip) {
  const Result<InventoryPart> after = decode_inventory(encode_inventory(Inventory{}));
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->inventory.same_state(Inventory{}));
}

TEST(Inventory, bytes_are_the_documented_ones) {
  Inventory i;
  i.time_ns = 1'000'000'001;
  i.host = "h";
  Container c;
  c.id = "0123456789ab";
  c.name = "web";
  c.pid = 7;
  c.kind = model::NetworkKind::pasta;
  c.ports = {{"", 8080, 80, 1, "tcp"}};
  i.containers = {c};
  EXPECT_EQ(encode_inventory(i),
            R"({"podshark":1,"kind":"inventory","time":"1970-01-01T00:00:01.000000001Z","host":"h",)"
            R"("containers":[{"id":"0123456789ab","name":"web","pid":7,"kind":"pasta",)"
            R"("ports":[{"host_port":8080,"container_port":80,"range":1,"protocol":"tcp"}]}],)"
            R"("pods":[],"networks":[],"problems":[]})");
}

TEST(Inventory, hostile_names_survive_as_valid_json_on_one_line) {
  Inventory i;
  Container c;
  c.id = "0123456789ab";
  c.name = std::string("a\"},{\"x\":1}\n\0\x1b[2J", 18);
  c.labels["quote\"\\"] = "\u202e\u2028{}";
  c.labels["del\x7f"] = "c1 \xC2\x9B\x33\x31m \xC2\x85";
  c.image = "bad \xFF\xC0 utf8";
  i.containers = {c};
  const std::string json = encode_inventory(i);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(one_line(json, json.size()), json) << "a terminal sees no control character";
  const Result<InventoryPart> after = decode_inventory(json);
  ASSERT_TRUE(after) << after.error().what;
  ASSERT_EQ(after->inventory.containers.size(), 1U);
  EXPECT_EQ(after->inventory.containers[0].name, c.name);
  EXPECT_EQ(after->inventory.containers[0].labels, c.labels);
  EXPECT_EQ(after->inventory.containers[0].image, "bad \uFFFD\uFFFD utf8");
}

TEST(InventoryParts, ten_thousand_containers_stay_within_the_limit_and_none_is_lost) {
  const Inventory before = many_containers(10'000);
  const std::vector<std::string> parts = encode_inventory_parts(before);
  EXPECT_GT(parts.size(), 10U);
  std::set<std::string> ids;
  std::size_t pods = 0;
  std::size_t networks = 0;
  for (std::size_t n = 0; n < parts.size(); ++n) {
    EXPECT_LE(parts[n].size(), kMaxPayload);
    const Result<InventoryPart> part = decode_inventory(parts[n]);
    ASSERT_TRUE(part) << part.error().what;
    EXPECT_EQ(part->part, n + 1);
    EXPECT_EQ(part->parts, parts.size());
    EXPECT_EQ(part->inventory.time_ns, before.time_ns);
    for (const Container& c : part->inventory.containers) ids.insert(c.id);
    pods += part->inventory.pods.size();
    networks += part->inventory.networks.size();
  }
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_EQ(pods, 1U);
  EXPECT_EQ(networks, 1U);
}

TEST(InventoryParts, a_container_too_large_alone_loses_its_labels_only) {
  Inventory i = many_containers(3);
  i.containers[1].labels["big"] = std::string(200'000, 'x');
  const std::vector<std::string> parts = encode_inventory_parts(i);
  std::size_t containers = 0;
  for (const std::string& text : parts) {
    EXPECT_LE(text.size(), kMaxPayload);
    const Result<InventoryPart> part = decode_inventory(text);
    ASSERT_TRUE(part);
    for (const Container& c : part->inventory.containers) {
      ++containers;
      EXPECT_EQ(c.labels.empty(), c.id == "id1");
    }
  }
  EXPECT_EQ(containers, 3U);
}

TEST(InventoryParts, escapes_count_too) {
  Inventory i = many_containers(300);
  for (Container& c : i.containers) c.name = std::string(500, '\x01');  // six bytes each in JSON
  for (const std::string& text : encode_inventory_parts(i)) EXPECT_LE(text.size(), kMaxPayload);
}

TEST(InventoryParts, an_empty_inventory_is_one_part) {
  EXPECT_EQ(encode_inventory_parts(Inventory{}).size(), 1U);
}

TEST(DecodeInventory, refuses_what_is_not_one) {
  for (const char* text :
       {"",
        "x",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        R"({"kind":"inventory"})",
        R"({"podshark":1})",
        R"({"podshark":1,"kind":"mark"})",
        R"({"podshark":2,"kind":"inventory"})",
        R"({"podshark":"1","kind":"inventory"})",
        R"({"podshark":1,"kind":7})",
        R"({"podshark":1,"kind":"inventory","containers":{}})",
        R"({"podshark":1,"kind":"inventory","containers":[1]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"name":1}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"pid":-1}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"pid":99999999999}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"ports":[{"host_port":65536}]}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"ports":[1]}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"labels":[1]}]})",
        R"({"podshark":1,"kind":"inventory","containers":[{"networks":[[]]}]})",
        R"({"podshark":1,"kind":"inventory","part":-1})",
        R"({"podshark":1,"kind":"inventory","host":[]})"}) {
    const Result<InventoryPart> result = decode_inventory(text);
    EXPECT_FALSE(result) << text;
    if (!result) {
      EXPECT_EQ(result.error().what.rfind("not a podshark inventory: ", 0), 0U);
    }
  }
}

TEST(DecodeInventory, every_truncation_and_every_flipped_byte_is_survived) {
  const std::string good = encode_inventory(full_inventory());
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode_inventory(std::string_view(good).substr(0, n)));
    std::string flipped = good;
    flipped[n] = static_cast<char>(static_cast<unsigned char>(flipped[n]) ^ 0xA5U);
    (void)decode_inventory(flipped);  // either result is fine, as long as it returns
  }
}

TEST(DecodeInventory, deep_nesting_is_survived) {
  EXPECT_FALSE(decode_inventory(std::string(100'000, '[')));
}

TEST(DecodeInventory, unknown_keys_are_ignored) {
  const Result<InventoryPart> result =
      decode_inventory(R"({"podshark":1,"kind":"inventory","new":[1],"containers":[{"id":"a","later":{}}]})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->inventory.containers.at(0).id, "a");
}

TEST(Rfc3339, is_utc_with_nanoseconds) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(1795477303123456789), "2026-11-23T23:41:43.123456789Z");
}

TEST(InventoryInfo, counts_in_words) {
  Inventory i = many_containers(1);
  i.pods.clear();
  EXPECT_EQ(inventory_info(i, 1, 1), "inventory: 1 container");
  i = many_containers(12);
  EXPECT_EQ(inventory_info(i, 2, 3), "inventory: 12 containers, 1 pod (part 2 of 3)");
}

TEST(UpperPdu, tags_are_padded_and_in_order) {
  const std::string pdu = upper_pdu("hi", "{}");
  const std::string expected = std::string("\0\x0c\0\x04json", 8) +
                               std::string("\0\x21\0\x08Podman\0\0", 12) +
                               std::string("\0\x24\0\x04hi\0\0", 8) + std::string("\0\0\0\0", 4) + "{}";
  EXPECT_EQ(pdu, expected);
}

TEST(EncodeEvent, carries_what_is_set) {
  Event e;
  e.kind = "stats";
  e.what = "totals";
  e.links = {{"web", "eth0", 5, 2}};
  EXPECT_EQ(encode_event(e),
            R"({"podshark":1,"kind":"stats","time":"1970-01-01T00:00:00.000000000Z","what":"totals",)"
            R"("links":[{"container":"web","link":"eth0","received":5,"dropped":2}]})");
}

TEST(EncodeEvent, of_too_many_links_the_last_are_one_sum) {
  Event e;
  e.kind = "stats";
  for (std::uint64_t i = 0; i < 10'000; ++i)
    e.links.push_back({"job-" + std::to_string(i), "eth0", i, 1, 1, 1, 1});
  const std::string text = encode_event(e);
  EXPECT_LE(text.size(), kMaxPayload);
  const auto back = decode_event(text);
  ASSERT_TRUE(back);
  EXPECT_GT(back->links.size(), 500U);
  EXPECT_EQ(back->links.front().container, "job-0");
  EXPECT_EQ(back->links.back().container, kOthers);
  Event::LinkStats sum;
  for (const auto& l : back->links) sum.add(l);
  EXPECT_EQ(sum.received, 10'000U * 9'999U / 2);
  for (const std::uint64_t each : {sum.dropped, sum.queue_dropped, sum.errors, sum.memory_dropped})
    EXPECT_EQ(each, 10'000U);
}

Event full_event() {
  Event e;
  e.kind = "nat";
  e.time_ns = 1'700'000'000'123'456'789;
  e.what = "new";
  e.container_id = "abc";
  e.container = "web";
  e.link = "eth0";
  e.detail = "a sentence";
  e.id = "17";
  e.protocol = "tcp";
  e.orig = {"198.51.100.7", "192.0.2.1", 40000, 8080};
  e.reply = {"10.89.0.2", "198.51.100.7", 80, 40000};
  e.via = "rootlessport";
  e.evidence = "one process";
  e.verdict = "ok";
  e.reason = "NETFILTER_DROP";
  e.fix = "podman restart web";
  e.count = 4;
  e.packet_ns = 1'700'000'000'000'000'001;
  e.links = {{"web", "eth0", 5, 2, 1, 3}};
  return e;
}

TEST(DecodeEvent, round_trip_keeps_everything) {
  const std::string text = encode_event(full_event());
  const Result<Event> back = decode_event(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_event(*back), text);
  EXPECT_EQ(back->orig, full_event().orig);
  EXPECT_EQ(back->reply, full_event().reply);
  EXPECT_EQ(back->packet_ns, full_event().packet_ns);
  EXPECT_EQ(back->via + ": " + back->evidence, "rootlessport: one process");
}

TEST(DecodeEvent, a_time_that_no_capture_has_is_none) {
  for (const char* time :
       {"4046-11-14T22:13:20.000000000Z", "-999-11-14T22:13:20.000000000Z", "yesterday",
        // Beyond 64 bits of nanoseconds by what is no month, day, hour, minute or second.
        "2261-98-01T00:00:00.000000000Z", "2261-00-01T00:00:00.000000000Z", "2000-01-32T00:00:00.000000000Z",
        "2000-01-01T24:00:00.000000000Z", "2000-01-01T00:60:00.000000000Z", "2000-01-01T00:00:61.000000000Z",
        "2000-01-01T00:00:00.-00000001Z", "2000-01-01T00:00:-1.000000000Z"}) {
    const auto back = decode_event(R"({"podshark":1,"kind":"gap","time":")" + std::string(time) + "\"}");
    ASSERT_TRUE(back);
    EXPECT_EQ(back->time_ns, 0) << time;
  }
}

TEST(DecodeEvent, an_unknown_kind_is_an_event_too) {
  const Result<Event> back = decode_event(R"({"podshark":1,"kind":"later","what":"x","new":[1]})");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->what, "x");
}

TEST(DecodeEvent, refuses_what_is_not_one) {
  for (const char* text :
       {"", "[]", "7", "{}", R"({"podshark":1})", R"({"podshark":2,"kind":"gap"})",
        R"({"podshark":1.0,"kind":"gap"})", R"({"podshark":4.4e109,"kind":"gap"})",
        R"({"podshark":-1,"kind":"gap"})", R"({"podshark":1,"kind":"inventory"})",
        R"({"podshark":1,"kind":7})", R"({"podshark":1,"kind":"nat","orig":[]})",
        R"({"podshark":1,"kind":"nat","orig":{"src_port":-1}})",
        R"({"podshark":1,"kind":"stats","links":{}})", R"({"podshark":1,"kind":"gap","time":5})"}) {
    EXPECT_FALSE(decode_event(text)) << text;
  }
  EXPECT_FALSE(decode_event(std::string(100'000, '[')));
}

TEST(DecodeEvent, every_truncation_and_every_flipped_byte_is_survived) {
  const std::string good = encode_event(full_event());
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode_event(std::string_view(good).substr(0, n)));
    std::string flipped = good;
    flipped[n] = static_cast<char>(static_cast<unsigned char>(flipped[n]) ^ 0xA5U);
    (void)decode_event(flipped);
  }
}

}  // namespace
}  // namespace podshark::annotate
