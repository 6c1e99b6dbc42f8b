// SPDX-License-Identifier: GPL-2.0-or-later
// Answers that no podman gives, or not yet.
#include "podman/api/parse.h"

#include <gtest/gtest.h>

#include "podman/api/limits.h"
#include "podman/api/transport.h"

namespace podshark::api {
namespace {

const std::string kId(64, 'a');

std::string row(const std::string& members) {
  return "[{\"Id\":\"" + kId + "\"" + (members.empty() ? "" : ",") + members + "}]";
}

model::Container one_row(const std::string& members) {
  Result<Parsed<PsRow>> parsed = parse_ps(row(members));
  if (!parsed || parsed->items.size() != 1) {
    ADD_FAILURE() << members;
    return {};
  }
  return parsed->items[0].container;
}

TEST(ParsePs, nothing_is_an_empty_list) {
  for (const char* text : {"[]", "null", " [ ] \n"}) {
    const Result<Parsed<PsRow>> parsed = parse_ps(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(parsed->items.empty());
  }
}

TEST(ParsePs, what_is_no_json_list_is_an_error_of_one_line) {
  for (const char* text :
       {"", " \n", "Error: database is locked\nmore", "[", "7", "\"x\"", "true", "[1,]", "\xFF"}) {
    const Result<Parsed<PsRow>> parsed = parse_ps(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::no_podman);
    EXPECT_EQ(parsed.error().what.find('\n'), std::string::npos);
  }
}

TEST(ParsePs, ten_megabytes_are_refused) {
  const std::string big = "[\"" + std::string(10U << 20U, 'x') + "\"]";
  const Result<Parsed<PsRow>> parsed = parse_ps(big);
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().what.find("larger than"), std::string::npos);
}

TEST(ParsePs, deep_nesting_is_survived) {
  EXPECT_FALSE(parse_ps(std::string(1U << 18U, '[')));
  const std::string deep = std::string(1U << 17U, '[') + std::string(1U << 17U, ']');
  EXPECT_TRUE(parse_ps(deep));
  EXPECT_TRUE(parse_ps(row("\"Labels\":" + deep)));
}

TEST(ParsePs, entries_without_a_proper_id_are_left_out_and_counted) {
  const Result<Parsed<PsRow>> parsed = parse_ps(
      R"([1,null,[],{},{"Id":7},{"Id":"short"},{"Id":"--privileged-xx"},{"Id":"0123456789AB"},{"Id":"0123456789ab"}])");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->items.size(), 1U);
  ASSERT_EQ(parsed->notes.size(), 1U);
  EXPECT_NE(parsed->notes[0].find("8 entries"), std::string::npos);
}

TEST(ParsePs, wrong_types_read_as_unknown) {
  const std::vector<std::string> values{"1",  "-1", "1.5",  "true",       "null",  "\"x\"",
                                        "[]", "{}", "[[]]", "{\"a\":[]}", "1e300", "99999999999999999999"};
  for (const char* key : {"Names", "Image", "ImageID", "State", "Created", "StartedAt", "Pid", "Namespaces",
                          "IsInfra", "Pod", "Labels", "Networks", "Ports", "PodName"}) {
    for (const std::string& value : values) {
      EXPECT_EQ(one_row(std::string("\"") + key + "\":" + value).id, kId);
      EXPECT_EQ(one_row(std::string("\"") + key + "\":[" + value + "]").id, kId);
      EXPECT_EQ(one_row(std::string("\"") + key + "\":{\"Net\":" + value + "}").id, kId);
    }
  }
}

TEST(ParsePs, times_are_numbers_or_rfc3339) {
  EXPECT_EQ(one_row(R"("Created":1795477303)").created_at, 1795477303);
  EXPECT_EQ(one_row(R"("Created":"2026-11-23T23:41:43.020952326Z")").created_at, 1795477303);
  EXPECT_EQ(one_row(R"("Created":"2026-11-24T01:41:43+02:00")").created_at, 1795477303);
  EXPECT_EQ(one_row(R"("Created":"2026-11-23T18:11:43.5-05:30")").created_at, 1795477303);
  for (const char* never :
       {"-62135596800", "\"0001-01-01T00:00:00Z\"", "\"\"", "\"soon\"", "\"2026-11-23\""}) {
    EXPECT_EQ(one_row(std::string("\"Created\":") + never).created_at, 0) << never;
  }
}

TEST(ParsePs, ports_out_of_range_are_none) {
  const auto ports = one_row(R"("Ports":[{"host_port":65536,"container_port":80},{"container_port":0},
      {"host_ip":"0.0.0.0","host_port":1,"container_port":2,"protocol":"sctp"},7])")
                         .ports;
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0], (model::PortMapping{"", 0, 80, 1, "tcp"}));
  EXPECT_EQ(ports[1], (model::PortMapping{"", 1, 2, 1, "sctp"}));
}

