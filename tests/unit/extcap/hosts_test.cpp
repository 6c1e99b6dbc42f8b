// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <algorithm>

#include "extcap/naming.h"
#include "extcap/remote/host_book.h"
#include "extcap/remote/host_listing.h"
#include "extcap/remote/listed_host.h"
#include "podman/core/proc.h"

namespace podshark::extcap::remote {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names(const std::vector<FarHost>& hosts) {
  std::vector<std::string> out;
  for (const FarHost& h : hosts) out.push_back(h.name);
  return out;
}

TEST(HostBook, reads_what_people_write) {
  const HostBook book = HostBook::parse(
      "# mine\n\nweb.example\n  root@db:2222\tkey=~/.ssh/db jump=gate,me@other:22  \r\n"
      "a port=7 key=\"/my keys/a\"\n");
  EXPECT_THAT(book.problems(), IsEmpty());
  ASSERT_THAT(names(book.hosts()), ElementsAre("web.example", "root@db:2222", "a:7"));
  EXPECT_EQ("web.example", book.hosts()[0].destination);
  EXPECT_THAT(book.hosts()[1].options, ElementsAre("-i", "~/.ssh/db", "-J", "gate,me@other:22"));
  EXPECT_EQ("ssh://a:7", book.hosts()[2].destination);
  EXPECT_THAT(book.hosts()[2].options, ElementsAre("-i", "/my keys/a"));
}

TEST(HostBook, a_wrong_line_is_told_and_counts_for_nothing) {
  const HostBook book = HostBook::parse(
      "-oProxyCommand=id\na color=red\na key=\"x\nb jump=-oX\nc\nme@d\nssh://me@d:22\n\xff\xfe\n");
  EXPECT_THAT(names(book.hosts()), ElementsAre("c", "me@d"));
  EXPECT_THAT(book.problems(),
              ElementsAre(HasSubstr("line 1: '-oProxyCommand=id' is not"), HasSubstr("line 2: 'color=red'"),
                          HasSubstr("line 3: a quote"), HasSubstr("line 4: '-oX' is no jump host"),
                          HasSubstr("line 7: 'me@d:22' is there already"), HasSubstr("line 8: ")));
}

TEST(HostBook, edits_leave_other_lines_alone) {
  const std::string text = "# mine\n\n  odd   line = 3\nweb  key=a\n";
  HostBook book = HostBook::parse(text);
  EXPECT_EQ(text, book.text());
  const auto added = book.add({"db", "2222", {}, "/my keys/db", "gate"});
  ASSERT_TRUE(added);
  EXPECT_EQ(text + "db port=2222 key=\"/my keys/db\" jump=gate\n", book.text());
  EXPECT_EQ(*added, HostBook::parse(book.text()).hosts().back());
  ASSERT_TRUE(book.remove("web"));
  EXPECT_EQ("# mine\n\n  odd   line = 3\ndb port=2222 key=\"/my keys/db\" jump=gate\n", book.text());
  EXPECT_EQ("a\n", [] {
    HostBook empty = HostBook::parse("");
    EXPECT_TRUE(empty.add({.host = "a", .port = {}, .user = {}, .key = {}, .jump = {}}));
    return empty.text();
  }());
}

TEST(HostBook, a_key_is_saved_so_that_it_is_found_from_anywhere) {
  EXPECT_EQ(lasting_key("id", "/home/me"), "/home/me/id");
  EXPECT_EQ(lasting_key("./keys/../id", "/home/me"), "/home/me/id");
  for (const char* key : {"", "/k", "~/.ssh/id", "%d/.ssh/id", "${HOME}/id"})
    EXPECT_EQ(lasting_key(key, "/home/me"), key);
  EXPECT_EQ(lasting_key("id", ""), "id");
}

TEST(HostBook, refuses_what_it_could_not_read_again) {
  HostBook book = HostBook::parse("me@a\n");
  for (const HostFields& wrong : std::vector<HostFields>{{"me@a", "", "", "", ""},
                                                         {"ssh://me@a:22", "", "", "", ""},
                                                         {"b", "", "", "x\"y", ""},
                                                         {"b", "", "", "x\ny", ""},
                                                         {"#b", "", "", "", ""},
                                                         {"b", "", "", "", "-x"}}) {
    const auto added = book.add(wrong);
    ASSERT_FALSE(added) << wrong.host << wrong.key;
    EXPECT_EQ(ErrorKind::usage, added.error().kind);
  }
  EXPECT_EQ(ErrorKind::not_found, book.remove("b").error().kind);
  EXPECT_EQ("me@a\n", book.text());
}

std::vector<api::Connection> recorded(const std::string& version) {
  const auto text = podshark::read_file(
      std::string(PODSHARK_FIXTURES) + "/podman-" + version + "/system-connections.json", 1U << 20U);
  EXPECT_TRUE(text);
  const auto parsed = api::parse_connections(*text);
  EXPECT_TRUE(parsed);
  return parsed->items;
}

class Recorded : public testing::TestWithParam<const char*> {};

TEST_P(Recorded, connections_are_hosts_except_those_of_this_machine) {
  const ListedHosts listed = listed_hosts({}, recorded(GetParam()), {});
  std::vector<std::string> shown;
  for (const ListedHost& h : listed.hosts) shown.push_back(h.host.destination + " | " + h.from);
  EXPECT_THAT(shown, ElementsAre("ssh://me@web.example:22 | podman connection web",
                                 "ssh://root@db.example:2222 | podman connection db",
                                 "ssh://me@[fd00::1]:22 | podman connection v6"));
  EXPECT_THAT(listed.hosts[1].host.options, ElementsAre("-i", "/home/me/.ssh/id_db"));
  EXPECT_THAT(listed.notes, ElementsAre(HasSubstr("podman connection plain: 'tcp://10.0.0.9:8080'")));
}

INSTANTIATE_TEST_SUITE_P(Podman, Recorded, testing::Values("4.3.1", "5.4.2"));

FarHost host(const std::string& text) {
  return *parse_host(text);
}

TEST(ListedHosts, saved_ones_come_first_and_no_place_twice) {
  const std::vector<api::Connection> connections{{"one", "ssh://me@a:22/run/x", "/key", false, true},
                                                 {"two", "ssh://me@b:22/run/x", "", false, false},
                                                 {"three", "ssh://c/run/x", "", false, false}};
  const ListedHosts listed = listed_hosts({host("z"), host("me@a")}, connections,
                                          {"ssh://root@d:2222/run/podman/podman.sock", "/dkey", "three"});
  std::vector<std::string> shown;
  for (const ListedHost& h : listed.hosts)
    shown.push_back(h.host.name + " | " + h.from + " | " + h.connection);
  EXPECT_THAT(shown,
              ElementsAre("z | saved | ", "me@a | saved | one", "root@d:2222 | CONTAINER_HOST | ",
                          "c | podman connection three | three", "me@b:22 | podman connection two | two"));
  EXPECT_THAT(listed.hosts[1].host.options, IsEmpty());
  EXPECT_THAT(listed.hosts[2].host.options, ElementsAre("-i", "/dkey"));
}

TEST(ListedHosts, a_machine_has_its_key_and_port_from_the_uri) {
  const ListedHosts listed = listed_hosts(
      {}, {{"default", "ssh://core@127.0.0.1:40041/run/user/1000/podman/podman.sock", "/m/key", true, true}},
      {});
  ASSERT_EQ(1U, listed.hosts.size());
  EXPECT_EQ("ssh://core@127.0.0.1:40041", listed.hosts[0].host.destination);
  EXPECT_THAT(listed.hosts[0].host.options, ElementsAre("-i", "/m/key"));
  EXPECT_EQ("podman machine default", listed.hosts[0].from);
}

TEST(ListedHosts, this_machine_is_none_and_what_ssh_could_misread_is_refused) {
  EXPECT_THAT(listed_hosts({}, {}, {"unix:///run/podman/podman.sock", "", ""}).hosts, IsEmpty());
  for (const char* uri :
       {"ssh://-oProxyCommand=id/x", "ssh:///run/x", "ssh://a b/x", "ssh://a';id/x", "ssh://"}) {
    const ListedHosts listed = listed_hosts({}, {{"evil", uri, "", false, false}}, {uri, "", ""});
    EXPECT_THAT(listed.hosts, IsEmpty()) << uri;
    EXPECT_EQ(2U, listed.notes.size()) << uri;
  }
}

TEST(FindHost, by_place_then_by_podmans_name) {
  const ListedHosts listed = listed_hosts(
      {host("two")},
      {{"two", "ssh://me@b:22/x", "/k", false, false}, {"prod", "ssh://me@c:2222/x", "/k", false, false}},
      {});
  const auto find = [&](const char* text) {
    const ListedHost* found = find_host(listed.hosts, host(text));
    return found == nullptr ? std::string() : found->host.name;
  };
  EXPECT_EQ("two", find("two"));
  EXPECT_EQ("me@b:22", find("ssh://me@b"));
  EXPECT_EQ("me@c:2222", find("prod"));
  EXPECT_EQ("", find("me@c"));
}

model::Container container(const std::string& name, const std::string& id, uid_t owner = 0) {
  model::Container c;
  c.name = name;
  c.id = id + std::string(64 - id.size(), '0');
  c.pid = 1;
  c.state = "running";
  c.owner = owner;
  c.rootless = owner != 0;
  return c;
}

TEST(FarContainers, what_is_not_clear_goes_by_its_id) {
  model::Inventory there;
  there.containers = {container("web", "aa"),     container("twice", "b1"),    container("twice", "b2", 1000),
                      container("all", "cc"),     container("web*\t}{", "dd"), container("infra", "ee"),
                      container("stopped", "ff"), container("", "ab")};
  there.containers[5].infra = true;
  there.containers[6].pid = 0;
  std::vector<std::string> shown;
  for (const FarContainer& c : far_containers(there)) shown.push_back(c.name + "=" + c.target.substr(0, 4));
  EXPECT_THAT(shown, ElementsAre("web=web", "b10000000000=b100", "b20000000000=b200", "all=cc00",
                                 "dd0000000000=dd00", "ab0000000000=ab00"));
}

TEST(Listing, is_read_as_it_was_written) {
  model::Inventory there;
  there.containers = {container("web", "aa"), container("tab\there\nline", "bb")};
  const auto containers = far_containers(there);
  const auto read = decode_listing(encode_listing(containers));
  ASSERT_TRUE(read);
  EXPECT_EQ(containers, *read);
  EXPECT_EQ("Podman web", read->front().display);
}

TEST(Listing, anything_else_is_none) {
  EXPECT_FALSE(decode_listing(""));
  EXPECT_FALSE(decode_listing("{\"podshark\":1}"));
  EXPECT_FALSE(decode_listing("podshark-listing 2\na\ta\tPodman a\n"));
  const auto some = decode_listing("podshark-listing 1\na\n\t\t\na\tb\tc\td\nweb\tweb\tPodman web\n");
  ASSERT_TRUE(some);
  EXPECT_EQ(1U, some->size());
}

TEST(FarInterface, values_are_stable_short_and_distinct) {
  EXPECT_EQ("podman@me@server:2222:web", far_interface_value("me@server:2222", "web"));
  EXPECT_EQ("podman@server:choose", far_choose_value("server"));
  EXPECT_EQ("podman@server:container/choose", far_interface_value("server", "choose"));
  EXPECT_EQ("podman@server:a_b__c_", far_interface_value("server", "a b{}c,"));
  const std::string long_host(80, 'h');
  const std::string long_name(80, 'n');
  const std::vector<std::string> values{
      far_interface_value(long_host, "web"),           far_interface_value(long_host + "2", "web"),
      far_interface_value(long_host, long_name),       far_interface_value(long_host + "2", long_name),
      far_interface_value(long_host, long_name + "2"), far_interface_value("server", long_name),
      far_interface_value("server2", long_name),       far_choose_value(long_host)};
  for (const std::string& value : values) {
    EXPECT_LT(value.size(), kMaxInterfaceName) << value;
    EXPECT_EQ(1, std::count(values.begin(), values.end(), value)) << value;
  }
  EXPECT_THAT(values[0], HasSubstr(":web"));
}

TEST(AgeText, is_silent_about_minutes) {
  using namespace std::chrono_literals;
  EXPECT_EQ("", age_text(299s));
  EXPECT_EQ("5 min ago", age_text(300s));
  EXPECT_EQ("3 h ago", age_text(3h + 40min));
  EXPECT_EQ("2 d ago", age_text(50h));
  EXPECT_EQ("at a time unknown", age_text(milliseconds::max()));
}

}  // namespace
}  // namespace podshark::extcap::remote
