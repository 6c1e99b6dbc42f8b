// SPDX-License-Identifier: GPL-2.0-or-later
// Which source discover() believes, with a service that answers nothing or one thing to every request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>

#include "podman/core/fd.h"
#include "podman/discover/discover.h"
#include "tests/unit/discover/fake_proc.h"

namespace podshark::discover {
namespace {

using namespace std::chrono_literals;

/// Sends `answer` to each connection and closes it; without an answer it never accepts. `only`: requests that
/// do not have this in them are refused.
class Service {
 public:
  Service(const std::string& path, std::optional<std::string> answer, std::string only = {})
      : answer_(std::move(answer)), only_(std::move(only)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    listener_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    if (answer_) thread_ = std::thread([this] { serve(); });
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void serve() {
    for (;;) {
      const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      char request[4096];
      const ssize_t n = ::recv(fd.get(), request, sizeof(request), 0);
      if (n <= 0) continue;  // discovery only tried to connect
      const bool wanted =
          std::string_view(request, static_cast<std::size_t>(n)).find(only_) != std::string_view::npos;
      const std::string text = wanted ? *answer_ : "HTTP/1.0 500 No\r\n\r\nbroken";
      (void)::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
  }
  std::optional<std::string> answer_;
  std::string only_;
  UniqueFd listener_;
  std::thread thread_;
};

class DiscoverSocket : public testing::Test {
 protected:
  DiscoverSocket() {
    const std::string conf = tree_.write("storage.conf", "graphroot = \"" + tree_.path() + "/graph\"\n");
    tree_.write("graph/db.sql", "");
    tree_.write("bin/podman", "#!/bin/sh\ntouch " + tree_.path() + "/was-called\necho '[]'\n", true);
    std::filesystem::create_directories(tree_.path() + "/podman");
    storage_conf_.emplace("CONTAINERS_STORAGE_CONF", conf.c_str());
    runtime_.emplace("XDG_RUNTIME_DIR", tree_.path().c_str());
    path_.emplace("PATH", (tree_.path() + "/bin:/usr/bin:/bin").c_str());
    options_.proc = proc_.path();
    // The caller's own: for root it is the rootful one.
    options_.rootful_socket = ::geteuid() == 0 ? own_socket() : tree_.path() + "/no.sock";
  }

  [[nodiscard]] std::string own_socket() const { return tree_.path() + "/podman/podman.sock"; }
  [[nodiscard]] bool podman_was_called() const {
    return std::filesystem::exists(tree_.path() + "/was-called");
  }

  test::FakeProc proc_;
  test::TempTree tree_;
  Options options_;
  std::optional<test::ScopedEnv> storage_conf_;
  std::optional<test::ScopedEnv> runtime_;
  std::optional<test::ScopedEnv> path_;
};

TEST_F(DiscoverSocket, a_service_that_answers_makes_the_command_unnecessary) {
  const Service service(own_socket(),
                        "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"0123456789ab\",\"Names\":[\"web\"],"
                        "\"State\":\"running\"}");
  const model::Inventory inventory = discover(options_);
  EXPECT_FALSE(podman_was_called());
  ASSERT_EQ(inventory.containers.size(), 1U);
  EXPECT_EQ(inventory.containers[0].name, "web");
  EXPECT_TRUE(inventory.problems.empty());
}

TEST_F(DiscoverSocket, a_service_that_refuses_leaves_it_to_the_command) {
  const Service service(own_socket(), "HTTP/1.0 500 No\r\n\r\nbroken");
  const model::Inventory inventory = discover(options_);
  EXPECT_TRUE(podman_was_called());
  ASSERT_EQ(inventory.problems.size(), 1U);
  EXPECT_EQ(inventory.problems[0].source, "socket");
  EXPECT_THAT(inventory.problems[0].what, testing::HasSubstr("answered 500: broken"));
}

TEST_F(DiscoverSocket, what_a_service_leaves_open_the_command_tells) {
  const Service service(own_socket(),
                        "HTTP/1.0 200 OK\r\n\r\n[{\"Id\":\"0123456789ab\",\"Names\":[\"web\"],"
                        "\"State\":\"running\"}]",
                        "/containers/json");
  const model::Inventory inventory = discover(options_);
  EXPECT_TRUE(podman_was_called());
  EXPECT_TRUE(inventory.problems.empty()) << inventory.problems[0].what;
}

TEST_F(DiscoverSocket, a_silent_service_leaves_the_command_its_time) {
  const Service service(own_socket(), std::nullopt);
  options_.deadline = 3s;
  const model::Inventory inventory = discover(options_);
  EXPECT_TRUE(podman_was_called());
  ASSERT_EQ(inventory.problems.size(), 1U);
  EXPECT_EQ(inventory.problems[0].source, "socket");
}

TEST_F(DiscoverSocket, a_user_without_storage_does_not_start_the_service) {
  const std::string conf = tree_.write("none.conf", "graphroot = \"" + tree_.path() + "/none\"\n");
  const test::ScopedEnv env("CONTAINERS_STORAGE_CONF", conf.c_str());
  const Service service(own_socket(), "HTTP/1.0 500 No\r\n\r\nbroken");
  const model::Inventory inventory = discover(options_);
  EXPECT_FALSE(podman_was_called());
  EXPECT_TRUE(inventory.problems.empty());
}

}  // namespace
}  // namespace podshark::discover