TEST(ParsePs, limits_cut_what_strangers_made_long) {
  std::string labels = "\"Labels\":{\"long\":\"" + std::string(kMaxText, 'x') + "\u20ac\"";
  for (int i = 0; i < 500; ++i) labels += ",\"l" + std::to_string(i) + "\":\"v\"";
  const model::Container c =
      one_row(labels + "},\"Names\":[\"" + std::string(kMaxName - 1, 'n') + "\u20ac\"]");
  EXPECT_EQ(c.labels.size(), kMaxLabels);
  EXPECT_EQ(c.name, std::string(kMaxName - 1, 'n')) << "cut before the character that does not fit";
}

TEST(ParsePs, more_containers_than_the_limit_are_said_so) {
  std::string text = "[";
  for (std::size_t i = 0; i <= kMaxContainers; ++i)
    text += (i > 0 ? ",{\"Id\":\"" : "{\"Id\":\"") + kId + "\"}";
  const Result<Parsed<PsRow>> parsed = parse_ps(text + "]");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->items.size(), kMaxContainers);
  EXPECT_EQ(parsed->notes.size(), 1U);
}

TEST(ParseInspect, sandbox_key_counts_only_below_run_netns) {
  for (const char* path :
       {"/run/user/1000/netns/netns-1", "/proc/306/ns/net", "/etc/shadow", "", "/run/netns"}) {
    const auto parsed =
        parse_inspect(R"({"Id":")" + kId + R"(","NetworkSettings":{"SandboxKey":")" + path + R"("}})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->items.at(0).netns_path, "") << path;
  }
}

TEST(ParseInspect, macs_become_lower_case) {
  const auto parsed = parse_inspect(
      R"({"Id":")" + kId + R"(","NetworkSettings":{"Networks":{"n":{"MacAddress":"AA:BB:0C:00:00:01"}}}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->items.at(0).networks.at(0).mac, "aa:bb:0c:00:00:01");
}

TEST(ParseNetworks, options_that_leave_the_gateway_to_others_are_known) {
  const auto one = [](const std::string& options) {
    Result<Parsed<NetworkDetails>> parsed =
        parse_networks(R"([{"name":"lan","driver":"bridge")" + options + "}]");
    EXPECT_TRUE(parsed && parsed->items.size() == 1) << options;
    return parsed && parsed->items.size() == 1 ? parsed->items[0].network : model::Network{};
  };
  EXPECT_FALSE(one("").unmanaged || one("").no_default_route);
  EXPECT_TRUE(one(R"(,"options":{"mode":"unmanaged"})").unmanaged);
  EXPECT_FALSE(one(R"(,"options":{"mode":"managed"})").unmanaged);
  EXPECT_TRUE(one(R"(,"options":{"no_default_route":"true"})").no_default_route);
  EXPECT_FALSE(one(R"(,"options":{"no_default_route":"false"})").no_default_route);
}

TEST(IsPodmanName, follows_podmans_rule) {
  for (const char* good : {"podman", "a", "9-x_y.z", "Net1"}) EXPECT_TRUE(is_podman_name(good)) << good;
  for (const char* bad : {"", "-f", "../x", "a b", "a/b", "a?b", ".a", "\u00e9"})
    EXPECT_FALSE(is_podman_name(bad)) << bad;
}

TEST(ParseEvents, labels_are_told_before_podman_is_asked) {
  const auto event = parse_container_event(
      R"({"ID":")" + kId +
      R"(","Image":"bb","Name":"web","Status":"start","Type":"container","Attributes":{"tier":"front","image":"x"}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->status, "start");
  EXPECT_EQ(event->container.name, "web");
  EXPECT_EQ(event->container.labels, (std::map<std::string, std::string>{{"tier", "front"}}));
}

TEST(ParseEvents, other_lines_are_errors) {
  for (const char* line :
       {"", "{", "[]", R"({"Type":"pod","ID":"aaaaaaaaaaaa"})", R"({"Type":"container","ID":7})"})
    EXPECT_FALSE(parse_container_event(line)) << line;
}

TEST(ParseConnections, what_is_missing_or_of_a_wrong_type_is_left_out) {
  const Result<Parsed<Connection>> parsed = parse_connections(
      R"([{"Name":"a","URI":"ssh://a/x","Identity":7,"IsMachine":"yes","Default":true},
          {"Name":"b","URI":null},{"URI":"ssh://c"},9,
          {"Name":"d","URI":"ssh://d/x","Identity":"/k","IsMachine":true,"ReadWrite":true}])");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(2U, parsed->items.size());
  EXPECT_EQ("", parsed->items[0].identity);
  EXPECT_FALSE(parsed->items[0].machine);
  EXPECT_TRUE(parsed->items[0].is_default);
  EXPECT_EQ("/k", parsed->items[1].identity);
  EXPECT_TRUE(parsed->items[1].machine);
  EXPECT_EQ(1U, parsed->notes.size());
  EXPECT_EQ(ErrorKind::no_podman, parse_connections("Error: no such command").error().kind);
}

}  // namespace
}  // namespace podshark::api
