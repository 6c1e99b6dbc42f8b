// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/rest_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include "podman/core/fd.h"
#include "tests/unit/temp_tree.h"

namespace podshark::api {
namespace {

using namespace std::chrono_literals;

const std::string kId(64, 'a');
const std::string kOther(64, 'b');

std::string http(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.0 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

/// Answers each connection with what `answer` makes of its request line, then closes it; an empty answer
/// keeps it open and silent until the server ends. Records the requests.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& target)>;

  explicit Server(Answer answer) : answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().c_str(), path().size() + 1);
    listener_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
    thread_.join();
  }

  [[nodiscard]] std::string path() const { return tree_.path() + "/s"; }
  [[nodiscard]] std::vector<std::string> targets() {
    const std::scoped_lock lock(mutex_);
    return targets_;
  }

 private:
  void serve() {
    std::vector<UniqueFd> silent;
    for (;;) {
      UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      std::string request;
      std::array<char, 4096> buffer{};
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (n <= 0) break;
        request.append(buffer.data(), static_cast<std::size_t>(n));
      }
      if (request.empty()) continue;  // answers() only connects
      const std::string target = request.substr(4, request.find(' ', 4) - 4);
      {
        const std::scoped_lock lock(mutex_);
        targets_.push_back(target);
      }
      const std::string answer = answer_(target);
      if (answer.empty()) silent.push_back(std::move(fd));
      for (std::size_t at = 0; at < answer.size();) {
        const ssize_t n = ::send(fd.get(), answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
    }
  }

  test::TempTree tree_;
  Answer answer_;
  UniqueFd listener_;
  std::mutex mutex_;
  std::vector<std::string> targets_;
  std::thread thread_;
};

Deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

TEST(RestSocket, connect_decides_whether_it_answers) {
  const test::TempTree tree;
  EXPECT_FALSE(RestSocket(tree.path() + "/none").answers());
  EXPECT_FALSE(RestSocket(tree.write("file", "")).answers());
  EXPECT_FALSE(RestSocket("/" + std::string(200, 'x')).answers());
  std::string path;
  {
    const Server server([](const std::string&) { return http("[]"); });
    path = server.path();
    EXPECT_TRUE(RestSocket(path).answers());
  }
  EXPECT_FALSE(RestSocket(path).answers());
}

TEST(RestSocket, asks_for_all_with_pods_and_namespaces) {
  Server server([](const std::string&) { return http("[7]"); });
  RestSocket socket(server.path());
  const Result<std::string> answer = socket.ps(in(10s));
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(*answer, "[7]");
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{"/v4.0.0/libpod/containers/json?all=true&pod=true&namespace=true"}));
}

TEST(RestSocket, inspect_makes_one_list_and_leaves_out_what_is_gone) {
  Server server([](const std::string& target) {
    return target.find(kOther) != std::string::npos ? http("{}", "404 Not Found") : http("{\"Id\":1}");
  });
  RestSocket socket(server.path());
  const Result<std::string> answer = socket.inspect({kId, kOther, kId}, in(10s));
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(*answer, "[{\"Id\":1},{\"Id\":1}]");
}

TEST(RestSocket, network_names_cannot_reach_other_paths) {
  Server server([](const std::string&) { return http("{}"); });
  RestSocket socket(server.path());
  ASSERT_TRUE(socket.networks({"../containers/x", "a b", "good", "-x", "a?b"}, in(10s)));
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"/v4.0.0/libpod/networks/good/json"}));
}

TEST(RestSocket, a_silent_service_is_given_up_at_the_deadline) {
  const Server server([](const std::string&) { return std::string(); });
  RestSocket socket(server.path());
  const auto start = std::chrono::steady_clock::now();
  const Result<std::string> answer = socket.ps(in(150ms));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::no_podman);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 150ms);
}

TEST(RestSocket, nonsense_and_refusals_are_errors_of_one_line) {
  for (const std::string& text :
       {std::string("garbage"), std::string("HTTP/1.1 200 OK\r\n"), std::string("HTTP/1.1 abc\r\n\r\n[]"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"), http("locked\ndatabase", "500 Oops"),
        http("[]", "301 Moved"), "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n[]"}) {
    const Server server([&](const std::string&) { return text; });
    RestSocket socket(server.path());
    const Result<std::string> answer = socket.ps(in(10s));
    ASSERT_FALSE(answer) << text.substr(0, 60);
    EXPECT_EQ(answer.error().what.find('\n'), std::string::npos);
  }
}

TEST(RestSocket, ten_megabytes_are_refused) {
  const Server server([](const std::string&) { return http(std::string(10U << 20U, ' ')); });
  RestSocket socket(server.path());
  const Result<std::string> answer = socket.ps(in(10s));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().what.find("sent more than"), std::string::npos);
}

}  // namespace
}  // namespace podshark::api
