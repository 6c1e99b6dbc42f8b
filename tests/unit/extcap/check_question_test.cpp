// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "extcap/check/question.h"

namespace podshark::extcap::check {
namespace {

using ::testing::HasSubstr;

class ReadQuestion : public ::testing::Test {
 protected:
  ReadQuestion() {
    add("web", 'a', ::geteuid());
    add("db", 'b', ::geteuid());
    add("web", 'c', ::geteuid() + 1);
    model::Pod pod;
    pod.name = "shop";
    pod.id = std::string(64, 'e');
    pod.infra_id = std::string(64, 'd');
    pod.members = {pod.infra_id};
    add("infra", 'd', ::geteuid());
    inventory.containers.back().infra = true;
    inventory.containers.back().pid = 1;
    inventory.containers.back().pod_id = pod.id;
    inventory.pods.push_back(pod);
  }

  void add(const std::string& name, char digit, uid_t owner) {
    model::Container c;
    c.name = name;
    c.id = std::string(64, digit);
    c.owner = owner;
    inventory.containers.push_back(c);
  }

  [[nodiscard]] diagnose::Question read(const std::string& target, const std::string& from = {}) {
    const Result<diagnose::Question> q = read_question(from, target, inventory);
    EXPECT_TRUE(q) << target << ": " << (q ? std::string() : q.error().line());
    return q ? q.value() : diagnose::Question{};
  }

  [[nodiscard]] Error refused(const std::string& target, const std::string& from = {}) {
    const Result<diagnose::Question> q = read_question(from, target, inventory);
    EXPECT_FALSE(q) << target;
    return q ? Error{} : q.error();
  }

  model::Inventory inventory;
};

TEST_F(ReadQuestion, of_two_with_one_name_the_callers_own_is_meant) {
  EXPECT_EQ(std::string(64, 'a'), read("web").target);
  EXPECT_EQ(std::string(64, 'a'), read("podman:web").target);
}

TEST_F(ReadQuestion, ports_and_protocols_are_taken_off_the_end) {
  const diagnose::Question q = read("db:5432/udp");
  EXPECT_EQ(std::string(64, 'b'), q.target);
  EXPECT_EQ(5432, q.port);
  EXPECT_EQ("udp", q.protocol);
  EXPECT_EQ(80, read("podman:web:80").port);
  EXPECT_EQ("icmp", read("203.0.113.2/icmp").protocol);
}

TEST_F(ReadQuestion, pods_are_their_infra_container) {
  EXPECT_EQ(std::string(64, 'd'), read("pod/shop").target);
  EXPECT_EQ(8080, read("pod/shop:8080").port);
}

TEST_F(ReadQuestion, addresses_of_both_families_have_ports) {
  EXPECT_EQ("203.0.113.1", read("203.0.113.1:8080").address->text());
  EXPECT_EQ("::1", read("[::1]:8080").address->text());
  EXPECT_EQ(8080, read("[::1]:8080").port);
  EXPECT_EQ("fd00::2", read("fd00::2").address->text());
  EXPECT_FALSE(read("fd00::2").port);
}

TEST_F(ReadQuestion, a_port_of_the_host_is_that_of_who_publishes_it) {
  model::PortMapping port;
  port.host_port = 8080;
  port.container_port = 80;
  port.protocol = "tcp";
  inventory.containers[1].ports.push_back(port);
  inventory.containers[1].pid = 1;
  const diagnose::Question q = read("host:8080", "web");
  EXPECT_EQ(std::string(64, 'b'), q.target);
  EXPECT_EQ(8080, q.port);
  EXPECT_TRUE(q.published);
  EXPECT_FALSE(read("db:8080").published);
  EXPECT_THAT(refused("host:8080/udp").line(), HasSubstr("no running container publishes udp port 8080"));
  EXPECT_EQ(ErrorKind::usage, refused("host").kind);
}

TEST_F(ReadQuestion, an_id_may_be_cut_to_what_is_unique) {
  EXPECT_EQ(std::string(64, 'b'), read("bbbb").target);
  add("x", 'b', ::geteuid());
  inventory.containers.back().id.back() = '0';
  EXPECT_EQ(ErrorKind::usage, refused("bbbb").kind);
}

TEST_F(ReadQuestion, nonsense_is_refused_with_its_reason) {
  EXPECT_THAT(refused("web:0").line(), HasSubstr("1 to 65535"));
  EXPECT_THAT(refused("web:65536").line(), HasSubstr("1 to 65535"));
  EXPECT_THAT(refused("web/sctp").line(), HasSubstr("tcp, udp or icmp"));
  EXPECT_EQ(ErrorKind::usage, refused(":80").kind);
  EXPECT_EQ(ErrorKind::not_found, refused("nobody").kind);
  EXPECT_EQ(ErrorKind::not_found, refused("pod/none").kind);
  EXPECT_EQ(ErrorKind::not_found, refused("web", "nobody").kind);
  EXPECT_EQ(ErrorKind::unsupported, refused("web", "ssh://there").kind);
  EXPECT_THAT(refused("web", "ssh://there").hint, HasSubstr("--host"));
}

TEST_F(ReadQuestion, nothing_asked_is_everything) {
  EXPECT_FALSE(read("").asked());
  EXPECT_TRUE(read("", "host").asked());
}

}  // namespace
}  // namespace podshark::extcap::check
